// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole handshakes of TLS 1.2, client against server in one process: every
 * combination of what can be agreed, sessions that go on, every cut of the
 * wire, every message shortened at every byte, and memory that runs out at
 * every allocation.
 */
#include <gmp.h>
#include <time.h>
#include "handshake/session_cache.h"
#include "hs_pair.h"

static struct x509_store *trust;
static struct test_identity ids[6];
static const char *const kinds[] = { "p256", "p384", "p521", "rsa", "rsapss", "ed25519" };
enum { P256, P384, P521, RSA, RSAPSS, ED25519 };
static const uint16_t ciphers[] = { 51, 52, 54 };	/* TLS_CIPHER_* */
static const uint16_t curves[] = { 29, 23, 24, 25, 30 };
static const uint16_t fields[] = { 256, 257, 258 };
static const struct hs_ticket_keys keys = { .key = { { "name", "secret" } }, .num = 1 };

static struct pair pair_for(size_t kind)
{
	struct pair p = {
		.client_id = &ids[kind], .server_id = &ids[kind],
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true,
			.rsa_min_bits = 2048, .max_version = TLS12,
		},
		.sp = {
			.choose = test_choose, .prepare = test_prepare, .arg = &ids[kind], .trust = trust, .now = time(NULL),
			.rsa_min_bits = 2048, .ticket_keys = &keys, .ticket_lifetime = 3600,
		},
	};

	return p;
}

static void same_keys(const struct hs_result *a, const struct hs_result *b)
{
	uint8_t x[32], y[32], z[32];
	size_t key = a->aead->key;

	assert_memory_equal(a->tx.key, b->rx.key, key);
	assert_memory_equal(a->tx.iv, b->rx.iv, 12);
	assert_memory_equal(a->rx.key, b->tx.key, key);
	assert_memory_equal(a->rx.iv, b->tx.iv, 12);
	assert_memory_not_equal(a->tx.key, a->rx.key, key);
	/* Finished was the first record of each direction, and its nonce is used up. */
	assert_int_equal(a->tx.seq, 1);
	assert_int_equal(a->rx.seq, 1);
	assert_int_equal(b->tx.seq, 1);
	assert_int_equal(b->rx.seq, 1);
	if (a->aead->fixed == 4)
		assert_memory_equal(a->tx.iv + 4, "\0\0\0\0\0\0\0\1", 8);
	hs_export(a, "EXPORTER-x", NULL, 0, x, sizeof(x));
	hs_export(b, "EXPORTER-x", NULL, 0, y, sizeof(y));
	hs_export(b, "EXPORTER-x", (const uint8_t *)"", 0, z, sizeof(z));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_not_equal(y, z, sizeof(x));
}

static void both_done(const struct pair *p)
{
	const struct hs_result *c = hs_result(p->client), *s = hs_result(p->server);

	if (!c || !s)
		fail_msg("client: %s at %s; server: %s at %s", hs_why(p->client), hs_step_name(p->client),
			 hs_why(p->server), hs_step_name(p->server));
	same_keys(c, s);
	assert_int_equal(c->version, TLS12);
	assert_int_equal(s->version, TLS12);
	assert_int_equal(c->suite, s->suite);
	assert_int_equal(c->group, s->group);
	assert_int_equal(c->scheme, s->scheme);
	assert_int_equal(c->resumed, s->resumed);
	assert_true(c->peer_verified);
	assert_string_equal(s->server_name, "server.test");
	assert_int_equal(c->alpn_len, s->alpn_len);
	assert_memory_equal(c->alpn, s->alpn, c->alpn_len);
	assert_int_equal(hs_want(p->client) | hs_want(p->server), 0);
	assert_int_equal(hs_alert(p->client, NULL), -1);
}

/* The pair's next handshake, with what the client has kept of this one. */
static struct hs_ticket again(struct pair *p)
{
	struct hs_ticket t;

