/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the records of the handshake in general and in TLS 1.3 (record.c) and those of TLS 1.2 (record12.c). */
#ifndef RECORD_H
#define RECORD_H
#include "handshake/engine.h"
#include "handshake/protect.h"

#define AEAD_TAG	16	/* of every AEAD of the handshake */
#define OVERHEAD	(16 + 16 + 48)	/* IV, padding and MAC of CBC: no record of ours has more */
#define ALERT_ROOM	(RECORD_HEADER + 2 + OVERHEAD)	/* kept free in hs->out */

extern const uint8_t ccs_record[6];

/* What a record that was opened, or need not be, is: 0 for handshake bytes and for what says nothing. */
int record_content(struct hs *hs, uint8_t type, const uint8_t *p, size_t len);
int record_refuse(struct hs *hs, uint8_t type);

#endif
