/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extensions, RFC 5280 4.2: one row each. An extension without a row is
 * ignored, or, if critical, makes the certificate unusable. Those rows that
 * only check syntax are of extensions which can't change the outcome here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "x509/cert.h"

#define STATUS_REQUEST	5	/* RFC 6066 8 */
#define EXT_MAX 64	/* extensions in one certificate */

static bool basic_constraints(struct x509_cert *cert, struct der v)
{
	struct der seq;
	uint32_t len;

	if (!der_seq(&v, &seq) || !der_end(&v))
		return false;
	if (der_peek(&seq, DER_BOOL) && (!der_bool(&seq, &cert->ca) || !cert->ca))
		return false;	/* DER leaves the default out */
	if (der_end(&seq))
		return true;
	if (!der_small(&seq, &len) || !der_end(&seq))
		return false;
	if (!cert->ca)
		cert->defect = "it has a path length but is no CA";
	cert->path_len = len;
	return true;
}

static bool key_usage(struct x509_cert *cert, struct der v)
{
	unsigned int unused, i;
	struct der bits;

	if (!der_bits(&v, &bits, &unused) || !der_end(&v) || der_len(&bits) > 2)
		return false;
	for (i = 0; i < der_len(&bits) * 8; i++)
		if (bits.p[i / 8] & (0x80 >> i % 8))
			cert->key_usage |= 1 << i;
	cert->key_usage_set = true;
	return cert->key_usage;		/* 4.2.1.3: at least one bit */
}

static bool ext_key_usage(struct x509_cert *cert, struct der v)
{
	static const struct { const char *oid; size_t len; enum ext_usage bit; } known[] = {
		{ OID("\x2b\x06\x01\x05\x05\x07\x03\x01"), EKU_SERVER },	/* 1.3.6.1.5.5.7.3.1 */
		{ OID("\x2b\x06\x01\x05\x05\x07\x03\x02"), EKU_CLIENT },
		{ OID("\x2b\x06\x01\x05\x05\x07\x03\x09"), EKU_OCSP },
		{ OID("\x55\x1d\x25\x00"), EKU_ANY },			/* 2.5.29.37.0 */
	};
	struct der seq, oid;
	size_t i;

	if (!der_seq(&v, &seq) || !der_end(&v) || der_end(&seq))
		return false;
	while (!der_end(&seq)) {
		if (!der_oid(&seq, &oid))
			return false;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (der_is(&oid, known[i].oid, known[i].len))
				cert->ext_usage |= known[i].bit;
	}
	cert->ext_usage_set = true;
	return true;
}

static bool is_ia5(struct der v)
{
	for (; v.p < v.end; v.p++)
		if (*v.p == 0 || *v.p > 0x7f)
			return false;
	return true;
}

static bool general_name_valid(uint8_t tag, struct der body)
{
	struct der name;

	switch (tag) {
	case GN_EMAIL:
	case GN_DNS:
	case GN_URI:
		return is_ia5(body);
	case GN_IP:
		return der_len(&body) == 4 || der_len(&body) == 16;
	case GN_DIRECTORY:
		return der_seq(&body, &name) && der_end(&body);
	default:	/* otherName, x400Address, ediPartyName, registeredID */
		return tag == DER_EXPLICIT(0) || tag == DER_EXPLICIT(3) ||
		       tag == DER_EXPLICIT(5) || tag == DER_CONTEXT(8);
	}
}

static bool dns_names_copy(struct x509_cert *cert)
{
	struct der d = cert->san, body;
	uint8_t tag;
	char *p;

	p = cert->dns_text = malloc(der_len(&d) + 1);
	if (!p)
		return false;
	while (der_any(&d, &tag, &body)) {
		if (tag != GN_DNS)
			continue;
		memcpy(p, body.p, der_len(&body));
		p[der_len(&body)] = '\0';
		p += der_len(&body) + 1;
		cert->dns_num++;
	}
	return true;
}

static bool subject_alt_name(struct x509_cert *cert, struct der v)
{
	struct der seq, d, body;
	uint8_t tag;

	if (!der_seq(&v, &seq) || !der_end(&v) || der_end(&seq))
		return false;
	for (d = seq; !der_end(&d); )
		if (!der_any(&d, &tag, &body) || !general_name_valid(tag, body))
			return false;
	cert->san = seq;
	return dns_names_copy(cert);
}

