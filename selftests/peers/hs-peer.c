// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's handshake on a plain TCP socket. A server echoes what it reads
 * (and answers a GET as an HTTP server would); a client sends a line and
 * waits for an answer. See user.h.
 */
#include <err.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "user.h"

/* ---- the socket */

static int connect_to(const struct options *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	int fd;

	if (getaddrinfo(o->host, o->port, &hints, &ai))
		errx(1, "%s: no such host", o->host);
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen))
		err(1, "%s:%s", o->host, o->port);
	freeaddrinfo(ai);
	return fd;
}

/* ---- what is said afterwards */

static void serve(struct peer *p)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n\r\n"
				     "hello from hs-peer\n";
	ssize_t n;

	while ((n = recv_data(p)) > 0) {
		if (!memcmp(p->plain, "GET ", 4)) {
			send_record(p, DATA, answer, sizeof(answer) - 1);
			break;
		}
		if (p->o->update && !update_tx(p, 1))
			return;
		if (!send_record(p, DATA, p->plain, (size_t)n))
			return;
	}
	close_notify(p);
}

static bool talk(struct peer *p)
{
	char got[65536] = "";
	size_t len = 0;
	ssize_t n;

	if (p->o->update && !update_tx(p, 1))
		return false;
	snprintf(got, sizeof(got), "%s\n", p->o->message);
	if (!p->early_taken && !send_record(p, DATA, got, strlen(got)))
		return false;
	got[0] = 0;
	/* Some send their tickets behind the answer. */
	while ((!strstr(got, p->o->expect) || (p->o->ticket_out && !p->got_ticket)) && (n = recv_data(p)) > 0) {
		if (len + (size_t)n >= sizeof(got))
			return false;
		memcpy(got + len, p->plain, (size_t)n);
		len += (size_t)n;
		got[len] = 0;
	}
	close_notify(p);
	return strstr(got, p->o->expect);
}

static int run_server(struct peer *p)
{
	int listener = listen_on(p->o), fd;

	for (int i = 0; !p->o->count || i < p->o->count; i++) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		p->fd = fd;
		if (handshake(p))
			serve(p);
		hang_up(p);
	}
	return 0;
}

static int run_client(struct peer *p)
{
	p->fd = connect_to(p->o);
	if (!handshake(p))
		return 1;
	if (!talk(p)) {
		printf("no \"%s\" came back\n", p->o->expect);
		return 2;
	}
	return 0;
}

static const char usage[] = "hs-peer -s -p PORT -c CHAIN -k KEY | hs-peer -h HOST -p PORT [-n NAME]";

int main(int argc, char **argv)
{
	struct options o = { .message = "hello", .expect = "hello" };
	static struct peer p;
	int status;

	signal(SIGPIPE, SIG_IGN);
	options_parse(&o, argc, argv, usage);
	if (!o.port || (o.server && (!o.chain || !o.key) && !o.psk_name && !o.config && !o.sets_num) || (!o.server && !o.host))
		options_usage(usage);
	peer_setup(&p, &o);
	status = o.server ? run_server(&p) : run_client(&p);
	peer_free(&p);
	return status;
}
