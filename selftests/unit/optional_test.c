// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signature schemes that are off until a list names them: whole handshakes with
 * keys of theirs in both roles and versions, and what becomes of them where
 * only one side, or neither, has them on.
 */
#include <time.h>
#include "hs_pair.h"
#include "mldsa_pki.h"

static const struct kind {
	const char *name;
	uint16_t scheme, in12;	/* and its number in TLS 1.2, 0: not there */
} kinds[] = {
	{ "ed448", 0x0808, 0x0808 },
	{ "brainpool256", 0x081a, 0x0403 },
	{ "brainpool384", 0x081b, 0x0503 },
	{ "brainpool512", 0x081c, 0x0603 },
	{ "mldsa44", 0x0904, 0 },
	{ "mldsa65", 0x0905, 0 },
	{ "mldsa87", 0x0906, 0 },
};
static struct test_identity ids[ARRAY_SIZE(kinds)], usual;
static struct x509_store *trust;
static const uint16_t plain[] = { 0x0403 };

struct lists { uint16_t all[3]; };
static const uint16_t all_groups[] = { 29, 26, 27, 28 };	/* a client of TLS 1.2 says by it whose keys it takes */

static struct pair pair_for(size_t kind, uint16_t version, struct lists *l)
{
	struct pair p = {
		.client_id = &ids[kind], .server_id = &ids[kind],
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .rsa_min_bits = 2048,
			.max_version = version, .schemes_num = 3, .identity = &ids[kind].id,
			.groups = all_groups, .groups_num = ARRAY_SIZE(all_groups),
		},
		.sp = {
			.choose = test_choose, .arg = &ids[kind], .trust = trust, .now = time(NULL),
			.rsa_min_bits = 2048, .schemes_num = 3, .client_auth = HS_AUTH_REQUIRE,
		},
	};

	*l = (struct lists){ { kinds[kind].scheme, 0x0403, kinds[kind].in12 } };
	p.cp.schemes = p.sp.schemes = l->all;
	return p;
}

static void check_done(const struct pair *p, uint16_t version, uint16_t scheme)
{
	const struct hs_result *c = hs_result(p->client), *s = hs_result(p->server);

	if (!c || !s)
		fail_msg("client: %s at %s; server: %s at %s", hs_why(p->client), hs_step_name(p->client),
			 hs_why(p->server), hs_step_name(p->server));
	assert_int_equal(c->version, version);
	assert_int_equal(c->scheme, scheme);
	assert_int_equal(s->scheme, scheme);
	assert_true(c->peer_verified);
	assert_true(s->peer_verified);
	assert_memory_equal(c->tx.key, s->rx.key, c->aead->key);
}

/* This side's handshake ends with an alert, its own or the other's. */
static void ends(struct pair *p, enum hs_role who, int alert)
{
	pair_run(p);
	assert_int_equal(hs_alert(who == HS_SERVER ? p->server : p->client, NULL), alert);
	pair_free(p);
}

static void both_roles_and_versions(void **state)
{
	static const uint16_t versions[] = { TLS12, TLS13 };
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t v = kinds[i].in12 ? 0 : 1; v < ARRAY_SIZE(versions); v++) {
			struct pair p = pair_for(i, versions[v], &l);

			pair_run(&p);
			check_done(&p, versions[v], versions[v] == TLS12 ? kinds[i].in12 : kinds[i].scheme);
			pair_free(&p);
		}
}

/* The curve of the key has to be among the client's groups, and its kind on at both. */
static void tls12_wants_more(void **state)
{
	static const uint16_t x25519[] = { 29 };
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair p = pair_for(i, TLS12, &l);

		if (kinds[i].in12 == kinds[i].scheme || !kinds[i].in12)
			continue;
		p.cp.groups = x25519;
		p.cp.groups_num = 1;
		ends(&p, HS_SERVER, ALERT_HANDSHAKE_FAILURE);

		p = pair_for(i, TLS12, &l);
		p.cp.insecure = true;	/* else the chain is refused first */
		p.cp.identity = NULL;
		p.sp.client_auth = HS_AUTH_NONE;
		p.cp.schemes = l.all + 1;
		p.cp.schemes_num = 2;
		ends(&p, HS_CLIENT, ALERT_ILLEGAL_PARAMETER);
	}
}

/* ML-DSA is for TLS 1.3 alone. */
static void not_in_tls12(void **state)
{
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair p = pair_for(i, TLS12, &l);

		if (kinds[i].in12)
			continue;
		ends(&p, HS_SERVER, ALERT_HANDSHAKE_FAILURE);
	}
}

/* ---- groups */

static void brainpool_groups(void **state)
{
	static const struct { uint16_t version, client[2], server[2], group; bool retried; int alert; } t[] = {
		{ TLS13, { 31, 29 }, { 31, 29 }, 31, false, -1 }, { TLS13, { 32, 29 }, { 32, 29 }, 32, false, -1 },
		{ TLS13, { 33, 29 }, { 33, 29 }, 33, false, -1 }, { TLS13, { 29, 33 }, { 33, 33 }, 33, true, -1 },
		{ TLS12, { 26, 29 }, { 26, 29 }, 26, false, -1 }, { TLS12, { 27, 29 }, { 27, 29 }, 27, false, -1 },
		{ TLS12, { 28, 29 }, { 28, 29 }, 28, false, -1 },
		/* the other version's numbers are not there */
		{ TLS13, { 26, 29 }, { 26, 29 }, 29, false, -1 }, { TLS12, { 31, 29 }, { 31, 29 }, 29, false, -1 },
		{ TLS13, { 26, 28 }, { 26, 28 }, 0, false, ALERT_HANDSHAKE_FAILURE },
		{ TLS12, { 31, 29 }, { 31, 33 }, 0, false, ALERT_HANDSHAKE_FAILURE },
	};
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pair p = pair_for(0, t[i].version, &l);

		p.cp.groups = t[i].client;
		p.sp.groups = t[i].server;
		p.cp.groups_num = p.sp.groups_num = 2;
		pair_run(&p);
		assert_int_equal(hs_alert(p.server, NULL), t[i].alert);
		if (t[i].group) {
			check_done(&p, t[i].version, 0x0808);
			assert_int_equal(hs_result(p.client)->group, t[i].group);
			assert_int_equal(hs_result(p.client)->retried, t[i].retried);
		}
		pair_free(&p);
	}
}

