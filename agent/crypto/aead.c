/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AEADs of TLS over nettle. Each call sets its key: the agent protects
 * a handful of handshake records per key, the kernel all others.
 */
#include <errno.h>
#include <linux/tls.h>
#include <nettle/chacha-poly1305.h>
#include <nettle/gcm.h>
#include "crypto/provider.h"

#define NONCE 12
#define TAG 16

/*
 * One AEAD from nettle's context @CTX and functions @P_*. A wrong tag wipes
 * what was decrypted, so that no caller can use it.
 */
#define AEAD(NAME, CTX, P, SET_NONCE)						\
static void NAME##_seal(const uint8_t *key, const uint8_t *nonce,		\
			const uint8_t *aad, size_t aad_len,			\
			const uint8_t *in, size_t len, uint8_t *out)		\
{										\
	struct CTX ctx;								\
										\
	P##_set_key(&ctx, key);							\
	SET_NONCE(&ctx, nonce);							\
	P##_update(&ctx, aad_len, aad);						\
	P##_encrypt(&ctx, len, out, in);					\
	P##_digest(&ctx, TAG, out + len);					\
	crypto_wipe(&ctx, sizeof(ctx));						\
}										\
										\
static int NAME##_open(const uint8_t *key, const uint8_t *nonce,		\
		       const uint8_t *aad, size_t aad_len,			\
		       const uint8_t *in, size_t len, uint8_t *out)		\
{										\
	struct CTX ctx;								\
	uint8_t tag[TAG];							\
	bool good;								\
										\
	if (len < TAG)								\
		return -EBADMSG;						\
	len -= TAG;								\
	P##_set_key(&ctx, key);							\
	SET_NONCE(&ctx, nonce);							\
	P##_update(&ctx, aad_len, aad);						\
	P##_decrypt(&ctx, len, out, in);					\
	P##_digest(&ctx, TAG, tag);						\
	crypto_wipe(&ctx, sizeof(ctx));						\
	good = crypto_equal(tag, in + len, TAG);				\
	if (!good)								\
		crypto_wipe(out, len);						\
	return good ? 0 : -EBADMSG;						\
}

#define AES128_NONCE(ctx, nonce) gcm_aes128_set_iv(ctx, NONCE, nonce)
#define AES256_NONCE(ctx, nonce) gcm_aes256_set_iv(ctx, NONCE, nonce)

AEAD(aes_128_gcm, gcm_aes128_ctx, gcm_aes128, AES128_NONCE)
AEAD(aes_256_gcm, gcm_aes256_ctx, gcm_aes256, AES256_NONCE)
AEAD(chacha20_poly1305, chacha_poly1305_ctx, chacha_poly1305, chacha_poly1305_set_nonce)

#define ROW(NAME, TEXT, TLS, KEY, FIXED)					\
const struct crypto_aead NAME##_nettle = {					\
	.name = TEXT, .tls_cipher = TLS, .key = KEY, .nonce = NONCE,		\
	.tag = TAG, .fixed = FIXED, .seal = NAME##_seal, .open = NAME##_open,	\
}
ROW(aes_128_gcm, "aes-128-gcm", TLS_CIPHER_AES_GCM_128, 16, 4);
ROW(aes_256_gcm, "aes-256-gcm", TLS_CIPHER_AES_GCM_256, 32, 4);
ROW(chacha20_poly1305, "chacha20-poly1305", TLS_CIPHER_CHACHA20_POLY1305, 32, NONCE);
