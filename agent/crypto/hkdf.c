/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HKDF, RFC 5869. The labels of TLS are the handshake's business. */
#include <assert.h>
#include <string.h>
#include "crypto/crypto.h"

#define INFO_MAX 1024	/* HkdfLabel has at most 2 + 256 + 256 bytes */

void crypto_hkdf_extract(const struct crypto_hash *h, const uint8_t *salt,
			 size_t salt_len, const uint8_t *ikm, size_t ikm_len,
			 uint8_t *prk)
{
	/* No salt is a salt of zeros, which HMAC's padding makes of nothing. */
	crypto_hmac(h, salt, salt_len, ikm, ikm_len, prk);
}

/* T(i) = HMAC(prk, T(i-1) | info | i) */
void crypto_hkdf_expand(const struct crypto_hash *h, const uint8_t *prk,
			const void *info, size_t info_len, uint8_t *out, size_t len)
{
	uint8_t block[CRYPTO_MAX_DIGEST + INFO_MAX + 1], t[CRYPTO_MAX_DIGEST];
	size_t have = 0, n;
	uint8_t i = 0;

	assert(info_len <= INFO_MAX && len <= 255u * h->size);
	while (len) {
		if (have)
			memcpy(block, t, have);
		if (info_len)
			memcpy(block + have, info, info_len);
		block[have + info_len] = ++i;
		crypto_hmac(h, prk, h->size, block, have + info_len + 1, t);
		have = h->size;
		n = len < have ? len : have;
		memcpy(out, t, n);
		out += n;
		len -= n;
	}
	crypto_wipe(block, sizeof(block));
	crypto_wipe(t, sizeof(t));
}
