/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSA's private operation over GMP's functions for secrets: the Chinese
 * remainders of a blinded number, and the result checked by the public key
 * before anyone sees it. The blinding, which is what makes nettle's take twice
 * as long, stays with the key: each use squares it, and a new one is drawn
 * after 64. Threads that use a key at a time each take a pair of their own.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/rsa.h"
#include "rng/rng.h"

#define LIMB_BITS	((mp_bitcnt_t)(8 * sizeof(mp_limb_t)))
#define BLINDING_USES	64

/* in = 1 / out^e mod n, both as large as n; @lock covers all of it */
struct rsa_blinding { pthread_mutex_t lock; unsigned int uses; mpz_t in, out; };

struct rsa_blinding *rsa_blinding_new(void)
{
	struct rsa_blinding *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	mpz_init(b->in);
	mpz_init(b->out);
	return b;
}

void rsa_blinding_free(struct rsa_blinding *b)
{
	if (!b)
		return;
	mpz_clear(b->in);
	mpz_clear(b->out);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static void random_below(mpz_t r, const mpz_t n)
{
	uint8_t bytes[CRYPTO_MAX_RSA + 8];
	size_t len = (mpz_sizeinbase(n, 2) + 7) / 8 + 8;	/* 64 bits more: no bias to speak of */

	rng_fill(RNG_RANDOM, bytes, len);
	mpz_import(r, len, 1, 1, 0, 0, bytes);
	mpz_mod(r, r, n);
	crypto_wipe(bytes, sizeof(bytes));
}

/* An inverse takes time that depends on the number: it is of a random multiple. */
static void blinding_draw(struct rsa_blinding *b, const struct rsa_public_key *pub)
{
	mpz_t t;

	mpz_init(t);
	do {
		random_below(b->in, pub->n);
		random_below(t, pub->n);
		mpz_mul(b->out, b->in, t);
		mpz_mod(b->out, b->out, pub->n);
	} while (!mpz_invert(b->out, b->out, pub->n));
	mpz_mul(b->out, b->out, t);
	mpz_mod(b->out, b->out, pub->n);
	mpz_powm(b->in, b->in, pub->e, pub->n);
	mpz_clear(t);
}

/* @size limbs, with zeros above what the number has */
static void limbs_of(mp_limb_t *r, const mpz_t a, mp_size_t size)
{
	mp_size_t have = (mp_size_t)mpz_size(a);

	mpn_copyi(r, mpz_limbs_read(a), have);
	mpn_zero(r + have, size - have);
}

static mp_size_t larger(mp_size_t a, mp_size_t b)
{
	return a > b ? a : b;
}

/* Every scratch space that is handed to GMP below, for a modulus of 2 * @half limbs. */
static mp_size_t scratch_size(mp_size_t half)
{
	mp_size_t size = mpn_sec_powm_itch(2 * half, (mp_bitcnt_t)half * LIMB_BITS, half);

	size = larger(size, mpn_sec_mul_itch(2 * half, 2 * half));
	size = larger(size, mpn_sec_div_r_itch(4 * half, 2 * half));
	size = larger(size, mpn_sec_div_r_itch(4 * half, 2 * half - 1));
	return larger(size, mpn_sec_div_r_itch(2 * half, half));
}

/* a = a * b mod n, of @size limbs; t has twice as many, and scratch behind them. */
static void multiply(mp_limb_t *a, const mp_limb_t *b, const mpz_t n, mp_size_t size, mp_limb_t *t)
{
	mp_size_t used = (mp_size_t)mpz_size(n);
	mp_limb_t *scratch = t + 2 * size;

	mpn_sec_mul(t, a, size, b, size, scratch);
	mpn_sec_div_r(t, 2 * size, mpz_limbs_read(n), used, scratch);
	mpn_zero(t + used, size - used);
	mpn_copyi(a, t, size);
}

/*
 * r = m^d mod n, both of 2 * @half limbs (RFC 8017 5.1.2, 2.b); @work has 4 *
 * @half limbs and the scratch space.
 */
static void root_crt(const struct rsa_private_key *k, mp_limb_t *r, const mp_limb_t *m, mp_size_t half,
		     mp_limb_t *work)
{
	mp_limb_t *mp = work, *mq = mp + half, *t = mq + half, *scratch = t + 2 * half;
	const mp_limb_t *p = mpz_limbs_read(k->p), *q = mpz_limbs_read(k->q);
	mp_limb_t borrow;

	limbs_of(t, k->a, half);
	mpn_sec_powm(mp, m, 2 * half, t, (mp_bitcnt_t)half * LIMB_BITS, p, half, scratch);
	limbs_of(t, k->b, half);
	mpn_sec_powm(mq, m, 2 * half, t, (mp_bitcnt_t)half * LIMB_BITS, q, half, scratch);

	/* h = (mp - mq) * c mod p; mq may be above p, but not as large as 2^(64 half) */
	mpn_copyi(t, mq, half);
	mpn_sec_div_r(t, half, p, half, scratch);
	borrow = mpn_sub_n(mp, mp, t, half);
	mpn_cnd_add_n(borrow, mp, mp, p, half);
	limbs_of(r, k->c, half);
	mpn_sec_mul(t, mp, half, r, half, scratch);
	mpn_sec_div_r(t, 2 * half, p, half, scratch);

	/* mq + q * h */
	mpn_copyi(mp, t, half);
	mpn_sec_mul(r, mp, half, q, half, scratch);
	mpn_zero(t + half, half);
	mpn_copyi(t, mq, half);
	mpn_add_n(r, r, t, 2 * half);
}

static void keep(mpz_t to, const mp_limb_t *from, mp_size_t size)
{
	mpn_copyi(mpz_limbs_write(to, size), from, size);
	mpz_limbs_finish(to, size);
}

/* A pair that nobody else gets: its squares are the next one's. @t: 2 * @size limbs and the scratch space. */
static void blinding_take(struct rsa_blinding *b, const struct rsa_public_key *pub, mp_limb_t *in, mp_limb_t *out,
			  mp_size_t size, mp_limb_t *next, mp_limb_t *t)
{
	pthread_mutex_lock(&b->lock);
	if (b->uses++ % BLINDING_USES == 0)
		blinding_draw(b, pub);
	limbs_of(in, b->in, size);
	limbs_of(out, b->out, size);
	mpn_copyi(next, in, size);
	multiply(next, in, pub->n, size, t);
	keep(b->in, next, size);
	mpn_copyi(next, out, size);
	multiply(next, out, pub->n, size, t);
	keep(b->out, next, size);
	pthread_mutex_unlock(&b->lock);
}

/* x = m^d; @work has 6 * @size limbs and the scratch space. */
static void root_blinded(const struct crypto_key *key, mpz_t x, const mpz_t m, mp_size_t size, mp_limb_t *work)
{
	const struct rsa_public_key *pub = &((const struct rsa_inner *)key->pub.inner)->key;
	mp_limb_t *in = work, *out = in + size, *r = out + size, *t = r + size;

	blinding_take(key->blinding, pub, in, out, size, r, t);
	limbs_of(r, m, size);
	multiply(r, in, pub->n, size, t);
	root_crt(&key->rsa, t, r, size / 2, t + size);
	mpn_copyi(r, t, size);
	multiply(r, out, pub->n, size, t);
	keep(x, r, size);
}

bool rsa_root(const struct crypto_key *key, mpz_t x, const mpz_t m)
{
	const struct rsa_public_key *pub = &((const struct rsa_inner *)key->pub.inner)->key;
	mp_size_t half = (mp_size_t)mpz_size(key->rsa.p), room;
	mp_limb_t *work;

	/* Primes of one size is what everyone makes. */
	if ((mp_size_t)mpz_size(key->rsa.q) != half || (mp_size_t)mpz_size(pub->n) < 2 * half - 1)
		return rsa_root_nettle(key, x, m);
	room = 8 * half + 4 * half + scratch_size(half);
	work = malloc((size_t)room * sizeof(*work));
	if (!work)
		return false;
	root_blinded(key, x, m, 2 * half, work);
	crypto_wipe(work, (size_t)room * sizeof(*work));
	free(work);
	if (key_rsa_is_root(pub, x, m))
		return true;
	mpz_set_ui(x, 0);
	return false;
}

bool rsa_root_nettle(const struct crypto_key *key, mpz_t x, const mpz_t m)
{
	const struct rsa_public_key *pub = &((const struct rsa_inner *)key->pub.inner)->key;

	return rsa_compute_root_tr(pub, &key->rsa, NULL, rng_nettle_random, x, m);
}
