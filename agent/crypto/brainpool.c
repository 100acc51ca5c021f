/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short Weierstrass curves of prime order. Points are projective and added by
 * one complete formula (Renes, Costello, Batina 2015/1060, algorithm 1), which
 * has no exceptions: doubling and infinity are nothing special. A scalar is taken four
 * bits at a time, each multiple chosen by reading all of its table. So time and
 * addresses depend on neither keys nor nonces.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "crypto/brainpool.h"
#include "crypto/mont.h"
#include "rng/rng.h"

#define WINDOW 16			/* multiples of a point: four bits */

struct point { mont_int x, y, z; };	/* x / z, y / z; z = 0: infinity */

/* As RFC 5639 3 has them, least significant limb first; what follows is made of them at the first use. */
struct brainpool {
	size_t bytes;
	pthread_once_t once;
	mont_int p, a, b, x, y, n;
	struct mont field, order;
	mont_int ma, mb, b3;		/* a, b, 3 b in Montgomery's form */
	struct point base;
};

static struct brainpool p256 = {
	.bytes = 32, .once = PTHREAD_ONCE_INIT,
	.p = { 0x2013481d1f6e5377, 0x6e3bf623d5262028, 0x3e660a909d838d72, 0xa9fb57dba1eea9bc },
	.a = { 0xe94a4b44f330b5d9, 0xfb8055c126dc5c6c, 0xeef67530417affe7, 0x7d5a0975fc2c3057 },
	.b = { 0x6bccdc18ff8c07b6, 0x958416295cf7e1ce, 0xf330b5d9bbd77cbf, 0x26dc5c6ce94a4b44 },
	.x = { 0x3a4453bd9ace3262, 0xb9de27e1e3bd23c2, 0x2c4b482ffc81b7af, 0x8bd2aeb9cb7e57cb },
	.y = { 0x5c1d54c72f046997, 0xc27745132ded8e54, 0x97f8461a14611dc9, 0x547ef835c3dac4fd },
	.n = { 0x901e0e82974856a7, 0x8c397aa3b561a6f7, 0x3e660a909d838d71, 0xa9fb57dba1eea9bc },
};
static struct brainpool p384 = {
	.bytes = 48, .once = PTHREAD_ONCE_INIT,
	.p = { 0x874700133107ec53, 0xacd3a729901d1a71, 0x12b1da197fb71123, 0x152f7109ed5456b4,
		0x0f5d6f7e50e641df, 0x8cb91e82a3386d28 },
	.a = { 0x04a8c7dd22ce2826, 0x8aa5814a503ad4eb, 0x139165efba91f90f, 0xc2bea28e4fb22787,
		0x3c72080ace05afa0, 0x7bc382c63d8c150c },
	.b = { 0x3ab78696fa504c11, 0x7cb4390295dbc994, 0x2e880ea53eeb62d5, 0x2fb77de107dcd2a6,
		0x8b39b55416f0447c, 0x04a8c7dd22ce2826 },
	.x = { 0xef87b2e247d4af1e, 0xe826e03436d646aa, 0xdb7fcafe0cbd10e8, 0x8847a3e77ef14fe3,
		0xa2a63a81b7c13f6b, 0x1d1c64f068cf45ff },
	.y = { 0x42820341263c5315, 0x0e46462177918111, 0xe19c054ff9912928, 0x62b70b29feec5864,
		0x5cb1eb8e95cfd552, 0x8abe1d7520f9c2a4 },
	.n = { 0x3b883202e9046565, 0xcf3ab6af6b7fc310, 0x1f166e6cac0425a7, 0x152f7109ed5456b3,
		0x0f5d6f7e50e641df, 0x8cb91e82a3386d28 },
};
static struct brainpool p512 = {
	.bytes = 64, .once = PTHREAD_ONCE_INIT,
	.p = { 0x28aa6056583a48f3, 0x2881ff2f2d82c685, 0xaecda12ae6a380e6, 0x7d4d9b009bc66842,
		0xd6639cca70330871, 0xcb308db3b3c9d20e, 0x3fd4e6ae33c9fc07, 0xaadd9db8dbe9c48b },
	.a = { 0xe7c1ac4d77fc94ca, 0x7f1117a72bf2c7b9, 0x0a2ef1c98b9ac8b5, 0x2ded5d5aa8253aa1,
		0xa83441caea9863bc, 0x94cbdd8d3df91610, 0xe2327145ac234cc5, 0x7830a3318b603b89 },
	.b = { 0x2809bd638016f723, 0x984050b75ebae5dd, 0x77fc94cadc083e67, 0x2bf2c7b9e7c1ac4d,
		0x8b9ac8b57f1117a7, 0xa8253aa10a2ef1c9, 0xea9863bc2ded5d5a, 0x3df91610a83441ca },
	.x = { 0x8b352209bcb9f822, 0x7c6d5047406a5e68, 0x50d1687b93b97d5f, 0xff3b1f78e2d0d48d,
		0xb43b62eef4d0098e, 0x85ed9f70b5d916c1, 0x5a21322e9c4c6a93, 0x81aee4bdd82ed964 },
	.y = { 0x78cd1e0f3ad80892, 0xd1ca2b2fa8f05406, 0x5bca4bd88a2763ae, 0xb2dcde494a5f485e,
		0xa000c55b881f8111, 0xf209f70024a57b1a, 0xc0eabfa9cf7822fd, 0x7dde385d566332ec },
	.n = { 0xb58796829ca90069, 0x1db1d381085ddadd, 0x418661197fac1047, 0x553e5c414ca92619,
		0xd6639cca70330870, 0xcb308db3b3c9d20e, 0x3fd4e6ae33c9fc07, 0xaadd9db8dbe9c48b },
};

