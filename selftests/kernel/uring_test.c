// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * io_uring on a session's socket. Each test sends or receives through the ring
 * on one side and makes or reads records by nettle on the other; what the running
 * kernel's io_uring lacks is skipped.
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
#include <sys/socket.h>
#include <sys/utsname.h>
#include <linux/tls.h>
#include <liburing.h>
#include <cmocka.h>
#include "wire.h"

#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE	(1U << 3)
#define IORING_NOTIF_USAGE_ZC_COPIED	(1U << 31)
#endif
#define GCM	TLS_CIPHER_AES_GCM_128
#define LEN	(256 << 10)

struct rig {
	struct session	s;
	struct io_uring	ring;
	uint8_t		*buf;		/* page-aligned, LEN bytes, a pattern */
};

static uint8_t *want, *got;

static int rig_begin(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	assert_int_equal(io_uring_queue_init(16, &r->ring, 0), 0);
	r->buf = aligned_alloc(4096, LEN);
	assert_non_null(r->buf);
	fill_pattern(r->buf, LEN, 7);
	memcpy(want, r->buf, LEN);
	session_mainline(&r->s, GCM);
	*state = r;
	return 0;
}

static int rig_end(void **state)
{
	struct rig *r = *state;

	session_close(&r->s);
	io_uring_queue_exit(&r->ring);
	free(r->buf);
	free(r);
	return 0;
}

static void need(struct rig *r, int op, const char *name)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(&r->ring);
	bool there = probe && io_uring_opcode_supported(probe, op);
	struct utsname u;

	io_uring_free_probe(probe);
	if (there)
		return;
	uname(&u);
	print_message("# SKIP: io_uring of Linux %s has no %s\n", u.release, name);
	skip();
}

static struct io_uring_sqe *sqe_get(struct rig *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->ring);

	assert_non_null(sqe);
	return sqe;
}

struct done {
	int		res;
	unsigned int	flags;
};

/* The next completion; the test fails after 20 s without one. */
static struct done next(struct rig *r)
{
	struct __kernel_timespec limit = { .tv_sec = 20 };
	struct io_uring_cqe *p;
	struct done c;

	assert_int_equal(io_uring_wait_cqe_timeout(&r->ring, &p, &limit), 0);
	c = (struct done){ p->res, p->flags };
	io_uring_cqe_seen(&r->ring, p);
	return c;
}

static void submit(struct rig *r)
{
	assert_true(io_uring_submit(&r->ring) >= 0);
}

/* ---- a peer that reads LEN bytes of records meanwhile */

static void *peer_main(void *arg)
{
	struct rig *r = arg;

	peer_recv_all(&r->s, got, LEN);
	return NULL;
}

static pthread_t peer_start(struct rig *r)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, peer_main, r), 0);
	return t;
}

static void peer_end(pthread_t t)
{
	pthread_join(t, NULL);
	assert_memory_equal(got, want, LEN);
}

/* ---- sending */

static void test_send(void **state)
{
	struct rig *r = *state;
	pthread_t t = peer_start(r);
	int at = 0;

	while (at < LEN) {
		struct done c;

		io_uring_prep_send(sqe_get(r), r->s.fd, r->buf + at, LEN - at, 0);
		submit(r);
		c = next(r);
		assert_true(c.res > 0);
		at += c.res;
	}
	peer_end(t);
}

static struct msghdr *message(uint8_t *buf, size_t len)
{
	static struct iovec v[2];
	static struct msghdr msg = { .msg_iov = v, .msg_iovlen = 2 };

	v[0] = (struct iovec){ buf, len / 3 };
	v[1] = (struct iovec){ buf + len / 3, len - len / 3 };
	return &msg;
}

enum way { SEND_ZC, SEND_ZC_FIXED, SENDMSG_ZC };

static void prepare(struct rig *r, enum way way, uint8_t *p, size_t len)
{
	struct io_uring_sqe *sqe = sqe_get(r);

	if (way == SENDMSG_ZC)
		io_uring_prep_sendmsg_zc(sqe, r->s.fd, message(p, len), 0);
	else if (way == SEND_ZC_FIXED)
		io_uring_prep_send_zc_fixed(sqe, r->s.fd, p, len, 0, 0, 0);
	else
		io_uring_prep_send_zc(sqe, r->s.fd, p, len, 0, 0);
}

/*
 * Each call's bytes are overwritten as soon as its notification is there: had
 * it come early, the peer would not get the pattern.
 */
