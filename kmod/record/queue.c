// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records in TCP's receive queue: where they end, their memory as a
 * scatterlist, and taking the start of one out where TCP's window is too small
 * for all of it. Called with the socket lock, or from softirq while nobody owns it.
 *
 * "The head" is the next record: rxs->have bytes of it may have been taken
 * out, the rest begins rx_done bytes behind copied_seq. Those are of records
 * opened since TCP was told last, which costs an acknowledgement each time.
 * Until it is told, its queue stays as it is, and rxs->mark may say where in it
 * the last record ended.
 */
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include "record.h"

#define DONE_MAX	SZ_64K		/* opened, not yet given back to TCP: its window waits for that */

static u32 taken_out(const struct ktls_sock *ks)
{
	return ks->rxs ? ks->rxs->have : 0;
}

static struct sk_buff *next_skb(struct sock *sk, struct sk_buff *skb)
{
	return skb_queue_is_last(&sk->sk_receive_queue, skb) ? NULL :
		skb_queue_next(&sk->sk_receive_queue, skb);
}

static const struct ktls_mark *mark(const struct ktls_sock *ks)
{
	return ks->rx_done && ks->rxs && ks->rxs->mark.done == ks->rx_done ? &ks->rxs->mark : NULL;
}

static noinline struct sk_buff *search(struct sock *sk)
{
	u32 off;

	return tcp_recv_skb(sk, tcp_sk(sk)->copied_seq, &off);
}

/* Where TCP's first unread byte lies. A SYN counts as a byte. */
static __always_inline struct sk_buff *first_unread(struct sock *sk, size_t *off)
{
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
	u32 seq = tcp_sk(sk)->copied_seq;

	if (skb && seq - TCP_SKB_CB(skb)->seq >= skb->len)
		skb = search(sk);
	if (skb)
		*off += seq - TCP_SKB_CB(skb)->seq - !!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN);
	return skb;
}

/*
 * Where byte @skip of the queue lies, counted from what was opened last: @ret_off bytes into the skb.
 * @m: mark(), or NULL.
 */
static __always_inline struct sk_buff *skb_at(struct sock *sk, const struct ktls_mark *m, size_t skip, u32 *ret_off)
{
	struct sk_buff *skb;

	if (m) {
		skb = m->skb;
		skip += m->off;
	} else {
		skip += ktls_get(sk)->rx_done;
		skb = first_unread(sk, &skip);
	}
	for (; skb && skip >= skb->len; skb = next_skb(sk, skb))
		skip -= skb->len;
	*ret_off = skip;
	return skb;
}

/* A run of an skb's bytes. */
struct run {
	const u8	*at;		/* NULL: a device's memory */
	u32		size;
	unsigned int	next;		/* frag behind it */
};

static __always_inline void run_next(struct run *r, const struct skb_shared_info *info)
{
	const skb_frag_t *frag = &info->frags[r->next++];

	r->at = skb_frag_page(frag) ? skb_frag_address(frag) : NULL;
	r->size = skb_frag_size(frag);
}

/* The one that has byte @off, from there on. The skb has so many, and no frag_list. @m: may be NULL. */
static __always_inline struct run run_at(const struct sk_buff *skb, u32 off, const struct ktls_mark *m)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	struct run r = { skb->data, skb_headlen(skb) };

	if (off >= r.size) {
		off -= r.size;
		if (m && m->skb == skb) {
			r.next = m->frag;
			off -= m->before;
		}
		for (; off >= skb_frag_size(&info->frags[r.next]); r.next++)
			off -= skb_frag_size(&info->frags[r.next]);
		run_next(&r, info);
	}
	if (r.at)
		r.at += off;
	r.size -= off;
	return r;
}

/* skb_copy_bits() for the few bytes of a header, which mostly lie in a row. */
static int copy_few(const struct sk_buff *skb, u32 off, u8 *to, size_t len)
{
	if (!skb_has_frag_list(skb)) {
		struct run r = run_at(skb, off, NULL);

		if (len <= r.size && r.at) {
			memcpy(to, r.at, len);
			return 0;
		}
	}
	return skb_copy_bits(skb, off, to, len);
}

/* Copy from the queue, @skip bytes behind what was opened last: how many there were. */
static noinline size_t queue_copy(struct sock *sk, size_t skip, u8 *to, size_t len)
{
	struct sk_buff *skb;
	size_t done, n;
	u32 off;

	skb = skb_at(sk, mark(ktls_get(sk)), skip, &off);
	for (done = 0; skb && done < len; done += n, off = 0) {
		n = min_t(size_t, skb->len - off, len - done);
		if (copy_few(skb, off, to + done, n))
			break;
		skb = next_skb(sk, skb);
	}
	return done;
}

int ktls_queue_peek(struct sock *sk, u8 *to, size_t len)
{
	return queue_copy(sk, 0, to, len) == len ? 0 : -EIO;
}

/* rcv_nxt counts a FIN too. */
static __always_inline size_t queued(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 n = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq) - ktls_get(sk)->rx_done;

	return n && sock_flag(sk, SOCK_DONE) ? n - 1 : n;
}

