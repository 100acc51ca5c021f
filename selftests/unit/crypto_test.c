/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and signatures against openssl(1): it makes a key of every kind in
 * every form; each is loaded, signs, is verified by openssl, and verifies what
 * openssl signs. Then damage: cut at every byte, flipped at every byte.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/crypto.h"
#include "crypto/der.h"
#include "rng/rng.h"
#include "no_memory.h"

static char dir[] = "/tmp/ktls-crypto-XXXXXX";
static const uint8_t message[] = "what is signed in this test";

struct file { uint8_t *p; size_t len; };

static struct file file_read(const char *name)
{
	char path[128];
	struct file f;
	struct stat st;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	in = fopen(path, "rb");
	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	f.len = st.st_size;
	f.p = malloc(f.len);
	assert_int_equal(fread(f.p, 1, f.len, in), f.len);
	fclose(in);
	return f;
}

static void file_write(const char *name, const void *p, size_t len)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(p, 1, len, out), len);
	fclose(out);
}

/* Runs openssl in the folder; its exit status. */
__attribute__((format(printf, 1, 2)))
static int openssl(const char *format, ...)
{
	char args[512], command[700];
	va_list ap;

	va_start(ap, format);
	vsnprintf(args, sizeof(args), format, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "cd %s && openssl %s >log 2>&1", dir, args);
	return system(command);
}

