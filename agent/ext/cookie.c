// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cookie, RFC 9846 4.2.2: a client gives a HelloRetryRequest's cookie back. Our
 * server remembers by itself and sends none, so whoever brings one made it up.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH && hs->cookie.len;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u16(b, (uint16_t)hs->cookie.len);
	wbuf_bytes(b, hs->cookie.p, hs->cookie.len);
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf cookie;

	(void)msg;
	if (!rbuf_vec16(b, &cookie) || !rbuf_len(&cookie))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the cookie is malformed");
	return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client brings a cookie that we did not give");
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf cookie;

	(void)msg;
	if (!rbuf_vec16(b, &cookie) || !rbuf_len(&cookie))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the cookie is malformed");
	return gbuf_add(&hs->cookie, cookie.p, rbuf_len(&cookie)) ? 0 : hs_no_memory(hs);
}

const struct ext ext_cookie = {
	.name = "cookie", .id = EXT_ID_COOKIE, .in = EXT_CH | EXT_HRR, .unasked = true,
	.wanted = wanted, .offer = offer, .accept = accept, .confirm = confirm,
};
