// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Early data, client against server: taken, refused for every reason there
 * is, and wrong in every way; and the register that tells copies.
 */
#include <time.h>
#include "handshake/replay.h"
#include "handshake/ticket.h"
#include "hs_message.h"
#include "no_memory.h"

static struct x509_store *trust;
static struct test_identity id;
static struct hs_ticket_keys keys;
static uint8_t data[70000];
static const uint8_t both_protocols[] = "\2h2\10http/1.1";
static const uint16_t ciphers[] = { 51, 52, 54 }, chacha[] = { 54 };

static struct pair new_pair(void)
{
	struct pair p = {
		.client_id = &id, .server_id = &id,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true,
			.rsa_min_bits = 2048, .tickets = 1, .alpn = both_protocols, .alpn_len = sizeof(both_protocols) - 1,
		},
		.sp = {
			.choose = test_choose, .arg = &id, .now = time(NULL), .rsa_min_bits = 2048,
			.ticket_keys = &keys, .tickets = 1, .ticket_lifetime = 7200, .max_early = 50000,
			.alpn = both_protocols, .alpn_len = sizeof(both_protocols) - 1,
		},
	};

	return p;
}

/* ---- the connection before */

static struct hs_ticket ticket;

static void keep_ticket(struct pair *p, struct hs *from, uint8_t *rec, size_t *len)
{
	const struct hs_result *r = hs_result(p->client);
	uint8_t plain[4096], nonce[12];
	size_t n = (size_t)(rec[3] << 8 | rec[4]);

	if (from != p->server || hs_state(p->client) != HS_DONE)
		return;
	assert_int_equal(*len, 5 + n);
	memcpy(nonce, r->rx.iv, 12);
	assert_int_equal(r->aead->open(r->rx.key, nonce, rec, 5, rec + 5, n, plain), 0);
	assert_int_equal(hs_ticket_read(r->suite, r->resumption, hs_now_ms(&p->cp), plain, n - 17, &ticket), 0);
	ticket.peer = r->who;
	ticket.alpn_len = (uint32_t)r->alpn_len;
	memcpy(ticket.alpn, r->alpn, r->alpn_len);
}

static void first_connection(struct pair *p)
{
	memset(&ticket, 0, sizeof(ticket));
	p->meddle = keep_ticket;
	pair_run(p);
	assert_true(hs_result(p->client) && hs_result(p->server));
	assert_int_equal(hs_result(p->client)->early, HS_EARLY_NONE);
	pair_free(p);
	assert_true(ticket.len > 0);
	assert_int_equal(ticket.max_early, p->sp.max_early);
	p->meddle = NULL;
	p->cp.ticket = &ticket;
	p->cp.early = data;
	p->cp.early_len = 100;
}

/* Both agree, and the server has the data if it took them. */
static void both_done(struct pair *p, enum hs_early want)
{
	const struct hs_result *c = hs_result(p->client), *s = hs_result(p->server);
	const uint8_t *got;
	size_t len;

	if (!c || !s)
		fail_msg("client: %s at %s; server: %s at %s", hs_why(p->client), hs_step_name(p->client),
			 hs_why(p->server), hs_step_name(p->server));
	assert_int_equal(c->early, want);
	assert_int_equal(s->early, want);
	assert_memory_equal(c->tx.secret, s->rx.secret, c->hash->size);
	assert_memory_equal(c->rx.secret, s->tx.secret, c->hash->size);
	assert_memory_equal(c->resumption, s->resumption, c->hash->size);
	got = hs_early_data(p->server, &len);
	assert_int_equal(len, want == HS_EARLY_ACCEPTED ? p->cp.early_len : 0);
	if (len)
		assert_memory_equal(got, data, len);
}

/* ---- taken */

static void early_data_are_taken(void **state)
{
	static const size_t sizes[] = { 1, 100, 16384, 16385, 50000 };

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(sizes) * 4; i++) {
		struct pair p = new_pair();

		p.cp.ciphers = p.sp.ciphers = &ciphers[i % 3];
		p.cp.ciphers_num = p.sp.ciphers_num = 1;
		p.cp.compatibility = i / 15 & 1;
		p.cp.grease = p.sp.grease = i / 30 & 1;
		first_connection(&p);
		p.cp.early_len = sizes[i / 3 % 5];
		pair_run(&p);
		both_done(&p, HS_EARLY_ACCEPTED);
		assert_true(hs_result(p.server)->resumed);
		pair_free(&p);
	}
}

