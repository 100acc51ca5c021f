/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy as one table: caller x identity asked for x name on the wire -> what is presented, or how it is refused. */
#include "agent_test.h"
#include "handshake/alert.h"
#include "handshake/suite.h"

static const char text[] =
	"[identity wild]\ncertificate = @/wild.pem\nkey = @/wild.key\nallow = uid:33 uid:50\n"
	"[identity www]\ncertificate = @/www.pem\nkey = @/www.key\nallow = uid:33\n"
	"[identity rsa]\ncertificate = @/rsa.pem\nkey = @/rsa.key\nallow = uid:33 gid:7 cgroup:99\ndefault = yes\n"
	"[identity mail]\ncertificate = @/mail.pem\nkey = @/mail.key\nallow = uid:25\n"
	"[identity nobody]\ncertificate = @/mail.pem\nkey = @/mail.key\n"
	"[trust mine]\nfile = @/mail.pem\n"
	"[client]\nallow = uid:33 gid:7\n";

static struct config *config;

enum { ALL, ECDSA, RSA_PSS, ED, RSA_FIRST };
static const struct { uint16_t id[3]; size_t num; } schemes[] = {
	[ALL]		= { { 0x0403, 0x0804, 0x0807 }, 3 },
	[ECDSA]		= { { 0x0403 }, 1 },
	[RSA_PSS]	= { { 0x0804 }, 1 },
	[ED]		= { { 0x0807 }, 1 },
	[RSA_FIRST]	= { { 0x0804, 0x0403 }, 2 },
};

/* @err of policy_server(), then @alert of policy_choose(), else @present. */
static const struct row {
	struct caller who;
	const char *wish, *name;
	int schemes, err, alert;
	const char *present, *says;
} rows[] = {
	/* names: exact, wildcard, unknown, none */
	{ { 33, 33, 0 }, NULL, "www.lab.test", ALL, 0, 0, "www", NULL },
	{ { 33, 33, 0 }, NULL, "WWW.Lab.Test", ALL, 0, 0, "www", NULL },
	{ { 33, 33, 0 }, NULL, "other.lab.test", ALL, 0, 0, "wild", NULL },
	{ { 33, 33, 0 }, NULL, "a.b.lab.test", ALL, 0, 112, NULL, "a.b.lab.test" },
	{ { 33, 33, 0 }, NULL, "nowhere.example", ALL, 0, 112, NULL, "no identity that uid 33 may use has a certificate for \"nowhere.example\"" },
	{ { 33, 33, 0 }, NULL, NULL, ALL, 0, 0, "rsa", NULL },
	{ { 33, 33, 0 }, NULL, "", ALL, 0, 0, "rsa", NULL },
	/* names of identities that the caller may not use are unknown to it */
	{ { 33, 33, 0 }, NULL, "mail.example", ALL, 0, 112, NULL, "mail.example" },
	{ { 25, 25, 0 }, NULL, "mail.example", ALL, 0, 0, "mail", NULL },
	{ { 25, 25, 0 }, NULL, "www.lab.test", ALL, 0, 112, NULL, "uid 25" },
	/* an exact name that the caller may not use does not hide its wildcard */
	{ { 50, 50, 0 }, NULL, "www.lab.test", ALL, 0, 0, "wild", NULL },
	/* one identity only: it serves clients that name none */
	{ { 25, 25, 0 }, NULL, NULL, ALL, 0, 0, "mail", NULL },
	{ { 50, 50, 0 }, NULL, NULL, ALL, 0, 0, "wild", NULL },
	/* by group, by cgroup */
	{ { 1000, 7, 0 }, NULL, "rsa.lab.test", ALL, 0, 0, "rsa", NULL },
	{ { 1000, 1000, 99 }, NULL, "rsa.lab.test", ALL, 0, 0, "rsa", NULL },
	{ { 1000, 8, 98 }, NULL, "rsa.lab.test", ALL, -EACCES, 0, NULL, "uid 1000 may not use any identity: add uid:1000 to allow =" },
	{ { 0, 0, 0 }, NULL, "www.lab.test", ALL, -EACCES, 0, NULL, "uid 0 may not use any" },
	/* asked for by name */
	{ { 33, 33, 0 }, "www", "nowhere.example", ALL, 0, 0, "www", NULL },
	{ { 33, 33, 0 }, "mail", NULL, ALL, -EACCES, 0, NULL, "uid 33 may not use identity \"mail\": add uid:33" },
	{ { 33, 33, 0 }, "nobody", NULL, ALL, -EACCES, 0, NULL, "may not use identity" },
	{ { 33, 33, 0 }, "none", NULL, ALL, -ENOKEY, 0, NULL, "no identity \"none\" is configured: add [identity none]" },
	/* what the client can verify */
	{ { 33, 33, 0 }, NULL, "both.lab.test", ECDSA, 0, 0, "wild", NULL },
	{ { 33, 33, 0 }, NULL, "rsa.lab.test", ECDSA, 0, 0, "wild", NULL },
	{ { 33, 33, 0 }, NULL, "www.lab.test", RSA_PSS, 0, 40, NULL, "no signature scheme" },
	{ { 33, 33, 0 }, NULL, NULL, ECDSA, 0, 40, NULL, "no signature scheme" },
	{ { 33, 33, 0 }, NULL, "twin.lab.test", ALL, 0, 0, "www", NULL },
	{ { 33, 33, 0 }, NULL, "twin.lab.test", RSA_FIRST, 0, 0, "rsa", NULL },
	{ { 33, 33, 0 }, NULL, "twin.lab.test", RSA_PSS, 0, 0, "rsa", NULL },
	{ { 33, 33, 0 }, "www", "www.lab.test", ED, 0, 40, NULL, "another type of key" },
};

