/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ECDH on the NIST curves. A private key is a number below the curve's order,
 * big-endian; the secret is the x coordinate with its leading zeros. A share
 * from the peer is a point of the curve or refused (RFC 9846 4.2.8.2).
 */
#include <errno.h>
#include <nettle/ecc-curve.h>
#include <string.h>
#include "crypto/ecc.h"
#include "crypto/group.h"
#include "rng/rng.h"

#define MAX_POINT	(1 + 2 * 66)

struct nist_curve { const struct ecc_curve *(*get)(void); };

static const struct ecc_curve *curve_of(const struct crypto_group *g)
{
	return ((const struct nist_curve *)g->inner)->get();
}

static int public_of(const struct crypto_group *g, const uint8_t *priv, uint8_t *share)
{
	struct ecc_scalar k;
	struct ecc_point p;
	int err;

	ecc_scalar_init(&k, curve_of(g));
	ecc_point_init(&p, curve_of(g));
	err = ecc_scalar_read(&k, priv, g->private_len);
	if (!err) {
		ecc_point_mul_g(&p, &k);
		ecc_point_write(&p, share);
	}
	ecc_point_clear(&p);
	ecc_scalar_clear(&k);
	return err;
}

static int ecdh_generate(const struct crypto_group *g, uint8_t *priv, uint8_t *share)
{
	unsigned int spare = 8u * g->private_len - ecc_bit_size(curve_of(g));
	int err;

	do {	/* once in 2^32 tries, or less often, the number is not below the order */
		rng_fill(RNG_KEY, priv, g->private_len);
		priv[0] &= 0xff >> spare;
		err = public_of(g, priv, share);
	} while (err == -ERANGE);
	return err;
}

static int ecdh_agree(const struct crypto_group *g, const uint8_t *priv, const uint8_t *peer,
		      uint8_t *secret)
{
	struct ecc_point theirs, shared;
	uint8_t point[MAX_POINT];
	struct ecc_scalar k;
	int err;

	ecc_scalar_init(&k, curve_of(g));
	ecc_point_init(&theirs, curve_of(g));
	ecc_point_init(&shared, curve_of(g));
	err = ecc_point_read(&theirs, peer, g->client_share);
	if (!err)
		err = ecc_scalar_read(&k, priv, g->private_len);
	if (!err) {
		ecc_point_mul(&shared, &k, &theirs);
		ecc_point_write(&shared, point);
		memcpy(secret, point + 1, g->secret);
	}
	crypto_wipe(point, sizeof(point));
	ecc_point_clear(&shared);
	ecc_point_clear(&theirs);
	ecc_scalar_clear(&k);
	return err;
}

static const struct nist_curve p256 = { nettle_get_secp_256r1 };
static const struct nist_curve p384 = { nettle_get_secp_384r1 };
static const struct nist_curve p521 = { nettle_get_secp_521r1 };

#define GROUP(NAME, ID, BYTES, CURVE)						\
const struct crypto_group crypto_##NAME = {					\
	.name = #NAME, .id = ID, .private_len = BYTES, .inner = &CURVE,	\
	.client_share = 1 + 2 * BYTES, .server_share = 1 + 2 * BYTES, .secret = BYTES, \
	.generate = ecdh_generate, .agree = ecdh_agree, .respond = dh_respond,	\
}

GROUP(secp256r1, 23, 32, p256);
GROUP(secp384r1, 24, 48, p384);
GROUP(secp521r1, 25, 66, p521);
