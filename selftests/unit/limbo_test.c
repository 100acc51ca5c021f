/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path validation against x509-limbo: every case, as server or as client. The
 * cases that we see differently stand in a table here with the reason; one
 * that agrees although it stands there fails the test, so the table stays true.
 */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "x509/x509.h"

#define VECTORS "selftests/vectors/x509-limbo/limbo.json"
#define HELPERS (X509_MAX_CHAIN - 1)

#define NO_CN	"only a strict store reads the common name (RFC 9525 6.3: it is no name of a server)"
#define ISSUER	"a duty of the issuing CA, about which path validation (RFC 5280 6.1) does not ask; a strict store does"
#define WEBPKI	"a rule of the public web's CAs, not of RFC 5280; private CAs do otherwise, a strict store refuses it"
#define SIGNING	"RFC 9846 4.4.2.2 wants digitalSignature where there is a key usage"
#define CN_RULE	"limbo wants the common name to be in the SAN elsewhere (webpki::cn), here not"
#define WEB_CA	"limbo asks here for RFC 5280 alone; in webpki:: it wants the same thing refused"
#define SUFFIX	"needs the public suffix list; \"*\" above one label is refused anyway"

enum when { PLAIN = 1, STRICT = 2, BOTH = 3 };

static const struct { const char *id, *reason; enum when when; } known[] = {
	{ "pathlen::validation-ignores-pathlen-in-leaf", SIGNING, BOTH },
	{ "rfc5280::ca-as-leaf", SIGNING, BOTH },
	{ "rfc5280::aki::leaf-missing-aki", ISSUER, PLAIN },
	{ "rfc5280::aki::intermediate-missing-aki", ISSUER, PLAIN },
	{ "rfc5280::aki::cross-signed-root-missing-aki", ISSUER, PLAIN },
	{ "rfc5280::ski::root-missing-ski", ISSUER, PLAIN },
	{ "rfc5280::ski::intermediate-missing-ski", ISSUER, PLAIN },
	{ "rfc5280::root-non-critical-basic-constraints", ISSUER, PLAIN },
	{ "rfc5280::nc::permitted-dns-match-noncritical", "a constraint is enforced, critical or not; webpki::nc has the opposite case", BOTH },
	{ "webpki::aki::root-with-aki-missing-keyidentifier", WEBPKI, PLAIN },
	{ "webpki::aki::root-with-aki-authoritycertissuer", WEBPKI, PLAIN },
	{ "webpki::aki::root-with-aki-authoritycertserialnumber", WEBPKI, PLAIN },
	{ "webpki::aki::root-with-aki-all-fields", WEBPKI, PLAIN },
	{ "webpki::aki::root-with-aki-ski-mismatch", WEBPKI, PLAIN },
	{ "webpki::cn::ipv4-hex-mismatch", NO_CN, PLAIN },
	{ "webpki::cn::ipv4-leading-zeros-mismatch", NO_CN, PLAIN },
	{ "webpki::cn::ipv6-uppercase-mismatch", NO_CN, PLAIN },
	{ "webpki::cn::ipv6-uncompressed-mismatch", NO_CN, PLAIN },
	{ "webpki::cn::ipv6-non-rfc5952-mismatch", NO_CN, PLAIN },
	{ "webpki::cn::punycode-not-in-san", NO_CN, PLAIN },
	{ "webpki::cn::utf8-vs-punycode-mismatch", NO_CN, PLAIN },
	{ "webpki::cn::not-in-san", NO_CN, PLAIN },
	{ "webpki::cn::case-mismatch", NO_CN, PLAIN },
	{ "webpki::eku::ee-anyeku", WEBPKI, PLAIN },
	{ "webpki::eku::ee-critical-eku", WEBPKI, PLAIN },
	{ "webpki::eku::ee-without-eku", WEBPKI, PLAIN },
	{ "webpki::eku::root-has-eku", WEBPKI, PLAIN },
	{ "webpki::san::public-suffix-multi-label-wildcard-san", SUFFIX, PLAIN },
	{ "webpki::san::public-suffix-private-namespace-wildcard-san", SUFFIX, PLAIN },
	{ "webpki::san::san-critical-with-nonempty-subject", WEBPKI, PLAIN },
	{ "webpki::forbidden-rsa-not-divisible-by-8-in-root", WEBPKI, PLAIN },
	{ "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", WEBPKI, PLAIN },
	{ "webpki::ee-basicconstraints-ca", "a CA may serve TLS; rfc5280::ca-as-leaf has the opposite case", PLAIN },
	{ "cve::cve-2024-0567", WEB_CA, STRICT },
	{ "rfc5280::eku::ee-without-eku", WEB_CA, STRICT },
	{ "rfc5280::nc::permitted-dns-match-more", CN_RULE, STRICT },
	{ "rfc5280::nc::permitted-ipv4-match", CN_RULE, STRICT },
	{ "rfc5280::nc::permitted-ipv6-match", CN_RULE, STRICT },
	{ "rfc5280::nc::permitted-dn-match", CN_RULE, STRICT },
	{ "webpki::nc::nc-permits-dns-san-pattern", CN_RULE, STRICT },
	{ "webpki::san::exact-localhost-ip-san", CN_RULE, STRICT },
	{ "webpki::san::leftmost-wildcard-san", CN_RULE, STRICT },
};

