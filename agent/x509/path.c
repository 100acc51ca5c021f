/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path building and validation in one walk (RFC 5280 6, RFC 4158): from the
 * end entity up, depth first, trying anchors before the peer's helpers. Each
 * issuer is checked as it joins, against all that stands below it, cheapest
 * checks first and the signature last. What a hostile chain can cost is bounded
 * by two budgets. Of several failures the first is reported that says
 * more than "no trusted issuer".
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "x509/cert.h"

enum alert {
	BAD_CERTIFICATE = 42, UNSUPPORTED_CERTIFICATE = 43, CERTIFICATE_REVOKED = 44,
	CERTIFICATE_EXPIRED = 45, CERTIFICATE_UNKNOWN = 46, UNKNOWN_CA = 48,
	BAD_CERTIFICATE_STATUS = 113,
};

enum limits {
	DEPTH_DEFAULT = 8,
	SIGNATURES = 100,		/* checked for one chain */
	OCSP_SIGNATURES = 9,		/* of one response at most: by the issuer, by 4 others */
	COMPARISONS = 1 << 16,		/* of names with constraints */
};

struct walk {
	const struct x509_store *store;
	struct x509_cert *const *chain;
	size_t num;
	const struct x509_check *check;
	const struct x509_cert *path[X509_MAX_CHAIN + 2];	/* from the end entity up */
	size_t len;
	unsigned int signatures, comparisons;	/* left */
	bool anchor;			/* the issuer being checked is one */
	int alert;			/* of the failure to report; 0: none yet */
	char *why;
};

#define OID_CN OID("\x55\x04\x03")	/* 2.5.4.3 */

/* "example.org", "CA Example Root": how sentences call a certificate. */
static const char *label(const struct x509_cert *cert, char buf[72])
{
	const char *name = x509_cert_dns_name(cert, 0), *kind = cert->ca ? "CA " : "";
	struct der cn;
	char *p;

	if (name && !cert->ca)
		snprintf(buf, 72, "%.64s", name);
	else if (x509_dn_attribute(cert->subject, OID_CN, &cn))
		snprintf(buf, 72, "%s%.*s", kind, (int)(der_len(&cn) < 64 ? der_len(&cn) : 64), cn.p);
	else
		snprintf(buf, 72, "%swithout a name", kind);
	for (p = buf; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
	return buf;
}

/* Notes a failure, unless a better one is known; always gives @alert back. */
__attribute__((format(printf, 4, 5)))
static int fail(struct walk *w, int alert, const struct x509_cert *cert, const char *format, ...)
{
	char name[72];
	va_list args;
	int n;

	if (w->alert && (w->alert != UNKNOWN_CA || alert == UNKNOWN_CA))
		return alert;
	w->alert = alert;
	n = snprintf(w->why, X509_WHY, "certificate %s%s ", cert->ca ? "of " : "for ",
		     label(cert, name));
	va_start(args, format);
	vsnprintf(w->why + n, X509_WHY - n, format, args);
	va_end(args);
	return alert;
}

/* ---- checks that every certificate of a path has to pass */

static const char *day(time_t t, char buf[24])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, 24, "%Y-%m-%d", &tm))
		strcpy(buf, "an unreadable date");
	return buf;
}

static int check_time(struct walk *w, const struct x509_cert *cert)
{
	char d[24];

	if (w->check->now > cert->not_after)
		return fail(w, CERTIFICATE_EXPIRED, cert, "expired on %s: renew it",
			    day(cert->not_after, d));
	if (w->check->now < cert->not_before)
		return fail(w, CERTIFICATE_EXPIRED, cert,
			    "is not valid before %s: wait, or check the clock",
			    day(cert->not_before, d));
	return 0;
}

static int check_key(struct walk *w, const struct x509_cert *cert)
{
	if (cert->key_err == -ENOTSUP)
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "has a kind of key that is not supported: use RSA, P-256, P-384, P-521, brainpool, Ed25519, Ed448 or ML-DSA");
	if (!cert->key_err && !crypto_key_on(cert->key.type, w->check->schemes, w->check->schemes_num))
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "has a kind of key that is off: name its signature scheme in schemes = to have it on");
	if (cert->key_err)
		return fail(w, BAD_CERTIFICATE, cert, "has a malformed public key: issue it anew");
	if ((cert->key.type == CRYPTO_KEY_RSA || cert->key.type == CRYPTO_KEY_RSA_PSS) &&
	    cert->key.bits < w->check->rsa_min_bits)
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "has an RSA key of %u bits: use at least %u",
			    cert->key.bits, w->check->rsa_min_bits);
	return 0;
}