static const struct kind {
	const char *name, *genpkey;
	enum crypto_key_type type;
	unsigned int bits;
	bool traditional;		/* PKCS#1 or SEC 1 exists for it */
} kinds[] = {
	{ "rsa2048", "RSA -pkeyopt rsa_keygen_bits:2048", CRYPTO_KEY_RSA, 2048, true },
	{ "rsa3072", "RSA -pkeyopt rsa_keygen_bits:3072", CRYPTO_KEY_RSA, 3072, true },
	{ "rsa2047", "RSA -pkeyopt rsa_keygen_bits:2047", CRYPTO_KEY_RSA, 2047, true },
	{ "pss", "RSA-PSS -pkeyopt rsa_keygen_bits:2048", CRYPTO_KEY_RSA_PSS, 2048, false },
	{ "pss384", "RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384"
	  " -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48",
	  CRYPTO_KEY_RSA_PSS, 2048, false },
	{ "p256", "EC -pkeyopt ec_paramgen_curve:P-256", CRYPTO_KEY_P256, 256, true },
	{ "p384", "EC -pkeyopt ec_paramgen_curve:P-384", CRYPTO_KEY_P384, 384, true },
	{ "p521", "EC -pkeyopt ec_paramgen_curve:P-521", CRYPTO_KEY_P521, 521, true },
	{ "ed25519", "ED25519", CRYPTO_KEY_ED25519, 256, false },
	{ "ed448", "ED448", CRYPTO_KEY_ED448, 456, false },
	{ "bp256", "EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", CRYPTO_KEY_BRAINPOOL256, 256, true },
	{ "bp384", "EC -pkeyopt ec_paramgen_curve:brainpoolP384r1", CRYPTO_KEY_BRAINPOOL384, 384, true },
	{ "bp512", "EC -pkeyopt ec_paramgen_curve:brainpoolP512r1", CRYPTO_KEY_BRAINPOOL512, 512, true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int make_keys(void **state)
{
	size_t i;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	file_write("message", message, sizeof(message));
	for (i = 0; i < KINDS; i++) {
		const char *n = kinds[i].name;

		if (openssl("genpkey -algorithm %s -out %s.pem", kinds[i].genpkey, n) ||
		    openssl("pkey -in %s.pem -outform DER -out %s.der", n, n) ||
		    openssl("pkey -in %s.pem -pubout -outform DER -out %s.spki", n, n))
			return -1;
		if (kinds[i].traditional &&
		    (openssl("pkey -in %s.pem -traditional -out %s-old.pem", n, n) ||
		     openssl("pkey -in %s.pem -traditional -outform DER -out %s-old.der", n, n)))
			return -1;
	}
	return 0;
}

static int remove_keys(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static int load(const char *name, struct crypto_key **key)
{
	struct file f = file_read(name);
	int err = crypto_key_load(f.p, f.len, key);

	free(f.p);
	return err;
}

static struct crypto_pubkey spki(const struct kind *k)
{
	struct crypto_pubkey pub;
	char name[32];
	struct file f;

	snprintf(name, sizeof(name), "%s.spki", k->name);
	f = file_read(name);
	assert_int_equal(crypto_pubkey_parse(f.p, f.len, &pub), 0);
	free(f.p);
	return pub;
}

static void every_form_loads(void **state)
{
	static const char *const forms[] = { ".pem", ".der", "-old.pem", "-old.der" };
	struct crypto_pubkey pub, other;
	struct crypto_key *key;
	char name[32];
	size_t i, j;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		pub = spki(&kinds[i]);
		other = spki(&kinds[(i + 1) % KINDS]);
		assert_int_equal(pub.type, kinds[i].type);
		assert_int_equal(pub.bits, kinds[i].bits);
		for (j = 0; j < (kinds[i].traditional ? 4 : 2); j++) {
			snprintf(name, sizeof(name), "%s%s", kinds[i].name, forms[j]);
			assert_int_equal(load(name, &key), 0);
			assert_int_equal(crypto_key_type(key), kinds[i].type);
			assert_true(crypto_key_matches(key, &pub));
			assert_false(crypto_key_matches(key, &other));
			crypto_key_free(key);
		}
		crypto_pubkey_free(&pub);
		crypto_pubkey_free(&other);
	}
}

static void same_kind_other_key(void **state)
{
	struct crypto_pubkey pub;
	struct crypto_key *key;
	size_t i;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		assert_int_equal(openssl("genpkey -algorithm %s -out other.pem", kinds[i].genpkey), 0);
		assert_int_equal(load("other.pem", &key), 0);
		pub = spki(&kinds[i]);
		assert_false(crypto_key_matches(key, &pub));
		crypto_pubkey_free(&pub);
		crypto_key_free(key);
	}
}

static const char *padding(const struct crypto_scheme *s)
{
	if (strncmp(s->name, "rsa_pss", 7))
		return "";
	return "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";
}

static int openssl_verifies(const struct crypto_scheme *s, const char *name)
{
	if (!s->hash)
		return openssl("pkeyutl -verify -rawin -in message -inkey %s.pem -sigfile sig", name);
	return openssl("dgst -%s %s -prverify %s.pem -signature sig message",
		       s->hash->name, padding(s), name);
}

static int openssl_signs(const struct crypto_scheme *s, const char *name)
{
	if (!s->hash)
		return openssl("pkeyutl -sign -rawin -in message -inkey %s.pem -out theirs", name);
	return openssl("dgst -%s %s -sign %s.pem -out theirs message",
		       s->hash->name, padding(s), name);
}

/* An RSA-PSS key with parameters is for one hash. */
static bool restricted(const struct kind *k, const struct crypto_scheme *s)
{
	return !strcmp(k->name, "pss384") && s->hash != &crypto_sha384;
}

static void sign_and_verify(const struct kind *k, const struct crypto_scheme *s)
{
	struct crypto_pubkey pub = spki(k);
	uint8_t sig[CRYPTO_MAX_SIGNATURE + 1];
	struct crypto_key *key;
	struct file theirs;
	char name[32];
	size_t len, i;

	snprintf(name, sizeof(name), "%s.der", k->name);
	assert_int_equal(load(name, &key), 0);
	if (restricted(k, s)) {
		assert_int_equal(s->sign(key, s->hash, message, sizeof(message), sig, &len), -EINVAL);
		goto out;
	}
	assert_int_equal(s->sign(key, s->hash, message, sizeof(message), sig, &len), 0);
	assert_int_equal(s->verify(&pub, s->hash, message, sizeof(message), sig, len), 0);
	assert_int_equal(s->verify(&pub, s->hash, message, sizeof(message) - 1, sig, len), -EBADMSG);
	file_write("sig", sig, len);
	assert_int_equal(openssl_verifies(s, k->name), 0);
	for (i = 0; i < len; i++) {
		sig[i] ^= 1 << i % 8;
		assert_int_equal(s->verify(&pub, s->hash, message, sizeof(message), sig, len), -EBADMSG);
		sig[i] ^= 1 << i % 8;
	}
	for (i = 0; i < len; i++)
		assert_int_equal(s->verify(&pub, s->hash, message, sizeof(message), sig, i), -EBADMSG);
	memmove(sig + 1, sig, len);	/* the same number, written longer */
	sig[0] = 0;
	assert_int_equal(s->verify(&pub, s->hash, message, sizeof(message), sig, len + 1), -EBADMSG);

	assert_int_equal(openssl_signs(s, k->name), 0);
	theirs = file_read("theirs");
	assert_int_equal(s->verify(&pub, s->hash, message, sizeof(message), theirs.p, theirs.len), 0);
	free(theirs.p);
out:
	crypto_key_free(key);
	crypto_pubkey_free(&pub);
}

static void every_scheme_with_openssl(void **state)
{
	unsigned int ran = 0;
	size_t i, j;

	(void)state;
	for (i = 0; i < KINDS; i++)
		for (j = 0; j < crypto_schemes_num; j++)
			if (crypto_scheme_fits(&crypto_schemes[j], kinds[i].type, kinds[i].bits)) {
				sign_and_verify(&kinds[i], &crypto_schemes[j]);
				ran++;
			}
	assert_int_equal(ran, 3 * 6 + 2 * 3 + 3 + 2 + 3);
}

/* A key never serves a scheme of another family, whoever asks. */
static void wrong_family_refused(void **state)
{
	uint8_t sig[CRYPTO_MAX_SIGNATURE] = { 0 };
	const struct crypto_scheme *s;
	struct crypto_pubkey pub;
	struct crypto_key *key;
	size_t i, len = 0;

	(void)state;
	assert_int_equal(load("p256.der", &key), 0);
	pub = spki(&kinds[5]);
	for (i = 0; i < crypto_schemes_num; i++) {
		s = &crypto_schemes[i];
		if (!strncmp(s->name, "ecdsa", 5))
			continue;
		assert_int_equal(s->sign(key, s->hash, message, 1, sig, &len), -EINVAL);
		assert_int_equal(s->verify(&pub, s->hash, message, 1, sig, 64), -EINVAL);
	}
	assert_int_equal(len, 0);
	crypto_pubkey_free(&pub);
	crypto_key_free(key);
}

static void scheme_table(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < crypto_schemes_num; i++) {
		assert_ptr_equal(crypto_scheme_find(crypto_schemes[i].id), &crypto_schemes[i]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(crypto_schemes[i].name, crypto_schemes[j].name);
	}
	assert_null(crypto_scheme_find(0x0201));	/* rsa_pkcs1_sha1 */
	assert_false(crypto_scheme_find(0x0401)->tls13);
	assert_true(crypto_scheme_find(0x0804)->tls13);
	/* 1024 bits: room for SHA-256 and SHA-384, not for SHA-512 (RFC 8017 9.1.1) */
	assert_true(crypto_scheme_fits(crypto_scheme_find(0x0805), CRYPTO_KEY_RSA, 1024));
	assert_false(crypto_scheme_fits(crypto_scheme_find(0x0806), CRYPTO_KEY_RSA, 1024));
	assert_false(crypto_scheme_fits(crypto_scheme_find(0x0804), CRYPTO_KEY_RSA_PSS, 2048));
	assert_false(crypto_scheme_fits(crypto_scheme_find(0x0403), CRYPTO_KEY_P384, 384));
}

/* Every prefix is refused, and reads nothing behind its end (ASan). */
static void truncated_keys(void **state)
{
	static const char *const names[] = {
		"rsa2048.der", "rsa2048-old.der", "pss384.der", "p256.der", "p521-old.der",
		"ed25519.der", "p256.pem", "p384-old.pem", "ed25519.pem", "ed448.der", "bp384-old.der",
	};
	struct crypto_key *key;
	struct file f;
	uint8_t *cut;
	size_t i, n;
	int err;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		f = file_read(names[i]);
		/* a PEM may lack its last line feed */
		for (n = 0; n < f.len - (strstr(names[i], "pem") ? 1 : 0); n++) {
			cut = malloc(n);
			memcpy(cut, f.p, n);
			err = crypto_key_load(cut, n, &key);
			assert_true(err == -EBADMSG || err == -ENOTSUP);
			free(cut);
		}
		free(f.p);
	}
}

