// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call whose bytes are one record of TLS 1.3 under our AES-GCM, as most are: memory,
 * plaintext, header, cipher and TCP in one pass. Nothing is open or waits before it,
 * nothing stays open behind it. What isn't so is for the open record (tx.c,
 * seal.c), and so is every error: nothing is taken then, and no sequence number used.
 */
#include "record.h"

#define LEND_MIN	512	/* less is copied sooner than listed */

static __always_inline bool is_whole(const struct sock *sk, const struct ktls_sock *ks, size_t len)
{
	return len - 1 < (ks->tx_limit ?: KTLS_PLAIN_MAX) && !ks->txs && ks->phase == KTLS_PHASE_OPEN &&
	       !ks->tx_closed && !ks->tx_pad &&
	       !sk->sk_err && !(sk->sk_shutdown & SEND_SHUTDOWN) && sk_stream_memory_free(sk) &&
	       ks->tx.prefix == KTLS_HEADER && ks->tx.format->inner && ktls_aead_direct(&ks->tx) &&
	       !ktls_tx_rekey_near(ks);
}

/* Where the cipher finds the plaintext. */
enum way {
	COPY,		/* a few bytes: in the record's own memory */
	LEND,		/* in pages, which who splices them keeps until the call returns */
	AIM,		/* in the program's memory */
	NONE,
};

static __always_inline enum way choose(const struct ktls_half *half, const struct iov_iter *iter, size_t len, bool pages)
{
	if (len < (pages ? LEND_MIN : GCM_USER_MIN))
		return COPY;
	if (pages)
		return iov_iter_is_bvec(iter) && iter->nr_segs <= KTLS_TX_SOURCES ? LEND : NONE;
	return ktls_aead_user(half) && ktls_iter_run(iter) >= len &&
	       ktls_user_ok((const void __user *)ktls_iter_address(iter), len) ? AIM : NONE;
}

/* A piece of a page needs no more than that. */
static __always_inline bool copy_piece(struct iov_iter *iter, u8 *to, size_t len)
{
	if (!iov_iter_is_bvec(iter) || iter->bvec->bv_len - iter->iov_offset < len)
		return false;
	memcpy(to, ktls_bytes(iter->bvec, iter->iov_offset), len);
	iter->iov_offset += len;
	iter->count -= len;
	return true;
}

static __always_inline unsigned int copy(struct gcm_seg *seg, struct iov_iter *iter, u8 *to, size_t len)
{
	*seg = (struct gcm_seg){ to, to, len };
	return copy_piece(iter, to, len) || _copy_from_iter(to, len, iter) == len;
}

/* Pages in a row make one segment. */
static unsigned int lend(struct gcm_seg *seg, struct iov_iter *iter, u8 *to, size_t len)
{
	const struct bio_vec *bv = iter->bvec;
	size_t skip = iter->iov_offset, left = len, n;
	const u8 *in, *end = NULL;
	unsigned int i = 0;

	for (; left; bv++, skip = 0) {
		n = min_t(size_t, left, bv->bv_len - skip);
		if (!n)
			continue;
		in = ktls_bytes(bv, skip);
		ktls_prefetch(in, n);
		if (in != end)
			seg[i++] = (struct gcm_seg){ in, to };
		seg[i - 1].len += n;
		end = in + n;
		to += n;
		left -= n;
	}
	iov_iter_advance(iter, len);
	seg[i++] = (struct gcm_seg){ to, to, 0 };
	return i;
}

/* Whole batches where they lie; what they leave at both ends is copied. */
static unsigned int aim(struct gcm_seg *seg, struct iov_iter *iter, u8 *to, size_t len)
{
	const u8 *from = (const u8 *)ktls_iter_address(iter);
	size_t skip, n = gcm_cut(0, len, &skip), behind = len - skip - n;

	seg[0] = (struct gcm_seg){ to, to, skip };
	seg[1] = (struct gcm_seg){ from + skip, to + skip, n, true };
	seg[2] = (struct gcm_seg){ to + skip + n, to + skip + n, behind };
	if (_copy_from_iter(to, skip, iter) < skip)
		return 0;
	iov_iter_advance(iter, n);
	return _copy_from_iter(to + skip + n, behind, iter) < behind ? 0 : 3;
}

