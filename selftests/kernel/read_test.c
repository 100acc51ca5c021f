// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flags and options of the socket calls on a session, the options of
 * linux/tls.h, and RFC 8448's records on the wire.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <poll.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"

#define GCM	TLS_CIPHER_AES_GCM_128

static uint8_t data[4 * WIRE_RECORD];

static void expect_errno(ssize_t ret, int err)
{
	assert_int_equal(ret, -1);
	assert_int_equal(errno, err);
}

static int inq(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static void await_input(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 50) == 1;
}

static void test_peek(void **state)
{
	struct session s;

	(void)state;
	session_mainline(&s, GCM);
	peer_send(&s, WIRE_DATA, "one", 3);
	peer_send(&s, WIRE_DATA, "two", 3);
	await_input(s.fd);
	usleep(20000);
	assert_int_equal(recv(s.fd, data, 2, MSG_PEEK), 2);
	assert_int_equal(recv(s.fd, data, 100, MSG_PEEK), 6);
	assert_memory_equal(data, "onetwo", 6);
	assert_int_equal(inq(s.fd), 6);
	assert_int_equal(recv(s.fd, data, 4, 0), 4);
	assert_memory_equal(data, "onet", 4);
	assert_true(readable(s.fd));
	assert_int_equal(inq(s.fd), 2);
	assert_int_equal(recv(s.fd, data, 100, 0), 2);
	assert_memory_equal(data, "wo", 2);
	assert_int_equal(inq(s.fd), 0);
	assert_false(readable(s.fd));
	session_close(&s);
}

/* Several records in one call; MSG_TRUNC throws away. */
static void test_many(void **state)
{
	struct session s;

	(void)state;
	session_mainline(&s, GCM);
	for (int i = 0; i < 5; i++)
		peer_send(&s, WIRE_DATA, "abcde", 5);
	usleep(50000);
	assert_int_equal(recv(s.fd, data, 100, 0), 25);
	peer_send(&s, WIRE_DATA, "drop this, keep this", 20);
	assert_int_equal(recv(s.fd, NULL, 11, MSG_TRUNC), 11);
	assert_int_equal(recv(s.fd, data, 100, 0), 9);
	assert_memory_equal(data, "keep this", 9);
	expect_errno(recv(s.fd, data, 1, MSG_DONTWAIT), EAGAIN);
	expect_errno(recv(s.fd, data, 1, MSG_OOB), EINVAL);
	session_close(&s);
}

static void test_wait(void **state)
{
	struct timeval limit = { .tv_usec = 100000 };
	struct session s;
	int low = 10;

	(void)state;
	session_mainline(&s, GCM);
	setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	expect_errno(recv(s.fd, data, 1, 0), EAGAIN);
	peer_send(&s, WIRE_DATA, "12345", 5);
	assert_int_equal(recv(s.fd, data, 8, MSG_WAITALL), 5);	/* until the limit */
	assert_int_equal(setsockopt(s.fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)), 0);
	peer_send(&s, WIRE_DATA, "12345", 5);
	assert_false(readable(s.fd));
	peer_send(&s, WIRE_DATA, "67890", 5);
	await_input(s.fd);
	assert_int_equal(recv(s.fd, data, 100, 0), 10);
	session_close(&s);
}

/* The second page of the buffer isn't there. */
static void test_fault(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct session s;
	uint8_t type;

	(void)state;
	assert_true(p != MAP_FAILED);
	munmap(p + page, page);
	session_mainline(&s, GCM);
	expect_errno(send(s.fd, p + page, 10, 0), EFAULT);
	memset(p, 'x', page);
	assert_int_equal(send(s.fd, p + page - 100, 1000, 0), 100);
	assert_int_equal(peer_recv(&s, data, &type), 100);
	peer_send(&s, WIRE_DATA, data, 100);
	expect_errno(recv(s.fd, p + page - 50, 100, 0), EFAULT);
	assert_int_equal(recv(s.fd, data, 100, 0), 100);	/* nothing is lost */
	munmap(p, page);
	session_close(&s);
}

/* ---- record types by cmsg */

