// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The agent's other ways, where the module isn't loaded: it is given the TCP
 * connection, and either leaves mainline's kernel TLS on it, or relays: the
 * program's descriptor becomes one end of a socketpair.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "params.h"
#include "ways.h"

static int agent_connect(void)
{
	const char *path = secure_getenv(RELAY_ENV) ? secure_getenv(RELAY_ENV) : RELAY_SOCKET;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENOENT;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -ENOENT;		/* neither module nor agent */
}

static int give(int agent, const struct request *request, size_t size, int tcp, int end)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(2 * sizeof(int))]; } control = { 0 };
	struct iovec iov = { .iov_base = (void *)request, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	const int fds[2] = { tcp, end };

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	return sendmsg(agent, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int answer(int agent, struct relay_answer *a)
{
	ssize_t n;

	do {
		n = recv(agent, a, sizeof(*a), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(*a))
		return -ECONNABORTED;	/* the agent died */
	return a->err;
}

/* @fd becomes @end, which keeps its number and flags. */
static int replace(int fd, int end)
{
	int cloexec = fcntl(fd, F_GETFD) & FD_CLOEXEC;

	return dup3(end, fd, cloexec ? O_CLOEXEC : 0) < 0 ? -errno : 0;
}

static int ask(int agent, int fd, struct request *request, size_t size, const int pair[2], bool waits)
{
	struct relay_answer a;
	int err;

	request->head.flags = waits ? RELAY_WAITS : 0;
	err = give(agent, request, size, fd, pair[1]);
	if (!err && waits)
		err = answer(agent, &a);
	if (!err && (!waits || a.way == KTLS_WAY_RELAY))
		err = replace(fd, pair[0]);
	return err || waits ? err : -EINPROGRESS;
}

int relay_handshake(int fd, struct request *request, size_t size)
{
	bool waits = !(fcntl(fd, F_GETFL) & O_NONBLOCK);
	int agent = agent_connect(), pair[2], err;

	if (agent < 0)
		return agent;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0, pair)) {
		err = -errno;
		close(agent);
		return err;
	}
	err = ask(agent, fd, request, size, pair, waits);
	close(pair[0]);
	close(pair[1]);
	close(agent);
	return err;
}

enum ktls_way ktls_way(int fd)
{
	int domain = 0, saved = errno;
	char ulp[16] = "";
	socklen_t len = sizeof(domain);
	enum ktls_way way = KTLS_WAY_NONE;

	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_UNIX)
		way = KTLS_WAY_RELAY;
	len = sizeof(ulp) - 1;
	if (!way && !getsockopt(fd, IPPROTO_TCP, TCP_ULP, ulp, &len))
		way = !strcmp(ulp, "ktls") ? KTLS_WAY_MODULE : !strcmp(ulp, "tls") ? KTLS_WAY_MAINLINE : KTLS_WAY_NONE;
	errno = saved;
	return way;
}
