// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decrypting. The ciphertext is read where TCP's buffers hold it; the plaintext
 * goes behind what rxs has already, with its padding and content type, which
 * are looked at once it is authentic (RFC 9846 5.4). A record that was taken out of
 * the queue, or lies in too many pieces, is decrypted in place in rxs.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include "record.h"
#include "../trace.h"

int ktls_rx_end_by(struct sock *sk, const struct ktls_end *end)
{
	struct ktls_sock *ks = ktls_get(sk);
	char reason[64];
	int err = end->err;

	if (ks->rxs && ks->rxs->len) {
		ks->rxs->end = *end;
		return err;
	}
	if (end->from == KTLS_ALERT_FROM_LOCAL)
		ktls_tx_alert(sk, KTLS_FATAL, end->alert);
	scnprintf(reason, sizeof(reason), "the peer ended the session with alert %u", end->alert);
	ktls_fail(sk, err, end->alert, end->from, end->reason ?: reason);
	return err;
}

int ktls_rx_fatal(struct sock *sk, int err, u8 alert, const char *reason)
{
	struct ktls_end end = {
		.err = err, .alert = alert, .from = KTLS_ALERT_FROM_LOCAL, .reason = reason,
	};
	struct ktls_sock *ks = ktls_get(sk);

	if (!ks->mainline)
		return ktls_rx_end_by(sk, &end);
	ks->rx_error = err;	/* the application sends its own alerts */
	return err;
}

/* Mainline tells of a bad header once; after that there is only the end of the stream. */
static int header_told_once(struct sock *sk, u8 alert)
{
	ktls_get(sk)->rx_error = -EAGAIN;
	sk->sk_err = alert == KTLS_PROTOCOL_VERSION ? EINVAL : EMSGSIZE;
	sk_error_report(sk);
	return -EAGAIN;
}

static const char *header_reason(u8 alert)
{
	switch (alert) {
	case KTLS_PROTOCOL_VERSION:
		return "the peer sent a record with a wrong version; is it speaking TLS?";
	case KTLS_RECORD_OVERFLOW:
		return "the peer sent a record longer than TLS allows";
	case KTLS_BAD_RECORD_MAC:
		return "the peer sent a record too short to be encrypted";
	}
	return "the peer sent an unencrypted record after the handshake";
}

static int header_failed(struct sock *sk, u8 alert)
{
	if (alert == KTLS_BAD_RECORD_MAC)
		return ktls_rx_fatal(sk, -EBADMSG, alert, header_reason(alert));
	if (ktls_get(sk)->mainline)
		return header_told_once(sk, alert);
	return ktls_rx_fatal(sk, -EPROTO, alert, header_reason(alert));
}

/* Offset in buf for plaintext of a record of @len that will be copied to @to (see txmem.c on slow copies). */
static u32 start(const struct ktls_rx *rx, unsigned long to, size_t len)
{
	u32 off = KTLS_RX_AHEAD;

	if (len > SZ_256 && to && (to - (unsigned long)(rx->buf + off)) % SZ_4K - 1 < KTLS_SLOW_COPY)
		off += KTLS_SLOW_STEP;
	return off;
}

/* The length that is authentic beside the header: of plaintext, or of iv and ciphertext. */
static size_t told_length(const struct ktls_half *half, size_t len)
{
	return len - (half->format->block ? KTLS_HEADER : half->prefix) - half->tail;
}

/* Additional data of its own, before @sg; the nonce that @head carries, if it does. */
static const u8 *stand_apart(const struct ktls_half *half, struct ktls_rx *rx, struct scatterlist *sg, size_t len)
{
	ktls_aad_put(half->format, rx->aad, half->seq, rx->head, told_length(half, len));
	sg_set_buf(sg, rx->aad, half->format->aad);
	return half->prefix > KTLS_HEADER ? rx->head + KTLS_HEADER : NULL;
}

unsigned int ktls_open_gather_tag(struct gcm_seg *seg, unsigned int n, u8 *room, size_t len)
{
	struct gcm_seg *last;
	size_t part;

	while (len && n) {
		last = &seg[n - 1];
		part = min(len, last->len);
		last->len -= part;
		len -= part;
		memcpy(room + len, last->in + last->len, part);
		if (!last->len)
			n--;
	}
	return n;
}

static __always_inline int additional_data(struct sock *sk, struct ktls_rx *rx, size_t len, const u8 **ret_carried)
{
	const struct ktls_half *half = &ktls_get(sk)->rx;
	int err = 0;

	*ret_carried = NULL;
	if (half->format->aad == KTLS_HEADER) {
		ktls_header_put(half->format, rx->aad, 0, len - KTLS_HEADER);
		return 0;
	}
	if (rx->have)
		memcpy(rx->head, rx->buf, half->prefix);
	else
		err = ktls_queue_peek(sk, rx->head, half->prefix);
	ktls_aad_put(half->format, rx->aad, half->seq, rx->head, told_length(half, len));
	if (half->prefix > KTLS_HEADER)
		*ret_carried = rx->head + KTLS_HEADER;
	return err;
}

