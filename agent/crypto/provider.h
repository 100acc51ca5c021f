/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which implementation does an algorithm. Each algorithm has rows of one table,
 * best first; the first whose CPU is there does the work, and nettle's, which
 * is there for every one, is the reference. A row registered by hand comes
 * before all others. Choosing happens before there are threads.
 */
#ifndef CRYPTO_PROVIDER_H
#define CRYPTO_PROVIDER_H
#include "crypto/crypto.h"
#include "crypto/key.h"

/* Code for x86 CPUs with BMI2 and ADX is there; whether this CPU has them is another question. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CRYPTO_ADX 1
#else
#define CRYPTO_ADX 0
#endif

enum crypto_algorithm {
	CRYPTO_X25519, CRYPTO_P256_SIGN, CRYPTO_RSA_PRIVATE,
	CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512,
	CRYPTO_AES_128_GCM, CRYPTO_AES_256_GCM, CRYPTO_CHACHA20_POLY1305, CRYPTO_ALGORITHMS
};

/* What ops points to: by algorithm, one of these, a crypto_hash or a crypto_aead. */
struct x25519_ops {
	void (*multiply_base)(uint8_t out[32], const uint8_t scalar[32]);
	void (*multiply)(uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]);
};

struct p256_ops {
	/* @rs: ECDSA's r and s (FIPS 186-5 6.4.1), big-endian; the nonce is drawn within. */
	void (*sign)(const struct crypto_key *key, const uint8_t digest[32], uint8_t rs[64]);
};

struct rsa_ops {
	/* x = m^d mod n, blinded and checked; false: a fault was seen, or no memory. */
	bool (*root)(const struct crypto_key *key, mpz_t x, const mpz_t m);
};

struct crypto_impl {
	enum crypto_algorithm algorithm;
	const char *name;
	bool (*usable)(void);		/* NULL: always */
	const void *ops;
};

extern const struct crypto_impl *crypto_used[CRYPTO_ALGORITHMS];

static inline const void *crypto_ops(enum crypto_algorithm a)
{
	return crypto_used[a]->ops;
}

const char *crypto_algorithm_name(enum crypto_algorithm a);
/* The n-th row for this algorithm, usable or not; NULL behind the last. */
const struct crypto_impl *crypto_impl_get(enum crypto_algorithm a, size_t n);
/* Takes the place of what does this algorithm now. -ENOTSUP: not on this CPU. @impl must stay. */
int crypto_impl_register(const struct crypto_impl *impl);
/* Back to the table's choice. */
void crypto_impl_default(void);

/* The files of the same names, scheme.c and provider.c have these. */
extern const struct x25519_ops x25519_own, x25519_adx, x25519_nettle;
extern const struct p256_ops p256_ops_nettle;
extern const struct crypto_hash sha256_nettle, sha384_nettle, sha512_nettle;
extern const struct crypto_aead aes_128_gcm_nettle, aes_256_gcm_nettle, chacha20_poly1305_nettle;

#endif
