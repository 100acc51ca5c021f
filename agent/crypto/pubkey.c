/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys from SubjectPublicKeyInfo (RFC 5280 4.1, RFC 5480, RFC 8410,
 * RFC 4055). They come from strangers: sizes are bounded before any
 * arithmetic, so that a key can't cost more than its signature check should.
 */
#include <errno.h>
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/ecc.h"
#include "crypto/key.h"

enum limits {
	RSA_BITS_MIN = 512,		/* below, nettle has no room to pad */
	RSA_BITS_MAX = CRYPTO_MAX_RSA * 8,
	RSA_EXPONENT_BITS_MAX = 64,
};

#define OID_RSA		OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")	/* 1.2.840.113549.1.1.1 */
#define OID_RSA_PSS	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")	/* 1.2.840.113549.1.1.10 */
#define OID_EC		OID("\x2a\x86\x48\xce\x3d\x02\x01")		/* 1.2.840.10045.2.1 */
#define OID_ED25519	OID("\x2b\x65\x70")				/* 1.3.101.112 */
#define OID_ED448	OID("\x2b\x65\x71")				/* 1.3.101.113 */
#define OID_P256	OID("\x2a\x86\x48\xce\x3d\x03\x01\x07")		/* 1.2.840.10045.3.1.7 */
#define OID_P384	OID("\x2b\x81\x04\x00\x22")			/* 1.3.132.0.34 */
#define OID_P521	OID("\x2b\x81\x04\x00\x23")			/* 1.3.132.0.35 */
#define OID_BRAINPOOL256 OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07")	/* 1.3.36.3.3.2.8.1.1.7 */
#define OID_BRAINPOOL384 OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b")
#define OID_BRAINPOOL512 OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d")
#define OID_MLDSA44	OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11")	/* 2.16.840.1.101.3.4.3.17 */
#define OID_MLDSA65	OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12")
#define OID_MLDSA87	OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13")
#define OID_MGF1	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")	/* 1.2.840.113549.1.1.8 */
#define OID_SHA256	OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01")	/* 2.16.840.1.101.3.4.2.1 */
#define OID_SHA384	OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02")
#define OID_SHA512	OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03")

/* An AlgorithmIdentifier of a hash: parameters NULL or absent. */
static int hash_parse(struct der *d, const struct crypto_hash **ret)
{
	struct der alg, oid;

	if (!der_seq(d, &alg) || !der_oid(&alg, &oid))
		return -EBADMSG;
	if (!der_end(&alg) && (!der_null(&alg) || !der_end(&alg)))
		return -EBADMSG;
	if (der_is(&oid, OID_SHA256))
		*ret = &crypto_sha256;
	else if (der_is(&oid, OID_SHA384))
		*ret = &crypto_sha384;
	else if (der_is(&oid, OID_SHA512))
		*ret = &crypto_sha512;
	else
		return -ENOTSUP;
	return 0;
}

static int mgf_parse(struct der *d, const struct crypto_hash *want)
{
	const struct crypto_hash *hash = NULL;
	struct der alg, oid;
	int err;

	if (!der_seq(d, &alg) || !der_oid(&alg, &oid))
		return -EBADMSG;
	if (!der_is(&oid, OID_MGF1))
		return -ENOTSUP;
	err = hash_parse(&alg, &hash);
	if (err)
		return err;
	if (!der_end(&alg))
		return -EBADMSG;
	return hash == want ? 0 : -ENOTSUP;
}

/* The defaults of every field are SHA-1's, so each field has to be there. */
int pss_params_parse(struct der params, const struct crypto_hash **ret)
{
	const struct crypto_hash *hash = NULL;
	struct der seq, field;
	uint32_t salt;
	int err;

	if (!der_seq(&params, &seq) || !der_end(&params))
		return -EBADMSG;
	if (!der_get(&seq, DER_EXPLICIT(0), &field))
		return -ENOTSUP;
	err = hash_parse(&field, &hash);
	if (err || !der_end(&field))
		return err ? err : -EBADMSG;
	if (!der_get(&seq, DER_EXPLICIT(1), &field))
		return -ENOTSUP;
	err = mgf_parse(&field, hash);
	if (err || !der_end(&field))
		return err ? err : -EBADMSG;
	if (!der_get(&seq, DER_EXPLICIT(2), &field))
		return -ENOTSUP;
	if (!der_small(&field, &salt) || !der_end(&field) || !der_end(&seq))
		return -EBADMSG;
	if (salt != hash->size)
		return -ENOTSUP;
	*ret = hash;
	return 0;
}

