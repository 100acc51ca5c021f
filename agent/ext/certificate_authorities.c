// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * certificate_authorities, RFC 9846 4.2.4. A server that asks for certificates
 * names the anchors that it would take, unless they are too many to name; a
 * client's list helps to choose between identities.
 */
#include "ext/ext.h"

#define NAMES_ROOM 2048

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CR && hs->params->trust;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	uint8_t names[NAMES_ROOM];
	size_t len = x509_store_names(hs->params->trust, names, sizeof(names));

	(void)msg;
	wbuf_u16(b, (uint16_t)len);
	wbuf_bytes(b, names, len);
	return len ? 0 : EXT_NOTHING;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list, name;

	if (!rbuf_vec16(b, &list) || !rbuf_len(&list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "certificate_authorities is malformed");
	if (msg == EXT_CH)
		hs->peer_authorities = list;
	while (rbuf_len(&list))
		if (!rbuf_vec16(&list, &name) || !rbuf_len(&name))
			return hs_fail(hs, ALERT_DECODE_ERROR, "certificate_authorities is malformed");
	return 0;
}

const struct ext ext_certificate_authorities = {
	.name = "certificate_authorities", .id = EXT_ID_CERTIFICATE_AUTHORITIES, .in = EXT_CH | EXT_CR,
	.wanted = wanted, .offer = offer, .accept = accept,
};
