// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktls-bench, for a machine where the module is loaded: bytes per second and
 * CPU time per gigabyte over loopback on plain TCP, net/tls, ktls and OpenSSL
 * in user space, AES-128-GCM under TLS 1.3, in turns. A sending process and a
 * receiving one; the CPU time is that of both. What isn't there is skipped and
 * named. Medians over the turns.
 *
 * ktls-bench [SECONDS [TURNS [OUT.json]]]: one second each, five turns.
 */
#include <arpa/inet.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "median.h"

#ifndef SOL_TLS
#define SOL_TLS		282
#endif
#define BUFFER		(256 << 10)
#define FILE_SIZE	(16L << 20)
#define MAX_TURNS	100

enum impl { TCP, NETTLS, KTLS, OPENSSL, IMPLS };
enum op { SEND, SENDFILE, OPS };
static const char *const names[] = { "tcp", "net/tls", "ktls", "openssl" };
static const char *const ulps[] = { NULL, "tls", "ktls", NULL };
static const char *const ops[] = { "send", "sendfile" };
static const size_t sizes[] = { 1024, 16384, 65536 };

struct result {
	double mbs, cpu_per_gb;
};

static uint8_t *buffer;
static int file;
static SSL_CTX *server;

static void check(bool right, const char *what)
{
	if (right)
		return;
	perror(what);
	exit(1);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static double cpu(const struct rusage *r)
{
	return seconds(r->ru_utime) + seconds(r->ru_stime);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- connections */

static void pair_make(int *from, int *to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	check(!bind(listener, (void *)&addr, len) && !listen(listener, 1) &&
	      !getsockname(listener, (void *)&addr, &len), "listen");
	*from = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(*from, (void *)&addr, len), "connect");
	*to = accept(listener, NULL, NULL);
	check(*to >= 0, "accept");
	close(listener);
}

static bool install(int fd, enum impl impl, int option)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 }, .key = { 7 }, .iv = { 3 }, .salt = { 4 } };

	return !ulps[impl] || (!setsockopt(fd, SOL_TCP, TCP_ULP, ulps[impl], (socklen_t)strlen(ulps[impl])) &&
			       !setsockopt(fd, SOL_TLS, option, &info, sizeof(info)));
}

