/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AES-GCM twice: by OpenSSL, and by each width of ours that this CPU has. */
#ifndef GCM_REF_H
#define GCM_REF_H
#include <cpuid.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "../../kmod/crypto/gcm.h"

struct width {
	const char *name;
	int (*seal)(const struct gcm_key *key, const struct gcm_op *op, u8 *tag);
	int (*open)(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size);
};

static const struct width widths[] = {
	{ "aesni", gcm_aesni_seal, gcm_aesni_open },
	{ "vaes", gcm_vaes_seal, gcm_vaes_open },
};

/* How many of them run here. */
static inline size_t widths_usable(void)
{
	unsigned int a, b, c = 0, d;

	if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul") ||
	    !__builtin_cpu_supports("avx"))
		return 0;
	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	return 1 + (__builtin_cpu_supports("avx2") && (c & bit_VAES) && (c & bit_VPCLMULQDQ));
}

static inline bool reference_seal(const u8 *key, size_t key_len, const u8 *iv,
				  const u8 *aad, size_t aad_len,
				  const u8 *in, size_t len, u8 *out, u8 *tag)
{
	static EVP_CIPHER_CTX *ctx;
	int n, ok = 1;

	if (!ctx)
		ctx = EVP_CIPHER_CTX_new();
	ok &= EVP_EncryptInit_ex(ctx, key_len == 16 ? EVP_aes_128_gcm() :
				 key_len == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm(),
				 NULL, key, iv);
	if (aad_len)
		ok &= EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len);
	if (len)
		ok &= EVP_EncryptUpdate(ctx, out, &n, in, (int)len);
	ok &= EVP_EncryptFinal_ex(ctx, out + len, &n);
	ok &= EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	return ok == 1;
}

#endif
