// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long records are, by an agent's answer. record_size_limit (RFC 8449), both
 * ways: no record that goes out is longer, under this key and the next ones; one
 * that comes in longer ends the session with record_overflow, behind what came
 * before it. Padding (RFC 8446 5.4): every record of TLS 1.3 that goes out is
 * filled up to a multiple, or to the limit if that is less.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define GCM	TLS_CIPHER_AES_GCM_128
#define LIMIT	100
#define OVERFLOW	22
#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static uint8_t out[WIRE_PLAIN], in[WIRE_PLAIN + 1];

/* What an agent says; a number of 0 isn't said. */
struct words { uint16_t version, cipher, tx_limit, rx_limit, tx_pad; };

/* s->agent answers the handshake of s->fd. */
static void answer(struct session *s, const struct words *w)
{
	static struct message m;
	static struct upcall u;
	struct key next;

	assert_int_equal(agent_wait(&s->agent, &u, 5000), 0);
	agent_respond(&s->agent, &m, u.id);
	message_put_key(&m, KTLS_A_TX, &s->tx);
	message_put_key(&m, KTLS_A_RX, &s->rx);
	if (s->tx.version == 0x0304) {
		next = session_next(&s->tx);
		message_put_key(&m, KTLS_A_TX_NEXT, &next);
		next = session_next(&s->rx);
		message_put_key(&m, KTLS_A_RX_NEXT, &next);
	}
	if (w->tx_limit)
		message_put_u16(&m, KTLS_A_TX_LIMIT, w->tx_limit);
	if (w->rx_limit)
		message_put_u16(&m, KTLS_A_RX_LIMIT, w->rx_limit);
	if (w->tx_pad)
		message_put_u16(&m, KTLS_A_TX_PAD, w->tx_pad);
	assert_int_equal(agent_send(&s->agent, &m), 0);
	close(u.channel);
}

static void begin_as(struct session *s, const struct words *w)
{
	session_connect(s);
	s->tx = wire_key(w->cipher, 3);
	s->rx = wire_key(w->cipher, 4);
	s->tx.version = s->rx.version = w->version;
	assert_int_equal(agent_open(&s->agent), 0);
	assert_int_equal(agent_join(&s->agent), 0);
	assert_int_equal(wire_attach(s->fd), 0);
	set_nonblock(s->fd);
	assert_int_equal(handshake(s->fd, KTLS_ROLE_SERVER, 0, NULL, 0), -EINPROGRESS);
	answer(s, w);
	assert_int_equal(polled(s->fd, 1000), POLLOUT);
}

static void begin(struct session *s, uint16_t version, uint16_t tx_limit, uint16_t rx_limit)
{
	begin_as(s, &(struct words){ version, GCM, tx_limit, rx_limit, 0 });
}

/* Whole records as long as they may be, then the rest. */
static void expect_records(struct session *s, size_t limit, size_t len)
{
	size_t at, n;
	uint8_t type;

	for (at = 0; at < len; at += n) {
		n = len - at < limit ? len - at : limit;
		assert_int_equal(peer_recv(s, in, &type), n);
		assert_int_equal(type, WIRE_DATA);
		assert_memory_equal(in, out + at, n);
	}
}

static void expect_end(struct session *s, int err, uint8_t alert)
{
	assert_true(turns(s->fd, POLLIN, 1000));
	assert_int_equal(recv(s->fd, in, sizeof(in), 0), -1);
	assert_int_equal(errno, err);
	peer_expect_alert(s, 2, alert);
}

static void received(struct session *s, size_t len)
{
	assert_true(turns(s->fd, POLLIN, 1000));
	assert_int_equal(recv(s->fd, in, sizeof(in), 0), len);
	assert_memory_equal(in, out, len);
}

/* ---- receiving */

static void longest_is_taken(void **state)
{
	static const uint16_t versions[] = { 0x0303, 0x0304 }, limits[] = { 63, LIMIT, 16383 };
	struct session s;

	(void)state;
	for EACH(v, versions) {
		for EACH(i, limits) {
			begin(&s, versions[v], 0, limits[i]);
			peer_send(&s, WIRE_DATA, out, limits[i]);
			received(&s, limits[i]);
			peer_send(&s, WIRE_DATA, out, 1);
			received(&s, 1);
			peer_send(&s, WIRE_DATA, out, limits[i] + 1);
			expect_end(&s, EPROTO, OVERFLOW);
			session_close(&s);
		}
	}
}

/* In TLS 1.3 padding counts. */
static void padding_counts(void **state)
{
	static uint8_t record[WIRE_RECORD];
	struct session s;

	(void)state;
	begin(&s, 0x0304, 0, LIMIT);
	wire_write(s.raw, record, wire_seal(&s.rx, WIRE_DATA, out, 40, LIMIT - 40, record));
	received(&s, 40);
	wire_write(s.raw, record, wire_seal(&s.rx, WIRE_DATA, out, 40, LIMIT - 40 + 1, record));
	expect_end(&s, EPROTO, OVERFLOW);
	session_close(&s);
}

