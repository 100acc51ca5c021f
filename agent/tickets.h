/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's part of resumption: the keys that seal our servers' tickets,
 * replaced by time, and the tickets that our clients were given.
 */
#ifndef TICKETS_H
#define TICKETS_H
#include "message.h"

struct ticket_store;

struct tickets {
	struct msg_ticket_keys keys;	/* as workers get them */
	unsigned int generation;	/* 0: none yet */
	uint64_t next;			/* ms: when the next key is due */
	uint64_t epoch;			/* derived keys: of which; 0: they are our own */
	uint8_t secret_id[8];		/* and of which secret */
	struct ticket_store *store;
	unsigned int shared;		/* rotations until no key is left that others have, too */
	struct replay *replay;		/* of early data; NULL: none came yet */
};

/* A new key if it is time: each seals for @lifetime (s), and opens for as long again. */
void tickets_rotate(struct tickets *t, uint64_t now_ms, uint32_t lifetime);

/* The same where agents share @secret: the keys follow from it and the time (s), and each opens what an agent whose
 * clock is ahead or behind by less than @lifetime has sealed. */
void tickets_derive(struct tickets *t, const uint8_t secret[32], uint64_t now, uint32_t lifetime);

/* Keep a client's ticket; at most @max in all, and 4 for one key. Refuses silently what is out of bounds. */
void tickets_put(struct tickets *t, const struct msg_ticket_put *m, size_t max);
/* The newest for m->store_key that is still good, which is then gone; ret->found says whether. */
void tickets_get(struct tickets *t, const struct msg_ticket_get *m, uint64_t now, struct msg_ticket *ret);
/* Is this the first time that early data come with this ticket? Of keys that others share they decide: @common. */
void tickets_fresh(struct tickets *t, const struct msg_fresh_ask *m, uint64_t now, bool common, struct msg_fresh *ret);
size_t tickets_stored(const struct tickets *t);
void tickets_free(struct tickets *t);		/* wipes */

#endif