	assert_non_null(hs_result(p->client)->ticket);
	t = *hs_result(p->client)->ticket;
	pair_free(p);
	return t;
}

/* ---- everything that can be agreed */

struct choice {
	size_t kind, cipher;
	uint16_t group;
	int auth;		/* 0 none, 1 asked for, 2 required and given */
	bool alpn;
};

static uint16_t suite_of(const struct choice *o)
{
	static const uint16_t ecdsa[] = { 0xc02b, 0xc02c, 0xcca9 }, rsa[] = { 0xc02f, 0xc030, 0xcca8 };
	static const uint16_t dhe[] = { 0x9e, 0x9f, 0xccaa };

	if (o->group >= 256)
		return dhe[o->cipher];
	return o->kind == RSA || o->kind == RSAPSS ? rsa[o->cipher] : ecdsa[o->cipher];
}

static void check_results(const struct pair *p, const struct choice *o, bool resumed)
{
	const struct hs_result *c = hs_result(p->client), *s = hs_result(p->server);

	both_done(p);
	assert_int_equal(c->suite, suite_of(o));
	assert_int_equal(c->resumed, resumed);
	assert_int_equal(c->group, resumed ? 0 : o->group);
	assert_int_equal(c->peer_num, !resumed);
	assert_int_equal(s->peer_num, o->auth == 2 && !resumed);
	assert_int_equal(s->peer_verified, o->auth == 2);
	assert_int_equal(s->who.known, o->auth == 2);
	assert_true(c->who.verified);
	assert_string_equal(c->who.name, "server.test");
	assert_int_equal(c->alpn_len, o->alpn ? 2 : 0);
	assert_ptr_equal(s->identity, &ids[o->kind].id);
}

static void check_one(const struct choice *o)
{
	struct pair p = pair_for(o->kind);
	struct hs_ticket ticket;

	p.cp.groups = p.sp.groups = &o->group;
	p.cp.groups_num = p.sp.groups_num = 1;
	p.cp.ciphers = &ciphers[o->cipher];
	p.cp.ciphers_num = 1;
	p.cp.tickets = p.sp.tickets = 1;
	p.sp.client_auth = o->auth == 2 ? HS_AUTH_REQUIRE : o->auth ? HS_AUTH_ASK : HS_AUTH_NONE;
	p.cp.identity = o->auth == 2 ? &ids[o->kind].id : NULL;
	if (o->alpn) {
		p.cp.alpn = p.sp.alpn = (const uint8_t *)"\2h2";
		p.cp.alpn_len = p.sp.alpn_len = 3;
	}
	test_waits = 0;
	pair_run(&p);
	assert_int_equal(test_waits, 1);
	check_results(&p, o, false);
	ticket = again(&p);
	p.cp.ticket = &ticket;
	pair_run(&p);
	check_results(&p, o, true);
	ticket = again(&p);
	pair_free(&p);
}

static void every_combination(void **state)
{
	const size_t total = ARRAY_SIZE(kinds) * ARRAY_SIZE(ciphers) * ARRAY_SIZE(curves) * 3;

	(void)state;
	for (size_t n = 0, i = 0; n < total; i = ++n) {
		struct choice o = { .alpn = n % 2 };

		o.auth = i % 3, i /= 3;
		o.kind = i % ARRAY_SIZE(kinds), i /= ARRAY_SIZE(kinds);
		o.cipher = i % ARRAY_SIZE(ciphers), i /= ARRAY_SIZE(ciphers);
		o.group = curves[i];
		check_one(&o);
	}
	print_message("             %zu handshakes\n", 2 * total);
}

static void finite_fields_by_configuration(void **state)
{
	struct pair p = pair_for(RSA);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields) * ARRAY_SIZE(ciphers); i++)
		check_one(&(struct choice){ .kind = RSA, .cipher = i % 3, .group = fields[i / 3], .auth = 2 });
	p.cp.groups = &fields[0];
	p.cp.groups_num = 1;
	pair_run(&p);
	assert_int_equal(hs_alert(p.server, NULL), ALERT_HANDSHAKE_FAILURE);
	pair_free(&p);
}

