// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Authentication after the handshake through the agent, both roles: the test
 * is kernel and keeper of one session, state and records pass through its
 * hands, and its peer is our engine.
 */
#include <netinet/in.h>
#include <netlink/attr.h>
#include <sys/socket.h>
#include "conn_test.h"
#include "handshake/alert.h"
#include "handshake/engine.h"
#include "log.h"
#include "state.h"

static struct config *strict, *narrow;
static struct conn_env env;

/* What the agent did. */
static struct {
	int answers;
	struct reply reply;
	uint8_t info[KTLS_MAX_INFO], state[KTLS_MAX_STATE], record[65536];
	size_t info_len, state_len, record_len;
	struct msg_signed signd;
} seen;

/* The other end. */
static struct {
	struct hs *hs;
	struct hs_params params;
	struct hs_post post;
	struct hs_result r;
	int fd;
} peer;

static int respond(void *arg, const struct reply *r)
{
	(void)arg;
	seen.answers++;
	seen.reply = *r;
	seen.info_len = r->info_len;
	seen.record_len = r->record.len;
	if (r->info_len)
		memcpy(seen.info, r->info, r->info_len);
	if (r->record.len)
		memcpy(seen.record, r->record.data, r->record.len);
	if (r->state_len) {
		seen.state_len = r->state_len;
		memcpy(seen.state, r->state, r->state_len);
	}
	return 0;
}

static int sign(void *arg, uint64_t request, uint64_t deadline, const struct hs_sign *s)
{
	(void)arg;
	(void)deadline;
	keeper_signs(request, s, &seen.signd);
	return 0;
}

static void failed(void *arg, const struct msg_failure *f)
{
	(void)arg;
	(void)f;
}

/* KTLS_I_* @type of the last answer; NULL: it has none. */
static const struct nlattr *info(int type)
{
	return nla_find((struct nlattr *)seen.info, seen.info_len, type);
}

static void tells(unsigned int what)
{
	const struct nlattr *a = info(KTLS_I_POST_AUTH);

	assert_non_null(a);
	assert_int_equal(nla_get_u16(a), what);
}

/* ---- the handshake before it */

