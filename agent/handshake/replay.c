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

struct table { uint8_t (*ids)[ID]; size_t num; };

struct replay {
	uint64_t since, turned;	/* turned: when the newer table began */
	size_t room, slots;	/* slots: a power of two, at least 2 * room */
	struct table newer, older;
};

static void table_clear(const struct replay *r, struct table *t)
{
	memset(t->ids, 0, r->slots * sizeof(t->ids[0]));
	t->num = 0;
}

/* The slot that has @id, or the free one where it would be. A free slot is all zeros. */
static uint8_t *table_slot(const struct replay *r, const struct table *t, const uint8_t *id)
{
	static const uint8_t none[ID];
	uint64_t at;

	memcpy(&at, id, sizeof(at));
	for (;; at++) {
		uint8_t *slot = t->ids[at & (r->slots - 1)];

		if (!memcmp(slot, id, ID) || !memcmp(slot, none, ID))
			return slot;
	}
}

static bool table_has(const struct replay *r, const struct table *t, const uint8_t *id)
{
	return !memcmp(table_slot(r, t, id), id, ID);
}

static void turn(struct replay *r, uint64_t now)
{
	uint64_t periods = (now - r->turned) / REPLAY_PERIOD;
	struct table old = r->older;

	if (!periods)
		return;
	r->older = r->newer;
	r->newer = old;
	table_clear(r, &r->newer);
	if (periods > 1)
		table_clear(r, &r->older);
	r->turned = now;
}

struct replay *replay_new(size_t room, uint64_t since)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->since = r->turned = since;
	r->room = room;
	for (r->slots = 2; r->slots < 2 * room; r->slots *= 2)
		;
	r->newer.ids = calloc(r->slots, ID);
	r->older.ids = calloc(r->slots, ID);
	if (r->newer.ids && r->older.ids)
		return r;
	replay_free(r);
	return NULL;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	free(r->newer.ids);
	free(r->older.ids);
	free(r);
}

bool replay_first(struct replay *r, const uint8_t id[32], uint64_t now)
{
	static const uint8_t none[ID];

	/* A clock that was set back tells nothing. */
	if (now < r->turned || (r->since && now - r->since < REPLAY_PERIOD) || !memcmp(id, none, ID))
		return false;
	turn(r, now);
	if (table_has(r, &r->newer, id) || table_has(r, &r->older, id) || r->newer.num == r->room)
		return false;
	memcpy(table_slot(r, &r->newer, id), id, ID);
	r->newer.num++;
	return true;
}
