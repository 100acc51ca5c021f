// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Authentication after the handshake (RFC 8446 4.6.2) for a session in the
 * kernel. A server's request is written at once, and its transcript goes into
 * the session's state; the client's answer comes as a record, or as the
 * beginning of one that the module keeps until it is whole. A client's answer
 * is a conn without a channel that waits for the keeper's signature. It holds
 * for the generation that the session sends under: the module tells if that
 * has changed meanwhile, and asks again. Who says no to a request shows no
 * certificate, and the session goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "conn.h"
#include "handshake/alert.h"
#include "handshake/engine.h"
#include "log.h"
#include "relay.h"
#include "state.h"

#define RECORD_HANDSHAKE	22

struct post {
	struct state state;
	uint32_t tx_generation;
	uint8_t blob[KTLS_MAX_STATE], info[KTLS_MAX_INFO];
};

bool post_able(const struct conn *c, const struct hs_result *r)
{
	return c->wish.post_auth && r->post_auth && !(c->id & RELAY_ID);
}

void post_fill_state(const struct conn *c, const struct hs_result *r, struct state *s)
{
	bool server = c->role == KTLS_ROLE_SERVER;
	struct state_auth *a = &s->auth;

	a->on = true;
	a->keep_chain = c->wish.peer_chain;
	a->uid = (uint32_t)c->who.uid;
	a->gid = (uint32_t)c->who.gid;
	a->cgroup = c->who.cgroup;
	snprintf(a->name, sizeof(a->name), "%s", server ? c->wish.trust : c->wish.identity);
	hs_post_from(r, server ? HS_SERVER : HS_CLIENT, &a->post);
}

static bool is_client(const struct state *s)
{
	return s->role == KTLS_ROLE_CLIENT;
}

bool post_concerns(const struct state *s, const struct upcall *up)
{
	uint8_t type;

	if (!s->auth.on || up->why != KTLS_WHY_RECORD || up->record_type != RECORD_HANDSHAKE || !up->record_len)
		return false;
	type = up->record[0];
	if (is_client(s))
		return type == HS_CERTIFICATE_REQUEST;
	return s->auth.post.asked && (type == HS_CERTIFICATE || type == HS_COMPRESSED_CERTIFICATE);
}

/* As far as the handshake's parameters matter to what comes after it. */
static void fill_params(struct hs_params *p, const struct config *config, const struct state *s)
{
	p->role = is_client(s) ? HS_CLIENT : HS_SERVER;
	p->now = time(NULL);
	p->schemes = config->schemes_num ? config->schemes : NULL;
	p->schemes_num = config->schemes_num;
	p->compress = config->compress;
	p->delegated = config->delegated;
	p->rsa_min_bits = config->rsa_min_bits;
	p->client_auth = HS_AUTH_ASK;
}

/* What policy has to say now, which is not what it said in the handshake. */
static int ask_policy(const struct config *config, const struct state *s, struct hs_params *p, char why[POLICY_WHY])
{
	struct caller who = { .uid = s->auth.uid, .gid = s->auth.gid, .cgroup = s->auth.cgroup };
	const struct trust *trust;

	if (is_client(s))
		return policy_client(config, &who, s->auth.name[0] ? s->auth.name : NULL, &p->identity, why);
	trust = policy_trust(config, s->auth.name, why);
	p->trust = trust ? trust->store : NULL;
	return trust ? 0 : -ENOKEY;
}

/* ---- the server's request */

int post_request(struct conn_env *env, struct state *s, uint8_t *buf, size_t size, const char **why)
{
	struct hs_params params = { 0 };
	static char words[POLICY_WHY];
	const uint8_t *out;
	struct hs *hs;
	size_t len;
	int err;

	*why = "the session is none that can ask for a certificate";
	if (!s->auth.on || is_client(s))
		return -EOPNOTSUPP;
	fill_params(&params, env->config, s);
	err = ask_policy(env->config, s, &params, words);
	*why = words;
	if (err)
		return err;
	s->auth.post.asked = false;
	*why = "the agent has no memory";
	hs = hs_post_new(&params, &s->auth.post);
	if (!hs || hs_start(hs)) {
		hs_free(hs);
		return -ENOMEM;
	}
	out = hs_output(hs, &len);
	err = len <= size ? (int)len : -EMSGSIZE;
	if (err > 0)
		memcpy(buf, out, len);
	hs_post_asked(hs, &s->auth.post);
	hs_free(hs);
	return err;
}

/* ---- answers: ours to a server, a client's to us */