static void check(size_t i, const struct row *r)
{
	const struct identity *id = NULL;
	const char *why = NULL;
	struct choice c;
	int err;

	err = policy_server(config, &r->who, r->wish, &c);
	if (err != r->err)
		fail_msg("row %zu: policy_server gave %d", i, err);
	if (err) {
		if (!strstr(c.why, r->says))
			fail_msg("row %zu says: %s", i, c.why);
		return;
	}
	err = policy_choose(&c, r->name, schemes[r->schemes].id, schemes[r->schemes].num, &id, &why);
	if (err != r->alert)
		fail_msg("row %zu: policy_choose gave %d", i, err);
	if (err && !strstr(why, r->says))
		fail_msg("row %zu says: %s", i, why);
	if (!err && strcmp(id->name, r->present))
		fail_msg("row %zu presents %s", i, id->name);
}

static void table(void **unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		check(i, &rows[i]);
}

/* Identities for one protocol go before those for any, and are nothing to others. */
static void protocols(void **unused)
{
	static const struct { const char *alpn, *name, *present; } cases[] = {
		{ "", "www.lab.test", "www" }, { "h2", "www.lab.test", "h2" }, { "h2c", "www.lab.test", "www" },
		{ "http/1.1", "www.lab.test", "h2" }, { "acme-tls/1", "www.lab.test", "acme" },
		{ "acme-tls/1", "other.lab.test", "acme" }, { "h2", "other.lab.test", NULL }, { "h2", NULL, "www" },
	};
	struct config *c = config_good(
		"[identity h2]\ncertificate = @/www.pem\nkey = @/www.key\nallow = uid:33\nalpn = h2 http/1.1\n"
		"[identity acme]\ncertificate = @/wild.pem\nkey = @/wild.key\nallow = uid:33\nalpn = acme-tls/1\n"
		"[identity www]\ncertificate = @/www.pem\nkey = @/www.key\nallow = uid:33\ndefault = yes\n");
	const struct caller who = { 33, 33, 0 };
	const struct identity *id;
	struct choice choice;
	const char *why;
	int err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(policy_server(c, &who, NULL, &choice), 0);
		choice.alpn = (const uint8_t *)cases[i].alpn;
		choice.alpn_len = strlen(cases[i].alpn);
		err = policy_choose(&choice, cases[i].name, schemes[ALL].id, schemes[ALL].num, &id, &why);
		assert_int_equal(err, cases[i].present ? 0 : ALERT_UNRECOGNIZED_NAME);
		if (!err && strcmp(id->name, cases[i].present))
			fail_msg("case %zu presents %s", i, id->name);
	}
	config_put(c);
}

