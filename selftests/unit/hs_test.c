// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole handshakes, client against server in one process: every combination
 * of what can be agreed, every cut of the wire, every message shortened at
 * every byte, and memory that runs out at every allocation.
 */
#include <gmp.h>
#include <time.h>
#include "hs_pair.h"

static struct x509_store *trust;
static struct test_identity ids[6];
static const char *const kinds[] = { "p256", "p384", "p521", "rsa", "rsapss", "ed25519" };
static const uint16_t ciphers[] = { 51, 52, 54 };	/* TLS_CIPHER_* */
static const uint8_t both_protocols[] = "\2h2\10http/1.1", one_protocol[] = "\10http/1.1";

enum exchange { X25519, P256, RETRY };

static struct pair pair_for(size_t kind, enum exchange exchange)
{
	static const uint16_t client[][2] = { { 29, 23 }, { 23, 29 }, { 29, 23 } };
	static const uint16_t server[][2] = { { 29, 23 }, { 29, 23 }, { 23, 0 } };
	struct pair p = {
		.client_id = &ids[kind], .server_id = &ids[kind],
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true,
			.rsa_min_bits = 2048, .groups = client[exchange], .groups_num = 2,
		},
		.sp = {
			.choose = test_choose, .prepare = test_prepare, .arg = &ids[kind], .trust = trust, .now = time(NULL),
			.rsa_min_bits = 2048, .groups = server[exchange], .groups_num = 2,
		},
	};

	return p;
}

static void same_keys(const struct hs_result *a, const struct hs_result *b)
{
	size_t key = a->aead->key, hash = a->hash->size;

	assert_memory_equal(a->tx.key, b->rx.key, key);
	assert_memory_equal(a->tx.iv, b->rx.iv, 12);
	assert_memory_equal(a->tx.secret, b->rx.secret, hash);
	assert_memory_equal(a->rx.key, b->tx.key, key);
	assert_memory_equal(a->rx.iv, b->tx.iv, 12);
	assert_memory_equal(a->rx.secret, b->tx.secret, hash);
	assert_memory_equal(a->exporter, b->exporter, hash);
	assert_memory_equal(a->resumption, b->resumption, hash);
	assert_memory_not_equal(a->tx.key, a->rx.key, key);
	assert_int_equal(a->tx.seq | a->rx.seq | b->tx.seq | b->rx.seq, 0);
}

static void both_done(const struct pair *p)
{
	const struct hs_result *c = hs_result(p->client), *s = hs_result(p->server);

	if (!c || !s)
		fail_msg("client: %s at %s; server: %s at %s", hs_why(p->client), hs_step_name(p->client),
			 hs_why(p->server), hs_step_name(p->server));
	same_keys(c, s);
	assert_int_equal(c->version, 0x0304);
	assert_int_equal(c->suite, s->suite);
	assert_int_equal(c->group, s->group);
	assert_int_equal(c->scheme, s->scheme);
	assert_int_equal(c->retried, s->retried);
	assert_true(c->peer_verified);
	assert_string_equal(s->server_name, "server.test");
	assert_int_equal(c->alpn_len, s->alpn_len);
	assert_memory_equal(c->alpn, s->alpn, c->alpn_len);
	assert_int_equal(hs_want(p->client) | hs_want(p->server), 0);
	assert_int_equal(hs_alert(p->client, NULL), -1);
	assert_string_equal(hs_step_name(p->client), "done");
}

/* ---- everything that can be agreed */

static const uint16_t every_group[] = { 4588, 29, 23, 24, 25, 30, 256, 257, 258 };

struct choice {
	size_t kind, cipher;
	uint16_t group;
	bool retry;
	int auth;		/* 0 none, 1 asked for, 2 required and given */
	bool alpn;
};

