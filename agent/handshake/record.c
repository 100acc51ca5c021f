// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of the handshake epochs, RFC 9846 section 5: cut out of the byte
 * stream one at a time, opened, and their handshake bytes appended to hs->in;
 * messages packed into records and sealed. Never asks for a byte that lies
 * behind the record it is reading, so what follows the handshake stays in
 * the socket for the kernel.
 */
#include "handshake/engine.h"
#include "handshake/record.h"
#include <errno.h>
#include <string.h>

#define CIPHERTEXT	(RECORD_PLAINTEXT + RECORD_OVERHEAD)
#define MAX_QUIET	32	/* change_cipher_spec and user_canceled that we sit through */

const uint8_t ccs_record[] = { RECORD_CCS, 3, 3, 0, 1, 1 };

size_t record_want(const struct hs *hs)
{
	if (hs->rec.len < RECORD_HEADER)
		return RECORD_HEADER - hs->rec.len;
	return RECORD_HEADER + (size_t)(hs->rec.p[3] << 8 | hs->rec.p[4]) - hs->rec.len;
}

/* ---- reading */

int record_refuse(struct hs *hs, uint8_t type)
{
	if (type == RECORD_DATA)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent application data during the handshake");
	return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
		       "the peer sent a record of type %u, which is not TLS here", type);
}

