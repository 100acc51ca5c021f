// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an application of the agent registers: a hello extension of its own,
 * by the descriptor that the built-in ones have and under the same rules, and
 * supplemental data of TLS 1.2 that it agrees on by that.
 */
#include <time.h>
#include "handshake/supplemental.h"
#include "hs_pair.h"

#define GREETING 0xff77
#define KIND 16386

static struct x509_store *trust;
static struct test_identity p256;
static char heard[2][32];	/* by role: what the extension had */
static char told[2][32];	/* and what the supplemental data had */
static bool shy;		/* do not offer it */

static void hear(char out[32], struct rbuf *b)
{
	size_t len = rbuf_len(b);

	assert_true(len < 32);
	assert_true(rbuf_copy(b, out, len));
	out[len] = 0;
}

static bool greet_wanted(const struct hs *hs, enum ext_in msg)
{
	(void)hs;
	return msg != EXT_CH || !shy;
}

static int greet_write(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_bytes(b, hs->role == HS_CLIENT ? "hello" : "welcome", hs->role == HS_CLIENT ? 5 : 7);
	return 0;
}

static int greet_read(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	hear(heard[hs->role], b);
	return 0;
}

static const struct ext greeting = {
	.name = "greeting", .id = GREETING, .in = EXT_CH | EXT_EE | EXT_SH12, .wanted = greet_wanted,
	.offer = greet_write, .accept = greet_read, .answer = greet_write, .confirm = greet_read,
};

static int data_send(struct hs *hs, struct wbuf *b)
{
	wbuf_bytes(b, hs->role == HS_CLIENT ? "from client" : "from server", 11);
	return 0;
}

static int data_recv(struct hs *hs, struct rbuf *b)
{
	hear(told[hs->role], b);
	return 0;
}

static int data_recv_half(struct hs *hs, struct rbuf *b)
{
	uint8_t byte;

	(void)hs;
	return rbuf_u8(b, &byte) ? 0 : ALERT_DECODE_ERROR;
}

static const struct supplemental data = { KIND, GREETING, data_send, data_recv };
static const struct supplemental half = { KIND, GREETING, data_send, data_recv_half };

static struct pair pair_for(uint16_t version)
{
	struct pair p = {
		.client_id = &p256, .server_id = &p256,
		.cp = { .server_name = "server.test", .trust = trust, .max_version = version, .identity = &p256.id },
		.sp = { .choose = test_choose, .arg = &p256, .trust = trust, .client_auth = HS_AUTH_REQUIRE },
	};

	p.cp.now = p.sp.now = time(NULL);
	memset(heard, 0, sizeof(heard));
	memset(told, 0, sizeof(told));
	return p;
}

static void an_extension_at_run_time(void **state)
{
	size_t before = exts_num;

	(void)state;
	assert_int_equal(ext_register(&greeting), 0);
	assert_int_equal(exts_num, before + 1);
	assert_ptr_equal(exts[exts_num - 1], &ext_pre_shared_key);
	for (uint16_t version = TLS12; version <= TLS13; version++) {
		struct pair p = pair_for(version);

		pair_run(&p);
		assert_non_null(hs_result(p.client));
		assert_non_null(hs_result(p.server));
		assert_string_equal(heard[HS_SERVER], "hello");
		assert_string_equal(heard[HS_CLIENT], "welcome");
		pair_free(&p);
	}
	ext_unregister(GREETING);
	assert_int_equal(exts_num, before);
}

/* Unknown to the other side, it is ignored there, RFC 9846 4.2. */
static void unknown_without(void **state)
{
	static const uint8_t bytes[] = { 0, 9, 0xff, 0x77, 0, 5, 'h', 'e', 'l', 'l', 'o' };
	struct rbuf b = { bytes, bytes + sizeof(bytes) };
	struct hs_params params = { .role = HS_SERVER };
	struct hs *hs = hs_new(&params);

	(void)state;
	memset(heard, 0, sizeof(heard));
	assert_int_equal(ext_read(hs, EXT_CH, &b), 0);
	assert_string_equal(heard[HS_SERVER], "");
	b.p = bytes;
	assert_int_equal(ext_read(hs, EXT_EE, &b), ALERT_UNSUPPORTED_EXTENSION);
	hs_free(hs);
}

static void the_rules_are_the_same(void **state)
{
	static const uint8_t twice[] = { 0, 8, 0xff, 0x77, 0, 0, 0xff, 0x77, 0, 0 }, once[] = { 0, 4, 0xff, 0x77, 0, 0 };
	static const struct { enum ext_in msg; const uint8_t *bytes; size_t len; int want; } t[] = {
		{ EXT_CH, twice, sizeof(twice), ALERT_ILLEGAL_PARAMETER },
		{ EXT_CR, once, sizeof(once), ALERT_ILLEGAL_PARAMETER },
		{ EXT_EE, once, sizeof(once), ALERT_UNSUPPORTED_EXTENSION },
	};
	struct hs_params params = { .role = HS_CLIENT };

	(void)state;
	assert_int_equal(ext_register(&greeting), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct rbuf b = { t[i].bytes, t[i].bytes + t[i].len };
		struct hs *hs = hs_new(&params);

		assert_int_equal(ext_read(hs, t[i].msg, &b), t[i].want);
		hs_free(hs);
	}
	ext_unregister(GREETING);
}

