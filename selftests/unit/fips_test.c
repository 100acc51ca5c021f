/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIPS mode: the self-tests notice each algorithm that is broken, the DRBG is
 * OpenSSL's to the byte, a changed program does not start, and what is not
 * approved is gone from the configuration.
 */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "crypto/provider.h"
#include "crypto/selftest.h"
#include "fips.h"
#include "rng/drbg.h"
#include "rng/rng.h"

static char dir[] = "/tmp/ktls-fips-XXXXXX";

/* ---- self-tests */

static void bad_digest(void *ctx, uint8_t *out)
{
	sha256_nettle.digest(ctx, out);
	out[31] ^= 1;
}

static void bad_digest384(void *ctx, uint8_t *out)
{
	sha384_nettle.digest(ctx, out);
	out[0] ^= 0x80;
}

static void bad_seal(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
		     const uint8_t *in, size_t len, uint8_t *out)
{
	aes_128_gcm_nettle.seal(key, nonce, aad, aad_len, in, len, out);
	out[len] ^= 1;
}

static int bad_open(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
		    const uint8_t *in, size_t len, uint8_t *out)
{
	aes_256_gcm_nettle.open(key, nonce, aad, aad_len, in, len, out);
	return 0;	/* whatever the tag */
}

static void bad_p256(const struct crypto_key *key, const uint8_t digest[32], uint8_t rs[64])
{
	p256_ops_nettle.sign(key, digest, rs);
	rs[63] ^= 1;
}

static bool bad_root(const struct crypto_key *key, mpz_t x, const mpz_t m)
{
	(void)key;
	mpz_set(x, m);
	return true;
}

static void each_fault_is_found(void **state)
{
	struct crypto_hash h256 = sha256_nettle, h384 = sha384_nettle;
	struct crypto_aead a128 = aes_128_gcm_nettle, a256 = aes_256_gcm_nettle;
	const struct p256_ops p256 = { bad_p256 };
	const struct rsa_ops rsa = { bad_root };
	const struct { struct crypto_impl impl; const char *found; } all[] = {
		{ { CRYPTO_SHA256, "bad", NULL, &h256 }, "SHA-256" },
		{ { CRYPTO_SHA384, "bad", NULL, &h384 }, "SHA-384" },
		{ { CRYPTO_AES_128_GCM, "bad", NULL, &a128 }, "AES-128-GCM" },
		{ { CRYPTO_AES_256_GCM, "bad", NULL, &a256 }, "AES-256-GCM" },
		{ { CRYPTO_P256_SIGN, "bad", NULL, &p256 }, "ECDSA P-256" },
		{ { CRYPTO_RSA_PRIVATE, "bad", NULL, &rsa }, "RSA" },
	};
	char why[FIPS_WHY];

	(void)state;
	h256.digest = bad_digest;
	h384.digest = bad_digest384;
	a128.seal = bad_seal;
	a256.open = bad_open;
	assert_null(crypto_selftest());
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(crypto_impl_register(&all[i].impl), 0);
		assert_string_equal(crypto_selftest(), all[i].found);
		assert_int_equal(fips_start(false, why), -EPERM);
		assert_non_null(strstr(why, all[i].found));
		crypto_impl_default();
	}
	assert_null(crypto_selftest());
}

/* ---- CTR_DRBG */

static EVP_RAND_CTX *rand_ctx(const char *name, EVP_RAND_CTX *parent)
{
	EVP_RAND *rand = EVP_RAND_fetch(NULL, name, NULL);
	EVP_RAND_CTX *ctx = EVP_RAND_CTX_new(rand, parent);

	assert_non_null(ctx);
	EVP_RAND_free(rand);
	return ctx;
}

static void entropy(EVP_RAND_CTX *source, uint8_t *seed)
{
	unsigned int strength = 256;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, seed, DRBG_SEED),
		OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
		OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_RAND_CTX_set_params(source, params), 1);
}

static void drbg_is_openssls(void **state)
{
	static const size_t sizes[] = { 1, 16, 31, 48, 500, 1, 4096 };
	EVP_RAND_CTX *source = rand_ctx("TEST-RAND", NULL), *theirs;
	uint8_t seed[DRBG_SEED], a[4096], b[4096];
	int use_df = 0;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_CIPHER, (char *)"AES-256-CTR", 0),
		OSSL_PARAM_construct_int(OSSL_DRBG_PARAM_USE_DF, &use_df),
		OSSL_PARAM_construct_end(),
	};
	struct drbg ours;

	(void)state;
	memset(seed, 0xff, sizeof(seed));
	entropy(source, seed);
	assert_int_equal(EVP_RAND_instantiate(source, 256, 0, NULL, 0, NULL), 1);
	theirs = rand_ctx("CTR-DRBG", source);
	/* A zero to be mixed in: with nothing it takes a sentence of its own. */
	assert_int_equal(EVP_RAND_instantiate(theirs, 256, 0, (const uint8_t *)"", 1, params), 1);
	drbg_start(&ours, seed);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(EVP_RAND_generate(theirs, a, sizes[i], 256, 0, NULL, 0), 1);
		drbg_fill(&ours, b, sizes[i]);
		assert_memory_equal(a, b, sizes[i]);
		memset(seed, (int)i, sizeof(seed));
		entropy(source, seed);
		assert_int_equal(EVP_RAND_reseed(theirs, 0, NULL, 0, NULL, 0), 1);
		drbg_reseed(&ours, seed);
	}
	EVP_RAND_CTX_free(theirs);
	EVP_RAND_CTX_free(source);
}

