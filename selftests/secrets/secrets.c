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
#include "crypto/mldsa_poly.h"
#include "crypto/mlkem.h"
#include "crypto/provider.h"
#include "handshake/engine.h"
#include "handshake/prf.h"
#include "handshake/ticket.h"
#include "rng/rng.h"
#include "cases.h"

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

/* ML-DSA: rho, the c~ of each try, why one is given up, and the hints of the last. */
void __real_poly_uniform(const uint8_t rho[32], uint8_t column, uint8_t row, struct poly *f);
void __wrap_poly_uniform(const uint8_t rho[32], uint8_t column, uint8_t row, struct poly *f);
void __wrap_poly_uniform(const uint8_t rho[32], uint8_t column, uint8_t row, struct poly *f)
{
	PUBLIC(rho, 32);
	__real_poly_uniform(rho, column, row, f);
}

void __real_mldsa_ball(const uint8_t *seed, size_t len, int tau, struct poly *c);
void __wrap_mldsa_ball(const uint8_t *seed, size_t len, int tau, struct poly *c);
void __wrap_mldsa_ball(const uint8_t *seed, size_t len, int tau, struct poly *c)
{
	PUBLIC(seed, len);
	__real_mldsa_ball(seed, len, tau, c);
}

bool __real_poly_within(const struct poly *f, int32_t bound);
bool __wrap_poly_within(const struct poly *f, int32_t bound);
bool __wrap_poly_within(const struct poly *f, int32_t bound)
{
	bool within = __real_poly_within(f, bound);

	PUBLIC(&within, sizeof(within));
	return within;
}

bool __real_mldsa_hints_fit(unsigned int num, int omega);
bool __wrap_mldsa_hints_fit(unsigned int num, int omega);
bool __wrap_mldsa_hints_fit(unsigned int num, int omega)
{
	PUBLIC(&num, sizeof(num));
	return __real_mldsa_hints_fit(num, omega);
}

void __real_mldsa_hint_pack(const uint8_t (*hint)[MLDSA_N], int k, int omega, uint8_t *out);
void __wrap_mldsa_hint_pack(const uint8_t (*hint)[MLDSA_N], int k, int omega, uint8_t *out);
void __wrap_mldsa_hint_pack(const uint8_t (*hint)[MLDSA_N], int k, int omega, uint8_t *out)
{
	PUBLIC(hint, (size_t)k * MLDSA_N);
	__real_mldsa_hint_pack(hint, k, omega, out);
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

/* What a peer has sealed is read, and its reader decides by it: its key is the secret. */
extern const struct crypto_aead __real_crypto_aes_128_gcm;
struct crypto_aead __wrap_crypto_aes_128_gcm;

static int open_public(const uint8_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
		       const uint8_t *in, size_t len, uint8_t *out)
{
	int err = __real_crypto_aes_128_gcm.open(key, nonce, aad, aad_len, in, len, out);

	PUBLIC(out, len - __real_crypto_aes_128_gcm.tag);
	return err;
}

static void __attribute__((constructor)) public_plaintext(void)
{
	__wrap_crypto_aes_128_gcm = __real_crypto_aes_128_gcm;
	__wrap_crypto_aes_128_gcm.open = open_public;
}

int __real_ticket_open(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT], const uint8_t *data,
		       size_t len, struct ticket *ret);
int __wrap_ticket_open(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT], const uint8_t *data,
		       size_t len, struct ticket *ret);
int __wrap_ticket_open(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT], const uint8_t *data,
		       size_t len, struct ticket *ret)
{
	int err = __real_ticket_open(keys, context, data, len, ret);

	if (!err)
		SECRET(ret->psk, sizeof(ret->psk));
	return err;
}

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

/* PKCS#8 of a seed: no program makes such files for us. */
static struct crypto_key *mldsa_key(enum crypto_key_type type)
{
	uint8_t der[54] = {
		0x30, 52, 0x02, 1, 0, 0x30, 11, 0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11,
		0x04, 34, 0x80, 32, 42,
	};
	struct crypto_key *key;

