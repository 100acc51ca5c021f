/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One handshake, from the accepted upcall to its one answer. Bytes go between
 * channel and struct hs; the keeper signs meanwhile others go on; whatever
 * happens, exactly one RESPOND and one log line end it. A caller whom policy
 * denies is refused only when the ClientHello has been read, so that the
 * peer gets its alert and no reset.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "conn.h"
#include "handshake/alert.h"
#include "handshake/suite.h"
#include "handshake/version.h"
#include "log.h"
#include "resume.h"
#include "state.h"

#define STEPS_MAX	16		/* reads and writes per wake-up: others wait */

/* What to do about an alert: who sent it decides which end has to change. */
static const struct hint { int alert; const char *local, *peer; } hints[] = {
	{ ALERT_HANDSHAKE_FAILURE,	"compare ciphers, groups and key types of both ends", "compare ciphers, groups and key types of both ends" },
	{ ALERT_PROTOCOL_VERSION,	"compare min-version and max-version of both ends", "compare min-version and max-version of both ends" },
	{ ALERT_NO_APPLICATION_PROTOCOL, "have both ends name a common ALPN protocol", "name an ALPN protocol that it knows" },
	{ ALERT_UNKNOWN_CA,		NULL, "install our CA there" },
	{ ALERT_BAD_CERTIFICATE,	NULL, "it does not accept our certificate: see its log" },
	{ ALERT_CERTIFICATE_EXPIRED,	NULL, "renew our certificate" },
	{ ALERT_CERTIFICATE_UNKNOWN,	NULL, "it does not accept our certificate: see its log" },
	{ ALERT_UNRECOGNIZED_NAME,	NULL, "ask for a name that it serves" },
	{ ALERT_CERTIFICATE_REQUIRED,	"the peer must present a certificate", "name an identity to present" },
	{ ALERT_INTERNAL_ERROR,		NULL, "see its log" },
};

static const char *hint(int alert, enum hs_alert_from from)
{
	size_t i;

	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].alert == alert)
			return from == HS_ALERT_PEER ? hints[i].peer : hints[i].local;
	return NULL;
}

/* ---- how it ends */

struct ending { int err, alert; enum hs_alert_from from; char reason[KTLS_MAX_REASON]; };

static void log_failure(const struct conn *c, const struct ending *e, uint64_t now)
{
	char name[HS_MAX_NAME], reason[2 * KTLS_MAX_REASON];

	log_line(LOG_INFO, "handshake cookie=%llx peer=%s role=%s uid=%u name=%s result=failed errno=%s alert=%s from=%s ms=%llu reason=%s",
		 (unsigned long long)c->cookie, c->peer, c->role == KTLS_ROLE_SERVER ? "server" : "client", c->uid,
		 log_quote(name, sizeof(name), c->wish.server_name), errno_name(e->err),
		 e->alert < 0 ? "none" : alert_name(e->alert),
		 e->from == HS_ALERT_LOCAL ? "local" : e->from == HS_ALERT_PEER ? "peer" : "none",
		 (unsigned long long)(now - c->opened), log_quote(reason, sizeof(reason), e->reason));
}

static void report_failure(const struct conn *c, const struct ending *e)
{
	struct msg_failure f = {
		.type = MSG_FAILURE, .uid = c->uid, .cookie = c->cookie, .time = time(NULL),
		.err = e->err, .alert = e->alert, .from = e->from, .role = c->role,
	};

	snprintf(f.peer, sizeof(f.peer), "%s", c->peer);
	snprintf(f.name, sizeof(f.name), "%s", c->wish.server_name);
	snprintf(f.reason, sizeof(f.reason), "%s", e->reason);
	c->env->failed(c->env->arg, &f);
}

static void end(struct conn *c, const struct ending *e, uint64_t now)
{
	struct reply reply = {
		.id = c->id, .err = e->err, .alert = e->alert,
		.from = (enum ktls_alert_from)e->from, .reason = e->reason,
	};

	c->env->respond(c->env->arg, &reply);
	c->env->count.failed++;
	log_failure(c, e, now);
	report_failure(c, e);
}

/* A failure without the engine's word: refused, lost, late. */
static void __attribute__((format(printf, 4, 5)))
end_with(struct conn *c, int err, uint64_t now, const char *fmt, ...)
{
	struct ending e = { .err = err, .alert = -1 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.reason, sizeof(e.reason), fmt, ap);
	va_end(ap);
	if (c->hs)
		e.alert = hs_alert(c->hs, &e.from);
	end(c, &e, now);
}

/* The alert, if it fits: nobody waits for it. */
static void flush_alert(struct conn *c)
{
	size_t len;
	const uint8_t *out = hs_output(c->hs, &len);

	if (len && write(c->fd, out, len) > 0)
		hs_sent(c->hs, len);
}

