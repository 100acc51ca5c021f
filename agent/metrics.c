/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters of agent and module as Prometheus reads them (text format
 * 0.0.4): over the control socket as the request "metrics", or by HTTP as
 * "GET /metrics", so that a collector needs nothing between.
 */
#include <ctype.h>
#include <string.h>
#include "keeper.h"
#include "metrics.h"

#define MODULE_STATS "/proc/net/ktls_stat"

static const char *const states[] = {
	[HAND_STARTING] = "starting", [HAND_READY] = "ready",
	[HAND_RETIRING] = "retiring", [HAND_WAITING] = "waiting",
};

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static uint64_t under_way(const struct hand *h)
{
	return h->counters.conns;
}

static uint64_t accepted(const struct hand *h)
{
	return h->counters.accepted;
}

static uint64_t done(const struct hand *h)
{
	return h->counters.done;
}

static uint64_t resumed(const struct hand *h)
{
	return h->counters.resumed;
}

static uint64_t failed(const struct hand *h)
{
	return h->counters.failed;
}

static uint64_t other(const struct hand *h)
{
	return h->counters.other;
}

static uint64_t signatures(const struct hand *h)
{
	return h->signatures;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(const struct hand *h);
} of_workers[] = {
	{ "ktlsd_handshakes_running",		"gauge",	"Handshakes under way.",			under_way },
	{ "ktlsd_upcalls_total",		"counter",	"Requests taken from the module.",		accepted },
	{ "ktlsd_handshakes_done_total",	"counter",	"Handshakes that ended well.",			done },
	{ "ktlsd_handshakes_resumed_total",	"counter",	"Of these, those that resumed a session.",	resumed },
	{ "ktlsd_handshakes_failed_total",	"counter",	"Handshakes that failed.",			failed },
	{ "ktlsd_session_upcalls_total",	"counter",	"Requests of open sessions: keys, tickets.",	other },
	{ "ktlsd_signatures_total",		"counter",	"Signatures made by the keeper.",		signatures },
};

static void put_workers(const struct keeper *k, FILE *out)
{
	const struct hand *h;
	size_t i;

	for (i = 0; i < sizeof(of_workers) / sizeof(of_workers[0]); i++) {
		head(out, of_workers[i].name, of_workers[i].type, of_workers[i].help);
		for (h = k->hands; h; h = h->next)
			fprintf(out, "%s{worker=\"%d\"} %llu\n", of_workers[i].name, h->number,
				(unsigned long long)of_workers[i].value(h));
	}
	head(out, "ktlsd_worker_state", "gauge", "1 for the state that the worker is in.");
	for (h = k->hands; h; h = h->next)
		fprintf(out, "ktlsd_worker_state{worker=\"%d\",state=\"%s\"} 1\n", h->number, states[h->state]);
}

/* "TxRecords" to "tx_records". */
static void snake(const char *name, char *to)
{
	const char *from;

	for (from = name; *from; from++) {
		if (isupper((unsigned char)*from) && from != name)
			*to++ = '_';
		*to++ = tolower((unsigned char)*from);
	}
	*to = '\0';
}

static void put_module(FILE *out)
{
	FILE *f = fopen(MODULE_STATS, "re");
	char name[64], snaked[128];
	long long value;
	bool gauge;

	while (f && fscanf(f, "Ktls%59s %lld\n", name, &value) == 2) {
		gauge = !strncmp(name, "Curr", 4);
		snake(gauge ? name + 4 : name, snaked);
		fprintf(out, "# TYPE ktls_%s%s %s\nktls_%s%s %lld\n", snaked, gauge ? "" : "_total",
			gauge ? "gauge" : "counter", snaked, gauge ? "" : "_total", value);
	}
	if (f)
		fclose(f);
}

void metrics_put(const struct keeper *k, FILE *out)
{
	head(out, "ktlsd_info", "gauge", "The agent's version.");
	fprintf(out, "ktlsd_info{version=\"%s\"} 1\n", KTLSD_VERSION);
	head(out, "ktlsd_uptime_seconds", "gauge", "Since the keeper started.");
	fprintf(out, "ktlsd_uptime_seconds %llu\n", (unsigned long long)(keeper_now() - k->started) / 1000);
	head(out, "ktlsd_reloads_total", "counter", "Configurations brought into force after the first.");
	fprintf(out, "ktlsd_reloads_total %u\n", k->reloads);
	head(out, "ktlsd_failures_total", "counter", "Failed handshakes that \"ktlsctl why\" was told of.");
	fprintf(out, "ktlsd_failures_total %llu\n", (unsigned long long)k->failures_num);
	put_workers(k, out);
	put_module(out);
}
