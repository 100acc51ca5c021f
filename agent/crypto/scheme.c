/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS SignatureSchemes (RFC 9846 4.2.3). Signing is silent to the side:
 * RSA is blinded and its result checked, ECDSA has a fresh nonce out of the key
 * generator, and the arithmetic for both is that of secrets. Signing and
 * verifying say -EINVAL to a key that is not of their family.
 */
#include <errno.h>
#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecdsa.h>
#include <nettle/nettle-meta.h>
#include <nettle/pkcs1.h>
#include <nettle/pss.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/ecc.h"
#include "crypto/key.h"
#include "crypto/provider.h"
#include "rng/rng.h"

/* ---- RSA */

static size_t digest(const struct crypto_hash *hash, const uint8_t *msg, size_t len,
		     uint8_t out[CRYPTO_MAX_DIGEST])
{
	crypto_hash_once(hash, msg, len, out);
	return hash->size;
}

/* DigestInfo, RFC 8017 9.2: a DER prefix that differs in three bytes by hash. */
size_t crypto_digest_info(const struct crypto_hash *hash, const uint8_t *msg, size_t len,
			  uint8_t out[CRYPTO_DIGEST_INFO])
{
	const uint8_t prefix[19] = {
		0x30, 17 + hash->size, 0x30, 13, 0x06, 9,
		0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
		hash == &crypto_sha256 ? 1 : hash == &crypto_sha384 ? 2 : 3,
		0x05, 0, 0x04, hash->size,
	};

	memcpy(out, prefix, sizeof(prefix));
	return sizeof(prefix) + digest(hash, msg, len, out + sizeof(prefix));
}

/* The signature is the root of the encoded message. */
static int rsa_sign(const struct crypto_key *key, const mpz_t m, uint8_t *sig, size_t *sig_len)
{
	const struct rsa_ops *ops = crypto_ops(CRYPTO_RSA_PRIVATE);
	const struct rsa_inner *pub = key->pub.inner;
	mpz_t s;
	bool ok;

	mpz_init(s);
	ok = ops->root(key, s, m);
	if (ok) {
		*sig_len = pub->key.size;
		nettle_mpz_get_str_256(pub->key.size, sig, s);
	}
	mpz_clear(s);
	return ok ? 0 : -EIO;
}

static int pkcs1_sign(const struct crypto_key *key, const struct crypto_hash *hash,
		      const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len)
{
	const struct rsa_inner *pub = key->pub.inner;
	uint8_t info[CRYPTO_DIGEST_INFO];
	size_t info_len;
	mpz_t m;
	int err = -EIO;

	if (key->pub.type != CRYPTO_KEY_RSA)
		return -EINVAL;
	info_len = crypto_digest_info(hash, msg, len, info);
	mpz_init(m);
	if (pkcs1_rsa_digest_encode(m, pub->key.size, info_len, info))
		err = rsa_sign(key, m, sig, sig_len);
	mpz_clear(m);
	return err;
}

static int pkcs1_verify(const struct crypto_pubkey *key, const struct crypto_hash *hash,
			const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len)
{
	const struct rsa_inner *pub = key->inner;
	uint8_t info[CRYPTO_DIGEST_INFO];
	size_t info_len;
	mpz_t s;
	int ok;

	if (key->type != CRYPTO_KEY_RSA)
		return -EINVAL;
	if (sig_len != pub->key.size)
		return -EBADMSG;
	info_len = crypto_digest_info(hash, msg, len, info);
	nettle_mpz_init_set_str_256_u(s, sig_len, sig);
	ok = rsa_pkcs1_verify(&pub->key, info_len, info, s);
	mpz_clear(s);
	return ok ? 0 : -EBADMSG;
}

typedef int pss_verify_fn(const struct rsa_public_key *, size_t, const uint8_t *,
			  const mpz_t);

static const struct pss {
	const struct crypto_hash *hash;
	const struct nettle_hash *nettle;
	pss_verify_fn *verify;
} pss_by_hash[] = {
	{ &crypto_sha256, &nettle_sha256, rsa_pss_sha256_verify_digest },
	{ &crypto_sha384, &nettle_sha384, rsa_pss_sha384_verify_digest },
	{ &crypto_sha512, &nettle_sha512, rsa_pss_sha512_verify_digest },
};