int conn_errno(int alert, enum hs_alert_from from)
{
	if (from == HS_ALERT_PEER)
		return alert == ALERT_CLOSE_NOTIFY ? -ECONNRESET : -EPROTO;
	return alert >= ALERT_BAD_CERTIFICATE && alert <= ALERT_UNKNOWN_CA &&
	       alert != ALERT_ILLEGAL_PARAMETER ? -EKEYREJECTED : -EPROTO;
}

static void explain(const struct conn *c, const struct ending *e, char *buf, size_t size)
{
	const char *what = hint(e->alert, e->from), *step = hs_step_name(c->hs);

	if (e->from == HS_ALERT_PEER)
		snprintf(buf, size, "the peer refused with alert %s at %s%s%s", alert_name(e->alert),
			 step, what ? ": " : "", what ? what : "");
	else
		snprintf(buf, size, "%s: %s%s%s", step, hs_why(c->hs), what ? ": " : "",
			 what ? what : "");
}

/* The engine gave up. */
static void fail(struct conn *c, uint64_t now)
{
	struct ending e = { 0 };

	flush_alert(c);
	e.alert = hs_alert(c->hs, &e.from);
	e.err = conn_errno(e.alert, e.from);
	explain(c, &e, e.reason, sizeof(e.reason));
	if (c->denied) {
		e.err = c->denied;
		snprintf(e.reason, sizeof(e.reason), "%s", c->choice.why);
	}
	end(c, &e, now);
}

static void lost(struct conn *c, int err, uint64_t now)
{
	if (c->denied)
		end_with(c, c->denied, now, "%s", c->choice.why);
	else if (err == -ENOTCONN)	/* the channel's word for it; nobody reads the answer */
		end_with(c, -ECONNABORTED, now, "the application closed the socket at %s", hs_step_name(c->hs));
	else if (!err)
		end_with(c, -ECONNRESET, now, "the peer closed the connection when %s was expected: see its log", hs_step_name(c->hs));
	else
		end_with(c, -ECONNRESET, now, "the connection broke at %s: %s", hs_step_name(c->hs), strerror(-err));
}

void conn_expire(struct conn *c, uint64_t now)
{
	const char *step = hs_step_name(c->hs);

	if (c->post) {
		hs_abort(c->hs, ALERT_INTERNAL_ERROR, "the keeper did not answer in time: see whether this machine is overloaded");
		post_step(c);
		return;
	}
	hs_abort(c->hs, ALERT_USER_CANCELED, "time is up");
	flush_alert(c);
	if (c->denied)
		end_with(c, c->denied, now, "%s", c->choice.why);
	else if (c->signing || hs_state(c->hs) == HS_PREPARE)
		end_with(c, -ETIMEDOUT, now, "the keeper did not answer in time: see whether this machine is overloaded");
	else
		end_with(c, -ETIMEDOUT, now, "the peer did not go on in %llu ms, %s was expected: see whether it speaks TLS, or allow more time", (unsigned long long)(now - c->opened), step);
}

void conn_hangup(struct conn *c, uint64_t now)
{
	uint8_t byte;
	ssize_t n = read(c->fd, &byte, 1);

	lost(c, n < 0 ? -errno : 0, now);
}

/* ---- success */

static void fill_state(const struct conn *c, const struct hs_result *r, const struct hs_traffic *tx,
		       const struct hs_traffic *rx, struct state *s)
{
	s->role = c->role;
	s->suite = r->suite;
	s->tx.generation = 1;
	s->rx.generation = 1;
	memcpy(s->tx.secret, tx->secret, sizeof(s->tx.secret));
	memcpy(s->rx.secret, rx->secret, sizeof(s->rx.secret));
	memcpy(s->resumption, r->resumption, sizeof(s->resumption));
	snprintf(s->server_name, sizeof(s->server_name), "%s", r->server_name);
	memcpy(s->alpn, r->alpn, r->alpn_len);
	s->alpn_len = r->alpn_len;
	if (r->identity)
		snprintf(s->identity, sizeof(s->identity), "%s", r->identity->name);
	resume_state(c, r, s);
	if (post_able(c, r))
		post_fill_state(c, r, s);
}

static size_t pack_state(const struct conn *c, const struct hs_result *r,
			 const struct hs_traffic *tx, const struct hs_traffic *rx, uint8_t *buf)
{
	struct state s = { 0 };
	size_t len;

	fill_state(c, r, tx, rx, &s);
	len = state_pack(&s, buf, KTLS_MAX_STATE);
	crypto_wipe(&s, sizeof(s));
	return len;
}

