// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our AES-GCM as "__gcm(aes)" for the crypto API, with the usual wrapper
 * "gcm(aes)" that defers to a thread where SIMD isn't usable. So the kernel's
 * self-tests run against it and every other user has it. A kernel without the
 * wrapper needs none: SIMD is usable wherever it calls an AEAD.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <crypto/aes.h>
#include <crypto/gcm.h>
#include <crypto/internal/aead.h>
#include <crypto/internal/simd.h>
#include <crypto/scatterwalk.h>
#include "gcm-glue.h"

/* Above the kernel's AVX and AVX2 code (at most 600), below its AVX-512 code (700). */
#define PRIORITY	650
/* Records of our own size need no allocation. */
#define SEGMENTS	24
#define AAD		64
#define TEST_TRIES	1000	/* of a millisecond */

#if IS_ENABLED(CONFIG_CRYPTO_SIMD)
#define PREFIX		"__"
#define FLAGS		CRYPTO_ALG_INTERNAL
#else
#define PREFIX
#define FLAGS		0
#endif

static int set_key(struct crypto_aead *tfm, const u8 *raw, unsigned int len)
{
	struct gcm_key *key = crypto_aead_ctx(tfm);
	int err = aes_check_keylen(len);

	if (err)
		return err;
	ktls_gcm_key_init(key, raw, len);
	return 0;
}

static int set_tag_size(struct crypto_aead *tfm, unsigned int size)
{
	return crypto_gcm_check_authsize(size);
}

static int crypt(struct aead_request *req, bool seal, struct gcm_op *op, size_t max)
{
	struct crypto_aead *tfm = crypto_aead_reqtfm(req);
	const struct gcm_key *key = crypto_aead_ctx(tfm);
	unsigned int size = crypto_aead_authsize(tfm);
	size_t len = req->cryptlen - (seal ? 0 : size);
	u8 tag[GCM_TAG_SIZE];
	int n;

	n = ktls_gcm_segments(req->src, req->dst, req->assoclen, len, (struct gcm_seg *)op->seg, max);
	if (n < 0)
		return n;
	op->segs = n;
	if (!seal) {
		scatterwalk_map_and_copy(tag, req->src, req->assoclen + len, size, 0);
		return ktls_gcm_open(key, op, tag, size);
	}
	ktls_gcm_seal(key, op, tag);
	scatterwalk_map_and_copy(tag, req->dst, req->assoclen + len, size, 1);
	return 0;
}

/* Long AAD and many segments take memory, records of TLS never. */
static int crypt_allocating(struct aead_request *req, bool seal)
{
	size_t max = sg_nents(req->src) + sg_nents(req->dst);
	struct gcm_seg *seg = kmalloc_array(max, sizeof(*seg), GFP_ATOMIC);
	u8 *aad = kmalloc(req->assoclen, GFP_ATOMIC);
	struct gcm_op op = { req->iv, aad, req->assoclen, seg, 0 };
	int err = -ENOMEM;

	if (seg && aad) {
		scatterwalk_map_and_copy(aad, req->src, 0, req->assoclen, 0);
		err = crypt(req, seal, &op, max);
	}
	kfree(aad);
	kfree(seg);
	return err;
}

static int crypt_request(struct aead_request *req, bool seal)
{
	struct gcm_seg seg[SEGMENTS];
	u8 aad[AAD];
	struct gcm_op op = { req->iv, aad, req->assoclen, seg, 0 };
	int err = -ENOSPC;

	if (req->assoclen <= AAD) {
		scatterwalk_map_and_copy(aad, req->src, 0, req->assoclen, 0);
		err = crypt(req, seal, &op, SEGMENTS);
	}
	return err == -ENOSPC ? crypt_allocating(req, seal) : err;
}

static int seal_request(struct aead_request *req)
{
	return crypt_request(req, true);
}

static int open_request(struct aead_request *req)
{
	return crypt_request(req, false);
}

static struct aead_alg alg = {
	.base = {
		.cra_name	= PREFIX "gcm(aes)",
		.cra_priority	= PRIORITY,
		.cra_flags	= FLAGS,
		.cra_blocksize	= 1,
		.cra_ctxsize	= sizeof(struct gcm_key),
		.cra_module	= THIS_MODULE,
	},
	.setkey		= set_key,
	.setauthsize	= set_tag_size,
	.encrypt	= seal_request,
	.decrypt	= open_request,
	.ivsize		= GCM_IV_SIZE,
	.chunksize	= GCM_BLOCK,
	.maxauthsize	= GCM_TAG_SIZE,
};

#if IS_ENABLED(CONFIG_CRYPTO_SIMD)
static struct simd_aead_alg *wrapper;
#endif

int ktls_gcm_aead_register(const char *width)
{
	snprintf(alg.base.cra_driver_name, sizeof(alg.base.cra_driver_name),
		 PREFIX "gcm-aes-ktls-%s", width);
#if IS_ENABLED(CONFIG_CRYPTO_SIMD)
	return simd_register_aeads_compat(&alg, 1, &wrapper);
#else
	return crypto_register_aead(&alg);
#endif
}

/*
 * Since 6.12 registration doesn't wait for the self-test, which must have let go
 * of what is unregistered. rmmod is refused meanwhile, a failed init is not. The
 * lookup sleeps until the test has ended; then our tfm and the registration remain.
 */
static void await_test(const char *driver, u32 type)
{
	struct crypto_aead *tfm = crypto_alloc_aead(driver, type, CRYPTO_ALG_INTERNAL);
	int tries = TEST_TRIES;

	if (IS_ERR(tfm))
		return;
	while (refcount_read(&crypto_aead_tfm(tfm)->__crt_alg->cra_refcnt) > 2 && tries--)
		msleep(1);
	crypto_free_aead(tfm);
}

void ktls_gcm_aead_unregister(void)
{
	await_test(alg.base.cra_driver_name + strlen("" PREFIX), 0);
	await_test(alg.base.cra_driver_name, FLAGS);
#if IS_ENABLED(CONFIG_CRYPTO_SIMD)
	simd_unregister_aeads(&alg, 1, &wrapper);
#else
	crypto_unregister_aead(&alg);
#endif
}
