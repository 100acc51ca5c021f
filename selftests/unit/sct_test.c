// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificate timestamps: which of them count, in both versions and in both
 * directions, and what becomes of a certificate that has too few.
 */
#include <time.h>
#include "hs_message.h"
#include "no_memory.h"

static struct x509_store *trust;
static struct test_identity id, log_keys[2];	/* a log on P-256, one with RSA */
static struct hs_log logs[2];

/* ---- a log */

enum flaw { GOOD, OTHER_CERT, OTHER_LOG, BAD_SIG, FUTURE, VERSION2, OTHER_SCHEME, CUT, FLAWS };

static size_t entry(const struct x509_blob *der, uint64_t ms, uint8_t *out)
{
	struct wbuf b = { .buf = out, .cap = 65536 };
	size_t mark;

	wbuf_u16(&b, 0);
	wbuf_u32(&b, (uint32_t)(ms >> 32));
	wbuf_u32(&b, (uint32_t)ms);
	wbuf_u16(&b, 0);
	mark = wbuf_open(&b, 3);
	wbuf_bytes(&b, der->data, der->len);
	wbuf_close(&b, mark, 3);
	wbuf_u16(&b, 2);
	wbuf_u16(&b, 0x1234);	/* extensions of the log's own */
	return b.len;
}

static void add_sct(struct wbuf *b, size_t which, enum flaw flaw)
{
	const struct crypto_scheme *scheme = crypto_scheme_find(which ? 0x0401 : 0x0403);
	uint64_t ms = (uint64_t)(time(NULL) + (flaw == FUTURE ? 3600 : -60)) * 1000 + 7;
	uint8_t tbs[65536], sig[CRYPTO_MAX_SIGNATURE];
	size_t one = wbuf_open(b, 2), mark, len, n;

	len = entry(x509_cert_der(flaw == OTHER_CERT ? log_keys[0].id.chain[1] : id.id.chain[0]), ms, tbs);
	assert_int_equal(scheme->sign(log_keys[which].key, scheme->hash, tbs, len, sig, &n), 0);
	sig[n - 1] ^= flaw == BAD_SIG;
	wbuf_u8(b, flaw == VERSION2);
	wbuf_bytes(b, logs[which].id, 31);
	wbuf_u8(b, logs[which].id[31] ^ (flaw == OTHER_LOG));
	wbuf_u32(b, (uint32_t)(ms >> 32));
	wbuf_u32(b, (uint32_t)ms);
	wbuf_u16(b, 2);
	wbuf_u16(b, 0x1234);
	wbuf_u16(b, flaw == OTHER_SCHEME ? 0x0503 : scheme->id);
	mark = wbuf_open(b, 2);
	wbuf_bytes(b, sig, n - (flaw == CUT));
	wbuf_close(b, mark, 2);
	wbuf_close(b, one, 2);
}

static uint8_t list[8192];

static void give(struct test_identity *t, const enum flaw *flaws, size_t num)
{
	struct wbuf b = { .buf = list, .cap = sizeof(list) };
	size_t mark = wbuf_open(&b, 2);

	for (size_t i = 0; i < num; i++)
		add_sct(&b, i % 2, flaws[i]);
	wbuf_close(&b, mark, 2);
	t->id.sct = list;
	t->id.sct_len = num ? b.len : 0;
}

static struct pair new_pair(unsigned int want)
{
	struct pair p = {
		.client_id = &id, .server_id = &id,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .rsa_min_bits = 2048,
			.ct_logs = logs, .ct_logs_num = 2, .ct_min = want,
		},
		.sp = { .choose = test_choose, .arg = &id, .trust = trust, .now = time(NULL), .rsa_min_bits = 2048 },
	};

	return p;
}

/* ---- what counts */

static void check(const enum flaw *flaws, size_t num, unsigned int want)
{
	for (int i = 0; i < 4; i++) {
		struct pair p = new_pair(want + i % 2);

		p.cp.max_version = i / 2 ? TLS12 : TLS13;
		give(&id, flaws, num);
		pair_run(&p);
		if (i % 2 == 0) {
			if (!hs_result(p.client))
				fail_msg("%s; %s", hs_why(p.client), hs_why(p.server));
			assert_int_equal(hs_result(p.client)->scts, want);
			assert_true(hs_result(p.client)->peer_verified);
		} else {
			assert_int_equal(hs_alert(p.client, NULL), ALERT_BAD_CERTIFICATE);
			assert_int_equal(hs_alert(p.server, NULL), ALERT_BAD_CERTIFICATE);
		}
		pair_free(&p);
	}
}

static void every_log_that_we_know_counts_once(void **state)
{
	static const enum flaw good[20] = { GOOD };

	(void)state;
	check(good, 0, 0);
	check(good, 1, 1);
	check(good, 2, 2);
	check(good, 3, 2);
	check(good, 20, 2);
}

