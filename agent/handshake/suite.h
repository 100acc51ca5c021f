/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cipher suites and groups that the handshake can agree on. */
#ifndef SUITE_H
#define SUITE_H
#include "crypto/crypto.h"

/* How a suite of TLS 1.2 agrees on its secret, and what proves who the server is. */
enum kx_share { KX_NONE, KX_ECDHE, KX_DHE };
enum kx_auth { KX_ECDSA, KX_RSA, KX_PSK };
struct kx12 {
	const char *name;
	enum kx_share share;
	enum kx_auth auth;
};

struct suite {
	const char *name;
	uint16_t id, version;		/* of the one protocol that it is for */
	const struct kx12 *kx;		/* NULL: TLS 1.3 chooses it apart */
	const struct crypto_aead *aead;
	const struct crypto_hash *hash;
	bool optional;			/* not unless params name its cipher */
};

extern const struct suite suites[];		/* in order of preference */
extern const size_t suites_num;
const struct suite *suite_by_id(uint16_t id);		/* NULL: not ours */
/* TLS_CIPHER_* of linux/tls.h: the first suite with it, TLS 1.3's. */
const struct suite *suite_by_cipher(uint16_t tls_cipher);
size_t suite_secret(const struct suite *suite);	/* bytes of the secret that a ticket for it holds */

extern const struct crypto_group *const groups[];	/* in order of preference */
extern const size_t groups_num;
#define GROUPS_DEFAULT 5			/* the first of them, for who does not choose */
const struct crypto_group *group_by_id(uint16_t id);	/* NULL: not ours */

#define SUITES_MAX 64
#define GROUPS_MAX 16

#endif
