// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One connection, whatever the engine. Its state says what it waits for, how
 * long, and what it does then; no call here blocks. A fast reader yields after
 * each piece of a file, a slow one costs its socket and, while it reads, one
 * open file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

static const int seconds[CONN_STATES] = {	/* 0: the option --idle */
	[CONN_BUSY]	 = 10,
	[CONN_HANDSHAKE] = 30,
	[CONN_HEAD]	 = 10,
	[CONN_WRITE]	 = 30,
	[CONN_LINGER]	 = 2,
};

int conn_seconds(const struct worker *w, enum conn_state state)
{
	return seconds[state] ? seconds[state] : w->opt->idle_seconds;
}

static int become(struct conn *c, enum conn_state state)
{
	worker_delist(c->worker, c);
	c->state = state;
	worker_enlist(c->worker, c);
	return 0;
}

void conn_progress(struct conn *c)
{
	become(c, c->state);
}

void conn_after(struct conn *c, int err)
{
	if (err || c->worker->engine->arm(c))
		conn_free(c);
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

int conn_handshake(struct conn *c, bool hangup)
{
	enum conn_state before = c->state;
	int err = before == CONN_HANDSHAKE ? ktls_finish(c->fd) : c->worker->engine->handshake(c);

	err = handshake_result(c, err);
	/* The socket is over though the state changed nothing: no second look. */
	return !err && hangup && c->state == before ? -ECONNRESET : err;
}

void conn_retry(struct conn *c)
{
	conn_after(c, conn_handshake(c, false));
}

/* ---- request */

char *conn_room(struct conn *c, size_t len)
{
	char *in;

	if (c->in_size - c->in_len >= len)
		return c->in + c->in_len;
	in = realloc(c->in, c->in_len + len);
	if (!in)
		return NULL;
	c->in = in;
	c->in_size = c->in_len + len;
	return in + c->in_len;
}

static void input_drop(struct conn *c, size_t used)
{
	c->in_len -= used;
	if (c->in_len) {
		memmove(c->in, c->in + used, c->in_len);
		return;
	}
	free(c->in);
	c->in = NULL;
	c->in_size = 0;
}

/* Let the peer read the answer before a RST could take it away. */
static int linger(struct conn *c)
{
	if (shutdown(c->fd, SHUT_WR))
		return -errno;
	return become(c, CONN_LINGER);
}

static void answer_drop(struct conn *c)
{
	if (c->answer)
		c->worker->engine->answer_free(c->worker, c->answer);
	c->answer = NULL;
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	c->file_left = 0;
}

static int finish(struct conn *c)
{
	answer_drop(c);
	return c->keep_alive ? become(c, CONN_IDLE) : linger(c);
}

static int answer_begin(struct conn *c, ssize_t used, const struct http_request *req)
{
	int err;

	if (used > 0)
		input_drop(c, used);
	err = used < 0 ? respond_error(c, -used) : respond(c, req);
	if (err)
		return err;
	become(c, CONN_WRITE);
	return c->worker->engine->write(c);
}

/* Answer what is in the buffer, until an answer doesn't go out at once. */
static int serve(struct conn *c)
{
	struct http_request req;
	ssize_t used;
	int err;

	while (c->in_len && (c->state == CONN_IDLE || c->state == CONN_HEAD)) {
		used = http_parse(c->in, c->in_len, &req);
		if (!used)
			return c->state == CONN_HEAD ? 0 : become(c, CONN_HEAD);
		err = answer_begin(c, used, &req);
		if (!err)
			err = finish(c);
		if (err)
			return err > 0 ? 0 : err;
	}
	return 0;
}

int conn_input(struct conn *c, size_t len)
{
	c->in_len += len;
	if (!c->in_len || c->state == CONN_LINGER)
		input_drop(c, c->in_len);
	return serve(c);
}

int conn_answered(struct conn *c)
{
	int err = finish(c);

	return err ? err : serve(c);
}

/* ---- life */

int conn_new(struct worker *w, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		goto out_close;
	*c = (struct conn){ .worker = w, .fd = fd, .file = -1,
			    .state = w->opt->plain ? CONN_IDLE : CONN_FRESH };
	if (w->engine->attach(c))
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
	become(c, CONN_GONE);
	c->worker->num--;
	c->worker->engine->detach(c);
}

void conn_release(struct conn *c)
{
	worker_delist(c->worker, c);
	answer_drop(c);
	free(c->in);
	free(c);
}