int ktls_open_aad(struct sock *sk, struct ktls_rx *rx, size_t len, const u8 **ret_carried)
{
	return additional_data(sk, rx, len, ret_carried);
}

static __always_inline int open_direct(struct ktls_half *half, struct ktls_rx *rx, struct gcm_seg *seg, unsigned int n,
		       const u8 *carried)
{
	struct gcm_op op = { .aad = rx->aad, .aad_len = half->format->aad, .seg = seg };
	u8 room[GCM_TAG_SIZE];
	const u8 *tag;

	op.segs = ktls_open_cut_tag(seg, n, room, half->cipher->tag, &tag);
	return ktls_aead_open_direct(half, &op, tag, carried);
}

static __always_inline int open_from_queue_direct(struct sock *sk, struct ktls_rx *rx, size_t len, u8 *to)
{
	struct ktls_half *half = &ktls_get(sk)->rx;
	const u8 *carried;
	int err, n;

	err = additional_data(sk, rx, len, &carried);
	if (err)
		return err;
	n = ktls_queue_segments(sk, rx->seg, KTLS_RX_SG, half->prefix, len, to);
	return n < 0 ? n : open_direct(half, rx, rx->seg, n, carried);
}

/* Not inlined: its lists would be cleared for every record. */
noinline int ktls_open_by_api(struct sock *sk, struct ktls_rx *rx, size_t len, const struct bio_vec *bv, unsigned int n)
{
	struct scatterlist src[KTLS_RX_SG + 1], dst[KTLS_TX_PIECES + 1];
	struct ktls_half *half = &ktls_get(sk)->rx;
	bool apart = half->format->aad != KTLS_HEADER;
	const u8 *carried = NULL;
	unsigned int i;
	int err;

	if (apart) {
		sg_init_table(src, 2);
		err = ktls_queue_peek(sk, rx->head, half->prefix);
		if (err)
			return err;
		carried = stand_apart(half, rx, src, len);
	}
	err = ktls_queue_sg(sk, src + apart, KTLS_RX_SG, apart ? half->prefix : 0, len);
	if (err)
		return err;
	sg_init_table(dst, n + 1);
	sg_set_buf(&dst[0], rx->aad, half->format->aad);
	for (i = 0; i < n; i++)
		sg_set_page(&dst[i + 1], bv[i].bv_page, bv[i].bv_len, bv[i].bv_offset);
	return ktls_aead_open(half, &rx->room, src, dst, len - half->prefix, carried);
}

static int open_from_queue(struct sock *sk, struct ktls_rx *rx, size_t len, u8 *to)
{
	struct bio_vec bv;

	bvec_set_page(&bv, virt_to_page(to), len - ktls_get(sk)->rx.prefix, offset_in_page(to));
	return ktls_open_by_api(sk, rx, len, &bv, 1);
}

static noinline int open_gathered_direct(struct sock *sk, struct ktls_rx *rx, size_t len)
{
	struct ktls_half *half = &ktls_get(sk)->rx;
	u8 *body = rx->buf + half->prefix;
	struct gcm_seg seg = { body, body, len - half->prefix };
	const u8 *carried;

	additional_data(sk, rx, len, &carried);
	return open_direct(half, rx, &seg, 1, carried);
}

static noinline int open_gathered(struct ktls_half *half, struct ktls_rx *rx, size_t len)
{
	struct scatterlist sg[2], *src = sg;
	const u8 *carried = NULL;

	sg_init_table(sg, 2);
	sg_set_buf(&sg[1], rx->buf + half->prefix, len - half->prefix);
	if (half->format->aad == KTLS_HEADER) {
		src = &sg[1];
		sg_set_buf(src, rx->buf, len);
	} else {
		memcpy(rx->head, rx->buf, half->prefix);
		carried = stand_apart(half, rx, sg, len);
	}
	return ktls_aead_open(half, &rx->room, src, src, len - half->prefix, carried);
}

/*
 * The record into buf, its body at *@at. Gathering needs buf for itself: with plaintext
 * there already, -ENOSPC.
 */
static __always_inline int open_to(struct sock *sk, struct ktls_rx *rx, size_t len, unsigned long to, u32 *at)
{
	bool direct = ktls_aead_direct(&ktls_get(sk)->rx);
	int err;

	*at = rx->len ? rx->off + rx->len : start(rx, to, len);
	if (*at + len - KTLS_HEADER > KTLS_RX_BUF)
		return -ENOSPC;
	if (!rx->have) {
		err = direct ? open_from_queue_direct(sk, rx, len, rx->buf + *at) :
			       open_from_queue(sk, rx, len, rx->buf + *at);
		if (!err)
			ktls_queue_done(sk, len);
		if (err != -EMSGSIZE)
			return err;
	}
	if (rx->len)
		return -ENOSPC;
	*at = ktls_get(sk)->rx.prefix;
	err = ktls_queue_gather(sk, len);
	if (!err)
		err = direct ? open_gathered_direct(sk, rx, len) : open_gathered(&ktls_get(sk)->rx, rx, len);
	rx->have = 0;
	ktls_get(sk)->rx_head = 0;
	return err;
}

