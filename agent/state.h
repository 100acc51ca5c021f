/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Agent state: what the agent leaves with an open session in the kernel, and
 * gets back with each upcall of that session. The agent itself keeps nothing.
 */
#ifndef STATE_H
#define STATE_H
#include "handshake/hs.h"

/* The secret of the newest generation that was handed to the kernel, spares included. */
struct state_half {
	uint32_t generation;
	uint8_t secret[CRYPTO_MAX_DIGEST];
};

/* Authentication after the handshake, where both ends have agreed that there may be one. */
struct state_auth {
	bool on, keep_chain;
	uint32_t uid, gid;		/* who asked for the handshake: policy is asked again */
	uint64_t cgroup;
	char name[64];			/* of a server's trust store, of a client's identity */
	uint32_t generation;		/* of the client's secret in post, which is not the newest */
	struct hs_post post;
};

struct state {
	uint8_t role;			/* enum ktls_role */
	uint16_t suite;
	struct state_half tx, rx;
	uint8_t resumption[CRYPTO_MAX_DIGEST];
	char server_name[HS_MAX_NAME];
	uint8_t alpn[256];
	size_t alpn_len;
	char identity[64];
	bool keeps_tickets;		/* a client: under this key of the keeper's */
	uint8_t store_key[HS_CONTEXT];
	struct hs_peer peer;
	struct state_auth auth;
};

/* Bytes written to @buf; 0: does not fit, or the suite is not known. */
size_t state_pack(const struct state *s, uint8_t *buf, size_t size);
/* 0; -EBADMSG for anything but what state_pack() writes. */
int state_unpack(const uint8_t *data, size_t len, struct state *ret);
/* Keys of @generation, which is at most 2 past that of @half; or -ERANGE. */
int state_keys(const struct state *s, const struct state_half *half, uint32_t generation,
	       struct hs_traffic *ret);

/* The client's secret becomes that of @generation: 0, or -ERANGE. Nothing to do without auth.on. */
int state_client_secret(struct state *s, uint32_t generation);

#endif
