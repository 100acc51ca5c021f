/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks of AES-GCM, for gcm-record.h and by its v*() operations: sums for
 * GHASH and their reduction, AES of some counters side by side, and a record's
 * working memory. H carries a factor x^-1, so that a carry-less product of
 * reflected operands needs no shift.
 */
#ifndef KTLS_GCM_BLOCKS_H
#define KTLS_GCM_BLOCKS_H

#define VECS		8	/* at a time: enough to keep the AES units busy */
#define PASS		(VECS * VSIZE)
#define GROUP		(8 * GCM_BLOCK)
#define UNROLL		_Pragma("GCC unroll 16")
/* Keeps GCC from loading loop invariants ahead and spilling them. */
#define HIDE(p)		asm volatile("" : "+r"(p) : : "memory")

struct gcm_work {
	u8	power[GCM_POWERS][GCM_BLOCK];
	u8	middle[GCM_BATCH / 2];
	u8	counter[32];
	u8	hash[GCM_BLOCK];
	ptrdiff_t ahead;
	u8	pad[8];
	u8	bounce[2][GCM_BATCH];
} __attribute__((aligned(32)));
#define AT(field, offset) _Static_assert(__builtin_offsetof(struct gcm_work, field) == (offset), #field)
AT(power, GCM_W_POWER);
AT(middle, GCM_W_MIDDLE);
AT(counter, GCM_W_COUNTER);
AT(hash, GCM_W_HASH);
AT(ahead, GCM_W_AHEAD);
AT(bounce, GCM_W_BOUNCE);
_Static_assert(__builtin_offsetof(struct gcm_key, power[GCM_KEY_POWERS - 8]) == GCM_K_BULK, "power");
_Static_assert(__builtin_offsetof(struct gcm_key, round) == GCM_K_ROUND, "round");

/* A group's product before reduction. */
struct sum {
	vec	low, middle, high;
};

/* ---- GHASH */

/* By Karatsuba. The multiplications follow one another: see gcm-bulk.h. */
ALWAYS void sum_add(struct sum *s, vec x, vec h)
{
	vec m, k;

	asm("vpshufd	$0x4e, %[x], %[m]\n\t"
	    "vpshufd	$0x4e, %[h], %[k]\n\t"
	    "vpxor	%[x], %[m], %[m]\n\t"
	    "vpxor	%[h], %[k], %[k]\n\t"
	    "vpclmulqdq	$0x00, %[k], %[m], %[m]\n\t"
	    "vpclmulqdq	$0x00, %[h], %[x], %[k]\n\t"
	    "vpclmulqdq	$0x11, %[h], %[x], %[x]\n\t"
	    "vpxor	%[m], %[middle], %[middle]\n\t"
	    "vpxor	%[k], %[low], %[low]\n\t"
	    "vpxor	%[x], %[high], %[high]"
	    : [x] "+x"(x), [m] "=&x"(m), [k] "=&x"(k), [low] "+x"(s->low), [middle] "+x"(s->middle),
	      [high] "+x"(s->high)
	    : [h] "xm"(h));
}

ALWAYS struct sum sum_zero(void)
{
	return (struct sum){ vzero(), vzero(), vzero() };
}

/* A block at each end of a group. */
ALWAYS void sum_ends(struct sum *s, __m128i a, __m128i ha, __m128i b, __m128i hb)
{
	sum_add(s, vjoin(a, b), vjoin(ha, hb));
	if (VSIZE == GCM_BLOCK)
		sum_add(s, vfirst(b), vfirst(hb));
}

ALWAYS vec sum_reduce_lanes(struct sum s)
{
	const vec poly = vwide(gcm_poly());
	vec m = vxor(s.middle, vxor(s.low, s.high));

	m = vxor(m, vxor(vturn(s.low), vclmul(s.low, poly, 0x10)));
	return vxor(s.high, vxor(vturn(m), vclmul(m, poly, 0x10)));
}

ALWAYS __m128i sum_reduce(struct sum s)
{
	return vfold(sum_reduce_lanes(s));
}

/* Up to @vecs vectors to hash, @len bytes: @first is xored to the first block. */
struct batch {
	const u8	*blocks, *power;
	int		vecs;
	size_t		len;
	vec		first;
	struct sum	sum;
};

/* Vectors [from, to), of which 0 comes last: what is xored to it is known late. */
ALWAYS void batch_add(struct batch *batch, int from, int to)
{
	UNROLL
	for (int n = from; n < to; n++) {
		int i = (n + 1) % batch->vecs;
		vec x;

		if ((size_t)i * VSIZE >= batch->len)
			continue;
		x = vswap(vload(batch->blocks + i * VSIZE));
		sum_add(&batch->sum, i ? x : vxor(x, batch->first), vload(batch->power + i * VSIZE));
	}
}

/* All 16 powers, from the key's ten. */
ALWAYS void expand_powers(struct gcm_work *work, const struct gcm_key *key)
{
	const vec h8 = vwide(gcm_load(key->power[GCM_KEY_POWERS - 8]));
	const u8 *from = (const u8 *)key->power;
	const int more = GROUP - 2 * GCM_BLOCK;
	u8 *power = (u8 *)work->power;

	UNROLL
	for (int i = 0; i < more; i += VSIZE) {
		struct sum s = sum_zero();

		sum_add(&s, vload(from + 2 * GCM_BLOCK + i), h8);
		vstore(power + i, sum_reduce_lanes(s));
	}
	UNROLL
	for (int i = 0; i < GCM_KEY_POWERS * GCM_BLOCK; i += VSIZE)
		vstore(power + more + i, vload(from + i));
}

