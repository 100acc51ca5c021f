/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities that are loaded when a client asks: the keeper's stock and a worker's cache, without a socket between them. */
#include <time.h>
#include "agent_test.h"
#include "log.h"
#include "message.h"
#include "sign.h"

#define MAX	64		/* the least that the configuration allows */

static struct config *config;
static struct cache *cache;
static uint64_t seen;

static void put(const char *name, const char *from)
{
	char command[20000];

	snprintf(command, sizeof(command), "cd '%s' && mkdir -p sites/%s && cp %s.pem sites/%s/new && cp %s.key sites/%s/key.pem && mv sites/%s/new sites/%s/cert.pem",
		 folder, name, from, name, from, name, name, name);
	assert_int_equal(system(command), 0);
}

static struct msg_identity ask(uint32_t catalog, const char *name)
{
	struct msg_identity_get m = { .type = MSG_IDENTITY_GET, .id = 5, .catalog = catalog };
	struct msg_identity got;

	snprintf(m.name, sizeof(m.name), "%s", name);
	stock_look(config->stock);
	stock_get(config->stock, &m, &got);
	assert_int_equal(got.type, MSG_IDENTITY);
	assert_int_equal(got.id, 5);
	return got;
}

/* As a worker does: from the cache, else from the keeper. NULL: there is none. */
static const struct site *want(const char *name)
{
	struct msg_identity m;
	struct msg_gone gone;
	struct cached *one;

	stock_look(config->stock);
	while (stock_gone(config->stock, &seen, &gone))
		cache_forget(cache, &gone);
	one = cache_find(cache, 0, name);
	if (!one) {
		m = ask(0, name);
		one = cache_add(cache, config, &m);
	}
	cache_put(one);		/* the cache still has it */
	return one ? cache_site(one) : NULL;
}

static const char *first_name(const char *asked)
{
	const struct site *site = want(asked);

	return site ? x509_cert_dns_name(site->id.chain[0], 0) : "";
}

