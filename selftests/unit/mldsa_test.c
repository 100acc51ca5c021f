// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ML-DSA: answers that @noble/post-quantum 0.7.1 gave (peers/mldsa.sh asks it
 * again where it is installed), the bits by their definition, and what must be
 * refused of keys and signatures.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "no_memory.h"
#include "crypto/crypto.h"
#include "crypto/mldsa.h"
#include "crypto/mldsa_poly.h"
#define PKI ""
#include "mldsa_pki.h"

#define SETS 3

static const struct mldsa *set_of(int i)
{
	return mldsa_of(CRYPTO_KEY_MLDSA44 + (enum crypto_key_type)i);
}

/* SHA-256 over public key, private key and signature of twenty keys. */
static void known_answers(void **state)
{
	static const uint8_t want[SETS][8] = {
		{ 0xfc, 0xd8, 0x46, 0xac, 0xaf, 0x2a, 0x1a, 0x6b }, { 0x7c, 0x5b, 0x22, 0xb3, 0xbd, 0x16, 0xf6, 0x5a },
		{ 0x55, 0xfd, 0x4a, 0xf6, 0x4f, 0x9f, 0x05, 0x0c },
	};
	uint8_t pub[MLDSA_MAX_PUBLIC], priv[MLDSA_MAX_PRIVATE], sig[MLDSA_MAX_SIGNATURE];
	uint8_t seed[MLDSA_SEED], random[32], msg[140], ctx[CRYPTO_HASH_CTX], digest[32];

	(void)state;
	for (int s = 0; s < SETS; s++) {
		const struct mldsa *p = set_of(s);

		crypto_sha256.init(ctx);
		for (int i = 0; i < 20; i++) {
			memset(seed, i, sizeof(seed));
			memset(random, i % 2 ? i : 0, sizeof(random));
			memset(msg, i, sizeof(msg));
			assert_int_equal(mldsa_generate(p, seed, pub, priv), 0);
			assert_int_equal(mldsa_sign(p, seed, random, msg, (size_t)i * 7, sig), 0);
			assert_int_equal(mldsa_verify(p, pub, msg, (size_t)i * 7, sig), 0);
			crypto_sha256.update(ctx, p->public_key, pub);
			crypto_sha256.update(ctx, p->private_key, priv);
			crypto_sha256.update(ctx, p->signature, sig);
		}
		crypto_sha256.digest(ctx, digest);
		assert_memory_equal(digest, want[s], sizeof(want[s]));
	}
}

/* FIPS 204 algorithm 36 as it stands, for every number there is. */
static void bits_by_definition(void **state)
{
	static const int32_t gammas[] = { (MLDSA_Q - 1) / 88, (MLDSA_Q - 1) / 32 };

	(void)state;
	for (int g = 0; g < 2; g++)
		for (int32_t a = 0, gamma2 = gammas[g]; a < MLDSA_Q; a++) {
			int32_t r0 = a % (2 * gamma2), r1, low, high;

			if (r0 > gamma2)
				r0 -= 2 * gamma2;
			r1 = (a - r0) / (2 * gamma2);
			if (a - r0 == MLDSA_Q - 1) {
				r1 = 0;
				r0--;
			}
			high = mldsa_decompose(a, gamma2, &low);
			if (high != r1 || low != r0)
				fail_msg("%d: %d, %d instead of %d, %d", a, high, low, r1, r0);
		}
}

static void altered_signatures(void **state)
{
	uint8_t pub[MLDSA_MAX_PUBLIC], sig[MLDSA_MAX_SIGNATURE], seed[MLDSA_SEED] = { 5 }, random[32] = { 6 };
	static const uint8_t msg[] = "message";

	(void)state;
	for (int s = 0; s < SETS; s++) {
		const struct mldsa *p = set_of(s);

		assert_int_equal(mldsa_generate(p, seed, pub, NULL), 0);
		assert_int_equal(mldsa_sign(p, seed, random, msg, sizeof(msg), sig), 0);
		assert_int_equal(mldsa_verify(p, pub, msg, sizeof(msg), sig), 0);
		assert_int_equal(mldsa_verify(p, pub, msg, sizeof(msg) - 1, sig), -EBADMSG);
		for (size_t i = 0; i < p->signature; i += i < 100 || i + 100 > p->signature ? 1 : 37) {
			sig[i] ^= 1 << i % 8;
			assert_int_equal(mldsa_verify(p, pub, msg, sizeof(msg), sig), -EBADMSG);
			sig[i] ^= 1 << i % 8;
		}
		for (size_t i = 0; i < p->public_key; i += 53) {
			pub[i] ^= 1 << i % 8;
			assert_int_equal(mldsa_verify(p, pub, msg, sizeof(msg), sig), -EBADMSG);
			pub[i] ^= 1 << i % 8;
		}
		assert_int_equal(mldsa_verify(p, pub, msg, sizeof(msg), sig), 0);
	}
}

