// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine over epoll: when a socket is ready, it is read or written at
 * once, files by sendfile(), QUANTUM bytes per turn of a connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

#define QUANTUM		(512 * 1024)
#define EVENTS		256
#define ACCEPTS		64	/* per turn */

/* ---- a connection */

static const uint32_t awaited[CONN_STATES] = {
	[CONN_FRESH]	 = EPOLLIN,
	[CONN_HANDSHAKE] = EPOLLOUT,
	[CONN_IDLE]	 = EPOLLIN,
	[CONN_HEAD]	 = EPOLLIN,
	[CONN_WRITE]	 = EPOLLOUT,
	[CONN_LINGER]	 = EPOLLIN,
};

static int add(struct conn *c)
{
	struct epoll_event event = { .events = awaited[c->state], .data.ptr = c };

	c->epoll.events = event.events;
	return epoll_ctl(c->worker->epoll, EPOLL_CTL_ADD, c->fd, &event) ? -errno : 0;
}

/* Once per turn: a request that is answered at once costs no epoll_ctl(). */
static int arm(struct conn *c)
{
	struct epoll_event event = { .events = awaited[c->state], .data.ptr = c };

	if (event.events == c->epoll.events)
		return 0;
	c->epoll.events = event.events;
	return epoll_ctl(c->worker->epoll, EPOLL_CTL_MOD, c->fd, &event) ? -errno : 0;
}

/*
 * Where the agent relays, the descriptor is another file after this: epoll
 * forgets the old one before.
 */
static int handshake(struct conn *c)
{
	int err;

	if (ktls_way(c->fd) == KTLS_WAY_MODULE)
		return ktls_server(c->fd, c->worker->opt->params);
	epoll_ctl(c->worker->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	err = ktls_server(c->fd, c->worker->opt->params);
	return add(c) ? -EBADF : err;
}

static int receive(struct conn *c)
{
	size_t room = HTTP_MAX_HEAD - c->in_len;
	char *in = conn_room(c, room);
	ssize_t n = in ? recv(c->fd, in, room, MSG_DONTWAIT) : -1;

	if (!in)
		return -ENOMEM;
	if (n < 0 && errno == EAGAIN)
		return conn_input(c, 0);
	return n > 0 ? conn_input(c, n) : -1;
}

/* 0: all is out. 1: the socket is full or the turn is over. */
static int memory_send(struct conn *c)
{
	struct answer *a = c->answer;
	ssize_t n;

	while (a->at < a->len) {
		n = send(c->fd, a->data + a->at, a->len - a->at,
			 MSG_DONTWAIT | MSG_NOSIGNAL | (c->file_left ? MSG_MORE : 0));
		if (n < 0)
			return errno == EAGAIN ? 1 : -errno;
		a->at += n;
		conn_progress(c);
	}
	return 0;
}

static int file_send(struct conn *c)
{
	size_t turn = QUANTUM;
	ssize_t n;

	while (c->file_left) {
		if (!turn)
			return 1;
		n = sendfile(c->fd, c->file, &c->file_at, c->file_left < turn ? c->file_left : turn);
		if (n < 0)
			return errno == EAGAIN ? 1 : -errno;
		if (!n)
			return -EIO;	/* the file has become shorter than was promised */
		c->file_left -= n;
		turn -= n;
		conn_progress(c);
	}
	return 0;
}

static int answer_write(struct conn *c)
{
	int err = memory_send(c);

	return err ? err : file_send(c);
}

static int more_write(struct conn *c)
{
	int err = answer_write(c);

	if (err)
		return err > 0 ? 0 : err;
	return conn_answered(c);
}

static void conn_ready(struct conn *c, uint32_t events)
{
	int err = 0;

	switch (c->state) {
	case CONN_FRESH:
	case CONN_HANDSHAKE:
		err = conn_handshake(c, events & (EPOLLERR | EPOLLHUP));
		break;
	case CONN_IDLE:
	case CONN_HEAD:
	case CONN_LINGER:
		err = receive(c);
		break;
	case CONN_WRITE:
		err = more_write(c);
		break;
	default:	/* CONN_BUSY waits for nothing: the socket is over */
		err = -ECONNRESET;
	}
	conn_after(c, err);
}

static void detach(struct conn *c)
{
	close(c->fd);
	conn_release(c);
}

static struct answer *answer_new(struct conn *c)
{
	struct answer *a = malloc(sizeof(*a) + ANSWER_ROOM);

	if (a)
		*a = (struct answer){ .size = ANSWER_ROOM, .conn = c };
	return a;
}

static void answer_free(struct worker *w, struct answer *a)
{
	(void)w;
	free(a);
}

/* ---- a worker */

static int watch(struct worker *w, int op, int *fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = fd };

	return epoll_ctl(w->epoll, op, *fd, &event);
}

static void set_listening(struct worker *w, bool on)
{
	watch(w, EPOLL_CTL_MOD, &w->listener, on ? EPOLLIN : 0);
}

static void accept_some(struct worker *w)
{
	int i, fd;

	for (i = 0; i < ACCEPTS && !worker_full(w); i++) {
		fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
			return;
		if (fd < 0)
			return worker_rest(w);
		worker_accepted(w, fd);
	}
}

static void dispatch(struct worker *w, const struct epoll_event *event)
{
	if (event->data.ptr == &w->stop) {
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->stop, NULL);
		worker_stop(w);
	} else if (event->data.ptr != &w->listener) {
		conn_ready(event->data.ptr, event->events);
	} else if (w->listener >= 0) {
		accept_some(w);
	}
}

static int turn(struct worker *w, int ms)
{
	struct epoll_event events[EVENTS];
	int i, n = epoll_wait(w->epoll, events, EVENTS, ms);

	if (n < 0 && errno != EINTR)
		return -errno;
	worker_tick(w);
	for (i = 0; i < n; i++)
		dispatch(w, &events[i]);
	return 0;
}

static int engine_open(struct worker *w)
{
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0 || watch(w, EPOLL_CTL_ADD, &w->listener, 0) ||
	    watch(w, EPOLL_CTL_ADD, &w->stop, EPOLLIN))
		return -errno;
	return 0;
}

static void engine_close(struct worker *w)
{
	close(w->epoll);
}

const struct engine engine_epoll = {
	.name = "epoll",
	.open = engine_open, .close = engine_close, .turn = turn, .listen = set_listening,
	.attach = add, .arm = arm, .handshake = handshake, .write = answer_write, .detach = detach,
	.answer_new = answer_new, .answer_free = answer_free,
};
