/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revocation lists that openssl(1) makes: what they revoke, and each reason
 * why one can't be relied on, in which case nothing of its CA is accepted.
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
#include "crypto/der.h"
#include "x509/x509.h"

static char dir[] = "/tmp/ktls-crl-XXXXXX";

__attribute__((format(printf, 1, 2)))
static void run(const char *format, ...)
{
	char command[2048];
	va_list ap;
	int n;

	n = snprintf(command, sizeof(command), "cd %s && { ", dir);
	va_start(ap, format);
	n += vsnprintf(command + n, sizeof(command) - (size_t)n, format, ap);
	va_end(ap);
	snprintf(command + n, sizeof(command) - (size_t)n, "; } >log 2>&1 || { cat log; exit 1; }");
	if (system(command))
		exit(1);
}

#define CA "basicConstraints=critical,CA:TRUE\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\nkeyUsage=critical,keyCertSign"
#define LEAF "subjectAltName=DNS:example.org\\nauthorityKeyIdentifier=keyid"

static void certificate(const char *name, const char *issuer, const char *subject, const char *extensions)
{
	run("printf '%s\\n' > ext; [ -f %s.key ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s.key;"
	    "openssl req -new -key %s.key -subj '/CN=%s' -out csr", extensions, name, name, name, subject);
	if (!strcmp(name, issuer))
		run("openssl x509 -req -in csr -signkey %s.key -days 3650 -extfile ext -out %s.pem", name, name);
	else
		run("openssl x509 -req -in csr -CA %s.pem -CAkey %s.key -set_serial 0x$(openssl rand -hex 8) -days 365"
		    " -extfile ext -out %s.pem", issuer, issuer, name);
}

/* @name.crl by @ca, which revokes @revoked (may be ""), with a line of extensions and options of openssl-ca. */
static void list(const char *name, const char *ca, const char *revoked, const char *extension, const char *options)
{
	run("rm -f index.txt*; : > index.txt; echo 01 > number; printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index.txt\\n"
	    "default_md=sha256\\ndefault_crl_days=30\\n%s\\n[e]\\nauthorityKeyIdentifier=keyid\\n%s\\n' > conf",
	    strcmp(name, "unnumbered") ? "crlnumber=number\\ncrl_extensions=e" : "", extension);
	if (*revoked)
		run("openssl ca -config conf -cert %s.pem -keyfile %s.key -revoke %s.pem -crl_reason keyCompromise",
		    ca, ca, revoked);
	run("openssl ca -config conf -cert %s.pem -keyfile %s.key -gencrl %s -out %s.crl", ca, ca, options, name);
}

static int make_all(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	certificate("root", "root", "Root", CA ",cRLSign");
	certificate("twin", "twin", "Root", CA ",cRLSign");	/* another CA of the same name */
	certificate("bare", "bare", "Root", "basicConstraints=critical,CA:TRUE\\nsubjectKeyIdentifier=none\\nauthorityKeyIdentifier=none");
	certificate("mute", "mute", "Mute", CA);		/* may not sign lists */
	certificate("mid", "root", "Middle", CA ",cRLSign");
	certificate("good", "root", "good", LEAF);
	certificate("bad", "root", "bad", LEAF);
	certificate("under", "mid", "under", LEAF);
	certificate("quiet", "mute", "quiet", LEAF);
	list("empty", "root", "", "", "");
	list("bad", "root", "bad", "", "");
	list("mid", "root", "mid", "", "");
	list("under", "mid", "under", "", "");
	list("old", "root", "", "", "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z");
	list("future", "root", "", "", "-crl_lastupdate 20900101000000Z -crl_nextupdate 20910101000000Z");
	list("twin", "twin", "good", "", "");
	run("sed -i 's/authorityKeyIdentifier=keyid/nsComment=x/; s/^nsComment.*//' conf; openssl ca -config conf -cert bare.pem"
	    " -keyfile bare.key -gencrl -out bare.crl");
	list("mute", "mute", "", "", "");
	list("part", "root", "", "issuingDistributionPoint=critical,@p\\n[p]\\nonlyuser=TRUE", "");
	list("strange", "root", "", "1.2.3.4=critical,DER:0500", "");
	list("unnumbered", "root", "", "", "");
	run("openssl crl -in bad.crl -outform DER -out der.crl; cat empty.crl under.crl > both.crl");
	return 0;
}

