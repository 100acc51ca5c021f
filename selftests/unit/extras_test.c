// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What TLS 1.3 has beside the plain handshake, client against server: a retry
 * that another server goes on with, GREASE, limits, padding, and the choice
 * between chains.
 */
#include <time.h>
#include "hs_message.h"

static struct x509_store *trust;
static struct test_identity p256, rsa;
static const uint16_t x25519_first[] = { 29, 23 }, only_p256[] = { 23 };

static struct pair pair_for_extras(void)
{
	struct pair p = {
		.client_id = &p256, .server_id = &p256,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true,
			.rsa_min_bits = 2048, .groups = x25519_first, .groups_num = 2,
			.alpn = (const uint8_t *)"\2h2", .alpn_len = 3,
		},
		.sp = {
			.choose = test_choose, .arg = &p256, .trust = trust, .now = time(NULL),
			.rsa_min_bits = 2048, .alpn = (const uint8_t *)"\2h2", .alpn_len = 3,
		},
	};

	return p;
}

static void agreed(const struct pair *p)
{
	const struct hs_result *c = hs_result(p->client), *s = hs_result(p->server);

	if (!c || !s)
		fail_msg("client: %s at %s; server: %s at %s", hs_why(p->client), hs_step_name(p->client),
			 hs_why(p->server), hs_step_name(p->server));
	assert_memory_equal(c->tx.secret, s->rx.secret, c->hash->size);
	assert_memory_equal(c->rx.secret, s->tx.secret, c->hash->size);
	assert_memory_equal(c->resumption, s->resumption, c->hash->size);
}

/* ---- the retry's cookie */

static struct hs_ticket_keys cookie_keys;

static struct pair pair_with_cookies(void)
{
	struct pair p = pair_for_extras();

	cookie_keys.num = 1;
	rng_fill(RNG_KEY, cookie_keys.key[0].key, 32);
	p.sp.groups = only_p256;
	p.sp.groups_num = 1;
	p.sp.cookie_keys = &cookie_keys;
	return p;
}

static void a_retry_with_a_cookie(void **state)
{
	struct pair p = pair_with_cookies();

	(void)state;
	pair_run(&p);
	agreed(&p);
	assert_true(hs_result(p.client)->retried && hs_result(p.server)->retried);
	assert_true(p.client->cookie.len > 0);
	pair_free(&p);
}

/* The first server asks for the retry and dies; a second one with the same key does the rest. */
static void elsewhere(struct pair *p, void (*between)(struct pair *p))
{
	pair_new(p);
	hs_start(p->client);
	carry(p, p->client, p->server);
	carry(p, p->server, p->client);
	hs_free(p->server);
	if (between)
		between(p);
	p->server = hs_new(&p->sp);
	assert_non_null(p->server);
	pair_talk(p);
}

static void another_server_goes_on(void **state)
{
	struct pair p = pair_with_cookies();

	(void)state;
	elsewhere(&p, NULL);
	agreed(&p);
	assert_true(hs_result(p.server)->retried);
	pair_free(&p);
}

static void with_a_rotated_key(struct pair *p)
{
	(void)p;
	cookie_keys.key[1] = cookie_keys.key[0];
	cookie_keys.num = 2;
	rng_fill(RNG_KEY, cookie_keys.key[0].key, 32);
}

static void the_key_before_still_counts(void **state)
{
	struct pair p = pair_with_cookies();

	(void)state;
	elsewhere(&p, with_a_rotated_key);
	agreed(&p);
	pair_free(&p);
}

static void with_another_key(struct pair *p) { (void)p; cookie_keys.key[0].key[5] ^= 1; }
static void a_minute_later(struct pair *p) { p->sp.now += 61; }
static void before_it_was_made(struct pair *p) { p->sp.now -= 1; }
static void in_another_context(struct pair *p) { p->sp.ticket_context[0] ^= 1; }
static void without_that_group(struct pair *p) { p->sp.groups = x25519_first; }

/* The second hello was made before: it is changed on its way. */
static void turn_cookie(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	const struct gbuf *c = &p->client->cookie;
	uint8_t *at = c->len ? memmem(buf, *len, c->p, c->len) : NULL;

	if (from == p->client && at)
		at[20] ^= 1;
}

