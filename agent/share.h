/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A secret that several agents have in common, so that each opens the
 * tickets of all: from a file, or from Redis, where the first one puts it.
 */
#ifndef SHARE_H
#define SHARE_H
#include <stdbool.h>
#include <stdint.h>

#define SHARE_SECRET 32

struct config;

struct share {
	bool has;
	uint8_t secret[SHARE_SECRET];
	uint64_t again;		/* ms: not asked before; UINT64_MAX: it is known, or not wanted */
};

/* Get it if the configuration wants one and it is time to ask. May wait half a second for Redis. */
void share_update(struct share *s, const struct config *config, uint64_t now_ms);
void share_forget(struct share *s);	/* wipes; the next update asks again */

#endif
