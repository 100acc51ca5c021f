// SPDX-License-Identifier: GPL-2.0-or-later
/* Fetch a page over HTTPS without a TLS library: ktls-hello HOST PORT. */
#include <linux/ktls.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct { struct ktls_handshake head; struct nlattr attr; char name[256]; } tls = {
		.head = { .role = KTLS_ROLE_CLIENT }, .attr = { .nla_type = KTLS_P_SERVER_NAME } };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	char page[16384];
	ssize_t n;
	int fd;

	if (argc != 3 || strlen(argv[1]) > 253 || getaddrinfo(argv[1], argv[2], &hints, &ai))
		return fprintf(stderr, "usage: ktls-hello HOST PORT\n"), 2;
	tls.attr.nla_len = NLA_HDRLEN + sprintf(tls.name, "%s", argv[1]) + 1;
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) ||
	    setsockopt(fd, SOL_TCP, TCP_ULP, "ktls", 4) ||
	    setsockopt(fd, SOL_TLS, KTLS_HANDSHAKE, &tls, sizeof(tls.head) + NLA_ALIGN(tls.attr.nla_len)))
		return perror("ktls-hello"), 1;
	dprintf(fd, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", argv[1]);
	while ((n = read(fd, page, sizeof(page))) > 0)
		if (write(STDOUT_FILENO, page, n) != n)
			return 1;
	return n < 0;
}