enum crypto_key_type key_curve_type(const struct der *oid)
{
	if (der_is(oid, OID_P256))
		return CRYPTO_KEY_P256;
	if (der_is(oid, OID_P384))
		return CRYPTO_KEY_P384;
	if (der_is(oid, OID_P521))
		return CRYPTO_KEY_P521;
	if (der_is(oid, OID_BRAINPOOL256))
		return CRYPTO_KEY_BRAINPOOL256;
	if (der_is(oid, OID_BRAINPOOL384))
		return CRYPTO_KEY_BRAINPOOL384;
	if (der_is(oid, OID_BRAINPOOL512))
		return CRYPTO_KEY_BRAINPOOL512;
	return CRYPTO_KEY_NONE;
}

const struct ecc_curve *key_curve(enum crypto_key_type type)
{
	switch (type) {
	case CRYPTO_KEY_P256: return nettle_get_secp_256r1();
	case CRYPTO_KEY_P384: return nettle_get_secp_384r1();
	case CRYPTO_KEY_P521: return nettle_get_secp_521r1();
	default: return NULL;
	}
}

static int ec_algorithm(struct der params, struct key_algorithm *ret)
{
	struct der curve;

	if (!der_oid(&params, &curve))	/* RFC 5480 2.1.1: named curves only */
		return -ENOTSUP;
	if (!der_end(&params))
		return -EBADMSG;
	ret->type = key_curve_type(&curve);
	return ret->type ? 0 : -ENOTSUP;
}

/* RFC 8410 3, RFC 9881 2: these have no parameters. */
static enum crypto_key_type bare_type(const struct der *oid)
{
	static const struct { const char *oid; size_t len; enum crypto_key_type type; } types[] = {
		{ OID_ED25519, CRYPTO_KEY_ED25519 }, { OID_ED448, CRYPTO_KEY_ED448 },
		{ OID_MLDSA44, CRYPTO_KEY_MLDSA44 }, { OID_MLDSA65, CRYPTO_KEY_MLDSA65 },
		{ OID_MLDSA87, CRYPTO_KEY_MLDSA87 },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (der_is(oid, types[i].oid, types[i].len))
			return types[i].type;
	return CRYPTO_KEY_NONE;
}

int key_algorithm_parse(struct der alg, struct key_algorithm *ret)
{
	struct key_algorithm a = { CRYPTO_KEY_NONE, NULL };
	struct der oid;
	int err = 0;

	if (!der_oid(&alg, &oid))
		return -EBADMSG;
	if (der_is(&oid, OID_RSA)) {
		a.type = CRYPTO_KEY_RSA;
		if (!der_null(&alg) || !der_end(&alg))
			return -EBADMSG;
	} else if (der_is(&oid, OID_RSA_PSS)) {
		a.type = CRYPTO_KEY_RSA_PSS;
		if (!der_end(&alg))
			err = pss_params_parse(alg, &a.only);
	} else if (der_is(&oid, OID_EC)) {
		err = ec_algorithm(alg, &a);
	} else {
		a.type = bare_type(&oid);
		if (!a.type)
			return -ENOTSUP;
		if (!der_end(&alg))
			return -EBADMSG;
	}
	if (!err)
		*ret = a;
	return err;
}

int key_rsa_public(const struct der *n, const struct der *e,
		   struct key_algorithm alg, struct crypto_pubkey *ret)
{
	struct rsa_inner *rsa;
	unsigned int bits;