size_t ktls_queued(const struct sock *sk)
{
	return queued(sk);
}

/* The header @skip bytes behind what was opened last where it lies, if that is in a row, as mostly. */
static __always_inline const u8 *header_in_a_row(struct sock *sk, const struct ktls_mark *m, size_t skip)
{
	struct sk_buff *skb;
	struct run r;
	u32 off;

	skb = skb_at(sk, m, skip, &off);
	if (!skb || skb_has_frag_list(skb))
		return NULL;
	r = run_at(skb, off, m);
	return r.size < KTLS_HEADER ? NULL : r.at;
}

/*
 * What a header says: the length of its record; or err: > 0 the alert to send, -EAGAIN: it isn't all here.
 * Given back in a register.
 */
struct look {
	u32	len;
	int	err;
};

/* Its bytes are read once: they may be a page that the peer on this machine still writes to. */
static __always_inline struct look look_at(const struct ktls_half *half, const u8 *h)
{
	size_t min = half->prefix - KTLS_HEADER + half->format->block + half->tail;
	size_t body = h[3] << 8 | h[4];

	return (struct look){ KTLS_HEADER + body, ktls_header_check(half->format, h[0], h[1] << 8 | h[2], body, min) };
}

/* @have bytes of what the head begins with were taken out. */
static noinline struct look look_in_pieces(struct sock *sk, size_t skip, u32 have)
{
	u8 h[KTLS_HEADER];
	u32 n = 0;

	if (skip < have) {
		n = min_t(u32, have - skip, KTLS_HEADER);
		memcpy(h, ktls_get(sk)->rxs->buf + skip, n);
	}
	if (n < KTLS_HEADER && queue_copy(sk, skip + n - have, h + n, KTLS_HEADER - n) < KTLS_HEADER - n)
		return (struct look){ .err = -EAGAIN };
	return look_at(&ktls_get(sk)->rx, h);
}

/* The header of the record @skip bytes behind the head. */
static noinline struct look look(struct sock *sk, size_t skip)
{
	struct ktls_sock *ks = ktls_get(sk);
	u32 have = taken_out(ks);
	const u8 *row = have ? NULL : header_in_a_row(sk, mark(ks), skip);

	return likely(row) ? look_at(&ks->rx, row) : look_in_pieces(sk, skip, have);
}

/* The head's where nothing was taken out or opened. */
static __always_inline struct look look_first(struct sock *sk)
{
	const u8 *row = header_in_a_row(sk, NULL, 0);

	return likely(row) ? look_at(&ktls_get(sk)->rx, row) : look_in_pieces(sk, 0, 0);
}

static __always_inline int find_record(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	bool first = !ks->rxs && !ks->rx_done;
	struct look record;
	size_t have;

	if (ks->rx_head)
		return 0;
	have = first ? queued(sk) : taken_out(ks) + queued(sk);
	if (have < KTLS_HEADER)
		return -EAGAIN;
	record = first ? look_first(sk) : look(sk, 0);
	if (record.err)
		return record.err;
	if (have < record.len)
		return -EAGAIN;
	ks->rx_head = record.len;
	return 0;
}

int ktls_queue_record(struct sock *sk)
{
	return find_record(sk);
}

void ktls_queue_done(struct sock *sk, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);

	ks->rx_head = 0;
	ks->rx_done += len;
	if (ks->rx_done >= DONE_MAX)
		ktls_queue_flush(sk);
}

void ktls_queue_flush(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	u32 n = ks->rx_done;

	ks->rx_done = 0;
	if (ks->rxs)
		ks->rxs->mark.done = 0;
	if (n)
		tcp_read_done(sk, n);
}

int ktls_queue_sg(struct sock *sk, struct scatterlist *sg, unsigned int max, u32 skip, size_t len)
{
	unsigned int n = 0;
	struct sk_buff *skb;
	u32 off, part;
	int ret;

	sg_init_table(sg, max);
	len -= skip;
	for (skb = skb_at(sk, mark(ktls_get(sk)), skip, &off); skb && len; skb = next_skb(sk, skb)) {
		part = min_t(size_t, len, skb->len - off);
		if (n + skb_shinfo(skb)->nr_frags + 1 > max || skb_has_frag_list(skb))
			return -EMSGSIZE;
		ret = skb_to_sgvec_nomark(skb, &sg[n], off, part);
		if (ret < 0)
			return ret;
		n += ret;
		len -= part;
		off = 0;
	}
	if (len || !n)
		return -EIO;
	sg_mark_end(&sg[n - 1]);
	return 0;
}

/*
 * @len bytes of one skb from @off on, to @to, behind the segment @seg or, if they continue its input,
 * in it: pages in a row do. The last segment, or NULL: a device's memory.
 */
static struct gcm_seg *skb_segments(const struct sk_buff *skb, struct gcm_seg *seg, u32 off, size_t len, u8 *to,
				    struct ktls_mark *m)
{
	struct run r = run_at(skb, off, m);
	u32 end = off + len, left;
	size_t part;