/* A flipped bit is refused, or hits a part that the key does not rest on. */
static void damaged_keys(void **state)
{
	static const char *const names[] = { "rsa2048-old.der", "p256.der", "p384-old.der" };
	struct crypto_key *key;
	struct file f;
	size_t i, n;
	int err;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		f = file_read(names[i]);
		for (n = 0; n < f.len; n++) {
			f.p[n] ^= 1 << n % 8;
			err = crypto_key_load(f.p, f.len, &key);
			assert_true(err == 0 || err == -EBADMSG || err == -ENOTSUP);
			if (!err)
				crypto_key_free(key);
			f.p[n] ^= 1 << n % 8;
		}
		free(f.p);
	}
}

/* Any change of p, q, dp, dq or qinv must be seen: it would leak the key. */
static void inconsistent_rsa_refused(void **state)
{
	struct file f = file_read("rsa2048-old.der");
	struct der d = der_of(f.p, f.len), seq, part[9];
	struct crypto_key *key;
	uint8_t *p;
	size_t i;

	(void)state;
	assert_true(der_seq(&d, &seq));
	for (i = 0; i < 9; i++)
		assert_true(der_int(&seq, &part[i]));
	for (i = 1; i < 9; i++) {
		if (i == 3)		/* d itself is not used */
			continue;
		p = f.p + (part[i].end - f.p) - 1;
		*p ^= 4;
		assert_int_equal(crypto_key_load(f.p, f.len, &key), -EBADMSG);
		*p ^= 4;
	}
	assert_int_equal(crypto_key_load(f.p, f.len, &key), 0);
	crypto_key_free(key);
	free(f.p);
}