static void bad_cookies(void **state)
{
	void (*const bad[])(struct pair *p) = {
		with_another_key, a_minute_later, before_it_was_made, in_another_context, without_that_group,
		NULL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pair p = pair_with_cookies();

		if (!bad[i])
			p.meddle = turn_cookie;
		elsewhere(&p, bad[i]);
		assert_int_equal(hs_state(p.server), HS_FAILED);
		assert_int_equal(hs_alert(p.server, NULL), ALERT_ILLEGAL_PARAMETER);
		assert_int_equal(hs_alert(p.client, NULL), ALERT_ILLEGAL_PARAMETER);
		pair_free(&p);
	}
}

/* ---- GREASE */

static uint8_t hello[8192];
static size_t hello_len;
static int hellos;

static void keep_hello(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	if (from != p->client || hellos++)
		return;
	hello_len = *len - 5;
	memcpy(hello, buf + 5, hello_len);
}

static bool grease_like(const uint8_t *p)
{
	return p[0] == p[1] && (p[0] & 15) == 10;
}

static void grease_is_sent_and_harmless(void **state)
{
	size_t exts = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		struct pair p = pair_for_extras();

		hellos = 0;
		p.cp.grease = p.sp.grease = true;
		p.sp.client_auth = HS_AUTH_REQUIRE;
		p.cp.identity = &p256.id;
		p.meddle = keep_hello;
		if (i % 2) {
			p.sp.groups = only_p256;
			p.sp.groups_num = 1;
		}
		pair_run(&p);
		agreed(&p);
		pair_free(&p);
		message_read(hello, hello_len);
		assert_true(grease_like(msg.head + 35 + 32 + 2));
		assert_true(grease_like(msg.exts[find(10)].data + 2));
		assert_true(grease_like(msg.exts[find(43)].data + 1));
		assert_true(grease_like(msg.exts[find(51)].data + 2));
		assert_true(grease_like(msg.exts[find(13)].data + 2));
		assert_true(grease_like(msg.exts[find(16)].data + 3));
		assert_true(msg.exts[find(0xfe0d)].len >= 144 + 42);
		for (size_t j = 0; j < msg.num; j++)
			exts += (msg.exts[j].id & 0x0f0f) == 0x0a0a && msg.exts[j].id >> 8 == (msg.exts[j].id & 0xff);
	}
	assert_int_equal(exts, 2 * 64);
}

static void grease_comes_back(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	(void)from;
	(void)len;
	if (p->round == 1) {
		uint16_t id = grease16(p->client, GREASE_SUITE);

		buf[5 + 4 + 2 + 32 + 1 + 32] = (uint8_t)(id >> 8);
		buf[5 + 4 + 2 + 32 + 1 + 33] = (uint8_t)id;
	}
}

static void a_server_that_takes_it_is_refused(void **state)
{
	struct pair p = pair_for_extras();

	(void)state;
	p.cp.grease = true;
	p.meddle = grease_comes_back;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_ILLEGAL_PARAMETER);
	pair_free(&p);
}

/* ---- lengths */

static void fragments(void **state)
{
	static const uint16_t sizes[] = { 512, 1024, 2048, 4096 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct pair p = pair_for_extras();

		p.cp.max_fragment = sizes[i];
		hellos = 0;
		p.meddle = keep_hello;
		pair_run(&p);
		agreed(&p);
		message_read(hello, hello_len);
		assert_int_equal(msg.exts[find(1)].data[0], i + 1);
		/* Our server has record_size_limit, and our client offers both. */
		assert_int_equal(hs_result(p.server)->tx_limit, 16384);
		pair_free(&p);
	}
}

static void without_record_size_limit(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	uint8_t *at = memmem(buf, *len, "\0\34\0\2\100\1", 6);

	if (from == p->client && !p->round) {
		assert_non_null(at);
		at[0] = 0x77;
	}
}