static void randomness_goes_on(void **state)
{
	uint8_t a[600], b[600];

	(void)state;
	for (int level = RNG_NONCE; level <= RNG_KEY; level++) {
		rng_fill(level, a, sizeof(a));
		rng_use_drbg();
		rng_fill(level, b, sizeof(b));
		assert_memory_not_equal(a, b, 32);
		assert_memory_not_equal(b, b + 300, 32);
		rng_fill(level, a, sizeof(a));
		assert_memory_not_equal(a, b, 32);
	}
}

/* ---- integrity */

static void write_list(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	if (text)
		fputs(text, f);
	else
		assert_int_equal(fips_list(f), 0);
	fclose(f);
}

static void a_changed_program_is_noticed(void **state)
{
	char path[256], why[FIPS_WHY], *list, *line;
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/list", dir);
	assert_int_equal(fips_check_list(path, why), -EPERM);
	assert_non_null(strstr(why, "--fips-list"));
	write_list(path, NULL);
	assert_int_equal(fips_check_list(path, why), 0);
	assert_int_equal(file_slurp(path, &list, &len), 0);
	assert_non_null(strstr(list, "/libnettle.so"));
	assert_non_null(strstr(list, "/libhogweed.so"));
	assert_non_null(strstr(list, "/libgmp.so"));
	/* Any digit of any line. */
	for (line = list; *line; line = strchr(line, '\n') + 1)
		for (int digit = 0; digit < 64; digit += 21) {
			line[digit] ^= 1;
			write_list(path, list);
			assert_int_equal(fips_check_list(path, why), -EPERM);
			assert_non_null(strstr(why, "install it anew"));
			line[digit] ^= 1;
		}
	/* A line that is not there. */
	line = strchr(list, '\n') + 1;
	write_list(path, line);
	assert_int_equal(fips_check_list(path, why), -EPERM);
	free(list);
}

/* ---- configuration */

static int load(const char *text, struct config **config, struct config_report *report)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/ktlsd.conf", dir);
	write_list(path, text);
	return config_load(path, files_new(), true, config, report);
}

static void only_what_is_approved(void **state)
{
	struct config_report report;
	struct config *c;
	char list[4200];
	ssize_t n;

	(void)state;
	n = readlink("/proc/self/exe", list, 4096);
	assert_true(n > 0);
	strcpy(list + n, ".hmac");
	unlink(list);
	assert_int_equal(load("[agent]\nfips = yes\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "FIPS mode: "));
	write_list(list, NULL);
	assert_int_equal(load("[agent]\nfips = yes\n", &c, &report), 0);
	assert_int_equal(c->ciphers_num, 2);
	assert_int_equal(c->ciphers[0], 51);
	assert_int_equal(c->ciphers[1], 52);
	assert_int_equal(c->groups_num, 6);
	assert_int_equal(c->groups[0], 23);
	config_put(c);
	assert_int_equal(load("[agent]\nfips = yes\nrsa-min-bits = 1024\ngroups = x25519 secp384r1\n"
			      "ciphers = chacha20-poly1305 aes-256-gcm\n", &c, &report), 0);
	assert_int_equal(c->ciphers_num, 1);
	assert_int_equal(c->ciphers[0], 52);
	assert_int_equal(c->groups_num, 1);
	assert_int_equal(c->groups[0], 24);
	assert_int_equal(c->rsa_min_bits, 2048);
	config_put(c);
	assert_int_equal(load("[agent]\nfips = yes\ngroups = x25519\n", &c, &report), -EINVAL);
	assert_int_equal(load("[agent]\nfips = maybe\n", &c, &report), -EINVAL);
	assert_int_equal(load("[agent]\nfips = no\ngroups = x25519\n", &c, &report), 0);
	assert_int_equal(c->groups[0], 29);
	config_put(c);
	unlink(list);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { "list", "ktlsd.conf" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_is_found),
		cmocka_unit_test(drbg_is_openssls),
		cmocka_unit_test(randomness_goes_on),
		cmocka_unit_test(a_changed_program_is_noticed),
		cmocka_unit_test(only_what_is_approved),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
