// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What TLS sockets should do as TCP sockets do. Each test is a script of socket
 * calls that notes what it sees; it runs on a plain TCP connection and then
 * on one with TLS at both ends, and the notes must be the same. Nothing here says what
 * is right: TCP does.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"
#include "world.h"

#define MIB	(1 << 20)
#define GCM	TLS_CIPHER_AES_GCM_128

/* a is looked at, b is its peer. */
struct line {
	int	fd[2];
	char	*notes;
	size_t	len;
	FILE	*to;
};
#define A	(l->fd[0])
#define B	(l->fd[1])

static uint8_t out[MIB], in[MIB];

static void note(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(l->to, format, args);
	va_end(args);
	fputc('\n', l->to);
}

/* What a call gave, with the bytes if there are any. */
static void result(struct line *l, const char *what, ssize_t ret)
{
	int err = errno;

	if (ret < 0)
		note(l, "%s: %s", what, strerrorname_np(err));
	else
		note(l, "%s: %zd '%.*s'", what, ret, ret > 0 && ret < 40 ? (int)ret : 0, in);
	memset(in, '-', 64);
}

static void take(struct line *l, const char *what, size_t len, int flags)
{
	result(l, what, recv(A, in, len, flags));
}

static void give(struct line *l, const char *text)
{
	wire_write(B, text, strlen(text));
}

static int inq(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static void nap(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

/* Until @n bytes are there to read; that they never are fails the test. */
static void arrive(struct line *l, int n)
{
	for (int i = 0; i < 4000 && inq(A) < n; i++)
		nap(5);
	note(l, "%d bytes have come", inq(A));
}

static short masks(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI };

	poll(&p, 1, ms);
	return p.revents;
}

/* Until @events are all there: what poll() says then. */
static void events(struct line *l, const char *when, short want)
{
	for (int i = 0; i < 4000 && (masks(A, 0) & want) != want; i++)
		nap(5);
	note(l, "%s: poll %#x", when, masks(A, 0));
}

static void option(int fd, int name, int value)
{
	assert_int_equal(setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)), 0);
}

static void limit(int fd, int name, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv)), 0);
}

static long ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- both lines */

static void line_open(struct line *l, bool tls)
{
	struct key there = wire_key(GCM, 1), back = wire_key(GCM, 2);

	wire_pair(l->fd);
	l->to = open_memstream(&l->notes, &l->len);
	assert_non_null(l->to);
	if (!tls)
		return;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(wire_attach(l->fd[i]), 0);
		assert_int_equal(wire_install(l->fd[i], TLS_TX, i ? &back : &there), 0);
		assert_int_equal(wire_install(l->fd[i], TLS_RX, i ? &there : &back), 0);
	}
}

