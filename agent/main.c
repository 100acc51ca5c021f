/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktlsd: the agent that does TLS handshakes for ktls.ko. Options, then one of
 * the two kinds of processes: the keeper, or a worker that a keeper started.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fips.h"
#include "keeper.h"
#include "log.h"
#include "netlink.h"
#include "worker.h"

struct args { const char *path; bool check; int worker; };

static const char usage[] =
"Usage: ktlsd [OPTION]...\n"
"Does TLS handshakes for sockets of the kernel module ktls.\n"
"\n"
"  -c, --config FILE   configuration, " CONFIG_PATH " by default\n"
"  -t, --check-config  read and check the configuration, then exit\n"
"  -f, --foreground    stay in the foreground (always so)\n"
"  -V, --version       print the version\n"
"  -h, --help          print this\n"
"\n"
"SIGHUP reads the configuration again. See ktlsd(8) and ktlsd.conf(5).\n";

static const struct option options[] = {
	{ "config",		required_argument, NULL, 'c' },
	{ "check-config",	no_argument, NULL, 't' },
	{ "foreground",		no_argument, NULL, 'f' },
	{ "version",		no_argument, NULL, 'V' },
	{ "help",		no_argument, NULL, 'h' },
	{ "fips-list",		no_argument, NULL, 'F' },	/* for make install */
	{ "worker",		required_argument, NULL, 'w' },	/* the keeper's, message.h */
	{ NULL, 0, NULL, 0 },
};

static void parse(int argc, char **argv, struct args *args)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:tfVh", options, NULL)) >= 0) {
		switch (c) {
		case 'c':
			args->path = optarg;
			break;
		case 't':
			args->check = true;
			break;
		case 'f':
			break;
		case 'w':
			args->worker = atoi(optarg);
			break;
		case 'F':
			exit(fips_list(stdout) != 0);
		case 'V':
			puts("ktlsd " KTLSD_VERSION);
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs("Try ktlsd --help.\n", stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ktlsd: \"%s\" is no option: try ktlsd --help\n", argv[optind]);
		exit(2);
	}
}

static struct config *load(const char *path)
{
	struct config_report report = { 0 };
	struct files *files = files_new();
	struct config *config = NULL;

	if (!files || config_load(path, files, true, &config, &report) == -ENOMEM)
		fputs("ktlsd: no memory\n", stderr);
	fputs(report.text, stderr);
	return config;
}

static bool module_there(void)
{
	int err = netlink_probe();

	if (!err)
		return true;
	if (err == -ENOENT)
		log_line(LOG_ERR, "the kernel module is not loaded: modprobe ktls");
	else
		log_line(LOG_ERR, "netlink does not work here: %s", strerror(-err));
	return false;
}

int main(int argc, char **argv)
{
	struct args args = { .path = CONFIG_PATH, .worker = -1 };
	struct config *config;

	parse(argc, argv, &args);
	if (args.worker >= 0)
		return worker_main(args.path, args.worker);
	config = load(args.path);
	if (!config)
		return 1;
	if (args.check) {
		printf("%s: good, %zu identities, %zu trust stores\n", args.path, config->sites_num, config->trusts_num);
		config_put(config);
		return 0;
	}
	log_set_level(config->log_level);
	if (!config->relay && !module_there()) {
		config_put(config);
		return 1;
	}
	return keeper_main(args.path, config);
}
