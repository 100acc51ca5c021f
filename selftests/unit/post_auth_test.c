// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client authentication after the handshake: client against server, messages
 * without records, whole and in pieces, and everything that may be wrong with
 * them.
 */
#include <time.h>
#include "hs_message.h"
#include "no_memory.h"

static struct x509_store *trust, *other_trust;
static struct test_identity server_id, ids[3];
static const char *const kinds[] = { "p256", "rsa", "ed25519" };

/* A handshake, and what comes after it. */
struct after {
	struct pair p;
	struct hs_post client, server;
	struct hs *asked, *asking;	/* the client's, the server's */
};

static void after_handshake(struct after *a)
{
	static const uint16_t ciphers[] = { 52 };

	*a = (struct after){ .p = {
		.client_id = &ids[0], .server_id = &server_id,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .rsa_min_bits = 2048,
			.post_auth = true, .identity = &ids[0].id,
		},
		.sp = {
			.choose = test_choose, .arg = &server_id, .trust = trust, .now = time(NULL),
			.rsa_min_bits = 2048, .ciphers = ciphers, .ciphers_num = 1,
		},
	} };
	pair_run(&a->p);
	assert_true(hs_result(a->p.client) && hs_result(a->p.server));
	assert_true(hs_result(a->p.server)->post_auth && hs_result(a->p.client)->post_auth);
	assert_int_equal(hs_result(a->p.server)->peer_num, 0);
	hs_post_from(hs_result(a->p.client), HS_CLIENT, &a->client);
	hs_post_from(hs_result(a->p.server), HS_SERVER, &a->server);
	a->p.sp.client_auth = HS_AUTH_REQUIRE;
}

static void begin(struct after *a)
{
	a->asked = hs_post_new(&a->p.cp, &a->client);
	a->asking = hs_post_new(&a->p.sp, &a->server);
	assert_true(a->asked && a->asking);
	assert_int_equal(hs_start(a->asked), 0);
	assert_int_equal(hs_start(a->asking), 0);
}

static void end(struct after *a)
{
	hs_free(a->asked);
	hs_free(a->asking);
	pair_free(&a->p);
}

static int sign_for(struct after *a, struct hs *hs)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len = 0;

	assert_ptr_equal(s->identity, a->p.cp.identity);
	assert_int_equal(s->scheme->sign(a->p.client_id->key, s->scheme->hash, s->tbs, s->len, sig, &len), 0);
	return hs_signed(hs, sig, len);
}

/* What @from has to say, @cut bytes at a time; @to's verdict. */
static int say(struct after *a, struct hs *from, struct hs *to, size_t cut)
{
	size_t len, n, at;
	const uint8_t *out = hs_output(from, &len);
	uint8_t buf[65536];
	int err = 0;

	memcpy(buf, out, len);
	hs_sent(from, len);
	for (at = 0; at < len && !err; at += n) {
		n = cut && cut < len - at ? cut : len - at;
		err = hs_messages(to, buf + at, n);
		if (!err && hs_state(to) == HS_SIGN)
			err = sign_for(a, to);
	}
	return err;
}

static int talk(struct after *a, size_t cut)
{
	int err = say(a, a->asking, a->asked, cut);

	return err ? err : say(a, a->asked, a->asking, cut);
}

static void a_client_proves_who_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct hs_result *r;
		struct after a;

		after_handshake(&a);
		a.p.client_id = &ids[i];
		a.p.cp.identity = &ids[i].id;
		begin(&a);
		assert_int_equal(talk(&a, 0), 0);
		r = hs_result(a.asking);
		assert_non_null(r);
		assert_int_equal(hs_state(a.asked), HS_DONE);
		assert_true(r->peer_verified && r->who.verified && r->peer_num);
		assert_memory_equal(x509_cert_der(r->peer[0])->data, x509_cert_der(ids[i].id.chain[0])->data,
				    x509_cert_der(ids[i].id.chain[0])->len);
		end(&a);
	}
}

