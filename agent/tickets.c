/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticket keys live in the keeper so that all workers have the same, and a
 * worker that starts again still opens what it gave. A client's ticket is
 * handed out once: used twice, it would let an observer link connections
 * (RFC 9846 C.4). What is in a ticket the keeper does not look at.
 */
#include "tickets.h"
#include <stdlib.h>
#include <string.h>
#include "handshake/replay.h"
#include "rng/rng.h"

#define PER_KEY 4
#define REPLAY_ROOM 16384	/* early data taken in a REPLAY_PERIOD, at most */

struct stored {
	uint8_t key[HS_CONTEXT];
	struct hs_ticket ticket;
};

struct ticket_store {
	size_t num, room;
	struct stored *one[];
};

void tickets_rotate(struct tickets *t, uint64_t now_ms, uint32_t lifetime)
{
	struct hs_ticket_keys *k = &t->keys.keys;

	if (t->generation && now_ms < t->next)
		return;
	t->keys.type = MSG_TICKET_KEYS;
	k->key[1] = k->key[0];
	k->num = t->generation ? 2 : 1;
	rng_fill(RNG_NONCE, k->key[0].name, sizeof(k->key[0].name));
	rng_fill(RNG_KEY, k->key[0].key, sizeof(k->key[0].key));
	t->generation++;
	t->epoch = 0;
	if (t->shared)
		t->shared--;
	t->next = now_ms + lifetime * 1000ULL;
}

static void derive(const uint8_t secret[32], const char *what, uint64_t epoch, uint8_t *out, size_t len)
{
	uint8_t label[32] = { 0 }, digest[32];
	int i;

	memcpy(label, what, strlen(what));
	for (i = 0; i < 8; i++)
		label[24 + i] = (uint8_t)(epoch >> (56 - 8 * i));
	crypto_hmac(&crypto_sha256, secret, 32, label, sizeof(label), digest);
	memcpy(out, digest, len);
	crypto_wipe(digest, sizeof(digest));
}

void tickets_derive(struct tickets *t, const uint8_t secret[32], uint64_t now, uint32_t lifetime)
{
	struct hs_ticket_keys *k = &t->keys.keys;
	uint64_t epoch = now / lifetime, at;
	uint8_t id[sizeof(t->secret_id)];
	size_t i;

	derive(secret, "ktls ticket secret", 0, id, sizeof(id));
	if (t->epoch == epoch && !memcmp(id, t->secret_id, sizeof(id)))
		return;
	t->keys.type = MSG_TICKET_KEYS;
	for (i = 0; i < 3; i++) {	/* seals; before; after */
		at = i == 2 ? epoch + 1 : epoch - i;
		derive(secret, "ktls ticket name", at, k->key[i].name, sizeof(k->key[i].name));
		derive(secret, "ktls ticket key", at, k->key[i].key, sizeof(k->key[i].key));
	}
	k->num = 3;
	t->generation++;
	t->epoch = epoch;
	t->shared = 2;
	t->next = 0;
	memcpy(t->secret_id, id, sizeof(id));
}

static void drop(struct ticket_store *s, size_t i)
{
	crypto_wipe(s->one[i], sizeof(*s->one[i]));
	free(s->one[i]);
	s->num--;
	memmove(&s->one[i], &s->one[i + 1], (s->num - i) * sizeof(s->one[0]));
}

static struct ticket_store *make_room(struct tickets *t, size_t max)
{
	struct ticket_store *s = t->store;

	if (!s || s->room < max) {
		s = realloc(s, sizeof(*s) + max * sizeof(s->one[0]));
		if (!s)
			return NULL;
		if (!t->store)
			s->num = 0;
		s->room = max;
		t->store = s;
	}
	while (s->num >= max)
		drop(s, 0);	/* the oldest */
	return s;
}

/* Of one key the oldest goes, so that one server can't push out all others. */
static void bound_key(struct ticket_store *s, const uint8_t *key)
{
	size_t i, first = 0, same = 0;

	for (i = s->num; i-- > 0; )
		if (!memcmp(s->one[i]->key, key, HS_CONTEXT)) {
			first = i;
			same++;
		}
	if (same >= PER_KEY)
		drop(s, first);
}

void tickets_put(struct tickets *t, const struct msg_ticket_put *m, size_t max)
{
	struct ticket_store *s;
	struct stored *new;

	if (!max || m->ticket.len > HS_MAX_TICKET || m->ticket.lifetime > HS_WEEK)
		return;
	if (t->store)
		bound_key(t->store, m->store_key);
	s = make_room(t, max);
	new = s ? malloc(sizeof(*new)) : NULL;
	if (!new)
		return;
	memcpy(new->key, m->store_key, sizeof(new->key));
	new->ticket = m->ticket;
	s->one[s->num++] = new;
}

static bool good(const struct hs_ticket *t, uint64_t now)
{
	uint64_t received = t->received / 1000;

	return received <= now && now - received < t->lifetime;
}

void tickets_get(struct tickets *t, const struct msg_ticket_get *m, uint64_t now, struct msg_ticket *ret)
{
	struct ticket_store *s = t->store;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->type = MSG_TICKET;
	ret->id = m->id;
	for (i = s ? s->num : 0; i-- > 0 && !ret->found; ) {
		if (memcmp(s->one[i]->key, m->store_key, HS_CONTEXT))
			continue;
		ret->found = good(&s->one[i]->ticket, now);
		if (ret->found)
			ret->ticket = s->one[i]->ticket;
		drop(s, i);
	}
}

void tickets_fresh(struct tickets *t, const struct msg_fresh_ask *m, uint64_t now, bool common, struct msg_fresh *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->type = MSG_FRESH;
	ret->id = m->id;
	if (t->shared && !common)
		return;
	/* Keys of our own are no older than this process, and so is no ticket that they open. */
	if (!t->replay)
		t->replay = replay_new(REPLAY_ROOM, 0);
	ret->first = t->replay && replay_first(t->replay, m->ticket, now);
}

size_t tickets_stored(const struct tickets *t)
{
	return t->store ? t->store->num : 0;
}

void tickets_free(struct tickets *t)
{
	while (t->store && t->store->num)
		drop(t->store, t->store->num - 1);
	free(t->store);
	replay_free(t->replay);
	crypto_wipe(t, sizeof(*t));
}
