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
#include "gcm-segs.h"

#define FAR_MAX		4096	/* so far ahead the input is fetched */
#define FAR_MIN		1024	/* so much is worth it */

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
 * A piece of a record and its place in the hash. What doesn't fill a vector is its rest: it is
 * encrypted with the pass's last counter block, and 0 behind its end.
 */
struct piece {
	const u8	*in;
	u8		*out;
	size_t		len, left;	/* @left: the rest's */
	const u8	*power;		/* of the first block */
	vec		rest, first;	/* @first: xored to the first block */
	__m128i		lengths;
	bool		last;		/* @lengths are hashed behind it */
	struct sum	sum;
};
#define BESIDE		((size_t)VSIZE - GCM_BLOCK)

/* @end: behind the powers; so many blocks are hashed behind the piece. */
ALWAYS struct piece piece(const u8 *in, u8 *out, size_t len, const u8 *end, int behind)
{
	size_t left = len % VSIZE;
	struct piece p = { .in = in, .out = out, .len = len - left, .left = left,
			   .power = end - GCM_BLOCK * (blocks(len) + behind), .rest = vzero(),
			   .first = vzero(), .sum = sum_zero() };

	if (left)
		p.rest = vload_part(in + p.len, left);
	return p;
}

/* Hashes @rest, ciphertext, and the lengths, beside it if that leaves a lane. */
ALWAYS void piece_end(struct piece *p, vec rest)
{
	const bool beside = p->last && p->left && p->left <= BESIDE;
	vec x = vswap(rest);

	if (!p->left && !p->last)
		return;
	if (beside)
		x = vjoin(vblock(x), p->lengths);
	if (!p->left)
		x = vfirst(p->lengths);
	if (!p->len)
		x = vxor(x, p->first);
	sum_add(&p->sum, x, vload(p->power + p->len));
	if (p->last && p->left && !beside)
		sum_add(&p->sum, vfirst(p->lengths),
			vfirst(gcm_load(p->power + p->len + blocks(p->left) * GCM_BLOCK)));
}

/* Behind aes_begin() of @n vectors. */
ALWAYS void piece_begin(const struct piece *p, vec *b, int n, vec base, int number)
{
	if (p->left)
		b[n - 1] = vxor(base, aes_number(number + (int)(p->len / GCM_BLOCK)));
}

/*
 * The last round of up to @n vectors, with key @k. @hash: the ciphertext, the first vector last,
 * since @first is known late.
 */
ALWAYS void piece_crypt(struct piece *p, bool seal, bool hash, vec *b, int n, vec k)
{
	vec x, x0 = vzero();

	UNROLL
	for (int i = 0; i < n; i++) {
		if ((size_t)i * VSIZE >= p->len)
			break;
		x = vload(p->in + i * VSIZE);
		b[i] = vaeslast(b[i], vxor(k, x));
		vstore(p->out + i * VSIZE, b[i]);
		x = vswap(seal ? b[i] : x);
		if (i == 0)
			x0 = x;
		else if (hash)
			sum_add(&p->sum, x, vload(p->power + i * VSIZE));
	}
	if (hash && p->len)
		sum_add(&p->sum, vxor(x0, p->first), vload(p->power));
	x = p->rest;
	if (p->left) {
		b[n - 1] = vaeslast(b[n - 1], vxor(k, x));
		vstore_part(p->out + p->len, b[n - 1], p->left);
		if (seal)
			x = vand(b[n - 1], vmask(p->left));
	}
	if (hash)
		piece_end(p, x);
}

/*
 * Up to @n vectors, which begin with block @number behind @base. Sealing hashes @batch, or NULL,
 * meanwhile, whose hash comes first; opening the piece itself, if vectors have one block.
 */
ALWAYS void piece_pass(const struct gcm_key *key, int rounds, bool seal, struct piece *p, int n,
		       vec base, int number, struct batch *batch)
{
	const bool early = !seal && VSIZE == GCM_BLOCK;
	struct batch own = { p->in, p->power, n, p->len, p->first, p->sum };
	vec b[VECS], k;

	aes_begin(b, n, base, number);
	piece_begin(p, b, n, base, number);
	k = aes_rounds(key, rounds, b, n, early ? &own : batch);
	if (batch)
		p->first = vfirst(sum_reduce(batch->sum));
	if (early) {
		p->sum = own.sum;
		piece_end(p, p->rest);
	}
	piece_crypt(p, seal, !early, b, n, k);
}

