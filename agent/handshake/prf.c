// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PRF(secret, label, seed) = P_hash(secret, label + seed), RFC 5246 section 5:
 *
 *	A(0) = label + seed, A(i) = HMAC(secret, A(i-1))
 *	P_hash = HMAC(secret, A(1) + label + seed), HMAC(secret, A(2) + label + seed), ...
 */
#include "handshake/prf.h"
#include <assert.h>
#include <string.h>

#define LABEL 64

void prf(const struct crypto_hash *hash, const uint8_t *secret, size_t secret_len, const char *label,
	 const void *seed, size_t seed_len, uint8_t *out, size_t len)
{
	uint8_t text[CRYPTO_MAX_DIGEST + LABEL + PRF_SEED], block[CRYPTO_MAX_DIGEST];
	size_t label_len = strlen(label), text_len = label_len + seed_len, n;
	uint8_t *a = text, *rest = text + hash->size;	/* A(i), label + seed */

	assert(label_len <= LABEL && seed_len <= PRF_SEED);
	memcpy(rest, label, label_len);
	if (seed_len)
		memcpy(rest + label_len, seed, seed_len);
	crypto_hmac(hash, secret, secret_len, rest, text_len, a);
	for (; len; out += n, len -= n) {
		crypto_hmac(hash, secret, secret_len, text, hash->size + text_len, block);
		n = len < hash->size ? len : hash->size;
		memcpy(out, block, n);
		crypto_hmac(hash, secret, secret_len, a, hash->size, block);
		memcpy(a, block, hash->size);
	}
	crypto_wipe(text, sizeof(text));
	crypto_wipe(block, sizeof(block));
}