static const char *text(json_t *t, const char *key)
{
	const char *s = json_string_value(json_object_get(t, key));

	return s ? s : "";
}

static size_t read_certs(json_t *pems, struct x509_cert **certs, size_t max, bool *broken)
{
	size_t i, n = 0, one;
	json_t *pem;

	json_array_foreach(pems, i, pem) {
		const char *s = json_string_value(pem);

		/* A helper that can't be read is as good as one not sent. */
		if (n < max && !x509_pem_read(s, strlen(s), certs + n, 1, &one) && one)
			n++;
		else
			*broken = true;
	}
	return n;
}

static struct x509_check check_of(json_t *t)
{
	json_t *name = json_object_get(t, "expected_peer_name");
	json_t *depth = json_object_get(t, "max_chain_depth");
	struct x509_check c = { .rsa_min_bits = 2048, .now = time(NULL) };
	struct tm tm = { 0 };

	c.purpose = strcmp(text(t, "validation_kind"), "SERVER") ?
		    X509_CLIENT_AUTH : X509_SERVER_AUTH;
	if (json_is_object(name))
		c.name = text(name, "value");
	if (json_is_integer(depth))
		c.max_depth = json_integer_value(depth) ? json_integer_value(depth) :
							  X509_NO_INTERMEDIATES;
	if (*text(t, "validation_time")) {
		assert_non_null(strptime(text(t, "validation_time"), "%Y-%m-%dT%H:%M:%S", &tm));
		c.now = timegm(&tm);
	}
	return c;
}

static void add_crls(struct x509_store *store, json_t *crls)
{
	const char *pem;
	json_t *crl;
	size_t i, n;

	json_array_foreach(crls, i, crl) {
		pem = json_string_value(crl);
		assert_int_equal(x509_store_add_crls(store, (const uint8_t *)pem, strlen(pem), &n), 0);
		assert_int_equal(n, 1);
	}
}

/* 0 accepted; else why not. */
static int run(json_t *t, bool strict, char why[X509_WHY])
{
	struct x509_cert *chain[X509_MAX_CHAIN], *anchors[64];
	struct x509_store *store = x509_store_new();
	struct x509_check check = check_of(t);
	const char *leaf = text(t, "peer_certificate");
	size_t n, i, one;
	bool broken = false;
	int err;

	n = read_certs(json_object_get(t, "trusted_certs"), anchors, 64, &broken);
	for (i = 0; i < n; i++)
		assert_int_equal(x509_store_add(store, anchors[i]), 0);
	if (strict)
		x509_store_be_strict(store);
	add_crls(store, json_object_get(t, "crls"));
	strcpy(why, "the certificate can't be read");
	err = x509_pem_read(leaf, strlen(leaf), chain, 1, &one);
	if (!err) {
		n = 1 + read_certs(json_object_get(t, "untrusted_intermediates"),
				   chain + 1, HELPERS, &broken);
		err = x509_verify(store, chain, n, &check, why);
		while (n)
			x509_cert_free(chain[--n]);
	}
	x509_store_free(store);
	return err;
}

enum verdict { AGREED, DECIDED, WRONG, VERDICTS };

static enum verdict judge(const char *id, bool agrees, bool strict)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].id, id) && known[i].when & (strict ? STRICT : PLAIN))
			return agrees ? WRONG : DECIDED;
	return agrees ? AGREED : WRONG;
}

/* The path validation of every store, or of one that holds public CAs to their rules. */
static void all_cases(bool strict)
{
	const char *other = getenv("LIMBO_FILE");
	json_t *root = json_load_file(other ? other : VECTORS, 0, NULL), *cases, *t;
	unsigned int count[VERDICTS] = { 0 };
	char why[X509_WHY] = "";
	enum verdict v;
	size_t i;
	int err;

	assert_non_null(root);
	cases = json_object_get(root, "testcases");
	json_array_foreach(cases, i, t) {
		err = run(t, strict, why);
		assert_true(err >= 0 || err == -EBADMSG);
		v = judge(text(t, "id"), !err == !strcmp(text(t, "expected_result"), "SUCCESS"), strict);
		count[v]++;
		/* A case without a tag is not a matter of opinion. */
		if (strict && !err && !json_array_size(json_object_get(t, "features")))
			assert_string_equal(text(t, "expected_result"), "SUCCESS");
		if (v == WRONG)
			print_error("%s: wanted %s, got %d %s\n", text(t, "id"),
				    text(t, "expected_result"), err, err ? why : "");
	}
	print_message("# x509-limbo, %s store: %u as expected of %zu, %u differ by decision\n",
		      strict ? "strict" : "plain", count[AGREED], json_array_size(cases), count[DECIDED]);
	json_decref(root);
	if (other)
		return;		/* whoever brings other cases wants to be told, no more */
	assert_int_equal(i, 208);
	assert_int_equal(count[WRONG], 0);
}

static void plain_store(void **state)
{
	(void)state;
	all_cases(false);
}

static void strict_store(void **state)
{
	(void)state;
	all_cases(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_store),
		cmocka_unit_test(strict_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
