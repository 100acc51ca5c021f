/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both widths and the key set-up share: 128-bit loads, stores and
 * multiplication. Only objects built with SIMD flags include this.
 */
#ifndef KTLS_GCM_SIMD_H
#define KTLS_GCM_SIMD_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#endif
/* The intrinsics' headers want malloc otherwise. */
#define _MM_MALLOC_H_INCLUDED
#define __MM_MALLOC_H
#include <immintrin.h>
#include "gcm.h"
#include "gcm-work.h"

#define ALWAYS	static inline __attribute__((always_inline))
/* Kernels clear variables that nobody sets at once, which takes longer than a short record. */
#if __has_attribute(uninitialized)
#define UNSET	__attribute__((uninitialized))
#else
#define UNSET
#endif

ALWAYS __m128i gcm_load(const u8 *p)
{
	return _mm_loadu_si128((const __m128i_u *)p);
}

ALWAYS void gcm_store(u8 *p, __m128i v)
{
	_mm_storeu_si128((__m128i_u *)p, v);
}

/* Reverses the bytes: GHASH counts bits from the other end. */
ALWAYS __m128i gcm_swap(__m128i v)
{
	return _mm_shuffle_epi8(v, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7,
						8, 9, 10, 11, 12, 13, 14, 15));
}

/* x^128 + x^127 + x^126 + x^121 + 1, reflected */
ALWAYS __m128i gcm_poly(void)
{
	return _mm_set_epi64x((long long)0xc200000000000000ULL, 1);
}

#define GCM_PEEK(type, p) ({ type v_; __builtin_memcpy(&v_, (p), sizeof(v_)); v_; })
#define GCM_POKE(type, p, v) ({ type v_ = (type)(v); __builtin_memcpy((p), &v_, sizeof(v_)); })

/* 0 to 8 bytes, little endian; reads nothing beyond them. */
ALWAYS u64 gcm_load_few(const u8 *p, size_t n)
{
	if (n >= 8)
		return GCM_PEEK(u64, p);
	if (n >= 4)
		return GCM_PEEK(u32, p) | (u64)GCM_PEEK(u32, p + n - 4) << 8 * (n - 4);
	if (n)
		return p[0] | (u64)p[n / 2] << 8 * (n / 2) | (u64)p[n - 1] << 8 * (n - 1);
	return 0;
}

/* 0 to 16 bytes, the rest 0. */
ALWAYS __m128i gcm_load_part(const u8 *p, size_t n)
{
	if (n == GCM_BLOCK)
		return gcm_load(p);
	if (n > 8)
		return _mm_set_epi64x((long long)gcm_load_few(p + 8, n - 8),
				      (long long)GCM_PEEK(u64, p));
	return _mm_set_epi64x(0, (long long)gcm_load_few(p, n));
}

/* 0 to 16 bytes. */
ALWAYS void gcm_store_part(u8 *p, __m128i v, size_t n)
{
	u64 w = (u64)_mm_cvtsi128_si64(v);

	if (n & 16) {
		gcm_store(p, v);
		return;
	}
	if (n & 8) {
		GCM_POKE(u64, p, w);
		w = (u64)_mm_extract_epi64(v, 1);
		p += 8;
	}
	if (n & 4) {
		GCM_POKE(u32, p, w);
		w >>= 32;
		p += 4;
	}
	if (n & 2) {
		GCM_POKE(uint16_t, p, w);
		w >>= 16;
		p += 2;
	}
	if (n & 1)
		*p = (u8)w;
}

/* The first n bytes, n <= 16. */
ALWAYS __m128i gcm_mask(size_t n)
{
	return _mm_cmpgt_epi8(_mm_set1_epi8((char)n),
			      _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}

/* a * b * x in GF(2^128), reflected: one of them carries x^-1. */
ALWAYS __m128i gcm_multiply(__m128i a, __m128i b)
{
	const __m128i poly = gcm_poly();
	__m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
	__m128i m = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));

	m = _mm_xor_si128(m, _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e),
					   _mm_clmulepi64_si128(low, poly, 0x10)));
	return _mm_xor_si128(high, _mm_xor_si128(_mm_shuffle_epi32(m, 0x4e),
						 _mm_clmulepi64_si128(m, poly, 0x10)));
}

#endif
