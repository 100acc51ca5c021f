// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cookie, RFC 9846 4.2.2: a client gives a HelloRetryRequest's cookie back. A
 * server that has keys for it sends one (handshake/retry_cookie.c), and wants
 * it back as it was; to any other, whoever brings one made it up.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg & (EXT_CH | EXT_HRR) && hs->cookie.len;
}

static int write_cookie(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u16(b, (uint16_t)hs->cookie.len);
	wbuf_bytes(b, hs->cookie.p, hs->cookie.len);
	return 0;
}

static int read_cookie(struct hs *hs, struct rbuf *b, struct rbuf *cookie)
{
	if (!rbuf_vec16(b, cookie) || !rbuf_len(cookie))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the cookie is malformed");
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf cookie;
	int err = read_cookie(hs, b, &cookie);

	(void)msg;
	if (err)
		return err;
	if (!hs->retry && hs->params->cookie_keys)
		return retry_cookie_take(hs, &cookie);
	if (rbuf_len(&cookie) != hs->cookie.len || !crypto_equal(cookie.p, hs->cookie.p, hs->cookie.len))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client brings a cookie that we did not give");
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf cookie;
	int err = read_cookie(hs, b, &cookie);

	(void)msg;
	if (err)
		return err;
	return gbuf_add(&hs->cookie, cookie.p, rbuf_len(&cookie)) ? 0 : hs_no_memory(hs);
}

const struct ext ext_cookie = {
	.name = "cookie", .id = EXT_ID_COOKIE, .in = EXT_CH | EXT_HRR, .unasked = true,
	.only = TLS13, .wanted = wanted, .offer = write_cookie, .accept = accept, .answer = write_cookie, .confirm = confirm,
};
