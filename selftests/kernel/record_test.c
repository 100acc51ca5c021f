// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The record layer, sending and receiving whole streams: the test is the peer
 * and makes and reads every record itself. What goes wrong, and control records:
 * control_test.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"

#define MIB	(1 << 20)
#define FILE_SIZE	(16 * MIB + 4321)

static const uint16_t ciphers[] = {
	TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305,
};
static const size_t sizes[] = { 1, 15, 16, 17, 4095, 4096, 4097, 16383, 16384, 16385, 65536, MIB };

#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static uint8_t *out, *in;

/* ---- a thread that does one side of a transfer */

struct job {
	struct session	*s;
	int		fd;
	uint8_t		*data;
	size_t		len;
};

static void *job_write(void *arg)
{
	struct job *j = arg;

	wire_write(j->fd, j->data, j->len);
	return NULL;
}

static void *job_peer_send(void *arg)
{
	struct job *j = arg;
	size_t n;

	for (size_t at = 0; at < j->len; at += n) {
		n = j->len - at < WIRE_PLAIN ? j->len - at : WIRE_PLAIN;
		peer_send(j->s, WIRE_DATA, j->data + at, n);
	}
	return NULL;
}

static pthread_t start(void *(*f)(void *), struct job *j)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, f, j), 0);
	return t;
}

/* ---- tests */

static void test_sizes(void **state)
{
	(void)state;
	for EACH(c, ciphers) {
		struct session s;

		session_mainline(&s, ciphers[c]);
		for EACH(i, sizes) {
			struct job j = { .s = &s, .fd = s.fd, .data = out, .len = sizes[i] };
			pthread_t t;

			fill_pattern(out, sizes[i], i);
			t = start(job_write, &j);
			memset(in, 0, sizes[i]);
			peer_recv_all(&s, in, sizes[i]);
			pthread_join(t, NULL);
			assert_memory_equal(in, out, sizes[i]);

			t = start(job_peer_send, &j);
			memset(in, 0, sizes[i]);
			wire_read(s.fd, in, sizes[i]);
			pthread_join(t, NULL);
			assert_memory_equal(in, out, sizes[i]);
		}
		session_close(&s);
	}
}

/* The records that a stream becomes: full ones, and the rest. */
static void test_record_lengths(void **state)
{
	static const ssize_t lengths[] = { WIRE_PLAIN, WIRE_PLAIN, 40000 - 2 * WIRE_PLAIN };
	struct session s;
	uint8_t type;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	wire_write(s.fd, out, 40000);
	for EACH(i, lengths) {
		assert_int_equal(peer_recv(&s, in, &type), lengths[i]);
		assert_int_equal(type, WIRE_DATA);
	}
	session_close(&s);
}

static bool quiet(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 30) == 0;
}

static void expect_record(struct session *s, const char *text)
{
	uint8_t type;

	assert_int_equal(peer_recv(s, in, &type), strlen(text));
	assert_int_equal(type, WIRE_DATA);
	assert_memory_equal(in, text, strlen(text));
}

