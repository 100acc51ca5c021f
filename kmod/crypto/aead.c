// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seal and open over the crypto API. Only synchronous algorithms are taken:
 * first the SIMD driver below its cryptd wrapper (fine in process context,
 * where SIMD can always be used), then anything synchronous.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <crypto/aead.h>
#include "../ktls.h"
#include "../record/record.h"
#include "aead.h"

static struct crypto_aead *find(const struct ktls_cipher *cipher)
{
	struct crypto_aead *tfm = ERR_PTR(-ENOENT);

	if (cipher->sync)
		tfm = crypto_alloc_aead(cipher->sync, CRYPTO_ALG_INTERNAL,
					CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		tfm = crypto_alloc_aead(cipher->alg, 0, CRYPTO_ALG_ASYNC);
	if (!IS_ERR(tfm) && sizeof(struct aead_request) + crypto_aead_reqsize(tfm) > KTLS_AEAD_ROOM) {
		crypto_free_aead(tfm);
		tfm = ERR_PTR(-ENOENT);
	}
	if (tfm == ERR_PTR(-ENOENT))
		pr_notice_ratelimited("ktls: no synchronous %s here: modprobe %s\n",
				      cipher->alg, cipher->module);
	return tfm;
}

struct crypto_aead *ktls_aead_alloc(const struct ktls_cipher *cipher, const u8 *key)
{
	struct crypto_aead *tfm = find(cipher);
	int err;

	if (IS_ERR(tfm))
		return tfm;
	err = crypto_aead_setkey(tfm, key, cipher->key);
	if (!err)
		err = crypto_aead_setauthsize(tfm, cipher->tag);
	if (!err)
		return tfm;
	crypto_free_aead(tfm);
	return ERR_PTR(err);
}

void ktls_aead_free(struct crypto_aead *tfm)
{
	crypto_free_aead(tfm);
}

/* RFC 9846 5.3: the sequence number, padded on the left, xor the iv. */
static void nonce(const struct ktls_half *half, u8 *iv)
{
	u8 *tail = iv + KTLS_IV_SIZE - sizeof(__be64);
	__be64 low;

	memcpy(iv, half->iv, KTLS_IV_SIZE);
	memcpy(&low, tail, sizeof(low));
	low ^= cpu_to_be64(half->seq);
	memcpy(tail, &low, sizeof(low));
}

static struct aead_request *request(const struct ktls_half *half, struct ktls_aead_room *room,
				    struct scatterlist *src, struct scatterlist *dst, size_t len, u8 *iv)
{
	struct aead_request *req = (struct aead_request *)room->bytes;

	nonce(half, iv);
	aead_request_set_tfm(req, half->tfm);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(req, KTLS_HEADER);
	aead_request_set_crypt(req, src, dst, len, iv);
	return req;
}

int ktls_aead_seal(struct ktls_half *half, struct ktls_aead_room *room, struct scatterlist *src,
		   struct scatterlist *dst, size_t len)
{
	u8 iv[KTLS_IV_SIZE];
	int err;

	err = crypto_aead_encrypt(request(half, room, src, dst, len, iv));
	if (!err)
		half->seq++;
	return err;
}

int ktls_aead_open(struct ktls_half *half, struct ktls_aead_room *room, struct scatterlist *src,
		   struct scatterlist *dst, size_t len)
{
	u8 iv[KTLS_IV_SIZE];
	int err;

	err = crypto_aead_decrypt(request(half, room, src, dst, len, iv));
	if (!err)
		half->seq++;
	return err;
}

/* The fast drivers; boot-time autoloading by processor feature is not everywhere. */
MODULE_SOFTDEP("pre: aesni-intel chacha20poly1305 gcm");