	if (der_end(n) || der_end(e) || !(n->end[-1] & 1) || !(e->end[-1] & 1))
		return -EBADMSG;
	if (der_len(n) > RSA_BITS_MAX / 8 || der_len(e) > RSA_EXPONENT_BITS_MAX / 8)
		return -ENOTSUP;
	if (der_len(e) == 1 && e->p[0] == 1)
		return -EBADMSG;
	rsa = malloc(sizeof(*rsa));
	if (!rsa)
		return -ENOMEM;
	rsa_public_key_init(&rsa->key);
	nettle_mpz_set_str_256_u(rsa->key.n, der_len(n), n->p);
	nettle_mpz_set_str_256_u(rsa->key.e, der_len(e), e->p);
	bits = mpz_sizeinbase(rsa->key.n, 2);
	if (bits < RSA_BITS_MIN || !rsa_public_key_prepare(&rsa->key)) {
		rsa_public_key_clear(&rsa->key);
		free(rsa);
		return -ENOTSUP;
	}
	rsa->only = alg.only;
	*ret = (struct crypto_pubkey){ alg.type, bits, rsa };
	return 0;
}

/* RSAPublicKey, RFC 8017 A.1.1 */
static int rsa_parse(struct der bits, struct key_algorithm alg,
		     struct crypto_pubkey *ret)
{
	struct der seq, n, e;

	if (!der_seq(&bits, &seq) || !der_end(&bits) || !der_unsigned(&seq, &n) ||
	    !der_unsigned(&seq, &e) || !der_end(&seq))
		return -EBADMSG;
	return key_rsa_public(&n, &e, alg, ret);
}

static int ec_parse(struct der bits, enum crypto_key_type type,
		    struct crypto_pubkey *ret)
{
	struct ecc_point *p = malloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	ecc_point_init(p, key_curve(type));
	err = ecc_point_read(p, bits.p, der_len(&bits));
	if (err) {
		ecc_point_clear(p);
		free(p);
		return err;
	}
	*ret = (struct crypto_pubkey){ type, ecc_bit_size(p->ecc), p };
	return 0;
}

size_t key_raw_len(enum crypto_key_type type)
{
	const struct brainpool *curve = brainpool_curve(type);
	const struct mldsa *ml = mldsa_of(type);

	if (ml)
		return ml->public_key;
	return curve ? brainpool_point(curve) : key_eddsa(type)->key;
}

unsigned int key_raw_bits(enum crypto_key_type type)
{
	const struct brainpool *curve = brainpool_curve(type);
	const struct mldsa *ml = mldsa_of(type);

	if (ml)
		return ml->bits;
	return curve ? 8 * (unsigned int)brainpool_bytes(curve) : key_eddsa(type)->bits;
}

static int raw_parse(struct der bits, enum crypto_key_type type, struct crypto_pubkey *ret)
{
	const struct brainpool *curve = brainpool_curve(type);
	size_t len = key_raw_len(type);
	uint8_t *key;

	if (der_len(&bits) != len || (curve && brainpool_check(curve, bits.p, len)))
		return -EBADMSG;
	key = malloc(len);
	if (!key)
		return -ENOMEM;
	memcpy(key, bits.p, len);
	*ret = (struct crypto_pubkey){ type, key_raw_bits(type), key };
	return 0;
}

bool key_rsa_is_root(const struct rsa_public_key *pub, const mpz_t x, const mpz_t m)
{
	bool same;
	mpz_t t;

	mpz_init(t);
	mpz_powm(t, x, pub->e, pub->n);
	same = !mpz_cmp(t, m);
	mpz_clear(t);
	return same;
}

int crypto_pubkey_parse(const uint8_t *spki, size_t len, struct crypto_pubkey *ret)
{
	struct der d = der_of(spki, len), seq, alg, bits;
	struct key_algorithm a;
	int err;

	if (!der_seq(&d, &seq) || !der_end(&d) || !der_seq(&seq, &alg) ||
	    !der_octet_bits(&seq, &bits) || !der_end(&seq))
		return -EBADMSG;
	err = key_algorithm_parse(alg, &a);
	if (err)
		return err;
	if (key_is_rsa(a.type))
		return rsa_parse(bits, a, ret);
	if (key_is_ec(a.type))
		return ec_parse(bits, a.type, ret);
	return raw_parse(bits, a.type, ret);
}

void crypto_pubkey_free(struct crypto_pubkey *key)
{
	struct rsa_inner *rsa = key->inner;

	if (key->inner && key_is_rsa(key->type))
		rsa_public_key_clear(&rsa->key);
	if (key->inner && key_is_ec(key->type))
		ecc_point_clear(key->inner);
	free(key->inner);
	*key = (struct crypto_pubkey){ 0 };
}
