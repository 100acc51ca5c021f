/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a certificate speak for a name? RFC 9525: the subjectAltName alone
 * counts, never the common name. A presented name may have "*" as its whole
 * left-most label, above at least two more; names are compared as A-labels.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "x509/cert.h"

#define LABEL_MAX 63
#define NAME_MAX_LEN 253

/* LDH labels (RFC 1123 2.1), none empty, the last not a number. */
bool x509_dns_valid(const char *name, size_t len, enum x509_dns_form form)
{
	size_t label = 0, i;
	bool number = true;

	if (form == X509_DNS_PATTERN && len > 2 && name[0] == '*' && name[1] == '.')
		return memchr(name + 2, '.', len - 2) &&
		       x509_dns_valid(name + 2, len - 2, X509_DNS_HOST);
	if (!len || len > NAME_MAX_LEN)
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] == '.') {
			if (!label || name[i - 1] == '-')
				return false;
			label = 0;
			number = true;
			continue;
		}
		if (!isalnum((unsigned char)name[i]) && (name[i] != '-' || !label))
			return false;
		number &= isdigit((unsigned char)name[i]) != 0;
		if (++label > LABEL_MAX)
			return false;
	}
	return label && name[len - 1] != '-' && !number;
}

static bool dns_matches(const char *presented, const char *name, size_t len)
{
	const char *dot;

	if (!x509_dns_valid(presented, strlen(presented), X509_DNS_PATTERN))
		return false;
	if (presented[0] != '*')
		return strlen(presented) == len && !strncasecmp(presented, name, len);
	dot = memchr(name, '.', len);
	if (!dot)
		return false;
	len -= dot - name;
	return strlen(presented + 1) == len && !strncasecmp(presented + 1, dot, len);
}

static bool has_dns(const struct x509_cert *cert, const char *name)
{
	size_t len = strlen(name), i;

	if (len && name[len - 1] == '.')	/* an absolute name */
		len--;
	if (!x509_dns_valid(name, len, X509_DNS_HOST))
		return false;
	for (i = 0; i < cert->dns_num; i++)
		if (dns_matches(x509_cert_dns_name(cert, i), name, len))
			return true;
	return false;
}

static bool has_ip(const struct x509_cert *cert, const uint8_t *ip, size_t len)
{
	struct der d = cert->san, body, want = der_of(ip, len);
	uint8_t tag;

	while (der_any(&d, &tag, &body))
		if (tag == GN_IP && der_equal(&body, &want))
			return true;
	return false;
}

bool x509_cert_has_name(const struct x509_cert *cert, const char *name)
{
	uint8_t ip[16];

	if (inet_pton(AF_INET, name, ip) == 1)
		return has_ip(cert, ip, 4);
	if (inet_pton(AF_INET6, name, ip) == 1)
		return has_ip(cert, ip, 16);
	return has_dns(cert, name);
}

const char *x509_cert_dns_name(const struct x509_cert *cert, size_t i)
{
	const char *p = cert->dns_text;

	if (i >= cert->dns_num)
		return NULL;
	while (i--)
		p += strlen(p) + 1;
	return p;
}

static void name_text(uint8_t tag, struct der body, char *out, size_t size)
{
	char ip[INET6_ADDRSTRLEN];

	if (tag == GN_IP)
		inet_ntop(der_len(&body) == 4 ? AF_INET : AF_INET6, body.p, ip, sizeof(ip));
	snprintf(out, size, "%.*s", tag == GN_IP ? (int)sizeof(ip) : (int)der_len(&body),
		 tag == GN_IP ? ip : (const char *)body.p);
}

void x509_cert_describe(const struct x509_cert *cert, char *buf, size_t size)
{
	struct der d = cert->san, body;
	size_t used = 0;
	uint8_t tag;
	char *p;

	if (!size)
		return;
	buf[0] = '\0';
	while (used + 3 < size && der_any(&d, &tag, &body)) {
		if (tag != GN_DNS && tag != GN_IP && tag != GN_EMAIL && tag != GN_URI)
			continue;
		if (used)
			used += snprintf(buf + used, size - used, ", ");
		name_text(tag, body, buf + used, size - used);
		used += strlen(buf + used);
	}
	for (p = buf; *p; p++)		/* it goes to logs and terminals */
		if (!isprint((unsigned char)*p))
			*p = '?';
}
