/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ECDSA signatures with P-256 (FIPS 186-5 6.4.1), for CPUs with BMI2, ADX and
 * AVX2. The nonce times the base point is a sum of one table entry for each 7
 * bits of it; the table is made at its first use. Time and addresses depend on
 * neither key nor nonce: an entry is chosen by reading all of its row.
 */
#include <errno.h>
#include <pthread.h>
#include "crypto/p256.h"
#if CRYPTO_ADX
#include <string.h>
#include "crypto/p256_field.h"
#include "rng/rng.h"

#define WINDOW	7
#define ROWS	37		/* row i: multiples of 2^(7 i) times the base point */
#define ENTRIES	(1 << (WINDOW - 1))	/* digits are signed: -64 .. 64 */

struct affine { p256_int x, y; };
struct point { p256_int x, y, z; };		/* x / z^2, y / z^3; z = 0: infinity */

static struct affine table[ROWS][ENTRIES] __attribute__((aligned(64)));
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static const p256_int zero, one = { 1 };
static const p256_int one_p = {			/* 2^256 mod p */
	0x0000000000000001, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe,
};
static const p256_int square_n = {		/* 2^512 mod n */
	0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59, 0x66e12d94f3d95620,
};
static const struct affine base = {		/* SP 800-186 3.2.1.3, each times 2^256 */
	{ 0x79e730d418a9143c, 0x75ba95fc5fedb601, 0x79fb732b77622510, 0x18905f76a53755c6 },
	{ 0xddf25357ce95560a, 0x8b4ab8e4ba19e45c, 0xd2e88688dd21f325, 0x8571ff1825885d85 },
};

/* ---- field */

static void sqr_times(p256_int r, const p256_int a, int n)
{
	p256_mul_p(r, a, a);
	while (--n)
		p256_mul_p(r, r, r);
}

/* a^(p - 2); xN: a^(2^N - 1) */
static void inverse_p(p256_int r, const p256_int a)
{
	p256_int x2, x3, x6, x12, x15, x30, x32, t;

	sqr_times(t, a, 1);
	p256_mul_p(x2, t, a);
	sqr_times(t, x2, 1);
	p256_mul_p(x3, t, a);
	sqr_times(t, x3, 3);
	p256_mul_p(x6, t, x3);
	sqr_times(t, x6, 6);
	p256_mul_p(x12, t, x6);
	sqr_times(t, x12, 3);
	p256_mul_p(x15, t, x3);
	sqr_times(t, x15, 15);
	p256_mul_p(x30, t, x15);
	sqr_times(t, x30, 2);
	p256_mul_p(x32, t, x2);
	sqr_times(t, x32, 32);
	p256_mul_p(t, t, a);
	sqr_times(t, t, 128);
	p256_mul_p(t, t, x32);
	sqr_times(t, t, 32);
	p256_mul_p(t, t, x32);
	sqr_times(t, t, 30);
	p256_mul_p(t, t, x30);
	sqr_times(t, t, 2);
	p256_mul_p(r, t, a);
}

/* a^(n - 2), four bits of the exponent, which everyone knows, at a time */
static void inverse_n(p256_int r, const p256_int a)
{
	p256_int power[16], e, x;
	unsigned int digit;

	memcpy(e, p256_n, sizeof(e));
	e[0] -= 2;
	memcpy(power[1], a, sizeof(power[1]));
	for (int i = 2; i < 16; i++)
		p256_mul_n(power[i], power[i - 1], a);
	memcpy(x, power[15], sizeof(x));
	for (int i = 62; i >= 0; i--) {
		for (int k = 0; k < 4; k++)
			p256_mul_n(x, x, x);
		digit = e[i / 16] >> 4 * (i % 16) & 15;
		if (digit)
			p256_mul_n(x, x, power[digit]);
	}
	memcpy(r, x, sizeof(x));
	crypto_wipe(power, sizeof(power));
	crypto_wipe(x, sizeof(x));
}

static void number_read(p256_int r, const uint8_t in[32])
{
	memset(r, 0, sizeof(p256_int));
	for (int i = 0; i < 32; i++)
		r[i / 8] |= (uint64_t)in[31 - i] << 8 * (i % 8);
}

static void number_write(uint8_t out[32], const p256_int a)
{
	for (int i = 0; i < 32; i++)
		out[31 - i] = (uint8_t)(a[i / 8] >> 8 * (i % 8));
}