static void names(void **unused)
{
	static const char *const good[] = { "a", "A.b-c.D_e", "x.test.", "_.test" };
	static const char *const bad[] = { "", ".", "..", "a..b", ".a", "a/b", "../a", "a b", "a\n", "\xc3\xa4", "*", "*.a" };
	char to[CATALOG_NAME], longest[300];
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(catalog_name(good[i], to));
	assert_true(catalog_name("WWW.Test.", to));
	assert_string_equal(to, "www.test");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (catalog_name(bad[i], to))
			fail_msg("\"%s\" is taken", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[254] = '\0';
	assert_false(catalog_name(longest, to));
	longest[253] = '\0';
	assert_true(catalog_name(longest, to));
}

static void titles(void **unused)
{
	const struct catalog c = { .name = (char *)"sites" };
	char a[64], b[64], name[200];

	(void)unused;
	catalog_title(&c, "www.test", a);
	assert_string_equal(a, "sites/www.test");
	memset(name, 'x', sizeof(name));
	name[199] = '\0';
	catalog_title(&c, name, a);
	name[198] = 'y';
	catalog_title(&c, name, b);
	assert_string_not_equal(a, b);
	assert_memory_equal(a, "sites/xxx", 9);
}

static void answers(void **unused)
{
	struct msg_identity m = ask(0, "one.test");
	struct msg_identity_get endless = { .type = MSG_IDENTITY_GET };

	(void)unused;
	assert_true(m.key & CATALOG_KEY);
	assert_string_equal(m.title, "sites/one.test");
	assert_true(m.len > 200);
	assert_int_equal(ask(0, "one.test").key, m.key);
	assert_int_equal(ask(0, "ONE.test.").key, m.key);
	assert_int_equal(ask(0, "none.test").key, 0);
	assert_int_equal(ask(0, "../sites/one.test").key, 0);
	assert_int_equal(ask(1, "one.test").key, 0);	/* no such catalog */
	assert_int_equal(ask(UINT32_MAX, "one.test").key, 0);
	memset(endless.name, 'a', sizeof(endless.name));
	stock_get(config->stock, &endless, &m);
	assert_int_equal(m.key, 0);
	stock_get(NULL, &endless, &m);			/* a configuration without catalogs */
	assert_int_equal(m.key, 0);
}

static void signs(void **unused)
{
	struct msg_sign m = { .type = MSG_SIGN, .scheme = 0x0403 };
	const struct site *site = want("one.test");
	struct msg_signed out;

	(void)unused;
	memset(m.tbs, 0x20, 64);
	strcpy((char *)m.tbs + 64, "TLS 1.3, server CertificateVerify");
	m.len = 64 + 34 + 32;
	m.key = site->id.key;
	sign_request(config, &m, m.tbs, sizeof(m.tbs), &out);
	assert_int_equal(out.err, 0);
	m.key = CATALOG_KEY | 0x7fffffff;
	sign_request(config, &m, m.tbs, sizeof(m.tbs), &out);
	assert_int_equal(out.err, -ENOKEY);
}

static void wildcards(void **unused)
{
	(void)unused;
	assert_string_equal(first_name("a.wild.test"), "*.wild.test");
	assert_string_equal(first_name("b.wild.test"), "*.wild.test");
	assert_string_equal(first_name("a.parent.test"), "*.parent.test");
	assert_null(want("a.b.wild.test"));
	assert_null(want("wild.test"));
	assert_null(want("x.one.test"));	/* one.test is there, but not for this */
	put("a.wild.test", "exact");
	assert_string_equal(first_name("a.wild.test"), "a.wild.test");
	assert_string_equal(first_name("b.wild.test"), "*.wild.test");
}

static void changes(void **unused)
{
	struct stock_counters before = stock_counters(config->stock);

	(void)unused;
	put("change.test", "old");
	assert_string_equal(first_name("change.test"), "change.test");
	assert_int_equal(want("change.test")->id.num, 1);
	assert_null(x509_cert_dns_name(want("change.test")->id.chain[0], 1));
	put("change.test", "new");
	assert_non_null(x509_cert_dns_name(want("change.test")->id.chain[0], 1));
	assert_true(stock_counters(config->stock).changed > before.changed);
	/* what is no good, or of another key, does not replace what serves */
	assert_int_equal(system("cd build/unit/catalog/sites/change.test && echo nothing > cert.pem"), 0);
	assert_non_null(want("change.test"));
	assert_int_equal(system("cd build/unit/catalog && cp old.pem sites/change.test/cert.pem && cp wild.key sites/change.test/key.pem"), 0);
	assert_non_null(x509_cert_dns_name(want("change.test")->id.chain[0], 1));
	assert_true(stock_counters(config->stock).refused > before.refused);
	assert_int_equal(system("cd build/unit/catalog && rm -r sites/change.test"), 0);
	assert_null(want("change.test"));
}

static void bounds(void **unused)
{
	struct stock_counters n;
	char name[32];
	size_t i;

	(void)unused;
	for (i = 0; i < 2 * MAX; i++) {
		snprintf(name, sizeof(name), "n%zu.many.test", i);
		put(name, "many");
		assert_non_null(want(name));
	}
	n = stock_counters(config->stock);
	assert_int_equal(n.held, MAX);
	assert_true(n.evicted >= MAX);
	assert_true(cache_size(cache) <= MAX);
	assert_non_null(want("n0.many.test"));
	/* what is in use lasts longer than its place */
	struct msg_identity m = ask(0, "n1.many.test");
	struct site *site = stock_site(config->stock, m.key);
	assert_non_null(site);
	stock_hold(site);
	for (i = 10; i < 10 + MAX; i++) {
		snprintf(name, sizeof(name), "n%zu.many.test", i);
		ask(0, name);
	}
	assert_null(stock_site(config->stock, m.key));
	assert_non_null(site->key);
	stock_drop(site);
}

/* A worker that is behind by more than the keeper remembers. */
static void forgets_all(void **unused)
{
	uint64_t long_ago = stock_gone_now(config->stock);
	struct msg_gone gone;
	char name[32];
	size_t i;

	(void)unused;
	want("one.test");
	for (i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "n%zu.many.test", i % (2 * MAX));
		ask(0, name);
	}
	assert_true(stock_gone(config->stock, &long_ago, &gone));
	assert_true(gone.all);
	assert_int_equal(long_ago, stock_gone_now(config->stock));
	assert_false(stock_gone(config->stock, &long_ago, &gone));
	cache_forget(cache, &(struct msg_gone){ .all = 1 });
	assert_int_equal(cache_size(cache), 0);
	assert_false(stock_gone(NULL, &long_ago, &gone));
}

