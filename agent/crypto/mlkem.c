/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ML-KEM-768, FIPS 203; the numbers in comments are its algorithms. Nothing
 * branches on a secret, indexes by one or divides one: coefficients are reduced
 * by multiplication (Montgomery, R = 2^16, and Barrett), and the choice between
 * the secret and its rejection is a mask. Rejection sampling of the matrix
 * depends on the public seed only. What was secret is wiped before return.
 */
#include <errno.h>
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/mlkem.h"
#include "crypto/sponge.h"

#define Q	3329
#define N	256
#define K	3	/* rank of the module */
#define DU	10	/* bits of a compressed coefficient of u, and of v */
#define DV	4
#define POLY	384	/* bytes of 256 coefficients of 12 bits */
#define HALF	32	/* bytes of a seed, a hash, a message */

struct poly { int16_t c[N]; };
struct vec { struct poly p[K]; };

/* Where the parts of a private key begin. */
enum { PRIV_PUB = K * POLY, PRIV_HASH = PRIV_PUB + MLKEM_PUBLIC, PRIV_Z = PRIV_HASH + HALF };

/* 17^bitrev7(i) * R mod q, centred */
static const int16_t zeta[128] = {
	-1044, -758, -359, -1517, 1493, 1422, 287, 202, -171, 622, 1577, 182, 962, -1202, -1474, 1468,
	573, -1325, 264, 383, -829, 1458, -1602, -130, -681, 1017, 732, 608, -1542, 411, -205, -1571,
	1223, 652, -552, 1015, -1293, 1491, -282, -1544, 516, -8, -320, -666, -1618, -1162, 126, 1469,
	-853, -90, -271, 830, 107, -1421, -247, -951, -398, 961, -1508, -725, 448, -1065, 677, -1275,
	-1103, 430, 555, 843, -1251, 871, 1550, 105, 422, 587, 177, -235, -291, -460, 1574, 1653,
	-246, 778, 1159, -147, -777, 1483, -602, 1119, -1590, 644, -872, 349, 418, 329, -156, -75,
	817, 1097, 603, 610, 1322, -1285, -1465, 384, -1215, -136, 1218, -1335, -874, 220, -1187, -1659,
	-1185, -1530, -1278, 794, -1510, -854, -870, 478, -108, -308, 996, 991, 958, -1460, 1522, 1628,
};

/* ---- hashes */

struct bytes { const uint8_t *p; size_t len; };

static void hash(enum sponge_rate rate, enum sponge_domain domain, struct bytes a, struct bytes b,
		 uint8_t *out, size_t len)
{
	struct sponge s;

	sponge_start(&s, rate);
	sponge_absorb(&s, a.p, a.len);
	sponge_absorb(&s, b.p, b.len);
	sponge_end(&s, domain);
	sponge_squeeze(&s, out, len);
	sponge_wipe(&s);
}

static void hash_g(struct bytes a, struct bytes b, uint8_t out[2 * HALF])
{
	hash(SHA3_512, SPONGE_SHA3, a, b, out, 2 * HALF);
}

static void hash_h(const uint8_t *key, uint8_t out[HALF])
{
	hash(SHA3_256, SPONGE_SHA3, (struct bytes){ key, MLKEM_PUBLIC }, (struct bytes){ key, 0 }, out, HALF);
}

static void hash_j(const uint8_t *z, const uint8_t *ciphertext, uint8_t out[HALF])
{
	hash(SHAKE256, SPONGE_SHAKE, (struct bytes){ z, HALF },
	     (struct bytes){ ciphertext, MLKEM_CIPHERTEXT }, out, HALF);
}

/* ---- the field */

/* a / R, between -q and q, for |a| < q * 2^15 */
static int16_t montgomery(int32_t a)
{
	int16_t t = (int16_t)((int16_t)a * (int32_t)-3327);	/* 1 / q mod R */

	return (int16_t)((a - (int32_t)t * Q) >> 16);
}

static int16_t mul(int16_t a, int16_t b)
{
	return montgomery((int32_t)a * b);
}

/* Centred: between -q / 2 and q / 2 */
static int16_t reduce(int16_t a)
{
	int16_t t = (int16_t)((20159 * (int32_t)a + (1 << 25)) >> 26);	/* a / q, rounded */

	return (int16_t)(a - t * Q);
}

/* 0 .. q - 1, of what is above -q */
static uint16_t positive(int16_t a)
{
	return (uint16_t)(a + ((a >> 15) & Q));
}

