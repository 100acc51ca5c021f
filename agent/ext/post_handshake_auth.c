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

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	(void)b;
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)hs;
	(void)msg;
	(void)b;
	return 0;
}

const struct ext ext_post_handshake_auth = {
	.name = "post_handshake_auth", .id = EXT_ID_POST_HANDSHAKE_AUTH, .in = EXT_CH,
	.only = TLS13, .wanted = wanted, .offer = offer, .accept = accept,
};