static int failed(struct sock *sk, int err)
{
	trace_ktls_record_error(ktls_get(sk)->cookie, KTLS_TRACE_RX, ktls_get(sk)->rx.seq, err);
	if (err == -EBADMSG) {
		ktls_stat_add(sk, KTLS_STAT_RxDecryptErrors, 1);
		return ktls_rx_fatal(sk, err, KTLS_BAD_RECORD_MAC,
				     "a record did not decrypt: it was changed on the way, or the keys differ");
	}
	/* The record is half decrypted, so another try is no use: not ENOMEM. */
	return ktls_rx_fatal(sk, -ECONNABORTED, KTLS_INTERNAL_ERROR, "the cipher failed on a record that came; no memory?");
}

static noinline int no_end(struct sock *sk)
{
	if (ktls_get(sk)->rx.format->block)
		return ktls_rx_fatal(sk, -EBADMSG, KTLS_BAD_RECORD_MAC, "the peer sent a record with wrong padding");
	return ktls_rx_fatal(sk, -EPROTO, KTLS_UNEXPECTED_MESSAGE, "the peer sent a record without a content type");
}

/* Where the plaintext ends in the @len bytes at @p that were decrypted; or the session has failed. */
static __always_inline long plain_end(struct sock *sk, const u8 *p, size_t len)
{
	const struct ktls_format *f = ktls_get(sk)->rx.format;
	long end;

	if (f->inner && p[len - 1])	/* no padding */
		return len - 1;
	end = f->inner ? ktls_inner_end(p, len) : f->block ? ktls_padding_start(p, len) : len;
	return end >= 0 ? end : no_end(sk);
}

/* Content type and length of the @len bytes that were decrypted. */
static __always_inline int inner(struct sock *sk, struct ktls_rx *rx, u32 at, size_t len, u8 *ret_type, size_t *ret_len)
{
	const struct ktls_format *f = ktls_get(sk)->rx.format;
	u16 limit = ktls_get(sk)->rx_limit ?: KTLS_PLAIN_MAX;
	long end = plain_end(sk, rx->buf + at, len);

	if (end < 0)
		return end;
	if (f->block)
		len = end;
	if (len > limit + f->inner)	/* RFC 9846 5.4, RFC 8449 4: padding included */
		return ktls_rx_fatal(sk, -EPROTO, KTLS_RECORD_OVERFLOW, "the peer sent a record longer than allowed");
	*ret_type = f->inner ? rx->buf[at + end] : rx->head[0];
	*ret_len = end;
	return 0;
}

/* What decrypting a record of @len bytes leaves: plaintext, inner type, padding. */
static size_t decrypted(const struct ktls_half *half, size_t len)
{
	return len - half->prefix - half->cipher->tag;
}

int ktls_open_record(struct sock *sk, unsigned long to, u8 *ret_type, size_t *ret_len)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_rx *rx;
	size_t len;
	u32 at;
	int err;

	err = ktls_queue_record(sk);
	if (err > 0)
		return header_failed(sk, err);
	if (err)
		return err;
	len = ks->rx_head;
	rx = ktls_rx_get(ks, GFP_KERNEL);
	if (!rx)
		return -ENOMEM;
	err = open_to(sk, rx, len, to, &at);
	if (err == -ENOSPC)
		return err;
	if (err)
		return failed(sk, err);
	err = inner(sk, rx, at, decrypted(&ks->rx, len), ret_type, ret_len);
	if (err)
		return err;
	if (!rx->len) {
		rx->off = at;
		rx->type = *ret_type;
	}
	ks->rx_records++;
	ktls_stat_record(ks, KTLS_STAT_RxRecords, *ret_type == KTLS_DATA ? *ret_len : 0, 0);
	return 0;
}

/* Is plaintext that nobody has read at hand, or in the records to come? */
static bool data_unread(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_rx *rx = ks->rxs;
	size_t len;
	u8 type;
	u32 at;

	if (rx && rx->len)
		return rx->type == KTLS_DATA;
	while (!ks->mainline && !ktls_queue_record(sk)) {
		len = ks->rx_head;
		rx = ktls_rx_get(ks, GFP_KERNEL);
		if (!rx || open_to(sk, rx, len, 0, &at) ||
		    inner(sk, rx, at, decrypted(&ks->rx, len), &type, &len))
			break;
		if (type == KTLS_DATA && len)
			return true;
	}
	return false;
}

void ktls_rx_drain(struct sock *sk)
{
	bool unread = ktls_get(sk)->rx.cipher && data_unread(sk);

	ktls_queue_flush(sk);
	if (!unread)
		return;
	sock_set_flag(sk, SOCK_LINGER);
	sk->sk_lingertime = 0;
}
