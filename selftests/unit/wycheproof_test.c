/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wycheproof: every case of every file, with each count printed. "Acceptable"
 * means that implementations may choose; what TLS chooses is a flag here:
 * cases with one of the refused[] flags must fail, all others must succeed.
 */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/mlkem.h"
#include "crypto/provider.h"

#define DIR "selftests/vectors/wycheproof/"

static const char *const refused[] = {
	"ZeroSharedSecret",	/* RFC 9846 7.4.2 */
	"CompressedPublic",	/* RFC 9846 4.2.8.2: uncompressed only */
	"MissingNull",		/* RFC 8017 9.2: the digest's NULL is there */
};

/*
 * nettle 3.8.1 adds u1 * G and u2 * Q without the case that they are the same
 * point, and so refuses a signature that is valid. Only whoever chooses the
 * key can make one; nobody gains by having it refused.
 */
#define NETTLE_DOUBLING "point duplication during verification"

struct bytes { uint8_t *p; size_t len; };

static int nibble(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static struct bytes hex(json_t *t, const char *key)
{
	const char *s = json_string_value(json_object_get(t, key));
	struct bytes b;
	size_t i;

	assert_non_null(s);
	b.len = strlen(s) / 2;
	b.p = malloc(b.len + 1);	/* of exact size otherwise: ASan sees overruns */
	assert_non_null(b.p);
	for (i = 0; i < b.len; i++)
		b.p[i] = nibble(s[2 * i]) << 4 | nibble(s[2 * i + 1]);
	return b;
}

static bool has_flag(json_t *t, const char *flag)
{
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(t, "flags"), i, f)
		if (!strcmp(json_string_value(f), flag))
			return true;
	return false;
}

static bool must_succeed(json_t *t)
{
	const char *r = json_string_value(json_object_get(t, "result"));
	size_t i;

	if (strcmp(r, "acceptable"))
		return !strcmp(r, "valid");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (has_flag(t, refused[i]))
			return false;
	return true;
}

static size_t number(json_t *t, const char *key)
{
	return json_integer_value(json_object_get(t, key));
}

enum outcome { REFUSED, ACCEPTED, NOT_OURS };

/* What is tested by a file: one function, and a descriptor for it. */
struct suite {
	const char *file;
	enum outcome (*run)(json_t *group, json_t *test, const void *what);
	const void *what, *what256;	/* the second for 256-bit AES keys */
	unsigned int cases;		/* that count, known from the file */
};

/* ---- AEAD: what verifies must also seal to the same bytes */

static enum outcome aead_open(const struct crypto_aead *a, json_t *t)
{
	struct bytes key = hex(t, "key"), nonce = hex(t, "iv"), aad = hex(t, "aad");
	struct bytes msg = hex(t, "msg"), ct = hex(t, "ct"), tag = hex(t, "tag");
	uint8_t *sealed = malloc(ct.len + tag.len), *out = malloc(ct.len + 16);
	bool good;

	assert_int_equal(key.len, a->key);
	memcpy(sealed, ct.p, ct.len);
	memcpy(sealed + ct.len, tag.p, tag.len);
	good = !a->open(key.p, nonce.p, aad.p, aad.len, sealed, ct.len + tag.len, out);
	if (good) {
		assert_int_equal(msg.len, ct.len);
		assert_memory_equal(out, msg.p, msg.len);
		a->seal(key.p, nonce.p, aad.p, aad.len, msg.p, msg.len, out);
		assert_memory_equal(out, sealed, ct.len + tag.len);
	}
	free(key.p); free(nonce.p); free(aad.p); free(msg.p); free(ct.p); free(tag.p);
	free(sealed); free(out);
	return good ? ACCEPTED : REFUSED;
}

static enum outcome aead(json_t *group, json_t *t, const void *what)
{
	const struct suite *s = what;
	const struct crypto_aead *a = number(group, "keySize") == 256 && s->what256 ?
				      s->what256 : s->what;

	if (number(group, "ivSize") != 8u * a->nonce || number(group, "keySize") != 8u * a->key ||
	    number(group, "tagSize") != 8u * a->tag)
		return NOT_OURS;
	return aead_open(a, t);
}

