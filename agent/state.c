/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blob: version, role, suite, then both halves (generation, secret), the
 * resumption secret, names, each with its length, what a ticket is kept
 * with, and what authentication after the handshake goes on from: digests in
 * nettle's form, which stays the same as long as its soname does. Only agents read it, but of any version: what is not exactly this
 * form is refused.
 */
#include <errno.h>
#include <linux/ktls.h>
#include <string.h>
#include "handshake/buf.h"
#include "handshake/schedule.h"
#include "handshake/suite.h"
#include "state.h"

#define STATE_VERSION	4
#define GENERATIONS_MAX	(2 * KTLS_MAX_SPARES)	/* more the kernel cannot be ahead of us */

enum { AUTH_ON = 1, AUTH_KEEP_CHAIN = 2, AUTH_ASKED = 4 };

static void put_vec(struct wbuf *b, const void *p, size_t len)
{
	wbuf_u16(b, len);
	wbuf_bytes(b, p, len);
}

static void put_auth(struct wbuf *b, const struct state *s, const struct crypto_hash *hash)
{
	const struct state_auth *a = &s->auth;

	wbuf_u8(b, (uint8_t)(a->on | a->keep_chain << 1 | a->post.asked << 2));
	if (!a->on)
		return;
	wbuf_u32(b, a->uid);
	wbuf_u32(b, a->gid);
	wbuf_u64(b, a->cgroup);
	put_vec(b, a->name, strlen(a->name));
	wbuf_u32(b, a->generation);
	put_vec(b, a->post.secret, hash->size);
	put_vec(b, a->post.transcript, hash->ctx);
	if (!a->post.asked)
		return;
	wbuf_bytes(b, a->post.context, sizeof(a->post.context));
	put_vec(b, a->post.with_request, hash->ctx);
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
	wbuf_u64(&b, s->peer.until);
	put_auth(&b, s, suite->hash);
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
	uint8_t flags;

	if (!rbuf_u8(b, &flags) || flags > 7)
		return false;
	s->keeps_tickets = flags & 1;
	s->peer.known = flags & 2;
	s->peer.verified = flags & 4;
	return rbuf_copy(b, s->store_key, sizeof(s->store_key)) &&
	       rbuf_copy(b, s->peer.sha256, sizeof(s->peer.sha256)) &&
	       get_text(b, s->peer.name, sizeof(s->peer.name)) && rbuf_u64(b, &s->peer.until);
}

static bool get_auth(struct rbuf *b, struct state *s, const struct crypto_hash *hash)
{
	struct state_auth *a = &s->auth;
	uint8_t flags;

	if (!rbuf_u8(b, &flags) || flags > 7 || (flags && !(flags & AUTH_ON)))
		return false;
	a->on = flags & AUTH_ON;
	a->keep_chain = flags & AUTH_KEEP_CHAIN;
	a->post.asked = flags & AUTH_ASKED;
	a->post.suite = a->on ? s->suite : 0;
	if (a->on && !(rbuf_u32(b, &a->uid) && rbuf_u32(b, &a->gid) && rbuf_u64(b, &a->cgroup) &&
		       get_text(b, a->name, sizeof(a->name)) && rbuf_u32(b, &a->generation) &&
		       get_secret(b, a->post.secret, hash->size) && get_secret(b, a->post.transcript, hash->ctx)))
		return false;
	return !a->post.asked || (rbuf_copy(b, a->post.context, sizeof(a->post.context)) &&
				  get_secret(b, a->post.with_request, hash->ctx));
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
	       get_auth(b, s, suite->hash) &&
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

int state_client_secret(struct state *s, uint32_t generation)
{
	const struct suite *suite = suite_by_id(s->suite);
	struct hs_traffic t = { .seq = 0 };

	if (!s->auth.on)
		return 0;
	if (!suite || generation - s->auth.generation > GENERATIONS_MAX)
		return -ERANGE;
	memcpy(t.secret, s->auth.post.secret, sizeof(t.secret));
	for (; s->auth.generation != generation; s->auth.generation++)
		hs_traffic_update(&t, suite->hash, suite->aead);
	hs_post_secret(&s->auth.post, &t);
	crypto_wipe(&t, sizeof(t));
	return 0;
}
