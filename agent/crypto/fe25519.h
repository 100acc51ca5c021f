/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers modulo p = 2^255 - 19 as five limbs of 51 bits. What fe_read and the
 * multiplications give is "small": limbs below 2^51 + 2^20. fe_add and fe_sub
 * don't carry, and only a small number may be subtracted. Factors may have limbs
 * of 2^54: then no sum of products reaches 2^115, nor a carry 2^64. Nothing
 * here branches on a number or is indexed by one.
 */
#ifndef CRYPTO_FE25519_H
#define CRYPTO_FE25519_H
#include <stdint.h>
#include <string.h>

#define FE_LIMBS	5
struct fe { uint64_t v[FE_LIMBS]; };

#define FE_MASK		((UINT64_C(1) << 51) - 1)

__extension__ typedef unsigned __int128 fe_wide;

static inline void fe_add(struct fe *r, const struct fe *a, const struct fe *b)
{
	for (int i = 0; i < FE_LIMBS; i++)
		r->v[i] = a->v[i] + b->v[i];
}

/* a + 2p - b */
static inline void fe_sub(struct fe *r, const struct fe *a, const struct fe *b)
{
	r->v[0] = a->v[0] + ((UINT64_C(1) << 52) - 38) - b->v[0];
	for (int i = 1; i < 5; i++)
		r->v[i] = a->v[i] + ((UINT64_C(1) << 52) - 2) - b->v[i];
}

static inline void fe_carry(struct fe *r, const fe_wide t[5])
{
	uint64_t r0, r1, r2, r3, r4;
	fe_wide c;

	r0 = (uint64_t)t[0] & FE_MASK;
	c = t[1] + (uint64_t)(t[0] >> 51);
	r1 = (uint64_t)c & FE_MASK;
	c = t[2] + (uint64_t)(c >> 51);
	r2 = (uint64_t)c & FE_MASK;
	c = t[3] + (uint64_t)(c >> 51);
	r3 = (uint64_t)c & FE_MASK;
	c = t[4] + (uint64_t)(c >> 51);
	r4 = (uint64_t)c & FE_MASK;
	r0 += 19 * (uint64_t)(c >> 51);
	r1 += r0 >> 51;
	*r = (struct fe){ { r0 & FE_MASK, r1, r2, r3, r4 } };
}

static inline void fe_mul(struct fe *r, const struct fe *a, const struct fe *b)
{
	const uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
	const uint64_t b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
	const uint64_t c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4;
	const fe_wide t[5] = {
		(fe_wide)a0 * b0 + (fe_wide)a1 * c4 + (fe_wide)a2 * c3 + (fe_wide)a3 * c2 + (fe_wide)a4 * c1,
		(fe_wide)a0 * b1 + (fe_wide)a1 * b0 + (fe_wide)a2 * c4 + (fe_wide)a3 * c3 + (fe_wide)a4 * c2,
		(fe_wide)a0 * b2 + (fe_wide)a1 * b1 + (fe_wide)a2 * b0 + (fe_wide)a3 * c4 + (fe_wide)a4 * c3,
		(fe_wide)a0 * b3 + (fe_wide)a1 * b2 + (fe_wide)a2 * b1 + (fe_wide)a3 * b0 + (fe_wide)a4 * c4,
		(fe_wide)a0 * b4 + (fe_wide)a1 * b3 + (fe_wide)a2 * b2 + (fe_wide)a3 * b1 + (fe_wide)a4 * b0,
	};

	fe_carry(r, t);
}

static inline void fe_sqr(struct fe *r, const struct fe *a)
{
	const uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
	const uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, c3 = 19 * a3, c4 = 19 * a4;
	const fe_wide t[5] = {
		(fe_wide)a0 * a0 + (fe_wide)d1 * c4 + (fe_wide)d2 * c3,
		(fe_wide)d0 * a1 + (fe_wide)d2 * c4 + (fe_wide)a3 * c3,
		(fe_wide)d0 * a2 + (fe_wide)a1 * a1 + (fe_wide)(2 * a3) * c4,
		(fe_wide)d0 * a3 + (fe_wide)d1 * a2 + (fe_wide)a4 * c4,
		(fe_wide)d0 * a4 + (fe_wide)d1 * a3 + (fe_wide)a2 * a2,
	};

	fe_carry(r, t);
}

static inline void fe_mul_small(struct fe *r, const struct fe *a, uint32_t n)
{
	fe_wide t[5];

	for (int i = 0; i < 5; i++)
		t[i] = (fe_wide)a->v[i] * n;
	fe_carry(r, t);
}

/* Little-endian; the top bit is ignored (RFC 7748 5). */
static inline void fe_read(struct fe *r, const uint8_t in[32])
{
	uint64_t w[4] = { 0 };

	for (int i = 0; i < 32; i++)
		w[i / 8] |= (uint64_t)in[i] << 8 * (i % 8);
	*r = (struct fe){ {
		w[0] & FE_MASK, (w[0] >> 51 | w[1] << 13) & FE_MASK, (w[1] >> 38 | w[2] << 26) & FE_MASK,
		(w[2] >> 25 | w[3] << 39) & FE_MASK, (w[3] >> 12) & FE_MASK,
	} };
}

/* The one representative in 0 .. p - 1, of a small number. */
static inline void fe_write(uint8_t out[32], const struct fe *a)
{
	uint64_t t[5], q, w[4];

	memcpy(t, a->v, sizeof(t));
	q = (t[0] + 19) >> 51;
	for (int i = 1; i < 5; i++)
		q = (t[i] + q) >> 51;		/* at the end: how often p fits */
	t[0] += 19 * q;
	for (int i = 0; i < 4; i++) {
		t[i + 1] += t[i] >> 51;
		t[i] &= FE_MASK;
	}
	t[4] &= FE_MASK;
	w[0] = t[0] | t[1] << 51;
	w[1] = t[1] >> 13 | t[2] << 38;
	w[2] = t[2] >> 26 | t[3] << 25;
	w[3] = t[3] >> 39 | t[4] << 12;
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(w[i / 8] >> 8 * (i % 8));
}

#endif
