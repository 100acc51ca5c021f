/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys: PKCS#8 (RFC 5958, encrypted too), PKCS#1 (RFC 8017 A.1.2) and SEC 1 (RFC 5915),
 * DER or PEM. The public half is computed or checked, never believed: a key
 * whose parts don't fit together would leak itself with its first signature.
 */
#include <errno.h>
#include <nettle/bignum.h>
#include <nettle/ecdsa.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/ecc.h"
#include "crypto/key.h"
#include "crypto/pem.h"
#include "crypto/pkcs8.h"
#include "crypto/rsa.h"

/* a * b mod m == 1 */
static bool inverse(const mpz_t a, const mpz_t b, const mpz_t m)
{
	mpz_t t;
	bool one;

	mpz_init(t);
	mpz_mul(t, a, b);
	mpz_mod(t, t, m);
	one = mpz_cmp_ui(t, 1) == 0;
	mpz_clear(t);
	return one;
}

/* e * d mod (prime - 1) == 1, with d reduced */
static bool exponent_fits(const mpz_t d, const mpz_t e, const mpz_t prime)
{
	mpz_t order;
	bool fits;

	mpz_init(order);
	mpz_sub_ui(order, prime, 1);
	fits = mpz_cmp(d, order) < 0 && inverse(d, e, order);
	mpz_clear(order);
	return fits;
}

static bool rsa_consistent(const struct rsa_public_key *pub,
			   const struct rsa_private_key *k)
{
	mpz_t n;
	bool good;

	if (mpz_cmp_ui(k->p, 3) < 0 || mpz_cmp_ui(k->q, 3) < 0 ||
	    mpz_even_p(k->p) || mpz_even_p(k->q))
		return false;
	mpz_init(n);
	mpz_mul(n, k->p, k->q);
	good = mpz_cmp(n, pub->n) == 0 && exponent_fits(k->a, pub->e, k->p) &&
	       exponent_fits(k->b, pub->e, k->q) && mpz_cmp(k->c, k->p) < 0 &&
	       inverse(k->c, k->q, k->p);
	mpz_clear(n);
	return good;
}

static int rsa_numbers(struct der *seq, struct crypto_key *key)
{
	struct rsa_private_key *k = &key->rsa;
	__mpz_struct *part[] = { k->d, k->p, k->q, k->a, k->b, k->c };
	struct rsa_inner *pub = key->pub.inner;
	struct der number;
	size_t i;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (!der_unsigned(seq, &number) ||
		    der_len(&number) > CRYPTO_MAX_RSA)
			return -EBADMSG;
		nettle_mpz_set_str_256_u(part[i], der_len(&number), number.p);
	}
	if (!der_end(seq) || !rsa_consistent(&pub->key, k) ||
	    !rsa_private_key_prepare(k))
		return -EBADMSG;
	return 0;
}

static int rsa_load(struct der der, struct key_algorithm alg, struct crypto_key *key)
{
	struct der seq, n, e;
	uint32_t version;
	int err;

	if (!der_seq(&der, &seq) || !der_end(&der) || !der_small(&seq, &version))
		return -EBADMSG;
	if (version)	/* 1: more than two primes */
		return -ENOTSUP;
	if (!der_unsigned(&seq, &n) || !der_unsigned(&seq, &e))
		return -EBADMSG;
	err = key_rsa_public(&n, &e, alg, &key->pub);
	if (err)
		return err;
	rsa_private_key_init(&key->rsa);
	key->blinding = rsa_blinding_new();
	return key->blinding ? rsa_numbers(&seq, key) : -ENOMEM;
}

static int ec_public(struct crypto_key *key, enum crypto_key_type type)
{
	struct ecc_point *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	ecc_point_init(p, key->ec.ecc);
	ecc_point_mul_g(p, &key->ec);
	key->pub = (struct crypto_pubkey){ type, ecc_bit_size(key->ec.ecc), p };
	return 0;
}

static int ec_load_scalar(struct der k, enum crypto_key_type type,
			  struct crypto_key *key)
{
	int err;

