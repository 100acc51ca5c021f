/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record under keys, as bytes: RFC 9846 5.2 and RFC 5246 6.2.3.3. The
 * sequence number moves on with each record; what a record means is the caller's.
 */
#ifndef PROTECT_H
#define PROTECT_H
#include "handshake/hs.h"

enum record_type {
	RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23,
};

#define RECORD_HEADER		5
#define RECORD_PLAINTEXT	16384
#define RECORD_OVERHEAD		256	/* of TLS 1.3; ciphers of TLS 1.2 stay below it, CBC if it pads no more than it has to */

/* The nonce of TLS 1.3, and of ChaCha20-Poly1305 in TLS 1.2. */
void record_nonce(const struct hs_traffic *t, uint8_t nonce[12]);

/*
 * @to has room for the header, @len, @zeros and RECORD_OVERHEAD, and may be RECORD_HEADER bytes in front
 * of @p where the version is TLS 1.3, which alone has @zeros behind the content. The length of the whole.
 */
size_t record_protect(struct hs_traffic *t, const struct crypto_aead *aead, uint16_t version,
		      uint8_t type, const uint8_t *p, size_t len, size_t zeros, uint8_t *to);
/* How many make @len bytes, type included, a multiple of @pad, or @limit bytes without it; 0 for a @pad of 0. */
size_t record_zeros(size_t len, size_t pad, size_t limit);
/*
 * 0 with type and length of the content at @plain, which has room for @len, the length in the
 * header; or the alert: bad_record_mac, unexpected_message for a record without a type,
 * record_overflow above 2^14 bytes.
 */
int record_unprotect(struct hs_traffic *t, const struct crypto_aead *aead, uint16_t version,
		     const uint8_t *record, size_t len, uint8_t *plain, uint8_t *ret_type, size_t *ret_len);

#endif