static void what_came_before(void **state)
{
	struct session s;

	(void)state;
	begin(&s, 0x0304, 0, LIMIT);
	peer_send(&s, WIRE_DATA, out, LIMIT);
	peer_send(&s, WIRE_DATA, out, LIMIT + 1);
	received(&s, LIMIT);
	expect_end(&s, EPROTO, OVERFLOW);
	session_close(&s);
}

/* ---- both ways, under the next keys */

static void rekeyed(void **state)
{
	static const uint8_t update[] = { 24, 0, 0, 1, 0 };
	struct session s;
	uint8_t type;

	(void)state;
	begin(&s, 0x0304, LIMIT, LIMIT);
	assert_int_equal(send(s.fd, out, 1050, 0), 1050);
	expect_records(&s, LIMIT, 1050);
	assert_int_equal(setsockopt(s.fd, SOL_TLS, KTLS_REKEY, &(uint32_t){ 0 }, 4), 0);
	assert_int_equal(peer_recv(&s, in, &type), sizeof(update));
	assert_int_equal(type, WIRE_MESSAGE);
	s.tx = session_next(&s.tx);
	assert_int_equal(send(s.fd, out, 1050, 0), 1050);
	expect_records(&s, LIMIT, 1050);

	peer_send(&s, WIRE_MESSAGE, update, sizeof(update));
	s.rx = session_next(&s.rx);
	peer_send(&s, WIRE_DATA, out, LIMIT);
	received(&s, LIMIT);
	peer_send(&s, WIRE_DATA, out, LIMIT + 1);
	expect_end(&s, EPROTO, OVERFLOW);
	session_close(&s);
}

/* Limits are one session's: the next one on the socket has none. */
static void detached(void **state)
{
	static const uint8_t close_notify[] = { 1, 0 };
	struct session s;

	(void)state;
	begin(&s, 0x0304, LIMIT, LIMIT);
	peer_send(&s, WIRE_ALERT, close_notify, sizeof(close_notify));
	assert_true(turns(s.fd, POLLIN, 1000));
	assert_int_equal(setsockopt(s.fd, SOL_TLS, KTLS_DETACH, NULL, 0), 0);
	peer_expect_alert(&s, 1, 0);
	assert_int_equal(handshake(s.fd, KTLS_ROLE_SERVER, 0, NULL, 0), -EINPROGRESS);
	s.tx = wire_key(GCM, 5);
	s.rx = wire_key(GCM, 6);
	answer(&s, &(struct words){ 0 });
	assert_int_equal(polled(s.fd, 1000), POLLOUT);
	assert_int_equal(send(s.fd, out, 2000, 0), 2000);
	expect_records(&s, WIRE_PLAIN, 2000);
	peer_send(&s, WIRE_DATA, out, 2000);
	received(&s, 2000);
	session_close(&s);
}

static void refused(void **state)
{
	static const uint16_t wrong[] = { 0, 62, 16385 };
	static const uint16_t attrs[] = { KTLS_A_TX_LIMIT, KTLS_A_RX_LIMIT, KTLS_A_TX_PAD };
	static struct message m;
	static struct upcall u;
	struct session s;
	int fd[2];

	(void)state;
	memset(&s, 0, sizeof(s));
	wire_pair(fd);
	assert_int_equal(agent_open(&s.agent), 0);
	assert_int_equal(agent_join(&s.agent), 0);
	assert_int_equal(wire_attach(fd[0]), 0);
	set_nonblock(fd[0]);
	assert_int_equal(handshake(fd[0], KTLS_ROLE_SERVER, 0, NULL, 0), -EINPROGRESS);
	assert_int_equal(agent_wait(&s.agent, &u, 5000), 0);
	for EACH(a, attrs) {
		for EACH(i, wrong) {
			if (attrs[a] == KTLS_A_TX_PAD && wrong[i] == 62)
				continue;
			agent_respond(&s.agent, &m, u.id);
			message_put_key(&m, KTLS_A_TX, &some_key);
			message_put_key(&m, KTLS_A_RX, &some_key);
			message_put_u16(&m, attrs[a], wrong[i]);
			assert_int_equal(agent_send(&s.agent, &m), -ERANGE);
		}
	}
	close(u.channel);
	close(fd[0]);
	close(fd[1]);
	agent_close(&s.agent);
}

/* ---- padding of what is sent */

/* The next record: how long its body is, less the tag. What it carries in @in. */
static size_t inner_length(struct session *s, size_t *ret_len, uint8_t *ret_type)
{
	uint8_t head[WIRE_HEADER];

	assert_int_equal(recv(s->raw, head, sizeof(head), MSG_PEEK | MSG_WAITALL), sizeof(head));
	*ret_len = (size_t)peer_recv(s, in, ret_type);
	return (size_t)(head[3] << 8 | head[4]) - WIRE_TAG;
}

