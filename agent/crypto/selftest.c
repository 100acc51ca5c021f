/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power-on self-tests (FIPS 140-3, IG 10.3.A): a known answer for each
 * algorithm that FIPS mode allows. Signatures that need a nonce are made and
 * verified, and a known one is verified; a changed one must not be.
 */
#include "crypto/selftest.h"
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/selftest_vectors.h"
#include "rng/drbg.h"

#define SAME(a, b) (!memcmp(a, b, sizeof(b)))

static void counting(uint8_t *p, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(first + i);
}

/* ---- digests and what is made of them */

static bool sha256(void)
{
	uint8_t d[CRYPTO_MAX_DIGEST];

	crypto_hash_once(&crypto_sha256, message, MESSAGE_LEN, d);
	return SAME(d, sha256_digest);
}

static bool sha384(void)
{
	uint8_t d[CRYPTO_MAX_DIGEST];

	crypto_hash_once(&crypto_sha384, message, MESSAGE_LEN, d);
	return SAME(d, sha384_digest);
}

static bool sha512(void)
{
	uint8_t d[CRYPTO_MAX_DIGEST];

	crypto_hash_once(&crypto_sha512, message, MESSAGE_LEN, d);
	return SAME(d, sha512_digest);
}

static bool hmac(void)
{
	uint8_t key[32], a[CRYPTO_MAX_DIGEST], b[CRYPTO_MAX_DIGEST];

	counting(key, sizeof(key), 0);
	crypto_hmac(&crypto_sha256, key, sizeof(key), message, MESSAGE_LEN, a);
	crypto_hmac(&crypto_sha384, key, sizeof(key), message, MESSAGE_LEN, b);
	return SAME(a, hmac256) && SAME(b, hmac384);
}

static bool hkdf(void)
{
	uint8_t salt[32], info[12], prk[CRYPTO_MAX_DIGEST], out[sizeof(hkdf256)];

	counting(salt, sizeof(salt), 0);
	counting(info, sizeof(info), 0);
	crypto_hkdf_extract(&crypto_sha256, salt, sizeof(salt), message, MESSAGE_LEN, prk);
	crypto_hkdf_expand(&crypto_sha256, prk, info, sizeof(info), out, sizeof(out));
	return SAME(out, hkdf256);
}

/* ---- AEAD */

static bool gcm(const struct crypto_aead *a, const uint8_t *want)
{
	uint8_t key[32], nonce[12], sealed[MESSAGE_LEN + 16], opened[MESSAGE_LEN];

	counting(key, sizeof(key), 0);
	counting(nonce, sizeof(nonce), 0);
	a->seal(key, nonce, gcm_aad, sizeof(gcm_aad), message, MESSAGE_LEN, sealed);
	if (memcmp(sealed, want, sizeof(sealed)) ||
	    a->open(key, nonce, gcm_aad, sizeof(gcm_aad), sealed, sizeof(sealed), opened) ||
	    memcmp(opened, message, MESSAGE_LEN))
		return false;
	sealed[0] ^= 1;
	return a->open(key, nonce, gcm_aad, sizeof(gcm_aad), sealed, sizeof(sealed), opened);
}

static bool gcm128(void)
{
	return gcm(&crypto_aes_128_gcm, gcm128_sealed);
}

static bool gcm256(void)
{
	return gcm(&crypto_aes_256_gcm, gcm256_sealed);
}

static bool drbg(void)
{
	uint8_t seed[DRBG_SEED], out[sizeof(drbg_output)];
	struct drbg d;

	counting(seed, sizeof(seed), 0);
	drbg_start(&d, seed);
	drbg_fill(&d, out, sizeof(out));
	counting(seed, sizeof(seed), 100);
	drbg_reseed(&d, seed);
	drbg_fill(&d, out, sizeof(out));
	return SAME(out, drbg_output);
}

/* ---- public keys */

static bool agrees(const struct crypto_group *g, const uint8_t *priv, const uint8_t *peer, const uint8_t *want)
{
	uint8_t secret[CRYPTO_MAX_SECRET];

	return !g->agree(g, priv, peer, secret) && !memcmp(secret, want, g->secret);
}

static bool ecdh(void)
{
	return agrees(&crypto_secp256r1, p256_private, p256_peer, p256_secret) &&
	       agrees(&crypto_secp384r1, p384_private, p384_peer, p384_secret) &&
	       agrees(&crypto_secp521r1, p521_private, p521_peer, p521_secret);
}

/* Makes and verifies a signature; verifies the known one; refuses a wrong one. */
static bool signs(uint16_t id, const struct crypto_key *key, const struct crypto_pubkey *pub,
		  const uint8_t *known, size_t known_len)
{
	const struct crypto_scheme *s = crypto_scheme_find(id);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	if (s->sign(key, s->hash, message, MESSAGE_LEN, sig, &len) ||
	    s->verify(pub, s->hash, message, MESSAGE_LEN, sig, len) ||
	    !s->verify(pub, s->hash, message, MESSAGE_LEN - 1, sig, len))
		return false;
	return !known || !s->verify(pub, s->hash, message, MESSAGE_LEN, known, known_len);
}

static bool ecdsa(uint16_t id, const uint8_t *der, size_t len, const uint8_t *known, size_t known_len)
{
	struct crypto_key *key;
	bool good;

	if (crypto_key_load(der, len, &key))
		return false;
	good = signs(id, key, crypto_key_public(key), known, known_len);
	crypto_key_free(key);
	return good;
}

#define ECDSA(ID, CURVE) ecdsa(ID, CURVE##_key, sizeof(CURVE##_key), CURVE##_signature, sizeof(CURVE##_signature))

static bool ecdsa_p256(void)
{
	return ECDSA(0x0403, p256);
}

static bool ecdsa_others(void)
{
	return ECDSA(0x0503, p384) && ECDSA(0x0603, p521);
}

/* PKCS#1's needs no salt, so that ours must be the known one to the byte. */
static bool rsa(void)
{
	const struct crypto_scheme *s = crypto_scheme_find(0x0401);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	struct crypto_key *key;
	size_t len = 0;
	bool good;

	if (crypto_key_load(rsa_key, sizeof(rsa_key), &key))
		return false;
	good = !s->sign(key, s->hash, message, MESSAGE_LEN, sig, &len) && len == sizeof(rsa_signature) &&
	       SAME(sig, rsa_signature) &&
	       signs(0x0401, key, crypto_key_public(key), rsa_signature, sizeof(rsa_signature)) &&
	       signs(0x0804, key, crypto_key_public(key), NULL, 0);
	crypto_key_free(key);
	return good;
}

const char *crypto_selftest(void)
{
	static const struct { const char *name; bool (*good)(void); } tests[] = {
		{ "SHA-256", sha256 }, { "SHA-384", sha384 }, { "SHA-512", sha512 }, { "HMAC", hmac },
		{ "HKDF", hkdf }, { "AES-128-GCM", gcm128 }, { "AES-256-GCM", gcm256 }, { "CTR_DRBG", drbg },
		{ "ECDH", ecdh }, { "ECDSA P-256", ecdsa_p256 }, { "ECDSA P-384 and P-521", ecdsa_others },
		{ "RSA", rsa },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!tests[i].good())
			return tests[i].name;
	return NULL;
}
