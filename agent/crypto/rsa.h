/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RSA's private operation: x = m^d mod n for 0 <= m < n, or false for a fault (or no memory). */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H
#include "crypto/key.h"

bool rsa_root(const struct crypto_key *key, mpz_t x, const mpz_t m);
bool rsa_root_nettle(const struct crypto_key *key, mpz_t x, const mpz_t m);

/* What a key carries along for rsa_root(). NULL: no memory. */
struct rsa_blinding *rsa_blinding_new(void);
void rsa_blinding_free(struct rsa_blinding *b);

#endif