/* Refuse by the first five bytes what can't become right any more. */
static int check_header(struct hs *hs, uint8_t type, size_t len)
{
	size_t max = type == RECORD_DATA ? CIPHERTEXT : RECORD_PLAINTEXT;

	if (hs->version == TLS12)
		return record12_check(hs, type, len);
	if (type < RECORD_CCS || type > RECORD_DATA)
		return record_refuse(hs, type);
	if (type == RECORD_DATA && !hs->rx.on && !hs->early_left)
		return record_refuse(hs, type);
	if (type == RECORD_HANDSHAKE && hs->rx.on)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent a handshake message without encryption");
	if (len > max)
		return hs_fail(hs, ALERT_RECORD_OVERFLOW, "the peer sent a record of %zu bytes", len);
	if (!len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent an empty record");
	return 0;
}

static int read_nothing(struct hs *hs)
{
	if (++hs->quiet > MAX_QUIET)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent %d records without content", MAX_QUIET);
	return 0;
}

static int read_ccs(struct hs *hs, const uint8_t *p, size_t len)
{
	/* To a server without a memory of its retry the first of all records may be one, RFC 9846 5. */
	bool early = hs->greeted || hs->params->cookie_keys;

	if (len != 1 || p[0] != 1 || !early)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent a change_cipher_spec that TLS 1.3 does not allow");
	return read_nothing(hs);
}

/* Any alert but user_canceled ends the handshake, whatever its level says (RFC 9846 6). */
static int read_alert(struct hs *hs, const uint8_t *p, size_t len)
{
	if (len != 2)
		return hs_fail(hs, ALERT_DECODE_ERROR, "the peer sent an alert of %zu bytes", len);
	if (p[1] == ALERT_USER_CANCELED)
		return read_nothing(hs);
	hs->alert = p[1];
	hs->alert_from = HS_ALERT_PEER;
	if (p[1] == ALERT_CLOSE_NOTIFY)
		return hs_fail(hs, -ECONNRESET, "the peer closed the connection during the handshake");
	return hs_fail(hs, -EPROTO, "the peer refused the handshake: %s (alert %u)",
		       alert_name(p[1]), p[1]);
}

int record_content(struct hs *hs, uint8_t type, const uint8_t *p, size_t len)
{
	if (type == RECORD_ALERT)
		return read_alert(hs, p, len);
	if (type != RECORD_HANDSHAKE)
		return record_refuse(hs, type);
	if (!len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent an empty record");
	return 0;
}

/* Refused early data does not open, or comes before there are keys (RFC 9846 4.2.10). */
static bool skip_early_data(struct hs *hs, size_t len)
{
	/* What it holds at most: type and tag are not counted. */
	size_t data = len > 1 + AEAD_TAG ? len - 1 - AEAD_TAG : 1;

	if (hs->early_left < data)
		return false;
	hs->early_left -= data;
	return true;
}

static int read_early_data(struct hs *hs, const uint8_t *p, size_t len)
{
	if (hs->in.len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent data inside a handshake message");
	return len ? early_take(hs, p, len) : read_nothing(hs);
}

/* Decrypts to the end of hs->in; what turns out to be a handshake message stays there. */
static int read_protected(struct hs *hs, const uint8_t *header, size_t len)
{
	/* Of the limit that we state now early data know nothing. */
	size_t n = len, limit = hs->rx_limit && !hs->early_now ? hs->rx_limit : RECORD_PLAINTEXT;
	uint8_t type, *plain = gbuf_room(&hs->in, len);
	int err;

	if (!plain)
		return hs_no_memory(hs);
	err = record_unprotect(&hs->rx.t, hs->rx.aead, TLS13, header, len, plain, &type, &n);
	if (err == ALERT_BAD_RECORD_MAC && skip_early_data(hs, len))
		return 0;
	if (err == ALERT_BAD_RECORD_MAC)
		return hs_fail(hs, err, "a record of the peer does not decrypt");
	hs->early_left = 0;
	if (err == ALERT_UNEXPECTED_MESSAGE)
		return hs_fail(hs, err, "the peer sent a record without a type");
	if (err || n > limit)
		return hs_fail(hs, ALERT_RECORD_OVERFLOW, "the peer sent %zu bytes in one record", n);
	if (type == RECORD_DATA && hs->early_now)
		return read_early_data(hs, plain, n);
	err = record_content(hs, type, plain, n);
	if (!err && type == RECORD_HANDSHAKE)
		hs->in.len += n;
	return err;
}

static int read_record(struct hs *hs, const uint8_t *header, const uint8_t *p, size_t len)
{
	uint8_t type = header[0];
	int err;

	if (hs->version == TLS12)
		return record12_read(hs, header, p, len);
	if (hs->in.len && type == RECORD_CCS)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent another record inside a handshake message");
	if (type == RECORD_CCS)
		return read_ccs(hs, p, len);
	if (type == RECORD_DATA && hs->rx.on)
		return read_protected(hs, header, len);
	if (type == RECORD_DATA && skip_early_data(hs, len))
		return 0;
	/* A peer that could not derive keys yet can only say so in plain text. */
	if (hs->rx.on && (type != RECORD_ALERT || hs->rx.t.seq))
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent an alert without encryption");
	err = record_content(hs, type, p, len);
	if (!err && type == RECORD_HANDSHAKE && !gbuf_add(&hs->in, p, len))
		return hs_no_memory(hs);
	return err;
}

int record_input(struct hs *hs, const uint8_t *data, size_t len)
{
	bool header = hs->rec.len < RECORD_HEADER;
	int err;

	if (!gbuf_add(&hs->rec, data, len))
		return hs_no_memory(hs);
	if (header && hs->rec.len == RECORD_HEADER) {
		err = check_header(hs, hs->rec.p[0], (size_t)(hs->rec.p[3] << 8 | hs->rec.p[4]));
		if (err)
			return err;
	}
	if (hs->rec.len < RECORD_HEADER || record_want(hs))
		return 0;
	err = read_record(hs, hs->rec.p, hs->rec.p + RECORD_HEADER, hs->rec.len - RECORD_HEADER);
	gbuf_drop(&hs->rec, hs->rec.len);
	return err;
}

/* ---- writing */

static size_t longest(const struct hs *hs)
{
	return hs->tx.on && hs->result.tx_limit ? hs->result.tx_limit : RECORD_PLAINTEXT;
}

/* Padding behind @len bytes of content; of early data the server counts every byte. */
static size_t zeros_for(const struct hs *hs, uint8_t type, size_t len)
{
	if (!hs->tx.on || hs->version == TLS12 || type == RECORD_DATA)
		return 0;
	return record_zeros(len, hs->params->record_pad, longest(hs));
}

/* @to has room for the header, @len bytes and @zeros, and type and tag when protected. */
static size_t write_record(struct hs *hs, uint8_t type, const uint8_t *p, size_t len, size_t zeros, uint8_t *to)
{
	if (hs->tx.on)
		return record_protect(&hs->tx.t, hs->tx.aead, hs->version, type, p, len, zeros, to);
	to[0] = type;
	to[1] = 3;
	/* The first record may say 3.1 for old servers (RFC 9846 5.1). */
	to[2] = !hs->greeted && hs->role == HS_CLIENT ? 1 : 3;
	to[3] = (uint8_t)(len >> 8);
	to[4] = (uint8_t)len;
	memcpy(to + RECORD_HEADER, p, len);
	return RECORD_HEADER + len;
}

int record_ccs(struct hs *hs)
{
	int err = record_flush(hs);

	if (err || hs->ccs_sent || !hs->session_id_len)
		return err;
	if (!gbuf_room(&hs->out, sizeof(ccs_record) + ALERT_ROOM))
		return hs_no_memory(hs);
	gbuf_add(&hs->out, ccs_record, sizeof(ccs_record));
	hs->ccs_sent = true;
	return 0;
}

static int write_records(struct hs *hs, uint8_t type, const uint8_t *p, size_t len)
{
	size_t one, zeros, max = longest(hs);
	uint8_t *to;

	for (; len; p += one, len -= one) {
		one = len < max ? len : max;
		zeros = zeros_for(hs, type, one);
		to = gbuf_room(&hs->out, RECORD_HEADER + one + zeros + OVERHEAD + ALERT_ROOM);
		if (!to)
			return hs_no_memory(hs);
		hs->out.len += write_record(hs, type, p, one, zeros, to);
		hs->greeted = true;
	}
	return 0;
}

int record_flush(struct hs *hs)
{
	int err;

	if (hs->post)
		err = gbuf_add(&hs->out, hs->flight.p, hs->flight.len) ? 0 : hs_no_memory(hs);
	else
		err = write_records(hs, RECORD_HANDSHAKE, hs->flight.p, hs->flight.len);
	if (!err)
		gbuf_drop(&hs->flight, hs->flight.len);
	return err;
}

int record_data(struct hs *hs, const uint8_t *p, size_t len)
{
	return write_records(hs, RECORD_DATA, p, len);
}

void record_alert(struct hs *hs, int alert)
{
	/* RFC 9846 6: the level says nothing; fatal is what peers expect. */
	const uint8_t msg[2] = { 2, (uint8_t)alert };

	/* Not padded: there is room for this much. */
	hs->out.len += write_record(hs, RECORD_ALERT, msg, sizeof(msg), 0, hs->out.p + hs->out.len);
}

int record_rx_keys(struct hs *hs, const struct hs_traffic *t)
{
	if (hs->in.len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent a handshake message across a change of keys");
	hs->rx = (struct hs_half){ .on = true, .aead = hs->suite->aead, .t = *t };
	return 0;
}

int record_tx_keys(struct hs *hs, const struct hs_traffic *t)
{
	int err = record_flush(hs);

	if (!err)
		hs->tx = (struct hs_half){ .on = true, .aead = hs->suite->aead, .t = *t };
	return err;
}
