/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ML-DSA; the numbers in comments are FIPS 204's algorithms. What a signature
 * tells is how often it was tried, and c~ of each try, nothing else: that is
 * decided in functions of mldsa_poly.c. Secrets live in one block of memory
 * that is wiped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/mldsa.h"
#include "crypto/mldsa_poly.h"
#include "crypto/sponge.h"

#define K_MAX	8
#define L_MAX	7
#define HASH	64			/* of a public key, a message */
#define T1_BITS	10
#define T1	(MLDSA_N * T1_BITS / 8)		/* bytes of a polynomial of t1, and of t0 */
#define T0	(MLDSA_N * MLDSA_D / 8)

static const struct mldsa sets[] = {
	{ CRYPTO_KEY_MLDSA44, 4, 4, 2, 39, 80, 32, 18, 6, (MLDSA_Q - 1) / 88, 1312, 2560, 2420, 128 },
	{ CRYPTO_KEY_MLDSA65, 6, 5, 4, 49, 55, 48, 20, 4, (MLDSA_Q - 1) / 32, 1952, 4032, 3309, 192 },
	{ CRYPTO_KEY_MLDSA87, 8, 7, 2, 60, 75, 64, 20, 4, (MLDSA_Q - 1) / 32, 2592, 4896, 4627, 256 },
};

/* All of a key that its seed gives. */
struct expanded {
	uint8_t seeds[32 + 64 + 32];	/* rho, which is public; rho'; K */
	uint8_t tr[HASH];
	struct poly s1[L_MAX], s2[K_MAX], t0[K_MAX], t1[K_MAX];
	struct poly row;		/* of the matrix */
};

struct signing {
	struct expanded key;
	struct poly matrix[K_MAX][L_MAX];
	struct poly y[L_MAX], z[L_MAX], w[K_MAX], w1[K_MAX], c, t;
	uint8_t hint[K_MAX][MLDSA_N];
	uint8_t mu[HASH], rho[HASH];
};

struct verifying {
	struct poly z[L_MAX], c, w, row, t;
	uint8_t hint[K_MAX][MLDSA_N];
	uint8_t mu[HASH], tr[HASH], again[64], packed[MLDSA_N * 6 / 8];
	struct sponge s;
};

const struct mldsa *mldsa_of(enum crypto_key_type type)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (sets[i].type == type)
			return &sets[i];
	return NULL;
}

/* ---- hashes */

struct bytes { const uint8_t *p; size_t len; };

static void hash_h(struct bytes a, struct bytes b, struct bytes c, uint8_t *out, size_t len)
{
	struct sponge s;

	sponge_start(&s, SHAKE256);
	sponge_absorb(&s, a.p, a.len);
	sponge_absorb(&s, b.p, b.len);
	sponge_absorb(&s, c.p, c.len);
	sponge_end(&s, SPONGE_SHAKE);
	sponge_squeeze(&s, out, len);
	sponge_wipe(&s);
}

/* 2, 3: neither hashed before, nor with a context */
static void message(const uint8_t tr[HASH], const uint8_t *msg, size_t len, uint8_t mu[HASH])
{
	static const uint8_t pure[2];

	hash_h((struct bytes){ tr, HASH }, (struct bytes){ pure, 2 }, (struct bytes){ msg, len }, mu, HASH);
}

/* ---- keys */

/* t = A s1 + s2, into t1 and t0 */
static void make_t(const struct mldsa *p, struct expanded *e, struct poly s1[L_MAX], struct poly *t)
{
	for (int i = 0; i < p->k; i++) {
		memset(t, 0, sizeof(*t));
		for (int j = 0; j < p->l; j++) {
			poly_uniform(e->seeds, (uint8_t)j, (uint8_t)i, &e->row);
			poly_multiply_add(t, &e->row, &s1[j]);
		}
		poly_ntt_inverse(t);
		poly_add(t, &e->s2[i]);
		poly_positive(t);
		poly_power2round(t, &e->t1[i], &e->t0[i]);
	}
}

