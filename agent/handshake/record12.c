// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of TLS 1.2, RFC 5246 6.2.3.3: the type stays in front, the additional
 * data has the sequence number, and what the key block doesn't give of the
 * nonce stands in the record. Ours is the sequence number.
 */
#include "handshake/engine.h"
#include "handshake/record.h"
#include <errno.h>
#include <string.h>

static size_t carried(const struct crypto_aead *aead)
{
	return aead->nonce - aead->fixed;
}

static void put_seq(uint8_t *to, uint64_t seq)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(seq >> (56 - 8 * i));
}

static void make_aad(uint64_t seq, const uint8_t *header, size_t plain, uint8_t aad[13])
{
	put_seq(aad, seq);
	memcpy(aad + 8, header, 3);
	aad[11] = (uint8_t)(plain >> 8);
	aad[12] = (uint8_t)plain;
}

int record12_check(struct hs *hs, uint8_t type, size_t len)
{
	const struct crypto_aead *aead = hs->suite->aead;
	size_t max = PLAINTEXT + (hs->rx.on ? carried(aead) + aead->tag : 0);

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
static int read_protected(struct hs *hs, const uint8_t *header, const uint8_t *p, size_t len)
{
	const struct crypto_aead *aead = hs->suite->aead;
	uint8_t nonce[12], aad[13], *plain = gbuf_room(&hs->in, len);
	size_t front = carried(aead);
	int err = -EBADMSG;

	if (!plain)
		return hs_no_memory(hs);
	record_nonce(&hs->rx.t, nonce);
	if (front)
		memcpy(nonce + aead->fixed, p, len < front ? len : front);
	if (len >= front + aead->tag) {
		make_aad(hs->rx.t.seq, header, len - front - aead->tag, aad);
		err = aead->open(hs->rx.t.key, nonce, aad, sizeof(aad), p + front, len - front, plain);
	}
	if (err)
		return hs_fail(hs, ALERT_BAD_RECORD_MAC, "a record of the peer does not decrypt");
	hs->rx.t.seq++;
	len -= front + aead->tag;
	if (hs->rx_limit && len > hs->rx_limit)
		return hs_fail(hs, ALERT_RECORD_OVERFLOW, "the peer sent %zu bytes in one record", len);
	err = read_content(hs, header[0], plain, len);
	if (!err && header[0] == RECORD_HANDSHAKE)
		hs->in.len += len;
	return err;
}

int record12_read(struct hs *hs, const uint8_t *header, const uint8_t *p, size_t len)
{
	int err;

	if (hs->rx.on)
		return read_protected(hs, header, p, len);
	err = read_content(hs, header[0], p, len);
	if (!err && header[0] == RECORD_HANDSHAKE && !gbuf_add(&hs->in, p, len))
		return hs_no_memory(hs);
	return err;
}

size_t record12_seal(struct hs *hs, uint8_t type, const uint8_t *p, size_t len, uint8_t *to)
{
	const struct crypto_aead *aead = hs->suite->aead;
	size_t front = carried(aead), body = front + len + aead->tag;
	uint8_t nonce[12], aad[13];

	to[0] = type;
	to[1] = to[2] = 3;
	to[3] = (uint8_t)(body >> 8);
	to[4] = (uint8_t)body;
	make_aad(hs->tx.t.seq, to, len, aad);
	record_nonce(&hs->tx.t, nonce);
	if (front) {
		put_seq(to + HEADER, hs->tx.t.seq);
		memcpy(nonce + aead->fixed, to + HEADER, front);
	}
	aead->seal(hs->tx.t.key, nonce, aad, sizeof(aad), p, len, to + HEADER + front);
	hs->tx.t.seq++;
	return HEADER + body;
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
