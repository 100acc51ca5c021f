// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * supported_groups, RFC 9846 4.2.7. A server's list is for later connections and changes nothing now.
 * In TLS 1.2 a server that sends one has misread RFC 8422 5.2, and some do: it changes nothing either.
 */
#include "ext/ext.h"

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t list = wbuf_open(b, 2);

	(void)msg;
	if (hs->params->grease)
		wbuf_u16(b, grease16(hs, GREASE_GROUP));
	for (size_t i = 0; i < hs->groups_num; i++)
		wbuf_u16(b, hs->groups[i]->id);
	wbuf_close(b, list, 2);
	return 0;
}

static int read_list(struct hs *hs, struct rbuf *b, struct rbuf *list)
{
	if (!rbuf_vec16(b, list) || !rbuf_len(list) || rbuf_len(list) % 2)
		return hs_fail(hs, ALERT_DECODE_ERROR, "supported_groups is malformed");
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	return read_list(hs, b, &hs->peer_groups);
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;

	(void)msg;
	return read_list(hs, b, &list);
}

const struct ext ext_supported_groups = {
	.name = "supported_groups", .id = EXT_ID_SUPPORTED_GROUPS, .in = EXT_CH | EXT_EE | EXT_SH12,
	.offer = offer, .accept = accept, .confirm = confirm,
};
