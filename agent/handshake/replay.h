/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A register of what came once, to tell early data from its copies, RFC 8446
 * 8.1: bounded in memory and time. In doubt it says that it has seen it.
 */
#ifndef REPLAY_H
#define REPLAY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "handshake/hs.h"

/* s: a copy that is older than this is refused by the age that it states. */
#define REPLAY_PERIOD (2 * HS_EARLY_WINDOW + 2)

struct replay;

/*
 * For up to @room entries in a period. @since: from when on it has seen everything that the ticket
 * keys in use can open; 0 if they are no older than it. NULL: no memory.
 */
struct replay *replay_new(size_t room, uint64_t since);
void replay_free(struct replay *r);
/* The same in so many bytes of zeros that are the caller's, shared among processes if it likes: it holds no pointer. */
size_t replay_size(size_t room);
struct replay *replay_at(void *memory, size_t room, uint64_t since);
/* Is this the first time? It is noted, and false from then on, or while there is no room. */
bool replay_first(struct replay *r, const uint8_t id[32], uint64_t now);

#endif