static void peer_step(void)
{
	const uint8_t *out;
	uint8_t buf[16700];
	size_t len, want;
	ssize_t n;

	while (out = hs_output(peer.hs, &len), len) {
		assert_int_equal(send(peer.fd, out, len, 0), len);
		hs_sent(peer.hs, len);
	}
	if (hs_state(peer.hs) == HS_SIGN)
		peer_signs(peer.hs);
	want = hs_want(peer.hs);
	if (hs_state(peer.hs) != HS_READ || !want)
		return;
	n = recv(peer.fd, buf, want < sizeof(buf) ? want : sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		hs_input(peer.hs, buf, (size_t)n);
}

static void put(uint8_t *buf, size_t *at, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(buf + *at);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(nla_data(a), data, len);
	*at += NLA_ALIGN(a->nla_len);
}

/* Of an agent that is @role, whose application has @identity or none, and which does @wish it. */
static void session(enum ktls_role role, const char *identity, bool wish)
{
	bool server = role == KTLS_ROLE_SERVER;
	uint8_t param[512] = { 0 };
	struct upcall up = { .id = 5, .role = role, .timeout = 1000, .uid = 33, .gid = 33, .param = param };
	struct conn *c;
	int s[2];

	memset(&seen, 0, sizeof(seen));
	memset(&peer, 0, sizeof(peer));
	env = (struct conn_env){ .config = config, .respond = respond, .sign = sign, .failed = failed };
	up.peer.ss_family = AF_INET;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	up.channel = s[0];
	peer.fd = s[1];
	if (wish)
		put(param, &up.param_len, KTLS_P_POST_AUTH, NULL, 0);
	put(param, &up.param_len, KTLS_P_TRUST, "one", 4);
	put(param, &up.param_len, KTLS_P_PEER_CHAIN, NULL, 0);
	if (identity)
		put(param, &up.param_len, KTLS_P_IDENTITY, identity, strlen(identity) + 1);
	if (!server)
		put(param, &up.param_len, KTLS_P_SERVER_NAME, "one.test", 9);
	c = conn_open(&env, &up, 3, 1000);
	assert_non_null(c);
	peer.params = (struct hs_params){
		.role = server ? HS_CLIENT : HS_SERVER, .now = time(NULL), .rsa_min_bits = 2048, .choose = peer_choose,
		.server_name = "one.test", .trust = config->trusts[0].store, .post_auth = true,
		.identity = server ? &config->sites[0].id : NULL, .max_version = 0x0304,
	};
	peer.hs = hs_new(&peer.params);
	hs_start(peer.hs);
	for (int i = 0; i < 100 && !seen.answers; i++) {
		if (!conn_step(c, 1001) || (c->signing && !conn_signed(c, &seen.signd, 1002)))
			break;
		peer_step();
	}
	for (int i = 0; i < 20; i++)
		peer_step();
	assert_int_equal(seen.answers, 1);
	assert_int_equal(seen.reply.err, 0);
	assert_non_null(hs_result(peer.hs));
	peer.r = *hs_result(peer.hs);
	hs_post_from(&peer.r, peer.params.role, &peer.post);
	conn_free(c);
}

static void session_over(void)
{
	hs_free(peer.hs);
	close(peer.fd);
}

/* ---- the kernel's part of it */

static struct upcall upcall(enum ktls_why why, enum ktls_role role, uint32_t generation)
{
	static uint8_t state[KTLS_MAX_STATE];
	struct upcall up = { .id = 6, .why = why, .role = role, .channel = -1, .timeout = 1000, .state = state };

	memcpy(state, seen.state, seen.state_len);
	up.state_len = seen.state_len;
	*(role == KTLS_ROLE_SERVER ? &up.rx_generation : &up.tx_generation) = generation;
	seen.answers = 0;
	return up;
}

static struct conn *record(enum ktls_role role, uint32_t generation, const uint8_t *data, size_t len)
{
	struct upcall up = upcall(KTLS_WHY_RECORD, role, generation);

	up.record_type = 22;
	up.record = data;
	up.record_len = len;
	return session_upcall(&env, &up, 4, 1000);
}

static void request(uint32_t generation)
{
	struct upcall up = upcall(KTLS_WHY_REQUEST, KTLS_ROLE_SERVER, generation);

	assert_null(session_upcall(&env, &up, 4, 1000));
	assert_int_equal(seen.answers, 1);
}

static size_t message_len(const uint8_t *p)
{
	return 4 + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

/* A client's answer to the agent's request, all of its messages in @buf. */
static size_t answer(uint8_t *buf)
{
	struct hs *hs = hs_post_new(&peer.params, &peer.post);
	const uint8_t *out;
	size_t len;

	assert_int_equal(hs_start(hs), 0);
	assert_int_equal(hs_messages(hs, seen.record, seen.record_len), 0);
	if (hs_state(hs) == HS_SIGN)
		peer_signs(hs);
	assert_int_equal(hs_state(hs), HS_DONE);
	out = hs_output(hs, &len);
	memcpy(buf, out, len);
	hs_free(hs);
	return len;
}

/* One message more each time, as the module gives them that keeps what is not whole. */
static void hear(uint32_t generation, const uint8_t *buf, size_t len)
{
	size_t at;

	for (at = message_len(buf); at < len; at += message_len(buf + at)) {
		assert_null(record(KTLS_ROLE_SERVER, generation, buf, at));
		assert_int_equal(seen.answers, 1);
		assert_int_equal(seen.reply.err, 0);
		assert_int_equal(seen.reply.post_auth, KTLS_POST_AUTH_MORE);
	}
	assert_null(record(KTLS_ROLE_SERVER, generation, buf, len));
	assert_int_equal(seen.answers, 1);
}

/* ---- a server of ours */

static void a_server_asks(void **unused)
{
	uint8_t buf[65536];
	size_t len;

	(void)unused;
	session(KTLS_ROLE_SERVER, "one", true);
	assert_int_equal(seen.reply.post_auth, KTLS_POST_AUTH_OFFERED);
	tells(1);
	for (int i = 0; i < 3; i++) {
		request(0);
		assert_int_equal(seen.reply.err, 0);
		assert_int_equal(seen.reply.record.type, 22);
		assert_int_equal(seen.record[0], HS_CERTIFICATE_REQUEST);
		assert_int_equal(message_len(seen.record), seen.record_len);
		tells(2);
		len = answer(buf);
		hear(0, buf, len);
		assert_int_equal(seen.reply.err, 0);
		assert_int_equal(seen.reply.post_auth, KTLS_POST_AUTH_ANSWERED);
		tells(3);
		assert_string_equal(nla_data(info(KTLS_I_PEER_NAME)), "one.test");
		assert_int_equal(nla_len(info(KTLS_I_PEER_SHA256)), 32);
		assert_true(nla_len(info(KTLS_I_PEER_CHAIN)) > 100);
	}
	session_over();
}

static void a_client_may_show_none(void **unused)
{
	uint8_t buf[65536];
	size_t len;

	(void)unused;
	session(KTLS_ROLE_SERVER, "one", true);
	peer.params.identity = NULL;
	request(0);
	len = answer(buf);
	hear(0, buf, len);
	assert_int_equal(seen.reply.err, 0);
	assert_int_equal(seen.reply.post_auth, KTLS_POST_AUTH_ANSWERED);
	tells(4);
	assert_null(info(KTLS_I_PEER_NAME));
	session_over();
}

static void not_acceptable(void **unused)
{
	static const struct { size_t message; int err, alert; const char *identity; } all[] = {
		{ 0, -EKEYREJECTED, ALERT_UNKNOWN_CA, "two" },
		{ 1, -EPROTO, ALERT_DECRYPT_ERROR, NULL },	/* CertificateVerify */
		{ 2, -EPROTO, ALERT_DECRYPT_ERROR, NULL },	/* Finished */
	};
	uint8_t buf[65536];
	size_t len, at, n, i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		session(KTLS_ROLE_SERVER, "one", true);
		if (all[i].identity)
			peer.params.identity = &config->sites[1].id;
		request(0);
		len = answer(buf);
		for (at = n = 0; n < all[i].message; n++)
			at += message_len(buf + at);
		if (n)
			buf[at + message_len(buf + at) - 1] ^= 1;
		assert_null(record(KTLS_ROLE_SERVER, 0, buf, len));
		assert_int_equal(seen.answers, 1);
		assert_int_equal(seen.reply.err, all[i].err);
		assert_int_equal(seen.reply.alert, all[i].alert);
		assert_int_equal(seen.reply.record.type, 21);
		assert_int_equal(seen.record[1], all[i].alert);
		session_over();
	}
}

static void nobody_asked(void **unused)
{
	static uint8_t certificate[] = { HS_CERTIFICATE, 0, 0, 4, 0, 0, 0, 0 }, request_[] = { HS_CERTIFICATE_REQUEST, 0, 0, 3, 0, 0, 0 };

	(void)unused;
	session(KTLS_ROLE_SERVER, "one", true);
	assert_null(record(KTLS_ROLE_SERVER, 0, certificate, sizeof(certificate)));
	assert_int_equal(seen.reply.alert, ALERT_UNEXPECTED_MESSAGE);
	session_over();
	session(KTLS_ROLE_CLIENT, "one", false);
	assert_null(record(KTLS_ROLE_CLIENT, 0, request_, sizeof(request_)));
	assert_int_equal(seen.reply.alert, ALERT_UNEXPECTED_MESSAGE);
	session_over();
}

/* No request is made, and the session goes on. */
static void a_server_cannot_ask(void **unused)
{
	(void)unused;
	session(KTLS_ROLE_SERVER, "one", false);
	assert_int_equal(seen.reply.post_auth, KTLS_POST_AUTH_NONE);
	assert_null(info(KTLS_I_POST_AUTH));
	request(0);
	assert_int_equal(seen.reply.err, -EOPNOTSUPP);
	assert_int_equal(seen.reply.record.len, 0);
	session_over();
	session(KTLS_ROLE_SERVER, "one", true);
	env.config = narrow;		/* read again, and the trust store is gone */
	request(0);
	assert_int_equal(seen.reply.err, -ENOKEY);
	assert_int_equal(seen.reply.record.len, 0);
	session_over();
}

/* Finished is under the client's newest secret, which the state has to find. */
static void after_key_updates(void **unused)
{
	static const int steps[] = { 1, 1, 3, 5 };
	uint8_t buf[65536];
	uint32_t generation = 0;
	struct hs_traffic t;

	(void)unused;
	session(KTLS_ROLE_SERVER, "one", true);
	t = peer.r.tx;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct upcall up;

		for (int n = 0; n < steps[i]; n++) {
			generation++;
			hs_traffic_update(&t, peer.r.hash, peer.r.aead);
			up = upcall(KTLS_WHY_SPARE, KTLS_ROLE_SERVER, generation);
			session_upcall(&env, &up, 3, 1000);
			assert_int_equal(seen.reply.err, 0);
		}
		hs_post_secret(&peer.post, &t);
		request(generation);
		assert_int_equal(seen.reply.err, 0);
		/* The client changes its key between request and answer as well. */
		if (i & 1) {
			generation++;
			hs_traffic_update(&t, peer.r.hash, peer.r.aead);
			hs_post_secret(&peer.post, &t);
		}
		hear(generation, buf, answer(buf));
		assert_int_equal(seen.reply.err, 0);
		tells(3);
	}
	session_over();
}

