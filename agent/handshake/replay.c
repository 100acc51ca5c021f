// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two hash tables with open addressing: the newer one takes entries for a
 * period, then becomes the older one, which is forgotten a period later. An
 * entry is looked for in both, so it is known for one period at least.
 */
#include "handshake/replay.h"
#include <stdlib.h>
#include <string.h>

#define ID 16			/* bytes of the digest that are kept */

struct replay {
	uint64_t since, turned;	/* turned: when the newer table began */
	size_t room, slots;	/* slots: of each table, a power of two, at least 2 * room */
	size_t num[2];
	unsigned int newer;	/* which of the two it is */
	uint8_t ids[][ID];	/* of both, one table behind the other */
};

static uint8_t (*table_ids(struct replay *r, unsigned int table))[ID]
{
	return r->ids + table * r->slots;
}

static void table_clear(struct replay *r, unsigned int table)
{
	memset(table_ids(r, table), 0, r->slots * ID);
	r->num[table] = 0;
}

/* The slot that has @id, or the free one where it would be. A free slot is all zeros. */
static uint8_t *table_slot(struct replay *r, unsigned int table, const uint8_t *id)
{
	static const uint8_t none[ID];
	uint64_t at;

	memcpy(&at, id, sizeof(at));
	for (;; at++) {
		uint8_t *slot = table_ids(r, table)[at & (r->slots - 1)];

		if (!memcmp(slot, id, ID) || !memcmp(slot, none, ID))
			return slot;
	}
}

static bool table_has(struct replay *r, unsigned int table, const uint8_t *id)
{
	return !memcmp(table_slot(r, table, id), id, ID);
}

static void turn(struct replay *r, uint64_t now)
{
	uint64_t periods = (now - r->turned) / REPLAY_PERIOD;

	if (!periods)
		return;
	r->newer = !r->newer;
	table_clear(r, r->newer);
	if (periods > 1)
		table_clear(r, !r->newer);
	r->turned = now;
}

static size_t slots_for(size_t room)
{
	size_t slots = 2;

	while (slots < 2 * room)
		slots *= 2;
	return slots;
}

size_t replay_size(size_t room)
{
	return sizeof(struct replay) + 2 * slots_for(room) * ID;
}

struct replay *replay_at(void *memory, size_t room, uint64_t since)
{
	struct replay *r = memory;

	r->since = r->turned = since;
	r->room = room;
	r->slots = slots_for(room);
	return r;
}

struct replay *replay_new(size_t room, uint64_t since)
{
	void *memory = calloc(1, replay_size(room));

	return memory ? replay_at(memory, room, since) : NULL;
}

void replay_free(struct replay *r)
{
	free(r);
}

bool replay_first(struct replay *r, const uint8_t id[32], uint64_t now)
{
	static const uint8_t none[ID];

	/* A clock that was set back tells nothing. */
	if (now < r->turned || (r->since && now - r->since < REPLAY_PERIOD) || !memcmp(id, none, ID))
		return false;
	turn(r, now);
	if (table_has(r, r->newer, id) || table_has(r, !r->newer, id) || r->num[r->newer] == r->room)
		return false;
	memcpy(table_slot(r, r->newer, id), id, ID);
	r->num[r->newer]++;
	return true;
}