static void check_one(const struct choice *o)
{
	const uint16_t other = o->group == 29 ? 23 : 29;
	const uint16_t client[] = { o->retry ? other : o->group, o->retry ? o->group : other };
	struct pair p = pair_for(o->kind, X25519);
	size_t kind = o->kind, cipher = o->cipher;
	const struct hs_result *c, *s;
	int auth = o->auth;
	bool alpn = o->alpn;

	p.cp.groups = client;
	p.sp.groups = &o->group;
	p.sp.groups_num = 1;

	p.cp.ciphers = &ciphers[cipher];
	p.cp.ciphers_num = 1;
	p.sp.client_auth = auth == 2 ? HS_AUTH_REQUIRE : auth ? HS_AUTH_ASK : HS_AUTH_NONE;
	p.cp.identity = auth == 2 ? &ids[kind].id : NULL;
	if (alpn) {
		p.cp.alpn = both_protocols;
		p.cp.alpn_len = sizeof(both_protocols) - 1;
		p.sp.alpn = one_protocol;
		p.sp.alpn_len = sizeof(one_protocol) - 1;
	}
	test_waits = 0;
	pair_run(&p);
	both_done(&p);
	assert_int_equal(test_waits, 1u + o->retry);
	c = hs_result(p.client);
	s = hs_result(p.server);
	assert_int_equal(c->aead->tls_cipher, ciphers[cipher]);
	assert_int_equal(c->group, o->group);
	assert_int_equal(c->retried, o->retry);
	assert_int_equal(c->peer_num, 1);
	assert_int_equal(s->peer_num, auth == 2);
	assert_int_equal(s->peer_verified, auth == 2);
	assert_int_equal(c->alpn_len, alpn ? 8 : 0);
	assert_ptr_equal(s->identity, &ids[kind].id);
	assert_ptr_equal(c->identity, auth == 2 ? &ids[kind].id : NULL);
	pair_free(&p);
}

static void every_combination(void **state)
{
	const size_t total = ARRAY_SIZE(kinds) * ARRAY_SIZE(ciphers) * ARRAY_SIZE(every_group) * 2 * 3;

	(void)state;
	for (size_t n = 0, i = 0; n < total; i = ++n) {
		struct choice o = { .alpn = n % 2 };

		o.auth = i % 3, i /= 3;
		o.kind = i % ARRAY_SIZE(kinds), i /= ARRAY_SIZE(kinds);
		o.cipher = i % ARRAY_SIZE(ciphers), i /= ARRAY_SIZE(ciphers);
		o.retry = i % 2, i /= 2;
		o.group = every_group[i];
		check_one(&o);
	}
	print_message("             %zu handshakes\n", total);
}

/* What both sides do by default, and what it costs to meet a server that is older or wants something else. */
static void groups_by_default(void **state)
{
	static const struct { uint16_t server, group; bool retried; } t[] = {
		{ 0, 4588, false }, { 29, 29, false }, { 4588, 4588, false }, { 23, 23, true }, { 25, 25, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pair p = pair_for(0, X25519);

		p.cp.groups = NULL;
		p.sp.groups = t[i].server ? &t[i].server : NULL;
		p.sp.groups_num = 1;
		pair_run(&p);
		both_done(&p);
		assert_int_equal(hs_result(p.client)->group, t[i].group);
		assert_int_equal(hs_result(p.client)->retried, t[i].retried);
		pair_free(&p);
	}
}

/* Only who asks for them gets those that are not for everyone. */
static void groups_by_configuration_only(void **state)
{
	static const uint16_t rare[] = { 30, 256, 257, 258 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rare); i++) {
		struct pair p = pair_for(0, X25519);

		p.cp.groups = &rare[i];
		p.cp.groups_num = 1;
		p.sp.groups = NULL;
		pair_run(&p);
		assert_int_equal(hs_alert(p.server, NULL), ALERT_HANDSHAKE_FAILURE);
		pair_free(&p);
	}
}

static void the_server_prefers(void **state)
{
	static const uint16_t order[] = { 54, 52, 51 };
	struct pair p = pair_for(0, X25519);

	(void)state;
	p.sp.ciphers = order;
	p.sp.ciphers_num = 3;
	p.cp.alpn = p.sp.alpn = both_protocols;
	p.cp.alpn_len = p.sp.alpn_len = sizeof(both_protocols) - 1;
	p.cp.shares = 2;
	pair_run(&p);
	both_done(&p);
	assert_int_equal(hs_result(p.client)->suite, 0x1303);
	assert_memory_equal(hs_result(p.client)->alpn, "h2", 2);
	pair_free(&p);
}

