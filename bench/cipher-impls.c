// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenSSL's EVP in the order of calls of its own libssl for a TLS 1.3 record,
 * and ours in both widths.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include "../selftests/unit/gcm_ref.h"
#include "cipher.h"

static bool always(void)
{
	return true;
}

static void *new_key(size_t size)
{
	return aligned_alloc(64, (size + 63) & ~63UL);
}

/* ---- OpenSSL: a context for each direction, the cipher and key set once */

struct evp {
	EVP_CIPHER_CTX *seal, *open;
};

static void *evp_make(const uint8_t *key, size_t len)
{
	const EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, len == 16 ? "AES-128-GCM" : "AES-256-GCM", NULL);
	struct evp *e = new_key(sizeof(*e));

	e->seal = EVP_CIPHER_CTX_new();
	e->open = EVP_CIPHER_CTX_new();
	EVP_CipherInit_ex(e->seal, cipher, NULL, key, NULL, 1);
	EVP_CipherInit_ex(e->open, cipher, NULL, key, NULL, 0);
	return e;
}

static void evp_seal(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
		     size_t len, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = ((struct evp *)ctx)->seal;
	int n;

	EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, 1);
	EVP_CipherUpdate(c, NULL, &n, aad, AAD_LEN);
	EVP_CipherUpdate(c, out, &n, in, (int)len);
	EVP_CipherFinal_ex(c, out + n, &n);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag);
}

static bool evp_open(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
		     size_t len, uint8_t *out, const uint8_t *tag)
{
	EVP_CIPHER_CTX *c = ((struct evp *)ctx)->open;
	int n;

	EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, 0);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, (void *)tag);
	EVP_CipherUpdate(c, NULL, &n, aad, AAD_LEN);
	EVP_CipherUpdate(c, out, &n, in, (int)len);
	return EVP_CipherFinal_ex(c, out + n, &n) > 0;
}

static const struct impl impl_openssl = { "openssl", always, evp_make, evp_seal, evp_open };

/* ---- ours */

static bool aesni_usable(void)
{
	return widths_usable() > 0;
}

static bool vaes_usable(void)
{
	return widths_usable() > 1;
}

static void *gcm_make(const uint8_t *key, size_t len)
{
	struct gcm_key *k = new_key(sizeof(*k));

	gcm_key_init(k, key, len);
	return k;
}

#define OURS(width, text)								\
static void width##_seal(void *ctx, const uint8_t *iv, const uint8_t *aad,		\
			 const uint8_t *in, size_t len, uint8_t *out, uint8_t *tag)	\
{											\
	struct gcm_seg seg = { in, out, len, false };						\
	struct gcm_op op = { iv, aad, AAD_LEN, &seg, 1, false };				\
											\
	gcm_##width##_seal(ctx, &op, tag);						\
}											\
static bool width##_open(void *ctx, const uint8_t *iv, const uint8_t *aad,		\
			 const uint8_t *in, size_t len, uint8_t *out, const uint8_t *tag) \
{											\
	struct gcm_seg seg = { in, out, len, false };						\
	struct gcm_op op = { iv, aad, AAD_LEN, &seg, 1, false };				\
											\
	return gcm_##width##_open(ctx, &op, tag, TAG_LEN) == 0;				\
}											\
static const struct impl impl_##width = { text, width##_usable, gcm_make, width##_seal, width##_open }

OURS(vaes, "ktls-vaes256");
OURS(aesni, "ktls-aesni");

const struct impl *const impls[] = {
	&impl_openssl, &impl_vaes, &impl_aesni,
#ifdef BENCH_LINUX
	&impl_linux,
#endif
	&impl_nettle,
};
const size_t impls_num = sizeof(impls) / sizeof(impls[0]);
