/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One handshake of the agent against a peer in this process, over a
 * socketpair: the test is kernel (upcall, channel, answer) and keeper.
 */
#include <netinet/in.h>
#include <netlink/attr.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "conn_test.h"
#include "handshake/alert.h"
#include "handshake/suite.h"
#include "log.h"
#include "state.h"

/* What the agent did. */
static struct {
	int answers, failures, signs, sign_err;
	struct reply reply;
	struct hs_traffic tx, rx, tx_next[KTLS_MAX_SPARES], rx_next[KTLS_MAX_SPARES];
	uint8_t state[KTLS_MAX_STATE], info[KTLS_MAX_INFO], record[64];
	char reason[512];
	struct msg_signed signd;
	struct msg_failure failure;
	int asked, kept;
	struct msg_ticket_put put;
} seen;

static void keep(struct hs_traffic *to, const struct hs_traffic **from, size_t n)
{
	if (*from)
		memcpy(to, *from, n * sizeof(*to));
	*from = *from && n ? to : NULL;
}

static int respond(void *arg, const struct reply *r)
{
	(void)arg;
	seen.answers++;
	seen.reply = *r;
	keep(&seen.tx, &seen.reply.tx, 1);
	keep(&seen.rx, &seen.reply.rx, 1);
	keep(seen.tx_next, &seen.reply.tx_next, r->tx_nexts);
	keep(seen.rx_next, &seen.reply.rx_next, r->rx_nexts);
	if (r->state_len)
		memcpy(seen.state, r->state, r->state_len);
	if (r->info_len)
		memcpy(seen.info, r->info, r->info_len);
	if (r->record.len)
		memcpy(seen.record, r->record.data, r->record.len);
	snprintf(seen.reason, sizeof(seen.reason), "%s", r->reason ? r->reason : "");
	return 0;
}

static int sign(void *arg, uint64_t request, uint64_t deadline, const struct hs_sign *s)
{
	(void)arg;
	assert_true(deadline > 1900 && deadline < 2000);
	seen.signs++;
	if (seen.sign_err)
		return seen.sign_err;
	keeper_signs(request, s, &seen.signd);
	return 0;
}

static void failed(void *arg, const struct msg_failure *f)
{
	(void)arg;
	seen.failures++;
	seen.failure = *f;
}

static int ticket_get(void *arg, uint64_t request, const uint8_t store_key[HS_CONTEXT])
{
	(void)arg;
	assert_int_equal(request, 3);
	memcpy(seen.put.store_key, store_key, HS_CONTEXT);
	seen.asked++;
	return 0;
}

static void ticket_put(void *arg, const struct msg_ticket_put *m)
{
	(void)arg;
	seen.put = *m;
	seen.kept++;
}

static bool with_store;
static struct conn_env env;

/* ---- the peer */

struct peer { struct hs *hs; struct hs_params params; int fd; };

static void peer_open(struct peer *p, enum hs_role role, const char *name, const char *trust, int fd)
{
	char why[POLICY_WHY];

	memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->params.role = role;
	p->params.now = time(NULL);
	p->params.server_name = name;
	p->params.rsa_min_bits = 2048;
	p->params.choose = peer_choose;
	if (trust)
		p->params.trust = policy_trust(config, trust, why)->store;
	p->hs = hs_new(&p->params);
	assert_non_null(p->hs);
	hs_start(p->hs);
}

