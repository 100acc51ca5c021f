/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record through AES-GCM, once for each width: gcm-vaes.c and gcm-aesni.c
 * define vec, VSIZE, WIDTH() and the v*() operations, then include this.
 *
 * Blocks are hashed in groups, each block with its own power of H and one
 * reduction for the group (SP 800-38D 6.4, expanded).
 * A brief record, up to 256 bytes, is one group or two of eight blocks. A longer
 * one has a head, which takes counters 2 and up and leaves counter 1 for the
 * tag's mask, then batches (gcm-bulk.h), and a tail with the lengths. Batches
 * have 256 bytes, or one pass of eight vectors where that is less and the
 * record not long: then the key's own powers do. What segments cut goes through a
 * bounce buffer.
 */
#include "gcm-blocks.h"

#define GROUP		(8 * GCM_BLOCK)
#define FAR_MAX		4096	/* so far ahead the input is fetched */
#define FAR_MIN		1024	/* so much is worth it */

/* Where in the segments we are. */
struct cursor {
	const struct gcm_seg	*seg;
	size_t			done;		/* bytes of *seg */
};

typedef void bulk_fn(const struct gcm_key *key, struct gcm_work *work, const u8 *in,
		     u8 *out, size_t batches, const u8 *behind);
bulk_fn WIDTH(bulk_seal_10), WIDTH(bulk_seal_12), WIDTH(bulk_seal_14);
bulk_fn WIDTH(bulk_open_10), WIDTH(bulk_open_12), WIDTH(bulk_open_14);
bulk_fn WIDTH(bulk_far_open_10), WIDTH(bulk_far_open_14);
#if VSIZE == 16
bulk_fn WIDTH(bulk_half_seal_10), WIDTH(bulk_half_seal_12), WIDTH(bulk_half_seal_14);
bulk_fn WIDTH(bulk_half_open_10), WIDTH(bulk_half_open_12), WIDTH(bulk_half_open_14);
#endif
typedef int bulk_user_fn(const struct gcm_key *key, struct gcm_work *work, const u8 *in,
			 u8 *out, size_t batches, const u8 *behind);
bulk_user_fn WIDTH(bulk_user_seal_10), WIDTH(bulk_user_seal_14), WIDTH(bulk_user_open_10), WIDTH(bulk_user_open_14);

/* ---- parts of a record */

/*
 * A piece of a record and its place in the hash. What doesn't fill a vector is its rest:
 * it is encrypted with the pass's last counter block, and 0 behind its end.
 */
struct piece {
	const u8	*in;
	u8		*out;
	size_t		len, left;	/* @left: the rest's */
	const u8	*power;		/* of the first block */
	vec		rest;
	struct sum	sum;
};

/* @end: behind the powers; so many blocks are hashed behind the piece. */
ALWAYS struct piece piece(const u8 *in, u8 *out, size_t len, const u8 *end, int behind)
{
	size_t left = len % VSIZE;
	struct piece p = { in, out, len - left, left, end - GCM_BLOCK * (blocks(len) + behind),
			   vzero(), sum_zero() };

	if (left)
		p.rest = vload_part(in + p.len, left);
	return p;
}

/* What opening hashes of up to @n vectors, but for the rest. */
ALWAYS struct batch piece_batch(const struct piece *p, int n)
{
	return (struct batch){ p->in, p->power, n, p->len, vzero(), p->sum };
}

ALWAYS void piece_hashed(struct piece *p, const struct batch *batch)
{
	p->sum = batch->sum;
	if (p->left)
		sum_add(&p->sum, vswap(p->rest), vload(p->power + p->len));
}

ALWAYS void piece_hash(struct piece *p, int n)
{
	struct batch batch = piece_batch(p, n);

	batch_add(&batch, 0, n);
	piece_hashed(p, &batch);
}

/* Behind aes_begin() of @n vectors. */
ALWAYS void piece_begin(const struct piece *p, vec *b, int n, vec base, int number)
{
	if (p->left)
		b[n - 1] = vxor(base, aes_number(number + (int)(p->len / GCM_BLOCK)));
}

