/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See mldsa_poly.h; numbers in comments are FIPS 204's algorithms. Reduction is
 * by multiplication (Montgomery, R = 2^32), choices are masks.
 */
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/mldsa_poly.h"
#include "crypto/sponge.h"

#define Q MLDSA_Q
#define N MLDSA_N

/* 1753^bitrev8(i) * R mod q, centred */
static const int32_t zeta[N] = {
	-4186625, 25847, -2608894, -518909, 237124, -777960, -876248, 466468, 1826347, 2353451,
	-359251, -2091905, 3119733, -2884855, 3111497, 2680103, 2725464, 1024112, -1079900, 3585928,
	-549488, -1119584, 2619752, -2108549, -2118186, -3859737, -1399561, -3277672, 1757237, -19422,
	4010497, 280005, 2706023, 95776, 3077325, 3530437, -1661693, -3592148, -2537516, 3915439,
	-3861115, -3043716, 3574422, -2867647, 3539968, -300467, 2348700, -539299, -1699267, -1643818,
	3505694, -3821735, 3507263, -2140649, -1600420, 3699596, 811944, 531354, 954230, 3881043,
	3900724, -2556880, 2071892, -2797779, -3930395, -1528703, -3677745, -3041255, -1452451, 3475950,
	2176455, -1585221, -1257611, 1939314, -4083598, -1000202, -3190144, -3157330, -3632928, 126922,
	3412210, -983419, 2147896, 2715295, -2967645, -3693493, -411027, -2477047, -671102, -1228525,
	-22981, -1308169, -381987, 1349076, 1852771, -1430430, -3343383, 264944, 508951, 3097992,
	44288, -1100098, 904516, 3958618, -3724342, -8578, 1653064, -3249728, 2389356, -210977,
	759969, -1316856, 189548, -3553272, 3159746, -1851402, -2409325, -177440, 1315589, 1341330,
	1285669, -1584928, -812732, -1439742, -3019102, -3881060, -3628969, 3839961, 2091667, 3407706,
	2316500, 3817976, -3342478, 2244091, -2446433, -3562462, 266997, 2434439, -1235728, 3513181,
	-3520352, -3759364, -1197226, -3193378, 900702, 1859098, 909542, 819034, 495491, -1613174,
	-43260, -522500, -655327, -3122442, 2031748, 3207046, -3556995, -525098, -768622, -3595838,
	342297, 286988, -2437823, 4108315, 3437287, -3342277, 1735879, 203044, 2842341, 2691481,
	-2590150, 1265009, 4055324, 1247620, 2486353, 1595974, -3767016, 1250494, 2635921, -3548272,
	-2994039, 1869119, 1903435, -1050970, -1333058, 1237275, -3318210, -1430225, -451100, 1312455,
	3306115, -1962642, -1279661, 1917081, -2546312, -1374803, 1500165, 777191, 2235880, 3406031,
	-542412, -2831860, -1671176, -1846953, -2584293, -3724270, 594136, -3776993, -2013608, 2432395,
	2454455, -164721, 1957272, 3369112, 185531, -1207385, -3183426, 162844, 1616392, 3014001,
	810149, 1652634, -3694233, -1799107, -3038916, 3523897, 3866901, 269760, 2213111, -975884,
	1717735, 472078, -426683, 1723600, -1803090, 1910376, -1667432, -1104333, -260646, -3833893,
	-2939036, -2235985, -420899, -2286327, 183443, -976891, 1612842, -3545687, -554416, 3919660,
	-48306, -1362209, 3937738, 1400424, -846154, 1976782,
};

/* ---- the ring */

/* a / R, between -q and q, for |a| < q * 2^31 */
static int32_t montgomery(int64_t a)
{
	int32_t t = (int32_t)((uint32_t)a * (uint32_t)58728449);	/* 1 / q mod R */

	return (int32_t)((a - (int64_t)t * Q) >> 32);
}

static int32_t mul(int32_t a, int32_t b)
{
	return montgomery((int64_t)a * b);
}

/* 41 */
void poly_ntt(struct poly *f)
{
	int32_t z, t;
	int k = 1;

	for (int len = 128; len >= 1; len /= 2)
		for (int start = 0; start < N; start += 2 * len) {
			z = zeta[k++];
			for (int j = start; j < start + len; j++) {
				t = mul(z, f->c[j + len]);
				f->c[j + len] = f->c[j] - t;
				f->c[j] = f->c[j] + t;
			}
		}
	poly_reduce(f);
}

