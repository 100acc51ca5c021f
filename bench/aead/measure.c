// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What AES-128-GCM needs for one record, in ticks of the time stamp counter: under qemu -icount,
 * instructions. The running kernel's own, with the scatterlists that
 * net/tls makes and in place in one aligned piece (row); and ktls's with AES-NI, with the
 * segments that it makes: one piece, or pages and the content type. Either has in
 * it what it takes to use vector registers. Measured at load, read from the parameters, to be
 * subtracted by bench/path.c. Loads no cipher for anybody else.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <crypto/aead.h>
#include "gcm.h"

#define TURNS	64
#define AAD	5
#define TAG	16
#define PAGES	4
#define ORDER	3
#define PLAIN	(PAGES * PAGE_SIZE)

static unsigned long seal_1, seal_16384, open_1, open_16384;
static unsigned long seal_row_1, seal_row_16384, open_row_1, open_row_16384;
module_param(seal_1, ulong, 0444);
module_param(seal_16384, ulong, 0444);
module_param(open_1, ulong, 0444);
module_param(open_16384, ulong, 0444);
module_param(seal_row_1, ulong, 0444);
module_param(seal_row_16384, ulong, 0444);
module_param(open_row_1, ulong, 0444);
module_param(open_row_16384, ulong, 0444);
static unsigned long own_seal_1, own_seal_16384, own_seal_pages_16384, own_open_1, own_open_16384;
module_param(own_seal_1, ulong, 0444);
module_param(own_seal_16384, ulong, 0444);
module_param(own_seal_pages_16384, ulong, 0444);
module_param(own_open_1, ulong, 0444);
module_param(own_open_16384, ulong, 0444);
static char driver[CRYPTO_MAX_ALG_NAME];
module_param_string(driver, driver, sizeof(driver), 0444);

struct record {
	struct crypto_aead	*tfm;
	struct aead_request	*req;
	struct scatterlist	user[PAGES + 2], wire[2], row[2];
	u8			*frag;			/* ciphertext, at an offset behind a header */
	u8			*pages;			/* the user's */
	u8			small[64];		/* additional data, content type */
};

/* The user's side as net/tls lists it: additional data, pages, the type; ours to the network: a fragment. */
static void list(struct record *r, size_t len)
{
	size_t done, n, i = 0;

	sg_init_table(r->user, 2 + DIV_ROUND_UP(len, PAGE_SIZE));
	sg_set_buf(&r->user[i++], r->small, AAD);
	for (done = 0; done < len; done += n) {
		n = min_t(size_t, len - done, PAGE_SIZE);
		sg_set_buf(&r->user[i++], r->pages + done, n);
	}
	sg_set_buf(&r->user[i], r->small + 32, 1);
	sg_init_table(r->wire, 2);
	sg_set_buf(&r->wire[0], r->small, AAD);
	sg_set_buf(&r->wire[1], r->frag + AAD, len + 1 + TAG);
	sg_init_table(r->row, 2);
	sg_set_buf(&r->row[0], r->small, AAD);
	sg_set_buf(&r->row[1], r->frag, len + 1 + TAG);
}

static int once(struct record *r, bool seal, bool row, size_t len, unsigned long *ret)
{
	struct scatterlist *user = row ? r->row : r->user, *wire = row ? r->row : r->wire;
	DECLARE_CRYPTO_WAIT(wait);
	u8 iv[12] = { 2 };
	u64 begin;
	int err;

	aead_request_set_tfm(r->req, r->tfm);
	aead_request_set_ad(r->req, AAD);
	aead_request_set_callback(r->req, CRYPTO_TFM_REQ_MAY_BACKLOG, crypto_req_done, &wait);
	begin = rdtsc();
	if (seal) {
		aead_request_set_crypt(r->req, user, wire, len + 1, iv);
		err = crypto_aead_encrypt(r->req);
	} else {
		aead_request_set_crypt(r->req, wire, user, len + 1 + TAG, iv);
		err = crypto_aead_decrypt(r->req);
	}
	*ret = rdtsc() - begin;
	return crypto_wait_req(err, &wait);
}

