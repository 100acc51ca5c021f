// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KTLS_REQUEST_CERT: the request and its answer between application, agent and
 * peer, where the agent is the test and knows nothing of certificates.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define GCM	TLS_CIPHER_AES_GCM_128

static const uint8_t question[] = { 13, 0, 0, 3, 0, 0, 0 };
static const uint8_t first[] = { 11, 0, 0, 2, 1, 2 }, second[] = { 20, 0, 0, 1, 9 };
static struct message m;
static struct upcall u;

static int request(int fd)
{
	uint32_t flags = 0;

	return setsockopt(fd, SOL_TLS, KTLS_REQUEST_CERT, &flags, sizeof(flags)) ? -errno : 0;
}

/* The same by a thread, as it waits. */
struct waiter { pthread_t thread; int fd, result; };

static void *wait_run(void *arg)
{
	struct waiter *w = arg;

	w->result = request(w->fd);
	return NULL;
}

static void wait_begin(struct waiter *w, int fd)
{
	w->fd = fd;
	assert_int_equal(pthread_create(&w->thread, NULL, wait_run, w), 0);
}

static int wait_end(struct waiter *w)
{
	pthread_join(w->thread, NULL);
	return w->result;
}

/* Open, with spares, an attribute in KTLS_INFO, and a client that offers what @what says. */
static void open_as(struct session *s, uint8_t role, uint32_t what)
{
	struct ktls_handshake ask = { .role = role };
	uint8_t info[16] = { 6, 0, KTLS_I_SUITE, 0, 1, 0x13, 0, 0, 5, 0, KTLS_I_SERVER_NAME, 0, 'a' };
	struct key next;

	session_connect(s);
	s->tx = wire_key(GCM, 3);
	s->rx = wire_key(GCM, 4);
	assert_int_equal(agent_open(&s->agent), 0);
	assert_int_equal(agent_join(&s->agent), 0);
	assert_int_equal(wire_attach(s->fd), 0);
	set_nonblock(s->fd);
	assert_int_equal(setsockopt(s->fd, SOL_TLS, KTLS_HANDSHAKE, &ask, sizeof(ask)), -1);
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	agent_respond(&s->agent, &m, u.id);
	message_put_key(&m, KTLS_A_TX, &s->tx);
	message_put_key(&m, KTLS_A_RX, &s->rx);
	next = session_next(&s->tx);
	message_put_key(&m, KTLS_A_TX_NEXT, &next);
	next = session_next(&s->rx);
	message_put_key(&m, KTLS_A_RX_NEXT, &next);
	message_put(&m, KTLS_A_INFO, info, sizeof(info));
	message_put(&m, KTLS_A_STATE, "state", 5);
	if (what)
		message_put_u32(&m, KTLS_A_POST_AUTH, what);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	close(u.channel);
	fcntl(s->fd, F_SETFL, 0);
}

/* The agent is asked for a request, and sends it. */
static void give_question(struct session *s)
{
	uint8_t info[8] = { 6, 0, KTLS_I_POST_AUTH, 0, 2, 0 };

	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	assert_int_equal(u.why, KTLS_WHY_REQUEST);
	assert_int_equal(u.state_len, 5);
	agent_respond(&s->agent, &m, u.id);
	message_put_record(&m, WIRE_MESSAGE, question, sizeof(question));
	message_put(&m, KTLS_A_INFO, info, sizeof(info));
	assert_int_equal(agent_send(&s->agent, &m), 0);
}

static void expect_question(struct session *s)
{
	uint8_t data[WIRE_RECORD], type;

	assert_int_equal(peer_recv(s, data, &type), sizeof(question));
	assert_int_equal(type, WIRE_MESSAGE);
	assert_memory_equal(data, question, sizeof(question));
}

/* The agent has got @len bytes of an answer, and says of them @what. */
static void judge(struct session *s, size_t len, uint32_t what)
{
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	assert_int_equal(u.why, KTLS_WHY_RECORD);
	assert_int_equal(u.record_len, len);
	agent_respond(&s->agent, &m, u.id);
	message_put_u32(&m, KTLS_A_POST_AUTH, what);
	assert_int_equal(agent_send(&s->agent, &m), 0);
}

/* In two records, of which the agent keeps the first with the module. */
static void give_answer(struct session *s)
{
	peer_send(s, WIRE_MESSAGE, first, sizeof(first));
	judge(s, sizeof(first), KTLS_POST_AUTH_MORE);
	peer_send(s, WIRE_MESSAGE, second, sizeof(second));
	judge(s, sizeof(first) + sizeof(second), KTLS_POST_AUTH_ANSWERED);
	assert_memory_equal(u.record, first, sizeof(first));
	assert_memory_equal(u.record + sizeof(first), second, sizeof(second));
}

static void it_waits_for_the_answer(void **unused)
{
	struct waiter w;
	struct session s;

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	for (int i = 0; i < 3; i++) {
		wait_begin(&w, s.fd);
		give_question(&s);
		expect_question(&s);
		give_answer(&s);
		assert_int_equal(wait_end(&w), 0);
	}
	session_close(&s);
}