/* Below 2^256, and so below 2n, to below n. */
static void order_reduce(p256_int r)
{
	const uint64_t t[5] = { r[0], r[1], r[2], r[3], 0 };

	p256_reduce(r, t, p256_n);
}

/* ---- points */

static void choose(p256_int r, const p256_int a, const p256_int b, uint64_t mask)
{
	for (int i = 0; i < P256_LIMBS; i++)
		r[i] = (a[i] & mask) | (b[i] & ~mask);
}

/*
 * r += q, or nothing if @skip is all ones. r may be infinity, but not q or -q:
 * a digit's multiple of 2^(7 i) is never one of the sum of the digits below it.
 */
static void add(struct point *r, const struct affine *q, uint64_t skip)
{
	p256_int zz, h, hh, hhh, v, d, t;
	struct point s;
	uint64_t infinity = r->z[0] | r->z[1] | r->z[2] | r->z[3];

	infinity = ((infinity | -infinity) >> 63) - 1;
	p256_mul_p(zz, r->z, r->z);
	p256_mul_p(h, q->x, zz);
	p256_mul_p(t, r->z, zz);
	p256_mul_p(t, q->y, t);
	p256_sub(h, h, r->x, p256_p);
	p256_sub(d, t, r->y, p256_p);
	p256_mul_p(hh, h, h);
	p256_mul_p(hhh, hh, h);
	p256_mul_p(v, r->x, hh);
	p256_mul_p(s.z, r->z, h);
	p256_mul_p(s.x, d, d);
	p256_sub(s.x, s.x, hhh, p256_p);
	p256_sub(s.x, s.x, v, p256_p);
	p256_sub(s.x, s.x, v, p256_p);
	p256_sub(t, v, s.x, p256_p);
	p256_mul_p(t, t, d);
	p256_mul_p(hhh, hhh, r->y);
	p256_sub(s.y, t, hhh, p256_p);
	choose(s.x, q->x, s.x, infinity);
	choose(s.y, q->y, s.y, infinity);
	choose(s.z, one_p, s.z, infinity);
	choose(r->x, r->x, s.x, skip);
	choose(r->y, r->y, s.y, skip);
	choose(r->z, r->z, s.z, skip);
}

/* a = -3 */
static void twice(struct point *p)
{
	p256_int delta, gamma, beta, alpha, t;

	p256_mul_p(delta, p->z, p->z);
	p256_mul_p(gamma, p->y, p->y);
	p256_mul_p(beta, p->x, gamma);
	p256_sub(t, p->x, delta, p256_p);
	p256_add(alpha, p->x, delta, p256_p);
	p256_mul_p(t, t, alpha);
	p256_add(alpha, t, t, p256_p);
	p256_add(alpha, alpha, t, p256_p);
	p256_add(t, p->y, p->z, p256_p);
	p256_mul_p(t, t, t);
	p256_sub(t, t, gamma, p256_p);
	p256_sub(p->z, t, delta, p256_p);
	p256_add(beta, beta, beta, p256_p);
	p256_add(beta, beta, beta, p256_p);
	p256_mul_p(p->x, alpha, alpha);
	p256_sub(p->x, p->x, beta, p256_p);
	p256_sub(p->x, p->x, beta, p256_p);
	p256_sub(t, beta, p->x, p256_p);
	p256_mul_p(t, t, alpha);
	p256_mul_p(gamma, gamma, gamma);
	for (int i = 0; i < 3; i++)
		p256_add(gamma, gamma, gamma, p256_p);
	p256_sub(p->y, t, gamma, p256_p);
}

static void to_affine(struct affine *r, const struct point *p)
{
	p256_int i, ii;

	inverse_p(i, p->z);
	p256_mul_p(ii, i, i);
	p256_mul_p(r->x, p->x, ii);
	p256_mul_p(ii, ii, i);
	p256_mul_p(r->y, p->y, ii);
}

static void table_make(void)
{
	struct point p, q;
	struct affine a = base;

	for (int row = 0; row < ROWS; row++) {
		memcpy(p.x, a.x, sizeof(p.x));
		memcpy(p.y, a.y, sizeof(p.y));
		memcpy(p.z, one_p, sizeof(p.z));
		q = p;
		table[row][0] = a;
		for (int i = 1; i < ENTRIES; i++) {
			if (i == 1)
				twice(&q);
			else
				add(&q, &a, 0);
			to_affine(&table[row][i], &q);
		}
		twice(&q);			/* 128 times p */
		to_affine(&a, &q);
	}
}

