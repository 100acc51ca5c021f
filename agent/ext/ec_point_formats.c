// SPDX-License-Identifier: GPL-2.0-or-later
/* ec_point_formats, RFC 8422 5.1.2: uncompressed points, which everyone has to know. */
#include "ext/ext.h"

#define UNCOMPRESSED 0

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH || hs->suite->kx->share == KX_ECDHE;
}

static int write_list(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	wbuf_u8(b, 1);
	wbuf_u8(b, UNCOMPRESSED);
	return 0;
}

static int read_list(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	uint8_t format;

	(void)msg;
	if (!rbuf_vec8(b, &list) || !rbuf_len(&list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "ec_point_formats is malformed");
	while (rbuf_u8(&list, &format))
		if (format == UNCOMPRESSED)
			return 0;
	return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer takes no uncompressed points");
}

const struct ext ext_ec_point_formats = {
	.name = "ec_point_formats", .id = EXT_ID_EC_POINT_FORMATS, .in = EXT_CH | EXT_SH12,
	.only = TLS12, .wanted = wanted, .offer = write_list, .accept = read_list, .answer = write_list, .confirm = read_list,
};