/* RFC 8017 9.1.1: the padding needs 2 * hash + 2 bytes of one bit less than n. */
static bool pss_room(const struct crypto_hash *hash, unsigned int bits)
{
	return (bits + 6) / 8 >= 2u * hash->size + 2;
}

/* NULL: not with this hash, or not with this key. */
static const struct pss *pss_find(const struct crypto_pubkey *key,
				  const struct crypto_hash *hash)
{
	const struct rsa_inner *rsa = key->inner;
	size_t i;

	if (!key_is_rsa(key->type) || (rsa->only && rsa->only != hash) ||
	    !pss_room(hash, key->bits))
		return NULL;
	for (i = 0; i < sizeof(pss_by_hash) / sizeof(pss_by_hash[0]); i++)
		if (pss_by_hash[i].hash == hash)
			return &pss_by_hash[i];
	return NULL;
}

static int pss_sign(const struct crypto_key *key, const struct crypto_hash *hash,
		    const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len)
{
	const struct pss *pss = pss_find(&key->pub, hash);
	uint8_t d[CRYPTO_MAX_DIGEST], salt[CRYPTO_MAX_DIGEST];
	int err = -EIO;
	mpz_t m;

	if (!pss)
		return -EINVAL;
	digest(hash, msg, len, d);
	rng_fill(RNG_RANDOM, salt, hash->size);
	mpz_init(m);
	if (pss_encode_mgf1(m, key->pub.bits - 1, pss->nettle, hash->size, salt, d))
		err = rsa_sign(key, m, sig, sig_len);
	mpz_clear(m);
	return err;
}

static int pss_verify(const struct crypto_pubkey *key, const struct crypto_hash *hash,
		      const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len)
{
	const struct rsa_inner *pub = key->inner;
	const struct pss *pss = pss_find(key, hash);
	uint8_t d[CRYPTO_MAX_DIGEST];
	mpz_t s;
	int ok;

	if (!pss)
		return -EINVAL;
	if (sig_len != pub->key.size)
		return -EBADMSG;
	digest(hash, msg, len, d);
	nettle_mpz_init_set_str_256_u(s, sig_len, sig);
	ok = pss->verify(&pub->key, hash->size, d, s);
	mpz_clear(s);
	return ok ? 0 : -EBADMSG;
}

/* ---- ECDSA: the signature is a SEQUENCE of two INTEGERs (RFC 3279 2.2.3) */

static uint8_t *der_put_int(uint8_t *p, const uint8_t *v, size_t n)
{
	while (n > 1 && !v[0]) {
		v++;
		n--;
	}
	*p++ = DER_INT;
	*p++ = (uint8_t)(n + (v[0] >> 7));
	if (v[0] >> 7)
		*p++ = 0;
	memcpy(p, v, n);
	return p + n;
}

/* P-521's two numbers take up to 138 bytes, hence the long form. */
size_t crypto_ecdsa_encode(const uint8_t *rs, size_t half, uint8_t *sig)
{
	uint8_t body[2 * (2 + 67)], *p;
	size_t n, head;

	p = der_put_int(body, rs, half);
	p = der_put_int(p, rs + half, half);
	n = p - body;
	head = n < 128 ? 2 : 3;
	sig[0] = DER_SEQ;
	sig[1] = 0x81;
	sig[head - 1] = n;
	memcpy(sig + head, body, n);
	return head + n;
}

static void ecdsa_sign_nettle(const struct crypto_key *key, size_t len, const uint8_t *d, uint8_t *rs,
			      size_t half)
{
	struct dsa_signature s;

	dsa_signature_init(&s);
	ecdsa_sign(&key->ec, NULL, rng_nettle_key, len, d, &s);
	nettle_mpz_get_str_256(half, rs, s.r);
	nettle_mpz_get_str_256(half, rs + half, s.s);
	dsa_signature_clear(&s);
}