static void line_close(struct line *l)
{
	for (int i = 0; i < 2; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	fclose(l->to);
}

static void same(void (*script)(struct line *l))
{
	struct line tcp, tls;

	line_open(&tcp, false);
	script(&tcp);
	line_close(&tcp);
	line_open(&tls, true);
	script(&tls);
	line_close(&tls);
	if (strcmp(tcp.notes, tls.notes))
		fail_msg("\nTCP:\n%s\nTLS:\n%s", tcp.notes, tls.notes);
	free(tcp.notes);
	free(tls.notes);
}

/* ---- how much a read wants */

static void rcvlowat(struct line *l)
{
	option(A, SO_RCVLOWAT, 10);
	give(l, "12345");
	arrive(l, 5);
	note(l, "poll %#x", masks(A, 50));
	take(l, "less, without waiting", 100, MSG_DONTWAIT);
	give(l, "abcde");
	give(l, "fghij");
	arrive(l, 10);
	events(l, "enough", POLLIN);
	take(l, "enough", 100, 0);
	limit(A, SO_RCVTIMEO, 60);
	give(l, "short");
	take(l, "less, until the time is up", 100, 0);
	give(l, "12");
	arrive(l, 2);
	take(l, "the caller asks for less", 2, 0);
	give(l, "end");
	shutdown(B, SHUT_WR);
	events(l, "the end comes first", POLLIN | POLLRDHUP);
	take(l, "the end comes first", 100, 0);
	take(l, "the end", 100, 0);
}

static void rcvtimeo(struct line *l)
{
	long began = ms_now();

	limit(A, SO_RCVTIMEO, 80);
	take(l, "nothing comes", 10, 0);
	note(l, "it took its time: %d", ms_now() - began >= 75);
	take(l, "without waiting", 10, MSG_DONTWAIT);
	take(l, "nothing wanted", 0, 0);
	give(l, "bytes");
	take(l, "bytes come", 10, 0);
	give(l, "some");
	take(l, "all of ten", 10, MSG_WAITALL);
}

static void *late(void *arg)
{
	struct line *l = arg;

	nap(60);
	give(l, "later");
	nap(60);
	give(l, "last!");
	return NULL;
}

static void waitall(struct line *l)
{
	pthread_t t;

	give(l, "first");
	pthread_create(&t, NULL, late, l);
	take(l, "in three parts", 15, MSG_WAITALL);
	pthread_join(t, NULL);
	give(l, "four");
	shutdown(B, SHUT_WR);
	take(l, "the end comes first", 10, MSG_WAITALL);
	take(l, "the end", 10, MSG_WAITALL);
}

static void trunc_peek(struct line *l)
{
	take(l, "nothing to throw away", 4, MSG_TRUNC | MSG_DONTWAIT);
	give(l, "0123456789abcdef");
	arrive(l, 16);
	take(l, "peek", 4, MSG_PEEK);
	note(l, "peek and throw away: %zd", recv(A, NULL, 6, MSG_PEEK | MSG_TRUNC));
	note(l, "throw away: %zd", recv(A, NULL, 4, MSG_TRUNC));
	take(l, "what follows", 4, 0);
	note(l, "throw away too much: %zd", recv(A, NULL, 100, MSG_TRUNC));
	take(l, "nothing is left", 4, MSG_DONTWAIT);
	give(l, "one");
	give(l, "two");
	arrive(l, 6);
	take(l, "peek over both", 100, MSG_PEEK);
	take(l, "peek is not taking", 100, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT);
	take(l, "both", 100, 0);
}

static void fionread(struct line *l)
{
	note(l, "%d", inq(A));
	give(l, "123");
	give(l, "4567");
	arrive(l, 7);
	take(l, "peek", 2, MSG_PEEK);
	note(l, "%d", inq(A));
	take(l, "part", 2, 0);
	note(l, "%d", inq(A));
	shutdown(B, SHUT_WR);
	events(l, "the end", POLLRDHUP);
	note(l, "%d", inq(A));
	take(l, "rest", 100, 0);
	note(l, "%d", inq(A));
	take(l, "end", 100, 0);
	note(l, "%d", inq(A));
}

/* ---- full buffers */

/* How many, and until what; no byte is lost. */
static void drain(struct line *l, size_t n)
{
	size_t at = 0;
	ssize_t got;

	while (at < n && (got = recv(B, in + at, n - at, 0)) > 0)
		at += got;
	note(l, "what was taken has come: %d", at == n && !memcmp(in, out, n));
	memset(in, '-', 64);
}

static void small_buffers(struct line *l)
{
	option(A, SO_SNDBUF, 20000);
	option(B, SO_RCVBUF, 20000);
	fill_pattern(out, MIB, 1);
}

static void dontwait(struct line *l)
{
	size_t n = 0;
	ssize_t ret;

	small_buffers(l);
	take(l, "nothing to read", 10, MSG_DONTWAIT);
	while ((ret = send(A, out + n, MIB - n, MSG_DONTWAIT)) > 0)
		n += ret;
	result(l, "full", ret);
	note(l, "poll %#x", masks(A, 0) & POLLOUT);
	drain(l, n);
	events(l, "room again", POLLOUT);
}

static void sndtimeo(struct line *l)
{
	long began = ms_now();
	ssize_t n, ret;

	small_buffers(l);
	limit(A, SO_SNDTIMEO, 80);
	n = send(A, out, MIB, 0);
	note(l, "some: %d", n > 0 && n < MIB);
	note(l, "it took its time: %d", ms_now() - began >= 75);
	ret = send(A, out + n, 1000, 0);	/* no more than a call's last bytes still fit */
	while (ret > 0) {
		n += ret;
		ret = send(A, out + n, 1000, 0);
	}
	result(l, "none", ret);
	drain(l, n);
}

/* ---- ends */

static void half_close(struct line *l)
{
	events(l, "fresh", POLLOUT);
	give(l, "last words");
	shutdown(B, SHUT_WR);
	events(l, "peer has ended", POLLIN | POLLRDHUP);
	take(l, "what came before", 100, 0);
	take(l, "the end", 100, 0);
	take(l, "the end again", 100, 0);
	events(l, "at the end", POLLIN | POLLRDHUP);
	result(l, "send", send(A, "answer", 6, 0));
	result(l, "peer reads", recv(B, in, 6, MSG_WAITALL));
	shutdown(A, SHUT_WR);
	result(l, "send after the end", send(A, "x", 1, MSG_NOSIGNAL));
	result(l, "peer's end", recv(B, in, 6, 0));
	events(l, "both have ended", POLLHUP);
	result(l, "shut down again", shutdown(A, SHUT_RDWR));
}

static void shut_reading(struct line *l)
{
	give(l, "before");
	arrive(l, 6);
	shutdown(A, SHUT_RD);
	events(l, "shut", POLLIN | POLLRDHUP);
	take(l, "before", 100, 0);
	take(l, "then", 100, MSG_DONTWAIT);
	result(l, "send", send(A, "answer", 6, 0));
}

/* A peer that closes without having read all: we are told. */
static void unread(struct line *l, bool looked)
{
	int err = -1, n = 0;
	socklen_t len = sizeof(err);

	wire_write(A, "never read", 10);
	for (int i = 0; i < 4000 && n < 10; i++) {
		struct pollfd p = { .fd = B, .events = POLLIN };

		poll(&p, 1, 1000);
		n = looked ? inq(B) : 10;
	}
	close(B);
	B = -1;
	events(l, "peer has closed", POLLERR | POLLHUP);
	assert_int_equal(getsockopt(A, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	note(l, "SO_ERROR %s", strerrorname_np(err));
	take(l, "read", 100, MSG_DONTWAIT);
	result(l, "write", send(A, "x", 1, MSG_NOSIGNAL));
}

static void unread_untouched(struct line *l)
{
	unread(l, false);
}

static void unread_looked_at(struct line *l)
{
	unread(l, true);
}

static void close_after_reading(struct line *l)
{
	give(l, "bytes");
	wire_write(A, "read", 4);
	wire_read(B, in, 4);
	close(B);
	B = -1;
	events(l, "peer has closed", POLLIN | POLLRDHUP);
	take(l, "bytes", 100, 0);
	take(l, "end", 100, 0);
}

/* ---- epoll, by edges */

static void edge(struct line *l, int ep, const char *when, int ms)
{
	struct epoll_event e = { };
	int n = epoll_wait(ep, &e, 1, ms);

	note(l, "%s: %d events, %#x", when, n, n > 0 ? e.events : 0);
}

static void edges(struct line *l)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, A, &e), 0);
	edge(l, ep, "fresh", 0);
	edge(l, ep, "told once", 0);
	give(l, "first");
	edge(l, ep, "bytes came", 20000);
	edge(l, ep, "told of them", 0);
	take(l, "part", 2, 0);
	edge(l, ep, "no edge", 0);
	give(l, "second");
	edge(l, ep, "more came", 20000);
	take(l, "all", 100, 0);
	take(l, "empty", 100, MSG_DONTWAIT);
	edge(l, ep, "empty", 0);
	give(l, "third");
	edge(l, ep, "again", 20000);
	take(l, "third", 100, 0);
	shutdown(B, SHUT_WR);
	edge(l, ep, "the end", 20000);
	take(l, "the end", 100, 0);
	close(ep);
}

