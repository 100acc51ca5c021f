// SPDX-License-Identifier: GPL-2.0-or-later
/* extended_master_secret, RFC 7627, always empty. What follows from its absence is the hellos' business. */
#include "ext/ext.h"

const struct ext ext_extended_master_secret = {
	.name = "extended_master_secret", .id = EXT_ID_EXTENDED_MASTER_SECRET, .in = EXT_CH | EXT_SH12,
	.only = TLS12, .offer = ext_write_nothing, .accept = ext_read_nothing,
	.answer = ext_write_nothing, .confirm = ext_read_nothing,
};
