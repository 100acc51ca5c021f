// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AES-CBC, then HMAC over what was encrypted (RFC 7366), in the form of an
 * AEAD: the key is the HMAC's and then that of AES, the nonce is the IV that the
 * record carries, and what is sealed is padded by TLS's rule (RFC 5246
 * 6.2.3.2). The MAC is checked before anything is decrypted, so that no padding
 * can be an oracle. Off until configured.
 */
#include <errno.h>
#include <linux/ktls.h>
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/hmac.h>
#include <string.h>
#include "crypto/crypto.h"

#define BLOCK AES_BLOCK_SIZE

#define CBC(NAME, BITS, HASH, MAC, TEXT, TLS)					\
static void NAME##_mac(const uint8_t *key, const uint8_t *iv, const uint8_t *aad, size_t aad_len, \
		       const uint8_t *data, size_t len, uint8_t *out)		\
{										\
	struct hmac_##HASH##_ctx ctx;						\
										\
	hmac_##HASH##_set_key(&ctx, MAC, key);					\
	hmac_##HASH##_update(&ctx, aad_len, aad);				\
	hmac_##HASH##_update(&ctx, BLOCK, iv);					\
	hmac_##HASH##_update(&ctx, len, data);					\
	hmac_##HASH##_digest(&ctx, MAC, out);					\
	crypto_wipe(&ctx, sizeof(ctx));						\
}										\
										\
static void NAME##_seal(const uint8_t *key, const uint8_t *nonce,		\
			const uint8_t *aad, size_t aad_len,			\
			const uint8_t *in, size_t len, uint8_t *out)		\
{										\
	size_t padded = crypto_padded(&crypto_##NAME, len);			\
	struct aes##BITS##_ctx ctx;						\
	uint8_t iv[BLOCK];							\
										\
	memcpy(iv, nonce, BLOCK);						\
	memmove(out, in, len);							\
	memset(out + len, (int)(padded - len - 1), padded - len);		\
	aes##BITS##_set_encrypt_key(&ctx, key + MAC);				\
	cbc_encrypt(&ctx, (nettle_cipher_func *)aes##BITS##_encrypt, BLOCK, iv, padded, out, out); \
	crypto_wipe(&ctx, sizeof(ctx));						\
	NAME##_mac(key, nonce, aad, aad_len, out, padded, out + padded);	\
}										\
										\
static int NAME##_open(const uint8_t *key, const uint8_t *nonce,		\
		       const uint8_t *aad, size_t aad_len,			\
		       const uint8_t *in, size_t len, uint8_t *out)		\
{										\
	struct aes##BITS##_ctx ctx;						\
	uint8_t iv[BLOCK], mac[MAC];						\
										\
	if (len < MAC + BLOCK || (len - MAC) % BLOCK)				\
		return -EBADMSG;						\
	len -= MAC;								\
	NAME##_mac(key, nonce, aad, aad_len, in, len, mac);			\
	if (!crypto_equal(mac, in + len, MAC))					\
		return -EBADMSG;						\
	memcpy(iv, nonce, BLOCK);						\
	aes##BITS##_set_decrypt_key(&ctx, key + MAC);				\
	cbc_decrypt(&ctx, (nettle_cipher_func *)aes##BITS##_decrypt, BLOCK, iv, len, out, in); \
	crypto_wipe(&ctx, sizeof(ctx));						\
	return 0;								\
}										\
										\
const struct crypto_aead crypto_##NAME = {					\
	.name = TEXT, .tls_cipher = TLS, .key = MAC + BITS / 8, .mac = MAC, .nonce = BLOCK, \
	.tag = MAC, .seal = NAME##_seal, .open = NAME##_open,			\
}

CBC(aes_128_cbc_sha, 128, sha1, SHA1_DIGEST_SIZE, "aes-128-cbc-sha", KTLS_CIPHER_AES_CBC_128_SHA);
CBC(aes_256_cbc_sha, 256, sha1, SHA1_DIGEST_SIZE, "aes-256-cbc-sha", KTLS_CIPHER_AES_CBC_256_SHA);
CBC(aes_128_cbc_sha256, 128, sha256, SHA256_DIGEST_SIZE, "aes-128-cbc-sha256", KTLS_CIPHER_AES_CBC_128_SHA256);
CBC(aes_256_cbc_sha256, 256, sha256, SHA256_DIGEST_SIZE, "aes-256-cbc-sha256", KTLS_CIPHER_AES_CBC_256_SHA256);
CBC(aes_256_cbc_sha384, 256, sha384, SHA384_DIGEST_SIZE, "aes-256-cbc-sha384", KTLS_CIPHER_AES_CBC_256_SHA384);

size_t crypto_padded(const struct crypto_aead *aead, size_t len)
{
	return aead->mac ? len + BLOCK - len % BLOCK : len;
}

int crypto_unpad(const struct crypto_aead *aead, const uint8_t *p, size_t *len)
{
	size_t pad = *len ? p[*len - 1] + 1u : 0;

	if (!aead->mac)
		return 0;
	if (!pad || pad > *len)
		return -EBADMSG;
	for (size_t i = *len - pad; i < *len; i++)
		if (p[i] != pad - 1)
			return -EBADMSG;
	*len -= pad;
	return 0;
}
