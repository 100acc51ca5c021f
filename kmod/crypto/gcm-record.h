/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record through AES-GCM, once for each width: gcm-vaes.c and gcm-aesni.c
 * define vec, VSIZE, WIDTH() and the v*() operations, then include this.
 *
 * Blocks are hashed in groups, each block with its own power of H and one
 * reduction for the group (SP 800-38D 6.4, expanded).
 * A brief record goes by groups of eight blocks. A longer one has a head of
 * 224 bytes, which takes counters 2 to 15 and leaves counter 1 for the tag's
 * mask, then batches of 256 (gcm-bulk.h), and a tail of up to 255 bytes with
 * the lengths. What segments cut goes through a bounce buffer.
 */
#include "gcm-blocks.h"

#define GROUP		(8 * GCM_BLOCK)
#define HEAD		GCM_HEAD

/* Where in the segments we are. */
struct cursor {
	const struct gcm_seg	*seg;
	size_t			done;		/* bytes of *seg */
};

typedef void bulk_fn(const struct gcm_key *key, struct gcm_work *work, const u8 *in,
		     u8 *out, size_t batches, const u8 *behind);
bulk_fn WIDTH(bulk_seal_10), WIDTH(bulk_seal_14), WIDTH(bulk_open_10), WIDTH(bulk_open_14);
typedef int bulk_user_fn(const struct gcm_key *key, struct gcm_work *work, const u8 *in,
			 u8 *out, size_t batches, const u8 *behind);
bulk_user_fn WIDTH(bulk_user_seal_10), WIDTH(bulk_user_seal_14), WIDTH(bulk_user_open_10), WIDTH(bulk_user_open_14);

/* ---- parts of a record */

/*
 * A piece of a record and its place in the hash. Its first vector is hashed
 * last, since it waits for what was hashed before.
 */
struct piece {
	const u8	*in;
	u8		*out;
	size_t		len;
	const u8	*power;		/* of the first block */
	struct sum	sum;
	vec		first;
};

ALWAYS __m128i piece_hash(struct piece *p, __m128i hash)
{
	sum_add(&p->sum, vxor(p->first, vfirst(hash)), vload(p->power));
	return sum_reduce(p->sum);
}

/*
 * Up to @n vectors of @p from @from on; @k is the last round's key. Lanes beyond the
 * end are 0: it doesn't matter that what follows the powers is multiplied with them.
 */
ALWAYS void crypt_vectors(struct piece *p, bool seal, size_t from, vec *b, int n, vec k)
{
	u8 cut[VSIZE] __attribute__((aligned(VSIZE)));
	size_t left = p->len % VSIZE, end = p->len - left;
	bool cuts = left && end < from + (size_t)n * VSIZE;

	if (cuts)
		vstore(cut, vload_part(p->in + end, left));
	UNROLL
	for (int i = 0; i < n; i++) {
		size_t at = from + (size_t)i * VSIZE;
		bool full = at < end;
		vec d;

		if (at >= p->len)
			break;
		d = vload(full ? p->in + at : cut);
		b[i] = vaeslast(b[i], vxor(k, d));
		vstore(full ? p->out + at : cut, b[i]);
		if (seal && !full)
			b[i] = vand(b[i], vmask(left));
		d = vswap(seal ? b[i] : d);
		if (from || i)
			sum_add(&p->sum, d, vload(p->power + at));
		else
			p->first = d;
	}
	if (!cuts)
		return;
	vstore_part(p->out + end, vload(cut), left);
	wipe(cut, sizeof(cut));
}

/* The same where all of it is there. */
ALWAYS __m128i crypt_full(struct piece *p, bool seal, vec *b, int n, vec k, __m128i hash)
{
	UNROLL
	for (int i = 0; i < n; i++) {
		vec d = vload(p->in + i * VSIZE);

		b[i] = vaeslast(b[i], vxor(k, d));
		vstore(p->out + i * VSIZE, b[i]);
		d = vswap(seal ? b[i] : d);
		sum_add(&p->sum, i ? d : vxor(d, vfirst(hash)), vload(p->power + i * VSIZE));
	}
	return sum_reduce(p->sum);
}

/*
 * The last, up to 256 bytes, and the block of lengths, onto the hash in @work. @batch, or
 * NULL: what is to be hashed before.
 */