static void send_all(struct rig *r, enum way way)
{
	struct done c;
	int at = 0, sent;

	for (; at < LEN; at += sent) {
		prepare(r, way, r->buf + at, LEN - at);
		submit(r);
		c = next(r);
		sent = c.res;
		if (sent < 0)
			fail_msg("zero-copy send: %s", strerror(-sent));
		assert_true(sent > 0 && c.flags & IORING_CQE_F_MORE);
		c = next(r);
		assert_true(c.flags & IORING_CQE_F_NOTIF);
		assert_int_equal(c.res, 0);
		memset(r->buf + at, 0xee, sent);
	}
}

static void zero_copy(struct rig *r, enum way way)
{
	pthread_t t = peer_start(r);

	send_all(r, way);
	peer_end(t);
}

static void test_send_zc(void **state)
{
	need(*state, IORING_OP_SEND_ZC, "SEND_ZC");
	zero_copy(*state, SEND_ZC);
}

static void test_send_zc_fixed(void **state)
{
	struct rig *r = *state;
	struct iovec v = { r->buf, LEN };

	need(r, IORING_OP_SEND_ZC, "SEND_ZC");
	assert_int_equal(io_uring_register_buffers(&r->ring, &v, 1), 0);
	zero_copy(r, SEND_ZC_FIXED);
}

static void test_sendmsg_zc(void **state)
{
	need(*state, IORING_OP_SENDMSG_ZC, "SENDMSG_ZC");
	zero_copy(*state, SENDMSG_ZC);
}

/* Bytes are encrypted into memory of ours: what is asked for usage hears "copied". */
static void test_send_zc_usage(void **state)
{
	struct rig *r = *state;
	struct done c;

	need(r, IORING_OP_SEND_ZC, "SEND_ZC");
	io_uring_prep_send_zc(sqe_get(r), r->s.fd, r->buf, 1000, 0, IORING_SEND_ZC_REPORT_USAGE);
	submit(r);
	c = next(r);
	if (c.res == -EINVAL) {
		print_message("# SKIP: this kernel has no IORING_SEND_ZC_REPORT_USAGE\n");
		skip();
	}
	assert_int_equal(c.res, 1000);
	c = next(r);
	assert_true(c.flags & IORING_CQE_F_NOTIF);
	assert_int_equal((uint32_t)c.res, IORING_NOTIF_USAGE_ZC_COPIED);
}

