// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread: its listener (SO_REUSEPORT shares the port), its connections,
 * their time limits. Each state has one limit, so its list is in order of
 * deadlines and only the front is looked at.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

#define EVENTS		256
#define ACCEPTS		64	/* per turn */
#define RETRY_MS	20
#define GRACE_SECONDS	10	/* after SIGTERM, for answers under way */

static time_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
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

static int watch(struct worker *w, int op, int *fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = fd };

	return epoll_ctl(w->epoll, op, *fd, &event);
}

static void set_accepting(struct worker *w, bool on)
{
	if (w->accepting == on || w->listener < 0)
		return;
	w->accepting = on;
	watch(w, EPOLL_CTL_MOD, &w->listener, on ? EPOLLIN : 0);
}

/*
 * At the limit the backlog keeps the rest until somebody leaves; out of
 * descriptors, for a second.
 */
static void accept_some(struct worker *w)
{
	int i, fd, one = 1;

	for (i = 0; i < ACCEPTS; i++) {
		if (w->num >= w->opt->max_conns) {
			set_accepting(w, false);
			return;
		}
		fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
			return;
		if (fd < 0) {
			w->rest = w->now;
			set_accepting(w, false);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn_new(w, fd);
	}
}

static void close_all(struct worker *w, enum conn_state state)
{
	while (w->lists[state].first)
		conn_free(w->lists[state].first);
}

/* No new work; what is being answered goes on, the rest ends now. */
static void stop(struct worker *w)
{
	static const enum conn_state ending[] = {
		CONN_FRESH, CONN_BUSY, CONN_HANDSHAKE, CONN_IDLE, CONN_HEAD, CONN_LINGER
	};
	struct conn *c;
	size_t i;

	w->stopping = true;
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->stop, NULL);
	close(w->listener);
	w->listener = -1;
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		close_all(w, ending[i]);
	for (c = w->lists[CONN_WRITE].first; c; c = c->next)
		c->keep_alive = false;
}

static void expire(struct worker *w)
{
	struct conn *c;
	int i;

	for (i = 0; i < CONN_STATES; i++)
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

static void dispatch(struct worker *w, const struct epoll_event *event)
{
	if (event->data.ptr == &w->stop)
		stop(w);
	else if (event->data.ptr != &w->listener)
		conn_ready(event->data.ptr, event->events);
	else if (w->listener >= 0)
		accept_some(w);
}

static int patience(const struct worker *w)
{
	if (w->lists[CONN_BUSY].first)
		return RETRY_MS;
	return w->num || !w->accepting ? 1000 : -1;
}

static int turn(struct worker *w)
{
	struct epoll_event events[EVENTS];
	int i, n = epoll_wait(w->epoll, events, EVENTS, patience(w));

	if (n < 0 && errno != EINTR)
		return -errno;
	w->now = monotonic();
	for (i = 0; i < n; i++)
		dispatch(w, &events[i]);
	expire(w);
	retry(w);
	if (w->num < w->opt->max_conns && w->now != w->rest)
		set_accepting(w, true);
	return 0;
}

void *worker_run(void *arg)
{
	struct worker *w = arg;
	time_t deadline;

	w->now = monotonic();
	w->accepting = true;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0 || watch(w, EPOLL_CTL_ADD, &w->listener, EPOLLIN) ||
	    watch(w, EPOLL_CTL_ADD, &w->stop, EPOLLIN)) {
		perror("ktls-serve: epoll");
		return NULL;
	}
	while (!w->stopping && !turn(w))
		;
	for (deadline = w->now + GRACE_SECONDS; w->num && w->now < deadline;)
		if (turn(w))
			break;
	close_all(w, CONN_WRITE);
	close_all(w, CONN_LINGER);
	close(w->epoll);
	return NULL;
}
