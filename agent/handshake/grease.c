// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GREASE, RFC 8701: where a list may hold what its reader doesn't know, we
 * put something that nobody knows, so that the reader stays able to pass it
 * over. One value per use and connection, the same after a retry.
 */
#include "handshake/engine.h"
#include "rng/rng.h"

void grease_choose(struct hs *hs)
{
	rng_fill(RNG_NONCE, hs->grease, sizeof(hs->grease));
	/* Two extensions of one number would be an error. */
	if ((hs->grease[GREASE_FIRST] ^ hs->grease[GREASE_LAST]) < 0x10)
		hs->grease[GREASE_LAST] ^= 0x10;
}

uint16_t grease16(const struct hs *hs, enum grease_use use)
{
	uint8_t half = (hs->grease[use] & 0xf0) | 0x0a;

	return (uint16_t)(half << 8 | half);
}
