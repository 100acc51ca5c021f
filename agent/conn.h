/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One handshake upcall: its channel, its struct hs, and how it ends. What
 * conn needs of the outside - netlink, keeper - are calls of struct conn_env,
 * so that a test is the outside.
 */
#ifndef CONN_H
#define CONN_H
#include "config.h"
#include "message.h"
#include "netlink.h"

struct conn_env {
	const struct config *config;
	void *arg;
	int (*respond)(void *arg, const struct reply *reply);
	/* Ask for a signature; conn_signed() brings it. 0, or -EAGAIN: call again by conn_step(). */
	int (*sign)(void *arg, uint64_t request, uint64_t deadline, const struct hs_sign *sign);
	void (*failed)(void *arg, const struct msg_failure *failure);
	/* Ask the keeper for a ticket, or give it one; conn_ticket() brings it. Both may be NULL. 0 or -errno. */
	int (*ticket_get)(void *arg, uint64_t request, const uint8_t store_key[HS_CONTEXT]);
	/* Ask whether early data came with this ticket before; conn_fresh() brings it. May be NULL. 0 or -errno. */
	int (*fresh)(void *arg, uint64_t request, const uint8_t id[32]);
	void (*ticket_put)(void *arg, const struct msg_ticket_put *m);
	/* Ask for what a catalog has; conn_identity() brings it. As sign(). NULL, and no cache: there are none. */
	int (*identity_get)(void *arg, const struct msg_identity_get *m);
	struct cache *cache;
	struct hs_ticket_keys ticket_keys;	/* the keeper's newest */
	struct session_slot *sessions;	/* shared with the other workers; may be NULL */
	size_t sessions_num;
	int key_log;			/* descriptor, if config->key_log; 0: none */
	struct { uint64_t accepted, done, resumed, failed, other; } count;
};

/* The application's wishes, copied out of the upcall. */
struct conn_wish {
	char server_name[HS_MAX_NAME], identity[64], trust[64], psk[64];
	bool has_name, has_identity, has_trust, has_psk, peer_chain, post_auth;
	uint32_t client_auth;
	uint8_t alpn[KTLS_MAX_PARAM];
	uint8_t early[KTLS_MAX_PARAM];	/* a client's, to go with its hello */
	size_t early_len;
	uint32_t early_max;		/* a server's bound */
	size_t alpn_len;
	uint16_t ciphers[CONFIG_LIST];
	size_t ciphers_num;
};

/* What catalogs have for the name that the client asks for. */
struct lookups {
	bool begun;
	enum lookup { LOOKUP_DONE, LOOKUP_TO_ASK, LOOKUP_ASKED } state[CATALOGS_MAX];
	struct cached *found[CATALOGS_MAX];	/* held */
	const struct site *sites[CATALOGS_MAX];	/* those, without gaps */
	size_t num;
	char name[CATALOG_NAME];
};

struct conn {
	struct conn_env *env;
	struct hs *hs;
	struct post *post;		/* no handshake, but authentication after one: post.c */
	int fd;				/* the channel; owned; -1: none */
	uint32_t events;		/* EPOLLIN, EPOLLOUT: what conn_step() waits for */
	uint32_t armed;			/* the loop's: what epoll was told */
	uint64_t request;		/* names this conn to the keeper; the loop's number */
	uint64_t id, cookie;
	uint64_t opened, deadline;	/* ms of CLOCK_MONOTONIC */
	uint32_t role, uid;
	int denied;			/* -errno of policy: the engine will refuse */
	int broken;			/* -errno of the channel's writing end */
	bool signing;			/* asked for, not yet there */
	bool fetching;			/* a ticket: likewise */
	bool comparing;			/* early data with what came before: likewise */
	bool keeps_tickets;
	uint8_t store_key[HS_CONTEXT];	/* of the tickets that it keeps */
	struct hs_ticket *ticket;	/* to resume by; owned */
	char peer[MSG_PEER];
	struct hs_params params;
	struct choice choice;
	struct caller who;
	struct conn_wish wish;
	struct lookups lookups;
};