/* ---- a client of ours */

/* The peer asks; its struct hs waits for the answer. */
static struct hs *asked(uint8_t *buf, size_t *ret_len)
{
	struct hs *hs = hs_post_new(&peer.params, &peer.post);
	const uint8_t *out;

	assert_int_equal(hs_start(hs), 0);
	out = hs_output(hs, ret_len);
	memcpy(buf, out, *ret_len);
	hs_sent(hs, *ret_len);
	return hs;
}

static void a_client_answers(void **unused)
{
	struct hs_traffic t;
	uint8_t buf[4096];
	struct conn *c;
	struct hs *hs;
	size_t len;

	(void)unused;
	session(KTLS_ROLE_CLIENT, "one", true);
	tells(1);
	t = peer.r.rx;
	for (uint32_t generation = 0; generation < 2; generation++) {
		peer.params.client_auth = HS_AUTH_REQUIRE;
		hs = asked(buf, &len);
		c = record(KTLS_ROLE_CLIENT, generation, buf, len);
		assert_non_null(c);
		assert_int_equal(seen.answers, 0);
		assert_false(conn_signed(c, &seen.signd, 1001));
		conn_free(c);
		assert_int_equal(seen.answers, 1);
		assert_int_equal(seen.reply.err, 0);
		assert_true(seen.reply.has_generation);
		assert_int_equal(seen.reply.tx_generation, generation);
		tells(3);
		assert_string_equal(nla_data(info(KTLS_I_IDENTITY)), "one");
		if (generation)
			hs_post_rekey(hs, &t);
		assert_int_equal(hs_messages(hs, seen.record, seen.record_len), 0);
		assert_true(hs_result(hs)->peer_verified);
		hs_free(hs);
		hs_traffic_update(&t, peer.r.hash, peer.r.aead);
	}
	session_over();
}

