/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server's sessions of TLS 1.2 by their ids (RFC 5246 7.4.1.2), for clients
 * that take no ticket. Each is sealed as a ticket is, so that the memory may
 * be shared among processes without a lock: what was overwritten while it was
 * read does not open. Bounded by its number of slots; a new session takes the
 * place of whichever was in its own.
 */
#ifndef SESSION_CACHE_H
#define SESSION_CACHE_H
#include "handshake/ticket.h"

#define SESSION_CACHE_ID 32

struct session_slot {
	uint8_t id[SESSION_CACHE_ID];
	uint32_t len;
	uint8_t data[TICKET_ROOM];
};

void session_cache_put(struct session_slot *slots, size_t num, const uint8_t id[SESSION_CACHE_ID],
		       const uint8_t *data, size_t len);
/* Bytes in @out; 0: it isn't there. */
size_t session_cache_get(const struct session_slot *slots, size_t num, const uint8_t *id, size_t id_len,
			 uint8_t out[TICKET_ROOM]);

#endif