static void unsupported_keys(void **state)
{
	static const char *const made[] = {
		"genpkey -algorithm X25519 -out odd.pem",
		"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out odd.pem",
		"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out odd.pem",
		"pkey -in rsa2048.pem -traditional -aes128 -passout pass:x -out odd.pem",
		"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3 -out odd.pem",
	};
	struct crypto_key *key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		assert_int_equal(openssl("%s", made[i]), 0);
		assert_int_equal(load("odd.pem", &key), -ENOTSUP);
	}
	assert_int_equal(crypto_key_load((const uint8_t *)"no key", 6, &key), -EBADMSG);
	assert_int_equal(crypto_key_load((const uint8_t *)"", 0, &key), -EBADMSG);
}

/* PEM: EC PARAMETERS before the key, as openssl ecparam -genkey writes it. */
static void parameters_before_the_key(void **state)
{
	struct crypto_key *key;

	(void)state;
	assert_int_equal(openssl("ecparam -name prime256v1 -genkey -out both.pem"), 0);
	assert_int_equal(load("both.pem", &key), 0);
	assert_int_equal(crypto_key_type(key), CRYPTO_KEY_P256);
	crypto_key_free(key);
}

/* Each allocation fails once: -ENOMEM, and nothing leaks. */
static void out_of_memory(void **state)
{
	static const char *const names[] = { "rsa2048.pem", "p256-old.pem", "ed25519.pem", "pss384.der" };
	struct crypto_key *key = NULL;
	unsigned int n, failures;
	struct file f;
	size_t i;
	int err;

	(void)state;
	no_memory_spares_numbers();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		f = file_read(names[i]);
		for (err = -1, failures = 0, n = 1; err; n++) {
			no_memory_in = n;
			err = crypto_key_load(f.p, f.len, &key);
			no_memory_in = 0;
			if (err)
				assert_int_equal(err, -ENOMEM);
			failures += err != 0;
		}
		assert_in_range(failures, 2, 20);
		crypto_key_free(key);
		free(f.p);
	}
}

static void truncated_spki(void **state)
{
	struct crypto_pubkey pub;
	struct file f;
	char name[32];
	uint8_t *cut;
	size_t i, n;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		snprintf(name, sizeof(name), "%s.spki", kinds[i].name);
		f = file_read(name);
		for (n = 0; n < f.len; n++) {
			cut = malloc(n);
			memcpy(cut, f.p, n);
			assert_int_equal(crypto_pubkey_parse(cut, n, &pub), -EBADMSG);
			free(cut);
		}
		free(f.p);
	}
}

