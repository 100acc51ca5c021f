/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCSP responses (RFC 6960) as a server staples them: does this one, signed by
 * the issuer or by a responder that the issuer made one, say that the
 * certificate is good now? A response that can't be relied on counts as none
 * that says so. SHA-1 only tells which certificate is meant, as the RFC has it.
 */
#include <errno.h>
#include <nettle/sha1.h>
#include <stdlib.h>
#include <string.h>
#include "x509/cert.h"

#define OID_BASIC	OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x01")	/* 1.3.6.1.5.5.7.48.1.1 */
#define OID_SHA1	OID("\x2b\x0e\x03\x02\x1a")
#define OID_SHA256	OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define DER_ENUM	0x0a
#define SKEW		300	/* s that a responder's clock may be ahead */
#define RESPONDERS	4	/* certificates looked at */

struct ocsp {
	struct der tbs, data, signature_algorithm, signature, certs;
};

struct single { struct der id, revoked; bool good; time_t this_update, next_update; bool next_set; };

/* OCSPResponse down to the BasicOCSPResponse in it, 4.2.1 */
static bool response_parse(struct x509_blob response, struct ocsp *o)
{
	struct der d = der_of(response.data, response.len), seq, status, bytes, oid, basic, list;

	if (!der_seq(&d, &seq) || !der_end(&d) || !der_get(&seq, DER_ENUM, &status) || !der_is(&status, "\0", 1))
		return false;	/* or it is an error instead */
	if (!der_get(&seq, DER_EXPLICIT(0), &bytes) || !der_end(&seq) || !der_seq(&bytes, &list) ||
	    !der_end(&bytes) || !der_oid(&list, &oid) || !der_is(&oid, OID_BASIC) ||
	    !der_get(&list, DER_OCTETS, &bytes) || !der_end(&list) || !der_seq(&bytes, &basic) || !der_end(&bytes))
		return false;
	list = basic;
	return der_whole(&basic, DER_SEQ, &o->tbs) && der_seq(&list, &o->data) &&
	       der_seq(&basic, &o->signature_algorithm) && der_octet_bits(&basic, &o->signature) &&
	       der_optional(&basic, DER_EXPLICIT(0), &o->certs) && der_end(&basic);
}

static bool hash(struct der oid, struct der what, uint8_t out[32], size_t *len)
{
	struct sha1_ctx ctx;

	if (der_is(&oid, OID_SHA256)) {
		crypto_hash_once(&crypto_sha256, what.p, der_len(&what), out);
		*len = 32;
		return true;
	}
	if (!der_is(&oid, OID_SHA1))
		return false;
	sha1_init(&ctx);
	sha1_update(&ctx, der_len(&what), what.p);
	sha1_digest(&ctx, SHA1_DIGEST_SIZE, out);
	*len = SHA1_DIGEST_SIZE;
	return true;
}

static bool is_hash_of(struct der oid, struct der value, struct der what)
{
	uint8_t digest[32];
	size_t len;

	return hash(oid, what, digest, &len) && der_is(&value, (const char *)digest, len);
}

/* The BIT STRING in a SubjectPublicKeyInfo, without its count of unused bits. */
static struct der key_bits(const struct x509_cert *cert)
{
	struct der d = der_of(cert->spki.data, cert->spki.len), seq, alg, bits = { NULL, NULL };

	if (der_seq(&d, &seq) && der_seq(&seq, &alg))
		der_octet_bits(&seq, &bits);
	return bits;
}

/* CertID, 4.1.1 */
static bool names(struct der id, const struct x509_cert *cert, const struct x509_cert *issuer)
{
	struct der alg, oid, name, key, serial;

	return der_seq(&id, &alg) && der_oid(&alg, &oid) && der_get(&id, DER_OCTETS, &name) &&
	       der_get(&id, DER_OCTETS, &key) && der_int(&id, &serial) && der_end(&id) &&
	       der_equal(&serial, &cert->serial) && is_hash_of(oid, name, issuer->subject_der) &&
	       is_hash_of(oid, key, key_bits(issuer));
}

/* SingleResponse, 4.2.1 */
static bool single_parse(struct der *list, struct single *s)
{
	struct der seq, value, extensions;
	uint8_t tag;

	*s = (struct single){ .good = false };
	if (!der_seq(list, &seq) || !der_seq(&seq, &s->id) || !der_any(&seq, &tag, &value))
		return false;
	s->good = tag == DER_CONTEXT(0);
	if (tag == DER_EXPLICIT(1))
		s->revoked = value;
	if (!x509_time_parse(&seq, &s->this_update) || !der_optional(&seq, DER_EXPLICIT(0), &value))
		return false;
	s->next_set = !der_end(&value);
	if (s->next_set && (!x509_time_parse(&value, &s->next_update) || !der_end(&value)))
		return false;
	return der_optional(&seq, DER_EXPLICIT(1), &extensions) && der_end(&seq);
}