/* True while something moved. */
static bool peer_step(struct peer *p)
{
	uint8_t buf[20000];
	const uint8_t *out;
	bool moved = false;
	size_t len, want;
	ssize_t n;

	while (out = hs_output(p->hs, &len), len) {
		n = send(p->fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			break;
		hs_sent(p->hs, n);
		moved = true;
	}
	if (hs_state(p->hs) == HS_SIGN) {
		peer_signs(p->hs);
		return true;
	}
	want = hs_want(p->hs);
	if (hs_state(p->hs) != HS_READ || !want)
		return moved;
	n = recv(p->fd, buf, want < sizeof(buf) ? want : sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		hs_input(p->hs, buf, n);
	return moved || n > 0;
}

/* ---- the kernel's part */

struct wish { uint8_t buf[1024]; size_t len; };

static void put(struct wish *w, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(w->buf + w->len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(nla_data(a), data, len);
	w->len += NLA_ALIGN(a->nla_len);
}

static struct conn *conn_new(uint32_t role, uint32_t uid, const struct wish *w, int *peer_fd)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x7f000001) };
	struct upcall up = { .id = 5, .cookie = 9, .role = role, .timeout = 1000, .uid = uid, .gid = uid };
	int s[2];

	memset(&seen, 0, sizeof(seen));
	env = (struct conn_env){ .config = config, .respond = respond, .sign = sign, .failed = failed };
	if (with_store) {
		env.ticket_get = ticket_get;
		env.ticket_put = ticket_put;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	up.channel = s[0];
	*peer_fd = s[1];
	memcpy(&up.peer, &peer, sizeof(peer));
	if (w) {
		up.param = w->buf;
		up.param_len = w->len;
	}
	return conn_open(&env, &up, 3, 1000);
}

/* Both go on until the conn is answered or nothing moves. Returns whether the conn still goes on. */
static bool talk(struct conn *c, struct peer *p)
{
	bool going = true;
	int i;

	for (i = 0; i < 200 && going; i++) {
		going = conn_step(c, 1001);
		if (going && c->signing)
			going = conn_signed(c, &seen.signd, 1002);
		if (!peer_step(p) && going && i > 20)
			break;
	}
	while (peer_step(p))
		;
	return going;
}

static void conn_end(struct conn *c, struct peer *p)
{
	if (c)
		conn_free(c);
	if (p->hs)
		hs_free(p->hs);
	close(p->fd);
}

static void same_keys(const struct hs_traffic *a, const struct hs_traffic *b, const struct crypto_aead *aead)
{
	assert_memory_equal(a->key, b->key, aead->key);
	assert_memory_equal(a->iv, b->iv, 12);
	assert_int_equal(a->seq, b->seq);
}

/* Keys of both ends fit, spares are the next generation, the state continues them. */
static void check_success(struct peer *p, uint32_t role)
{
	const struct hs_result *r = hs_result(p->hs);
	struct hs_traffic tx = r->tx, rx = r->rx;
	struct state s;

	assert_int_equal(seen.answers, 1);
	assert_int_equal(seen.failures, 0);
	assert_int_equal(seen.reply.err, 0);
	assert_int_equal(seen.reply.id, 5);
	assert_int_equal(seen.reply.version, 0x0304);
	same_keys(&seen.tx, &r->rx, r->aead);
	same_keys(&seen.rx, &r->tx, r->aead);
	hs_traffic_update(&tx, r->hash, r->aead);
	hs_traffic_update(&rx, r->hash, r->aead);
	same_keys(seen.tx_next, &rx, r->aead);
	same_keys(seen.rx_next, &tx, r->aead);
	assert_int_equal(state_unpack(seen.state, seen.reply.state_len, &s), 0);
	assert_int_equal(s.role, role);
	assert_int_equal(s.tx.generation, 1);
	assert_memory_equal(s.tx.secret, rx.secret, r->hash->size);
	assert_memory_equal(s.rx.secret, tx.secret, r->hash->size);
	assert_non_null(nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_SUITE));
}

static void serves(void **unused)
{
	struct nlattr *a;
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &fd);
	assert_non_null(c);
	peer_open(&p, HS_CLIENT, "one.test", "one", fd);
	assert_false(talk(c, &p));
	assert_int_equal(hs_state(p.hs), HS_DONE);
	check_success(&p, KTLS_ROLE_SERVER);
	assert_int_equal(seen.signs, 1);
	a = nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_IDENTITY);
	assert_string_equal(nla_data(a), "one");
	a = nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_SERVER_NAME);
	assert_string_equal(nla_data(a), "one.test");
	assert_int_equal(env.count.done, 1);
	conn_end(c, &p);
}

