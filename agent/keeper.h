/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: the first process, with the private keys and the privileges.
 * It starts workers, signs for them, and remembers what they report.
 */
#ifndef KEEPER_H
#define KEEPER_H
#include <signal.h>
#include "config.h"
#include "message.h"
#include "share.h"
#include "signers.h"
#include "tickets.h"

#define KTLSD_VERSION	"0.1"
#define FAILURES_MAX	256

struct keeper;

/* One descriptor in the keeper's epoll; the first member of what it belongs to. */
struct source {
	int fd;
	void (*ready)(struct keeper *k, struct source *s, uint32_t events);
};

enum hand_state { HAND_STARTING, HAND_READY, HAND_RETIRING, HAND_WAITING };

/* A worker, as the keeper sees it. */
struct hand {
	struct source source;		/* its socket; fd -1 while waiting */
	struct hand *next;
	struct config *config;		/* counted; its keys sign for this worker */
	enum hand_state state;
	int number;
	pid_t pid;
	uint64_t started, again, backoff;	/* ms */
	uint64_t signatures;
	struct msg_counters counters;
	union msg stalled;		/* an answer that found the socket full */
	bool is_stalled;
	struct signer_job *late;	/* signatures that did, likewise */
	unsigned int ticket_keys, staples;	/* generations that it has */
	uint64_t gone;			/* identities of catalogs that it was told to forget */
};

struct keeper {
	const char *path;
	struct config *config;		/* in force */
	struct config *coming;		/* a reload whose workers are starting; or NULL */
	int files, coming_files;	/* memfds of the two */
	struct hand *hands;
	int epoll;
	struct source signals, stock, signed_by;
	struct signers *signers;
	struct control *control;
	struct tickets tickets;
	struct share share;
	int key_log;			/* debugging; or -1 */
	int sessions;			/* memfd that workers share; or -1 */
	int relay;			/* listener for programs without the module; or -1 */
	unsigned int staples;		/* generation: renewed so often */
	uint64_t staples_next;		/* ms: when to look for newer ones */
	uint64_t started, stop_by;	/* ms; stop_by 0: not stopping */
	unsigned int reloads;
	bool reload_again, was_ready;
	int status;			/* to exit with */
	struct msg_failure failures[FAILURES_MAX];
	uint64_t failures_num;		/* ever; the ring's place is modulo */
};

/* Run with @config (taken over), until told to stop. The exit status. */
int keeper_main(const char *path, struct config *config);

uint64_t keeper_now(void);		/* ms */
int keeper_watch(struct keeper *k, struct source *s, uint32_t events);
int keeper_rewatch(struct keeper *k, struct source *s, uint32_t events);

/* hands.c: workers' processes and messages */
int hand_start(struct keeper *k, struct hand *h);	/* fork and exec; or -errno */
int hands_add(struct keeper *k, struct config *config);	/* config->workers of them */
void hands_give_keys(struct keeper *k);		/* for tickets, to those who lack the newest */
void hands_give_staples(struct keeper *k);	/* likewise */
void hands_give_signatures(struct keeper *k);	/* that threads have made */
void hands_give_gone(struct keeper *k);
void hand_retire(struct keeper *k, struct hand *h);
void hands_reap(struct keeper *k);			/* after SIGCHLD */
void hands_restart(struct keeper *k, uint64_t now);	/* those whose back-off is over */
uint64_t hands_next_start(const struct keeper *k);	/* ms; UINT64_MAX: none waits */
/* At once, those of @config; NULL: all. */
void hands_kill(struct keeper *k, const struct config *config);
/* Those of @config that have no process. */
void hands_forget_waiting(struct keeper *k, const struct config *config);

/* keeper.c, told by hands.c */
void keeper_hand_ready(struct keeper *k, struct hand *h);
/* A worker of a configuration that is not in force yet died. */
void keeper_hand_failed(struct keeper *k, struct hand *h, const char *how);

#endif