static void bad_answers(void **unused)
{
	struct msg_identity m = ask(0, "one.test"), bad;

	(void)unused;
	bad = m;
	bad.len--;
	assert_null(cache_add(cache, config, &bad));
	bad = m;
	bad.len = 0;
	assert_null(cache_add(cache, config, &bad));
	bad = m;
	bad.catalog = 7;
	assert_null(cache_add(cache, config, &bad));
	bad = m;
	bad.len = sizeof(bad.chain) + 1;
	assert_null(cache_add(cache, config, &bad));
	bad = m;
	bad.chain[20] ^= 0xff;
	cache_put(cache_add(cache, config, &bad));	/* whatever it makes of it */
	cache_forget(cache, &(struct msg_gone){ .all = 1 });
}

static void configurations(void **unused)
{
	static const struct { const char *text, *says; } rows[] = {
		{ "key = /a/*.key\n", "has no certificate with a *" },
		{ "certificate = /a/*.pem\nkey = /a/b.key\n", "has no key with a *" },
		{ "certificate = /a/*/*.pem\nkey = /a/*.key\n", "has no certificate with a *" },
		{ "certificate = *.pem\nkey = /a/*.key\n", "is no absolute path" },
		{ "certificate = /a/*.pem\nkey = /a/*.key\ndefault = yes\n", "has no key \"default\"" },
	};
	struct config_report report;
	struct config *c;
	char text[512];
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "[identities x]\nallow = uid:0\n%s", rows[i].text);
		assert_int_equal(config_from(text, &c, &report), -EINVAL);
		if (!strstr(report.text, rows[i].says))
			fail_msg("row %zu says: %s", i, report.text);
	}
	assert_int_equal(config_from("[identities x]\n[identities x]\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "[identities x] began at line 1 already"));
	assert_int_equal(config_from("[identities x]\ncertificate = /a/*\nkey = /b/*\n", &c, &report), 0);
	assert_non_null(strstr(report.text, "allows nobody"));
	config_put(c);
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("catalog");
	log_set_level(LOG_ERR);
	if (system("rm -rf build/unit/catalog/sites && mkdir build/unit/catalog/sites"))
		return -1;
	identity_make("one", P256, "DNS:one.test");
	identity_make("wild", P256, "DNS:*.wild.test");
	identity_make("parent", P256, "DNS:*.parent.test,DNS:parent.test");
	identity_make("exact", P256, "DNS:a.wild.test");
	identity_make("old", P256, "DNS:change.test");
	identity_make("new", P256, "DNS:change.test,DNS:changed.test");
	identity_make("many", P256, "DNS:*.many.test");
	put("one.test", "one");
	put("_.wild.test", "wild");
	put("parent.test", "parent");
	config = config_good("[agent]\nidentity-cache = 64\n[identities sites]\ncertificate = @/sites/*/cert.pem\n"
			     "key = @/sites/*/key.pem\nallow = uid:0\n");
	cache = cache_new(MAX);
	seen = stock_gone_now(config->stock);
	return cache ? 0 : -1;
}

static int teardown(void **unused)
{
	(void)unused;
	cache_free(cache);
	config_put(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(titles),
		cmocka_unit_test(answers),
		cmocka_unit_test(signs),
		cmocka_unit_test(wildcards),
		cmocka_unit_test(changes),
		cmocka_unit_test(bounds),
		cmocka_unit_test(forgets_all),
		cmocka_unit_test(bad_answers),
		cmocka_unit_test(configurations),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