/* Without being told: TLS 1.3 if both have it, TLS 1.2 if one has no more, and nothing less than what is allowed. */
static void versions(void **state)
{
	static const struct { uint16_t client_min, client_max, server_min, server_max, got; int alert; } t[] = {
		{ 0, 0, 0, 0, TLS13, -1 }, { 0, TLS12, 0, 0, TLS12, -1 }, { 0, 0, 0, TLS12, TLS12, -1 },
		{ TLS12, TLS12, TLS12, TLS12, TLS12, -1 }, { TLS13, 0, 0, 0, TLS13, -1 },
		{ 0, TLS12, TLS13, 0, 0, ALERT_PROTOCOL_VERSION }, { TLS13, 0, 0, TLS12, 0, ALERT_PROTOCOL_VERSION },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pair p = pair_for(P256);

		p.cp.min_version = t[i].client_min;
		p.cp.max_version = t[i].client_max;
		p.sp.min_version = t[i].server_min;
		p.sp.max_version = t[i].server_max;
		pair_run(&p);
		assert_int_equal(hs_alert(p.client, NULL), t[i].alert);
		assert_int_equal(hs_alert(p.server, NULL), t[i].alert);
		if (t[i].got)
			assert_int_equal(hs_result(p.client)->version, t[i].got);
		pair_free(&p);
	}
}

/* The suite follows from the key, and the key from what the client can verify. */
static int choose_first_fit(void *arg, const char *name, const uint16_t *schemes, size_t num,
			    const struct identity **ret, const char **why)
{
	static const int order[] = { P256, RSA };

	(void)arg;
	(void)name;
	for (size_t i = 0; i < num; i++)
		for (size_t k = 0; k < ARRAY_SIZE(order); k++)
			if (crypto_scheme_fits(crypto_scheme_find(schemes[i]), ids[order[k]].id.key_type, 2048)) {
				*ret = &ids[order[k]].id;
				return 0;
			}
	*why = "no identity fits";
	return ALERT_HANDSHAKE_FAILURE;
}

static void only_suites(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	uint8_t *list = buf + 5 + 4 + 34 + 1 + buf[5 + 38];
	size_t num;

	(void)from;
	if (p->round)
		return;
	num = (size_t)(list[0] << 8 | list[1]);
	assert_true(*len > num);
	for (size_t i = 2; i < 2 + num; i += 2)
		if (memcmp(list + i, p->arg, 2))
			memcpy(list + i, "\x99\x99", 2);
}

