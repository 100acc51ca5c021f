/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key schedule of TLS 1.3, RFC 9846 section 7: one secret that is mixed
 * three times, and labels that grow keys from it. Pure functions of their
 * arguments; transcript hashes come from outside.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H
#include "handshake/hs.h"

struct schedule {
	const struct crypto_hash *hash;
	uint8_t secret[CRYPTO_MAX_DIGEST];	/* Early, then Handshake, then Master Secret */
};

/* HKDF-Expand-Label(secret, label, context, len); @label without the "tls13 " in front. */
void schedule_label(const struct crypto_hash *hash, const uint8_t *secret, const char *label,
		    const uint8_t *context, size_t context_len, uint8_t *out, size_t len);

/* The Early Secret. @psk NULL: none. */
void schedule_start(struct schedule *s, const struct crypto_hash *hash,
		    const uint8_t *psk, size_t psk_len);
/* On to the next of the three secrets; @ikm NULL: zeros. */
void schedule_mix(struct schedule *s, const uint8_t *ikm, size_t len);
/* Derive-Secret(secret, label, messages), given the hash of the messages. */
void schedule_derive(const struct schedule *s, const char *label, const uint8_t *transcript,
		     uint8_t *out);
void schedule_wipe(struct schedule *s);

/* Key and iv of t->secret, seq 0. */
void schedule_traffic(struct hs_traffic *t, const struct crypto_hash *hash,
		      const struct crypto_aead *aead);
/* verify_data of Finished by the owner of the traffic secret. */
void schedule_finished(const struct crypto_hash *hash, const uint8_t *traffic_secret,
		       const uint8_t *transcript, uint8_t *out);

#endif