/* 9: in place; leaves every coefficient centred. */
static void ntt(struct poly *f)
{
	int16_t z, t;
	int k = 1;

	for (int len = 128; len >= 2; len /= 2)
		for (int start = 0; start < N; start += 2 * len) {
			z = zeta[k++];
			for (int j = start; j < start + len; j++) {
				t = mul(z, f->c[j + len]);
				f->c[j + len] = (int16_t)(f->c[j] - t);
				f->c[j] = (int16_t)(f->c[j] + t);
			}
		}
	for (int i = 0; i < N; i++)
		f->c[i] = reduce(f->c[i]);
}

/* 10; also multiplies by R, which product() divided by. */
static void ntt_inverse(struct poly *f)
{
	const int16_t scale = 1441;	/* R * R / 128 */
	int16_t z, t;
	int k = 127;

	for (int len = 2; len <= 128; len *= 2)
		for (int start = 0; start < N; start += 2 * len) {
			z = zeta[k--];
			for (int j = start; j < start + len; j++) {
				t = f->c[j];
				f->c[j] = reduce((int16_t)(t + f->c[j + len]));
				f->c[j + len] = mul(z, (int16_t)(f->c[j + len] - t));
			}
		}
	for (int i = 0; i < N; i++)
		f->c[i] = mul(f->c[i], scale);
}

/* 12: (a0 + a1 x)(b0 + b1 x) mod x^2 - z, added to r; divided by R */
static void multiply_pair(const int16_t *a, const int16_t *b, int16_t z, int16_t *r)
{
	r[0] = (int16_t)(r[0] + mul(mul(a[1], b[1]), z) + mul(a[0], b[0]));
	r[1] = (int16_t)(r[1] + mul(a[0], b[1]) + mul(a[1], b[0]));
}

/* The inner product of two vectors in the NTT domain, divided by R; six terms fit in 16 bits. */
static void product(const struct vec *a, const struct vec *b, struct poly *r)
{
	int16_t z;

	memset(r, 0, sizeof(*r));
	for (int k = 0; k < K; k++)
		for (int i = 0; i < N; i += 4) {
			z = zeta[64 + i / 4];
			multiply_pair(&a->p[k].c[i], &b->p[k].c[i], z, &r->c[i]);
			multiply_pair(&a->p[k].c[i + 2], &b->p[k].c[i + 2], (int16_t)-z, &r->c[i + 2]);
		}
	for (int i = 0; i < N; i++)
		r->c[i] = reduce(r->c[i]);
}

static void add(struct poly *r, const struct poly *a)
{
	for (int i = 0; i < N; i++)
		r->c[i] = reduce((int16_t)(r->c[i] + a->c[i]));
}

/* ---- sampling */

/* 7: one polynomial of the matrix; @seed is public. */
static void sample_uniform(const uint8_t *seed, uint8_t first, uint8_t second, struct poly *f)
{
	const uint8_t at[2] = { first, second };
	uint8_t b[SHAKE128];
	struct sponge s;
	int n = 0, d[2];

	sponge_start(&s, SHAKE128);
	sponge_absorb(&s, seed, HALF);
	sponge_absorb(&s, at, sizeof(at));
	sponge_end(&s, SPONGE_SHAKE);
	while (n < N) {
		sponge_squeeze(&s, b, sizeof(b));
		for (size_t i = 0; i < sizeof(b); i += 3) {
			d[0] = b[i] | (b[i + 1] & 15) << 8;
			d[1] = b[i + 1] >> 4 | b[i + 2] << 4;
			for (int j = 0; j < 2; j++)
				if (d[j] < Q && n < N)
					f->c[n++] = (int16_t)d[j];
		}
	}
}

/* Row @i of the matrix, or of its transpose. */
static void matrix_row(const uint8_t *seed, int i, bool transposed, struct vec *row)
{
	for (int j = 0; j < K; j++)
		if (transposed)
			sample_uniform(seed, (uint8_t)i, (uint8_t)j, &row->p[j]);
		else
			sample_uniform(seed, (uint8_t)j, (uint8_t)i, &row->p[j]);
}

/* 8 with eta = 2: of each four bits, two add and two take away. */
static void sample_small(const uint8_t *seed, uint8_t nonce, struct poly *f)
{
	uint8_t b[N / 2];

	hash(SHAKE256, SPONGE_SHAKE, (struct bytes){ seed, HALF }, (struct bytes){ &nonce, 1 }, b, sizeof(b));
	for (int i = 0; i < N; i++) {
		int v = b[i / 2] >> 4 * (i % 2);

		f->c[i] = (int16_t)((v & 1) + (v >> 1 & 1) - (v >> 2 & 1) - (v >> 3 & 1));
	}
	crypto_wipe(b, sizeof(b));
}

