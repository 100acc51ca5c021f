// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread: its listener (SO_REUSEPORT shares the port), its connections,
 * their time limits. Each state has one limit, so its list is in order of
 * deadlines and only the front is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "serve.h"

#define RETRY_MS	20
#define GRACE_SECONDS	10	/* after SIGTERM, for answers under way */

void worker_tick(struct worker *w)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	w->now = ts.tv_sec;
}

void worker_enlist(struct worker *w, struct conn *c)
{
	struct conn_list *list = &w->lists[c->state];

	c->since = w->now;
	c->next = NULL;
	c->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = c;
	list->last = c;
}

void worker_delist(struct worker *w, struct conn *c)
{
	struct conn_list *list = &w->lists[c->state];

	*(c->prev ? &c->prev->next : &list->first) = c->next;
	*(c->next ? &c->next->prev : &list->last) = c->prev;
}

/* ---- accepting */

static void set_accepting(struct worker *w, bool on)
{
	if (w->accepting == on || w->listener < 0)
		return;
	w->accepting = on;
	w->engine->listen(w, on);
}

bool worker_full(const struct worker *w)
{
	return w->num >= w->opt->max_conns;
}

void worker_rest(struct worker *w)
{
	w->rest = w->now;
	set_accepting(w, false);
}

/* At the limit the backlog keeps the rest until somebody leaves. */
void worker_accepted(struct worker *w, int fd)
{
	if (w->stopping)
		close(fd);
	else
		conn_new(w, fd);
	if (worker_full(w))
		set_accepting(w, false);
}

/* ---- ending */

static void close_all(struct worker *w, enum conn_state state)
{
	while (w->lists[state].first)
		conn_free(w->lists[state].first);
}

/* No new work; what is being answered goes on, the rest ends now. */
void worker_stop(struct worker *w)
{
	static const enum conn_state ending[] = {
		CONN_FRESH, CONN_BUSY, CONN_HANDSHAKE, CONN_IDLE, CONN_HEAD, CONN_LINGER
	};
	struct conn *c;
	size_t i;

	w->stopping = true;
	set_accepting(w, false);
	close(w->listener);
	w->listener = -1;
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		close_all(w, ending[i]);
	for (c = w->lists[CONN_WRITE].first; c; c = c->next)
		c->keep_alive = false;
}

/* ---- turns */

static void expire(struct worker *w)
{
	struct conn *c;
	int i;

	for (i = 0; i < CONN_GONE; i++)
		while ((c = w->lists[i].first) && w->now - c->since > conn_seconds(w, i))
			conn_free(c);
}

/* The oldest first, until the module says again that there are too many. */
static void retry(struct worker *w)
{
	struct conn *c = w->lists[CONN_BUSY].first, *next;

	for (; c; c = next) {
		next = c->next;
		conn_retry(c);
		if (w->lists[CONN_BUSY].first == c)
			break;
	}
}

static int patience(const struct worker *w)
{
	if (w->lists[CONN_BUSY].first)
		return RETRY_MS;
	return w->num || !w->accepting ? 1000 : -1;
}

static int turn(struct worker *w)
{
	int err = w->engine->turn(w, patience(w));

	if (err)
		return err;
	expire(w);
	retry(w);
	if (!worker_full(w) && w->now != w->rest)
		set_accepting(w, true);
	return 0;
}

/* Where io_uring is refused, epoll does; said once. */
static int engine_start(struct worker *w)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	int err;

	w->engine = w->opt->engine;
	err = w->engine->open(w);
	if (!err || w->engine == &engine_epoll)
		return err;
	if (!atomic_flag_test_and_set(&said))
		fprintf(stderr, "ktls-serve: no io_uring here: %s%s; epoll instead\n", strerror(-err),
			err == -EPERM ? " (kernel.io_uring_disabled, or a seccomp filter)" :
			err == -EINVAL ? " (it takes Linux 6.1)" : "");
	w->engine = &engine_epoll;
	return w->engine->open(w);
}

void *worker_run(void *arg)
{
	struct worker *w = arg;
	time_t deadline;
	int err;

	worker_tick(w);
	err = engine_start(w);
	if (err) {
		fprintf(stderr, "ktls-serve: %s: %s\n", w->engine->name, strerror(-err));
		return NULL;
	}
	set_accepting(w, true);
	while (!w->stopping && !turn(w))
		;
	for (deadline = w->now + GRACE_SECONDS; w->num && w->now < deadline;)
		if (turn(w))
			break;
	close_all(w, CONN_WRITE);
	close_all(w, CONN_LINGER);
	w->engine->close(w);
	return NULL;
}
