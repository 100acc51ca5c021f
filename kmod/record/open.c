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

int ktls_rx_fatal(struct sock *sk, int err, u8 alert, const char *reason)
{
	ktls_tx_alert(sk, KTLS_FATAL, alert);
	ktls_fail(sk, err, alert, KTLS_ALERT_FROM_LOCAL, reason);
	return err;
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

/* Offset in buf for plaintext that will be copied to @to (see txmem.c on slow copies). */
static u32 start(const struct ktls_rx *rx, unsigned long to)
{
	u32 off = KTLS_RX_AHEAD;

	if (to && (to - (unsigned long)(rx->buf + off)) % SZ_4K - 1 < KTLS_SLOW_COPY)
		off += KTLS_SLOW_STEP;
	return off;
}

static int open_from_queue(struct sock *sk, struct ktls_rx *rx, size_t len, u8 *to)
{
	struct scatterlist src[KTLS_RX_SG], dst[2];
	int err = ktls_queue_sg(sk, src, KTLS_RX_SG, len);

	if (err)
		return err;
	sg_init_table(dst, 2);
	sg_set_buf(&dst[0], rx->scratch, KTLS_HEADER);
	sg_set_buf(&dst[1], to, len - KTLS_HEADER);
	return ktls_aead_open(&ktls_get(sk)->rx, &rx->room, src, dst, len - KTLS_HEADER);
}

static int open_gathered(struct sock *sk, struct ktls_rx *rx, size_t len)
{
	struct scatterlist sg;
	int err = ktls_queue_gather(sk, len);

	if (err)
		return err;
	sg_init_one(&sg, rx->buf, len);
	return ktls_aead_open(&ktls_get(sk)->rx, &rx->room, &sg, &sg, len - KTLS_HEADER);
}

/*
 * The record into buf, its body at *@at. Gathering needs buf for itself: with plaintext
 * there already, -ENOSPC.
 */
static int open_to(struct sock *sk, struct ktls_rx *rx, size_t len, unsigned long to, u32 *at)
{
	int err;

	*at = rx->len ? rx->off + rx->len : start(rx, to);
	if (*at + len - KTLS_HEADER > KTLS_RX_BUF)
		return -ENOSPC;
	if (!rx->have) {
		err = open_from_queue(sk, rx, len, rx->buf + *at);
		if (!err)
			tcp_read_done(sk, len);
		if (err != -EMSGSIZE)
			return err;
	}
	if (rx->len)
		return -ENOSPC;
	*at = KTLS_HEADER;
	err = open_gathered(sk, rx, len);
	rx->have = 0;
	return err;
}

static int failed(struct sock *sk, int err)
{
	if (err == -EBADMSG) {
		ktls_stat_add(sk, KTLS_STAT_RxDecryptErrors, 1);
		return ktls_rx_fatal(sk, err, KTLS_BAD_RECORD_MAC,
				     "a record did not decrypt: it was changed on the way, or the keys differ");
	}
	return ktls_rx_fatal(sk, err, KTLS_INTERNAL_ERROR, "a record could not be decrypted");
}

/* Content type and length from the inner plaintext. */
static int inner(struct sock *sk, struct ktls_rx *rx, u32 at, size_t len, u8 *ret_type, size_t *ret_len)
{
	long end = ktls_inner_end(rx->buf + at, len);

	if (end < 0)
		return ktls_rx_fatal(sk, -EPROTO, KTLS_UNEXPECTED_MESSAGE,
				     "the peer sent a record without a content type");
	if (len > KTLS_PLAIN_MAX + 1)	/* RFC 9846 5.4: padding included */
		return ktls_rx_fatal(sk, -EPROTO, KTLS_RECORD_OVERFLOW, "the peer sent a record longer than TLS allows");
	*ret_type = rx->buf[at + end];
	*ret_len = end;
	return 0;
}

int ktls_open_record(struct sock *sk, unsigned long to, u8 *ret_type, size_t *ret_len)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_rx *rx;
	size_t len;
	u32 at;
	int err;

	err = ktls_queue_record(sk, &len);
	if (err > 0)
		return ktls_rx_fatal(sk, err == KTLS_BAD_RECORD_MAC ? -EBADMSG : -EPROTO, err, header_reason(err));
	if (err)
		return err;
	rx = ktls_rx_get(ks, GFP_KERNEL);
	if (!rx)
		return -ENOMEM;
	err = open_to(sk, rx, len, to, &at);
	if (err == -ENOSPC)
		return err;
	if (err)
		return failed(sk, err);
	err = inner(sk, rx, at, len - KTLS_OVERHEAD + 1, ret_type, ret_len);
	if (err)
		return err;
	if (!rx->len) {
		rx->off = at;
		rx->type = *ret_type;
	}
	ks->rx_records++;
	ktls_stat_add(sk, KTLS_STAT_RxRecords, 1);
	return 0;
}

void ktls_rx_drain(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_rx *rx;
	size_t len;
	long end;
	u32 at;

	if (!ks->rx.tfm || ks->mainline)
		return;
	while (!ktls_queue_record(sk, &len)) {
		rx = ktls_rx_get(ks, GFP_KERNEL);
		if (!rx || rx->len || open_to(sk, rx, len, 0, &at))
			return;
		end = ktls_inner_end(rx->buf + at, len - KTLS_OVERHEAD + 1);
		if (end < 0 || (end && rx->buf[at + end] == KTLS_DATA))
			return;
	}
}
