// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of cipher suites (RFC 9846 B.4; for TLS 1.2 RFC 5289, 7905 and,
 * where an ffdhe group was configured, 5288; what has to be asked for is said
 * beside it) and groups (RFC 9846 4.2.7).
 */
#include "handshake/suite.h"
#include "handshake/version.h"

static const struct kx12 ecdhe_ecdsa = { "ECDHE_ECDSA", KX_ECDHE, KX_ECDSA };
static const struct kx12 ecdhe_rsa = { "ECDHE_RSA", KX_ECDHE, KX_RSA };
static const struct kx12 dhe_rsa = { "DHE_RSA", KX_DHE, KX_RSA };
static const struct kx12 ecdhe_psk = { "ECDHE_PSK", KX_ECDHE, KX_PSK };
static const struct kx12 dhe_psk = { "DHE_PSK", KX_DHE, KX_PSK };
static const struct kx12 psk = { "PSK", KX_NONE, KX_PSK };

#define AES_128 &crypto_aes_128_gcm,       &crypto_sha256, false
#define AES_256 &crypto_aes_256_gcm,       &crypto_sha384, false
#define CHACHA  &crypto_chacha20_poly1305, &crypto_sha256, false
/* Where the configuration names the cipher. */
#define OPT     true
#define CCM_128 &crypto_aes_128_ccm,        &crypto_sha256, OPT
#define CCM_256 &crypto_aes_256_ccm,        &crypto_sha256, OPT
#define CCM_8   &crypto_aes_128_ccm_8,      &crypto_sha256, OPT
#define CBC_1   &crypto_aes_128_cbc_sha,    &crypto_sha256, OPT
#define CBC_1L  &crypto_aes_256_cbc_sha,    &crypto_sha256, OPT
#define CBC_2   &crypto_aes_128_cbc_sha256, &crypto_sha256, OPT
#define CBC_2L  &crypto_aes_256_cbc_sha256, &crypto_sha256, OPT
#define CBC_3   &crypto_aes_256_cbc_sha384, &crypto_sha384, OPT