/* A certificate for this run only; nobody verifies it. */
static SSL_CTX *server_make(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *cert = X509_new();

	check(key && ctx && cert, "OpenSSL");
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	check(X509_set_pubkey(cert, key) && X509_sign(cert, key, EVP_sha256()) &&
	      SSL_CTX_use_certificate(ctx, cert) && SSL_CTX_use_PrivateKey(ctx, key), "certificate");
	SSL_CTX_set_num_tickets(ctx, 0);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static SSL *ssl_make(int fd, bool client)
{
	SSL_CTX *ctx = client ? SSL_CTX_new(TLS_client_method()) : server;
	SSL *ssl;

	check(ctx && SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256"), "suite");
	ssl = SSL_new(ctx);
	check(ssl && SSL_set_fd(ssl, fd) && (client ? SSL_connect(ssl) : SSL_accept(ssl)) == 1, "handshake");
	return ssl;
}

/* ---- both ends */

/* One call's worth. False: the receiver has gone. */
static bool put(int fd, SSL *ssl, enum op op, size_t len, off_t *at)
{
	ssize_t n;

	if (*at + (off_t)len > FILE_SIZE)
		*at = 0;
	if (op == SENDFILE && !ssl)
		return sendfile(fd, file, at, len) > 0;
	if (op == SENDFILE) {
		n = pread(file, buffer, len, *at);
		*at += n;
	}
	return (ssl ? SSL_write(ssl, buffer, (int)len) : send(fd, buffer, len, MSG_NOSIGNAL)) > 0;
}

static void sender(int fd, enum impl impl, enum op op, size_t len)
{
	SSL *ssl = impl == OPENSSL ? ssl_make(fd, true) : NULL;
	off_t at = 0;

	signal(SIGPIPE, SIG_IGN);
	while (put(fd, ssl, op, len, &at))
		;
	_exit(0);
}

static ssize_t get(int fd, SSL *ssl)
{
	return ssl ? SSL_read(ssl, buffer, BUFFER) : recv(fd, buffer, BUFFER, 0);
}

static struct result transfer(enum impl impl, enum op op, size_t len, double limit)
{
	int from, to, status;
	struct rusage before, after, child;
	double begin, bytes = 0;
	SSL *ssl = NULL;
	pid_t pid;
	ssize_t n;

	pair_make(&from, &to);
	check(install(from, impl, TLS_TX) && install(to, impl, TLS_RX), names[impl]);
	pid = fork();
	check(pid >= 0, "fork");
	if (!pid) {
		close(to);
		sender(from, impl, op, len);
	}
	close(from);
	if (impl == OPENSSL)
		ssl = ssl_make(to, false);
	getrusage(RUSAGE_SELF, &before);
	begin = now();
	do {
		n = get(to, ssl);
		check(n > 0, "receive");
		bytes += (double)n;
	} while (now() - begin < limit);
	begin = now() - begin;
	getrusage(RUSAGE_SELF, &after);
	close(to);
	check(wait4(pid, &status, 0, &child) == pid && !status, "sender");
	SSL_free(ssl);
	return (struct result){ bytes / begin * 1e-6, (cpu(&after) - cpu(&before) + cpu(&child)) / bytes * 1e9 };
}

/* ---- figures */

static void measure(const bool *there, enum op op, size_t len, double limit, int turns, FILE *json)
{
	double mbs[IMPLS][MAX_TURNS], used[IMPLS][MAX_TURNS];
	static bool comma;

	for (int turn = 0; turn < turns; turn++)
		for (int i = 0; i < IMPLS; i++) {
			struct result r = { 0, 0 };

			if (there[i])
				r = transfer((enum impl)i, op, len, limit);
			mbs[i][turn] = r.mbs;
			used[i][turn] = r.cpu_per_gb;
		}
	for (int i = 0; i < IMPLS; i++) {
		double m = median(mbs[i], turns), c = median(used[i], turns);

		if (!there[i])
			continue;
		printf("%-9s %6zu  %-8s %9.1f %12.3f\n", ops[op], len, names[i], m, c);
		if (json)
			fprintf(json, "%s\n  {\"op\": \"%s\", \"size\": %zu, \"impl\": \"%s\", \"mbs\": %.1f, "
				"\"cpu_s_per_gb\": %.4f}", comma ? "," : "", ops[op], len, names[i], m, c);
		comma = true;
	}
	fflush(stdout);
}

static bool usable(enum impl impl)
{
	int from, to;
	bool there;

	pair_make(&from, &to);
	there = install(from, impl, TLS_TX) && install(to, impl, TLS_RX);
	close(from);
	close(to);
	if (!there)
		printf("# SKIP %s: this kernel has no ULP \"%s\" loaded\n", names[impl], ulps[impl]);
	return there;
}

int main(int argc, char **argv)
{
	double limit = argc > 1 ? atof(argv[1]) : 1;
	int turns = argc > 2 ? atoi(argv[2]) : 5;
	FILE *json = argc > 3 ? fopen(argv[3], "w") : NULL;
	char path[] = "/dev/shm/ktls-bench.XXXXXX";
	bool there[IMPLS];

	if (limit <= 0 || turns < 1 || turns > MAX_TURNS || (argc > 3 && !json))
		return fprintf(stderr, "usage: ktls-bench [SECONDS [TURNS [OUT.json]]]\n"), 2;
	buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(buffer != MAP_FAILED, "mmap");
	file = mkstemp(path);
	check(file >= 0 && !unlink(path), path);
	for (long i = 0; i < FILE_SIZE; i += BUFFER)
		check(write(file, buffer, BUFFER) == BUFFER, "write");
	server = server_make();
	for (int i = 0; i < IMPLS; i++)
		there[i] = usable((enum impl)i);
	printf("%-9s %6s  %-8s %9s %12s\n", "op", "size", "code", "MB/s", "CPU s/GB");
	if (json)
		fprintf(json, "[");
	for (enum op op = SEND; op < OPS; op++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			measure(there, op, sizes[s], limit, turns, json);
	if (json)
		fprintf(json, "\n]\n");
	return json && fclose(json) ? 1 : 0;
}
