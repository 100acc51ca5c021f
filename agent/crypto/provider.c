/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of implementations, what is chosen of it when the program starts,
 * and the descriptors of crypto.h that hand on to what was chosen.
 */
#include <errno.h>
#include <linux/tls.h>
#include <nettle/curve25519.h>
#include "crypto/p256.h"
#include "crypto/provider.h"
#include "crypto/rsa.h"

#if CRYPTO_ADX
#include <cpuid.h>

/* Not every compiler's __builtin_cpu_supports() knows the name. */
static bool has_adx(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_BMI2 && b & bit_ADX;
}

static bool has_adx_avx2(void)
{
	return has_adx() && __builtin_cpu_supports("avx2");
}

static void p256_own_sign(const struct crypto_key *key, const uint8_t digest[32], uint8_t rs[64])
{
	uint8_t k[32];

	for (int i = 0; i < 32; i++)
		k[31 - i] = (uint8_t)(key->ec.p[i / 8] >> 8 * (i % 8));
	p256_sign(k, digest, rs);
	crypto_wipe(k, sizeof(k));
}

static const struct p256_ops p256_own = { p256_own_sign };
#endif
static const struct rsa_ops rsa_own = { rsa_root };
static const struct rsa_ops rsa_nettle = { rsa_root_nettle };
const struct x25519_ops x25519_nettle = { curve25519_mul_g, curve25519_mul };

/* Best first; the last of each algorithm is usable everywhere. */
static const struct crypto_impl table[] = {
#if CRYPTO_ADX
	{ CRYPTO_X25519, "ktls-adx", has_adx, &x25519_adx },
#endif
	{ CRYPTO_X25519, "ktls-51", NULL, &x25519_own },
	{ CRYPTO_X25519, "nettle", NULL, &x25519_nettle },
#if CRYPTO_ADX
	{ CRYPTO_P256_SIGN, "ktls-adx", has_adx_avx2, &p256_own },
#endif
	{ CRYPTO_P256_SIGN, "nettle", NULL, &p256_ops_nettle },
	{ CRYPTO_RSA_PRIVATE, "ktls-gmp", NULL, &rsa_own },
	{ CRYPTO_RSA_PRIVATE, "nettle", NULL, &rsa_nettle },
	{ CRYPTO_SHA256, "nettle", NULL, &sha256_nettle },
	{ CRYPTO_SHA384, "nettle", NULL, &sha384_nettle },
	{ CRYPTO_SHA512, "nettle", NULL, &sha512_nettle },
	{ CRYPTO_AES_128_GCM, "nettle", NULL, &aes_128_gcm_nettle },
	{ CRYPTO_AES_256_GCM, "nettle", NULL, &aes_256_gcm_nettle },
	{ CRYPTO_CHACHA20_POLY1305, "nettle", NULL, &chacha20_poly1305_nettle },
};
#define ROWS (sizeof(table) / sizeof(table[0]))

const struct crypto_impl *crypto_used[CRYPTO_ALGORITHMS];

static bool usable(const struct crypto_impl *impl)
{
	return !impl->usable || impl->usable();
}

void crypto_impl_default(void)
{
	for (size_t i = ROWS; i-- > 0; )
		if (usable(&table[i]))
			crypto_used[table[i].algorithm] = &table[i];
}

/* Before anything else of the program, other constructors included. */
__attribute__((constructor(101)))
static void choose_at_start(void)
{
	__builtin_cpu_init();
	crypto_impl_default();
}

const struct crypto_impl *crypto_impl_get(enum crypto_algorithm a, size_t n)
{
	for (size_t i = 0; i < ROWS; i++)
		if (table[i].algorithm == a && n-- == 0)
			return &table[i];
	return NULL;
}

int crypto_impl_register(const struct crypto_impl *impl)
{
	if (!usable(impl))
		return -ENOTSUP;
	crypto_used[impl->algorithm] = impl;
	return 0;
}

const char *crypto_algorithm_name(enum crypto_algorithm a)
{
	static const char *const names[CRYPTO_ALGORITHMS] = {
		"x25519", "ecdsa-p256-sign", "rsa-private", "sha256", "sha384", "sha512",
		"aes-128-gcm", "aes-256-gcm", "chacha20-poly1305",
	};

	return names[a];
}

/* ---- descriptors */

#define HASH(NAME, ALGORITHM, SIZE, BLOCK)						\
static void NAME##_start(void *ctx)							\
{ ((const struct crypto_hash *)crypto_ops(ALGORITHM))->init(ctx); }			\
static void NAME##_more(void *ctx, size_t len, const uint8_t *data)			\
{ ((const struct crypto_hash *)crypto_ops(ALGORITHM))->update(ctx, len, data); }	\
static void NAME##_end(void *ctx, uint8_t *out)					\
{ ((const struct crypto_hash *)crypto_ops(ALGORITHM))->digest(ctx, out); }		\
const struct crypto_hash crypto_##NAME = {						\
	.name = #NAME, .size = SIZE, .block = BLOCK, .ctx = CRYPTO_HASH_CTX,		\
	.init = NAME##_start, .update = NAME##_more, .digest = NAME##_end,		\
}
HASH(sha256, CRYPTO_SHA256, 32, 64);
HASH(sha384, CRYPTO_SHA384, 48, 128);
HASH(sha512, CRYPTO_SHA512, 64, 128);

#define AEAD(NAME, TEXT, ALGORITHM, TLS, KEY, FIXED)					\
static void NAME##_seal(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, \
			const uint8_t *in, size_t len, uint8_t *out)			\
{ ((const struct crypto_aead *)crypto_ops(ALGORITHM))->seal(key, nonce, aad, aad_len, in, len, out); } \
static int NAME##_open(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, \
		       const uint8_t *in, size_t len, uint8_t *out)			\
{ return ((const struct crypto_aead *)crypto_ops(ALGORITHM))->open(key, nonce, aad, aad_len, in, len, out); } \
const struct crypto_aead crypto_##NAME = {						\
	.name = TEXT, .tls_cipher = TLS, .key = KEY, .nonce = 12, .tag = 16, .fixed = FIXED, \
	.seal = NAME##_seal, .open = NAME##_open,					\
}
AEAD(aes_128_gcm, "aes-128-gcm", CRYPTO_AES_128_GCM, TLS_CIPHER_AES_GCM_128, 16, 4);
AEAD(aes_256_gcm, "aes-256-gcm", CRYPTO_AES_256_GCM, TLS_CIPHER_AES_GCM_256, 32, 4);
AEAD(chacha20_poly1305, "chacha20-poly1305", CRYPTO_CHACHA20_POLY1305, TLS_CIPHER_CHACHA20_POLY1305, 32, 12);
