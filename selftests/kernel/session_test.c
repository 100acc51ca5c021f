// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Upcalls of open sessions: tickets, held records and spare keys; who gets
 * them when agents come and go, in which order, and what if nobody answers.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define GCM		TLS_CIPHER_AES_GCM_128
#define TICKET		"\4\0\0\1t"
#define KEY_UPDATE	"\30\0\0\1\0"
#define REQUEST		"\15\0\0\1r"	/* CertificateRequest: the module has no idea */
#define LIMIT		(1 << 24)

static struct message m;
static struct upcall u, other;

static void peer_says(struct session *s, const char *message)
{
	peer_send(s, WIRE_MESSAGE, message, 5);
}

/* The module looks at records when somebody reads: send a byte to be read. */
static void expect_byte(struct session *s)
{
	char byte;

	peer_send(s, WIRE_DATA, "x", 1);
	assert_int_equal(recv(s->fd, &byte, 1, 0), 1);
}

static void expect_held(struct session *s)
{
	char byte;

	usleep(20000);
	assert_int_equal(recv(s->fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void expect_upcall(struct agent *a, uint32_t why)
{
	assert_int_equal(agent_wait(a, &u, 2000), 0);
	assert_int_equal(u.why, why);
	assert_int_equal(u.channel, -1);
}

static void answer(struct agent *a, const char *state)
{
	agent_respond(a, &m, u.id);
	if (state)
		message_put(&m, KTLS_A_STATE, state, strlen(state));
	assert_int_equal(agent_send(a, &m), 0);
}

/* ---- tickets */

static void tickets_are_bounded(void **state)
{
	struct session *s = *state;
	int i;

	for (i = 0; i < 6; i++)
		peer_says(s, TICKET);
	expect_byte(s);			/* reading goes on */
	for (i = 0; i < 4; i++) {
		expect_upcall(&s->agent, KTLS_WHY_TICKET);
		assert_int_equal(u.record_type, WIRE_MESSAGE);
		assert_int_equal(u.record_len, 5);
		assert_memory_equal(u.record, TICKET, 5);
		assert_int_equal(u.timeout, 0);
	}
	assert_int_equal(agent_accept(&s->agent, &u), -EAGAIN);
	/* One answered makes room for one. */
	answer(&s->agent, NULL);
	peer_says(s, TICKET);
	expect_byte(s);
	expect_upcall(&s->agent, KTLS_WHY_TICKET);
}

static void state_stays(void **state)
{
	struct session *s = *state;

	peer_says(s, TICKET);
	expect_byte(s);
	expect_upcall(&s->agent, KTLS_WHY_TICKET);
	assert_int_equal(u.state_len, 0);
	answer(&s->agent, "what I know");
	peer_says(s, TICKET);
	expect_byte(s);
	expect_upcall(&s->agent, KTLS_WHY_TICKET);
	assert_int_equal(u.state_len, 11);
	assert_memory_equal(u.state, "what I know", 11);
	answer(&s->agent, NULL);	/* says nothing of it: it stays */
	peer_says(s, TICKET);
	expect_byte(s);
	expect_upcall(&s->agent, KTLS_WHY_TICKET);
	assert_int_equal(u.state_len, 11);
}

/* ---- agents come and go */

static void next_agent_inherits(void **state)
{
	struct session *s = *state;
	struct agent second;
	uint64_t id;

	peer_says(s, TICKET);
	expect_byte(s);
	expect_upcall(&s->agent, KTLS_WHY_TICKET);
	answer(&s->agent, "kept");
	peer_says(s, REQUEST);
	expect_held(s);
	expect_upcall(&s->agent, KTLS_WHY_RECORD);
	id = u.id;
	agent_close(&s->agent);

	/* Nobody serves: data goes on the other way. */
	assert_int_equal(write(s->fd, "out", 3), 3);
	expect_held(s);
	assert_int_equal(agent_open(&second), 0);
	assert_int_equal(agent_join(&second), 0);
	expect_upcall(&second, KTLS_WHY_RECORD);
	assert_int_equal(u.id, id);
	assert_int_equal(u.state_len, 4);
	assert_memory_equal(u.record, REQUEST, 5);
	assert_true(u.timeout > 20000 && u.timeout <= 30000);
	answer(&second, NULL);
	expect_byte(s);
	agent_close(&second);
}

static void nobody_answers(void **state)
{
	unsigned int old = param_set("record_timeout_ms", 200);
	struct session *s = *state;
	struct ktls_info info;
	char byte, reason[256];

	peer_says(s, REQUEST);
	assert_int_equal(recv(s->fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNABORTED);
	param_set("record_timeout_ms", old);
	peer_expect_alert(s, 2, 80);
	info_get(s->fd, &info, reason);
	assert_int_equal(info.phase, KTLS_PHASE_DEAD);
	assert_int_equal(info.alert, 80);
	assert_int_equal(info.alert_from, KTLS_ALERT_FROM_LOCAL);
	assert_non_null(strstr(reason, "agent"));
	assert_int_equal(stat_get("CurrUpcalls"), 0);
}

static void agent_ends_session(void **state)
{
	struct session *s = *state;
	struct ktls_info info;
	char reason[256];

	peer_says(s, REQUEST);
	expect_held(s);
	expect_upcall(&s->agent, KTLS_WHY_RECORD);
	agent_respond(&s->agent, &m, u.id);
	message_put_record(&m, WIRE_ALERT, "\2\12", 2);
	message_put_u32(&m, KTLS_A_ERRNO, -EPROTO);
	message_put_u32(&m, KTLS_A_ALERT, 10);
	message_put_u32(&m, KTLS_A_ALERT_FROM, KTLS_ALERT_FROM_LOCAL);
	message_put(&m, KTLS_A_REASON, "not now", 8);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	peer_expect_alert(s, 2, 10);
	info_get(s->fd, &info, reason);
	assert_int_equal(info.error, -EPROTO);
	assert_string_equal(reason, "not now");
}

static void app_closes_while_held(void **state)
{
	struct session *s = *state;

	peer_says(s, REQUEST);
	expect_held(s);
	expect_upcall(&s->agent, KTLS_WHY_RECORD);
	close(s->fd);
	s->fd = -1;
	agent_respond(&s->agent, &m, u.id);
	assert_int_equal(agent_send(&s->agent, &m), -ENOENT);
}

/* ---- one upcall at a time works on a session's keys */

static void record_waits_for_spare(void **state)
{
	struct session *s = *state;
	struct ktls_info info;
	struct key second;
	char byte;

	peer_says(s, KEY_UPDATE);
	s->rx = session_next(&s->rx);
	expect_byte(s);
	peer_says(s, KEY_UPDATE);	/* no spare for this one yet */
	expect_held(s);
	expect_upcall(&s->agent, KTLS_WHY_SPARE);
	assert_int_equal(u.rx_generation, 1);
	assert_int_equal(u.tx_generation, 0);
	second = s->rx = session_next(&s->rx);
	peer_send(s, WIRE_DATA, "x", 1);
	assert_int_equal(agent_accept(&s->agent, &other), -EAGAIN);
	answer(&s->agent, NULL);
	expect_held(s);			/* that was no answer about the record */
	expect_upcall(&s->agent, KTLS_WHY_RECORD);
	agent_respond(&s->agent, &m, u.id);
	message_put_key(&m, KTLS_A_RX, &second);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	assert_int_equal(read(s->fd, &byte, 1), 1);
	expect_byte(s);
	info_get(s->fd, &info, NULL);
	assert_int_equal(info.rx_generation, 2);
}

static void peer_sees_update(struct session *s)
{
	uint8_t data[WIRE_RECORD], type;

	assert_int_equal(peer_recv(s, data, &type), 5);
	assert_int_equal(type, WIRE_MESSAGE);
	s->tx = session_next(&s->tx);
}

/* While the agent makes spares, tx uses up its own: what comes for tx is behind
 * that, since the agent knows the newest that it has handed out. */
static void spares_are_behind_the_newest(void **state)
{
	struct session *s = *state, at;
	uint8_t data[WIRE_RECORD];
	struct ktls_info info;
	struct key next;

	session_agent_at(&at, GCM, true, LIMIT - 1);
	peer_says(&at, KEY_UPDATE);
	at.rx = session_next(&at.rx);
	expect_byte(&at);
	expect_upcall(&s->agent, KTLS_WHY_SPARE);
	assert_int_equal(u.tx_generation, 0);
	assert_int_equal(write(at.fd, "updates", 7), 7);
	info_get(at.fd, &info, NULL);
	assert_int_equal(info.tx_generation, 1);
	agent_respond(&s->agent, &m, u.id);
	next = session_next(&at.tx);
	next = session_next(&next);
	message_put_key(&m, KTLS_A_TX_NEXT, &next);
	next = session_next(&at.rx);
	message_put_key(&m, KTLS_A_RX_NEXT, &next);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	assert_int_equal(agent_accept(&s->agent, &u), -EAGAIN);
	peer_says(&at, KEY_UPDATE);
	at.rx = session_next(&at.rx);
	expect_byte(&at);
	assert_int_equal(setsockopt(at.fd, SOL_TLS, KTLS_REKEY, &(uint32_t){ 0 }, sizeof(uint32_t)), 0);
	assert_int_equal(write(at.fd, "second", 6), 6);
	peer_sees_update(&at);
	peer_recv_all(&at, data, 7);
	peer_sees_update(&at);
	peer_recv_all(&at, data, 6);
	assert_memory_equal(data, "second", 6);
	session_close(&at);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, session_setup, session_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tickets_are_bounded), TEST(state_stays),
		TEST(next_agent_inherits), TEST(nobody_answers), TEST(agent_ends_session), TEST(app_closes_while_held),
		TEST(record_waits_for_spare), TEST(spares_are_behind_the_newest),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
