/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records after the handshake where the kernel doesn't do them: the relay's,
 * and those of programs for tests. No I/O: a record goes in, and what it
 * carries comes out, whole handshake messages among it. 0, or the alert to send.
 */
#ifndef AFTER_H
#define AFTER_H
#include "handshake/buf.h"
#include "handshake/protect.h"

struct after {
	uint16_t version;
	const struct crypto_aead *aead;
	const struct crypto_hash *hash;
	struct hs_traffic tx, rx;
	struct gbuf part;	/* of handshake messages that have not all come */
	size_t taken;		/* of them, given out by after_message() */
	uint64_t records, updates;
	uint16_t tx_limit, rx_limit;	/* as hs_result has them */
	uint16_t pad;		/* TLS 1.3: what goes out is filled up to a multiple of it; 0: it isn't */
};

/* From the keys of a handshake; pad is the caller's to set. after_free() wipes. */
void after_init(struct after *a, const struct hs_result *r);
void after_free(struct after *a);

/* Bytes that a record to the peer carries at most. */
size_t after_max(const struct after *a);
/* At most after_max() bytes; @to has room for header, as many and RECORD_OVERHEAD more. */
size_t after_seal(struct after *a, uint8_t type, const void *p, size_t len, uint8_t *to);
/* The record's length behind its header. */
int after_header(const struct after *a, const uint8_t header[RECORD_HEADER], size_t *ret_len);
/*
 * @plain has room for the record. Messages are kept (@ret_len is 0 then): take them all by
 * after_message() before the next record. -ENOMEM.
 */
int after_open(struct after *a, const uint8_t *record, uint8_t *plain, uint8_t *ret_type, size_t *ret_len);
/* The next whole message, valid until the next call; NULL: none has come. */
const uint8_t *after_message(struct after *a, size_t *ret_len);
/* The peer's KeyUpdate: reading goes on under its next key. */
int after_updated(struct after *a, const uint8_t *message, size_t len, bool *ret_asked);

#endif
