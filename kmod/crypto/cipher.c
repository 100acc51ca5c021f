// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher table. Limits: RFC 9846 5.5 allows AES-GCM 2^24.5 full records,
 * RFC 9147 B gives AES-CCM 2^23; ChaCha20-Poly1305 wraps its sequence number first;
 * AES-CBC's random ivs and blocks stay far from 2^64.
 */
#include <linux/kernel.h>
#include <uapi/linux/tls.h>
#include "../ktls.h"
#include "aead.h"

#define GCM	true, "__gcm(aes)", "gcm(aes)", "gcm"
#define CHACHA	false, NULL, "rfc7539(chacha20,poly1305)", "chacha20poly1305"
#define CCM	false, NULL, "ccm(aes)", "ccm"
#define SM4GCM	false, NULL, "gcm(sm4)", "sm4-generic"
#define SM4CCM	false, NULL, "ccm(sm4)", "sm4-generic"
#define ARIA	false, NULL, "gcm(aria)", "aria-generic"
#define CAMELL	false, NULL, "gcm(camellia)", "camellia-generic"

#define CBC(hash) false, NULL, "authenc(hmac(" hash "),cbc(aes))", "authenc"

#define L3	2	/* CCM: 3 bytes of length, so 12 of nonce */
#define TLS12	TLS_1_2_VERSION
#define GCM_MAX	(1ULL << 24)
#define CCM_MAX	(1ULL << 23)
#define CBC_MAX	(1ULL << 32)

static const struct ktls_cipher ciphers[] = {
	/* id, key, salt, iv, tag, mac, lead, only, limit, algorithm */
	{ TLS_CIPHER_AES_GCM_128,	16, 4,  8, 16,  0, 0,  0,     GCM_MAX, GCM },
	{ TLS_CIPHER_AES_GCM_256,	32, 4,  8, 16,  0, 0,  0,     GCM_MAX, GCM },
	{ TLS_CIPHER_CHACHA20_POLY1305,	32, 0, 12, 16,  0, 0,  0,     U64_MAX, CHACHA },
	{ TLS_CIPHER_AES_CCM_128,	16, 4,  8, 16,  0, L3, 0,     CCM_MAX, CCM },
	{ KTLS_CIPHER_AES_CCM_256,	32, 4,  8, 16,  0, L3, 0,     CCM_MAX, CCM },
	{ KTLS_CIPHER_AES_CCM_8_128,	16, 4,  8,  8,  0, L3, 0,     CCM_MAX, CCM },
	{ TLS_CIPHER_SM4_GCM,		16, 4,  8, 16,  0, 0,  0,     GCM_MAX, SM4GCM },
	{ TLS_CIPHER_SM4_CCM,		16, 4,  8, 16,  0, L3, 0,     CCM_MAX, SM4CCM },
	{ TLS_CIPHER_ARIA_GCM_128,	16, 4,  8, 16,  0, 0,  TLS12, GCM_MAX, ARIA },
	{ TLS_CIPHER_ARIA_GCM_256,	32, 4,  8, 16,  0, 0,  TLS12, GCM_MAX, ARIA },
	{ KTLS_CIPHER_CAMELLIA_GCM_128,	16, 4,  8, 16,  0, 0,  TLS12, GCM_MAX, CAMELL },
	{ KTLS_CIPHER_CAMELLIA_GCM_256,	32, 4,  8, 16,  0, 0,  TLS12, GCM_MAX, CAMELL },
	{ KTLS_CIPHER_AES_CBC_128_SHA,	36, 0,  0, 20, 20, 0,  TLS12, CBC_MAX, CBC("sha1") },
	{ KTLS_CIPHER_AES_CBC_256_SHA,	52, 0,  0, 20, 20, 0,  TLS12, CBC_MAX, CBC("sha1") },
	{ KTLS_CIPHER_AES_CBC_128_SHA256, 48, 0, 0, 32, 32, 0, TLS12, CBC_MAX, CBC("sha256") },
	{ KTLS_CIPHER_AES_CBC_256_SHA256, 64, 0, 0, 32, 32, 0, TLS12, CBC_MAX, CBC("sha256") },
	{ KTLS_CIPHER_AES_CBC_256_SHA384, 80, 0, 0, 48, 48, 0, TLS12, CBC_MAX, CBC("sha384") },
};

const struct ktls_cipher *ktls_cipher_find(u16 id)
{
	const struct ktls_cipher *c;

	for (c = ciphers; c < ciphers + ARRAY_SIZE(ciphers); c++)
		if (c->id == id)
			return c;
	return NULL;
}