static void every_cut(void **state)
{
	struct after a;

	(void)state;
	after_handshake(&a);
	for (size_t cut = 1; cut < 200; cut++) {
		begin(&a);
		assert_int_equal(talk(&a, cut), 0);
		assert_true(hs_result(a.asking)->peer_verified);
		hs_free(a.asked);
		hs_free(a.asking);
	}
	a.asked = a.asking = NULL;
	end(&a);
}

/* Every time under another context, and the transcript of the handshake is still the one to begin with. */
static void it_may_be_asked_again(void **state)
{
	uint8_t context[POST_CONTEXT] = { 0 };
	struct after a;

	(void)state;
	after_handshake(&a);
	for (int i = 0; i < 3; i++) {
		begin(&a);
		assert_int_equal(a.asking->context_len, POST_CONTEXT);
		assert_memory_not_equal(context, a.asking->context, POST_CONTEXT);
		memcpy(context, a.asking->context, POST_CONTEXT);
		assert_int_equal(talk(&a, 0), 0);
		assert_memory_equal(context, a.asked->context, POST_CONTEXT);
		hs_free(a.asked);
		hs_free(a.asking);
	}
	a.asked = a.asking = NULL;
	end(&a);
}

static void compressed(void **state)
{
	struct after a;

	(void)state;
	after_handshake(&a);
	a.p.cp.compress = a.p.sp.compress = true;
	begin(&a);
	assert_int_equal(talk(&a, 0), 0);
	assert_true(hs_result(a.asking)->peer_verified);
	end(&a);
}

/* Finished is keyed by the client's newest secret: both follow a KeyUpdate, or neither. */
static void after_a_key_update(void **state)
{
	static const int want[4] = { 0, ALERT_DECRYPT_ERROR, ALERT_DECRYPT_ERROR, 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct hs_traffic t;
		struct after a;

		after_handshake(&a);
		t = hs_result(a.p.client)->tx;
		hs_traffic_update(&t, hs_result(a.p.client)->hash, hs_result(a.p.client)->aead);
		if (i & 1)
			hs_post_secret(&a.client, &t);
		begin(&a);
		if (i & 2)
			hs_post_rekey(a.asking, &t);
		assert_int_equal(talk(&a, 0), want[i]);
		end(&a);
	}
}

/* ---- a client without a certificate, or with a wrong one */