static void in_pieces_of_any_size(void **state)
{
	struct pair p = new_pair();

	(void)state;
	first_connection(&p);
	for (p.cut = 1; p.cut < 60; p.cut++) {
		pair_run(&p);
		both_done(&p, HS_EARLY_ACCEPTED);
		pair_free(&p);
	}
}

static uint8_t logged[2][32];

static void key_log(void *arg, const char *label, const uint8_t *random, const uint8_t *secret, size_t len)
{
	(void)random;
	if (!strcmp(label, "CLIENT_EARLY_TRAFFIC_SECRET") && len == 32)
		memcpy(logged[arg == &id], secret, len);
}

static void both_log_the_same_secret(void **state)
{
	struct pair p = new_pair();

	(void)state;
	first_connection(&p);
	p.cp.key_log = p.sp.key_log = key_log;
	pair_run(&p);
	both_done(&p, HS_EARLY_ACCEPTED);
	assert_memory_equal(logged[0], logged[1], 32);
	assert_memory_not_equal(logged[0], "\0\0\0\0\0\0\0\0", 8);
	pair_free(&p);
}

/* ---- refused, at the cost of a round trip */

static void replayed(struct pair *p) { p->replayed = true; }
static void server_takes_none(struct pair *p) { p->sp.max_early = 0; }
static void too_old(struct pair *p) { p->sp.now += HS_EARLY_WINDOW + 1; }
static void from_the_future(struct pair *p) { p->cp.now += HS_EARLY_WINDOW + 1; }
static void other_protocol(struct pair *p) { p->sp.alpn = both_protocols + 3; p->sp.alpn_len = 9; }
static void other_cipher(struct pair *p) { p->sp.ciphers = chacha; p->sp.ciphers_num = 1; }
static void a_retry(struct pair *p)
{
	static const uint16_t p384[] = { 24 };

	p->sp.groups = p384;
	p->sp.groups_num = 1;
}
static void other_keys(struct pair *p)
{
	static struct hs_ticket_keys others = { .num = 1 };

	p->sp.ticket_keys = &others;
}
static void other_context(struct pair *p) { p->sp.ticket_context[0] ^= 1; }
static void other_name(struct pair *p) { p->cp.server_name = "127.0.0.1"; }
static void asks_for_a_certificate(struct pair *p)
{
	p->sp.client_auth = HS_AUTH_REQUIRE;
	p->sp.trust = trust;
	p->cp.identity = &id.id;
}

static const struct { const char *name; void (*change)(struct pair *p); } refusals[] = {
	{ "replayed", replayed }, { "the server takes none any more", server_takes_none }, { "too old", too_old },
	{ "from the future", from_the_future }, { "another protocol", other_protocol },
	{ "another cipher", other_cipher }, { "a retry", a_retry }, { "other ticket keys", other_keys },
	{ "another context", other_context }, { "another name", other_name },
	{ "a certificate is wanted", asks_for_a_certificate },
};

static void refused_for_every_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals) * 2; i++) {
		struct pair p = new_pair();

		first_connection(&p);
		refusals[i / 2].change(&p);
		p.cut = i % 2 ? 7 : 0;
		p.cp.early_len = i % 2 ? 1000 : 16384;
		pair_run(&p);
		if (!hs_result(p.server) || hs_result(p.server)->early != HS_EARLY_REJECTED)
			print_message("%s\n", refusals[i / 2].name);
		both_done(&p, HS_EARLY_REJECTED);
		pair_free(&p);
	}
}

/* Within the window it is still taken. */
static void some_seconds_are_forgiven(void **state)
{
	/* What is told is a millisecond less. */
	static const int skew[] = { -HS_EARLY_WINDOW, -1, 1, HS_EARLY_WINDOW - 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(skew); i++) {
		struct pair p = new_pair();

		first_connection(&p);
		p.cp.now += 100;
		p.sp.now += 100 + skew[i];
		pair_run(&p);
		both_done(&p, HS_EARLY_ACCEPTED);
		pair_free(&p);
	}
}

