/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing that the agent computes may branch on a secret or index by one.
 * Under valgrind each case marks its secret as undefined memory; memcheck then
 * reports a jump or an address that depends on it. What becomes public by its
 * nature (a signature, a share, the verdict of a comparison) is declared
 * defined again by the linker's wrappers below, where it leaves the function
 * that made it. Exit status 4: not under valgrind.
 */
#include <nettle/dsa.h>
#include <nettle/ecc.h>
#include <nettle/eddsa.h>
#include <nettle/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>
#include "crypto/key.h"
#include "crypto/mlkem.h"
#include "crypto/provider.h"
#include "handshake/engine.h"
#include "handshake/prf.h"
#include "rng/rng.h"

#define SECRET(p, len)	VALGRIND_MAKE_MEM_UNDEFINED(p, len)
#define PUBLIC(p, len)	VALGRIND_MAKE_MEM_DEFINED(p, len)

static void number_secret(mpz_t n)
{
	SECRET(n->_mp_d, mpz_size(n) * sizeof(mp_limb_t));
}

static void number_public(mpz_t n)
{
	PUBLIC(n, sizeof(mpz_t));
	PUBLIC(n->_mp_d, mpz_size(n) * sizeof(mp_limb_t));
}

/* ---- where something becomes public */

bool __real_crypto_equal(const void *a, const void *b, size_t len);
bool __wrap_crypto_equal(const void *a, const void *b, size_t len);
bool __wrap_crypto_equal(const void *a, const void *b, size_t len)
{
	bool same = __real_crypto_equal(a, b, len);

	PUBLIC(&same, sizeof(same));
	return same;
}

/* Keys, and the nonces of ECDSA, are secret from the moment that they are drawn. */
static bool drawn_is_secret;

void __real_rng_fill(enum rng_level level, void *buf, size_t len);
void __wrap_rng_fill(enum rng_level level, void *buf, size_t len);
void __wrap_rng_fill(enum rng_level level, void *buf, size_t len)
{
	__real_rng_fill(level, buf, len);
	if (drawn_is_secret && level == RNG_KEY)
		SECRET(buf, len);
}

void __real_rng_nettle_key(void *ctx, size_t len, uint8_t *buf);
void __wrap_rng_nettle_key(void *ctx, size_t len, uint8_t *buf);
void __wrap_rng_nettle_key(void *ctx, size_t len, uint8_t *buf)
{
	__real_rng_nettle_key(ctx, len, buf);
	SECRET(buf, len);
}

void __real_nettle_ecdsa_sign(const struct ecc_scalar *key, void *ctx, nettle_random_func *random,
			      size_t len, const uint8_t *digest, struct dsa_signature *s);
void __wrap_nettle_ecdsa_sign(const struct ecc_scalar *key, void *ctx, nettle_random_func *random,
			      size_t len, const uint8_t *digest, struct dsa_signature *s);
void __wrap_nettle_ecdsa_sign(const struct ecc_scalar *key, void *ctx, nettle_random_func *random,
			      size_t len, const uint8_t *digest, struct dsa_signature *s)
{
	__real_nettle_ecdsa_sign(key, ctx, random, len, digest, s);
	number_public(s->r);
	number_public(s->s);
}

void __real_p256_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t rs[64]);
void __wrap_p256_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t rs[64]);
void __wrap_p256_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t rs[64])
{
	__real_p256_sign(key, digest, rs);
	PUBLIC(rs, 64);
}

void __real_brainpool_sign(const struct brainpool *c, const uint8_t *key, const uint8_t *digest, size_t len, uint8_t *rs);
void __wrap_brainpool_sign(const struct brainpool *c, const uint8_t *key, const uint8_t *digest, size_t len, uint8_t *rs);
void __wrap_brainpool_sign(const struct brainpool *c, const uint8_t *key, const uint8_t *digest, size_t len, uint8_t *rs)
{
	__real_brainpool_sign(c, key, digest, len, rs);
	PUBLIC(rs, 2 * brainpool_bytes(c));
}

bool __real_key_rsa_is_root(const struct rsa_public_key *pub, mpz_t x, const mpz_t m);
bool __wrap_key_rsa_is_root(const struct rsa_public_key *pub, mpz_t x, const mpz_t m);
bool __wrap_key_rsa_is_root(const struct rsa_public_key *pub, mpz_t x, const mpz_t m)
{
	number_public(x);
	return __real_key_rsa_is_root(pub, x, m);
}

