// SPDX-License-Identifier: GPL-2.0-or-later
/* supported_versions, RFC 9846 4.2.1: a client that has no TLS 1.3 does not send it. */
#include "ext/ext.h"

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t list = wbuf_open(b, 1);

	(void)msg;
	if (hs->params->grease)
		wbuf_u16(b, grease16(hs, GREASE_VERSION));
	wbuf_u16(b, TLS13);
	if (hs_allows(hs, TLS12))
		wbuf_u16(b, TLS12);
	wbuf_close(b, list, 1);
	return 0;
}

/* Its value was looked at before everything else, by client_hello_recv(). */
static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;

	(void)msg;
	if (!rbuf_vec8(b, &list) || !rbuf_len(&list) || rbuf_len(&list) % 2)
		return hs_fail(hs, ALERT_DECODE_ERROR, "supported_versions is malformed");
	return 0;
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	wbuf_u16(b, TLS13);
	return 0;
}

/* Its value was looked at before everything else, by server_hello_read(). */
static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint16_t version;

	(void)msg;
	if (!rbuf_u16(b, &version))
		return hs_fail(hs, ALERT_DECODE_ERROR, "supported_versions is malformed");
	return 0;
}

const struct ext ext_supported_versions = {
	.name = "supported_versions", .id = EXT_ID_SUPPORTED_VERSIONS, .in = EXT_CH | EXT_SH | EXT_HRR,
	.only = TLS13, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