static void not_sent_in_the_first_place(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct pair p = new_pair();

		p.sp.max_early = i == 0 ? 0 : 200;
		first_connection(&p);
		if (i == 1)
			p.cp.early_len = 201;
		if (i == 2) {		/* the session's protocol is not offered now */
			p.cp.alpn = both_protocols + 3;
			p.cp.alpn_len = 9;
		}
		if (i == 3) {
			p.cp.ciphers = p.sp.ciphers = chacha;
			p.cp.ciphers_num = p.sp.ciphers_num = 1;
		}
		if (i == 4)
			p.cp.ticket = NULL;
		pair_run(&p);
		both_done(&p, HS_EARLY_NONE);
		pair_free(&p);
	}
}

/* The same bytes at two servers that share a register. */
static void a_copy_is_refused(void **state)
{
	struct replay *r = replay_new(16, 0);
	struct pair p = new_pair();
	uint8_t hello[4096];
	const uint8_t *out;
	size_t len;

	(void)state;
	first_connection(&p);
	pair_new(&p);
	hs_start(p.client);
	out = hs_output(p.client, &len);
	assert_true(len < sizeof(hello));
	memcpy(hello, out, len);
	for (int i = 0; i < 3; i++) {
		struct hs *server = hs_new(&p.sp);
		size_t at, n;

		for (at = 0; at < len; at += n) {
			if (hs_state(server) == HS_FRESH)
				assert_int_equal(hs_fresh(server, replay_first(r, hs_fresh_wanted(server), (uint64_t)p.sp.now)), 0);
			if (hs_state(server) == HS_SIGN)
				break;
			n = hs_want(server);
			assert_true(n && n <= len - at);
			assert_int_equal(hs_input(server, hello + at, n), 0);
		}
		assert_int_equal(server->early, i ? HS_EARLY_REJECTED : HS_EARLY_ACCEPTED);
		hs_early_data(server, &n);
		assert_int_equal(n, i ? 0 : 100);
		hs_free(server);
	}
	replay_free(r);
	pair_free(&p);
}

/* ---- wrong on purpose */

static void check_alert(struct pair *p, struct hs **victim, int alert)
{
	pair_run(p);
	if (hs_state(*victim) != HS_FAILED || hs_alert(*victim, NULL) != alert)
		fail_msg("alert %d instead of %d: %s", hs_alert(*victim, NULL), alert, hs_why(*victim));
	pair_free(p);
}

static void more_than_was_allowed(void **state)
{
	struct pair p = new_pair();

	(void)state;
	p.sp.max_early = 99;
	first_connection(&p);
	ticket.max_early = 100;
	check_alert(&p, &p.server, ALERT_UNEXPECTED_MESSAGE);
	/* Nor is more than that skipped. */
	p.replayed = true;
	ticket.max_early = sizeof(data);
	p.cp.early_len = 16384 + 99;
	pair_run(&p);
	both_done(&p, HS_EARLY_REJECTED);
	pair_free(&p);
	p.cp.early_len++;
	check_alert(&p, &p.server, ALERT_BAD_RECORD_MAC);
}

static void a_server_of_tls12(void **state)
{
	struct pair p = new_pair();

	(void)state;
	first_connection(&p);
	p.sp.max_version = TLS12;
	pair_new(&p);
	hs_start(p.client);
	/* A real one would refuse the data; what counts is that its ServerHello ends it. */
	p.client->out.len = 5 + (size_t)(p.client->out.p[3] << 8 | p.client->out.p[4]);
	pair_talk(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_PROTOCOL_VERSION);
	pair_free(&p);
}

static void other_protocol_than_it_was(void **state)
{
	struct pair p = new_pair();

	(void)state;
	first_connection(&p);
	ticket.alpn_len = 8;
	memcpy(ticket.alpn, "http/1.1", 8);
	check_alert(&p, &p.client, ALERT_ILLEGAL_PARAMETER);
}

static void other_cipher_than_it_was(void **state)
{
	struct pair p = new_pair();

	(void)state;
	p.sp.ciphers = &ciphers[0];
	p.sp.ciphers_num = 1;
	first_connection(&p);
	ticket.suite = 0x1303;
	check_alert(&p, &p.client, ALERT_ILLEGAL_PARAMETER);
}

/* What is edited on its way into @hs: its first message of this type. */
static uint8_t edit_type;
static bool edit_client;
static void (*edit_how)(struct hs *hs);
static int edited;

static void edit(struct pair *p, struct hs *to)
{
	if ((to == p->client) != edit_client || to->in.p[0] != edit_type || edited++)
		return;
	edit_how(to);
}

