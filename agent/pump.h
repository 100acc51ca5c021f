/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS 1.3 records between a TCP connection and a program's socketpair, in
 * user space: the relay's data path.
 */
#ifndef PUMP_H
#define PUMP_H
#include <stdbool.h>
#include <stdint.h>
#include "handshake/hs.h"

struct pump;

/* Takes both descriptors over, and copies of the keys. NULL: no memory, and they are still the caller's. */
struct pump *pump_new(int tcp, int pair, const struct crypto_aead *aead, const struct crypto_hash *hash,
		      const struct hs_traffic *tx, const struct hs_traffic *rx);
/* A bounded step. What to wait for in @tcp and @pair (epoll bits, maybe 0); false: it is over. */
bool pump_step(struct pump *p, uint32_t *tcp, uint32_t *pair);
void pump_free(struct pump *p);		/* wipes, closes */

#endif