#define WRAP_RSA(NAME)								\
bool __real_##NAME(const struct crypto_key *key, mpz_t x, const mpz_t m);	\
bool __wrap_##NAME(const struct crypto_key *key, mpz_t x, const mpz_t m);	\
bool __wrap_##NAME(const struct crypto_key *key, mpz_t x, const mpz_t m)	\
{										\
	bool ok = __real_##NAME(key, x, m);					\
										\
	PUBLIC(&ok, sizeof(ok));						\
	number_public(x);							\
	return ok;								\
}
WRAP_RSA(rsa_root)
WRAP_RSA(rsa_root_nettle)

/* ---- cases */

static void fatal(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void agreement(const void *what)
{
	const struct crypto_group *g = what;
	uint8_t priv[CRYPTO_MAX_PRIVATE], share[CRYPTO_MAX_SHARE], answer[CRYPTO_MAX_SHARE];
	uint8_t a[CRYPTO_MAX_SECRET], b[CRYPTO_MAX_SECRET];

	if (g->generate(g, priv, share))
		fatal("generate");
	PUBLIC(share, g->client_share);
	if (g->respond(g, share, answer, a))
		fatal("respond");
	PUBLIC(answer, g->server_share);
	SECRET(priv, g->private_len);
	if (g->classical)	/* ML-KEM's private key holds the public one and its hash */
		PUBLIC(priv + 1152, MLKEM_PUBLIC + 32);
	if (g->agree(g, priv, answer, b))
		fatal("agree");
	PUBLIC(a, g->secret);
	PUBLIC(b, g->secret);
	if (memcmp(a, b, g->secret))
		fatal("not the same secret");
}

/* Implicit rejection: the ciphertext is a wrong one. */
static void rejection(const void *what)
{
	uint8_t seed[MLKEM_SEED] = { 1 }, pub[MLKEM_PUBLIC], priv[MLKEM_PRIVATE];
	uint8_t ciphertext[MLKEM_CIPHERTEXT] = { 2 }, secret[MLKEM_SECRET];

	(void)what;
	mlkem_generate(seed, pub, priv);
	SECRET(priv, 1152);
	SECRET(priv + MLKEM_PRIVATE - 32, 32);
	if (mlkem_decapsulate(priv, ciphertext, secret))
		fatal("decapsulate");
}

static struct crypto_key *load(const char *kind)
{
	struct crypto_key *key;
	char path[128];
	uint8_t buf[8192];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "build/unit/pki/%s.key", kind);
	f = fopen(path, "re");
	if (!f)
		fatal(path);
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	if (crypto_key_load(buf, len, &key))
		fatal(path);
	return key;
}

static void key_secret(struct crypto_key *key)
{
	if (key_is_rsa(key->pub.type)) {
		number_secret(key->rsa.d);
		number_secret(key->rsa.p);
		number_secret(key->rsa.q);
		number_secret(key->rsa.a);
		number_secret(key->rsa.b);
		number_secret(key->rsa.c);
	} else if (key_is_ec(key->pub.type)) {
		SECRET(key->ec.p, ((ecc_bit_size(key->ec.ecc) + 63) / 64) * sizeof(mp_limb_t));
	} else {
		SECRET(key->raw, sizeof(key->raw));
	}
}

static void signing(const void *what)
{
	const struct crypto_scheme *s = crypto_scheme_find((uint16_t)(uintptr_t)what);
	static const char *const kind[] = {
		[CRYPTO_KEY_RSA] = "rsa", [CRYPTO_KEY_RSA_PSS] = "rsapss", [CRYPTO_KEY_P256] = "p256",
		[CRYPTO_KEY_P384] = "p384", [CRYPTO_KEY_P521] = "p521", [CRYPTO_KEY_ED25519] = "ed25519",
		[CRYPTO_KEY_ED448] = "ed448", [CRYPTO_KEY_BRAINPOOL256] = "brainpool256",
		[CRYPTO_KEY_BRAINPOOL384] = "brainpool384", [CRYPTO_KEY_BRAINPOOL512] = "brainpool512",
	};
	struct crypto_key *key = load(kind[s->key]);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	key_secret(key);
	if (s->sign(key, s->hash, (const uint8_t *)"message", 7, sig, &len))
		fatal(s->name);
	PUBLIC(sig, len);
	if (s->verify(&key->pub, s->hash, (const uint8_t *)"message", 7, sig, len))
		fatal("the signature does not verify");
	crypto_key_free(key);
}

