/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X25519 (RFC 7748) over whichever field arithmetic is included before: the
 * ladder for a peer's share, and for our own share a table of multiples of the
 * base point on the birationally equivalent Edwards curve (RFC 7748 4.1), made
 * at its first use. Time and addresses depend on no scalar: a table entry is
 * chosen by reading all of its row.
 *
 * A field has struct fe of FE_LIMBS, fe_read, fe_write, fe_add, fe_sub, fe_mul,
 * fe_sqr and fe_mul_small; results may be the operands.
 */
#include <pthread.h>
#include "crypto/crypto.h"
#include "crypto/provider.h"

#define ROWS	32	/* row i: multiples of 256^i times the base point */
#define DIGITS	64	/* of 4 bits, signed: -8 .. 8 */

/* ---- field, by what is in it already */

static inline void fe_sqr_times(struct fe *r, const struct fe *a, int n)
{
	fe_sqr(r, a);
	while (--n)
		fe_sqr(r, r);
}

/* a^(p - 2); 0 for 0 */
static inline void fe_inverse(struct fe *r, const struct fe *a)
{
	struct fe a2, a9, a11, x5, x10, x20, x50, x100, t;

	fe_sqr(&a2, a);
	fe_sqr_times(&t, &a2, 2);
	fe_mul(&a9, &t, a);
	fe_mul(&a11, &a9, &a2);
	fe_sqr(&t, &a11);
	fe_mul(&x5, &t, &a9);		/* xN: 2^N - 1 */
	fe_sqr_times(&t, &x5, 5);
	fe_mul(&x10, &t, &x5);
	fe_sqr_times(&t, &x10, 10);
	fe_mul(&x20, &t, &x10);
	fe_sqr_times(&t, &x20, 20);
	fe_mul(&t, &t, &x20);
	fe_sqr_times(&t, &t, 10);
	fe_mul(&x50, &t, &x10);
	fe_sqr_times(&t, &x50, 50);
	fe_mul(&x100, &t, &x50);
	fe_sqr_times(&t, &x100, 100);
	fe_mul(&t, &t, &x100);
	fe_sqr_times(&t, &t, 50);
	fe_mul(&t, &t, &x50);
	fe_sqr_times(&t, &t, 5);
	fe_mul(r, &t, &a11);
}

/* @mask: all ones or zero */
static inline void fe_choose(struct fe *r, const struct fe *a, uint64_t mask)
{
	for (int i = 0; i < FE_LIMBS; i++)
		r->v[i] ^= mask & (r->v[i] ^ a->v[i]);
}

static inline void fe_swap(struct fe *a, struct fe *b, uint64_t mask)
{
	for (int i = 0; i < FE_LIMBS; i++) {
		uint64_t t = mask & (a->v[i] ^ b->v[i]);

		a->v[i] ^= t;
		b->v[i] ^= t;
	}
}

static void clamp(uint8_t k[32], const uint8_t n[32])
{
	memcpy(k, n, 32);
	k[0] &= 248;
	k[31] = (k[31] & 127) | 64;
}

/* ---- any point: RFC 7748 5 */

struct ladder {
	struct fe x1, x2, z2, x3, z3;
	struct fe a, b, c, d, aa, bb, e;
	uint8_t k[32];
};

static void ladder_step(struct ladder *l)
{
	fe_add(&l->a, &l->x2, &l->z2);
	fe_sub(&l->b, &l->x2, &l->z2);
	fe_add(&l->c, &l->x3, &l->z3);
	fe_sub(&l->d, &l->x3, &l->z3);
	fe_sqr(&l->aa, &l->a);
	fe_sqr(&l->bb, &l->b);
	fe_sub(&l->e, &l->aa, &l->bb);
	fe_mul(&l->d, &l->d, &l->a);
	fe_mul(&l->c, &l->c, &l->b);
	fe_add(&l->x3, &l->d, &l->c);
	fe_sqr(&l->x3, &l->x3);
	fe_sub(&l->z3, &l->d, &l->c);
	fe_sqr(&l->z3, &l->z3);
	fe_mul(&l->z3, &l->z3, &l->x1);
	fe_mul(&l->x2, &l->aa, &l->bb);
	fe_mul_small(&l->a, &l->e, 121665);
	fe_add(&l->a, &l->a, &l->aa);
	fe_mul(&l->z2, &l->e, &l->a);
}

