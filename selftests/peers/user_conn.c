// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handshake and records over a descriptor that blocks. Each connection that
 * succeeds prints one line of what was agreed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>
#include "conn.h"
#include "handshake/alert.h"
#include "handshake/suite.h"
#include "handshake/version.h"
#include "user.h"

/* ---- the descriptor */

static bool write_all(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= (size_t)n) {
		n = write(fd, p, len);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool read_all(int fd, uint8_t *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= (size_t)n) {
		n = read(fd, p, len);
		if (n <= 0)
			return false;
	}
	return true;
}

int listen_on(const struct options *o)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(o->port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16))
		err(1, "port %s", o->port);
	return fd;
}

void hang_up(struct peer *p)
{
	shutdown(p->fd, SHUT_WR);
	while (read(p->fd, p->plain, sizeof(p->plain)) > 0)
		;
	close(p->fd);
}

/* ---- records of application data */

bool send_record(struct peer *p, uint8_t type, const void *data, size_t len)
{
	size_t n, max = after_max(&p->after);

	do {
		n = len < max ? len : max;
		if (!write_all(p->fd, p->record, after_seal(&p->after, type, data, n, p->record)))
			return false;
		data = (const char *)data + n;
		len -= n;
	} while (len);
	return true;
}

/* What the peer did was wrong: @alert goes out, and no more is read. */
static ssize_t refuse(struct peer *p, int alert)
{
	const uint8_t msg[2] = { 2, (uint8_t)(alert > 0 ? alert : ALERT_INTERNAL_ERROR) };

	printf("failed after the handshake: sent alert %d\n", msg[1]);
	fflush(stdout);
	send_record(p, ALERT, msg, sizeof(msg));
	return -1;
}

void close_notify(struct peer *p)
{
	send_record(p, ALERT, "\1\0", 2);
}

bool update_tx(struct peer *p, uint8_t ask)
{
	const uint8_t msg[] = { KEY_UPDATE, 0, 0, 1, ask };

	if (!send_record(p, HANDSHAKE, msg, sizeof(msg)))
		return false;
	hs_traffic_update(&p->after.tx, p->after.hash, p->after.aead);
	return true;
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(data, len, 1, f) != 1 || fclose(f))
		err(1, "%s", path);
}

/* The last ticket of a connection is kept. */
static int read_ticket(struct peer *p, const uint8_t *msg, size_t len)
{
	struct hs_ticket t = { 0 };
	int e = hs_ticket_read(p->suite, p->resumption, conn_clock(), msg, len, &t);

	if (e && e != -ENOENT)
		return e;
	t.peer = p->who;
	t.alpn_len = (uint32_t)p->alpn_len;
	memcpy(t.alpn, p->alpn, p->alpn_len);
	printf("ticket of %u bytes for %u seconds\n", t.len, t.lifetime);
	fflush(stdout);
	p->got_ticket |= !e;
	if (!e && p->o->ticket_out)
		write_file(p->o->ticket_out, &t, sizeof(t));
	return 0;
}

static int key_updated(struct peer *p, const uint8_t *msg, size_t len)
{
	bool asked;
	int alert = after_updated(&p->after, msg, len, &asked);

	if (alert)
		return alert;
	printf("peer updated its keys\n");
	fflush(stdout);
	return !asked || update_tx(p, 0) ? 0 : -ECONNRESET;
}

/* As the agent does with an open session: asked for another handshake, a client goes on and a server says no. */
static int message12(struct peer *p, const uint8_t *msg)
{
	static const uint8_t refusal[] = { 1, ALERT_NO_RENEGOTIATION };

	if (msg[0] != (p->o->server ? CLIENT_HELLO : HELLO_REQUEST))
		return ALERT_UNEXPECTED_MESSAGE;
	printf("peer wants another handshake\n");
	fflush(stdout);
	return !p->o->server || send_record(p, ALERT, refusal, sizeof(refusal)) ? 0 : -ECONNRESET;
}

