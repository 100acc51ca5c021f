/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers modulo p = 2^255 - 19 as four limbs of 64 bits, any number below
 * 2^256: what goes beyond comes back as 38 times as much. For CPUs with BMI2
 * and ADX. Nothing here branches on a number or is indexed by one.
 */
#ifndef CRYPTO_FE25519_ADX_H
#define CRYPTO_FE25519_ADX_H
#include <stdint.h>
#include <string.h>

#define FE_LIMBS	4
struct fe { uint64_t v[FE_LIMBS]; };

/* What is added for a carry, twice: the second time nothing can be left over. */
static inline void fe_add(struct fe *r, const struct fe *a, const struct fe *b)
{
	uint64_t r0 = a->v[0], r1 = a->v[1], r2 = a->v[2], r3 = a->v[3], c;

	__asm__("addq 0(%[b]), %[r0]\n\t adcq 8(%[b]), %[r1]\n\t adcq 16(%[b]), %[r2]\n\t"
		"adcq 24(%[b]), %[r3]\n\t sbbq %[c], %[c]\n\t andl $38, %k[c]\n\t"
		"addq %[c], %[r0]\n\t adcq $0, %[r1]\n\t adcq $0, %[r2]\n\t adcq $0, %[r3]\n\t"
		"sbbq %[c], %[c]\n\t andl $38, %k[c]\n\t addq %[c], %[r0]\n\t"
		: [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [c] "=&r"(c)
		: [b] "r"(b->v), "m"(*b) : "cc");
	*r = (struct fe){ { r0, r1, r2, r3 } };
}

static inline void fe_sub(struct fe *r, const struct fe *a, const struct fe *b)
{
	uint64_t r0 = a->v[0], r1 = a->v[1], r2 = a->v[2], r3 = a->v[3], c;

	__asm__("subq 0(%[b]), %[r0]\n\t sbbq 8(%[b]), %[r1]\n\t sbbq 16(%[b]), %[r2]\n\t"
		"sbbq 24(%[b]), %[r3]\n\t sbbq %[c], %[c]\n\t andl $38, %k[c]\n\t"
		"subq %[c], %[r0]\n\t sbbq $0, %[r1]\n\t sbbq $0, %[r2]\n\t sbbq $0, %[r3]\n\t"
		"sbbq %[c], %[c]\n\t andl $38, %k[c]\n\t subq %[c], %[r0]\n\t"
		: [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [c] "=&r"(c)
		: [b] "r"(b->v), "m"(*b) : "cc");
	*r = (struct fe){ { r0, r1, r2, r3 } };
}

/* X0..X3 += a * limb, and X4 gets what does not fit. */
#define FE_ROW(LIMB, X0, X1, X2, X3, X4)							\
	"movq " LIMB "(%[b]), %%rdx\n\t xorl %k[" X4 "], %k[" X4 "]\n\t"			\
	"mulxq 0(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X0 "]\n\t adoxq %[hi], %[" X1 "]\n\t"	\
	"mulxq 8(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X1 "]\n\t adoxq %[hi], %[" X2 "]\n\t"	\
	"mulxq 16(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X2 "]\n\t adoxq %[hi], %[" X3 "]\n\t" \
	"mulxq 24(%[a]), %[lo], %[hi]\n\t adcxq %[lo], %[" X3 "]\n\t adoxq %[hi], %[" X4 "]\n\t" \
	"adcq $0, %[" X4 "]\n\t"

/* c0..c3 += hi * 38, where hi is below 2^32 */
#define FE_FOLD_TOP										\
	"imulq $38, %[hi], %[hi]\n\t"								\
	"addq %[hi], %[c0]\n\t adcq $0, %[c1]\n\t adcq $0, %[c2]\n\t adcq $0, %[c3]\n\t"	\
	"sbbq %[lo], %[lo]\n\t andl $38, %k[lo]\n\t addq %[lo], %[c0]\n\t"

/* c0..c3 += c4..c7 * 38 */
#define FE_FOLD											\
	"movl $38, %%edx\n\t xorl %k[lo], %k[lo]\n\t"						\
	"mulxq %[c4], %[lo], %[hi]\n\t adcxq %[lo], %[c0]\n\t adoxq %[hi], %[c1]\n\t"		\
	"mulxq %[c5], %[lo], %[hi]\n\t adcxq %[lo], %[c1]\n\t adoxq %[hi], %[c2]\n\t"		\
	"mulxq %[c6], %[lo], %[hi]\n\t adcxq %[lo], %[c2]\n\t adoxq %[hi], %[c3]\n\t"		\
	"mulxq %[c7], %[lo], %[hi]\n\t adcxq %[lo], %[c3]\n\t movl $0, %k[c4]\n\t"		\
	"adoxq %[c4], %[hi]\n\t adcxq %[c4], %[hi]\n\t"						\
	FE_FOLD_TOP

static __attribute__((noinline)) void fe_mul(struct fe *r, const struct fe *a, const struct fe *b)
{
	uint64_t c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4, c5, c6, c7, lo, hi;

	__asm__(FE_ROW("0", "c0", "c1", "c2", "c3", "c4")
		FE_ROW("8", "c1", "c2", "c3", "c4", "c5")
		FE_ROW("16", "c2", "c3", "c4", "c5", "c6")
		FE_ROW("24", "c3", "c4", "c5", "c6", "c7")
		FE_FOLD
		: [c0] "+&r"(c0), [c1] "+&r"(c1), [c2] "+&r"(c2), [c3] "+&r"(c3), [c4] "=&r"(c4),
		  [c5] "=&r"(c5), [c6] "=&r"(c6), [c7] "=&r"(c7), [lo] "=&r"(lo), [hi] "=&r"(hi)
		: [a] "r"(a->v), [b] "r"(b->v), "m"(*a), "m"(*b) : "rdx", "cc");
	*r = (struct fe){ { c0, c1, c2, c3 } };
}

static inline void fe_sqr(struct fe *r, const struct fe *a)
{
	fe_mul(r, a, a);
}

static inline void fe_mul_small(struct fe *r, const struct fe *a, uint32_t n)
{
	uint64_t c0, c1, c2, c3, lo, hi;

	__asm__("movl %[n], %%edx\n\t"
		"mulxq 0(%[a]), %[c0], %[c1]\n\t mulxq 8(%[a]), %[lo], %[c2]\n\t addq %[lo], %[c1]\n\t"
		"mulxq 16(%[a]), %[lo], %[c3]\n\t adcq %[lo], %[c2]\n\t"
		"mulxq 24(%[a]), %[lo], %[hi]\n\t adcq %[lo], %[c3]\n\t adcq $0, %[hi]\n\t"
		FE_FOLD_TOP
		: [c0] "=&r"(c0), [c1] "=&r"(c1), [c2] "=&r"(c2), [c3] "=&r"(c3), [lo] "=&r"(lo), [hi] "=&r"(hi)
		: [a] "r"(a->v), [n] "r"(n), "m"(*a) : "rdx", "cc");
	*r = (struct fe){ { c0, c1, c2, c3 } };
}

/* Little-endian; the top bit is ignored (RFC 7748 5). */
static inline void fe_read(struct fe *r, const uint8_t in[32])
{
	memset(r, 0, sizeof(*r));
	for (int i = 0; i < 32; i++)
		r->v[i / 8] |= (uint64_t)in[i] << 8 * (i % 8);
	r->v[3] &= INT64_MAX;
}

/* The one representative in 0 .. p - 1. */
static inline void fe_write(uint8_t out[32], const struct fe *a)
{
	struct fe t = *a;
	uint64_t q, carry;

	for (int pass = 0; pass < 2; pass++) {	/* first below 2^255 + 19, then below p */
		q = (t.v[3] >> 63) * 19;
		t.v[3] &= INT64_MAX;
		if (pass)
			q += 19;		/* reaches 2^255 exactly if it is p or more */
		for (int i = 0; i < FE_LIMBS; i++) {
			carry = __builtin_add_overflow(t.v[i], q, &t.v[i]);
			q = carry;
		}
	}
	q = 19 * (1 - (t.v[3] >> 63));
	t.v[3] &= INT64_MAX;
	for (int i = 0; i < FE_LIMBS; i++) {
		carry = __builtin_sub_overflow(t.v[i], q, &t.v[i]);
		q = carry;
	}
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(t.v[i / 8] >> 8 * (i % 8));
}

#endif
