/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker's event loop: channels, the keeper, and what pends in the kernel. */
#ifndef LOOP_H
#define LOOP_H
#include "conn.h"

struct loop {
	struct conn_env env;
	struct netlink nl;
	bool joined;			/* nl serves */
	struct relay *relay;		/* NULL: no */
	int epoll, keeper;
	struct conn **conns;		/* by slot; config->handshakes of them */
	uint32_t *free_slots;
	uint32_t free_num, slots;
	uint64_t serial;		/* of conns, in their request number */
	uint64_t next_tick, next_deadline;	/* ms */
	bool pending;			/* something may pend: ACCEPT until EAGAIN */
	bool retiring;			/* take nothing new; end with the last conn */
	bool blocked;			/* the keeper's socket was full */
	struct msg_counters told;	/* what the keeper knows */
	int over;			/* 0: go on; -errno: what ended it */
};

/* @l->nl joined; @keeper connected. 0 or -errno. */
int loop_init(struct loop *l, const struct config *config, int keeper);
/* Serves until retired (0), or the keeper or the module is gone (-errno). */
int loop_run(struct loop *l);

#endif
