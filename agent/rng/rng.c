/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two generators per thread. Each makes a run of ChaCha20 output under a key
 * that never leaves this file: the head of the run becomes the next key, the
 * rest is output and is wiped as it is handed out. So the state of any moment
 * says nothing of what was given before. RNG_KEY also ends the run behind each
 * call. The state lies in pages that the kernel zeroes in the child of a fork
 * or clone (MADV_WIPEONFORK): zero is "not seeded", and the child seeds anew.
 * In FIPS mode a CTR_DRBG takes ChaCha20's place, and its own update the key's.
 */
#include <errno.h>
#include <nettle/chacha.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include "rng/drbg.h"
#include "rng/rng.h"

enum limits {
	KEY_LEN = CHACHA_KEY_SIZE,
	RUN = 512,			/* bytes made under one key */
	RESEED_BYTES = 1 << 20,
	RESEED_SECONDS = 600,
};

struct generator {
	uint8_t key[KEY_LEN];		/* of the next run */
	struct drbg drbg;		/* in place of it */
	uint8_t run[RUN];		/* what is left of it lies at the end */
	size_t left;
	size_t given;			/* bytes since the last seed */
	time_t seeded_at;
	bool seeded;
	bool approved;			/* by the DRBG */
	bool fixed;			/* by a test: never reseeded */
};

struct state { struct generator wire, secret; };

static bool approved;			/* FIPS mode */
static _Thread_local struct state *state;
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

static void state_free(void *s)
{
	explicit_bzero(s, sizeof(struct state));
	munmap(s, sizeof(struct state));
}

static void at_exit_make(void)
{
	if (pthread_key_create(&at_exit, state_free))
		abort();
}

static struct state *state_get(void)
{
	void *s = state;

	if (s)
		return s;
	pthread_once(&at_exit_once, at_exit_make);
	s = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED ||
	    madvise(s, sizeof(struct state), MADV_WIPEONFORK) ||
	    pthread_setspecific(at_exit, s))
		abort();
	madvise(s, sizeof(struct state), MADV_DONTDUMP);
	return state = s;
}

static void system_entropy(uint8_t *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = getrandom(buf, len, 0);
		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
}

static void reseed_drbg(struct generator *g)
{
	uint8_t seed[DRBG_SEED];

	system_entropy(seed, sizeof(seed));
	if (g->seeded && g->approved)
		drbg_reseed(&g->drbg, seed);
	else
		drbg_start(&g->drbg, seed);
	explicit_bzero(seed, sizeof(seed));
}

/* The old key stays in the mix: a bad seed can't make things worse. */
static void reseed_chacha(struct generator *g)
{
	struct sha256_ctx mix;
	uint8_t seed[KEY_LEN];

	system_entropy(seed, sizeof(seed));
	sha256_init(&mix);
	sha256_update(&mix, sizeof(g->key), g->key);
	sha256_update(&mix, sizeof(seed), seed);
	sha256_digest(&mix, sizeof(g->key), g->key);
	explicit_bzero(seed, sizeof(seed));
	explicit_bzero(&mix, sizeof(mix));
}

static void reseed(struct generator *g)
{
	if (approved)
		reseed_drbg(g);
	else
		reseed_chacha(g);
	explicit_bzero(g->run, sizeof(g->run));
	g->left = 0;
	g->given = 0;
	g->seeded_at = now();
	g->seeded = true;
	g->approved = approved;
}

static bool seed_is_old(const struct generator *g)
{
	if (g->fixed)
		return false;
	return !g->seeded || g->approved != approved || g->given >= RESEED_BYTES ||
	       now() - g->seeded_at >= RESEED_SECONDS;
}

/* The nonce may stay zero: no key serves twice. */
static void next_run(struct generator *g)
{
	static const uint8_t nonce[CHACHA_NONCE_SIZE];
	struct chacha_ctx chacha;

	if (approved) {
		drbg_fill(&g->drbg, g->run, sizeof(g->run));
		g->left = RUN;
		return;
	}
	chacha_set_key(&chacha, g->key);
	chacha_set_nonce(&chacha, nonce);
	memset(g->run, 0, sizeof(g->run));
	chacha_crypt(&chacha, sizeof(g->run), g->run, g->run);
	explicit_bzero(&chacha, sizeof(chacha));
	memcpy(g->key, g->run, KEY_LEN);
	explicit_bzero(g->run, KEY_LEN);
	g->left = RUN - KEY_LEN;
}

static size_t give(struct generator *g, uint8_t *out, size_t len)
{
	uint8_t *from = g->run + RUN - g->left;

	if (len > g->left)
		len = g->left;
	memcpy(out, from, len);
	explicit_bzero(from, len);
	g->left -= len;
	g->given += len;
	return len;
}

void rng_fill(enum rng_level level, void *buf, size_t len)
{
	struct state *s = state_get();
	struct generator *g = level == RNG_NONCE ? &s->wire : &s->secret;
	uint8_t *out = buf;
	size_t n;

	while (len) {
		if (seed_is_old(g))
			reseed(g);
		if (!g->left)
			next_run(g);
		n = give(g, out, len);
		out += n;
		len -= n;
	}
	if (level == RNG_KEY)
		next_run(g);
}

void rng_use_drbg(void)
{
	approved = true;
}

void rng_nettle_random(void *ctx, size_t len, uint8_t *buf)
{
	(void)ctx;
	rng_fill(RNG_RANDOM, buf, len);
}

void rng_nettle_key(void *ctx, size_t len, uint8_t *buf)
{
	(void)ctx;
	rng_fill(RNG_KEY, buf, len);
}

static void fix(struct generator *g, const uint8_t seed[KEY_LEN], uint8_t which)
{
	struct sha256_ctx mix;

	memset(g, 0, sizeof(*g));
	sha256_init(&mix);
	sha256_update(&mix, KEY_LEN, seed);
	sha256_update(&mix, 1, &which);
	sha256_digest(&mix, KEY_LEN, g->key);
	g->seeded = true;
	g->fixed = true;
}

void rng_fix_seed_for_tests(const uint8_t seed[32])
{
	struct state *s = state_get();

	fix(&s->wire, seed, 0);
	fix(&s->secret, seed, 1);
}