static void sample_small_ntt(const uint8_t *seed, uint8_t nonce, struct vec *v)
{
	for (int i = 0; i < K; i++) {
		sample_small(seed, (uint8_t)(nonce + i), &v->p[i]);
		ntt(&v->p[i]);
	}
}

/* ---- bytes */

/* 5: @bits of each coefficient, least significant first. */
static void pack(const uint16_t c[N], int bits, uint8_t *out)
{
	uint32_t held = 0;
	int have = 0;

	for (int i = 0; i < N; i++) {
		held |= (uint32_t)c[i] << have;
		for (have += bits; have >= 8; have -= 8) {
			*out++ = (uint8_t)held;
			held >>= 8;
		}
	}
}

/* 6 */
static void unpack(const uint8_t *in, int bits, uint16_t c[N])
{
	uint32_t held = 0;
	int have = 0;

	for (int i = 0; i < N; i++) {
		for (; have < bits; have += 8)
			held |= (uint32_t)*in++ << have;
		c[i] = (uint16_t)(held & ((1u << bits) - 1));
		held >>= bits;
		have -= bits;
	}
}

static void encode(const struct poly *f, uint8_t out[POLY])
{
	uint16_t c[N];

	for (int i = 0; i < N; i++)
		c[i] = positive(f->c[i]);
	pack(c, 12, out);
	crypto_wipe(c, sizeof(c));
}

static void decode_vec(const uint8_t *in, struct vec *v)
{
	uint16_t c[N];

	for (int k = 0; k < K; k++) {
		unpack(in + k * POLY, 12, c);
		for (int i = 0; i < N; i++)
			v->p[k].c[i] = (int16_t)c[i];
	}
	crypto_wipe(c, sizeof(c));
}

/* x / q, rounded, for x < 2^10 * q + q: no division, which would take its own time for each x */
static uint32_t quotient(uint32_t x)
{
	return (uint32_t)(((uint64_t)x * 10321340 + (UINT64_C(1) << 34)) >> 35);
}

static void compress(const struct poly *f, int bits, uint8_t *out)
{
	uint16_t c[N];

	for (int i = 0; i < N; i++)
		c[i] = (uint16_t)(quotient((uint32_t)positive(f->c[i]) << bits) & ((1u << bits) - 1));
	pack(c, bits, out);
	crypto_wipe(c, sizeof(c));
}

static void decompress(const uint8_t *in, int bits, struct poly *f)
{
	uint16_t c[N];

	unpack(in, bits, c);
	for (int i = 0; i < N; i++)
		f->c[i] = (int16_t)(((uint32_t)c[i] * Q + (1u << (bits - 1))) >> bits);
}

/* A message bit is 0 or half the modulus. */
static void message_decode(const uint8_t m[HALF], struct poly *f)
{
	for (int i = 0; i < N; i++)
		f->c[i] = (int16_t)((m[i / 8] >> i % 8 & 1) * ((Q + 1) / 2));
}

static void message_encode(const struct poly *f, uint8_t m[HALF])
{
	memset(m, 0, HALF);
	for (int i = 0; i < N; i++)
		m[i / 8] |= (uint8_t)((quotient((uint32_t)positive(f->c[i]) << 1) & 1) << i % 8);
}

/* ---- K-PKE and ML-KEM */

/* 13, 16 */
void mlkem_generate(const uint8_t seed[MLKEM_SEED], uint8_t pub[MLKEM_PUBLIC],
		    uint8_t priv[MLKEM_PRIVATE])
{
	const int16_t to_plain = 1353;	/* R * R */
	const uint8_t rank = K;
	uint8_t seeds[2 * HALF], *rho = seeds, *sigma = seeds + HALF;
	struct vec s, row;
	struct poly t, e;

	hash_g((struct bytes){ seed, HALF }, (struct bytes){ &rank, 1 }, seeds);
	sample_small_ntt(sigma, 0, &s);
	for (int i = 0; i < K; i++) {
		matrix_row(rho, i, false, &row);
		product(&row, &s, &t);
		for (int j = 0; j < N; j++)
			t.c[j] = mul(t.c[j], to_plain);
		sample_small(sigma, (uint8_t)(K + i), &e);
		ntt(&e);
		add(&t, &e);
		encode(&t, pub + i * POLY);
		encode(&s.p[i], priv + i * POLY);
	}
	memcpy(pub + K * POLY, rho, HALF);
	memcpy(priv + PRIV_PUB, pub, MLKEM_PUBLIC);
	hash_h(pub, priv + PRIV_HASH);
	memcpy(priv + PRIV_Z, seed + HALF, HALF);
	crypto_wipe(seeds, sizeof(seeds));
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(&e, sizeof(e));
	crypto_wipe(&t, sizeof(t));
}