static int check_usage(struct walk *w, const struct x509_cert *cert)
{
	enum ext_usage want = 1 << w->check->purpose;
	const char *role = w->check->purpose == X509_SERVER_AUTH ? "server" : "client";

	if (cert->ca && w->len)		/* "any" is good enough above the end entity */
		want |= EKU_ANY;
	if (cert->ext_usage_set && !(cert->ext_usage & want))
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "is not for %s authentication (extended key usage)", role);
	return 0;
}

static int check_strict(struct walk *w, const struct x509_cert *cert)
{
	enum x509_place place = w->anchor ? X509_ANCHOR : w->len ? X509_INTERMEDIATE : X509_END_ENTITY;
	const char *defect = NULL;

	if (x509_store_is_strict(w->store))
		defect = x509_strict_defect(cert, place, w->check->purpose);
	return defect ? fail(w, BAD_CERTIFICATE, cert, "breaks a rule for public CAs: %s", defect) : 0;
}

static int check_common(struct walk *w, const struct x509_cert *cert)
{
	int err;

	if (cert->unknown_critical)
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "has a critical extension that is not known here");
	if (cert->needs_policy)
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "asks for certificate policies, which are not supported");
	if (cert->defect)
		return fail(w, BAD_CERTIFICATE, cert, "breaks RFC 5280: %s", cert->defect);
	err = check_time(w, cert);
	if (!err)
		err = check_key(w, cert);
	if (!err)
		err = check_usage(w, cert);
	if (!err)
		err = check_strict(w, cert);
	return err;
}

static int check_serial(struct walk *w, const struct x509_cert *cert)
{
	if (!cert->serial_defect)
		return 0;
	return fail(w, BAD_CERTIFICATE, cert, "breaks RFC 5280: %s", cert->serial_defect);
}

static int check_end_entity(struct walk *w, const struct x509_cert *cert)
{
	char names[96];
	int err;

	err = check_common(w, cert);
	if (!err)
		err = check_serial(w, cert);
	if (err)
		return err;
	if (cert->key_usage_set && !(cert->key_usage & KU_DIGITAL_SIGNATURE))
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "may not sign handshakes: its key usage lacks digitalSignature");
	if (!w->check->name || x509_cert_has_name(cert, w->check->name))
		return 0;
	x509_cert_describe(cert, names, sizeof(names));
	w->alert = BAD_CERTIFICATE;
	snprintf(w->why, X509_WHY, "the certificate is not for %.64s but for %s",
		 w->check->name, names[0] ? names : "no name at all (it has no subjectAltName)");
	return BAD_CERTIFICATE;
}

/* ---- issuers */

static bool self_issued(const struct x509_cert *cert)
{
	return x509_blob_equal(&cert->issuer_name, &cert->subject_name);
}

/* Intermediates of the path that count against limits (6.1.4 l). */
static unsigned int intermediates(const struct walk *w)
{
	unsigned int n = 0;
	size_t i;

	for (i = 1; i < w->len; i++)
		n += !self_issued(w->path[i]);
	return n;
}

static int check_ca(struct walk *w, const struct x509_cert *issuer)
{
	if (!issuer->ca)
		return fail(w, BAD_CERTIFICATE, issuer,
			    "issued a certificate but is no CA (basic constraints)");
	if (issuer->key_usage_set && !(issuer->key_usage & KU_KEY_CERT_SIGN))
		return fail(w, BAD_CERTIFICATE, issuer,
			    "may not sign certificates: its key usage lacks keyCertSign");
	if (issuer->path_len >= 0 && intermediates(w) > (unsigned int)issuer->path_len)
		return fail(w, BAD_CERTIFICATE, issuer,
			    "allows %d CAs below it and has %u (path length)",
			    issuer->path_len, intermediates(w));
	return check_common(w, issuer);
}

static int check_constraints(struct walk *w, const struct x509_cert *issuer)
{
	size_t i;
	int err;

	if (!issuer->constrained)
		return 0;
	for (i = 0; i < w->len; i++) {
		if (i && self_issued(w->path[i]))	/* 6.1.3 b */
			continue;
		err = x509_constraints_check(issuer, w->path[i], &w->comparisons);
		if (err == -E2BIG)
			return fail(w, BAD_CERTIFICATE, issuer, "has more name constraints than can be checked");
		if (err)
			return fail(w, err, w->path[i],
				    "has a name that the name constraints of a CA above it forbid");
	}
	return 0;
}

