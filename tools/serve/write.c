// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers over io_uring. An answer lies in a registered buffer as long as
 * there are free ones, else in memory of its own; a file that fits behind its
 * head is read into it and goes out with it, from a registered buffer without
 * a copy by the socket. A longer file goes from
 * the page cache through a pipe, which the connection has only meanwhile; if
 * there is no pipe, buffer by buffer.
 *
 * A buffer is free for the next answer once the kernel has notified that it
 * reads it no more: until then its answer has no connection, but notifications.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "uring.h"

#define PIPE_BYTES	(256 * 1024)
#define PAGE		4096
#define ZC_LEAST	4096	/* bytes for which a notification costs less than a copy */

/* ---- buffers */

static struct answer *slot(const struct ring *r, unsigned int i)
{
	return (struct answer *)(r->slots + (size_t)i * SLOT_SIZE);
}

static void slot_put(struct ring *r, struct answer *a)
{
	a->next = r->free;
	r->free = a;
}

/* As many as RLIMIT_MEMLOCK allows, which may be none. */
int uring_slots_open(struct ring *r)
{
	struct iovec v[SLOTS];
	unsigned int i, n;
	void *p = mmap(NULL, SLOTS * SLOT_SIZE, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	r->slots = p;
	r->pipe_bytes = PIPE_BYTES;
	for (i = 0; i < SLOTS; i++)
		v[i] = (struct iovec){ slot(r, i), SLOT_SIZE };
	for (n = SLOTS; n && io_uring_register_buffers(&r->uring, v, n); n /= 2)
		;
	for (i = 0; i < n; i++) {
		slot(r, i)->slot = i;
		slot_put(r, slot(r, i));
	}
	return 0;
}

void uring_slots_close(struct ring *r)
{
	while (r->num_pipes) {
		r->num_pipes--;
		close(r->pipes[r->num_pipes].fd[0]);
		close(r->pipes[r->num_pipes].fd[1]);
	}
	if (r->slots)
		munmap(r->slots, SLOTS * SLOT_SIZE);
}

struct answer *uring_answer_new(struct conn *c)
{
	struct ring *r = c->worker->ring;
	struct answer *a = r->free;

	if (a) {
		r->free = a->next;
		*a = (struct answer){ .size = SLOT_SIZE - sizeof(*a), .conn = c, .slot = a->slot };
		return a;
	}
	a = malloc(SLOT_SIZE);
	if (a)
		*a = (struct answer){ .size = SLOT_SIZE - sizeof(*a), .conn = c, .slot = -1 };
	return a;
}

void uring_answer_free(struct worker *w, struct answer *a)
{
	a->conn = NULL;
	if (a->notifications)
		return;
	if (a->slot < 0)
		free(a);
	else
		slot_put(w->ring, a);
}

/* ---- pipes */

static int pipe_get(struct conn *c)
{
	struct ring *r = c->worker->ring;
	int *p = c->uring.pipe;

	if (p[0] >= 0)
		return 0;
	if (r->num_pipes) {
		r->num_pipes--;
		p[0] = r->pipes[r->num_pipes].fd[0];
		p[1] = r->pipes[r->num_pipes].fd[1];
		return 0;
	}
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK)) {
		p[0] = p[1] = -1;
		return -errno;
	}
	if (fcntl(p[1], F_SETPIPE_SZ, r->pipe_bytes) < 0)
		r->pipe_bytes = fcntl(p[1], F_GETPIPE_SZ);
	return 0;
}

/* It is empty. */
static void pipe_put(struct conn *c)
{
	struct ring *r = c->worker->ring;
	int *p = c->uring.pipe;

	if (p[0] < 0)
		return;
	if (r->num_pipes == PIPES) {
		uring_pipe_drop(c);
		return;
	}
	r->pipes[r->num_pipes++] = (struct pipe_ends){ { p[0], p[1] } };
	p[0] = p[1] = -1;
}

void uring_pipe_drop(struct conn *c)
{
	int *p = c->uring.pipe;

	if (p[0] >= 0) {
		close(p[0]);
		close(p[1]);
	}
	p[0] = p[1] = -1;
}

/* ---- begin */

static struct io_uring_sqe *begin(struct conn *c, unsigned int room)
{
	c->uring.flying++;
	c->uring.refs++;
	return uring_sqe(c->worker, room);
}

/* The file has become shorter than was promised: -EIO. */
static bool file_moved(struct conn *c, int res)
{
	if (res <= 0) {
		c->uring.err = res ? res : -EIO;
		return false;
	}
	c->file_at += res;
	c->file_left -= res;
	return true;
}

/*
 * From the page cache at once; by the ring what has to be waited for. Some file
 * systems can't tell, and are where opening has waited already.
 */
static ssize_t file_read_now(struct conn *c, size_t room)
{
	struct answer *a = c->answer;
	struct iovec v = { a->data + a->len, room };
	ssize_t n = preadv2(c->file, &v, 1, c->file_at, RWF_NOWAIT);

	if (n < 0 && errno == EOPNOTSUPP)
		n = pread(c->file, v.iov_base, room, c->file_at);
	return n;
}