	ecc_scalar_init(&key->ec, key_curve(type));
	err = der_len(&k) == (ecc_bit_size(key->ec.ecc) + 7) / 8 ? 0 : -EBADMSG;
	if (!err && ecc_scalar_read(&key->ec, k.p, der_len(&k)))
		err = -EBADMSG;
	if (!err)
		err = ec_public(key, type);
	if (err)
		ecc_scalar_clear(&key->ec);
	return err;
}

static int brainpool_load(struct der k, enum crypto_key_type type, struct crypto_key *key)
{
	const struct brainpool *curve = brainpool_curve(type);
	uint8_t *point;

	if (der_len(&k) != brainpool_bytes(curve))
		return -EBADMSG;
	point = malloc(brainpool_point(curve));
	if (!point)
		return -ENOMEM;
	if (brainpool_public(curve, k.p, point)) {
		free(point);
		return -EBADMSG;
	}
	memcpy(key->raw, k.p, der_len(&k));
	key->pub = (struct crypto_pubkey){ type, 8 * (unsigned int)der_len(&k), point };
	return 0;
}

/* ECPrivateKey; @type is the curve that PKCS#8 named, or NONE. */
static int ec_load(struct der der, enum crypto_key_type type, struct crypto_key *key)
{
	struct der seq, k, params, pub, oid;
	uint32_t version;

	if (!der_seq(&der, &seq) || !der_end(&der) || !der_small(&seq, &version) ||
	    version != 1 || !der_get(&seq, DER_OCTETS, &k) ||
	    !der_optional(&seq, DER_EXPLICIT(0), &params) ||
	    !der_optional(&seq, DER_EXPLICIT(1), &pub) || !der_end(&seq))
		return -EBADMSG;
	if (!der_end(&params)) {
		if (!der_oid(&params, &oid) || !der_end(&params))
			return -ENOTSUP;
		if (type && type != key_curve_type(&oid))
			return -EBADMSG;
		type = key_curve_type(&oid);
	}
	if (brainpool_curve(type))
		return brainpool_load(k, type, key);
	return type ? ec_load_scalar(k, type, key) : -ENOTSUP;
}

/* CurvePrivateKey, RFC 8410 7 */
static int eddsa_load(struct der der, const struct eddsa *e, struct crypto_key *key)
{
	struct der seed;
	uint8_t *pub;

	if (!der_get(&der, DER_OCTETS, &seed) || !der_end(&der) ||
	    der_len(&seed) != e->key)
		return -EBADMSG;
	pub = malloc(e->key);
	if (!pub)
		return -ENOMEM;
	memcpy(key->raw, seed.p, e->key);
	e->public_key(pub, key->raw);
	key->pub = (struct crypto_pubkey){ e->type, e->bits, pub };
	return 0;
}

/* OneAsymmetricKey behind its version */
static int pkcs8_load(struct der seq, struct crypto_key *key)
{
	struct der alg, inner, skip;
	struct key_algorithm a;
	int err;

	if (!der_seq(&seq, &alg) || !der_get(&seq, DER_OCTETS, &inner) ||
	    !der_optional(&seq, DER_EXPLICIT(0), &skip) ||
	    !der_optional(&seq, DER_CONTEXT(1), &skip) || !der_end(&seq))
		return -EBADMSG;
	err = key_algorithm_parse(alg, &a);
	if (err)
		return err;
	if (key_is_rsa(a.type))
		return rsa_load(inner, a, key);
	if (key_is_ecdsa(a.type))
		return ec_load(inner, a.type, key);
	if (mldsa_of(a.type))
		return mldsa_key_load(inner, mldsa_of(a.type), key);
	return eddsa_load(inner, key_eddsa(a.type), key);
}

/* The element behind the version tells the three forms apart. */
static int plain_load(struct der der, struct crypto_key *key)
{
	struct key_algorithm plain = { CRYPTO_KEY_RSA, NULL };
	struct der d = der, seq;
	uint32_t version;

	if (!der_seq(&d, &seq) || !der_end(&d))
		return -EBADMSG;
	if (!der_small(&seq, &version))
		return -EBADMSG;
	if (der_peek(&seq, DER_INT))
		return rsa_load(der, plain, key);
	if (der_peek(&seq, DER_OCTETS))
		return ec_load(der, CRYPTO_KEY_NONE, key);
	return version <= 1 ? pkcs8_load(seq, key) : -ENOTSUP;
}

