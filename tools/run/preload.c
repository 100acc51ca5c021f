// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libktls-preload.so: listen() of a program that makes its own sockets. For
 * the ports of KTLS_RUN_PORTS the listener gets TLS first; if it can't, listen()
 * fails, so that nothing is served in plain text that was meant not to be.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "run.h"

static unsigned int port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss), size = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM)
		return 0;
	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return 0;
	if (ss.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&ss)->sin_port);
	if (ss.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	return 0;
}

__attribute__((visibility("default"))) int listen(int fd, int backlog)
{
	int saved = errno;
	unsigned int port = port_of(fd);
	int err = 0;

	if (port && run_port_wanted(getenv(RUN_PORTS), port))
		err = run_listener(fd, getenv(RUN_IDENTITY), getenv(RUN_ALPN));
	errno = saved;
	if (!err)
		return syscall(SYS_listen, fd, backlog);
	errno = -err;
	return -1;
}