/* ---- key agreement */

static enum outcome agree(json_t *group, json_t *t, const void *what)
{
	const struct crypto_group *g = ((const struct suite *)what)->what;
	struct bytes peer = hex(t, "public"), priv = hex(t, "private"), want = hex(t, "shared");
	uint8_t k[CRYPTO_MAX_SECRET] = { 0 }, secret[CRYPTO_MAX_SECRET];
	size_t len = g->private_len, n = priv.len < len ? priv.len : len;
	enum outcome o = REFUSED;

	(void)group;
	memcpy(k + len - n, priv.p + priv.len - n, n);
	/* The wire's length is checked by who parses the share. */
	if (peer.len == g->client_share && !g->agree(g, k, peer.p, secret)) {
		assert_int_equal(want.len, g->secret);
		assert_memory_equal(secret, want.p, want.len);
		o = ACCEPTED;
	}
	free(peer.p); free(priv.p); free(want.p);
	return o;
}

/* ---- ML-KEM: lengths are checked by who parses the share */

static enum outcome mlkem_seed(json_t *group, json_t *t, const void *what)
{
	struct bytes seed = hex(t, "seed"), ek = hex(t, "ek"), dk = { 0 };
	uint8_t pub[MLKEM_PUBLIC], priv[MLKEM_PRIVATE];
	enum outcome o = seed.len == MLKEM_SEED ? ACCEPTED : REFUSED;

	(void)group;
	(void)what;
	if (o == ACCEPTED) {
		dk = hex(t, "dk");
		mlkem_generate(seed.p, pub, priv);
		assert_int_equal(ek.len, sizeof(pub));
		assert_memory_equal(ek.p, pub, sizeof(pub));
		assert_int_equal(dk.len, sizeof(priv));
		assert_memory_equal(dk.p, priv, sizeof(priv));
	}
	free(seed.p); free(ek.p); free(dk.p);
	return o;
}

static enum outcome mlkem_encaps(json_t *group, json_t *t, const void *what)
{
	struct bytes m = hex(t, "m"), ek = hex(t, "ek"), c = hex(t, "c"), k = hex(t, "K");
	uint8_t ciphertext[MLKEM_CIPHERTEXT], secret[MLKEM_SECRET];
	enum outcome o = REFUSED;

	(void)group;
	(void)what;
	if (ek.len == MLKEM_PUBLIC && !mlkem_encapsulate(ek.p, m.p, ciphertext, secret)) {
		assert_int_equal(c.len, sizeof(ciphertext));
		assert_memory_equal(c.p, ciphertext, sizeof(ciphertext));
		assert_memory_equal(k.p, secret, sizeof(secret));
		o = ACCEPTED;
	}
	free(m.p); free(ek.p); free(c.p); free(k.p);
	return o;
}

static enum outcome decaps_with(const uint8_t *priv, json_t *t)
{
	struct bytes c = hex(t, "c"), k;
	uint8_t secret[MLKEM_SECRET];
	enum outcome o = REFUSED;

	if (c.len == MLKEM_CIPHERTEXT && !mlkem_decapsulate(priv, c.p, secret)) {
		k = hex(t, "K");
		assert_int_equal(k.len, sizeof(secret));
		assert_memory_equal(k.p, secret, sizeof(secret));
		free(k.p);
		o = ACCEPTED;
	}
	free(c.p);
	return o;
}

static enum outcome mlkem_decaps(json_t *group, json_t *t, const void *what)
{
	struct bytes dk = hex(t, "dk");
	enum outcome o = dk.len == MLKEM_PRIVATE ? decaps_with(dk.p, t) : REFUSED;

	(void)group;
	(void)what;
	free(dk.p);
	return o;
}

static enum outcome mlkem_whole(json_t *group, json_t *t, const void *what)
{
	struct bytes seed = hex(t, "seed"), ek;
	uint8_t pub[MLKEM_PUBLIC], priv[MLKEM_PRIVATE];
	enum outcome o = REFUSED;

	(void)group;
	(void)what;
	if (seed.len == MLKEM_SEED) {
		mlkem_generate(seed.p, pub, priv);
		o = decaps_with(priv, t);
	}
	if (o == ACCEPTED) {
		ek = hex(t, "ek");
		assert_memory_equal(ek.p, pub, sizeof(pub));
		free(ek.p);
	}
	free(seed.p);
	return o;
}

