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
	size_t found = 0;

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
			found += (msg.exts[j].id & 0x0f0f) == 0x0a0a && msg.exts[j].id >> 8 == (msg.exts[j].id & 0xff);
	}
	assert_int_equal(found, 2 * 64);
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
	assert_int_equal(p.server->result.rx_limit, 512);
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

/* ---- schemes and groups by policy */

static void only_allowed_schemes(void **state)
{
	static const uint16_t p384_only[] = { 0x0503 }, with_p256[] = { 0x0503, 0x0403 };
	struct pair p = pair_for_extras(), q = pair_for_extras(), r = pair_for_extras();

	(void)state;
	p.cp.schemes = with_p256;
	p.cp.schemes_num = 2;
	pair_run(&p);
	agreed(&p);
	assert_int_equal(hs_result(p.client)->scheme, 0x0403);
	pair_free(&p);
	q.cp.schemes = p384_only;
	q.cp.schemes_num = 1;
	pair_run(&q);
	assert_int_equal(hs_alert(q.server, NULL), ALERT_HANDSHAKE_FAILURE);
	pair_free(&q);
	r.sp.schemes = p384_only;
	r.sp.schemes_num = 1;
	pair_run(&r);
	assert_int_equal(hs_alert(r.server, NULL), ALERT_HANDSHAKE_FAILURE);
	pair_free(&r);
}

/* The server may sign by what its policy has; a client with another policy refuses it. */
static void a_scheme_not_offered(void **state)
{
	static const uint16_t p384_only[] = { 0x0503 };
	struct pair p = pair_for_extras();

	(void)state;
	pair_new(&p);
	hs_start(p.client);
	carry(&p, p.client, p.server);
	p.cp.schemes = p384_only;
	p.cp.schemes_num = 1;
	carry(&p, p.server, p.client);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_ILLEGAL_PARAMETER);
	pair_free(&p);
}

static void strongest_group(void **state)
{
	static const uint16_t client[] = { 29, 25 }, server[] = { 25, 29 };

	(void)state;
	for (int strongest = 0; strongest < 2; strongest++) {
		struct pair p = pair_for_extras();

		p.cp.groups = client;
		p.sp.groups = server;
		p.sp.groups_num = 2;
		p.sp.strongest = strongest;
		pair_run(&p);
		agreed(&p);
		assert_int_equal(hs_result(p.client)->group, strongest ? 25 : 29);
		assert_int_equal(hs_result(p.client)->retried, strongest);
		pair_free(&p);
	}
}

static void strongest_scheme(void **state)
{
	static const uint16_t ours[] = { 0x0806, 0x0805, 0x0804 };

	(void)state;
	for (int strongest = 0; strongest < 2; strongest++) {
		struct pair p = pair_for_extras();

		p.server_id = &rsa;
		p.sp.arg = &rsa;
		p.sp.schemes = ours;
		p.sp.schemes_num = 3;
		p.sp.strongest = strongest;
		pair_run(&p);
		agreed(&p);
		assert_int_equal(hs_result(p.client)->scheme, strongest ? 0x0806 : 0x0804);
		pair_free(&p);
	}
}

/* ---- compressed certificates */

static void compressed(void **state)
{
	(void)state;
	for (int who = 0; who < 4; who++) {
		struct pair p = pair_for_extras();

		p.sp.client_auth = HS_AUTH_REQUIRE;
		p.cp.identity = &p256.id;
		p.cp.compress = who & 1;
		p.sp.compress = who & 2;
		pair_run(&p);
		agreed(&p);
		assert_true(hs_result(p.client)->peer_verified && hs_result(p.server)->peer_verified);
		assert_int_equal(p.server->peer_inflates, who & 1);
		pair_free(&p);
	}
}

/* What a client reads of one Certificate, written by a server that compresses. */
static uint8_t wire[16384];
static size_t wire_len;

static void edit_certificate(struct pair *p, struct hs *to)
{
	uint8_t *at = to->in.p;
	size_t len = to->in.len, one;

	for (; to == p->client && len >= 4; at += one, len -= one) {
		one = 4 + (size_t)(at[1] << 16 | at[2] << 8 | at[3]);
		if (at[0] != HS_COMPRESSED_CERTIFICATE)
			continue;
		wire_len = one;
		memcpy(wire, at, one);
		if (p->arg)
			((void (*)(uint8_t *))p->arg)(at);
	}
}

static void other_algorithm(uint8_t *m) { m[5] = 2; }
static void one_byte_less(uint8_t *m) { m[8]--; }
static void one_byte_more(uint8_t *m) { m[8]++; }
static void too_many_bytes(uint8_t *m) { m[6] = 1; m[7] = 0; m[8] = 1; }
static void no_bytes(uint8_t *m) { m[6] = m[7] = m[8] = 0; }
static void broken_stream(uint8_t *m) { m[40] ^= 0x55; }
static void not_filled(uint8_t *m) { m[11]--; }
static void not_offered_type(uint8_t *m) { m[0] = HS_COMPRESSED_CERTIFICATE; }

static void compressed_alert(void (*edit)(uint8_t *), int alert)
{
	struct pair p = pair_for_extras();

	p.cp.compress = p.sp.compress = true;
	p.edit = edit_certificate;
	p.arg = (void *)edit;
	wire_len = 0;
	pair_run(&p);
	assert_true(wire_len > 0);
	if (hs_alert(p.client, NULL) != alert)
		fail_msg("%d instead of %d: %s", hs_alert(p.client, NULL), alert, hs_why(p.client));
	pair_free(&p);
}