static void log_result(const struct conn *c, const struct hs_result *r, bool shown)
{
	char name[HS_MAX_NAME];

	log_line(LOG_INFO, "session cookie=%llx peer=%s role=%s post-auth=%s name=%s",
		 (unsigned long long)c->cookie, c->peer, c->role == KTLS_ROLE_SERVER ? "server" : "client",
		 shown ? "shown" : "none",
		 log_quote(name, sizeof(name), c->role == KTLS_ROLE_SERVER ? r->who.name : r->identity ? r->identity->name : ""));
}

static void put_state(struct post *p, struct reply *reply)
{
	reply->state = p->blob;
	reply->state_len = state_pack(&p->state, p->blob, sizeof(p->blob));
}

static void succeed(struct conn *c)
{
	const struct hs_result *r = hs_result(c->hs);
	bool client = c->role == KTLS_ROLE_CLIENT;
	struct post *p = c->post;
	struct reply reply = {
		.id = c->id, .alert = -1, .info = p->info, .has_generation = client, .tx_generation = p->tx_generation,
		.post_auth = client ? KTLS_POST_AUTH_NONE : KTLS_POST_AUTH_ANSWERED,
	};
	bool shown = client ? !!r->identity : !!r->peer_num;
	size_t len;

	if (client) {
		reply.record.type = RECORD_HANDSHAKE;
		reply.record.data = hs_output(c->hs, &len);
		reply.record.len = len;
	}
	p->state.auth.post.asked = false;
	put_state(p, &reply);
	reply.info_len = info_post_auth(shown ? INFO_POST_SHOWN : INFO_POST_NONE, r, p->state.auth.keep_chain,
					p->info, sizeof(p->info));
	if (!c->env->respond(c->env->arg, &reply))
		log_result(c, r, shown);
}

/* The module keeps what there is. */
static void want_more(struct conn *c)
{
	struct reply reply = { .id = c->id, .alert = -1, .post_auth = KTLS_POST_AUTH_MORE };

	put_state(c->post, &reply);
	c->env->respond(c->env->arg, &reply);
}

bool post_step(struct conn *c)
{
	enum hs_alert_from from;
	int alert;

	if (hs_state(c->hs) == HS_SIGN)
		conn_ask_signature(c);
	switch (hs_state(c->hs)) {
	case HS_SIGN:
		return true;
	case HS_DONE:
		succeed(c);
		return false;
	case HS_READ:
		if (c->role == KTLS_ROLE_SERVER) {
			want_more(c);
			return false;
		}
		hs_abort(c->hs, ALERT_DECODE_ERROR, "the CertificateRequest is not whole");
		break;
	default:
		break;
	}
	alert = hs_alert(c->hs, &from);
	session_refuse(c, conn_errno(alert, from), alert, hs_why(c->hs));
	return false;
}

void post_free(struct post *p)
{
	if (p)
		crypto_wipe(p, sizeof(*p));
	free(p);
}

static struct conn *no_memory(struct conn *c, struct conn_env *env, const struct upcall *up)
{
	struct conn none = { .env = env, .id = up->id, .cookie = up->cookie };

	peer_name(&up->peer, none.peer);
	session_refuse(&none, -ECONNABORTED, ALERT_INTERNAL_ERROR, "the agent has no memory");
	if (c)
		conn_free(c);
	return NULL;
}

struct conn *post_open(struct conn_env *env, const struct upcall *up, const struct state *s, uint64_t request,
		       uint64_t now)
{
	struct conn *c = conn_make(env, up, request, now);
	char why[POLICY_WHY];

	if (!c)
		return no_memory(c, env, up);
	c->fd = -1;
	c->role = s->role;
	c->post = calloc(1, sizeof(*c->post));
	if (!c->post)
		return no_memory(c, env, up);
	c->post->state = *s;
	c->post->tx_generation = up->tx_generation;
	fill_params(&c->params, env->config, s);
	c->params.server_name = c->post->state.server_name;
	if (ask_policy(env->config, s, &c->params, why))
		log_line(LOG_INFO, "session cookie=%llx peer=%s post-auth: %s", (unsigned long long)c->cookie, c->peer, why);
	c->hs = hs_post_new(&c->params, &s->auth.post);
	if (!c->hs)
		return no_memory(c, env, up);
	if (!hs_start(c->hs))
		hs_messages(c->hs, up->record, up->record_len);
	if (post_step(c))
		return c;
	conn_free(c);
	return NULL;
}