/* 42 */
void poly_ntt_inverse(struct poly *f)
{
	const int32_t scale = 41978;	/* R * R / 256 */
	int32_t z, t;
	int k = 255;

	poly_reduce(f);		/* then 256 of them fit */
	for (int len = 1; len <= 128; len *= 2)
		for (int start = 0; start < N; start += 2 * len) {
			z = -zeta[k--];
			for (int j = start; j < start + len; j++) {
				t = f->c[j];
				f->c[j] = t + f->c[j + len];
				f->c[j + len] = mul(z, t - f->c[j + len]);
			}
		}
	for (int i = 0; i < N; i++)
		f->c[i] = mul(scale, f->c[i]);
}

void poly_multiply(struct poly *r, const struct poly *a, const struct poly *b)
{
	for (int i = 0; i < N; i++)
		r->c[i] = mul(a->c[i], b->c[i]);
}

void poly_multiply_add(struct poly *r, const struct poly *a, const struct poly *b)
{
	for (int i = 0; i < N; i++)
		r->c[i] += mul(a->c[i], b->c[i]);
}

void poly_add(struct poly *r, const struct poly *a)
{
	for (int i = 0; i < N; i++)
		r->c[i] += a->c[i];
}

void poly_subtract(struct poly *r, const struct poly *a)
{
	for (int i = 0; i < N; i++)
		r->c[i] -= a->c[i];
}

/* By q 2^-23, which is near 1. */
void poly_reduce(struct poly *f)
{
	for (int i = 0; i < N; i++)
		f->c[i] -= ((f->c[i] + (1 << 22)) >> 23) * Q;
}

void poly_positive(struct poly *f)
{
	poly_reduce(f);
	for (int i = 0; i < N; i++)
		f->c[i] += (f->c[i] >> 31) & Q;
}

/* ---- high and low bits */

void poly_power2round(const struct poly *t, struct poly *t1, struct poly *t0)
{
	for (int i = 0; i < N; i++) {
		t1->c[i] = (t->c[i] + (1 << (MLDSA_D - 1)) - 1) >> MLDSA_D;
		t0->c[i] = t->c[i] - (t1->c[i] << MLDSA_D);
	}
}

/* a / 128 is rounded up, and then divided by (2 gamma2) / 128 by a multiplication that is exact for all a. */
int32_t mldsa_decompose(int32_t a, int32_t gamma2, int32_t *a0)
{
	int32_t a1 = (a + 127) >> 7;

	if (gamma2 == (Q - 1) / 32) {
		a1 = (a1 * 1025 + (1 << 21)) >> 22;
		a1 &= 15;
	} else {
		a1 = (a1 * 11275 + (1 << 23)) >> 24;
		a1 ^= ((43 - a1) >> 31) & a1;
	}
	*a0 = a - a1 * 2 * gamma2;
	*a0 -= (((Q - 1) / 2 - *a0) >> 31) & Q;
	return a1;
}

bool poly_within(const struct poly *f, int32_t bound)
{
	uint32_t above = 0;
	int32_t size;

	for (int i = 0; i < N; i++) {
		size = f->c[i] - ((f->c[i] >> 31) & (2 * f->c[i]));
		above |= (uint32_t)(bound - 1 - size);
	}
	return !(above >> 31);
}

/* f0 is as large as the low bits may be, or gamma2 more in size. */
unsigned int poly_hint(const struct poly *f0, const struct poly *f1, int32_t gamma2, uint8_t hint[MLDSA_N])
{
	unsigned int num = 0;

	for (int i = 0; i < N; i++) {
		uint32_t high = (uint32_t)(gamma2 - f0->c[i]) >> 31;
		uint32_t low = (uint32_t)(f0->c[i] + gamma2) >> 31;
		uint32_t edge = (((uint32_t)(f0->c[i] + gamma2) - 1) >> 31) & ~low;	/* -gamma2 itself */
		uint32_t nonzero = ((uint32_t)f1->c[i] | -(uint32_t)f1->c[i]) >> 31;

		hint[i] = (uint8_t)(high | low | (edge & nonzero));
		num += hint[i];
	}
	return num;
}

bool mldsa_hints_fit(unsigned int num, int omega)
{
	return num <= (unsigned int)omega;
}

void mldsa_hint_pack(const uint8_t (*hint)[MLDSA_N], int k, int omega, uint8_t *out)
{
	uint8_t at = 0;

	memset(out, 0, (size_t)(omega + k));
	for (int i = 0; i < k; i++) {
		for (int j = 0; j < N; j++)
			if (hint[i][j])
				out[at++] = (uint8_t)j;
		out[omega + i] = at;
	}
}

/* ---- samples */