/* The last round of up to @n vectors, with key @k. Sealing hashes the output. */
ALWAYS void piece_crypt(struct piece *p, bool seal, vec *b, int n, vec k)
{
	UNROLL
	for (int i = 0; i < n; i++) {
		if ((size_t)i * VSIZE >= p->len)
			break;
		b[i] = vaeslast(b[i], vxor(k, vload(p->in + i * VSIZE)));
		vstore(p->out + i * VSIZE, b[i]);
		if (seal)
			sum_add(&p->sum, vswap(b[i]), vload(p->power + i * VSIZE));
	}
	if (!p->left)
		return;
	b[n - 1] = vaeslast(b[n - 1], vxor(k, p->rest));
	vstore_part(p->out + p->len, b[n - 1], p->left);
	if (seal)
		sum_add(&p->sum, vswap(vand(b[n - 1], vmask(p->left))), vload(p->power + p->len));
}

/* Up to @n vectors, which begin with block @number behind @base. */
ALWAYS void piece_pass(const struct gcm_key *key, int rounds, bool seal, struct piece *p, int n,
		       vec base, int number)
{
	vec b[VECS], k;

	aes_begin(b, n, base, number);
	piece_begin(p, b, n, base, number);
	k = aes_rounds(key, rounds, b, n, NULL);
	piece_crypt(p, seal, b, n, k);
}

/*
 * The same while sealing hashes @batch, or NULL, and opening the piece, which wide vectors do faster
 * before. Returns @hash, or the batch's.
 */
ALWAYS __m128i tail_pass(const struct gcm_key *key, int rounds, bool seal, struct piece *p,
			 vec base, int number, struct batch *batch, __m128i hash)
{
	struct batch own = piece_batch(p, VECS);
	vec b[VECS], k;

	aes_begin(b, VECS, base, number);
	piece_begin(p, b, VECS, base, number);
	if (!seal && VSIZE > GCM_BLOCK)
		batch_add(&own, 0, VECS);
	k = aes_rounds(key, rounds, b, VECS, seal ? batch : VSIZE > GCM_BLOCK ? NULL : &own);
	if (!seal)
		piece_hashed(p, &own);
	else if (batch)
		hash = sum_reduce(batch->sum);
	piece_crypt(p, seal, b, VECS, k);
	return hash;
}

/* The last, less than a batch, and the lengths. @end: behind the powers. */
ALWAYS __m128i crypt_tail(const struct gcm_key *key, int rounds, bool seal, int size, struct gcm_work *work,
			  struct batch *batch, const u8 *end, const u8 *in, u8 *out, size_t len, __m128i lengths)
{
	const bool two = size > PASS && len > PASS;
	struct piece p = piece(in + (two ? PASS : 0), out + (two ? PASS : 0), len - (two ? PASS : 0), end, 1);
	vec base = aes_base(key, gcm_swap(gcm_load(work->counter)));
	const u8 *power = end - GCM_BLOCK * (blocks(len) + 1);
	__m128i hash = gcm_load(work->hash);

	if (two) {
		struct piece first = piece(in, out, PASS, power + PASS, 0);

		hash = tail_pass(key, rounds, seal, &first, base, 0, batch, hash);
		p.sum = first.sum;
	}
	hash = tail_pass(key, rounds, seal, &p, base, two ? PASS / GCM_BLOCK : 0, two ? NULL : batch, hash);
	sum_ends(&p.sum, hash, gcm_load(power), lengths, gcm_load(end - GCM_BLOCK));
	return sum_reduce(p.sum);
}

/*
 * The first bytes, a batch but for two blocks. What is to be hashed first ends up in bounce[0]
 * with room for two blocks before. Returns the tag's mask.
 */
ALWAYS __m128i crypt_head(const struct gcm_key *key, int rounds, bool seal, int size,
			  struct gcm_work *work, vec base, const u8 *in, u8 *out)
{
	u8 *copy = work->bounce[0] + 2 * GCM_BLOCK;
	const int head = size - 2 * GCM_BLOCK;
	__m128i mask = _mm_setzero_si128();
	vec b[VECS], d, k;

