/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See mont.h. Multiplication is by operand scanning, one limb of the product reduced at each step. */
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/mont.h"

__extension__ typedef unsigned __int128 wide;

void mont_choose(mont_int r, const mont_int a, const mont_int b, uint64_t mask)
{
	for (int i = 0; i < MONT_LIMBS; i++)
		r[i] = (a[i] & mask) | (b[i] & ~mask);
}

/* r = a + b, or a - b; the carry or borrow */
static uint64_t plus(mont_int r, const uint64_t *a, const uint64_t *b, int limbs)
{
	wide t = 0;

	for (int i = 0; i < limbs; i++) {
		t += (wide)a[i] + b[i];
		r[i] = (uint64_t)t;
		t >>= 64;
	}
	return (uint64_t)t;
}

static uint64_t minus(mont_int r, const uint64_t *a, const uint64_t *b, int limbs)
{
	uint64_t borrow = 0;
	wide t;

	for (int i = 0; i < limbs; i++) {
		t = (wide)a[i] - b[i] - borrow;
		r[i] = (uint64_t)t;
		borrow = (uint64_t)(t >> 64) & 1;
	}
	return borrow;
}

/* Of a number with a carry on top that is below 2m, to below m. */
static void once(const struct mont *f, mont_int r, const mont_int a, uint64_t carry)
{
	mont_int t = { 0 };
	uint64_t borrow = minus(t, a, f->m, f->limbs);

	mont_choose(r, a, t, -(borrow & ~carry & 1));
}

void mont_reduce(const struct mont *f, mont_int r)
{
	once(f, r, r, 0);
}

void mont_add(const struct mont *f, mont_int r, const mont_int a, const mont_int b)
{
	mont_int t = { 0 };
	uint64_t carry = plus(t, a, b, f->limbs);

	once(f, r, t, carry);
}

void mont_sub(const struct mont *f, mont_int r, const mont_int a, const mont_int b)
{
	mont_int t = { 0 }, back = { 0 };
	uint64_t borrow = minus(t, a, b, f->limbs);

	plus(back, t, f->m, f->limbs);
	mont_choose(r, back, t, -borrow);
}

void mont_mul(const struct mont *f, mont_int r, const mont_int a, const mont_int b)
{
	uint64_t t[MONT_LIMBS + 2] = { 0 }, q;
	const int n = f->limbs;
	wide w;

	for (int i = 0; i < n; i++) {
		w = 0;
		for (int j = 0; j < n; j++) {
			w += (wide)a[j] * b[i] + t[j];
			t[j] = (uint64_t)w;
			w >>= 64;
		}
		w += t[n];
		t[n] = (uint64_t)w;
		t[n + 1] = (uint64_t)(w >> 64);
		q = t[0] * f->inverse;
		w = ((wide)q * f->m[0] + t[0]) >> 64;
		for (int j = 1; j < n; j++) {
			w += (wide)q * f->m[j] + t[j];
			t[j - 1] = (uint64_t)w;
			w >>= 64;
		}
		w += t[n];
		t[n - 1] = (uint64_t)w;
		t[n] = t[n + 1] + (uint64_t)(w >> 64);
	}
	q = t[n];
	t[n] = 0;
	once(f, r, t, q);
}

/* The exponent is no secret. */
void mont_inverse(const struct mont *f, mont_int r, const mont_int a)
{
	const mont_int two = { 2 };
	mont_int e = { 0 }, x;

	minus(e, f->m, two, f->limbs);
	memcpy(x, f->one, sizeof(x));
	for (int i = 64 * f->limbs - 1; i >= 0; i--) {
		mont_mul(f, x, x, x);
		if (e[i / 64] >> i % 64 & 1)
			mont_mul(f, x, x, a);
	}
	memcpy(r, x, sizeof(x));
	crypto_wipe(x, sizeof(x));
}

void mont_enter(const struct mont *f, mont_int r, const mont_int a)
{
	mont_mul(f, r, a, f->square);
}

void mont_leave(const struct mont *f, mont_int r, const mont_int a)
{
	static const mont_int one = { 1 };

	mont_mul(f, r, a, one);
}

void mont_start(struct mont *f, const uint64_t *m, int limbs)
{
	memset(f, 0, sizeof(*f));
	f->limbs = limbs;
	memcpy(f->m, m, (size_t)limbs * sizeof(*m));
	f->inverse = 1;
	for (int i = 0; i < 6; i++)	/* twice as many bits each time */
		f->inverse *= 2 + m[0] * f->inverse;
	minus(f->one, f->one, f->m, limbs);	/* 2^bits - m, as the top bit of m is set */
	memcpy(f->square, f->one, sizeof(f->one));
	for (int i = 0; i < 64 * limbs; i++)
		mont_add(f, f->square, f->square, f->square);
}

void mont_read(const struct mont *f, mont_int r, const uint8_t *in)
{
	memset(r, 0, sizeof(mont_int));
	for (int i = 0; i < 8 * f->limbs; i++)
		r[i / 8] |= (uint64_t)in[8 * f->limbs - 1 - i] << 8 * (i % 8);
}

void mont_write(const struct mont *f, uint8_t *out, const mont_int a)
{
	for (int i = 0; i < 8 * f->limbs; i++)
		out[8 * f->limbs - 1 - i] = (uint8_t)(a[i / 8] >> 8 * (i % 8));
}
