/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Implementations of our own against nettle's: numbers at the edges of every
 * reduction, and random ones. And that the table does what provider.h says.
 */
#include <errno.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/bignum.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/p256.h"
#include "crypto/provider.h"
#include "crypto/rsa.h"
#include "rng/rng.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PKI "build/unit/pki/"

static void from_hex(const char *hex, uint8_t *out, size_t len)
{
	unsigned int v;

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
}

/* ---- X25519 */

/* Bytes with long runs of ones and zeros, where carries go far. */
static void odd_number(uint8_t out[32], unsigned int n)
{
	static const uint8_t fill[] = { 0x00, 0xff, 0x80, 0x7f, 0x01, 0xfe };

	if (n % 3 == 0) {
		rng_fill(RNG_NONCE, out, 32);
		return;
	}
	memset(out, fill[n % ARRAY_SIZE(fill)], 32);
	out[n / 3 % 32] = fill[n / 7 % ARRAY_SIZE(fill)];
	out[31] = fill[n / 11 % ARRAY_SIZE(fill)];
}

/* Number @n of the points around multiples of p, and the ones of small order. */
static void odd_point(uint8_t out[32], unsigned int n)
{
	static const char *const small[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	};

	if (n < ARRAY_SIZE(small)) {
		from_hex(small[n], out, 32);
	} else if (n < 60) {		/* 2^255 - 1 downwards, with and without the top bit */
		memset(out, 0xff, 32);
		out[0] = (uint8_t)(0xff - n / 2);
		out[31] = n & 1 ? 0xff : 0x7f;
	} else {
		odd_number(out, n);
	}
}

static void x25519_is_nettles(void **state)
{
	uint8_t k[32], p[32], ours[32], theirs[32];
	const struct crypto_impl *impl;
	unsigned int run = 0;

	(void)state;
	for (size_t i = 0; (impl = crypto_impl_get(CRYPTO_X25519, i)); i++) {
		const struct x25519_ops *ops = impl->ops;

		if (impl->usable && !impl->usable()) {
			print_message("# %s is not for this CPU\n", impl->name);
			continue;
		}
		for (unsigned int n = 0; n < 400; n++) {
			odd_number(k, n + 1);
			odd_point(p, n);
			ops->multiply(ours, k, p);
			x25519_nettle.multiply(theirs, k, p);
			assert_memory_equal(ours, theirs, 32);
			ops->multiply_base(ours, k);
			x25519_nettle.multiply_base(theirs, k);
			assert_memory_equal(ours, theirs, 32);
		}
		run++;
	}
	assert_true(run >= 2);
}

/* RFC 7748 5.2: the first and the thousandth of a thousand iterations */
static void x25519_of_the_rfc(void **state)
{
	uint8_t k[32] = { 9 }, u[32] = { 9 }, r[32], want[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		((const struct x25519_ops *)crypto_ops(CRYPTO_X25519))->multiply(r, k, u);
		memcpy(u, k, 32);
		memcpy(k, r, 32);
		if (i == 0) {
			from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", want, 32);
			assert_memory_equal(k, want, 32);
		}
	}
	from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", want, 32);
	assert_memory_equal(k, want, 32);
}

/* ---- ECDSA P-256 */
#if CRYPTO_ADX
static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static bool p256_here(void)
{
	return crypto_impl_get(CRYPTO_P256_SIGN, 0)->usable();
}

struct p256_check { struct ecc_scalar k, nonce; struct ecc_point pub, point; struct dsa_signature s; mpz_t x, y; };

/* r is the x coordinate of what nettle makes of the nonce, and nettle verifies the whole. */
static void p256_check_one(struct p256_check *c, const uint8_t *key, const uint8_t *nonce, const uint8_t *digest)
{
	uint8_t rs[64];

	nettle_mpz_set_str_256_u(c->x, 32, key);
	assert_true(ecc_scalar_set(&c->k, c->x));
	nettle_mpz_set_str_256_u(c->x, 32, nonce);
	assert_true(ecc_scalar_set(&c->nonce, c->x));
	assert_int_equal(p256_sign_with(key, nonce, digest, rs), 0);
	nettle_mpz_set_str_256_u(c->s.r, 32, rs);
	nettle_mpz_set_str_256_u(c->s.s, 32, rs + 32);
	ecc_point_mul_g(&c->pub, &c->k);
	assert_true(ecdsa_verify(&c->pub, 32, digest, &c->s));
	ecc_point_mul_g(&c->point, &c->nonce);
	ecc_point_get(&c->point, c->x, c->y);
	nettle_mpz_set_str_256_u(c->y, 32, (const uint8_t *)rs);
	mpz_sub(c->x, c->x, c->y);	/* 0, or n where x is above n */
	assert_true(mpz_sgn(c->x) >= 0);
	if (mpz_sgn(c->x)) {
		mpz_set_str(c->y, order, 16);
		assert_int_equal(mpz_cmp(c->x, c->y), 0);
	}
}