static int respond_keys(struct conn *c, const struct hs_result *r)
{
	struct hs_traffic tx_next = r->tx, rx_next = r->rx;
	uint8_t state[KTLS_MAX_STATE], info[KTLS_MAX_INFO];
	struct reply reply = {
		.id = c->id, .alert = -1, .aead = r->aead, .version = r->version,
		.tx = &r->tx, .rx = &r->rx, .tx_next = &tx_next, .rx_next = &rx_next, .tx_nexts = 1, .rx_nexts = 1,
		.state = state, .info = info, .tx_limit = r->tx_limit, .rx_limit = r->rx_limit,
		.tx_pad = r->version == TLS13 ? c->params.record_pad : 0,
		.post_auth = post_able(c, r) ? KTLS_POST_AUTH_OFFERED : KTLS_POST_AUTH_NONE,
	};
	int err;

	if (r->version == TLS12) {	/* its keys last as long as it does */
		reply.tx_nexts = reply.rx_nexts = 0;
	} else {
		hs_traffic_update(&tx_next, r->hash, r->aead);
		hs_traffic_update(&rx_next, r->hash, r->aead);
	}
	reply.state_len = pack_state(c, r, &tx_next, &rx_next, state);
	reply.info_len = info_write(c, r, info, sizeof(info));
	err = c->env->respond(c->env->arg, &reply);
	crypto_wipe(&tx_next, sizeof(tx_next));
	crypto_wipe(&rx_next, sizeof(rx_next));
	crypto_wipe(state, sizeof(state));
	return err;
}

static void log_success(const struct conn *c, const struct hs_result *r, uint64_t now)
{
	const struct suite *suite = suite_by_id(r->suite);
	const struct crypto_group *group = group_by_id(r->group);
	char name[HS_MAX_NAME];

	log_line(LOG_INFO, "handshake cookie=%llx peer=%s role=%s uid=%u name=%s result=ok version=%s suite=%s group=%s identity=%s resumed=%s ms=%llu",
		 (unsigned long long)c->cookie, c->peer, c->role == KTLS_ROLE_SERVER ? "server" : "client", c->uid,
		 log_quote(name, sizeof(name), c->wish.server_name), r->version == TLS12 ? "1.2" : "1.3",
		 suite ? suite->name : "?",
		 group ? group->name : "none", r->identity ? r->identity->name : "none",
		 r->resumed ? "yes" : "no",
		 (unsigned long long)(now - c->opened));
}

static void succeed(struct conn *c, uint64_t now)
{
	const struct hs_result *r = hs_result(c->hs);
	int err;

	if (c->broken) {
		lost(c, c->broken, now);
		return;
	}
	err = respond_keys(c, r);
	if (err) {
		end_with(c, -ECONNABORTED, now, "the module refused the keys (%s): the application closed meanwhile, or time was up", errno_name(err));
		return;
	}
	resume_result(c, r);
	c->env->count.done++;
	c->env->count.resumed += r->resumed;
	log_success(c, r, now);
}

/* ---- going on */

/* 0 all sent, -EAGAIN. A broken channel may still hold the peer's alert: what we have is dropped, reading tells. */
static int flush(struct conn *c)
{
	const uint8_t *out;
	size_t len;
	ssize_t n;

	while (out = hs_output(c->hs, &len), len) {
		n = c->broken ? (ssize_t)len : write(c->fd, out, len);
		if (n > 0)
			hs_sent(c->hs, n);
		else if (n < 0 && errno == EAGAIN)
			return -EAGAIN;
		else if (n < 0 && errno != EINTR)
			c->broken = -errno;
	}
	return 0;
}

