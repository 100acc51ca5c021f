// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktls-cat: standard input to a TLS connection, and the connection to
 * standard output. The socket is an ordinary one: poll, read, write, shutdown.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ktls.h"

static const char usage[] =
"usage: ktls-cat [options] HOST PORT\n"
"       ktls-cat -l [options] [ADDRESS] PORT\n"
"  -l          listen, and serve one connection\n"
"  -a PROTO    ALPN protocol; may be repeated, most wanted first\n"
"  -c CIPHER   AES-128-GCM, AES-256-GCM, CHACHA20-POLY1305; may be repeated\n"
"  -i NAME     the agent's identity to present\n"
"  -n NAME     server name to ask for and to verify (HOST)\n"
"  -P NAME     the agent's pre-shared key, in place of certificates; with -l also *\n"
"  -T NAME     the agent's trust store (system)\n"
"  -C ask|require   with -l: the client's certificate\n"
"  -t MS       time limit of the handshake (the module's)\n"
"  -N          at the end of standard input go on reading only: no close_notify\n"
"  -v          say on standard error what was negotiated and transferred\n";

struct options {
	bool listen, verbose, stay;
	struct ktls_params *params;
};

/* One direction: bytes of @from that @to has not taken yet. */
struct pipe {
	int from, to;
	bool ended;		/* @from has no more */
	bool closed;		/* and @to knows */
	size_t at, len;
	char data[65536];
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "ktls-cat: %s%s%s\n", what, *what ? ": " : "", why);
	exit(1);
}

static void usage_exit(int status)
{
	fputs(usage, status ? stderr : stdout);
	exit(status);
}

static int auth_set(struct ktls_params *params, const char *word)
{
	if (!strcmp(word, "ask"))
		return ktls_params_client_auth(params, KTLS_CLIENT_AUTH_ASK);
	if (!strcmp(word, "require"))
		return ktls_params_client_auth(params, KTLS_CLIENT_AUTH_REQUIRE);
	return -EINVAL;
}

static int timeout_set(struct ktls_params *params, const char *word)
{
	char *end;
	unsigned long ms = strtoul(word, &end, 10);

	if (!*word || *end || ms > KTLS_TIMEOUT_MAX_MS)
		return -EINVAL;
	return ktls_params_timeout(params, ms);
}

static int option(struct options *o, int opt)
{
	switch (opt) {
	case 'l': o->listen = true; return 0;
	case 'v': o->verbose = true; return 0;
	case 'N': o->stay = true; return 0;
	case 'a': return ktls_params_add_alpn(o->params, optarg);
	case 'c': return ktls_params_add_cipher(o->params, ktls_cipher_number(optarg));
	case 'i': return ktls_params_identity(o->params, optarg);
	case 'n': return ktls_params_server_name(o->params, optarg);
	case 'P': return ktls_params_psk(o->params, optarg);
	case 'T': return ktls_params_trust(o->params, optarg);
	case 'C': return auth_set(o->params, optarg);
	case 't': return timeout_set(o->params, optarg);
	case 'h': usage_exit(0); return 0;
	default: usage_exit(2); return 0;
	}
}

static void options_parse(struct options *o, int argc, char **argv)
{
	char what[] = "-?";
	int opt;

	while ((opt = getopt(argc, argv, "lvNha:c:i:n:P:T:C:t:")) != -1)
		if (option(o, opt)) {
			what[1] = opt;
			fprintf(stderr, "ktls-cat: %s: not a valid value: %s\n", what, optarg);
			exit(2);
		}
}

/* ---- connections */

static int listen_on(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *ai;
	int fd, one = 1, err = getaddrinfo(address, port, &hints, &ai);

	if (err)
		fail("cannot listen", gai_strerror(err));
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 1))
		fail("cannot listen", strerror(errno));
	freeaddrinfo(ai);
	return fd;
}

static int open_session(const struct options *o, int argc, char **argv)
{
	char why[320];
	int listener, fd;

	if (argc < 1 || argc > 2 || (argc == 1 && !o->listen))
		usage_exit(2);
	if (o->listen) {
		listener = listen_on(argc == 2 ? argv[0] : NULL, argv[argc - 1]);
		fd = ktls_accept(listener, o->params, why, sizeof(why));
		close(listener);
	} else {
		fd = ktls_connect(argv[0], argv[1], o->params, why, sizeof(why));
	}
	if (fd < 0)
		fail("", why);
	return fd;
}

static void print_binding(const uint8_t *p, size_t len)
{
	fprintf(stderr, "tls-exporter: ");
	while (len--)
		fprintf(stderr, "%02X", *p++);
	fputc('\n', stderr);
}

/* Where there is no KTLS_INFO: who serves, and what cannot work so. */
static void print_way(int fd)
{
	enum ktls_way way = ktls_way(fd);

	if (way == KTLS_WAY_RELAY)
		fprintf(stderr, "the agent relays: the session ends with it\n");
	if (way == KTLS_WAY_MAINLINE)
		fprintf(stderr, "by Linux' own TLS: the peer's KeyUpdate (before Linux 6.14) or end of data is an error\n");
}

