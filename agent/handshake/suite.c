// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of cipher suites (RFC 9846 B.4; for TLS 1.2 RFC 5289, 7905 and,
 * where an ffdhe group was configured, 5288) and groups (RFC 9846 4.2.7).
 */
#include "handshake/suite.h"
#include "handshake/version.h"

static const struct kx12 ecdhe_ecdsa = { "ECDHE_ECDSA", KX_ECDHE, KX_ECDSA };
static const struct kx12 ecdhe_rsa = { "ECDHE_RSA", KX_ECDHE, KX_RSA };
static const struct kx12 dhe_rsa = { "DHE_RSA", KX_DHE, KX_RSA };

#define AES_128 &crypto_aes_128_gcm,       &crypto_sha256
#define AES_256 &crypto_aes_256_gcm,       &crypto_sha384
#define CHACHA  &crypto_chacha20_poly1305, &crypto_sha256

const struct suite suites[] = {
	{ "TLS_AES_128_GCM_SHA256",       0x1301, TLS13, NULL, AES_128 },
	{ "TLS_AES_256_GCM_SHA384",       0x1302, TLS13, NULL, AES_256 },
	{ "TLS_CHACHA20_POLY1305_SHA256", 0x1303, TLS13, NULL, CHACHA },

	{ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       0xc02b, TLS12, &ecdhe_ecdsa, AES_128 },
	{ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",         0xc02f, TLS12, &ecdhe_rsa,   AES_128 },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       0xc02c, TLS12, &ecdhe_ecdsa, AES_256 },
	{ "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",         0xc030, TLS12, &ecdhe_rsa,   AES_256 },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca9, TLS12, &ecdhe_ecdsa, CHACHA },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   0xcca8, TLS12, &ecdhe_rsa,   CHACHA },
	{ "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",           0x009e, TLS12, &dhe_rsa,     AES_128 },
	{ "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",           0x009f, TLS12, &dhe_rsa,     AES_256 },
	{ "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",     0xccaa, TLS12, &dhe_rsa,     CHACHA },
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

size_t suite_secret(const struct suite *suite)
{
	return suite->version == TLS12 ? MASTER_SECRET : suite->hash->size;
}

const struct crypto_group *group_by_id(uint16_t id)
{
	for (size_t i = 0; i < groups_num; i++)
		if (groups[i]->id == id)
			return groups[i];
	return NULL;
}