/* 22 */
static void write_public(const struct mldsa *p, const struct expanded *e, uint8_t *pub)
{
	memcpy(pub, e->seeds, 32);
	for (int i = 0; i < p->k; i++)
		poly_pack(&e->t1[i], T1_BITS, pub + 32 + i * T1);
}

/* 6. What @s1 and @t have then is of no further use, but secret. */
static void expand(const struct mldsa *p, const uint8_t *seed, struct expanded *e, struct poly s1[L_MAX], struct poly *t)
{
	const uint8_t size[2] = { p->k, p->l };
	uint8_t pub[MLDSA_MAX_PUBLIC];

	hash_h((struct bytes){ seed, MLDSA_SEED }, (struct bytes){ size, 2 }, (struct bytes){ size, 0 },
	       e->seeds, sizeof(e->seeds));
	for (int i = 0; i < p->l; i++) {
		poly_small(e->seeds + 32, (uint16_t)i, p->eta, &e->s1[i]);
		s1[i] = e->s1[i];
		poly_ntt(&s1[i]);
	}
	for (int i = 0; i < p->k; i++)
		poly_small(e->seeds + 32, (uint16_t)(p->l + i), p->eta, &e->s2[i]);
	make_t(p, e, s1, t);
	write_public(p, e, pub);
	hash_h((struct bytes){ pub, p->public_key }, (struct bytes){ pub, 0 }, (struct bytes){ pub, 0 }, e->tr, HASH);
}

/* 24 */
static void write_private(const struct mldsa *p, const struct expanded *e, uint8_t *priv)
{
	const int bits = p->eta == 2 ? 3 : 4, small = MLDSA_N * bits / 8;

	memcpy(priv, e->seeds, 32);
	memcpy(priv + 32, e->seeds + 96, 32);
	memcpy(priv + 64, e->tr, HASH);
	priv += 64 + HASH;
	for (int i = 0; i < p->l; i++, priv += small)
		poly_pack_from(&e->s1[i], p->eta, bits, priv);
	for (int i = 0; i < p->k; i++, priv += small)
		poly_pack_from(&e->s2[i], p->eta, bits, priv);
	for (int i = 0; i < p->k; i++, priv += T0)
		poly_pack_from(&e->t0[i], 1 << (MLDSA_D - 1), MLDSA_D, priv);
}

int mldsa_generate(const struct mldsa *p, const uint8_t seed[MLDSA_SEED], uint8_t *pub, uint8_t *priv)
{
	struct { struct expanded e; struct poly s1[L_MAX], t; } *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	expand(p, seed, &w->e, w->s1, &w->t);
	write_public(p, &w->e, pub);
	if (priv)
		write_private(p, &w->e, priv);
	crypto_wipe(w, sizeof(*w));
	free(w);
	return 0;
}

/* ---- signing */

/* What all tries have in common; the key's polynomials go to the NTT domain. */
static void prepare(const struct mldsa *p, struct signing *s, const uint8_t random[32], struct bytes msg)
{
	message(s->key.tr, msg.p, msg.len, s->mu);
	hash_h((struct bytes){ s->key.seeds + 96, 32 }, (struct bytes){ random, 32 }, (struct bytes){ s->mu, HASH },
	       s->rho, HASH);
	for (int i = 0; i < p->k; i++) {
		for (int j = 0; j < p->l; j++)
			poly_uniform(s->key.seeds, (uint8_t)j, (uint8_t)i, &s->matrix[i][j]);
		poly_ntt(&s->key.s2[i]);
		poly_ntt(&s->key.t0[i]);
	}
	for (int i = 0; i < p->l; i++)
		poly_ntt(&s->key.s1[i]);
}