/* The last, less than a batch, and the lengths, for which 16 blocks leave no power. @end: behind the powers. */
ALWAYS __m128i crypt_tail(const struct gcm_key *key, int rounds, bool seal, int size, struct gcm_work *work,
			  struct batch *batch, const u8 *end, const u8 *in, u8 *out, size_t len, __m128i lengths)
{
	const bool two = size > PASS && len > PASS, full = size == GCM_BATCH && len > GCM_BATCH - GCM_BLOCK;
	const size_t skip = two ? PASS : 0;
	vec base = aes_base(key, gcm_swap(gcm_load(work->counter))), hash = vfirst(gcm_load(work->hash));
	struct piece p = piece(in + skip, out + skip, len - skip, end, !full), q;

	p.lengths = lengths;
	p.last = !full;
	if (two) {
		q = piece(in, out, PASS, p.power, 0);
		q.first = hash;
		piece_pass(key, rounds, seal, &q, VECS, base, 0, batch);
		p.sum = q.sum;
	} else {
		p.first = hash;
	}
	piece_pass(key, rounds, seal, &p, VECS, base, two ? PASS / GCM_BLOCK : 0, two ? NULL : batch);
	if (!full)
		return sum_reduce(p.sum);
	return gcm_multiply(_mm_xor_si128(sum_reduce(p.sum), lengths), gcm_load(end - GCM_BLOCK));
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
	piece_pass(key, rounds, seal, &p, n, base, 2, NULL);
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
	if (n == VECS) {
		piece_pass(key, rounds, seal, &p, n, base, 2, NULL);
		hash = sum_reduce(p.sum);
		piece_pass(key, rounds, seal, &q, n, base, number, NULL);
	} else {
		aes_begin(b, VECS, base, 2);
		piece_begin(&q, b + n, n, base, number);
		k = aes_rounds(key, rounds, b, VECS, NULL);
		piece_crypt(&p, seal, true, b, n, k);
		hash = sum_reduce(p.sum);
		piece_crypt(&q, seal, true, b + n, n, k);
	}
	sum_ends(&q.sum, hash, gcm_load(q.power), lengths, gcm_load(end - GCM_BLOCK));
	return sum_reduce(q.sum);
}

