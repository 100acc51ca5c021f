/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Polynomials of ML-DSA (FIPS 204): their ring, their samples, their bytes. For
 * mldsa.c. Nothing branches on a coefficient or indexes by one, but where it
 * says public.
 */
#ifndef CRYPTO_MLDSA_POLY_H
#define CRYPTO_MLDSA_POLY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MLDSA_Q	8380417
#define MLDSA_N	256
#define MLDSA_D	13			/* bits of t that stay private */

struct poly { int32_t c[MLDSA_N]; };

/* Coefficients between -q and q; what goes in may be eight times that. */
void poly_ntt(struct poly *f);
void poly_ntt_inverse(struct poly *f);	/* also multiplies by 2^32, which poly_multiply divided by */
void poly_multiply(struct poly *r, const struct poly *a, const struct poly *b);
void poly_multiply_add(struct poly *r, const struct poly *a, const struct poly *b);
void poly_add(struct poly *r, const struct poly *a);
void poly_subtract(struct poly *r, const struct poly *a);
void poly_reduce(struct poly *f);	/* to between -q / 2 and q / 2, about */
void poly_positive(struct poly *f);	/* to 0 .. q - 1 */

/* t = 2^13 t1 + t0 (35), both of 0 .. q - 1 */
void poly_power2round(const struct poly *t, struct poly *t1, struct poly *t0);
/* a = 2 gamma2 a1 + a0 (36), a of 0 .. q - 1 */
int32_t mldsa_decompose(int32_t a, int32_t gamma2, int32_t *a0);
/* All below @bound in size? That is public: who signs says it by trying again. */
bool poly_within(const struct poly *f, int32_t bound);
/* Where adding f0 changed the high bits f1 (39): how many, and which. */
unsigned int poly_hint(const struct poly *f0, const struct poly *f1, int32_t gamma2, uint8_t hint[MLDSA_N]);
bool mldsa_hints_fit(unsigned int num, int omega);	/* public likewise */
/* Which of these are on, into a signature; public (20). */
void mldsa_hint_pack(const uint8_t (*hint)[MLDSA_N], int k, int omega, uint8_t *out);

/* 30, 31, 34, 29: the second's seed is secret, but not how often it was drawn; the last's is public. */
void poly_uniform(const uint8_t rho[32], uint8_t column, uint8_t row, struct poly *f);
void poly_small(const uint8_t seed[64], uint16_t nonce, int eta, struct poly *f);
void poly_mask(const uint8_t seed[64], uint16_t nonce, int bits, struct poly *f);
void mldsa_ball(const uint8_t *seed, size_t len, int tau, struct poly *c);

/* 16, 18: each coefficient of 0 .. 2^bits - 1; the others hold top - c. */
void poly_pack(const struct poly *f, int bits, uint8_t *out);
void poly_unpack(const uint8_t *in, int bits, struct poly *f);
void poly_pack_from(const struct poly *f, int32_t top, int bits, uint8_t *out);
void poly_unpack_from(const uint8_t *in, int32_t top, int bits, struct poly *f);

#endif