/* It has none, or may use it no longer: it says so, and the session goes on. */
static void a_client_declines(void **unused)
{
	static const struct { const char *identity; struct config **config; } all[] = {
		{ NULL, &config }, { "one", &narrow }, { "one", &strict },
	};
	uint8_t buf[4096];
	struct hs *hs;
	size_t len, i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		session(KTLS_ROLE_CLIENT, all[i].identity, true);
		env.config = *all[i].config;
		peer.params.client_auth = HS_AUTH_ASK;
		hs = asked(buf, &len);
		assert_null(record(KTLS_ROLE_CLIENT, 0, buf, len));
		assert_int_equal(seen.answers, 1);
		assert_int_equal(seen.reply.err, 0);
		tells(4);
		assert_int_equal(hs_messages(hs, seen.record, seen.record_len), 0);
		assert_false(hs_result(hs)->peer_verified || hs_result(hs)->peer_num);
		hs_free(hs);
		session_over();
	}
}

static void the_keeper_refuses(void **unused)
{
	struct msg_signed no = { .type = MSG_SIGNED, .err = -EACCES };
	uint8_t buf[4096];
	struct conn *c;
	size_t len;

	(void)unused;
	for (int late = 0; late < 2; late++) {
		session(KTLS_ROLE_CLIENT, "one", true);
		hs_free(asked(buf, &len));
		c = record(KTLS_ROLE_CLIENT, 0, buf, len);
		assert_non_null(c);
		if (late)
			conn_expire(c, 2000);
		else
			assert_false(conn_signed(c, &no, 1001));
		conn_free(c);
		assert_int_equal(seen.answers, 1);
		assert_int_equal(seen.reply.err, -EPROTO);
		assert_int_equal(seen.record[1], ALERT_INTERNAL_ERROR);
		session_over();
	}
}