	der[17] = (uint8_t)(0x11 + (type - CRYPTO_KEY_MLDSA44));
	if (crypto_key_load(der, sizeof(der), &key))
		fatal("a seed of ML-DSA");
	return key;
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
	struct crypto_key *key = mldsa_of(s->key) ? mldsa_key(s->key) : load(kind[s->key]);
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

/* ---- both ends of a connection: what is on the wire is public, the pre-shared key and all that follows is not */

static struct {
	struct hs_params cp, sp;
	struct hs *client, *server;
	struct hs_ticket_keys keys;
	struct hs_ticket ticket;
} both;

#define NOW 1800000000

static int choose(void *arg, const char *name, const uint16_t *schemes, size_t num, const struct identity **ret,
		  const char **why)
{
	static const struct identity identity = { .name = (char *)"none", .key_type = CRYPTO_KEY_P256, .key_bits = 256 };

	(void)arg; (void)name; (void)schemes; (void)num; (void)why;
	*ret = &identity;
	return 0;
}

static bool carry(struct hs *from, struct hs *to)
{
	size_t len, n, at = 0, want;
	const uint8_t *out = hs_output(from, &len);
	uint8_t buf[16384];

	memcpy(buf, out, len);
	PUBLIC(buf, len);
	hs_sent(from, len);
	while (at < len && (want = hs_want(to))) {
		n = want < len - at ? want : len - at;
		if (hs_input(to, buf + at, n))
			fatal(hs_why(to));
		if (hs_state(to) == HS_FRESH && hs_fresh(to, true))
			fatal(hs_why(to));
		at += n;
	}
	return len;
}

/* A ticket as a server has sealed it and a client kept it. */
static void make_ticket(void)
{
	const struct identity *identity;
	struct ticket t = { .suite = 0x1301, .issued = NOW - 1, .lifetime = 7200, .max_early = 100, .psk = { 8 } };

	choose(NULL, NULL, NULL, 0, &identity, NULL);
	snprintf(t.identity, sizeof(t.identity), "%s", identity->name);
	both.keys.num = 1;
	both.ticket = (struct hs_ticket){
		.suite = t.suite, .received = t.issued * 1000, .lifetime = t.lifetime, .max_early = t.max_early, .psk = { 8 },
	};
	both.ticket.len = (uint32_t)ticket_seal(&both.keys, both.sp.ticket_context, &t, both.ticket.data, HS_MAX_TICKET);
	PUBLIC(both.ticket.data, both.ticket.len);
	SECRET(both.ticket.psk, sizeof(both.ticket.psk));
}

static bool is_secret(const uint8_t *p)
{
	uint8_t unknown = 0;

	VALGRIND_GET_VBITS(p, &unknown, 1);
	return unknown;
}

static void resumed(void)
{
	static const uint16_t ciphers[] = { 51 }, curve[] = { 29 };

	memset(&both, 0, sizeof(both));
	both.cp = (struct hs_params){
		.role = HS_CLIENT, .now = NOW, .min_version = TLS13, .ticket = &both.ticket, .post_auth = true,
		.ciphers = ciphers, .ciphers_num = 1, .groups = curve, .groups_num = 1,
		.early = (const uint8_t *)"early", .early_len = 5, .insecure = true,	/* no certificate was ever seen */
	};
	both.sp = (struct hs_params){
		.role = HS_SERVER, .now = NOW, .min_version = TLS13, .choose = choose, .ticket_keys = &both.keys,
		.ciphers = ciphers, .ciphers_num = 1, .groups = curve, .groups_num = 1, .max_early = 100,
	};
	make_ticket();
	both.client = hs_new(&both.cp);
	both.server = hs_new(&both.sp);
	if (!both.client || !both.server || hs_start(both.client) || hs_start(both.server))
		fatal("no memory");
	while (carry(both.client, both.server) | carry(both.server, both.client))
		;
	if (!hs_result(both.client) || !hs_result(both.server) || !hs_result(both.server)->resumed)
		fatal("the ticket was of no use");
	if (!is_secret(hs_result(both.client)->tx.secret) || !is_secret(hs_result(both.server)->rx.secret))
		fatal("what follows from the key is not secret: nothing was seen");
}

static void disconnect(void)
{
	hs_free(both.client);
	hs_free(both.server);
}

static void early_data(const void *what)
{
	const uint8_t *data;
	size_t len;

	(void)what;
	resumed();
	data = hs_early_data(both.server, &len);
	if (hs_result(both.client)->early != HS_EARLY_ACCEPTED || len != 5 ||
	    memcmp(data, "early", 5))
		fatal("the early data were not taken");
	disconnect();
}

/* @wrong: the last byte of the client's Finished is. */
static int authenticate(struct hs_post *client, struct hs_post *server, bool wrong)
{
	struct hs *asked, *asking;
	const uint8_t *out;
	uint8_t buf[4096];
	size_t len;
	int err;

	asked = hs_post_new(&both.cp, client);
	asking = hs_post_new(&both.sp, server);
	if (!asked || !asking || hs_start(asked) || hs_start(asking))
		fatal("no memory");
	out = hs_output(asking, &len);
	memcpy(buf, out, len);
	if (hs_messages(asked, buf, len))
		fatal(hs_why(asked));
	out = hs_output(asked, &len);
	memcpy(buf, out, len);
	PUBLIC(buf, len);
	buf[len - 1] ^= wrong;
	err = hs_messages(asking, buf, len);
	hs_free(asked);
	hs_free(asking);
	return err;
}

static void post_auth(const void *what)
{
	struct hs_post client, server;

	(void)what;
	resumed();
	if (!hs_result(both.server)->post_auth)
		fatal("the client may not be asked");
	both.sp.client_auth = HS_AUTH_ASK;
	hs_post_from(hs_result(both.client), HS_CLIENT, &client);
	hs_post_from(hs_result(both.server), HS_SERVER, &server);
	if (authenticate(&client, &server, false))
		fatal("the answer was refused");
	if (authenticate(&client, &server, true) != ALERT_DECRYPT_ERROR)
		fatal("a wrong Finished was accepted");
	disconnect();
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
	{ "ML-DSA-44 signature", signing, (void *)0x0904, false },
	{ "ML-DSA-65 signature", signing, (void *)0x0905, false },
	{ "ML-DSA-87 signature", signing, (void *)0x0906, false },
	{ "RSA-PSS signature", signing, (void *)0x0804, false },
	{ "RSA-PSS signature, SHA-512", signing, (void *)0x0806, false },
	{ "RSA PKCS#1 signature", signing, (void *)0x0401, false },
	{ "key schedule, SHA-256", schedule, &crypto_sha256, false },
	{ "key schedule, SHA-384", schedule, &crypto_sha384, false },
	{ "Finished", finished, NULL, false },
	{ "TLS 1.2: master secret, keys, Finished", finished12, NULL, false },
	{ "resumption with early data, both ends", early_data, NULL, false },
	{ "authentication after the handshake, both ends", post_auth, NULL, false },
	{ "records, AES-128-GCM", records, &crypto_aes_128_gcm, false },
	{ "records, AES-256-GCM", records, &crypto_aes_256_gcm, false },
	{ "records, ChaCha20-Poly1305", records, &crypto_chacha20_poly1305, false },
};

static struct secret_name name(size_t i)
{
	return (struct secret_name){ cases[i].name, cases[i].leaks };
}

static bool run(size_t i)
{
	drawn_is_secret = true;
	cases[i].run(cases[i].what);
	drawn_is_secret = false;
	return true;
}

int main(void)
{
	if (!secret_cases_possible())
		return 4;
	return secret_cases_run(sizeof(cases) / sizeof(cases[0]), name, run);
}