/* Segments of the plaintext and of its type behind it, which belongs to @to; 0: it isn't there. */
static __always_inline unsigned int plaintext(struct gcm_seg *seg, struct iov_iter *iter, u8 *to, size_t len,
					      enum way way)
{
	unsigned int n = way == COPY ? copy(seg, iter, to, len) :
			 way == LEND ? lend(seg, iter, to, len) : aim(seg, iter, to, len);

	to[len] = KTLS_DATA;
	if (n)
		seg[n - 1].len++;
	return n;
}

/* The record of the message's @len bytes to @bv. */
static __always_inline bool make(struct ktls_half *half, struct bio_vec *bv, struct gcm_seg *seg, struct iov_iter *iter,
				 size_t len, enum way way)
{
	size_t body = len + 1 + GCM_TAG_SIZE;
	struct gcm_op op = { .aad_len = KTLS_HEADER, .seg = seg };
	u8 *head;

	if (!ktls_txmem_get_row(bv, KTLS_HEADER + body, KTLS_HEADER, way == COPY ? ktls_iter_address(iter) : 0))
		return false;
	head = ktls_bytes(bv, 0);
	ktls_header_put(half->format, head, KTLS_DATA, body);
	op.aad = head;
	op.segs = plaintext(seg, iter, head + KTLS_HEADER, len, way);
	if (!op.segs || ktls_aead_seal_direct(half, &op, head + KTLS_HEADER + len + 1, NULL)) {
		iov_iter_revert(iter, len - iov_iter_count(iter));
		put_page(bv->bv_page);
		return false;
	}
	return true;
}

/* What TCP did not take waits in @tx, which is the session's then. */
static noinline void keep(struct sock *sk, struct ktls_tx *tx, size_t taken)
{
	tx->out[0].bv_offset += taken;
	tx->out[0].bv_len -= taken;
	tx->out_n = 1;
	tx->out_len = tx->out[0].bv_len;
	ktls_tx_attach(sk, tx);
	ktls_tx_push(sk, 0);
	ktls_tx_idle(sk);
}

static __always_inline void push(struct sock *sk, struct ktls_tx *tx)
{
	struct bio_vec *bv = tx->out;
	int n = ktls_push_pages(sk, bv, 1, bv->bv_len, MSG_NO_SHARED_FRAGS);

	if (unlikely(n != (int)bv->bv_len)) {
		keep(sk, tx, max(n, 0));
		return;
	}
	put_page(bv->bv_page);
	ktls_tx_put(tx);
}

static __always_inline void count(struct ktls_sock *ks, size_t len, enum way way)
{
	ks->tx_records++;
	ks->tx_bytes += len;
	ktls_stat_record(ks, KTLS_STAT_TxRecords, len, way == AIM ? len : 0);
	if (way == LEND)
		ktls_stat_lent(ks, len);
}

size_t ktls_send_whole(struct sock *sk, struct iov_iter *iter, bool pages)
{
	struct ktls_sock *ks = ktls_get(sk);
	size_t len = iov_iter_count(iter);
	struct ktls_tx *tx;
	enum way way;

	if (!is_whole(sk, ks, len))
		return 0;
	way = choose(&ks->tx, iter, len, pages);
	tx = way == NONE ? NULL : ktls_tx_take();
	if (!tx)
		return 0;
	while (!make(&ks->tx, tx->out, tx->seg, iter, len, way)) {
		if (way != AIM) {
			ktls_tx_put(tx);
			return 0;
		}
		way = COPY;	/* which faults pages in */
	}
	count(ks, len, way);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	push(sk, tx);
	return len;
}
