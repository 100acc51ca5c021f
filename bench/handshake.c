/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-handshake: CPU time that a server spends on a TLS handshake, beside
 * OpenSSL and GnuTLS in this process. The client is OpenSSL's for all of them,
 * and its time is not counted. Servers take turns within each round; the time
 * is the median of the rounds, the ratio the median of what ktls's time is to
 * that server's within a round.
 *
 *	handshake OUT.json ROUNDS DIR-OF-KEYS [ONLY-SERVER KIND KEY]
 *
 * With a server named, only that one runs: for a profiler.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "handshake.h"
#include "median.h"

#define MAX_ROUNDS	1000

static const struct server *const servers[] = { &server_ktls, &server_openssl, &server_gnutls };
#define SERVERS (sizeof(servers) / sizeof(servers[0]))

/* @aim: what ktls's time may be of the others' at most; 0: no aim. */
static const struct kind {
	const char *kind, *key;
	bool resumed, old;		/* old: TLS 1.2 */
	unsigned int batch;		/* handshakes of one server in one round */
	double aim[SERVERS];
} kinds[] = {
	{ "full", "p256", false, false, 24, { 0, 0.55, 0.62 } },
	{ "resumed", "p256", true, false, 24, { 0, 0.45, 0.65 } },
	{ "full", "rsa", false, false, 6, { 0, 1.15, 0 } },
	{ "full12", "p256", false, true, 24, { 0, 0, 0 } },
	{ "resumed12", "p256", true, true, 48, { 0, 0, 1.0 } },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct run {
	const struct server *server;
	void *state;
	SSL_SESSION *session;
	double us[MAX_ROUNDS];
};

static SSL_CTX *client;
static SSL_SESSION *last_session;

void bench_fail(const char *what)
{
	fprintf(stderr, "bench-handshake: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(last_session);
	last_session = session;
	return 1;
}

static void client_make(bool old)
{
	int version = old ? TLS1_2_VERSION : TLS1_3_VERSION;

	SSL_CTX_free(client);
	client = SSL_CTX_new(TLS_client_method());
	/* In TLS 1.2 the curve of the server's key has to be among the client's. */
	if (!client || !SSL_CTX_set_min_proto_version(client, version) ||
	    !SSL_CTX_set_max_proto_version(client, version) ||
	    !SSL_CTX_set_ciphersuites(client, "TLS_AES_128_GCM_SHA256") ||
	    !SSL_CTX_set_cipher_list(client, "ECDHE+AES128+AESGCM") ||
	    !SSL_CTX_set1_groups_list(client, old ? "X25519:P-256" : "X25519"))
		bench_fail("client");
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client, keep_session);
}

static SSL *client_open(SSL_SESSION *session)
{
	SSL_SESSION *once = session ? SSL_SESSION_dup(session) : NULL;
	SSL *ssl = SSL_new(client);

	if (!ssl || (once && !SSL_set_session(ssl, once)))
		bench_fail("client");
	SSL_SESSION_free(once);		/* OpenSSL uses a session of TLS 1.3 once only */
	SSL_set_tlsext_host_name(ssl, "server.test");
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	return ssl;
}

/* What the client makes of what the server sent; its answer, if it has one. */
static size_t client_step(SSL *ssl, struct wire *w, uint8_t *buf)
{
	int n;

	if (w->out_len)
		BIO_write(SSL_get_rbio(ssl), w->out, (int)w->out_len);
	w->out_len = 0;
	if (SSL_is_init_finished(ssl))
		SSL_read(ssl, buf, 1);		/* tickets */
	else if (SSL_do_handshake(ssl) != 1 && SSL_get_error(ssl, -1) != SSL_ERROR_WANT_READ)
		bench_fail("the client's handshake failed");
	n = BIO_read(SSL_get_wbio(ssl), buf, FLIGHT);
	return n > 0 ? (size_t)n : 0;
}

/* One handshake. Returns the server's CPU time. */
static double handshake(struct run *r, bool resume, bool give)
{
	SSL *ssl = client_open(resume ? r->session : NULL);
	static uint8_t buf[FLIGHT];
	struct wire w = { .in = buf };
	double start, spent;
	bool resumed;
	void *conn;
	int rc;

	start = now_us();
	conn = r->server->open(r->state, give);
	spent = now_us() - start;
	do {
		w.in = buf;
		w.in_len = client_step(ssl, &w, buf);
		if (!w.in_len)
			bench_fail("the client has nothing to say");
		start = now_us();
		rc = r->server->step(conn, &w);
		spent += now_us() - start;
	} while (!rc);
	if (rc < 0)
		bench_fail(r->server->name);
	client_step(ssl, &w, buf);
	resumed = r->server->resumed(conn);
	start = now_us();
	r->server->close(conn);
	spent += now_us() - start;
	if (!SSL_is_init_finished(ssl) || resumed != resume || (bool)SSL_session_reused(ssl) != resume)
		bench_fail("not the handshake that was meant");
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);	/* or its session counts as a broken one */
	SSL_free(ssl);
	return spent;
}