/* ---- signatures */

static enum outcome verify(json_t *group, json_t *t, const void *what)
{
	const char *name = ((const struct suite *)what)->what;
	struct bytes spki = hex(group, "publicKeyDer"), msg = hex(t, "msg"), sig = hex(t, "sig");
	const struct crypto_scheme *s = crypto_schemes;
	struct crypto_pubkey key;
	bool good;

	while (strcmp(s->name, name))
		s++;
	assert_int_equal(crypto_pubkey_parse(spki.p, spki.len, &key), 0);
	good = !s->verify(&key, s->hash, msg.p, msg.len, sig.p, sig.len);
	crypto_pubkey_free(&key);
	free(spki.p); free(msg.p); free(sig.p);
	return good ? ACCEPTED : REFUSED;
}

/* ---- HMAC, HKDF */

static enum outcome hmac(json_t *group, json_t *t, const void *what)
{
	const struct crypto_hash *h = ((const struct suite *)what)->what;
	struct bytes key = hex(t, "key"), msg = hex(t, "msg"), tag = hex(t, "tag");
	uint8_t out[CRYPTO_MAX_DIGEST];
	bool good;

	assert_int_equal(tag.len * 8, number(group, "tagSize"));
	crypto_hmac(h, key.p, key.len, msg.p, msg.len, out);
	good = crypto_equal(out, tag.p, tag.len);
	free(key.p); free(msg.p); free(tag.p);
	return good ? ACCEPTED : REFUSED;
}

static enum outcome hkdf(json_t *group, json_t *t, const void *what)
{
	const struct crypto_hash *h = ((const struct suite *)what)->what;
	struct bytes ikm = hex(t, "ikm"), salt = hex(t, "salt"), info = hex(t, "info");
	struct bytes want = hex(t, "okm");
	uint8_t prk[CRYPTO_MAX_DIGEST], *out = malloc(number(t, "size") + 1);
	enum outcome o = REFUSED;

	(void)group;
	if (number(t, "size") <= 255u * h->size) {	/* else it may not be called */
		crypto_hkdf_extract(h, salt.p, salt.len, ikm.p, ikm.len, prk);
		crypto_hkdf_expand(h, prk, info.p, info.len, out, want.len);
		o = memcmp(out, want.p, want.len) ? REFUSED : ACCEPTED;
	}
	free(ikm.p); free(salt.p); free(info.p); free(want.p); free(out);
	return o;
}

static const struct suite suites[] = {
	{ "aes_gcm_test.json", aead, &crypto_aes_128_gcm, &crypto_aes_256_gcm, 133 },
	{ "chacha20_poly1305_test.json", aead, &crypto_chacha20_poly1305, NULL, 316 },
	{ "x25519_test.json", agree, &crypto_x25519, NULL, 518 },
	{ "ecdh_secp256r1_ecpoint_test.json", agree, &crypto_secp256r1, NULL, 355 },
	{ "ecdh_secp384r1_ecpoint_test.json", agree, &crypto_secp384r1, NULL, 790 },
	{ "ecdh_secp521r1_ecpoint_test.json", agree, &crypto_secp521r1, NULL, 661 },
	{ "x448_test.json", agree, &crypto_x448, NULL, 510 },
	{ "mlkem_768_keygen_seed_test.json", mlkem_seed, NULL, NULL, 100 },
	{ "mlkem_768_encaps_test.json", mlkem_encaps, NULL, NULL, 265 },
	{ "mlkem_768_semi_expanded_decaps_test.json", mlkem_decaps, NULL, NULL, 9 },
	{ "mlkem_768_test.json", mlkem_whole, NULL, NULL, 193 },
	{ "ecdsa_secp256r1_sha256_test.json", verify, "ecdsa_secp256r1_sha256", NULL, 484 },
	{ "ecdsa_secp384r1_sha384_test.json", verify, "ecdsa_secp384r1_sha384", NULL, 504 },
	{ "ecdsa_secp521r1_sha512_test.json", verify, "ecdsa_secp521r1_sha512", NULL, 542 },
	{ "ed25519_test.json", verify, "ed25519", NULL, 151 },
	{ "ed448_test.json", verify, "ed448", NULL, 87 },
	{ "rsa_pss_2048_sha256_mgf1_32_test.json", verify, "rsa_pss_rsae_sha256", NULL, 108 },
	{ "rsa_pss_3072_sha256_mgf1_32_test.json", verify, "rsa_pss_rsae_sha256", NULL, 108 },
	{ "rsa_pss_4096_sha512_mgf1_64_test.json", verify, "rsa_pss_rsae_sha512", NULL, 179 },
	{ "rsa_signature_2048_sha256_test.json", verify, "rsa_pkcs1_sha256", NULL, 259 },
	{ "rsa_signature_3072_sha256_test.json", verify, "rsa_pkcs1_sha256", NULL, 259 },
	{ "rsa_signature_4096_sha512_test.json", verify, "rsa_pkcs1_sha512", NULL, 259 },
	{ "hmac_sha256_test.json", hmac, &crypto_sha256, NULL, 174 },
	{ "hmac_sha384_test.json", hmac, &crypto_sha384, NULL, 174 },
	{ "hkdf_sha256_test.json", hkdf, &crypto_sha256, NULL, 86 },
	{ "hkdf_sha384_test.json", hkdf, &crypto_sha384, NULL, 83 },
};