static void a_malformed_request(void **unused)
{
	static const uint8_t no_schemes[] = { HS_CERTIFICATE_REQUEST, 0, 0, 4, 1, 7, 0, 0 };
	static const uint8_t cut[] = { HS_CERTIFICATE_REQUEST, 0, 0, 4, 9, 7, 0, 0 };
	static const struct { const uint8_t *data; size_t len; int alert; } all[] = {
		{ no_schemes, sizeof(no_schemes), ALERT_MISSING_EXTENSION },
		{ cut, sizeof(cut), ALERT_DECODE_ERROR }, { cut, sizeof(cut) - 1, ALERT_DECODE_ERROR },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		session(KTLS_ROLE_CLIENT, "one", true);
		assert_null(record(KTLS_ROLE_CLIENT, 0, all[i].data, all[i].len));
		assert_int_equal(seen.answers, 1);
		assert_int_equal(seen.reply.alert, all[i].alert);
		session_over();
	}
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("conn-post");
	log_set_level(-1);
	identity_make("one", P256, "DNS:one.test");
	identity_make("two", P256, "DNS:two.test");
	config = config_good("[client]\nallow = everyone\n"
			     "[identity one]\ncertificate = @/one.pem\nkey = @/one.key\nallow = uid:33\n"
			     "[identity two]\ncertificate = @/two.pem\nkey = @/two.key\nallow = uid:33\n"
			     "[trust one]\nfile = @/one.pem\n");
	strict = config_good("[client]\nallow = everyone\n"
			     "[identity one]\ncertificate = @/one.pem\nkey = @/one.key\nallow = uid:34\n");
	narrow = config_good("[client]\nallow = everyone\n"
			     "[identity two]\ncertificate = @/two.pem\nkey = @/two.key\nallow = uid:33\n");
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	config_put(config);
	config_put(strict);
	config_put(narrow);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_asks), cmocka_unit_test(a_client_may_show_none),
		cmocka_unit_test(not_acceptable), cmocka_unit_test(nobody_asked),
		cmocka_unit_test(a_server_cannot_ask), cmocka_unit_test(after_key_updates),
		cmocka_unit_test(a_client_answers), cmocka_unit_test(a_client_declines),
		cmocka_unit_test(the_keeper_refuses), cmocka_unit_test(a_malformed_request),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
