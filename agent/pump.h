/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records between a TCP connection and a program's socketpair, in
 * user space: the relay's data path.
 */
#ifndef PUMP_H
#define PUMP_H
#include <stdbool.h>
#include <stdint.h>
#include "handshake/after.h"

struct pump;

/* Takes both descriptors and the keys over. NULL: no memory, and they are still the caller's. */
struct pump *pump_new(int tcp, int pair, bool server, const struct after *keys);
/* A bounded step. What to wait for in @tcp and @pair (epoll bits, maybe 0); false: it is over. */
bool pump_step(struct pump *p, uint32_t *tcp, uint32_t *pair);
void pump_free(struct pump *p);		/* wipes, closes */

#endif