/* A share that is there beats a group that is wanted more and costs a retry. */
static void no_retry_without_need(void **state)
{
	static const uint16_t client[] = { 23, 29 }, server[] = { 29, 23 };
	struct pair p = pair_for(0, X25519);

	(void)state;
	p.cp.groups = client;
	p.sp.groups = server;
	pair_run(&p);
	both_done(&p);
	assert_int_equal(hs_result(p.client)->group, 23);
	assert_false(hs_result(p.client)->retried);
	pair_free(&p);
}

static void compatibility_mode(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	int *seen = p->arg;

	for (size_t at = 0; at + 5 <= *len; at += 5u + (size_t)(buf[at + 3] << 8 | buf[at + 4])) {
		if (at == 0 && p->round == 0)
			assert_int_equal(buf[2], 1);	/* 0x0301 in front of the first ClientHello only */
		else
			assert_int_equal(buf[at + 2], 3);
		if (buf[at] == 20)
			seen[from == p->server]++;
	}
}

static void ccs_only_in_compatibility_mode(void **state)
{
	(void)state;
	for (int on = 0; on < 2; on++)
		for (enum exchange e = X25519; e <= RETRY; e++) {
			struct pair p = pair_for(0, e);
			int seen[2] = { 0 };

			p.cp.compatibility = on;
			p.meddle = compatibility_mode;
			p.arg = seen;
			pair_run(&p);
			both_done(&p);
			assert_int_equal(seen[0], on);
			assert_int_equal(seen[1], on);
			pair_free(&p);
		}
}

static void an_address_is_verified_but_not_sent(void **state)
{
	struct pair p = pair_for(0, X25519);

	(void)state;
	p.cp.server_name = "127.0.0.1";
	pair_run(&p);
	assert_non_null(hs_result(p.client));
	assert_true(hs_result(p.client)->peer_verified);
	assert_string_equal(hs_result(p.server)->server_name, "");
	pair_free(&p);
}

static void nobody_is_trusted_without_trust(void **state)
{
	struct pair p = pair_for(0, X25519);

	(void)state;
	p.cp.trust = NULL;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_UNKNOWN_CA);
	pair_free(&p);
	p.cp.insecure = true;
	pair_run(&p);
	assert_non_null(hs_result(p.client));
	assert_false(hs_result(p.client)->peer_verified);
	pair_free(&p);
}

static void keys_of_the_next_generation(void **state)
{
	struct pair p = pair_for(0, X25519);
	struct hs_traffic tx, rx, first;
	uint8_t want[32];
	const struct hs_result *c;

	(void)state;
	pair_run(&p);
	both_done(&p);
	c = hs_result(p.client);
	first = tx = c->tx;
	rx = hs_result(p.server)->rx;
	tx.seq = 99;
	hs_traffic_update(&tx, c->hash, c->aead);
	hs_traffic_update(&rx, c->hash, c->aead);
	assert_memory_equal(&tx, &rx, sizeof(tx));
	assert_int_equal(tx.seq, 0);
	/* HKDF-Expand-Label spelled out: length 32, "tls13 traffic upd", no context. */
	crypto_hkdf_expand(&crypto_sha256, first.secret, "\0\x20\x11tls13 traffic upd", 21, want, 32);
	assert_memory_equal(tx.secret, want, 32);
	assert_memory_not_equal(tx.key, first.key, c->aead->key);
	assert_memory_not_equal(tx.secret, first.secret, c->hash->size);
	pair_free(&p);
}