static void p256_nettle(const struct crypto_key *key, const uint8_t digest[32], uint8_t rs[64])
{
	ecdsa_sign_nettle(key, 32, digest, rs, 32);
}

const struct p256_ops p256_ops_nettle = { p256_nettle };

static int ecdsa_sign_der(const struct crypto_key *key, const struct crypto_hash *hash,
			  const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len)
{
	const struct p256_ops *p256 = crypto_ops(CRYPTO_P256_SIGN);
	size_t half = (key->pub.bits + 7) / 8;
	const struct brainpool *curve = brainpool_curve(key->pub.type);
	uint8_t d[CRYPTO_MAX_DIGEST], rs[2 * 66];

	if (!key_is_ecdsa(key->pub.type))
		return -EINVAL;
	digest(hash, msg, len, d);
	if (key->pub.type == CRYPTO_KEY_P256 && hash->size == 32)
		p256->sign(key, d, rs);
	else if (curve)
		brainpool_sign(curve, key->raw, d, hash->size, rs);
	else
		ecdsa_sign_nettle(key, hash->size, d, rs, half);
	*sig_len = crypto_ecdsa_encode(rs, half, sig);
	return 0;
}

static bool ecdsa_decode(const uint8_t *sig, size_t sig_len, struct der *r, struct der *s)
{
	struct der d = der_of(sig, sig_len), seq;

	return der_seq(&d, &seq) && der_end(&d) && der_unsigned(&seq, r) &&
	       der_unsigned(&seq, s) && der_end(&seq) &&
	       der_len(r) <= 66 && der_len(s) <= 66;
}

static int brainpool_verify_der(const struct crypto_pubkey *key, const uint8_t *digest, size_t len,
				const struct der *r, const struct der *s)
{
	const struct brainpool *curve = brainpool_curve(key->type);
	size_t half = brainpool_bytes(curve);
	uint8_t rs[2 * BRAINPOOL_MAX] = { 0 };

	if (der_len(r) > half || der_len(s) > half)
		return -EBADMSG;
	memcpy(rs + half - der_len(r), r->p, der_len(r));
	memcpy(rs + 2 * half - der_len(s), s->p, der_len(s));
	return brainpool_verify(curve, key->inner, digest, len, rs);
}

static int ecdsa_verify_der(const struct crypto_pubkey *key, const struct crypto_hash *hash,
			    const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len)
{
	uint8_t d[CRYPTO_MAX_DIGEST];
	struct dsa_signature v;
	struct der r, s;
	int ok;

	if (!key_is_ecdsa(key->type))
		return -EINVAL;
	if (!ecdsa_decode(sig, sig_len, &r, &s))
		return -EBADMSG;
	digest(hash, msg, len, d);
	if (!key_is_ec(key->type))
		return brainpool_verify_der(key, d, hash->size, &r, &s);
	dsa_signature_init(&v);
	nettle_mpz_set_str_256_u(v.r, der_len(&r), r.p);
	nettle_mpz_set_str_256_u(v.s, der_len(&s), s.p);
	ok = ecdsa_verify(key->inner, hash->size, d, &v);
	dsa_signature_clear(&v);
	return ok ? 0 : -EBADMSG;
}

/* ---- the table */

#define ECDSA	ecdsa_sign_der, ecdsa_verify_der
#define EDDSA	eddsa_sign, eddsa_verify
#define MLDSA	mldsa_key_sign, mldsa_key_verify
#define PSS	pss_sign, pss_verify
#define PKCS1	pkcs1_sign, pkcs1_verify

