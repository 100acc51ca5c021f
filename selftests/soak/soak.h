/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soak: sessions over loopback, both ends in this process, that send all
 * they can both ways while keys change and agents die.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One end of a session. What it sends is known from its seed and the offset. */
struct end {
	int fd;
	int err;		/* what ended it too early, -errno */
	uint32_t seed, peer_seed;
	uint64_t sent, received, wrong;
	bool closed, over;	/* we said the end; the peer did, and all was read */
};

struct soak {
	struct end *ends;	/* 2 n: client, server, client ... */
	size_t n;
	int epoll;
	bool stopping;
};

double soak_now(void);
/* ends.c: establish @n sessions through the agent. 0, or -1 after a sentence. */
int soak_open(struct soak *s, size_t n);
/* Move bytes for @seconds. */
void soak_run(struct soak *s, double seconds);
/* Everybody says the end; true when all have read to it within @seconds. */
bool soak_finish(struct soak *s, double seconds);
void soak_close(struct soak *s);		/* at once, whatever is under way */
uint64_t soak_bytes(const struct soak *s);	/* received by all */

/* agents.c: ktlsd, started again whenever it dies. */
int agents_start(const char *program, const char *config);
unsigned int agents_kill(void);			/* every process of it, now; how many there were */
long agents_memory(void);			/* KiB, resident, of all its processes */
void agents_stop(void);

#endif
