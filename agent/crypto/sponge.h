/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-3 and SHAKE (FIPS 202) of any rate over nettle's permutation: nettle has
 * no SHAKE128 and squeezes once only. Start, absorb any number of times, end,
 * squeeze any number of times. Time depends on lengths alone.
 */
#ifndef CRYPTO_SPONGE_H
#define CRYPTO_SPONGE_H
#include <nettle/sha3.h>
#include <stddef.h>
#include <stdint.h>

struct sponge {
	struct sha3_state s;
	unsigned int rate, at;		/* bytes; where the next one goes or comes from */
};

enum sponge_rate { SHAKE128 = 168, SHAKE256 = 136, SHA3_256 = 136, SHA3_512 = 72 };
enum sponge_domain { SPONGE_SHA3 = 0x06, SPONGE_SHAKE = 0x1f };

void sponge_start(struct sponge *s, enum sponge_rate rate);
void sponge_absorb(struct sponge *s, const uint8_t *in, size_t len);
void sponge_end(struct sponge *s, enum sponge_domain domain);
void sponge_squeeze(struct sponge *s, uint8_t *out, size_t len);
void sponge_wipe(struct sponge *s);

#endif