static void the_clients_suites_choose_the_key(void **state)
{
	static const struct { const char *suite; int kind; } t[] = { { "\xc0\x2f", RSA }, { "\xc0\x2b", P256 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pair p = pair_for(t[i].kind);

		p.sp.choose = choose_first_fit;
		p.meddle = only_suites;
		p.arg = (void *)t[i].suite;
		pair_run(&p);
		/* The hello was changed on the way: the master secrets differ. */
		assert_int_equal(hs_alert(p.server, NULL), ALERT_BAD_RECORD_MAC);
		assert_ptr_equal(p.server->result.identity, &ids[t[i].kind].id);
		pair_free(&p);
	}
}

static void the_server_prefers(void **state)
{
	static const uint16_t order[] = { 54, 52, 51 };
	struct pair p = pair_for(RSA);

	(void)state;
	p.sp.ciphers = order;
	p.sp.ciphers_num = 3;
	pair_run(&p);
	both_done(&p);
	assert_int_equal(hs_result(p.client)->suite, 0xcca8);
	assert_int_equal(hs_result(p.client)->scheme, 0x0804);
	pair_free(&p);
}

/* A profile without RSA asks for no such certificate, and takes none. */
static void look_at_request(struct pair *p, struct hs *to)
{
	static const uint8_t wanted[] = { HS_CERTIFICATE_REQUEST, 0, 0, 10, 1, 64, 0, 4, 4, 3, 8, 7, 0, 0 };

	if (to == p->client && memmem(to->in.p, to->in.len, wanted, sizeof(wanted)))
		p->arg = &ids[RSA];
}

static void only_the_schemes_of_the_profile(void **state)
{
	static const uint16_t schemes[] = { 0x0403, 0x0807 };
	static const struct { int kind, alert; } t[] = { { P256, -1 }, { ED25519, -1 }, { RSA, 40 }, { P384, 40 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pair p = pair_for(P256);

		p.sp.schemes = schemes;
		p.sp.schemes_num = ARRAY_SIZE(schemes);
		p.sp.client_auth = HS_AUTH_REQUIRE;
		p.cp.identity = &ids[t[i].kind].id;
		p.client_id = &ids[t[i].kind];
		p.edit = look_at_request;
		pair_run(&p);
		assert_ptr_equal(p.arg, &ids[RSA]);
		assert_int_equal(hs_alert(p.server, NULL), t[i].alert);
		assert_int_equal(hs_alert(p.client, NULL), t[i].alert);
		pair_free(&p);
	}
}

/* ---- sessions */

static void first_one(struct pair *p, struct hs_ticket *t)
{
	p->cp.tickets = p->sp.tickets = 1;
	pair_run(p);
	both_done(p);
	*t = again(p);
	p->cp.ticket = t;
}

static void no_ticket_unasked(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct pair p = pair_for(P256);

		*(side ? &p.cp.tickets : &p.sp.tickets) = 1;
		pair_run(&p);
		both_done(&p);
		assert_null(hs_result(p.client)->ticket);
		pair_free(&p);
	}
}

/* What makes a full handshake of it; each changes one thing of the second connection. */
static void other_context(struct pair *p, struct hs_ticket *t) { (void)t; p->sp.ticket_context[0] ^= 1; }
static void other_data(struct pair *p, struct hs_ticket *t) { (void)p; t->data[40] ^= 1; }
static void other_alpn(struct pair *p, struct hs_ticket *t)
{
	(void)t;
	p->cp.alpn = p->sp.alpn = (const uint8_t *)"\2h3";
	p->cp.alpn_len = p->sp.alpn_len = 3;
}
static void too_old(struct pair *p, struct hs_ticket *t) { (void)t; p->cp.now += 3601; }
static void too_old_for_the_server(struct pair *p, struct hs_ticket *t) { (void)t; p->sp.now += 3601; }
static void not_verified(struct pair *p, struct hs_ticket *t) { (void)p; t->peer.verified = false; }
static void cipher_gone(struct pair *p, struct hs_ticket *t)
{
	(void)t;
	p->sp.ciphers = &ciphers[1];
	p->sp.ciphers_num = 1;
}
static void other_identity(struct pair *p, struct hs_ticket *t)
{
	(void)t;
	p->sp.arg = p->server_id = &ids[P384];
}
static void certificate_required(struct pair *p, struct hs_ticket *t)
{
	(void)t;
	p->sp.client_auth = HS_AUTH_REQUIRE;
	p->cp.identity = &ids[P256].id;
}
static void tls13(struct pair *p, struct hs_ticket *t) { (void)t; p->cp.max_version = p->sp.max_version = 0; }

static void what_makes_it_a_full_handshake(void **state)
{
	static void (*const changes[])(struct pair *, struct hs_ticket *) = {
		other_context, other_data, other_alpn, too_old, too_old_for_the_server, not_verified, cipher_gone,
		other_identity, certificate_required, tls13,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct pair p = pair_for(P256);
		struct hs_ticket t;

		first_one(&p, &t);
		changes[i](&p, &t);
		pair_run(&p);
		if (!hs_result(p.client) || !hs_result(p.server))
			fail_msg("change %zu: %s, %s", i, hs_why(p.client), hs_why(p.server));
		assert_false(hs_result(p.client)->resumed);
		assert_false(hs_result(p.server)->resumed);
		pair_free(&p);
	}
}

/* A ticket on a ticket ends when the first one would have. */
static void a_session_does_not_live_for_ever(void **state)
{
	struct pair p = pair_for(P256);
	struct hs_ticket t;

	(void)state;
	first_one(&p, &t);
	assert_int_equal(t.lifetime, 3600);
	p.cp.now = p.sp.now += 3000;
	pair_run(&p);
	both_done(&p);
	assert_true(hs_result(p.client)->resumed);
	t = again(&p);
	assert_int_equal(t.lifetime, 600);
	p.cp.now += 599;
	p.sp.now += 601;
	pair_run(&p);
	both_done(&p);
	assert_false(hs_result(p.client)->resumed);
	pair_free(&p);
}

/* A ticket of one version is none of the other's. */
/* ---- names of sessions, for who takes no ticket */

static struct session_slot slots[2];

static struct pair named_pair(size_t kind)
{
	struct pair p = pair_for(kind);

	memset(slots, 0, sizeof(slots));
	p.cp.tickets = 1;
	p.sp.sessions = slots;
	p.sp.sessions_num = ARRAY_SIZE(slots);
	return p;
}

/* Again and again by one name, which does not change. */
static void by_name(void **state)
{
	struct pair p = named_pair(P256);
	struct hs_ticket t, next;

	(void)state;
	p.cp.identity = &ids[P256].id;
	p.sp.client_auth = HS_AUTH_REQUIRE;
	pair_run(&p);
	both_done(&p);
	t = again(&p);
	assert_int_equal(t.session_id_len, 32);
	assert_int_equal(t.len, 0);
	for (int i = 0; i < 3; i++) {
		p.cp.ticket = &t;
		pair_run(&p);
		both_done(&p);
		assert_true(hs_result(p.client)->resumed);
		assert_true(hs_result(p.server)->who.verified);
		assert_string_equal(hs_result(p.server)->who.name, "server.test");
		next = again(&p);
		assert_memory_equal(next.session_id, t.session_id, 32);
		t = next;
	}
}

static void slot_lost(struct pair *p) { (void)p; memset(slots, 0, sizeof(slots)); }
static void slot_torn(struct pair *p) { (void)p; slots[0].data[50] ^= 1; slots[1].data[50] ^= 1; }
static void slot_long(struct pair *p) { (void)p; slots[0].len = slots[1].len = 60000; }
static void slot_short(struct pair *p) { (void)p; slots[0].len = slots[1].len = 20; }
static void name_too_old(struct pair *p) { p->sp.now += 3601; }
static void in_another_context(struct pair *p) { p->sp.ticket_context[0] ^= 1; }
static void of_other_keys(struct pair *p)
{
	static const struct hs_ticket_keys other = { .key = { { "game", "secret" } }, .num = 1 };

	p->sp.ticket_keys = &other;
}

static void names_that_are_no_use(void **state)
{
	static void (*const spoil[])(struct pair *) = {
		slot_lost, slot_torn, slot_long, slot_short, name_too_old, in_another_context, of_other_keys,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		struct pair p = named_pair(P256);
		struct hs_ticket t;

		pair_run(&p);
		both_done(&p);
		t = again(&p);
		p.cp.ticket = &t;
		spoil[i](&p);
		pair_run(&p);
		both_done(&p);
		assert_false(hs_result(p.client)->resumed);
		pair_free(&p);
	}
}

/* Who takes a ticket gets no name: nothing is kept for it. And the memory has its bound. */
static void names_are_bounded(void **state)
{
	static const struct session_slot empty;
	struct pair p = named_pair(P256);
	uint8_t id[32] = { 0 }, out[TICKET_ROOM];
	size_t kept = 0;

	(void)state;
	p.sp.tickets = 1;
	pair_run(&p);
	both_done(&p);
	assert_int_equal(hs_result(p.client)->ticket->session_id_len, 0);
	assert_memory_equal(&slots[0], &empty, sizeof(empty));
	assert_memory_equal(&slots[1], &empty, sizeof(empty));
	pair_free(&p);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 100; i++) {
			id[0] = (uint8_t)i;
			if (!round)
				session_cache_put(slots, ARRAY_SIZE(slots), id, id, 10);
			else
				kept += session_cache_get(slots, ARRAY_SIZE(slots), id, 32, out) == 10;
		}
	assert_int_equal(kept, ARRAY_SIZE(slots));
	assert_int_equal(session_cache_get(slots, ARRAY_SIZE(slots), id, 31, out), 0);
	session_cache_put(slots, 0, id, id, 10);
	assert_int_equal(session_cache_get(slots, 0, id, 32, out), 0);
}