static int remove_all(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static uint8_t *slurp(const char *name, const char *suffix, size_t *len)
{
	uint8_t *buf = malloc(16384);
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	f = fopen(path, "re");
	assert_non_null(f);
	*len = fread(buf, 1, 16384, f);
	fclose(f);
	return buf;
}

static struct x509_cert *cert(const char *name)
{
	struct x509_cert *c;
	size_t len, num;
	uint8_t *pem = slurp(name, ".pem", &len);

	assert_int_equal(x509_pem_read((char *)pem, len, &c, 1, &num), 0);
	free(pem);
	return c;
}

struct one {
	const char *anchor, *chain[3], *lists;
	bool required;
	int alert;
	const char *why;
};

static struct x509_store *store_for(const struct one *o)
{
	struct x509_store *store = x509_store_new();
	size_t len, num;
	uint8_t *data;

	assert_int_equal(x509_store_add(store, cert(o->anchor)), 0);
	if (o->lists) {
		data = slurp(o->lists, ".crl", &len);
		assert_int_equal(x509_store_add_crls(store, data, len, &num), 0);
		assert_int_equal(num, 1 + !strcmp(o->lists, "both"));
		free(data);
	}
	if (o->required)
		x509_store_require_crls(store);
	return store;
}

static int verify(const struct x509_store *store, const char *const *names, char why[X509_WHY])
{
	struct x509_check check = {
		.purpose = X509_SERVER_AUTH, .name = "example.org", .now = time(NULL), .rsa_min_bits = 2048,
	};
	struct x509_cert *chain[3];
	size_t n = 0;
	int err;

	while (n < 3 && names[n]) {
		chain[n] = cert(names[n]);
		n++;
	}
	err = x509_verify(store, chain, n, &check, why);
	while (n)
		x509_cert_free(chain[--n]);
	return err;
}

/* ---- how many signatures it takes */

static int checks;
int __real_x509_signature_check(struct der alg, struct der tbs, struct der signature, const struct crypto_pubkey *key);
int __wrap_x509_signature_check(struct der alg, struct der tbs, struct der signature, const struct crypto_pubkey *key);
int __wrap_x509_signature_check(struct der alg, struct der tbs, struct der signature, const struct crypto_pubkey *key)
{
	checks++;
	return __real_x509_signature_check(alg, tbs, signature, key);
}

/* A list's is looked at once for its issuer, and nobody else's key gains by it. */
static void a_list_is_verified_once(void **state)
{
	struct one o = { .anchor = "root", .lists = "bad" };
	static const char *const good[] = { "good", NULL, NULL }, *const bad[] = { "bad", NULL, NULL };
	struct x509_store *store = store_for(&o);
	char why[X509_WHY];

	(void)state;
	checks = 0;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(verify(store, good, why), 0);
		assert_int_equal(verify(store, bad, why), 44);
	}
	assert_int_equal(checks, 10 + 1);
	x509_store_free(store);

	/* signed by a CA of the same name and another key: each time anew, and never taken */
	o.lists = "bare";
	store = store_for(&o);
	checks = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(verify(store, good, why), 46);
		assert_non_null(strstr(why, "not signed by the CA"));
	}
	assert_int_equal(checks, 2 * 3);
	x509_store_free(store);
}

static const struct one cases[] = {
	{ "root", { "good" }, NULL, false, 0, "" },
	{ "root", { "good" }, "empty", false, 0, "" },
	{ "root", { "good" }, "bad", true, 0, "" },
	{ "root", { "bad" }, "bad", false, 44, "certificate for example.org was revoked by its CA" },
	{ "root", { "bad" }, "der", false, 44, "was revoked" },
	{ "root", { "bad" }, "empty", false, 0, "" },
	{ "root", { "under", "mid" }, "mid", false, 44, "certificate of CA Middle was revoked" },
	{ "root", { "under", "mid" }, "under", false, 44, "certificate for example.org was revoked" },
	{ "root", { "under", "mid" }, "empty", false, 0, "" },
	{ "root", { "under", "mid" }, "empty", true, 46, "there is no revocation list of its CA" },
	{ "root", { "under", "mid" }, "both", true, 44, "was revoked" },
	{ "root", { "good" }, NULL, true, 46, "there is no revocation list of its CA" },
	{ "root", { "good" }, "old", false, 46, "out of date" },
	{ "root", { "good" }, "future", false, 46, "not valid yet" },
	{ "root", { "good" }, "twin", false, 0, "" },
	{ "root", { "good" }, "twin", true, 46, "there is no revocation list" },
	{ "root", { "good" }, "bare", false, 46, "not signed by the CA" },
	{ "mute", { "quiet" }, "mute", false, 46, "may not sign such lists" },
	{ "root", { "good" }, "part", false, 46, "covers a part only" },
	{ "root", { "good" }, "strange", false, 46, "critical extension" },
	{ "root", { "good" }, "unnumbered", false, 46, "has no number" },
};

static void each_case(void **state)
{
	char why[X509_WHY];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct x509_store *store = store_for(&cases[i]);
		int err = verify(store, cases[i].chain, why);

		if (err != cases[i].alert || !strstr(why, cases[i].why))
			fail_msg("%s with %s: %d, %s", cases[i].chain[0], cases[i].lists, err, why);
		x509_store_free(store);
	}
}

/* A prefix is refused, and no bit that is changed lets a revoked certificate pass. */
static void damaged(void **state)
{
	static const char *const chain[] = { "bad", NULL, NULL };
	struct x509_store *store;
	char why[X509_WHY];
	size_t len, num = 0;
	uint8_t *crl = slurp("der", ".crl", &len), *cut;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		store = store_for(&(struct one){ .anchor = "root", .required = true });
		cut = malloc(i + 1);
		memcpy(cut, crl, i);
		assert_int_equal(x509_store_add_crls(store, cut, i, &num), -EBADMSG);
		free(cut);
		crl[i] ^= 1 << i % 8;
		if (!x509_store_add_crls(store, crl, len, &num))
			assert_int_not_equal(verify(store, chain, why), 0);
		crl[i] ^= 1 << i % 8;
		x509_store_free(store);
	}
	free(crl);
}

static void other_blocks_are_skipped(void **state)
{
	struct x509_store *store = x509_store_new();
	size_t len, num = 7;
	uint8_t *pem = slurp("root", ".pem", &len);

	(void)state;
	assert_int_equal(x509_store_add_crls(store, pem, len, &num), 0);
	assert_int_equal(num, 0);
	free(pem);
	x509_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(a_list_is_verified_once),
		cmocka_unit_test(damaged),
		cmocka_unit_test(other_blocks_are_skipped),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