/* e = 1, even numbers, a modulus beyond all bounds. */
static void hostile_rsa_refused(void **state)
{
	static const uint8_t alg[] = { 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0 };
	static const struct { size_t n_len; uint8_t n_low, e; int err; } cases[] = {
		{ 256, 1, 3, 0 }, { 256, 1, 1, -EBADMSG }, { 256, 2, 3, -EBADMSG },
		{ 256, 1, 2, -EBADMSG }, { 1024, 1, 3, 0 }, { 1025, 1, 3, -ENOTSUP },
	};
	uint8_t buf[1200], *p;
	struct crypto_pubkey pub;
	size_t i, n;
	int err;

	(void)state;
#define LEN(v) (*p++ = 0x82, *p++ = (v) >> 8, *p++ = (v) & 255)
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = cases[i].n_len;
		p = buf;
		*p++ = 0x30; LEN(sizeof(alg) + 4 + 1 + 4 + 4 + n + 3);
		memcpy(p, alg, sizeof(alg));
		p += sizeof(alg);
		*p++ = 0x03; LEN(1 + 4 + 4 + n + 3); *p++ = 0;
		*p++ = 0x30; LEN(4 + n + 3);
		*p++ = 0x02; LEN(n);
		memset(p, 0x55, n);
		p[n - 1] = cases[i].n_low;
		p += n;
		*p++ = 2; *p++ = 1; *p++ = cases[i].e;
		err = crypto_pubkey_parse(buf, p - buf, &pub);
		assert_int_equal(err, cases[i].err);
		if (!err)
			crypto_pubkey_free(&pub);
	}
}

static void der_is_strict(void **state)
{
	static const struct { const char *bytes; size_t len; } bad[] = {
		{ "\x30\x81\x00", 3 },			/* long form of a short length */
		{ "\x30\x82\x00\x80", 4 },
		{ "\x30\x80\x00\x00", 4 },		/* indefinite */
		{ "\x30\x05\x00", 3 },			/* beyond the end */
		{ "\x30\x84\xff\xff\xff\xff", 6 },
		{ "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
		{ "\x3f\x81\x00\x00", 4 },		/* long tag */
		{ "\x30", 1 }, { "", 0 },
	};
	struct der d, body;
	uint32_t small;
	size_t i;
	bool flag;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		d = der_of(bad[i].bytes, bad[i].len);
		assert_false(der_seq(&d, &body));
		assert_ptr_equal(d.p, bad[i].bytes);
	}
#define REFUSES(call, bytes) do { d = der_of(bytes, sizeof(bytes) - 1); assert_false(call); } while (0)
	REFUSES(der_bool(&d, &flag), "\x01\x01\x01");
	REFUSES(der_int(&d, &body), "\x02\x00");
	REFUSES(der_int(&d, &body), "\x02\x02\x00\x7f");
	REFUSES(der_int(&d, &body), "\x02\x02\xff\x80");
	REFUSES(der_unsigned(&d, &body), "\x02\x01\x80");
	REFUSES(der_small(&d, &small), "\x02\x05\x00\xff\xff\xff\xff");
	REFUSES(der_octet_bits(&d, &body), "\x03\x02\x01\x00");
	REFUSES(der_octet_bits(&d, &body), "\x03\x00");
	REFUSES(der_oid(&d, &body), "\x06\x02\x2a\x80");
	REFUSES(der_oid(&d, &body), "\x06\x03\x2a\x80\x01");
	REFUSES(der_null(&d), "\x05\x01\x00");
	d = der_of("\x02\x02\x00\x80", 4);
	assert_true(der_small(&d, &small));
	assert_int_equal(small, 128);
	assert_true(der_end(&d));
}

static void agreement_is_symmetric(void **state)
{
	static const struct crypto_group *const groups[] = {
		&crypto_x25519mlkem768, &crypto_x25519, &crypto_x448, &crypto_secp256r1, &crypto_secp384r1,
		&crypto_secp521r1, &crypto_ffdhe2048, &crypto_ffdhe3072, &crypto_ffdhe4096,
	};
	uint8_t priv[CRYPTO_MAX_PRIVATE], share[CRYPTO_MAX_SHARE], answer[CRYPTO_MAX_SHARE];
	uint8_t a[CRYPTO_MAX_SECRET], b[CRYPTO_MAX_SECRET];
	const struct crypto_group *g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		g = groups[i];
		assert_int_equal(g->generate(g, priv, share), 0);
		assert_int_equal(g->respond(g, share, answer, a), 0);
		assert_int_equal(g->agree(g, priv, answer, b), 0);
		assert_memory_equal(a, b, g->secret);
		assert_int_equal(g->agree(g, priv, answer, b), 0);	/* the key was not used up */
		assert_memory_equal(a, b, g->secret);
		memset(share, 0, g->client_share);	/* order 1, or no point */
		assert_int_equal(g->respond(g, share, answer, a), -EBADMSG);
		assert_memory_equal(a, b, g->secret);	/* outputs untouched */
	}
}

