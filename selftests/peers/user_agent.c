// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The handshake as ktlsd does it under a configuration file: the agent's own
 * parser, policy and conn.c, with this program in the place of kernel and
 * keeper. So each key of ktlsd.conf(5) means here what it means there; those of
 * the daemon alone (workers, control and the like) are read and checked.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netlink/attr.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "conn.h"
#include "keylog.h"
#include "log.h"
#include "profile.h"
#include "share.h"
#include "sign.h"
#include "tickets.h"
#include "user.h"

#define TIME_LIMIT	60000	/* ms for a handshake: a harness may be slow */

/* What conn asked for, and gets once it waits. */
struct answers {
	bool has_signed, has_ticket, has_fresh;
	struct msg_signed signd;
	struct msg_ticket ticket;
	struct msg_fresh fresh;
	struct msg_identity identity[CATALOGS_MAX];
	size_t identities;
};

struct world {
	struct peer *p;
	struct config *config;
	struct conn_env env;
	struct conn *conn;
	struct tickets tickets;
	struct share share;
	struct answers answers;
	uint8_t param[KTLS_MAX_PARAM];
	size_t param_len;
	bool done;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the kernel's part */

static int respond(void *arg, const struct reply *reply)
{
	static const char *const by[] = {
		[KTLS_ALERT_FROM_NONE] = "no", [KTLS_ALERT_FROM_LOCAL] = "sent", [KTLS_ALERT_FROM_PEER] = "received",
	};
	struct world *w = arg;

	w->done = !reply->err;
	if (w->done)
		handshake_done(w->p, w->conn->hs, reply->tx_pad);
	else
		printf("failed at %s (%s alert %d)\n", reply->reason, by[reply->from], reply->alert);
	fflush(stdout);
	return 0;
}

static void failed(void *arg, const struct msg_failure *failure)
{
	(void)arg;
	(void)failure;
}

static void put(struct world *w, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(w->param + w->param_len);

	if (w->param_len + NLA_ALIGN(NLA_HDRLEN + len) > sizeof(w->param))
		errx(64, "more parameters than an application can give");
	*a = (struct nlattr){ .nla_type = (uint16_t)type, .nla_len = (uint16_t)(NLA_HDRLEN + len) };
	memcpy(nla_data(a), data, len);
	w->param_len += NLA_ALIGN(NLA_HDRLEN + len);
}

static void put_text(struct world *w, int type, const char *text)
{
	if (text)
		put(w, type, text, strlen(text) + 1);
}

/* What an application would say: the options that are not the configuration's. */
static void put_params(struct world *w)
{
	const struct options *o = w->p->o;
	uint32_t auth = o->require ? HS_AUTH_REQUIRE : HS_AUTH_ASK;

	if (!o->server)
		put_text(w, KTLS_P_SERVER_NAME, o->name);
	put_text(w, KTLS_P_IDENTITY, o->identity);
	put_text(w, KTLS_P_TRUST, o->trust);
	put_text(w, KTLS_P_PSK, o->psk_name);
	if (o->alpn_len)
		put(w, KTLS_P_ALPN, o->alpn, o->alpn_len);
	if (o->ciphers_num)
		put(w, KTLS_P_CIPHERS, o->ciphers, o->ciphers_num * sizeof(o->ciphers[0]));
	if (o->server && o->trust)
		put(w, KTLS_P_CLIENT_AUTH, &auth, sizeof(auth));
	if (o->early)
		put(w, KTLS_P_EARLY_DATA, w->p->early, strlen(w->p->early));
	if (o->max_early)
		put(w, KTLS_P_EARLY_MAX, &o->max_early, sizeof(o->max_early));
}

/* ---- the keeper's */

static int sign(void *arg, uint64_t request, uint64_t deadline, const struct hs_sign *s)
{
	struct world *w = arg;
	struct msg_sign m = { .type = MSG_SIGN, .key = s->identity->key | (s->delegated ? SIGN_DELEGATED : 0), .id = request, .deadline = deadline,
			      .scheme = s->scheme->id, .len = (uint16_t)s->len };

	sign_request(w->config, &m, s->tbs, s->len, &w->answers.signd);
	w->answers.has_signed = true;
	return 0;
}

static int ticket_get(void *arg, uint64_t request, const uint8_t store_key[HS_CONTEXT])
{
	struct world *w = arg;

	(void)store_key;
	w->answers.ticket = (struct msg_ticket){ .type = MSG_TICKET, .id = request, .found = w->p->o->ticket_in != NULL,
						 .ticket = w->p->ticket };
	w->answers.has_ticket = true;
	return 0;
}

/* The ticket of TLS 1.2 is reported with the handshake. */
static void ticket_put(void *arg, const struct msg_ticket_put *m)
{
	(void)arg;
	(void)m;
}

static int fresh(void *arg, uint64_t request, const uint8_t id[32])
{
	struct world *w = arg;
	uint64_t now = (uint64_t)time(NULL);
	bool first = w->tickets.shared ? share_first(&w->share, w->config, id, now_ms()) : register_first(w->p, id, now);

	w->answers.fresh = (struct msg_fresh){ .type = MSG_FRESH, .id = request, .first = first };
	w->answers.has_fresh = true;
	return 0;
}

static int identity_get(void *arg, const struct msg_identity_get *m)
{
	struct world *w = arg;

	stock_get(w->config->stock, m, &w->answers.identity[w->answers.identities++]);
	return 0;
}

static bool answer(struct world *w, bool alive)
{
	struct answers *a = &w->answers;

	if (alive && a->has_signed) {
		a->has_signed = false;
		return conn_signed(w->conn, &a->signd, now_ms());
	}
	if (alive && a->has_ticket) {
		a->has_ticket = false;
		return conn_ticket(w->conn, &a->ticket, now_ms());
	}
	if (alive && a->has_fresh) {
		a->has_fresh = false;
		return conn_fresh(w->conn, &a->fresh, now_ms());
	}
	while (alive && a->identities)
		alive = conn_identity(w->conn, &a->identity[--a->identities], now_ms());
	return alive;
}

static bool answers_wait(const struct answers *a)
{
	return a->has_signed || a->has_ticket || a->has_fresh || a->identities;
}

static void run(struct world *w)
{
	bool alive = conn_step(w->conn, now_ms());

	while (alive) {
		struct pollfd p = { .fd = w->conn->fd, .events = (short)w->conn->events };

		if (answers_wait(&w->answers)) {
			alive = answer(w, true);
		} else if (poll(&p, 1, 1000) == 1) {
			alive = conn_step(w->conn, now_ms());
		} else if (now_ms() >= w->conn->deadline) {
			conn_expire(w->conn, now_ms());
			alive = false;
		}
	}
}

bool agent_handshake(struct peer *p)
{
	struct world *w = p->world;
	struct upcall up = {
		.why = KTLS_WHY_HANDSHAKE, .role = p->o->server ? KTLS_ROLE_SERVER : KTLS_ROLE_CLIENT,
		.channel = dup(p->fd), .timeout = TIME_LIMIT, .uid = geteuid(), .gid = getegid(), .pid = (uint32_t)getpid(),
		.param = w->param, .param_len = w->param_len,
	};
	int flags = fcntl(p->fd, F_GETFL);

	w->done = false;
	w->answers.identities = 0;
	w->conn = NULL;
	w->conn = conn_open(&w->env, &up, 1, now_ms());
	if (w->conn) {
		run(w);
		conn_free(w->conn);
		w->conn = NULL;
	}
	fcntl(p->fd, F_SETFL, flags);
	return w->done;
}

/* ---- the configuration */

static void copy_file(FILE *to, const char *path)
{
	char buf[4096];
	FILE *from = fopen(path, "re");
	size_t n;

	if (!from)
		err(64, "%s", path);
	while ((n = fread(buf, 1, sizeof(buf), from)))
		fwrite(buf, 1, n, to);
	fclose(from);
	fputc('\n', to);
}

/* Of "SECTION.KEY=VALUE" or "KEY=VALUE": the header's length; 0: [agent]. */
static size_t section_length(const char *set)
{
	size_t n = strcspn(set, "=");

	if (!set[n])
		errx(64, "--set wants KEY=VALUE or SECTION.KEY=VALUE, not %s", set);
	while (n && set[n - 1] != '.')
		n--;
	return n ? n - 1 : 0;
}

/* One section at a time: the file may open each of those with a name but once. */
static void write_sets(FILE *to, const struct options *o)
{
	bool written[SETS_MAX] = { 0 };

	for (size_t i = 0; i < o->sets_num; i++) {
		size_t len = section_length(o->set[i]);

		if (written[i])
			continue;
		if (len)
			fprintf(to, "[%.*s]\n", (int)len, o->set[i]);
		else
			fprintf(to, "[agent]\n");
		for (size_t j = i; j < o->sets_num; j++) {
			if (section_length(o->set[j]) != len || strncmp(o->set[j], o->set[i], len))
				continue;
			fprintf(to, "%s\n", o->set[j] + (len ? len + 1 : 0));
			written[j] = true;
		}
	}
}

static struct config *load(const struct options *o)
{
	char path[] = "/tmp/hs-config-XXXXXX";
	struct files *files = files_new();
	struct config_report report;
	struct config *config = NULL;
	int fd = mkstemp(path);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	int e;

