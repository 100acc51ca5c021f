/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine over io_uring: what uring.c (ring, accepting, receiving) and
 * write.c (answers) share. A completion's user_data is a pointer whose low
 * bits say which operation it was; CONN's operations each hold a reference,
 * and a connection that is gone is released with the last of them.
 */
#ifndef SERVE_URING_H
#define SERVE_URING_H

#include <liburing.h>
#include "serve.h"

#define SLOTS		64
#define SLOT_SIZE	32768
#define PIPES		64	/* empty ones, kept for the next file */

enum op {
	OP_NONE,		/* nobody looks at the result */
	OP_STOP,
	OP_ACCEPT,
	OP_POLL,		/* from here on the pointer is a struct conn */
	OP_RECEIVE,
	OP_READ,		/* file into the answer */
	OP_SEND,
	OP_FILL,		/* file into the pipe */
	OP_DRAIN,		/* pipe into the socket */
	OP_SEND_ZC,		/* a struct answer */
	OPS
};
#define OP_MASK		15

struct pipe_ends {
	int fd[2];
};

struct ring {
	struct io_uring uring;
	bool accepting;			/* a multishot, or a single accept, is under way */
	bool multishot;
	struct io_uring_buf_ring *provided;
	char *input;			/* the provided buffers */
	char *slots;			/* the registered buffers */
	unsigned int num_pipes;
	struct answer *free;
	int pipe_bytes;			/* what a pipe takes */
	struct pipe_ends pipes[PIPES];
};

/* uring.c */
struct io_uring_sqe *uring_sqe(struct worker *w, unsigned int room);	/* the first of so many */
void uring_tag(struct io_uring_sqe *sqe, void *ptr, enum op op);
void uring_poll(struct conn *c, unsigned int events);

/* write.c */
int uring_slots_open(struct ring *r);
void uring_slots_close(struct ring *r);
struct answer *uring_answer_new(struct conn *c);
void uring_answer_free(struct worker *w, struct answer *a);
void uring_pipe_drop(struct conn *c);
int uring_write(struct conn *c);
/* Completions of what uring_write() began. Return: as conn.c's. */
int uring_read_done(struct conn *c, int res);
int uring_send_done(struct conn *c, int res);
int uring_fill_done(struct conn *c, int res);
int uring_drain_done(struct conn *c, int res);
int uring_go_on(struct conn *c);

#endif