/* The second ClientHello is the first one and the cookie, nothing else. */
static void a_cookie_alone_repeats_the_hello(void **state)
{
	static const uint8_t cookie[] = { 0, 44, 0, 5, 0, 3, 'a', 'b', 'c' };
	uint8_t hrr[5 + 4 + 2 + 32 + 1 + 3 + 2 + 6 + sizeof(cookie)] = { 22, 3, 3, 0, sizeof(hrr) - 5, 2, 0, 0,
									sizeof(hrr) - 9, 3, 3 };
	uint8_t first[1024], *tail = hrr + 5 + 4 + 2 + 32;
	struct pair p = pair_for(0, X25519);
	const uint8_t *out;
	size_t len, n;

	(void)state;
	p.cp.compatibility = false;
	pair_new(&p);
	hs_start(p.client);
	out = hs_output(p.client, &n);
	memcpy(first, out, n);
	hs_sent(p.client, n);
	crypto_hash_once(&crypto_sha256, "HelloRetryRequest", 17, hrr + 11);
	memcpy(tail, (uint8_t[]){ 0, 0x13, 1, 0, 0, 6 + sizeof(cookie), 0, 43, 0, 2, 3, 4 }, 12);
	memcpy(tail + 12, cookie, sizeof(cookie));
	assert_int_equal(feed(&p, p.client, hrr, sizeof(hrr)), 0);
	out = hs_output(p.client, &len);
	assert_int_equal(len, n + sizeof(cookie));
	/* random, ciphers; and the key share somewhere behind */
	assert_memory_equal(out + 9, first + 9, 2 + 32 + 1 + 8 + 2);
	assert_non_null(memmem(out, len, cookie, sizeof(cookie)));
	assert_non_null(memmem(out, len, p.client->offered_shares.p, p.client->offered_shares.len));
	assert_non_null(memmem(first, n, p.client->offered_shares.p, p.client->offered_shares.len));
	pair_free(&p);
}

/* ---- every cut */

static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 64; cut++) {
		struct pair p = pair_for(0, RETRY);

		if (cut % 2)
			p.cp.groups = p.sp.groups = NULL;
		p.cut = cut;
		p.sp.client_auth = HS_AUTH_REQUIRE;
		p.cp.identity = &ids[0].id;
		pair_run(&p);
		both_done(&p);
		pair_free(&p);
	}
}

/* What follows the handshake is the kernel's: not one byte of it is asked for. */
static void nothing_is_read_behind_the_handshake(void **state)
{
	struct pair p = pair_for(0, X25519);
	uint8_t wire[4096];
	const uint8_t *out;
	size_t len, total = 0, n;

	(void)state;
	pair_new(&p);
	hs_start(p.client);
	hs_start(p.server);
	carry(&p, p.client, p.server);
	carry(&p, p.server, p.client);
	out = hs_output(p.client, &len);
	memcpy(wire, out, len);
	memset(wire + len, 0x17, 100);		/* application data on its heels */
	while ((n = hs_want(p.server)) > 0) {
		assert_int_equal(hs_input(p.server, wire + total, n), 0);
		total += n;
	}
	assert_int_equal(total, len);
	both_done(&p);
	assert_int_equal(hs_input(p.server, wire, 1), -EINVAL);
	pair_free(&p);
}

/* One message in several records, and several in one. */
static void rerecord(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	size_t piece = (size_t)(uintptr_t)p->arg, body, at = 0, n;
	uint8_t out[16384];

	if (p->round || from != p->client)
		return;
	body = *len - 5;
	for (size_t done = 0; done < body; done += n) {
		n = body - done < piece ? body - done : piece;
		memcpy(out + at, (uint8_t[]){ 22, 3, 1, (uint8_t)(n >> 8), (uint8_t)n }, 5);
		memcpy(out + at + 5, buf + 5 + done, n);
		at += 5 + n;
	}
	memcpy(buf, out, at);
	*len = at;
}

static void a_hello_in_many_records(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 1600; piece += piece < 300 ? 7 : 100) {
		struct pair p = pair_for(0, X25519);

		p.cp.groups = p.sp.groups = NULL;	/* the hello is longer than a segment then */
		p.meddle = rerecord;
		p.arg = (void *)(uintptr_t)piece;
		pair_run(&p);
		both_done(&p);
		pair_free(&p);
	}
}

/* ---- every message shortened */

