// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine over io_uring, a ring per worker: one accept and, per connection,
 * one receive that each complete many times, the latter into buffers that are
 * provided when bytes are there, so that an idle connection has none. What a
 * client sends while it is being answered is kept, up to a limit at which
 * receiving is called off until the answer is out.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "uring.h"

#define ENTRIES		1024
#define COMPLETIONS	8192
#define BATCH		256	/* completions before what they began is submitted */
#define BUFFERS		512	/* a power of two */
#define BUFFER_SIZE	2048
#define GROUP		0
#define NEAR_LIMIT	256	/* room for connections below which each is accepted by itself */
#define KEPT		4096	/* bytes of input during an answer */

/* ---- submitting */

struct io_uring_sqe *uring_sqe(struct worker *w, unsigned int room)
{
	struct io_uring *uring = &w->ring->uring;

	while (io_uring_sq_space_left(uring) < room)
		io_uring_submit(uring);
	return io_uring_get_sqe(uring);
}

void uring_tag(struct io_uring_sqe *sqe, void *ptr, enum op op)
{
	io_uring_sqe_set_data64(sqe, (uintptr_t)ptr | op);
}

void uring_poll(struct conn *c, unsigned int events)
{
	struct io_uring_sqe *sqe = uring_sqe(c->worker, 1);

	io_uring_prep_poll_add(sqe, c->fd, events);
	uring_tag(sqe, c, OP_POLL);
	c->uring.polling = true;
	c->uring.refs++;
}

static void receive(struct conn *c)
{
	struct io_uring_sqe *sqe = uring_sqe(c->worker, 1);

	io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	uring_tag(sqe, c, OP_RECEIVE);
	c->uring.receiving = true;
	c->uring.refs++;
}

static void call_off(struct worker *w, void *ptr, enum op op)
{
	struct io_uring_sqe *sqe = uring_sqe(w, 1);

	io_uring_prep_cancel64(sqe, (uintptr_t)ptr | op, 0);
	uring_tag(sqe, NULL, OP_NONE);
}

/* ---- connections */

static int attach(struct conn *c)
{
	c->uring.pipe[0] = c->uring.pipe[1] = -1;
	if (c->state == CONN_IDLE)
		receive(c);
	else
		uring_poll(c, POLLIN);
	return 0;
}

static int arm(struct conn *c)
{
	bool reads = c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_LINGER;

	if (reads && c->uring.over)
		return -ECONNRESET;
	if (reads && !c->uring.receiving)
		receive(c);
	if (c->state == CONN_FRESH && !c->uring.polling)
		uring_poll(c, POLLIN);
	if (c->state == CONN_HANDSHAKE && !c->uring.polling)
		uring_poll(c, POLLOUT);
	return 0;
}

static int handshake(struct conn *c)
{
	return ktls_server(c->fd, c->worker->opt->params);
}

/*
 * No sooner: what is linked or waits for a thread looks its descriptor up when
 * it begins, and must not find another connection's.
 */
static void release(struct conn *c)
{
	close(c->fd);
	uring_pipe_drop(c);
	conn_release(c);
}

static void detach(struct conn *c)
{
	struct io_uring_sqe *sqe;

	if (!c->uring.refs) {
		release(c);
		return;
	}
	sqe = uring_sqe(c->worker, 1);
	io_uring_prep_cancel_fd(sqe, c->fd, IORING_ASYNC_CANCEL_ALL);
	uring_tag(sqe, NULL, OP_NONE);
}

/* ---- completions of a connection */

static int poll_done(struct conn *c, int res)
{
	c->uring.polling = false;
	if (c->state == CONN_WRITE)
		return uring_go_on(c);
	return conn_handshake(c, res < 0 || res & (POLLERR | POLLHUP));
}

