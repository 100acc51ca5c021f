// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record decrypted straight into a pipe's pages, by any cipher, or by our own into the reader's
 * memory. Of that: whole batches go there, and only what they leave at its start, between TCP's
 * buffers and at its end is copied from rxs; page faults are off meanwhile. Or, where the cipher
 * can't go by the reader's addresses, all goes to its pages (pin.c). The content type
 * is at the end, never with a program. The ciphertext stays in TCP's queue.
 * So whatever comes in the way (a fault, a control record, padding without end,
 * a wrong tag), what was written is wiped and the record left to open.c.
 *
 * The plaintext is in the reader's memory before its tag is known to be right, as
 * with mainline: another thread may see it, though no call returns it.
 */
#include <linux/fs.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include "record.h"

struct into {
	u8 __user	*to;
	size_t		plain, end, tail;	/* longest and true plaintext; what is behind the last batch there */
	u8		type;
};

/* Whole batches to the reader, the rest where rx->seg has it: to rx->aimed. How many; 0: no batch. */
static unsigned int aim(struct ktls_rx *rx, unsigned int n, struct into *t)
{
	struct gcm_seg *out = rx->aimed, *seg;
	size_t at = 0, skip, len;

	t->tail = 0;
	for (seg = rx->seg; n--; at += seg++->len) {
		len = at < t->plain ? gcm_cut(at, min(seg->len, t->plain - at), &skip) : 0;
		if (!len) {
			*out++ = *seg;
			continue;
		}
		if (skip)
			*out++ = (struct gcm_seg){ seg->in, seg->out, skip };
		*out++ = (struct gcm_seg){ seg->in + skip, (__force u8 *)t->to + at + skip, len, true };
		skip += len;
		t->tail = at + skip;
		if (seg->len > skip)
			*out++ = (struct gcm_seg){ seg->in + skip, seg->out + skip, seg->len - skip };
	}
	return t->tail ? out - rx->aimed : 0;
}

/* Is it data, with its end and type behind what the reader has? */
static bool is_data(const struct ktls_half *half, const u8 *copy, struct into *t)
{
	long end;

	t->end = t->plain;
	if (!half->format->inner)
		return true;
	end = ktls_inner_end(copy + t->tail, t->plain + 1 - t->tail);
	t->end = t->tail + end;
	return end >= 0 && copy[t->end] == KTLS_DATA;
}

/* Copy what isn't there yet, and move @iter behind all of it. */
static bool hand_over(struct ktls_rx *rx, struct into *t, struct iov_iter *iter)
{
	const struct gcm_seg *seg = rx->aimed;
	size_t at, n, got;

	for (at = 0; at < t->end; at += n, seg++) {
		n = min(seg->len, t->end - at);
		if (seg->user) {
			iov_iter_advance(iter, n);
			continue;
		}
		/* Of a constant size it isn't looked up whose memory it is. */
		got = n == GCM_HEAD ? copy_to_iter(seg->out, GCM_HEAD, iter) : copy_to_iter(seg->out, n, iter);
		if (got != n) {
			iov_iter_revert(iter, at + got);
			return false;
		}
	}
	return true;
}

/* What of a record is in no segment. */
struct outside {
	const u8	*tag, *carried;
	u8		room[GCM_TAG_SIZE];
};

/* The segments of a record that may be data, to @to. */
static int segments(struct sock *sk, struct ktls_rx *rx, size_t len, u8 *to, struct outside *o)
{
	const struct ktls_half *half = &ktls_get(sk)->rx;
	int n;

	if (ktls_open_aad(sk, rx, len, &o->carried) || (!half->format->inner && rx->head[0] != KTLS_DATA))
		return 0;
	n = ktls_queue_segments(sk, rx->seg, KTLS_RX_SG, half->prefix, len, to);
	return n < 0 ? 0 : ktls_open_cut_tag(rx->seg, n, o->room, half->cipher->tag, &o->tag);
}

/* The record's number, and the nonce that would be sent. */
struct number {
	u64	seq;
	u8	iv[KTLS_IV_SIZE];
};

static struct number number_of(const struct ktls_half *half)
{
	struct number n = { .seq = half->seq };

	memcpy(n.iv, half->iv, sizeof(n.iv));
	return n;
}

static void number_again(struct ktls_half *half, const struct number *n)
{
	half->seq = n->seq;
	memcpy(half->iv, n->iv, sizeof(n->iv));
}

