// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The brainpool curves against OpenSSL's arithmetic: products of random and of
 * extreme scalars, shared secrets, signatures with a nonce that is known, and
 * everything that must be refused.
 */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "crypto/brainpool.h"
#include "rng/rng.h"

#define RANDOM_ROUNDS 12

static const struct curve {
	enum crypto_key_type type;
	int nid;
	const struct crypto_group *group;
} curves[] = {
	{ CRYPTO_KEY_BRAINPOOL256, NID_brainpoolP256r1, &crypto_brainpoolP256r1tls13 },
	{ CRYPTO_KEY_BRAINPOOL384, NID_brainpoolP384r1, &crypto_brainpoolP384r1tls13 },
	{ CRYPTO_KEY_BRAINPOOL512, NID_brainpoolP512r1, &crypto_brainpoolP512r1tls13 },
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

/* One of the curves, as both see it. */
struct both {
	const struct brainpool *c;
	size_t bytes;
	EC_GROUP *group;
	BN_CTX *ctx;
	const BIGNUM *order;
};

static struct both both_of(size_t i)
{
	struct both b = { .c = brainpool_curve(curves[i].type), .ctx = BN_CTX_new() };

	b.bytes = brainpool_bytes(b.c);
	b.group = EC_GROUP_new_by_curve_name(curves[i].nid);
	assert_non_null(b.group);
	b.order = EC_GROUP_get0_order(b.group);
	assert_int_equal(BN_num_bytes(b.order), b.bytes);
	return b;
}

static void both_free(struct both *b)
{
	EC_GROUP_free(b->group);
	BN_CTX_free(b->ctx);
}

static void number(const struct both *b, const BIGNUM *n, uint8_t *out)
{
	assert_int_equal(BN_bn2binpad(n, out, (int)b->bytes), b->bytes);
}

/* k times @of, or the base point */
static void openssl_times(const struct both *b, const uint8_t *k, const uint8_t *of, uint8_t *point)
{
	EC_POINT *p = EC_POINT_new(b->group), *r = EC_POINT_new(b->group);
	BIGNUM *n = BN_bin2bn(k, (int)b->bytes, NULL);

	if (of)
		assert_true(EC_POINT_oct2point(b->group, p, of, 1 + 2 * b->bytes, b->ctx));
	assert_true(EC_POINT_mul(b->group, r, of ? NULL : n, of ? p : NULL, of ? n : NULL, b->ctx));
	assert_int_equal(EC_POINT_point2oct(b->group, r, POINT_CONVERSION_UNCOMPRESSED, point,
					    BRAINPOOL_MAX_POINT, b->ctx), 1 + 2 * b->bytes);
	BN_free(n);
	EC_POINT_free(p);
	EC_POINT_free(r);
}

/* order + @off, or @off itself */
static void extreme(const struct both *b, int off, bool near_order, uint8_t *k)
{
	BIGNUM *n = near_order ? BN_dup(b->order) : BN_new();

	if (off < 0)
		BN_sub_word(n, (BN_ULONG)-off);
	else
		BN_add_word(n, (BN_ULONG)off);
	number(b, n, k);
	BN_free(n);
}

static void random_scalar(const struct both *b, uint8_t *k)
{
	BIGNUM *n = BN_new();

	do
		BN_rand_range(n, b->order);
	while (BN_is_zero(n));
	number(b, n, k);
	BN_free(n);
}

/* The n-th scalar of a test: those at the edges, and random ones behind them. */
static void scalar(const struct both *b, size_t n, uint8_t *k)
{
	static const struct { int off; bool near; } edges[] = {
		{ 1, false }, { 2, false }, { 15, false }, { 16, false }, { 17, false }, { 256, false },
		{ -1, true }, { -2, true }, { -16, true }, { -17, true },
	};

	if (n < sizeof(edges) / sizeof(edges[0]))
		extreme(b, edges[n].off, edges[n].near, k);
	else
		random_scalar(b, k);
}
#define ROUNDS (10 + RANDOM_ROUNDS)

static void products(void **state)
{
	uint8_t k[BRAINPOOL_MAX], j[BRAINPOOL_MAX], ours[BRAINPOOL_MAX_POINT], theirs[BRAINPOOL_MAX_POINT];
	uint8_t secret[BRAINPOOL_MAX], shared[BRAINPOOL_MAX_POINT];

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);

		for (size_t n = 0; n < ROUNDS; n++) {
			scalar(&b, n, k);
			scalar(&b, ROUNDS - 1 - n, j);
			assert_int_equal(brainpool_public(b.c, k, ours), 0);
			openssl_times(&b, k, NULL, theirs);
			assert_memory_equal(ours, theirs, 1 + 2 * b.bytes);
			assert_int_equal(brainpool_check(b.c, ours, 1 + 2 * b.bytes), 0);
			assert_int_equal(brainpool_ecdh(b.c, j, ours, secret), 0);
			openssl_times(&b, j, ours, shared);
			assert_memory_equal(secret, shared + 1, b.bytes);
		}
		both_free(&b);
	}
}

