// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of TLS 1.2 during the handshake: change_cipher_spec switches the keys.
 */
#include "handshake/engine.h"
#include "handshake/record.h"

int record12_check(struct hs *hs, uint8_t type, size_t len)
{
	size_t max = RECORD_PLAINTEXT + (hs->rx.on ? RECORD_OVERHEAD : 0);

	if (type < RECORD_CCS || type > RECORD_HANDSHAKE)
		return record_refuse(hs, type);
	if (len > max)
		return hs_fail(hs, ALERT_RECORD_OVERFLOW, "the peer sent a record of %zu bytes", len);
	if (!len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent an empty record");
	return 0;
}

static int read_ccs(struct hs *hs, const uint8_t *p, size_t len)
{
	if (len != 1 || p[0] != 1)
		return hs_fail(hs, ALERT_DECODE_ERROR, "the peer's change_cipher_spec is malformed");
	if (hs->in.len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE,
			       "the peer sent a handshake message across a change of keys");
	hs->tls12.changing = true;
	return 0;
}

static int read_content(struct hs *hs, uint8_t type, const uint8_t *p, size_t len)
{
	return type == RECORD_CCS && !hs->rx.on ? read_ccs(hs, p, len) : record_content(hs, type, p, len);
}

/* To the end of hs->in, as record.c does. */
static int read_protected(struct hs *hs, const uint8_t *header, size_t len)
{
	uint8_t type, *plain = gbuf_room(&hs->in, len);
	int err;

	if (!plain)
		return hs_no_memory(hs);
	err = record_unprotect(&hs->rx.t, hs->suite->aead, TLS12, header, len, plain, &type, &len);
	if (err == ALERT_BAD_RECORD_MAC)
		return hs_fail(hs, err, "a record of the peer does not decrypt");
	if (err || (hs->rx_limit && len > hs->rx_limit))
		return hs_fail(hs, ALERT_RECORD_OVERFLOW, "the peer sent %zu bytes in one record", len);
	err = read_content(hs, type, plain, len);
	if (!err && type == RECORD_HANDSHAKE)
		hs->in.len += len;
	return err;
}

int record12_read(struct hs *hs, const uint8_t *header, const uint8_t *p, size_t len)
{
	int err;

	if (hs->rx.on)
		return read_protected(hs, header, len);
	err = read_content(hs, header[0], p, len);
	if (!err && header[0] == RECORD_HANDSHAKE && !gbuf_add(&hs->in, p, len))
		return hs_no_memory(hs);
	return err;
}

int record12_ccs(struct hs *hs)
{
	int err = record_flush(hs);

	if (err)
		return err;
	if (!gbuf_room(&hs->out, sizeof(ccs_record) + ALERT_ROOM))
		return hs_no_memory(hs);
	gbuf_add(&hs->out, ccs_record, sizeof(ccs_record));
	return 0;
}
