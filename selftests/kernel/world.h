/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each kernel test stands in: a network namespace of its own, connected
 * TCP sockets with the ULP, applications that ask for handshakes. Helpers
 * assert for themselves (cmocka).
 */
#ifndef KERNEL_WORLD_H
#define KERNEL_WORLD_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/tls.h>
#include "agent.h"

/* app has the ULP; peer is the other end, plain TCP. */
struct world {
	int		app, peer;
	struct agent	agent;		/* joined */
};

/* cmocka set-up: new namespace with lo up, agent joined, sockets connected. */
int world_begin(void **state);
/* cmocka tear-down: closes all, then asserts that every Curr* gauge is 0. */
int world_end(void **state);
void world_new_netns(void);

void tcp_pair(int family, int *ret_client, int *ret_server);
int ulp_attach(int fd);
void set_nonblock(int fd);

/* setsockopt(KTLS_HANDSHAKE) with @attrs behind the head: 0 or -errno. */
int handshake(int fd, uint8_t role, uint32_t timeout_ms, const void *attrs, size_t len);
/* The same by a thread; join with handshake_result(). */
struct asker {
	pthread_t	thread;
	int		fd, result;
};
void handshake_begin(struct asker *asker, int fd);
int handshake_result(struct asker *asker);

/* KTLS_INFO; the reason, or "" , in @reason if not NULL. Returns optlen. */
socklen_t info_get(int fd, struct ktls_info *info, char reason[256]);
long stat_get(const char *name);	/* of /proc/net/ktls_stat, without "Ktls" */
/* Or the test fails: nothing is open any more. */
void world_gauges_return(void);
int so_error(int fd);
short polled(int fd, int ms);		/* revents for IN | OUT | RDHUP */
bool turns(int fd, short events, int ms);	/* has one of these within the time */
unsigned int param_set(const char *name, unsigned int value);	/* gives the old value */

extern const struct key some_key;

/* accept and answer one handshake with some_key both ways */
void serve(struct agent *a);

#endif
