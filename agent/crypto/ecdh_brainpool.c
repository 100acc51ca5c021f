/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ECDH on the brainpool curves, as ecdh.c has it on NIST's. TLS 1.2 (RFC 7027)
 * and TLS 1.3 (RFC 8734) have numbers of their own for them, and neither takes
 * the other's.
 */
#include <errno.h>
#include "crypto/brainpool.h"
#include "crypto/group.h"
#include "rng/rng.h"

static const struct brainpool *curve_of(const struct crypto_group *g)
{
	return brainpool_curve(*(const enum crypto_key_type *)g->inner);
}

static int generate(const struct crypto_group *g, uint8_t *priv, uint8_t *share)
{
	int err;

	do {	/* every other number, or so, is below the order */
		rng_fill(RNG_KEY, priv, g->private_len);
		err = brainpool_public(curve_of(g), priv, share);
	} while (err == -ERANGE);
	return err;
}

static int agree(const struct crypto_group *g, const uint8_t *priv, const uint8_t *peer, uint8_t *secret)
{
	return brainpool_ecdh(curve_of(g), priv, peer, secret);
}

static const enum crypto_key_type p256 = CRYPTO_KEY_BRAINPOOL256, p384 = CRYPTO_KEY_BRAINPOOL384,
	p512 = CRYPTO_KEY_BRAINPOOL512;

#define GROUP(NAME, ID, ONLY, BYTES, CURVE)						\
const struct crypto_group crypto_##NAME = {						\
	.name = #NAME, .id = ID, .only = ONLY, .private_len = BYTES, .inner = &CURVE,	\
	.client_share = 1 + 2 * BYTES, .server_share = 1 + 2 * BYTES, .secret = BYTES,	\
	.generate = generate, .agree = agree, .respond = dh_respond,			\
}

GROUP(brainpoolP256r1, 26, 0x0303, 32, p256);
GROUP(brainpoolP384r1, 27, 0x0303, 48, p384);
GROUP(brainpoolP512r1, 28, 0x0303, 64, p512);
GROUP(brainpoolP256r1tls13, 31, 0x0304, 32, p256);
GROUP(brainpoolP384r1tls13, 32, 0x0304, 48, p384);
GROUP(brainpoolP512r1tls13, 33, 0x0304, 64, p512);