/* The n-th implementation of an algorithm, if this machine has it, in a case above. */
static void other(enum crypto_algorithm a, size_t n, void (*run)(const void *what), const void *what)
{
	const struct crypto_impl *impl = crypto_impl_get(a, n);

	if (impl) {
		printf("# %s by %s\n", crypto_algorithm_name(a), impl->name);
		crypto_used[a] = impl;	/* memcheck knows the instructions, its CPUID doesn't say so */
		run(what);
		crypto_impl_default();
	}
}

static void x25519_by(const void *what)
{
	other(CRYPTO_X25519, (uintptr_t)what, agreement, &crypto_x25519);
}

static void p256_by(const void *what)
{
	other(CRYPTO_P256_SIGN, (uintptr_t)what, signing, (void *)0x0403);
}

static void rsa_by(const void *what)
{
	other(CRYPTO_RSA_PRIVATE, (uintptr_t)what, signing, (void *)0x0804);
}

static void schedule(const void *what)
{
	const struct crypto_hash *h = what;
	uint8_t ikm[32] = { 3 }, digest[CRYPTO_MAX_DIGEST] = { 4 };
	struct hs_traffic t;
	struct schedule s;

	SECRET(ikm, sizeof(ikm));
	schedule_start(&s, h, NULL, 0);
	schedule_mix(&s, ikm, sizeof(ikm));
	schedule_derive(&s, "c hs traffic", digest, t.secret);
	schedule_traffic(&t, h, &crypto_chacha20_poly1305);
	hs_traffic_update(&t, h, &crypto_aes_128_gcm);
	schedule_wipe(&s);
}

/* The peer's Finished, right and wrong, against what the secret says it should be. */
static void finished(const void *what)
{
	struct hs *hs = calloc(1, sizeof(*hs));
	uint8_t body[CRYPTO_MAX_DIGEST] = { 5 }, digest[CRYPTO_MAX_DIGEST];
	struct rbuf b = { body, body + 32 };

	(void)what;
	if (!hs)
		fatal("no memory");
	transcript_start(hs, &crypto_sha256);
	memset(hs->rx.t.secret, 7, sizeof(hs->rx.t.secret));
	SECRET(hs->rx.t.secret, sizeof(hs->rx.t.secret));
	if (finished_recv(hs, &b) != ALERT_DECRYPT_ERROR)
		fatal("a wrong Finished was accepted");
	transcript_digest(hs, digest);
	schedule_finished(hs->hash, hs->rx.t.secret, digest, body);
	PUBLIC(body, 32);
	b = (struct rbuf){ body, body + 32 };
	if (finished_recv(hs, &b))
		fatal("a right Finished was refused");
	free(hs);
}

/* TLS 1.2: from the agreed secret to the keys, and the peer's Finished. */
static void finished12(const void *what)
{
	static const struct hs_params params;
	struct hs *hs = calloc(1, sizeof(*hs));
	uint8_t body[VERIFY_DATA] = { 5 }, digest[CRYPTO_MAX_DIGEST];
	struct rbuf b = { body, body + VERIFY_DATA };

	(void)what;
	if (!hs)
		fatal("no memory");
	hs->params = &params;
	hs->suite = suite_by_id(0xc02f);
	hs->group = &crypto_x25519;
	transcript_start(hs, &crypto_sha256);
	SECRET(hs->secret, sizeof(hs->secret));
	derive_master(hs);
	if (finished12_recv(hs, &b) != ALERT_DECRYPT_ERROR)
		fatal("a wrong Finished was accepted");
	transcript_digest(hs, digest);
	prf(hs->hash, hs->tls12.master, MASTER_SECRET, "server finished", digest, hs->hash->size, body, VERIFY_DATA);
	PUBLIC(body, VERIFY_DATA);
	b = (struct rbuf){ body, body + VERIFY_DATA };
	if (finished12_recv(hs, &b))
		fatal("a right Finished was refused");
	free(hs);
}

static void records(const void *what)
{
	const struct crypto_aead *a = what;
	uint8_t key[CRYPTO_MAX_KEY] = { 6 }, nonce[12] = { 0 }, text[100] = "text", sealed[116];

	SECRET(key, sizeof(key));
	SECRET(text, sizeof(text));
	a->seal(key, nonce, nonce, 5, text, sizeof(text), sealed);
	PUBLIC(sealed, sizeof(sealed));
	if (a->open(key, nonce, nonce, 5, sealed, sizeof(sealed), text))
		fatal("open");
	sealed[3] ^= 1;
	if (!a->open(key, nonce, nonce, 5, sealed, sizeof(sealed), text))
		fatal("a damaged record was accepted");
}

