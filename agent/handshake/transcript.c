// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The transcript hash, RFC 9846 4.4.1. The hash is known only with the suite,
 * so a ClientHello waits in hs->hello until then.
 */
#include "handshake/engine.h"
#include <string.h>

int transcript_add(struct hs *hs, const uint8_t *msg, size_t len)
{
	if (hs->tls12.keeping && !gbuf_add(&hs->tls12.said, msg, len))
		return hs_no_memory(hs);
	if (hs->hash)
		hs->hash->update(hs->transcript, len, msg);
	else if (!gbuf_add(&hs->hello, msg, len))
		return hs_no_memory(hs);
	return 0;
}

void transcript_start(struct hs *hs, const struct crypto_hash *hash)
{
	if (hs->hash)
		return;
	hs->hash = hash;
	hash->init(hs->transcript);
	if (hs->hello.len)
		hash->update(hs->transcript, hs->hello.len, hs->hello.p);
	gbuf_free(&hs->hello);
}

void transcript_restart(struct hs *hs)
{
	uint8_t msg[4 + CRYPTO_MAX_DIGEST] = { HS_MESSAGE_HASH, 0, 0, hs->hash->size };

	hs->hash->digest(hs->transcript, msg + 4);
	hs->hash->init(hs->transcript);
	hs->hash->update(hs->transcript, 4u + hs->hash->size, msg);
}

void transcript_digest(const struct hs *hs, uint8_t *out)
{
	uint8_t copy[CRYPTO_HASH_CTX] __attribute__((aligned(16)));

	memcpy(copy, hs->transcript, sizeof(copy));
	hs->hash->digest(copy, out);
}
