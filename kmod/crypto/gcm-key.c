// SPDX-License-Identifier: GPL-2.0-only
/* Round keys (FIPS 197 5.2) and powers of the hash key, without tables. */
#include "gcm-simd.h"

/* Words 0, 0+1, 0+1+2, 0+1+2+3 of @k, each with the schedule's new word. */
ALWAYS __m128i next_key(__m128i k, __m128i word)
{
	k = _mm_xor_si128(k, _mm_slli_si128(k, 4));
	k = _mm_xor_si128(k, _mm_slli_si128(k, 8));
	return _mm_xor_si128(k, word);
}

/* The instruction takes the round constant as an immediate. */
#define ROTATED(k, constant) \
	_mm_shuffle_epi32(_mm_aeskeygenassist_si128(k, constant), 0xff)
#define SUBSTITUTED(k) \
	_mm_shuffle_epi32(_mm_aeskeygenassist_si128(k, 0), 0xaa)

static void expand_128(struct gcm_key *key, const u8 *raw)
{
	__m128i k = gcm_load(raw);

	gcm_store(key->round[0], k);
#define ROUND(i, constant) gcm_store(key->round[i], k = next_key(k, ROTATED(k, constant)))
	ROUND(1, 0x01);
	ROUND(2, 0x02);
	ROUND(3, 0x04);
	ROUND(4, 0x08);
	ROUND(5, 0x10);
	ROUND(6, 0x20);
	ROUND(7, 0x40);
	ROUND(8, 0x80);
	ROUND(9, 0x1b);
	ROUND(10, 0x36);
#undef ROUND
	key->rounds = 10;
}

static void expand_256(struct gcm_key *key, const u8 *raw)
{
	__m128i a = gcm_load(raw), b = gcm_load(raw + 16);

	gcm_store(key->round[0], a);
	gcm_store(key->round[1], b);
#define EVEN(i, constant) gcm_store(key->round[i], a = next_key(a, ROTATED(b, constant)))
#define ODD(i) gcm_store(key->round[i], b = next_key(b, SUBSTITUTED(a)))
	EVEN(2, 0x01);
	ODD(3);
	EVEN(4, 0x02);
	ODD(5);
	EVEN(6, 0x04);
	ODD(7);
	EVEN(8, 0x08);
	ODD(9);
	EVEN(10, 0x10);
	ODD(11);
	EVEN(12, 0x20);
	ODD(13);
	EVEN(14, 0x40);
#undef EVEN
#undef ODD
	key->rounds = 14;
}

/* E(K, 0) times x^-1: what gcm_multiply() wants. */
static __m128i hash_key(const struct gcm_key *key)
{
	__m128i h = gcm_load(key->round[0]), carry;
	u32 r;

	for (r = 1; r < key->rounds; r++)
		h = _mm_aesenc_si128(h, gcm_load(key->round[r]));
	h = gcm_swap(_mm_aesenclast_si128(h, gcm_load(key->round[r])));
	carry = _mm_shuffle_epi32(_mm_srai_epi32(h, 31), 0xff);
	h = _mm_or_si128(_mm_slli_epi64(h, 1), _mm_slli_si128(_mm_srli_epi64(h, 63), 8));
	return _mm_xor_si128(h, _mm_and_si128(carry, gcm_poly()));
}

void gcm_key_init(struct gcm_key *key, const u8 *raw, size_t len)
{
	__m128i h, power;
	int i;

	if (len == 16)
		expand_128(key, raw);
	else
		expand_256(key, raw);
	power = h = hash_key(key);
	for (i = GCM_KEY_POWERS - 1; i >= 0; i--) {
		gcm_store(key->power[i], power);
		power = gcm_multiply(power, h);
	}
}