static ssize_t send_typed(int fd, uint8_t type, const void *p, size_t len)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(1)]; } c = {
		.head = { .cmsg_level = SOL_TLS, .cmsg_type = TLS_SET_RECORD_TYPE, .cmsg_len = CMSG_LEN(1) },
	};
	struct iovec v = { .iov_base = (void *)p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };

	*CMSG_DATA(&c.head) = type;
	return sendmsg(fd, &msg, 0);
}

static ssize_t recv_typed(int fd, void *p, size_t len, uint8_t *type)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(1)]; } c;
	struct iovec v = { .iov_base = p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	ssize_t n = recvmsg(fd, &msg, 0);

	*type = 0;
	if (n >= 0 && CMSG_FIRSTHDR(&msg) && c.head.cmsg_type == TLS_GET_RECORD_TYPE)
		*type = *CMSG_DATA(&c.head);
	return n;
}

static void test_types(void **state)
{
	struct session s;
	uint8_t type;

	(void)state;
	session_mainline(&s, GCM);
	assert_int_equal(send(s.fd, "open", 4, MSG_MORE), 4);
	assert_int_equal(send_typed(s.fd, 22, "message", 7), 7);
	peer_recv_all(&s, data, 4);
	assert_int_equal(peer_recv(&s, data, &type), 7);
	assert_int_equal(type, 22);
	peer_send(&s, WIRE_DATA, "data", 4);
	peer_send(&s, WIRE_MESSAGE, "ticket", 6);
	peer_send(&s, WIRE_DATA, "after", 5);
	usleep(20000);
	assert_int_equal(recv_typed(s.fd, data, 100, &type), 4);
	assert_int_equal(type, WIRE_DATA);
	expect_errno(recv(s.fd, data, 100, 0), EIO);
	expect_errno(recv(s.fd, data, 100, 0), EIO);	/* it stays */
	assert_int_equal(recv_typed(s.fd, data, 100, &type), 6);
	assert_int_equal(type, WIRE_MESSAGE);
	assert_int_equal(recv(s.fd, data, 100, 0), 5);
	session_close(&s);
}

/* ---- linux/tls.h's options */

static void test_options(void **state)
{
	struct tls_crypto_info info;
	socklen_t len = sizeof(info);
	struct key k = wire_key(GCM, 9);
	struct session s;
	int fd[2];

	(void)state;
	wire_pair(fd);
	expect_errno(setsockopt(fd[0], SOL_TLS, TLS_TX, &k, sizeof(k)) ? -1 : 0, ENOPROTOOPT);
	assert_int_equal(wire_attach(fd[0]), 0);
	assert_int_equal(wire_attach(fd[0]), -EEXIST);
	k.version = 0x0302;
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), -EINVAL);
	k.version = 0x0304;
	k.cipher = 999;
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), -EINVAL);
	k.cipher = TLS_CIPHER_AES_GCM_256;		/* too short */
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), -EINVAL);
	k.cipher = GCM;
	expect_errno(getsockopt(fd[0], SOL_TLS, TLS_TX, &info, &len), EBUSY);
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), 0);
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), 0);	/* once more: a rekey */
	k.version = 0x0303;
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), -EINVAL);
	assert_int_equal(wire_install(fd[0], TLS_RX, &k), -EINVAL);
	k.version = 0x0304;
	assert_int_equal(getsockopt(fd[0], SOL_TLS, TLS_TX, &info, &len), 0);
	assert_int_equal(info.cipher_type, GCM);
	wire_write(fd[1], "plain", 5);			/* the other way is TCP as before */
	wire_read(fd[0], data, 5);
	s = (struct session){ .raw = fd[1], .fd = fd[0], .tx = k, .agent.fd = -1 };
	wire_write(fd[0], "sealed", 6);
	peer_recv_all(&s, data, 6);
	session_close(&s);
}

