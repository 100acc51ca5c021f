/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name constraints, RFC 5280 4.2.1.10. One row per form of name says how a
 * name lies within a subtree. A constraint on a form that has no row refuses
 * every name of that form, as the RFC asks of who can't process it.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "x509/cert.h"

#define ALERT_BAD_CERTIFICATE 42
#define OID_EMAIL OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")	/* 1.2.840.113549.1.9.1 */

static bool same_text(struct der a, struct der b)
{
	return der_len(&a) == der_len(&b) &&
	       !strncasecmp((const char *)a.p, (const char *)b.p, der_len(&a));
}

static bool host_valid(struct der d)
{
	return x509_dns_valid((const char *)d.p, der_len(&d), X509_DNS_HOST);
}

/* @host is @top or ends with "." @top; an empty @top holds every host. */
static bool host_below(struct der host, struct der top)
{
	size_t more;

	if (der_len(&host) < der_len(&top))
		return false;
	more = der_len(&host) - der_len(&top);
	host.p += more;
	return same_text(host, top) && (!more || der_end(&top) || host.p[-1] == '.');
}

/* ---- dNSName */

static bool dns_valid(struct der name)
{
	return x509_dns_valid((const char *)name.p, der_len(&name), X509_DNS_PATTERN);
}

static bool dns_tree_valid(struct der top)
{
	return der_end(&top) || host_valid(top);
}

static bool is_pattern(struct der name)
{
	return name.p[0] == '*';
}

static bool dns_permitted(struct der name, struct der top)
{
	if (is_pattern(name))	/* all that it matches has to be within */
		name.p += 2;
	return host_below(name, top);
}

static bool dns_excluded(struct der name, struct der top)
{
	if (!is_pattern(name))
		return host_below(name, top);
	name.p += 2;		/* something that it matches is within */
	return host_below(name, top) || host_below(top, name);
}

/* ---- iPAddress: address and mask */

static bool ip_valid(struct der name)
{
	return der_len(&name) == 4 || der_len(&name) == 16;
}

static bool ip_tree_valid(struct der top)
{
	size_t half = der_len(&top) / 2, i;
	const uint8_t *mask = top.p + half;
	bool ended = false;

	if (der_len(&top) != 8 && der_len(&top) != 32)
		return false;
	for (i = 0; i < half * 8; i++) {	/* ones, then zeros */
		bool one = mask[i / 8] & (0x80 >> i % 8);

		if (one && ended)
			return false;
		ended |= !one;
	}
	return true;
}

static bool ip_within(struct der name, struct der top)
{
	size_t n = der_len(&name), i;

	if (der_len(&top) != 2 * n)
		return false;
	for (i = 0; i < n; i++)
		if ((name.p[i] ^ top.p[i]) & top.p[n + i])
			return false;
	return true;
}

/* ---- rfc822Name: a mailbox, a host, or (with a dot in front) a domain */

static bool split_mail(struct der mail, struct der *local, struct der *host)
{
	const uint8_t *at = der_len(&mail) ? memrchr(mail.p, '@', der_len(&mail)) : NULL;

	if (!at || at == mail.p)
		return false;
	*local = (struct der){ mail.p, at };
	*host = (struct der){ at + 1, mail.end };
	return host_valid(*host) && !memchr(local->p, '@', der_len(local));
}

static bool mail_valid(struct der name)
{
	struct der local, host;

	return split_mail(name, &local, &host);
}

static bool domain_tree_valid(struct der top)
{
	if (der_peek(&top, '.'))
		top.p++;
	return host_valid(top);
}

static bool mail_tree_valid(struct der top)
{
	return mail_valid(top) || domain_tree_valid(top);
}

/* ".example.org" holds what lies below, "example.org" just itself. */
static bool host_within(struct der host, struct der top)
{
	if (!der_peek(&top, '.'))
		return same_text(host, top);
	return der_len(&host) > der_len(&top) &&
	       same_text((struct der){ host.end - der_len(&top), host.end }, top);
}

static bool mail_within(struct der name, struct der top)
{
	struct der local, host, top_local, top_host;

	if (!split_mail(name, &local, &host))
		return false;
	if (!split_mail(top, &top_local, &top_host))
		return host_within(host, top);
	return der_equal(&local, &top_local) && same_text(host, top_host);
}

/* ---- uniformResourceIdentifier: the host in it */

static bool uri_host(struct der uri, struct der *host)
{
	const uint8_t *p = memmem(uri.p, der_len(&uri), "://", 3), *at;

	if (!p)
		return false;
	*host = (struct der){ p + 3, p + 3 };
	while (host->end < uri.end && !strchr("/?#", *host->end))
		host->end++;
	at = der_len(host) ? memrchr(host->p, '@', der_len(host)) : NULL;
	if (at)
		host->p = at + 1;
	p = memchr(host->p, ':', der_len(host));
	if (p)
		host->end = p;
	return host_valid(*host);
}