/* Each way in which openssl encrypts by PBES2 with PBKDF2 and AES. */
static void encrypted_keys(void **state)
{
	static const char *const how[] = {
		"-v2 aes-256-cbc -v2prf hmacWithSHA256", "-v2 aes-128-cbc -v2prf hmacWithSHA1",
		"-v2 aes-192-cbc -v2prf hmacWithSHA512 -iter 1", "-v2 aes-256-cbc -v2prf hmacWithSHA384 -iter 100",
		"-outform DER",
	};
	struct crypto_pubkey pub = spki(&kinds[5]);
	struct crypto_key *key;
	struct file f;

	(void)state;
	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		assert_int_equal(openssl("pkcs8 -topk8 -in p256.pem -passout pass:secret %s -out enc", how[i]), 0);
		f = file_read("enc");
		assert_int_equal(crypto_key_load(f.p, f.len, &key), -ENOKEY);
		assert_int_equal(crypto_key_unlock(f.p, f.len, (const uint8_t *)"secret", 6, &key), 0);
		assert_true(crypto_key_matches(key, &pub));
		crypto_key_free(key);
		assert_int_equal(crypto_key_unlock(f.p, f.len, (const uint8_t *)"secreT", 6, &key), -EACCES);
		assert_int_equal(crypto_key_unlock(f.p, f.len, (const uint8_t *)"", 0, &key), -EACCES);
		free(f.p);
	}
	f = file_read("p256.pem");	/* a passphrase that is not needed does no harm */
	assert_int_equal(crypto_key_unlock(f.p, f.len, (const uint8_t *)"secret", 6, &key), 0);
	crypto_key_free(key);
	free(f.p);
	crypto_pubkey_free(&pub);
}

/* Some of a thousand wrong passphrases give padding that looks right; none gives a key. */
static void wrong_passphrases(void **state)
{
	struct crypto_key *key;
	struct file f;

	(void)state;
	assert_int_equal(openssl("pkcs8 -topk8 -in ed25519.pem -passout pass:x -iter 1 -outform DER -out enc"), 0);
	f = file_read("enc");
	for (int i = 0; i < 1000; i++) {
		char pass[16];

		snprintf(pass, sizeof(pass), "%03d", i);
		assert_int_equal(crypto_key_unlock(f.p, f.len, (const uint8_t *)pass, 3, &key), -EACCES);
	}
	free(f.p);
}

static void encryption_not_known(void **state)
{
	static const char *const how[] = { "-v2 des3", "-scrypt -scrypt_N 2", "-v1 PBE-SHA1-3DES" };
	struct crypto_key *key;
	struct file f;

	(void)state;
	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		assert_int_equal(openssl("pkcs8 -topk8 -in p256.pem -passout pass:x %s -out enc", how[i]), 0);
		f = file_read("enc");
		assert_int_equal(crypto_key_unlock(f.p, f.len, (const uint8_t *)"x", 1, &key), -ENOTSUP);
		free(f.p);
	}
}

/* Cut and flipped at every byte. CBC proves nothing: a flip of the IV or behind may leave a key. */
static void damaged_encryption(void **state)
{
	struct crypto_key *key;
	struct file f;
	uint8_t *cut;
	int err;

	(void)state;
	assert_int_equal(openssl("pkcs8 -topk8 -in ed25519.pem -passout pass:x -iter 1 -outform DER -out enc"), 0);
	f = file_read("enc");
	for (size_t i = 0; i < f.len; i++) {
		cut = malloc(i + 1);
		memcpy(cut, f.p, i);
		assert_int_not_equal(crypto_key_unlock(cut, i, (const uint8_t *)"x", 1, &key), 0);
		free(cut);
		f.p[i] ^= 1;
		err = crypto_key_unlock(f.p, f.len, (const uint8_t *)"x", 1, &key);
		if (!err)
			crypto_key_free(key);
		assert_true((!err && i >= 75) || err == -EBADMSG || err == -EACCES || err == -ENOTSUP);
		f.p[i] ^= 1;
	}
	free(f.p);
}