/* What is decrypted in place is no record: a wrong tag costs the same. */
static int least(struct record *r, bool seal, bool row, size_t len, unsigned long *ret)
{
	unsigned long n, best = ULONG_MAX;
	int i, err = 0;

	list(r, len);
	for (i = 0; i < TURNS && !err; i++) {
		err = once(r, seal, row, len, &n);
		if (row && !seal && err == -EBADMSG)
			err = 0;
		best = min(best, n);
	}
	*ret = best;
	return err;
}

/* The first section saves the program's registers, which is not the cipher's: the least has it not. */
static unsigned long own_once(const struct gcm_key *key, const struct gcm_op *op, bool seal)
{
	u8 tag[TAG] = { };
	u64 begin;

	begin = rdtsc();
	kernel_fpu_begin();
	if (seal)
		gcm_aesni_seal(key, op, tag);
	else
		gcm_aesni_open(key, op, tag, TAG);
	kernel_fpu_end();
	return rdtsc() - begin;
}

/* Of the user's pages from the last to the first and of the content type; or all of it in a row, in place. */
static size_t own_segments(const struct record *r, bool pages, size_t len, struct gcm_seg *seg)
{
	size_t n = 0, at;

	if (!pages) {
		seg[0] = (struct gcm_seg){ r->frag, r->frag, len + 1 };
		return 1;
	}
	for (at = 0; at < len; at += PAGE_SIZE)
		seg[n++] = (struct gcm_seg){ r->pages + len - PAGE_SIZE - at, r->frag + at, PAGE_SIZE };
	seg[n] = (struct gcm_seg){ r->frag + len, r->frag + len, 1 };
	return n + 1;
}

static void own_least(const struct record *r, const struct gcm_key *key, bool seal, bool pages, size_t len,
		      unsigned long *ret)
{
	struct gcm_seg seg[PAGES + 1];
	struct gcm_op op = { r->small, r->small, AAD, seg, own_segments(r, pages, len, seg) };
	int i;

	*ret = ULONG_MAX;
	for (i = 0; i < TURNS; i++)
		*ret = min(*ret, own_once(key, &op, seal));
}

static int measure_own(const struct record *r, const u8 *raw)
{
	struct gcm_key *key = kmalloc(sizeof(*key), GFP_KERNEL);

	if (!key)
		return -ENOMEM;
	kernel_fpu_begin();
	gcm_key_init(key, raw, 16);
	kernel_fpu_end();
	own_least(r, key, true, false, 1, &own_seal_1);
	own_least(r, key, true, false, PLAIN, &own_seal_16384);
	own_least(r, key, true, true, PLAIN, &own_seal_pages_16384);
	own_least(r, key, false, false, 1, &own_open_1);
	own_least(r, key, false, false, PLAIN, &own_open_16384);
	kfree(key);
	return 0;
}

static int measure(struct record *r)
{
	static const u8 key[16] = { 7 };

	strscpy(driver, crypto_tfm_alg_driver_name(crypto_aead_tfm(r->tfm)), sizeof(driver));
	return crypto_aead_setkey(r->tfm, key, sizeof(key)) ?:
	       crypto_aead_setauthsize(r->tfm, TAG) ?:
	       least(r, true, false, PLAIN, &seal_16384) ?:
	       least(r, false, false, PLAIN, &open_16384) ?:
	       least(r, true, false, 1, &seal_1) ?:
	       least(r, false, false, 1, &open_1) ?:
	       least(r, true, true, PLAIN, &seal_row_16384) ?:
	       least(r, false, true, PLAIN, &open_row_16384) ?:
	       least(r, true, true, 1, &seal_row_1) ?:
	       least(r, false, true, 1, &open_row_1) ?:
	       measure_own(r, key);
}

static int __init bench_init(void)
{
	struct record *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int err = -ENOMEM;

	if (!r)
		return err;
	r->tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(r->tfm)) {
		err = PTR_ERR(r->tfm);
		goto out_free;
	}
	r->req = aead_request_alloc(r->tfm, GFP_KERNEL);
	r->frag = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	r->pages = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	if (r->req && r->frag && r->pages)
		err = measure(r);
	free_pages((unsigned long)r->pages, ORDER);
	free_pages((unsigned long)r->frag, ORDER);
	aead_request_free(r->req);
	crypto_free_aead(r->tfm);
out_free:
	kfree(r);
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("instructions of the kernel's AES-GCM per record");
