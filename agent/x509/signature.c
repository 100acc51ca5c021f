/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signature on a certificate or a revocation list. Unlike in TLS, the hash doesn't follow from
 * the curve: a P-384 key may sign with SHA-256.
 */
#include <errno.h>
#include "crypto/key.h"
#include "x509/cert.h"

enum params { ABSENT, NULL_OR_ABSENT, PSS };

static const struct algorithm {
	const char *oid;
	size_t oid_len;
	enum params params;
	uint16_t scheme;	/* whose verify does it; 0: weak */
	const struct crypto_hash *hash;
} algorithms[] = {
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), NULL_OR_ABSENT, 0x0401, &crypto_sha256 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), NULL_OR_ABSENT, 0x0501, &crypto_sha384 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), NULL_OR_ABSENT, 0x0601, &crypto_sha512 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), PSS,            0x0804, NULL },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"),     ABSENT,         0x0403, &crypto_sha256 },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"),     ABSENT,         0x0503, &crypto_sha384 },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"),     ABSENT,         0x0603, &crypto_sha512 },
	{ OID("\x2b\x65\x70"),                         ABSENT,         0x0807, NULL },
	{ OID("\x2b\x65\x71"),                         ABSENT,         0x0808, NULL },
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), ABSENT,         0x0904, NULL },	/* ML-DSA, RFC 9881 */
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), ABSENT,         0x0905, NULL },
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), ABSENT,         0x0906, NULL },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), NULL_OR_ABSENT, 0, NULL },	/* SHA-1 with RSA */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), NULL_OR_ABSENT, 0, NULL },	/* MD5 with RSA */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), NULL_OR_ABSENT, 0, NULL },	/* MD2 with RSA */
	{ OID("\x2a\x86\x48\xce\x3d\x04\x01"),         ABSENT,         0, NULL },	/* ECDSA with SHA-1 */
};

static const struct algorithm *find(const struct der *oid)
{
	const struct algorithm *a = algorithms;

	for (; a < algorithms + sizeof(algorithms) / sizeof(algorithms[0]); a++)
		if (der_is(oid, a->oid, a->oid_len))
			return a;
	return NULL;
}

static int params_parse(const struct algorithm *a, struct der params,
			const struct crypto_hash **hash)
{
	*hash = a->hash;
	if (a->params == PSS)
		return pss_params_parse(params, hash);
	if (a->params == NULL_OR_ABSENT && der_peek(&params, DER_NULL))
		return der_null(&params) && der_end(&params) ? 0 : -EBADMSG;
	return der_end(&params) ? 0 : -EBADMSG;
}

uint16_t x509_cert_scheme(const struct x509_cert *cert)
{
	static const uint16_t pss[] = { 0x0804, 0x0805, 0x0806 };
	struct der alg = cert->signature_algorithm, oid;
	const struct crypto_hash *hash;
	const struct algorithm *a;

	if (!der_oid(&alg, &oid))
		return 0;
	a = find(&oid);
	if (!a || !a->scheme || params_parse(a, alg, &hash))
		return 0;
	if (a->params != PSS)
		return a->scheme;
	return pss[hash == &crypto_sha256 ? 0 : hash == &crypto_sha384 ? 1 : 2];
}

int x509_signature_check(struct der alg, struct der tbs, struct der signature,
			 const struct crypto_pubkey *key)
{
	struct der oid;
	const struct crypto_hash *hash;
	const struct algorithm *a;
	int err;

	if (!der_oid(&alg, &oid))
		return -EBADMSG;
	a = find(&oid);
	if (!a)
		return -ENOTSUP;
	if (!a->scheme)
		return -EACCES;
	err = params_parse(a, alg, &hash);
	if (err)
		return err;
	err = crypto_scheme_find(a->scheme)->verify(key, hash,
			tbs.p, der_len(&tbs), signature.p, der_len(&signature));
	return err == -EINVAL ? -EBADMSG : err;	/* a key of another family */
}
