// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * post_handshake_auth, RFC 8446 4.2.6: a client says that it would answer a
 * CertificateRequest after the handshake. An empty extension of its hello;
 * what comes of it is in handshake/post.c.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	(void)msg;
	return hs->params->post_auth;
}

const struct ext ext_post_handshake_auth = {
	.name = "post_handshake_auth", .id = EXT_ID_POST_HANDSHAKE_AUTH, .in = EXT_CH,
	.only = TLS13, .wanted = wanted, .offer = ext_write_nothing, .accept = ext_read_nothing,
};
