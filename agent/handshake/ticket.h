/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server seals into a ticket instead of remembering it. Only a server
 * with the same ticket key, asked in the same context, gets it back.
 */
#ifndef TICKET_H
#define TICKET_H
#include "handshake/hs.h"

struct ticket {
	uint16_t suite;
	uint64_t issued;		/* s since the epoch */
	uint32_t lifetime;		/* s */
	uint32_t age_add;		/* ms */
	uint32_t max_early;		/* bytes; 0: not for early data */
	uint8_t psk[CRYPTO_MAX_DIGEST];	/* of TLS 1.2: the master secret */
	char server_name[HS_MAX_NAME];
	uint8_t alpn[256];
	size_t alpn_len;
	char identity[HS_MAX_IDENTITY];	/* what the server presented */
	struct hs_peer peer;		/* who the client has proven to be */
};

/* Who and what the session is about; not its secret and its time. */
void ticket_describe(const struct hs_result *r, struct ticket *t);

#define TICKET_ROOM 1280		/* for any of them, sealed */

/* Bytes written; 0: there is no key, or it does not fit. */
size_t ticket_seal(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT],
		   const struct ticket *t, uint8_t *out, size_t size);
/* 0; -EBADMSG for anything but what ticket_seal() wrote in this context by a key that is left. */
int ticket_open(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT],
		const uint8_t *data, size_t len, struct ticket *ret);

#endif
