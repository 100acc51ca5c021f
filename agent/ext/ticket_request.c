// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ticket_request, RFC 9149: how many tickets the client would like after a
 * full handshake, and after a resumed one; the server says how many come.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH ? hs->params->tickets && !hs->params->psk : tickets_to_give(hs);
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t num = hs->params->tickets;

	(void)msg;
	wbuf_u8(b, (uint8_t)(num < HS_TICKETS_MAX ? num : HS_TICKETS_MAX));
	wbuf_u8(b, 1);		/* in place of the one that was used */
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	if (!rbuf_u8(b, &hs->tickets_asked[0]) || !rbuf_u8(b, &hs->tickets_asked[1]))
		return hs_fail(hs, ALERT_DECODE_ERROR, "ticket_request is malformed");
	return 0;
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u8(b, (uint8_t)tickets_to_give(hs));
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint8_t expected;

	(void)msg;
	if (!rbuf_u8(b, &expected))
		return hs_fail(hs, ALERT_DECODE_ERROR, "ticket_request is malformed");
	return 0;
}

const struct ext ext_ticket_request = {
	.name = "ticket_request", .id = EXT_ID_TICKET_REQUEST, .in = EXT_CH | EXT_EE,
	.only = TLS13, .wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
