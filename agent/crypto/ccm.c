// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AES-CCM over nettle (RFC 6655, and 9846 B.4): a message is known whole before
 * the first byte is protected, so each call is one. Off until configured.
 */
#include <errno.h>
#include <linux/ktls.h>
#include <linux/tls.h>
#include <nettle/ccm.h>
#include "crypto/crypto.h"

#define NONCE 12

#define CCM(NAME, BITS, TAG, TEXT, TLS)						\
static void NAME##_seal(const uint8_t *key, const uint8_t *nonce,		\
			const uint8_t *aad, size_t aad_len,			\
			const uint8_t *in, size_t len, uint8_t *out)		\
{										\
	struct aes##BITS##_ctx ctx;						\
										\
	aes##BITS##_set_encrypt_key(&ctx, key);					\
	ccm_encrypt_message(&ctx, (nettle_cipher_func *)aes##BITS##_encrypt, NONCE, nonce, \
			    aad_len, aad, TAG, len + TAG, out, in);		\
	crypto_wipe(&ctx, sizeof(ctx));						\
}										\
										\
static int NAME##_open(const uint8_t *key, const uint8_t *nonce,		\
		       const uint8_t *aad, size_t aad_len,			\
		       const uint8_t *in, size_t len, uint8_t *out)		\
{										\
	struct aes##BITS##_ctx ctx;						\
	int good;								\
										\
	if (len < TAG)								\
		return -EBADMSG;						\
	aes##BITS##_set_encrypt_key(&ctx, key);					\
	good = ccm_decrypt_message(&ctx, (nettle_cipher_func *)aes##BITS##_encrypt, NONCE, nonce, \
				   aad_len, aad, TAG, len - TAG, out, in);	\
	crypto_wipe(&ctx, sizeof(ctx));						\
	if (!good)								\
		crypto_wipe(out, len - TAG);					\
	return good ? 0 : -EBADMSG;						\
}										\
										\
const struct crypto_aead crypto_##NAME = {					\
	.name = TEXT, .tls_cipher = TLS, .key = BITS / 8, .nonce = NONCE,	\
	.tag = TAG, .fixed = 4, .seal = NAME##_seal, .open = NAME##_open,	\
}

CCM(aes_128_ccm, 128, 16, "aes-128-ccm", TLS_CIPHER_AES_CCM_128);
CCM(aes_256_ccm, 256, 16, "aes-256-ccm", KTLS_CIPHER_AES_CCM_256);
CCM(aes_128_ccm_8, 128, 8, "aes-128-ccm-8", KTLS_CIPHER_AES_CCM_8_128);