static void print_session(int fd)
{
	struct ktls_session s;

	if (ktls_info(fd, &s)) {
		print_way(fd);
		return;
	}
	fprintf(stderr, "%s, %s, %s, %s%s\n", ktls_version_name(s.info.version),
		ktls_suite_name(s.suite), ktls_group_name(s.group), ktls_scheme_name(s.scheme),
		s.resumed ? ", resumed" : "");
	if (s.alpn_len)
		fprintf(stderr, "ALPN: %s\n", s.alpn);
	if (s.server_name[0])
		fprintf(stderr, "server name: %s\n", s.server_name);
	if (s.identity[0])
		fprintf(stderr, "own identity: %s\n", s.identity);
	if (s.psk[0])
		fprintf(stderr, "pre-shared key: %s\n", s.psk);
	if (s.has_channel_binding)
		print_binding(s.channel_binding, sizeof(s.channel_binding));
	if (s.peer_verified)
		fprintf(stderr, "peer verified as: %s\n", s.peer_name);
	fprintf(stderr, "session %" PRIx64 "\n", (uint64_t)s.info.cookie);
}

static void print_counters(int fd)
{
	struct ktls_session s;

	if (ktls_info(fd, &s))
		return;
	fprintf(stderr, "sent %" PRIu64 " records, %" PRIu64 " bytes; received %" PRIu64
		" records, %" PRIu64 " bytes\n", (uint64_t)s.info.tx_records,
		(uint64_t)s.info.tx_bytes, (uint64_t)s.info.rx_records, (uint64_t)s.info.rx_bytes);
}

/* ---- copying */

static bool pipe_wants_input(const struct pipe *p)
{
	return !p->ended && p->at == p->len;
}

/* 0 or -errno; EAGAIN is no failure. */
static int pipe_read(struct pipe *p)
{
	ssize_t n = read(p->from, p->data, sizeof(p->data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->at = 0;
	p->len = n;
	p->ended = !n;
	return 0;
}

static int pipe_write(struct pipe *p)
{
	ssize_t n = write(p->to, p->data + p->at, p->len - p->at);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->at += n;
	return 0;
}

/* The descriptor is ready, or broken: then the call itself says how. */
static int pipe_move(struct pipe *p, const struct pollfd *from, const struct pollfd *to)
{
	int err = 0;

	if (pipe_wants_input(p) && from->revents)
		err = pipe_read(p);
	if (!err && p->at < p->len && (to->revents || !to->events))
		err = pipe_write(p);
	return err;
}

static void poll_set(struct pollfd *p, int fd, short events)
{
	p->fd = events ? fd : -1;
	p->events = events;
	p->revents = 0;
}

/*
 * The peer's end of file is a close_notify, anything less an error. It ends
 * one direction only: what standard input has yet goes out, but nobody has to
 * end a terminal by hand.
 */
static bool over(const struct pipe *in, const struct pipe *out)
{
	return in->ended && in->at == in->len &&
	       (out->ended || (out->at == out->len && isatty(STDIN_FILENO)));
}

static int copy(int fd, bool stay)
{
	static struct pipe out = { .from = STDIN_FILENO }, in = { .to = STDOUT_FILENO };
	struct pollfd polls[3];
	int err = 0;

	out.to = in.from = fd;
	while (!err && !over(&in, &out)) {
		poll_set(&polls[0], STDIN_FILENO, pipe_wants_input(&out) ? POLLIN : 0);
		poll_set(&polls[1], fd, (pipe_wants_input(&in) ? POLLIN : 0) |
					(out.at < out.len ? POLLOUT : 0));
		poll_set(&polls[2], STDOUT_FILENO, in.at < in.len ? POLLOUT : 0);
		if (poll(polls, 3, -1) < 0 && errno != EINTR)
			return -errno;
		err = pipe_move(&in, &polls[1], &polls[2]);
		if (!err)
			err = pipe_move(&out, &polls[0], &polls[1]);
		if (!err && out.ended && !out.closed && !stay) {
			out.closed = true;
			if (shutdown(fd, SHUT_WR))
				err = -errno;
		}
	}
	return err;
}

int main(int argc, char **argv)
{
	struct options o = { .params = ktls_params_new() };
	char why[320];
	int fd, err;

	if (!o.params)
		fail("parameters", strerror(ENOMEM));
	options_parse(&o, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	fd = open_session(&o, argc - optind, argv + optind);
	if (o.verbose)
		print_session(fd);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	err = copy(fd, o.stay);
	if (o.verbose)
		print_counters(fd);
	if (err)
		fail("", ktls_error(fd, err, why, sizeof(why)));
	close(fd);
	ktls_params_free(o.params);
	return 0;
}