static void a_ticket_of_tls13(void **state)
{
	struct pair p = pair_for(P256);
	struct hs_ticket t;

	(void)state;
	first_one(&p, &t);
	t.suite = 0x1301;
	pair_run(&p);
	both_done(&p);
	assert_false(hs_result(p.client)->resumed);
	pair_free(&p);
}

/* ---- the wire */

static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 40; cut++)
		for (int resumed = 0; resumed < 2; resumed++) {
			struct pair p = pair_for(RSA);
			struct hs_ticket t;

			p.sp.client_auth = HS_AUTH_REQUIRE;
			p.cp.identity = &ids[RSA].id;
			if (resumed)
				first_one(&p, &t);
			p.cut = cut;
			pair_run(&p);
			both_done(&p);
			assert_int_equal(hs_result(p.client)->resumed, resumed);
			pair_free(&p);
		}
}

struct cutter {
	int nth;		/* of the messages that arrive, over both sides */
	size_t keep;		/* bytes of its body */
	int met;
	bool done;
	struct hs *victim;
};

static void shorten(struct pair *p, struct hs *to)
{
	struct cutter *c = p->arg;
	uint8_t *m = to->in.p;
	size_t left = to->in.len, body;

	for (; left >= 4; m += 4 + body, left -= 4 + body) {
		body = (size_t)(m[1] << 16 | m[2] << 8 | m[3]);
		if (c->met++ != c->nth || c->keep >= body)
			continue;
		m[1] = 0;
		m[2] = (uint8_t)(c->keep >> 8);
		m[3] = (uint8_t)c->keep;
		memmove(m + 4 + c->keep, m + 4 + body, left - 4 - body);
		to->in.len -= body - c->keep;
		c->done = true;
		c->victim = to;
		return;
	}
}

