// SPDX-License-Identifier: GPL-2.0-or-later
/* Nettle's AES-GCM, apart: its struct gcm_key and ours have the same name. */
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include "cipher.h"

struct nettle {
	bool is_256;
	struct gcm_aes128_ctx a128;
	struct gcm_aes256_ctx a256;
};

static bool usable(void)
{
	return true;
}

static void *make(const uint8_t *key, size_t len)
{
	struct nettle *n = aligned_alloc(64, (sizeof(*n) + 63) & ~63UL);

	n->is_256 = len == 32;
	if (n->is_256)
		gcm_aes256_set_key(&n->a256, key);
	else
		gcm_aes128_set_key(&n->a128, key);
	return n;
}

static void seal(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
			size_t len, uint8_t *out, uint8_t *tag)
{
	struct nettle *n = ctx;

	if (n->is_256) {
		gcm_aes256_set_iv(&n->a256, GCM_IV_SIZE, iv);
		gcm_aes256_update(&n->a256, AAD_LEN, aad);
		gcm_aes256_encrypt(&n->a256, len, out, in);
		gcm_aes256_digest(&n->a256, TAG_LEN, tag);
		return;
	}
	gcm_aes128_set_iv(&n->a128, GCM_IV_SIZE, iv);
	gcm_aes128_update(&n->a128, AAD_LEN, aad);
	gcm_aes128_encrypt(&n->a128, len, out, in);
	gcm_aes128_digest(&n->a128, TAG_LEN, tag);
}

static bool open_(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
			size_t len, uint8_t *out, const uint8_t *tag)
{
	struct nettle *n = ctx;
	uint8_t mac[TAG_LEN];

	if (n->is_256) {
		gcm_aes256_set_iv(&n->a256, GCM_IV_SIZE, iv);
		gcm_aes256_update(&n->a256, AAD_LEN, aad);
		gcm_aes256_decrypt(&n->a256, len, out, in);
		gcm_aes256_digest(&n->a256, TAG_LEN, mac);
	} else {
		gcm_aes128_set_iv(&n->a128, GCM_IV_SIZE, iv);
		gcm_aes128_update(&n->a128, AAD_LEN, aad);
		gcm_aes128_decrypt(&n->a128, len, out, in);
		gcm_aes128_digest(&n->a128, TAG_LEN, mac);
	}
	return memeql_sec(mac, tag, TAG_LEN);
}

const struct impl impl_nettle = { "nettle", usable, make, seal, open_ };
