/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X25519MLKEM768: whoever wants the secret has to break both. Shares, private
 * keys and secrets are those of ML-KEM-768 and then those of X25519. Either
 * half may refuse the peer's share (illegal_parameter).
 */
#include <string.h>
#include "crypto/group.h"
#include "crypto/mlkem.h"
#include "rng/rng.h"

#define X25519 32

static int hybrid_generate(const struct crypto_group *g, uint8_t *priv, uint8_t *share)
{
	uint8_t seed[MLKEM_SEED];

	(void)g;
	rng_fill(RNG_KEY, seed, sizeof(seed));
	mlkem_generate(seed, share, priv);
	crypto_wipe(seed, sizeof(seed));
	return crypto_x25519.generate(&crypto_x25519, priv + MLKEM_PRIVATE, share + MLKEM_PUBLIC);
}

static int hybrid_agree(const struct crypto_group *g, const uint8_t *priv, const uint8_t *peer,
			uint8_t *secret)
{
	uint8_t s[MLKEM_SECRET + X25519];
	int err;

	(void)g;
	err = mlkem_decapsulate(priv, peer, s);
	if (!err)
		err = crypto_x25519.agree(&crypto_x25519, priv + MLKEM_PRIVATE,
					  peer + MLKEM_CIPHERTEXT, s + MLKEM_SECRET);
	if (!err)
		memcpy(secret, s, sizeof(s));
	crypto_wipe(s, sizeof(s));
	return err;
}

static int hybrid_respond(const struct crypto_group *g, const uint8_t *peer, uint8_t *share,
			  uint8_t *secret)
{
	uint8_t message[MLKEM_MESSAGE], ours[X25519], s[X25519];
	int err;

	(void)g;
	rng_fill(RNG_KEY, message, sizeof(message));
	err = crypto_x25519.respond(&crypto_x25519, peer + MLKEM_PUBLIC, ours, s);
	if (!err)
		err = mlkem_encapsulate(peer, message, share, secret);
	if (!err) {
		memcpy(share + MLKEM_CIPHERTEXT, ours, X25519);
		memcpy(secret + MLKEM_SECRET, s, X25519);
	}
	crypto_wipe(message, sizeof(message));
	crypto_wipe(s, sizeof(s));
	return err;
}

const struct crypto_group crypto_x25519mlkem768 = {
	.name = "x25519mlkem768", .id = 4588, .private_len = MLKEM_PRIVATE + X25519,
	.classical = &crypto_x25519,
	.client_share = MLKEM_PUBLIC + X25519, .server_share = MLKEM_CIPHERTEXT + X25519,
	.secret = MLKEM_SECRET + X25519,
	.generate = hybrid_generate, .agree = hybrid_agree, .respond = hybrid_respond,
};

_Static_assert(MLKEM_PUBLIC + X25519 <= CRYPTO_MAX_SHARE, "room for the largest share");
_Static_assert(MLKEM_PRIVATE + X25519 <= CRYPTO_MAX_PRIVATE, "room for the largest private key");