/* Shortened to @keep bytes: refused, or too short to be noticed. False: there is nothing to shorten. */
static bool check_shortened(struct cutter *c)
{
	struct pair p = pair_for(ED25519);

	p.cp.tickets = p.sp.tickets = 1;
	p.sp.client_auth = HS_AUTH_REQUIRE;
	p.cp.identity = &ids[ED25519].id;
	p.edit = shorten;
	p.arg = c;
	c->met = 0;
	c->done = false;
	pair_run(&p);
	if (c->done && hs_result(p.client) && hs_result(p.server))
		fail_msg("message %d with %zu bytes was accepted", c->nth, c->keep);
	if (c->done && hs_state(p.client) != HS_FAILED && hs_state(p.server) != HS_FAILED)
		fail_msg("message %d with %zu bytes was not refused", c->nth, c->keep);
	pair_free(&p);
	return c->done;
}

static void every_message_cut_short(void **state)
{
	size_t n = 0, messages = 0;

	(void)state;
	for (int nth = 0; nth < 20; nth++) {
		struct cutter c = { .nth = nth };

		while (check_shortened(&c)) {
			c.keep++;
			n++;
		}
		messages += c.keep > 0;
	}
	/* All thirteen but ServerHelloDone, which has nothing to lose. */
	assert_int_equal(messages, 11);
	print_message("             %zu messages, %zu handshakes\n", messages, n);
}