static bool open_into(struct sock *sk, struct ktls_rx *rx, size_t len, struct into *t, struct iov_iter *iter)
{
	struct ktls_half *half = &ktls_get(sk)->rx;
	struct gcm_op op = { .aad = rx->aad, .aad_len = half->format->aad, .seg = rx->aimed };
	u8 *copy = rx->buf + KTLS_RX_AHEAD;
	const struct number before = number_of(half);
	unsigned long left __maybe_unused;
	struct outside o;
	int n;

	n = segments(sk, rx, len, copy, &o);
	op.segs = n > KTLS_RX_RUNS ? 0 : aim(rx, n, t);
	if (!op.segs)
		return false;
	if (!ktls_aead_open_direct(half, &op, o.tag, o.carried) && is_data(half, copy, t) && hand_over(rx, t, iter))
		return true;
	number_again(half, &before);
	left = clear_user(t->to, t->tail);	/* what is left isn't mapped any more */
	return false;
}

/* Whether a reader with this much room could get a whole record of @len bytes, with any padding. */
static bool fits(const struct ktls_sock *ks, size_t len, struct iov_iter *iter, struct into *t)
{
	t->plain = len - ks->rx.prefix - ks->rx.tail;
	t->to = (u8 __user *)ktls_iter_address(iter);
	return t->plain >= GCM_USER_MIN && t->plain <= (ks->rx_limit ?: KTLS_PLAIN_MAX) &&
	       t->plain <= ktls_iter_run(iter) && t->to && ktls_user_ok(t->to, t->plain);
}

/* @len bytes of the queue became @end bytes of data. */
static size_t count_record(struct sock *sk, size_t len, size_t end)
{
	struct ktls_sock *ks = ktls_get(sk);

	ktls_queue_done(sk, len);
	ks->rx_records++;
	ks->rx_bytes += end;
	ktls_stat_record(ks, KTLS_STAT_RxRecords, end, end);
	return end;
}

/* ---- by pieces */

/* rx->seg has its output in a row; here it goes to pieces, to rx->aimed. How many; 0: too many. */
static unsigned int spread(struct ktls_rx *rx, unsigned int n, const struct bio_vec *bv)
{
	struct gcm_seg *out = rx->aimed, *seg;
	size_t at = 0, done, part;

	for (seg = rx->seg; n--; seg++) {
		for (done = 0; done < seg->len; done += part) {
			if (out == rx->aimed + ARRAY_SIZE(rx->aimed))
				return 0;
			part = min(seg->len - done, bv->bv_len - at);
			*out++ = (struct gcm_seg){ seg->in + done, ktls_bytes(bv, at), part };
			at += part;
			if (at == bv->bv_len) {
				at = 0;
				bv++;
			}
		}
	}
	return out - rx->aimed;
}

/* Length of the data in @n pieces; 0: there is none, or it is something else. */
static size_t data_in(const struct ktls_half *half, const struct bio_vec *bv, unsigned int n)
{
	size_t before = 0;
	unsigned int i;
	long end = -1;

	for (i = 0; i < n; i++)
		before += bv[i].bv_len;
	if (!half->format->inner)
		return before;
	while (i && end < 0) {
		i--;
		before -= bv[i].bv_len;
		end = ktls_inner_end(ktls_bytes(&bv[i], 0), bv[i].bv_len);
	}
	return end >= 0 && ktls_bytes(&bv[i], 0)[end] == KTLS_DATA ? before + end : 0;
}

/* As far as its header says. */
static bool may_be_data(struct sock *sk, struct ktls_rx *rx)
{
	const struct ktls_half *half = &ktls_get(sk)->rx;

	return half->format->inner || (!ktls_queue_peek(sk, rx->head, half->prefix) && rx->head[0] == KTLS_DATA);
}

static bool open_direct(struct sock *sk, size_t len, const struct bio_vec *bv, unsigned int pieces)
{
	struct ktls_half *half = &ktls_get(sk)->rx;
	struct ktls_rx *rx = ktls_get(sk)->rxs;
	struct gcm_op op = { .aad = rx->aad, .aad_len = half->format->aad, .seg = rx->seg, .far = true };
	struct outside o;

	op.segs = segments(sk, rx, len, ktls_bytes(bv, 0), &o);
	if (pieces > 1) {
		op.seg = rx->aimed;
		op.segs = spread(rx, op.segs, bv);
	}
	return op.segs && !ktls_aead_open_direct(half, &op, o.tag, o.carried);
}

