// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A session is a socket like others: it survives fork(), goes to other
 * processes by SCM_RIGHTS, and outlives the processes of its namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

static uint8_t buf[WIRE_RECORD];

/* What the other process does with its descriptor: five bytes come back, 0 for all well. */
static int echo(int fd)
{
	char five[5];
	size_t at = 0;
	ssize_t n;

	for (; at < sizeof(five); at += n) {
		n = read(fd, five + at, sizeof(five) - at);
		if (n <= 0)
			return 1;
	}
	return write(fd, five, sizeof(five)) != sizeof(five);
}

static void expect_echo(struct session *s, const char *five)
{
	peer_send(s, WIRE_DATA, five, 5);
	peer_recv_all(s, buf, 5);
	assert_memory_equal(buf, five, 5);
}

static void expect_exit(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void send_fds(int to, const int *fds, size_t n)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(2 * sizeof(int))]; } c = {
		.head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int)) },
	};
	struct iovec v = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c,
			      .msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	memcpy(CMSG_DATA(&c.head), fds, n * sizeof(int));
	if (sendmsg(to, &msg, 0) != 1)
		_exit(2);
}

static void recv_fds(int from, int *fds, size_t n)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(2 * sizeof(int))]; } c;
	char byte;
	struct iovec v = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		_exit(3);
	memcpy(fds, CMSG_DATA(&c.head), n * sizeof(int));
}

/* The child's exit closes its copy, not the session. */
static void fork_shares(void **state)
{
	struct session s;
	pid_t pid;

	(void)state;
	session_agent(&s, TLS_CIPHER_AES_GCM_128, false);
	pid = fork();
	if (!pid)
		_exit(echo(s.fd));
	expect_echo(&s, "child");
	expect_exit(pid);
	wire_write(s.fd, "still", 5);
	peer_recv_all(&s, buf, 5);
	session_close(&s);
}

static void passed_to_another(void **state)
{
	struct session s;
	int pair[2], got;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (!pid) {
		recv_fds(pair[1], &got, 1);
		_exit(echo(got));
	}
	session_agent(&s, TLS_CIPHER_CHACHA20_POLY1305, false);
	send_fds(pair[0], &s.fd, 1);
	close(s.fd);
	s.fd = -1;
	expect_echo(&s, "given");
	expect_exit(pid);
	peer_expect_alert(&s, 1, 0);	/* his exit was the last close */
	assert_int_equal(recv(s.raw, buf, 1, 0), 0);
	close(pair[0]);
	close(pair[1]);
	session_close(&s);
}

static long module_users(void)
{
	FILE *f = fopen("/proc/modules", "r");
	char line[256];
	long users = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "ktls %*d %ld", &users) == 1)
			break;
	fclose(f);
	return users;
}

static void in_namespace(int to)
{
	static struct session s;
	int fds[2];

	world_new_netns();
	session_agent(&s, TLS_CIPHER_AES_GCM_256, true);
	fds[0] = s.fd;
	fds[1] = s.raw;
	send_fds(to, fds, 2);
	_exit(0);
}

/* Nobody is in the namespace any more, agent included; the session holds it until it is closed. */
static void outlives_its_namespace(void **state)
{
	struct session s = { .agent.fd = -1 };
	long users = module_users();
	int pair[2], fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (!pid)
		in_namespace(pair[1]);
	recv_fds(pair[0], fds, 2);
	expect_exit(pid);
	s.fd = fds[0];
	s.raw = fds[1];
	s.tx = wire_key(TLS_CIPHER_AES_GCM_256, 3);
	s.rx = wire_key(TLS_CIPHER_AES_GCM_256, 4);
	assert_true(module_users() > users);
	assert_int_equal(syscall(SYS_delete_module, "ktls", O_NONBLOCK), -1);
	peer_send(&s, WIRE_MESSAGE, "\30\0\0\1\0", 5);
	s.rx = session_next(&s.rx);
	peer_send(&s, WIRE_DATA, "orphan", 6);
	wire_read(s.fd, buf, 6);
	assert_memory_equal(buf, "orphan", 6);
	wire_write(s.fd, "lives", 5);
	peer_recv_all(&s, buf, 5);
	session_close(&s);
	for (int i = 0; i < 1000 && module_users() != users; i++)
		usleep(20000);
	assert_int_equal(module_users(), users);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_shares),
		cmocka_unit_test(passed_to_another),
		cmocka_unit_test(outlives_its_namespace),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
