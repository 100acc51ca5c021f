// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of cipher suites (RFC 9846 B.4) and groups (4.2.7). */
#include "handshake/suite.h"

const struct suite suites[] = {
	{ "TLS_AES_128_GCM_SHA256",       0x1301, &crypto_aes_128_gcm,       &crypto_sha256 },
	{ "TLS_AES_256_GCM_SHA384",       0x1302, &crypto_aes_256_gcm,       &crypto_sha384 },
	{ "TLS_CHACHA20_POLY1305_SHA256", 0x1303, &crypto_chacha20_poly1305, &crypto_sha256 },
};
const size_t suites_num = sizeof(suites) / sizeof(suites[0]);
_Static_assert(sizeof(suites) / sizeof(suites[0]) <= SUITES_MAX, "room for every suite");

const struct crypto_group *const groups[] = {
	&crypto_x25519mlkem768, &crypto_x25519, &crypto_secp256r1, &crypto_secp384r1, &crypto_secp521r1,
	/* from here on by configuration only */
	&crypto_x448, &crypto_ffdhe2048, &crypto_ffdhe3072, &crypto_ffdhe4096,
};
const size_t groups_num = sizeof(groups) / sizeof(groups[0]);
_Static_assert(sizeof(groups) / sizeof(groups[0]) <= GROUPS_MAX, "room for every group");

const struct suite *suite_by_id(uint16_t id)
{
	for (size_t i = 0; i < suites_num; i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

const struct suite *suite_by_cipher(uint16_t tls_cipher)
{
	for (size_t i = 0; i < suites_num; i++)
		if (suites[i].aead->tls_cipher == tls_cipher)
			return &suites[i];
	return NULL;
}

const struct crypto_group *group_by_id(uint16_t id)
{
	for (size_t i = 0; i < groups_num; i++)
		if (groups[i]->id == id)
			return groups[i];
	return NULL;
}
