/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic modulo an odd number whose top bit is set, of 4 to 8 limbs, in
 * Montgomery's form (a stands for a * 2^-bits). Time and addresses depend on
 * the number of limbs alone; what is read is below the modulus, and so is what
 * comes out. In place is allowed everywhere.
 */
#ifndef CRYPTO_MONT_H
#define CRYPTO_MONT_H
#include <stdint.h>

#define MONT_LIMBS 8

typedef uint64_t mont_int[MONT_LIMBS];

struct mont {
	mont_int m, one, square;	/* the modulus; 1 and 2^bits in Montgomery's form */
	uint64_t inverse;		/* of -m modulo 2^64 */
	int limbs;
};

void mont_start(struct mont *f, const uint64_t *m, int limbs);
void mont_mul(const struct mont *f, mont_int r, const mont_int a, const mont_int b);
void mont_add(const struct mont *f, mont_int r, const mont_int a, const mont_int b);
void mont_sub(const struct mont *f, mont_int r, const mont_int a, const mont_int b);
/* a^(m - 2): the inverse if m is prime, 0 of 0 */
void mont_inverse(const struct mont *f, mont_int r, const mont_int a);
void mont_enter(const struct mont *f, mont_int r, const mont_int a);	/* into Montgomery's form */
void mont_leave(const struct mont *f, mont_int r, const mont_int a);
void mont_reduce(const struct mont *f, mont_int r);	/* of any number of so many bits, to below m */
void mont_choose(mont_int r, const mont_int a, const mont_int b, uint64_t mask);	/* a if it is all ones, b if 0 */

/* Big-endian, 8 * limbs bytes. */
void mont_read(const struct mont *f, mont_int r, const uint8_t *in);
void mont_write(const struct mont *f, uint8_t *out, const mont_int a);

#endif
