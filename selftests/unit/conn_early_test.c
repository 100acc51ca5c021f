// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Early data from the application's parameters to what KTLS_INFO says, both
 * roles: the test is kernel and keeper of one handshake of the agent, and its
 * peer is our engine.
 */
#include <netinet/in.h>
#include <netlink/attr.h>
#include <sys/socket.h>
#include "conn_test.h"
#include "handshake/version.h"
#include "log.h"
#include "state.h"
#include "tickets.h"

static struct config *config;
static struct tickets keeper;
static struct hs_ticket_keys peer_keys = { .num = 1 };

/* What the agent did. */
static struct {
	int answers, asked;
	uint8_t info[KTLS_MAX_INFO], state[KTLS_MAX_STATE];
	size_t info_len, state_len;
	struct hs_traffic rx;
	const struct crypto_aead *aead;
	struct msg_signed signd;
	struct msg_fresh fresh;
	struct msg_ticket_put put;
} seen;

static int respond(void *arg, const struct reply *r)
{
	(void)arg;
	seen.answers++;
	seen.info_len = r->info_len;
	if (r->info_len)
		memcpy(seen.info, r->info, r->info_len);
	seen.state_len = r->state_len;
	if (r->state_len)
		memcpy(seen.state, r->state, r->state_len);
	if (r->rx)
		seen.rx = *r->rx;
	seen.aead = r->aead;
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
	fail_msg("%s", f->reason);
}

static int ticket_get(void *arg, uint64_t request, const uint8_t store_key[HS_CONTEXT])
{
	(void)arg;
	(void)request;
	(void)store_key;
	return 0;
}

static void ticket_put(void *arg, const struct msg_ticket_put *m)
{
	(void)arg;
	seen.put = *m;
}

static int fresh(void *arg, uint64_t request, const uint8_t id[32])
{
	struct msg_fresh_ask m = { .type = MSG_FRESH_ASK, .id = request };

	(void)arg;
	memcpy(m.ticket, id, sizeof(m.ticket));
	tickets_fresh(&keeper, &m, (uint64_t)time(NULL), false, &seen.fresh);
	seen.asked++;
	return 0;
}

static struct conn_env env = {
	.respond = respond, .sign = sign, .failed = failed, .ticket_get = ticket_get, .ticket_put = ticket_put, .fresh = fresh,
};

/* ---- the peer */

struct peer { struct hs *hs; struct hs_params params; int fd; };

static void peer_answer(struct peer *p)
{
	if (hs_state(p->hs) == HS_FRESH)
		hs_fresh(p->hs, true);
	else if (hs_sign_wanted(p->hs))
		peer_signs(p->hs);
}

static void peer_step(struct peer *p)
{
	uint8_t buf[20000];
	const uint8_t *out;
	size_t len, want;
	ssize_t n;

	peer_answer(p);
	while (out = hs_output(p->hs, &len), len) {
		n = send(p->fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		assert_true(n > 0);
		hs_sent(p->hs, (size_t)n);
	}
	want = hs_want(p->hs);
	n = want && hs_state(p->hs) == HS_READ ? recv(p->fd, buf, want < sizeof(buf) ? want : sizeof(buf), MSG_DONTWAIT) : 0;
	if (n > 0)
		hs_input(p->hs, buf, (size_t)n);
}

static void peer_open(struct peer *p, enum hs_role role, int fd)
{
	char why[POLICY_WHY];

	p->fd = fd;
	p->params.role = role;
	p->params.now = time(NULL);
	p->params.rsa_min_bits = 2048;
	p->params.choose = peer_choose;
	p->params.tickets = 1;
	p->params.ticket_lifetime = 7200;
	if (role == HS_CLIENT) {
		p->params.server_name = "one.test";
		p->params.trust = policy_trust(config, "one", why)->store;
	} else {
		p->params.ticket_keys = &peer_keys;
	}
	p->hs = hs_new(&p->params);
	assert_int_equal(hs_start(p->hs), 0);
}

/* ---- the kernel's part */

struct wish { uint8_t buf[8192]; size_t len; };

static void put(struct wish *w, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(w->buf + w->len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(nla_data(a), data, len);
	w->len += NLA_ALIGN(a->nla_len);
}

static struct conn *conn_new(uint32_t role, const struct wish *w, int *peer_fd)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x7f000001) };
	struct upcall up = {
		.id = 5, .cookie = 9, .role = role, .timeout = 1000, .uid = 33, .gid = 33, .param = w->buf, .param_len = w->len,
	};
	struct conn *c;
	int s[2];

	seen.answers = seen.asked = 0;
	env.config = config;
	env.ticket_keys = keeper.keys.keys;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	up.channel = s[0];
	*peer_fd = s[1];
	memcpy(&up.peer, &peer, sizeof(peer));
	c = conn_open(&env, &up, 3, 1000);
	assert_non_null(c);
	return c;
}

