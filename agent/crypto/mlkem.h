/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ML-KEM-768 (FIPS 203). All randomness is an argument, so that test vectors
 * run through the same code as handshakes do.
 */
#ifndef CRYPTO_MLKEM_H
#define CRYPTO_MLKEM_H
#include <stdint.h>

#define MLKEM_SEED		64	/* d, z */
#define MLKEM_PUBLIC		1184
#define MLKEM_PRIVATE		2400
#define MLKEM_MESSAGE		32
#define MLKEM_CIPHERTEXT	1088
#define MLKEM_SECRET		32

void mlkem_generate(const uint8_t seed[MLKEM_SEED], uint8_t pub[MLKEM_PUBLIC],
		    uint8_t priv[MLKEM_PRIVATE]);
/* -EBADMSG: the key has a coefficient that is not below the modulus (FIPS 203 7.2). */
int mlkem_encapsulate(const uint8_t pub[MLKEM_PUBLIC], const uint8_t message[MLKEM_MESSAGE],
		      uint8_t ciphertext[MLKEM_CIPHERTEXT], uint8_t secret[MLKEM_SECRET]);
/*
 * -EBADMSG: the private key is damaged (FIPS 203 7.3). A ciphertext that was
 * tampered with gives another secret, and nothing tells that it did.
 */
int mlkem_decapsulate(const uint8_t priv[MLKEM_PRIVATE], const uint8_t ciphertext[MLKEM_CIPHERTEXT],
		      uint8_t secret[MLKEM_SECRET]);

#endif