static int file_read(struct conn *c)
{
	struct answer *a = c->answer;
	size_t room = a->size - a->len;
	struct io_uring_sqe *sqe;
	ssize_t n;

	if (c->file_left < room)
		room = c->file_left;
	n = file_read_now(c, room);
	if (n > 0) {
		file_moved(c, n);
		a->len += n;
		return uring_write(c);
	}
	sqe = begin(c, 1);
	if (a->slot < 0)
		io_uring_prep_read(sqe, c->file, a->data + a->len, room, c->file_at);
	else
		io_uring_prep_read_fixed(sqe, c->file, a->data + a->len, room, c->file_at, a->slot);
	uring_tag(sqe, c, OP_READ);
	return 1;
}

static int memory_send(struct conn *c)
{
	struct io_uring_sqe *sqe = begin(c, 1);
	struct answer *a = c->answer;
	int flags = MSG_NOSIGNAL | (c->file_left ? MSG_MORE : 0);
	size_t len = a->len - a->at;

	if (a->slot >= 0 && len >= ZC_LEAST && !c->uring.no_zc) {
		io_uring_prep_send_zc_fixed(sqe, c->fd, a->data + a->at, len, flags, 0, a->slot);
		uring_tag(sqe, a, OP_SEND_ZC);
	} else {
		io_uring_prep_send(sqe, c->fd, a->data + a->at, len, flags);
		uring_tag(sqe, c, OP_SEND);
	}
	return 1;
}

static int pipe_drain(struct conn *c, size_t len, bool more)
{
	struct io_uring_sqe *sqe = begin(c, 1);

	io_uring_prep_splice(sqe, c->uring.pipe[0], -1, c->fd, -1, len, more ? SPLICE_F_MORE : 0);
	uring_tag(sqe, c, OP_DRAIN);
	return 1;
}

/*
 * Both at once. If less is filled in than was asked for, the kernel cancels
 * what is linked to it, and pipe_drain() is called again.
 */
static int file_splice(struct conn *c)
{
	uint64_t len = c->worker->ring->pipe_bytes - c->file_at % PAGE;
	struct io_uring_sqe *sqe = begin(c, 2);

	if (c->file_left < len)
		len = c->file_left;
	io_uring_prep_splice(sqe, c->file, c->file_at, c->uring.pipe[1], -1, len, 0);
	sqe->flags |= IOSQE_IO_LINK;
	uring_tag(sqe, c, OP_FILL);
	return pipe_drain(c, len, c->file_left > len);
}

/* No pipe: the file's next bytes in an answer of their own. */
static int buffer_next(struct conn *c)
{
	struct answer *a = uring_answer_new(c);

	if (!a)
		return -ENOMEM;
	uring_answer_free(c->worker, c->answer);
	c->answer = a;
	return file_read(c);
}

int uring_write(struct conn *c)
{
	struct answer *a = c->answer;

	if (c->uring.flying || c->uring.polling)
		return 1;
	if (c->uring.piped > 0)
		return pipe_drain(c, c->uring.piped, c->file_left);
	if (!a->at && c->file_left && c->file_left <= a->size - a->len)
		return file_read(c);
	if (a->at < a->len)
		return memory_send(c);
	if (c->file_left)
		return pipe_get(c) ? buffer_next(c) : file_splice(c);
	pipe_put(c);
	return 0;
}

/* ---- completed */

int uring_go_on(struct conn *c)
{
	int err = c->uring.err;

	if (!err)
		err = uring_write(c);
	if (err)
		return err > 0 ? 0 : err;
	return conn_answered(c);
}

static int landed(struct conn *c)
{
	if (--c->uring.flying)
		return 0;
	if (c->uring.full && !c->uring.err) {
		c->uring.full = false;
		uring_poll(c, POLLOUT);
		return 0;
	}
	return uring_go_on(c);
}

int uring_read_done(struct conn *c, int res)
{
	if (file_moved(c, res))
		c->answer->len += res;
	return landed(c);
}

int uring_fill_done(struct conn *c, int res)
{
	if (file_moved(c, res))
		c->uring.piped += res;
	return landed(c);
}

int uring_send_done(struct conn *c, int res)
{
	if (res == -EOPNOTSUPP && !c->uring.no_zc) {
		c->uring.no_zc = true;		/* a relayed session's socket */
	} else if (res == -EAGAIN) {
		c->uring.full = true;
	} else if (res < 0) {
		c->uring.err = res;
	} else {
		c->answer->at += res;
		conn_progress(c);
	}
	return landed(c);
}

int uring_drain_done(struct conn *c, int res)
{
	if (res == -EAGAIN) {
		c->uring.full = true;
	} else if (res > 0) {
		c->uring.piped -= res;
		conn_progress(c);
	} else if (res != -ECANCELED && !c->uring.err) {
		c->uring.err = res ? res : -EPIPE;
	}
	return landed(c);
}
