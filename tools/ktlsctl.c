// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktlsctl: what module and agent are doing. The module is asked by netlink
 * (SESSION_GET) and /proc/net/ktls_stat, the agent over its control socket;
 * agent/control.c says what is spoken there.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl.h"

static const char usage[] =
"usage: ktlsctl [options] status|sessions|top [N]|rekey SESSION|stats|metrics|why [N]|config\n"
"  status       module, agent, its workers, identities and trust stores\n"
"  sessions     the TLS sessions of this network namespace\n"
"  top [N]      what moves, once a second, N times\n"
"  rekey SESSION        new keys for what the session of this cookie sends\n"
"  stats        the module's counters\n"
"  metrics      module and agent for Prometheus\n"
"  why [N]      the agent's last N failed handshakes, newest first (10)\n"
"  config       the agent's configuration file in force\n"
"  -e, --explain        config: what results of it, and from where\n"
"  -j, --json           sessions, stats: JSON\n"
"  -b, --both           rekey: the peer shall change its keys, too\n"
"  -s, --socket PATH    the agent's control socket (" CTL_SOCKET ")\n";

static const struct command {
	const char *name;
	int (*run)(const struct ctl *ctl, const char *arg);
	bool arg, json;
} commands[] = {
	{ "status",	ctl_status,	false,	false },
	{ "sessions",	ctl_sessions,	false,	true },
	{ "top",	ctl_top,	true,	false },
	{ "rekey",	ctl_rekey,	true,	false },
	{ "stats",	ctl_stats,	false,	true },
	{ "metrics",	ctl_metrics,	false,	false },
	{ "why",	ctl_why,	true,	false },
	{ "config",	ctl_config,	false,	false },
};

static int usage_fail(void)
{
	fputs(usage, stderr);
	return 2;
}

static int run(const struct ctl *ctl, int argc, char **argv)
{
	const char *arg = argc > 1 ? argv[1] : NULL;
	size_t i;

	for (i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[0]))
			continue;
		if (argc > 2 || (arg && !commands[i].arg) || (ctl->json && !commands[i].json))
			return usage_fail();
		return commands[i].run(ctl, arg);
	}
	return usage_fail();
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json",	no_argument, NULL, 'j' },
		{ "both",	no_argument, NULL, 'b' },
		{ "explain",	no_argument, NULL, 'e' },
		{ "socket",	required_argument, NULL, 's' },
		{ "help",	no_argument, NULL, 'h' },
		{ NULL,		0, NULL, 0 },
	};
	struct ctl ctl = { .socket = CTL_SOCKET };
	int opt;

	while ((opt = getopt_long(argc, argv, "bejs:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'j':
			ctl.json = true;
			break;
		case 'e':
			ctl.explain = true;
			break;
		case 'b':
			ctl.both = true;
			break;
		case 's':
			ctl.socket = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return usage_fail();
		}
	}
	return run(&ctl, argc - optind, argv + optind);
}
