// SPDX-License-Identifier: GPL-2.0-or-later
/* compress_certificate, RFC 8879: who may be sent a CompressedCertificate, and how; we have zlib. */
#include "ext/ext.h"

#define ZLIB 1

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	(void)msg;
	return hs->params->compress;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	wbuf_u8(b, 2);
	wbuf_u16(b, ZLIB);
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	uint16_t id;

	(void)msg;
	if (!rbuf_vec8(b, &list) || !rbuf_len(&list) || rbuf_len(&list) % 2)
		return hs_fail(hs, ALERT_DECODE_ERROR, "compress_certificate is malformed");
	hs->peer_inflates = false;
	while (rbuf_u16(&list, &id))
		hs->peer_inflates |= id == ZLIB;
	return 0;
}

const struct ext ext_compress_certificate = {
	.name = "compress_certificate", .id = EXT_ID_COMPRESS_CERTIFICATE, .in = EXT_CH | EXT_CR, .only = TLS13,
	.wanted = wanted, .offer = offer, .accept = accept,
};
