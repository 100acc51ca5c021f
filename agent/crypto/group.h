/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the groups of this folder share. */
#ifndef CRYPTO_GROUP_H
#define CRYPTO_GROUP_H
#include "crypto/crypto.h"

/* crypto_group.respond of every Diffie-Hellman group: generate, then agree. */
int dh_respond(const struct crypto_group *g, const uint8_t *peer, uint8_t *share, uint8_t *secret);
/* The prime of one of ffdhe.c, big-endian. */
const uint8_t *ffdhe_prime(const struct crypto_group *g, size_t *len);

#endif
