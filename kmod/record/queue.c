// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records in TCP's receive queue: where they end, their memory as a
 * scatterlist, and taking the start of one out where TCP's window is too small
 * for all of it. Called with the socket lock, or from softirq while nobody owns it.
 *
 * "The head" is the next record: rxs->have bytes of it may have been taken
 * out, the rest begins at copied_seq.
 */
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include "../crypto/gcm.h"
#include "record.h"

static u32 taken_out(const struct ktls_sock *ks)
{
	return ks->rxs ? ks->rxs->have : 0;
}

static struct sk_buff *next_skb(struct sock *sk, struct sk_buff *skb)
{
	return skb_queue_is_last(&sk->sk_receive_queue, skb) ? NULL :
		skb_queue_next(&sk->sk_receive_queue, skb);
}

/* Copy from the queue, @skip bytes behind copied_seq: how many there were. */
static size_t queue_copy(struct sock *sk, size_t skip, u8 *to, size_t len)
{
	struct sk_buff *skb;
	size_t done = 0, n;
	u32 off;

	skb = tcp_recv_skb(sk, tcp_sk(sk)->copied_seq, &off);
	for (; skb && done < len; skb = next_skb(sk, skb), off = 0) {
		if (off >= skb->len)
			continue;
		n = skb->len - off;
		if (skip >= n) {
			skip -= n;
			continue;
		}
		off += skip;
		n = min_t(size_t, skb->len - off, len - done);
		skip = 0;
		if (skb_copy_bits(skb, off, to + done, n))
			break;
		done += n;
	}
	return done;
}

int ktls_queue_peek(struct sock *sk, u8 *to, size_t len)
{
	return queue_copy(sk, 0, to, len) == len ? 0 : -EIO;
}

/* rcv_nxt counts a FIN too. */
static size_t queued(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 n = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);

	return n && sock_flag(sk, SOCK_DONE) ? n - 1 : n;
}

/* The header of the record @skip bytes behind the head. */
static int header_at(struct sock *sk, size_t skip, size_t *ret_body)
{
	struct ktls_sock *ks = ktls_get(sk);
	u32 have = taken_out(ks), n = 0;
	u8 h[KTLS_HEADER];

	if (skip < have) {
		n = min_t(u32, have - skip, sizeof(h));
		memcpy(h, ks->rxs->buf + skip, n);
	}
	if (n < sizeof(h) &&
	    queue_copy(sk, skip + n - have, h + n, sizeof(h) - n) < sizeof(h) - n)
		return -EAGAIN;
	return ktls_header_get(ks->rx.format, h, ks->rx.prefix - KTLS_HEADER + ks->rx.tail, ret_body);
}

int ktls_queue_record(struct sock *sk, size_t *ret_len)
{
	size_t have = taken_out(ktls_get(sk)) + queued(sk), body;
	int err;

	if (have < KTLS_HEADER)
		return -EAGAIN;
	err = header_at(sk, 0, &body);
	if (err)
		return err;
	if (have < KTLS_HEADER + body)
		return -EAGAIN;
	*ret_len = KTLS_HEADER + body;
	return 0;
}

int ktls_queue_sg(struct sock *sk, struct scatterlist *sg, unsigned int max, u32 skip, size_t len)
{
	unsigned int n = 0;
	struct sk_buff *skb;
	u32 off, part;
	int ret;

	sg_init_table(sg, max);
	len -= skip;
	skb = tcp_recv_skb(sk, tcp_sk(sk)->copied_seq, &off);
	for (off += skip; skb && len; skb = next_skb(sk, skb)) {
		if (off >= skb->len) {
			off -= skb->len;
			continue;
		}
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

/* One skb's bytes from @off as segments to @to: how many. */
static int skb_segments(const struct sk_buff *skb, struct gcm_seg *seg, u32 off, size_t len, u8 *to)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	const u8 *from = skb->data;
	u32 size = skb_headlen(skb), i = 0, part;
	int n = 0;

	for (;;) {
		if (off < size) {
			part = min_t(size_t, size - off, len);
			seg[n++] = (struct gcm_seg){ from + off, to, part };
			to += part;
			len -= part;
			off = 0;
		} else {
			off -= size;
		}
		if (!len || i == info->nr_frags)
			break;
		if (!skb_frag_page(&info->frags[i]))
			return -EMSGSIZE;	/* a device's memory */
		from = skb_frag_address(&info->frags[i]);
		size = skb_frag_size(&info->frags[i++]);
	}
	return len ? -EIO : n;
}

int ktls_queue_segments(struct sock *sk, struct gcm_seg *seg, unsigned int max, u32 skip, size_t len, u8 *to)
{
	unsigned int n = 0;
	struct sk_buff *skb;
	u32 off, part;
	int ret;

	len -= skip;
	skb = tcp_recv_skb(sk, tcp_sk(sk)->copied_seq, &off);
	for (off += skip; skb && len; skb = next_skb(sk, skb)) {
		if (off >= skb->len) {
			off -= skb->len;
			continue;
		}
		if (n + skb_shinfo(skb)->nr_frags + 1 > max || skb_has_frag_list(skb))
			return -EMSGSIZE;
		part = min_t(size_t, len, skb->len - off);
		ret = skb_segments(skb, &seg[n], off, part, to);
		if (ret < 0)
			return ret;
		n += ret;
		to += part;
		len -= part;
		off = 0;
	}
	return len ? -EIO : n;
}

int ktls_queue_gather(struct sock *sk, size_t len)
{
	struct ktls_rx *rx = ktls_get(sk)->rxs;
	size_t want = len - rx->have, n;

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
static size_t plaintext(struct sock *sk, size_t enough)
{
	struct ktls_sock *ks = ktls_get(sk);
	size_t have = taken_out(ks) + queued(sk), at = 0, sum = 0, body;

	if (ks->rxs)
		sum = ks->rxs->len;
	while (sum < enough && !header_at(sk, at, &body) && at + KTLS_HEADER + body <= have) {
		sum += KTLS_HEADER + body - ks->rx.prefix - ks->rx.tail;
		at += KTLS_HEADER + body;
	}
	return sum;
}

static bool low_enough(struct sock *sk)
{
	int low = READ_ONCE(sk->sk_rcvlowat);

	return low <= 1 || window_closed(sk) || plaintext(sk, low) >= low;
}

/*
 * Would a reader get something other than EAGAIN? -ENOMEM: he would, now. Nobody else will
 * open the window again, so he is woken to try with more patience than softirq has.
 */
static int ready(struct sock *sk, gfp_t gfp)
{
	struct ktls_sock *ks = ktls_get(sk);
	size_t len;
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
	err = ktls_queue_record(sk, &len);
	if (err == -EAGAIN && window_closed(sk)) {
		err = drain_window(sk, gfp);
		if (err)
			return err;
		err = ktls_queue_record(sk, &len);
	}
	return err > 0 || (!err && low_enough(sk));
}

int ktls_queue_check(struct sock *sk, gfp_t gfp)
{
	int yes = ready(sk, gfp);

	WRITE_ONCE(ktls_get(sk)->rx_ready, yes);
	return min(yes, 0);
}