/* w = A y, and c~ of its high bits */
static void commit(const struct mldsa *p, struct signing *s, uint16_t nonce, uint8_t *challenge)
{
	uint8_t packed[MLDSA_N * 6 / 8];
	struct sponge h;
	int32_t low;

	for (int i = 0; i < p->l; i++) {
		poly_mask(s->rho, (uint16_t)(nonce + i), p->z_bits, &s->y[i]);
		s->z[i] = s->y[i];
		poly_ntt(&s->z[i]);
	}
	sponge_start(&h, SHAKE256);
	sponge_absorb(&h, s->mu, HASH);
	for (int i = 0; i < p->k; i++) {
		memset(&s->w[i], 0, sizeof(s->w[i]));
		for (int j = 0; j < p->l; j++)
			poly_multiply_add(&s->w[i], &s->matrix[i][j], &s->z[j]);
		poly_ntt_inverse(&s->w[i]);
		poly_positive(&s->w[i]);
		for (int j = 0; j < MLDSA_N; j++)
			s->w1[i].c[j] = mldsa_decompose(s->w[i].c[j], p->gamma2, &low);
		poly_pack(&s->w1[i], p->w_bits, packed);
		sponge_absorb(&h, packed, MLDSA_N * p->w_bits / 8);
	}
	sponge_end(&h, SPONGE_SHAKE);
	sponge_squeeze(&h, challenge, p->challenge);
	sponge_wipe(&h);
	crypto_wipe(packed, sizeof(packed));
}

static void times_challenge(struct signing *s, const struct poly *f)
{
	poly_multiply(&s->t, &s->c, f);
	poly_ntt_inverse(&s->t);
}

/* z = y + c s1, which may not tell of s1. */
static bool respond(const struct mldsa *p, struct signing *s)
{
	const int32_t gamma1 = 1 << (p->z_bits - 1);
	bool good = true;

	for (int i = 0; good && i < p->l; i++) {
		times_challenge(s, &s->key.s1[i]);
		poly_add(&s->t, &s->y[i]);
		poly_reduce(&s->t);
		good = poly_within(&s->t, gamma1 - p->tau * p->eta);
		s->z[i] = s->t;
	}
	return good;
}

/* w - c s2 has low bits that tell nothing of s2; the hints say what c t0 does to its high bits. */
static bool make_hints(const struct mldsa *p, struct signing *s)
{
	struct poly *low = &s->y[0];
	unsigned int num = 0;
	bool good = true;

	for (int i = 0; good && i < p->k; i++) {
		times_challenge(s, &s->key.s2[i]);
		poly_subtract(&s->w[i], &s->t);
		poly_positive(&s->w[i]);
		for (int j = 0; j < MLDSA_N; j++)
			mldsa_decompose(s->w[i].c[j], p->gamma2, &low->c[j]);
		good = poly_within(low, p->gamma2 - p->tau * p->eta);
		if (!good)
			break;
		times_challenge(s, &s->key.t0[i]);
		poly_reduce(&s->t);
		good = poly_within(&s->t, p->gamma2);
		poly_add(low, &s->t);
		num += poly_hint(low, &s->w1[i], p->gamma2, s->hint[i]);
	}
	return good && mldsa_hints_fit(num, p->omega);
}

/* 7: -EAGAIN: this try would tell too much. */
static int try(const struct mldsa *p, struct signing *s, uint16_t nonce, uint8_t *sig)
{
	const int z = MLDSA_N * p->z_bits / 8;

	commit(p, s, nonce, sig);
	mldsa_ball(sig, p->challenge, p->tau, &s->c);
	poly_ntt(&s->c);
	if (!respond(p, s) || !make_hints(p, s))
		return -EAGAIN;
	sig += p->challenge;
	for (int i = 0; i < p->l; i++, sig += z)
		poly_pack_from(&s->z[i], 1 << (p->z_bits - 1), p->z_bits, sig);
	mldsa_hint_pack((const uint8_t (*)[MLDSA_N])s->hint, p->k, p->omega, sig);
	return 0;
}

int mldsa_sign(const struct mldsa *p, const uint8_t seed[MLDSA_SEED], const uint8_t random[32],
	       const uint8_t *msg, size_t len, uint8_t *sig)
{
	struct signing *s = malloc(sizeof(*s));
	uint16_t nonce = 0;

	if (!s)
		return -ENOMEM;
	expand(p, seed, &s->key, s->z, &s->t);
	prepare(p, s, random, (struct bytes){ msg, len });
	while (try(p, s, nonce, sig))
		nonce = (uint16_t)(nonce + p->l);
	crypto_wipe(s, sizeof(*s));
	free(s);
	return 0;
}

