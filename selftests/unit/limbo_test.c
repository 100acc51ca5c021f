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
#include <string.h>
#include <time.h>
#include "x509/x509.h"

#define VECTORS "selftests/vectors/x509-limbo/limbo.json"
#define HELPERS (X509_MAX_CHAIN - 1)

#define NO_CN	"the common name is not read at all (RFC 9525 6.3), so it can't contradict the SAN"
#define ISSUER	"a duty of the issuing CA that path validation (RFC 5280 6.1) does not ask about"
#define WEBPKI	"a rule of the public web's CAs, not of RFC 5280; private CAs do otherwise"
#define SIGNING	"RFC 9846 4.4.2.2 wants digitalSignature where there is a key usage"
#define SUFFIX	"needs the public suffix list; \"*\" above one label is refused anyway"

static const struct { const char *id, *reason; } known[] = {
	{ "pathlen::validation-ignores-pathlen-in-leaf", SIGNING },
	{ "rfc5280::ca-as-leaf", SIGNING },
	{ "rfc5280::aki::leaf-missing-aki", ISSUER },
	{ "rfc5280::aki::intermediate-missing-aki", ISSUER },
	{ "rfc5280::aki::cross-signed-root-missing-aki", ISSUER },
	{ "rfc5280::ski::root-missing-ski", ISSUER },
	{ "rfc5280::ski::intermediate-missing-ski", ISSUER },
	{ "rfc5280::san::noncritical-with-empty-subject", ISSUER },
	{ "rfc5280::root-non-critical-basic-constraints", ISSUER },
	{ "rfc5280::nc::permitted-dns-match-noncritical", "a constraint is enforced, critical or not; webpki::nc has the opposite case" },
	{ "webpki::aki::root-with-aki-missing-keyidentifier", WEBPKI },
	{ "webpki::aki::root-with-aki-authoritycertissuer", WEBPKI },
	{ "webpki::aki::root-with-aki-authoritycertserialnumber", WEBPKI },
	{ "webpki::aki::root-with-aki-all-fields", WEBPKI },
	{ "webpki::aki::root-with-aki-ski-mismatch", WEBPKI },
	{ "webpki::cn::ipv4-hex-mismatch", NO_CN },
	{ "webpki::cn::ipv4-leading-zeros-mismatch", NO_CN },
	{ "webpki::cn::ipv6-uppercase-mismatch", NO_CN },
	{ "webpki::cn::ipv6-uncompressed-mismatch", NO_CN },
	{ "webpki::cn::ipv6-non-rfc5952-mismatch", NO_CN },
	{ "webpki::cn::punycode-not-in-san", NO_CN },
	{ "webpki::cn::utf8-vs-punycode-mismatch", NO_CN },
	{ "webpki::cn::not-in-san", NO_CN },
	{ "webpki::cn::case-mismatch", NO_CN },
	{ "webpki::eku::ee-anyeku", WEBPKI },
	{ "webpki::eku::ee-critical-eku", WEBPKI },
	{ "webpki::eku::ee-without-eku", WEBPKI },
	{ "webpki::eku::root-has-eku", WEBPKI },
	{ "webpki::san::public-suffix-multi-label-wildcard-san", SUFFIX },
	{ "webpki::san::public-suffix-private-namespace-wildcard-san", SUFFIX },
	{ "webpki::san::san-critical-with-nonempty-subject", WEBPKI },
	{ "webpki::forbidden-rsa-not-divisible-by-8-in-root", WEBPKI },
	{ "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", WEBPKI },
	{ "webpki::ee-basicconstraints-ca", "a CA may serve TLS; rfc5280::ca-as-leaf has the opposite case" },
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
static int run(json_t *t, char why[X509_WHY])
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

static enum verdict judge(const char *id, bool agrees)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].id, id))
			break;
	if (i == sizeof(known) / sizeof(known[0]))
		return agrees ? AGREED : WRONG;
	return agrees ? WRONG : DECIDED;
}

static void all_cases(void **state)
{
	json_t *root = json_load_file(VECTORS, 0, NULL), *cases, *t;
	unsigned int count[VERDICTS] = { 0 };
	char why[X509_WHY] = "";
	enum verdict v;
	size_t i;
	int err;

	(void)state;
	assert_non_null(root);
	cases = json_object_get(root, "testcases");
	json_array_foreach(cases, i, t) {
		err = run(t, why);
		assert_true(err >= 0 || err == -EBADMSG);
		v = judge(text(t, "id"), !err == !strcmp(text(t, "expected_result"), "SUCCESS"));
		count[v]++;
		if (v == WRONG)
			print_error("%s: wanted %s, got %d %s\n", text(t, "id"),
				    text(t, "expected_result"), err, err ? why : "");
	}
	print_message("# x509-limbo: %u of %zu agree, %u differ by decision\n",
		      count[AGREED], json_array_size(cases), count[DECIDED]);
	json_decref(root);
	assert_int_equal(i, 208);
	assert_int_equal(count[WRONG], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
