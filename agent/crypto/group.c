/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key agreement. Private keys are 32 bytes as the curve's RFC writes them, and
 * are wiped by whoever holds the buffer. A share from the peer is a point of
 * the curve or refused (RFC 9846 4.2.8.2, 7.4.2).
 */
#include <errno.h>
#include <nettle/bignum.h>
#include <nettle/curve25519.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/ecc.h"
#include "rng/rng.h"

#define P256_POINT 65	/* uncompressed: 4, x, y */

static int x25519_generate(uint8_t *priv, uint8_t *share)
{
	rng_fill(RNG_KEY, priv, CURVE25519_SIZE);
	curve25519_mul_g(share, priv);
	return 0;
}

static int x25519_agree(const uint8_t *priv, const uint8_t *peer, uint8_t *secret)
{
	static const uint8_t zero[CURVE25519_SIZE];
	uint8_t s[CURVE25519_SIZE];
	int err = 0;

	curve25519_mul(s, priv, peer);
	if (crypto_equal(s, zero, sizeof(s)))	/* RFC 7748 6.1 */
		err = -EBADMSG;
	else
		memcpy(secret, s, sizeof(s));
	crypto_wipe(s, sizeof(s));
	return err;
}

static int p256_share(const uint8_t *priv, uint8_t *share)
{
	const struct ecc_curve *curve = nettle_get_secp_256r1();
	struct ecc_scalar k;
	struct ecc_point p;
	int err;

	ecc_scalar_init(&k, curve);
	ecc_point_init(&p, curve);
	err = ecc_scalar_read(&k, priv, 32);
	if (!err) {
		ecc_point_mul_g(&p, &k);
		ecc_point_write(&p, share);
	}
	ecc_point_clear(&p);
	ecc_scalar_clear(&k);
	return err;
}

static int p256_generate(uint8_t *priv, uint8_t *share)
{
	int err;

	do {	/* once in 2^32 tries the number is not below the order */
		rng_fill(RNG_KEY, priv, 32);
		err = p256_share(priv, share);
	} while (err == -ERANGE);
	return err;
}

static int p256_agree(const uint8_t *priv, const uint8_t *peer, uint8_t *secret)
{
	const struct ecc_curve *curve = nettle_get_secp_256r1();
	uint8_t point[P256_POINT];
	struct ecc_point theirs, shared;
	struct ecc_scalar k;
	int err;

	ecc_scalar_init(&k, curve);
	ecc_point_init(&theirs, curve);
	ecc_point_init(&shared, curve);
	err = ecc_point_read(&theirs, peer, P256_POINT);
	if (!err)
		err = ecc_scalar_read(&k, priv, 32);
	if (!err) {
		ecc_point_mul(&shared, &k, &theirs);
		ecc_point_write(&shared, point);
		memcpy(secret, point + 1, 32);
	}
	crypto_wipe(point, sizeof(point));
	ecc_point_clear(&shared);
	ecc_point_clear(&theirs);
	ecc_scalar_clear(&k);
	return err;
}

/* The server's half of a Diffie-Hellman group: generate, then agree. */
static int dh_respond(const struct crypto_group *g, const uint8_t *peer,
		      uint8_t *share, uint8_t *secret)
{
	uint8_t priv[32], mine[CRYPTO_MAX_SHARE];
	int err;

	err = g->generate(priv, mine);
	if (!err)
		err = g->agree(priv, peer, secret);
	if (!err)
		memcpy(share, mine, g->server_share);
	crypto_wipe(priv, sizeof(priv));
	return err;
}

static int x25519_respond(const uint8_t *peer, uint8_t *share, uint8_t *secret)
{
	return dh_respond(&crypto_x25519, peer, share, secret);
}

static int p256_respond(const uint8_t *peer, uint8_t *share, uint8_t *secret)
{
	return dh_respond(&crypto_secp256r1, peer, share, secret);
}

const struct crypto_group crypto_x25519 = {
	.name = "x25519", .id = 29, .private_len = 32,
	.client_share = 32, .server_share = 32, .secret = 32,
	.generate = x25519_generate, .agree = x25519_agree, .respond = x25519_respond,
};

const struct crypto_group crypto_secp256r1 = {
	.name = "secp256r1", .id = 23, .private_len = 32,
	.client_share = P256_POINT, .server_share = P256_POINT, .secret = 32,
	.generate = p256_generate, .agree = p256_agree, .respond = p256_respond,
};
