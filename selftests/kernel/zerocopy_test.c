// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes that the cipher reads where they are: MSG_ZEROCOPY, sendfile, splice.
 * The module counts them (TxInPlace). A notification is true if what is written over the
 * buffer after it never reaches the peer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/errqueue.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"
#include "world.h"

#define LEN	(1 << 20)
#define ODD	1234		/* not at a page's start */
#define TX_MAX_PAYLOAD_LEN	5	/* TLS_TX_MAX_PAYLOAD_LEN of Linux 6.19 */

static const uint16_t ciphers[] = {
	TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305,
};

static uint8_t *buf, *want, *got;

static void begin(struct session *s, uint16_t cipher)
{
	session_mainline(s, cipher);
	fill_pattern(buf, LEN, cipher);
	memcpy(want, buf, LEN);
}

static void use_zerocopy(const struct session *s)
{
	int one = 1;

	assert_int_equal(setsockopt(s->fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
}

static void *peer_main(void *arg)
{
	peer_recv_all(arg, got, LEN - ODD);
	return NULL;
}

static pthread_t peer_start(struct session *s)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, peer_main, s), 0);
	return t;
}

/* The next notification, which must be there within 20 s. */
static struct sock_extended_err notification(int fd)
{
	uint8_t control[128];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = fd };

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(p.revents & POLLERR);
	assert_int_equal(recvmsg(fd, &msg, MSG_ERRQUEUE), 0);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	return *(struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
}

