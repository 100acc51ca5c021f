/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record through AES-GCM, once for each width: gcm-vaes.c and gcm-aesni.c
 * define vec, VSIZE, WIDTH() and the v*() operations, then include this.
 *
 * Blocks are hashed in groups, each block with its own power of H and one
 * reduction for the group (SP 800-38D 6.4, expanded). H carries a factor
 * x^-1, so that a carry-less product of reflected operands needs no shift.
 * A brief record goes by groups of eight blocks. A longer one has a head of
 * 224 bytes, which takes counters 2 to 15 and leaves counter 1 for the tag's
 * mask, then batches of 256 (gcm-bulk.h), and a tail of up to 255 bytes with
 * the lengths. What segments cut goes through a bounce buffer.
 */
#define GROUP		(8 * GCM_BLOCK)
#define HEAD		(GCM_BATCH - 2 * GCM_BLOCK)
#define BATCH_VECS	(GCM_BATCH / VSIZE)
#define UNROLL		_Pragma("GCC unroll 16")
/* Keeps GCC from reordering xors, and from loading loop invariants ahead and spilling them. */
#define PIN(v)		asm("" : "+x"(v))
#define HIDE(p)		asm volatile("" : "+r"(p) : : "memory")

struct gcm_work {
	u8	power[GCM_POWERS][GCM_BLOCK];
	u8	middle[GCM_BATCH / 2];
	u8	counter[32];
	u8	hash[GCM_BLOCK];
	u8	pad[16];
	u8	bounce[2][GCM_BATCH];
};
#define AT(field, offset) _Static_assert(__builtin_offsetof(struct gcm_work, field) == (offset), #field)
AT(power, GCM_W_POWER);
AT(middle, GCM_W_MIDDLE);
AT(counter, GCM_W_COUNTER);
AT(hash, GCM_W_HASH);
AT(bounce, GCM_W_BOUNCE);
_Static_assert(__builtin_offsetof(struct gcm_key, round) == GCM_K_ROUND, "round");

/* A group's product before reduction. */
struct sum {
	vec	low, middle, high;
};

/* Where in the segments we are. */
struct cursor {
	const struct gcm_seg	*seg;
	size_t			done;		/* bytes of *seg */
};

typedef void bulk_fn(const struct gcm_key *key, struct gcm_work *work, const u8 *in,
		     u8 *out, size_t batches, const u8 *behind);
bulk_fn WIDTH(bulk_seal_10), WIDTH(bulk_seal_14), WIDTH(bulk_open_10), WIDTH(bulk_open_14);

/* ---- GHASH */

