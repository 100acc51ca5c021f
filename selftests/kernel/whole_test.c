// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that are one record each: every way to send, every size where something
 * changes, from pages that are not in a row. Each call makes one record and no
 * other; what TCP refuses of one comes later, all of it and once; and what can't be
 * read is taken as far as it goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define PAGE	4096
#define LEN	(16 * PAGE)
#define LENT	512		/* of pages, less is copied */
#define MANY	(4 << 20)
#define RETURNED	(64 << 20)
#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static const uint16_t ciphers[] = {
	TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305,
};
static const size_t sizes[] = { 1, 2, 100, 511, 512, 513, 4095, 4096, 4097, 8192, 12000, 16383, 16384 };
static const size_t offsets[] = { 0, 1, 100, 4000, 4095 };

static uint8_t *data, got[WIRE_RECORD];
static int file, pipes[2];

/* Its pages in turn with another's, so that no two are in a row. */
static int scattered_file(void)
{
	int fd = memfd_create("whole", 0), other = memfd_create("other", 0);

	assert_true(fd >= 0 && other >= 0);
	for (size_t at = 0; at < LEN; at += PAGE) {
		wire_write(fd, data + at, PAGE);
		wire_write(other, data, PAGE);
	}
	return fd;		/* the other stays, too */
}

/* ---- ways to send, each in one call */

static ssize_t by_send(int fd, size_t off, size_t len)
{
	return send(fd, data + off, len, 0);
}

static ssize_t by_writev(int fd, size_t off, size_t len)
{
	size_t third = len / 3;
	struct iovec v[] = { { data + off, third }, { data + off + third, third },
			     { data + off + 2 * third, len - 2 * third } };

	return writev(fd, v, 3);
}

static ssize_t by_sendfile(int fd, size_t off, size_t len)
{
	off_t at = (off_t)off;

	return sendfile(fd, file, &at, len);
}

static ssize_t by_splice(int fd, size_t off, size_t len)
{
	loff_t at = (loff_t)off;
	ssize_t n = splice(file, &at, pipes[1], NULL, len, 0);

	return n < 0 ? n : splice(pipes[0], NULL, fd, NULL, (size_t)n, 0);
}

static const struct way {
	ssize_t	(*send)(int fd, size_t off, size_t len);
	bool	lends;
} ways[] = { { by_send, false }, { by_writev, false }, { by_sendfile, true }, { by_splice, true } };

/* ---- one call, one record */

static void one(struct session *s, const struct way *way, size_t off, size_t len)
{
	long records = stat_get("TxRecords"), lent = stat_get("TxInPlace");
	uint8_t type;

	assert_int_equal(way->send(s->fd, off, len), len);
	assert_int_equal(stat_get("TxRecords") - records, 1);
	if (!way->lends || len >= LENT)
		assert_int_equal(stat_get("TxInPlace") - lent, way->lends ? len : 0);
	assert_int_equal(peer_recv(s, got, &type), len);
	assert_int_equal(type, WIRE_DATA);
	assert_memory_equal(got, data + off, len);
}

static void test_one(void **state)
{
	struct session s;

	(void)state;
	for EACH(c, ciphers) {
		session_mainline(&s, ciphers[c]);
		for EACH(w, ways)
			for EACH(i, sizes)
				for EACH(o, offsets)
					one(&s, &ways[w], offsets[o], sizes[i]);
		session_close(&s);
	}
}

/* ---- TCP takes part of a record, or nothing */

struct reader {
	pthread_t	thread;
	struct session	*s;
	uint8_t		*to;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;

	peer_recv_all(r->s, r->to, MANY);
	return NULL;
}

/* Blocking calls against a send buffer that is smaller than a record. */
static void test_full(void **state)
{
	int size = 5000, mss = 700;
	struct session s;
	struct reader r = { .s = &s, .to = malloc(MANY) };
	uint8_t *want = malloc(MANY);
	size_t done, n, off, i = 0;

	(void)state;
	assert_true(r.to && want);
	session_mainline(&s, ciphers[0]);
	assert_int_equal(setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(s.fd, SOL_TCP, TCP_MAXSEG, &mss, sizeof(mss)), 0);
	assert_int_equal(pthread_create(&r.thread, NULL, read_all, &r), 0);
	for (done = 0; done < MANY; done += n, i++) {
		off = offsets[i % 5] + i % 7;
		n = sizes[i * 5 % 13];
		n = n < MANY - done ? n : MANY - done;
		assert_int_equal(ways[i % 4].send(s.fd, off, n), n);
		memcpy(want + done, data + off, n);
	}
	pthread_join(r.thread, NULL);
	assert_memory_equal(r.to, want, MANY);
	session_close(&s);
	free(r.to);
	free(want);
}