/* What an application gave it may read back, whichever code holds the key. */
static void test_keys_back(void **state)
{
	struct tls12_crypto_info_aes_gcm_256 gcm;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
	socklen_t len = sizeof(gcm);
	struct session s;

	(void)state;
	session_mainline(&s, TLS_CIPHER_AES_GCM_256);
	wire_write(s.fd, "one record", 10);
	assert_int_equal(getsockopt(s.fd, SOL_TLS, TLS_TX, &gcm, &len), 0);
	assert_int_equal(len, sizeof(gcm));
	assert_memory_equal(gcm.key, s.tx.key, 32);
	assert_memory_equal(gcm.salt, s.tx.iv, 4);
	assert_memory_equal(gcm.iv, s.tx.iv + 4, 8);
	assert_int_equal(gcm.rec_seq[7], 1);
	assert_int_equal(getsockopt(s.fd, SOL_TLS, TLS_RX, &gcm, &len), 0);
	assert_memory_equal(gcm.key, s.rx.key, 32);
	session_close(&s);
	session_mainline(&s, TLS_CIPHER_CHACHA20_POLY1305);
	len = sizeof(chacha);
	assert_int_equal(getsockopt(s.fd, SOL_TLS, TLS_RX, &chacha, &len), 0);
	assert_memory_equal(chacha.key, s.rx.key, 32);
	session_close(&s);
}

/* An application may not look at, or change, the keys that an agent installed. */
static void test_agent_keys(void **state)
{
	uint8_t info[64];
	socklen_t len = sizeof(info);
	struct session s;

	(void)state;
	session_agent(&s, GCM, false);
	assert_int_equal(getsockopt(s.fd, SOL_TLS, TLS_TX, info, &len), 0);
	assert_int_equal(len, sizeof(struct tls_crypto_info));
	assert_int_equal(wire_install(s.fd, TLS_TX, &s.tx), -EISCONN);
	assert_int_equal(wire_install(s.fd, TLS_RX, &s.rx), -EISCONN);
	session_close(&s);
}

/* ---- RFC 8448 section 3: application data, client's and server's */

static const uint8_t rfc_client_key[] = {
	0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9, 0xac, 0xd8, 0x90, 0xe3, 0xc6, 0x3f, 0x50, 0x51,
};
static const uint8_t rfc_client_iv[] = {
	0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90, 0x33, 0xe5, 0x23, 0xd9,
};
static const uint8_t rfc_client_record[] = {
	0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70, 0x54, 0xb6, 0x2c, 0x94, 0xd0, 0xaf, 0xfa, 0xfe,
	0x82, 0x28, 0xba, 0x55, 0xcb, 0xef, 0xac, 0xea, 0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc, 0xab, 0x3f,
	0x2b, 0x98, 0x19, 0xa8, 0xa5, 0xb4, 0x6b, 0x39, 0x5b, 0xd5, 0x4a, 0x9a, 0x20, 0x44, 0x1e, 0x2b,
	0x62, 0x97, 0x4e, 0x1f, 0x5a, 0x62, 0x92, 0xa2, 0x97, 0x70, 0x14, 0xbd, 0x1e, 0x3d, 0xea, 0xe6,
	0x3a, 0xee, 0xbb, 0x21, 0x69, 0x49, 0x15, 0xe4,
};

static void test_rfc8448(void **state)
{
	struct key k = { .version = 0x0304, .cipher = GCM, .key_len = 16 };
	uint8_t plain[50], wire[sizeof(rfc_client_record)];
	int fd[2];

	(void)state;
	memcpy(k.key, rfc_client_key, sizeof(rfc_client_key));
	memcpy(k.iv, rfc_client_iv, sizeof(rfc_client_iv));
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = i;
	wire_pair(fd);
	assert_int_equal(wire_attach(fd[0]), 0);
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), 0);
	assert_int_equal(wire_install(fd[0], TLS_RX, &k), 0);
	wire_write(fd[0], plain, sizeof(plain));
	wire_read(fd[1], wire, sizeof(wire));
	assert_memory_equal(wire, rfc_client_record, sizeof(wire));
	wire_write(fd[1], rfc_client_record, sizeof(rfc_client_record));
	wire_read(fd[0], data, sizeof(plain));
	assert_memory_equal(data, plain, sizeof(plain));
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8448),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_keys_back),
		cmocka_unit_test(test_agent_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
