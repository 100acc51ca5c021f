// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The key schedule, RFC 9846 section 7. Reads from top to bottom like the
 * figure in 7.1:
 *
 *	schedule_start	Early Secret		= HKDF-Extract(0, PSK)
 *	schedule_mix	Handshake Secret	= HKDF-Extract(Derive("derived"), (EC)DHE)
 *	schedule_mix	Master Secret		= HKDF-Extract(Derive("derived"), 0)
 *
 * Intermediate values are wiped before each function returns.
 */
#include "handshake/schedule.h"
#include "handshake/tls12.h"
#include <string.h>

static const uint8_t zeros[CRYPTO_MAX_DIGEST];

void schedule_label(const struct crypto_hash *hash, const uint8_t *secret, const char *label,
		    const uint8_t *context, size_t context_len, uint8_t *out, size_t len)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[2 + 1 + 255 + 1 + 255];
	struct wbuf b = { .buf = info, .cap = sizeof(info) };
	size_t mark;

	wbuf_u16(&b, (uint16_t)len);
	mark = wbuf_open(&b, 1);
	wbuf_bytes(&b, prefix, sizeof(prefix) - 1);
	wbuf_bytes(&b, label, strlen(label));
	wbuf_close(&b, mark, 1);
	mark = wbuf_open(&b, 1);
	wbuf_bytes(&b, context, context_len);
	wbuf_close(&b, mark, 1);
	crypto_hkdf_expand(hash, secret, info, b.len, out, len);
}

void schedule_start(struct schedule *s, const struct crypto_hash *hash,
		    const uint8_t *psk, size_t psk_len)
{
	s->hash = hash;
	if (!psk) {
		psk = zeros;
		psk_len = hash->size;
	}
	crypto_hkdf_extract(hash, zeros, hash->size, psk, psk_len, s->secret);
}

void schedule_mix(struct schedule *s, const uint8_t *ikm, size_t len)
{
	uint8_t empty[CRYPTO_MAX_DIGEST], salt[CRYPTO_MAX_DIGEST];

	if (!ikm) {
		ikm = zeros;
		len = s->hash->size;
	}
	crypto_hash_once(s->hash, "", 0, empty);
	schedule_derive(s, "derived", empty, salt);
	crypto_hkdf_extract(s->hash, salt, s->hash->size, ikm, len, s->secret);
	crypto_wipe(salt, sizeof(salt));
}

void schedule_derive(const struct schedule *s, const char *label, const uint8_t *transcript,
		     uint8_t *out)
{
	schedule_label(s->hash, s->secret, label, transcript, s->hash->size, out, s->hash->size);
}

void schedule_wipe(struct schedule *s)
{
	crypto_wipe(s, sizeof(*s));
}

void schedule_traffic(struct hs_traffic *t, const struct crypto_hash *hash,
		      const struct crypto_aead *aead)
{
	schedule_label(hash, t->secret, "key", NULL, 0, t->key, aead->key);
	schedule_label(hash, t->secret, "iv", NULL, 0, t->iv, sizeof(t->iv));
	t->seq = 0;
}

void schedule_finished(const struct crypto_hash *hash, const uint8_t *traffic_secret,
		       const uint8_t *transcript, uint8_t *out)
{
	uint8_t key[CRYPTO_MAX_DIGEST];

	schedule_label(hash, traffic_secret, "finished", NULL, 0, key, hash->size);
	crypto_hmac(hash, key, hash->size, transcript, hash->size, out);
	crypto_wipe(key, sizeof(key));
}

void hs_export(const struct hs_result *r, const char *label, const uint8_t *context, size_t context_len,
	       uint8_t *out, size_t len)
{
	uint8_t digest[CRYPTO_MAX_DIGEST], secret[CRYPTO_MAX_DIGEST];

	if (r->version == TLS12) {
		tls12_export(r, label, context, context_len, out, len);
		return;
	}
	crypto_hash_once(r->hash, "", 0, digest);
	schedule_label(r->hash, r->exporter, label, digest, r->hash->size, secret, r->hash->size);
	crypto_hash_once(r->hash, context, context_len, digest);
	schedule_label(r->hash, secret, "exporter", digest, r->hash->size, out, len);
	crypto_wipe(secret, sizeof(secret));
}

void hs_traffic_update(struct hs_traffic *t, const struct crypto_hash *hash,
		       const struct crypto_aead *aead)
{
	uint8_t next[CRYPTO_MAX_DIGEST];

	schedule_label(hash, t->secret, "traffic upd", NULL, 0, next, hash->size);
	memcpy(t->secret, next, hash->size);
	crypto_wipe(next, sizeof(next));
	schedule_traffic(t, hash, aead);
}
