/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load: clients of ktls-serve in one thread, over libktls. A group is what one
 * server has: connections that rest and connections that ask without a pause
 * while the group is active. Every byte of every answer is compared.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ktls.h"

/* A file of the server, and what it must send of it. */
struct content {
	char request[128];
	const char *bytes;
	size_t len;
};

enum phase { OPENING, RESTING, HEAD, BODY, LOST };

struct peer {
	struct group *group;
	const struct content *want;
	size_t got;			/* of head or body */
	int fd;
	uint32_t events;
	enum phase phase;
	char head[512];
};

struct group {
	const char *name;
	int port, pid;			/* of the server */
	struct peer *peers;		/* the busy ones first */
	size_t num, busy;
	size_t opening, asking, lost;
	uint64_t answers, bytes;
	bool active;			/* a peer that was answered asks again */
};

struct load {
	int epoll;
	struct ktls_params *params;
};

double load_now(void);
bool load_map(struct content *c, const char *dir, const char *name);
/* Connections of @g, each asked for @first once. False: one was lost. */
bool load_open(struct load *l, struct group *g, const struct content *first);
void load_ask(struct load *l, struct peer *p, const struct content *what);
/* Until @seconds are over, or nobody in @g waits for anything. */
void load_run(struct load *l, struct group *g, double seconds);

#endif