/* Neither 1 nor what is above the prime; 2 is fine. */
static void small_field_elements_refused(void **state)
{
	static const struct crypto_group *const groups[] = { &crypto_ffdhe2048, &crypto_ffdhe3072, &crypto_ffdhe4096 };
	uint8_t priv[CRYPTO_MAX_PRIVATE], share[CRYPTO_MAX_SHARE], secret[CRYPTO_MAX_SECRET];
	const struct crypto_group *g;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		g = groups[i];
		assert_int_equal(g->generate(g, priv, share), 0);
		memset(share, 0, g->client_share);
		share[g->client_share - 1] = 1;
		assert_int_equal(g->agree(g, priv, share, secret), -EBADMSG);
		share[g->client_share - 1] = 2;
		assert_int_equal(g->agree(g, priv, share, secret), 0);
		memset(share, 0xff, g->client_share);
		assert_int_equal(g->agree(g, priv, share, secret), -EBADMSG);
	}
}

/* Either half of a hybrid refuses, and a ciphertext that was changed gives another secret. */
static void both_halves_of_a_hybrid(void **state)
{
	const struct crypto_group *g = &crypto_x25519mlkem768;
	uint8_t priv[CRYPTO_MAX_PRIVATE], share[CRYPTO_MAX_SHARE], answer[CRYPTO_MAX_SHARE];
	uint8_t a[64], b[64], bad[CRYPTO_MAX_SHARE];

	(void)state;
	assert_int_equal(g->generate(g, priv, share), 0);
	memcpy(bad, share, g->client_share);
	memset(bad + 1184, 0, 32);
	assert_int_equal(g->respond(g, bad, answer, a), -EBADMSG);
	memcpy(bad, share, g->client_share);
	bad[0] = bad[1] = 0xff;		/* 4095 and more: not below the modulus */
	assert_int_equal(g->respond(g, bad, answer, a), -EBADMSG);
	assert_int_equal(g->respond(g, share, answer, a), 0);
	memcpy(bad, answer, g->server_share);
	memset(bad + 1088, 0, 32);
	assert_int_equal(g->agree(g, priv, bad, b), -EBADMSG);
	for (size_t i = 0; i < 1088; i += 31) {
		answer[i] ^= 1 << i % 8;
		assert_int_equal(g->agree(g, priv, answer, b), 0);
		assert_memory_not_equal(a, b, 32);
		assert_memory_equal(a + 32, b + 32, 32);
		answer[i] ^= 1 << i % 8;
	}
	priv[1184 + 3] ^= 1;		/* a private key that was damaged in memory */
	assert_int_equal(g->agree(g, priv, answer, b), -EBADMSG);
}

/* Blinding and nonces come from the generator: fixed, they repeat; else not. */
static void nonces_are_fresh(void **state)
{
	static const uint8_t seed[32] = { 7 };
	const struct crypto_scheme *s = crypto_scheme_find(0x0403);
	uint8_t a[CRYPTO_MAX_SIGNATURE], b[CRYPTO_MAX_SIGNATURE];
	struct crypto_key *key;
	size_t n, m;

	(void)state;
	assert_int_equal(load("p256.der", &key), 0);
	rng_fix_seed_for_tests(seed);
	s->sign(key, s->hash, message, sizeof(message), a, &n);
	s->sign(key, s->hash, message, sizeof(message), b, &m);
	assert_false(n == m && !memcmp(a, b, n));
	rng_fix_seed_for_tests(seed);
	s->sign(key, s->hash, message, sizeof(message), b, &m);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
	crypto_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_loads),
		cmocka_unit_test(same_kind_other_key),
		cmocka_unit_test(every_scheme_with_openssl),
		cmocka_unit_test(wrong_family_refused),
		cmocka_unit_test(scheme_table),
		cmocka_unit_test(truncated_keys),
		cmocka_unit_test(damaged_keys),
		cmocka_unit_test(inconsistent_rsa_refused),
		cmocka_unit_test(unsupported_keys),
		cmocka_unit_test(parameters_before_the_key),
		cmocka_unit_test(truncated_spki),
		cmocka_unit_test(hostile_rsa_refused),
		cmocka_unit_test(der_is_strict),
		cmocka_unit_test(agreement_is_symmetric),
		cmocka_unit_test(encrypted_keys),
		cmocka_unit_test(wrong_passphrases),
		cmocka_unit_test(encryption_not_known),
		cmocka_unit_test(damaged_encryption),
		cmocka_unit_test(small_field_elements_refused),
		cmocka_unit_test(both_halves_of_a_hybrid),
		cmocka_unit_test(nonces_are_fresh),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
