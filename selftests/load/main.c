// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load DIR IDLE BUSY ROUNDS NAME:PORT:PID...
 * To each server IDLE + BUSY connections; then ROUNDS times, one server after
 * the other, its busy ones ask for two seconds for DIR/piece, and for two for
 * DIR/large, and are waited for; at the end the idle ones ask for index.html. Prints for each
 * server the medians, its memory, and how many of the idle were answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "load.h"

#define SERVERS	4
#define ROUNDS	99
#define SLICE	2.0
#define DRAIN	300.0		/* seconds at most for what is under way */

enum { PIECE, LARGE, KINDS };

static struct content contents[KINDS], page;
static double rates[SERVERS][KINDS][ROUNDS];	/* answers or bytes per second */

static long resident_kib(int pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmRSS: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

/* All processes of the agent, AGENT_PIDS. */
static long agent_kib(void)
{
	const char *pids = getenv("AGENT_PIDS");
	long kib = 0;
	int pid, used;

	for (; pids && sscanf(pids, "%d%n", &pid, &used) == 1; pids += used)
		kib += resident_kib(pid);
	return kib;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, size_t n)
{
	double sorted[ROUNDS];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), by_value);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double slice(struct load *l, struct group *g, int kind)
{
	uint64_t answers = g->answers, bytes = g->bytes;
	double began = load_now(), took;
	size_t i;

	g->active = true;
	for (i = 0; i < g->busy; i++)
		load_ask(l, &g->peers[i], &contents[kind]);
	load_run(l, g, SLICE);
	g->active = false;
	load_run(l, g, DRAIN);
	took = load_now() - began;
	answers = g->answers - answers;
	bytes = g->bytes - bytes;
	return (kind == PIECE ? answers : bytes) / took;
}

static uint64_t idle_answered(struct load *l, struct group *g)
{
	uint64_t before = g->answers;
	size_t i;

	for (i = g->busy; i < g->num; i++)
		load_ask(l, &g->peers[i], &page);
	load_run(l, g, DRAIN);
	return g->answers - before;
}

static bool report(struct load *l, struct group *g, int server, int rounds, long before)
{
	size_t idle = g->num - g->busy;
	uint64_t answered;
	long now = resident_kib(g->pid);

	answered = idle_answered(l, g);
	printf("%s: %zu idle, %zu busy: %.0f requests/s of %zu bytes, %.1f MB/s in files of %zu; "
	       "%ld KiB, %ld before the first; %llu idle ones answered, %zu lost\n",
	       g->name, idle, g->busy, median(rates[server][PIECE], rounds), contents[PIECE].len,
	       median(rates[server][LARGE], rounds) / 1e6, contents[LARGE].len, now, before,
	       (unsigned long long)answered, g->lost);
	return answered == idle && !g->lost;
}

/* How the others compare with the first, slice by slice. */
static void compare(const struct group *groups, int servers, int rounds)
{
	static const char *const what[KINDS] = { "requests", "bytes" };
	double ratio[ROUNDS];
	int i, kind, round;

	for (i = 1; i < servers; i++)
		for (kind = 0; kind < KINDS; kind++) {
			for (round = 0; round < rounds; round++)
				ratio[round] = rates[i][kind][round] / rates[0][kind][round];
			printf("%s beside %s, %s: %.2f\n", groups[i].name, groups[0].name, what[kind],
			       median(ratio, rounds));
		}
}

static void group_parse(struct group *g, char *arg, size_t idle, size_t busy)
{
	g->name = strtok(arg, ":");
	g->port = atoi(strtok(NULL, ":"));
	g->pid = atoi(strtok(NULL, ":"));
	g->num = idle + busy;
	g->busy = busy;
	g->peers = calloc(g->num, sizeof(*g->peers));
	if (!g->peers)
		abort();
}

static void rounds_run(struct load *l, struct group *groups, int servers, int rounds)
{
	int i, kind, round;

	for (round = 0; round < rounds; round++)
		for (kind = 0; kind < KINDS; kind++)
			for (i = 0; i < servers; i++)
				rates[i][kind][round] = slice(l, &groups[i], kind);
}

int main(int argc, char **argv)
{
	struct load l = { .epoll = epoll_create1(EPOLL_CLOEXEC), .params = ktls_params_new() };
	struct group groups[SERVERS] = { 0 };
	long before[SERVERS], agent = agent_kib();
	int i, servers = argc - 5, rounds;
	bool good = true;

	if (servers < 1 || servers > SERVERS || !l.params || !load_map(&contents[PIECE], argv[1], "piece") ||
	    !load_map(&contents[LARGE], argv[1], "large") || !load_map(&page, argv[1], "index.html")) {
		fprintf(stderr, "usage: load DIR IDLE BUSY ROUNDS NAME:PORT:PID...\n");
		return 2;
	}
	rounds = atoi(argv[4]) < 1 ? 1 : atoi(argv[4]) > ROUNDS ? ROUNDS : atoi(argv[4]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	ktls_params_server_name(l.params, "localhost");
	ktls_params_trust(l.params, "test");
	ktls_params_timeout(l.params, 120000);
	for (i = 0; i < servers; i++) {
		double began = load_now();

		group_parse(&groups[i], argv[5 + i], atoi(argv[2]), atoi(argv[3]));
		before[i] = resident_kib(groups[i].pid);
		if (!load_open(&l, &groups[i], &page))
			return 1;
		printf("# %s: %zu sessions in %.0f s, %ld KiB\n", groups[i].name, groups[i].num,
		       load_now() - began, resident_kib(groups[i].pid));
	}
	printf("agent: %ld KiB without a session, %ld KiB with all of them\n", agent, agent_kib());
	rounds_run(&l, groups, servers, rounds);
	for (i = 0; i < servers; i++)
		good &= report(&l, &groups[i], i, rounds, before[i]);
	compare(groups, servers, rounds);
	return !good;
}
