// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions of TLS 1.2 that go on, RFC 5077: by a ticket, or by the name (RFC
 * 5246 7.4.1.2) that a server gives who takes no ticket. A new ticket
 * on the same session keeps the time at which it began, so that no master
 * secret lives longer than one ticket's lifetime.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "handshake/session_cache.h"
#include "handshake/ticket.h"
#include <stdlib.h>
#include <string.h>

#define NAME_LIFETIME	7200	/* s that a client keeps a session's name */

/* ---- server */

static bool may_be_sealed(const struct hs *hs)
{
	const struct hs_params *p = hs->params;

	return p->ticket_keys && p->ticket_keys->num && hs->result.identity &&
	       strlen(hs->result.identity->name) < HS_MAX_IDENTITY;
}

bool ticket_wanted(const struct hs *hs)
{
	const struct hs_params *p = hs->params;

	return ext_received(hs, EXT_ID_SESSION_TICKET) && p->tickets && may_be_sealed(hs);
}

bool session_named(const struct hs *hs)
{
	return !hs->result.resumed && !hs->tls12.ticket_due && hs->params->sessions && hs->params->sessions_num &&
	       may_be_sealed(hs);
}

static const struct suite *suite_of(const struct hs *hs, uint16_t id)
{
	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->id == id && suite_usable(hs, hs->suites[i]))
			return hs->suites[i];
	return NULL;
}

static void go_on(struct hs *hs, const struct ticket *t, const struct identity *ours)
{
	memcpy(hs->tls12.master, t->psk, MASTER_SECRET);
	hs->tls12.issued = t->issued;
	hs->result.resumed = true;
	hs->result.who = t->peer;
	hs->result.peer_verified = t->peer.verified;
	hs->result.identity = ours;
}

static bool find_named(struct hs *hs, struct ticket *t, const struct identity **ours)
{
	const struct hs_params *p = hs->params;
	uint8_t sealed[TICKET_ROOM];
	struct rbuf data = { sealed, sealed };

	if (!p->sessions)
		return false;
	data.end += session_cache_get(p->sessions, p->sessions_num, hs->session_id, hs->session_id_len, sealed);
	return rbuf_len(&data) && ticket_find(hs, &data, t, ours);
}

int choose_session(struct hs *hs)
{
	const struct identity *ours = NULL;
	const struct suite *suite;
	struct ticket t;

	if (!ticket_find(hs, &hs->tls12.peer_ticket, &t, &ours) && !find_named(hs, &t, &ours))
		return 0;
	suite = suite_of(hs, t.suite);
	if (suite) {
		hs->suite = suite;
		go_on(hs, &t, ours);
	}
	crypto_wipe(&t, sizeof(t));
	return 0;
}

static uint32_t life_left(const struct hs *hs, uint64_t issued)
{
	uint64_t life = hs->params->ticket_lifetime < HS_WEEK ? hs->params->ticket_lifetime : HS_WEEK;
	uint64_t age = (uint64_t)hs->params->now - issued;

	return age < life ? (uint32_t)(life - age) : 0;
}

static void fill_ticket(const struct hs *hs, struct ticket *t)
{
	uint64_t now = (uint64_t)hs->params->now;

	t->issued = hs->tls12.issued ? hs->tls12.issued : now;
	t->lifetime = (uint32_t)(now - t->issued) + life_left(hs, t->issued);
	t->suite = hs->suite->id;
	memcpy(t->psk, hs->tls12.master, MASTER_SECRET);
	ticket_describe(&hs->result, t);
}

void session_keep_named(struct hs *hs)
{
	const struct hs_params *p = hs->params;
	struct ticket t = { 0 };
	uint8_t sealed[TICKET_ROOM];
	size_t len;

	fill_ticket(hs, &t);
	len = ticket_seal(p->ticket_keys, p->ticket_context, &t, sealed, sizeof(sealed));
	session_cache_put(p->sessions, p->sessions_num, hs->session_id, sealed, len);
	crypto_wipe(&t, sizeof(t));
}

/* An empty one where there is nothing left to give, RFC 5077 3.3. */
int new_session_ticket12_send(struct hs *hs, struct wbuf *b)
{
	const struct hs_params *p = hs->params;
	struct ticket t = { 0 };
	uint8_t sealed[TICKET_ROOM];
	size_t mark, len;

	if (!hs->result.resumed)
		hs_name_peer(hs);
	fill_ticket(hs, &t);
	len = ticket_seal(p->ticket_keys, p->ticket_context, &t, sealed, sizeof(sealed));
	wbuf_u32(b, life_left(hs, t.issued));
	mark = wbuf_open(b, 2);
	if (life_left(hs, t.issued))
		wbuf_bytes(b, sealed, len);
	wbuf_close(b, mark, 2);
	crypto_wipe(&t, sizeof(t));
	return 0;
}

/* ---- client */

bool session_offered(const struct hs *hs)
{
	const struct hs_ticket *t = hs->params->ticket;
	const struct suite *suite = t ? suite_by_id(t->suite) : NULL;
	uint64_t now = hs_now_ms(hs->params);

	if (!suite || suite->version != TLS12 || hs->params->psk || now < t->received ||
	    now - t->received >= t->lifetime * 1000ull || (!t->peer.verified && !hs->params->insecure))
		return false;
	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i] == suite)
			return true;
	return false;
}

int new_session_ticket12_recv(struct hs *hs, struct rbuf *b)
{
	struct hs_ticket *t;
	struct rbuf data;
	uint32_t lifetime;

	if (!rbuf_u32(b, &lifetime) || !rbuf_vec16(b, &data))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the NewSessionTicket is malformed");
	if (!rbuf_len(&data) || rbuf_len(&data) > HS_MAX_TICKET)
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return hs_no_memory(hs);
	/* 0: the server doesn't say; then we do. */
	t->lifetime = lifetime && lifetime < HS_WEEK ? lifetime : HS_WEEK;
	t->len = (uint32_t)rbuf_len(&data);
	memcpy(t->data, data.p, t->len);
	hs->result.ticket = t;
	return 0;
}

/* A server that gives no ticket, but its session a name, which serves more than once. */
static int keep_name(struct hs *hs)
{
	const struct hs_ticket *old = hs->result.resumed ? hs->params->ticket : NULL;
	struct hs_ticket *t = calloc(1, sizeof(*t));

	if (!t)
		return hs_no_memory(hs);
	t->lifetime = old ? old->lifetime - (uint32_t)((hs_now_ms(hs->params) - old->received) / 1000) : NAME_LIFETIME;
	t->session_id_len = (uint32_t)hs->session_id_len;
	memcpy(t->session_id, hs->session_id, hs->session_id_len);
	hs->result.ticket = t;
	return 0;
}

int keep_session(struct hs *hs)
{
	struct hs_result *r = &hs->result;
	int err = 0;

	if (hs->role == HS_SERVER || !hs->params->tickets)
		return 0;
	if (!r->ticket && hs->session_id_len && (!r->resumed || hs->params->ticket->session_id_len))
		err = keep_name(hs);
	if (err || !r->ticket)
		return err;
	r->ticket->suite = r->suite;
	r->ticket->received = hs_now_ms(hs->params);
	r->ticket->peer = r->who;
	memcpy(r->ticket->psk, hs->tls12.master, MASTER_SECRET);
	return 0;
}