/* 0; > 0: the alert to send; < 0: it was sent, or can't be. */
static int message(struct peer *p, const uint8_t *msg, size_t len)
{
	if (p->after.version == TLS12)
		return message12(p, msg);
	if (msg[0] == KEY_UPDATE)
		return key_updated(p, msg, len);
	if (p->asking)
		return post_heard(p, msg, len) ? 0 : -EPROTO;
	if (msg[0] == TICKET && !p->o->server)
		return read_ticket(p, msg, len);
	if (msg[0] == CERTIFICATE_REQUEST && !p->o->server && p->o->post_auth)
		return post_answer(p, msg, len) ? 0 : -EPROTO;
	return ALERT_UNEXPECTED_MESSAGE;
}

static int messages(struct peer *p)
{
	const uint8_t *msg;
	size_t len;
	int e = 0;

	while (!e && (msg = after_message(&p->after, &len)))
		e = message(p, msg, len);
	return e;
}

/* What an alert leaves: 0 the end, -1 an error, 1 to go on. */
static int alerted(const struct peer *p)
{
	if (p->plain[1] == ALERT_USER_CANCELED || p->plain[1] == ALERT_NO_RENEGOTIATION)
		return 1;
	return p->plain[1] == ALERT_CLOSE_NOTIFY ? 0 : -1;
}

static ssize_t early_read(struct peer *p)
{
	size_t n = p->early_len < 16384 ? p->early_len : 16384;

	memcpy(p->plain, p->early_data, n);
	memmove(p->early_data, p->early_data + n, p->early_len -= n);
	return (ssize_t)n;
}

/* The next application data; 0 at close_notify, -1 otherwise. */
ssize_t recv_data(struct peer *p)
{
	uint8_t type;
	size_t len;
	int e;

	if (p->early_len)
		return early_read(p);
	for (;;) {
		if (!read_all(p->fd, p->record, RECORD_HEADER))
			return -1;
		e = after_header(&p->after, p->record, &len);
		if (!e && !read_all(p->fd, p->record + RECORD_HEADER, len))
			return -1;
		if (!e)
			e = after_open(&p->after, p->record, p->plain, &type, &len);
		if (!e && type == ALERT && len != 2)
			e = ALERT_DECODE_ERROR;
		if (!e && type == HANDSHAKE)
			e = messages(p);
		if (e)
			return e > 0 || e == -ENOMEM ? refuse(p, e) : -1;
		if (type == DATA && len)
			return (ssize_t)len;
		if (type == ALERT && alerted(p) <= 0)
			return alerted(p);
	}
}

/* ---- the handshake */

static int sign(struct peer *p, struct hs *hs)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	if (s->scheme->sign(s->delegated ? p->delegated_key : p->key, s->scheme->hash, s->tbs, s->len, sig, &len))
		return hs_abort(hs, ALERT_INTERNAL_ERROR, "could not sign");
	return hs_signed(hs, sig, len);
}

static bool flush(struct peer *p, struct hs *hs)
{
	size_t len;
	const uint8_t *out = hs_output(hs, &len);
	bool ok = write_all(p->fd, out, len);

	hs_sent(hs, len);
	return ok;
}

static int step(struct peer *p, struct hs *hs)
{
	uint8_t buf[4096];
	size_t want = hs_want(hs);
	ssize_t n;

	if (hs_state(hs) == HS_SIGN)
		return sign(p, hs);
	if (hs_state(hs) == HS_FRESH)
		return hs_fresh(hs, register_first(p, hs_fresh_wanted(hs), (uint64_t)p->params.now));
	n = read(p->fd, buf, want < sizeof(buf) ? want : sizeof(buf));
	if (n <= 0)
		return -ECONNRESET;
	return hs_input(hs, buf, (size_t)n);
}

static void report_failure(const struct hs *hs, int e)
{
	static const char *const by[] = {
		[HS_ALERT_NONE] = "no", [HS_ALERT_LOCAL] = "sent", [HS_ALERT_PEER] = "received",
	};
	enum hs_alert_from from;
	int alert = hs_alert(hs, &from);

	printf("failed at %s: %s (%s alert %d)\n", hs_step_name(hs), hs_why(hs)[0] ? hs_why(hs) : strerror(-e),
	       by[from], alert);
	fflush(stdout);
}

