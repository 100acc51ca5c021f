// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key updates that the module begins: on request by KTLS_REKEY and
 * SESSION_REKEY, and after so many records; with and without a spare at hand.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define GCM	TLS_CIPHER_AES_GCM_128
#define LIMIT	(1 << 24)

static const uint8_t update[] = { 24, 0, 0, 1, 0 };
static struct message m;
static struct upcall u;

static int rekey(int fd, uint32_t flags)
{
	return setsockopt(fd, SOL_TLS, KTLS_REKEY, &flags, sizeof(flags)) ? -errno : 0;
}

/* The module's KeyUpdate; what it sends from now on is under the next key. */
static void expect_update(struct session *s, uint8_t ask)
{
	uint8_t data[WIRE_RECORD], type;

	assert_int_equal(peer_recv(s, data, &type), sizeof(update));
	assert_int_equal(type, WIRE_MESSAGE);
	assert_memory_equal(data, update, sizeof(update) - 1);
	assert_int_equal(data[4], ask);
	s->tx = session_next(&s->tx);
}

static void expect_text(struct session *s, const char *text)
{
	uint8_t data[WIRE_RECORD];

	wire_write(s->fd, text, strlen(text));
	peer_recv_all(s, data, strlen(text));
	assert_memory_equal(data, text, strlen(text));
}

static void peer_updates(struct session *s, uint8_t ask)
{
	uint8_t message[] = { 24, 0, 0, 1, ask };
	char byte;

	peer_send(s, WIRE_MESSAGE, message, sizeof(message));
	s->rx = session_next(&s->rx);
	peer_send(s, WIRE_DATA, "x", 1);
	assert_int_equal(recv(s->fd, &byte, 1, 0), 1);
}

/* The agent's answer to the one upcall there is: a spare for tx. */
static void give_spare(struct session *s)
{
	struct key next = session_next(&s->tx);

	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	assert_int_equal(u.why, KTLS_WHY_SPARE);
	agent_respond(&s->agent, &m, u.id);
	message_put_key(&m, KTLS_A_TX_NEXT, &next);
	assert_int_equal(agent_send(&s->agent, &m), 0);
}

static void on_request(void **state)
{
	struct session *s = *state;
	struct ktls_info info;

	expect_text(s, "old");
	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	expect_text(s, "new");
	info_get(s->fd, &info, NULL);
	assert_int_equal(info.tx_generation, 1);
	assert_int_equal(info.rx_generation, 0);
	assert_int_equal(stat_get("TxRekeys"), 1);
	give_spare(s);
}

/* Behind what MSG_MORE left open. */
static void behind_open_record(void **state)
{
	struct session *s = *state;
	uint8_t data[WIRE_RECORD];

	assert_int_equal(send(s->fd, "open", 4, MSG_MORE), 4);
	assert_int_equal(rekey(s->fd, 0), 0);
	peer_recv_all(s, data, 4);
	expect_update(s, 0);
	expect_text(s, "new");
}

static void both_change(void **state)
{
	struct session *s = *state;

	assert_int_equal(rekey(s->fd, KTLS_REKEY_BOTH), 0);
	expect_update(s, 1);
	peer_updates(s, 0);
	expect_text(s, "new");
	assert_int_equal(stat_get("TxRekeys"), 1);
	assert_int_equal(stat_get("RxRekeys"), 1);
}

/* Requests cross: each side answers the other's, so tx changes twice. */
static void both_ask_at_once(void **state)
{
	struct session *s = *state;

	assert_int_equal(rekey(s->fd, KTLS_REKEY_BOTH), 0);
	expect_update(s, 1);
	give_spare(s);
	peer_updates(s, 1);
	expect_update(s, 0);
	expect_text(s, "new");
}

