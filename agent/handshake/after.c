// SPDX-License-Identifier: GPL-2.0-or-later
/* See after.h. */
#include "handshake/after.h"
#include <errno.h>
#include <string.h>
#include "handshake/alert.h"
#include "handshake/version.h"

#define MESSAGE_HEADER	4
#define MESSAGE_MAX	65536
#define UPDATES_FREE	16	/* key updates of the peer beside one per UPDATE_RECORDS, as in the kernel */
#define UPDATE_RECORDS	1024

void after_init(struct after *a, const struct hs_result *r)
{
	*a = (struct after){
		.version = r->version, .aead = r->aead, .hash = r->hash, .tx = r->tx, .rx = r->rx,
		.tx_limit = r->tx_limit, .rx_limit = r->rx_limit,
	};
}

void after_free(struct after *a)
{
	gbuf_free(&a->part);
	crypto_wipe(a, sizeof(*a));
}

size_t after_max(const struct after *a)
{
	return a->tx_limit ? a->tx_limit : RECORD_PLAINTEXT;
}

size_t after_seal(struct after *a, uint8_t type, const void *p, size_t len, uint8_t *to)
{
	size_t zeros = a->version == TLS12 ? 0 : record_zeros(len, a->pad, after_max(a));

	return record_protect(&a->tx, a->aead, a->version, type, p, len, zeros, to);
}

int after_header(const struct after *a, const uint8_t header[RECORD_HEADER], size_t *ret_len)
{
	size_t len = (size_t)(header[3] << 8 | header[4]);

	if (a->version == TLS12 ? header[0] < RECORD_ALERT || header[0] > RECORD_DATA : header[0] != RECORD_DATA)
		return ALERT_UNEXPECTED_MESSAGE;
	if (len > RECORD_PLAINTEXT + RECORD_OVERHEAD)
		return ALERT_RECORD_OVERFLOW;
	*ret_len = len;
	return 0;
}

/* RFC 9846 5.1: no empty records of messages and alerts, and nothing between the parts of a message. */
static int check_content(const struct after *a, uint8_t type, size_t len)
{
	if (type < RECORD_ALERT || type > RECORD_DATA)
		return ALERT_UNEXPECTED_MESSAGE;
	if (!len && type != RECORD_DATA)
		return ALERT_UNEXPECTED_MESSAGE;
	return type != RECORD_HANDSHAKE && a->part.len ? ALERT_UNEXPECTED_MESSAGE : 0;
}

int after_open(struct after *a, const uint8_t *record, uint8_t *plain, uint8_t *ret_type, size_t *ret_len)
{
	size_t len = (size_t)(record[3] << 8 | record[4]);
	int err;

	gbuf_drop(&a->part, a->taken);
	a->taken = 0;
	err = record_unprotect(&a->rx, a->aead, a->version, record, len, plain, ret_type, ret_len);
	if (!err && a->rx_limit && *ret_len > a->rx_limit)
		err = ALERT_RECORD_OVERFLOW;
	if (!err)
		err = check_content(a, *ret_type, *ret_len);
	if (err)
		return err;
	a->records++;
	if (*ret_type != RECORD_HANDSHAKE)
		return 0;
	if (!gbuf_add(&a->part, plain, *ret_len))
		return -ENOMEM;
	*ret_len = 0;
	return a->part.len > MESSAGE_MAX + RECORD_PLAINTEXT ? ALERT_ILLEGAL_PARAMETER : 0;
}

const uint8_t *after_message(struct after *a, size_t *ret_len)
{
	const uint8_t *m;
	size_t n;

	gbuf_drop(&a->part, a->taken);
	a->taken = 0;
	m = a->part.p;
	if (a->part.len < MESSAGE_HEADER)
		return NULL;
	n = MESSAGE_HEADER + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
	if (a->part.len < n)
		return NULL;
	a->taken = n;
	*ret_len = n;
	return m;
}

/* RFC 9846 4.7.3; nothing may follow it in its record, which would be under the old key. */
int after_updated(struct after *a, const uint8_t *message, size_t len, bool *ret_asked)
{
	if (a->version == TLS12 || a->part.len != len)
		return ALERT_UNEXPECTED_MESSAGE;
	if (len != MESSAGE_HEADER + 1)
		return ALERT_DECODE_ERROR;
	if (message[MESSAGE_HEADER] > 1)
		return ALERT_ILLEGAL_PARAMETER;
	if (a->updates++ >= UPDATES_FREE + a->records / UPDATE_RECORDS)
		return ALERT_UNEXPECTED_MESSAGE;
	*ret_asked = message[MESSAGE_HEADER];
	hs_traffic_update(&a->rx, a->hash, a->aead);
	return 0;
}
