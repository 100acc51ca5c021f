// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NewSessionTicket, RFC 9846 4.6.1. A server gives its tickets on the heels of
 * the handshake, as records under its application key, before the kernel gets
 * that key; a client reads one whenever it comes.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "handshake/ticket.h"
#include "rng/rng.h"
#include <errno.h>
#include <string.h>

/* The key of a ticket, from the secret of the session that gives it. */
static void ticket_psk(const struct crypto_hash *hash, const uint8_t *resumption, const uint8_t *nonce, size_t len,
		       uint8_t *psk)
{
	schedule_label(hash, resumption, "resumption", nonce, len, psk, hash->size);
}

/* ---- server */

size_t tickets_to_give(const struct hs *hs)
{
	const struct hs_params *p = hs->params;
	size_t num = hs->result.resumed && p->tickets ? 1 : p->tickets;

	if (hs->role != HS_SERVER || !p->ticket_keys || !p->ticket_keys->num || hs->result.psk ||
	    !(hs->psk_modes & 1u << PSK_DHE_KE))
		return 0;
	if (ext_received(hs, EXT_ID_TICKET_REQUEST) && p->tickets)
		num = hs->tickets_asked[hs->result.resumed];
	return num < HS_TICKETS_MAX ? num : HS_TICKETS_MAX;
}

/* A session is resumed no longer than the certificate would serve that it rests on. */
static uint32_t before_expiry(const struct hs_peer *peer, uint64_t issued, uint32_t lifetime)
{
	if (!peer->until)
		return lifetime;
	if (peer->until <= issued)
		return 0;
	return peer->until - issued < lifetime ? (uint32_t)(peer->until - issued) : lifetime;
}

void ticket_describe(const struct hs_result *r, struct ticket *t)
{
	memcpy(t->server_name, r->server_name, sizeof(t->server_name));
	memcpy(t->alpn, r->alpn, r->alpn_len);
	t->alpn_len = r->alpn_len;
	strncpy(t->identity, r->identity->name, sizeof(t->identity) - 1);
	t->peer = r->who;
	t->lifetime = before_expiry(&t->peer, t->issued, t->lifetime);
}

static void fill_ticket(const struct hs *hs, struct ticket *t)
{
	const struct hs_params *p = hs->params;

	t->suite = hs->result.suite;
	t->issued = (uint64_t)p->now;
	t->lifetime = p->ticket_lifetime < HS_WEEK ? p->ticket_lifetime : HS_WEEK;
	t->max_early = p->max_early;
	ticket_describe(&hs->result, t);
}

/* Only where there is something to say. */
static void write_max_early(const struct ticket *t, struct wbuf *b)
{
	size_t block = wbuf_open(b, 2), one;

	if (t->max_early) {
		wbuf_u16(b, EXT_ID_EARLY_DATA);
		one = wbuf_open(b, 2);
		wbuf_u32(b, t->max_early);
		wbuf_close(b, one, 2);
	}
	wbuf_close(b, block, 2);
}

static int write_ticket(struct hs *hs, struct ticket *t, uint8_t nonce)
{
	const struct hs_params *p = hs->params;
	const size_t room = TICKET_ROOM + 64;
	struct wbuf b = { .buf = gbuf_room(&hs->flight, room), .cap = room };
	size_t body, mark, len;

	if (!b.buf)
		return hs_no_memory(hs);
	rng_fill(RNG_NONCE, &t->age_add, sizeof(t->age_add));
	wbuf_u8(&b, HS_NEW_SESSION_TICKET);
	body = wbuf_open(&b, 3);
	wbuf_u32(&b, t->lifetime);
	wbuf_u32(&b, t->age_add);
	wbuf_u8(&b, 1);
	wbuf_u8(&b, nonce);
	mark = wbuf_open(&b, 2);
	len = ticket_seal(p->ticket_keys, p->ticket_context, t, b.buf + b.len, TICKET_ROOM);
	if (!len)
		return hs_fail(hs, -EMSGSIZE, "the ticket does not fit");
	b.len += len;
	wbuf_close(&b, mark, 2);
	write_max_early(t, &b);
	wbuf_close(&b, body, 3);
	hs->flight.len += b.len;
	return 0;
}

int tickets_issue(struct hs *hs)
{
	size_t num = tickets_to_give(hs);
	struct ticket t = { 0 };
	int err = 0;

	if (!num || !hs->result.identity || strlen(hs->result.identity->name) >= sizeof(t.identity))
		return 0;
	fill_ticket(hs, &t);
	if (!t.lifetime)
		return 0;
	for (uint8_t i = 0; !err && i < num; i++) {
		ticket_psk(hs->hash, hs->result.resumption, &i, 1, t.psk);
		err = write_ticket(hs, &t, i);
		if (!err)
			err = record_flush(hs);
	}
	crypto_wipe(&t, sizeof(t));
	hs->result.tx.seq = hs->tx.t.seq;
	return err;
}

/* ---- client */

/* Each may come once only; of those that are known, early_data is the one. */
static bool read_extensions(struct rbuf *b, uint32_t *max_early)
{
	struct rbuf block, one, rest;
	uint16_t id, other;

	if (!rbuf_vec16(b, &block) || rbuf_len(b))
		return false;
	while (rbuf_len(&block)) {
		if (!rbuf_u16(&block, &id) || !rbuf_vec16(&block, &one))
			return false;
		if (id == EXT_ID_EARLY_DATA && (!rbuf_u32(&one, max_early) || rbuf_len(&one)))
			return false;
		for (rest = block; rbuf_u16(&rest, &other) && rbuf_vec16(&rest, &one); )
			if (other == id)
				return false;
	}
	return true;
}

int hs_ticket_read(uint16_t suite, const uint8_t *resumption, uint64_t now, const uint8_t *msg, size_t len,
		   struct hs_ticket *ret)
{
	const struct suite *s = suite_by_id(suite);
	struct rbuf b = { msg, msg + len }, body, nonce, data;
	uint32_t lifetime, age_add, max_early = 0;
	uint8_t type;

	if (!s || s->version != TLS13 || !rbuf_u8(&b, &type) || type != HS_NEW_SESSION_TICKET)
		return ALERT_UNEXPECTED_MESSAGE;
	if (!rbuf_vec24(&b, &body) || rbuf_len(&b) || !rbuf_u32(&body, &lifetime) || !rbuf_u32(&body, &age_add) ||
	    !rbuf_vec8(&body, &nonce) || !rbuf_vec16(&body, &data) || !rbuf_len(&data) ||
	    !read_extensions(&body, &max_early))
		return ALERT_DECODE_ERROR;
	if (!lifetime || rbuf_len(&data) > HS_MAX_TICKET)
		return -ENOENT;
	*ret = (struct hs_ticket){
		.suite = suite, .received = now, .lifetime = lifetime < HS_WEEK ? lifetime : HS_WEEK,
		.age_add = age_add, .max_early = max_early, .len = (uint32_t)rbuf_len(&data),
	};
	memcpy(ret->data, data.p, rbuf_len(&data));
	ticket_psk(s->hash, resumption, nonce.p, rbuf_len(&nonce), ret->psk);
	return 0;
}
