// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * status_request, RFC 6066 8 and RFC 9846 4.4.2.1: whoever is to verify a
 * certificate asks for an OCSP response, which then comes with the end
 * entity's. What it says is checked along with the path.
 */
#include "ext/ext.h"

#define TYPE_OCSP 1

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	const struct identity *id = hs->result.identity;

	if (msg == EXT_CT)
		return id && id->staple && id->staple->len && id->staple->until > hs->params->now;
	return hs->params->trust && !hs->params->insecure;
}

/* From any responder, without extensions of the request. */
static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
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

	(void)msg;
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
	const struct staple *staple = hs->result.identity->staple;
	size_t mark;

	(void)msg;
	if (!hs->staple_wanted)
		return EXT_NOTHING;
	wbuf_u8(b, TYPE_OCSP);
	mark = wbuf_open(b, 3);
	wbuf_bytes(b, staple->data, staple->len);
	wbuf_close(b, mark, 3);
	return 0;
}

/* The issuers' need none: lists have them (RFC 5280 5). */
static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf response;
	uint8_t type;

	(void)msg;
	if (!rbuf_u8(b, &type) || !rbuf_vec24(b, &response) || !rbuf_len(&response))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the OCSP response of the peer is malformed");
	if (type != TYPE_OCSP)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer sent a certificate status that is not OCSP");
	if (hs->result.peer_num == 1)
		hs->staple = (struct x509_blob){ response.p, rbuf_len(&response) };
	return 0;
}

const struct ext ext_status_request = {
	.name = "status_request", .id = EXT_ID_STATUS_REQUEST, .in = EXT_CH | EXT_CR | EXT_CT,
	.wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