static void test_more(void **state)
{
	struct session s;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_256);
	assert_int_equal(send(s.fd, "abc", 3, MSG_MORE), 3);
	assert_int_equal(send(s.fd, "de", 2, MSG_MORE), 2);
	assert_true(quiet(s.raw));
	assert_int_equal(send(s.fd, "f", 1, 0), 1);
	expect_record(&s, "abcdef");
	assert_int_equal(send(s.fd, "abc", 3, MSG_MORE), 3);
	assert_int_equal(send(s.fd, "", 0, 0), 0);	/* nothing more, after all */
	expect_record(&s, "abc");
	assert_int_equal(send(s.fd, "x", 1, MSG_MORE | MSG_EOR), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(send(s.fd, "x", 1, MSG_OOB), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(send(s.fd, "last", 4, MSG_MORE), 4);
	assert_int_equal(shutdown(s.fd, SHUT_WR), 0);
	expect_record(&s, "last");
	session_close(&s);
}

/* MSG_MORE fills whole records; what is left over comes with the end. */
static void test_more_full(void **state)
{
	struct session s;
	uint8_t type;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	fill_pattern(out, 20000, 3);
	assert_int_equal(send(s.fd, out, 10000, MSG_MORE), 10000);
	assert_int_equal(send(s.fd, out + 10000, 10000, MSG_MORE), 10000);
	assert_int_equal(peer_recv(&s, in, &type), WIRE_PLAIN);
	assert_memory_equal(in, out, WIRE_PLAIN);
	close(s.fd);
	s.fd = -1;
	assert_int_equal(peer_recv(&s, in, &type), 20000 - WIRE_PLAIN);
	assert_memory_equal(in, out + WIRE_PLAIN, 20000 - WIRE_PLAIN);
	session_close(&s);
}

/* ---- files */

static int file_of(size_t len, uint32_t seed)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint8_t *p = malloc(len);

	assert_true(fd >= 0 && p);
	fill_pattern(p, len, seed);
	wire_write(fd, p, len);
	free(p);
	return fd;
}

static void *job_sendfile(void *arg)
{
	struct job *j = arg;
	size_t beyond = j->len == FILE_SIZE ? 4096 : 0;	/* the file's end */
	off_t at = 13;
	ssize_t n;

	assert_int_equal(send(j->s->fd, "header", 6, MSG_MORE), 6);
	while ((size_t)at < j->len) {
		n = sendfile(j->s->fd, j->fd, &at, j->len - at + beyond);
		assert_true(n > 0);
	}
	return NULL;
}

/* From an odd offset, behind a header, past the end of the file. */
static void test_sendfile(void **state)
{
	uint8_t *want = malloc(FILE_SIZE), *got = malloc(FILE_SIZE);
	int fd = file_of(FILE_SIZE, 99);
	pthread_t t;

	(void)state;
	fill_pattern(want, FILE_SIZE, 99);
	for EACH(c, ciphers) {
		struct session s;
		size_t len = c ? 2 * MIB : FILE_SIZE;
		struct job j = { .s = &s, .fd = fd, .len = len };

		session_mainline(&s, ciphers[c]);
		t = start(job_sendfile, &j);
		peer_recv_all(&s, got, 6 + len - 13);
		pthread_join(t, NULL);
		assert_memory_equal(got, "header", 6);
		assert_memory_equal(got + 6, want + 13, len - 13);
		session_close(&s);
	}
	close(fd);
	free(want);
	free(got);
}

/* Whole records although 6.1 hands pages in one by one: bytes on the wire tell. */
static void test_sendfile_records(void **state)
{
	int fd = file_of(8 * WIRE_PLAIN, 5);
	off_t at = 0;
	struct session s;
	uint8_t type;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	assert_int_equal(sendfile(s.fd, fd, &at, 8 * WIRE_PLAIN), 8 * WIRE_PLAIN);
	for (int i = 0; i < 8; i++)
		assert_int_equal(peer_recv(&s, in, &type), WIRE_PLAIN);
	close(fd);
	session_close(&s);
}

static void test_splice_read(void **state)
{
	struct session s;
	size_t got = 0;
	int p[2];
	ssize_t n;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	fill_pattern(out, 50000, 8);
	for (size_t at = 0; at < 50000; at += 10000)
		peer_send(&s, WIRE_DATA, out + at, 10000);
	assert_int_equal(pipe(p), 0);
	while (got < 50000) {
		n = splice(s.fd, NULL, p[1], NULL, 50000 - got, 0);
		assert_true(n > 0);
		wire_read(p[0], in + got, n);
		got += n;
	}
	assert_memory_equal(in, out, 50000);
	close(p[0]);
	close(p[1]);
	session_close(&s);
}

/* ---- full buffers */

