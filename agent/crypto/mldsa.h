/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ML-DSA (FIPS 204) with an empty context, as TLS and X.509 (RFC 9881) have it.
 * A private key is its seed; all else is made of it when it is needed.
 * Randomness is an argument, so that known answers run through the same code.
 */
#ifndef CRYPTO_MLDSA_H
#define CRYPTO_MLDSA_H
#include "crypto/crypto.h"

#define MLDSA_SEED		32
#define MLDSA_MAX_PUBLIC	2592
#define MLDSA_MAX_PRIVATE	4896
#define MLDSA_MAX_SIGNATURE	4627

struct mldsa {
	enum crypto_key_type type;
	uint8_t k, l, eta, tau, omega;
	uint8_t challenge;		/* bytes of c~ */
	uint8_t z_bits, w_bits;		/* of a packed coefficient */
	int32_t gamma2;
	uint16_t public_key, private_key, signature;	/* bytes */
	unsigned int bits;		/* strength */
};
const struct mldsa *mldsa_of(enum crypto_key_type type);	/* or NULL */

/* @priv: what FIPS 204 calls a private key; NULL: not wanted. 0, -ENOMEM */
int mldsa_generate(const struct mldsa *p, const uint8_t seed[MLDSA_SEED], uint8_t *pub, uint8_t *priv);
/* @random: 32 bytes; zeros make it deterministic. 0, -ENOMEM */
int mldsa_sign(const struct mldsa *p, const uint8_t seed[MLDSA_SEED], const uint8_t random[32],
	       const uint8_t *msg, size_t len, uint8_t *sig);
/* -EBADMSG: does not verify. */
int mldsa_verify(const struct mldsa *p, const uint8_t *pub, const uint8_t *msg, size_t len, const uint8_t *sig);

#endif
