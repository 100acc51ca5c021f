/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X25519 and X448 (RFC 7748), and the server's half of any Diffie-Hellman.
 * Private keys are as the RFCs write them, and are wiped by whoever holds the
 * buffer. A share that would make the secret zero is refused (RFC 9846 7.4.2).
 */
#include <errno.h>
#include <nettle/curve25519.h>
#include <nettle/curve448.h>
#include <string.h>
#include "crypto/group.h"
#include "crypto/provider.h"
#include "rng/rng.h"

struct montgomery_curve {
	void (*mul_g)(uint8_t *q, const uint8_t *n);
	void (*mul)(uint8_t *q, const uint8_t *n, const uint8_t *p);
};

static int montgomery_generate(const struct crypto_group *g, uint8_t *priv, uint8_t *share)
{
	const struct montgomery_curve *curve = g->inner;

	rng_fill(RNG_KEY, priv, g->private_len);
	curve->mul_g(share, priv);
	return 0;
}

static int montgomery_agree(const struct crypto_group *g, const uint8_t *priv, const uint8_t *peer,
			    uint8_t *secret)
{
	static const uint8_t zero[CURVE448_SIZE];
	const struct montgomery_curve *curve = g->inner;
	uint8_t s[CURVE448_SIZE];
	int err = 0;

	curve->mul(s, priv, peer);
	if (crypto_equal(s, zero, g->secret))
		err = -EBADMSG;
	else
		memcpy(secret, s, g->secret);
	crypto_wipe(s, sizeof(s));
	return err;
}

int dh_respond(const struct crypto_group *g, const uint8_t *peer, uint8_t *share, uint8_t *secret)
{
	uint8_t priv[CRYPTO_MAX_SECRET], mine[CRYPTO_MAX_SHARE];
	int err;

	err = g->generate(g, priv, mine);
	if (!err)
		err = g->agree(g, priv, peer, secret);
	if (!err)
		memcpy(share, mine, g->server_share);
	crypto_wipe(priv, sizeof(priv));
	return err;
}

static void x25519_mul_g(uint8_t *q, const uint8_t *n)
{
	((const struct x25519_ops *)crypto_ops(CRYPTO_X25519))->multiply_base(q, n);
}

static void x25519_mul(uint8_t *q, const uint8_t *n, const uint8_t *p)
{
	((const struct x25519_ops *)crypto_ops(CRYPTO_X25519))->multiply(q, n, p);
}

static const struct montgomery_curve curve25519 = { x25519_mul_g, x25519_mul };
static const struct montgomery_curve curve448 = { curve448_mul_g, curve448_mul };

const struct crypto_group crypto_x25519 = {
	.name = "x25519", .id = 29, .private_len = CURVE25519_SIZE, .inner = &curve25519,
	.client_share = CURVE25519_SIZE, .server_share = CURVE25519_SIZE, .secret = CURVE25519_SIZE,
	.generate = montgomery_generate, .agree = montgomery_agree, .respond = dh_respond,
};

const struct crypto_group crypto_x448 = {
	.name = "x448", .id = 30, .private_len = CURVE448_SIZE, .inner = &curve448,
	.client_share = CURVE448_SIZE, .server_share = CURVE448_SIZE, .secret = CURVE448_SIZE,
	.generate = montgomery_generate, .agree = montgomery_agree, .respond = dh_respond,
};
