// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resumption by tickets and keys given by hand: what a binder proves, and
 * every reason for which a handshake is a full one instead.
 */
#include <time.h>
#include "hs_message.h"

static struct x509_store *trust;
static struct test_identity id;
static struct hs_ticket_keys keys;
static const uint8_t both_protocols[] = "\2h2\10http/1.1", one_protocol[] = "\10http/1.1";
static const uint16_t ciphers[] = { 51, 52, 54 };	/* TLS_CIPHER_* */

/* ---- two connections */

struct taken { struct hs_ticket ticket[HS_TICKETS_MAX]; size_t num; uint8_t late[16384]; size_t len; };

static struct pair new_pair(void)
{
	struct pair p = {
		.client_id = &id, .server_id = &id,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true,
			.rsa_min_bits = 2048, .tickets = 3,
		},
		.sp = {
			.choose = test_choose, .prepare = test_prepare, .arg = &id, .trust = trust, .now = time(NULL), .rsa_min_bits = 2048,
			.ticket_keys = &keys, .tickets = 2, .ticket_lifetime = 7200,
		},
	};

	return p;
}

/* What the server sends when it is done, the client's engine has no use for. */
static void keep_late(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	struct taken *t = p->arg;

	if (from != p->server || hs_state(p->client) != HS_DONE)
		return;
	assert_true(*len < sizeof(t->late));
	memcpy(t->late, buf, *len);
	t->len = *len;
}

static void open_tickets(struct pair *p, struct taken *t)
{
	const struct hs_result *r = hs_result(p->client);
	struct hs_traffic rx = r->rx;
	uint8_t plain[16384], nonce[12], *rec = t->late;
	size_t len;

	for (; rec < t->late + t->len; rec += 5 + len) {
		len = (size_t)(rec[3] << 8 | rec[4]);
		memcpy(nonce, rx.iv, 12);
		nonce[11] ^= (uint8_t)rx.seq++;
		assert_int_equal(r->aead->open(rx.key, nonce, rec, 5, rec + 5, len, plain), 0);
		assert_int_equal(plain[len - 17], 22);
		assert_int_equal(hs_ticket_read(r->suite, r->resumption, hs_now_ms(&p->cp), plain, len - 17,
						&t->ticket[t->num]), 0);
		t->ticket[t->num++].peer = r->who;
	}
	assert_int_equal(hs_result(p->server)->tx.seq, rx.seq);
}

static void first_connection(struct pair *p, struct taken *t)
{
	*t = (struct taken){ .num = 0 };
	p->arg = t;
	p->meddle = keep_late;
	pair_run(p);
	if (!hs_result(p->client) || !hs_result(p->server))
		fail_msg("client: %s; server: %s", hs_why(p->client), hs_why(p->server));
	open_tickets(p, t);
	pair_free(p);
	p->meddle = NULL;
	p->round = 0;
}

static void second_connection(struct pair *p, const struct hs_ticket *t, bool resumed)
{
	const struct hs_result *c, *s;

	p->cp.ticket = t;
	pair_run(p);
	c = hs_result(p->client);
	s = hs_result(p->server);
	if (!c || !s)
		fail_msg("client: %s; server: %s", hs_why(p->client), hs_why(p->server));
	assert_int_equal(c->resumed, resumed);
	assert_int_equal(s->resumed, resumed);
	assert_int_equal(c->peer_num, !resumed);
	assert_true(c->peer_verified && c->who.verified && c->who.known);
	assert_string_equal(c->who.name, p->cp.server_name);
	assert_memory_equal(c->tx.secret, s->rx.secret, c->hash->size);
	assert_memory_equal(c->resumption, s->resumption, c->hash->size);
	assert_string_equal(s->identity->name, "p256");
}

