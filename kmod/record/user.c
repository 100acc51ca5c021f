// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record whose plaintext our own code reads in the memory of the program that sends, in
 * whole batches (where it can't go by the program's addresses: pin.c); only what they leave
 * at its start, at its end and where its own memory is in pieces is copied before.
 * It is sealed by the call that fills it, with page faults off. Where
 * one was needed, nothing of it has left: all is copied then.
 */
#include <linux/uaccess.h>
#include "record.h"

/* What of the next bytes at @at of the plaintext, *@ret_n in one piece, the cipher reads from the caller's memory. */
static size_t from_user(struct ktls_tx *tx, size_t at, u8 **ret_to, size_t *ret_n, size_t *ret_skip)
{
	struct bio_vec *bv;
	size_t off, len;

	bv = ktls_rec_spot(tx, at, &off);
	*ret_to = ktls_bytes(bv, off);
	*ret_n = min_t(size_t, bv->bv_len - off, tx->capacity - at);
	len = gcm_cut(at, *ret_n, ret_skip);
	if (!len)
		*ret_skip = *ret_n;
	return len;
}

/* Of the size that most have it isn't looked up whose memory it is. */
static size_t copy_few(u8 *to, size_t n, struct iov_iter *iter)
{
	return n == GCM_HEAD ? copy_from_iter(to, GCM_HEAD, iter) : copy_from_iter(to, n, iter);
}

bool ktls_rec_user(struct ktls_tx *tx, struct iov_iter *iter)
{
	const u8 __user *from = (const u8 __user *)ktls_iter_address(iter);
	size_t at, n, len, skip, behind, done = 0;
	u8 *to;

	if (tx->fill || tx->src_n || !from || ktls_iter_run(iter) < tx->capacity)
		return false;
	if (!ktls_aead_user(&ktls_get(tx->sk)->tx))
		return ktls_rec_pinned(tx, iter);
	if (!ktls_user_ok(from, tx->capacity))
		return false;
	for (at = 0; at < tx->capacity && done == at; at += n) {
		len = from_user(tx, at, &to, &n, &skip);
		behind = n - skip - len;
		done += copy_few(to, skip, iter) + len;
		iov_iter_advance(iter, len);
		if (behind)
			done += copy_few(to + skip + len, behind, iter);
	}
	if (done < at) {
		iov_iter_revert(iter, done);
		return false;
	}
	tx->user = from;
	tx->fill = tx->capacity;
	return true;
}

/* Behind @seg, in place; what continues it joins it. */
static struct gcm_seg *add_own(struct gcm_seg *seg, u8 *at, size_t len)
{
	if (seg->len && !seg->user && seg->out + seg->len == at) {
		seg->len += len;
		return seg;
	}
	seg += seg->len > 0;
	*seg = (struct gcm_seg){ at, at, len };
	return seg;
}

unsigned int ktls_rec_user_segments(struct ktls_tx *tx, size_t behind, struct gcm_seg *first)
{
	size_t at, n, len, skip, off;
	struct gcm_seg *seg = first;
	struct bio_vec *bv;
	u8 *to;

	seg->len = 0;
	for (at = 0; at < tx->fill; at += n) {
		len = from_user(tx, at, &to, &n, &skip);
		seg = add_own(seg, to, skip);
		if (!len)
			continue;
		*++seg = (struct gcm_seg){ (__force const u8 *)tx->user + at + skip, to + skip, len, true };
		skip += len;
		if (n > skip)
			seg = add_own(seg, to + skip, n - skip);
	}
	if (behind) {
		bv = ktls_rec_spot(tx, tx->fill, &off);
		seg = add_own(seg, ktls_bytes(bv, off), behind);
	}
	return seg - first + 1;
}

int ktls_rec_user_copy(struct ktls_tx *tx)
{
	size_t at, n, skip;
	u8 *to;

	for (at = 0; at < tx->fill; at += n) {
		from_user(tx, at, &to, &n, &skip);
		if (copy_from_user(to, tx->user + at, n))
			return -EFAULT;
	}
	tx->user = NULL;
	return 0;
}