/* What gcm-bulk.h wants for a batch of @size: sums of the halves, those of two vectors interleaved. */
ALWAYS void expand_middle(struct gcm_work *work, const u8 *power, int size)
{
	UNROLL
	for (int i = 0; i < size / VSIZE / 2; i++) {
		int at = i % 4 + i / 4 * 8;
		vec a = vload(power + at * VSIZE), b = vload(power + (at + 4) * VSIZE);

		vstore(work->middle + i * VSIZE, vlows(vxor(a, vturn(a)), vxor(b, vturn(b))));
	}
}

/* The AAD but for its last block, which is left to the caller with the hash so far added. */
ALWAYS __m128i hash_aad(const struct gcm_key *key, const u8 *aad, size_t len)
{
	__m128i hash = _mm_setzero_si128();
	const __m128i h = gcm_load(key->power[GCM_KEY_POWERS - 1]);

	for (; len > GCM_BLOCK; len -= GCM_BLOCK, aad += GCM_BLOCK)
		hash = gcm_multiply(_mm_xor_si128(hash, gcm_swap(gcm_load(aad))), h);
	return _mm_xor_si128(hash, gcm_swap(gcm_load_part(aad, len)));
}

ALWAYS size_t blocks(size_t len)
{
	return (len + GCM_BLOCK - 1) / GCM_BLOCK;
}

/* ---- AES */

/*
 * Counter blocks, as they are encrypted, before their first round. The low byte's upper half
 * belongs to @base, the lower one to the block's number: to add them is to xor them.
 */
ALWAYS void aes_begin(vec *b, int n, vec base, int number)
{
	UNROLL
	for (int i = 0; i < n; i++)
		b[i] = vxor(base, vnumbers(number + i * VSIZE / GCM_BLOCK));
}

/* What is added for @number, which begins a vector. */
ALWAYS vec aes_number(int number)
{
	return vxor(vnumbers(0), vwide(_mm_slli_si128(_mm_cvtsi32_si128(number), 15)));
}

ALWAYS vec aes_base(const struct gcm_key *key, __m128i counter)
{
	return vwide(_mm_xor_si128(counter, gcm_load(key->round[0])));
}

/* A round's blocks are in registers, and the next key is not loaded before: GCC would rather spill. */
ALWAYS const struct gcm_key *aes_pin(const struct gcm_key *key, vec *b, int n)
{
	if (n == VECS)
		asm("" : "+r"(key), "+x"(b[0]), "+x"(b[1]), "+x"(b[2]), "+x"(b[3]),
			 "+x"(b[4]), "+x"(b[5]), "+x"(b[6]), "+x"(b[7]));
	else
		asm("" : "+r"(key), "+x"(b[0]), "+x"(b[1]), "+x"(b[2]), "+x"(b[3]));
	return key;
}

/* All rounds but the last, whose key is returned. @batch, or NULL: hashed meanwhile. */
ALWAYS vec aes_rounds(const struct gcm_key *key, int rounds, vec *b, int n, struct batch *batch)
{
	const int share = batch && batch->vecs > VECS ? 2 : 1;
	vec k;

	HIDE(key);
	UNROLL
	for (int r = 1; r < rounds; r++) {
		k = vwide(gcm_load(key->round[r]));
		UNROLL
		for (int i = 0; i < n; i++)
			b[i] = vaes(b[i], k);
		key = aes_pin(key, b, n);
		if (batch && (r - 1) * share < batch->vecs)
			batch_add(batch, (r - 1) * share, r * share);
	}
	return vwide(gcm_load(key->round[rounds]));
}

/* Counter 0. */
ALWAYS __m128i counter_block(const u8 *iv)
{
	return _mm_insert_epi32(_mm_loadl_epi64((const __m128i_u *)iv), GCM_PEEK(int, iv + 8), 2);
}

/* E(K, J0), which masks the tag. */
ALWAYS __m128i tag_mask(const struct gcm_key *key, int rounds, vec base)
{
	__m128i b = _mm_xor_si128(vblock(base), _mm_set_epi32(1 << 24, 0, 0, 0));

	UNROLL
	for (int r = 1; r < rounds; r++)
		b = _mm_aesenc_si128(b, gcm_load(key->round[r]));
	return _mm_aesenclast_si128(b, gcm_load(key->round[rounds]));
}

/* Powers and bounced plaintext don't stay on the stack. */
ALWAYS void wipe(void *mem, size_t len)
{
	u8 *p = mem;

	for (; len; len -= VSIZE, p += VSIZE)
		vstore(p, vzero());
	HIDE(mem);
}

/* Only the powers, for batches of @size. */
ALWAYS void wipe_keys(struct gcm_work *work, int size)
{
	UNROLL
	for (int i = size == GCM_BATCH ? 0 : GCM_W_MIDDLE; i < GCM_W_MIDDLE + size / 2; i += VSIZE)
		vstore((u8 *)work + i, vzero());
	HIDE(work);
}

#endif
