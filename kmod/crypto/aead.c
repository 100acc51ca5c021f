// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seal and open: AES-GCM by our own code where the CPU and the context allow
 * it, all else over the crypto API. Of that only synchronous algorithms are
 * taken: first the SIMD driver below its cryptd wrapper (fine in process
 * context, where SIMD can always be used), then anything synchronous.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <linux/rtnetlink.h>
#include "../ktls.h"
#include "../record/record.h"
#include "aead.h"
#include "gcm-glue.h"

#define IV_ROOM	16

/* Every search for an algorithm that isn't there runs modprobe. The fast ones come before us (below), or never. */
static struct crypto_aead *find_fast(const char *name)
{
	static bool absent;
	struct crypto_aead *tfm;

	if (READ_ONCE(absent))
		return ERR_PTR(-ENOENT);
	tfm = crypto_alloc_aead(name, CRYPTO_ALG_INTERNAL, CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC);
	if (tfm == ERR_PTR(-ENOENT))
		WRITE_ONCE(absent, true);
	return tfm;
}

static struct crypto_aead *find(const struct ktls_cipher *cipher, bool simd)
{
	struct crypto_aead *tfm = ERR_PTR(-ENOENT);

	if (cipher->sync && simd)
		tfm = find_fast(cipher->sync);
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

/* authenc() takes both keys as an attribute, which says how long the second is, and the keys behind it. */
static int set_both_keys(struct crypto_aead *tfm, const struct ktls_cipher *cipher, const u8 *key)
{
	struct {
		struct rtattr			attr;
		struct crypto_authenc_key_param	param;
		u8				keys[KTLS_MAX_KEY];
	} both = {
		.attr = { RTA_LENGTH(sizeof(both.param)), CRYPTO_AUTHENC_KEYA_PARAM },
		.param = { cpu_to_be32(cipher->key - cipher->mac) },
	};
	int err;

	memcpy(both.keys, key, cipher->key);
	err = crypto_aead_setkey(tfm, (u8 *)&both, offsetof(typeof(both), keys) + cipher->key);
	memzero_explicit(&both, sizeof(both));
	return err;
}

static int set_key(struct crypto_aead *tfm, const struct ktls_cipher *cipher, const u8 *key)
{
	return cipher->mac ? set_both_keys(tfm, cipher, key) : crypto_aead_setkey(tfm, key, cipher->key);
}

static int tfm_init(struct ktls_half *half, const struct ktls_cipher *cipher, const u8 *key, bool simd)
{
	struct crypto_aead *tfm = find(cipher, simd);
	int err;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	err = set_key(tfm, cipher, key);
	if (!err)
		err = crypto_aead_setauthsize(tfm, cipher->tag);
	if (err)
		crypto_free_aead(tfm);
	else
		half->tfm = tfm;
	return err;
}

int ktls_aead_init(struct ktls_half *half, const struct ktls_cipher *cipher, const u8 *key)
{
	if (!cipher->own || !ktls_gcm_usable())
		return tfm_init(half, cipher, key, true);
	half->own = ktls_gcm_key_new(key, cipher->key);
	return half->own ? 0 : -ENOMEM;
}

void ktls_aead_wipe(struct ktls_half *half)
{
	if (half->own)
		ktls_gcm_key_free(half->own);
	if (half->tfm)
		crypto_free_aead(half->tfm);
}

/*
 * RFC 9846 5.3, RFC 7905: the sequence number, padded on the left, xor the iv.
 * RFC 5288: the salt, then what the record carries. Room for CCM, which wants
 * a whole block (RFC 3610 2.3). With CBC the record carries all of it.
 */
static __always_inline void counted_nonce(const struct ktls_half *half, const u8 *carried, u8 *iv)
{
	u8 *tail = iv + KTLS_IV_SIZE - sizeof(__be64);
	__be64 low;

	memcpy(iv, half->iv, KTLS_IV_SIZE);
	if (carried) {
		memcpy(tail, carried, sizeof(low));
		return;
	}
	memcpy(&low, tail, sizeof(low));
	low ^= cpu_to_be64(half->seq);
	memcpy(tail, &low, sizeof(low));
}

static void nonce(const struct ktls_half *half, const u8 *carried, u8 *iv)
{
	if (half->format->block) {
		memcpy(iv, carried, half->format->block);
		return;
	}
	if (half->cipher->lead)
		*iv++ = half->cipher->lead;
	counted_nonce(half, carried, iv);
}

/* A record is done. The nonce that the next one carries is counted as well. */
static __always_inline void advance(struct ktls_half *half, bool carries)
{
	u8 *tail = half->iv + KTLS_IV_SIZE - sizeof(__be64);
	__be64 low;

	half->seq++;
	if (!carries)
		return;
	memcpy(&low, tail, sizeof(low));
	be64_add_cpu(&low, 1);
	memcpy(tail, &low, sizeof(low));
}

static struct aead_request *request(const struct ktls_half *half, struct ktls_aead_room *room,
				    struct scatterlist *src, struct scatterlist *dst, size_t len, u8 *iv)
{
	struct aead_request *req = (struct aead_request *)room->bytes;

