// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * padding, RFC 7685: there are boxes that drop a ClientHello of 256 to 511
 * bytes. It stands before pre_shared_key only, whose length it therefore has
 * to know.
 */
#include "ext/ext.h"

#define HEAD 4	/* of an extension */

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH && hs->params->pad;
}

static size_t psk_len(const struct hs *hs)
{
	size_t len = HEAD + 2 + 2;

	for (size_t i = 0; i < hs->psks_num; i++)
		len += 2 + hs->psks[i].identity.len + 4 + 1 + hs->psks[i].hash->size;
	return hs->psks_num ? len : 0;
}

/* @b begins with the header of the message. */
static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t len = b->len + psk_len(hs);

	(void)msg;
	if (len - HEAD >= hs->params->pad)
		return EXT_NOTHING;
	for (; len < hs->params->pad; len++)
		wbuf_u8(b, 0);
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint8_t byte;

	(void)msg;
	while (rbuf_u8(b, &byte))
		if (byte)
			return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the padding of the ClientHello is not zero");
	return 0;
}

const struct ext ext_padding = {
	.name = "padding", .id = EXT_ID_PADDING, .in = EXT_CH, .wanted = wanted, .offer = offer, .accept = accept,
};