static void what_is_wrong_counts_for_nothing(void **state)
{
	(void)state;
	for (enum flaw f = OTHER_CERT; f < FLAWS; f++) {
		check((enum flaw[]){ f }, 1, 0);
		check((enum flaw[]){ GOOD, f }, 2, 1);
		check((enum flaw[]){ f, f, GOOD, GOOD }, 4, 2);
	}
}

static void a_server_may_ask_as_well(void **state)
{
	static const enum flaw good[2] = { GOOD };

	(void)state;
	for (unsigned int want = 2; want < 4; want++) {
		struct pair p = new_pair(0);

		p.cp.ct_logs_num = 0;
		p.cp.identity = &id.id;
		p.sp.client_auth = HS_AUTH_REQUIRE;
		p.sp.ct_logs = logs;
		p.sp.ct_logs_num = 2;
		p.sp.ct_min = want;
		give(&id, good, 2);
		pair_run(&p);
		assert_int_equal(p.server->result.scts, 2);
		assert_int_equal(hs_state(p.server), want == 2 ? HS_DONE : HS_FAILED);
		pair_free(&p);
	}
}

static void nobody_asks_who_knows_no_log(void **state)
{
	static const enum flaw good[2] = { GOOD };
	struct pair p = new_pair(0);

	(void)state;
	p.cp.ct_logs_num = 0;
	give(&id, good, 2);
	pair_run(&p);
	assert_false(ext_offered(p.client, EXT_ID_SIGNED_CERTIFICATE_TIMESTAMP));
	assert_false(p.server->scts_wanted);
	assert_int_equal(hs_result(p.client)->scts, 0);
	pair_free(&p);
}

static void malformed_lists(void **state)
{
	static const struct { const char *bytes; size_t len; bool ok; } all[] = {
		{ "\0\3\0\1x", 5, true }, { "\0\3\0\1x\0", 6, false }, { "\0\0", 2, false }, { "\0\2\0\0", 4, false },
		{ "\0\3\0\2x", 5, false }, { "\0\4\0\1x", 5, false }, { "\0", 1, false }, { "", 0, false },
		{ "\0\4\0\1x\0", 6, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all) * 2; i++) {
		struct pair p = new_pair(0);
		struct test_identity t = id;

		assert_int_equal(sct_list_well_formed((const uint8_t *)all[i / 2].bytes, all[i / 2].len), all[i / 2].ok);
		if (!all[i / 2].len)
			continue;
		t.id.sct = (uint8_t *)all[i / 2].bytes;
		t.id.sct_len = all[i / 2].len;
		p.sp.arg = &t;
		p.cp.max_version = i % 2 ? TLS12 : TLS13;
		pair_run(&p);
		assert_int_equal(hs_alert(p.client, NULL), all[i / 2].ok ? -1 : ALERT_DECODE_ERROR);
		pair_free(&p);
	}
}

static void every_allocation_fails_once(void **state)
{
	static const enum flaw good[2] = { GOOD };
	bool through = false;

	(void)state;
	give(&id, good, 2);
	for (unsigned int n = 1; !through; n++) {
		struct pair p = new_pair(2);

		p.client = p.server = NULL;
		p.sp.role = HS_SERVER;
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
			assert_int_equal(hs_result(p.client)->scts, 2);
		assert_true(n < 10000);
		pair_free(&p);
	}
}

static int load(void **state)
{
	static const char *const kinds[] = { "p256", "rsa" };
	size_t num;

	(void)state;
	no_memory_spares_numbers();
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	test_identity_load(&id, "p384");
	for (size_t i = 0; i < 2; i++) {
		test_identity_load(&log_keys[i], kinds[i]);
		logs[i].spki = x509_cert_spki(log_keys[i].id.chain[0])->data;
		logs[i].len = x509_cert_spki(log_keys[i].id.chain[0])->len;
		crypto_hash_once(&crypto_sha256, logs[i].spki, logs[i].len, logs[i].id);
	}
	if (log_keys[0].id.num < 2)	/* any other certificate */
		log_keys[0].id.chain[1] = log_keys[1].id.chain[0];
	return 0;
}

static int unload(void **state)
{
	(void)state;
	test_identity_free(&id);
	for (size_t i = 0; i < 2; i++)
		test_identity_free(&log_keys[i]);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_log_that_we_know_counts_once),
		cmocka_unit_test(what_is_wrong_counts_for_nothing),
		cmocka_unit_test(a_server_may_ask_as_well),
		cmocka_unit_test(nobody_asks_who_knows_no_log),
		cmocka_unit_test(malformed_lists),
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
