/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Montgomery arithmetic modulo P-256's prime p and its order n (FIPS 186-5,
 * SP 800-186 3.2.1.3): four limbs of 64 bits, the first the lowest, always less
 * than the modulus; x stands for x / 2^256. Nothing here branches on a number.
 */
#ifndef CRYPTO_P256_FIELD_H
#define CRYPTO_P256_FIELD_H
#include <stdint.h>

#define P256_LIMBS 4

__extension__ typedef unsigned __int128 p256_wide;
typedef uint64_t p256_int[P256_LIMBS];

static const p256_int p256_p = {
	0xffffffffffffffff, 0x00000000ffffffff, 0, 0xffffffff00000001,
};
static const p256_int p256_n = {
	0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000,
};
static const uint64_t p256_n0 = 0xccd1c8aaee00bc4f;	/* -1 / n mod 2^64 */

/* a + b + carry; the carry is 0 or 1 */
static inline uint64_t p256_adc(uint64_t a, uint64_t b, uint64_t *carry)
{
	p256_wide t = (p256_wide)a + b + *carry;

	*carry = (uint64_t)(t >> 64);
	return (uint64_t)t;
}

static inline uint64_t p256_sbb(uint64_t a, uint64_t b, uint64_t *borrow)
{
	p256_wide t = (p256_wide)a - b - *borrow;

	*borrow = (uint64_t)(t >> 64) & 1;
	return (uint64_t)t;
}

/* r = t - m if that is not negative, else t; t has a fifth limb, 0 or 1. */
static inline void p256_reduce(p256_int r, const uint64_t t[5], const p256_int m)
{
	uint64_t borrow = 0, mask;
	p256_int s;

	for (int i = 0; i < P256_LIMBS; i++)
		s[i] = p256_sbb(t[i], m[i], &borrow);
	p256_sbb(t[4], 0, &borrow);
	mask = -borrow;
	for (int i = 0; i < P256_LIMBS; i++)
		r[i] = (t[i] & mask) | (s[i] & ~mask);
}

static inline void p256_add(p256_int r, const p256_int a, const p256_int b, const p256_int m)
{
	uint64_t t[5], carry = 0;

	for (int i = 0; i < P256_LIMBS; i++)
		t[i] = p256_adc(a[i], b[i], &carry);
	t[4] = carry;
	p256_reduce(r, t, m);
}

static inline void p256_sub(p256_int r, const p256_int a, const p256_int b, const p256_int m)
{
	uint64_t borrow = 0, carry = 0, mask;
	p256_int t;

	for (int i = 0; i < P256_LIMBS; i++)
		t[i] = p256_sbb(a[i], b[i], &borrow);
	mask = -borrow;
	for (int i = 0; i < P256_LIMBS; i++)
		r[i] = p256_adc(t[i], m[i] & mask, &carry);
}

/*
 * One row of a product by MULX, ADCX and ADOX: X1..X5 += a * rdx, and X0, which
 * is zero before, gets what does not fit.
 */