static bool uri_valid(struct der name)
{
	struct der host;

	return uri_host(name, &host);
}

static bool uri_within(struct der name, struct der top)
{
	struct der host;

	return uri_host(name, &host) && host_within(host, top);
}

/* ---- directoryName: RDNs from the top */

static bool dn_canonical(struct der name, uint8_t *buf, size_t size, struct x509_blob *ret)
{
	struct der rdns;

	return der_len(&name) <= size && der_seq(&name, &rdns) && der_end(&name) &&
	       x509_dn_canonical(rdns, buf, ret);
}

#define DN_MAX 4096

static bool dn_valid(struct der name)
{
	uint8_t buf[DN_MAX];
	struct x509_blob dn;

	return dn_canonical(name, buf, sizeof(buf), &dn);
}

static bool dn_within(struct der name, struct der top)
{
	uint8_t a[DN_MAX], b[DN_MAX];
	struct x509_blob x, y;

	return dn_canonical(name, a, sizeof(a), &x) &&
	       dn_canonical(top, b, sizeof(b), &y) && x509_dn_below(&x, &y);
}

/* ---- the forms */

static const struct form {
	uint8_t tag;
	bool (*valid)(struct der name);
	bool (*tree_valid)(struct der top);
	bool (*permitted)(struct der name, struct der top);
	bool (*excluded)(struct der name, struct der top);
} forms[] = {
	{ GN_DNS,       dns_valid,  dns_tree_valid,    dns_permitted, dns_excluded },
	{ GN_IP,        ip_valid,   ip_tree_valid,     ip_within,     ip_within },
	{ GN_EMAIL,     mail_valid, mail_tree_valid,   mail_within,   mail_within },
	{ GN_URI,       uri_valid,  domain_tree_valid, uri_within,    uri_within },
	{ GN_DIRECTORY, dn_valid,   dn_valid,          dn_within,     dn_within },
};

static const struct form *form_find(uint8_t tag)
{
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].tag == tag)
			return &forms[i];
	return NULL;
}

/* GeneralSubtree; minimum and maximum have to be left out. */
static bool subtree_next(struct der *trees, uint8_t *tag, struct der *top)
{
	struct der seq;

	return der_seq(trees, &seq) && der_any(&seq, tag, top) && der_end(&seq);
}

bool x509_constraints_valid(struct der trees)
{
	const struct form *form;
	struct der top;
	uint8_t tag;

	while (!der_end(&trees)) {
		if (!subtree_next(&trees, &tag, &top))
			return false;
		form = form_find(tag);
		if (form && !form->tree_valid(top))
			return false;
	}
	return true;
}

struct walk { const struct x509_cert *ca; unsigned int *budget; };

/* Is @name in one of @trees? @any: there was a tree of its form. */
static int search(struct walk *w, struct der trees, uint8_t tag, struct der name,
		  bool (*within)(struct der name, struct der top), bool *any)
{
	struct der top;
	uint8_t t;

	while (subtree_next(&trees, &t, &top)) {
		if (!*w->budget)
			return -E2BIG;
		--*w->budget;
		if (t != tag)
			continue;
		*any = true;
		if (within && within(name, top))
			return 1;
	}
	return 0;
}

static int name_check(struct walk *w, uint8_t tag, struct der name)
{
	const struct form *form = form_find(tag);
	bool excluding = false, permitting = false;
	int out, in;

	out = search(w, w->ca->excluded, tag, name,
		     form && form->valid(name) ? form->excluded : NULL, &excluding);
	if (out < 0)
		return out;
	in = search(w, w->ca->permitted, tag, name,
		    form && form->valid(name) ? form->permitted : NULL, &permitting);
	if (in < 0)
		return in;
	if (out || (permitting && !in))
		return ALERT_BAD_CERTIFICATE;
	if (excluding && (!form || !form->valid(name)))
		return ALERT_BAD_CERTIFICATE;
	return 0;
}

static int san_check(struct walk *w, struct der san, bool *mail)
{
	struct der name;
	uint8_t tag;
	int err;

	while (der_any(&san, &tag, &name)) {
		*mail |= tag == GN_EMAIL;
		err = name_check(w, tag, name);
		if (err)
			return err;
	}
	return 0;
}

int x509_constraints_check(const struct x509_cert *ca, const struct x509_cert *cert,
			   unsigned int *budget)
{
	struct walk w = { ca, budget };
	bool mail = false;
	struct der value;
	int err;

	err = san_check(&w, cert->san, &mail);
	if (!err && cert->subject_name.len)
		err = name_check(&w, GN_DIRECTORY, cert->subject_der);
	if (!err && !mail && x509_dn_attribute(cert->subject, OID_EMAIL, &value))
		err = name_check(&w, GN_EMAIL, value);
	return err;
}
