// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktls-run: start a server, unmodified, whose connections are TLS. Either it
 * inherits listeners (LISTEN_FDS, as from systemd), or with --preload it makes
 * its own, which libktls-preload.so gives TLS to.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <ktls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "run.h"

#define FIRST_FD	3
#define LISTEN_MAX	32
#define BACKLOG		511

struct options {
	const char	*port[LISTEN_MAX];
	unsigned int	ports;
	const char	*address, *identity, *name;
	char		alpn[512];
	int		preload;
};

static const char usage[] =
	"usage: ktls-run -p PORT [-p PORT]... [-b ADDRESS] [-i IDENTITY] [-a PROTOCOL]... [-n NAME] [--preload] -- COMMAND [ARGUMENT]...\n";

static void die(const char *what, int err)
{
	char why[256];

	fprintf(stderr, "ktls-run: %s: %s\n", what, ktls_error(-1, err, why, sizeof(why)));
	exit(1);
}

/* ---- listeners to inherit */

static int listen_at(const struct addrinfo *ai, const struct options *o)
{
	int fd = socket(ai->ai_family, SOCK_STREAM, 0), one = 1, none = 0, err = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6 && !o->address)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &none, sizeof(none));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen))
		err = -errno;
	if (!err)
		err = run_listener(fd, o->identity, o->alpn);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Without an address: both families by one IPv6 socket, if there is IPv6. */
static int listener(const struct options *o, const char *port)
{
	struct addrinfo hints = { .ai_family = o->address ? AF_UNSPEC : AF_INET6, .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list;
	int fd = -EADDRNOTAVAIL, family;

	for (family = 0; family < 2 && fd < 0; family++) {
		if (getaddrinfo(o->address, port, &hints, &list))
			die(o->address ? o->address : port, -EADDRNOTAVAIL);
		fd = listen_at(list, o);
		freeaddrinfo(list);
		if (o->address || (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL))
			break;
		hints.ai_family = AF_INET;
	}
	return fd;
}

static void inherit(const struct options *o)
{
	char text[64 * LISTEN_MAX] = "";
	unsigned int i;
	int fd;

	for (i = 0; i < o->ports; i++) {
		fd = listener(o, o->port[i]);
		if (fd < 0)
			die(o->port[i], fd);
		if (fd != (int)(FIRST_FD + i)) {
			if (dup2(fd, FIRST_FD + i) < 0)
				die("dup2", -errno);
			close(fd);
		}
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.60s", i ? ":" : "", o->name);
	}
	setenv("LISTEN_FDNAMES", text, 1);
	snprintf(text, sizeof(text), "%u", o->ports);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
}

/* ---- listeners that the command makes */

/* Where we are installed, or in build/. */
static void library_path(char *path, size_t size)
{
	char self[4096] = "", *slash;
	unsigned int i;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("/proc/self/exe", -errno);
	for (i = 0; i < 2; i++) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = 0;
	}
	snprintf(path, size, "%s/lib/ktls/libktls-preload.so", self);
	if (access(path, R_OK))
		snprintf(path, size, "%s/lib/libktls-preload.so", self);
	if (access(path, R_OK))
		die(path, -errno);
}

static void preload(const struct options *o)
{
	char path[4200], all[8500], ports[16 * LISTEN_MAX] = "";
	const char *before = getenv("LD_PRELOAD");
	unsigned int i;

	library_path(path, sizeof(path));
	snprintf(all, sizeof(all), "%s%s%.4200s", path, before ? ":" : "", before ? before : "");
	for (i = 0; i < o->ports; i++)
		snprintf(ports + strlen(ports), sizeof(ports) - strlen(ports), "%s%.8s", i ? "," : "", o->port[i]);
	setenv("LD_PRELOAD", all, 1);
	setenv(RUN_PORTS, ports, 1);
	setenv(RUN_ALPN, o->alpn, 1);
	if (o->identity)
		setenv(RUN_IDENTITY, o->identity, 1);
	else
		unsetenv(RUN_IDENTITY);
}

/* ---- command line */

static void add_port(struct options *o, const char *port)
{
	char *end;
	unsigned long n = strtoul(port, &end, 10);

	if (*end || !n || n > 65535 || o->ports == LISTEN_MAX) {
		fprintf(stderr, "ktls-run: not a port, or too many: %s\n", port);
		exit(2);
	}
	o->port[o->ports++] = port;
}

static void add_protocol(struct options *o, const char *protocol)
{
	size_t len = strlen(o->alpn);

	if (len + strlen(protocol) + 2 > sizeof(o->alpn) || strchr(protocol, ',')) {
		fprintf(stderr, "ktls-run: not a protocol, or too many: %s\n", protocol);
		exit(2);
	}
	sprintf(o->alpn + len, "%s%s", len ? "," : "", protocol);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = { { "preload", no_argument, NULL, 'P' }, { "help", no_argument, NULL, 'h' }, { } };
	int c;

	while ((c = getopt_long(argc, argv, "+p:b:i:a:n:h", longs, NULL)) != -1) {
		switch (c) {
		case 'p': add_port(o, optarg); break;
		case 'b': o->address = optarg; break;
		case 'i': o->identity = optarg; break;
		case 'a': add_protocol(o, optarg); break;
		case 'n': o->name = optarg; break;
		case 'P': o->preload = 1; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(2);
		}
	}
	if (!o->ports || optind == argc || (o->preload && o->address)) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options o = { .name = "ktls" };

	parse(&o, argc, argv);
	if (o.preload)
		preload(&o);
	else
		inherit(&o);
	execvp(argv[optind], argv + optind);
	die(argv[optind], -errno);
}
