// SPDX-License-Identifier: GPL-2.0-or-later
/* The connections: opened BATCH at a time, then driven by what epoll says. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "load.h"

#define BATCH	64		/* handshakes at once */
#define PATIENCE 600		/* seconds for a batch */
#define CHUNK	262144
#define EVENTS	256

double load_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

bool load_map(struct content *c, const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(c->request, sizeof(c->request), "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return false;
	c->len = st.st_size;
	c->bytes = mmap(NULL, c->len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return c->bytes != MAP_FAILED;
}

static void lose(struct peer *p, int err, const char *what)
{
	char why[320];

	fprintf(stderr, "load: %s, connection %zu, %s: %s\n", p->group->name,
		(size_t)(p - p->group->peers), what, ktls_error(p->fd, err, why, sizeof(why)));
	p->group->opening -= p->phase == OPENING;
	p->group->asking -= p->phase == HEAD || p->phase == BODY;
	p->group->lost++;
	p->phase = LOST;
	close(p->fd);
}

static void watch(struct load *l, struct peer *p, int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = p };

	if (p->phase == LOST || (op == EPOLL_CTL_MOD && p->events == events))
		return;
	p->events = events;
	epoll_ctl(l->epoll, op, p->fd, &event);
}

/* A request is short: it goes out at once, or something is wrong. */
void load_ask(struct load *l, struct peer *p, const struct content *what)
{
	ssize_t len = strlen(what->request);

	if (p->phase != RESTING)
		return;
	p->want = what;
	p->got = 0;
	p->phase = HEAD;
	p->group->asking++;
	if (send(p->fd, what->request, len, MSG_DONTWAIT | MSG_NOSIGNAL) != len)
		lose(p, -errno, "asking");
	watch(l, p, EPOLL_CTL_MOD, EPOLLIN);
}

/* ---- answers */

static const char *header(const struct peer *p)
{
	char length[64];

	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", p->want->len);
	if (strncmp(p->head, "HTTP/1.1 200 ", 13))
		return "another status";
	return strstr(p->head, length) ? NULL : "another length";
}

/* Return: how many of the @n bytes were the head's; -1: it is wrong. */
static ssize_t take_head(struct peer *p, const char *bytes, size_t n)
{
	size_t room = sizeof(p->head) - 1 - p->got, before = p->got;
	const char *end, *why;

	n = n < room ? n : room;
	memcpy(p->head + before, bytes, n);
	p->got += n;
	p->head[p->got] = '\0';
	end = strstr(p->head, "\r\n\r\n");
	if (!end)
		return room == n ? -1 : (ssize_t)n;
	why = header(p);
	if (why) {
		fprintf(stderr, "load: %s: %.200s\n", why, p->head);
		return -1;
	}
	p->phase = BODY;
	p->got = 0;
	return end + 4 - p->head - before;
}

static int take_bytes(struct load *l, struct peer *p, const char *bytes, size_t n)
{
	ssize_t used;

	if (p->phase == HEAD) {
		used = take_head(p, bytes, n);
		if (used < 0)
			return -EBADMSG;
		bytes += used;
		n -= used;
	}
	if (p->phase != BODY)
		return 0;
	if (n > p->want->len - p->got || memcmp(bytes, p->want->bytes + p->got, n))
		return -EBADMSG;
	p->got += n;
	if (p->got < p->want->len)
		return 0;
	p->phase = RESTING;
	p->group->asking--;
	p->group->answers++;
	if (p->group->active)
		load_ask(l, p, p->want);
	return 0;
}

static void take(struct load *l, struct peer *p)
{
	static char buf[CHUNK];
	ssize_t n = recv(p->fd, buf, sizeof(buf), MSG_DONTWAIT);
	int err = n < 0 ? -errno : n ? 0 : -ECONNRESET;

	if (err == -EAGAIN)
		return;
	if (!err) {
		p->group->bytes += n;
		err = take_bytes(l, p, buf, n);
	}
	if (err && p->phase != LOST)
		lose(p, err, "reading");
}

static void opened(struct load *l, struct peer *p)
{
	int err = ktls_finish(p->fd);

	if (err == -EINPROGRESS)
		return;
	if (err) {
		lose(p, err, "handshake");
		return;
	}
	p->phase = RESTING;
	p->group->opening--;
	load_ask(l, p, p->want);
}

void load_run(struct load *l, struct group *g, double seconds)
{
	double until = load_now() + seconds;
	struct epoll_event events[EVENTS];
	int i, n;

	while ((g->opening || g->asking) && load_now() < until) {
		n = epoll_wait(l->epoll, events, EVENTS, 100);
		for (i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;

			if (p->phase == OPENING)
				opened(l, p);
			else if (p->phase != LOST)
				take(l, p);
		}
	}
}

/* ---- opening */

static int begin(struct load *l, struct peer *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(p->group->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static const int little = 65536;
	int err;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return -errno;
	p->phase = OPENING;
	p->group->opening++;
	setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	err = ktls_client(p->fd, l->params);
	watch(l, p, EPOLL_CTL_ADD, EPOLLOUT);
	return err == -EINPROGRESS ? 0 : err;
}

bool load_open(struct load *l, struct group *g, const struct content *first)
{
	size_t i;
	int err;

	for (i = 0; i < g->num; i++) {
		g->peers[i] = (struct peer){ .group = g, .want = first };
		err = begin(l, &g->peers[i]);
		if (err)
			lose(&g->peers[i], err, "connecting");
		if (g->lost)
			return false;
		if (i % BATCH == BATCH - 1 || i == g->num - 1)
			load_run(l, g, PATIENCE);
	}
	return !g->lost && !g->opening && !g->asking;
}