static bool name_constraints(struct x509_cert *cert, struct der v)
{
	struct der seq;

	if (!der_seq(&v, &seq) || !der_end(&v) ||
	    !der_optional(&seq, DER_EXPLICIT(0), &cert->permitted) ||
	    !der_optional(&seq, DER_EXPLICIT(1), &cert->excluded) || !der_end(&seq))
		return false;
	cert->constrained = true;
	if (der_end(&cert->permitted) && der_end(&cert->excluded))
		cert->defect = "its name constraints are empty";
	else if (!x509_constraints_valid(cert->permitted) ||
		 !x509_constraints_valid(cert->excluded))
		cert->defect = "its name constraints can't be understood";
	return true;
}

static bool subject_key(struct x509_cert *cert, struct der v)
{
	struct der id;

	if (!der_get(&v, DER_OCTETS, &id) || !der_end(&v))
		return false;
	cert->subject_key = x509_blob_of(id);
	return true;
}

static bool issuer_key(struct x509_cert *cert, struct der v)
{
	struct der seq, id, name, number;

	if (!der_seq(&v, &seq) || !der_end(&v) ||
	    !der_optional(&seq, DER_CONTEXT(0), &id) ||
	    !der_optional(&seq, DER_EXPLICIT(1), &name) ||
	    !der_optional(&seq, DER_CONTEXT(2), &number) || !der_end(&seq))
		return false;
	cert->issuer_key_more = !der_end(&name) || !der_end(&number);
	cert->issuer_key = x509_blob_of(id);
	return true;
}

/* A policy is only asked for by requireExplicitPolicy [0]. */
static bool policy_constraints(struct x509_cert *cert, struct der v)
{
	struct der seq, explicit, mapping;

	if (!der_seq(&v, &seq) || !der_end(&v) || der_end(&seq) ||
	    !der_optional(&seq, DER_CONTEXT(0), &explicit) ||
	    !der_optional(&seq, DER_CONTEXT(1), &mapping) || !der_end(&seq))
		return false;
	cert->needs_policy = !der_end(&explicit);
	return true;
}

/* A non-empty SEQUENCE of SEQUENCEs that begin with an OID. */
static bool oid_list(struct x509_cert *cert, struct der v)
{
	struct der seq, item, oid;

	(void)cert;
	if (!der_seq(&v, &seq) || !der_end(&v) || der_end(&seq))
		return false;
	while (!der_end(&seq))
		if (!der_seq(&seq, &item) || !der_oid(&item, &oid))
			return false;
	return true;
}

static bool info_access(struct x509_cert *cert, struct der v)
{
	struct der seq, item, oid, body;
	uint8_t tag;

	(void)cert;
	if (!der_seq(&v, &seq) || !der_end(&v) || der_end(&seq))
		return false;
	while (!der_end(&seq))
		if (!der_seq(&seq, &item) || !der_oid(&item, &oid) ||
		    !der_any(&item, &tag, &body) || !der_end(&item) ||
		    !general_name_valid(tag, body))
			return false;
	return true;
}

static bool inhibit_any_policy(struct x509_cert *cert, struct der v)
{
	uint32_t skip;

	(void)cert;
	return der_small(&v, &skip) && der_end(&v);
}

/* RFC 7633: a list of numbers of TLS extensions */
static bool tls_feature(struct x509_cert *cert, struct der v)
{
	uint32_t number;
	struct der seq;

	if (!der_seq(&v, &seq) || !der_end(&v))
		return false;
	while (!der_end(&seq)) {
		if (!der_small(&seq, &number))
			return false;
		cert->must_staple |= number == STATUS_REQUEST;
	}
	return true;
}

/* RFC 9345 4.2: NULL, and nothing else */
static bool delegation_usage(struct x509_cert *cert, struct der v)
{
	(void)cert;
	return der_len(&v) == 2 && v.p[0] == 5 && !v.p[1];
}

enum critical { EITHER, NEVER, ALWAYS };	/* as RFC 5280 has it for CAs */

