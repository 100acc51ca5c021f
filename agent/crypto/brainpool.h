/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The brainpool curves of RFC 5639 that TLS has (RFC 8734, 7027): P256r1,
 * P384r1, P512r1. Points are in SEC 1's uncompressed form, numbers big-endian.
 */
#ifndef CRYPTO_BRAINPOOL_H
#define CRYPTO_BRAINPOOL_H
#include "crypto/crypto.h"

#define BRAINPOOL_MAX		64		/* bytes of a number */
#define BRAINPOOL_MAX_POINT	(1 + 2 * BRAINPOOL_MAX)

struct brainpool;
const struct brainpool *brainpool_curve(enum crypto_key_type type);	/* NULL: not one of these */
size_t brainpool_bytes(const struct brainpool *c);
static inline size_t brainpool_point(const struct brainpool *c) { return 1 + 2 * brainpool_bytes(c); }

/* @k times the base point. -ERANGE: it is not in 1 .. order - 1. */
int brainpool_public(const struct brainpool *c, const uint8_t *k, uint8_t *point);
/* -EBADMSG: not of that form, or not on the curve. */
int brainpool_check(const struct brainpool *c, const uint8_t *point, size_t len);
/* The x coordinate of @k times @peer. -ERANGE, -EBADMSG as above. */
int brainpool_ecdh(const struct brainpool *c, const uint8_t *k, const uint8_t *peer, uint8_t *secret);

/* ECDSA (FIPS 186-5 6.4), r and s one behind the other; the nonce is drawn within. */
void brainpool_sign(const struct brainpool *c, const uint8_t *key, const uint8_t *digest, size_t len, uint8_t *rs);
/* -EAGAIN: not with this nonce. */
int brainpool_sign_with(const struct brainpool *c, const uint8_t *key, const uint8_t *nonce,
			const uint8_t *digest, size_t len, uint8_t *rs);
/* -EBADMSG: does not verify. @point has passed brainpool_check. */
int brainpool_verify(const struct brainpool *c, const uint8_t *point, const uint8_t *digest, size_t len,
		     const uint8_t *rs);

#endif