static void multiply(uint8_t out[32], const uint8_t n[32], const uint8_t point[32])
{
	struct ladder l = { .x2 = { { 1 } }, .z3 = { { 1 } } };
	uint64_t bit, swap = 0;

	clamp(l.k, n);
	fe_read(&l.x1, point);
	l.x3 = l.x1;
	for (int i = 254; i >= 0; i--) {
		bit = l.k[i / 8] >> (i % 8) & 1;
		swap ^= bit;
		fe_swap(&l.x2, &l.x3, -swap);
		fe_swap(&l.z2, &l.z3, -swap);
		swap = bit;
		ladder_step(&l);
	}
	fe_swap(&l.x2, &l.x3, -swap);
	fe_swap(&l.z2, &l.z3, -swap);
	fe_inverse(&l.a, &l.z2);
	fe_mul(&l.x2, &l.x2, &l.a);
	fe_write(out, &l.x2);
	crypto_wipe(&l, sizeof(l));
}

/* ---- the base point: -x^2 + y^2 = 1 + d x^2 y^2, extended coordinates, t = xy/z */

struct point { struct fe x, y, z, t; };
struct affine { struct fe plus, minus, t2d; };	/* y + x, y - x, 2dxy */

static struct affine table[ROWS][8];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

/* p = (e : h : f : g), where x = e/g and y = h/f */
static void complete(struct point *p, const struct fe *e, const struct fe *h, const struct fe *f, const struct fe *g)
{
	fe_mul(&p->x, e, f);
	fe_mul(&p->y, g, h);
	fe_mul(&p->z, f, g);
	fe_mul(&p->t, e, h);
}

/* Holds for any two points, equal ones too. */
static void add(struct point *p, const struct affine *q)
{
	struct fe a, b, c, d, e, f, g, h;

	fe_sub(&a, &p->y, &p->x);
	fe_add(&b, &p->y, &p->x);
	fe_mul(&a, &a, &q->minus);
	fe_mul(&b, &b, &q->plus);
	fe_mul(&c, &p->t, &q->t2d);
	fe_add(&d, &p->z, &p->z);
	fe_sub(&e, &b, &a);
	fe_sub(&f, &d, &c);
	fe_add(&g, &d, &c);
	fe_add(&h, &b, &a);
	complete(p, &e, &h, &f, &g);
}

static void twice(struct point *p)
{
	struct fe a, b, c, e, f, g, h;

	fe_add(&e, &p->x, &p->y);
	fe_sqr(&e, &e);
	fe_sqr(&a, &p->x);
	fe_sqr(&b, &p->y);
	fe_sqr(&c, &p->z);
	fe_add(&c, &c, &c);
	fe_add(&h, &a, &b);
	fe_sub(&e, &h, &e);
	fe_sub(&g, &a, &b);
	fe_add(&f, &c, &g);
	complete(p, &e, &h, &f, &g);
}

static void to_affine(struct affine *r, const struct point *p, const struct fe *d)
{
	struct fe x, y, inverse;

	fe_inverse(&inverse, &p->z);
	fe_mul(&x, &p->x, &inverse);
	fe_mul(&y, &p->y, &inverse);
	fe_add(&r->plus, &y, &x);
	fe_sub(&r->minus, &y, &x);
	fe_mul(&r->t2d, &x, &y);
	fe_mul(&r->t2d, &r->t2d, d);
	fe_add(&r->t2d, &r->t2d, &r->t2d);
	fe_mul(&r->minus, &r->minus, &(struct fe){ { 1 } });
	fe_mul(&r->t2d, &r->t2d, &(struct fe){ { 1 } });
}

