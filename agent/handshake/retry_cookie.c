// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server's retry without a memory of it: the cookie that the client brings
 * back has the choice made, the hash of the first ClientHello, a print of what
 * the second may not change, and the time, under a MAC. So any server with the same
 * key goes on where another one asked for the retry, or this one before a
 * restart. Nothing in it is secret.
 */
#include <string.h>
#include "ext/ext.h"
#include "handshake/engine.h"

#define COOKIE_AGE	60	/* s */
#define MAC		32

static void mac_of(const struct hs_ticket_key *key, const uint8_t *context, const uint8_t *p, size_t len,
		   uint8_t out[MAC])
{
	static const char label[] = "ktls retry cookie";
	uint8_t derived[32], inner[MAC + HS_CONTEXT];

	crypto_hmac(&crypto_sha256, key->key, sizeof(key->key), label, sizeof(label), derived);
	crypto_hmac(&crypto_sha256, derived, sizeof(derived), p, len, inner);
	memcpy(inner + MAC, context, HS_CONTEXT);
	crypto_hmac(&crypto_sha256, derived, sizeof(derived), inner, sizeof(inner), out);
	crypto_wipe(derived, sizeof(derived));
}

/* The number of the key in time order, not its name: a name is as long, and no help. */
static bool mac_right(const struct hs *hs, const uint8_t *p, size_t len, const uint8_t *mac)
{
	const struct hs_ticket_keys *keys = hs->params->cookie_keys;
	uint8_t want[MAC];
	bool right = false;

	for (size_t i = 0; i < keys->num; i++) {
		mac_of(&keys->key[i], hs->params->ticket_context, p, len, want);
		right |= crypto_equal(want, mac, MAC);
	}
	return right;
}

int retry_cookie_make(struct hs *hs)
{
	const struct hs_ticket_keys *keys = hs->params->cookie_keys;
	uint64_t now = (uint64_t)hs->params->now;
	const size_t room = 8 + 4 + 2 * CRYPTO_MAX_DIGEST + MAC;
	uint8_t digest[CRYPTO_MAX_DIGEST];
	struct wbuf b = { .cap = room };

	if (!keys || !keys->num)
		return 0;
	b.buf = gbuf_room(&hs->cookie, room);
	if (!b.buf)
		return hs_no_memory(hs);
	transcript_digest(hs, digest);
	wbuf_u64(&b, now);
	wbuf_u16(&b, hs->suite->id);
	wbuf_u16(&b, hs->group->id);
	wbuf_bytes(&b, hs->hello_print, crypto_sha256.size);
	wbuf_bytes(&b, digest, hs->hash->size);
	mac_of(&keys->key[0], hs->params->ticket_context, b.buf, b.len, b.buf + b.len);
	hs->cookie.len = b.len + MAC;
	return 0;
}

static const struct suite *own_suite(const struct hs *hs, uint16_t id)
{
	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->id == id)
			return hs->suites[i];
	return NULL;
}

static const struct crypto_group *own_group(const struct hs *hs, uint16_t id)
{
	for (size_t i = 0; i < hs->groups_num; i++)
		if (hs->groups[i]->id == id)
			return hs->groups[i];
	return NULL;
}

int retry_cookie_take(struct hs *hs, const struct rbuf *cookie)
{
	uint64_t now = (uint64_t)hs->params->now, then;
	size_t len = rbuf_len(cookie);
	struct rbuf b = { cookie->p, cookie->end - (len < MAC ? 0 : MAC) };
	uint16_t suite, group;
	const uint8_t *print;

	if (len <= MAC || !mac_right(hs, cookie->p, len - MAC, b.end))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client brings a cookie that we did not give");
	if (!rbuf_u64(&b, &then) || !rbuf_u16(&b, &suite) || !rbuf_u16(&b, &group) ||
	    !rbuf_bytes(&b, &print, crypto_sha256.size))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client's cookie is of another version");
	hs->suite = own_suite(hs, suite);
	hs->group = own_group(hs, group);
	if (then > now || now - then > COOKIE_AGE || !hs->suite || !hs->group ||
	    rbuf_len(&b) != hs->suite->hash->size)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client's cookie is too old");
	memcpy(hs->hello_print, print, crypto_sha256.size);
	hs->retry = hs->retry_elsewhere = true;
	if (!gbuf_add(&hs->cookie, cookie->p, len))
		return hs_no_memory(hs);
	return retry_request_replay(hs, b.p);
}