const struct suite suites[] = {
	{ "TLS_AES_128_GCM_SHA256",       0x1301, TLS13, NULL, AES_128 },
	{ "TLS_AES_256_GCM_SHA384",       0x1302, TLS13, NULL, AES_256 },
	{ "TLS_CHACHA20_POLY1305_SHA256", 0x1303, TLS13, NULL, CHACHA },
	{ "TLS_AES_128_CCM_SHA256",       0x1304, TLS13, NULL, CCM_128 },
	{ "TLS_AES_128_CCM_8_SHA256",     0x1305, TLS13, NULL, CCM_8 },

	/* With a key by hand, which is there for this, before certificates: RFC 8442, 7905, 5487, 6655. */
	{ "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256",         0xd001, TLS12, &ecdhe_psk,   AES_128 },
	{ "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384",         0xd002, TLS12, &ecdhe_psk,   AES_256 },
	{ "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",   0xccac, TLS12, &ecdhe_psk,   CHACHA },
	{ "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256",         0xd005, TLS12, &ecdhe_psk,   CCM_128 },
	{ "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256",       0xd003, TLS12, &ecdhe_psk,   CCM_8 },
	{ "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",           0x00aa, TLS12, &dhe_psk,     AES_128 },
	{ "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384",           0x00ab, TLS12, &dhe_psk,     AES_256 },
	{ "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256",     0xccad, TLS12, &dhe_psk,     CHACHA },
	{ "TLS_DHE_PSK_WITH_AES_128_CCM",                  0xc0a6, TLS12, &dhe_psk,     CCM_128 },
	{ "TLS_DHE_PSK_WITH_AES_256_CCM",                  0xc0a7, TLS12, &dhe_psk,     CCM_256 },
	{ "TLS_PSK_DHE_WITH_AES_128_CCM_8",                0xc0aa, TLS12, &dhe_psk,     CCM_8 },
	{ "TLS_PSK_WITH_AES_128_GCM_SHA256",               0x00a8, TLS12, &psk,         AES_128 },
	{ "TLS_PSK_WITH_AES_256_GCM_SHA384",               0x00a9, TLS12, &psk,         AES_256 },
	{ "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256",         0xccab, TLS12, &psk,         CHACHA },
	{ "TLS_PSK_WITH_AES_128_CCM",                      0xc0a4, TLS12, &psk,         CCM_128 },
	{ "TLS_PSK_WITH_AES_256_CCM",                      0xc0a5, TLS12, &psk,         CCM_256 },
	{ "TLS_PSK_WITH_AES_128_CCM_8",                    0xc0a8, TLS12, &psk,         CCM_8 },

	{ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       0xc02b, TLS12, &ecdhe_ecdsa, AES_128 },
	{ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",         0xc02f, TLS12, &ecdhe_rsa,   AES_128 },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       0xc02c, TLS12, &ecdhe_ecdsa, AES_256 },
	{ "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",         0xc030, TLS12, &ecdhe_rsa,   AES_256 },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca9, TLS12, &ecdhe_ecdsa, CHACHA },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   0xcca8, TLS12, &ecdhe_rsa,   CHACHA },
	{ "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",           0x009e, TLS12, &dhe_rsa,     AES_128 },
	{ "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",           0x009f, TLS12, &dhe_rsa,     AES_256 },
	{ "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",     0xccaa, TLS12, &dhe_rsa,     CHACHA },

	/* RFC 7251, 6655. */
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",              0xc0ac, TLS12, &ecdhe_ecdsa, CCM_128 },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",              0xc0ad, TLS12, &ecdhe_ecdsa, CCM_256 },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",            0xc0ae, TLS12, &ecdhe_ecdsa, CCM_8 },
	{ "TLS_DHE_RSA_WITH_AES_128_CCM",                  0xc09e, TLS12, &dhe_rsa,     CCM_128 },
	{ "TLS_DHE_RSA_WITH_AES_256_CCM",                  0xc09f, TLS12, &dhe_rsa,     CCM_256 },
	{ "TLS_DHE_RSA_WITH_AES_128_CCM_8",                0xc0a2, TLS12, &dhe_rsa,     CCM_8 },

	/* RFC 5289, 8422, 3268, where the peer has encrypt_then_mac. */
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",       0xc023, TLS12, &ecdhe_ecdsa, CBC_2 },
	{ "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",         0xc027, TLS12, &ecdhe_rsa,   CBC_2 },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",       0xc024, TLS12, &ecdhe_ecdsa, CBC_3 },
	{ "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",         0xc028, TLS12, &ecdhe_rsa,   CBC_3 },
	{ "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",           0x0067, TLS12, &dhe_rsa,     CBC_2 },
	{ "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",           0x006b, TLS12, &dhe_rsa,     CBC_2L },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",          0xc009, TLS12, &ecdhe_ecdsa, CBC_1 },
	{ "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",            0xc013, TLS12, &ecdhe_rsa,   CBC_1 },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",          0xc00a, TLS12, &ecdhe_ecdsa, CBC_1L },
	{ "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",            0xc014, TLS12, &ecdhe_rsa,   CBC_1L },
	{ "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",              0x0033, TLS12, &dhe_rsa,     CBC_1 },
	{ "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",              0x0039, TLS12, &dhe_rsa,     CBC_1L },
};
const size_t suites_num = sizeof(suites) / sizeof(suites[0]);
_Static_assert(sizeof(suites) / sizeof(suites[0]) <= SUITES_MAX, "room for every suite");

const struct crypto_group *const groups[] = {
	&crypto_x25519mlkem768, &crypto_x25519, &crypto_secp256r1, &crypto_secp384r1, &crypto_secp521r1,
	/* from here on by configuration only */
	&crypto_x448, &crypto_ffdhe2048, &crypto_ffdhe3072, &crypto_ffdhe4096,
	&crypto_brainpoolP256r1, &crypto_brainpoolP384r1, &crypto_brainpoolP512r1,
	&crypto_brainpoolP256r1tls13, &crypto_brainpoolP384r1tls13, &crypto_brainpoolP512r1tls13,
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
