/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's end of the netlink family "ktls". One socket has joined and
 * speaks in requests and answers; another hears that something is pending.
 */
#ifndef NETLINK_H
#define NETLINK_H
#include <linux/ktls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "handshake/hs.h"

struct nl_sock;

struct netlink {
	struct nl_sock *ask, *hear;
	int family;
	uint8_t *buf;		/* of NETLINK_BUF bytes: the last answer */
};

#define NETLINK_BUF	65536

/* What ACCEPT gave. Pointers lead into the netlink's buffer: good until its next call. */
struct upcall {
	uint64_t id, cookie, cgroup;
	enum ktls_why why;
	enum ktls_role role;
	int channel;			/* -1: none */
	uint32_t timeout;		/* ms */
	uint32_t uid, gid, pid;
	struct sockaddr_storage peer;
	const uint8_t *param, *state, *record;
	size_t param_len, state_len, record_len;
	uint8_t record_type;
	uint32_t tx_generation, rx_generation;
};

struct reply_record { uint8_t type; const void *data; size_t len; };

/* What RESPOND says. Absent parts are NULL or 0. */
struct reply {
	uint64_t id;
	int err;			/* 0 or -errno */
	int alert;			/* -1: none */
	enum ktls_alert_from from;
	const char *reason;
	const struct crypto_aead *aead;	/* of the keys that follow */
	uint16_t version;
	const struct hs_traffic *tx, *rx, *tx_next, *rx_next;
	size_t tx_nexts, rx_nexts;	/* spares, at tx_next and rx_next */
	const uint8_t *state, *info;
	size_t state_len, info_len;
	uint16_t tx_limit, rx_limit, tx_pad;
	struct reply_record record;	/* len 0: none; as many records as it takes */
	enum ktls_post_auth post_auth;
	bool has_generation;		/* it holds for this generation of tx only */
	uint32_t tx_generation;
};

/*
 * Find the family, join, and hear the group. 0; -ENOENT: the module isn't
 * loaded; -EPERM: without CAP_NET_ADMIN; -errno.
 */
int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);
/* 0; -ENOENT: the module isn't loaded; -errno. */
int netlink_probe(void);

/* 0; -EAGAIN: nothing pends; -errno: this socket serves no longer. */
int netlink_accept(struct netlink *nl, struct upcall *up);
/* 0 or what the module said: -ENOENT, the upcall is over. Wipes every copy that it made. */
int netlink_respond(struct netlink *nl, const struct reply *reply);
/* Becomes readable when something is pending; netlink_heard() reads all of it away. */
int netlink_fd(const struct netlink *nl);
void netlink_heard(struct netlink *nl);

#endif
