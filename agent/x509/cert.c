/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One certificate, RFC 5280 4.1. Parsing refuses what is not DER or not a
 * Certificate; what is one but breaks the profile is remembered as its defect,
 * and only refused where a path would use it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "x509/cert.h"

#define SERIAL_MAX 20	/* RFC 5280 4.1.2.2 */

static bool digits(const uint8_t *p, size_t n, int *v)
{
	for (*v = 0; n--; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*v = *v * 10 + *p - '0';
	}
	return true;
}

/* MMDDhhmmssZ behind the year */
static bool read_time(const uint8_t *p, int year, time_t *ret)
{
	struct tm tm = { .tm_year = year - 1900 }, copy;

	if (!digits(p, 2, &tm.tm_mon) || !digits(p + 2, 2, &tm.tm_mday) ||
	    !digits(p + 4, 2, &tm.tm_hour) || !digits(p + 6, 2, &tm.tm_min) ||
	    !digits(p + 8, 2, &tm.tm_sec) || p[10] != 'Z')
		return false;
	tm.tm_mon--;
	copy = tm;
	*ret = timegm(&copy);
	/* timegm carries what is out of range: 30 February */
	return copy.tm_mon == tm.tm_mon && copy.tm_mday == tm.tm_mday &&
	       copy.tm_hour == tm.tm_hour && copy.tm_min == tm.tm_min &&
	       copy.tm_sec == tm.tm_sec;
}

/* Time, RFC 5280 4.1.2.5 */
bool x509_time_parse(struct der *d, time_t *ret)
{
	struct der v;
	int year;

	if (der_get(d, DER_UTC, &v))
		return der_len(&v) == 13 && digits(v.p, 2, &year) &&
		       read_time(v.p + 2, year + (year < 50 ? 2000 : 1900), ret);
	return der_get(d, DER_TIME, &v) && der_len(&v) == 15 &&
	       digits(v.p, 4, &year) && read_time(v.p + 4, year, ret);
}

static bool validity_parse(struct der *tbs, struct x509_cert *cert)
{
	struct der seq;

	return der_seq(tbs, &seq) && x509_time_parse(&seq, &cert->not_before) &&
	       x509_time_parse(&seq, &cert->not_after) && der_end(&seq);
}

static bool serial_parse(struct der *tbs, struct x509_cert *cert)
{
	struct der serial;

	if (!der_int(tbs, &serial))
		return false;
	cert->serial = serial;
	if (serial.p[0] & 0x80)
		cert->serial_defect = "its serial number is negative";
	else if (der_len(&serial) == 1 && serial.p[0] == 0)
		cert->serial_defect = "its serial number is zero";
	else if (der_len(&serial) > SERIAL_MAX)
		cert->serial_defect = "its serial number is too long";
	return true;
}

/* 0 is version 1; DER leaves the default out. */
static bool version_parse(struct der *tbs, uint32_t *version)
{
	struct der v;

	*version = 0;
	if (!der_peek(tbs, DER_EXPLICIT(0)))
		return true;
	return der_get(tbs, DER_EXPLICIT(0), &v) && der_small(&v, version) &&
	       der_end(&v) && *version >= 1 && *version <= 2;
}

static bool names_parse(struct x509_cert *cert, struct der issuer, struct der subject)
{
	cert->names = malloc(der_len(&issuer) + der_len(&subject) + 1);
	if (!cert->names ||
	    !x509_dn_canonical(issuer, cert->names, &cert->issuer_name))
		return false;
	return x509_dn_canonical(subject, cert->names + cert->issuer_name.len,
				 &cert->subject_name);
}

/* Unique identifiers and extensions, each as the version allows. */
static int tail_parse(struct x509_cert *cert, struct der *tbs, uint32_t version)
{
	struct der skip, wrapped, list;

	if (version >= 1 && (!der_optional(tbs, DER_CONTEXT(1), &skip) ||
			     !der_optional(tbs, DER_CONTEXT(2), &skip)))
		return -EBADMSG;
	if (der_end(tbs))
		return 0;
	if (version != 2 || !der_get(tbs, DER_EXPLICIT(3), &wrapped) || !der_end(tbs) ||
	    !der_seq(&wrapped, &list) || !der_end(&wrapped) || der_end(&list))
		return -EBADMSG;
	return x509_ext_parse(cert, list);
}

static int tbs_parse(struct x509_cert *cert, struct der tbs)
{
	struct der seq, algorithm, issuer, subject, spki;
	uint32_t version;

	if (!der_seq(&tbs, &seq) || !version_parse(&seq, &version) ||
	    !serial_parse(&seq, cert) || !der_seq(&seq, &algorithm) ||
	    !der_seq(&seq, &issuer) || !validity_parse(&seq, cert) ||
	    !der_whole(&seq, DER_SEQ, &cert->subject_der) ||
	    !der_whole(&seq, DER_SEQ, &spki))
		return -EBADMSG;
	subject = cert->subject_der;
	der_seq(&subject, &cert->subject);
	if (!der_equal(&algorithm, &cert->signature_algorithm))
		return -EBADMSG;
	if (!names_parse(cert, issuer, cert->subject))
		return cert->names ? -EBADMSG : -ENOMEM;
	if (!cert->issuer_name.len)
		cert->defect = "its issuer has no name";
	cert->spki = x509_blob_of(spki);
	cert->key_err = crypto_pubkey_parse(spki.p, der_len(&spki), &cert->key);
	if (cert->key_err == -ENOMEM)
		return -ENOMEM;
	return tail_parse(cert, &seq, version);
}

static int cert_parse(struct x509_cert *cert)
{
	struct der d = der_of(cert->der.data, cert->der.len), seq;

	if (!der_seq(&d, &seq) || !der_end(&d) || !der_whole(&seq, DER_SEQ, &cert->tbs) ||
	    !der_seq(&seq, &cert->signature_algorithm) ||
	    !der_octet_bits(&seq, &cert->signature) || !der_end(&seq))
		return -EBADMSG;
	return tbs_parse(cert, cert->tbs);
}

int x509_cert_parse(const uint8_t *der, size_t len, struct x509_cert **ret)
{
	struct x509_cert *cert;
	uint8_t *copy;
	int err;

	if (!len || len > X509_MAX_CERT)
		return -EBADMSG;
	cert = calloc(1, sizeof(*cert));
	copy = malloc(len);
	if (!cert || !copy) {
		free(cert);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, der, len);
	cert->der = (struct x509_blob){ copy, len };
	cert->path_len = -1;
	err = cert_parse(cert);
	if (err)
		x509_cert_free(cert);
	else
		*ret = cert;
	return err;
}

void x509_cert_free(struct x509_cert *cert)
{
	if (!cert)
		return;
	crypto_pubkey_free(&cert->key);
	free((uint8_t *)cert->der.data);
	free(cert->names);
	free(cert->dns_text);
	free(cert);
}

const struct x509_blob *x509_cert_der(const struct x509_cert *cert)
{
	return &cert->der;
}

time_t x509_cert_not_after(const struct x509_cert *cert)
{
	return cert->not_after;
}

time_t x509_cert_not_before(const struct x509_cert *cert)
{
	return cert->not_before;
}

bool x509_cert_may_delegate(const struct x509_cert *cert)
{
	return cert->exts & 1u << EXT_DELEGATION_USAGE && !(cert->exts_critical & 1u << EXT_DELEGATION_USAGE) &&
	       cert->key_usage & KU_DIGITAL_SIGNATURE;
}

const struct x509_blob *x509_cert_spki(const struct x509_cert *cert)
{
	return &cert->spki;
}
