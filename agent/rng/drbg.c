/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SP 800-90A 10.2.1; the names are the standard's. */
#include <assert.h>
#include <nettle/aes.h>
#include <string.h>
#include "rng/drbg.h"

static void count(uint8_t v[16])
{
	for (int i = 15; i >= 0 && !++v[i]; i--)
		;
}

static void stream(const uint8_t key[32], uint8_t v[16], uint8_t *out, size_t len)
{
	struct aes256_ctx aes;
	uint8_t block[16];

	aes256_set_encrypt_key(&aes, key);
	for (size_t n; len; out += n, len -= n) {
		n = len < sizeof(block) ? len : sizeof(block);
		count(v);
		aes256_encrypt(&aes, sizeof(block), block, v);
		memcpy(out, block, n);
	}
	explicit_bzero(&aes, sizeof(aes));
	explicit_bzero(block, sizeof(block));
}

static void update(struct drbg *d, const uint8_t data[DRBG_SEED])
{
	uint8_t t[DRBG_SEED];

	stream(d->key, d->v, t, sizeof(t));
	for (size_t i = 0; i < sizeof(t); i++)
		t[i] ^= data[i];
	memcpy(d->key, t, sizeof(d->key));
	memcpy(d->v, t + sizeof(d->key), sizeof(d->v));
	explicit_bzero(t, sizeof(t));
}

void drbg_start(struct drbg *d, const uint8_t entropy[DRBG_SEED])
{
	memset(d, 0, sizeof(*d));
	update(d, entropy);
}

void drbg_reseed(struct drbg *d, const uint8_t entropy[DRBG_SEED])
{
	update(d, entropy);
}

void drbg_fill(struct drbg *d, uint8_t *out, size_t len)
{
	static const uint8_t nothing[DRBG_SEED];

	assert(len <= DRBG_MOST);
	stream(d->key, d->v, out, len);
	update(d, nothing);
}
