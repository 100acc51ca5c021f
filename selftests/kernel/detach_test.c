// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KTLS_DETACH: both close_notify, nothing lost on either side of them, no keys
 * left, and a second session on the same connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define GCM TLS_CIPHER_AES_GCM_128
#define CLOSE_NOTIFY "\1\0"

static int detach(int fd)
{
	return setsockopt(fd, SOL_TLS, KTLS_DETACH, NULL, 0) ? -errno : 0;
}

static void assert_phase(int fd, uint8_t phase)
{
	struct ktls_info info;

	info_get(fd, &info, NULL);
	assert_int_equal(info.phase, phase);
}

static void assert_plain_both_ways(struct session *s)
{
	char buf[8];

	wire_write(s->fd, "to peer", 7);
	wire_read(s->raw, buf, 7);
	assert_memory_equal(buf, "to peer", 7);
	wire_write(s->raw, "to here", 7);
	wire_read(s->fd, buf, 7);
	assert_memory_equal(buf, "to here", 7);
}

/* The close_notify and plain text behind it arrive in one segment. */
static void peer_closes_and_says(struct session *s, const char *plain)
{
	uint8_t buf[256];
	size_t len = wire_seal(&s->rx, WIRE_ALERT, CLOSE_NOTIFY, 2, 3, buf);

	memcpy(buf + len, plain, strlen(plain));
	wire_write(s->raw, buf, len + strlen(plain));
}

static void exact(void **state)
{
	struct session *s = *state;
	struct ktls_info info;
	char buf[16] = "";

	wire_write(s->fd, "last", 4);
	peer_closes_and_says(s, "\x17\x03\x03plain");
	assert_int_equal(detach(s->fd), 0);
	info_get(s->fd, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_BARE);
	assert_int_equal(info.version, 0);
	assert_int_equal(info.tx_records, 0);
	assert_int_equal(stat_get("CurrSessions"), 0);
	assert_int_equal(recv(s->fd, buf, sizeof(buf), 0), 8);
	assert_memory_equal(buf, "\x17\x03\x03plain", 8);
	peer_recv_all(s, (uint8_t *)buf, 4);
	assert_memory_equal(buf, "last", 4);
	peer_expect_alert(s, 1, 0);
	assert_plain_both_ways(s);
	assert_int_equal(detach(s->fd), -EINVAL);
}

static void nonblocking(void **state)
{
	struct session *s = *state;

	set_nonblock(s->fd);
	assert_int_equal(detach(s->fd), -EINPROGRESS);
	peer_expect_alert(s, 1, 0);
	assert_int_equal(send(s->fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(detach(s->fd), -EINPROGRESS);
	assert_false(polled(s->fd, 20) & POLLIN);
	peer_send(s, WIRE_ALERT, CLOSE_NOTIFY, 2);
	assert_true(turns(s->fd, POLLIN, 1000));
	assert_int_equal(detach(s->fd), 0);
	assert_int_equal(polled(s->fd, 20), POLLOUT);
	fcntl(s->fd, F_SETFL, 0);
	assert_plain_both_ways(s);	/* one close_notify only had gone out */
}

static void *detaches(void *arg)
{
	return (void *)(intptr_t)detach(*(int *)arg);
}

static void blocking(void **state)
{
	struct session *s = *state;
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, detaches, &s->fd), 0);
	peer_expect_alert(s, 1, 0);
	usleep(50000);
	assert_phase(s->fd, KTLS_PHASE_OPEN);
	peer_closes_and_says(s, "");
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((intptr_t)result, 0);
	assert_plain_both_ways(s);
}

static void unread_comes_first(void **state)
{
	struct session *s = *state;
	char buf[16];

	peer_send(s, WIRE_DATA, "unread", 6);
	peer_send(s, WIRE_DATA, "data", 4);
	peer_closes_and_says(s, "plain");
	assert_int_equal(detach(s->fd), -EBUSY);
	assert_int_equal(detach(s->fd), -EBUSY);
	wire_read(s->fd, buf, 10);
	assert_memory_equal(buf, "unreaddata", 10);
	assert_int_equal(detach(s->fd), 0);
	wire_read(s->fd, buf, 5);
	assert_memory_equal(buf, "plain", 5);
}

/* After end of file was read, detach() has nothing to wait for. */
static void after_eof(void **state)
{
	struct session *s = *state;
	char byte;

	peer_closes_and_says(s, "!");
	assert_int_equal(recv(s->fd, &byte, 1, 0), 0);
	assert_int_equal(detach(s->fd), 0);
	assert_int_equal(recv(s->fd, &byte, 1, 0), 1);
	assert_int_equal(byte, '!');
}

static uint8_t data[4 << 20];

