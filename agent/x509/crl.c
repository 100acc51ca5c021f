/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revocation lists, RFC 5280 5. A list is taken whole: one that covers a part
 * only (delta, distribution point) or speaks for other issuers says so in a
 * critical extension, and is then of no use here. What is a list but can't be
 * relied on is kept with its defect, so that it revokes all that it could name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "x509/cert.h"

#define OID_CRL_NUMBER	OID("\x55\x1d\x14")	/* 2.5.29.20 */
#define OID_REASON	OID("\x55\x1d\x15")
#define OID_DELTA	OID("\x55\x1d\x1b")
#define OID_POINT	OID("\x55\x1d\x1c")
#define OID_ISSUER_KEY	OID("\x55\x1d\x23")

/* Any order will do that compares quickly. */
static int serial_order(const void *a, const void *b)
{
	const struct der *x = a, *y = b;

	if (der_len(x) != der_len(y))
		return der_len(x) < der_len(y) ? -1 : 1;
	return memcmp(x->p, y->p, der_len(x));
}

bool x509_crl_has(const struct x509_crl *crl, struct der serial)
{
	return crl->num && bsearch(&serial, crl->serials, crl->num, sizeof(serial), serial_order);
}

bool x509_crl_signed(const struct x509_crl *crl, const struct x509_cert *issuer)
{
	uint8_t spki[32];

	crypto_hash_once(&crypto_sha256, issuer->spki.data, issuer->spki.len, spki);
	if (crl->signer->by_any && !memcmp(crl->signer->spki, spki, sizeof(spki)))
		return true;
	if (x509_signature_check(crl->signature_algorithm, crl->tbs, crl->signature, &issuer->key))
		return false;
	memcpy(crl->signer->spki, spki, sizeof(spki));
	crl->signer->by_any = true;
	return true;
}

static void defect(struct x509_crl *crl, const char *what)
{
	if (!crl->defect)
		crl->defect = what;
}

/* An entry's extensions matter only if they are critical, or not what they should be. */
static bool entry_extensions(struct x509_crl *crl, struct der *entry)
{
	struct der list, oid, value;
	bool critical;

	if (der_end(entry))
		return true;
	if (!der_seq(entry, &list) || !der_end(entry) || der_end(&list))
		return false;
	while (!der_end(&list)) {
		if (!x509_ext_head(&list, &oid, &critical, &value))
			return false;
		if (critical && !der_is(&oid, OID_REASON))
			defect(crl, "an entry has a critical extension that is not known here");
	}
	return true;
}

static bool entry_parse(struct x509_crl *crl, struct der *list, struct der *serial)
{
	struct der entry;
	time_t when;

	return der_seq(list, &entry) && der_int(&entry, serial) &&
	       x509_time_parse(&entry, &when) && entry_extensions(crl, &entry);
}

/* An entry takes at least 18 bytes, which bounds the array by what the file has. */
static int entries_parse(struct x509_crl *crl, struct der list)
{
	crl->serials = calloc(der_len(&list) / 18 + 1, sizeof(*crl->serials));
	if (!crl->serials)
		return -ENOMEM;
	while (!der_end(&list)) {
		if (!entry_parse(crl, &list, &crl->serials[crl->num]))
			return -EBADMSG;
		crl->num++;
	}
	qsort(crl->serials, crl->num, sizeof(*crl->serials), serial_order);
	return 0;
}

static bool issuer_key(struct x509_crl *crl, struct der v)
{
	struct der seq, id;

	if (!der_seq(&v, &seq) || !der_end(&v) || !der_optional(&seq, DER_CONTEXT(0), &id))
		return false;
	crl->issuer_key = x509_blob_of(id);
	return true;
}

