/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upcalls of open sessions: no I/O but the answer, no memory but the state
 * that came along. Spares are derived for exactly the directions that lack
 * one, which the generations tell (state.c has the newest handed out).
 * Only an answer that has to be signed takes more time: post.c.
 */
#include <errno.h>
#include <string.h>
#include "conn.h"
#include "handshake/alert.h"
#include "handshake/engine.h"
#include "handshake/suite.h"
#include "log.h"
#include "resume.h"
#include "state.h"

#define REQUEST_MAX		8192	/* a CertificateRequest of ours has half of that */
#define RECORD_ALERT		21
#define RECORD_HANDSHAKE	22

/* What an answer may carry; wiped as one. */
struct work {
	struct state state;
	struct hs_traffic tx, rx, tx_next[KTLS_MAX_SPARES], rx_next[KTLS_MAX_SPARES];
	uint8_t blob[KTLS_MAX_STATE], info[64], record[REQUEST_MAX];
	struct reply reply;
};

static const uint8_t key_update[] = { HS_KEY_UPDATE, 0, 0, 1, 0 };

/*
 * As many spares as the session has had updates: few for most, so that each
 * costs an upcall, and several at a time for one that updates again and again.
 */
static uint32_t wanted(uint32_t generation)
{
	return generation < 1 ? 1 : generation < KTLS_MAX_SPARES ? generation : KTLS_MAX_SPARES;
}

/* The kernel is at @generation, and has spares from there to the newest that was handed out. */
static int refill(const struct state *s, struct state_half *half, uint32_t generation,
		  struct hs_traffic *spares, size_t *num)
{
	uint32_t has = half->generation - generation;
	int err = 0;

	if (has > KTLS_MAX_SPARES)
		return -ERANGE;
	for (*num = 0; has < wanted(generation) && !err; has++) {
		err = state_keys(s, half, half->generation + 1, &spares[*num]);
		if (err)
			break;
		half->generation++;
		memcpy(half->secret, spares[(*num)++].secret, sizeof(half->secret));
	}
	return err;
}

static int spare(struct work *w, const struct upcall *up, const char **why)
{
	int err;

	err = refill(&w->state, &w->state.tx, up->tx_generation, w->tx_next, &w->reply.tx_nexts);
	if (!err)
		err = refill(&w->state, &w->state.rx, up->rx_generation, w->rx_next, &w->reply.rx_nexts);
	if (err)
		*why = "the session's generations do not fit its state";
	return err;
}

/* The key for now, @*ret, if the kernel had no spare; one that it got meanwhile it takes itself. */
static int replace(const struct state *s, struct state_half *half, uint32_t *generation,
		   struct hs_traffic *now, const struct hs_traffic **ret)
{
	uint32_t next = *generation + 1;
	int err;

	if (half->generation - *generation > 1)
		return 0;
	err = state_keys(s, half, next, now);
	if (err)
		return err;
	half->generation = *generation = next;
	memcpy(half->secret, now->secret, sizeof(half->secret));
	*ret = now;
	return 0;
}

/* RFC 9846 4.7.3: their next key for us to read; ours as well if they ask. */
static int updated(struct work *w, const struct upcall *up, bool asked, const char **why)
{
	struct upcall after = *up;
	int err;

	*why = "the session's generations do not fit its state";
	err = replace(&w->state, &w->state.rx, &after.rx_generation, &w->rx, &w->reply.rx);
	if (!err && asked)
		err = replace(&w->state, &w->state.tx, &after.tx_generation, &w->tx, &w->reply.tx);
	if (err)
		return err;
	if (w->reply.tx)
		w->reply.record = (struct reply_record){ RECORD_HANDSHAKE, key_update, sizeof(key_update) };
	return spare(w, &after, why);
}

static int record(struct work *w, const struct upcall *up, const char **why)
{
	const uint8_t *r = up->record;

	if (up->record_type != RECORD_HANDSHAKE || up->record_len != sizeof(key_update) ||
	    memcmp(r, key_update, sizeof(key_update) - 1)) {
		*why = "the peer sent a message that does not belong after a handshake";
		return ALERT_UNEXPECTED_MESSAGE;
	}
	if (r[4] > 1) {
		*why = "the peer's KeyUpdate is malformed";
		return ALERT_ILLEGAL_PARAMETER;
	}
	return updated(w, up, r[4], why);
}

/*
 * TLS 1.2 has one message that may come now, in either direction the wish for another handshake
 * (RFC 5246 7.4.1.1 and 7.4.1.2). A server's is passed over, a client's refused by a warning.
 */