/* ---- curves */

static void curve_start(struct brainpool *c)
{
	const struct mont *f = &c->field;

	mont_start(&c->field, c->p, (int)c->bytes / 8);
	mont_start(&c->order, c->n, (int)c->bytes / 8);
	mont_enter(f, c->ma, c->a);
	mont_enter(f, c->mb, c->b);
	mont_add(f, c->b3, c->mb, c->mb);
	mont_add(f, c->b3, c->b3, c->mb);
	mont_enter(f, c->base.x, c->x);
	mont_enter(f, c->base.y, c->y);
	memcpy(c->base.z, f->one, sizeof(mont_int));
}

static void start256(void) { curve_start(&p256); }
static void start384(void) { curve_start(&p384); }
static void start512(void) { curve_start(&p512); }

const struct brainpool *brainpool_curve(enum crypto_key_type type)
{
	switch (type) {
	case CRYPTO_KEY_BRAINPOOL256:
		pthread_once(&p256.once, start256);
		return &p256;
	case CRYPTO_KEY_BRAINPOOL384:
		pthread_once(&p384.once, start384);
		return &p384;
	case CRYPTO_KEY_BRAINPOOL512:
		pthread_once(&p512.once, start512);
		return &p512;
	default:
		return NULL;
	}
}

size_t brainpool_bytes(const struct brainpool *c)
{
	return c->bytes;
}

/* ---- points */

/* The lines are the paper's, in its order. */
static void add(const struct brainpool *c, struct point *r, const struct point *p, const struct point *q)
{
	const struct mont *f = &c->field;
	mont_int t0, t1, t2, t3, t4, t5, x, y, z;

	mont_mul(f, t0, p->x, q->x);
	mont_mul(f, t1, p->y, q->y);
	mont_mul(f, t2, p->z, q->z);
	mont_add(f, t3, p->x, p->y);
	mont_add(f, t4, q->x, q->y);
	mont_mul(f, t3, t3, t4);
	mont_add(f, t4, t0, t1);
	mont_sub(f, t3, t3, t4);
	mont_add(f, t4, p->x, p->z);
	mont_add(f, t5, q->x, q->z);
	mont_mul(f, t4, t4, t5);
	mont_add(f, t5, t0, t2);
	mont_sub(f, t4, t4, t5);
	mont_add(f, t5, p->y, p->z);
	mont_add(f, x, q->y, q->z);
	mont_mul(f, t5, t5, x);
	mont_add(f, x, t1, t2);
	mont_sub(f, t5, t5, x);
	mont_mul(f, z, c->ma, t4);
	mont_mul(f, x, c->b3, t2);
	mont_add(f, z, x, z);
	mont_sub(f, x, t1, z);
	mont_add(f, z, t1, z);
	mont_mul(f, y, x, z);
	mont_add(f, t1, t0, t0);
	mont_add(f, t1, t1, t0);
	mont_mul(f, t2, c->ma, t2);
	mont_mul(f, t4, c->b3, t4);
	mont_add(f, t1, t1, t2);
	mont_sub(f, t2, t0, t2);
	mont_mul(f, t2, c->ma, t2);
	mont_add(f, t4, t4, t2);
	mont_mul(f, t0, t1, t4);
	mont_add(f, y, y, t0);
	mont_mul(f, t0, t5, t4);
	mont_mul(f, x, t3, x);
	mont_sub(f, r->x, x, t0);
	mont_mul(f, t0, t3, t1);
	mont_mul(f, z, t5, z);
	mont_add(f, r->z, z, t0);
	memcpy(r->y, y, sizeof(y));
}