static bool extension(struct x509_crl *crl, struct der oid, bool critical, struct der value, bool *numbered)
{
	if (der_is(&oid, OID_CRL_NUMBER)) {
		*numbered = true;
		if (critical)
			defect(crl, "its number is critical");
		return der_unsigned(&value, &oid) && der_end(&value);
	}
	if (der_is(&oid, OID_ISSUER_KEY)) {
		if (critical)
			defect(crl, "its authority key identifier is critical");
		return issuer_key(crl, value);
	}
	if (der_is(&oid, OID_DELTA) || der_is(&oid, OID_POINT))
		defect(crl, "it covers a part only");
	else if (critical)
		defect(crl, "it has a critical extension that is not known here");
	return true;
}

static bool extensions_parse(struct x509_crl *crl, struct der *tbs, uint32_t version)
{
	struct der wrapped, list, oid, value;
	bool critical, numbered = false;

	if (!der_end(tbs)) {
		if (version != 1 || !der_get(tbs, DER_EXPLICIT(0), &wrapped) || !der_end(tbs) ||
		    !der_seq(&wrapped, &list) || !der_end(&wrapped) || der_end(&list))
			return false;
		while (!der_end(&list))
			if (!x509_ext_head(&list, &oid, &critical, &value) ||
			    !extension(crl, oid, critical, value, &numbered))
				return false;
	}
	if (!numbered)		/* 5.2.3 */
		defect(crl, "it has no number");
	return true;
}

static bool times_parse(struct x509_crl *crl, struct der *tbs)
{
	if (!x509_time_parse(tbs, &crl->this_update))
		return false;
	crl->next_update_set = der_peek(tbs, DER_UTC) || der_peek(tbs, DER_TIME);
	return !crl->next_update_set || x509_time_parse(tbs, &crl->next_update);
}

static int tbs_parse(struct x509_crl *crl, struct der tbs)
{
	struct der seq, algorithm, issuer, list;
	uint32_t version = 0;
	int err = 0;

	if (!der_seq(&tbs, &seq) ||
	    (der_peek(&seq, DER_INT) && (!der_small(&seq, &version) || version != 1)) ||
	    !der_seq(&seq, &algorithm) || !der_equal(&algorithm, &crl->signature_algorithm) ||
	    !der_seq(&seq, &issuer) || !times_parse(crl, &seq))
		return -EBADMSG;
	crl->name = malloc(der_len(&issuer) + 1);
	if (!crl->name)
		return -ENOMEM;
	if (!x509_dn_canonical(issuer, crl->name, &crl->issuer_name))
		return -EBADMSG;
	if (der_peek(&seq, DER_SEQ) && der_seq(&seq, &list))
		err = entries_parse(crl, list);
	if (err)
		return err;
	return extensions_parse(crl, &seq, version) ? 0 : -EBADMSG;
}

static int crl_parse(struct x509_crl *crl)
{
	struct der d = der_of(crl->der.data, crl->der.len), seq;

	if (!der_seq(&d, &seq) || !der_end(&d) || !der_whole(&seq, DER_SEQ, &crl->tbs) ||
	    !der_seq(&seq, &crl->signature_algorithm) ||
	    !der_octet_bits(&seq, &crl->signature) || !der_end(&seq))
		return -EBADMSG;
	return tbs_parse(crl, crl->tbs);
}

int x509_crl_parse(const uint8_t *der, size_t len, struct x509_crl **ret)
{
	struct x509_crl *crl = calloc(1, sizeof(*crl));
	uint8_t *copy = malloc(len);
	int err;

	if (crl)
		crl->signer = calloc(1, sizeof(*crl->signer));
	if (!crl || !copy || !crl->signer) {
		x509_crl_free(crl);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, der, len);
	crl->der = (struct x509_blob){ copy, len };
	err = crl_parse(crl);
	if (err)
		x509_crl_free(crl);
	else
		*ret = crl;
	return err;
}

void x509_crl_free(struct x509_crl *crl)
{
	if (!crl)
		return;
	free((uint8_t *)crl->der.data);
	free(crl->name);
	free(crl->serials);
	free(crl->signer);
	free(crl);
}
