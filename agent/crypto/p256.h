/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ECDSA with P-256 of our own; only where CRYPTO_ADX is 1 and the CPU has BMI2, ADX and AVX2. */
#ifndef CRYPTO_P256_H
#define CRYPTO_P256_H
#include "crypto/provider.h"

/*
 * Numbers are big-endian, @key is in 1 .. n - 1; @rs is r and s. -EAGAIN: this
 * nonce is of no use. A nonce serves one signature; p256_sign draws it.
 */
int p256_sign_with(const uint8_t key[32], const uint8_t nonce[32], const uint8_t digest[32], uint8_t rs[64]);
void p256_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t rs[64]);

#endif