static void connects(void **unused)
{
	struct wish w = { .len = 0 };
	struct nlattr *a;
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	put(&w, KTLS_P_SERVER_NAME, "one.test", 9);
	put(&w, KTLS_P_TRUST, "one", 4);
	put(&w, KTLS_P_PEER_CHAIN, NULL, 0);
	put(&w, KTLS_P_CIPHERS, (uint16_t[]){ 54 }, 2);	/* ChaCha20-Poly1305 */
	c = conn_new(KTLS_ROLE_CLIENT, 44, &w, &fd);
	assert_non_null(c);
	peer_open(&p, HS_SERVER, NULL, NULL, fd);
	assert_false(talk(c, &p));
	assert_int_equal(hs_state(p.hs), HS_DONE);
	check_success(&p, KTLS_ROLE_CLIENT);
	assert_int_equal(hs_result(p.hs)->suite, 0x1303);
	a = nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_PEER_NAME);
	assert_string_equal(nla_data(a), "one.test");
	a = nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_PEER_CHAIN);
	assert_int_equal(nla_len(a), 3 + x509_cert_der(config->sites[0].id.chain[0])->len);
	conn_end(c, &p);
}

/* ---- failures: as the application and the peer see them */

static void check_failure(struct conn *c, struct peer *p, int err, int alert, enum hs_alert_from from,
			  const char *says)
{
	enum hs_alert_from theirs;

	if (seen.answers != 1 || seen.reply.err != err || seen.reply.alert != alert ||
	    seen.reply.from != (enum ktls_alert_from)from || !strstr(seen.reason, says))
		fail_msg("%d answers, errno %d, alert %d from %d: %s", seen.answers, seen.reply.err, seen.reply.alert, seen.reply.from, seen.reason);
	assert_int_equal(seen.failures, 1);
	assert_int_equal(seen.failure.err, err);
	assert_string_equal(seen.failure.peer, "127.0.0.1:443");
	assert_string_equal(seen.failure.reason, seen.reason);
	if (p->hs && from == HS_ALERT_LOCAL) {
		assert_int_equal(hs_alert(p->hs, &theirs), alert);
		assert_int_equal(theirs, HS_ALERT_PEER);
	}
	conn_end(c, p);
}

static void server_refuses(uint32_t uid, const char *name, int err, int alert, const char *says)
{
	struct conn *c;
	struct peer p;
	int fd;

	c = conn_new(KTLS_ROLE_SERVER, uid, NULL, &fd);
	assert_non_null(c);
	peer_open(&p, HS_CLIENT, name, "one", fd);
	assert_false(talk(c, &p));
	check_failure(c, &p, err, alert, HS_ALERT_LOCAL, says);
}

static void denied(void **unused)
{
	(void)unused;
	server_refuses(99, "one.test", -EACCES, ALERT_INTERNAL_ERROR, "uid 99 may not use any identity");
	assert_string_equal(seen.failure.name, "one.test");
}

static void unknown_name(void **unused)
{
	(void)unused;
	server_refuses(33, "two.test", -EPROTO, ALERT_UNRECOGNIZED_NAME, "no identity that uid 33 may use has a certificate for \"two.test\"");
}

static void wrong_ca(void **unused)
{
	struct wish w = { .len = 0 };
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	put(&w, KTLS_P_SERVER_NAME, "one.test", 9);
	put(&w, KTLS_P_TRUST, "two", 4);
	c = conn_new(KTLS_ROLE_CLIENT, 44, &w, &fd);
	peer_open(&p, HS_SERVER, NULL, NULL, fd);
	assert_false(talk(c, &p));
	check_failure(c, &p, -EKEYREJECTED, ALERT_UNKNOWN_CA, HS_ALERT_LOCAL, "");
}

static void peer_refuses(void **unused)
{
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &fd);
	peer_open(&p, HS_CLIENT, "one.test", "two", fd);
	assert_false(talk(c, &p));
	check_failure(c, &p, -EPROTO, ALERT_UNKNOWN_CA, HS_ALERT_PEER, "the peer refused with alert unknown_ca");
}