static void infinity(const struct brainpool *c, struct point *p)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->y, c->field.one, sizeof(p->y));
}

/* The entry @digit, having read them all. */
static void entry(struct point *r, const struct point table[WINDOW], unsigned int digit)
{
	uint64_t mask;

	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; i < WINDOW; i++) {
		mask = ((uint64_t)(i ^ digit) - 1) >> 63;
		mask = -mask;
		mont_choose(r->x, table[i].x, r->x, mask);
		mont_choose(r->y, table[i].y, r->y, mask);
		mont_choose(r->z, table[i].z, r->z, mask);
	}
}

/* r = k p */
static void multiply(const struct brainpool *c, struct point *r, const uint8_t *k, const struct point *p)
{
	struct { struct point table[WINDOW], one, sum; } w;

	infinity(c, &w.table[0]);
	for (int i = 1; i < WINDOW; i++)
		add(c, &w.table[i], &w.table[i - 1], p);
	infinity(c, &w.sum);
	for (size_t i = 0; i < 2 * c->bytes; i++) {
		for (int j = 0; j < 4; j++)
			add(c, &w.sum, &w.sum, &w.sum);
		entry(&w.one, w.table, k[i / 2] >> (i % 2 ? 0 : 4) & 15);
		add(c, &w.sum, &w.sum, &w.one);
	}
	*r = w.sum;
	crypto_wipe(&w, sizeof(w));
}

/* x and y, no longer in Montgomery's form; infinity gives zeros. */
static void to_affine(const struct brainpool *c, const struct point *p, mont_int x, mont_int y)
{
	mont_int i;

	mont_inverse(&c->field, i, p->z);
	mont_mul(&c->field, x, p->x, i);
	mont_leave(&c->field, x, x);
	mont_mul(&c->field, y, p->y, i);
	mont_leave(&c->field, y, y);
	crypto_wipe(i, sizeof(i));
}

static bool in_range(const struct mont *f, const uint8_t *number)
{
	uint8_t reduced[BRAINPOOL_MAX];
	mont_int t;
	bool same;

	mont_read(f, t, number);
	mont_reduce(f, t);
	mont_write(f, reduced, t);
	same = crypto_equal(reduced, number, 8u * (size_t)f->limbs);
	crypto_wipe(t, sizeof(t));
	crypto_wipe(reduced, sizeof(reduced));
	return same;
}

/* 1 .. order - 1 */
static bool is_scalar(const struct brainpool *c, const uint8_t *k)
{
	static const uint8_t zero[BRAINPOOL_MAX];

	return !crypto_equal(k, zero, c->bytes) && in_range(&c->order, k);
}

static void point_read(const struct brainpool *c, struct point *p, const uint8_t *in)
{
	mont_read(&c->field, p->x, in + 1);
	mont_read(&c->field, p->y, in + 1 + c->bytes);
	mont_enter(&c->field, p->x, p->x);
	mont_enter(&c->field, p->y, p->y);
	memcpy(p->z, c->field.one, sizeof(p->z));
}

/* y^2 = x^3 + a x + b = (x^2 + a) x + b */
int brainpool_check(const struct brainpool *c, const uint8_t *point, size_t len)
{
	const struct mont *f = &c->field;
	struct point p;
	mont_int l, r;

	if (len != 1 + 2 * c->bytes || point[0] != 4 || !in_range(f, point + 1) || !in_range(f, point + 1 + c->bytes))
		return -EBADMSG;
	point_read(c, &p, point);
	mont_mul(f, l, p.y, p.y);
	mont_mul(f, r, p.x, p.x);
	mont_add(f, r, r, c->ma);
	mont_mul(f, r, r, p.x);
	mont_add(f, r, r, c->mb);
	return memcmp(l, r, c->bytes) ? -EBADMSG : 0;
}

/* ---- key agreement */

struct product { struct point p; mont_int x, y; };