static void as_finished(struct hs *hs) { hs->in.p[0] = HS_FINISHED; }
static void with_a_body(struct hs *hs) { gbuf_add(&hs->in, "x", 1); hs->in.p[3] = 1; }
static void as_end_of_early_data(struct hs *hs) { hs->in.p[0] = HS_END_OF_EARLY_DATA; }
static void twice(struct hs *hs) { gbuf_add(&hs->in, "\5\0\0", 4); }
static void claims_early_data(struct hs *hs)
{
	message_read(hs->in.p, 4 + (size_t)(hs->in.p[2] << 8 | hs->in.p[3]));
	ADD(EXT_ID_EARLY_DATA, "");
	hs->in.len = message_write(gbuf_room(&hs->in, 64) - hs->in.len, 16384);
}
static void with_a_length(struct hs *hs)
{
	message_read(hs->in.p, 4 + (size_t)(hs->in.p[2] << 8 | hs->in.p[3]));
	SET(EXT_ID_EARLY_DATA, "\0");
	hs->in.len = message_write(gbuf_room(&hs->in, 64) - hs->in.len, 16384);
}

static void other_messages_are_refused(void **state)
{
	static const struct {
		uint8_t type;
		bool client;
		void (*how)(struct hs *hs);
		void (*refuse)(struct pair *p);
		int alert;
	} all[] = {
		{ HS_END_OF_EARLY_DATA, false, as_finished, NULL, ALERT_UNEXPECTED_MESSAGE },
		{ HS_END_OF_EARLY_DATA, false, with_a_body, NULL, ALERT_DECODE_ERROR },
		{ HS_END_OF_EARLY_DATA, false, twice, NULL, ALERT_UNEXPECTED_MESSAGE },
		{ HS_FINISHED, false, as_end_of_early_data, NULL, ALERT_UNEXPECTED_MESSAGE },
		{ HS_FINISHED, false, as_end_of_early_data, replayed, ALERT_UNEXPECTED_MESSAGE },
		{ HS_ENCRYPTED_EXTENSIONS, true, claims_early_data, other_context, ALERT_ILLEGAL_PARAMETER },
		{ HS_ENCRYPTED_EXTENSIONS, true, claims_early_data, a_retry, ALERT_UNSUPPORTED_EXTENSION },
		{ HS_ENCRYPTED_EXTENSIONS, true, with_a_length, NULL, ALERT_DECODE_ERROR },
		{ HS_CLIENT_HELLO, false, with_a_length, NULL, ALERT_DECODE_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct pair p = new_pair();

		first_connection(&p);
		if (all[i].refuse)
			all[i].refuse(&p);
		edit_type = all[i].type;
		edit_client = all[i].client;
		edit_how = all[i].how;
		edited = 0;
		p.edit = edit;
		pair_run(&p);
		if (hs_alert(all[i].client ? p.client : p.server, NULL) != all[i].alert || !edited)
			fail_msg("row %zu: %s, %s", i, hs_why(p.client), hs_why(p.server));
		pair_free(&p);
	}
}

/* The client's own engine writes what a strange client would. */
static void strange_records(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct pair p = new_pair();

		first_connection(&p);
		pair_new(&p);
		hs_start(p.client);
		gbuf_add(&p.client->flight, "\5\0\0\0\24", i == 0 ? 3 : i == 1 ? 4 : 5);
		assert_int_equal(record_flush(p.client), 0);
		assert_int_equal(record_data(p.client, data, 10), 0);
		pair_talk(&p);
		/* Inside a message; behind the end of it, under a key that is over; a message across that. */
		assert_int_equal(hs_alert(p.server, NULL), i == 1 ? ALERT_BAD_RECORD_MAC : ALERT_UNEXPECTED_MESSAGE);
		pair_free(&p);
	}
}

static void calls_out_of_turn(void **state)
{
	struct pair p = new_pair();
	uint8_t byte = 0;

	(void)state;
	first_connection(&p);
	pair_new(&p);
	assert_null(hs_fresh_wanted(p.server));
	assert_int_equal(hs_fresh(p.server, true), -EINVAL);
	hs_start(p.client);
	while (hs_state(p.server) != HS_FRESH)
		assert_int_equal(hs_input(p.server, p.client->out.p, hs_want(p.server)), 0),
		hs_sent(p.client, hs_want(p.server) ? 5 : 0);
	assert_non_null(hs_fresh_wanted(p.server));
	assert_int_equal(hs_want(p.server), 0);
	assert_int_equal(hs_input(p.server, &byte, 1), -EINVAL);
	assert_int_equal(hs_abort(p.server, ALERT_INTERNAL_ERROR, "no register"), ALERT_INTERNAL_ERROR);
	pair_free(&p);
}