/* What was told before stays, what is told anew takes its place. */
static void info_is_merged(void **unused)
{
	struct { struct ktls_info head; uint8_t attrs[64]; } info;
	socklen_t len = sizeof(info);
	struct session s;

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	set_nonblock(s.fd);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(request(s.fd), -EINPROGRESS);
		if (!i)
			give_question(&s);
	}
	assert_int_equal(getsockopt(s.fd, SOL_TLS, KTLS_INFO, &info, &len), 0);
	assert_int_equal(info.head.attr_len, 24);
	assert_memory_equal(info.attrs, ((uint8_t[]){ 6, 0, KTLS_I_POST_AUTH, 0, 2, 0, 0, 0, 6, 0, KTLS_I_SUITE, 0 }), 12);
	assert_int_equal(info.attrs[20], 'a');
	session_close(&s);
}

/* A server that does not block has asked. */
static void begin_asking(struct session *s)
{
	open_as(s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	set_nonblock(s->fd);
	assert_int_equal(request(s->fd), -EINPROGRESS);
	give_question(s);
}

static void without_waiting(void **unused)
{
	struct session s;
	char byte;

	(void)unused;
	begin_asking(&s);
	assert_int_equal(request(s.fd), -EINPROGRESS);
	/* Data first: they are read, and the answer after them. */
	peer_send(&s, WIRE_DATA, "x", 1);
	assert_true(turns(s.fd, POLLIN, 20000));
	assert_int_equal(request(s.fd), -EBUSY);
	assert_int_equal(recv(s.fd, &byte, 1, 0), 1);
	peer_send(&s, WIRE_MESSAGE, first, sizeof(first));
	assert_true(turns(s.fd, POLLIN, 20000));
	assert_int_equal(request(s.fd), -EINPROGRESS);
	judge(&s, sizeof(first), KTLS_POST_AUTH_ANSWERED);
	assert_int_equal(request(s.fd), 0);
	assert_int_equal(request(s.fd), -EINPROGRESS);	/* the next one */
	session_close(&s);
}

/* read() finds the answer as well. */
static void by_reading(void **unused)
{
	struct session s;
	char byte;

	(void)unused;
	begin_asking(&s);
	peer_send(&s, WIRE_MESSAGE, first, sizeof(first));
	assert_true(turns(s.fd, POLLIN, 20000));
	assert_int_equal(recv(s.fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	judge(&s, sizeof(first), KTLS_POST_AUTH_ANSWERED);
	assert_int_equal(request(s.fd), 0);
	session_close(&s);
}

static void refusals(void **unused)
{
	uint32_t flags = 1;
	struct session s;

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, 0);
	assert_int_equal(request(s.fd), -EOPNOTSUPP);
	session_close(&s);
	open_as(&s, KTLS_ROLE_CLIENT, KTLS_POST_AUTH_OFFERED);
	assert_int_equal(request(s.fd), -EINVAL);
	session_close(&s);
	session_mainline(&s, GCM);
	assert_int_equal(request(s.fd), -EINVAL);
	session_close(&s);
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	assert_int_equal(setsockopt(s.fd, SOL_TLS, KTLS_REQUEST_CERT, &flags, sizeof(flags)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(setsockopt(s.fd, SOL_TLS, KTLS_REQUEST_CERT, &flags, 2), -1);
	assert_int_equal(errno, EINVAL);
	shutdown(s.fd, SHUT_WR);
	assert_int_equal(request(s.fd), -EPIPE);
	session_close(&s);
}

/* The agent can't: the caller is told, and the session goes on. */
static void the_agent_refuses(void **unused)
{
	struct waiter w;
	struct session s;
	uint8_t data[WIRE_RECORD];

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	wait_begin(&w, s.fd);
	assert_int_equal(agent_wait(&s.agent, &u, 20000), 0);
	assert_int_equal(agent_respond_error(&s.agent, u.id, -ENOKEY, 0, 0, "no"), 0);
	assert_int_equal(wait_end(&w), -ENOKEY);
	wire_write(s.fd, "on", 2);
	peer_recv_all(&s, data, 2);
	session_close(&s);
}

static void the_client_does_not_answer(void **unused)
{
	unsigned int old = param_set("request_timeout_ms", 200);
	struct session s;

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	assert_int_equal(request(s.fd), -ETIMEDOUT);
	give_question(&s);
	assert_int_equal(request(s.fd), -ETIMEDOUT);
	/* Late, and still taken. */
	peer_send(&s, WIRE_MESSAGE, first, sizeof(first));
	assert_true(turns(s.fd, POLLIN, 20000));
	assert_int_equal(request(s.fd), -ETIMEDOUT);
	judge(&s, sizeof(first), KTLS_POST_AUTH_ANSWERED);
	assert_int_equal(request(s.fd), 0);
	param_set("request_timeout_ms", old);
	session_close(&s);
}

/* The kernel opens records when somebody reads: here the caller does, who waits. */
static void the_connection_ends(void **unused)
{
	static const uint8_t close_notify[] = { 1, 0 };
	struct waiter w;
	struct session s;

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	wait_begin(&w, s.fd);
	give_question(&s);
	peer_send(&s, WIRE_ALERT, close_notify, sizeof(close_notify));
	assert_int_equal(wait_end(&w), -ECONNRESET);
	session_close(&s);
}

/* Nothing may come between the parts of an answer. */
static void data_inside_an_answer(void **unused)
{
	struct waiter w;
	struct session s;

	(void)unused;
	open_as(&s, KTLS_ROLE_SERVER, KTLS_POST_AUTH_OFFERED);
	wait_begin(&w, s.fd);
	give_question(&s);
	expect_question(&s);
	peer_send(&s, WIRE_MESSAGE, first, sizeof(first));
	judge(&s, sizeof(first), KTLS_POST_AUTH_MORE);
	peer_send(&s, WIRE_DATA, "x", 1);
	assert_int_equal(wait_end(&w), -EPROTO);
	peer_expect_alert(&s, 2, 10);
	session_close(&s);
}

/* An answer for another generation of keys is none: the agent gets the record once more. */
static void keys_change_meanwhile(void **unused)
{
	uint32_t zero = 0;
	uint64_t id;
	struct session s;
	char byte;

	(void)unused;
	open_as(&s, KTLS_ROLE_CLIENT, KTLS_POST_AUTH_NONE);
	set_nonblock(s.fd);
	peer_send(&s, WIRE_MESSAGE, question, sizeof(question));
	assert_true(turns(s.fd, POLLIN, 20000));
	recv(s.fd, &byte, 1, 0);
	assert_int_equal(agent_wait(&s.agent, &u, 20000), 0);
	id = u.id;
	assert_int_equal(u.tx_generation, 0);
	assert_int_equal(setsockopt(s.fd, SOL_TLS, KTLS_REKEY, &zero, sizeof(zero)), 0);
	agent_respond(&s.agent, &m, id);
	message_put_u32(&m, KTLS_A_TX_GENERATION, 0);
	message_put_record(&m, WIRE_MESSAGE, first, sizeof(first));
	assert_int_equal(agent_send(&s.agent, &m), -ESTALE);
	assert_int_equal(agent_wait(&s.agent, &u, 20000), 0);
	assert_int_equal(u.id, id);
	assert_int_equal(u.tx_generation, 1);
	assert_int_equal(u.record_len, sizeof(question));
	agent_respond(&s.agent, &m, id);
	message_put_u32(&m, KTLS_A_TX_GENERATION, 1);
	message_put_record(&m, WIRE_MESSAGE, first, sizeof(first));
	assert_int_equal(agent_send(&s.agent, &m), 0);
	session_close(&s);
}

/* More than a record of the peer's size takes several. */
static void long_answers_are_split(void **unused)
{
	uint8_t data[WIRE_RECORD], text[1000], type;
	struct session s;
	char byte;
	size_t got;

	(void)unused;
	fill_pattern(text, sizeof(text), 1);
	open_as(&s, KTLS_ROLE_CLIENT, KTLS_POST_AUTH_NONE);
	set_nonblock(s.fd);
	peer_send(&s, WIRE_MESSAGE, question, sizeof(question));
	assert_true(turns(s.fd, POLLIN, 20000));
	recv(s.fd, &byte, 1, 0);
	assert_int_equal(agent_wait(&s.agent, &u, 20000), 0);
	agent_respond(&s.agent, &m, u.id);
	message_put_u16(&m, KTLS_A_TX_LIMIT, 300);
	message_put_record(&m, WIRE_MESSAGE, first, sizeof(first));
	assert_int_equal(agent_send(&s.agent, &m), 0);
	assert_int_equal(peer_recv(&s, data, &type), sizeof(first));
	peer_send(&s, WIRE_MESSAGE, question, sizeof(question));
	assert_true(turns(s.fd, POLLIN, 20000));
	recv(s.fd, &byte, 1, 0);
	assert_int_equal(agent_wait(&s.agent, &u, 20000), 0);
	agent_respond(&s.agent, &m, u.id);
	message_put_record(&m, WIRE_MESSAGE, text, sizeof(text));
	assert_int_equal(agent_send(&s.agent, &m), 0);
	for (got = 0; got < sizeof(text); got += 300) {
		assert_int_equal(peer_recv(&s, data, &type), got < 900 ? 300 : 100);
		assert_int_equal(type, WIRE_MESSAGE);
		assert_memory_equal(data, text + got, got < 900 ? 300 : 100);
	}
	session_close(&s);
}

static int setup(void **unused)
{
	(void)unused;
	world_new_netns();
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	world_gauges_return();
	return 0;
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_waits_for_the_answer), T(info_is_merged), T(without_waiting), T(by_reading), T(refusals),
		T(the_agent_refuses), T(the_client_does_not_answer), T(the_connection_ends),
		T(data_inside_an_answer), T(keys_change_meanwhile), T(long_answers_are_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