const struct crypto_scheme crypto_schemes[] = {
	/* name, id, in TLS 1.2, key, hash, in TLS 1.3, opt */
	{ "ecdsa_secp256r1_sha256", 0x0403, 0x0403, CRYPTO_KEY_P256,    &crypto_sha256, true,  false, ECDSA },
	{ "ed25519",                0x0807, 0x0807, CRYPTO_KEY_ED25519, NULL,           true,  false, EDDSA },
	{ "ecdsa_secp384r1_sha384", 0x0503, 0x0503, CRYPTO_KEY_P384,    &crypto_sha384, true,  false, ECDSA },
	{ "ecdsa_secp521r1_sha512", 0x0603, 0x0603, CRYPTO_KEY_P521,    &crypto_sha512, true,  false, ECDSA },
	{ "rsa_pss_rsae_sha256",    0x0804, 0x0804, CRYPTO_KEY_RSA,     &crypto_sha256, true,  false, PSS },
	{ "rsa_pss_rsae_sha384",    0x0805, 0x0805, CRYPTO_KEY_RSA,     &crypto_sha384, true,  false, PSS },
	{ "rsa_pss_rsae_sha512",    0x0806, 0x0806, CRYPTO_KEY_RSA,     &crypto_sha512, true,  false, PSS },
	{ "rsa_pss_pss_sha256",     0x0809, 0x0809, CRYPTO_KEY_RSA_PSS, &crypto_sha256, true,  false, PSS },
	{ "rsa_pss_pss_sha384",     0x080a, 0x080a, CRYPTO_KEY_RSA_PSS, &crypto_sha384, true,  false, PSS },
	{ "rsa_pss_pss_sha512",     0x080b, 0x080b, CRYPTO_KEY_RSA_PSS, &crypto_sha512, true,  false, PSS },
	{ "rsa_pkcs1_sha256",       0x0401, 0x0401, CRYPTO_KEY_RSA,     &crypto_sha256, false, false, PKCS1 },
	{ "rsa_pkcs1_sha384",       0x0501, 0x0501, CRYPTO_KEY_RSA,     &crypto_sha384, false, false, PKCS1 },
	{ "rsa_pkcs1_sha512",       0x0601, 0x0601, CRYPTO_KEY_RSA,     &crypto_sha512, false, false, PKCS1 },
	{ "ed448",                  0x0808, 0x0808, CRYPTO_KEY_ED448,   NULL,           true,  true,  EDDSA },
	{ "ecdsa_brainpoolP256r1tls13_sha256", 0x081a, 0x0403, CRYPTO_KEY_BRAINPOOL256, &crypto_sha256, true, true, ECDSA },
	{ "ecdsa_brainpoolP384r1tls13_sha384", 0x081b, 0x0503, CRYPTO_KEY_BRAINPOOL384, &crypto_sha384, true, true, ECDSA },
	{ "ecdsa_brainpoolP512r1tls13_sha512", 0x081c, 0x0603, CRYPTO_KEY_BRAINPOOL512, &crypto_sha512, true, true, ECDSA },
	{ "mldsa44",                0x0904, 0,      CRYPTO_KEY_MLDSA44, NULL,           true,  true,  MLDSA },
	{ "mldsa65",                0x0905, 0,      CRYPTO_KEY_MLDSA65, NULL,           true,  true,  MLDSA },
	{ "mldsa87",                0x0906, 0,      CRYPTO_KEY_MLDSA87, NULL,           true,  true,  MLDSA },
};
const size_t crypto_schemes_num = sizeof(crypto_schemes) / sizeof(crypto_schemes[0]);

const struct crypto_scheme *crypto_scheme_find(uint16_t id)
{
	size_t i;

	for (i = 0; i < crypto_schemes_num; i++)
		if (crypto_schemes[i].id == id)
			return &crypto_schemes[i];
	return NULL;
}

bool crypto_scheme_fits(const struct crypto_scheme *s, enum crypto_key_type type,
			unsigned int bits)
{
	if (s->key != type)
		return false;
	return s->sign != pss_sign || pss_room(s->hash, bits);
}

bool crypto_scheme_on(const struct crypto_scheme *s, const uint16_t *list, size_t num)
{
	if (!list)
		return !s->opt;
	while (num--)
		if (list[num] == s->id)
			return true;
	return false;
}

bool crypto_key_on(enum crypto_key_type type, const uint16_t *list, size_t num)
{
	const struct crypto_scheme *s = crypto_schemes;

	for (; s < crypto_schemes + crypto_schemes_num; s++)
		if (s->key == type && (!s->opt || crypto_scheme_on(s, list, num)))
			return true;
	return false;
}