static void edge_of_room(struct line *l)
{
	struct epoll_event e = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	size_t n = 0;
	ssize_t ret;

	small_buffers(l);
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, A, &e), 0);
	edge(l, ep, "fresh", 0);
	while ((ret = send(A, out + n, MIB - n, MSG_DONTWAIT)) > 0)
		n += ret;
	edge(l, ep, "full", 0);
	drain(l, n);
	edge(l, ep, "room", 20000);
	close(ep);
}

/* ---- never missed, never told in vain: a peer that writes ciphertext in bits of a few bytes */

struct bits {
	struct session	s;
	size_t		len;
};

static void *bits_main(void *arg)
{
	struct bits *b = arg;
	uint8_t *record = malloc(b->len + WIRE_RECORD);
	size_t len = 0, at = 0, n, part;
	unsigned int seed = 1;

	while (at < b->len) {
		n = 1 + rand_r(&seed) % 3000;
		n = b->len - at < n ? b->len - at : n;
		len = wire_seal(&b->s.rx, WIRE_DATA, out + at, n, rand_r(&seed) % 20, record);
		for (size_t i = 0; i < len; i += part) {
			part = 1 + rand_r(&seed) % (at % 3 ? 900 : 60);
			part = len - i < part ? len - i : part;
			wire_write(b->s.raw, record + i, part);
			if (part % 5 == 0)
				sched_yield();
		}
		at += n;
	}
	free(record);
	return NULL;
}