static void set_buffers(const struct session *s, int size)
{
	assert_int_equal(setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(s->raw, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
}

/* Write till EAGAIN and never again: all that was reported as taken arrives. */
static void test_nonblocking_last_write(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		struct session s;
		size_t taken = 0;
		ssize_t n;

		session_mainline(&s, TLS_CIPHER_AES_GCM_128);
		set_buffers(&s, 8192 << round);
		fill_pattern(out, MIB, round);
		while ((n = send(s.fd, out + taken, MIB - taken, MSG_DONTWAIT)) > 0)
			taken += n;
		assert_int_equal(n, -1);
		assert_int_equal(errno, EAGAIN);
		assert_true(taken < MIB);
		peer_recv_all(&s, in, taken);
		assert_memory_equal(in, out, taken);
		assert_true(quiet(s.raw));
		session_close(&s);
	}
}

static void *job_write_poll(void *arg)
{
	struct job *j = arg;
	struct pollfd p = { .fd = j->fd, .events = POLLOUT };
	size_t at = 0, n;
	ssize_t ret;

	while (at < j->len) {
		n = j->len - at < 50000 ? j->len - at : 50000;
		ret = send(j->fd, j->data + at, n, MSG_DONTWAIT | (at % 3 ? 0 : MSG_MORE));
		if (ret > 0)
			at += ret;
		else
			assert_int_equal(errno, EAGAIN);
		if (ret < 0)
			assert_int_equal(poll(&p, 1, 10000), 1);
	}
	return NULL;
}

static void test_nonblocking_slow_reader(void **state)
{
	struct session s;
	struct job j = { .s = &s, .data = out, .len = MIB };
	pthread_t t;
	uint8_t type;
	ssize_t n;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_256);
	set_buffers(&s, 16384);
	fill_pattern(out, MIB, 77);
	j.fd = s.fd;
	t = start(job_write_poll, &j);
	for (size_t at = 0; at < MIB; at += n) {
		usleep(at < MIB / 4 ? 2000 : 0);
		n = peer_recv(&s, in + at, &type);
		assert_int_equal(type, WIRE_DATA);
		assert_true(n > 0);
	}
	pthread_join(t, NULL);
	assert_memory_equal(in, out, MIB);
	session_close(&s);
}