/* What must be seen, or nothing of this means anything. */
static void a_branch(const void *what)
{
	volatile uint8_t secret = 0;

	(void)what;
	SECRET((void *)&secret, 1);
	if (secret)
		puts("# unlikely");
}

static void an_index(const void *what)
{
	static const uint8_t table[256] = { 1 };
	volatile uint8_t secret = 0;
	volatile uint8_t v;

	(void)what;
	SECRET((void *)&secret, 1);
	v = table[secret];
	PUBLIC((void *)&v, 1);
	if (v != 1)
		fatal("the table was read wrongly");
}

static const struct secret_case {
	const char *name;
	void (*run)(const void *what);
	const void *what;
	bool leaks;
} cases[] = {
	{ "a branch on a secret is seen", a_branch, NULL, true },
	{ "an index by a secret is seen", an_index, NULL, true },
	{ "x25519", agreement, &crypto_x25519, false },
	{ "x25519, first implementation", x25519_by, (void *)0, false },
	{ "x25519, second implementation", x25519_by, (void *)1, false },
	{ "x25519, third implementation", x25519_by, (void *)2, false },
	{ "ECDSA P-256, first implementation", p256_by, (void *)0, false },
	{ "ECDSA P-256, second implementation", p256_by, (void *)1, false },
	{ "RSA, first implementation", rsa_by, (void *)0, false },
	{ "RSA, second implementation", rsa_by, (void *)1, false },
	{ "x448", agreement, &crypto_x448, false },
	{ "secp256r1", agreement, &crypto_secp256r1, false },
	{ "secp384r1", agreement, &crypto_secp384r1, false },
	{ "secp521r1", agreement, &crypto_secp521r1, false },
	{ "brainpoolP256r1", agreement, &crypto_brainpoolP256r1, false },
	{ "brainpoolP384r1", agreement, &crypto_brainpoolP384r1, false },
	{ "brainpoolP512r1", agreement, &crypto_brainpoolP512r1, false },
	{ "ffdhe2048", agreement, &crypto_ffdhe2048, false },
	{ "ffdhe4096", agreement, &crypto_ffdhe4096, false },
	{ "x25519mlkem768", agreement, &crypto_x25519mlkem768, false },
	{ "ML-KEM decapsulation of a wrong ciphertext", rejection, NULL, false },
	{ "ECDSA P-256 signature", signing, (void *)0x0403, false },
	{ "ECDSA P-384 signature", signing, (void *)0x0503, false },
	{ "ECDSA P-521 signature", signing, (void *)0x0603, false },
	{ "Ed25519 signature", signing, (void *)0x0807, false },
	{ "Ed448 signature", signing, (void *)0x0808, false },
	{ "ECDSA brainpoolP256r1 signature", signing, (void *)0x081a, false },
	{ "ECDSA brainpoolP384r1 signature", signing, (void *)0x081b, false },
	{ "ECDSA brainpoolP512r1 signature", signing, (void *)0x081c, false },
	{ "RSA-PSS signature", signing, (void *)0x0804, false },
	{ "RSA-PSS signature, SHA-512", signing, (void *)0x0806, false },
	{ "RSA PKCS#1 signature", signing, (void *)0x0401, false },
	{ "key schedule, SHA-256", schedule, &crypto_sha256, false },
	{ "key schedule, SHA-384", schedule, &crypto_sha384, false },
	{ "Finished", finished, NULL, false },
	{ "TLS 1.2: master secret, keys, Finished", finished12, NULL, false },
	{ "records, AES-128-GCM", records, &crypto_aes_128_gcm, false },
	{ "records, AES-256-GCM", records, &crypto_aes_256_gcm, false },
	{ "records, ChaCha20-Poly1305", records, &crypto_chacha20_poly1305, false },
};

int main(void)
{
	const size_t num = sizeof(cases) / sizeof(cases[0]);
	unsigned int before, failed = 0;
	bool good;

	if (!RUNNING_ON_VALGRIND) {
		puts("1..0 # SKIP not under valgrind, where nothing would be seen");
		return 4;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", num);
	for (size_t i = 0; i < num; i++) {
		before = VALGRIND_COUNT_ERRORS;
		drawn_is_secret = true;
		cases[i].run(cases[i].what);
		drawn_is_secret = false;
		good = (VALGRIND_COUNT_ERRORS > before) == cases[i].leaks;
		failed += !good;
		printf("%sok %zu - %s\n", good ? "" : "not ", i + 1, cases[i].name);
	}
	return failed != 0;
}