/* More than the buffers of both ends hold: how much was taken. */
static ssize_t fill_buffers(struct session *s)
{
	ssize_t n, sent = 0;

	fill_pattern(data, sizeof(data), 7);
	set_nonblock(s->fd);
	while ((n = send(s->fd, data + sent, sizeof(data) - sent, MSG_MORE)) > 0)
		sent += n;
	assert_true(sent > 0 && sent < (ssize_t)sizeof(data));
	return sent;
}

static void peer_gets_all(struct session *s, ssize_t sent)
{
	static uint8_t got[sizeof(data)];

	peer_recv_all(s, got, sent);
	assert_memory_equal(got, data, sent);
	peer_expect_alert(s, 1, 0);
}

/* The alert is behind all of it. */
static void full_buffers(void **state)
{
	struct session *s = *state;
	ssize_t sent = fill_buffers(s);

	assert_int_equal(detach(s->fd), -EINPROGRESS);
	peer_gets_all(s, sent);
	peer_send(s, WIRE_ALERT, CLOSE_NOTIFY, 2);
	assert_true(turns(s->fd, POLLIN, 1000));
	assert_int_equal(detach(s->fd), 0);
}

/* The peer's close_notify was there before: TCP is made to take all, and plain text goes behind it. */
static void full_buffers_after_eof(void **state)
{
	struct session *s = *state;
	ssize_t sent;
	char byte;

	peer_send(s, WIRE_ALERT, CLOSE_NOTIFY, 2);
	assert_int_equal(recv(s->fd, &byte, 1, 0), 0);
	sent = fill_buffers(s);
	assert_int_equal(detach(s->fd), 0);
	assert_phase(s->fd, KTLS_PHASE_BARE);
	peer_gets_all(s, sent);
	assert_true(turns(s->fd, POLLOUT, 1000));
	assert_int_equal(fcntl(s->fd, F_SETFL, 0), 0);
	assert_plain_both_ways(s);
}

static void second_session(void **state)
{
	struct session *s = *state;
	char buf[16];

	peer_closes_and_says(s, "");
	assert_int_equal(detach(s->fd), 0);
	peer_expect_alert(s, 1, 0);
	set_nonblock(s->fd);
	assert_int_equal(handshake(s->fd, KTLS_ROLE_SERVER, 0, NULL, 0), -EINPROGRESS);
	serve(&s->agent);
	assert_int_equal(polled(s->fd, 1000), POLLOUT);
	s->tx = s->rx = some_key;
	peer_send(s, WIRE_DATA, "again", 5);
	assert_true(turns(s->fd, POLLIN, 1000));
	wire_read(s->fd, buf, 5);
	assert_memory_equal(buf, "again", 5);
	wire_write(s->fd, "reply", 5);
	peer_recv_all(s, (uint8_t *)buf, 5);
	assert_memory_equal(buf, "reply", 5);
}

static void truncated(void **state)
{
	struct session *s = *state;

	shutdown(s->raw, SHUT_WR);
	assert_int_equal(detach(s->fd), -ECONNRESET);
	assert_phase(s->fd, KTLS_PHASE_OPEN);
}

static void refusals(void **state)
{
	struct session *s = *state, by_options;
	int value = 0;

	assert_int_equal(setsockopt(s->fd, SOL_TLS, KTLS_DETACH, &value, sizeof(value)), -1);
	assert_int_equal(errno, EINVAL);
	shutdown(s->fd, SHUT_WR);
	assert_int_equal(detach(s->fd), -EPIPE);
	session_mainline(&by_options, GCM);
	assert_int_equal(detach(by_options.fd), -EINVAL);
	session_close(&by_options);
}

static void timeout(void **state)
{
	struct timeval limit = { .tv_usec = 50000 };
	struct session *s = *state;

	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(detach(s->fd), -EINPROGRESS);
	assert_phase(s->fd, KTLS_PHASE_OPEN);
}

/* An agent that still works on the session's spares is told so. */
static void pending_upcall(void **state)
{
	static const uint8_t update[] = { 24, 0, 0, 1, 0 };
	struct session *s = *state;
	static struct upcall u;
	static struct message m;

	peer_send(s, WIRE_MESSAGE, update, sizeof(update));
	s->rx = session_next(&s->rx);
	peer_closes_and_says(s, "");
	assert_int_equal(detach(s->fd), 0);
	assert_int_equal(stat_get("CurrUpcalls"), 0);
	assert_int_equal(agent_accept(&s->agent, &u), -EAGAIN);
	agent_respond(&s->agent, &m, u.id);
	assert_int_equal(agent_send(&s->agent, &m), -ENOENT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, session_setup, session_teardown)
	const struct CMUnitTest tests[] = {
		T(exact), T(nonblocking), T(blocking), T(unread_comes_first), T(after_eof), T(full_buffers), T(full_buffers_after_eof),
		T(second_session), T(truncated), T(refusals), T(timeout), T(pending_upcall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