/*
 * Take a handshake upcall over, with its channel. NULL: it is answered
 * already, by a refusal. @now in ms.
 */
struct conn *conn_open(struct conn_env *env, const struct upcall *up, uint64_t request,
		       uint64_t now);
/* Go on as far as the channel allows, within a bound. False: answered; conn_free() it. */
bool conn_step(struct conn *c, uint64_t now);
/* The keeper's answer. False as above. */
bool conn_signed(struct conn *c, const struct msg_signed *m, uint64_t now);
bool conn_ticket(struct conn *c, const struct msg_ticket *m, uint64_t now);
bool conn_fresh(struct conn *c, const struct msg_fresh *m, uint64_t now);
bool conn_identity(struct conn *c, const struct msg_identity *m, uint64_t now);
/* The deadline has passed: tell peer and application. */
void conn_expire(struct conn *c, uint64_t now);
/* The channel hung up while nothing was awaited from it. */
void conn_hangup(struct conn *c, uint64_t now);
void conn_free(struct conn *c);
/* For post.c: without channel and parameters; NULL: no memory. */
struct conn *conn_make(struct conn_env *env, const struct upcall *up, uint64_t request, uint64_t now);
void conn_ask_signature(struct conn *c);	/* or hs_abort() */
int conn_errno(int alert, enum hs_alert_from from);	/* what the application gets */

/* wish.c: read KTLS_P_* attributes; 0 or -EINVAL and @why. */
int wish_read(struct conn_wish *w, const uint8_t *param, size_t len, char why[POLICY_WHY]);
/* want.c: fill c->params. want_all: 0, or -errno of policy and a sentence in c->choice.why. */
int want_all(struct conn *c, const struct upcall *up);
void want_params(struct conn *c);
uint64_t conn_clock(void);	/* the time of day that params.now is taken from: ms since the epoch */
/* lookup.c: hs_params.prepare */
bool lookup_prepare(void *arg, const char *server_name);
void lookup_ask(struct conn *c);	/* what could not be asked at once */
bool lookup_take(struct conn *c, const struct msg_identity *m);	/* true: nothing is missing now */
void lookup_free(struct conn *c);
/* info.c: KTLS_I_* of a finished handshake; bytes written, what doesn't fit left out. */
size_t info_write(const struct conn *c, const struct hs_result *r, uint8_t *buf, size_t size);
/* What becomes of it: KTLS_I_POST_AUTH, and with a result whose certificate that was. */
enum info_post_auth { INFO_POST_ABLE = 1, INFO_POST_ASKED, INFO_POST_SHOWN, INFO_POST_NONE };
size_t info_post_auth(enum info_post_auth what, const struct hs_result *r, bool chain, uint8_t *buf, size_t size);
/* "[address]:port" */
void peer_name(const struct sockaddr_storage *peer, char buf[MSG_PEER]);
/* "EPROTO" for 71 and -71 */
const char *errno_name(int err);

/* session.c: an upcall of an open session. NULL: it is answered; else a conn that waits for a signature. */
struct conn *session_upcall(struct conn_env *env, const struct upcall *up, uint64_t request, uint64_t now);
/* End a session: alert to the peer, @err and @why to the application. */
void session_refuse(const struct conn *c, int err, int alert, const char *why);

/* post.c: authentication after the handshake. */
struct state;
/* May this session have any? */
bool post_able(const struct conn *c, const struct hs_result *r);
void post_fill_state(const struct conn *c, const struct hs_result *r, struct state *s);
/* Is this record a part of it? Then post_open() is for it. As session_upcall(). */
bool post_concerns(const struct state *s, const struct upcall *up);
struct conn *post_open(struct conn_env *env, const struct upcall *up, const struct state *s, uint64_t request,
		       uint64_t now);
bool post_step(struct conn *c);	/* as conn_step() */
void post_free(struct post *p);
/*
 * The server's request, as a record into @buf: its length, and @s remembers it; or -errno and @why.
 */
int post_request(struct conn_env *env, struct state *s, uint8_t *buf, size_t size, const char **why);

#endif
