/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blob: version, role, suite, then both halves (generation, secret), the
 * resumption secret, names, each with its length, and what a ticket is kept
 * with. Only agents read it, but of any version: what is not exactly this
 * form is refused.
 */
#include <errno.h>
#include <string.h>
#include "handshake/buf.h"
#include "handshake/schedule.h"
#include "handshake/suite.h"
#include "state.h"

#define STATE_VERSION	3

static void put_vec(struct wbuf *b, const void *p, size_t len)
{
	wbuf_u16(b, len);
	wbuf_bytes(b, p, len);
}

size_t state_pack(const struct state *s, uint8_t *buf, size_t size)
{
	const struct suite *suite = suite_by_id(s->suite);
	struct wbuf b = { .buf = buf, .cap = size };

	if (!suite)
		return 0;
	wbuf_u8(&b, STATE_VERSION);
	wbuf_u8(&b, s->role);
	wbuf_u16(&b, s->suite);
	wbuf_u32(&b, s->tx.generation);
	put_vec(&b, s->tx.secret, suite->hash->size);
	wbuf_u32(&b, s->rx.generation);
	put_vec(&b, s->rx.secret, suite->hash->size);
	put_vec(&b, s->resumption, suite->hash->size);
	put_vec(&b, s->server_name, strlen(s->server_name));
	put_vec(&b, s->alpn, s->alpn_len);
	put_vec(&b, s->identity, strlen(s->identity));
	wbuf_u8(&b, (uint8_t)(s->keeps_tickets | s->peer.known << 1 | s->peer.verified << 2));
	wbuf_bytes(&b, s->store_key, sizeof(s->store_key));
	wbuf_bytes(&b, s->peer.sha256, sizeof(s->peer.sha256));
	put_vec(&b, s->peer.name, strlen(s->peer.name));
	wbuf_u32(&b, (uint32_t)(s->peer.until >> 32));
	wbuf_u32(&b, (uint32_t)s->peer.until);
	return b.overflow ? 0 : b.len;
}

static bool get_secret(struct rbuf *b, uint8_t *secret, size_t size)
{
	struct rbuf v;

	return rbuf_vec16(b, &v) && rbuf_len(&v) == size && rbuf_copy(&v, secret, size);
}

static bool get_text(struct rbuf *b, char *text, size_t size)
{
	struct rbuf v;
	size_t len;

	if (!rbuf_vec16(b, &v) || rbuf_len(&v) >= size)
		return false;
	len = rbuf_len(&v);
	if (!rbuf_copy(&v, text, len))
		return false;
	text[len] = '\0';
	return strlen(text) == len;
}

static bool get_alpn(struct rbuf *b, struct state *s)
{
	struct rbuf v;

	if (!rbuf_vec16(b, &v) || rbuf_len(&v) > 255)
		return false;
	s->alpn_len = rbuf_len(&v);
	return rbuf_copy(&v, s->alpn, s->alpn_len);
}

static bool get_keeping(struct rbuf *b, struct state *s)
{
	uint32_t high, low;
	uint8_t flags;

	if (!rbuf_u8(b, &flags) || flags > 7)
		return false;
	s->keeps_tickets = flags & 1;
	s->peer.known = flags & 2;
	s->peer.verified = flags & 4;
	if (!rbuf_copy(b, s->store_key, sizeof(s->store_key)) ||
	    !rbuf_copy(b, s->peer.sha256, sizeof(s->peer.sha256)) ||
	    !get_text(b, s->peer.name, sizeof(s->peer.name)) || !rbuf_u32(b, &high) || !rbuf_u32(b, &low))
		return false;
	s->peer.until = (uint64_t)high << 32 | low;
	return true;
}

static bool get_all(struct rbuf *b, struct state *s)
{
	const struct suite *suite;
	uint8_t version;

	if (!rbuf_u8(b, &version) || version != STATE_VERSION || !rbuf_u8(b, &s->role) ||
	    s->role > 1 || !rbuf_u16(b, &s->suite))
		return false;
	suite = suite_by_id(s->suite);
	return suite &&
	       rbuf_u32(b, &s->tx.generation) && get_secret(b, s->tx.secret, suite->hash->size) &&
	       rbuf_u32(b, &s->rx.generation) && get_secret(b, s->rx.secret, suite->hash->size) &&
	       get_secret(b, s->resumption, suite->hash->size) &&
	       get_text(b, s->server_name, sizeof(s->server_name)) &&
	       get_alpn(b, s) &&
	       get_text(b, s->identity, sizeof(s->identity)) &&
	       get_keeping(b, s) &&
	       !rbuf_len(b);
}

int state_unpack(const uint8_t *data, size_t len, struct state *ret)
{
	struct rbuf b = { data, data + len };
	struct state s = { 0 };
	bool ok = len && get_all(&b, &s);

	if (ok)
		*ret = s;
	crypto_wipe(&s, sizeof(s));
	return ok ? 0 : -EBADMSG;
}

int state_keys(const struct state *s, const struct state_half *half, uint32_t generation,
	       struct hs_traffic *ret)
{
	const struct suite *suite = suite_by_id(s->suite);
	uint32_t g = half->generation;

	if (!suite || generation - g > 2)	/* unsigned: lower is far beyond */
		return -ERANGE;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->secret, half->secret, sizeof(ret->secret));
	schedule_traffic(ret, suite->hash, suite->aead);
	for (; g != generation; g++)
		hs_traffic_update(ret, suite->hash, suite->aead);
	return 0;
}