static void groups_agree(void **state)
{
	uint8_t priv[CRYPTO_MAX_PRIVATE], mine[CRYPTO_MAX_SHARE], theirs[CRYPTO_MAX_SHARE], a[64], b[64];

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		const struct crypto_group *g = curves[i].group;

		assert_int_equal(g->generate(g, priv, mine), 0);
		assert_int_equal(g->respond(g, mine, theirs, a), 0);
		assert_int_equal(g->agree(g, priv, theirs, b), 0);
		assert_memory_equal(a, b, g->secret);
		mine[g->client_share - 1] ^= 1;
		assert_int_equal(g->respond(g, mine, theirs, a), -EBADMSG);
	}
}

static void refused_numbers(void **state)
{
	uint8_t k[BRAINPOOL_MAX], point[BRAINPOOL_MAX_POINT], secret[BRAINPOOL_MAX];

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);

		extreme(&b, 1, false, k);
		assert_int_equal(brainpool_public(b.c, k, point), 0);
		for (int off = 0; off < 3; off++) {
			extreme(&b, off, true, k);
			assert_int_equal(brainpool_public(b.c, k, point), -ERANGE);
			assert_int_equal(brainpool_ecdh(b.c, k, point, secret), -ERANGE);
		}
		memset(k, 0, sizeof(k));
		assert_int_equal(brainpool_public(b.c, k, point), -ERANGE);
		memset(k, 0xff, sizeof(k));
		assert_int_equal(brainpool_public(b.c, k, point), -ERANGE);
		both_free(&b);
	}
}

static void refused_points(void **state)
{
	uint8_t k[BRAINPOOL_MAX] = { 0 }, good[BRAINPOOL_MAX_POINT], p[BRAINPOOL_MAX_POINT], secret[BRAINPOOL_MAX];
	BIGNUM *prime = BN_new();

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);
		size_t len = 1 + 2 * b.bytes;

		random_scalar(&b, k);
		assert_int_equal(brainpool_public(b.c, k, good), 0);
		for (size_t at = 0; at < len; at++) {
			memcpy(p, good, len);
			p[at] ^= 1 << at % 8;
			assert_int_equal(brainpool_check(b.c, p, len), -EBADMSG);
		}
		assert_int_equal(brainpool_check(b.c, good, len - 1), -EBADMSG);
		assert_int_equal(brainpool_check(b.c, good, 1 + b.bytes), -EBADMSG);
		memset(p, 0, len);
		assert_int_equal(brainpool_check(b.c, p, len), -EBADMSG);
		p[0] = 4;
		assert_int_equal(brainpool_check(b.c, p, len), -EBADMSG);
		assert_int_equal(brainpool_ecdh(b.c, k, p, secret), -EBADMSG);
		/* The point (0, sqrt b) is one; (p, sqrt b) is the same, written as it may not be. */
		assert_true(EC_GROUP_get_curve(b.group, prime, NULL, NULL, b.ctx));
		number(&b, prime, p + 1);
		assert_int_equal(brainpool_check(b.c, p, len), -EBADMSG);
		both_free(&b);
	}
	BN_free(prime);
}