static void expect_notification(int fd, uint32_t number, uint8_t code)
{
	struct sock_extended_err e = notification(fd);

	assert_int_equal(e.ee_errno, 0);
	assert_int_equal(e.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	assert_int_equal(e.ee_info, number);
	assert_int_equal(e.ee_data, number);
	assert_int_equal(e.ee_code, code);
}

static void expect_none(int fd)
{
	struct msghdr msg = { };

	assert_int_equal(recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Each call's bytes are overwritten once it is notified. */
static void test_zerocopy(void **state)
{
	static const size_t sizes[] = { 1, 100, 5000, 16384, 16385, 70000, LEN };
	struct session s;
	size_t at, n, len;
	uint32_t number;
	long before;
	pthread_t t;

	(void)state;
	for (unsigned int c = 0; c < sizeof(ciphers) / sizeof(*ciphers); c++) {
		begin(&s, ciphers[c]);
		use_zerocopy(&s);
		before = stat_get("TxInPlace");
		t = peer_start(&s);
		for (at = ODD, number = 0; at < LEN; at += n, number++) {
			len = number < 7 ? sizes[number] : LEN;
			n = send(s.fd, buf + at, len < LEN - at ? len : LEN - at, MSG_ZEROCOPY);
			assert_true((ssize_t)n > 0);
			expect_notification(s.fd, number, 0);
			memset(buf + at, 0xee, n);
		}
		pthread_join(t, NULL);
		assert_memory_equal(got, want + ODD, LEN - ODD);
		assert_int_equal(stat_get("TxInPlace") - before, LEN - ODD);
		expect_none(s.fd);
		session_close(&s);
	}
}

/* A record that stays open is copied, and the notification says that. */
static void test_zerocopy_more(void **state)
{
	struct session s;
	long before;

	(void)state;
	begin(&s, ciphers[0]);
	use_zerocopy(&s);
	before = stat_get("TxInPlace");
	assert_int_equal(send(s.fd, buf, 3000, MSG_ZEROCOPY | MSG_MORE), 3000);
	expect_notification(s.fd, 0, SO_EE_CODE_ZEROCOPY_COPIED);
	memset(buf, 0xee, 3000);
	assert_int_equal(send(s.fd, buf + 3000, 2000, MSG_ZEROCOPY), 2000);
	expect_notification(s.fd, 1, 0);
	memset(buf, 0xee, 5000);
	peer_recv_all(&s, got, 5000);
	assert_memory_equal(got, want, 5000);
	assert_int_equal(stat_get("TxInPlace") - before, 2000);
	session_close(&s);
}

/* As with TCP: without SO_ZEROCOPY the flag means nothing; a call that fails is not notified. */
static void test_zerocopy_not(void **state)
{
	struct session s;
	long before;

	(void)state;
	begin(&s, ciphers[0]);
	before = stat_get("TxInPlace");
	assert_int_equal(send(s.fd, buf, 3000, MSG_ZEROCOPY), 3000);
	assert_int_equal(send(s.fd, buf + 3000, 3000, 0), 3000);
	peer_recv_all(&s, got, 6000);
	assert_memory_equal(got, want, 6000);
	assert_int_equal(stat_get("TxInPlace") - before, 0);
	expect_none(s.fd);
	use_zerocopy(&s);
	assert_int_equal(send(s.fd, NULL, 3000, MSG_ZEROCOPY), -1);
	assert_int_equal(errno, EFAULT);
	expect_none(s.fd);
	session_close(&s);
}

/* The peer reads late: the calls end with what fitted, and only that was notified. */
static void test_zerocopy_full(void **state)
{
	int small = 8192, calls = 0;
	struct session s;
	size_t at = 0;
	ssize_t n;

	(void)state;
	begin(&s, ciphers[0]);
	use_zerocopy(&s);
	setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(s.raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	while ((n = send(s.fd, buf + at, LEN - at, MSG_ZEROCOPY | MSG_DONTWAIT)) > 0) {
		expect_notification(s.fd, calls++, 0);
		memset(buf + at, 0xee, n);
		at += n;
	}
	assert_int_equal(errno, EAGAIN);
	expect_none(s.fd);
	peer_recv_all(&s, got, at);
	assert_memory_equal(got, want, at);
	session_close(&s);
}

/* ---- pages of files and pipes */

static void test_sendfile(void **state)
{
	off_t at = ODD;
	struct session s;
	pthread_t t;
	long before;
	ssize_t n;
	int fd;

	(void)state;
	begin(&s, ciphers[0]);
	fd = memfd_create("file", MFD_CLOEXEC);
	wire_write(fd, buf, LEN);
	before = stat_get("TxInPlace");
	t = peer_start(&s);
	while (at < LEN) {
		n = sendfile(s.fd, fd, &at, LEN - at);
		assert_true(n > 0);
	}
	pthread_join(t, NULL);
	assert_memory_equal(got, want + ODD, LEN - ODD);
	assert_int_equal(stat_get("TxInPlace") - before, LEN - ODD);
	close(fd);
	session_close(&s);
}

/*
 * TCP takes no more: what was reported as sent is encrypted, but for a last record that isn't full and
 * may show what is written to the file later.
 */
static void test_sendfile_then_write(void **state)
{
	int small = 8192, fd;
	struct session s;
	size_t whole;
	off_t at = 0;
	ssize_t n;

	(void)state;
	begin(&s, ciphers[0]);
	setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(s.raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	set_nonblock(s.fd);
	fd = memfd_create("file", MFD_CLOEXEC);
	wire_write(fd, buf, LEN);
	n = sendfile(s.fd, fd, &at, LEN);
	assert_in_range(n, WIRE_PLAIN, LEN - WIRE_PLAIN);
	memset(buf, 0xee, LEN);
	assert_int_equal(pwrite(fd, buf, LEN, 0), LEN);
	whole = n - n % WIRE_PLAIN;
	peer_recv_all(&s, got, whole);
	assert_memory_equal(got, want, whole);
	assert_int_equal(send(s.fd, buf, 1, 0), 1);
	peer_recv_all(&s, got, n - whole + 1);
	for (size_t i = 0; i < n - whole; i++)
		assert_true(got[i] == 0xee || got[i] == want[whole + i]);
	assert_int_equal(got[n - whole], 0xee);
	close(fd);
	session_close(&s);
}

/* Where freed pages are likely to be used again. */
static void use_memory(void)
{
	int fd = memfd_create("other", MFD_CLOEXEC);

	memset(got, 0xaa, LEN);
	for (int i = 0; i < 32; i++)
		wire_write(fd, got, LEN);
	close(fd);
}

/* A record that stays open after the call has its pages even if nobody else does. */
static void test_splice_then_free(void **state)
{
	const size_t len = 3 * 4096;
	struct session s;
	int p[2], fd;

	(void)state;
	begin(&s, ciphers[0]);
	assert_int_equal(pipe(p), 0);
	fd = memfd_create("file", MFD_CLOEXEC);
	wire_write(fd, buf, len);
	assert_int_equal(splice(fd, &(off_t){ 0 }, p[1], NULL, len, 0), len);
	assert_int_equal(splice(p[0], NULL, s.fd, NULL, len, SPLICE_F_MORE), len);
	close(p[0]);
	close(p[1]);
	close(fd);
	use_memory();
	assert_int_equal(send(s.fd, buf + len, 100, 0), 100);
	assert_int_equal(peer_recv(&s, got, &(uint8_t){ 0 }), len + 100);
	assert_memory_equal(got, want, len + 100);
	session_close(&s);
}

static void test_vmsplice(void **state)
{
	struct iovec v = { buf + ODD, 40000 };
	struct session s;
	size_t at = 0;
	long before;
	ssize_t n;
	int p[2];

	(void)state;
	begin(&s, ciphers[0]);
	before = stat_get("TxInPlace");
	assert_int_equal(pipe(p), 0);
	assert_int_equal(vmsplice(p[1], &v, 1, 0), 40000);
	while (at < 40000) {
		n = splice(p[0], NULL, s.fd, NULL, 40000 - at, 0);
		assert_true(n > 0);
		at += n;
	}
	peer_recv_all(&s, got, 40000);
	assert_memory_equal(got, want + ODD, 40000);
	assert_int_equal(stat_get("TxInPlace") - before, 40000);
	close(p[0]);
	close(p[1]);
	session_close(&s);
}

/* However small the pieces: whole records of @max bytes. */
static void expect_records_of(struct session *s, size_t max, size_t len)
{
	size_t at, n;
	uint8_t type;

	for (at = 0; at < len; at += n) {
		n = len - at < max ? len - at : max;
		assert_int_equal(peer_recv(s, got, &type), n);
		assert_memory_equal(got, want + at, n);
	}
}

static void expect_records(struct session *s, size_t len)
{
	expect_records_of(s, WIRE_PLAIN, len);
}

/* RFC 8449: whichever way bytes come in, no record is longer than the peer takes, and none shorter than it must be. */
static void test_record_size_limit(void **state)
{
	static const uint16_t limits[] = { 63, 1000, 4096, 16383 };
	struct session s;
	off_t at = 0;
	int fd;

	(void)state;
	begin(&s, ciphers[0]);
	use_zerocopy(&s);
	fd = memfd_create("file", MFD_CLOEXEC);
	wire_write(fd, buf, 20000);
	for (unsigned int i = 0; i < sizeof(limits) / sizeof(*limits); i++, at = 0) {
		assert_int_equal(setsockopt(s.fd, SOL_TLS, TX_MAX_PAYLOAD_LEN, &limits[i], sizeof(limits[i])), 0);
		assert_int_equal(send(s.fd, buf, 20000, 0), 20000);
		expect_records_of(&s, limits[i], 20000);
		assert_int_equal(send(s.fd, buf, 777, MSG_MORE), 777);
		assert_int_equal(send(s.fd, buf + 777, 20000 - 777, 0), 20000 - 777);
		expect_records_of(&s, limits[i], 20000);
		assert_int_equal(send(s.fd, buf, 20000, MSG_ZEROCOPY), 20000);
		expect_records_of(&s, limits[i], 20000);
		assert_int_equal(sendfile(s.fd, fd, &at, 20000), 20000);
		expect_records_of(&s, limits[i], 20000);
	}
	close(fd);
	session_close(&s);
}

static void test_splice_more(void **state)
{
	static const size_t sizes[] = { 7, 100, 1000, 4096, 5000 };
	size_t at, n, len;
	struct session s;
	int p[2];

	(void)state;
	begin(&s, ciphers[0]);
	assert_int_equal(pipe(p), 0);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		len = i ? 3 * WIRE_PLAIN : 2000;
		for (at = 0; at < len; at += n) {
			n = len - at < sizes[i] ? len - at : sizes[i];
			wire_write(p[1], buf + at, n);
			assert_int_equal(splice(p[0], NULL, s.fd, NULL, n, at + n < len ? SPLICE_F_MORE : 0), n);
		}
		expect_records(&s, len);
	}
	close(p[0]);
	close(p[1]);
	session_close(&s);
}

/* Records that wait for those of the next call go out though none comes; more than may wait do at once. */
static void test_splice_no_more(void **state)
{
	static const size_t records[] = { 1, 3, 4, 7, 15, 16, 20 };
	struct session s;
	size_t len;
	int p[2];

	(void)state;
	begin(&s, ciphers[0]);
	assert_int_equal(pipe(p), 0);
	assert_true(fcntl(p[1], F_SETPIPE_SZ, LEN) >= 0);
	for (unsigned int i = 0; i < sizeof(records) / sizeof(*records); i++) {
		len = records[i] * WIRE_PLAIN;
		wire_write(p[1], buf, len);
		assert_int_equal(splice(p[0], NULL, s.fd, NULL, len, SPLICE_F_MORE), len);
		expect_records(&s, len);
	}
	close(p[0]);
	close(p[1]);
	session_close(&s);
}

/* Pages and copied bytes by turns in one record. */
static void test_turns(void **state)
{
	struct session s;
	size_t at = 0;
	int p[2];

	(void)state;
	begin(&s, ciphers[0]);
	assert_int_equal(pipe(p), 0);
	while (at < 40000) {
		wire_write(p[1], buf + at, 200);
		assert_int_equal(splice(p[0], NULL, s.fd, NULL, 200, SPLICE_F_MORE), 200);
		at += 200;
		assert_int_equal(send(s.fd, buf + at, 300, MSG_MORE), 300);
		at += 300;
	}
	assert_int_equal(send(s.fd, buf + at, 100, 0), 100);
	expect_records(&s, at + 100);
	close(p[0]);
	close(p[1]);
	session_close(&s);
}

/* More pieces than a record can refer to: the rest is copied, and that is said. */
static void test_zerocopy_pieces(void **state)
{
	struct iovec v[100];
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 100 };
	struct session s;

	(void)state;
	begin(&s, ciphers[0]);
	use_zerocopy(&s);
	for (int i = 0; i < 100; i++)
		v[i] = (struct iovec){ buf + i * 5000, 50 };
	for (int i = 0; i < 100; i++)
		memcpy(want + i * 50, buf + i * 5000, 50);
	assert_int_equal(sendmsg(s.fd, &msg, MSG_ZEROCOPY), 5000);
	expect_notification(s.fd, 0, SO_EE_CODE_ZEROCOPY_COPIED);
	expect_records(&s, 5000);
	session_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zerocopy),
		cmocka_unit_test(test_zerocopy_more),
		cmocka_unit_test(test_zerocopy_not),
		cmocka_unit_test(test_zerocopy_full),
		cmocka_unit_test(test_sendfile),
		cmocka_unit_test(test_sendfile_then_write),
		cmocka_unit_test(test_splice_then_free),
		cmocka_unit_test(test_vmsplice),
		cmocka_unit_test(test_record_size_limit),
		cmocka_unit_test(test_splice_more),
		cmocka_unit_test(test_splice_no_more),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_zerocopy_pieces),
	};

	buf = aligned_alloc(4096, LEN);
	want = malloc(LEN);
	got = malloc(LEN);
	if (!buf || !want || !got)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