static void talk(struct conn *c, struct peer *p)
{
	bool going = true;
	int i;

	for (i = 0; i < 100; i++) {
		if (going)
			going = conn_step(c, 1001);
		if (going && c->signing)
			going = conn_signed(c, &seen.signd, 1002);
		if (going && c->comparing)
			going = conn_fresh(c, &seen.fresh, 1003);
		peer_step(p);
	}
	assert_false(going);
	assert_int_equal(seen.answers, 1);
	if (!hs_result(p->hs))
		fail_msg("%s", hs_why(p->hs));
}

static void end(struct conn *c, struct peer *p)
{
	conn_free(c);
	hs_free(p->hs);
	close(p->fd);
}

/* The record with a ticket that lies in @fd, as plain text. */
static size_t next_message(int fd, const struct crypto_aead *aead, const struct hs_traffic *rx, uint8_t *plain)
{
	uint8_t r[5000];
	size_t len;

	assert_int_equal(recv(fd, r, 5, MSG_DONTWAIT), 5);
	len = (size_t)(r[3] << 8 | r[4]);
	assert_int_equal(recv(fd, r + 5, len, MSG_DONTWAIT), len);
	assert_int_equal(aead->open(rx->key, rx->iv, r, 5, r + 5, len, plain), 0);
	return len - aead->tag - 1;
}

static uint16_t early_word(void)
{
	struct nlattr *a = nla_find((struct nlattr *)seen.info, (int)seen.info_len, KTLS_I_EARLY);

	return a ? nla_get_u16(a) : 0;
}

/* ---- server */

static struct hs_ticket ticket;

static void wish_early_max(struct wish *w, uint32_t max)
{
	w->len = 0;
	put(w, KTLS_P_EARLY_MAX, &max, sizeof(max));
}

static void give_ticket(const struct wish *w)
{
	struct peer p = { .hs = NULL };
	const struct hs_result *r;
	uint8_t plain[5000];
	struct conn *c;
	size_t len;
	int fd;

	c = conn_new(KTLS_ROLE_SERVER, w, &fd);
	peer_open(&p, HS_CLIENT, fd);
	talk(c, &p);
	assert_int_equal(early_word(), 0);
	r = hs_result(p.hs);
	len = next_message(fd, r->aead, &r->rx, plain);
	assert_int_equal(hs_ticket_read(r->suite, r->resumption, (uint64_t)time(NULL) * 1000, plain, len, &ticket), 0);
	ticket.peer = r->who;
	end(c, &p);
}

/* 1: accepted; 2: rejected; 0: none were sent. */
static void serve_early(const struct wish *w, const char *data, uint16_t want)
{
	struct peer p = { .params = { .ticket = &ticket, .early = (const uint8_t *)data, .early_len = strlen(data) } };
	struct nlattr *a;
	struct conn *c;
	int fd;

	c = conn_new(KTLS_ROLE_SERVER, w, &fd);
	peer_open(&p, HS_CLIENT, fd);
	talk(c, &p);
	assert_true(hs_result(p.hs)->resumed);
	assert_int_equal(early_word(), want);
	a = nla_find((struct nlattr *)seen.info, (int)seen.info_len, KTLS_I_EARLY_DATA);
	assert_int_equal(a != NULL, want == 1);
	if (a) {
		assert_int_equal(nla_len(a), strlen(data));
		assert_memory_equal(nla_data(a), data, strlen(data));
	}
	end(c, &p);
}

static void server_gives_early_data_apart(void **unused)
{
	struct wish w;

	(void)unused;
	wish_early_max(&w, 100);
	give_ticket(&w);
	assert_int_equal(ticket.max_early, 100);
	serve_early(&w, "early bird", 1);
	assert_int_equal(seen.asked, 1);
	serve_early(&w, "early bird", 2);	/* the keeper has seen the ticket */
	assert_int_equal(seen.asked, 1);
	give_ticket(&w);
	serve_early(&w, "", 0);
}

static void server_takes_none_unless_asked(void **unused)
{
	struct wish none = { .len = 0 }, w;

	(void)unused;
	give_ticket(&none);
	assert_int_equal(ticket.max_early, 0);
	wish_early_max(&w, 100);
	give_ticket(&w);
	serve_early(&none, "early bird", 2);	/* it was once told otherwise */
	config->early_data = 0;
	give_ticket(&w);
	assert_int_equal(ticket.max_early, 0);
	config->early_data = 50;
	give_ticket(&w);
	assert_int_equal(ticket.max_early, 50);
	config->early_data = 4096;
}

static void nobody_to_ask(void **unused)
{
	struct wish w;

	(void)unused;
	wish_early_max(&w, 100);
	give_ticket(&w);
	env.fresh = NULL;
	serve_early(&w, "early bird", 2);
	env.fresh = fresh;
}