/* The same without waiting: what a call says that it took comes, and nothing else. */
static void test_again(void **state)
{
	static uint8_t want[MANY], all[MANY];
	struct session s;
	int size = 5000;
	size_t done = 0, i = 0;
	ssize_t n = 0;

	(void)state;
	session_mainline(&s, ciphers[0]);
	set_nonblock(s.fd);
	assert_int_equal(setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (; n >= 0 && done < MANY - WIRE_PLAIN; i++) {
		n = ways[i % 2].send(s.fd, i % 3000, sizes[i % 13]);
		if (n > 0)
			memcpy(want + done, data + i % 3000, (size_t)n);
		done += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	peer_recv_all(&s, all, done);
	assert_memory_equal(all, want, done);
	one(&s, &ways[0], 0, 1);	/* TCP has room again */
	session_close(&s);
}

/* ---- memory */

static long mem_free(void)
{
	long kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");
	char line[100];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && sscanf(line, "MemFree: %ld", &kib) != 1)
		;
	fclose(f);
	assert_true(kib > 0);
	return kib << 10;
}

static void *discard(void *arg)
{
	static uint8_t sink[1 << 16];

	while (read(*(int *)arg, sink, sizeof(sink)) > 0)
		;
	return NULL;
}

/* Records' pages come back: many times what memory may go elsewhere meanwhile. */
static void test_returned(void **state)
{
	struct session s;
	pthread_t t;
	long before;

	(void)state;
	session_mainline(&s, ciphers[0]);
	assert_int_equal(pthread_create(&t, NULL, discard, &s.raw), 0);
	before = mem_free();
	for (size_t i = 0; i < RETURNED / WIRE_PLAIN; i++)
		assert_int_equal(ways[i % 4].send(s.fd, i % 100, WIRE_PLAIN), WIRE_PLAIN);
	assert_true(before - mem_free() < RETURNED / 4);
	shutdown(s.fd, SHUT_WR);
	pthread_join(t, NULL);
	session_close(&s);
}

/* ---- errors */

/* As many bytes as there are before a hole, as TCP does; of none, EFAULT; and the session is fine. */
static void test_hole(void **state)
{
	static const size_t heads[] = { 0, 1, 50, 3000 };
	uint8_t *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), type;
	struct session s;
	size_t n;

	(void)state;
	assert_true(two != MAP_FAILED);
	memcpy(two, data, PAGE);
	assert_int_equal(munmap(two + PAGE, PAGE), 0);
	session_mainline(&s, ciphers[0]);
	for EACH(i, heads) {
		n = heads[i];
		assert_int_equal(send(s.fd, two + PAGE - n, n + 70, 0), n ? (ssize_t)n : -1);
		if (!n) {
			assert_int_equal(errno, EFAULT);
			continue;
		}
		assert_int_equal(peer_recv(&s, got, &type), n);
		assert_memory_equal(got, two + PAGE - n, n);
	}
	one(&s, &ways[0], 0, 100);
	session_close(&s);
	munmap(two, PAGE);
}

/* A record of a type of its own, between two of data. */
static void test_type(void **state)
{
	struct { struct cmsghdr head; uint8_t type; } control = {
		{ CMSG_LEN(1), SOL_TLS, TLS_SET_RECORD_TYPE }, WIRE_MESSAGE };
	struct iovec v = { data, 100 };
	struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = CMSG_SPACE(1) };
	struct session s;
	uint8_t type;

	(void)state;
	session_mainline(&s, ciphers[0]);
	one(&s, &ways[0], 0, 100);
	assert_int_equal(sendmsg(s.fd, &msg, 0), 100);
	assert_int_equal(peer_recv(&s, got, &type), 100);
	assert_int_equal(type, WIRE_MESSAGE);
	assert_memory_equal(got, data, 100);
	one(&s, &ways[0], 0, 100);
	session_close(&s);
}

static void test_shutdown(void **state)
{
	struct session s;

	(void)state;
	session_mainline(&s, ciphers[0]);
	one(&s, &ways[0], 0, 100);
	assert_int_equal(shutdown(s.fd, SHUT_WR), 0);
	for EACH(w, ways) {
		assert_int_equal(ways[w].send(s.fd, 0, 100), -1);
		assert_int_equal(errno, EPIPE);
	}
	assert_int_equal(read(s.raw, got, 1), 0);	/* mainline: the application says close_notify */
	session_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_returned),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_shutdown),
	};

	signal(SIGPIPE, SIG_IGN);
	world_new_netns();
	data = malloc(LEN);
	if (!data || pipe(pipes) || fcntl(pipes[0], F_SETPIPE_SZ, 1 << 20) < 0)
		return 1;
	fill_pattern(data, LEN, 1);
	file = scattered_file();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