typedef uint64_t vector __attribute__((vector_size(32), may_alias));

/* The entry @size - 1; zeros for 0. */
__attribute__((target("avx2")))
static void entry(struct affine *r, const struct affine row[ENTRIES], uint64_t size)
{
	vector x = { 0 }, y = { 0 }, at = { 1, 1, 1, 1 };
	const vector step = at, wanted = { size, size, size, size };

	for (int i = 0; i < ENTRIES; i++) {
		const vector mask = (vector)(at == wanted);

		x |= mask & *(const vector *)row[i].x;
		y |= mask & *(const vector *)row[i].y;
		at += step;
	}
	memcpy(r->x, &x, sizeof(r->x));
	memcpy(r->y, &y, sizeof(r->y));
}

struct signing {
	struct point p;
	struct affine q;
	p256_int k, key, e, t, x;
	uint8_t bits[34];
};

/* Booth's digit of 7 bits and the one below them: its size, and whether it is negative. */
static uint64_t digit(const uint8_t bits[34], int row, uint64_t *negative)
{
	int at = WINDOW * row - 1;
	unsigned int w, d;

	if (at < 0)
		w = bits[0] << 1;
	else
		w = (bits[at / 8] | (unsigned int)bits[at / 8 + 1] << 8) >> at % 8;
	w &= 0xff;
	*negative = -(uint64_t)(w >> 7);
	d = ((255 - w) & (unsigned int)*negative) | (w & ~(unsigned int)*negative);
	return (d >> 1) + (d & 1);
}

/* p = k times the base point, 0 < k < n */
static void multiply_base(struct signing *s)
{
	uint64_t size, negative;

	pthread_once(&table_once, table_make);
	for (int i = 0; i < 32; i++)
		s->bits[i] = (uint8_t)(s->k[i / 8] >> 8 * (i % 8));
	memset(&s->p, 0, sizeof(s->p));
	for (int row = 0; row < ROWS; row++) {
		size = digit(s->bits, row, &negative);
		entry(&s->q, table[row], size);
		p256_sub(s->t, zero, s->q.y, p256_p);
		choose(s->q.y, s->t, s->q.y, negative);
		add(&s->p, &s->q, ((size | -size) >> 63) - 1);
	}
}

/* s = (e + r * key) / k mod n */
static void finish(struct signing *s, uint8_t rs[64])
{
	to_affine(&s->q, &s->p);
	p256_mul_p(s->x, s->q.x, one);
	order_reduce(s->x);
	number_write(rs, s->x);
	p256_mul_n(s->t, s->key, square_n);
	p256_mul_n(s->t, s->t, s->x);
	p256_add(s->t, s->t, s->e, p256_n);
	p256_mul_n(s->k, s->k, square_n);
	inverse_n(s->k, s->k);
	p256_mul_n(s->t, s->t, s->k);
	number_write(rs + 32, s->t);
}

int p256_sign_with(const uint8_t key[32], const uint8_t nonce[32], const uint8_t digest[32], uint8_t rs[64])
{
	static const uint8_t nought[32];
	struct signing s = { 0 };
	uint8_t reduced[32];
	int err = 0;

	number_read(s.k, nonce);
	memcpy(s.x, s.k, sizeof(s.x));
	order_reduce(s.x);
	number_write(reduced, s.x);
	number_read(s.key, key);
	number_read(s.e, digest);
	order_reduce(s.e);
	if (!crypto_equal(reduced, nonce, 32) || crypto_equal(nonce, nought, 32)) {
		err = -EAGAIN;
	} else {
		multiply_base(&s);
		finish(&s, rs);
		if (crypto_equal(rs, nought, 32) || crypto_equal(rs + 32, nought, 32))
			err = -EAGAIN;
	}
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(reduced, sizeof(reduced));
	return err;
}

void p256_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t rs[64])
{
	uint8_t nonce[32];

	do
		rng_fill(RNG_KEY, nonce, sizeof(nonce));
	while (p256_sign_with(key, nonce, digest, rs));
	crypto_wipe(nonce, sizeof(nonce));
}

#endif