	for (;;) {
		if (!r.at)
			return NULL;
		part = min_t(size_t, r.size, len);
		ktls_prefetch(r.at, part);
		if (!seg->len || seg->in + seg->len != r.at) {
			seg += seg->len > 0;
			*seg = (struct gcm_seg){ r.at, to };
		}
		seg->len += part;
		to += part;
		len -= part;
		if (!len)
			break;
		run_next(&r, skb_shinfo(skb));
	}
	left = r.size - part;		/* of the last run */
	m->skb = (struct sk_buff *)skb;
	m->off = end;
	m->frag = r.next ? r.next - 1 : 0;
	m->before = r.next ? end + left - skb_headlen(skb) - skb_frag_size(&skb_shinfo(skb)->frags[m->frag]) : 0;
	return seg;
}

int ktls_queue_segments(struct sock *sk, struct gcm_seg *seg, unsigned int max, u32 skip, size_t len, u8 *to)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_mark *m = &ks->rxs->mark;
	struct gcm_seg *last = seg;
	size_t left = len - skip;
	struct sk_buff *skb;
	u32 off, part;

	skb = skb_at(sk, mark(ks), skip, &off);
	if (!mark(ks))
		m->skb = NULL;
	m->done = 0;
	seg->len = 0;
	for (; skb; skb = next_skb(sk, skb)) {
		part = min_t(size_t, left, skb->len - off);
		if (last - seg + skb_shinfo(skb)->nr_frags + 2 > max || skb_has_frag_list(skb))
			return -EMSGSIZE;
		last = skb_segments(skb, last, off, part, to, m);
		if (!last)
			return -EMSGSIZE;
		left -= part;
		if (!left)
			break;
		to += part;
		off = 0;
	}
	if (left)
		return -EIO;
	m->done = ks->rx_done + len;
	return last - seg + 1;
}

int ktls_queue_gather(struct sock *sk, size_t len)
{
	struct ktls_rx *rx = ktls_get(sk)->rxs;
	size_t want = len - rx->have, n;

	ktls_queue_flush(sk);
	n = queue_copy(sk, 0, rx->buf + rx->have, want);
	rx->have += n;
	if (n)
		tcp_read_done(sk, n);
	return n == want ? 0 : -EIO;
}

/* TCP will not take more before something is read. */
static bool window_closed(const struct sock *sk)
{
	return tcp_epollin_ready(sk, INT_MAX);
}

/*
 * The head is incomplete and its rest doesn't fit in the window: make room, if
 * rxs is free for it. Otherwise its plaintext will be read first, and we are
 * called again.
 */
static int drain_window(struct sock *sk, gfp_t gfp)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_rx *rx = ktls_rx_get(ks, gfp);

	if (!rx)
		return -ENOMEM;
	if (rx->len)
		return 0;
	ktls_queue_gather(sk, min_t(size_t, rx->have + queued(sk), KTLS_HEADER + KTLS_BODY_MAX));
	ktls_rx_idle(ks);
	return 0;
}

/* Plaintext that whole records in the queue can hold, up to @enough. */
static noinline size_t plaintext(struct sock *sk, size_t enough)
{
	struct ktls_sock *ks = ktls_get(sk);
	size_t have = taken_out(ks) + queued(sk), at = 0, sum = 0;
	struct look record;

	if (ks->rxs)
		sum = ks->rxs->len;
	for (; sum < enough; at += record.len) {
		record = look(sk, at);
		if (record.err || at + record.len > have)
			break;
		sum += record.len - ks->rx.prefix - ks->rx.tail;
	}
	return sum;
}

static noinline bool low_reached(struct sock *sk, int low)
{
	return window_closed(sk) || plaintext(sk, low) >= low;
}

static inline bool low_enough(struct sock *sk)
{
	int low = READ_ONCE(sk->sk_rcvlowat);

	return low <= 1 || low_reached(sk, low);
}

/*
 * Would a reader get something other than EAGAIN? -ENOMEM: he would, now. Nobody else will
 * open the window again, so he is woken to try with more patience than softirq has.
 */
static int ready(struct sock *sk, gfp_t gfp)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	if (ks->rxs && ks->rxs->len && ks->rxs->type != KTLS_DATA)
		return true;
	if (ks->rxs && ks->rxs->len && low_enough(sk))
		return true;
	if (ks->rxs && ks->rxs->end.err)
		return true;
	if (ks->rx_error)
		return ks->rx_error != -EAGAIN;
	if (ks->rx_held || ks->rx_update)
		return false;
	if (ks->rx_eof)
		return true;
	err = find_record(sk);
	if (err == -EAGAIN && window_closed(sk)) {
		err = drain_window(sk, gfp);
		if (err)
			return err;
		err = ktls_queue_record(sk);
	}
	return err > 0 || (!err && low_enough(sk));
}

int ktls_queue_check(struct sock *sk, gfp_t gfp)
{
	struct ktls_sock *ks = ktls_get(sk);
	int yes;

	if (ks->rxs || ks->rx_done)
		ktls_queue_flush(sk);
	yes = ready(sk, gfp);
	WRITE_ONCE(ks->rx_ready, yes);
	return min(yes, 0);
}