static void hello_requests_are_passed_over(struct pair *p, struct hs *to)
{
	static const uint8_t request[4] = { HS_HELLO_REQUEST };
	uint8_t rest[8192];
	size_t len = to->in.len;

	if (to != p->client)
		return;
	assert_true(len < sizeof(rest));
	memcpy(rest, to->in.p, len);
	gbuf_drop(&to->in, len);
	assert_true(gbuf_add(&to->in, request, 4) && gbuf_add(&to->in, request, 4) && gbuf_add(&to->in, rest, len));
}

static void asked_for_what_goes_on(void **state)
{
	struct pair p = pair_for(P256);

	(void)state;
	p.edit = hello_requests_are_passed_over;
	pair_run(&p);
	both_done(&p);
	pair_free(&p);
}

/* ---- memory that runs out */

static long allocations_left = -1;

static bool out_of_memory(void)
{
	return allocations_left >= 0 && !allocations_left--;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_malloc(size_t size)
{
	return out_of_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return out_of_memory() ? NULL : __real_calloc(n, size);
}

/* GMP ends the process when it gets no memory: its numbers are left out of this. */
static void *number_alloc(size_t size)
{
	return __real_malloc(size);
}

static void *number_realloc(void *p, size_t old_size, size_t size)
{
	(void)old_size;
	return realloc(p, size);
}

static void number_free(void *p, size_t size)
{
	(void)size;
	free(p);
}

/* One handshake in which allocation number @nth fails. false: there were not so many. */
static bool with_failing_allocation(long nth)
{
	struct pair p = pair_for(P256);
	bool hit, done;

	p.cp.tickets = p.sp.tickets = 1;
	p.sp.client_auth = HS_AUTH_REQUIRE;
	p.cp.identity = &ids[P256].id;
	p.cp.role = HS_CLIENT;
	p.sp.role = HS_SERVER;
	allocations_left = nth;
	p.client = hs_new(&p.cp);
	p.server = hs_new(&p.sp);
	if (p.client && p.server) {
		hs_start(p.client);
		hs_start(p.server);
		pair_talk(&p);
	}
	hit = allocations_left < 0;
	allocations_left = -1;
	done = p.client && p.server && hs_result(p.client) && hs_result(p.server);
	if (!hit)
		both_done(&p);
	else if (!done && p.client && p.server)
		assert_true(hs_state(p.client) == HS_FAILED || hs_state(p.server) == HS_FAILED);
	pair_free(&p);
	return hit;
}

static void every_allocation_fails_once(void **state)
{
	long n = 0;

	(void)state;
	mp_set_memory_functions(number_alloc, number_realloc, number_free);
	while (with_failing_allocation(n))
		n++;
	assert_true(n > 20);
	print_message("             %ld allocations\n", n);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		test_identity_load(&ids[i], kinds[i]);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		test_identity_free(&ids[i]);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(finite_fields_by_configuration),
		cmocka_unit_test(versions),
		cmocka_unit_test(the_clients_suites_choose_the_key),
		cmocka_unit_test(the_server_prefers),
		cmocka_unit_test(only_the_schemes_of_the_profile),
		cmocka_unit_test(no_ticket_unasked),
		cmocka_unit_test(what_makes_it_a_full_handshake),
		cmocka_unit_test(a_session_does_not_live_for_ever),
		cmocka_unit_test(by_name),
		cmocka_unit_test(names_that_are_no_use),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(a_ticket_of_tls13),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(every_message_cut_short),
		cmocka_unit_test(asked_for_what_goes_on),
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