static void garbage(void **unused)
{
	struct peer p = { .hs = NULL };
	struct conn *c;
	uint8_t alert[8];

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &p.fd);
	assert_int_equal(send(p.fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	assert_false(conn_step(c, 1001));
	assert_int_equal(recv(p.fd, alert, sizeof(alert), MSG_DONTWAIT), 7);
	assert_int_equal(alert[0], 21);
	assert_int_equal(alert[6], seen.reply.alert);
	check_failure(c, &p, -EPROTO, seen.reply.alert, HS_ALERT_LOCAL, "ClientHello: ");
}

static void peer_leaves(void **unused)
{
	struct peer p = { .hs = NULL };
	struct conn *c;

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &p.fd);
	assert_true(conn_step(c, 1001));
	assert_int_equal(c->events, EPOLLIN);
	send(p.fd, "\x16\x03\x01", 3, 0);
	assert_true(conn_step(c, 1001));
	shutdown(p.fd, SHUT_WR);
	assert_false(conn_step(c, 1001));
	check_failure(c, &p, -ECONNRESET, -1, HS_ALERT_NONE, "the peer closed the connection when ClientHello was expected");
}

static void late(void **unused)
{
	struct peer p = { .hs = NULL };
	struct conn *c;

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &p.fd);
	assert_true(conn_step(c, 1001));
	assert_true(c->deadline > 1900 && c->deadline < 2000);	/* before the module's */
	conn_expire(c, c->deadline);
	check_failure(c, &p, -ETIMEDOUT, ALERT_USER_CANCELED, HS_ALERT_LOCAL, "the peer did not go on");
}

static void refused_at_once(uint32_t role, const struct wish *w, int err, const char *says)
{
	struct peer p = { .hs = NULL };

	assert_null(conn_new(role, 44, w, &p.fd));
	check_failure(NULL, &p, err, -1, HS_ALERT_NONE, says);
}

static void bad_wishes(void **unused)
{
	struct wish w = { .len = 0 };

	(void)unused;
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EINVAL, "no server name");
	put(&w, KTLS_P_SERVER_NAME, "one.test", 9);
	put(&w, KTLS_P_TRUST, "none", 5);
	refused_at_once(KTLS_ROLE_CLIENT, &w, -ENOKEY, "no trust store \"none\"");
	w.len = 0;
	put(&w, KTLS_P_SERVER_NAME, "", 1);
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EINVAL, "malformed or unknown server name");
	w.len = 0;
	put(&w, KTLS_P_ALPN, "\x05h2", 3);
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EINVAL, "list of ALPN");
	w.len = 0;
	put(&w, KTLS_P_CIPHERS, "x", 1);
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EINVAL, "list of ciphers");
	w.len = 0;
	put(&w, 77, "x", 1);
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EINVAL, "KTLS_P_ number 77");
	w.len = 0;
	put(&w, KTLS_P_SERVER_NAME, "one.test", 9);
	w.buf[0] = 200;
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EINVAL, "do not fill their length");
	w.len = 0;
	put(&w, KTLS_P_SERVER_NAME, "one.test", 9);
	put(&w, KTLS_P_TRUST, "one", 4);
	put(&w, KTLS_P_CIPHERS, (uint16_t[]){ 53 }, 2);
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EACCES, "none of the application's ciphers");
}

/* ---- the keeper */

static void keeper_refuses(void **unused)
{
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &fd);
	peer_open(&p, HS_CLIENT, "one.test", "one", fd);
	peer_step(&p);
	assert_true(conn_step(c, 1001));
	assert_true(c->signing);
	assert_int_equal(c->events, 0);
	seen.signd.err = -EACCES;
	assert_false(conn_signed(c, &seen.signd, 1002));
	while (peer_step(&p))
		;
	check_failure(c, &p, -EPROTO, ALERT_INTERNAL_ERROR, HS_ALERT_LOCAL, "the keeper refused to sign");
}

