// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handshake, asked for: two setsockopts. And connect and accept around
 * them for programs that want no more than that.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "params.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

/* The child of a listener that has the ULP has it already. */
static int attach(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name) - 1;

	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, "ktls", 4))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len))
		return -errno;
	return strcmp(name, "ktls") ? -EEXIST : 0;
}

static int handshake(int fd, const struct ktls_params *params, enum ktls_role role)
{
	struct request request;
	int saved = errno;
	int err = params_request(params, role, &request);
	int size = err;

	if (err > 0)
		err = attach(fd);
	if (err == -ENOENT) {
		err = relay_handshake(fd, &request, size);
		errno = saved;
		return err;
	}
	if (!err && setsockopt(fd, SOL_TLS, KTLS_HANDSHAKE, &request, size))
		err = -errno;
	errno = saved;
	return err;
}

int ktls_client(int fd, const struct ktls_params *params)
{
	return handshake(fd, params, KTLS_ROLE_CLIENT);
}

int ktls_server(int fd, const struct ktls_params *params)
{
	return handshake(fd, params, KTLS_ROLE_SERVER);
}

static int set_flags(int fd, int option, uint32_t flags)
{
	int saved = errno, err = 0;

	if (setsockopt(fd, SOL_TLS, option, &flags, sizeof(flags)))
		err = -errno;
	errno = saved;
	return err;
}

int ktls_rekey(int fd, bool both)
{
	return set_flags(fd, KTLS_REKEY, both ? KTLS_REKEY_BOTH : 0);
}

int ktls_request_certificate(int fd)
{
	return set_flags(fd, KTLS_REQUEST_CERT, 0);
}

/* The phase answers every time; SO_ERROR only once, so it is read for its sake alone. */
int ktls_finish(int fd)
{
	struct ktls_info info;
	socklen_t len = sizeof(info);
	int saved = errno, pending = 0, err = 0;

	if (ktls_way(fd) == KTLS_WAY_RELAY || ktls_way(fd) == KTLS_WAY_MAINLINE)
		return 0;
	if (getsockopt(fd, SOL_TLS, KTLS_INFO, &info, &len))
		err = -errno;
	else if (info.phase == KTLS_PHASE_HANDSHAKING)
		err = -EINPROGRESS;
	else if (info.phase == KTLS_PHASE_BARE)
		err = -ENOTCONN;
	else if (info.phase == KTLS_PHASE_DEAD)
		err = info.error ? info.error : -ECONNABORTED;
	len = sizeof(pending);
	if (err && err != -EINPROGRESS)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &len);
	errno = saved;
	return err;
}

static void explain(int fd, int err, char *why, size_t size)
{
	if (why)
		ktls_error(fd, err, why, size);
}

/* @err: of getaddrinfo() */
static int lookup_error(int err, char *why, size_t size)
{
	if (err == EAI_SYSTEM) {
		err = -errno;
		explain(-1, err, why, size);
		return err;
	}
	if (why)
		snprintf(why, size, "cannot look up the host: %s", gai_strerror(err));
	if (err == EAI_MEMORY)
		return -ENOMEM;
	return err == EAI_AGAIN ? -EAGAIN : -EHOSTUNREACH;
}

static int connect_any(const struct addrinfo *list)
{
	const struct addrinfo *ai;
	int fd, err = -EHOSTUNREACH;

	for (ai = list; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
		if (fd >= 0 && !connect(fd, ai->ai_addr, ai->ai_addrlen))
			return fd;
		err = -errno;
		if (fd >= 0)
			close(fd);
	}
	return err;
}

static int open_tcp(const char *host, const char *port, char *why, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list;
	int err = getaddrinfo(host, port, &hints, &list);
	int fd;

	if (err)
		return lookup_error(err, why, size);
	fd = connect_any(list);
	freeaddrinfo(list);
	if (fd < 0 && why)
		snprintf(why, size, "cannot connect to %s port %s: %s", host, port, strerror(-fd));
	return fd;
}

/* The host as the name to verify, without an address's zone (RFC 6874). */
static int client_named(int fd, const char *host, const struct ktls_params *params)
{
	struct ktls_params named = { 0 };
	char name[256];

	if (params_has(params, KTLS_P_SERVER_NAME))
		return ktls_client(fd, params);
	if (params)
		named = *params;
	snprintf(name, sizeof(name), "%s", host);
	if (strchr(name, ':'))
		name[strcspn(name, "%")] = '\0';
	ktls_params_server_name(&named, name);
	return ktls_client(fd, &named);
}

int ktls_connect(const char *host, const char *port, const struct ktls_params *params,
		 char *why, size_t size)
{
	int saved = errno;
	int fd = open_tcp(host, port, why, size);
	int err = fd;

	if (fd >= 0)
		err = client_named(fd, host, params);
	if (fd >= 0 && err) {
		explain(fd, err, why, size);
		close(fd);
	}
	errno = saved;
	return err ? err : fd;
}

int ktls_accept(int listen_fd, const struct ktls_params *params, char *why, size_t size)
{
	int saved = errno;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	int err = fd < 0 ? -errno : ktls_server(fd, params);

	if (err)
		explain(fd, err, why, size);
	if (err && fd >= 0)
		close(fd);
	errno = saved;
	return err ? err : fd;
}
