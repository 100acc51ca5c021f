/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktls-serve: static files over HTTPS with sendfile().
 *
 * main.c	options, listeners, threads, signals
 * worker.c	one thread: epoll, accept, time limits
 * conn.c	one connection: a state, and what it does when the socket is ready
 * respond.c	a request's answer
 * file.c	files below the root, and nothing else
 * status.c	/.ktls/status
 * http*.c	the protocol, pure
 *
 * A worker's connections are touched by its thread alone: no locks.
 */
#ifndef SERVE_H
#define SERVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "http.h"
#include "ktls.h"

#define STATUS_PATH	"/.ktls/status"
#define QUANTUM		(512 * 1024)	/* bytes of a file per turn of a connection */

struct options {
	const char *bind, *port, *root_path;
	int root;			/* O_PATH of root_path */
	unsigned int threads;
	unsigned int max_conns;		/* per worker */
	int idle_seconds;
	bool plain, log, status;
	struct ktls_params *params;
};

/* What a connection waits for. Each state has its list, oldest first. */
enum conn_state {
	CONN_FRESH,		/* accepted: the first byte, before a handshake costs anything */
	CONN_BUSY,		/* too many handshakes are pending: another try */
	CONN_HANDSHAKE,
	CONN_IDLE,		/* a request */
	CONN_HEAD,		/* the rest of a request */
	CONN_WRITE,		/* room for more of the answer */
	CONN_LINGER,		/* the peer to have read all and close */
	CONN_STATES
};

/* Answer in memory: head, and body if it isn't a file. */
struct answer {
	size_t len, at;
	char data[6144];
};

struct conn {
	struct conn *prev, *next;
	struct worker *worker;
	time_t since;			/* of its state, or of progress in it */
	enum conn_state state;
	uint32_t events;
	int fd;
	int file;			/* -1: none */
	off_t file_at;
	uint64_t file_left;
	bool keep_alive;
	char *in;			/* HTTP_MAX_HEAD bytes, or NULL while nothing is there */
	size_t in_len;
	struct answer *answer;		/* NULL between answers */
};

struct conn_list {
	struct conn *first, *last;
};

struct worker {
	const struct options *opt;
	int epoll, listener, stop;	/* stop: eventfd */
	struct conn_list lists[CONN_STATES];
	unsigned int num;
	time_t now;			/* monotonic seconds, once per turn */
	time_t rest;			/* the second in which descriptors ran out */
	bool accepting, stopping;
};

/* worker.c */
void *worker_run(void *worker);
void worker_enlist(struct worker *w, struct conn *c);	/* at the end of its state's list */
void worker_delist(struct worker *w, struct conn *c);

/* conn.c */
int conn_new(struct worker *w, int fd);			/* takes the descriptor */
void conn_free(struct conn *c);
void conn_ready(struct conn *c, uint32_t events);	/* may free it */
void conn_retry(struct conn *c);			/* CONN_BUSY: ask again */
int conn_seconds(const struct worker *w, enum conn_state state);

/* respond.c: fill in answer, file, keep_alive. 0 or -ENOMEM. */
int respond(struct conn *c, const struct http_request *req);
int respond_error(struct conn *c, int status);

/* file.c */
struct file {
	int fd;
	uint64_t size;
	time_t mtime;
	const char *type;
	char tag[HTTP_MAX_TAG];
};

/* Open what @path names below @root. Return: 200 and *file, 301 for a directory, or an error's status. */
int file_open(int root, const char *path, struct file *file);

/* status.c: JSON about a connection (-1: plain) and the module. Return: its bytes. */
size_t status_print(int fd, char *buf, size_t size);

#endif