static void every_allocation_fails_once(void **state)
{
	struct pair p = new_pair();
	bool through = false;

	(void)state;
	first_connection(&p);
	for (unsigned int n = 1; !through; n++) {
		p.client = p.server = NULL;
		no_memory_in = n;
		p.client = hs_new(&p.cp);
		p.server = hs_new(&p.sp);
		if (p.client && p.server) {
			hs_start(p.client);
			hs_start(p.server);
			pair_talk(&p);
		}
		through = no_memory_in != 0;
		no_memory_in = 0;
		if (through)
			both_done(&p, HS_EARLY_ACCEPTED);
		assert_true(n < 10000);
		pair_free(&p);
	}
}

/* ---- the register */

static void digest(unsigned int i, uint8_t out[32])
{
	crypto_hash_once(&crypto_sha256, &i, sizeof(i), out);
}

static void the_register(void **state)
{
	struct replay *r = replay_new(100, 0);
	uint8_t one[32];
	uint64_t t;

	(void)state;
	for (unsigned int i = 0; i < 101; i++) {
		digest(i, one);
		assert_int_equal(replay_first(r, one, 1000), i < 100);	/* then it is full, and says no */
		assert_false(replay_first(r, one, 1000));
	}
	for (t = 1000; t < 1000 + REPLAY_PERIOD; t++) {
		digest(0, one);
		assert_false(replay_first(r, one, t));
		digest(7, one);
		assert_false(replay_first(r, one, t));
	}
	digest(500, one);
	assert_true(replay_first(r, one, t));		/* there is room again, */
	digest(7, one);
	assert_false(replay_first(r, one, t));		/* and nothing forgotten before its time */
	assert_true(replay_first(r, one, t + REPLAY_PERIOD));
	assert_false(replay_first(r, one, t - 1));	/* the clock was set back */
	digest(9, one);
	assert_false(replay_first(r, one, t - 1));
	assert_true(replay_first(r, one, t + 10 * REPLAY_PERIOD));
	memset(one, 0, sizeof(one));
	assert_false(replay_first(r, one, t + 10 * REPLAY_PERIOD));
	replay_free(r);
}

/* What came before it existed may come again. */
static void a_new_register_waits(void **state)
{
	struct replay *r = replay_new(100, 5000);
	uint8_t one[32];

	(void)state;
	digest(1, one);
	assert_false(replay_first(r, one, 4999));
	assert_false(replay_first(r, one, 5000));
	assert_false(replay_first(r, one, 5000 + REPLAY_PERIOD - 1));
	assert_true(replay_first(r, one, 5000 + REPLAY_PERIOD));
	assert_false(replay_first(r, one, 5000 + REPLAY_PERIOD));
	replay_free(r);
	no_memory_in = 1;
	assert_null(replay_new(100, 0));
	no_memory_in = 0;
	replay_free(NULL);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	no_memory_spares_numbers();
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	test_identity_load(&id, "p256");
	keys.num = 1;
	rng_fill(RNG_KEY, &keys.key[0], sizeof(keys.key[0]));
	rng_fill(RNG_RANDOM, data, sizeof(data));
	return 0;
}

static int unload(void **state)
{
	(void)state;
	test_identity_free(&id);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(early_data_are_taken),
		cmocka_unit_test(in_pieces_of_any_size),
		cmocka_unit_test(both_log_the_same_secret),
		cmocka_unit_test(refused_for_every_reason),
		cmocka_unit_test(some_seconds_are_forgiven),
		cmocka_unit_test(not_sent_in_the_first_place),
		cmocka_unit_test(a_copy_is_refused),
		cmocka_unit_test(more_than_was_allowed),
		cmocka_unit_test(a_server_of_tls12),
		cmocka_unit_test(other_protocol_than_it_was),
		cmocka_unit_test(other_cipher_than_it_was),
		cmocka_unit_test(other_messages_are_refused),
		cmocka_unit_test(strange_records),
		cmocka_unit_test(calls_out_of_turn),
		cmocka_unit_test(every_allocation_fails_once),
		cmocka_unit_test(the_register),
		cmocka_unit_test(a_new_register_waits),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