static void keeper_busy(void **unused)
{
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	c = conn_new(KTLS_ROLE_SERVER, 33, NULL, &fd);
	peer_open(&p, HS_CLIENT, "one.test", "one", fd);
	peer_step(&p);
	seen.sign_err = -EAGAIN;
	assert_true(conn_step(c, 1001));
	assert_false(c->signing);
	assert_true(conn_step(c, 1001));
	assert_int_equal(seen.signs, 2);
	seen.sign_err = 0;
	assert_true(conn_step(c, 1001));
	assert_true(c->signing);
	assert_true(conn_step(c, 1001));	/* asks once only */
	assert_int_equal(seen.signs, 3);
	assert_false(talk(c, &p));
	check_success(&p, KTLS_ROLE_SERVER);
	conn_end(c, &p);
}

/* ---- open sessions */

static struct state session;

static void session_new(struct upcall *up, enum ktls_why why, uint32_t tx, uint32_t rx)
{
	static uint8_t blob[KTLS_MAX_STATE];

	memset(&seen, 0, sizeof(seen));
	memset(up, 0, sizeof(*up));
	memset(&session, 0, sizeof(session));
	session.role = 1;
	session.suite = 0x1301;
	session.tx.generation = session.rx.generation = 1;
	memset(session.tx.secret, 1, 32);
	memset(session.rx.secret, 2, 32);
	up->id = 6;
	up->why = why;
	up->tx_generation = tx;
	up->rx_generation = rx;
	up->state = blob;
	up->state_len = state_pack(&session, blob, sizeof(blob));
}

static void is_key(const struct state_half *half, uint32_t generation, const struct hs_traffic *t)
{
	struct hs_traffic want;

	assert_int_equal(state_keys(&session, half, generation, &want), 0);
	assert_non_null(t);
	same_keys(t, &want, &crypto_aes_128_gcm);
}

static void spares(void **unused)
{
	struct upcall up;
	struct state s;

	(void)unused;
	session_new(&up, KTLS_WHY_SPARE, 0, 1);		/* rx used its spare up */
	session_upcall(&env, &up, 3, 1000);
	assert_int_equal(seen.reply.err, 0);
	assert_null(seen.reply.tx);
	assert_null(seen.reply.rx);
	assert_null(seen.reply.tx_next);
	is_key(&session.rx, 2, seen.reply.rx_next);
	assert_int_equal(state_unpack(seen.state, seen.reply.state_len, &s), 0);
	assert_int_equal(s.rx.generation, 2);
	assert_int_equal(s.tx.generation, 1);

	session_new(&up, KTLS_WHY_SPARE, 1, 1);		/* both */
	session_upcall(&env, &up, 3, 1000);
	is_key(&session.tx, 2, seen.reply.tx_next);
	is_key(&session.rx, 2, seen.reply.rx_next);

	session_new(&up, KTLS_WHY_SPARE, 5, 0);		/* cannot be */
	session_upcall(&env, &up, 3, 1000);
	assert_int_equal(seen.reply.err, -EPROTO);
	assert_int_equal(seen.reply.alert, ALERT_INTERNAL_ERROR);
}

static void key_updates(void **unused)
{
	uint8_t record[5] = { 24, 0, 0, 1, 0 };
	struct upcall up;

	(void)unused;
	session_new(&up, KTLS_WHY_RECORD, 0, 1);
	up.record_type = 22;
	up.record = record;
	up.record_len = 5;
	session_upcall(&env, &up, 3, 1000);
	assert_int_equal(seen.reply.err, 0);
	assert_null(seen.reply.tx);
	assert_int_equal(seen.reply.record.len, 0);
	is_key(&session.rx, 2, seen.reply.rx);
	is_key(&session.rx, 3, seen.reply.rx_next);

	record[4] = 1;					/* they want ours, too */
	session_upcall(&env, &up, 3, 1000);
	is_key(&session.tx, 1, seen.reply.tx);
	is_key(&session.tx, 2, seen.reply.tx_next);
	assert_int_equal(seen.reply.record.type, 22);
	assert_memory_equal(seen.record, "\x18\0\0\1\0", 5);
}

