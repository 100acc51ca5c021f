// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * status_request, RFC 6066 8 and RFC 9846 4.4.2.1: whoever is to verify a
 * certificate asks for an OCSP response, which then comes with the end
 * entity's; in TLS 1.2 in a message of its own, of which the answer tells.
 * What it says is checked along with the path.
 */
#include "ext/ext.h"

#define TYPE_OCSP CERTIFICATE_STATUS_OCSP

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	const struct identity *id = hs->result.identity;

	if (msg == EXT_SH12 && hs->result.resumed)
		return false;
	if (msg == EXT_CT || msg == EXT_SH12)
		return id && id->staple && id->staple->len && id->staple->until > hs->params->now;
	return hs->params->trust && !hs->params->insecure;
}

/* From any responder, without extensions of the request; a server's is empty. */
static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	if (msg == EXT_CR)
		return 0;
	wbuf_u8(b, TYPE_OCSP);
	wbuf_u16(b, 0);
	wbuf_u16(b, 0);
	return 0;
}

/* Ours is one of a file: which responders the peer would like best makes no difference. */
static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf responders, extensions;
	uint8_t type;

	if (msg == EXT_CR) {
		hs->staple_wanted = true;
		return 0;
	}
	if (!rbuf_u8(b, &type))
		return hs_fail(hs, ALERT_DECODE_ERROR, "status_request is malformed");
	if (type != TYPE_OCSP) {
		b->p = b->end;		/* of a kind to come */
		return 0;
	}
	if (!rbuf_vec16(b, &responders) || !rbuf_vec16(b, &extensions))
		return hs_fail(hs, ALERT_DECODE_ERROR, "status_request is malformed");
	hs->staple_wanted = true;
	return 0;
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	if (!hs->staple_wanted)
		return EXT_NOTHING;
	hs->tls12.status_due = msg == EXT_SH12;
	return msg == EXT_SH12 ? 0 : certificate_status_send(hs, b);
}

/* The issuers' need none: lists have them (RFC 5280 5). */
static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct x509_blob response = { NULL, 0 };
	int err;

	if (msg == EXT_SH12) {
		hs->tls12.status_due = true;
		return 0;
	}
	err = status_read(hs, b, &response);
	if (!err && hs->result.peer_num == 1)
		hs->staple = response;
	return err;
}

const struct ext ext_status_request = {
	.name = "status_request", .id = EXT_ID_STATUS_REQUEST, .in = EXT_CH | EXT_CR | EXT_CT | EXT_SH12,
	.wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
