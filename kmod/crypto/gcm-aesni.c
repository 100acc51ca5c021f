// SPDX-License-Identifier: GPL-2.0-only
/* AES-GCM with AES-NI, PCLMULQDQ and AVX: one block in a vector. */
#include "gcm-simd.h"

#define WIDTH(name)	gcm_aesni_##name
#define VSIZE		16
#define LONG		8192	/* beyond it, 16 powers pay */
typedef __m128i vec;

#define vload(p)	gcm_load(p)
#define vstore(p, v)	gcm_store(p, v)
#define vxor(a, b)	_mm_xor_si128(a, b)
#define vand(a, b)	_mm_and_si128(a, b)
#define vaes(b, k)	_mm_aesenc_si128(b, k)
#define vaeslast(b, k)	_mm_aesenclast_si128(b, k)
#define vclmul(a, b, i)	_mm_clmulepi64_si128(a, b, i)
#define vturn(v)	_mm_shuffle_epi32(v, 0x4e)	/* halves exchanged */
#define vlows(a, b)	_mm_unpacklo_epi64(a, b)
#define vswap(v)	gcm_swap(v)
#define vjoin(a, b)	(a)				/* two blocks, or the first of them */
#define vzero()		_mm_setzero_si128()
#define vwide(b)	(b)				/* a block in every lane */
#define vfirst(b)	(b)				/* a block, the other lane 0 */
#define vlast(v)	(v)				/* last lane */
#define vfold(v)	(v)				/* sum of the lanes */
#define vload_part(p, n)	gcm_load_part(p, n)
#define vstore_part(p, v, n)	gcm_store_part(p, v, n)
#define vmask(n)	gcm_mask(n)		/* the first n bytes */
#define vbehind(p, b)	(vstore(p, vzero()), vstore((p) + GCM_BLOCK, b))	/* nothing, and a block */
#define vblock(v)	(v)				/* the first lane */
#define vnumbers(n)	_mm_set_epi32((n) << 24, 0, 0, 0)
#define vend()		((void)0)

#include "gcm-record.h"