	if (!to || !files)
		err(1, "%s", path);
	if (o->config)
		copy_file(to, o->config);
	write_sets(to, o);
	fclose(to);
	e = config_load(path, files, true, &config, &report);
	unlink(path);
	fputs(report.text, stderr);
	if (e)
		errx(64, "the configuration is no good");
	return config;
}

void agent_setup(struct peer *p)
{
	struct world *w = p->world = calloc(1, sizeof(*w));
	struct config *c;

	if (!w)
		err(1, "memory");
	w->p = p;
	w->config = c = load(p->o);
	log_set_level(c->log_level);
	if (p->o->explain) {
		profile_explain(c, stdout);
		exit(0);
	}
	share_update(&w->share, c, now_ms());
	if (w->share.has)
		tickets_derive(&w->tickets, w->share.secret, (uint64_t)time(NULL), c->ticket_lifetime);
	else
		tickets_rotate(&w->tickets, now_ms(), c->ticket_lifetime);
	w->env = (struct conn_env){
		.config = c, .arg = w, .respond = respond, .sign = sign, .failed = failed, .ticket_get = ticket_get,
		.fresh = fresh, .ticket_put = ticket_put, .identity_get = identity_get,
		.cache = c->catalogs_num ? cache_new(c->identity_cache) : NULL,
		.ticket_keys = w->tickets.keys.keys, .key_log = keylog_open(c->key_log),
		.sessions = sessions_shared(c->session_ids), .sessions_num = c->session_ids,
	};
	put_params(w);
}

void agent_free(struct peer *p)
{
	struct world *w = p->world;

	if (!w)
		return;
	cache_free(w->env.cache);
	tickets_free(&w->tickets);
	share_forget(&w->share);
	config_put(w->config);
	free(w);
}