static void uncompressed_as_compressed(struct pair *p, struct hs *to)
{
	uint8_t *at = to->in.p;
	size_t len = to->in.len, one;

	for (; to == p->client && len >= 4; at += one, len -= one) {
		one = 4 + (size_t)(at[1] << 16 | at[2] << 8 | at[3]);
		if (at[0] == HS_CERTIFICATE)
			not_offered_type(at);
	}
}

static void compressed_wrongly(void **state)
{
	struct pair p = pair_for_extras();

	(void)state;
	compressed_alert(NULL, -1);
	compressed_alert(other_algorithm, ALERT_ILLEGAL_PARAMETER);
	compressed_alert(one_byte_less, ALERT_BAD_CERTIFICATE);
	compressed_alert(one_byte_more, ALERT_BAD_CERTIFICATE);
	compressed_alert(too_many_bytes, ALERT_BAD_CERTIFICATE);
	compressed_alert(no_bytes, ALERT_BAD_CERTIFICATE);
	compressed_alert(broken_stream, ALERT_BAD_CERTIFICATE);
	compressed_alert(not_filled, ALERT_BAD_CERTIFICATE);
	p.edit = uncompressed_as_compressed;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_UNEXPECTED_MESSAGE);
	pair_free(&p);
}

/* ---- bare keys */

static uint8_t pins[2][32];

static void pin(const struct test_identity *t, uint8_t *out)
{
	const struct x509_blob *spki = x509_cert_spki(t->id.chain[0]);

	crypto_hash_once(&crypto_sha256, spki->data, spki->len, out);
}

static struct pair pair_with_bare_keys(void)
{
	struct pair p = pair_for_extras();

	pin(&rsa, pins[0]);
	pin(&p256, pins[1]);
	p.cp.raw_peers = p.sp.raw_peers = pins;
	p.cp.raw_peers_num = p.sp.raw_peers_num = 2;
	p.cp.raw_key = p.sp.raw_key = true;
	p.cp.identity = &p256.id;
	p.sp.client_auth = HS_AUTH_REQUIRE;
	return p;
}

static void bare_keys(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct pair p = pair_with_bare_keys();

		p.cp.trust = i & 1 ? trust : NULL;
		p.sp.trust = i & 1 ? trust : NULL;
		p.cp.compress = p.sp.compress = i & 2;
		p.sp.ticket_keys = i & 4 ? &cookie_keys : NULL;
		pair_run(&p);
		agreed(&p);
		assert_true(hs_result(p.client)->peer_verified && hs_result(p.server)->peer_verified);
		assert_int_equal(hs_result(p.client)->peer_num + hs_result(p.server)->peer_num, 0);
		assert_memory_equal(hs_result(p.server)->who.sha256, pins[1], 32);
		pair_free(&p);
	}
}

/* Each side may have certificates where the other would have a bare key. */
static void bare_keys_of_one_side(void **state)
{
	struct pair p = pair_with_bare_keys(), q = pair_with_bare_keys();

	(void)state;
	p.sp.raw_key = false;
	pair_run(&p);
	agreed(&p);
	assert_int_equal(hs_result(p.client)->peer_num, 1);
	assert_int_equal(hs_result(p.server)->peer_num, 0);
	pair_free(&p);
	q.cp.raw_key = false;
	pair_run(&q);
	agreed(&q);
	assert_int_equal(hs_result(q.client)->peer_num, 0);
	assert_int_equal(hs_result(q.server)->peer_num, 1);
	pair_free(&q);
}

static void a_strange_bare_key(void **state)
{
	struct pair p = pair_with_bare_keys(), q = pair_with_bare_keys(), r = pair_with_bare_keys();

	(void)state;
	p.cp.raw_peers_num = 1;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_CERTIFICATE_UNKNOWN);
	pair_free(&p);
	q.sp.raw_peers_num = 1;
	pair_run(&q);
	assert_int_equal(hs_alert(q.server, NULL), ALERT_CERTIFICATE_UNKNOWN);
	pair_free(&q);
	/* The key is right, and is not the one that signed. */
	r.server_id = &rsa;
	r.sp.arg = &p256;
	r.cp.raw_peers_num = 2;
	p256.id.key_type = rsa.id.key_type;
	p256.id.key_bits = rsa.id.key_bits;
	pair_run(&r);
	p256.id.key_type = CRYPTO_KEY_P256;
	p256.id.key_bits = 256;
	assert_int_equal(hs_alert(r.client, NULL), ALERT_ILLEGAL_PARAMETER);
	pair_free(&r);
}

static void no_type_in_common(void **state)
{
	struct pair p = pair_with_bare_keys();

	(void)state;
	p.cp.trust = NULL;
	p.sp.raw_key = false;
	pair_run(&p);
	assert_int_equal(hs_alert(p.server, NULL), ALERT_UNSUPPORTED_CERTIFICATE);
	pair_free(&p);
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
		cmocka_unit_test(only_allowed_schemes),
		cmocka_unit_test(a_scheme_not_offered),
		cmocka_unit_test(strongest_group),
		cmocka_unit_test(strongest_scheme),
		cmocka_unit_test(compressed),
		cmocka_unit_test(compressed_wrongly),
		cmocka_unit_test(bare_keys),
		cmocka_unit_test(bare_keys_of_one_side),
		cmocka_unit_test(a_strange_bare_key),
		cmocka_unit_test(no_type_in_common),
		cmocka_unit_test(chains_by_what_the_client_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