static int input(struct conn *c, const char *bytes, size_t len)
{
	char *in = conn_room(c, len);

	if (!in)
		return -ENOMEM;
	memcpy(in, bytes, len);
	if (c->state == CONN_WRITE) {
		c->in_len += len;
		if (c->in_len > KEPT && c->uring.receiving)
			call_off(c->worker, c, OP_RECEIVE);
		return 0;
	}
	return conn_input(c, len);
}

static void provide(struct ring *r, int id)
{
	io_uring_buf_ring_add(r->provided, r->input + id * BUFFER_SIZE, BUFFER_SIZE, id,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(r->provided, 1);
}

static int receive_done(struct conn *c, int res, unsigned int flags)
{
	struct ring *r = c->worker->ring;
	int err = 0, id = flags >> IORING_CQE_BUFFER_SHIFT;

	c->uring.receiving = flags & IORING_CQE_F_MORE;
	if (res > 0 && c->state != CONN_GONE)
		err = input(c, r->input + id * BUFFER_SIZE, res);
	if (flags & IORING_CQE_F_BUFFER)
		provide(r, id);
	if (!res)
		c->uring.over = true;
	if (res < 0 && res != -ECANCELED && res != -ENOBUFS && res != -EINTR)
		return res;
	return err;
}

static int conn_done(struct conn *c, enum op op, int res, unsigned int flags)
{
	switch (op) {
	case OP_POLL:
		return poll_done(c, res);
	case OP_RECEIVE:
		return receive_done(c, res, flags);
	case OP_READ:
		return uring_read_done(c, res);
	case OP_FILL:
		return uring_fill_done(c, res);
	case OP_DRAIN:
		return uring_drain_done(c, res);
	default:
		return uring_send_done(c, res);
	}
}

static void conn_completed(struct conn *c, enum op op, int res, unsigned int flags)
{
	bool last = op != OP_RECEIVE || !(flags & IORING_CQE_F_MORE);
	int err;

	c->uring.refs -= last;
	if (c->state != CONN_GONE) {
		err = conn_done(c, op, res, flags);
		conn_after(c, err);
		return;
	}
	if (op == OP_RECEIVE)
		receive_done(c, res, flags);	/* the buffer */
	if (!c->uring.refs)
		release(c);
}

/* The bytes' completion, or the notification that they aren't needed any more. */
static void zero_copy_completed(struct worker *w, struct answer *a, int res, unsigned int flags)
{
	struct conn *c = a->conn;

	if (flags & IORING_CQE_F_NOTIF) {
		a->notifications--;
		if (!c)
			uring_answer_free(w, a);
		return;
	}
	if (flags & IORING_CQE_F_MORE)
		a->notifications++;
	conn_completed(c, OP_SEND_ZC, res, 0);
}

/* ---- the worker */

/* Near the limit one by one, so that no more are taken than allowed. */
static void accept_begin(struct worker *w)
{
	struct io_uring_sqe *sqe = uring_sqe(w, 1);
	int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

	w->ring->accepting = true;
	w->ring->multishot = w->opt->max_conns - w->num > NEAR_LIMIT;
	if (w->ring->multishot)
		io_uring_prep_multishot_accept(sqe, w->listener, NULL, NULL, flags);
	else
		io_uring_prep_accept(sqe, w->listener, NULL, NULL, flags);
	uring_tag(sqe, NULL, OP_ACCEPT);
}

static void set_listening(struct worker *w, bool on)
{
	if (on && !w->ring->accepting)
		accept_begin(w);
	else if (!on && w->ring->accepting)
		call_off(w, NULL, OP_ACCEPT);
}

static void accept_done(struct worker *w, int res, unsigned int flags)
{
	w->ring->accepting = flags & IORING_CQE_F_MORE;
	if (res >= 0)
		worker_accepted(w, res);
	else if (res != -ECANCELED && res != -ECONNABORTED && res != -EINTR && res != -EAGAIN)
		worker_rest(w);
	if (!w->accepting || worker_full(w))
		return;
	if (!w->ring->accepting)
		accept_begin(w);
	else if (w->ring->multishot && w->opt->max_conns - w->num <= NEAR_LIMIT)
		call_off(w, NULL, OP_ACCEPT);
}

static void dispatch(struct worker *w, const struct io_uring_cqe *cqe)
{
	enum op op = cqe->user_data & OP_MASK;
	void *ptr = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)OP_MASK);

	if (op == OP_STOP)
		worker_stop(w);
	else if (op == OP_ACCEPT)
		accept_done(w, cqe->res, cqe->flags);
	else if (op == OP_SEND_ZC)
		zero_copy_completed(w, ptr, cqe->res, cqe->flags);
	else if (op != OP_NONE)
		conn_completed(ptr, op, cqe->res, cqe->flags);
}

