// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * application_layer_protocol_negotiation, RFC 7301: the server takes the first
 * of its own list that the client offers. Both lists have the wire's form.
 */
#include "ext/ext.h"
#include <string.h>

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH ? hs->params->alpn_len : hs->result.alpn_len;
}

static bool list_has(struct rbuf list, const struct rbuf *name)
{
	struct rbuf one;

	while (rbuf_vec8(&list, &one))
		if (rbuf_len(&one) == rbuf_len(name) && !memcmp(one.p, name->p, rbuf_len(name)))
			return true;
	return false;
}

static struct rbuf our_list(const struct hs *hs)
{
	const uint8_t *p = hs->params->alpn;

	return (struct rbuf){ p, p ? p + hs->params->alpn_len : NULL };
}

static void take(struct hs *hs, const struct rbuf *name)
{
	memcpy(hs->result.alpn, name->p, rbuf_len(name));
	hs->result.alpn_len = rbuf_len(name);
}

static int read_list(struct hs *hs, struct rbuf *b, struct rbuf *list)
{
	struct rbuf names, one;

	if (!rbuf_vec16(b, list) || !rbuf_len(list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the list of application protocols is malformed");
	for (names = *list; rbuf_len(&names); )
		if (!rbuf_vec8(&names, &one) || !rbuf_len(&one))
			return hs_fail(hs, ALERT_DECODE_ERROR,
				       "the list of application protocols is malformed");
	return 0;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t list = wbuf_open(b, 2);

	(void)msg;
	if (hs->params->grease) {
		wbuf_u8(b, 2);
		wbuf_u16(b, grease16(hs, GREASE_ALPN));
	}
	wbuf_bytes(b, hs->params->alpn, hs->params->alpn_len);
	wbuf_close(b, list, 2);
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf theirs, ours = our_list(hs), one;
	int err = read_list(hs, b, &theirs);

	(void)msg;
	if (err || !hs->params->alpn_len)
		return err;
	while (rbuf_vec8(&ours, &one)) {
		if (!list_has(theirs, &one))
			continue;
		take(hs, &one);
		return 0;
	}
	return hs_fail(hs, ALERT_NO_APPLICATION_PROTOCOL, "the client offers none of our application protocols");
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t list = wbuf_open(b, 2), one = wbuf_open(b, 1);

	(void)msg;
	wbuf_bytes(b, hs->result.alpn, hs->result.alpn_len);
	wbuf_close(b, one, 1);
	wbuf_close(b, list, 2);
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list, one;
	int err = read_list(hs, b, &list);

	(void)msg;
	if (err)
		return err;
	if (!rbuf_vec8(&list, &one) || rbuf_len(&list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the server chose more than one application protocol");
	if (!list_has(our_list(hs), &one))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER,
			       "the server chose an application protocol that was not offered");
	take(hs, &one);
	return 0;
}

const struct ext ext_alpn = {
	.name = "application_layer_protocol_negotiation", .id = EXT_ID_ALPN, .in = EXT_CH | EXT_EE | EXT_SH12,
	.wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