/* Length of the data; 0: there is none, or it is something else. */
static size_t open_pieces(struct sock *sk, size_t len, const struct bio_vec *bv, unsigned int pieces)
{
	struct ktls_half *half = &ktls_get(sk)->rx;
	struct ktls_rx *rx = ktls_get(sk)->rxs;
	bool opened;

	if (ktls_aead_direct(half))
		opened = open_direct(sk, len, bv, pieces);
	else
		opened = may_be_data(sk, rx) && !ktls_open_by_api(sk, rx, len, bv, pieces);
	return opened ? data_in(half, bv, pieces) : 0;
}

/* The type goes to rxs, behind the reader's pages. */
static size_t open_pinned(struct sock *sk, size_t len, struct into *t, struct iov_iter *iter, struct ktls_pins *pins)
{
	struct ktls_half *half = &ktls_get(sk)->rx;
	struct ktls_rx *rx = ktls_get(sk)->rxs;
	const struct number before = number_of(half);
	size_t end;

	if (!ktls_pin(pins, t->to, t->plain, min(ktls_iter_run(iter), ktls_queued(sk))))
		return 0;
	bvec_set_page(&pins->bv[pins->n], virt_to_page(rx->buf), half->format->inner, offset_in_page(rx->buf));
	end = open_pieces(sk, len, pins->bv, pins->n + half->format->inner);
	if (end) {
		iov_iter_advance(iter, end);
	} else {
		ktls_pins_wipe(pins);
		number_again(half, &before);
	}
	return end;
}

size_t ktls_open_into(struct sock *sk, struct iov_iter *iter, struct ktls_pins *pins)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct into t;
	size_t len;

	if (!ktls_aead_direct(&ks->rx) || ktls_queue_record(sk))
		return 0;
	len = ks->rx_head;
	if (len < GCM_USER_MIN || !fits(ks, len, iter, &t) || !ktls_rx_get(ks, GFP_KERNEL))
		return 0;
	if (!ktls_aead_user(&ks->rx))
		t.end = open_pinned(sk, len, &t, iter, pins);
	else if (!open_into(sk, ks->rxs, len, &t, iter))
		t.end = 0;
	return t.end ? count_record(sk, len, t.end) : 0;
}

/* ---- pipes */

static void release(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

/* The first @len bytes of what @n pieces hold; the pipe has the pieces then. It has room for them. */
static bool to_pipe(struct pipe_inode_info *pipe, struct bio_vec *bv, unsigned int n, size_t len)
{
	struct partial_page part[KTLS_TX_PIECES];
	struct page *pages[KTLS_TX_PIECES];
	struct splice_pipe_desc spd = {
		.pages = pages, .partial = part, .ops = &nosteal_pipe_buf_ops, .spd_release = release,
	};
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!len) {
			put_page(bv[i].bv_page);
			continue;
		}
		pages[i] = bv[i].bv_page;
		part[i] = (struct partial_page){ bv[i].bv_offset, min_t(size_t, bv[i].bv_len, len) };
		len -= part[i].len;
		spd.nr_pages++;
	}
	return splice_to_pipe(pipe, &spd) > 0;
}

size_t ktls_open_to_pipe(struct sock *sk, struct pipe_inode_info *pipe, size_t max)
{
	struct ktls_sock *ks = ktls_get(sk);
	const struct number before = number_of(&ks->rx);
	struct bio_vec bv[KTLS_TX_PIECES];
	size_t len, inner, end;
	int n;

	if (ks->rx.format->block || ktls_queue_record(sk))
		return 0;
	len = ks->rx_head;
	inner = len - ks->rx.prefix - ks->rx.cipher->tag;
	if (inner - ks->rx.format->inner > min_t(size_t, max, ks->rx_limit ?: KTLS_PLAIN_MAX) || !inner ||
	    !ktls_rx_get(ks, GFP_KERNEL))
		return 0;
	n = ktls_txmem_get_plain(bv, inner);
	if (n < 0)
		return 0;
	end = 0;
	if (n <= (int)(pipe->max_usage - pipe_occupancy(pipe->head, pipe->tail)))
		end = open_pieces(sk, len, bv, n);
	if (!end) {
		ktls_txmem_put(bv, n);
	} else if (to_pipe(pipe, bv, n, end)) {
		return count_record(sk, len, end);
	}
	number_again(&ks->rx, &before);
	return 0;
}