/* Something that decrypts to no key was decrypted wrongly. */
static int encrypted_load(struct der der, struct der passphrase, struct crypto_key *key)
{
	size_t room = der_len(&der), len;
	uint8_t *plain;
	int err;

	if (!passphrase.p)
		return -ENOKEY;
	plain = malloc(room);
	if (!plain)
		return -ENOMEM;
	err = pkcs8_decrypt(der, passphrase, plain, &len);
	if (!err) {
		err = plain_load(der_of(plain, len), key);
		err = err == -EBADMSG ? -EACCES : err;
	}
	crypto_wipe(plain, room);
	free(plain);
	return err;
}

/* A version begins each form but EncryptedPrivateKeyInfo. */
static int der_load(struct der der, struct der passphrase, struct crypto_key *key)
{
	struct der d = der, seq;

	if (der_seq(&d, &seq) && der_end(&d) && der_peek(&seq, DER_SEQ))
		return encrypted_load(der, passphrase, key);
	return plain_load(der, key);
}

/* The first block that is a private key. */
static int pem_load(const char *text, size_t len, struct der passphrase, struct crypto_key *key)
{
	const char *end = text + len;
	uint8_t *der = malloc(len);
	char label[PEM_LABEL];
	size_t der_len;
	int err;

	if (!der)
		return -ENOMEM;
	do {
		der_len = len;
		err = pem_next(&text, end, label, der, &der_len);
	} while (err == 1 && !strstr(label, "PRIVATE KEY"));
	if (err == 1)
		err = der_load(der_of(der, der_len), passphrase, key);
	else if (!err)
		err = -EBADMSG;
	crypto_wipe(der, len);
	free(der);
	return err;
}

int crypto_key_load(const uint8_t *data, size_t len, struct crypto_key **ret)
{
	return crypto_key_unlock(data, len, NULL, 0, ret);
}

int crypto_key_unlock(const uint8_t *data, size_t len, const uint8_t *passphrase, size_t passphrase_len,
		      struct crypto_key **ret)
{
	struct der pass = der_of(passphrase, passphrase_len);
	struct crypto_key *key = calloc(1, sizeof(*key));
	int err;

	if (!key)
		return -ENOMEM;
	if (len && data[0] == DER_SEQ)
		err = der_load(der_of(data, len), pass, key);
	else
		err = pem_load((const char *)data, len, pass, key);
	if (err) {
		crypto_key_free(key);
		return err;
	}
	*ret = key;
	return 0;
}

/* A key has a public half from the moment that its private half needs clearing. */
void crypto_key_free(struct crypto_key *key)
{
	if (!key)
		return;
	if (key_is_rsa(key->pub.type))
		rsa_private_key_clear(&key->rsa);
	rsa_blinding_free(key->blinding);
	if (key_is_ec(key->pub.type))
		ecc_scalar_clear(&key->ec);
	crypto_pubkey_free(&key->pub);
	crypto_wipe(key, sizeof(*key));
	free(key);
}

enum crypto_key_type crypto_key_type(const struct crypto_key *key)
{
	return key->pub.type;
}

const struct crypto_pubkey *crypto_key_public(const struct crypto_key *key)
{
	return &key->pub;
}

static bool points_equal(const struct ecc_point *a, const struct ecc_point *b)
{
	uint8_t x[2 * 66 + 1], y[2 * 66 + 1];

	ecc_point_write(a, x);
	ecc_point_write(b, y);
	return !memcmp(x, y, 2 * ecc_point_bytes(a) + 1);
}

bool crypto_key_matches(const struct crypto_key *key, const struct crypto_pubkey *pub)
{
	const struct rsa_inner *a = key->pub.inner, *b = pub->inner;

	if (key->pub.type != pub->type)
		return false;
	if (key_is_rsa(pub->type))
		return !mpz_cmp(a->key.n, b->key.n) && !mpz_cmp(a->key.e, b->key.e);
	if (key_is_ec(pub->type))
		return points_equal(key->pub.inner, pub->inner);
	return !memcmp(key->pub.inner, pub->inner, key_raw_len(pub->type));
}