static void needs_spare(void **state)
{
	struct session *s = *state;

	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	set_nonblock(s->fd);
	assert_int_equal(rekey(s->fd, KTLS_REKEY_BOTH), -EINPROGRESS);
	expect_text(s, "goes on");
	give_spare(s);
	expect_update(s, 1);
	expect_text(s, "new");
	give_spare(s);
}

static void *ask(void *fd)
{
	return (void *)(intptr_t)rekey(*(int *)fd, 0);
}

static void blocking_waits(void **state)
{
	struct session *s = *state;
	pthread_t thread;
	void *result;

	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	assert_int_equal(pthread_create(&thread, NULL, ask, &s->fd), 0);
	usleep(50000);
	expect_text(s, "nobody else waits");
	give_spare(s);
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, 0);
	expect_update(s, 0);
}

static void limit_in_time(void **state)
{
	struct timeval tv = { .tv_usec = 50000 };
	struct session *s = *state;

	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	assert_int_equal(rekey(s->fd, 0), -EINPROGRESS);
	give_spare(s);
	expect_update(s, 0);
	expect_text(s, "new");
}

static void after_so_many_records(void **state)
{
	unsigned int old = param_set("rekey_records", 8);
	struct session *s = *state;
	int i;

	for (i = 0; i < 8; i++)
		expect_text(s, "under the first key");
	wire_write(s->fd, "x", 1);
	expect_update(s, 0);
	peer_recv_all(s, (uint8_t[1]){ 0 }, 1);
	for (i = 0; i < 30; i++)	/* no spare: nobody is held up */
		expect_text(s, "under the second key");
	give_spare(s);
	wire_write(s->fd, "x", 1);
	expect_update(s, 0);
	peer_recv_all(s, (uint8_t[1]){ 0 }, 1);
	param_set("rekey_records", old);
}

/* The cipher's own limit holds, whether there is a spare or not. */
static void cipher_limit(void **state)
{
	struct session *s = *state, at;

	session_close(s);
	session_agent_at(s, GCM, true, LIMIT - (LIMIT >> 3));
	wire_write(s->fd, "x", 1);
	expect_update(s, 0);
	give_spare(s);
	session_agent_at(&at, GCM, false, LIMIT - 1);
	expect_text(&at, "last");
	assert_int_equal(send(at.fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EKEYEXPIRED);
	session_close(&at);
}

static int by_cookie(struct session *s, uint64_t cookie)
{
	message_start(&m, &s->agent, KTLS_CMD_SESSION_REKEY, NLM_F_ACK);
	message_put_u64(&m, KTLS_S_COOKIE, cookie);
	message_put(&m, KTLS_S_REKEY_BOTH, NULL, 0);
	return agent_send(&s->agent, &m);
}

static void by_netlink(void **state)
{
	struct session *s = *state;
	struct ktls_info info;

	info_get(s->fd, &info, NULL);
	assert_int_equal(by_cookie(s, info.cookie), 0);
	expect_update(s, 1);
	expect_text(s, "new");
	assert_int_equal(by_cookie(s, info.cookie + 1), -ENOENT);
}

static void peer_may_be_quick(void **state)
{
	unsigned int old = param_set("update_records", 1);
	struct session *s = *state;
	struct key next;
	int i;

	for (i = 0; i < 20; i++) {
		peer_updates(s, 0);
		assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
		agent_respond(&s->agent, &m, u.id);
		next = session_next(&s->rx);
		message_put_key(&m, KTLS_A_RX_NEXT, &next);
		assert_int_equal(agent_send(&s->agent, &m), 0);
	}
	assert_int_equal(stat_get("RxRekeys"), 20);
	param_set("update_records", old);
}

static void put_spares(uint16_t type, const struct key *from, unsigned int n)
{
	struct key key = *from;

	while (n--) {
		key = session_next(&key);
		message_put_key(&m, type, &key);
	}
}

/* Several at a time: one upcall for all of them, and the next when fewer than half are left. */
static void several_spares(void **state)
{
	struct session *s = *state;
	int i;

	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	agent_respond(&s->agent, &m, u.id);
	put_spares(KTLS_A_TX_NEXT, &s->tx, 4);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(rekey(s->fd, 0), 0);
		expect_update(s, 0);
		expect_text(s, "new");
	}
	assert_int_equal(agent_accept(&s->agent, &u), -EAGAIN);
	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	assert_int_equal(u.why, KTLS_WHY_SPARE);
	assert_int_equal(u.tx_generation, 4);
	assert_int_equal(rekey(s->fd, 0), 0);	/* the last of them, while the agent works */
	expect_update(s, 0);
	agent_respond(&s->agent, &m, u.id);
	put_spares(KTLS_A_TX_NEXT, &s->tx, 1);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	expect_text(s, "newest");
}

