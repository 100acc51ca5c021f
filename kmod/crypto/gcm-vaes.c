// SPDX-License-Identifier: GPL-2.0-only
/* AES-GCM with VAES, VPCLMULQDQ and AVX2: two blocks in a vector. */
#include "gcm-simd.h"

#define WIDTH(name)	gcm_vaes_##name
#define VSIZE		32
#define LONG		256	/* beyond it, 16 powers pay */
typedef __m256i vec;

#define vload(p)	_mm256_loadu_si256((const __m256i_u *)(p))
#define vstore(p, v)	_mm256_storeu_si256((__m256i_u *)(p), v)
#define vxor(a, b)	_mm256_xor_si256(a, b)
#define vand(a, b)	_mm256_and_si256(a, b)
#define vaes(b, k)	_mm256_aesenc_epi128(b, k)
#define vaeslast(b, k)	_mm256_aesenclast_epi128(b, k)
#define vclmul(a, b, i)	_mm256_clmulepi64_epi128(a, b, i)
#define vturn(v)	_mm256_shuffle_epi32(v, 0x4e)	/* halves exchanged */
#define vlows(a, b)	_mm256_unpacklo_epi64(a, b)
#define vswap(v)	_mm256_shuffle_epi8(v, vwide(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, \
							8, 9, 10, 11, 12, 13, 14, 15)))
#define vjoin(a, b)	_mm256_set_m128i(b, a)		/* two blocks, or the first of them */
#define vzero()		_mm256_setzero_si256()
#define vwide(b)	_mm256_broadcastsi128_si256(b)	/* a block in every lane */
#define vfirst(b)	_mm256_zextsi128_si256(b)	/* a block, the other lane 0 */
#define vlast(v)	_mm256_extracti128_si256(v, 1)	/* last lane */
#define vbehind(p, b)	vstore(p, _mm256_set_m128i(b, _mm_setzero_si128()))	/* nothing, and a block */
#define vblock(v)	_mm256_castsi256_si128(v)	/* the first lane */
#define vnumbers(n)	_mm256_set_epi32(((n) + 1) << 24, 0, 0, 0, (n) << 24, 0, 0, 0)
#define vend()		_mm256_zeroupper()

/* Sum of the lanes. */
ALWAYS __m128i vfold(vec v)
{
	return _mm_xor_si128(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

ALWAYS vec vload_part(const u8 *p, size_t n)
{
	if (n <= GCM_BLOCK)
		return vfirst(gcm_load_part(p, n));
	return _mm256_set_m128i(gcm_load_part(p + GCM_BLOCK, n - GCM_BLOCK), gcm_load(p));
}

ALWAYS void vstore_part(u8 *p, vec v, size_t n)
{
	if (n <= GCM_BLOCK) {
		gcm_store_part(p, _mm256_castsi256_si128(v), n);
		return;
	}
	gcm_store(p, _mm256_castsi256_si128(v));
	gcm_store_part(p + GCM_BLOCK, vlast(v), n - GCM_BLOCK);
}

/* The first n bytes. */
ALWAYS vec vmask(size_t n)
{
	return _mm256_cmpgt_epi8(_mm256_set1_epi8((char)n),
				 _mm256_set_epi64x(0x1f1e1d1c1b1a1918, 0x1716151413121110,
						   0x0f0e0d0c0b0a0908, 0x0706050403020100));
}

#include "gcm-record.h"
