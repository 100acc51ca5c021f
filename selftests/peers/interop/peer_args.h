/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the peers in C have in common: arguments, as PROGRAM server|client PORT KEY=VALUE..., and sockets. */
#ifndef PEER_ARGS_H
#define PEER_ARGS_H
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int argn;
static char **args;

static const char *get(const char *key)
{
	size_t len = strlen(key);

	for (int i = 3; i < argn; i++)
		if (!strncmp(args[i], key, len) && args[i][len] == '=')
			return args[i] + len + 1;
	return NULL;
}

static void check(int ok, const char *what)
{
	if (!ok)
		errx(1, "%s", what);
}

static struct sockaddr_in here(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(args[2])),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_here(void)
{
	struct sockaddr_in a = here();
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 16), "listen");
	return fd;
}

static int connect_here(void)
{
	struct sockaddr_in a = here();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(!connect(fd, (struct sockaddr *)&a, sizeof(a)), "connect");
	return fd;
}

static void take_arguments(int argc, char **argv)
{
	argn = argc;
	args = argv;
	check(argc > 2, "PROGRAM server|client PORT KEY=VALUE...");
}

#endif