ALWAYS __m128i crypt_tail(const struct gcm_key *key, int rounds, bool seal, struct gcm_work *work,
			  struct batch *batch, const u8 *in, u8 *out, size_t len, __m128i lengths)
{
	const u8 *powers = (const u8 *)work->power + sizeof(work->power);
	vec base = aes_base(key, gcm_swap(gcm_load(work->counter))), b[VECS], k;
	struct piece p = { in, out, len, powers - GCM_BLOCK * (blocks(len) + 1),
			   { vzero(), vzero(), vzero() }, vzero() };
	__m128i hash;

	aes_begin(b, VECS, base, 0);
	k = aes_rounds(key, rounds, b, VECS, batch);
	hash = batch ? sum_reduce(batch->sum) : gcm_load(work->hash);
	crypt_vectors(&p, seal, 0, b, VECS, k);
	if (len > VECS * VSIZE) {
		aes_begin(b, VECS, base, VECS);
		k = aes_rounds(key, rounds, b, VECS, NULL);
		crypt_vectors(&p, seal, VECS * VSIZE, b, VECS, k);
	}
	sum_add(&p.sum, vfirst(lengths), vfirst(gcm_load(powers - GCM_BLOCK)));
	return piece_hash(&p, hash);
}

/*
 * The first 224 bytes and what is hashed before them, to be found in bounce[0]: nothing, the
 * AAD's last block. Sealing leaves a batch to hash there, opening has hashed it.
 * Returns the tag's mask.
 */
ALWAYS __m128i crypt_head(const struct gcm_key *key, int rounds, bool seal,
			  struct gcm_work *work, vec base, const u8 *in, u8 *out)
{
	struct batch batch = { work->bounce[0], (const u8 *)work->power + GCM_W_BULK, vzero(),
			       { vzero(), vzero(), vzero() } };
	u8 *copy = work->bounce[0] + 2 * GCM_BLOCK;
	__m128i mask = _mm_setzero_si128();
	vec b[VECS], d, k;

