/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several agents have in common: a secret, so that each opens the tickets
 * of all, from a file, or from Redis, where the first one puts it; and, there,
 * the register of the tickets that early data came with.
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
	bool away;		/* Redis did not answer when last asked */
	uint64_t again;		/* ms: not asked before; UINT64_MAX: it is known, or not wanted */
	uint64_t silent;	/* ms: the register is not asked before */
};

/* Get it if the configuration wants one and it is time to ask. May wait half a second for Redis, and again for its answers. */
void share_update(struct share *s, const struct config *config, uint64_t now_ms);
/*
 * Is @id new to all that share? False also while that is not known: no Redis,
 * it does not answer in half a second, or it has forgotten the secret and so,
 * perhaps, what came before.
 */
bool share_first(struct share *s, const struct config *config, const uint8_t id[32], uint64_t now_ms);
void share_forget(struct share *s);	/* wipes; the next update asks again */

#endif
