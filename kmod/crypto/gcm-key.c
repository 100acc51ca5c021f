// SPDX-License-Identifier: GPL-2.0-only
/* Round keys (FIPS 197 5.2) and powers of the hash key, without tables. */
#include "gcm-simd.h"

/* SubWord; the instruction applies the S-box to the words 1 and 3. */
ALWAYS u32 substitute(u32 word)
{
	return (u32)_mm_cvtsi128_si32(_mm_aeskeygenassist_si128(_mm_set1_epi32((int)word), 0));
}

static void expand_key(struct gcm_key *key, const u8 *raw, size_t len)
{
	u32 words = (u32)len / 4, constant = 1, w[60], i;

	key->rounds = words + 6;
	__builtin_memcpy(w, raw, len);
	for (i = words; i < 4 * (key->rounds + 1); i++) {
		u32 t = w[i - 1];

		if (i % words == 0) {
			t = substitute(t >> 8 | t << 24) ^ constant;
			constant = constant << 1 ^ (constant >> 7) * 0x11b;
		} else if (words == 8 && i % words == 4) {
			t = substitute(t);
		}
		w[i] = w[i - words] ^ t;
	}
	__builtin_memcpy(key->round, w, sizeof(*key->round) * (key->rounds + 1));
	for (i = 0; i < sizeof(w) / sizeof(*w); i++)
		w[i] = 0;
	asm volatile("" : : "r"(w) : "memory");
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

	expand_key(key, raw, len);
	power = h = hash_key(key);
	for (i = GCM_KEY_POWERS - 1; i >= 0; i--) {
		gcm_store(key->power[i], power);
		power = gcm_multiply(power, h);
	}
}
