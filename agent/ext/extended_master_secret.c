// SPDX-License-Identifier: GPL-2.0-or-later
/* extended_master_secret, RFC 7627, always empty. What follows from its absence is the hellos' business. */
#include "ext/ext.h"

static int write_nothing(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	(void)b;
	return 0;
}

/* Bytes that are left over are refused by who calls this. */
static int read_nothing(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)hs;
	(void)msg;
	(void)b;
	return 0;
}

const struct ext ext_extended_master_secret = {
	.name = "extended_master_secret", .id = EXT_ID_EXTENDED_MASTER_SECRET, .in = EXT_CH | EXT_SH12,
	.only = TLS12, .offer = write_nothing, .accept = read_nothing,
	.answer = write_nothing, .confirm = read_nothing,
};