static void prepare(struct run *r, const struct server *s, const struct kind *k, const char *dir)
{
	char cert[512], key[512];

	snprintf(cert, sizeof(cert), "%s/%s.pem", dir, k->key);
	snprintf(key, sizeof(key), "%s/%s.key", dir, k->key);
	r->server = s;
	r->state = s->make(cert, key, k->resumed, k->old);
	if (!k->resumed)
		return;
	handshake(r, false, true);
	r->session = last_session;
	last_session = NULL;
	if (!r->session)
		bench_fail("no ticket came");
}

static double batch(struct run *r, const struct kind *k)
{
	double us = 0;

	for (unsigned int i = 0; i < k->batch; i++)
		us += handshake(r, k->resumed, false);
	return us / k->batch;
}

static double median_of(const double *v, size_t n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, v, n * sizeof(*v));
	return median(sorted, (int)n);
}

static double ratio(const struct run *ours, const struct run *theirs, size_t rounds)
{
	double v[MAX_ROUNDS];

	for (size_t i = 0; i < rounds; i++)
		v[i] = ours->us[i] / theirs->us[i];
	return median_of(v, rounds);
}

static void report(const struct kind *k, const struct run *runs, size_t rounds, FILE *json, bool first)
{
	for (size_t i = 0; i < SERVERS; i++) {
		double us = median_of(runs[i].us, rounds), q = ratio(&runs[0], &runs[i], rounds);

		fprintf(json, "%s\n  {\"server\": \"%s\", \"kind\": \"%s\", \"version\": \"%s\", \"key\": \"%s\", "
			"\"cpu_us_per_handshake\": %.1f, \"ratio\": %.3f}",
			first && !i ? "" : ",", runs[i].server->name, k->resumed ? "resumed" : "full",
			k->old ? "1.2" : "1.3", k->key, us, q);
		printf("%-9s %-8s %-6s %8.1f us", k->kind, k->key, runs[i].server->name, us);
		if (i)
			printf("   ktls takes %.3f of it", q);
		if (k->aim[i] > 0)
			printf(", aim %.2f: %s", k->aim[i], q <= k->aim[i] ? "met" : "missed");
		putchar('\n');
	}
}

static void compare(const struct kind *k, size_t rounds, const char *dir, FILE *json, bool first)
{
	static struct run runs[SERVERS];

	memset(runs, 0, sizeof(runs));
	client_make(k->old);
	for (size_t i = 0; i < SERVERS; i++) {
		prepare(&runs[i], servers[i], k, dir);
		batch(&runs[i], k);
	}
	for (size_t n = 0; n < rounds; n++)
		for (size_t i = 0; i < SERVERS; i++)
			runs[i].us[n] = batch(&runs[i], k);
	report(k, runs, rounds, json, first);
}

static int alone(const char *server, const char *kind, const char *key, size_t rounds, const char *dir)
{
	static struct run run;

	for (size_t k = 0; k < KINDS; k++)
		for (size_t i = 0; i < SERVERS; i++) {
			if (strcmp(servers[i]->name, server) || strcmp(kinds[k].kind, kind) ||
			    strcmp(kinds[k].key, key))
				continue;
			client_make(kinds[k].old);
			prepare(&run, servers[i], &kinds[k], dir);
			for (size_t n = 0; n < rounds; n++)
				batch(&run, &kinds[k]);
			return 0;
		}
	return 2;
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	FILE *json;

	if ((argc != 4 && argc != 7) || !rounds || rounds > MAX_ROUNDS)
		return fprintf(stderr, "usage: handshake OUT.json ROUNDS DIR [SERVER KIND KEY]\n"), 2;
	if (argc == 7)
		return alone(argv[4], argv[5], argv[6], rounds, argv[3]);
	json = fopen(argv[1], "we");
	if (!json)
		bench_fail(argv[1]);
	fputc('[', json);
	for (size_t k = 0; k < KINDS; k++)
		compare(&kinds[k], rounds, argv[3], json, k == 0);
	fputs("\n]\n", json);
	return fclose(json) != 0;
}
