/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's threads for signatures that take long: RSA and the larger curves
 * in one set, tokens in another, so that neither waits for the other and the
 * keeper's loop waits for none. They start with the first signature for them.
 */
#ifndef SIGNERS_H
#define SIGNERS_H
#include "sign.h"

#define SIGNERS_MAX	64
#define SIGNERS_QUEUE	1024		/* jobs that a set has waiting */

struct signers;

/* One signature. The caller's: it is made and freed by one thread only. */
struct signer_job {
	struct signer_job *next;	/* of a queue */
	struct signer_job *later, *earlier;	/* of all that are not back yet */
	void *asker;			/* NULL: has gone */
	struct config *config;		/* counted */
	struct sign_work work;		/* its site is held */
	uint64_t deadline;		/* ms: not begun any more */
	struct msg_signed out;
	uint8_t tbs[];
};

/* @threads for each set; @now tells the time in ms. NULL: no memory. */
struct signers *signers_new(unsigned int threads, uint64_t (*now)(void));
/* Ends the threads, and frees what is not back. False: one hangs in a token; nothing may be freed then; try again. */
bool signers_free(struct signers *s);
int signers_fd(const struct signers *s);	/* readable: something is done */
/* Does this work belong here? What is quick is done faster than handed over. */
bool signers_want(const struct sign_work *w);
/*
 * 0; -EBUSY: the queue is full; or -errno. The work's site is held and @config counted
 * until signers_end().
 */
int signers_submit(struct signers *s, void *asker, struct config *config, const struct sign_work *w,
		   const struct msg_sign *m, const uint8_t *tbs);
/* The next one that is done, or NULL. */
struct signer_job *signers_take(struct signers *s);
void signers_end(struct signer_job *job);
/* @asker takes no answers any more. */
void signers_forget(struct signers *s, const void *asker);
unsigned int signers_waiting(struct signers *s);

#endif