static void report(const struct hs *hs)
{
	const struct hs_result *r = hs_result(hs);
	const struct crypto_scheme *scheme = crypto_scheme_find(r->scheme);
	const struct crypto_group *group = group_by_id(r->group);
	uint8_t binding[32];

	printf("done suite %s group %s scheme %s name %s alpn [%.*s] peer %zu verified %d retried %d resumed %d psk %s limit %u binding ",
	       suite_by_id(r->suite)->name, group ? group->name : "none", scheme ? scheme->name : "none",
	       r->server_name[0] ? r->server_name : "-", (int)r->alpn_len, (const char *)r->alpn,
	       r->peer_num, r->peer_verified, r->retried, r->resumed, r->psk ? r->psk->name : "-", r->tx_limit);
	hs_export(r, "EXPORTER-Channel-Binding", NULL, 0, binding, sizeof(binding));
	for (size_t i = 0; i < sizeof(binding); i++)
		printf("%02X", binding[i]);
	putchar('\n');
	if (r->delegated)
		puts("the peer signed by a delegated credential");
	fflush(stdout);
}

/* Of TLS 1.2: it came in the handshake, none comes later. */
static void report_session(struct peer *p, const struct hs_ticket *t)
{
	p->got_ticket = p->after.version == TLS12;
	if (!t)
		return;
	printf("ticket of %u bytes for %u seconds\n", t->len, t->lifetime);
	fflush(stdout);
	if (p->o->ticket_out)
		write_file(p->o->ticket_out, t, sizeof(*t));
}

/* Early data, and what the last ticket says of them: to be known before the next handshake. */
static void keep_early(struct peer *p, const struct hs *hs)
{
	static const char *const words[] = {
		[HS_EARLY_ACCEPTED] = "accepted", [HS_EARLY_REJECTED] = "rejected",
	};
	const struct hs_result *r = hs_result(hs);
	const uint8_t *data = hs_early_data(hs, &p->early_len);

	p->early_taken = !p->o->server && r->early == HS_EARLY_ACCEPTED;
	p->alpn_len = r->alpn_len;
	memcpy(p->alpn, r->alpn, r->alpn_len);
	if (r->early != HS_EARLY_NONE)
		printf("early data %s, %zu bytes\n", words[r->early], p->o->server ? p->early_len : p->params.early_len);
	fflush(stdout);
	free(p->early_data);
	p->early_data = p->early_len ? malloc(p->early_len) : NULL;
	if (p->early_data)
		memcpy(p->early_data, data, p->early_len);
	else
		p->early_len = 0;
}

void handshake_done(struct peer *p, struct hs *hs, uint16_t pad)
{
	const struct hs_result *r = hs_result(hs);

	report(hs);
	keep_early(p, hs);
	after_init(&p->after, r);
	p->after.pad = pad;
	p->suite = r->suite;
	report_session(p, r->ticket);
	p->who = r->who;
	hs_post_from(r, p->o->server ? HS_SERVER : HS_CLIENT, &p->post);
	memcpy(p->resumption, r->resumption, sizeof(p->resumption));
}

bool handshake(struct peer *p)
{
	uint64_t now = conn_clock();
	struct hs *hs;
	int e;

	if (p->world)
		return agent_handshake(p);
	p->params.now = (time_t)(now / 1000);
	p->params.now_ms = now % 1000;
	hs = hs_new(&p->params);
	if (!hs)
		errx(1, "out of memory");
	e = hs_start(hs);
	while (!e && hs_state(hs) != HS_DONE) {
		flush(p, hs);
		e = step(p, hs);
	}
	flush(p, hs);
	if (e) {
		report_failure(hs, e);
	} else {
		handshake_done(p, hs, p->params.record_pad);
		if (p->o->server && p->o->post_auth && hs_result(hs)->post_auth && !post_ask(p))
			e = -ECONNRESET;
	}
	hs_free(hs);
	return !e;
}
