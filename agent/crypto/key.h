/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind the opaque keys of crypto.h; for this folder only. */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H
#include <nettle/ecc.h>
#include <nettle/eddsa.h>
#include <nettle/rsa.h>
#include "crypto/brainpool.h"
#include "crypto/crypto.h"
#include "crypto/der.h"
#include "crypto/mldsa.h"

struct rsa_inner {
	struct rsa_public_key key;
	const struct crypto_hash *only;	/* an RSA-PSS key may be for one hash */
};

/* crypto_pubkey.inner: rsa_inner, ecc_point, or what is on the wire: a key of EdDSA or ML-DSA, a brainpool point. */

struct crypto_key {
	struct crypto_pubkey pub;
	struct rsa_blinding *blinding;	/* RSA: rsa.h */
	union {
		struct rsa_private_key rsa;
		struct ecc_scalar ec;
		uint8_t raw[BRAINPOOL_MAX];	/* an EdDSA key, a scalar of a brainpool curve, ML-DSA's seed */
	};
};

/* An AlgorithmIdentifier of a key, up to what the key bytes need. */
struct key_algorithm {
	enum crypto_key_type type;
	const struct crypto_hash *only;
};

static inline bool key_is_rsa(enum crypto_key_type t)
{
	return t == CRYPTO_KEY_RSA || t == CRYPTO_KEY_RSA_PSS;
}

static inline bool key_is_ec(enum crypto_key_type t)
{
	return t == CRYPTO_KEY_P256 || t == CRYPTO_KEY_P384 || t == CRYPTO_KEY_P521;
}

/* Ed25519 and Ed448 (RFC 8032), which hash by themselves: eddsa.c. */
struct eddsa {
	enum crypto_key_type type;
	uint16_t key, signature;	/* bytes; a public key has as many as a private one */
	unsigned int bits;
	void (*public_key)(uint8_t *pub, const uint8_t *priv);
	void (*sign)(const uint8_t *pub, const uint8_t *priv, size_t len, const uint8_t *msg, uint8_t *sig);
	int (*verify)(const uint8_t *pub, size_t len, const uint8_t *msg, const uint8_t *sig);
};
const struct eddsa *key_eddsa(enum crypto_key_type type);	/* or NULL */
int eddsa_sign(const struct crypto_key *key, const struct crypto_hash *hash,
	       const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len);
int eddsa_verify(const struct crypto_pubkey *key, const struct crypto_hash *hash,
		 const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len);

/* ML-DSA: mldsa_key.c. @der: ML-DSA-PrivateKey, RFC 9881 6. */
int mldsa_key_load(struct der der, const struct mldsa *p, struct crypto_key *key);
int mldsa_key_sign(const struct crypto_key *key, const struct crypto_hash *hash,
		   const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len);
int mldsa_key_verify(const struct crypto_pubkey *key, const struct crypto_hash *hash,
		     const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len);

/* Bytes of a public key that is kept as it is on the wire. */
size_t key_raw_len(enum crypto_key_type type);
unsigned int key_raw_bits(enum crypto_key_type type);

/* 0, -EBADMSG, -ENOTSUP */
int key_algorithm_parse(struct der alg, struct key_algorithm *ret);
enum crypto_key_type key_curve_type(const struct der *oid);	/* or NONE */
const struct ecc_curve *key_curve(enum crypto_key_type type);
static inline bool key_is_ecdsa(enum crypto_key_type t)
{
	return key_is_ec(t) || brainpool_curve(t);
}

/* RSA: numbers as der_unsigned gives them. */
int key_rsa_public(const struct der *n, const struct der *e,
		   struct key_algorithm alg, struct crypto_pubkey *ret);

/*
 * x^e == m mod n, of public numbers: what is asked about the outcome of a
 * private operation, since one with a fault in it would give the key away.
 */
bool key_rsa_is_root(const struct rsa_public_key *pub, const mpz_t x, const mpz_t m);

/* RSASSA-PSS-params, RFC 4055 3.1: a hash, MGF1 with the same, a salt as long. */
int pss_params_parse(struct der params, const struct crypto_hash **ret);

#endif