/* 14 */
static void encrypt(const uint8_t *pub, const uint8_t m[HALF], const uint8_t r[HALF], uint8_t *ciphertext)
{
	struct vec y, row;
	struct poly p, e;

	sample_small_ntt(r, 0, &y);
	for (int i = 0; i < K; i++) {
		matrix_row(pub + K * POLY, i, true, &row);
		product(&row, &y, &p);
		ntt_inverse(&p);
		sample_small(r, (uint8_t)(K + i), &e);
		add(&p, &e);
		compress(&p, DU, ciphertext + i * N * DU / 8);
	}
	decode_vec(pub, &row);
	product(&row, &y, &p);
	ntt_inverse(&p);
	sample_small(r, 2 * K, &e);
	add(&p, &e);
	message_decode(m, &e);
	add(&p, &e);
	compress(&p, DV, ciphertext + K * N * DU / 8);
	crypto_wipe(&y, sizeof(y));
	crypto_wipe(&p, sizeof(p));
	crypto_wipe(&e, sizeof(e));
}

/* 15 */
static void decrypt(const uint8_t *priv, const uint8_t *ciphertext, uint8_t m[HALF])
{
	struct vec s, u;
	struct poly v, w;

	decode_vec(priv, &s);
	for (int i = 0; i < K; i++) {
		decompress(ciphertext + i * N * DU / 8, DU, &u.p[i]);
		ntt(&u.p[i]);
	}
	decompress(ciphertext + K * N * DU / 8, DV, &v);
	product(&s, &u, &w);
	ntt_inverse(&w);
	for (int i = 0; i < N; i++)
		w.c[i] = reduce((int16_t)(v.c[i] - w.c[i]));
	message_encode(&w, m);
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(&w, sizeof(w));
}

static bool key_reduced(const uint8_t *pub)
{
	struct vec t;
	bool good = true;

	decode_vec(pub, &t);
	for (int k = 0; k < K; k++)
		for (int i = 0; i < N; i++)
			good &= t.p[k].c[i] < Q;
	return good;
}

/* 17, 20 */
int mlkem_encapsulate(const uint8_t pub[MLKEM_PUBLIC], const uint8_t message[MLKEM_MESSAGE],
		      uint8_t ciphertext[MLKEM_CIPHERTEXT], uint8_t secret[MLKEM_SECRET])
{
	uint8_t h[HALF], g[2 * HALF];

	if (!key_reduced(pub))
		return -EBADMSG;
	hash_h(pub, h);
	hash_g((struct bytes){ message, HALF }, (struct bytes){ h, HALF }, g);
	encrypt(pub, message, g + HALF, ciphertext);
	memcpy(secret, g, HALF);
	crypto_wipe(g, sizeof(g));
	return 0;
}

/* 0xff if they differ */
static uint8_t differ(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint32_t d = 0;

	for (size_t i = 0; i < len; i++)
		d |= a[i] ^ b[i];
	return (uint8_t)((0 - d) >> 24);
}

/* 18, 21 */
int mlkem_decapsulate(const uint8_t priv[MLKEM_PRIVATE], const uint8_t ciphertext[MLKEM_CIPHERTEXT],
		      uint8_t secret[MLKEM_SECRET])
{
	uint8_t m[HALF], h[HALF], g[2 * HALF], rejected[HALF], again[MLKEM_CIPHERTEXT], mask;

	hash_h(priv + PRIV_PUB, h);
	if (!crypto_equal(h, priv + PRIV_HASH, HALF))
		return -EBADMSG;
	decrypt(priv, ciphertext, m);
	hash_g((struct bytes){ m, HALF }, (struct bytes){ h, HALF }, g);
	hash_j(priv + PRIV_Z, ciphertext, rejected);
	encrypt(priv + PRIV_PUB, m, g + HALF, again);
	mask = differ(ciphertext, again, sizeof(again));
	for (int i = 0; i < HALF; i++)
		secret[i] = (uint8_t)((rejected[i] & mask) | (g[i] & ~mask));
	crypto_wipe(m, sizeof(m));
	crypto_wipe(g, sizeof(g));
	crypto_wipe(rejected, sizeof(rejected));
	crypto_wipe(again, sizeof(again));
	return 0;
}