static void bad_records(void **unused)
{
	static const struct { uint8_t type, data[6], len; int alert; } rows[] = {
		{ 22, { 24, 0, 0, 1, 2 }, 5, ALERT_ILLEGAL_PARAMETER },
		{ 22, { 24, 0, 0, 1 }, 4, ALERT_UNEXPECTED_MESSAGE },
		{ 22, { 24, 0, 0, 1, 0, 0 }, 6, ALERT_UNEXPECTED_MESSAGE },
		{ 22, { 1, 0, 0, 1, 0 }, 5, ALERT_UNEXPECTED_MESSAGE },
		{ 21, { 24, 0, 0, 1, 0 }, 5, ALERT_UNEXPECTED_MESSAGE },
	};
	struct upcall up;
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		session_new(&up, KTLS_WHY_RECORD, 0, 0);
		up.record_type = rows[i].type;
		up.record = rows[i].data;
		up.record_len = rows[i].len;
		session_upcall(&env, &up, 3, 1000);
		assert_int_equal(seen.reply.err, -EPROTO);
		assert_int_equal(seen.reply.alert, rows[i].alert);
		assert_int_equal(seen.reply.record.type, 21);
		assert_int_equal(seen.record[1], rows[i].alert);
		assert_null(seen.reply.rx);
	}
}

static void tickets(void **unused)
{
	struct upcall up;

	(void)unused;
	session_new(&up, KTLS_WHY_TICKET, 0, 0);
	session_upcall(&env, &up, 3, 1000);
	assert_int_equal(seen.answers, 1);
	assert_int_equal(seen.reply.err, 0);
	assert_int_equal(seen.reply.state_len, 0);
	assert_null(seen.reply.tx_next);
}

/* A client waits for the keeper's word; its session keeps what tickets come. */
static void asks_for_a_ticket(void **unused)
{
	static const uint8_t message[] = { 4, 0, 0, 19, 0, 0, 0x0e, 0x10, 1, 2, 3, 4, 1, 7, 0, 5, 'h', 'e', 'l', 'l', 'o',
					   0, 0 };
	struct msg_ticket none = { .type = MSG_TICKET, .id = 3 };
	struct upcall up = { .id = 6, .why = KTLS_WHY_TICKET };
	struct wish w = { .len = 0 };
	uint8_t key[HS_CONTEXT];
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	put(&w, KTLS_P_SERVER_NAME, "one.test", 9);
	put(&w, KTLS_P_TRUST, "one", 4);
	with_store = true;
	c = conn_new(KTLS_ROLE_CLIENT, 44, &w, &fd);
	with_store = false;
	assert_int_equal(seen.asked, 1);
	memcpy(key, seen.put.store_key, sizeof(key));
	peer_open(&p, HS_SERVER, NULL, NULL, fd);
	assert_true(conn_step(c, 1001));
	assert_int_equal(c->events, 0);
	assert_false(peer_step(&p));		/* nothing was sent */
	assert_true(conn_ticket(c, &none, 1001));
	assert_false(talk(c, &p));
	check_success(&p, KTLS_ROLE_CLIENT);
	conn_end(c, &p);

	up.state = seen.state;
	up.state_len = seen.reply.state_len;
	up.record_type = 22;
	up.record = message;
	up.record_len = sizeof(message) - 1;
	session_upcall(&env, &up, 3, 1000);
	assert_int_equal(seen.kept, 0);		/* cut */
	up.record_len++;
	session_upcall(&env, &up, 3, 1000);
	assert_int_equal(seen.kept, 1);
	assert_memory_equal(seen.put.store_key, key, sizeof(key));
	assert_int_equal(seen.put.ticket.len, 5);
	assert_string_equal(seen.put.ticket.peer.name, "one.test");
	assert_int_equal(seen.reply.err, 0);
}