static void check_resumption(size_t cipher, bool retry, bool alpn, bool auth)
{
	static const uint16_t want[] = { 29, 23 }, only[] = { 23 };
	struct pair p = new_pair();
	struct taken t;

	p.cp.ciphers = &ciphers[cipher];
	p.cp.ciphers_num = 1;
	p.cp.groups = want;
	p.cp.groups_num = 2;
	p.sp.groups = only;
	p.sp.groups_num = retry ? 1 : 0;
	if (!retry)
		p.sp.groups = NULL;
	if (alpn) {
		p.cp.alpn = p.sp.alpn = both_protocols;
		p.cp.alpn_len = p.sp.alpn_len = sizeof(both_protocols) - 1;
	}
	p.sp.client_auth = auth ? HS_AUTH_REQUIRE : HS_AUTH_NONE;
	p.cp.identity = auth ? &id.id : NULL;
	first_connection(&p, &t);
	assert_int_equal(t.num, 3);
	for (size_t i = 0; i < t.num; i++) {
		second_connection(&p, &t.ticket[i], true);
		assert_int_equal(hs_result(p.server)->retried, retry);
		assert_int_equal(hs_result(p.server)->peer_verified, auth);
		assert_int_equal(hs_result(p.server)->peer_num, 0);
		assert_int_equal(hs_result(p.server)->who.known, auth);
		assert_int_equal(hs_result(p.client)->aead->tls_cipher, ciphers[cipher]);
		pair_free(&p);
	}
}

static void every_kind_of_session_is_resumed(void **state)
{
	(void)state;
	for (size_t i = 0; i < 24; i++)
		check_resumption(i % 3, i / 3 & 1, i / 6 & 1, i / 12 & 1);
}

static void a_resumed_session_gives_tickets(void **state)
{
	struct pair p = new_pair();
	struct taken t;

	(void)state;
	first_connection(&p, &t);
	for (int i = 0; i < 3; i++) {
		struct hs_ticket last = t.ticket[t.num - 1];

		p.cp.ticket = &last;
		first_connection(&p, &t);
		assert_int_equal(t.num, 1);
	}
}

static void resumption_is_cut_at_every_byte(void **state)
{
	struct pair p = new_pair();
	struct taken t;

	(void)state;
	first_connection(&p, &t);
	for (p.cut = 1; p.cut < 40; p.cut++) {
		second_connection(&p, &t.ticket[0], true);
		pair_free(&p);
	}
}

static void as_many_tickets_as_are_asked_for(void **state)
{
	static const struct { size_t asked, server, want; } all[] = {
		{ 0, 2, 0 }, { 1, 2, 1 }, { 5, 2, 5 }, { 99, 2, HS_TICKETS_MAX }, { 2, 0, 0 },
	};
	struct taken t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct pair p = new_pair();

		p.cp.tickets = all[i].asked;
		p.sp.tickets = all[i].server;
		first_connection(&p, &t);
		assert_int_equal(t.num, all[i].want);
	}
}

static void no_ticket_outlives_the_certificate(void **state)
{
	time_t end = x509_cert_not_after(id.id.chain[0]);
	struct pair p = new_pair();
	struct hs_ticket last;
	struct taken t;

	(void)state;
	p.cp.now = p.sp.now = end - 1000;
	first_connection(&p, &t);
	assert_int_equal(t.num, 3);
	assert_int_equal(t.ticket[0].lifetime, 7200);	/* the client has shown none */
	assert_int_equal(t.ticket[0].peer.until, end);
	p.sp.client_auth = HS_AUTH_REQUIRE;
	p.cp.identity = &id.id;
	first_connection(&p, &t);
	assert_int_equal(t.num, 3);
	assert_int_equal(t.ticket[0].lifetime, 1000);
	p.cp.now = p.sp.now = end - 400;
	last = t.ticket[0];
	p.cp.ticket = &last;
	first_connection(&p, &t);		/* a resumed one has it from the ticket */
	assert_int_equal(t.num, 1);
	assert_int_equal(t.ticket[0].lifetime, 400);
}

/* ---- when it is a full handshake */

static void rotate(struct hs_ticket_keys *k)
{
	k->key[1] = k->key[0];
	k->num = 2;
	rng_fill(RNG_KEY, &k->key[0], sizeof(k->key[0]));
}