void poly_uniform(const uint8_t rho[32], uint8_t column, uint8_t row, struct poly *f)
{
	const uint8_t at[2] = { column, row };
	uint8_t b[SHAKE128];
	struct sponge s;
	int32_t v;
	int n = 0;

	sponge_start(&s, SHAKE128);
	sponge_absorb(&s, rho, 32);
	sponge_absorb(&s, at, sizeof(at));
	sponge_end(&s, SPONGE_SHAKE);
	while (n < N) {
		sponge_squeeze(&s, b, sizeof(b));
		for (size_t i = 0; i < sizeof(b) && n < N; i += 3) {
			v = b[i] | b[i + 1] << 8 | (b[i + 2] & 0x7f) << 16;
			if (v < Q)
				f->c[n++] = v;
		}
	}
}

static void expand(struct sponge *s, const uint8_t seed[64], uint16_t nonce)
{
	const uint8_t at[2] = { (uint8_t)nonce, (uint8_t)(nonce >> 8) };

	sponge_start(s, SHAKE256);
	sponge_absorb(s, seed, 64);
	sponge_absorb(s, at, sizeof(at));
	sponge_end(s, SPONGE_SHAKE);
}

/* 15: -eta .. eta, of half a byte; false: draw another. */
static bool small(uint32_t half, int eta, int32_t *c)
{
	if (eta == 2) {
		*c = 2 - (int32_t)(half - (205 * half >> 10) * 5);
		return half < 15;
	}
	*c = 4 - (int32_t)half;
	return half < 9;
}

void poly_small(const uint8_t seed[64], uint16_t nonce, int eta, struct poly *f)
{
	uint8_t b[SHAKE256];
	struct sponge s;
	int n = 0;

	expand(&s, seed, nonce);
	while (n < N) {
		sponge_squeeze(&s, b, sizeof(b));
		for (size_t i = 0; i < 2 * sizeof(b) && n < N; i++)
			n += small(b[i / 2] >> 4 * (i % 2) & 15, eta, &f->c[n]);
	}
	sponge_wipe(&s);
	crypto_wipe(b, sizeof(b));
}

void poly_mask(const uint8_t seed[64], uint16_t nonce, int bits, struct poly *f)
{
	uint8_t b[N * 20 / 8];
	struct sponge s;

	expand(&s, seed, nonce);
	sponge_squeeze(&s, b, (size_t)(N * bits / 8));
	poly_unpack_from(b, 1 << (bits - 1), bits, f);
	sponge_wipe(&s);
	crypto_wipe(b, sizeof(b));
}

void mldsa_ball(const uint8_t *seed, size_t len, int tau, struct poly *c)
{
	struct sponge s;
	uint8_t signs[8], j;

	memset(c, 0, sizeof(*c));
	sponge_start(&s, SHAKE256);
	sponge_absorb(&s, seed, len);
	sponge_end(&s, SPONGE_SHAKE);
	sponge_squeeze(&s, signs, sizeof(signs));
	for (int i = N - tau; i < N; i++) {
		do
			sponge_squeeze(&s, &j, 1);
		while (j > i);
		c->c[i] = c->c[j];
		c->c[j] = signs[(i + tau - N) / 8] >> (i + tau - N) % 8 & 1 ? -1 : 1;
	}
}

/* ---- bytes */

void poly_pack(const struct poly *f, int bits, uint8_t *out)
{
	uint64_t held = 0;
	int have = 0;

	for (int i = 0; i < N; i++) {
		held |= (uint64_t)(uint32_t)f->c[i] << have;
		for (have += bits; have >= 8; have -= 8) {
			*out++ = (uint8_t)held;
			held >>= 8;
		}
	}
}

void poly_unpack(const uint8_t *in, int bits, struct poly *f)
{
	uint64_t held = 0;
	int have = 0;

	for (int i = 0; i < N; i++) {
		for (; have < bits; have += 8)
			held |= (uint64_t)*in++ << have;
		f->c[i] = (int32_t)(held & ((UINT64_C(1) << bits) - 1));
		held >>= bits;
		have -= bits;
	}
}

void poly_pack_from(const struct poly *f, int32_t top, int bits, uint8_t *out)
{
	struct poly t;

	for (int i = 0; i < N; i++)
		t.c[i] = top - f->c[i];
	poly_pack(&t, bits, out);
	crypto_wipe(&t, sizeof(t));
}

void poly_unpack_from(const uint8_t *in, int32_t top, int bits, struct poly *f)
{
	poly_unpack(in, bits, f);
	for (int i = 0; i < N; i++)
		f->c[i] = top - f->c[i];
}
