// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktlsctl top: what moves, once a second; per session and in total. A session
 * is known again by its cookie. On a terminal each round overwrites the last;
 * into a pipe they follow one another. Ends with the pipe, after N rounds, or by Ctrl-C.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "ctl.h"
#include "ktls.h"

#define ROWS 20		/* where nobody says how high the terminal is */

struct row {
	const struct session *s;
	double tx, rx;			/* bytes per second */
};

struct totals { uint64_t tx_bytes, rx_bytes, updates; };

static int by_cookie(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

static int by_rate(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double d = y->tx + y->rx - x->tx - x->rx;

	return (d > 0) - (d < 0);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned int rows(bool terminal)
{
	struct winsize w = { 0 };

	if (!terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_row < 8)
		return ROWS;
	return w.ws_row - 6;
}

/* A counter may have started anew: a socket that was detached. */
static double rate(uint64_t new, uint64_t old, double seconds)
{
	return new > old && seconds > 0 ? (new - old) / seconds : 0;
}

static struct row *rates(const struct session *list, size_t num, const struct session *old, size_t old_num,
			 double seconds)
{
	struct row *r = calloc(num + 1, sizeof(*r));
	const struct session *was;
	size_t i;

	for (i = 0; r && i < num; i++) {
		was = old_num ? bsearch(&list[i], old, old_num, sizeof(*old), by_cookie) : NULL;
		r[i].s = &list[i];
		r[i].tx = rate(list[i].tx_bytes, was ? was->tx_bytes : 0, old_num ? seconds : 0);
		r[i].rx = rate(list[i].rx_bytes, was ? was->rx_bytes : 0, old_num ? seconds : 0);
	}
	if (r)
		qsort(r, num, sizeof(*r), by_rate);
	return r;
}

static void print_total(size_t num, const struct totals *new, const struct totals *old, double seconds)
{
	uint64_t pending = 0, failed = 0, done = 0;

	stat_read("KtlsCurrUpcalls", &pending);
	stat_read("KtlsHandshakesDone", &done);
	stat_read("KtlsHandshakesFailed", &failed);
	printf("%zu sessions   sent %.2f MB/s   received %.2f MB/s   key updates %.1f/s\n", num,
	       rate(new->tx_bytes, old->tx_bytes, seconds) / 1e6, rate(new->rx_bytes, old->rx_bytes, seconds) / 1e6,
	       rate(new->updates, old->updates, seconds));
	printf("handshakes %" PRIu64 " done, %" PRIu64 " failed   requests to the agent %" PRIu64 "\n\n",
	       done, failed, pending);
}

static void print_rows(const struct row *r, size_t num, unsigned int max)
{
	size_t i;

	printf("%-10s %-22s %-22s %-17s %-9s %12s %12s %s\n", "COOKIE", "LOCAL", "PEER", "CIPHER", "UPDATES",
	       "TX-KB/S", "RX-KB/S", "WAITS-FOR");
	for (i = 0; i < num && i < max; i++) {
		char updates[24];

		snprintf(updates, sizeof(updates), "%u/%u", r[i].s->tx_generation, r[i].s->rx_generation);
		printf("%-10" PRIx64 " %-22s %-22s %-17s %-9s %12.1f %12.1f %s\n", r[i].s->cookie, r[i].s->local,
		       r[i].s->peer, r[i].s->cipher ? ktls_cipher_name(r[i].s->cipher) : "-", updates,
		       r[i].tx / 1e3, r[i].rx / 1e3, r[i].s->waits ? r[i].s->waits : "-");
	}
}

static void totals_read(struct totals *t)
{
	uint64_t tx = 0, rx = 0;

	stat_read("KtlsTxBytes", &t->tx_bytes);
	stat_read("KtlsRxBytes", &t->rx_bytes);
	stat_read("KtlsTxRekeys", &tx);
	stat_read("KtlsRxRekeys", &rx);
	t->updates = tx + rx;
}

int ctl_top(const struct ctl *ctl, const char *arg)
{
	unsigned long left = arg ? strtoul(arg, NULL, 10) : 0;
	struct session *old = NULL, *list;
	size_t old_num = 0, num;
	bool terminal = isatty(STDOUT_FILENO);
	struct totals then = { 0 }, total = { 0 };
	double last = 0, at;
	struct row *r;

	(void)ctl;
	do {
		if (sessions_read(&list, &num)) {
			free(old);
			return 1;
		}
		at = now();
		totals_read(&total);
		qsort(list, num, sizeof(*list), by_cookie);
		r = rates(list, num, old, old_num, at - last);
		if (terminal)
			fputs("\033[H\033[J", stdout);
		print_total(num, &total, last ? &then : &total, at - last);
		if (r)
			print_rows(r, num, rows(terminal));
		free(r);
		free(old);
		old = list;
		old_num = num;
		then = total;
		last = at;
		if (fflush(stdout))
			break;
	} while (--left && !sleep(1));
	free(old);
	return 0;
}