/* A bare key is proven where all that the caller may present is meant for that. */
static void raw_keys(void **unused)
{
	static const struct { uid_t uid; const char *wish; bool raw; } cases[] = {
		{ 1, NULL, true }, { 2, NULL, false }, { 2, "bare", true }, { 2, "www", false }, { 3, NULL, false },
	};
	struct config *c = config_good(
		"[identity bare]\ncertificate = @/www.pem\nkey = @/www.key\nallow = uid:1 uid:2\nraw-key = yes\n"
		"[identity www]\ncertificate = @/www.pem\nkey = @/www.key\nallow = uid:2\n"
		"[trust pins]\nraw-key = 00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n");
	static const uint8_t first[4] = { 0, 0x11, 0x22, 0x33 };
	struct config_report report;
	const struct trust *trust;
	struct choice choice;
	char why[POLICY_WHY];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct caller who = { cases[i].uid, 9, 0 };

		policy_server(c, &who, cases[i].wish, &choice);
		if (policy_raw_key(&choice) != cases[i].raw)
			fail_msg("case %zu", i);
	}
	trust = policy_trust(c, "pins", why);
	assert_null(trust->store);
	assert_int_equal(trust->raw_keys_num, 1);
	assert_memory_equal(trust->raw_keys[0], first, 4);
	assert_int_equal(trust->raw_keys[0][31], 0xff);
	config_put(c);
	assert_int_equal(config_from("[trust pins]\nraw-key = 0011\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "has not the 64 hexadecimal digits"));
	assert_int_equal(config_from("[trust pins]\nraw-key = 00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n"
				     "crl-required = yes\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "has bare keys only"));
}

static void no_identities(void **unused)
{
	const struct caller who = { 0, 0, 0 };
	struct config *c = config_good("");
	struct choice choice;

	(void)unused;
	assert_int_equal(policy_server(c, &who, NULL, &choice), -ENOKEY);
	assert_non_null(strstr(choice.why, "add an [identity NAME] section"));
	config_put(c);
}

static void clients(void **unused)
{
	const struct caller www = { 33, 33, 0 }, group = { 9, 7, 0 }, other = { 9, 9, 0 };
	const struct identity *id;
	char why[POLICY_WHY];

	(void)unused;
	assert_int_equal(policy_client(config, &www, NULL, &id, why), 0);
	assert_null(id);
	assert_int_equal(policy_client(config, &group, NULL, &id, why), 0);
	assert_int_equal(policy_client(config, &other, NULL, &id, why), -EACCES);
	assert_non_null(strstr(why, "uid 9 may not connect as a client: add uid:9 to allow = of [client]"));
	assert_int_equal(policy_client(config, &www, "www", &id, why), 0);
	assert_string_equal(id->name, "www");
	assert_int_equal(policy_client(config, &www, "mail", &id, why), -EACCES);
	assert_null(id);
	assert_int_equal(policy_client(config, &www, "none", &id, why), -ENOKEY);
}

static void trusts(void **unused)
{
	char why[POLICY_WHY];

	(void)unused;
	assert_non_null(policy_trust(config, "mine", why));
	assert_null(policy_trust(config, "yours", why));
	assert_non_null(strstr(why, "add [trust yours] with file = CA-BUNDLE"));
	if (!access(CONFIG_SYSTEM, R_OK))
		assert_ptr_equal(policy_trust(config, NULL, why), policy_trust(config, "system", why));
}

static void rules(void **unused)
{
	const struct caller root = { 0, 0, 0 };
	struct rules r = { .num = 0 };
	char why[POLICY_WHY] = "", many[400] = "";
	int i;

	(void)unused;
	assert_false(rules_allow(&r, &root));
	assert_int_equal(rules_parse(&r, "user:root", why), 0);
	assert_true(rules_allow(&r, &root));
	r.num = 0;
	assert_int_equal(rules_parse(&r, "cgroup:/no/such/cgroup", why), 0);
	assert_non_null(strstr(why, "allows nobody"));
	assert_false(rules_allow(&r, &root));	/* cgroup 0 is no caller's */
	r.num = 0;
	for (i = 0; i < RULES_MAX + 1; i++)
		strcat(many, "uid:1,");
	assert_int_equal(rules_parse(&r, many, why), -EINVAL);
	assert_int_equal(r.num, RULES_MAX);
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("policy");
	identity_make("wild", P256, "DNS:*.lab.test");
	identity_make("www", P256, "DNS:www.lab.test,DNS:twin.lab.test");
	identity_make("rsa", RSA, "DNS:rsa.lab.test,DNS:both.lab.test,DNS:twin.lab.test");
	identity_make("mail", P256, "DNS:mail.example");
	config = config_good(text);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	config_put(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(protocols),
		cmocka_unit_test(raw_keys),
		cmocka_unit_test(no_identities),
		cmocka_unit_test(clients),
		cmocka_unit_test(trusts),
		cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