	UNROLL
	for (int at = 0; at < HEAD && !seal; at += VSIZE)
		vstore(copy + at, vload(in + at));
	UNROLL
	for (int at = -2 * GCM_BLOCK; at < HEAD; at += VECS * VSIZE) {
		aes_begin(b, VECS, base, (at + 2 * GCM_BLOCK) / GCM_BLOCK);
		k = aes_rounds(key, rounds, b, VECS, seal || at > 0 ? NULL : &batch);
		UNROLL
		for (int i = 0; i < VECS; i++) {
			int here = at + i * VSIZE;

			if (here < 0) {
				if (here + VSIZE == 0)
					mask = vlast(vaeslast(b[i], k));
				continue;
			}
			d = vload((seal ? in : copy) + here);
			b[i] = vaeslast(b[i], vxor(k, d));
			vstore(out + here, b[i]);
			if (seal)
				vstore(copy + here, b[i]);
		}
	}
	if (!seal)
		gcm_store(work->hash, sum_reduce(batch.sum));
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

/* ---- records */

/* By groups of up to eight blocks, with the key's own powers. @vecs at a time: 4 or 8. */
ALWAYS __m128i record_brief(const struct gcm_key *key, int rounds, bool seal, int vecs,
			    const struct gcm_op *op, size_t len, __m128i lengths)
{
	const u8 *powers = (const u8 *)key->power + sizeof(key->power);
	const __m128i start = counter_block(op->iv);
	vec base = aes_base(key, start), b[VECS], k, counter = vpair(gcm_swap(start));
	__m128i hash = _mm_setzero_si128(), mask = tag_mask(key, rounds, base);
	const int group = vecs * VSIZE < GROUP ? vecs : GROUP / VSIZE;
	struct cursor c = { op->seg, 0 };
	bool bounced = false, last = false;
	u8 bounce[GROUP];
	struct piece p = { .sum = { vzero(), vzero(), vzero() } };

	if (op->aad_len)
		sum_add(&p.sum, vfirst(hash_aad(key, op->aad, op->aad_len)),
			vfirst(gcm_load(powers - GCM_BLOCK * (len > GROUP ? GROUP / GCM_BLOCK + 1 :
							      blocks(len) + 2))));
	counter = vadd(counter, vwide(_mm_set_epi32(0, 0, 0, 2 + vecs * VSIZE / GCM_BLOCK)));
	for (bool more = false; !last; more = true) {
		if (more)
			aes_more(key, b, vecs, &counter);
		else
			aes_begin(b, vecs, base, 2);
		k = aes_rounds(key, rounds, b, vecs, NULL);
		UNROLL
		for (int i = 0; i < vecs && !last; i += group) {
			last = len <= GROUP;
			p.len = last ? len : GROUP;
			bounced |= take(&c, p.len, bounce, &p.in, &p.out);
			if (!last) {
				p.power = powers - GROUP;
				hash = crypt_full(&p, seal, b + i, group, k, hash);
				len -= GROUP;
			} else {
				p.power = powers - GCM_BLOCK * (blocks(len) + 1);
				p.first = vzero();
				sum_add(&p.sum, vfirst(lengths), vfirst(gcm_load(powers - GCM_BLOCK)));
				crypt_vectors(&p, seal, 0, b + i, group, k);
				hash = piece_hash(&p, hash);
			}
			give(&c, p.len, bounce, p.out);
			p.sum = (struct sum){ vzero(), vzero(), vzero() };
		}
	}
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
	counter = _mm_add_epi32(gcm_swap(counter), _mm_set_epi32(0, 0, 0, GCM_BATCH / GCM_BLOCK));
	vstore(work->counter, vwide(counter));
	gcm_store(work->hash, hash);
	if (op->aad_len)
		hash = hash_aad(key, op->aad, op->aad_len);
	vbehind(work->bounce[0], gcm_swap(hash));
}

ALWAYS __m128i record_long(const struct gcm_key *key, int rounds, bool seal,
			   const struct gcm_op *op, size_t len, __m128i lengths, int *err)
{
	struct gcm_work work;
	struct cursor c = { op->seg, 0 };
	__m128i counter = counter_block(op->iv), mask, hash = _mm_setzero_si128();
	u8 *out, *spare = work.bounce[1];
	const u8 *in, *behind = work.bounce[0];
	struct batch batch;
	bool bounced;
	size_t n;

	prepare(key, &work, op, counter);
	bounced = take(&c, HEAD, spare, &in, &out);
	mask = crypt_head(key, rounds, seal, &work, aes_base(key, counter), in, out);
	give(&c, HEAD, spare, out);

	for (len -= HEAD; len >= GCM_BATCH; len -= n) {
		bounced |= take(&c, GCM_BATCH, spare, &in, &out);
		n = c.seg->len - c.done;
		n = n < GCM_BATCH ? GCM_BATCH : n / GCM_BATCH * GCM_BATCH;
		if (c.seg->user && out != spare)
			*err = crypt_user(key, rounds, seal, &work, in, out, n / GCM_BATCH, behind);
		else
			crypt_bulk(key, rounds, seal, &work, in, out, n / GCM_BATCH, behind);
		if (*err)
			break;
		give(&c, n, spare, out);
		behind = out + n - GCM_BATCH;
		if (out == spare)
			spare = spare == work.bounce[0] ? work.bounce[1] : work.bounce[0];
	}
	if (*err)
		goto out_wipe;
	bounced |= take(&c, len, spare, &in, &out);
	batch = (struct batch){ behind, (const u8 *)work.power + GCM_W_BULK, vfirst(gcm_load(work.hash)),
				{ vzero(), vzero(), vzero() } };
	hash = crypt_tail(key, rounds, seal, &work, seal ? &batch : NULL, in, out, len, lengths);
	give(&c, len, spare, out);
out_wipe:
	wipe(&work, bounced ? sizeof(work) : GCM_W_COUNTER);
	return _mm_xor_si128(gcm_swap(hash), mask);
}

ALWAYS __m128i record(const struct gcm_key *key, int rounds, bool seal, const struct gcm_op *op, int *err)
{
	size_t len = 0, i;
	__m128i lengths;

	for (i = 0; i < op->segs; i++)
		len += op->seg[i].len;
	lengths = _mm_set_epi64x((long long)op->aad_len * 8, (long long)len * 8);
	if (len <= 4 * VSIZE)
		return record_brief(key, rounds, seal, 4, op, len, lengths);
	if (len <= BRIEF || rounds == 12)
		return record_brief(key, rounds, seal, VECS, op, len, lengths);
	return record_long(key, rounds, seal, op, len, lengths, err);
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
