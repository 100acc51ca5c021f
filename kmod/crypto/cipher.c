// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher table. Limits: RFC 9846 5.5 allows AES-GCM 2^24.5 full records;
 * ChaCha20-Poly1305 wraps its sequence number first.
 */
#include <linux/kernel.h>
#include <uapi/linux/tls.h>
#include "../ktls.h"
#include "aead.h"

#define GCM	"__gcm(aes)", "gcm(aes)", "gcm"
#define CHACHA	NULL, "rfc7539(chacha20,poly1305)", "chacha20poly1305"

static const struct ktls_cipher ciphers[] = {
	/* id, key, salt, iv, tag, limit, algorithm */
	{ TLS_CIPHER_AES_GCM_128,	16, 4,  8, 16, 1ULL << 24, GCM },
	{ TLS_CIPHER_AES_GCM_256,	32, 4,  8, 16, 1ULL << 24, GCM },
	{ TLS_CIPHER_CHACHA20_POLY1305,	32, 0, 12, 16, U64_MAX,    CHACHA },
};

const struct ktls_cipher *ktls_cipher_find(u16 id)
{
	const struct ktls_cipher *c;

	for (c = ciphers; c < ciphers + ARRAY_SIZE(ciphers); c++)
		if (c->id == id)
			return c;
	return NULL;
}
