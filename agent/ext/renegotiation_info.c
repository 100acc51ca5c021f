// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * renegotiation_info, RFC 5746. As nobody renegotiates here it is always that
 * of a first handshake: a vector of no bytes. A server answers it also where
 * the client said it by TLS_EMPTY_RENEGOTIATION_INFO_SCSV.
 */
#include "ext/ext.h"

static int write_empty(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	wbuf_u8(b, 0);
	return 0;
}

static int read_empty(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf data;

	(void)msg;
	if (!rbuf_vec8(b, &data))
		return hs_fail(hs, ALERT_DECODE_ERROR, "renegotiation_info is malformed");
	if (rbuf_len(&data))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the peer speaks of a handshake before this one");
	return 0;
}

const struct ext ext_renegotiation_info = {
	.name = "renegotiation_info", .id = EXT_ID_RENEGOTIATION_INFO, .in = EXT_CH | EXT_SH12,
	.only = TLS12, .offer = write_empty, .accept = read_empty, .answer = write_empty, .confirm = read_empty,
};
