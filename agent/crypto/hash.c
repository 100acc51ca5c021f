/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nettle's SHA-2 as descriptors, HMAC over any of them, and the two operations on
 * secret bytes that everything else uses: compare and wipe.
 */
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>
#include "crypto/provider.h"

/* Typed wrappers: a cast function pointer would be undefined behaviour. */
#define HASH(NAME, SIZE, BLOCK)							\
static void NAME##_start(void *ctx) { NAME##_init(ctx); }			\
static void NAME##_more(void *ctx, size_t len, const uint8_t *data)		\
{ NAME##_update(ctx, len, data); }						\
static void NAME##_end(void *ctx, uint8_t *out)				\
{ NAME##_digest(ctx, SIZE, out); }						\
const struct crypto_hash NAME##_nettle = {					\
	.name = #NAME, .size = SIZE, .block = BLOCK,				\
	.ctx = sizeof(struct NAME##_ctx), .init = NAME##_start,		\
	.update = NAME##_more, .digest = NAME##_end,				\
};										\
_Static_assert(sizeof(struct NAME##_ctx) <= CRYPTO_HASH_CTX, #NAME)

HASH(sha256, SHA256_DIGEST_SIZE, SHA256_BLOCK_SIZE);
HASH(sha384, SHA384_DIGEST_SIZE, SHA384_BLOCK_SIZE);
HASH(sha512, SHA512_DIGEST_SIZE, SHA512_BLOCK_SIZE);

struct state { _Alignas(16) uint8_t bytes[CRYPTO_HASH_CTX]; };

void crypto_hash_once(const struct crypto_hash *h, const void *data, size_t len,
		      uint8_t *out)
{
	struct state s;

	h->init(s.bytes);
	h->update(s.bytes, len, data);
	h->digest(s.bytes, out);
	crypto_wipe(&s, sizeof(s));
}

/* RFC 2104: one pass over the padded key, flipped from ipad to opad between. */
void crypto_hmac(const struct crypto_hash *h, const uint8_t *key, size_t key_len,
		 const void *data, size_t len, uint8_t *out)
{
	uint8_t pad[128] = { 0 }, inner[CRYPTO_MAX_DIGEST];
	struct state s;
	size_t i;

	if (key_len > h->block)
		crypto_hash_once(h, key, key_len, pad);
	else if (key_len)
		memcpy(pad, key, key_len);
	for (i = 0; i < h->block; i++)
		pad[i] ^= 0x36;
	h->init(s.bytes);
	h->update(s.bytes, h->block, pad);
	h->update(s.bytes, len, data);
	h->digest(s.bytes, inner);

	for (i = 0; i < h->block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	h->update(s.bytes, h->block, pad);
	h->update(s.bytes, h->size, inner);
	h->digest(s.bytes, out);
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(pad, sizeof(pad));
	crypto_wipe(inner, sizeof(inner));
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return memeql_sec(a, b, len);
}

void crypto_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}