/* Byte by byte, as the rest of the engine's messages are. */
static void cut_into_pieces(void **state)
{
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair p = pair_for(i, TLS13, &l);

		p.cut = 1;
		pair_run(&p);
		check_done(&p, TLS13, kinds[i].scheme);
		pair_free(&p);
	}
}

/* A ClientHello names none of them. */
static void look_at_hello(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	if (from != p->client || p->round)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const uint8_t id[] = { kinds[i].scheme >> 8, kinds[i].scheme & 0xff };

		for (size_t at = 0; at + 1 < *len; at++)
			if (!memcmp(buf + at, "\0\x0d", 2) && at + 6 < *len)
				for (size_t k = at + 6; k < at + 6 + buf[at + 5] && k + 1 < *len; k += 2)
					assert_memory_not_equal(buf + k, id, 2);
	}
	p->arg = p;
}

static void off_unless_named(void **state)
{
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair p = pair_for(i, TLS13, &l);

		p.cp.schemes = NULL;
		p.cp.identity = NULL;
		p.sp.client_auth = HS_AUTH_NONE;
		p.meddle = look_at_hello;
		pair_run(&p);
		assert_ptr_equal(p.arg, &p);
		assert_int_equal(hs_alert(p.server, NULL), ALERT_HANDSHAKE_FAILURE);
		pair_free(&p);

		p = pair_for(i, TLS13, &l);
		p.sp.schemes = NULL;
		ends(&p, HS_SERVER, ALERT_HANDSHAKE_FAILURE);
	}
}

/* The client's engine is lied to by its server: it signs what was not offered. */
static void signed_unasked(void **state)
{
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (int trusting = 0; trusting < 2; trusting++) {
			struct pair p = pair_for(i, TLS13, &l);

			p.sp.client_auth = HS_AUTH_NONE;
			p.cp.identity = NULL;
			p.cp.insecure = trusting;
			pair_new(&p);
			hs_start(p.client);
			hs_start(p.server);
			carry(&p, p.client, p.server);
			p.cp.schemes = plain;	/* the hello is away */
			p.cp.schemes_num = 1;
			pair_talk(&p);
			assert_int_equal(hs_alert(p.client, NULL),
					 trusting ? ALERT_ILLEGAL_PARAMETER : ALERT_UNSUPPORTED_CERTIFICATE);
			pair_free(&p);
		}
}

static void a_wrong_signature(void **state)
{
	static const uint16_t versions[] = { TLS12, TLS13 };
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t v = kinds[i].in12 ? 0 : 1; v < ARRAY_SIZE(versions); v++) {
			struct pair p = pair_for(i, versions[v], &l);
			struct test_identity other = ids[i];
			char path[64];
			size_t len;
			char *text;

			snprintf(path, sizeof(path), PKI "%s-other.key", kinds[i].name);
			text = test_read(path, &len);
			assert_int_equal(crypto_key_load((const uint8_t *)text, len, &other.key), 0);
			free(text);
			p.server_id = &other;
			pair_run(&p);
			assert_int_equal(hs_alert(p.client, NULL), ALERT_DECRYPT_ERROR);
			crypto_key_free(other.key);
			pair_free(&p);
		}
}

/* The key is of one kind, the scheme named of another. */
static void another_kinds_scheme(void **state)
{
	struct lists l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair p = pair_for(i, TLS13, &l);
		struct test_identity lie = ids[i];

		p.sp.client_auth = HS_AUTH_NONE;
		p.cp.identity = NULL;
		lie.id.key_type = usual.id.key_type;
		lie.id.key_bits = usual.id.key_bits;
		p.sp.arg = &lie;
		p.server_id = &usual;
		ends(&p, HS_CLIENT, ALERT_ILLEGAL_PARAMETER);
	}
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct mldsa *p = mldsa_of(crypto_scheme_find(kinds[i].scheme)->key);
		char path[64];

		if (p) {
			mldsa_pki(p, kinds[i].name);
			snprintf(path, sizeof(path), PKI "%s-ca.pem", kinds[i].name);
			assert_int_equal(x509_store_add_file(trust, path, &num), 0);
		}
		test_identity_load(&ids[i], kinds[i].name);
	}
	test_identity_load(&usual, "p256");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		test_identity_free(&ids[i]);
	test_identity_free(&usual);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_roles_and_versions),
		cmocka_unit_test(tls12_wants_more),
		cmocka_unit_test(not_in_tls12),
		cmocka_unit_test(brainpool_groups),
		cmocka_unit_test(cut_into_pieces),
		cmocka_unit_test(off_unless_named),
		cmocka_unit_test(signed_unasked),
		cmocka_unit_test(a_wrong_signature),
		cmocka_unit_test(another_kinds_scheme),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
