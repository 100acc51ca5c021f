/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktls-serve: static files over HTTPS.
 *
 * main.c	options, listeners, threads, signals
 * worker.c	one thread: its connections and their time limits
 * conn.c	one connection: a state, and what comes next
 * epoll.c	engine: what is ready is read and written, files by sendfile()
 * uring.c	engine: what io_uring has read and written; write.c its answers
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
#define ANSWER_ROOM	6144		/* an answer has so many bytes at least */

struct options {
	const char *bind, *port, *root_path;
	int root;			/* O_PATH of root_path */
	unsigned int threads;
	unsigned int max_conns;		/* per worker */
	int idle_seconds;
	bool plain, log, status;
	const struct engine *engine;
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
	CONN_GONE,		/* closed: what the kernel still has of it */
	CONN_STATES
};

/* Answer in memory: head, and body if it isn't a file. The engine makes them. */
struct answer {
	size_t len, at, size;
	struct conn *conn;
	struct answer *next;		/* among those that are free */
	unsigned int notifications;	/* until they came the kernel reads data */
	int slot;			/* of the registered buffers, -1: malloc() */
	char data[];
};

struct conn {
	struct conn *prev, *next;
	struct worker *worker;
	time_t since;			/* of its state, or of progress in it */
	enum conn_state state;
	int fd;
	int file;			/* -1: none */
	off_t file_at;
	uint64_t file_left;
	bool keep_alive;
	char *in;			/* NULL while nothing is there */
	size_t in_len, in_size;
	struct answer *answer;		/* NULL between answers */
	union {
		struct {
			uint32_t events;
		} epoll;
		struct {
			uint8_t flying;		/* pieces of the answer that are under way */
			bool polling, receiving, over, full, no_zc;
			int err;
			unsigned int refs;	/* completions to come */
			int pipe[2], piped;	/* bytes in it */
		} uring;
	};
};

struct conn_list {
	struct conn *first, *last;
};

struct worker {
	const struct options *opt;
	const struct engine *engine;
	int listener, stop;		/* stop: eventfd */
	union {
		int epoll;
		struct ring *ring;
	};
	struct conn_list lists[CONN_STATES];
	unsigned int num;		/* not counting CONN_GONE */
	time_t now;			/* monotonic seconds, once per turn */
	time_t rest;			/* the second in which descriptors ran out */
	bool accepting, stopping;
};

/*
 * How a worker waits, reads and writes. Functions that return int: 0 or
 * -errno, if nothing else is said.
 */
struct engine {
	const char *name;
	int (*open)(struct worker *w);
	void (*close)(struct worker *w);
	int (*turn)(struct worker *w, int ms);	/* wait so long (-1: for ever), do what there is to do */
	void (*listen)(struct worker *w, bool on);

	int (*attach)(struct conn *c);
	int (*arm)(struct conn *c);		/* wait for what the state waits for */
	int (*handshake)(struct conn *c);	/* ktls_server() */
	int (*write)(struct conn *c);		/* 0: the answer is out; 1: later conn_answered() */
	void (*detach)(struct conn *c);		/* closes, now or later, and calls conn_release() */

	struct answer *(*answer_new)(struct conn *c);
	void (*answer_free)(struct worker *w, struct answer *a);
};

extern const struct engine engine_epoll, engine_uring;

/* worker.c */
void *worker_run(void *worker);
void worker_tick(struct worker *w);			/* the time, after having waited */
void worker_stop(struct worker *w);			/* the eventfd spoke */
void worker_accepted(struct worker *w, int fd);		/* takes the descriptor */
void worker_rest(struct worker *w);			/* no descriptors: accept nothing for a second */
bool worker_full(const struct worker *w);
void worker_enlist(struct worker *w, struct conn *c);	/* at the end of its state's list */
void worker_delist(struct worker *w, struct conn *c);

/* conn.c. Those that return int want the connection closed if it isn't 0. */
int conn_new(struct worker *w, int fd);			/* takes the descriptor */
void conn_free(struct conn *c);
void conn_release(struct conn *c);			/* the memory; what it holds is closed */
int conn_seconds(const struct worker *w, enum conn_state state);
void conn_retry(struct conn *c);			/* CONN_BUSY: ask again */
void conn_progress(struct conn *c);			/* its time limit begins anew */
int conn_handshake(struct conn *c, bool hangup);	/* CONN_FRESH, CONN_HANDSHAKE: it is ready */
char *conn_room(struct conn *c, size_t len);		/* for input behind in_len; NULL: no memory */
int conn_input(struct conn *c, size_t len);		/* so much was put there */
int conn_answered(struct conn *c);			/* the answer is out */
void conn_after(struct conn *c, int err);		/* an event: what to wait for next, or the end */

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
