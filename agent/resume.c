/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tickets between engine, keeper and kernel. A server's ticket counts only
 * for the same user, identity asked for, trust and client authentication; a
 * client's is found again only by the same user for the same name, port,
 * protocols, identity and trust. An application that wants the peer's whole
 * chain gets a full handshake, as a ticket does not carry it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "log.h"
#include "resume.h"

static void add(uint8_t *ctx, const void *p, size_t len)
{
	uint8_t size[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	crypto_sha256.update(ctx, sizeof(size), size);
	crypto_sha256.update(ctx, len, p);
}

static void add_number(uint8_t *ctx, uint32_t n)
{
	add(ctx, &n, sizeof(n));
}

/* What both digests have in common. */
static void begin(const struct conn *c, uint8_t *ctx)
{
	const struct conn_wish *w = &c->wish;

	crypto_sha256.init(ctx);
	add_number(ctx, c->role);
	add_number(ctx, c->uid);
	add(ctx, w->identity, strlen(w->identity));
	add(ctx, w->trust, strlen(w->trust));
	add_number(ctx, w->client_auth);
}

static void server_context(const struct conn *c, uint8_t out[HS_CONTEXT])
{
	uint8_t ctx[CRYPTO_HASH_CTX] __attribute__((aligned(16)));

	begin(c, ctx);
	crypto_sha256.digest(ctx, out);
}

/* sockaddr_in and sockaddr_in6 have the port in one place. */
static uint16_t port_of(const struct sockaddr_storage *peer)
{
	return ((const struct sockaddr_in *)peer)->sin_port;
}

static void client_key(const struct conn *c, const struct sockaddr_storage *peer, uint8_t out[HS_CONTEXT])
{
	uint8_t ctx[CRYPTO_HASH_CTX] __attribute__((aligned(16)));
	const struct conn_wish *w = &c->wish;

	begin(c, ctx);
	add(ctx, w->server_name, strlen(w->server_name));
	add_number(ctx, port_of(peer));
	add(ctx, w->alpn, w->alpn_len);
	crypto_sha256.digest(ctx, out);
}

bool resume_begin(struct conn *c, const struct sockaddr_storage *peer)
{
	const struct config *config = c->env->config;
	struct conn_env *env = c->env;

	if (c->wish.peer_chain || c->denied)
		return false;
	if (c->role == KTLS_ROLE_SERVER) {
		c->params.tickets = config->tickets;
		c->params.ticket_lifetime = config->ticket_lifetime;
		c->params.ticket_keys = config->tickets ? &env->ticket_keys : NULL;
		c->params.sessions = config->tickets ? env->sessions : NULL;
		c->params.sessions_num = env->sessions_num;
		server_context(c, c->params.ticket_context);
		c->params.max_early = c->wish.early_max < config->early_data ? c->wish.early_max : config->early_data;
		return false;
	}
	if (!config->client_tickets || !env->ticket_get || c->wish.has_psk)
		return false;
	c->params.tickets = 1;
	if (config->early_data) {
		c->params.early = c->wish.early;
		c->params.early_len = c->wish.early_len;
	}
	c->keeps_tickets = true;
	client_key(c, peer, c->store_key);
	c->fetching = !env->ticket_get(env->arg, c->request, c->store_key);
	return c->fetching;
}

void resume_take(struct conn *c, const struct msg_ticket *m)
{
	if (!m->found || m->ticket.len > HS_MAX_TICKET)
		return;
	c->ticket = malloc(sizeof(*c->ticket));
	if (c->ticket)
		*c->ticket = m->ticket;
	c->params.ticket = c->ticket;
}

void resume_state(const struct conn *c, const struct hs_result *r, struct state *s)
{
	s->keeps_tickets = c->keeps_tickets;
	memcpy(s->store_key, c->store_key, sizeof(s->store_key));
	s->peer = r->who;
}

void resume_result(const struct conn *c, const struct hs_result *r)
{
	struct msg_ticket_put m = { .type = MSG_TICKET_PUT };

	if (!c->keeps_tickets || !r->ticket || !c->env->ticket_put)
		return;
	m.ticket = *r->ticket;
	memcpy(m.store_key, c->store_key, sizeof(m.store_key));
	c->env->ticket_put(c->env->arg, &m);
	crypto_wipe(&m, sizeof(m));
}

/* Nobody waits for the answer, and nobody is told of a bad ticket: the session is none the worse. */
void resume_ticket(struct conn_env *env, const struct upcall *up)
{
	struct msg_ticket_put m = { .type = MSG_TICKET_PUT };
	struct state s = { 0 };

	if (env->ticket_put && !state_unpack(up->state, up->state_len, &s) && s.keeps_tickets &&
	    !hs_ticket_read(s.suite, s.resumption, conn_clock(), up->record, up->record_len, &m.ticket)) {
		m.ticket.peer = s.peer;
		m.ticket.alpn_len = (uint32_t)s.alpn_len;
		memcpy(m.ticket.alpn, s.alpn, s.alpn_len);
		memcpy(m.store_key, s.store_key, sizeof(m.store_key));
		env->ticket_put(env->arg, &m);
	}
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(&m, sizeof(m));
}