static void run_suite(const struct suite *s, unsigned int count[3],
		      unsigned int *doubling, unsigned int *wrong)
{
	char path[128];
	json_t *root, *group, *t;
	const char *comment;
	enum outcome o;
	size_t i, j;

	snprintf(path, sizeof(path), DIR "%s", s->file);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "testGroups"), i, group)
		json_array_foreach(json_object_get(group, "tests"), j, t) {
			o = s->run(group, t, s);
			count[o]++;
			comment = json_string_value(json_object_get(t, "comment"));
			if (o == NOT_OURS || (o == ACCEPTED) == must_succeed(t))
				continue;
			if (o == REFUSED && comment && !strcmp(comment, NETTLE_DOUBLING)) {
				++*doubling;
				continue;
			}
			++*wrong;
			print_error("%s %zu: %s\n", s->file, number(t, "tcId"), comment ? comment : "");
		}
	json_decref(root);
}

static void all_suites(void **state)
{
	unsigned int count[3], doubling = 0, wrong = 0, total = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		memset(count, 0, sizeof(count));
		run_suite(&suites[i], count, &doubling, &wrong);
		print_message("# %s: %u accepted, %u refused, %u of sizes that TLS has not\n",
			      suites[i].file, count[ACCEPTED], count[REFUSED], count[NOT_OURS]);
		assert_int_equal(count[ACCEPTED] + count[REFUSED], suites[i].cases);
		total += suites[i].cases;
	}
	print_message("# wycheproof: %u cases, %u wrong, %u refused by a limit of nettle\n",
		      total, wrong, doubling);
	assert_int_equal(doubling, 3);
	assert_int_equal(wrong, 0);
}

/* The same of every implementation that this CPU can run but is not the one used. */
static void other_implementations(void **state)
{
	static const struct { enum crypto_algorithm algorithm; const char *file; } all[] = {
		{ CRYPTO_X25519, "x25519_test.json" },
	};
	unsigned int count[3], doubling = 0, wrong = 0, run = 0;
	const struct crypto_impl *impl;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (n = 0; (impl = crypto_impl_get(all[i].algorithm, n)); n++) {
			if (crypto_impl_register(impl))
				continue;
			for (j = 0; strcmp(suites[j].file, all[i].file); j++)
				;
			memset(count, 0, sizeof(count));
			run_suite(&suites[j], count, &doubling, &wrong);
			assert_int_equal(count[ACCEPTED] + count[REFUSED], suites[j].cases);
			print_message("# %s by %s: %u accepted, %u refused\n", all[i].file, impl->name,
				      count[ACCEPTED], count[REFUSED]);
			run++;
		}
	crypto_impl_default();
	assert_true(run >= 2);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_suites),
		cmocka_unit_test(other_implementations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