/* The transcripts differ then, so it ends at Finished: but the records were small until there. */
static void a_server_keeps_to_fragments(void **state)
{
	struct pair p = pair_for_extras();

	(void)state;
	p.cp.max_fragment = 512;
	p.meddle = without_record_size_limit;
	pair_new(&p);
	hs_start(p.client);
	carry(&p, p.client, p.server);
	assert_int_equal(p.server->result.tx_limit, 512);
	assert_int_equal(p.server->rx_limit, 512);
	pair_free(&p);
}

static void padding(void **state)
{
	(void)state;
	for (size_t pad = 0; pad < 1024; pad += 13) {
		struct pair p = pair_for_extras();

		p.cp.pad = pad;
		hellos = 0;
		p.meddle = keep_hello;
		pair_run(&p);
		agreed(&p);
		assert_true(hello_len - 4 >= pad || pad - (hello_len - 4) <= 4);
		if (pad > 400)
			assert_true(hello_len <= pad + 4);
		pair_free(&p);
	}
}

/* ---- which chain */

static void client_certificate_authorities(void **state)
{
	struct pair p = pair_for_extras();

	(void)state;
	p.sp.client_auth = HS_AUTH_REQUIRE;
	p.cp.identity = &p256.id;
	pair_run(&p);
	agreed(&p);
	assert_true(ext_received(p.client, EXT_ID_CERTIFICATE_AUTHORITIES));
	pair_free(&p);
}

static int choose_by_chain(void *arg, const char *name, const uint16_t *schemes, size_t num,
			   const struct identity **ret, const char **why)
{
	struct pair *p = arg;

	(void)name;
	(void)schemes;
	(void)num;
	(void)why;
	*ret = hs_suits(p->server, &p->server_id->id) ? &p->server_id->id : &rsa.id;
	return 0;
}

static void chosen(uint16_t cert_scheme, const char *authorities, size_t len, const char *want)
{
	struct pair p = pair_for_extras();
	struct hs *hs;

	p.sp.arg = &p;
	p.sp.choose = choose_by_chain;
	pair_new(&p);
	hs = p.server;
	hs->schemes[0] = 0x0403;
	hs->schemes[1] = 0x0804;
	hs->schemes_num = 2;
	hs->cert_schemes[0] = cert_scheme;
	hs->cert_schemes_num = cert_scheme ? 1 : 0;
	hs->peer_authorities = (struct rbuf){ (const uint8_t *)authorities, (const uint8_t *)authorities + len };
	hs->received = ~0ull;
	assert_int_equal(choose_identity(hs), 0);
	assert_string_equal(hs->result.identity->name, want);
	pair_free(&p);
}

static void chains_by_what_the_client_says(void **state)
{
	uint8_t names[2048];
	size_t len = x509_store_names(trust, names, sizeof(names));
	uint16_t scheme = x509_cert_scheme(p256.id.chain[0]);

	(void)state;
	assert_true(len > 4);
	assert_int_equal(scheme, 0x0403);
	assert_int_equal(x509_store_names(trust, names, len - 1), 0);
	chosen(0, NULL, 0, "p256");
	chosen(scheme, NULL, 0, "p256");
	chosen(0x0401, NULL, 0, "rsa");
	chosen(0, (const char *)names, len, "p256");
	chosen(0, "\0\2\x30\0", 4, "rsa");
	names[len - 1] ^= 1;
	chosen(0, (const char *)names, len, "rsa");
}

static int setup(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	assert_non_null(trust);
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	test_identity_load(&p256, "p256");
	test_identity_load(&rsa, "rsa");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_identity_free(&p256);
	test_identity_free(&rsa);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retry_with_a_cookie),
		cmocka_unit_test(another_server_goes_on),
		cmocka_unit_test(the_key_before_still_counts),
		cmocka_unit_test(bad_cookies),
		cmocka_unit_test(grease_is_sent_and_harmless),
		cmocka_unit_test(a_server_that_takes_it_is_refused),
		cmocka_unit_test(fragments),
		cmocka_unit_test(a_server_keeps_to_fragments),
		cmocka_unit_test(padding),
		cmocka_unit_test(client_certificate_authorities),
		cmocka_unit_test(chains_by_what_the_client_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
