// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One connection. Its state says which event it waits for, how long, and what
 * it does then; no call here blocks. A fast reader yields after QUANTUM bytes,
 * a slow one costs its socket and, while it reads, one open file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

/* Each returns 0, or anything else to close the connection. */
static int handshake_start(struct conn *c);
static int handshake_finish(struct conn *c);
static int request_read(struct conn *c);
static int answer_write(struct conn *c);
static int discard(struct conn *c);

static const struct state {
	uint32_t events;
	int seconds;		/* 0: the option --idle */
	int (*ready)(struct conn *c);
} states[CONN_STATES] = {
	[CONN_FRESH]	 = { EPOLLIN,	0,	handshake_start },
	[CONN_BUSY]	 = { 0,		10,	NULL },
	[CONN_HANDSHAKE] = { EPOLLOUT,	30,	handshake_finish },
	[CONN_IDLE]	 = { EPOLLIN,	0,	request_read },
	[CONN_HEAD]	 = { EPOLLIN,	10,	request_read },
	[CONN_WRITE]	 = { EPOLLOUT,	30,	answer_write },
	[CONN_LINGER]	 = { EPOLLIN,	2,	discard },
};

int conn_seconds(const struct worker *w, enum conn_state state)
{
	return states[state].seconds ? states[state].seconds : w->opt->idle_seconds;
}

static int become(struct conn *c, enum conn_state state)
{
	worker_delist(c->worker, c);
	c->state = state;
	worker_enlist(c->worker, c);
	return 0;
}

/* Once per turn: a request that is answered at once costs no epoll_ctl(). */
static int arm(struct conn *c)
{
	struct epoll_event event = { .events = states[c->state].events, .data.ptr = c };

	if (event.events == c->events)
		return 0;
	c->events = event.events;
	return epoll_ctl(c->worker->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/*
 * Where the agent relays, the descriptor is another file after this: epoll
 * forgets the old one before.
 */
static int server(struct conn *c)
{
	struct epoll_event event = { .events = c->events, .data.ptr = c };
	int err;

	if (ktls_way(c->fd) == KTLS_WAY_MODULE)
		return ktls_server(c->fd, c->worker->opt->params);
	epoll_ctl(c->worker->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	err = ktls_server(c->fd, c->worker->opt->params);
	if (epoll_ctl(c->worker->epoll, EPOLL_CTL_ADD, c->fd, &event))
		return -errno;
	return err;
}

/* Progress: the time limit begins anew. */
static void refresh(struct conn *c)
{
	worker_delist(c->worker, c);
	worker_enlist(c->worker, c);
}

/* ---- handshake */

static void log_failure(const struct conn *c, int err)
{
	char why[320];

	if (c->worker->opt->log)
		fprintf(stderr, "ktls-serve: %s\n", ktls_error(c->fd, err, why, sizeof(why)));
}

static int handshake_result(struct conn *c, int err)
{
	switch (err) {
	case 0:
		return become(c, CONN_IDLE);
	case -EINPROGRESS:
		return c->state == CONN_HANDSHAKE ? 0 : become(c, CONN_HANDSHAKE);
	case -EBUSY:
		return c->state == CONN_BUSY ? 0 : become(c, CONN_BUSY);
	default:
		log_failure(c, err);
		return err;
	}
}

static int handshake_start(struct conn *c)
{
	return handshake_result(c, server(c));
}

static int handshake_finish(struct conn *c)
{
	return handshake_result(c, ktls_finish(c->fd));
}

void conn_retry(struct conn *c)
{
	if (handshake_start(c) || arm(c))
		conn_free(c);
}

/* ---- request */

static int discard(struct conn *c)
{
	char buf[4096];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN) ? 0 : -1;
}

/* Let the peer read the answer before a RST could take it away. */
static int linger(struct conn *c)
{
	if (shutdown(c->fd, SHUT_WR))
		return -errno;
	return become(c, CONN_LINGER);
}

static void answer_free(struct conn *c)
{
	free(c->answer);
	c->answer = NULL;
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	c->file_left = 0;
}

static void input_drop(struct conn *c, size_t used)
{
	c->in_len -= used;
	memmove(c->in, c->in + used, c->in_len);
	if (c->in_len)
		return;
	free(c->in);
	c->in = NULL;
}

/* Answer what is in the buffer, until an answer doesn't fit into the socket. */
static int requests_serve(struct conn *c)
{
	struct http_request req;
	ssize_t used;
	int err;

	while (c->in_len) {
		used = http_parse(c->in, c->in_len, &req);
		if (!used)
			return c->state == CONN_HEAD ? 0 : become(c, CONN_HEAD);
		if (used > 0)
			input_drop(c, used);
		err = used < 0 ? respond_error(c, -used) : respond(c, &req);
		if (err)
			return err;
		become(c, CONN_WRITE);
		err = answer_write(c);
		if (err || c->state != CONN_IDLE)
			return err;
	}
	return 0;
}

static int request_read(struct conn *c)
{
	ssize_t n;

	if (!c->in)
		c->in = malloc(HTTP_MAX_HEAD);
	if (!c->in)
		return -ENOMEM;
	n = recv(c->fd, c->in + c->in_len, HTTP_MAX_HEAD - c->in_len, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		if (!c->in_len)
			input_drop(c, 0);
		return 0;
	}
	if (n <= 0)
		return -1;
	c->in_len += n;
	return requests_serve(c);
}

/* ---- answer */

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
		refresh(c);
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
		refresh(c);
	}
	return 0;
}

static int answer_write(struct conn *c)
{
	int err = memory_send(c);

	if (!err)
		err = file_send(c);
	if (err)
		return err > 0 ? 0 : err;
	answer_free(c);
	return c->keep_alive ? become(c, CONN_IDLE) : linger(c);
}

/* ---- life */

void conn_ready(struct conn *c, uint32_t events)
{
	bool hangup = events & (EPOLLERR | EPOLLHUP);
	enum conn_state before = c->state;
	int err = -1;

	if (states[before].ready)
		err = states[before].ready(c);
	/* An answer is out, and the next request was there already. */
	if (!err && before == CONN_WRITE && c->state == CONN_IDLE)
		err = requests_serve(c);
	/* The socket is over though the state changed nothing: no second look. */
	if (!err && hangup && c->state == before && before <= CONN_HANDSHAKE)
		err = -1;
	if (err || arm(c))
		conn_free(c);
}

int conn_new(struct worker *w, int fd)
{
	enum conn_state state = w->opt->plain ? CONN_IDLE : CONN_FRESH;
	struct epoll_event event = { .events = states[state].events };
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		goto out_close;
	*c = (struct conn){ .worker = w, .fd = fd, .file = -1, .state = state,
			    .events = event.events };
	event.data.ptr = c;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event))
		goto out_free;
	worker_enlist(w, c);
	w->num++;
	return 0;

out_free:
	free(c);
out_close:
	close(fd);
	return -ENOMEM;
}

void conn_free(struct conn *c)
{
	worker_delist(c->worker, c);
	c->worker->num--;
	answer_free(c);
	free(c->in);
	close(c->fd);
	free(c);
}