/* SO_SNDTIMEO: what was taken before it ran out is reported, and only that. */
static void test_send_timeout(void **state)
{
	struct timeval limit = { .tv_usec = 50000 };
	struct session s;
	size_t taken = 0;
	ssize_t n;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	set_buffers(&s, 8192);
	setsockopt(s.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	while ((n = send(s.fd, out + taken, MIB - taken, 0)) > 0)
		taken += n;
	assert_int_equal(errno, EAGAIN);
	shutdown(s.fd, SHUT_WR);
	peer_recv_all(&s, in, taken);
	assert_memory_equal(in, out, taken);
	assert_int_equal(recv(s.raw, in, 1, 0), 0);
	session_close(&s);
}

/* The peer's window is a few bytes at a time; ours is smaller than a record. */
static void test_small_window(void **state)
{
	struct session s;
	struct job j = { .s = &s, .data = out, .len = 4 * WIRE_PLAIN };
	struct pollfd p = { .events = POLLIN };
	size_t got = 0;
	ssize_t n;
	pthread_t t;
	int size = 1;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	assert_int_equal(setsockopt(s.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	fill_pattern(out, j.len, 4);
	t = start(job_peer_send, &j);
	p.fd = s.fd;
	while (got < j.len) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		n = recv(s.fd, in + got, 1000, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		assert_true(n > 0);
		got += n;
	}
	pthread_join(t, NULL);
	assert_memory_equal(in, out, j.len);
	session_close(&s);
}

/* A record that comes byte by byte wakes nobody before its end. */
static void test_one_byte_segments(void **state)
{
	uint8_t record[200];
	struct session s;
	size_t len;

	(void)state;
	session_mainline(&s, TLS_CIPHER_CHACHA20_POLY1305);
	len = wire_seal(&s.rx, WIRE_DATA, "slowly", 6, 100, record);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(send(s.fd, "", 0, 0), 0);
		assert_int_equal(recv(s.fd, in, 6, MSG_DONTWAIT), -1);
		assert_int_equal(errno, EAGAIN);
		if (i % 16 == 0)
			assert_true(quiet(s.fd));
		wire_write(s.raw, record + i, 1);
	}
	wire_read(s.fd, in, 6);
	assert_memory_equal(in, "slowly", 6);
	session_close(&s);
}

/* ---- both directions at once */

static void *job_read(void *arg)
{
	struct job *j = arg;

	wire_read(j->fd, j->data, j->len);
	return NULL;
}

static void *job_peer_recv(void *arg)
{
	struct job *j = arg;

	peer_recv_all(j->s, j->data, j->len);
	return NULL;
}

static void test_duplex(void **state)
{
	struct session s;
	uint8_t *back = malloc(MIB);
	pthread_t t[4];

	(void)state;
	assert_non_null(back);
	session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	fill_pattern(out, MIB, 21);
	t[0] = start(job_write, &(struct job){ .fd = s.fd, .data = out, .len = MIB });
	t[1] = start(job_peer_recv, &(struct job){ .s = &s, .data = in, .len = MIB });
	t[2] = start(job_peer_send, &(struct job){ .s = &s, .data = out, .len = MIB });
	t[3] = start(job_read, &(struct job){ .fd = s.fd, .data = back, .len = MIB });
	for EACH(i, t)
		pthread_join(t[i], NULL);
	assert_memory_equal(in, out, MIB);
	assert_memory_equal(back, out, MIB);
	free(back);
	session_close(&s);
}

static int setup(void **state)
{
	(void)state;
	out = malloc(2 * MIB);
	in = malloc(2 * MIB);
	return !out || !in;
}

static int teardown(void **state)
{
	(void)state;
	free(out);
	free(in);
	return 0;
}

/* ---- without vector registers */

/* False: the module has no code of its own here. */
static bool simd_allow(bool yes)
{
	int fd = open("/sys/module/ktls/parameters/simd", O_WRONLY);
	bool done = fd >= 0 && write(fd, yes ? "1" : "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return done;
}

static void both_ways(struct session *s, size_t len)
{
	uint8_t type;

	fill_pattern(out, len, (uint32_t)s->tx.seq + 7);
	wire_write(s->fd, out, len);
	assert_int_equal(peer_recv(s, in, &type), len);
	assert_memory_equal(in, out, len);
	fill_pattern(out, len, (uint32_t)s->rx.seq + 11);
	peer_send(s, WIRE_DATA, out, len);
	wire_read(s->fd, in, len);
	assert_memory_equal(in, out, len);
}

/* The registers come and go in mid-session: the crypto API takes over, with the same key and counter. */
static void test_simd_comes_and_goes(void **state)
{
	struct session s;

	(void)state;
	if (!simd_allow(true)) {
		print_message("no AES-GCM of our own on this machine\n");
		skip();
	}
	for (int i = 0; i < 2; i++) {
		session_mainline(&s, ciphers[i]);
		for (int turn = 0; turn < 6; turn++) {
			assert_true(simd_allow(turn % 2 == 0));
			both_ways(&s, 1);
			both_ways(&s, WIRE_PLAIN);
		}
		session_close(&s);
		session_mainline(&s, ciphers[i]);	/* begun without */
		both_ways(&s, 1000);
		assert_true(simd_allow(true));
		both_ways(&s, 1000);
		session_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_record_lengths),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_more_full),
		cmocka_unit_test(test_sendfile),
		cmocka_unit_test(test_sendfile_records),
		cmocka_unit_test(test_splice_read),
		cmocka_unit_test(test_nonblocking_last_write),
		cmocka_unit_test(test_nonblocking_slow_reader),
		cmocka_unit_test(test_send_timeout),
		cmocka_unit_test(test_small_window),
		cmocka_unit_test(test_one_byte_segments),
		cmocka_unit_test(test_duplex),
		cmocka_unit_test(test_simd_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
