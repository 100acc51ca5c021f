// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * soak KTLSD CONFIG [SESSIONS [SECONDS]]: what a session costs that changes
 * keys every 64 records, then all sessions at once while the agent is killed
 * every second. Needs root and the module with update_records=1. Last line:
 *
 *	N sessions, K kills, R rekeys: L sessions lost, W bytes wrong, ratio X
 *
 * SECONDS 0: the agent's memory with all sessions, less that with none, and
 * fails above 1 MiB. Else fails if one was lost, a byte was wrong, or X is below 0.95.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "soak.h"

#define RECORDS		64	/* under one key */
#define PAIRS		301	/* of slices with and without */
#define PAIRS_MIN	31	/* where that many take longer than */
#define PAIRS_TIME	240	/* s, as on an emulated processor */
#define AMOUNT_MIN	(4 << 20)	/* bytes in a slice: two keys each way */
#define PARAMETERS	"/sys/module/ktls/parameters/"

static int param_set(const char *name, unsigned int value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	f = fopen(path, "w");
	if (!f)
		return -1;
	fprintf(f, "%u\n", value);
	return fclose(f);
}

static long stat_get(const char *name)
{
	FILE *f = fopen("/proc/net/ktls_stat", "r");
	long value, found = -1;
	char each[64];

	while (f && fscanf(f, "Ktls%59s %ld\n", each, &value) == 2)
		if (!strcmp(each, name))
			found = value;
	if (f)
		fclose(f);
	return found;
}

static bool agent_serves(double seconds)
{
	double until = soak_now() + seconds;

	while (soak_now() < until) {
		if (!system("build/bin/ktlsctl status 2> /dev/null | grep -q '^worker.*ready'"))
			return true;
		usleep(200000);
	}
	return false;
}

/* Bytes per second over so many bytes, however long they take. */
static double slice(struct soak *s, unsigned int records, uint64_t amount)
{
	uint64_t before;
	double from;

	param_set("rekey_records", records);
	soak_run(s, 0.03);		/* what was sent under the other setting arrives */
	before = soak_bytes(s);
	from = soak_now();
	while (soak_bytes(s) - before < amount && !s->ends[0].err && !s->ends[1].err)
		soak_run(s, 0.01);
	return (soak_bytes(s) - before) / (soak_now() - from);
}

/* What moves in an eighth of a second, but several keys' worth. */
static uint64_t calibrate(struct soak *s)
{
	uint64_t before = soak_bytes(s);

	soak_run(s, 1);
	before = (soak_bytes(s) - before) / 8;
	return before > AMOUNT_MIN ? before : AMOUNT_MIN;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One session alone, its keys changed or not, in turn; the median of the pairs' ratios. */
static double ratio(void)
{
	struct soak s = { 0 };
	double with = 0, without = 0, until, r[PAIRS];
	long rekeys = stat_get("TxRekeys");
	uint64_t amount;
	size_t i, n;

	if (soak_open(&s, 1))
		return 0;
	amount = calibrate(&s);
	until = soak_now() + PAIRS_TIME;
	for (i = 0; i < PAIRS && (i < PAIRS_MIN || soak_now() < until); i++) {
		if (i % 2)
			with = slice(&s, RECORDS, amount);
		without = slice(&s, 0, amount);
		if (i % 2 == 0)
			with = slice(&s, RECORDS, amount);
		r[i] = with / without;
	}
	soak_close(&s);
	n = i;
	qsort(r, n, sizeof(r[0]), ascending);
	printf("# one session, %zu pairs: ratios %.3f to %.3f, half of them from %.3f to %.3f; %.1f MB/s without, %ld key updates\n",
	       n, r[0], r[n - 1], r[n / 4], r[3 * n / 4], without / 1e6, stat_get("TxRekeys") - rekeys);
	return r[n / 2];
}

/* What the agent has more with all sessions than before. A few come and go first: code and heap are warm then. */
static int memory(size_t n)
{
	struct soak warm = { 0 }, s = { 0 };
	long before, with;

	if (soak_open(&warm, n < 128 ? n : 128))
		return 1;
	soak_close(&warm);
	sleep(2);
	before = agents_memory();
	if (soak_open(&s, n))
		return 1;
	sleep(2);
	with = agents_memory();
	agents_stop();
	printf("%zu sessions: the agent has %ld KiB, %ld KiB without them: %ld more\n", 2 * n, with, before, with - before);
	return !before || with - before > 1024;
}

static unsigned int soak_and_kill(struct soak *s, unsigned int seconds)
{
	unsigned int i, kills = 0;

	for (i = 0; i < seconds; i++) {
		soak_run(s, 1);
		kills += agents_kill();
	}
	return kills;
}

static void count(const struct soak *s, size_t *lost, uint64_t *wrong)
{
	const struct end *a, *b;
	size_t i;

	*lost = 0;
	*wrong = 0;
	for (i = 0; i < s->n; i++) {
		a = &s->ends[2 * i];
		b = a + 1;
		*lost += a->err || b->err || a->received != b->sent || b->received != a->sent;
		*wrong += a->wrong + b->wrong;
	}
}

int main(int argc, char **argv)
{
	size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 1000, lost;
	unsigned int seconds = argc > 4 ? strtoul(argv[4], NULL, 10) : 60, kills;
	struct rlimit files = { 65536, 65536 };
	struct soak s = { 0 };
	long rekeys, records;
	uint64_t wrong;
	double x, began;

	setlinebuf(stdout);
	if (argc < 3)
		return 2;
	setrlimit(RLIMIT_NOFILE, &files);
	if (param_set("update_records", 1) || agents_start(argv[1], argv[2]) || !agent_serves(60)) {
		fprintf(stderr, "soak: no module, or no agent\n");
		agents_stop();
		return 1;
	}
	if (!seconds)
		return memory(n);
	x = ratio();
	began = soak_now();
	param_set("rekey_records", 0);
	if (soak_open(&s, n)) {
		agents_stop();
		return 1;
	}
	printf("# %zu sessions after %.0f s\n", n, soak_now() - began);
	param_set("rekey_records", RECORDS);
	rekeys = stat_get("TxRekeys");
	records = stat_get("TxRecords");
	kills = soak_and_kill(&s, seconds);
	if (!soak_finish(&s, 300))
		printf("# not all read to the end within 300 s\n");
	rekeys = stat_get("TxRekeys") - rekeys;
	records = stat_get("TxRecords") - records;
	printf("# %ld records, %.1f under one key; %ld updates received in all\n", records,
	       rekeys ? (double)records / rekeys : 0, stat_get("RxRekeys"));
	agents_stop();
	param_set("rekey_records", 0);
	count(&s, &lost, &wrong);
	printf("%zu sessions, %u kills, %ld rekeys: %zu sessions lost, %" PRIu64 " bytes wrong, ratio %.2f\n",
	       n, kills, rekeys, lost, wrong, x);
	return lost || wrong || !rekeys || x < 0.95;
}