enum change { NOTHING, LATE, EARLY, OTHER_ALPN, OTHER_CONTEXT, OTHER_KEYS, PREVIOUS_KEYS, NEEDS_CERT, NO_KEYS,
	      OTHER_IDENTITY, DAMAGED, OTHER_HASH, CHANGES };
static const bool still_resumed[CHANGES] = { [NOTHING] = true, [PREVIOUS_KEYS] = true };

static void change(struct pair *p, enum change what, struct hs_ticket *t, struct hs_ticket_keys *k,
		   struct test_identity *other)
{
	switch (what) {
	case LATE: p->sp.now += 7200; break;
	case EARLY: p->sp.now -= 10; break;
	case OTHER_ALPN: p->cp.alpn = p->sp.alpn = one_protocol; p->cp.alpn_len = p->sp.alpn_len = 9; break;
	case OTHER_CONTEXT: p->sp.ticket_context[31] = 1; break;
	case OTHER_KEYS: rotate(k); /* fall through */
	case PREVIOUS_KEYS: rotate(k); break;
	case NEEDS_CERT: p->sp.client_auth = HS_AUTH_REQUIRE; p->cp.identity = &id.id; break;
	case NO_KEYS: p->sp.ticket_keys = NULL; break;
	case OTHER_IDENTITY: p->sp.arg = other; break;
	case DAMAGED: t->data[t->len - 1] ^= 1; break;
	case OTHER_HASH: p->cp.ciphers = &ciphers[1]; p->cp.ciphers_num = 1; break;
	default: break;
	}
}

static void a_full_handshake_for_every_reason(void **state)
{
	(void)state;
	for (enum change what = NOTHING; what < CHANGES; what++) {
		struct hs_ticket_keys k = keys;
		struct test_identity other = id;
		struct pair p = new_pair();
		struct taken t;

		first_connection(&p, &t);
		p.sp.ticket_keys = &k;
		if (what == OTHER_IDENTITY)
			other.id.name = (char *)"other";
		change(&p, what, &t.ticket[0], &k, &other);
		p.cp.ticket = &t.ticket[0];
		pair_run(&p);
		if (!hs_result(p.client) || hs_result(p.client)->resumed != still_resumed[what] ||
		    hs_result(p.server)->resumed != still_resumed[what])
			fail_msg("change %d: %s %s", what, hs_why(p.client), hs_why(p.server));
		assert_true(hs_result(p.client)->peer_verified);
		pair_free(&p);
	}
}

static void a_ticket_of_another_name_is_of_no_use(void **state)
{
	struct pair p = new_pair();
	struct taken t;

	(void)state;
	first_connection(&p, &t);
	p.cp.server_name = "127.0.0.1";		/* is not sent */
	second_connection(&p, &t.ticket[0], false);
	pair_free(&p);
}

/* What was taken without verification is not offered where verification is asked for. */
static void an_unverified_session_is_not_resumed(void **state)
{
	struct pair p = new_pair();
	struct taken t;

	(void)state;
	p.cp.trust = NULL;
	p.cp.insecure = true;
	first_connection(&p, &t);
	assert_false(t.ticket[0].peer.verified);
	p.cp.trust = trust;
	p.cp.insecure = false;
	second_connection(&p, &t.ticket[0], false);
	pair_free(&p);
}

static void an_old_ticket_is_not_offered(void **state)
{
	struct pair p = new_pair();
	struct taken t;

	(void)state;
	first_connection(&p, &t);
	p.cp.now += 7200;
	pair_new(&p);
	p.cp.ticket = &t.ticket[0];
	hs_start(p.client);
	assert_int_equal(p.client->psks_num, 0);
	pair_free(&p);
}