/* Nonces of one digit, at every place, and around the order. */
static void odd_scalar(uint8_t out[32], unsigned int n)
{
	do {
		rng_fill(RNG_KEY, out, 32);
		if (n < 256) {
			memset(out, 0, 32);
			out[31 - n / 8] = (uint8_t)(1 << n % 8);
		} else if (n < 320) {
			from_hex(order, out, 32);
			out[31] = (uint8_t)(out[31] - 1 - (n - 256));
		} else if (n < 400) {
			memset(out + n % 32, n & 1 ? 0 : 0xff, 32 - n % 32);
			out[31] |= 1;
			out[0] &= 0x7f;
		}
	} while (n >= 400 && !memcmp(out, "\xff\xff\xff\xff", 4));
}

static void p256_is_nettles(void **state)
{
	uint8_t key[32], nonce[32], digest[32];
	struct p256_check c;

	(void)state;
	if (!p256_here())
		skip();
	ecc_scalar_init(&c.k, nettle_get_secp_256r1());
	ecc_scalar_init(&c.nonce, nettle_get_secp_256r1());
	ecc_point_init(&c.pub, nettle_get_secp_256r1());
	ecc_point_init(&c.point, nettle_get_secp_256r1());
	dsa_signature_init(&c.s);
	mpz_inits(c.x, c.y, NULL);
	for (unsigned int n = 0; n < 500; n++) {
		odd_scalar(nonce, n);
		odd_scalar(key, 5 * n + 17);
		odd_number(digest, n + 1);
		p256_check_one(&c, key, nonce, digest);
	}
	mpz_clears(c.x, c.y, NULL);
	dsa_signature_clear(&c.s);
	ecc_point_clear(&c.point);
	ecc_point_clear(&c.pub);
	ecc_scalar_clear(&c.nonce);
	ecc_scalar_clear(&c.k);
}

/* RFC 6979 A.2.5, "sample" with SHA-256 */
static void p256_of_the_rfc(void **state)
{
	uint8_t key[32], nonce[32], digest[32], rs[64], want[64];

	(void)state;
	if (!p256_here())
		skip();
	from_hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", key, 32);
	from_hex("a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60", nonce, 32);
	from_hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
		 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8", want, 64);
	crypto_hash_once(&crypto_sha256, "sample", 6, digest);
	assert_int_equal(p256_sign_with(key, nonce, digest, rs), 0);
	assert_memory_equal(rs, want, 64);
}

static void p256_draws_another_nonce(void **state)
{
	uint8_t key[32] = { [31] = 3 }, nonce[32] = { 0 }, digest[32] = { 1 }, rs[64] = { 0 };

	(void)state;
	if (!p256_here())
		skip();
	assert_int_equal(p256_sign_with(key, nonce, digest, rs), -EAGAIN);
	from_hex(order, nonce, 32);
	assert_int_equal(p256_sign_with(key, nonce, digest, rs), -EAGAIN);
	memset(nonce, 0xff, 32);
	assert_int_equal(p256_sign_with(key, nonce, digest, rs), -EAGAIN);
	for (size_t i = 0; i < sizeof(rs); i++)
		assert_int_equal(rs[i], 0);
}
#endif

/* ---- RSA */

static struct crypto_key *load(const char *path)
{
	struct crypto_key *key;
	uint8_t buf[8192];
	FILE *f = fopen(path, "re");
	size_t len;

	assert_non_null(f);
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	assert_int_equal(crypto_key_load(buf, len, &key), 0);
	return key;
}