static int record12(struct work *w, const struct upcall *up, const char **why)
{
	static const uint8_t request[] = { HS_HELLO_REQUEST, 0, 0, 0 }, refusal[] = { 1, ALERT_NO_RENEGOTIATION };
	const uint8_t *r = up->record;

	*why = "the peer sent a message that does not belong after a handshake";
	if (up->why != KTLS_WHY_RECORD || up->record_type != RECORD_HANDSHAKE || !up->record_len)
		return ALERT_UNEXPECTED_MESSAGE;
	if (w->state.role == KTLS_ROLE_CLIENT)
		return up->record_len == sizeof(request) && !memcmp(r, request, sizeof(request)) ? 0 :
		       ALERT_UNEXPECTED_MESSAGE;
	if (r[0] != HS_CLIENT_HELLO)
		return ALERT_UNEXPECTED_MESSAGE;
	w->reply.record = (struct reply_record){ RECORD_ALERT, refusal, sizeof(refusal) };
	return 0;
}

/* The client's certificate is wanted; spares come along, as no upcall for them is made meanwhile. */
static int request(struct conn_env *env, struct work *w, const struct upcall *up, const char **why)
{
	int err = spare(w, up, why), len;

	if (err)
		return err;
	len = post_request(env, &w->state, w->record, sizeof(w->record), why);
	if (len < 0)
		return len;
	w->reply.record = (struct reply_record){ RECORD_HANDSHAKE, w->record, (size_t)len };
	w->reply.info = w->info;
	w->reply.info_len = info_post_auth(INFO_POST_ASKED, NULL, false, w->info, sizeof(w->info));
	return 0;
}

static int derive(struct conn_env *env, struct work *w, const struct upcall *up, const char **why)
{
	int err;

	if (suite_by_id(w->state.suite)->version == TLS12)
		return record12(w, up, why);
	if (up->why == KTLS_WHY_REQUEST)
		err = request(env, w, up, why);
	else
		err = up->why == KTLS_WHY_RECORD ? record(w, up, why) : spare(w, up, why);
	if (err)
		return err;
	w->reply.aead = suite_by_id(w->state.suite)->aead;
	w->reply.version = TLS13;
	w->reply.state = w->blob;
	w->reply.state_len = state_pack(&w->state, w->blob, sizeof(w->blob));
	return 0;
}

void session_refuse(const struct conn *c, int err, int alert, const char *why)
{
	uint8_t bytes[2] = { 2, (uint8_t)alert };
	struct reply reply = {
		.id = c->id, .err = err, .alert = alert, .from = KTLS_ALERT_FROM_LOCAL,
		.reason = why, .record = { RECORD_ALERT, bytes, sizeof(bytes) },
	};

	c->env->respond(c->env->arg, &reply);
	log_line(LOG_INFO, "session cookie=%llx peer=%s result=failed alert=%s reason=\"%s\"",
		 (unsigned long long)c->cookie, c->peer, alert_name(alert), why);
}

/* A request that could not be made harms nobody. */
static void refuse(struct conn_env *env, const struct upcall *up, int err, const char *why)
{
	struct conn c = { .env = env, .id = up->id, .cookie = up->cookie };
	struct reply none = { .id = up->id, .err = err > 0 ? -EPROTO : err, .alert = -1, .reason = why };

	peer_name(&up->peer, c.peer);
	if (up->why != KTLS_WHY_REQUEST) {
		session_refuse(&c, -EPROTO, err > 0 ? err : ALERT_INTERNAL_ERROR, why);
		return;
	}
	env->respond(env->arg, &none);
	log_line(LOG_INFO, "session cookie=%llx peer=%s post-auth=failed errno=%s reason=\"%s\"",
		 (unsigned long long)c.cookie, c.peer, errno_name(err), why);
}

static int take_state(struct work *w, const struct upcall *up, const char **why)
{
	int err = state_unpack(up->state, up->state_len, &w->state);

	*why = "the session's agent state cannot be read: it is another version's";
	if (err)
		return err;
	*why = "the session's generations do not fit its state";
	return state_client_secret(&w->state, w->state.role == KTLS_ROLE_CLIENT ? up->tx_generation : up->rx_generation);
}

struct conn *session_upcall(struct conn_env *env, const struct upcall *up, uint64_t number, uint64_t now)
{
	struct work w = { .reply = { .id = up->id, .alert = -1, .tx_next = w.tx_next, .rx_next = w.rx_next } };
	struct conn *waits = NULL;
	const char *why = "";
	int err = 0;

	env->count.other++;
	if (up->why == KTLS_WHY_TICKET) {
		resume_ticket(env, up);
		env->respond(env->arg, &w.reply);
		return NULL;
	}
	err = take_state(&w, up, &why);
	if (!err && post_concerns(&w.state, up)) {
		waits = post_open(env, up, &w.state, number, now);
		goto wipe;
	}
	if (!err)
		err = derive(env, &w, up, &why);
	if (err)
		refuse(env, up, err, why);
	else
		env->respond(env->arg, &w.reply);
wipe:
	crypto_wipe(&w, sizeof(w));
	return waits;
}