	UNROLL
	for (int at = -2 * GCM_BLOCK; at < head; at += PASS) {
		aes_begin(b, VECS, base, (at + 2 * GCM_BLOCK) / GCM_BLOCK);
		k = aes_rounds(key, rounds, b, VECS, NULL);
		UNROLL
		for (int i = 0; i < VECS; i++) {
			int here = at + i * VSIZE;

			if (here < 0) {
				if (here + VSIZE == 0)
					mask = vlast(vaeslast(b[i], k));
				continue;
			}
			d = vload(in + here);
			b[i] = vaeslast(b[i], vxor(k, d));
			vstore(copy + here, seal ? b[i] : d);
			vstore(out + here, b[i]);
		}
	}
	return mask;
}

#define BULK(name)									\
	(rounds == 10 ? WIDTH(name##_10) : rounds == 12 ? WIDTH(name##_12) : WIDTH(name##_14))

ALWAYS void crypt_bulk(const struct gcm_key *key, int rounds, bool seal, int size, struct gcm_work *work,
		       const u8 *in, u8 *out, size_t batches, const u8 *behind)
{
#if VSIZE == 16
	bulk_fn *f = size < GCM_BATCH ? (seal ? BULK(bulk_half_seal) : BULK(bulk_half_open)) :
		     rounds == 10 ? (seal ? WIDTH(bulk_seal_10) : WIDTH(bulk_open_10)) :
				    (seal ? WIDTH(bulk_seal_14) : WIDTH(bulk_open_14));
#else
	bulk_fn *f = seal ? BULK(bulk_seal) : BULK(bulk_open);

	(void)size;
#endif
	f(key, work, in, out, batches, behind);
}

static int crypt_user(const struct gcm_key *key, int rounds, bool seal, struct gcm_work *work,
		      const u8 *in, u8 *out, size_t batches, const u8 *behind)
{
	if (seal && rounds == 10)
		return WIDTH(bulk_user_seal_10)(key, work, in, out, batches, behind);
	if (seal)
		return WIDTH(bulk_user_seal_14)(key, work, in, out, batches, behind);
	if (rounds == 10)
		return WIDTH(bulk_user_open_10)(key, work, in, out, batches, behind);
	return WIDTH(bulk_user_open_14)(key, work, in, out, batches, behind);
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

/* What to fetch while @n bytes from @in on are worked on. */
static const u8 *ahead(const struct gcm_op *op, const struct cursor *c, const u8 *in, size_t n)
{
	const struct gcm_seg *next = c->seg + 1;

	if (n <= FAR_MAX && next < op->seg + op->segs && next->len >= FAR_MIN)
		return next->in;
	return in + FAR_MAX;
}

/* Opening whole batches in one piece, the input being in no cache. */
static void open_far(const struct gcm_key *key, int rounds, struct gcm_work *work, const struct gcm_op *op,
		     const struct cursor *c, const u8 *in, u8 *out, size_t n)
{
	bulk_fn *f = rounds == 10 ? WIDTH(bulk_far_open_10) : WIDTH(bulk_far_open_14);

	work->ahead = ahead(op, c, in, n) - in;
	f(key, work, in, out, n / GCM_BATCH, in);
}

/* ---- records */

/* Up to eight blocks, @n vectors. @end: behind the powers. */
ALWAYS __m128i brief_one(const struct gcm_key *key, int rounds, bool seal, int n, vec base,
			 const u8 *end, const u8 *in, u8 *out, size_t len, __m128i aad, __m128i lengths)
{
	struct piece p = piece(in, out, len, end, 1);

	sum_ends(&p.sum, aad, gcm_load(p.power - GCM_BLOCK), lengths, gcm_load(end - GCM_BLOCK));
	if (!seal)
		piece_hash(&p, n);
	piece_pass(key, rounds, seal, &p, n, base, 2);
	return sum_reduce(p.sum);
}

/*
 * Nine to sixteen blocks, in one pass or two: eight, whose hash is found while the others are
 * multiplied, since the key's powers don't reach further.
 */
ALWAYS __m128i brief_two(const struct gcm_key *key, int rounds, bool seal, vec base,
			 const u8 *end, const u8 *in, u8 *out, size_t len, __m128i aad, __m128i lengths)
{
	struct piece p = piece(in, out, GROUP, end, 0), q = piece(in + GROUP, out + GROUP, len - GROUP, end, 1);
	const int n = GROUP / VSIZE, number = 2 + GROUP / GCM_BLOCK;
	vec b[VECS], k;
	__m128i hash;

	sum_add(&p.sum, vfirst(aad), vfirst(gcm_load(p.power - GCM_BLOCK)));
	if (!seal)
		piece_hash(&p, n);
	if (n == VECS) {
		piece_pass(key, rounds, seal, &p, n, base, 2);
		hash = sum_reduce(p.sum);
		if (!seal)
			piece_hash(&q, n);
		piece_pass(key, rounds, seal, &q, n, base, number);
	} else {
		if (!seal)
			piece_hash(&q, n);
		aes_begin(b, VECS, base, 2);
		piece_begin(&q, b + n, n, base, number);
		k = aes_rounds(key, rounds, b, VECS, NULL);
		piece_crypt(&p, seal, b, n, k);
		hash = sum_reduce(p.sum);
		piece_crypt(&q, seal, b + n, n, k);
	}
	sum_ends(&q.sum, hash, gcm_load(q.power), lengths, gcm_load(end - GCM_BLOCK));
	return sum_reduce(q.sum);
}

/* Up to 256 bytes, with the key's own powers. */
ALWAYS __m128i record_brief(const struct gcm_key *key, int rounds, bool seal,
			    const struct gcm_op *op, size_t len, __m128i lengths)
{
	const u8 *end = (const u8 *)key->power + sizeof(key->power), *in;
	vec base = aes_base(key, counter_block(op->iv));
	__m128i hash = _mm_setzero_si128(), mask = hash;
	const bool early = !seal && len > GROUP;	/* the AES units are idle first, or last */
	struct cursor c = { op->seg, 0 };
	u8 bounce[GCM_BATCH] UNSET, *out;
	bool bounced = take(&c, len, bounce, &in, &out);

	if (early)
		mask = tag_mask(key, rounds, base);
	if (op->aad_len)
		hash = hash_aad(key, op->aad, op->aad_len);
	if (len > GROUP)
		hash = brief_two(key, rounds, seal, base, end, in, out, len, hash, lengths);
	else if (len > VECS / 2 * VSIZE)
		hash = brief_one(key, rounds, seal, VECS, base, end, in, out, len, hash, lengths);
	else
		hash = brief_one(key, rounds, seal, VECS / 2, base, end, in, out, len, hash, lengths);
	if (!early)
		mask = tag_mask(key, rounds, base);
	give(&c, len, bounce, out);
	if (bounced)
		wipe(bounce, sizeof(bounce));
	return _mm_xor_si128(gcm_swap(hash), mask);
}

/* The first batch's counters, and what it hashes before the head. Powers, unless the key's do. */
ALWAYS const u8 *prepare(const struct gcm_key *key, int size, struct gcm_work *work,
			 const struct gcm_op *op, __m128i counter)
{
	const u8 *power = (const u8 *)key->power + sizeof(key->power) - size;
	__m128i hash = _mm_setzero_si128();

	if (size == GCM_BATCH) {
		expand_powers(work, key);
		power = (const u8 *)work->power + GCM_W_BULK;
	}
	expand_middle(work, power, size);
	counter = _mm_add_epi32(gcm_swap(counter), _mm_set_epi32(0, 0, 0, size / GCM_BLOCK));
	vstore(work->counter, vwide(counter));
	gcm_store(work->hash, hash);
	if (op->aad_len)
		hash = hash_aad(key, op->aad, op->aad_len);
	vbehind(work->bounce[0], gcm_swap(hash));
	return power;
}

/* By batches of @size. */
ALWAYS __m128i record_long(const struct gcm_key *key, int rounds, bool seal, const int size,
			   const struct gcm_op *op, size_t len, __m128i lengths, int *err)
{
	struct gcm_work work UNSET;
	struct cursor c = { op->seg, 0 };
	__m128i counter = counter_block(op->iv), mask, hash = _mm_setzero_si128();
	const size_t head = (size_t)size - 2 * GCM_BLOCK;
	u8 *out, *spare = work.bounce[1];
	const u8 *in, *behind = work.bounce[0];
	const u8 *power;
	struct batch batch UNSET;
	bool bounced;
	size_t n;

	bounced = take(&c, head, spare, &in, &out);
	mask = crypt_head(key, rounds, seal, size, &work, aes_base(key, counter), in, out);
	give(&c, head, spare, out);
	power = prepare(key, size, &work, op, counter);
	if (!seal) {
		batch = (struct batch){ behind, power, size / VSIZE, size, vzero(), sum_zero() };
		batch_add(&batch, 0, size / VSIZE);
		gcm_store(work.hash, sum_reduce(batch.sum));
	}

	for (len -= head; len >= (size_t)size; len -= n) {
		bounced |= take(&c, size, spare, &in, &out);
		n = c.seg->len - c.done;
		n = n < (size_t)size ? (size_t)size : n / size * size;
		if (size == GCM_BATCH && c.seg->user && out != spare)
			*err = crypt_user(key, rounds, seal, &work, in, out, n / size, behind);
		else if (!seal && size == GCM_BATCH && rounds != 12 && op->far && n > GCM_BATCH)
			open_far(key, rounds, &work, op, &c, in, out, n);
		else
			crypt_bulk(key, rounds, seal, size, &work, in, out, n / size, behind);
		if (*err)
			break;
		give(&c, n, spare, out);
		behind = out + n - size;
		if (out == spare)
			spare = spare == work.bounce[0] ? work.bounce[1] : work.bounce[0];
	}
	if (*err)
		goto out_wipe;
	bounced |= take(&c, len, spare, &in, &out);
	batch = (struct batch){ behind, power, size / VSIZE, size, vfirst(gcm_load(work.hash)), sum_zero() };
	hash = crypt_tail(key, rounds, seal, size, &work, &batch, power + size, in, out, len, lengths);
	give(&c, len, spare, out);
out_wipe:
	if (bounced)
		wipe(&work, sizeof(work));
	else
		wipe_keys(&work, size);
	return _mm_xor_si128(gcm_swap(hash), mask);
}

ALWAYS __m128i record(const struct gcm_key *key, int rounds, bool seal, const struct gcm_op *op, int *err)
{
	size_t len = 0, i;
	bool user = false;
	__m128i lengths;

	for (i = 0; i < op->segs; i++) {
		len += op->seg[i].len;
		user |= op->seg[i].user;
	}
	lengths = _mm_set_epi64x((long long)op->aad_len * 8, (long long)len * 8);
	if (len <= 2 * GROUP)
		return record_brief(key, rounds, seal, op, len, lengths);
	if (PASS < GCM_BATCH && ((len <= LONG && !user) || rounds == 12))
		return record_long(key, rounds, seal, PASS, op, len, lengths, err);
	return record_long(key, rounds, seal, GCM_BATCH, op, len, lengths, err);
}

/* A function each, so that their stack is not added up. */
#define RECORD(rounds)									\
static __attribute__((__noinline__)) __m128i seal_##rounds(const struct gcm_key *key,	\
						       const struct gcm_op *op, int *err) \
{											\
	return record(key, rounds, true, op, err);					\
}											\
static __attribute__((__noinline__)) __m128i open_##rounds(const struct gcm_key *key,	\
						       const struct gcm_op *op, int *err) \
{											\
	return record(key, rounds, false, op, err);					\
}
RECORD(10)
RECORD(12)
RECORD(14)

int WIDTH(seal)(const struct gcm_key *key, const struct gcm_op *op, u8 *tag)
{
	int err = 0;

	gcm_store(tag, key->rounds == 10 ? seal_10(key, op, &err) :
		  key->rounds == 14 ? seal_14(key, op, &err) : seal_12(key, op, &err));
	vend();
	return err;
}

int WIDTH(open)(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size)
{
	int err = 0;
	__m128i t = key->rounds == 10 ? open_10(key, op, &err) :
		    key->rounds == 14 ? open_14(key, op, &err) : open_12(key, op, &err);
	bool right;

	t = _mm_xor_si128(t, gcm_load_part(tag, size));
	right = _mm_testz_si128(t, gcm_mask(size));
	vend();
	return err ?: right ? 0 : -EBADMSG;
}