int brainpool_public(const struct brainpool *c, const uint8_t *k, uint8_t *point)
{
	struct product s;

	if (!is_scalar(c, k))
		return -ERANGE;
	multiply(c, &s.p, k, &c->base);
	to_affine(c, &s.p, s.x, s.y);
	point[0] = 4;
	mont_write(&c->field, point + 1, s.x);
	mont_write(&c->field, point + 1 + c->bytes, s.y);
	crypto_wipe(&s, sizeof(s));
	return 0;
}

int brainpool_ecdh(const struct brainpool *c, const uint8_t *k, const uint8_t *peer, uint8_t *secret)
{
	struct product s;
	struct point q;

	if (brainpool_check(c, peer, 1 + 2 * c->bytes))
		return -EBADMSG;
	if (!is_scalar(c, k))
		return -ERANGE;
	point_read(c, &q, peer);
	multiply(c, &s.p, k, &q);
	to_affine(c, &s.p, s.x, s.y);
	mont_write(&c->field, secret, s.x);
	crypto_wipe(&s, sizeof(s));
	return 0;
}

/* ---- ECDSA */

/* The leftmost bits of the digest, as many as the order has; below the order. */
static void digest_read(const struct brainpool *c, mont_int e, const uint8_t *digest, size_t len)
{
	uint8_t number[BRAINPOOL_MAX] = { 0 };
	size_t n = len < c->bytes ? len : c->bytes;

	memcpy(number + c->bytes - n, digest, n);
	mont_read(&c->order, e, number);
	mont_reduce(&c->order, e);
}

struct signing { struct point p; mont_int k, key, e, r, s, y; };

int brainpool_sign_with(const struct brainpool *c, const uint8_t *key, const uint8_t *nonce,
			const uint8_t *digest, size_t len, uint8_t *rs)
{
	static const uint8_t zero[BRAINPOOL_MAX];
	const struct mont *n = &c->order;
	struct signing s;

	if (!is_scalar(c, nonce))
		return -EAGAIN;
	multiply(c, &s.p, nonce, &c->base);
	to_affine(c, &s.p, s.r, s.y);
	mont_reduce(n, s.r);
	mont_write(n, rs, s.r);
	digest_read(c, s.e, digest, len);
	mont_read(n, s.key, key);
	mont_enter(n, s.key, s.key);
	mont_mul(n, s.s, s.key, s.r);		/* r key, no longer in Montgomery's form */
	mont_add(n, s.s, s.s, s.e);
	mont_read(n, s.k, nonce);
	mont_enter(n, s.k, s.k);
	mont_inverse(n, s.k, s.k);
	mont_mul(n, s.s, s.s, s.k);
	mont_write(n, rs + c->bytes, s.s);
	crypto_wipe(&s, sizeof(s));
	return crypto_equal(rs, zero, c->bytes) || crypto_equal(rs + c->bytes, zero, c->bytes) ? -EAGAIN : 0;
}

void brainpool_sign(const struct brainpool *c, const uint8_t *key, const uint8_t *digest, size_t len, uint8_t *rs)
{
	uint8_t nonce[BRAINPOOL_MAX];

	do
		rng_fill(RNG_KEY, nonce, c->bytes);
	while (brainpool_sign_with(c, key, nonce, digest, len, rs));
	crypto_wipe(nonce, sizeof(nonce));
}

/* Nothing here is secret. */
int brainpool_verify(const struct brainpool *c, const uint8_t *point, const uint8_t *digest, size_t len,
		     const uint8_t *rs)
{
	const struct mont *n = &c->order;
	uint8_t u[BRAINPOOL_MAX];
	mont_int w, e, r, x, y;
	struct point p, q;

	if (!is_scalar(c, rs) || !is_scalar(c, rs + c->bytes))
		return -EBADMSG;
	mont_read(n, r, rs);
	mont_read(n, w, rs + c->bytes);
	mont_enter(n, w, w);
	mont_inverse(n, w, w);
	digest_read(c, e, digest, len);
	mont_mul(n, e, e, w);
	mont_write(n, u, e);
	multiply(c, &p, u, &c->base);
	mont_mul(n, e, r, w);
	mont_write(n, u, e);
	point_read(c, &q, point);
	multiply(c, &q, u, &q);
	add(c, &p, &p, &q);
	to_affine(c, &p, x, y);
	mont_reduce(n, x);
	return memcmp(x, r, c->bytes) ? -EBADMSG : 0;
}
