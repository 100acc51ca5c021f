/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers that bench-handshake compares: TLS 1.3 or 1.2 with x25519 and
 * AES-128-GCM, bytes in and bytes out in memory, no tickets sent. Every one
 * makes its connection's state and frees it within what is measured.
 */
#ifndef BENCH_HANDSHAKE_H
#define BENCH_HANDSHAKE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLIGHT 16384

/* What came from the client and what goes to it. */
struct wire {
	const uint8_t *in;
	size_t in_len;
	uint8_t out[FLIGHT];
	size_t out_len;
};

struct server {
	const char *name;
	/* Once: credentials of PEM files; @tickets: whether it gives one (to resume by); @old: TLS 1.2. */
	void *(*make)(const char *cert, const char *key, bool tickets, bool old);
	/* One connection. @give: send a ticket when done. */
	void *(*open)(void *server, bool give);
	/* Takes all of w->in. 1: done, 0: goes on, -1: failed. */
	int (*step)(void *conn, struct wire *w);
	bool (*resumed)(void *conn);
	void (*close)(void *conn);
};

/* handshake-ktls.c, handshake-openssl.c, handshake-gnutls.c */
extern const struct server server_ktls, server_openssl, server_gnutls;

_Noreturn void bench_fail(const char *what);

#endif
