/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An agent for tests: speaks the netlink family "ktls" and nothing of TLS.
 * One struct agent is one netlink socket, used by one thread. Calls return 0
 * or -errno, with the kernel's words in agent.words.
 */
#ifndef KERNEL_AGENT_H
#define KERNEL_AGENT_H

#include <linux/ktls.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

/* A request under construction. */
struct message {
	uint8_t		bytes[128 << 10];
	size_t		len;
};

struct agent {
	int		fd;
	uint16_t	family;
	uint32_t	group;		/* the multicast group "agent" */
	uint32_t	seq;
	char		words[256];	/* extack of the last failure */
};

/* What ACCEPT gave. */
struct upcall {
	uint64_t	id, cookie, cgroup;
	uint32_t	why, role, timeout, uid, gid, pid;
	uint32_t	tx_generation, rx_generation;
	int		channel;	/* -1: none */
	struct sockaddr_storage local, peer;
	uint8_t		param[KTLS_MAX_PARAM];
	size_t		param_len;
	uint8_t		state[KTLS_MAX_STATE];
	size_t		state_len;
	uint8_t		record_type;
	uint8_t		record[KTLS_MAX_RECORD];
	size_t		record_len;
	uint32_t	present;	/* bit per KTLS_A_* that was there */
};

/* Traffic keys as RESPOND has them. */
struct key {
	uint16_t	version, cipher;
	uint8_t		key[KTLS_MAX_KEY];
	size_t		key_len;
	uint8_t		iv[KTLS_IV_SIZE];
	uint64_t	seq;
};

void message_start(struct message *m, const struct agent *a, uint8_t cmd, uint16_t flags);
void message_put(struct message *m, uint16_t type, const void *data, size_t len);
void message_put_u16(struct message *m, uint16_t type, uint16_t value);
void message_put_u32(struct message *m, uint16_t type, uint32_t value);
void message_put_u64(struct message *m, uint16_t type, uint64_t value);
size_t message_nest(struct message *m, uint16_t type);
void message_nest_end(struct message *m, size_t nest);
void message_put_key(struct message *m, uint16_t type, const struct key *key);
void message_put_record(struct message *m, uint8_t type, const void *data, size_t len);

int agent_open(struct agent *a);
void agent_close(struct agent *a);
int agent_join(struct agent *a);
int agent_listen(struct agent *a);		/* to READY */
/* Waits up to @ms for a READY: how many are pending, or -ETIMEDOUT. */
int agent_ready(struct agent *a, int ms);
int agent_accept(struct agent *a, struct upcall *u);
int agent_accepted(struct agent *a, struct upcall *u);	/* the second half: the answer */
/* ACCEPT till there is something, up to @ms. */
int agent_wait(struct agent *a, struct upcall *u, int ms);
/* Start a RESPOND; agent_send() ends it. */
void agent_respond(struct agent *a, struct message *m, uint64_t id);
int agent_send(struct agent *a, struct message *m);
/* Its halves: what the kernel does with the message happens in the first; the answer, in @m, or -errno. */
int agent_write(struct agent *a, struct message *m);
int agent_read(struct agent *a, struct message *m);
int agent_respond_keys(struct agent *a, uint64_t id, const struct key *tx, const struct key *rx);
int agent_respond_error(struct agent *a, uint64_t id, int err, uint8_t alert, uint8_t from, const char *reason);
/* SESSION_GET: @each for every session's attributes. */
int agent_sessions(struct agent *a, void (*each)(const struct nlattr **tb, void *arg), void *arg);

#endif