static bool key_ids_agree(const struct x509_cert *issuer, const struct x509_cert *cert)
{
	return cert->issuer_key.len && x509_blob_equal(&cert->issuer_key, &issuer->subject_key);
}

static int check_signature(struct walk *w, const struct x509_cert *issuer,
			   const struct x509_cert *cert)
{
	int err;

	if (!w->signatures)
		return fail(w, BAD_CERTIFICATE, cert,
			    "needs more signature checks than are allowed: send a plain chain");
	w->signatures--;
	err = x509_signature_check(cert->signature_algorithm, cert->tbs, cert->signature, &issuer->key);
	if (err == -EACCES)
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "is signed with SHA-1 or MD5: issue it anew with SHA-256");
	if (err == -ENOTSUP)
		return fail(w, UNSUPPORTED_CERTIFICATE, cert,
			    "is signed with an algorithm that is not supported");
	if (!err)
		return 0;
	if (key_ids_agree(issuer, cert))
		return fail(w, BAD_CERTIFICATE, cert, "is damaged: its signature does not verify");
	return fail(w, UNKNOWN_CA, cert,
		    "was not signed by the known CA of that name: another bears the same name");
}

/* ---- revocation, RFC 5280 6.3.3, for lists that cover all of what their issuer issues */

/* Is the list this issuer's own? One of the same name may be another's, or of an older key. */
static bool may_be_list_of(const struct x509_crl *crl, const struct x509_cert *issuer)
{
	return x509_blob_equal(&crl->issuer_name, &issuer->subject_name) &&
	       (!crl->issuer_key.len || !issuer->subject_key.len ||
		x509_blob_equal(&crl->issuer_key, &issuer->subject_key));
}

/* NULL, or why the list can't be relied on. */
static const char *list_defect(struct walk *w, const struct x509_crl *crl, const struct x509_cert *issuer)
{
	if (crl->defect)
		return crl->defect;
	if (issuer->key_usage_set && !(issuer->key_usage & KU_CRL_SIGN))
		return "its CA may not sign such lists (key usage)";
	if (w->check->now < crl->this_update)
		return "it is not valid yet: check the clock";
	if (!crl->next_update_set || w->check->now > crl->next_update)
		return "it is out of date: get a newer one";
	if (!w->signatures)
		return "too many signatures were checked already";
	w->signatures--;
	if (!x509_crl_signed(crl, issuer))
		return "it is not signed by the CA in a way that is accepted";
	return NULL;
}

static int check_revoked(struct walk *w, const struct x509_cert *issuer, const struct x509_cert *cert)
{
	const struct x509_crl *crl;
	const char *defect;
	bool found = false;

	for (crl = x509_store_crls(w->store); crl; crl = crl->next) {
		if (!may_be_list_of(crl, issuer))
			continue;
		found = true;
		defect = list_defect(w, crl, issuer);
		if (defect)
			return fail(w, CERTIFICATE_UNKNOWN, cert,
				    "may be revoked, the revocation list is of no use: %s", defect);
		if (x509_crl_has(crl, cert->serial))
			return fail(w, CERTIFICATE_REVOKED, cert, "was revoked by its CA: get a new one");
	}
	if (!found && x509_store_wants_crls(w->store))
		return fail(w, CERTIFICATE_UNKNOWN, cert,
			    "may be revoked: there is no revocation list of its CA");
	return 0;
}

/* The end entity's OCSP response, or that there is none. */
static int check_staple(struct walk *w, const struct x509_cert *issuer, const struct x509_cert *cert)
{
	const struct x509_blob *staple = w->check->staple;
	const char *why;

	if (!staple)
		return 0;
	if (!staple->len && !cert->must_staple && !x509_store_wants_staples(w->store))
		return 0;
	if (!staple->len)
		return fail(w, BAD_CERTIFICATE_STATUS, cert,
			    "has to come with an OCSP response and does not: let the server staple one");
	if (w->signatures < OCSP_SIGNATURES)
		return fail(w, BAD_CERTIFICATE, cert, "needs more signature checks than are allowed");
	w->signatures -= OCSP_SIGNATURES;
	switch (x509_ocsp_check(*staple, cert, issuer, w->check->now, &why)) {
	case X509_STATUS_GOOD:
		return 0;
	case X509_STATUS_REVOKED:
		return fail(w, CERTIFICATE_REVOKED, cert, "%s", why);
	default:
		return fail(w, BAD_CERTIFICATE_STATUS, cert, "%s", why);
	}
}

