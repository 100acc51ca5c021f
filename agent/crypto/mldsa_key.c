/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and signatures of ML-DSA as PKCS#8, X.509 and TLS have them: RFC 9881. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/key.h"
#include "rng/rng.h"

/* What of an expanded key no other seed gives: rho, K, the hash of the public key. */
#define HEAD 128

static bool expanded_fits(struct der expanded, const uint8_t *priv, const struct mldsa *p)
{
	return der_len(&expanded) == p->private_key && crypto_equal(expanded.p, priv, HEAD);
}

/* The seed alone, or the seed and what it gives, which has to be right. An expanded key alone is of no use here. */
static int read_forms(struct der der, struct der *seed, struct der *expanded)
{
	struct der seq;

	*expanded = der_of(NULL, 0);
	if (der_peek(&der, DER_OCTETS))
		return -ENOTSUP;
	if (der_peek(&der, DER_CONTEXT(0)))
		return der_get(&der, DER_CONTEXT(0), seed) && der_end(&der) ? 0 : -EBADMSG;
	if (!der_seq(&der, &seq) || !der_end(&der) || !der_get(&seq, DER_OCTETS, seed) ||
	    !der_get(&seq, DER_OCTETS, expanded) || !der_end(&seq))
		return -EBADMSG;
	return 0;
}

int mldsa_key_load(struct der der, const struct mldsa *p, struct crypto_key *key)
{
	struct der seed, expanded;
	uint8_t priv[MLDSA_MAX_PRIVATE], *pub;
	int err = read_forms(der, &seed, &expanded);

	if (err || der_len(&seed) != MLDSA_SEED)
		return err ? err : -EBADMSG;
	pub = malloc(p->public_key);
	if (!pub)
		return -ENOMEM;
	err = mldsa_generate(p, seed.p, pub, priv);
	if (!err && expanded.p && !expanded_fits(expanded, priv, p))
		err = -EBADMSG;
	crypto_wipe(priv, sizeof(priv));
	if (err) {
		free(pub);
		return err;
	}
	memcpy(key->raw, seed.p, MLDSA_SEED);
	key->pub = (struct crypto_pubkey){ p->type, p->bits, pub };
	return 0;
}

int mldsa_key_sign(const struct crypto_key *key, const struct crypto_hash *hash,
		   const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len)
{
	const struct mldsa *p = mldsa_of(key->pub.type);
	uint8_t random[32];
	int err;

	(void)hash;
	if (!p)
		return -EINVAL;
	rng_fill(RNG_KEY, random, sizeof(random));
	err = mldsa_sign(p, key->raw, random, msg, len, sig);
	crypto_wipe(random, sizeof(random));
	if (!err)
		*sig_len = p->signature;
	return err;
}

int mldsa_key_verify(const struct crypto_pubkey *key, const struct crypto_hash *hash,
		     const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len)
{
	const struct mldsa *p = mldsa_of(key->type);

	(void)hash;
	if (!p)
		return -EINVAL;
	return sig_len == p->signature ? mldsa_verify(p, key->inner, msg, len, sig) : -EBADMSG;
}