/* @len bytes of data, in records as full as they may be and filled up as far as they may be. */
static void expect_padded(struct session *s, const struct words *w, size_t len)
{
	size_t limit = w->tx_limit ? w->tx_limit : WIRE_PLAIN, at, n, inner, full;
	uint8_t type;

	for (at = 0; at < len; at += n) {
		inner = inner_length(s, &n, &type);
		assert_int_equal(type, WIRE_DATA);
		assert_int_equal(n, len - at < limit ? len - at : limit);
		assert_memory_equal(in, out + at, n);
		full = (n + 1 + w->tx_pad - 1) / w->tx_pad * w->tx_pad;
		assert_int_equal(inner, full < limit + 1 ? full : limit + 1);
	}
}

static const uint16_t pads[] = { 1, 2, 16, 256, 1000, 4096, 16384 };
static const size_t lengths[] = { 1, 15, 16, 254, 255, 256, 4095, 4096, 9000, 16383, 16384 };
/* By our own AES-GCM, and by the crypto API. */
static const uint16_t all_ciphers[] = { TLS_CIPHER_AES_GCM_128, TLS_CIPHER_CHACHA20_POLY1305 };

static void padded(void **state)
{
	struct session s;

	(void)state;
	for EACH(c, all_ciphers) {
		for EACH(p, pads) {
			struct words w = { 0x0304, all_ciphers[c], p % 2 ? 3000 : 0, 0, pads[p] };

			begin_as(&s, &w);
			for EACH(l, lengths) {
				assert_int_equal(send(s.fd, out, lengths[l], 0), lengths[l]);
				expect_padded(&s, &w, lengths[l]);
			}
			session_close(&s);
		}
	}
}

/* Bytes that are copied in between pages that are not. */
static void padded_pages(void **state)
{
	char path[] = "/tmp/pad-XXXXXX";
	int file = mkstemp(path);
	struct session s;

	(void)state;
	unlink(path);
	assert_int_equal(write(file, out, sizeof(out)), sizeof(out));
	for EACH(c, all_ciphers) {
		for EACH(p, pads) {
			struct words w = { 0x0304, all_ciphers[c], 0, 0, pads[p] };

			begin_as(&s, &w);
			for EACH(l, lengths) {
				off_t at = 0;

				assert_int_equal(sendfile(s.fd, file, &at, lengths[l]), lengths[l]);
				expect_padded(&s, &w, lengths[l]);
			}
			for EACH(l, lengths) {
				off_t at = 100;

				if (lengths[l] + 100 > WIRE_PLAIN)
					break;
				assert_int_equal(send(s.fd, out, 100, MSG_MORE), 100);
				assert_int_equal(sendfile(s.fd, file, &at, lengths[l]), lengths[l]);
				expect_padded(&s, &w, 100 + lengths[l]);
			}
			session_close(&s);
		}
	}
	close(file);
}

/* Alerts and key updates tell no more than data do, and the next key's records no more than this one's. */
static void all_types_padded(void **state)
{
	struct words w = { 0x0304, GCM, 0, 0, 512 };
	struct session s;
	uint8_t type;
	size_t len;

	(void)state;
	begin_as(&s, &w);
	assert_int_equal(setsockopt(s.fd, SOL_TLS, KTLS_REKEY, &(uint32_t){ 0 }, 4), 0);
	assert_int_equal(inner_length(&s, &len, &type), 512);
	assert_int_equal(type, WIRE_MESSAGE);
	assert_int_equal(len, 5);
	s.tx = session_next(&s.tx);
	assert_int_equal(send(s.fd, out, 600, 0), 600);
	expect_padded(&s, &w, 600);
	assert_int_equal(shutdown(s.fd, SHUT_WR), 0);
	assert_int_equal(inner_length(&s, &len, &type), 512);
	assert_int_equal(type, WIRE_ALERT);
	session_close(&s);
}

/* TLS 1.2 has none, nor has a session whose agent says nothing of it. */
static void not_padded(void **state)
{
	static const struct words how[] = { { 0x0303, GCM, 0, 0, 512 }, { 0x0304, GCM, 0, 0, 0 } };
	static const size_t around[] = { 8, 1 };
	struct session s;
	uint8_t type;
	size_t len;

	(void)state;
	for EACH(i, how) {
		begin_as(&s, &how[i]);
		assert_int_equal(send(s.fd, out, 100, 0), 100);
		assert_int_equal(inner_length(&s, &len, &type), 100 + around[i]);
		assert_int_equal(len, 100);
		session_close(&s);
	}
}

static int begin_world(void **state)
{
	(void)state;
	world_new_netns();
	fill_pattern(out, sizeof(out), 1);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	world_gauges_return();
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin_world, end_world)
	const struct CMUnitTest tests[] = {
		T(longest_is_taken), T(padding_counts), T(what_came_before), T(rekeyed), T(detached), T(refused),
		T(padded), T(padded_pages), T(all_types_padded), T(not_padded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
