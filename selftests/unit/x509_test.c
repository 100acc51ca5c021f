/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates that openssl(1) makes for the test: which are accepted, and for
 * each reason of refusal the alert and the sentence. Besides: names (RFC 9525),
 * damage at every byte, order and alternatives of paths, the system's bundle.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "x509/cert.h"
#include "x509/x509.h"
#include "no_memory.h"

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define DAY 86400

static char dir[] = "/tmp/ktls-x509-XXXXXX";

__attribute__((format(printf, 1, 2)))
static void run(const char *format, ...)
{
	char command[2048];
	va_list ap;
	int n;

	n = snprintf(command, sizeof(command), "cd %s && { ", dir);
	va_start(ap, format);
	n += vsnprintf(command + n, sizeof(command) - n, format, ap);
	va_end(ap);
	snprintf(command + n, sizeof(command) - n, "; } >log 2>&1 || { cat log; exit 1; }");
	if (system(command))
		exit(1);
}

#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" \
	   "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
#define CA_WITH(more) "basicConstraints=critical,CA:TRUE" more \
	   "\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
#define EE "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n" \
	   "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n"
#define SAN "subjectAltName=DNS:example.org,DNS:*.w.example.org,IP:192.0.2.7,IP:2001:db8::7\n"

/* One certificate: made with the key of that name, signed by @issuer (itself: a root). */
static const struct make {
	const char *name, *issuer, *subject, *extensions, *key, *options;
} makes[] = {
	{ "root", "root", "CN=Root One", CA, NULL, NULL },
	{ "other", "other", "CN=Root Two", CA, NULL, NULL },
	{ "twin", "twin", "CN=Root One", CA, NULL, NULL },
	{ "twinbare", "twinbare", "CN=Root One", "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\n", NULL, NULL },
	{ "mid", "root", "CN=Middle", CA, NULL, NULL },
	{ "low", "mid", "CN=Low", CA, NULL, NULL },
	{ "tight", "root", "CN=Tight", CA_WITH(",pathlen:0"), NULL, NULL },
	{ "below", "tight", "CN=Below", CA, NULL, NULL },
	{ "noca", "root", "CN=No CA", EE, NULL, NULL },
	{ "nosign", "root", "CN=No Sign", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n", NULL, NULL },
	{ "clients", "root", "CN=Clients", CA "extendedKeyUsage=clientAuth\n", NULL, NULL },
	{ "named", "root", "CN=Named", CA "nameConstraints=critical,permitted;DNS:example.org,excluded;DNS:secret.example.org,excluded;IP:10.0.0.0/255.0.0.0\n", NULL, NULL },
	{ "leaf", "root", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-mid", "mid", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-low", "low", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-below", "below", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-noca", "noca", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-nosign", "nosign", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-clients", "clients", "CN=example.org", EE SAN, NULL, NULL },
	{ "leaf-named", "named", "CN=example.org", EE "subjectAltName=DNS:www.example.org\n", NULL, NULL },
	{ "leaf-secret", "named", "CN=example.org", EE "subjectAltName=DNS:www.example.org,DNS:a.secret.example.org\n", NULL, NULL },
	{ "leaf-star", "named", "CN=example.org", EE "subjectAltName=DNS:*.example.org\n", NULL, NULL },
	{ "leaf-ten", "named", "CN=example.org", EE "subjectAltName=DNS:www.example.org,IP:10.1.2.3\n", NULL, NULL },
	{ "leaf-com", "named", "CN=example.org", EE "subjectAltName=DNS:example.com\n", NULL, NULL },
	{ "sha1", "root", "CN=example.org", EE SAN, NULL, "-sha1" },
	{ "weak", "root", "CN=example.org", EE SAN, "RSA -pkeyopt rsa_keygen_bits:1024", NULL },
	{ "rsa", "root", "CN=example.org", EE SAN, "RSA -pkeyopt rsa_keygen_bits:2048", NULL },
	{ "ed", "root", "CN=example.org", EE SAN, "ED25519", NULL },
	{ "x448", "root", "CN=example.org", EE SAN, "ED448", NULL },
	{ "koblitz", "root", "CN=example.org", EE SAN, "EC -pkeyopt ec_paramgen_curve:secp256k1", NULL },
	{ "usage", "root", "CN=example.org", "keyUsage=critical,keyEncipherment\n" SAN, NULL, NULL },
	{ "client", "root", "CN=alice", "extendedKeyUsage=clientAuth\nsubjectAltName=email:alice@example.org\n", NULL, NULL },
	{ "critical", "root", "CN=example.org", EE SAN "1.2.3.4=critical,DER:0500\n", NULL, NULL },
	{ "harmless", "root", "CN=example.org", EE SAN "1.2.3.4=DER:0500\n", NULL, NULL },
	{ "cn", "root", "CN=example.org", EE, NULL, NULL },
	{ "self", "self", "CN=example.org", EE SAN, NULL, NULL },
	{ "dn", "root", "CN=Dn", CA "nameConstraints=permitted;dirName:good,excluded;dirName:bad\n"
	  "[good]\nO=Good\n[bad]\n1.O=Good\n2.OU=Bad\n", NULL, NULL },
	{ "dn-in", "dn", "O=Good/CN=example.org", EE SAN, NULL, NULL },
	{ "dn-out", "dn", "O=Other/CN=example.org", EE SAN, NULL, NULL },
	{ "dn-bad", "dn", "O=Good/OU=Bad/CN=example.org", EE SAN, NULL, NULL },
	{ "mail", "root", "CN=Mail", CA "nameConstraints=permitted;email:good.example,permitted;URI:.good.example\n", NULL, NULL },
	{ "mail-in", "mail", "CN=example.org/emailAddress=a@good.example", EE SAN, NULL, NULL },
	{ "mail-out", "mail", "CN=example.org/emailAddress=a@www.good.example", EE SAN, NULL, NULL },
	{ "uri-in", "mail", "CN=u", EE "subjectAltName=DNS:example.org,URI:https://me@a.good.example:8443/x?y\n", NULL, NULL },
	{ "uri-out", "mail", "CN=u", EE "subjectAltName=DNS:example.org,URI:https://good.example/\n", NULL, NULL },
	{ "uri-bare", "mail", "CN=u", EE "subjectAltName=DNS:example.org,URI:urn:x\n", NULL, NULL },
	/* Middle, cross-signed by the other root with the same key */
	{ "cross", "other", "CN=Middle", CA, "mid", NULL },
	{ "names", "root", "CN=names", EE "subjectAltName=DNS:Example.ORG,DNS:*.example.net,DNS:*.com,DNS:f*.example.info,"
	  "DNS:a.*.example.info,DNS:xn--bcher-kva.example,DNS:*.b.example,DNS:localhost,IP:127.0.0.1,IP:::1,URI:https://u.example\n", NULL, NULL },
};

static void make(const struct make *m)
{
	const char *key = m->key ? m->key : "EC -pkeyopt ec_paramgen_curve:P-256";
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/ext", dir);
	f = fopen(path, "w");
	fputs(m->extensions, f);
	fclose(f);
	if (m->key && !strchr(m->key, ' ') && m->key[0] >= 'a')
		run("cp %s.key %s.key", m->key, m->name);
	else
		run("openssl genpkey -algorithm %s -out %s.key", key, m->name);
	run("openssl req -new -key %s.key -subj '/%s' -out csr", m->name, m->subject);
	if (!strcmp(m->name, m->issuer))
		run("openssl x509 -req -in csr -signkey %s.key -days 3650 -extfile ext -out %s.pem",
		    m->name, m->name);
	else
		run("openssl x509 -req -in csr -CA %s.pem -CAkey %s.key -CAcreateserial -days 365 %s"
		    " -extfile ext -out %s.pem", m->issuer, m->issuer,
		    m->options ? m->options : "", m->name);
}

static int make_all(void **state)
{
	size_t i;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (i = 0; i < sizeof(makes) / sizeof(makes[0]); i++)
		make(&makes[i]);
	return 0;
}

static int remove_all(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static struct x509_cert *cert(const char *name, size_t name_len)
{
	char path[128], pem[8192];
	struct x509_cert *c;
	size_t n, num;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.*s.pem", dir, (int)name_len, name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(pem, 1, sizeof(pem), f);
	fclose(f);
	assert_int_equal(x509_pem_read(pem, n, &c, 1, &num), 0);
	assert_int_equal(num, 1);
	return c;
}

/* "a b c" to certificates */
static size_t certs(const char *names, struct x509_cert **list)
{
	size_t n = 0, len;

	for (; *names; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		list[n++] = cert(names, len);
	}
	return n;
}

static int verify(const char *anchors, const char *chain, const struct x509_check *check,
		  char why[X509_WHY])
{
	struct x509_cert *list[X509_MAX_CHAIN];
	struct x509_store *store = x509_store_new();
	size_t n, i;
	int err;

	n = certs(anchors, list);
	for (i = 0; i < n; i++)
		assert_int_equal(x509_store_add(store, list[i]), 0);
	assert_int_equal(x509_store_size(store), n);
	n = certs(chain, list);
	memset(why, 'x', X509_WHY);
	err = x509_verify(store, list, n, check, why);
	assert_non_null(memchr(why, 0, X509_WHY));
	for (i = 0; i < n; i++)
		x509_cert_free(list[i]);
	x509_store_free(store);
	return err;
}

#define REFUSED(ANCHORS, CHAIN, NAME, ALERT, WHY) \
	.anchors = ANCHORS, .chain = CHAIN, .name = NAME, .alert = ALERT, .why = WHY

static const struct {
	const char *anchors, *chain, *name;
	int alert;
	const char *why;	/* a part of the sentence */
	int days;		/* from now */
	unsigned int depth;
	enum x509_purpose purpose;
} cases[] = {
	{ .anchors = "root", .chain = "leaf", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf", .name = "x.w.example.org" },
	{ .anchors = "root", .chain = "leaf", .name = "192.0.2.7" },
	{ .anchors = "root", .chain = "leaf", .name = "2001:DB8:0::7" },
	{ .anchors = "root", .chain = "leaf" },
	{ .anchors = "root", .chain = "rsa", .name = "example.org" },
	{ .anchors = "root", .chain = "ed", .name = "example.org" },
	{ .anchors = "root", .chain = "harmless", .name = "example.org" },
	{ .anchors = "other twin root", .chain = "leaf", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf-mid mid", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf-mid mid root", .name = "example.org" },
	{ .anchors = "mid", .chain = "leaf-mid", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf-low low mid", .name = "example.org" },
	/* any order, with strangers between */
	{ .anchors = "root", .chain = "leaf-low other mid named low leaf", .name = "example.org" },
	/* cross-signed: the way to the one root is tried, then the other */
	{ .anchors = "other", .chain = "leaf-mid mid cross", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf-mid cross mid", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf-named named", .name = "www.example.org" },
	{ .anchors = "root", .chain = "dn-in dn", .name = "example.org" },
	{ .anchors = "root", .chain = "mail-in mail", .name = "example.org" },
	{ .anchors = "root", .chain = "uri-in mail", .name = "example.org" },
	{ .anchors = "root", .chain = "client", .purpose = X509_CLIENT_AUTH },
	{ .anchors = "self", .chain = "self", .name = "example.org" },
	{ .anchors = "root", .chain = "leaf-low low mid", .name = "example.org", .depth = 2 },

	{ REFUSED("root", "leaf", "example.com", 42, "not for example.com but for example.org") },
	{ REFUSED("root", "leaf", "w.example.org", 42, "not for w.example.org") },
	{ REFUSED("root", "leaf", "x.y.w.example.org", 42, "not for") },
	{ REFUSED("root", "leaf", "192.0.2.8", 42, "not for 192.0.2.8") },
	{ REFUSED("root", "cn", "example.org", 42, "no subjectAltName") },
	{ REFUSED("root", "leaf", "example.org", 45, "certificate for example.org expired on"), .days = 400 },
	{ REFUSED("root", "leaf", "example.org", 45, "not valid before"), .days = -2 },
	{ REFUSED("root", "leaf-mid mid", "example.org", 45, "expired"), .days = 400 },
	{ REFUSED("other", "leaf", "example.org", 48, "has no trusted issuer: add the CA") },
	{ REFUSED("", "leaf", "example.org", 48, "has no trusted issuer") },
	{ REFUSED("twin", "leaf", "example.org", 48, "has no trusted issuer") },
	{ REFUSED("twinbare", "leaf", "example.org", 48, "another bears the same name") },
	{ REFUSED("root", "leaf-mid", "example.org", 48, "let the peer send the chain") },
	{ REFUSED("root", "self", "example.org", 48, "its own issuer") },
	{ REFUSED("root", "leaf-below below tight", "example.org", 42, "CA Tight allows 0 CAs below it and has 1") },
	{ REFUSED("root", "leaf-noca noca", "example.org", 42, "is no CA") },
	{ REFUSED("root", "leaf-nosign nosign", "example.org", 42, "lacks keyCertSign") },
	{ REFUSED("root", "leaf-clients clients", "example.org", 43, "CA Clients is not for server authentication") },
	{ REFUSED("root", "leaf-secret named", "www.example.org", 42, "name constraints") },
	{ REFUSED("root", "leaf-star named", "www.example.org", 42, "name constraints") },
	{ REFUSED("root", "leaf-ten named", "www.example.org", 42, "name constraints") },
	{ REFUSED("root", "leaf-com named", "example.com", 42, "name constraints") },
	{ REFUSED("root", "dn-out dn", "example.org", 42, "name constraints") },
	{ REFUSED("root", "dn-bad dn", "example.org", 42, "name constraints") },
	{ REFUSED("root", "mail-out mail", "example.org", 42, "name constraints") },
	{ REFUSED("root", "uri-out mail", "example.org", 42, "name constraints") },
	{ REFUSED("root", "uri-bare mail", "example.org", 42, "name constraints") },
	{ REFUSED("root", "sha1", "example.org", 43, "SHA-1") },
	{ REFUSED("root", "weak", "example.org", 43, "RSA key of 1024 bits: use at least 2048") },
	{ REFUSED("root", "x448", "example.org", 43, "kind of key that is off: name its") },
	{ REFUSED("root", "koblitz", "example.org", 43, "kind of key that is not supported") },
	{ REFUSED("root", "usage", "example.org", 43, "lacks digitalSignature") },
	{ REFUSED("root", "client", NULL, 43, "not for server authentication") },
	{ REFUSED("root", "critical", "example.org", 43, "critical extension") },
	{ REFUSED("root", "leaf", NULL, 43, "not for client authentication"), .purpose = X509_CLIENT_AUTH },
	{ REFUSED("root", "leaf-low low mid", "example.org", 48, "too deep: no anchor within 1"), .depth = 1 },
	{ REFUSED("root", "leaf-mid mid", "example.org", 48, "within 0"), .depth = X509_NO_INTERMEDIATES },
};

static void each_reason(void **state)
{
	char why[X509_WHY];
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct x509_check check = {
			.purpose = cases[i].purpose, .name = cases[i].name,
			.now = time(NULL) + cases[i].days * DAY,
			.rsa_min_bits = 2048, .max_depth = cases[i].depth,
		};

		err = verify(cases[i].anchors, cases[i].chain, &check, why);
		if (err != cases[i].alert || (err && !strstr(why, cases[i].why)))
			fail_msg("%s under %s: %d, %s", cases[i].chain, cases[i].anchors, err, why);
		if (!err)
			assert_string_equal(why, "");
	}
}

static void names(void **state)
{
	static const struct { const char *name; bool has; } list[] = {
		{ "example.org", true }, { "EXAMPLE.org", true }, { "example.org.", true },
		{ "a.example.net", true }, { "A.EXAMPLE.NET", true },
		{ "example.net", false }, { "a.b.example.net", false }, { ".example.net", false },
		{ "*.example.net", false }, { "-a.example.net", false }, { "a_b.example.net", false },
		{ "example.com", false }, { "foo.example.info", false }, { "a.b.example.info", false },
		{ "xn--bcher-kva.example", true }, { "b\303\274cher.example", false },
		{ "xn--x.b.example", true }, { "localhost", true },
		{ "127.0.0.1", true }, { "127.0.0.2", false }, { "127.1", false }, { "::1", true },
		{ "0:0:0:0:0:0:0:1", true }, { "::2", false }, { "u.example", false },
		{ "names", false }, { "", false }, { ".", false }, { "a..b.example", false },
	};
	struct x509_cert *c = cert("names", 5);
	char text[300], tiny[8];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (x509_cert_has_name(c, list[i].name) != list[i].has)
			fail_msg("%s", list[i].name);
	assert_string_equal(x509_cert_dns_name(c, 0), "Example.ORG");
	assert_string_equal(x509_cert_dns_name(c, 7), "localhost");
	assert_null(x509_cert_dns_name(c, 8));
	x509_cert_describe(c, text, sizeof(text));
	assert_non_null(strstr(text, "Example.ORG, *.example.net"));
	assert_non_null(strstr(text, "127.0.0.1, ::1, https://u.example"));
	memset(tiny, 'x', sizeof(tiny));
	x509_cert_describe(c, tiny, sizeof(tiny));
	assert_int_equal(strlen(tiny), 7);
	x509_cert_free(c);
}

static void truncated(void **state)
{
	struct x509_cert *c = cert("named", 5), *part;
	const struct x509_blob *der = x509_cert_der(c);
	uint8_t *cut;
	size_t n;

	(void)state;
	for (n = 0; n < der->len; n++) {
		cut = malloc(n + !n);
		memcpy(cut, der->data, n);
		assert_int_equal(x509_cert_parse(cut, n, &part), -EBADMSG);
		free(cut);
	}
	cut = malloc(der->len + 1);
	memcpy(cut, der->data, der->len);
	cut[der->len] = 0;		/* nothing may follow */
	assert_int_equal(x509_cert_parse(cut, der->len + 1, &part), -EBADMSG);
	free(cut);
	x509_cert_free(c);
}

/* No bit of a certificate may change and leave it valid. */
static void every_bit_counts(void **state)
{
	struct x509_check check = { .now = time(NULL), .rsa_min_bits = 2048, .name = "example.org" };
	struct x509_cert *c = cert("leaf", 4), *bad;
	struct x509_store *store = x509_store_new();
	const struct x509_blob *der = x509_cert_der(c);
	unsigned int parsed = 0;
	char why[X509_WHY];
	uint8_t *copy;
	size_t i;

	(void)state;
	assert_int_equal(x509_store_add(store, cert("root", 4)), 0);
	copy = malloc(der->len);
	memcpy(copy, der->data, der->len);
	for (i = 0; i < der->len * 8; i++) {
		copy[i / 8] ^= 1 << i % 8;
		if (!x509_cert_parse(copy, der->len, &bad)) {
			parsed++;
			assert_in_range(x509_verify(store, &bad, 1, &check, why), 42, 48);
			x509_cert_free(bad);
		}
		copy[i / 8] ^= 1 << i % 8;
	}
	assert_true(parsed > der->len);		/* the loop tried more than syntax */
	free(copy);
	x509_cert_free(c);
	x509_store_free(store);
}

/* The algorithm stands twice, inside and outside of what is signed. */
static void algorithms_must_agree(void **state)
{
	static const uint8_t ecdsa_sha256[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };
	struct x509_cert *c = cert("leaf", 4), *bad;
	uint8_t *inner;

	(void)state;
	inner = memmem(c->der.data, c->der.len, ecdsa_sha256, sizeof(ecdsa_sha256));
	assert_non_null(inner);
	inner[sizeof(ecdsa_sha256) - 1] = 3;
	assert_int_equal(x509_cert_parse(c->der.data, c->der.len, &bad), -EBADMSG);
	x509_cert_free(c);
}

static void dns_syntax(void **state)
{
	static const struct { const char *name; bool host, pattern; } list[] = {
		{ "a", true, true }, { "a.b-c.d0", true, true }, { "0a.1b", true, true },
		{ "*.a.b", false, true }, { "*.a", false, false }, { "*", false, false },
		{ "*.*.a.b", false, false }, { "a.*.b", false, false }, { "a*.b.c", false, false },
		{ "", false, false }, { ".", false, false }, { "a.", false, false },
		{ ".a", false, false }, { "a..b", false, false }, { "a-", false, false },
		{ "a-.b", false, false }, { "-a", false, false }, { "a_b", false, false },
		{ "a b", false, false }, { "1.2.3.4", false, false }, { "a.1", false, false },
		{ "1.2.3.4a", true, true }, { "*.1.2", false, false },
	};
	char label[66] = { 0 }, whole[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		assert_int_equal(x509_dns_valid(list[i].name, strlen(list[i].name), X509_DNS_HOST), list[i].host);
		assert_int_equal(x509_dns_valid(list[i].name, strlen(list[i].name), X509_DNS_PATTERN), list[i].pattern);
	}
	memset(label, 'a', 64);
	assert_false(x509_dns_valid(label, 64, X509_DNS_HOST));
	assert_true(x509_dns_valid(label, 63, X509_DNS_HOST));
	for (i = 0; i < sizeof(whole); i++)
		whole[i] = i % 2 ? '.' : 'a';
	assert_true(x509_dns_valid(whole, 253, X509_DNS_HOST));
	assert_false(x509_dns_valid(whole, 255, X509_DNS_HOST));
}

/* Four CAs of one name that certify each other: more paths than are walked. */
static void mesh_is_bounded(void **state)
{
	static const char ext[] = "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\n"
				  "authorityKeyIdentifier=none\n";
	struct x509_check check = { .rsa_min_bits = 2048 };
	struct make leaf = { "mesh-leaf", "m0", "CN=example.org", SAN "authorityKeyIdentifier=none\n", NULL, NULL };
	char name[24], issuer[16], key[16], chain[256] = "mesh-leaf", why[X509_WHY];
	struct make m = { name, issuer, "CN=Mesh", ext, NULL, NULL };
	int i, j;

	(void)state;
	for (i = 0; i < 4; i++) {
		sprintf(name, "m%d", i);
		strcpy(issuer, name);
		make(&m);
	}
	m.key = key;
	for (i = 0; i < 4; i++)
		for (j = 0; j < 4; j++) {
			if (i == j)
				continue;
			sprintf(name, "m%d%d", i, j);
			sprintf(key, "m%d", i);
			sprintf(issuer, "m%d", j);
			make(&m);
			sprintf(chain + strlen(chain), " %s", name);
		}
	make(&leaf);
	check.now = time(NULL);
	assert_int_equal(verify("root", chain, &check, why), 42);
	assert_non_null(strstr(why, "more signature checks"));
	assert_int_equal(verify("m3", chain, &check, why), 0);
}

/* A signature that fails under the very key the certificate names: damage. */
static void damage_is_named(void **state)
{
	struct x509_check check = { .now = time(NULL), .rsa_min_bits = 2048 };
	struct x509_cert *c = cert("leaf", 4), *bad;
	struct x509_store *store = x509_store_new();
	char why[X509_WHY];

	(void)state;
	assert_int_equal(x509_store_add(store, cert("root", 4)), 0);
	((uint8_t *)c->der.data)[c->der.len - 1] ^= 1;
	assert_int_equal(x509_cert_parse(c->der.data, c->der.len, &bad), 0);
	assert_int_equal(x509_verify(store, &bad, 1, &check, why), 42);
	assert_non_null(strstr(why, "damaged"));
	x509_cert_free(bad);
	x509_cert_free(c);
	x509_store_free(store);
}

static void anchors_from_a_file(void **state)
{
	struct x509_store *store = x509_store_new();
	char path[128];
	size_t n = 9;

	(void)state;
	run("cat root.key root.pem other.pem > two.pem; printf '%%s' '-----BEGIN CERTIFICATE-----' > bad.pem");
	snprintf(path, sizeof(path), "%s/two.pem", dir);
	assert_int_equal(x509_store_add_file(store, path, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(x509_store_size(store), 2);
	snprintf(path, sizeof(path), "%s/bad.pem", dir);
	assert_int_equal(x509_store_add_file(store, path, &n), -EBADMSG);
	snprintf(path, sizeof(path), "%s/missing.pem", dir);
	assert_int_equal(x509_store_add_file(store, path, &n), -ENOENT);
	assert_int_equal(x509_store_add_file(store, dir, &n), -EISDIR);
	assert_int_equal(n, 2);
	x509_store_free(store);
}

static void bundle_of_the_system(void **state)
{
	struct x509_store *store;
	struct timespec a, b;
	char line[256];
	size_t want = 0, n;
	FILE *f;

	(void)state;
	f = fopen(BUNDLE, "r");
	if (!f) {
		print_message("# skipped: there is no " BUNDLE "\n");
		skip();
	}
	while (fgets(line, sizeof(line), f))
		want += !strncmp(line, "-----BEGIN CERTIFICATE", 22);
	fclose(f);
	store = x509_store_new();
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(x509_store_add_file(store, BUNDLE, &n), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(n, want);
	print_message("# %zu anchors in %ld us (with sanitizers)\n", n,
		      (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
	x509_store_free(store);
}

static void limits(void **state)
{
	struct x509_cert *list[X509_MAX_CHAIN + 1] = { NULL }, *c;
	struct x509_check check = { .now = time(NULL) };
	struct x509_store *store = x509_store_new();
	uint8_t *big = calloc(1, X509_MAX_CERT + 1);
	char why[X509_WHY];

	(void)state;
	assert_int_equal(x509_verify(store, list, 0, &check, why), -EINVAL);
	assert_int_equal(x509_verify(store, list, X509_MAX_CHAIN + 1, &check, why), -EINVAL);
	assert_int_equal(x509_cert_parse(big, X509_MAX_CERT + 1, &c), -EBADMSG);
	free(big);
	x509_store_free(store);
}

/* Each allocation fails once: -ENOMEM, nothing leaks, nothing half-made stays. */
static void out_of_memory(void **state)
{
	struct x509_cert *leaf = cert("leaf", 4), *copy = NULL;
	struct x509_store *store = x509_store_new();
	unsigned int n, failures = 0;
	char path[128];
	size_t num = 0;
	int err = -1;

	(void)state;
	no_memory_spares_numbers();
	for (n = 1; err; n++) {
		no_memory_in = n;
		err = x509_cert_parse(leaf->der.data, leaf->der.len, &copy);
		no_memory_in = 0;
		if (err)
			assert_int_equal(err, -ENOMEM);
		failures += err != 0;
	}
	x509_cert_free(copy);
	assert_in_range(failures, 5, 20);
	snprintf(path, sizeof(path), "%s/root.pem", dir);
	for (err = -1, failures = 0, n = 1; err; n++) {
		assert_int_equal(x509_store_size(store), 0);
		no_memory_in = n;
		err = x509_store_add_file(store, path, &num);
		no_memory_in = 0;
		if (err)
			assert_int_equal(err, -ENOMEM);
		failures += err != 0;
	}
	assert_int_equal(num, 1);
	assert_in_range(failures, 5, 20);
	x509_store_free(store);
	x509_cert_free(leaf);
}

/* RFC 5280 7.1: case and white space of strings don't tell names apart. */
static void canonical_names(void **state)
{
#define RDN(tag, text) "\x31\x0f\x30\x0d\x06\x03\x55\x04\x03" tag "\x06" text
	static const char a[] = RDN("\x13", "Ab c  "), b[] = RDN("\x0c", " aB  C");
	static const char c[] = RDN("\x13", "Abc   "), d[] = RDN("\x0c", "ab c  ") RDN("\x0c", "more..");
	uint8_t buf[4][64];
	struct x509_blob n[4];

	(void)state;
	assert_true(x509_dn_canonical(der_of(a, sizeof(a) - 1), buf[0], &n[0]));
	assert_true(x509_dn_canonical(der_of(b, sizeof(b) - 1), buf[1], &n[1]));
	assert_true(x509_dn_canonical(der_of(c, sizeof(c) - 1), buf[2], &n[2]));
	assert_true(x509_dn_canonical(der_of(d, sizeof(d) - 1), buf[3], &n[3]));
	assert_true(x509_blob_equal(&n[0], &n[1]));
	assert_false(x509_blob_equal(&n[0], &n[2]));
	assert_true(x509_dn_below(&n[3], &n[0]));
	assert_false(x509_dn_below(&n[0], &n[3]));
	assert_false(x509_dn_below(&n[3], &n[2]));
	assert_false(x509_dn_canonical(der_of("\x31\x00", 2), buf[0], &n[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason),
		cmocka_unit_test(names),
		cmocka_unit_test(truncated),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(algorithms_must_agree),
		cmocka_unit_test(dns_syntax),
		cmocka_unit_test(mesh_is_bounded),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(anchors_from_a_file),
		cmocka_unit_test(bundle_of_the_system),
		cmocka_unit_test(limits),
		cmocka_unit_test(canonical_names),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