/* RFC 8446 4.2.11.1: in milliseconds; and what is told is not above the age that the server finds. */
static void the_age_is_told_in_milliseconds(void **state)
{
	static const struct { int s; uint16_t ms; uint32_t age; } all[] = { { 0, 900, 0 }, { 0, 901, 0 }, { 1, 50, 149 }, { 7, 0, 6099 } };
	struct pair p = new_pair();
	time_t first = p.cp.now;
	struct taken t;

	(void)state;
	p.cp.now_ms = 900;
	first_connection(&p, &t);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		p.cp.now = first + all[i].s;
		p.cp.now_ms = all[i].ms;
		pair_new(&p);
		p.cp.ticket = &t.ticket[0];
		hs_start(p.client);
		assert_int_equal(p.client->psks_num, 1);
		assert_int_equal(p.client->psks[0].age - t.ticket[0].age_add, all[i].age);
		pair_free(&p);
	}
}

/* ---- what is wrong on purpose */

static int edited;

static void edit_message(struct hs *to, uint8_t type, void (*change_it)(void))
{
	if (!to->in.len || to->in.p[0] != type)
		return;
	message_read(to->in.p, 4 + (size_t)(to->in.p[2] << 8 | to->in.p[3]));
	change_it();
	to->in.len = message_write(gbuf_room(&to->in, 64) - to->in.len, 16384);
	edited++;
}

static void flip_binder(void)
{
	msg.exts[msg.num - 1].data[msg.exts[msg.num - 1].len - 1] ^= 1;
}

static void flip_random(void)
{
	msg.head[2] ^= 1;	/* the binder covers it */
}

static void without_schemes(void)
{
	drop(EXT_ID_SIGNATURE_ALGORITHMS);
}

static void choose_another(void)
{
	SET(EXT_ID_PRE_SHARED_KEY, "\0\1");
}

static void cut_choice(void)
{
	SET(EXT_ID_PRE_SHARED_KEY, "\0");
}

static void choose_without_share(void)
{
	drop(EXT_ID_KEY_SHARE);
}

static const struct wrong {
	uint8_t type;
	void (*change)(void);
	bool at_client;
	int alert;
	bool unknown;		/* the server can't open the ticket */
} wrongs[] = {
	{ HS_CLIENT_HELLO, flip_binder, false, ALERT_DECRYPT_ERROR, false },
	{ HS_CLIENT_HELLO, flip_random, false, ALERT_DECRYPT_ERROR, false },
	{ HS_CLIENT_HELLO, without_schemes, false, ALERT_MISSING_EXTENSION, true },
	{ HS_SERVER_HELLO, choose_another, true, ALERT_ILLEGAL_PARAMETER, false },
	{ HS_SERVER_HELLO, cut_choice, true, ALERT_DECODE_ERROR, false },
	{ HS_SERVER_HELLO, choose_without_share, true, ALERT_MISSING_EXTENSION, false },
};

static const struct wrong *now;

static void edit(struct pair *p, struct hs *to)
{
	if ((to == p->client) == now->at_client)
		edit_message(to, now->type, now->change);
}

static void what_is_wrong_gets_its_alert(void **state)
{
	struct taken t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct pair p = new_pair();
		struct hs *at;

		now = &wrongs[i];
		edited = 0;
		first_connection(&p, &t);
		p.cp.ticket = &t.ticket[0];
		p.edit = edit;
		if (now->unknown)
			p.sp.ticket_keys = NULL;
		pair_run(&p);
		at = now->at_client ? p.client : p.server;
		assert_int_equal(edited, 1);
		assert_int_equal(hs_state(at), HS_FAILED);
		if (hs_alert(at, NULL) != now->alert)
			fail_msg("%zu: alert %d instead of %d: %s", i, hs_alert(at, NULL), now->alert, hs_why(at));
		pair_free(&p);
	}
}

