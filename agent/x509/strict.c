/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CAs of the public web may not issue: the duties that RFC 5280 4 lays on
 * issuers, and the Baseline Requirements of the CA/Browser Forum 7.1.2. Path
 * validation asks for none of it, private CAs keep to little of it, and some
 * of the oldest public roots don't either: a trust store has to ask for it.
 */
#include <arpa/inet.h>
#include <string.h>
#include "x509/cert.h"

#define OID_CN OID("\x55\x04\x03")	/* 2.5.4.3 */

static bool has(const struct x509_cert *cert, enum x509_ext ext)
{
	return cert->exts & 1u << ext;
}

static bool critical(const struct x509_cert *cert, enum x509_ext ext)
{
	return cert->exts_critical & 1u << ext;
}

static const char *key_defect(const struct x509_cert *cert)
{
	bool rsa = cert->key.type == CRYPTO_KEY_RSA || cert->key.type == CRYPTO_KEY_RSA_PSS;

	return rsa && cert->key.bits % 8 ? "its RSA key's size is no multiple of 8 bits" : NULL;
}

/* A root may leave its issuer's key out, as that is its own. */
static const char *issuer_key_defect(const struct x509_cert *cert, enum x509_place place)
{
	bool root = place == X509_ANCHOR && x509_blob_equal(&cert->issuer_name, &cert->subject_name);

	if (root && !has(cert, EXT_ISSUER_KEY))
		return NULL;
	if (!cert->issuer_key.len)
		return "it lacks the authority key identifier";
	if (root && cert->issuer_key_more)
		return "it is a root and names its issuer by number";
	if (root && !x509_blob_equal(&cert->issuer_key, &cert->subject_key))
		return "it is a root and its key identifiers differ";
	return NULL;
}

static const char *ca_defect(const struct x509_cert *cert, enum x509_place place)
{
	if (!has(cert, EXT_SUBJECT_KEY))
		return "it is a CA without a subject key identifier";
	if (!critical(cert, EXT_BASIC_CONSTRAINTS))
		return "its basic constraints are not critical";
	if (place == X509_ANCHOR && has(cert, EXT_EXT_KEY_USAGE) &&
	    x509_blob_equal(&cert->issuer_name, &cert->subject_name))
		return "it is a root with an extended key usage";
	return NULL;
}

/* Is @cn one of the names, letter for letter, an address in its usual form? */
static bool name_listed(const struct x509_cert *cert, struct der cn)
{
	struct der list = cert->san, name, text;
	char buf[INET6_ADDRSTRLEN];
	uint8_t tag;

	while (der_any(&list, &tag, &name)) {
		text = name;
		if (tag == GN_IP && inet_ntop(der_len(&name) == 4 ? AF_INET : AF_INET6, name.p, buf, sizeof(buf)))
			text = der_of(buf, strlen(buf));
		if ((tag == GN_IP || tag == GN_DNS) && der_equal(&text, &cn))
			return true;
	}
	return false;
}

static const char *server_defect(const struct x509_cert *cert)
{
	struct der cn;

	if (cert->ca)
		return "it is a CA's and a server's";
	if (!has(cert, EXT_EXT_KEY_USAGE) || cert->ext_usage & EKU_ANY)
		return "its extended key usage does not say what it is for";
	if (critical(cert, EXT_EXT_KEY_USAGE))
		return "its extended key usage is critical";
	if (cert->subject_name.len && critical(cert, EXT_SUBJECT_ALT_NAME))
		return "its alternative names are critical beside another name";
	if (x509_dn_attribute(cert->subject, OID_CN, &cn) && !name_listed(cert, cn))
		return "its common name is none of its alternative names";
	return NULL;
}

const char *x509_strict_defect(const struct x509_cert *cert, enum x509_place place,
			       enum x509_purpose purpose)
{
	const char *defect = key_defect(cert);

	if (!defect)
		defect = issuer_key_defect(cert, place);
	if (!defect && place != X509_END_ENTITY)
		defect = ca_defect(cert, place);
	if (!defect && place == X509_END_ENTITY && purpose == X509_SERVER_AUTH)
		defect = server_defect(cert);
	return defect;
}