#define P256_ROW(FROM, X1, X2, X3, X4, X5, X0)						\
	"movq " FROM ", %%rdx\n\t"							\
	"xorl %k[" X0 "], %k[" X0 "]\n\t"						\
	"mulxq 0(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X1 "]\n\t adoxq %[hi], %[" X2 "]\n\t"	\
	"mulxq 8(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X2 "]\n\t adoxq %[hi], %[" X3 "]\n\t"	\
	"mulxq 16(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X3 "]\n\t adoxq %[hi], %[" X4 "]\n\t" \
	"mulxq 24(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X4 "]\n\t adoxq %[hi], %[" X5 "]\n\t" \
	"adcxq %[" X0 "], %[" X5 "]\n\t adoxq %[" X0 "], %[" X0 "]\n\t adcq $0, %[" X0 "]\n\t"

/* X += X0 * p, of which X0 becomes 0: -1/p is 1, and p's form leaves one multiplication. */
#define P256_FOLD_P(X0, X1, X2, X3, X4, X5)						\
	"movq %[" X0 "], %%rdx\n\t"							\
	"movq %[" X0 "], %[lo]\n\t shlq $32, %[lo]\n\t"					\
	"movq %[" X0 "], %[hi]\n\t shrq $32, %[hi]\n\t"					\
	"addq %[lo], %[" X1 "]\n\t adcq %[hi], %[" X2 "]\n\t"				\
	"mulxq 24(%[m]), %[lo], %[hi]\n\t"						\
	"adcq %[lo], %[" X3 "]\n\t adcq %[hi], %[" X4 "]\n\t adcq $0, %[" X5 "]\n\t"

/* The same for any odd modulus. */
#define P256_FOLD_N(X0, X1, X2, X3, X4, X5)						\
	"movq %[" X0 "], %%rdx\n\t imulq %[n0], %%rdx\n\t"				\
	"xorl %k[lo], %k[lo]\n\t"							\
	"mulxq 0(%[m]), %[lo], %[hi]\n\t adcxq %[lo], %[" X0 "]\n\t adoxq %[hi], %[" X1 "]\n\t"	\
	"mulxq 8(%[m]), %[lo], %[hi]\n\t adcxq %[lo], %[" X1 "]\n\t adoxq %[hi], %[" X2 "]\n\t"	\
	"mulxq 16(%[m]), %[lo], %[hi]\n\t adcxq %[lo], %[" X2 "]\n\t adoxq %[hi], %[" X3 "]\n\t" \
	"mulxq 24(%[m]), %[lo], %[hi]\n\t adcxq %[lo], %[" X3 "]\n\t adoxq %[hi], %[" X4 "]\n\t" \
	"adcxq %[" X0 "], %[" X4 "]\n\t adoxq %[" X0 "], %[" X5 "]\n\t adcq $0, %[" X5 "]\n\t"

#define P256_PRODUCT(FOLD)								\
	P256_ROW("0(%[b])", "c0", "c1", "c2", "c3", "c4", "c5")				\
	FOLD("c0", "c1", "c2", "c3", "c4", "c5")					\
	P256_ROW("8(%[b])", "c1", "c2", "c3", "c4", "c5", "c0")				\
	FOLD("c1", "c2", "c3", "c4", "c5", "c0")					\
	P256_ROW("16(%[b])", "c2", "c3", "c4", "c5", "c0", "c1")			\
	FOLD("c2", "c3", "c4", "c5", "c0", "c1")					\
	P256_ROW("24(%[b])", "c3", "c4", "c5", "c0", "c1", "c2")			\
	FOLD("c3", "c4", "c5", "c0", "c1", "c2")					\
	/* c4 c5 c0 c1 and the carry c2, less the modulus if that leaves something */	\
	"movq %[c4], %[lo]\n\t movq %[c5], %[hi]\n\t"					\
	"movq %[c0], %%rdx\n\t movq %[c1], %[c3]\n\t"					\
	"subq 0(%[m]), %[lo]\n\t sbbq 8(%[m]), %[hi]\n\t"				\
	"sbbq 16(%[m]), %%rdx\n\t sbbq 24(%[m]), %[c3]\n\t sbbq $0, %[c2]\n\t"		\
	"cmovcq %[c4], %[lo]\n\t cmovcq %[c5], %[hi]\n\t"				\
	"cmovcq %[c0], %%rdx\n\t cmovcq %[c1], %[c3]\n\t"

/* r = a * b / 2^256; r may be a or b */
#define P256_MULTIPLICATION(NAME, FOLD, MODULUS)					\
static __attribute__((noinline)) void NAME(p256_int r, const p256_int a, const p256_int b) \
{											\
	uint64_t c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5, lo, hi, top;		\
											\
	__asm__(P256_PRODUCT(FOLD)							\
		: [c0] "+&r"(c0), [c1] "+&r"(c1), [c2] "+&r"(c2), [c3] "+&r"(c3),	\
		  [c4] "+&r"(c4), [c5] "=&r"(c5), [lo] "=&r"(lo), [hi] "=&r"(hi), "=&d"(top) \
		: [a] "r"(a), [b] "r"(b), [m] "r"(MODULUS), [n0] "m"(p256_n0),		\
		  "m"(*(const p256_int *)a), "m"(*(const p256_int *)b)			\
		: "cc");								\
	r[0] = lo;									\
	r[1] = hi;									\
	r[2] = top;									\
	r[3] = c3;									\
}

P256_MULTIPLICATION(p256_mul_p, P256_FOLD_P, p256_p)
P256_MULTIPLICATION(p256_mul_n, P256_FOLD_N, p256_n)

#endif
