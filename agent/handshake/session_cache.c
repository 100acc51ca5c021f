// SPDX-License-Identifier: GPL-2.0-or-later
/* See session_cache.h. Ids are random and of our own making: their first bytes are as good as a hash. */
#include "handshake/session_cache.h"
#include <string.h>

static size_t slot_of(const uint8_t *id, size_t num)
{
	uint32_t n;

	memcpy(&n, id, sizeof(n));
	return n % num;
}

void session_cache_put(struct session_slot *slots, size_t num, const uint8_t id[SESSION_CACHE_ID],
		       const uint8_t *data, size_t len)
{
	struct session_slot *s;

	if (!num || !len || len > TICKET_ROOM)
		return;
	s = &slots[slot_of(id, num)];
	memcpy(s->id, id, SESSION_CACHE_ID);
	memcpy(s->data, data, len);
	s->len = (uint32_t)len;
}

size_t session_cache_get(const struct session_slot *slots, size_t num, const uint8_t *id, size_t id_len,
			 uint8_t out[TICKET_ROOM])
{
	const struct session_slot *s;
	size_t len;

	if (!num || id_len != SESSION_CACHE_ID)
		return 0;
	s = &slots[slot_of(id, num)];
	len = *(const volatile uint32_t *)&s->len;	/* once: another process may write it */
	if (len > TICKET_ROOM || memcmp(s->id, id, SESSION_CACHE_ID))
		return 0;
	memcpy(out, s->data, len);
	return len;
}
