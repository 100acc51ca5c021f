// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * record_size_limit, RFC 8449: the largest record that each side takes, in
 * bytes of plaintext and, in TLS 1.3, its type. We take whole ones.
 */
#include "ext/ext.h"

#define LIMIT_MIN	64
#define LIMIT_MAX	16385

static int write_limit(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	wbuf_u16(b, msg == EXT_SH12 ? LIMIT_MAX - 1 : LIMIT_MAX);
	return 0;
}

/* More than the protocol has is an allowance of something that we don't know. */
static int read_limit(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint16_t limit;

	if (!rbuf_u16(b, &limit))
		return hs_fail(hs, ALERT_DECODE_ERROR, "record_size_limit is malformed");
	if (limit < LIMIT_MIN)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer wants records of less than %d bytes", LIMIT_MIN);
	if (msg == EXT_SH12 && limit >= LIMIT_MAX)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's record_size_limit is too large for TLS 1.2");
	if (limit > LIMIT_MAX)
		limit = LIMIT_MAX;
	/* TLS 1.2 counts no type. */
	hs->result.tx_limit = hs->version == TLS12 && limit < LIMIT_MAX ? limit : limit - 1;
	return 0;
}

const struct ext ext_record_size_limit = {
	.name = "record_size_limit", .id = EXT_ID_RECORD_SIZE_LIMIT, .in = EXT_CH | EXT_EE | EXT_SH12,
	.offer = write_limit, .accept = read_limit, .answer = write_limit, .confirm = read_limit,
};