/* The same hints written otherwise would be another signature of the same message. */
static void hints_have_one_form(void **state)
{
	uint8_t pub[MLDSA_MAX_PUBLIC], sig[MLDSA_MAX_SIGNATURE], seed[MLDSA_SEED] = { 7 }, random[32] = { 0 }, t;

	(void)state;
	for (int s = 0; s < SETS; s++) {
		const struct mldsa *p = set_of(s);
		uint8_t *hints = sig + p->signature - p->omega - p->k, *ends = hints + p->omega, most;
		int first = -1;

		assert_int_equal(mldsa_generate(p, seed, pub, NULL), 0);
		for (; first < 0; random[0]++) {	/* until a list has two, and there is room */
			assert_int_equal(mldsa_sign(p, seed, random, seed, 1, sig), 0);
			for (int i = 0; i < p->k && ends[p->k - 1] < p->omega; i++)
				if (ends[i] - (i ? ends[i - 1] : 0) >= 2)
					first = i ? ends[i - 1] : 0;
		}
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), 0);
		t = hints[first], hints[first] = hints[first + 1], hints[first + 1] = t;	/* descending */
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), -EBADMSG);
		hints[first] = hints[first + 1];						/* twice */
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), -EBADMSG);
		assert_int_equal(mldsa_sign(p, seed, (random[0]--, random), seed, 1, sig), 0);
		hints[p->omega - 1] = 1;							/* behind the end */
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), -EBADMSG);
		hints[p->omega - 1] = 0;
		most = ends[p->k - 1];
		ends[p->k - 1] = p->omega + 1;							/* more than fit */
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), -EBADMSG);
		ends[p->k - 1] = most;
		ends[0] = most + 1;								/* an end before its start */
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), -EBADMSG);
	}
}

/* A signer, and then a verifier, without the bound of z (FIPS 204 algorithms 7 line 23 and 8 line 13). */
static int32_t unbound;

bool __real_poly_within(const struct poly *f, int32_t bound);
bool __wrap_poly_within(const struct poly *f, int32_t bound);
bool __wrap_poly_within(const struct poly *f, int32_t bound)
{
	return bound == unbound || __real_poly_within(f, bound);
}

static bool z_exceeds(const struct mldsa *p, const uint8_t *sig, int32_t bound)
{
	struct poly f;

	for (int i = 0; i < p->l; i++) {
		poly_unpack_from(sig + p->challenge + i * MLDSA_N * p->z_bits / 8, 1 << (p->z_bits - 1), p->z_bits, &f);
		if (!__real_poly_within(&f, bound))
			return true;
	}
	return false;
}

static void z_out_of_bounds(void **state)
{
	uint8_t pub[MLDSA_MAX_PUBLIC], sig[MLDSA_MAX_SIGNATURE], seed[MLDSA_SEED] = { 9 }, random[32] = { 0 };
	struct poly f = { .c = { 0 } };

	(void)state;
	for (int s = 0; s < SETS; s++) {
		const struct mldsa *p = set_of(s);
		const int32_t bound = (1 << (p->z_bits - 1)) - p->tau * p->eta;

		assert_int_equal(mldsa_generate(p, seed, pub, NULL), 0);
		unbound = bound;
		do {
			random[0]++;
			assert_int_equal(mldsa_sign(p, seed, random, seed, 1, sig), 0);
		} while (!z_exceeds(p, sig, bound));
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), 0);
		unbound = 0;
		assert_int_equal(mldsa_verify(p, pub, seed, 1, sig), -EBADMSG);
	}
	for (int sign = -1; sign <= 1; sign += 2) {
		f.c[255] = sign * 99;
		assert_true(poly_within(&f, 100));
		assert_false(poly_within(&f, 99));
	}
}

/* ---- keys */

static int load(const struct back *b, size_t less, struct crypto_key **key)
{
	size_t len = sizeof(b->buf) - b->at - less;
	uint8_t *exact = malloc(len);
	int err;

	memcpy(exact, b->buf + b->at, len);
	err = crypto_key_load(exact, len, key);
	free(exact);
	return err;
}