static void table_make(void)
{
	static const uint8_t base_x[32] = {
		0x1a, 0xd5, 0x25, 0x8f, 0x60, 0x2d, 0x56, 0xc9, 0xb2, 0xa7, 0x25, 0x95, 0x60, 0xc7, 0x2c, 0x69,
		0x5c, 0xdc, 0xd6, 0xfd, 0x31, 0xe2, 0xa4, 0xc0, 0xfe, 0x53, 0x6e, 0xcd, 0xd3, 0x36, 0x69, 0x21,
	};
	const struct fe zero = { { 0 } };
	struct point p = { .z = { { 1 } } }, q;
	struct fe d;

	fe_inverse(&d, &(struct fe){ { 121666 } });
	fe_mul_small(&d, &d, 121665);
	fe_sub(&d, &zero, &d);			/* -121665/121666 */
	fe_inverse(&p.y, &(struct fe){ { 5 } });
	fe_mul_small(&p.y, &p.y, 4);		/* 4/5 */
	fe_read(&p.x, base_x);
	fe_mul(&p.t, &p.x, &p.y);
	for (int row = 0; row < ROWS; row++) {
		q = p;
		to_affine(&table[row][0], &p, &d);
		for (int i = 1; i < 8; i++) {
			add(&q, &table[row][0]);
			to_affine(&table[row][i], &q, &d);
		}
		for (int i = 0; i < 8; i++)
			twice(&p);
	}
}

/* digit times the row's point */
static void choose(struct affine *r, const struct affine row[8], int8_t digit)
{
	const uint64_t negative = -(uint64_t)((uint8_t)digit >> 7);
	const uint64_t size = (uint64_t)((digit ^ (int8_t)negative) - (int8_t)negative);
	struct fe minus = { { 0 } };

	*r = (struct affine){ .plus = { { 1 } }, .minus = { { 1 } } };
	for (uint64_t i = 1; i <= 8; i++) {
		const uint64_t mask = -(((size ^ i) - 1) >> 63);

		fe_choose(&r->plus, &row[i - 1].plus, mask);
		fe_choose(&r->minus, &row[i - 1].minus, mask);
		fe_choose(&r->t2d, &row[i - 1].t2d, mask);
	}
	fe_swap(&r->plus, &r->minus, negative);
	fe_sub(&minus, &minus, &r->t2d);
	fe_choose(&r->t2d, &minus, negative);
}

/* k as the sum of digit[i] * 16^i */
static void recode(int8_t digit[DIGITS], const uint8_t k[32])
{
	int8_t carry = 0;

	for (int i = 0; i < DIGITS; i++) {
		digit[i] = (int8_t)((k[i / 2] >> 4 * (i & 1) & 15) + carry);
		carry = (int8_t)((digit[i] + 8) >> 4);
		if (i < DIGITS - 1)
			digit[i] = (int8_t)(digit[i] - carry * 16);
	}
}

struct comb {
	struct point p;
	struct affine q;
	struct fe top, bottom;
	int8_t digit[DIGITS];
	uint8_t k[32];
};

static void comb_half(struct comb *c, int first)
{
	for (int i = first; i < DIGITS; i += 2) {
		choose(&c->q, table[i / 2], c->digit[i]);
		add(&c->p, &c->q);
	}
}

static void multiply_base(uint8_t out[32], const uint8_t n[32])
{
	struct comb c = { .p = { .y = { { 1 } }, .z = { { 1 } } } };

	pthread_once(&table_once, table_make);
	clamp(c.k, n);
	recode(c.digit, c.k);
	comb_half(&c, 1);
	for (int i = 0; i < 4; i++)
		twice(&c.p);
	comb_half(&c, 0);
	fe_add(&c.top, &c.p.z, &c.p.y);		/* u = (1 + y) / (1 - y) */
	fe_sub(&c.bottom, &c.p.z, &c.p.y);
	fe_inverse(&c.bottom, &c.bottom);
	fe_mul(&c.top, &c.top, &c.bottom);
	fe_write(out, &c.top);
	crypto_wipe(&c, sizeof(c));
}
