// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * session_ticket, RFC 5077 3.2: empty for who would like one, or with the one
 * to go on by. The server's answer says that a NewSessionTicket comes.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH ? hs->params->tickets : hs->tls12.ticket_due;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	if (session_offered(hs))
		wbuf_bytes(b, hs->params->ticket->data, hs->params->ticket->len);
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	hs->tls12.peer_ticket = *b;
	b->p = b->end;
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	(void)b;
	hs->tls12.ticket_due = true;
	return 0;
}

const struct ext ext_session_ticket = {
	.name = "session_ticket", .id = EXT_ID_SESSION_TICKET, .in = EXT_CH | EXT_SH12,
	.only = TLS12, .wanted = wanted, .offer = offer, .accept = accept, .answer = ext_write_nothing, .confirm = confirm,
};