/* Both forms in one SEQUENCE, with @flip changed in the expanded one. */
static void write_both(struct back *b, const struct mldsa *p, const uint8_t *seed, size_t flip)
{
	struct back inner = { .at = sizeof(inner.buf) };
	uint8_t pub[MLDSA_MAX_PUBLIC], priv[MLDSA_MAX_PRIVATE];
	size_t end = inner.at;

	assert_int_equal(mldsa_generate(p, seed, pub, priv), 0);
	if (flip)
		priv[flip - 1] ^= 1;
	back_whole(&inner, 0x04, priv, p->private_key);
	back_whole(&inner, 0x04, seed, MLDSA_SEED);
	back_close(&inner, 0x30, end);
	b->at = sizeof(b->buf);
	back_key(b, p, inner.buf + inner.at, end - inner.at);
}

static void forms_of_keys(void **state)
{
	uint8_t seed[MLDSA_SEED] = { 8 }, pub[MLDSA_MAX_PUBLIC], inner[4 + MLDSA_MAX_PRIVATE] = { 0x04, 0x82 };
	struct crypto_key *key;
	struct back b;

	(void)state;
	for (int s = 0; s < SETS; s++) {
		const struct mldsa *p = set_of(s);
		struct crypto_pubkey pk = { p->type, p->bits, pub };

		assert_int_equal(mldsa_generate(p, seed, pub, NULL), 0);
		b.at = sizeof(b.buf);
		back_seed(&b, p, seed);
		assert_int_equal(load(&b, 0, &key), 0);
		assert_true(crypto_key_matches(key, &pk));
		pub[40] ^= 1;
		assert_false(crypto_key_matches(key, &pk));
		pub[40] ^= 1;
		crypto_key_free(key);
		for (size_t less = 1; less < sizeof(b.buf) - b.at; less++)
			assert_int_equal(load(&b, less, &key), -EBADMSG);

		write_both(&b, p, seed, 0);
		assert_int_equal(load(&b, 0, &key), 0);
		assert_true(crypto_key_matches(key, &pk));
		crypto_key_free(key);
		for (size_t flip = 1; flip <= 128; flip += 31) {
			write_both(&b, p, seed, flip);
			assert_int_equal(load(&b, 0, &key), -EBADMSG);
		}

		inner[2] = (uint8_t)(p->private_key >> 8), inner[3] = (uint8_t)p->private_key;
		b.at = sizeof(b.buf);
		back_key(&b, p, inner, 4u + p->private_key);
		assert_int_equal(load(&b, 0, &key), -ENOTSUP);
		inner[0] = 0x80, inner[1] = MLDSA_SEED - 1;
		b.at = sizeof(b.buf);
		back_key(&b, p, inner, 2 + MLDSA_SEED - 1);
		assert_int_equal(load(&b, 0, &key), -EBADMSG);
		inner[0] = 0x04, inner[1] = 0x82;
	}
}

static void out_of_memory(void **state)
{
	uint8_t seed[MLDSA_SEED] = { 8 }, sig[CRYPTO_MAX_SIGNATURE];
	const struct crypto_scheme *scheme = crypto_scheme_find(0x0904);
	struct back b = { .at = sizeof(b.buf) };
	struct crypto_key *key;
	unsigned int n = 0;
	size_t len = 0;
	int err;

	(void)state;
	back_seed(&b, set_of(0), seed);
	do {
		no_memory_in = ++n;
		err = crypto_key_load(b.buf + b.at, sizeof(b.buf) - b.at, &key);
		assert_true(!err || err == -ENOMEM);
	} while (err);
	assert_int_equal(n, 4);
	no_memory_in = 1;
	assert_int_equal(scheme->sign(key, NULL, seed, 1, sig, &len), -ENOMEM);
	assert_int_equal(len, 0);
	assert_int_equal(scheme->sign(key, NULL, seed, 1, sig, &len), 0);
	assert_int_equal(len, set_of(0)->signature);
	no_memory_in = 1;
	assert_int_equal(scheme->verify(crypto_key_public(key), NULL, seed, 1, sig, len), -ENOMEM);
	assert_int_equal(scheme->verify(crypto_key_public(key), NULL, seed, 1, sig, len), 0);
	assert_int_equal(scheme->verify(crypto_key_public(key), NULL, seed, 1, sig, len - 1), -EBADMSG);
	assert_int_equal(crypto_scheme_find(0x0403)->sign(key, &crypto_sha256, seed, 1, sig, &len), -EINVAL);
	crypto_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(bits_by_definition),
		cmocka_unit_test(altered_signatures),
		cmocka_unit_test(hints_have_one_form),
		cmocka_unit_test(z_out_of_bounds),
		cmocka_unit_test(forms_of_keys),
		cmocka_unit_test(out_of_memory),
	};

	no_memory_spares_numbers();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