/* Up to 256 bytes, with the key's own powers. */
ALWAYS __m128i record_brief(const struct gcm_key *key, int rounds, bool seal,
			    const struct gcm_op *op, size_t len, __m128i lengths)
{
	const u8 *end = (const u8 *)key->power + sizeof(key->power);
	vec base = aes_base(key, counter_block(op->iv));
	__m128i hash = _mm_setzero_si128(), mask = hash;
	const bool early = !seal && len > GROUP && VSIZE == GCM_BLOCK;	/* AES has nothing else to do first, or last */
	struct cursor c = cursor(op);
	u8 bounce[GCM_BATCH] UNSET;
	struct place at = take(&c, len, bounce);

	if (early)
		mask = tag_mask(key, rounds, base);
	if (op->aad_len)
		hash = hash_aad(key, op->aad, op->aad_len);
	if (len > GROUP)
		hash = brief_two(key, rounds, seal, base, end, at.in, at.out, len, hash, lengths);
	else if (len > VECS / 2 * VSIZE)
		hash = brief_one(key, rounds, seal, VECS, base, end, at.in, at.out, len, hash, lengths);
	else
		hash = brief_one(key, rounds, seal, VECS / 2, base, end, at.in, at.out, len, hash, lengths);
	if (!early)
		mask = tag_mask(key, rounds, base);
	if (at.out == bounce) {
		scatter(&c, bounce, len);
		wipe(bounce, sizeof(bounce));
	}
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
		power = (const u8 *)work->power;
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
	struct cursor c = cursor(op);
	__m128i counter = counter_block(op->iv), mask, hash = _mm_setzero_si128();
	const size_t head = (size_t)size - 2 * GCM_BLOCK;
	const u8 *behind = work.bounce[0], *power;
	u8 *spare = work.bounce[1];
	struct batch batch UNSET;
	struct place at;
	bool bounced;
	size_t n;

	at = take(&c, head, spare);
	bounced = at.out == spare;
	mask = crypt_head(key, rounds, seal, size, &work, aes_base(key, counter), at.in, at.out);
	give(&c, head, spare, at.out);
	power = prepare(key, size, &work, op, counter);
	if (!seal) {
		batch = (struct batch){ behind, power, size / VSIZE, size, vzero(), sum_zero() };
		batch_add(&batch, 0, size / VSIZE);
		gcm_store(work.hash, sum_reduce(batch.sum));
	}

	for (len -= head; len >= (size_t)size; len -= n) {
		at = take(&c, size, spare);
		n = c.left < (size_t)size ? (size_t)size : c.left / size * size;
		if (size == GCM_BATCH && c.seg->user && at.out != spare)
			*err = crypt_user(key, rounds, seal, &work, at.in, at.out, n / size, behind);
		else if (!seal && size == GCM_BATCH && rounds != 12 && op->far && n > GCM_BATCH)
			open_far(key, rounds, &work, op, &c, at.in, at.out, n);
		else
			crypt_bulk(key, rounds, seal, size, &work, at.in, at.out, n / size, behind);
		if (*err)
			goto out_wipe;
		give(&c, n, spare, at.out);
		behind = at.out + n - size;
		if (at.out == spare) {
			bounced = true;
			spare = spare == work.bounce[0] ? work.bounce[1] : work.bounce[0];
		}
	}
	at = take(&c, len, spare);
	bounced |= at.out == spare;
	batch = (struct batch){ behind, power, size / VSIZE, size, vfirst(gcm_load(work.hash)), sum_zero() };
	hash = crypt_tail(key, rounds, seal, size, &work, seal ? &batch : NULL, power + size, at.in, at.out, len, lengths);
	give(&c, len, spare, at.out);
out_wipe:
	if (bounced)
		wipe(&work, sizeof(work));
	else
		wipe_keys(&work, size);
	return _mm_xor_si128(gcm_swap(hash), mask);
}

ALWAYS __m128i record(const struct gcm_key *key, int rounds, bool seal, const struct gcm_op *op, int *err)
{
	size_t len = op->segs ? op->seg->len : 0, i;
	bool user = op->segs && op->seg->user;
	__m128i lengths;

	for (i = 1; i < op->segs; i++) {
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

ALWAYS int record_seal(const struct gcm_key *key, int rounds, const struct gcm_op *op, u8 *tag)
{
	int err = 0;

	gcm_store(tag, record(key, rounds, true, op, &err));
	vend();
	return err;
}

ALWAYS int record_open(const struct gcm_key *key, int rounds, const struct gcm_op *op, const u8 *tag, size_t size)
{
	int err = 0;
	__m128i t = _mm_xor_si128(record(key, rounds, false, op, &err), gcm_load_part(tag, size));
	bool right = _mm_testz_si128(t, gcm_mask(size));

	vend();
	return err ?: right ? 0 : -EBADMSG;
}

/* A function each, so that their stack is not added up. */
#define RECORD(rounds)									\
static APART int seal_##rounds(const struct gcm_key *key, const struct gcm_op *op, u8 *tag) \
{											\
	return record_seal(key, rounds, op, tag);					\
}											\
static APART int open_##rounds(const struct gcm_key *key, const struct gcm_op *op,	\
			       const u8 *tag, size_t size)				\
{											\
	return record_open(key, rounds, op, tag, size);					\
}
RECORD(10)
RECORD(12)
RECORD(14)

int WIDTH(seal)(const struct gcm_key *key, const struct gcm_op *op, u8 *tag)
{
	if (key->rounds == 10)
		return seal_10(key, op, tag);
	return key->rounds == 14 ? seal_14(key, op, tag) : seal_12(key, op, tag);
}

int WIDTH(open)(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size)
{
	if (key->rounds == 10)
		return open_10(key, op, tag, size);
	return key->rounds == 14 ? open_14(key, op, tag, size) : open_12(key, op, tag, size);
}
