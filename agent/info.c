/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the application may learn of a finished handshake, as KTLS_I_* attributes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>
#include "conn.h"

struct out { uint8_t *buf; size_t len, size; };

static void put(struct out *o, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(o->buf + o->len);
	size_t total = nla_total_size(len);

	if (len > UINT16_MAX - NLA_HDRLEN || total > o->size - o->len)
		return;
	memset(a, 0, total);
	a->nla_type = type;
	a->nla_len = nla_attr_size(len);
	if (len)
		memcpy(nla_data(a), data, len);
	o->len += total;
}

static void put_text(struct out *o, int type, const char *text)
{
	if (*text)
		put(o, type, text, strlen(text) + 1);
}

static void put_number(struct out *o, int type, uint16_t n)
{
	if (n)
		put(o, type, &n, sizeof(n));
}

static void put_chain(struct out *o, const struct hs_result *r)
{
	uint8_t chain[KTLS_MAX_INFO];
	size_t i, len = 0;

	for (i = 0; i < r->peer_num; i++) {
		const struct x509_blob *der = x509_cert_der(r->peer[i]);

		if (der->len + 3 > sizeof(chain) - len)
			break;
		chain[len++] = der->len >> 16;
		chain[len++] = der->len >> 8;
		chain[len++] = der->len;
		memcpy(chain + len, der->data, der->len);
		len += der->len;
	}
	put(o, KTLS_I_PEER_CHAIN, chain, len);
}

/* RFC 9266: equal at both ends, so that a login inside can be bound to this session. */
static void put_binding(struct out *o, const struct hs_result *r)
{
	uint8_t binding[32];

	hs_export(r, "EXPORTER-Channel-Binding", (const uint8_t *)"", 0, binding, sizeof(binding));
	put(o, KTLS_I_CHANNEL_BINDING, binding, sizeof(binding));
}

/* What others may have sent as well is apart from what read() gives. */
static void put_early(struct out *o, const struct conn *c, const struct hs_result *r)
{
	const uint8_t *data;
	size_t len;

	if (r->early == HS_EARLY_NONE)
		return;
	put_number(o, KTLS_I_EARLY, r->early == HS_EARLY_ACCEPTED ? 1 : 2);
	data = hs_early_data(c->hs, &len);
	if (len)
		put(o, KTLS_I_EARLY_DATA, data, len);
}

static void put_peer(struct out *o, const struct hs_result *r, bool chain)
{
	put_text(o, KTLS_I_PEER_NAME, r->who.name);
	if (r->who.known)
		put(o, KTLS_I_PEER_SHA256, r->who.sha256, sizeof(r->who.sha256));
	if (r->peer_num && chain)
		put_chain(o, r);
}

size_t info_post_auth(enum info_post_auth what, const struct hs_result *r, bool chain, uint8_t *buf, size_t size)
{
	struct out o = { .buf = buf, .size = size };

	put_number(&o, KTLS_I_POST_AUTH, (uint16_t)what);
	if (r && r->identity)
		put_text(&o, KTLS_I_IDENTITY, r->identity->name);
	if (r)
		put_peer(&o, r, chain);
	return o.len;
}

size_t info_write(const struct conn *c, const struct hs_result *r, uint8_t *buf, size_t size)
{
	struct out o = { .buf = buf, .size = size };

	put_number(&o, KTLS_I_SUITE, r->suite);
	put_number(&o, KTLS_I_GROUP, r->group);
	put_number(&o, KTLS_I_SCHEME, r->scheme);
	if (r->alpn_len)
		put(&o, KTLS_I_ALPN, r->alpn, r->alpn_len);
	put_text(&o, KTLS_I_SERVER_NAME, r->server_name);
	if (r->identity)
		put_text(&o, KTLS_I_IDENTITY, r->identity->name);
	if (r->resumed)
		put(&o, KTLS_I_RESUMED, NULL, 0);
	if (r->psk)
		put_text(&o, KTLS_I_PSK, r->psk->name);
	put_binding(&o, r);
	put_early(&o, c, r);
	if (post_able(c, r))
		put_number(&o, KTLS_I_POST_AUTH, INFO_POST_ABLE);
	put_peer(&o, r, c->wish.peer_chain);
	return o.len;
}

void peer_name(const struct sockaddr_storage *peer, char buf[MSG_PEER])
{
	const struct sockaddr_in6 *v6 = (const void *)peer;
	const struct sockaddr_in *v4 = (const void *)peer;
	char text[INET6_ADDRSTRLEN] = "?";

	snprintf(buf, MSG_PEER, "?");
	if (peer->ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)))
		snprintf(buf, MSG_PEER, "%s:%u", text, ntohs(v4->sin_port));
	if (peer->ss_family == AF_INET6 && inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)))
		snprintf(buf, MSG_PEER, "[%s]:%u", text, ntohs(v6->sin6_port));
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(err < 0 ? -err : err);

	return name ? name : "unknown";
}
