/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Randomness, per thread and lock-free. Two ChaCha20 generators seeded by
 * getrandom(2): one makes what goes on the wire, the other what must stay
 * secret, so that a weakness seen in the first says nothing of the second.
 */
#ifndef RNG_H
#define RNG_H
#include <stddef.h>
#include <stdint.h>

enum rng_level {
	RNG_NONCE,	/* public at once: hello randoms, ticket nonces */
	RNG_RANDOM,	/* short-lived secrets, blinding */
	RNG_KEY,	/* keys: the generator re-keys itself behind each call */
};

/* Fills @buf. Cannot fail: aborts the process when the system has no entropy source. */
void rng_fill(enum rng_level level, void *buf, size_t len);

/* nettle_random_func for the same three levels; @ctx is unused. */
void rng_nettle_random(void *ctx, size_t len, uint8_t *buf);	/* RNG_RANDOM */
void rng_nettle_key(void *ctx, size_t len, uint8_t *buf);	/* RNG_KEY */

/* FIPS mode: CTR_DRBG from now on. Before anything was drawn. */
void rng_use_drbg(void);

/* Reproducible output for tests and fuzzing: replaces both generators of this thread. */
void rng_fix_seed_for_tests(const uint8_t seed[32]);

#endif