/* ---- verifying: nothing is secret */

/* 21: each list ascends, and there is one way to write it. */
static bool read_hints(const struct mldsa *p, const uint8_t *in, uint8_t hint[K_MAX][MLDSA_N])
{
	int at = 0, end;

	memset(hint, 0, (size_t)p->k * MLDSA_N);
	for (int i = 0; i < p->k; i++) {
		end = in[p->omega + i];
		if (end < at || end > p->omega)
			return false;
		for (int first = at; at < end; at++) {
			if (at > first && in[at] <= in[at - 1])
				return false;
			hint[i][in[at]] = 1;
		}
	}
	while (at < p->omega)
		if (in[at++])
			return false;
	return true;
}

static bool read_signature(const struct mldsa *p, const uint8_t *sig, struct verifying *v)
{
	const int32_t gamma1 = 1 << (p->z_bits - 1);

	sig += p->challenge;
	for (int i = 0; i < p->l; i++, sig += MLDSA_N * p->z_bits / 8) {
		poly_unpack_from(sig, gamma1, p->z_bits, &v->z[i]);
		if (!poly_within(&v->z[i], gamma1 - p->tau * p->eta))
			return false;
		poly_ntt(&v->z[i]);
	}
	return read_hints(p, sig, v->hint);
}

/* 40 */
static int32_t use_hint(const struct mldsa *p, int32_t r, uint8_t hint)
{
	const int32_t m = (MLDSA_Q - 1) / (2 * p->gamma2);
	int32_t low, high = mldsa_decompose(r, p->gamma2, &low);

	if (!hint)
		return high;
	return low > 0 ? (high + 1) % m : (high + m - 1) % m;
}

/* Row @i of A z - c t1 2^13, corrected, into the hash. */
static void recover(const struct mldsa *p, const uint8_t *pub, int i, struct verifying *v)
{
	memset(&v->w, 0, sizeof(v->w));
	for (int j = 0; j < p->l; j++) {
		poly_uniform(pub, (uint8_t)j, (uint8_t)i, &v->row);
		poly_multiply_add(&v->w, &v->row, &v->z[j]);
	}
	poly_unpack(pub + 32 + i * T1, T1_BITS, &v->t);
	for (int j = 0; j < MLDSA_N; j++)
		v->t.c[j] <<= MLDSA_D;
	poly_ntt(&v->t);
	poly_multiply(&v->row, &v->c, &v->t);
	poly_subtract(&v->w, &v->row);
	poly_ntt_inverse(&v->w);
	poly_positive(&v->w);
	for (int j = 0; j < MLDSA_N; j++)
		v->w.c[j] = use_hint(p, v->w.c[j], v->hint[i][j]);
	poly_pack(&v->w, p->w_bits, v->packed);
	sponge_absorb(&v->s, v->packed, MLDSA_N * p->w_bits / 8);
}

/* 8 */
static int verify(const struct mldsa *p, const uint8_t *pub, struct bytes msg, const uint8_t *sig, struct verifying *v)
{
	if (!read_signature(p, sig, v))
		return -EBADMSG;
	hash_h((struct bytes){ pub, p->public_key }, (struct bytes){ pub, 0 }, (struct bytes){ pub, 0 }, v->tr, HASH);
	message(v->tr, msg.p, msg.len, v->mu);
	mldsa_ball(sig, p->challenge, p->tau, &v->c);
	poly_ntt(&v->c);
	sponge_start(&v->s, SHAKE256);
	sponge_absorb(&v->s, v->mu, HASH);
	for (int i = 0; i < p->k; i++)
		recover(p, pub, i, v);
	sponge_end(&v->s, SPONGE_SHAKE);
	sponge_squeeze(&v->s, v->again, p->challenge);
	return memcmp(v->again, sig, p->challenge) ? -EBADMSG : 0;
}

int mldsa_verify(const struct mldsa *p, const uint8_t *pub, const uint8_t *msg, size_t len, const uint8_t *sig)
{
	struct verifying *v = malloc(sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	err = verify(p, pub, (struct bytes){ msg, len }, sig, v);
	free(v);
	return err;
}