/* A hint that both carry and that differs saves the signature check. */
static bool may_be_issuer(const struct x509_cert *issuer, const struct x509_cert *cert)
{
	if (!x509_blob_equal(&issuer->subject_name, &cert->issuer_name))
		return false;
	return !issuer->subject_key.len || !cert->issuer_key.len ||
	       key_ids_agree(issuer, cert);
}

static int check_issuer(struct walk *w, const struct x509_cert *issuer)
{
	int err;

	err = check_ca(w, issuer);
	if (!err)
		err = check_constraints(w, issuer);
	if (!err)
		err = check_signature(w, issuer, w->path[w->len - 1]);
	if (!err)
		err = check_revoked(w, issuer, w->path[w->len - 1]);
	if (!err && w->len == 1)
		err = check_staple(w, issuer, w->path[0]);
	return err;
}

/* ---- the walk */

static int try_anchors(struct walk *w)
{
	const struct x509_cert *cert = w->path[w->len - 1];
	const struct x509_anchor *a = NULL;

	int err = UNKNOWN_CA;

	w->anchor = true;
	while (err && (a = x509_store_find(w->store, &cert->issuer_name, a)))
		if (may_be_issuer(a->cert, cert))
			err = check_issuer(w, a->cert);
	w->anchor = false;
	return err;
}

/* The same name with the same key: a loop, whatever else differs (RFC 4158 5.2). */
static bool on_path(const struct walk *w, const struct x509_cert *cert)
{
	size_t i;

	for (i = 0; i < w->len; i++)
		if (x509_blob_equal(&w->path[i]->spki, &cert->spki) &&
		    x509_blob_equal(&w->path[i]->subject_name, &cert->subject_name))
			return true;
	return false;
}

static unsigned int depth_max(const struct x509_check *check)
{
	if (check->max_depth == X509_NO_INTERMEDIATES)
		return 0;
	if (!check->max_depth)
		return DEPTH_DEFAULT;
	return check->max_depth < X509_MAX_CHAIN ? check->max_depth : X509_MAX_CHAIN;
}

static int extend(struct walk *w)
{
	const struct x509_cert *cert = w->path[w->len - 1], *issuer;
	size_t i;
	int err;

	if (!try_anchors(w))
		return 0;
	for (i = 1; i < w->num; i++) {
		issuer = w->chain[i];
		if (!may_be_issuer(issuer, cert) || on_path(w, issuer))
			continue;
		if (intermediates(w) + !self_issued(issuer) > depth_max(w->check))
			return fail(w, UNKNOWN_CA, cert, "is too deep: no anchor within %u CAs",
				    depth_max(w->check));
		if (check_serial(w, issuer) || check_issuer(w, issuer))
			continue;
		w->path[w->len++] = issuer;
		err = extend(w);
		w->len--;
		if (!err)
			return 0;
	}
	return fail(w, UNKNOWN_CA, cert, self_issued(cert) ?
		    "is its own issuer and not trusted: add it to the trust file if it should be" :
		    "has no trusted issuer: add the CA to the trust file, or let the peer send the chain");
}

/* An administrator may trust an end entity itself. */
static bool is_anchor(const struct x509_store *store, const struct x509_cert *cert)
{
	const struct x509_anchor *a = NULL;

	while ((a = x509_store_find(store, &cert->subject_name, a)))
		if (x509_blob_equal(&a->cert->der, &cert->der))
			return true;
	return false;
}

int x509_verify(const struct x509_store *store, struct x509_cert *const *chain, size_t num,
		const struct x509_check *check, char why[X509_WHY])
{
	struct walk w = {
		.store = store, .chain = chain, .num = num, .check = check,
		.signatures = SIGNATURES, .comparisons = COMPARISONS, .why = why,
	};

	if (!num || num > X509_MAX_CHAIN)
		return -EINVAL;
	if (check_end_entity(&w, chain[0]))
		return w.alert;
	w.path[w.len++] = chain[0];
	if (is_anchor(store, chain[0]) || !extend(&w)) {
		why[0] = '\0';
		return 0;
	}
	return w.alert;
}