static const struct row {
	const char *oid;
	size_t oid_len;
	enum critical critical;
	bool (*parse)(struct x509_cert *cert, struct der value);
	const char *defect;
} rows[] = {
	[EXT_SUBJECT_KEY]        = { OID("\x55\x1d\x0e"), NEVER,  subject_key,        "its subject key identifier is critical" },
	[EXT_KEY_USAGE]          = { OID("\x55\x1d\x0f"), EITHER, key_usage,          NULL },
	[EXT_SUBJECT_ALT_NAME]   = { OID("\x55\x1d\x11"), EITHER, subject_alt_name,   NULL },
	[EXT_BASIC_CONSTRAINTS]  = { OID("\x55\x1d\x13"), EITHER, basic_constraints,  NULL },
	[EXT_NAME_CONSTRAINTS]   = { OID("\x55\x1d\x1e"), EITHER, name_constraints,   NULL },
	[EXT_POLICIES]           = { OID("\x55\x1d\x20"), EITHER, oid_list,           NULL },	/* policies */
	[EXT_POLICY_MAPPINGS]    = { OID("\x55\x1d\x21"), EITHER, oid_list,           NULL },	/* policy mappings */
	[EXT_ISSUER_KEY]         = { OID("\x55\x1d\x23"), NEVER,  issuer_key,         "its authority key identifier is critical" },
	[EXT_POLICY_CONSTRAINTS] = { OID("\x55\x1d\x24"), ALWAYS, policy_constraints, "its policy constraints are not critical" },
	[EXT_EXT_KEY_USAGE]      = { OID("\x55\x1d\x25"), EITHER, ext_key_usage,      NULL },
	[EXT_INHIBIT_ANY_POLICY] = { OID("\x55\x1d\x36"), EITHER, inhibit_any_policy, NULL },
	[EXT_INFO_ACCESS]        = { OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), NEVER, info_access, "its authority information is critical" },
	[EXT_TLS_FEATURE]        = { OID("\x2b\x06\x01\x05\x05\x07\x01\x18"), EITHER, tls_feature, NULL },
	[EXT_DELEGATION_USAGE]   = { OID("\x2b\x06\x01\x04\x01\x82\xda\x4b\x2c"), EITHER, delegation_usage, NULL },	/* 1.3.6.1.4.1.44363.44 */
};

static bool apply(struct x509_cert *cert, const struct der *oid, bool critical,
		  struct der value)
{
	const struct row *r;

	for (r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++)
		if (der_is(oid, r->oid, r->oid_len))
			break;
	if (r == rows + sizeof(rows) / sizeof(rows[0])) {
		cert->unknown_critical |= critical;
		return true;
	}
	cert->exts |= 1u << (r - rows);
	if (critical)
		cert->exts_critical |= 1u << (r - rows);
	if (r->critical != EITHER && critical != (r->critical == ALWAYS))
		cert->defect = r->defect;
	return r->parse(cert, value);
}

bool x509_ext_head(struct der *list, struct der *oid, bool *critical, struct der *value)
{
	struct der seq;

	*critical = false;
	if (!der_seq(list, &seq) || !der_oid(&seq, oid))
		return false;
	if (der_peek(&seq, DER_BOOL) && (!der_bool(&seq, critical) || !*critical))
		return false;	/* DER leaves the default out */
	return der_get(&seq, DER_OCTETS, value) && der_end(&seq);
}

/* 4.2: at most one of each */
static bool is_new(const struct der *seen, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (der_equal(&seen[i], &seen[n]))
			return false;
	return true;
}

/* Rules between extensions (4.2.1.3, 4.2.1.9, 4.2.1.10, 4.1.2.6). */
static void find_defects(struct x509_cert *cert)
{
	if ((cert->key_usage & KU_KEY_CERT_SIGN) && !cert->ca)
		cert->defect = "its key usage is a CA's but it is no CA";
	else if (cert->constrained && !cert->ca)
		cert->defect = "it has name constraints but is no CA";
	else if (cert->ca && !cert->subject_name.len)
		cert->defect = "it is a CA without a name";
	else if (!cert->subject_name.len && cert->exts & 1u << EXT_SUBJECT_ALT_NAME &&
		 !(cert->exts_critical & 1u << EXT_SUBJECT_ALT_NAME))
		cert->defect = "it has no other name than one that is not critical";
}

int x509_ext_parse(struct x509_cert *cert, struct der list)
{
	struct der seen[EXT_MAX], value;
	bool critical;
	size_t n;

	for (n = 0; !der_end(&list); n++)
		if (n == EXT_MAX || !x509_ext_head(&list, &seen[n], &critical, &value) ||
		    !is_new(seen, n) || !apply(cert, &seen[n], critical, value))
			return cert->san.p && !cert->dns_text ? -ENOMEM : -EBADMSG;
	find_defects(cert);
	return 0;
}