/* ---- keys by hand */

static const struct hs_psk *peer_find_psk(void *arg, const uint8_t *name, size_t len)
{
	(void)arg;
	(void)name;
	(void)len;
	return &config->psks[0].psk;
}

static void psk_client(void **unused)
{
	struct wish w = { .len = 0 };
	struct nlattr *a;
	struct conn *c;
	struct peer p;
	int fd;

	(void)unused;
	put(&w, KTLS_P_PSK, "sensor", 7);
	c = conn_new(KTLS_ROLE_CLIENT, 33, &w, &fd);
	peer_open(&p, HS_SERVER, NULL, NULL, fd);
	p.params.find_psk = peer_find_psk;
	assert_false(talk(c, &p));
	check_success(&p, KTLS_ROLE_CLIENT);
	a = nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_PSK);
	assert_string_equal(nla_data(a), "sensor");
	assert_null(nla_find((struct nlattr *)seen.info, seen.reply.info_len, KTLS_I_PEER_NAME));
	conn_end(c, &p);

	/* A server that wants a certificate instead is not who the application asked for. */
	c = conn_new(KTLS_ROLE_CLIENT, 33, &w, &fd);
	peer_open(&p, HS_SERVER, NULL, NULL, fd);
	assert_false(talk(c, &p));
	check_failure(c, &p, -EKEYREJECTED, ALERT_UNKNOWN_CA, HS_ALERT_LOCAL, "no trusted certificates");
	refused_at_once(KTLS_ROLE_CLIENT, &w, -EACCES, "uid 44 may not use pre-shared key");
}

static void psk_server(uint32_t uid, const char *wish, bool good)
{
	struct wish w = { .len = 0 };
	struct conn *c;
	struct peer p;
	int fd;

	if (wish)
		put(&w, KTLS_P_PSK, wish, strlen(wish) + 1);
	c = conn_new(KTLS_ROLE_SERVER, uid, &w, &fd);
	peer_open(&p, HS_CLIENT, NULL, NULL, fd);
	hs_free(p.hs);
	p.params.psk = &config->psks[0].psk;
	p.hs = hs_new(&p.params);
	hs_start(p.hs);
	assert_false(talk(c, &p));
	assert_int_equal(seen.reply.err == 0, good);
	conn_end(c, &p);
}

static void psk_servers(void **unused)
{
	(void)unused;
	psk_server(33, "*", true);
	psk_server(33, "sensor", true);
	psk_server(33, "other", false);
	psk_server(33, NULL, false);
	psk_server(99, "*", false);
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("conn");
	log_set_level(-1);
	identity_make("one", P256, "DNS:one.test");
	identity_make("two", P256, "DNS:two.example");
	file_write("psk.key", "00112233445566778899aabbccddeeff");
	config = config_good("[psk sensor]\nkey = @/psk.key\nallow = uid:33\n[psk other]\nkey = @/psk.key\nallow = uid:33\n"
			     "[agent]\nciphers = aes-128-gcm chacha20-poly1305\n"
			     "[identity one]\ncertificate = @/one.pem\nkey = @/one.key\nallow = uid:33\n"
			     "[trust one]\nfile = @/one.pem\n[trust two]\nfile = @/two.pem\n");
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	config_put(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves), cmocka_unit_test(connects), cmocka_unit_test(denied),
		cmocka_unit_test(unknown_name), cmocka_unit_test(wrong_ca), cmocka_unit_test(peer_refuses),
		cmocka_unit_test(garbage), cmocka_unit_test(peer_leaves), cmocka_unit_test(late),
		cmocka_unit_test(bad_wishes), cmocka_unit_test(keeper_refuses), cmocka_unit_test(keeper_busy),
		cmocka_unit_test(spares), cmocka_unit_test(key_updates), cmocka_unit_test(bad_records),
		cmocka_unit_test(tickets), cmocka_unit_test(asks_for_a_ticket), cmocka_unit_test(psk_client),
		cmocka_unit_test(psk_servers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
