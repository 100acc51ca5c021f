// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: tickets. As a client brings one (nobody guesses the key), what
 * would be inside if somebody had it, and NewSessionTicket of a server.
 */
#include <stdlib.h>
#include <string.h>
#include "handshake/hs.h"
#define ticket_seal inner_seal
#define ticket_open inner_open
#define ticket_describe inner_describe
#include "../../agent/handshake/ticket.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void inside(const uint8_t *data, size_t len)
{
	struct rbuf b = { data, data + len };
	struct ticket t = { 0 };

	if (!read_all(&b, &t))
		return;
	if (!suite_by_id(t.suite) || !memchr(t.server_name, '\0', sizeof(t.server_name)) ||
	    !memchr(t.identity, '\0', sizeof(t.identity)) || !memchr(t.peer.name, '\0', sizeof(t.peer.name)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct hs_ticket_keys keys = { .num = 1 };
	static const uint8_t context[HS_CONTEXT], secret[CRYPTO_MAX_DIGEST];
	struct hs_ticket got;
	struct ticket t;

	if (!len)
		return 0;
	switch (data[0] % 3) {
	case 0:
		if (!inner_open(&keys, context, data + 1, len - 1, &t))
			abort();
		break;
	case 1:
		inside(data + 1, len - 1);
		break;
	default:
		if (!hs_ticket_read(0x1301, secret, 1700000000, data + 1, len - 1, &got) &&
		    (got.len > sizeof(got.data) || !got.len))
			abort();
	}
	return 0;
}