/* s = (e + r d) / k with OpenSSL's numbers */
static void openssl_sign(const struct both *b, const uint8_t *key, const uint8_t *nonce, const uint8_t *digest,
			 size_t len, uint8_t *rs)
{
	BIGNUM *d = BN_bin2bn(key, (int)b->bytes, NULL), *k = BN_bin2bn(nonce, (int)b->bytes, NULL);
	BIGNUM *e = BN_bin2bn(digest, (int)(len < b->bytes ? len : b->bytes), NULL), *r = BN_new(), *s = BN_new();
	uint8_t point[BRAINPOOL_MAX_POINT];

	openssl_times(b, nonce, NULL, point);
	BN_bin2bn(point + 1, (int)b->bytes, r);
	BN_nnmod(r, r, b->order, b->ctx);
	BN_mod_mul(s, r, d, b->order, b->ctx);
	BN_mod_add(s, s, e, b->order, b->ctx);
	assert_non_null(BN_mod_inverse(k, k, b->order, b->ctx));
	BN_mod_mul(s, s, k, b->order, b->ctx);
	number(b, r, rs);
	number(b, s, rs + b->bytes);
	BN_free(d);
	BN_free(k);
	BN_free(e);
	BN_free(r);
	BN_free(s);
}

static void signatures(void **state)
{
	uint8_t key[BRAINPOOL_MAX], nonce[BRAINPOOL_MAX], digest[64], pub[BRAINPOOL_MAX_POINT];
	uint8_t ours[2 * BRAINPOOL_MAX], theirs[2 * BRAINPOOL_MAX];
	static const size_t lens[] = { 32, 48, 64 };

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);

		for (size_t n = 0; n < ROUNDS; n++) {
			size_t len = lens[n % 3];

			scalar(&b, n, key);
			scalar(&b, ROUNDS - 1 - n, nonce);
			rng_fill(RNG_RANDOM, digest, sizeof(digest));
			if (n % 4 < 2)
				memset(digest, n % 4 ? 0xff : 0, sizeof(digest));
			assert_int_equal(brainpool_sign_with(b.c, key, nonce, digest, len, ours), 0);
			openssl_sign(&b, key, nonce, digest, len, theirs);
			assert_memory_equal(ours, theirs, 2 * b.bytes);
			assert_int_equal(brainpool_public(b.c, key, pub), 0);
			assert_int_equal(brainpool_verify(b.c, pub, digest, len, ours), 0);
			brainpool_sign(b.c, key, digest, len, theirs);
			assert_int_equal(brainpool_verify(b.c, pub, digest, len, theirs), 0);
			assert_memory_not_equal(ours, theirs, 2 * b.bytes);
			digest[0] ^= 0x80;
			assert_int_equal(brainpool_verify(b.c, pub, digest, len, ours), -EBADMSG);
		}
		both_free(&b);
	}
}