/* A peer that doesn't read yet: neither completion nor notification for bytes that wait. */
static void test_send_zc_waits(void **state)
{
	struct rig *r = *state;
	struct pollfd p = { .fd = r->ring.ring_fd, .events = POLLIN };
	struct done c;
	int small = 4096;
	pthread_t t;

	need(r, IORING_OP_SEND_ZC, "SEND_ZC");
	setsockopt(r->s.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(r->s.raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	io_uring_prep_send_zc(sqe_get(r), r->s.fd, r->buf, LEN, MSG_WAITALL, 0);
	submit(r);
	assert_int_equal(poll(&p, 1, 300), 0);
	t = peer_start(r);
	c = next(r);
	assert_int_equal(c.res, LEN);
	assert_true(c.flags & IORING_CQE_F_MORE);
	c = next(r);
	assert_true(c.flags & IORING_CQE_F_NOTIF);
	memset(r->buf, 0xee, LEN);
	peer_end(t);
}

/* ---- receiving */

static void test_recv(void **state)
{
	struct rig *r = *state;
	struct done c;
	int at = 0;

	io_uring_prep_recv(sqe_get(r), r->s.fd, got, LEN, 0);
	submit(r);			/* nothing is there yet */
	for (int sent = 0; sent < 40000; sent += 10000)
		peer_send(&r->s, WIRE_DATA, want + sent, 10000);
	for (c = next(r);; c = next(r)) {
		assert_true(c.res > 0);
		at += c.res;
		if (at == 40000)
			break;
		io_uring_prep_recv(sqe_get(r), r->s.fd, got + at, LEN - at, 0);
		submit(r);
	}
	assert_memory_equal(got, want, 40000);
}

#define PROVIDED	8
#define PROVIDED_SIZE	3000
#define GROUP		3

struct pool {
	struct io_uring_buf_ring	*ring;
	uint8_t				bytes[PROVIDED][PROVIDED_SIZE];
	int				at, completions, armed;
};

static void give_back(struct pool *p, int id)
{
	io_uring_buf_ring_add(p->ring, p->bytes[id], PROVIDED_SIZE, id, PROVIDED - 1, 0);
	io_uring_buf_ring_advance(p->ring, 1);
}

static void provide(struct rig *r, struct pool *p)
{
	struct io_uring_buf_reg reg = { .ring_entries = PROVIDED, .bgid = GROUP };

	p->ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	assert_true(p->ring != MAP_FAILED);
	reg.ring_addr = (uintptr_t)p->ring;
	if (io_uring_register_buf_ring(&r->ring, &reg, 0)) {
		print_message("# SKIP: this kernel's io_uring has no buffer rings\n");
		skip();
	}
	io_uring_buf_ring_init(p->ring);
	for (int i = 0; i < PROVIDED; i++)
		give_back(p, i);
}

static void arm(struct rig *r, struct pool *p)
{
	struct io_uring_sqe *sqe = sqe_get(r);

	io_uring_prep_recv_multishot(sqe, r->s.fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	submit(r);
	p->armed++;
}

static void take_shot(struct rig *r, struct pool *p)
{
	struct done c = next(r);
	int id = c.flags >> IORING_CQE_BUFFER_SHIFT;

	if (c.res == -EINVAL && !p->at) {
		print_message("# SKIP: this kernel's io_uring has no multishot recv\n");
		skip();
	}
	if (c.res != -ENOBUFS) {
		assert_true(c.res > 0 && c.flags & IORING_CQE_F_BUFFER);
		memcpy(got + p->at, p->bytes[id], c.res);
		p->at += c.res;
		p->completions++;
		give_back(p, id);
	}
	if (!(c.flags & IORING_CQE_F_MORE))
		arm(r, p);
}

/* Armed once, and again only where the provided buffers ran out. */
static void test_recv_multishot(void **state)
{
	static struct pool p;
	struct rig *r = *state;
	struct done c;

	provide(r, &p);
	arm(r, &p);
	for (int sent = 0; sent < 50000; sent += 5000) {
		peer_send(&r->s, WIRE_DATA, want + sent, 5000);
		while (p.at < sent + 5000)
			take_shot(r, &p);
	}
	assert_memory_equal(got, want, 50000);
	assert_true(p.completions > 50000 / PROVIDED_SIZE);
	assert_true(p.armed < p.completions / 2);
	assert_int_equal(shutdown(r->s.raw, SHUT_WR), 0);
	c = next(r);
	assert_int_equal(c.res, 0);
	assert_false(c.flags & IORING_CQE_F_MORE);
}

/* ---- splicing */

static int ring_splice(struct rig *r, int from, int to, size_t len)
{
	io_uring_prep_splice(sqe_get(r), from, -1, to, -1, len, 0);
	submit(r);
	return next(r).res;
}

static void test_splice(void **state)
{
	struct rig *r = *state;
	int p[2], at = 0, n;

	assert_int_equal(pipe(p), 0);
	wire_write(p[1], want, 60000);
	for (; at < 60000; at += n) {		/* pipe to socket */
		n = ring_splice(r, p[0], r->s.fd, 60000 - at);
		assert_true(n > 0);
	}
	peer_recv_all(&r->s, got, 60000);
	assert_memory_equal(got, want, 60000);
	for (at = 0; at < 60000; at += 15000)
		peer_send(&r->s, WIRE_DATA, want + at, 15000);
	for (at = 0; at < 60000; at += n) {	/* socket to pipe */
		n = ring_splice(r, r->s.fd, p[1], 60000 - at);
		assert_true(n > 0);
		wire_read(p[0], got + at, n);
	}
	assert_memory_equal(got, want, 60000);
	close(p[0]);
	close(p[1]);
}

/*
 * Linux 6.12's io_uring reads its cache of message headers through a pointer that
 * KASAN has overwritten; any socket does that to it, and the kernel panics.
 */
static bool kernel_has_kasan(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[300];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " __kasan_mempool_unpoison_object\n");
	if (f)
		fclose(f);
	return found;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_send, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_send_zc, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_send_zc_fixed, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_sendmsg_zc, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_send_zc_usage, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_send_zc_waits, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_recv, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_recv_multishot, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_splice, rig_begin, rig_end),
	};

	want = malloc(LEN);
	got = malloc(LEN);
	if (!want || !got)
		return 1;
	if (kernel_has_kasan()) {
		puts("1..0 # SKIP io_uring of this kernel does not survive KASAN with any socket");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