static void what_can_not_be_registered(void **state)
{
	static struct ext many[EXTS_MAX];
	struct ext mute = greeting, taken = greeting;
	size_t before = exts_num, i;

	(void)state;
	mute.accept = NULL;
	taken.id = EXT_ID_ALPN;
	assert_int_equal(ext_register(&mute), -EINVAL);
	assert_int_equal(ext_register(&taken), -EEXIST);
	for (i = 0; i < EXTS_MAX; i++) {
		many[i] = greeting;
		many[i].id = (uint16_t)(0xfe80 + i);
		if (ext_register(&many[i]))
			break;
	}
	assert_int_equal(i, EXTS_MAX - before);
	assert_int_equal(ext_register(&greeting), -ENOSPC);
	while (i--)
		ext_unregister(many[i].id);
	assert_int_equal(exts_num, before);
	ext_unregister(EXT_ID_ALPN);	/* is not one of theirs */
	assert_int_equal(exts_num, before);
}

/* ---- supplemental data */

static void data_both_ways(void **state)
{
	struct pair p = pair_for(TLS12);

	(void)state;
	assert_int_equal(ext_register(&greeting), 0);
	assert_int_equal(supplemental_register(&data), 0);
	assert_int_equal(supplemental_register(&data), -EEXIST);
	for (int cut = 0; cut < 2; cut++) {
		p = pair_for(TLS12);
		p.cut = cut;
		pair_run(&p);
		if (!hs_result(p.client) || !hs_result(p.server))
			fail_msg("%s / %s", hs_why(p.client), hs_why(p.server));
		/* CertificateVerify and Finished covered it. */
		assert_true(hs_result(p.server)->peer_verified);
		assert_string_equal(told[HS_SERVER], "from client");
		assert_string_equal(told[HS_CLIENT], "from server");
		pair_free(&p);
	}
	/* Not in TLS 1.3, and not without the extension. */
	p = pair_for(TLS13);
	pair_run(&p);
	assert_non_null(hs_result(p.client));
	assert_string_equal(told[HS_SERVER], "");
	pair_free(&p);
	shy = true;
	p = pair_for(TLS12);
	pair_run(&p);
	assert_non_null(hs_result(p.client));
	assert_string_equal(told[HS_SERVER], "");
	pair_free(&p);
	shy = false;
	supplemental_unregister(KIND);
	ext_unregister(GREETING);
}

static uint8_t message[64];
static size_t message_len;

/* In front of the server's Certificate. */
static void slip_in(struct pair *p, struct hs *to)
{
	uint8_t rest[8192];
	size_t at, left;

	if (to != p->client || to->in.p[0] != HS_SERVER_HELLO || p->round > 2)
		return;
	at = 4 + (size_t)(to->in.p[2] << 8 | to->in.p[3]);
	left = to->in.len - at;
	assert_true(left < sizeof(rest));
	memcpy(rest, to->in.p + at, left);
	to->in.len = at;
	assert_true(gbuf_add(&to->in, message, message_len) && gbuf_add(&to->in, rest, left));
}

static void refused(const uint8_t *bytes, size_t len, int alert)
{
	struct pair p = pair_for(TLS12);

	memcpy(message, bytes, len);
	message_len = len;
	p.edit = slip_in;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), alert);
	pair_free(&p);
}

#define REFUSED(alert, ...) refused((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), alert)

static void data_that_is_refused(void **state)
{
	static const struct supplemental mute = { KIND, GREETING, NULL, data_recv }, deaf = { KIND, GREETING, data_send, NULL };

	(void)state;
	/* Off by default. */
	REFUSED(ALERT_UNEXPECTED_MESSAGE, 23, 0, 0, 7, 0, 0, 4, 0x40, 2, 0, 0);
	assert_int_equal(supplemental_register(&deaf), -EINVAL);
	assert_int_equal(supplemental_register(&mute), 0);
	REFUSED(ALERT_UNEXPECTED_MESSAGE, 23, 0, 0, 7, 0, 0, 4, 0x40, 2, 0, 0);
	assert_int_equal(ext_register(&greeting), 0);
	REFUSED(ALERT_ILLEGAL_PARAMETER, 23, 0, 0, 7, 0, 0, 4, 0x40, 9, 0, 0);	/* a kind that nobody has */
	REFUSED(ALERT_DECODE_ERROR, 23, 0, 0, 3, 0, 0, 0);
	REFUSED(ALERT_DECODE_ERROR, 23, 0, 0, 6, 0, 0, 3, 0x40, 2, 0);
	REFUSED(ALERT_DECODE_ERROR, 23, 0, 0, 8, 0, 0, 4, 0x40, 2, 0, 0, 0);
	supplemental_unregister(KIND);
	assert_int_equal(supplemental_register(&half), 0);
	REFUSED(ALERT_DECODE_ERROR, 23, 0, 0, 9, 0, 0, 6, 0x40, 2, 0, 2, 1, 2);
	supplemental_unregister(KIND);
	ext_unregister(GREETING);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	test_identity_load(&p256, "p256");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	test_identity_free(&p256);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_extension_at_run_time),
		cmocka_unit_test(unknown_without),
		cmocka_unit_test(the_rules_are_the_same),
		cmocka_unit_test(what_can_not_be_registered),
		cmocka_unit_test(data_both_ways),
		cmocka_unit_test(data_that_is_refused),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