ALWAYS void sum_add(struct sum *s, vec x, vec h)
{
	s->low = vxor(s->low, vclmul(x, h, 0x00));
	PIN(s->low);
	s->high = vxor(s->high, vclmul(x, h, 0x11));
	PIN(s->high);
	s->middle = vxor(s->middle, vclmul(vxor(x, vturn(x)), vxor(h, vturn(h)), 0x00));
	PIN(s->middle);
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

/* hash * H^16 + ... over one batch in memory. */
ALWAYS void hash_batch(struct gcm_work *work, const u8 *blocks)
{
	vec first = vfirst(gcm_load(work->hash));
	struct sum s = { vzero(), vzero(), vzero() };

	UNROLL
	for (int i = 0; i < BATCH_VECS; i++) {
		vec x = vxor(vswap(vload(blocks + i * VSIZE)), first);

		sum_add(&s, x, vload((const u8 *)work->power + GCM_W_BULK + i * VSIZE));
		first = vzero();
	}
	gcm_store(work->hash, sum_reduce(s));
}

/* All 18 powers, from the key's ten. */
ALWAYS void expand_powers(struct gcm_work *work, const struct gcm_key *key)
{
	const vec h8 = vwide(gcm_load(key->power[2]));
	const u8 *from = (const u8 *)key->power;
	u8 *power = (u8 *)work->power;

	UNROLL
	for (int i = 0; i < 8 * GCM_BLOCK; i += VSIZE) {
		struct sum s = { vzero(), vzero(), vzero() };

		sum_add(&s, vload(from + i), h8);
		vstore(power + i, sum_reduce_lanes(s));
	}
	UNROLL
	for (int i = 0; i < GCM_KEY_POWERS * GCM_BLOCK; i += VSIZE)
		vstore(power + 8 * GCM_BLOCK + i, vload(from + i));
}

/* What gcm-bulk.h wants: sums of the halves, those of two vectors interleaved. */
ALWAYS void expand_middle(struct gcm_work *work)
{
	const u8 *power = (const u8 *)work->power + GCM_W_BULK;

	UNROLL
	for (int i = 0; i < BATCH_VECS / 2; i++) {
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

ALWAYS vec aes_start(const struct gcm_key *key, vec counter)
{
	return vxor(vswap(counter), vwide(gcm_load(key->round[0])));
}

ALWAYS vec aes_vec(const struct gcm_key *key, int rounds, vec counter)
{
	vec b = aes_start(key, counter);

	UNROLL
	for (int r = 1; r < rounds; r++)
		b = vaes(b, vwide(gcm_load(key->round[r])));
	return vaeslast(b, vwide(gcm_load(key->round[rounds])));
}

/* Counter blocks are kept little endian. */
ALWAYS __m128i counter_block(const u8 *iv)
{
	u32 w[3];

	__builtin_memcpy(w, iv, sizeof(w));
	return _mm_set_epi32(__builtin_bswap32(w[0]), __builtin_bswap32(w[1]),
			     __builtin_bswap32(w[2]), 0);
}

/* E(K, J0), which masks the tag. */
ALWAYS __m128i tag_mask(const struct gcm_key *key, int rounds, const u8 *iv)
{
	__m128i b = _mm_add_epi32(counter_block(iv), _mm_set_epi32(0, 0, 0, 1));

	b = _mm_xor_si128(gcm_swap(b), gcm_load(key->round[0]));
	UNROLL
	for (int r = 1; r < rounds; r++)
		b = _mm_aesenc_si128(b, gcm_load(key->round[r]));
	return _mm_aesenclast_si128(b, gcm_load(key->round[rounds]));
}

/* ---- parts of a record */

/*
 * 128 bytes, eight powers, one reduction: for records too short for the
 * other powers to pay.
 */
ALWAYS __m128i crypt_group(const struct gcm_key *key, int rounds, bool seal, vec *counter,
			   struct sum s, __m128i hash, const u8 *in, u8 *out)
{
	const u8 *power = (const u8 *)(key->power + GCM_KEY_POWERS - 8);
	vec b[GROUP / VSIZE], d, k;

	HIDE(key);
	UNROLL
	for (int i = 0; i < GROUP / VSIZE; i++) {
		b[i] = aes_start(key, *counter);
		*counter = vadd(*counter, vstep());
	}
	UNROLL
	for (int r = 1; r < rounds; r++) {
		k = vwide(gcm_load(key->round[r]));
		UNROLL
		for (int i = 0; i < GROUP / VSIZE; i++)
			b[i] = vaes(b[i], k);
	}
	k = vwide(gcm_load(key->round[rounds]));
	UNROLL
	for (int i = 0; i < GROUP / VSIZE; i++) {
		d = vload(in + i * VSIZE);
		b[i] = vaeslast(b[i], vxor(k, d));
		vstore(out + i * VSIZE, b[i]);
		d = vswap(seal ? b[i] : d);
		sum_add(&s, i ? d : vxor(d, vfirst(hash)), vload(power + i * VSIZE));
	}
	return sum_reduce(s);
}

/*
 * Up to 256 bytes and the block of lengths, onto @s and, with the first block,
 * @hash. @powers: one past H^1.
 */
ALWAYS __m128i crypt_rest(const struct gcm_key *key, int rounds, bool seal, vec counter,
			  const u8 *powers, struct sum s, __m128i hash,
			  const u8 *in, u8 *out, size_t n, __m128i lengths)
{
	const u8 *power = powers - GCM_BLOCK * (blocks(n) + 1);
	vec first = vfirst(hash), d, b;

	for (; n >= VSIZE; n -= VSIZE, in += VSIZE, out += VSIZE, power += VSIZE) {
		HIDE(key);
		d = vload(in);
		b = vxor(d, aes_vec(key, rounds, counter));
		vstore(out, b);
		sum_add(&s, vxor(vswap(seal ? b : d), first), vload(power));
		counter = vadd(counter, vstep());
		first = vzero();
	}
	if (n) {
		d = vload_part(in, n);
		b = vand(vxor(d, aes_vec(key, rounds, counter)), vmask(n));
		vstore_part(out, b, n);
		sum_add(&s, vxor(vswap(seal ? b : d), first), vload(power));
		first = vzero();
	}
	sum_add(&s, vxor(vfirst(lengths), first), vfirst(gcm_load(powers - GCM_BLOCK)));
	return sum_reduce(s);
}

/*
 * The first 224 bytes. Leaves a whole batch to hash in bounce[0]: nothing, the
 * AAD's last block, ciphertext. Returns the tag's mask.
 */
ALWAYS __m128i crypt_head(const struct gcm_key *key, int rounds, bool seal,
			  struct gcm_work *work, vec counter, const u8 *in, u8 *out)
{
	__m128i mask = _mm_setzero_si128();
	vec b[8], k;

	for (int at = -2 * GCM_BLOCK; at < HEAD; at += 8 * VSIZE) {
		UNROLL
		for (int i = 0; i < 8; i++) {
			b[i] = aes_start(key, counter);
			counter = vadd(counter, vstep());
		}
		HIDE(key);
		UNROLL
		for (int r = 1; r < rounds; r++) {
			k = vwide(gcm_load(key->round[r]));
			UNROLL
			for (int i = 0; i < 8; i++)
				b[i] = vaes(b[i], k);
		}
		k = vwide(gcm_load(key->round[rounds]));
		UNROLL
		for (int i = 0; i < 8; i++) {
			int here = at + i * VSIZE;
			vec d;

			if (here < 0) {
				if (here + VSIZE == 0)
					mask = vlast(vaeslast(b[i], k));
				continue;
			}
			d = vload(in + here);
			b[i] = vaeslast(b[i], vxor(k, d));
			vstore(out + here, b[i]);
			vstore(work->bounce[0] + 2 * GCM_BLOCK + here, seal ? b[i] : d);
		}
	}
	return mask;
}

ALWAYS void crypt_bulk(const struct gcm_key *key, int rounds, bool seal, struct gcm_work *work,
		       const u8 *in, u8 *out, size_t batches, const u8 *behind)
{
	if (seal && rounds == 10)
		WIDTH(bulk_seal_10)(key, work, in, out, batches, behind);
	else if (seal)
		WIDTH(bulk_seal_14)(key, work, in, out, batches, behind);
	else if (rounds == 10)
		WIDTH(bulk_open_10)(key, work, in, out, batches, behind);
	else
		WIDTH(bulk_open_14)(key, work, in, out, batches, behind);
}

/* ---- segments */

static void copy(u8 *to, const u8 *from, size_t n)
{
	__m128i a, b, c, d;

	for (; n >= 4 * GCM_BLOCK; n -= 4 * GCM_BLOCK, to += 4 * GCM_BLOCK, from += 4 * GCM_BLOCK) {
		a = gcm_load(from);
		b = gcm_load(from + GCM_BLOCK);
		c = gcm_load(from + 2 * GCM_BLOCK);
		d = gcm_load(from + 3 * GCM_BLOCK);
		gcm_store(to, a);
		gcm_store(to + GCM_BLOCK, b);
		gcm_store(to + 2 * GCM_BLOCK, c);
		gcm_store(to + 3 * GCM_BLOCK, d);
	}
	for (; n >= GCM_BLOCK; n -= GCM_BLOCK, to += GCM_BLOCK, from += GCM_BLOCK)
		gcm_store(to, gcm_load(from));
	if (n)
		gcm_store_part(to, gcm_load_part(from, n), n);
}

/* The next @n bytes in one piece; they must exist. */
ALWAYS bool whole(struct cursor *c, size_t n)
{
	while (n && c->done == c->seg->len) {
		c->seg++;
		c->done = 0;
	}
	return c->seg->len - c->done >= n;
}

static void gather(struct cursor c, u8 *to, size_t n)
{
	while (n) {
		size_t part = c.seg->len - c.done < n ? c.seg->len - c.done : n;

		copy(to, c.seg->in + c.done, part);
		to += part;
		n -= part;
		c.seg++;
		c.done = 0;
	}
}

static void scatter(struct cursor *c, const u8 *from, size_t n)
{
	for (;;) {
		size_t part = c->seg->len - c->done < n ? c->seg->len - c->done : n;

		copy(c->seg->out + c->done, from, part);
		c->done += part;
		from += part;
		n -= part;
		if (!n)
			return;
		c->seg++;
		c->done = 0;
	}
}

/* Does the output of the next @n bytes, which two or more segments have, lie in a row? */
static bool out_in_a_row(const struct cursor *c, size_t n)
{
	const struct gcm_seg *seg = c->seg;
	size_t have;

	for (have = seg->len - c->done; have < n; have += seg->len) {
		if (seg[0].out + seg[0].len != seg[1].out)
			return false;
		seg++;
	}
	return true;
}

/*
 * The next @n bytes in one piece: where they are; gathered where their output belongs, if that is in
 * a row; or gathered in @bounce. Returns whether they were bounced.
 */
ALWAYS bool take(struct cursor *c, size_t n, u8 *bounce, const u8 **in, u8 **out)
{
	if (n && whole(c, n)) {
		*in = c->seg->in + c->done;
		*out = c->seg->out + c->done;
		return false;
	}
	*in = *out = bounce;
	if (!n)
		return false;
	if (out_in_a_row(c, n))
		*in = *out = c->seg->out + c->done;
	gather(*c, *out, n);
	return *out == bounce;
}

/* The same bytes are done. */
ALWAYS void give(struct cursor *c, size_t n, const u8 *bounce, const u8 *out)
{
	if (!n)
		return;
	if (out == bounce) {
		scatter(c, bounce, n);
		return;
	}
	for (c->done += n; c->done > c->seg->len; c->seg++)
		c->done -= c->seg->len;
}

/* ---- records */

/* Powers and bounced plaintext don't stay on the stack. */
ALWAYS void wipe(void *mem, size_t len)
{
	u8 *p = mem;

	for (; len; len -= VSIZE, p += VSIZE)
		vstore(p, vzero());
	HIDE(mem);
}

/* By groups, with the key's own powers. */
ALWAYS __m128i record_brief(const struct gcm_key *key, int rounds, bool seal,
			    const struct gcm_op *op, size_t len, __m128i lengths)
{
	const u8 *powers = (const u8 *)key->power + sizeof(key->power), *in;
	__m128i hash = _mm_setzero_si128(), mask = tag_mask(key, rounds, op->iv);
	vec counter = vadd(vpair(counter_block(op->iv)), vtwo());
	struct sum none = { vzero(), vzero(), vzero() }, s = none;
	struct cursor c = { op->seg, 0 };
	u8 bounce[GROUP], *out;
	bool bounced = false;

	if (op->aad_len)
		sum_add(&s, vfirst(hash_aad(key, op->aad, op->aad_len)),
			vfirst(gcm_load(powers - GCM_BLOCK * (len > GROUP ? GROUP / GCM_BLOCK + 1 :
							      blocks(len) + 2))));
	for (; len > GROUP; len -= GROUP) {
		bounced |= take(&c, GROUP, bounce, &in, &out);
		hash = crypt_group(key, rounds, seal, &counter, s, hash, in, out);
		give(&c, GROUP, bounce, out);
		s = none;
	}
	bounced |= take(&c, len, bounce, &in, &out);
	hash = crypt_rest(key, rounds, seal, counter, powers, s, hash, in, out, len, lengths);
	give(&c, len, bounce, out);
	if (bounced)
		wipe(bounce, sizeof(bounce));
	return _mm_xor_si128(gcm_swap(hash), mask);
}

/* Powers for whole batches, the first batch's counters, and what it hashes before the head. */
ALWAYS void prepare(const struct gcm_key *key, struct gcm_work *work, const struct gcm_op *op,
		    __m128i counter)
{
	__m128i hash = _mm_setzero_si128();

	expand_powers(work, key);
	expand_middle(work);
	counter = _mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, GCM_BATCH / GCM_BLOCK));
	gcm_store(work->counter, counter);
	gcm_store(work->counter + GCM_BLOCK, counter);
	gcm_store(work->hash, hash);
	gcm_store(work->bounce[0], hash);
	if (op->aad_len)
		hash = hash_aad(key, op->aad, op->aad_len);
	gcm_store(work->bounce[0] + GCM_BLOCK, gcm_swap(hash));
}

ALWAYS __m128i record_long(const struct gcm_key *key, int rounds, bool seal,
			   const struct gcm_op *op, size_t len, __m128i lengths)
{
	struct gcm_work work;
	struct cursor c = { op->seg, 0 };
	__m128i counter = counter_block(op->iv), mask, hash;
	struct sum none = { vzero(), vzero(), vzero() };
	u8 *out, *spare = work.bounce[1];
	const u8 *in, *behind = work.bounce[0];
	bool bounced;
	size_t n;

	prepare(key, &work, op, counter);
	bounced = take(&c, HEAD, spare, &in, &out);
	mask = crypt_head(key, rounds, seal, &work, vpair(counter), in, out);
	give(&c, HEAD, spare, out);
	if (!seal)
		hash_batch(&work, behind);

	for (len -= HEAD; len >= GCM_BATCH; len -= n) {
		bounced |= take(&c, GCM_BATCH, spare, &in, &out);
		n = (c.seg->len - c.done) / GCM_BATCH * GCM_BATCH ?: GCM_BATCH;
		crypt_bulk(key, rounds, seal, &work, in, out, n / GCM_BATCH, behind);
		give(&c, n, spare, out);
		behind = out + n - GCM_BATCH;
		if (out == spare)
			spare = spare == work.bounce[0] ? work.bounce[1] : work.bounce[0];
	}
	if (seal)
		hash_batch(&work, behind);

	bounced |= take(&c, len, spare, &in, &out);
	hash = crypt_rest(key, rounds, seal, vpair(gcm_load(work.counter)),
			  (const u8 *)work.power + sizeof(work.power), none, gcm_load(work.hash),
			  in, out, len, lengths);
	give(&c, len, spare, out);
	wipe(&work, bounced ? sizeof(work) : GCM_W_COUNTER);
	return _mm_xor_si128(gcm_swap(hash), mask);
}

ALWAYS __m128i record(const struct gcm_key *key, int rounds, bool seal, const struct gcm_op *op)
{
	size_t len = 0, i;
	__m128i lengths;

	for (i = 0; i < op->segs; i++)
		len += op->seg[i].len;
	lengths = _mm_set_epi64x((long long)op->aad_len * 8, (long long)len * 8);
	if (len <= BRIEF || rounds == 12)
		return record_brief(key, rounds, seal, op, len, lengths);
	return record_long(key, rounds, seal, op, len, lengths);
}

/* A function each, so that their stack is not added up. */
#define RECORD(rounds)									\
static __attribute__((__noinline__)) __m128i seal_##rounds(const struct gcm_key *key,	\
						       const struct gcm_op *op)		\
{											\
	return record(key, rounds, true, op);						\
}											\
static __attribute__((__noinline__)) __m128i open_##rounds(const struct gcm_key *key,	\
						       const struct gcm_op *op)		\
{											\
	return record(key, rounds, false, op);						\
}
RECORD(10)
RECORD(12)
RECORD(14)

void WIDTH(seal)(const struct gcm_key *key, const struct gcm_op *op, u8 *tag)
{
	gcm_store(tag, key->rounds == 10 ? seal_10(key, op) :
		  key->rounds == 14 ? seal_14(key, op) : seal_12(key, op));
	vend();
}

int WIDTH(open)(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size)
{
	__m128i t = key->rounds == 10 ? open_10(key, op) :
		    key->rounds == 14 ? open_14(key, op) : open_12(key, op);
	bool right;

	t = _mm_xor_si128(t, gcm_load_part(tag, size));
	right = _mm_testz_si128(t, gcm_mask(size));
	vend();
	return right ? 0 : -EBADMSG;
}