struct cutter {
	int nth;		/* of the messages that arrive, over both sides */
	size_t keep;		/* bytes of its body */
	int met;
	bool done;
	size_t body;		/* what it had */
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
		c->body = body;
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

static void every_message_cut_short(void **state)
{
	size_t n = 0, messages = 0;

	(void)state;
	for (int nth = 0; ; nth++) {
		struct cutter c = { .nth = nth };
		bool any = false;

		for (c.keep = 0; ; c.keep++, n++) {
			struct pair p = pair_for(5, RETRY);

			p.cp.alpn = p.sp.alpn = one_protocol;
			p.cp.alpn_len = p.sp.alpn_len = sizeof(one_protocol) - 1;
			p.sp.client_auth = HS_AUTH_REQUIRE;
			p.cp.identity = &ids[5].id;
			p.edit = shorten;
			p.arg = &c;
			c.met = 0;
			c.done = false;
			pair_run(&p);
			if (c.done && (hs_state(c.victim) != HS_FAILED || hs_alert(c.victim, NULL) <= 0))
				fail_msg("message %d with %zu bytes of %zu was accepted", nth, c.keep, c.body);
			any |= c.done;
			pair_free(&p);
			if (!c.done)
				break;
		}
		if (!any)
			break;
		messages++;
	}
	assert_int_equal(messages, 12);
	print_message("             %zu messages, %zu handshakes\n", messages, n);
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
	struct pair p = pair_for(0, RETRY);
	bool hit, done;

	p.sp.client_auth = HS_AUTH_REQUIRE;
	p.cp.identity = &ids[0].id;
	p.cp.alpn = p.sp.alpn = one_protocol;
	p.cp.alpn_len = p.sp.alpn_len = sizeof(one_protocol) - 1;
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

/* ---- signatures that do not come */

static void the_keeper_refuses(void **state)
{
	struct pair p = pair_for(0, X25519);
	enum hs_alert_from from;
	size_t len;

	(void)state;
	p.sp.prepare = NULL;
	pair_new(&p);
	hs_start(p.client);
	hs_output(p.client, &len);
	while (len && hs_state(p.server) == HS_READ) {
		size_t n = hs_want(p.server);

		assert_int_equal(hs_input(p.server, hs_output(p.client, &len), n), 0);
		hs_sent(p.client, n);
	}
	assert_int_equal(hs_state(p.server), HS_SIGN);
	assert_int_equal(hs_want(p.server), 0);
	assert_string_equal(hs_step_name(p.server), "CertificateVerify");
	assert_int_equal(hs_sign_wanted(p.server)->len, 64 + 33 + 1 + 32);
	assert_memory_equal(hs_sign_wanted(p.server)->tbs + 64, "TLS 1.3, server CertificateVerify", 34);
	assert_int_equal(hs_signed(p.server, (uint8_t *)"", 0), -EINVAL);
	assert_int_equal(hs_abort(p.server, ALERT_INTERNAL_ERROR, "the keeper has gone"), ALERT_INTERNAL_ERROR);
	assert_int_equal(hs_state(p.server), HS_FAILED);
	assert_null(hs_sign_wanted(p.server));
	assert_int_equal(hs_abort(p.server, ALERT_INTERNAL_ERROR, "again"), -EINVAL);
	assert_int_equal(hs_input(p.server, NULL, 0), -EINVAL);
	pair_talk(&p);
	assert_int_equal(hs_alert(p.client, &from), ALERT_INTERNAL_ERROR);
	assert_int_equal(from, HS_ALERT_PEER);
	assert_string_equal(hs_why(p.server), "the keeper has gone");
	pair_free(&p);
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
		cmocka_unit_test(groups_by_default),
		cmocka_unit_test(groups_by_configuration_only),
		cmocka_unit_test(the_server_prefers),
		cmocka_unit_test(no_retry_without_need),
		cmocka_unit_test(ccs_only_in_compatibility_mode),
		cmocka_unit_test(an_address_is_verified_but_not_sent),
		cmocka_unit_test(nobody_is_trusted_without_trust),
		cmocka_unit_test(keys_of_the_next_generation),
		cmocka_unit_test(a_cookie_alone_repeats_the_hello),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(nothing_is_read_behind_the_handshake),
		cmocka_unit_test(a_hello_in_many_records),
		cmocka_unit_test(every_message_cut_short),
		cmocka_unit_test(every_allocation_fails_once),
		cmocka_unit_test(the_keeper_refuses),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
