// SPDX-License-Identifier: GPL-2.0-or-later
/* certificate_authorities, RFC 9846 4.2.4: read for form; there is one chain to choose from. */
#include "ext/ext.h"

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list, name;

	(void)msg;
	if (!rbuf_vec16(b, &list) || !rbuf_len(&list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "certificate_authorities is malformed");
	while (rbuf_len(&list))
		if (!rbuf_vec16(&list, &name) || !rbuf_len(&name))
			return hs_fail(hs, ALERT_DECODE_ERROR, "certificate_authorities is malformed");
	return 0;
}

const struct ext ext_certificate_authorities = {
	.name = "certificate_authorities", .id = EXT_ID_CERTIFICATE_AUTHORITIES, .in = EXT_CH | EXT_CR,
	.accept = accept,
};
