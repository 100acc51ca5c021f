/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cipher suites and groups that the handshake can agree on. */
#ifndef SUITE_H
#define SUITE_H
#include "crypto/crypto.h"

struct suite {
	const char *name;
	uint16_t id;
	const struct crypto_aead *aead;
	const struct crypto_hash *hash;
};

extern const struct suite suites[];		/* in order of preference */
extern const size_t suites_num;
const struct suite *suite_by_id(uint16_t id);		/* NULL: not ours */
const struct suite *suite_by_cipher(uint16_t tls_cipher);	/* TLS_CIPHER_* of linux/tls.h */

extern const struct crypto_group *const groups[];	/* in order of preference */
extern const size_t groups_num;
#define GROUPS_DEFAULT 5			/* the first of them, for who does not choose */
const struct crypto_group *group_by_id(uint16_t id);	/* NULL: not ours */

#define SUITES_MAX 8
#define GROUPS_MAX 12

#endif