/* Without a key exchange beside it a ticket is not looked at. */
static void psk_ke_alone_is_not_taken(void **state)
{
	struct pair p = new_pair();
	struct taken t;
	uint8_t hello[8192], *modes;
	const uint8_t *out;
	size_t len;

	(void)state;
	first_connection(&p, &t);
	p.cp.ticket = &t.ticket[0];
	pair_new(&p);
	hs_start(p.client);
	out = hs_output(p.client, &len);
	assert_true(len < sizeof(hello));
	memcpy(hello, out, len);
	modes = memmem(hello, len, "\0\x2d\0\2\1\1", 6);
	assert_non_null(modes);
	modes[5] = 0;
	assert_int_equal(feed(&p, p.server, hello, len), 0);
	assert_false(p.server->has_psk);
	assert_int_equal(tickets_to_give(p.server), 0);
	pair_free(&p);
}

/* ---- keys by hand */

static const uint8_t secret[32] = { 1, 2, 3 }, another_secret[32] = { 1, 2, 4 };
static struct hs_psk by_hand = { "sensor-7", secret, 32, &crypto_sha256, false };

static const struct hs_psk *find_psk(void *arg, const uint8_t *name, size_t len)
{
	(void)arg;
	return len == strlen(by_hand.name) && !memcmp(name, by_hand.name, len) ? &by_hand : NULL;
}

static void check_by_hand(const struct hs_psk *client, bool import, size_t cipher, int alert, bool used)
{
	struct pair p = new_pair();

	by_hand.import = import;
	p.cp.psk = client;
	p.cp.ciphers = &ciphers[cipher];
	p.cp.ciphers_num = 1;
	p.sp.find_psk = find_psk;
	pair_run(&p);
	if (alert) {
		assert_int_equal(hs_alert(p.server, NULL), alert);
	} else {
		assert_non_null(hs_result(p.client));
		assert_non_null(hs_result(p.server));
		assert_ptr_equal(hs_result(p.server)->psk, used ? &by_hand : NULL);
		assert_int_equal(hs_result(p.client)->peer_num, !used);
		assert_int_equal(hs_result(p.server)->tx.seq, used ? 0 : 2);
		assert_false(hs_result(p.client)->resumed);
	}
	pair_free(&p);
}

static void keys_given_by_hand(void **state)
{
	struct hs_psk mine = by_hand;

	(void)state;
	for (size_t cipher = 0; cipher < 3; cipher++) {
		mine.import = true;
		check_by_hand(&mine, true, cipher, 0, true);
		mine.import = false;
		/* SHA-256's key goes with no suite of SHA-384. */
		check_by_hand(&mine, false, cipher, 0, cipher != 1);
		/* An imported key is never used as it is, nor the other way round. */
		check_by_hand(&mine, true, cipher, 0, false);
		mine.import = true;
		check_by_hand(&mine, false, cipher, 0, false);
	}
	mine.name = "sensor-8";
	check_by_hand(&mine, true, 0, 0, false);
	mine.name = by_hand.name;
	mine.key = another_secret;
	check_by_hand(&mine, true, 0, ALERT_DECRYPT_ERROR, false);
	mine.import = false;
	check_by_hand(&mine, false, 0, ALERT_DECRYPT_ERROR, false);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	test_identity_load(&id, "p256");
	keys.num = 1;
	rng_fill(RNG_KEY, &keys.key[0], sizeof(keys.key[0]));
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
		cmocka_unit_test(every_kind_of_session_is_resumed),
		cmocka_unit_test(a_resumed_session_gives_tickets),
		cmocka_unit_test(no_ticket_outlives_the_certificate),
		cmocka_unit_test(resumption_is_cut_at_every_byte),
		cmocka_unit_test(as_many_tickets_as_are_asked_for),
		cmocka_unit_test(a_full_handshake_for_every_reason),
		cmocka_unit_test(a_ticket_of_another_name_is_of_no_use),
		cmocka_unit_test(an_unverified_session_is_not_resumed),
		cmocka_unit_test(an_old_ticket_is_not_offered),
		cmocka_unit_test(the_age_is_told_in_milliseconds),
		cmocka_unit_test(what_is_wrong_gets_its_alert),
		cmocka_unit_test(psk_ke_alone_is_not_taken),
		cmocka_unit_test(keys_given_by_hand),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