static void refused_signatures(void **state)
{
	uint8_t key[BRAINPOOL_MAX], pub[BRAINPOOL_MAX_POINT], digest[32] = { 7 }, rs[2 * BRAINPOOL_MAX], t[2 * BRAINPOOL_MAX];

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);

		random_scalar(&b, key);
		assert_int_equal(brainpool_public(b.c, key, pub), 0);
		brainpool_sign(b.c, key, digest, sizeof(digest), rs);
		for (size_t half = 0; half < 2; half++) {
			memcpy(t, rs, sizeof(t));
			memset(t + half * b.bytes, 0, b.bytes);
			assert_int_equal(brainpool_verify(b.c, pub, digest, sizeof(digest), t), -EBADMSG);
			number(&b, b.order, t + half * b.bytes);
			assert_int_equal(brainpool_verify(b.c, pub, digest, sizeof(digest), t), -EBADMSG);
			memset(t + half * b.bytes, 0xff, b.bytes);
			assert_int_equal(brainpool_verify(b.c, pub, digest, sizeof(digest), t), -EBADMSG);
		}
		for (size_t at = 0; at < 2 * b.bytes; at += 5) {
			rs[at] ^= 1 << at % 8;
			assert_int_equal(brainpool_verify(b.c, pub, digest, sizeof(digest), rs), -EBADMSG);
			rs[at] ^= 1 << at % 8;
		}
		number(&b, b.order, key);
		assert_int_equal(brainpool_sign_with(b.c, pub + 1, key, digest, sizeof(digest), rs), -EAGAIN);
		both_free(&b);
	}
}

/* s and s + order are the same to the arithmetic: the second would be another signature of the same message. */
static void a_signature_has_one_form(void **state)
{
	uint8_t key[BRAINPOOL_MAX], pub[BRAINPOOL_MAX_POINT], digest[32] = { 7 }, rs[2 * BRAINPOOL_MAX];

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);
		BIGNUM *s = BN_new();

		random_scalar(&b, key);
		assert_int_equal(brainpool_public(b.c, key, pub), 0);
		do {
			brainpool_sign(b.c, key, digest, sizeof(digest), rs);
			BN_bin2bn(rs + b.bytes, (int)b.bytes, s);
			BN_add(s, s, b.order);
		} while (BN_num_bytes(s) > (int)b.bytes);
		assert_int_equal(brainpool_verify(b.c, pub, digest, sizeof(digest), rs), 0);
		number(&b, s, rs + b.bytes);
		assert_int_equal(brainpool_verify(b.c, pub, digest, sizeof(digest), rs), -EBADMSG);
		BN_free(s);
		both_free(&b);
	}
}

/* u1 G + u2 Q where both are the same point: a formula with exceptions would fail. */
static void the_sum_is_a_doubling(void **state)
{
	uint8_t key[BRAINPOOL_MAX], pub[BRAINPOOL_MAX_POINT], point[BRAINPOOL_MAX_POINT], rs[2 * BRAINPOOL_MAX], e[BRAINPOOL_MAX];

	(void)state;
	for (size_t i = 0; i < CURVES; i++) {
		struct both b = both_of(i);
		BIGNUM *r = BN_new(), *s = BN_new();

		/* key 1, so Q = G; e = r, so u1 = u2 = r / s; 2 r / s = 2, so s = r, where r = x(2 G) */
		extreme(&b, 1, false, key);
		assert_int_equal(brainpool_public(b.c, key, pub), 0);
		extreme(&b, 2, false, key);
		openssl_times(&b, key, NULL, point);
		BN_bin2bn(point + 1, (int)b.bytes, r);
		BN_nnmod(r, r, b.order, b.ctx);
		number(&b, r, rs);
		number(&b, r, rs + b.bytes);
		number(&b, r, e);
		assert_int_equal(brainpool_verify(b.c, pub, e, b.bytes, rs), 0);
		/* -r: the sum is infinity */
		BN_sub(s, b.order, r);
		number(&b, s, e);
		assert_int_equal(brainpool_verify(b.c, pub, e, b.bytes, rs), -EBADMSG);
		BN_free(r);
		BN_free(s);
		both_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products),
		cmocka_unit_test(groups_agree),
		cmocka_unit_test(refused_numbers),
		cmocka_unit_test(refused_points),
		cmocka_unit_test(signatures),
		cmocka_unit_test(refused_signatures),
		cmocka_unit_test(a_signature_has_one_form),
		cmocka_unit_test(the_sum_is_a_doubling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
