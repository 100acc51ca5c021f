// SPDX-License-Identifier: GPL-2.0-or-later
/* ktls-serve: options, listeners, threads, and the end on SIGTERM. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

#define MAX_THREADS 64

static const char usage[] =
"usage: ktls-serve [options]\n"
"Static files over HTTPS: the kernel encrypts, ktlsd does the handshakes.\n"
"  -r, --root DIR             what to serve (.)\n"
"  -b, --bind ADDRESS         where to listen (all addresses)\n"
"  -p, --port PORT            (443)\n"
"  -i, --identity NAME        the agent's identity to present (by server name)\n"
"  -c, --cipher NAME          AES-128-GCM, AES-256-GCM, CHACHA20-POLY1305; may be repeated\n"
"  -t, --threads N            (one per CPU)\n"
"  -n, --max-connections N    (16384, or what RLIMIT_NOFILE allows)\n"
"      --idle SECONDS         how long a connection may rest (60)\n"
"  -l, --log                  a line per request on standard output\n"
"      --no-status            no " STATUS_PATH "\n"
"      --plain                HTTP without TLS, for comparison\n"
"  -e, --engine NAME          epoll or uring (epoll)\n";

static void die(const char *what, const char *why)
{
	fprintf(stderr, "ktls-serve: %s: %s\n", what, why);
	exit(1);
}

static unsigned long number(const char *name, const char *s, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (!*s || *end || *s == '-' || n < 1 || n > max) {
		fprintf(stderr, "ktls-serve: --%s: give a number from 1 to %lu\n", name, max);
		exit(2);
	}
	return n;
}

static void usage_exit(int status)
{
	fputs(usage, status ? stderr : stdout);
	exit(status);
}

static const struct engine *engine_named(const char *name)
{
	if (!strcmp(name, "epoll"))
		return &engine_epoll;
	if (!strcmp(name, "uring"))
		return &engine_uring;
	fprintf(stderr, "ktls-serve: --engine: epoll or uring\n");
	exit(2);
}

static void option(struct options *o, int opt)
{
	uint16_t cipher;

	switch (opt) {
	case 'r': o->root_path = optarg; break;
	case 'b': o->bind = optarg; break;
	case 'p': o->port = optarg; break;
	case 'i': ktls_params_identity(o->params, optarg); break;
	case 'c':
		cipher = ktls_cipher_number(optarg);
		if (ktls_params_add_cipher(o->params, cipher))
			die(optarg, "no such cipher");
		break;
	case 't': o->threads = number("threads", optarg, MAX_THREADS); break;
	case 'n': o->max_conns = number("max-connections", optarg, 1000000); break;
	case 'I': o->idle_seconds = number("idle", optarg, 86400); break;
	case 'l': o->log = true; break;
	case 'S': o->status = false; break;
	case 'P': o->plain = true; break;
	case 'e': o->engine = engine_named(optarg); break;
	case 'h': usage_exit(0); break;
	default:  usage_exit(2);
	}
}

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "root",		required_argument, NULL, 'r' },
		{ "bind",		required_argument, NULL, 'b' },
		{ "port",		required_argument, NULL, 'p' },
		{ "identity",		required_argument, NULL, 'i' },
		{ "cipher",		required_argument, NULL, 'c' },
		{ "threads",		required_argument, NULL, 't' },
		{ "max-connections",	required_argument, NULL, 'n' },
		{ "idle",		required_argument, NULL, 'I' },
		{ "log",		no_argument, NULL, 'l' },
		{ "no-status",		no_argument, NULL, 'S' },
		{ "plain",		no_argument, NULL, 'P' },
		{ "engine",		required_argument, NULL, 'e' },
		{ "help",		no_argument, NULL, 'h' },
		{ NULL,			0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "r:b:p:i:c:t:n:e:lh", longs, NULL)) != -1)
		option(o, opt);
	if (optind < argc)
		usage_exit(2);
}

/* Two descriptors per connection, and some to spare; then a worker's share. */
static void limits_set(struct options *o)
{
	struct rlimit files;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE", strerror(errno));
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	most = files.rlim_cur < 256 ? 16 : (files.rlim_cur - 128) / 2;
	if (o->max_conns > most)
		o->max_conns = most;
	o->max_conns = (o->max_conns + o->threads - 1) / o->threads;
}

static int listener_open(const struct addrinfo *ai)
{
	int one = 1, zero = 0, err;
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));	/* what is accepted inherits it */
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 4096)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Without an address: IPv6's, which takes IPv4 as well, else IPv4's. */
static int listen_on(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *list, *ai;
	int pass, fd = -EADDRNOTAVAIL;
	int err = getaddrinfo(address, port, &hints, &list);

	if (err)
		die("cannot listen", gai_strerror(err));
	for (pass = 0; pass < 2; pass++)
		for (ai = list; ai && fd < 0; ai = ai->ai_next)
			if ((ai->ai_family == AF_INET6) == !pass)
				fd = listener_open(ai);
	freeaddrinfo(list);
	if (fd < 0)
		die("cannot listen", strerror(-fd));
	return fd;
}

static void workers_run(const struct options *o, const sigset_t *signals)
{
	static struct worker workers[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	int signal, stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	unsigned int i;

	for (i = 0; i < o->threads; i++)
		workers[i] = (struct worker){ .opt = o, .stop = stop,
					      .listener = listen_on(o->bind, o->port) };
	for (i = 0; i < o->threads; i++)
		if (pthread_create(&threads[i], NULL, worker_run, &workers[i]))
			die("thread", strerror(errno));
	fprintf(stderr, "ktls-serve: %s on port %s, %u threads, %u connections each\n",
		o->plain ? "HTTP without TLS" : "HTTPS", o->port, o->threads, o->max_conns);
	sigwait(signals, &signal);
	eventfd_write(stop, 1);
	for (i = 0; i < o->threads; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct options o = {
		.port = "443", .root_path = ".", .max_conns = 16384, .idle_seconds = 60,
		.threads = cpus > MAX_THREADS ? MAX_THREADS : cpus, .status = true,
		.engine = &engine_epoll, .params = ktls_params_new(),
	};
	sigset_t signals;

	if (!o.params)
		die("parameters", strerror(ENOMEM));
	ktls_params_add_alpn(o.params, "http/1.1");
	options_parse(&o, argc, argv);
	limits_set(&o);
	setvbuf(stdout, NULL, _IOLBF, 0);
	o.root = open(o.root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o.root < 0)
		die(o.root_path, strerror(errno));

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	workers_run(&o, &signals);
	ktls_params_free(o.params);
	return 0;
}
