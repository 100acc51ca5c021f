// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control records, endings, and what a peer must not send: sessions keyed by an
 * agent, where the module deals with all of it, and by TLS_TX and TLS_RX, where
 * the application does.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/errqueue.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"

#define GCM	TLS_CIPHER_AES_GCM_128
#define CHACHA	TLS_CIPHER_CHACHA20_POLY1305

static uint8_t data[WIRE_RECORD], record[2 * WIRE_RECORD];
static struct upcall u;

static struct ktls_info info_of(int fd)
{
	union { struct ktls_info info; uint8_t room[4096]; } i;
	socklen_t len = sizeof(i);

	memset(&i, 0, sizeof(i));
	assert_int_equal(getsockopt(fd, SOL_TLS, KTLS_INFO, &i, &len), 0);
	return i.info;
}

static void expect_errno(ssize_t ret, int err)
{
	assert_int_equal(ret, -1);
	assert_int_equal(errno, err);
}

static void expect_data(struct session *s, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(recv(s->fd, data, len, MSG_WAITALL), len);
	assert_memory_equal(data, text, len);
}

static short events(int fd, short want)
{
	struct pollfd p = { .fd = fd, .events = want };

	return poll(&p, 1, 100) == 1 ? p.revents : 0;
}

/* ---- endings */

static void test_close_notify(void **state)
{
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_DATA, "bye", 3);
	peer_send(&s, WIRE_ALERT, "\1\0", 2);
	expect_data(&s, "bye");
	assert_int_equal(recv(s.fd, data, 1, 0), 0);
	peer_send(&s, WIRE_DATA, "more", 4);
	assert_int_equal(recv(s.fd, data, 1, 0), 0);	/* sticky */
	assert_true(events(s.fd, POLLIN | POLLRDHUP) & POLLRDHUP);
	wire_write(s.fd, "still", 5);			/* a direction of its own */
	peer_recv_all(&s, data, 5);
	session_close(&s);
}

static void test_truncation(void **state)
{
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_DATA, "cut", 3);
	shutdown(s.raw, SHUT_WR);
	expect_data(&s, "cut");
	expect_errno(recv(s.fd, data, 1, 0), ECONNRESET);
	expect_errno(recv(s.fd, data, 1, 0), ECONNRESET);
	wire_write(s.fd, "still", 5);
	peer_recv_all(&s, data, 5);
	session_close(&s);
}

static void test_truncated_record(void **state)
{
	struct session s;
	size_t len;

	(void)state;
	session_agent(&s, GCM, false);
	len = wire_seal(&s.rx, WIRE_DATA, "whole", 5, 0, record);
	wire_write(s.raw, record, len);
	len = wire_seal(&s.rx, WIRE_DATA, "half", 4, 0, record);
	wire_write(s.raw, record, len - 1);
	shutdown(s.raw, SHUT_WR);
	expect_data(&s, "whole");
	expect_errno(recv(s.fd, data, 1, 0), ECONNRESET);
	session_close(&s);
}