/* Read what the engine wants: 0; -EAGAIN; -EPIPE at the end of file; -errno. */
static int fill(struct conn *c)
{
	uint8_t buf[16384 + 512];
	size_t want = hs_want(c->hs);
	ssize_t n;

	do {
		n = read(c->fd, buf, want < sizeof(buf) ? want : sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	hs_input(c->hs, buf, n);
	return 0;
}

void conn_ask_signature(struct conn *c)
{
	int err;

	c->events = 0;
	if (c->signing)
		return;
	err = c->env->sign(c->env->arg, c->request, c->deadline, hs_sign_wanted(c->hs));
	c->signing = !err;
	if (err && err != -EAGAIN)
		hs_abort(c->hs, ALERT_INTERNAL_ERROR, "the keeper is gone: it will start again");
}

static bool wait_for(struct conn *c, uint32_t events)
{
	c->events = events;
	return true;
}

/* Who can't be asked says no: it costs the client a round trip. */
static void ask_freshness(struct conn *c)
{
	if (c->comparing)
		return;
	c->comparing = c->env->fresh && !c->env->fresh(c->env->arg, c->request, hs_fresh_wanted(c->hs));
	if (!c->comparing)
		hs_fresh(c->hs, false);
}

bool conn_step(struct conn *c, uint64_t now)
{
	int i, err;

	if (c->post)
		return post_step(c);
	if (c->fetching)
		return wait_for(c, 0);
	for (i = 0; i < STEPS_MAX; i++) {
		if (hs_state(c->hs) == HS_FAILED) {
			fail(c, now);
			return false;
		}
		if (flush(c))
			return wait_for(c, EPOLLOUT);
		if (hs_state(c->hs) == HS_DONE) {
			succeed(c, now);
			return false;
		}
		if (hs_state(c->hs) == HS_SIGN) {
			conn_ask_signature(c);
			if (hs_state(c->hs) == HS_SIGN)
				return true;
			continue;
		}
		if (hs_state(c->hs) == HS_FRESH) {
			ask_freshness(c);
			if (hs_state(c->hs) == HS_FRESH)
				return wait_for(c, 0);
			continue;
		}
		if (hs_state(c->hs) == HS_PREPARE) {
			lookup_ask(c);
			return wait_for(c, 0);
		}
		err = fill(c);
		if (err == -EAGAIN)
			return wait_for(c, EPOLLIN);
		if (err) {
			lost(c, err == -EPIPE ? 0 : err, now);
			return false;
		}
	}
	return wait_for(c, EPOLLIN);
}

bool conn_signed(struct conn *c, const struct msg_signed *m, uint64_t now)
{
	if (!c->signing || hs_state(c->hs) != HS_SIGN)
		return true;
	c->signing = false;
	if (m->err || m->len > sizeof(m->sig))
		hs_abort(c->hs, ALERT_INTERNAL_ERROR, "the keeper refused to sign: see its log line");
	else
		hs_signed(c->hs, m->sig, m->len);
	return conn_step(c, now);
}

bool conn_identity(struct conn *c, const struct msg_identity *m, uint64_t now)
{
	if (!lookup_take(c, m) || hs_state(c->hs) != HS_PREPARE)
		return true;
	hs_prepared(c->hs);
	return conn_step(c, now);
}

bool conn_fresh(struct conn *c, const struct msg_fresh *m, uint64_t now)
{
	if (!c->comparing || hs_state(c->hs) != HS_FRESH)
		return true;
	c->comparing = false;
	hs_fresh(c->hs, m->first == 1);
	return conn_step(c, now);
}

bool conn_ticket(struct conn *c, const struct msg_ticket *m, uint64_t now)
{
	if (!c->fetching)
		return true;
	c->fetching = false;
	resume_take(c, m);
	hs_start(c->hs);
	return conn_step(c, now);
}

/* ---- how it begins */

/* The module gives up at its own deadline; ours comes a little before, with a better sentence. */
static uint64_t deadline(const struct upcall *up, uint64_t now)
{
	uint32_t ms = up->timeout ? up->timeout : 10000;

	return now + ms - ms / 32;
}

struct conn *conn_make(struct conn_env *env, const struct upcall *up, uint64_t request, uint64_t now)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->env = env;
	c->fd = up->channel;
	c->request = request;
	c->id = up->id;
	c->cookie = up->cookie;
	c->opened = now;
	c->deadline = deadline(up, now);
	c->role = up->role;
	c->uid = up->uid;
	peer_name(&up->peer, c->peer);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return c;
}

/* Policy and parameters, then the engine. False: answered. */
static bool begin(struct conn *c, const struct upcall *up, uint64_t now)
{
	c->denied = want_all(c, up);
	if (c->denied && c->role == KTLS_ROLE_CLIENT) {
		end_with(c, c->denied, now, "%s", c->choice.why);
		return false;
	}
	want_params(c);
	c->hs = hs_new(&c->params);
	if (c->hs && (resume_begin(c, &up->peer) || hs_start(c->hs) >= 0))
		return true;
	end_with(c, -ENOMEM, now, "the agent has no memory: lower handshakes = of [agent], or add memory");
	return false;
}

struct conn *conn_open(struct conn_env *env, const struct upcall *up, uint64_t request,
		       uint64_t now)
{
	struct conn *c = conn_make(env, up, request, now);

	if (!c) {
		struct reply none = { .id = up->id, .err = -ENOMEM, .alert = -1, .reason = "the agent has no memory" };

		env->respond(env->arg, &none);
		close(up->channel);
		return NULL;
	}
	if (begin(c, up, now))
		return c;
	conn_free(c);
	return NULL;
}

void conn_free(struct conn *c)
{
	hs_free(c->hs);
	lookup_free(c);
	if (c->ticket)
		crypto_wipe(c->ticket, sizeof(*c->ticket));
	free(c->ticket);
	if (c->fd >= 0)
		close(c->fd);
	post_free(c->post);
	crypto_wipe(c, sizeof(*c));
	free(c);
}
