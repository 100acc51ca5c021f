// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's handshake on a descriptor that somebody else opened, for outside
 * test harnesses: no socket is made, no module needed. A server echoes, a
 * client says its message and waits for the answer. The line that tells what
 * was agreed, or which alert went or came, is on standard error.
 *
 * Under --config and --set everything is as ktlsd has it: user_agent.c.
 *
 * Exit status: 0 all well; 1 the handshake failed; 2 what came back is not
 * what was expected, or the connection broke; 64 wrong options or settings.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "user.h"

static const char usage[] = "hs-pipe [--server] [--fd NUMBER] [options]";

static int echo(struct peer *p)
{
	ssize_t n;

	while ((n = recv_data(p)) > 0)
		if (!send_record(p, DATA, p->plain, (size_t)n))
			return 2;
	if (!n)
		close_notify(p);
	return n ? 2 : 0;
}

static int say(struct peer *p)
{
	char got[65536] = "";
	size_t len = 0;
	ssize_t n;

	if (!p->early_taken && !send_record(p, DATA, p->o->message, strlen(p->o->message)))
		return 2;
	while (!strstr(got, p->o->expect)) {
		n = recv_data(p);
		if (n <= 0 || len + (size_t)n >= sizeof(got))
			return 2;
		memcpy(got + len, p->plain, (size_t)n);
		len += (size_t)n;
		got[len] = 0;
	}
	close_notify(p);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .message = "hello", .expect = "hello" };
	static struct peer p;
	int status = 1;

	signal(SIGPIPE, SIG_IGN);
	options_parse(&o, argc, argv, usage);
	if (o.server && (!o.chain || !o.key) && !o.psk_name && !o.config && !o.sets_num)
		options_usage(usage);
	peer_setup(&p, &o);
	/* Standard output may be the peer's. */
	p.fd = dup(o.fd);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (handshake(&p))
		status = o.server ? echo(&p) : say(&p);
	peer_free(&p);
	return status;
}
