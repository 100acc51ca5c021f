// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encrypt_then_mac, RFC 7366: asked for where CBC may be chosen, answered only
 * where it was. There is no CBC without it.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	if (msg == EXT_SH12)
		return hs->suite->aead->mac;
	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->aead->mac)
			return true;
	return false;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	(void)b;
	if (!hs->suite->aead->mac)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server has encrypt_then_mac with a cipher that has no MAC");
	return 0;
}

const struct ext ext_encrypt_then_mac = {
	.name = "encrypt_then_mac", .id = EXT_ID_ENCRYPT_THEN_MAC, .in = EXT_CH | EXT_SH12,
	.only = TLS12, .wanted = wanted, .offer = ext_write_nothing, .accept = ext_read_nothing,
	.answer = ext_write_nothing, .confirm = confirm,
};
