// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TLS server on 127.0.0.1 for test suites that are pointed at one: answers a
 * complete GET request with a short page and closes, or echoes (--echo). A
 * process per connection. Without --cert or a configuration it makes itself a certificate.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "user.h"

static const char usage[] = "hs-echo --port PORT [--cert FILE --key FILE] [--echo] [options]";
static const char page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n\r\n"
			   "hello from hs-echo\n";

static void echo(struct peer *p)
{
	ssize_t n;

	while ((n = recv_data(p)) > 0)
		if (!send_record(p, DATA, p->plain, (size_t)n))
			return;
	if (!n)
		close_notify(p);
}

/* The request may come in any pieces. */
static void answer(struct peer *p)
{
	char request[8192] = "";
	size_t len = 0;
	ssize_t n;

	while (!strstr(request, "\r\n\r\n") && !strstr(request, "\n\n")) {
		n = recv_data(p);
		if (n < 0)
			return;
		if (!n || len + (size_t)n >= sizeof(request))
			return close_notify(p);
		memcpy(request + len, p->plain, (size_t)n);
		len += (size_t)n;
		request[len] = 0;
	}
	if (!strncmp(request, "GET ", 4))
		send_record(p, DATA, page, sizeof(page) - 1);
	close_notify(p);
}

static void serve(struct peer *p, int fd)
{
	p->fd = fd;
	if (handshake(p)) {
		if (p->o->echo)
			echo(p);
		else
			answer(p);
	}
	hang_up(p);
}

/* With the openssl program, into a folder of ours. */
static void make_certificate(struct options *o)
{
	static char folder[] = "/tmp/hs-echo-XXXXXX", cert[64], key[64];
	char command[512];

	if (!mkdtemp(folder))
		err(1, "%s", folder);
	snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	snprintf(command, sizeof(command), "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		 "-days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
		 "-keyout %s -out %s 2> /dev/null", key, cert);
	if (system(command))
		errx(1, "openssl could not make a certificate: give --cert and --key");
	o->chain = cert;
	o->key = key;
}

int main(int argc, char **argv)
{
	struct options o = { .server = true, .tickets = 2 };
	static struct peer p;
	int listener, fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	options_parse(&o, argc, argv, usage);
	if ((!o.port && !o.explain) || !o.chain != !o.key)
		options_usage(usage);
	if (!o.chain && !o.config && !o.sets_num) {
		signal(SIGCHLD, SIG_DFL);
		make_certificate(&o);
		signal(SIGCHLD, SIG_IGN);
	}
	peer_setup(&p, &o);
	listener = listen_on(&o);
	for (int i = 0; !o.count || i < o.count; i++) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		if (!fork()) {
			close(listener);
			serve(&p, fd);
			return 0;
		}
		close(fd);
	}
	peer_free(&p);
	return 0;
}