static int turn(struct worker *w, int ms)
{
	struct __kernel_timespec limit = { ms / 1000, ms % 1000 * 1000000LL };
	struct io_uring *uring = &w->ring->uring;
	struct io_uring_cqe *p, cqe;
	int n = io_uring_submit_and_wait_timeout(uring, &p, 1, ms < 0 ? NULL : &limit, NULL);

	if (n < 0 && n != -ETIME && n != -EINTR && n != -EAGAIN && n != -EBUSY)
		return n;
	worker_tick(w);
	for (n = 0; n < BATCH && !io_uring_peek_cqe(uring, &p); n++) {
		cqe = *p;
		io_uring_cqe_seen(uring, p);
		dispatch(w, &cqe);
	}
	return 0;
}

/* ---- opening and closing */

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int buffers_open(struct ring *r)
{
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = GROUP };
	int i, err;

	r->provided = map(BUFFERS * sizeof(struct io_uring_buf));
	r->input = map(BUFFERS * BUFFER_SIZE);
	if (!r->provided || !r->input)
		return -ENOMEM;
	reg.ring_addr = (uintptr_t)r->provided;
	err = io_uring_register_buf_ring(&r->uring, &reg, 0);
	if (err)
		return err;
	io_uring_buf_ring_init(r->provided);
	for (i = 0; i < BUFFERS; i++)
		provide(r, i);
	return 0;
}

static void unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

static void ring_free(struct ring *r)
{
	uring_slots_close(r);
	unmap(r->provided, BUFFERS * sizeof(struct io_uring_buf));
	unmap(r->input, BUFFERS * BUFFER_SIZE);
	free(r);
}

static int ring_open(struct ring *r)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
			 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = COMPLETIONS,
	};
	/* Splices run in threads, but none of them waits for a client. */
	unsigned int threads[2] = { 4, 4 };
	int err = io_uring_queue_init_params(ENTRIES, &r->uring, &params);

	if (err)
		return err;
	err = io_uring_register_iowq_max_workers(&r->uring, threads);
	if (!err)
		err = buffers_open(r);
	if (!err)
		err = uring_slots_open(r);
	if (err)
		io_uring_queue_exit(&r->uring);
	return err;
}

static int engine_open(struct worker *w)
{
	struct ring *r = calloc(1, sizeof(*r));
	struct io_uring_sqe *sqe;
	int err = r ? ring_open(r) : -ENOMEM;

	if (err) {
		if (r)
			ring_free(r);
		return err;
	}
	w->ring = r;
	sqe = uring_sqe(w, 1);
	io_uring_prep_poll_add(sqe, w->stop, POLLIN);
	uring_tag(sqe, NULL, OP_STOP);
	return 0;
}

/* Those that are gone: nobody completes anything after the ring. */
static void engine_close(struct worker *w)
{
	struct conn *c;

	turn(w, 0);
	io_uring_queue_exit(&w->ring->uring);
	while ((c = w->lists[CONN_GONE].first))
		release(c);
	ring_free(w->ring);
}

const struct engine engine_uring = {
	.name = "io_uring",
	.open = engine_open, .close = engine_close, .turn = turn, .listen = set_listening,
	.attach = attach, .arm = arm, .handshake = handshake, .write = uring_write, .detach = detach,
	.answer_new = uring_answer_new, .answer_free = uring_answer_free,
};