static void too_many_spares(void **state)
{
	struct session *s = *state;

	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	agent_respond(&s->agent, &m, u.id);
	put_spares(KTLS_A_TX_NEXT, &s->tx, KTLS_MAX_SPARES + 1);
	assert_int_equal(agent_send(&s->agent, &m), -EMSGSIZE);
	agent_respond(&s->agent, &m, u.id);	/* it is still to be answered */
	put_spares(KTLS_A_TX_NEXT, &s->tx, KTLS_MAX_SPARES);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	assert_int_equal(rekey(s->fd, 0), 0);
	expect_update(s, 0);
	expect_text(s, "many");
}

/*
 * A KeyUpdate came when there was no spare, while the agent was at work on
 * some: it need not say twice what the key is. The answer is ours as well.
 */
static void left_to_spares(void **state)
{
	uint8_t message[] = { 24, 0, 0, 1, 1 };
	struct session *s = *state;
	struct key first;
	char byte;

	peer_updates(s, 0);
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	first = s->rx;
	peer_send(s, WIRE_MESSAGE, message, sizeof(message));
	s->rx = session_next(&s->rx);
	assert_int_equal(recv(s->fd, &byte, 1, MSG_DONTWAIT), -1);	/* held */
	agent_respond(&s->agent, &m, u.id);
	put_spares(KTLS_A_RX_NEXT, &first, 2);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	assert_int_equal(agent_wait(&s->agent, &u, 20000), 0);
	assert_int_equal(u.why, KTLS_WHY_RECORD);
	agent_respond(&s->agent, &m, u.id);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	expect_update(s, 0);
	expect_text(s, "new");
	peer_send(s, WIRE_DATA, "y", 1);
	assert_int_equal(recv(s->fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
	peer_updates(s, 0);
	assert_int_equal(stat_get("RxRekeys"), 3);
}

static void refusals(void **state)
{
	struct session *s = *state, other;
	int fd[2];

	assert_int_equal(rekey(s->fd, 2), -EINVAL);
	assert_int_equal(setsockopt(s->fd, SOL_TLS, KTLS_REKEY, "", 1), -1);
	session_mainline(&other, GCM);
	assert_int_equal(rekey(other.fd, 0), -EINVAL);
	session_close(&other);
	wire_pair(fd);
	assert_int_equal(wire_attach(fd[0]), 0);
	assert_int_equal(rekey(fd[0], 0), -EINVAL);
	close(fd[0]);
	close(fd[1]);
	shutdown(s->fd, SHUT_WR);
	assert_int_equal(rekey(s->fd, 0), -EPIPE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, session_setup, session_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(on_request), TEST(behind_open_record), TEST(both_change), TEST(both_ask_at_once), TEST(needs_spare),
		TEST(blocking_waits), TEST(limit_in_time), TEST(after_so_many_records), TEST(cipher_limit),
		TEST(by_netlink), TEST(peer_may_be_quick), TEST(several_spares), TEST(too_many_spares),
		TEST(left_to_spares), TEST(refusals),
	};

	return cmocka_run_group_tests_name("rekey", tests, NULL, NULL);
}
