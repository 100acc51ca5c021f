/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pseudorandom function of TLS 1.2, RFC 5246 section 5. */
#ifndef PRF_H
#define PRF_H
#include "crypto/crypto.h"

#define PRF_SEED 1024	/* bytes of seed at most */

/* PRF(secret, label, seed) */
void prf(const struct crypto_hash *hash, const uint8_t *secret, size_t secret_len, const char *label,
	 const void *seed, size_t seed_len, uint8_t *out, size_t len);

#endif