static void test_shutdown(void **state)
{
	struct session s;

	(void)state;
	session_agent(&s, CHACHA, false);
	assert_int_equal(send(s.fd, "end", 3, MSG_MORE), 3);
	assert_int_equal(shutdown(s.fd, SHUT_WR), 0);
	peer_recv_all(&s, data, 3);
	peer_expect_alert(&s, 1, 0);
	assert_int_equal(recv(s.raw, data, 1, 0), 0);
	expect_errno(send(s.fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	peer_send(&s, WIRE_DATA, "answer", 6);
	expect_data(&s, "answer");
	session_close(&s);
}

static sig_atomic_t pipes;

static void on_pipe(int sig)
{
	pipes += sig == SIGPIPE;
}

static void test_sigpipe(void **state)
{
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	signal(SIGPIPE, on_pipe);
	shutdown(s.fd, SHUT_WR);
	expect_errno(send(s.fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	assert_int_equal(pipes, 0);
	expect_errno(send(s.fd, "x", 1, 0), EPIPE);
	assert_int_equal(pipes, 1);
	signal(SIGPIPE, SIG_DFL);
	session_close(&s);
}

/* close(): everything, a close_notify, then FIN; unread tickets make no RST. */
static void test_close(void **state)
{
	static const uint8_t ticket[] = { 4, 0, 0, 2, 1, 2 };
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_MESSAGE, ticket, sizeof(ticket));
	wire_write(s.fd, "last words", 10);
	usleep(20000);
	close(s.fd);
	s.fd = -1;
	peer_recv_all(&s, data, 10);
	peer_expect_alert(&s, 1, 0);
	assert_int_equal(recv(s.raw, data, 1, 0), 0);
	session_close(&s);
}

static void test_peer_alert(void **state)
{
	struct ktls_info i;
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_DATA, "data", 4);
	peer_send(&s, WIRE_ALERT, "\1\132", 2);		/* user_canceled means nothing */
	peer_send(&s, WIRE_ALERT, "\1\162", 2);		/* 114: fatal, though it says warning */
	expect_data(&s, "data");
	expect_errno(recv(s.fd, data, 1, 0), EPROTO);
	expect_errno(send(s.fd, "x", 1, MSG_NOSIGNAL), EPROTO);
	i = info_of(s.fd);
	assert_int_equal(i.alert, 114);
	assert_int_equal(i.alert_from, KTLS_ALERT_FROM_PEER);
	assert_int_equal(i.error, -EPROTO);
	assert_int_equal(i.phase, KTLS_PHASE_DEAD);
	session_close(&s);
}

/* ---- what a peer must not send */

struct bad {
	const char	*what;
	size_t		len;		/* of bytes on the wire */
	uint8_t		bytes[12];
	uint8_t		alert;
	int		err;
};

static void expect_death(struct session *s, const char *what, int err, uint8_t alert)
{
	struct ktls_info i;

	print_message("# %s\n", what);
	expect_errno(recv(s->fd, data, 1, 0), err);
	expect_errno(recv(s->fd, data, 1, 0), err);
	i = info_of(s->fd);
	assert_int_equal(i.alert, alert);
	assert_int_equal(i.alert_from, KTLS_ALERT_FROM_LOCAL);
	peer_expect_alert(s, 2, alert);
}

static void test_bad_headers(void **state)
{
	static const struct bad bad[] = {
		{ "clear text alert",	7, { 21, 3, 3, 0, 2, 2, 40 }, 10, EPROTO },
		{ "change_cipher_spec",	6, { 20, 3, 3, 0, 1, 1 }, 10, EPROTO },
		{ "HTTP",		5, { 'H', 'T', 'T', 'P', '/' }, 10, EPROTO },
		{ "version 3.1",	5, { 23, 3, 1, 0, 40 }, 70, EPROTO },
		{ "2^14 + 257 bytes",	5, { 23, 3, 3, 0x41, 1 }, 22, EPROTO },
		{ "empty",		5, { 23, 3, 3, 0, 0 }, 20, EBADMSG },
		{ "16 bytes",		5, { 23, 3, 3, 0, 16 }, 20, EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct session s;

		session_agent(&s, GCM, false);
		wire_write(s.raw, bad[i].bytes, bad[i].len);
		expect_death(&s, bad[i].what, bad[i].err, bad[i].alert);
		session_close(&s);
	}
}

static void test_bad_tag(void **state)
{
	static const uint16_t ciphers[] = { GCM, TLS_CIPHER_AES_GCM_256, CHACHA };

	(void)state;
	for (int c = 0; c < 3; c++) {
		for (int where = 0; where < 3; where++) {
			struct session s;
			size_t len;

			session_agent(&s, ciphers[c], false);
			peer_send(&s, WIRE_DATA, "good", 4);
			len = wire_seal(&s.rx, WIRE_DATA, "changed", 7, 0, record);
			record[where == 0 ? 5 : where == 1 ? 12 : len - 1] ^= 1;
			wire_write(s.raw, record, len);
			expect_data(&s, "good");
			expect_death(&s, "a changed byte", EBADMSG, 20);
			session_close(&s);
		}
	}
}

static void expect_refused(const char *what, uint8_t type, const char *bytes, size_t len, size_t pad, uint8_t alert)
{
	struct session s;

	session_agent(&s, GCM, true);
	wire_write(s.raw, record, wire_seal(&s.rx, type, bytes, len, pad, record));
	expect_death(&s, what, EPROTO, alert);
	session_close(&s);
}

static void test_bad_inside(void **state)
{
	static uint8_t full[WIRE_PLAIN];

	(void)state;
	memset(full, 7, sizeof(full));
	expect_refused("nothing but padding", 0, "", 0, 30, 10);
	expect_refused("unknown type", 99, "abc", 3, 0, 10);
	expect_refused("change_cipher_spec", WIRE_CCS, "\1", 1, 0, 10);
	expect_refused("empty alert", WIRE_ALERT, "", 0, 0, 50);
	expect_refused("long alert", WIRE_ALERT, "\1\0\0", 3, 0, 50);
	expect_refused("empty handshake record", WIRE_MESSAGE, "", 0, 0, 10);
	expect_refused("KeyUpdate and more", WIRE_MESSAGE, "\30\0\0\1\0\4", 6, 0, 10);
	expect_refused("KeyUpdate of 2", WIRE_MESSAGE, "\30\0\0\1\2", 5, 0, 47);
	expect_refused("KeyUpdate, long", WIRE_MESSAGE, "\30\0\0\2\0\0", 6, 0, 50);
	expect_refused("2^14 + 2 inside", WIRE_DATA, (char *)full, sizeof(full), 1, 22);
}

static void test_padding(void **state)
{
	static const size_t pads[] = { 0, 1, 15, 16, 255, 4096, 16000 };
	struct session s;

	(void)state;
	session_agent(&s, CHACHA, false);
	for (size_t i = 0; i < sizeof(pads) / sizeof(pads[0]); i++) {
		wire_write(s.raw, record, wire_seal(&s.rx, WIRE_DATA, "", 0, pads[i], record));
		wire_write(s.raw, record, wire_seal(&s.rx, WIRE_DATA, "pad\0ded\0", 8, pads[i], record));
		assert_int_equal(recv(s.fd, data, 100, 0), 8);
		assert_memory_equal(data, "pad\0ded\0", 8);
	}
	session_close(&s);
}

/* ---- handshake messages */

static void test_ticket(void **state)
{
	static const uint8_t two[] = { 4, 0, 0, 3, 'a', 'b', 'c', 4, 0, 0, 1, 'd' };
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_MESSAGE, two, sizeof(two));
	peer_send(&s, WIRE_DATA, "goes on", 7);
	expect_data(&s, "goes on");
	assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
	assert_int_equal(u.why, KTLS_WHY_TICKET);
	assert_int_equal(u.record_len, 7);
	assert_memory_equal(u.record, two, 7);
	assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
	assert_int_equal(u.record_len, 5);
	for (int i = 0; i < 20; i++)		/* more than the queue holds */
		peer_send(&s, WIRE_MESSAGE, two, 7);
	peer_send(&s, WIRE_DATA, "still", 5);
	expect_data(&s, "still");
	session_close(&s);
}

static void test_key_update(void **state)
{
	struct session s;

	(void)state;
	session_agent(&s, GCM, true);
	peer_send(&s, WIRE_DATA, "old ", 4);
	peer_send(&s, WIRE_MESSAGE, "\30\0\0\1\0", 5);
	s.rx = session_next(&s.rx);
	peer_send(&s, WIRE_DATA, "new", 3);
	assert_int_equal(recv(s.fd, data, 7, MSG_WAITALL), 7);	/* one call across it */
	assert_memory_equal(data, "old new", 7);
	assert_int_equal(info_of(s.fd).rx_generation, 1);
	assert_int_equal(info_of(s.fd).tx_generation, 0);
	assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
	assert_int_equal(u.why, KTLS_WHY_SPARE);
	wire_write(s.fd, "same", 4);
	peer_recv_all(&s, data, 4);
	session_close(&s);
}

static void test_key_update_requested(void **state)
{
	struct session s;
	uint8_t type;

	(void)state;
	session_agent(&s, CHACHA, true);
	peer_send(&s, WIRE_MESSAGE, "\30\0\0\1\1", 5);
	s.rx = session_next(&s.rx);
	peer_send(&s, WIRE_DATA, "new", 3);
	expect_data(&s, "new");
	assert_int_equal(peer_recv(&s, data, &type), 5);
	assert_int_equal(type, WIRE_MESSAGE);
	assert_memory_equal(data, "\30\0\0\1\0", 5);
	s.tx = session_next(&s.tx);
	wire_write(s.fd, "new too", 7);
	peer_recv_all(&s, data, 7);
	assert_memory_equal(data, "new too", 7);
	assert_int_equal(info_of(s.fd).tx_generation, 1);
	session_close(&s);
}

/* Without a spare key reading waits for the agent; writing does not. */
static void test_key_update_held(void **state)
{
	static struct message m;
	struct session s;
	struct key next;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_MESSAGE, "\30\0\0\1\0", 5);
	next = session_next(&s.rx);
	s.rx = next;
	peer_send(&s, WIRE_DATA, "new", 3);
	expect_errno(recv(s.fd, data, 3, MSG_DONTWAIT), EAGAIN);
	assert_int_equal(events(s.fd, POLLIN), 0);
	wire_write(s.fd, "out", 3);
	peer_recv_all(&s, data, 3);
	assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
	assert_int_equal(u.why, KTLS_WHY_RECORD);
	assert_int_equal(u.record_type, WIRE_MESSAGE);
	assert_int_equal(u.record_len, 5);
	agent_respond(&s.agent, &m, u.id);
	message_put_key(&m, KTLS_A_RX, &next);
	assert_int_equal(agent_send(&s.agent, &m), 0);
	assert_int_equal(events(s.fd, POLLIN), POLLIN);
	expect_data(&s, "new");
	session_close(&s);
}

/* What belongs to the agent holds reading. */
static void test_message_held(void **state)
{
	struct session s;
	static struct message m;

	(void)state;
	session_agent(&s, GCM, false);
	peer_send(&s, WIRE_MESSAGE, "\15\0\0\3abc", 7);
	peer_send(&s, WIRE_DATA, "later", 5);
	expect_errno(recv(s.fd, data, 5, MSG_DONTWAIT), EAGAIN);
	assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
	assert_int_equal(u.why, KTLS_WHY_RECORD);
	assert_memory_equal(u.record, "\15\0\0\3abc", 7);
	agent_respond(&s.agent, &m, u.id);
	assert_int_equal(agent_send(&s.agent, &m), 0);
	expect_data(&s, "later");
	session_close(&s);
}

static void send_pieces(struct session *s, const char *bytes, size_t len, size_t step)
{
	for (size_t at = 0; at < len; at += step)
		peer_send(s, WIRE_MESSAGE, bytes + at, len - at < step ? len - at : step);
}

/* Messages spread over records: the module puts them together (RFC 9846 5.1). */
static void test_fragments(void **state)
{
	static const char held[] = "\15\0\0\3abc", three[] = "\4\0\0\3abc\4\0\0\1d\30\0\0\1\0";
	struct session s;

	(void)state;
	for (size_t step = 1; step < 8; step++) {
		session_agent(&s, GCM, true);
		send_pieces(&s, three, 17, step);
		s.rx = session_next(&s.rx);
		peer_send(&s, WIRE_DATA, "new", 3);
		expect_data(&s, "new");
		assert_int_equal(info_of(s.fd).rx_generation, 1);
		assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
		assert_int_equal(u.why, KTLS_WHY_TICKET);
		assert_int_equal(u.record_len, 7);
		assert_memory_equal(u.record, three, 7);
		session_close(&s);

		session_agent(&s, GCM, false);
		send_pieces(&s, held, 7, step);
		expect_errno(recv(s.fd, data, 5, MSG_DONTWAIT), EAGAIN);
		assert_int_equal(agent_wait(&s.agent, &u, 2000), 0);
		assert_int_equal(u.why, KTLS_WHY_RECORD);
		assert_int_equal(u.record_len, 7);
		assert_memory_equal(u.record, held, 7);
		session_close(&s);
	}
}

static void expect_refused_after(const char *what, const char *part, size_t len, uint8_t type, uint8_t alert)
{
	struct session s;

	session_agent(&s, GCM, true);
	peer_send(&s, WIRE_MESSAGE, part, len);
	expect_errno(recv(s.fd, data, 1, MSG_DONTWAIT), EAGAIN);
	peer_send(&s, type, "\1\0", 2);
	expect_death(&s, what, EPROTO, alert);
	session_close(&s);
}

static void test_bad_fragments(void **state)
{
	(void)state;
	expect_refused_after("data inside a message", "\4\0\0\12a", 5, WIRE_DATA, 10);
	expect_refused_after("an alert inside a message", "\30", 1, WIRE_ALERT, 10);
	expect_refused_after("a KeyUpdate and more", "\30\0\0\1", 4, WIRE_MESSAGE, 10);
	expect_refused("a message above 16 KiB", WIRE_MESSAGE, "\4\0\100\0", 4, 0, 47);
}

static void test_ticket_to_server(void **state)
{
	struct key tx = wire_key(GCM, 3), rx = wire_key(GCM, 4);
	struct session s;

	(void)state;
	session_agent_as(&s, KTLS_ROLE_SERVER, &tx, &rx, true);
	peer_send(&s, WIRE_MESSAGE, "\4\0\0\1t", 5);
	expect_death(&s, "a ticket to a server", EPROTO, 10);
	session_close(&s);
}

/* At the cipher's limit the module changes keys by itself. */
static void test_limit(void **state)
{
	struct session s;
	uint8_t type;

	(void)state;
	memset(&s, 0, sizeof(s));
	session_agent_at(&s, GCM, true, (1 << 24) - (1 << 21) - 1);	/* an eighth before */
	wire_write(s.fd, "last", 4);
	peer_recv_all(&s, data, 4);
	wire_write(s.fd, "first", 5);
	assert_int_equal(peer_recv(&s, data, &type), 5);
	assert_int_equal(type, WIRE_MESSAGE);
	s.tx = session_next(&s.tx);
	peer_recv_all(&s, data, 5);
	assert_memory_equal(data, "first", 5);
	session_close(&s);

	session_agent_at(&s, GCM, false, (1 << 24) - 1);
	wire_write(s.fd, "last", 4);
	expect_errno(send(s.fd, "none", 4, 0), EKEYEXPIRED);
	session_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_notify),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_truncated_record),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_sigpipe),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_peer_alert),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_bad_tag),
		cmocka_unit_test(test_bad_inside),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_ticket),
		cmocka_unit_test(test_key_update),
		cmocka_unit_test(test_key_update_requested),
		cmocka_unit_test(test_key_update_held),
		cmocka_unit_test(test_message_held),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_bad_fragments),
		cmocka_unit_test(test_ticket_to_server),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