/* ResponseData as far as the responses */
static bool data_parse(struct der data, struct der *responses)
{
	struct der version, id, skip;
	time_t produced;
	uint8_t tag;

	return der_optional(&data, DER_EXPLICIT(0), &version) && der_any(&data, &tag, &id) &&
	       (tag == DER_EXPLICIT(1) || tag == DER_EXPLICIT(2)) && der_peek(&data, DER_TIME) &&
	       x509_time_parse(&data, &produced) && der_seq(&data, responses) &&
	       der_optional(&data, DER_EXPLICIT(1), &skip) && der_end(&data);
}

/* ---- who signed, 4.2.2.2 */

static bool signed_by(const struct ocsp *o, const struct x509_cert *cert)
{
	return !cert->key_err &&
	       !x509_signature_check(o->signature_algorithm, o->tbs, o->signature, &cert->key);
}

/* A responder of the issuer's own making, for this purpose, and not for any. */
static bool is_responder(const struct x509_cert *cert, const struct x509_cert *issuer, time_t now)
{
	return cert->ext_usage_set && cert->ext_usage & EKU_OCSP && !cert->unknown_critical && !cert->defect &&
	       now >= cert->not_before && now <= cert->not_after &&
	       (!cert->key_usage_set || cert->key_usage & KU_DIGITAL_SIGNATURE) &&
	       x509_blob_equal(&cert->issuer_name, &issuer->subject_name) &&
	       !x509_signature_check(cert->signature_algorithm, cert->tbs, cert->signature, &issuer->key);
}

static bool signer_good(const struct ocsp *o, const struct x509_cert *issuer, time_t now)
{
	struct der list = { NULL, NULL }, certs = o->certs, der;
	struct x509_cert *cert;
	bool good = false;

	if (signed_by(o, issuer))
		return true;
	if (!der_seq(&certs, &list))
		return false;
	for (int i = 0; i < RESPONDERS && !good && der_whole(&list, DER_SEQ, &der); i++) {
		if (x509_cert_parse(der.p, der_len(&der), &cert))
			return false;
		good = is_responder(cert, issuer, now) && signed_by(o, cert);
		x509_cert_free(cert);
	}
	return good;
}

/* ---- what it says */

static enum x509_status judge(const struct single *s, time_t now, const char **why)
{
	if (s->revoked.p) {
		*why = "was revoked by its CA, its OCSP response says: get a new one";
		return X509_STATUS_REVOKED;
	}
	*why = "has an OCSP response that is of no use: its CA doesn't know the certificate";
	if (!s->good)
		return X509_STATUS_USELESS;
	*why = "has an OCSP response that is of no use: it is not valid yet, check the clock";
	if (s->this_update > now + SKEW)
		return X509_STATUS_USELESS;
	*why = "has an OCSP response that is of no use: it is out of date, the server should get a newer one";
	if (!s->next_set || s->next_update < now)
		return X509_STATUS_USELESS;
	return X509_STATUS_GOOD;
}

enum x509_status x509_ocsp_check(struct x509_blob response, const struct x509_cert *cert,
				 const struct x509_cert *issuer, time_t now, const char **why)
{
	struct der responses;
	struct single s;
	struct ocsp o;

	if (!response_parse(response, &o) || !data_parse(o.data, &responses)) {
		*why = "has an OCSP response that is of no use: it is malformed, or an error";
		return X509_STATUS_USELESS;
	}
	*why = "has an OCSP response that is of no use: its CA has not signed it";
	if (!signer_good(&o, issuer, now))
		return X509_STATUS_USELESS;
	*why = "has an OCSP response that is of no use: it is of another certificate";
	while (!der_end(&responses)) {
		if (!single_parse(&responses, &s))
			return X509_STATUS_USELESS;
		if (names(s.id, cert, issuer))
			return judge(&s, now, why);
	}
	return X509_STATUS_USELESS;
}

bool x509_ocsp_fresh(const uint8_t *data, size_t len, time_t now, time_t *until)
{
	struct der responses;
	const char *why;
	struct single s;
	struct ocsp o;

	if (!response_parse((struct x509_blob){ data, len }, &o) || !data_parse(o.data, &responses) ||
	    !single_parse(&responses, &s) || judge(&s, now, &why) != X509_STATUS_GOOD)
		return false;
	*until = s.next_update;
	return true;
}