/* Agents that share keys have no register in common: until the last of such keys is gone, none are taken. */
static void shared_keys(void **unused)
{
	static const uint8_t secret[32] = { 5 };
	struct msg_fresh_ask m = { .id = 7, .ticket = { 1 } };
	struct msg_fresh got;
	struct tickets t = { .generation = 0 };
	uint8_t i;

	(void)unused;
	tickets_derive(&t, secret, 1000000, 3600);
	for (i = 0; i < 3; i++) {
		m.ticket[0] = (uint8_t)(1 + i);
		tickets_fresh(&t, &m, 1000000, false, &got);
		assert_int_equal(got.first, i == 2);
		assert_int_equal(got.id, 7);
		assert_int_equal(got.type, MSG_FRESH);
		t.next = 0;
		tickets_rotate(&t, 1000000, 3600);
	}
	tickets_free(&t);
}

/* ---- client */

static void client_wish(struct wish *w, const char *data)
{
	w->len = 0;
	put(w, KTLS_P_SERVER_NAME, "one.test", 9);
	put(w, KTLS_P_TRUST, "one", 4);
	if (*data)
		put(w, KTLS_P_EARLY_DATA, data, strlen(data));
}

/* A connection of ours to a server that takes @max; resumed by what was put before, if @resume. */
static void connect_early(const char *data, uint32_t max, bool resume, uint16_t want)
{
	struct peer p = { .params = { .max_early = max } };
	struct msg_ticket m = { .type = MSG_TICKET, .id = 3, .found = resume, .ticket = seen.put.ticket };
	struct upcall up = { .id = 6, .why = KTLS_WHY_TICKET, .record_type = 22 };
	uint8_t plain[5000];
	const uint8_t *got;
	struct conn *c;
	struct wish w;
	size_t len;
	int fd;

	client_wish(&w, data);
	c = conn_new(KTLS_ROLE_CLIENT, &w, &fd);
	peer_open(&p, HS_SERVER, fd);
	assert_true(conn_ticket(c, &m, 1001));
	talk(c, &p);
	assert_int_equal(hs_result(p.hs)->resumed, resume);
	assert_int_equal(early_word(), want);
	got = hs_early_data(p.hs, &len);
	assert_int_equal(len, want == 1 ? strlen(data) : 0);
	if (len)
		assert_memory_equal(got, data, len);
	up.record = plain;
	up.record_len = next_message(c->fd, seen.aead, &seen.rx, plain);
	up.state = seen.state;
	up.state_len = seen.state_len;
	session_upcall(&env, &up, 3, 1000);
	end(c, &p);
}

static void client_sends_what_it_was_given(void **unused)
{
	(void)unused;
	connect_early("early bird", 1000, false, 0);
	assert_int_equal(seen.put.ticket.max_early, 1000);
	connect_early("early bird", 1000, true, 1);
	connect_early("early bird", 0, true, 2);	/* the server takes none any more */
	assert_int_equal(seen.put.ticket.max_early, 0);
	connect_early("early bird", 5, true, 0);
	connect_early("early bird", 5, true, 0);	/* more than it would take */
	connect_early("five.", 1000, true, 1);
	config->early_data = 0;
	connect_early("early bird", 1000, true, 0);
	config->early_data = 4096;
	connect_early("", 1000, true, 0);
}

static void malformed_wishes(void **unused)
{
	static uint8_t much[KTLS_MAX_PARAM + 1];
	static const struct { int type; size_t len; uint32_t value; bool good; } all[] = {
		{ KTLS_P_EARLY_DATA, 0, 0, false }, { KTLS_P_EARLY_DATA, 1, 0, true },
		{ KTLS_P_EARLY_DATA, KTLS_MAX_PARAM, 0, true }, { KTLS_P_EARLY_DATA, KTLS_MAX_PARAM + 1, 0, false },
		{ KTLS_P_EARLY_MAX, 4, KTLS_MAX_EARLY, true }, { KTLS_P_EARLY_MAX, 4, KTLS_MAX_EARLY + 1, false },
		{ KTLS_P_EARLY_MAX, 3, 0, false }, { KTLS_P_EARLY_MAX, 8, 0, false },
	};
	struct conn_wish wish;
	char why[POLICY_WHY];
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct wish w = { .len = 0 };

		memcpy(much, &all[i].value, sizeof(all[i].value));
		put(&w, all[i].type, much, all[i].len);
		assert_int_equal(wish_read(&wish, w.buf, w.len, why), all[i].good ? 0 : -EINVAL);
	}
}

static int load(void **unused)
{
	(void)unused;
	log_set_level(-1);
	folder_make("early");
	identity_make("one", "ec -pkeyopt ec_paramgen_curve:P-256", "DNS:one.test");
	config = config_good("[agent]\nearly-data = 4096\n"
			     "[identity one]\ncertificate = @/one.pem\nkey = @/one.key\nallow = uid:33\n"
			     "[trust one]\nfile = @/one.pem\n[client]\nallow = uid:33\n");
	tickets_rotate(&keeper, 1000, 7200);
	return 0;
}

static int unload(void **unused)
{
	(void)unused;
	tickets_free(&keeper);
	config_put(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_gives_early_data_apart),
		cmocka_unit_test(server_takes_none_unless_asked),
		cmocka_unit_test(nobody_to_ask),
		cmocka_unit_test(shared_keys),
		cmocka_unit_test(client_sends_what_it_was_given),
		cmocka_unit_test(malformed_wishes),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