	aead_request_set_tfm(req, half->tfm);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(req, half->format->aad);
	aead_request_set_crypt(req, src, dst, len, iv);
	return req;
}

/* Our own key where SIMD isn't usable: the crypto API gets it too, code without SIMD. */
static int have_tfm(struct ktls_half *half)
{
	return half->tfm ? 0 : tfm_init(half, half->cipher, ktls_gcm_key_raw(half->own), false);
}

int ktls_aead_seal(struct ktls_half *half, struct ktls_aead_room *room, struct scatterlist *src,
		   struct scatterlist *dst, size_t len, const u8 *carried)
{
	u8 iv[IV_ROOM] = { };
	int err = have_tfm(half);

	if (err)
		return err;
	nonce(half, carried, iv);
	err = crypto_aead_encrypt(request(half, room, src, dst, len, iv));
	if (!err)
		advance(half, carried);
	return err;
}

int ktls_aead_open(struct ktls_half *half, struct ktls_aead_room *room, struct scatterlist *src,
		   struct scatterlist *dst, size_t len, const u8 *carried)
{
	u8 iv[IV_ROOM] = { };
	int err = have_tfm(half);

	if (err)
		return err;
	nonce(half, carried, iv);
	err = crypto_aead_decrypt(request(half, room, src, dst, len, iv));
	if (!err)
		advance(half, carried);
	return err;
}

/* ---- our own */

bool ktls_aead_direct(const struct ktls_half *half)
{
	return half->own && ktls_gcm_usable();
}

/* User Mode Linux has programs' memory elsewhere. */
bool ktls_aead_user(const struct ktls_half *half)
{
	return !IS_ENABLED(CONFIG_UML) && ktls_aead_direct(half);
}

int ktls_aead_seal_direct(struct ktls_half *half, struct gcm_op *op, u8 *tag, const u8 *carried)
{
	u8 iv[IV_ROOM];
	int err;

	counted_nonce(half, carried, iv);
	op->iv = iv;
	err = ktls_gcm_seal(half->own, op, tag);
	if (!err)
		advance(half, carried);
	return err;
}

int ktls_aead_open_direct(struct ktls_half *half, struct gcm_op *op, const u8 *tag, const u8 *carried)
{
	u8 iv[IV_ROOM];
	int err;

	counted_nonce(half, carried, iv);
	op->iv = iv;
	err = ktls_gcm_open(half->own, op, tag, half->cipher->tag);
	if (!err)
		advance(half, carried);
	return err;
}

/* The fast drivers; boot-time autoloading by processor feature is not everywhere. */
MODULE_SOFTDEP("pre: aesni-intel chacha20poly1305 gcm");