static void rsa_is_nettles(void **state)
{
	struct crypto_key *key = load(PKI "rsa.key");
	const struct rsa_inner *pub = key->pub.inner;
	mpz_t m, ours, theirs;
	uint8_t bytes[256];

	(void)state;
	mpz_inits(m, ours, theirs, NULL);
	for (unsigned int i = 0; i < 150; i++) {	/* past two changes of the blinding */
		rng_fill(RNG_NONCE, bytes, sizeof(bytes));
		nettle_mpz_set_str_256_u(m, i % 50 ? sizeof(bytes) : i / 50, bytes);
		mpz_mod(m, m, pub->key.n);
		if (i == 149)
			mpz_sub_ui(m, pub->key.n, 1);
		assert_true(rsa_root(key, ours, m));
		if (i % 10 == 0 || i > 147) {
			assert_true(rsa_root_nettle(key, theirs, m));
			assert_int_equal(mpz_cmp(ours, theirs), 0);
		}
	}
	mpz_clears(m, ours, theirs, NULL);
	crypto_key_free(key);
}

/* A wrong bit in the half for one prime: with that signature anyone could factor n. */
static void rsa_keeps_a_fault_to_itself(void **state)
{
	struct crypto_key *key = load(PKI "rsa.key");
	mpz_t m, x;

	(void)state;
	mpz_init_set_ui(m, 123456789);
	mpz_init(x);
	assert_true(rsa_root(key, x, m));
	mpz_combit(key->rsa.a, 77);
	assert_false(rsa_root(key, x, m));
	assert_int_equal(mpz_sgn(x), 0);
	mpz_combit(key->rsa.a, 77);
	assert_true(rsa_root(key, x, m));
	mpz_clears(m, x, NULL);
	crypto_key_free(key);
}

/* ---- the table */

static unsigned int calls;

static void counting_start(void *ctx)
{
	calls++;
	sha256_nettle.init(ctx);
}

static bool never(void)
{
	return false;
}

static void one_algorithm_is_replaced(void **state)
{
	struct crypto_hash counting = sha256_nettle;
	struct crypto_impl mine = { CRYPTO_SHA256, "counting", NULL, &counting };
	uint8_t a[64], b[64];

	(void)state;
	counting.init = counting_start;
	crypto_hash_once(&crypto_sha256, "x", 1, a);
	assert_int_equal(calls, 0);
	mine.usable = never;
	assert_int_equal(crypto_impl_register(&mine), -ENOTSUP);
	crypto_hash_once(&crypto_sha256, "x", 1, a);
	assert_int_equal(calls, 0);
	mine.usable = NULL;
	assert_int_equal(crypto_impl_register(&mine), 0);
	crypto_hash_once(&crypto_sha256, "x", 1, b);
	crypto_hash_once(&crypto_sha384, "x", 1, b + 16);
	assert_int_equal(calls, 1);
	crypto_impl_default();
	crypto_hash_once(&crypto_sha256, "x", 1, b);
	assert_int_equal(calls, 1);
	assert_memory_equal(a, b, 32);
}

static void every_algorithm_has_a_last_resort(void **state)
{
	const struct crypto_impl *impl, *last;

	(void)state;
	for (int a = 0; a < CRYPTO_ALGORITHMS; a++) {
		last = NULL;
		for (size_t n = 0; (impl = crypto_impl_get(a, n)); n++) {
			assert_int_equal(impl->algorithm, a);
			assert_non_null(impl->ops);
			last = impl;
		}
		assert_non_null(last);
		assert_null(last->usable);
		assert_string_equal(last->name, "nettle");
		assert_non_null(crypto_used[a]);
		print_message("# %s: %s\n", crypto_algorithm_name(a), crypto_used[a]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm_has_a_last_resort),
		cmocka_unit_test(one_algorithm_is_replaced),
		cmocka_unit_test(x25519_is_nettles),
		cmocka_unit_test(x25519_of_the_rfc),
#if CRYPTO_ADX
		cmocka_unit_test(p256_is_nettles),
		cmocka_unit_test(p256_of_the_rfc),
		cmocka_unit_test(p256_draws_another_nonce),
#endif
		cmocka_unit_test(rsa_is_nettles),
		cmocka_unit_test(rsa_keeps_a_fault_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