/* @events with or without EPOLLET; a wait that ends must find something to read. */
static void follow(uint32_t events_wanted)
{
	struct epoll_event e = { .events = events_wanted };
	struct bits b = { .len = 300000 };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	size_t at = 0;
	pthread_t t;
	ssize_t n;

	fill_pattern(out, b.len, 5);
	session_mainline(&b.s, GCM);
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, b.s.fd, &e), 0);
	pthread_create(&t, NULL, bits_main, &b);
	while (at < b.len) {
		assert_int_equal(epoll_wait(ep, &e, 1, 20000), 1);	/* 0: an edge was missed */
		for (bool first = true;; first = false) {
			n = recv(b.s.fd, in + at, 1 + at % 5000, MSG_DONTWAIT);
			if (n < 0) {
				assert_int_equal(errno, EAGAIN);
				assert_false(first);			/* told in vain */
				break;
			}
			at += n;
			if (at == b.len || !(events_wanted & EPOLLET))
				break;
		}
	}
	pthread_join(t, NULL);
	assert_memory_equal(in, out, b.len);
	assert_int_equal(masks(b.s.fd, 0) & POLLIN, 0);
	close(ep);
	session_close(&b.s);
}

static void test_follow_levels(void **state)
{
	(void)state;
	follow(EPOLLIN);
}

static void test_follow_edges(void **state)
{
	(void)state;
	follow(EPOLLIN | EPOLLET);
}

/* ---- packets */

#define SENDS	40

/* Segments with data that a socket has sent, and all packets of the loopback, acknowledgements too. */
struct packets {
	long	data, all;
};

static struct packets packets_now(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	struct packets p = { .all = -1 };
	char line[300];
	FILE *f;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	p.data = info.tcpi_data_segs_out;
	f = fopen("/proc/thread-self/net/dev", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, " lo: %*d %ld", &p.all);
	fclose(f);
	assert_true(p.all >= 0);
	return p;
}

/*
 * What 64 KiB cost that are sent at once, then read: the least of many. A delayed
 * acknowledgement's timer, or a gap so long that TCP acknowledges every packet for a while, only adds
 * some, to either line.
 */
static struct packets packets_per_send(bool tls)
{
	struct packets least = { 1000, 1000 }, before, after;
	struct line l;

	line_open(&l, tls);
	for (int i = 0; i < SENDS; i++) {
		before = packets_now(l.fd[0]);
		wire_write(l.fd[0], out, 65536);
		wire_read(l.fd[1], in, 65536);
		after = packets_now(l.fd[0]);
		if (after.data - before.data < least.data)
			least.data = after.data - before.data;
		if (after.all - before.all < least.all)
			least.all = after.all - before.all;
	}
	line_close(&l);
	free(l.notes);
	return least;
}

/* The headers and tags of four records are no reason for a packet more. */
static void test_packets(void **state)
{
	struct packets tcp, tls;

	(void)state;
	world_new_netns();
	tcp = packets_per_send(false);
	tls = packets_per_send(true);
	print_message("# packets per 64 KiB send: TCP %ld, %ld with data; TLS %ld, %ld with data\n",
		      tcp.all, tcp.data, tls.all, tls.data);
	assert_true(tcp.data >= 1 && tcp.all > tcp.data);
	assert_true(tls.data <= tcp.data);
	assert_true(tls.all <= tcp.all);
}

#define SAME(script)	static void test_##script(void **state) { (void)state; same(script); }
SAME(rcvlowat)
SAME(rcvtimeo)
SAME(waitall)
SAME(trunc_peek)
SAME(fionread)
SAME(dontwait)
SAME(sndtimeo)
SAME(half_close)
SAME(shut_reading)
SAME(unread_untouched)
SAME(unread_looked_at)
SAME(close_after_reading)
SAME(edges)
SAME(edge_of_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rcvlowat),
		cmocka_unit_test(test_rcvtimeo),
		cmocka_unit_test(test_waitall),
		cmocka_unit_test(test_trunc_peek),
		cmocka_unit_test(test_fionread),
		cmocka_unit_test(test_dontwait),
		cmocka_unit_test(test_sndtimeo),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_shut_reading),
		cmocka_unit_test(test_unread_untouched),
		cmocka_unit_test(test_unread_looked_at),
		cmocka_unit_test(test_close_after_reading),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_edge_of_room),
		cmocka_unit_test(test_follow_levels),
		cmocka_unit_test(test_follow_edges),
		cmocka_unit_test(test_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
