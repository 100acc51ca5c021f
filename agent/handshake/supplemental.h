/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Supplemental data, RFC 4680: a message of TLS 1.2 for data of kinds that an
 * application of the agent registers, each agreed on by a hello extension that it
 * registers too (ext_register()). Nothing is registered by default, and then
 * the message is refused as unexpected.
 */
#ifndef SUPPLEMENTAL_H
#define SUPPLEMENTAL_H
#include "handshake/engine.h"

#define SUPPLEMENTAL_MAX 4

struct supplemental {
	uint16_t type;		/* IANA's SupplementalDataType */
	uint16_t ext;		/* the extension that both have to have */
	int (*send)(struct hs *hs, struct wbuf *b);	/* the data of one entry; NULL: we have none */
	int (*recv)(struct hs *hs, struct rbuf *b);	/* all of it */
};

/* @s stays the caller's and has to last. Before the first handshake. 0, -EEXIST, -ENOSPC or -EINVAL. */
int supplemental_register(const struct supplemental *s);
void supplemental_unregister(uint16_t type);

#endif
