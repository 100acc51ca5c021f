/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EdDSA (RFC 8032) with both of its curves, over nettle. Keys and signatures are strings of bytes. */
#include <errno.h>
#include "crypto/key.h"

static const struct eddsa algorithms[] = {
	{ CRYPTO_KEY_ED25519, ED25519_KEY_SIZE, ED25519_SIGNATURE_SIZE, 256,
	  ed25519_sha512_public_key, ed25519_sha512_sign, ed25519_sha512_verify },
	{ CRYPTO_KEY_ED448, ED448_KEY_SIZE, ED448_SIGNATURE_SIZE, 456,
	  ed448_shake256_public_key, ed448_shake256_sign, ed448_shake256_verify },
};

const struct eddsa *key_eddsa(enum crypto_key_type type)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].type == type)
			return &algorithms[i];
	return NULL;
}

int eddsa_sign(const struct crypto_key *key, const struct crypto_hash *hash,
	       const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len)
{
	const struct eddsa *e = key_eddsa(key->pub.type);

	(void)hash;
	if (!e)
		return -EINVAL;
	e->sign(key->pub.inner, key->raw, len, msg, sig);
	*sig_len = e->signature;
	return 0;
}

int eddsa_verify(const struct crypto_pubkey *key, const struct crypto_hash *hash,
		 const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len)
{
	const struct eddsa *e = key_eddsa(key->type);

	(void)hash;
	if (!e)
		return -EINVAL;
	if (sig_len != e->signature)
		return -EBADMSG;
	/* Ed448's S is below 2^446 (RFC 8032 5.2.7), and nettle 3.8 does not look at its last byte. */
	if (e->type == CRYPTO_KEY_ED448 && sig[sig_len - 1])
		return -EBADMSG;
	return e->verify(key->inner, len, msg, sig) ? 0 : -EBADMSG;
}