static void no_certificate(void **state)
{
	static const struct { enum hs_client_auth auth; int want; } all[] = {
		{ HS_AUTH_ASK, 0 }, { HS_AUTH_REQUIRE, ALERT_CERTIFICATE_REQUIRED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct after a;

		after_handshake(&a);
		a.p.cp.identity = NULL;
		a.p.sp.client_auth = all[i].auth;
		begin(&a);
		assert_int_equal(talk(&a, 0), all[i].want);
		assert_int_equal(hs_state(a.asked), HS_DONE);
		assert_int_equal(hs_state(a.asking), all[i].want ? HS_FAILED : HS_DONE);
		if (all[i].want)
			assert_int_equal(hs_alert(a.asking, NULL), all[i].want);
		else
			assert_false(hs_result(a.asking)->peer_verified || hs_result(a.asking)->peer_num);
		end(&a);
	}
}

static void not_trusted(void **state)
{
	struct after a;
	size_t len;

	(void)state;
	after_handshake(&a);
	a.p.sp.trust = other_trust;
	begin(&a);
	assert_int_equal(talk(&a, 0), ALERT_UNKNOWN_CA);
	assert_int_equal(hs_alert(a.asking, NULL), ALERT_UNKNOWN_CA);
	hs_output(a.asking, &len);
	assert_int_equal(len, 0);	/* the alert's record is the caller's */
	assert_null(hs_result(a.asking));
	end(&a);
}

/* ---- what is wrong on purpose */

/* Messages of @from into @to, the @nth of them changed. */
struct wrong {
	const char *name;
	enum hs_role victim;
	int want;
	size_t nth;
	void (*change)(uint8_t *m, size_t *len);
};

static void other_context(uint8_t *m, size_t *len) { (void)len; m[5] ^= 1; }
static void no_context(uint8_t *m, size_t *len)
{
	size_t n = m[4];

	memmove(m + 5, m + 5 + n, *len - 5 - n);
	m[4] = 0;
	*len -= n;
	m[2] = (uint8_t)((*len - 4) >> 8);
	m[3] = (uint8_t)(*len - 4);
}
static void last_byte(uint8_t *m, size_t *len) { m[*len - 1] ^= 1; }
static void as_finished(uint8_t *m, size_t *len) { (void)len; m[0] = HS_FINISHED; }
static void as_verify(uint8_t *m, size_t *len) { (void)len; m[0] = HS_CERTIFICATE_VERIFY; }
static void as_ticket(uint8_t *m, size_t *len) { (void)len; m[0] = HS_NEW_SESSION_TICKET; }
static void pkcs1(uint8_t *m, size_t *len) { (void)len; m[4] = 4; m[5] = 1; }
static void too_long(uint8_t *m, size_t *len) { (void)len; m[1] = 0x10; }
static void twice(uint8_t *m, size_t *len) { memcpy(m + *len, m, *len); *len *= 2; }
static void damaged(uint8_t *m, size_t *len) { (void)len; m[5 + POST_CONTEXT + 3 + 3 + 4] ^= 0xff; }
static void long_context(uint8_t *m, size_t *len) { (void)len; m[4] = 255; }
static void no_schemes(uint8_t *m, size_t *len)
{
	uint8_t *at = memmem(m + 5 + m[4], *len - 5 - m[4], "\0\15\0", 3);

	assert_non_null(at);
	at[0] = at[1] = 0xee;
}

static const struct wrong wrongs[] = {
	{ "request: another message", HS_CLIENT, 10, 0, as_ticket },
	{ "request: context longer than it", HS_CLIENT, 50, 0, long_context },
	{ "request: no signature_algorithms", HS_CLIENT, 109, 0, no_schemes },
	{ "request: too long", HS_CLIENT, 47, 0, too_long },
	{ "request: a second one with it", HS_CLIENT, 10, 0, twice },
	{ "Certificate: another context", HS_SERVER, 47, 0, other_context },
	{ "Certificate: no context", HS_SERVER, 47, 0, no_context },
	{ "Certificate: left out", HS_SERVER, 10, 0, as_verify },
	{ "Certificate: another message", HS_SERVER, 10, 0, as_ticket },
	{ "Certificate: damaged", HS_SERVER, 42, 0, damaged },
	{ "Certificate: far too long", HS_SERVER, 47, 0, too_long },
	{ "CertificateVerify: left out", HS_SERVER, 10, 1, as_finished },
	{ "CertificateVerify: wrong", HS_SERVER, 51, 1, last_byte },
	{ "CertificateVerify: PKCS #1", HS_SERVER, 47, 1, pkcs1 },
	{ "CertificateVerify: twice", HS_SERVER, 10, 1, twice },
	{ "Finished: wrong", HS_SERVER, 51, 2, last_byte },
	{ "Finished: another message", HS_SERVER, 10, 2, as_ticket },
	{ "Finished: twice", HS_SERVER, 10, 2, twice },
};

static int say_wrong(struct after *a, struct hs *from, struct hs *to, const struct wrong *w)
{
	uint8_t one[65536];
	const uint8_t *out;
	size_t len, n, i;
	int err = 0;

	for (i = 0; out = hs_output(from, &len), len && !err; i++) {
		n = 4 + (size_t)(out[1] << 16 | out[2] << 8 | out[3]);
		memcpy(one, out, n);
		hs_sent(from, n);
		if (w && i == w->nth)
			w->change(one, &n);
		err = hs_messages(to, one, n);
		if (!err && hs_state(to) == HS_SIGN)
			err = sign_for(a, to);
	}
	return err;
}

static void everything_that_may_be_wrong(void **state)
{
	(void)state;
	for (const struct wrong *w = wrongs; w < wrongs + ARRAY_SIZE(wrongs); w++) {
		bool client = w->victim == HS_CLIENT;
		struct after a;
		int err;

		after_handshake(&a);
		begin(&a);
		err = say_wrong(&a, a.asking, a.asked, client ? w : NULL);
		if (!client)
			err = say_wrong(&a, a.asked, a.asking, w);
		if (err != w->want || hs_alert(client ? a.asked : a.asking, NULL) != w->want)
			fail_msg("%s: %d instead of %d", w->name, err, w->want);
		end(&a);
	}
}

static void nobody_offered_it(void **state)
{
	struct pair p = {
		.client_id = &ids[0], .server_id = &server_id,
		.cp = { .server_name = "server.test", .trust = trust, .now = time(NULL), .rsa_min_bits = 2048 },
		.sp = { .choose = test_choose, .arg = &server_id, .now = time(NULL) },
	};

	(void)state;
	pair_run(&p);
	assert_false(hs_result(p.client)->post_auth);
	assert_false(hs_result(p.server)->post_auth);
	pair_free(&p);
	p.cp.max_version = TLS12;
	p.cp.post_auth = true;
	pair_run(&p);
	assert_false(hs_result(p.client)->post_auth);
	assert_false(hs_result(p.server)->post_auth);
	pair_free(&p);
}

static void calls_out_of_turn(void **state)
{
	struct after a;
	uint8_t byte = 0;

	(void)state;
	after_handshake(&a);
	begin(&a);
	assert_int_equal(hs_want(a.asked), 0);
	assert_int_equal(hs_input(a.asked, &byte, 1), -EINVAL);
	assert_int_equal(hs_messages(a.p.client, &byte, 1), -EINVAL);
	a.client.suite = 0xc02b;	/* of TLS 1.2 */
	assert_null(hs_post_new(&a.p.cp, &a.client));
	a.client.suite = 0x1a1a;
	assert_null(hs_post_new(&a.p.cp, &a.client));
	end(&a);
}

/* ---- no memory */

static void every_allocation_fails_once(void **state)
{
	struct after a;
	bool through = false;

	(void)state;
	after_handshake(&a);
	for (unsigned int n = 1; !through; n++) {
		int err = -ENOMEM;

		no_memory_in = n;
		a.asked = hs_post_new(&a.p.cp, &a.client);
		a.asking = hs_post_new(&a.p.sp, &a.server);
		if (a.asked && a.asking) {
			err = hs_start(a.asking);
			if (!err)
				err = talk(&a, 0);
		}
		through = no_memory_in != 0;
		no_memory_in = 0;
		if (through)
			assert_int_equal(err, 0);
		else if (a.asked && a.asking && err)
			assert_true(hs_state(a.asked) == HS_FAILED || hs_state(a.asking) == HS_FAILED);
		assert_true(n < 10000);
		hs_free(a.asked);
		hs_free(a.asking);
	}
	a.asked = a.asking = NULL;
	end(&a);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	no_memory_spares_numbers();
	trust = x509_store_new();
	other_trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	assert_int_equal(x509_store_add_file(other_trust, PKI "other.pem", &num), 0);
	test_identity_load(&server_id, "p256");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		test_identity_load(&ids[i], kinds[i]);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	test_identity_free(&server_id);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		test_identity_free(&ids[i]);
	x509_store_free(trust);
	x509_store_free(other_trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_proves_who_it_is),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(it_may_be_asked_again),
		cmocka_unit_test(compressed),
		cmocka_unit_test(after_a_key_update),
		cmocka_unit_test(no_certificate),
		cmocka_unit_test(not_trusted),
		cmocka_unit_test(everything_that_may_be_wrong),
		cmocka_unit_test(nobody_offered_it),
		cmocka_unit_test(calls_out_of_turn),
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
