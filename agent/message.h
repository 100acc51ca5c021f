/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeper and worker say to each other: one fixed-size struct per
 * packet of a SOCK_SEQPACKET pair. The first word tells which; a packet of
 * another size is refused. The keeper trusts no field of a worker's message.
 */
#ifndef MESSAGE_H
#define MESSAGE_H
#include <stddef.h>
#include <stdint.h>
#include "crypto/crypto.h"
#include "handshake/hs.h"
#include "catalog.h"
#include "staple.h"

#define MSG_PEER	64		/* "[address]:port" */
#define MSG_REASON	256

enum msg_type {
	MSG_READY = 1,	/* worker: joined, unprivileged, serving */
	MSG_SIGN,	/* worker: a handshake is to be signed */
	MSG_SIGN_LONG,	/* worker: likewise, with more to sign */
	MSG_SIGNED,	/* keeper: the answer to both */
	MSG_COUNTERS,	/* worker, once a second when something changed */
	MSG_FAILURE,	/* worker: a handshake failed */
	MSG_RETIRE,	/* keeper: take nothing new, finish, exit */
	MSG_TICKET_KEYS,	/* keeper: what seals tickets from now on */
	MSG_TICKET_PUT,	/* worker: a client was given a ticket */
	MSG_TICKET_GET,	/* worker: a client would use one */
	MSG_TICKET,	/* keeper: the answer to MSG_TICKET_GET */
	MSG_FRESH_ASK,	/* worker: early data came with a ticket: has any before? */
	MSG_FRESH,	/* keeper: the answer */
	MSG_STAPLE,	/* keeper: an OCSP response was renewed */
	MSG_IDENTITY_GET,	/* worker: a client asks for a name that a catalog may have */
	MSG_IDENTITY,	/* keeper: the answer */
	MSG_GONE,	/* keeper: what workers have of a catalog and holds no longer */
};

#define SIGN_DELEGATED	0x40000000u	/* in a key's number: that of the identity's delegated credential */

struct msg_plain { uint32_t type; };	/* MSG_READY, MSG_RETIRE */

struct msg_sign {
	uint32_t type;
	uint32_t key;		/* identity.key, perhaps with SIGN_DELEGATED */
	uint64_t id;
	uint64_t deadline;	/* ms of CLOCK_MONOTONIC: useless later */
	uint16_t scheme;	/* IANA SignatureScheme */
	uint16_t len;
	uint8_t tbs[HS_MAX_SIGN];
};

/* Begins as the short one does, so that both can be read by its fields. */
struct msg_sign_long {
	uint32_t type;
	uint32_t key;
	uint64_t id;
	uint64_t deadline;
	uint16_t scheme;
	uint16_t len;
	uint8_t tbs[HS_LONG_SIGN];
};
_Static_assert(offsetof(struct msg_sign, tbs) == offsetof(struct msg_sign_long, tbs), "one beginning");

struct msg_signed {
	uint32_t type;
	int32_t err;		/* 0 or -errno */
	uint64_t id;
	uint32_t len;
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
};

struct msg_counters {
	uint32_t type;
	uint32_t conns;		/* open now */
	uint64_t accepted, done, resumed, failed, other;
};

struct msg_failure {
	uint32_t type;
	uint32_t uid;
	uint64_t cookie;
	int64_t time;
	int32_t err;		/* -errno that the application got */
	int32_t alert;		/* -1: none */
	uint32_t from;		/* enum ktls_alert_from */
	uint32_t role;		/* enum ktls_role */
	char peer[MSG_PEER];
	char name[HS_MAX_NAME];
	char reason[MSG_REASON];
};

struct msg_ticket_keys {
	uint32_t type;
	struct hs_ticket_keys keys;
};

struct msg_ticket_put {
	uint32_t type;
	uint8_t store_key[HS_CONTEXT];	/* digest of all that has to be the same */
	struct hs_ticket ticket;
};

struct msg_ticket_get {
	uint32_t type;
	uint64_t id;
	uint8_t store_key[HS_CONTEXT];
};

struct msg_ticket {
	uint32_t type;
	uint32_t found;
	uint64_t id;
	struct hs_ticket ticket;
};

struct msg_fresh_ask {
	uint32_t type;
	uint64_t id;
	uint8_t ticket[32];	/* its digest */
};

struct msg_fresh {
	uint32_t type;
	uint32_t first;
	uint64_t id;
};

struct msg_staple {
	uint32_t type;
	uint32_t identity;	/* its number in the configuration */
	uint32_t len;
	uint8_t data[STAPLE_MAX];
};

struct msg_identity_get {
	uint32_t type;
	uint32_t catalog;	/* its number in the configuration */
	uint64_t id;
	char name[CATALOG_NAME];
};

struct msg_identity {
	uint32_t type;
	uint32_t catalog;
	uint64_t id;
	uint32_t key;		/* identity.key; 0: there is none */
	uint32_t len;
	char name[CATALOG_NAME];	/* that was asked for */
	char title[64];		/* identity.name */
	uint8_t chain[32768];	/* end entity first, one behind the other */
};

#define MSG_GONE_MAX	62
struct msg_gone {
	uint32_t type;
	uint32_t all;		/* whatever it is */
	uint32_t num;
	uint32_t key[MSG_GONE_MAX];
};

union msg {
	uint32_t type;
	struct msg_plain plain;
	struct msg_sign sign;
	struct msg_sign_long sign_long;
	struct msg_signed signd;
	struct msg_counters counters;
	struct msg_failure failure;
	struct msg_ticket_keys ticket_keys;
	struct msg_ticket_put ticket_put;
	struct msg_ticket_get ticket_get;
	struct msg_fresh_ask fresh_ask;
	struct msg_fresh fresh;
	struct msg_ticket ticket;
	struct msg_staple staple;
	struct msg_identity_get identity_get;
	struct msg_identity identity;
	struct msg_gone gone;
};

/* Bytes of a message of @type; 0 for an unknown type. */
size_t msg_size(uint32_t type);
/* 0, -EAGAIN, -errno. Never blocks. */
int msg_send(int fd, const void *msg);
/* 0; -EAGAIN; -EPIPE at the end; -EPROTO for what is no message. Strings come back terminated. */
int msg_recv(int fd, union msg *msg);

#endif
