/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record's segments, for gcm-record.h, which wants so many bytes at a time in one piece: most lie
 * in one segment. What segments cut is gathered before and scattered behind, by functions
 * apart from the rest.
 */
#ifndef KTLS_GCM_SEGS_H
#define KTLS_GCM_SEGS_H

#define APART		__attribute__((__noinline__))

/* Where in the segments we are. */
struct cursor {
	const struct gcm_seg	*seg;
	const u8		*in;
	u8			*out;
	size_t			left;		/* of *seg */
};

/* Bytes in one piece. */
struct place {
	const u8	*in;
	u8		*out;
};

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

static void next_segment(struct cursor *c)
{
	c->seg++;
	c->in = c->seg->in;
	c->out = c->seg->out;
	c->left = c->seg->len;
}

ALWAYS void pass(struct cursor *c, size_t n)
{
	c->in += n;
	c->out += n;
	c->left -= n;
}

static void gather(struct cursor c, u8 *to, size_t n)
{
	for (;;) {
		size_t part = c.left < n ? c.left : n;

		copy(to, c.in, part);
		to += part;
		n -= part;
		if (!n)
			return;
		next_segment(&c);
	}
}

static APART void scatter(struct cursor *c, const u8 *from, size_t n)
{
	for (;;) {
		size_t part = c->left < n ? c->left : n;

		copy(c->out, from, part);
		pass(c, part);
		from += part;
		n -= part;
		if (!n)
			return;
		next_segment(c);
	}
}

/* Does the output of the next @n bytes, which two or more segments have, lie in a row? */
static bool out_in_a_row(const struct cursor *c, size_t n)
{
	const struct gcm_seg *seg = c->seg;
	size_t have;

	for (have = c->left; have < n; have += seg->len) {
		if (seg[0].out + seg[0].len != seg[1].out)
			return false;
		seg++;
	}
	return true;
}

static APART struct place take_parts(struct cursor *c, size_t n, u8 *bounce)
{
	struct place p = { bounce, bounce };

	while (!c->left)
		next_segment(c);
	if (c->left >= n)
		return (struct place){ c->in, c->out };
	if (out_in_a_row(c, n))
		p.in = p.out = c->out;
	gather(*c, p.out, n);
	return p;
}

/*
 * The next @n bytes in one piece: where they are; gathered where their output belongs, if that is in
 * a row; or gathered in @bounce.
 */
ALWAYS struct place take(struct cursor *c, size_t n, u8 *bounce)
{
	return c->left >= n ? (struct place){ c->in, c->out } : take_parts(c, n, bounce);
}

static APART void pass_parts(struct cursor *c, size_t n)
{
	for (; c->left < n; next_segment(c))
		n -= c->left;
	pass(c, n);
}

/* The same bytes are done. */
ALWAYS void give(struct cursor *c, size_t n, const u8 *bounce, const u8 *out)
{
	if (out == bounce)
		scatter(c, bounce, n);
	else if (c->left >= n)
		pass(c, n);
	else
		pass_parts(c, n);
}

ALWAYS struct cursor cursor(const struct gcm_op *op)
{
	const struct gcm_seg none = { NULL, NULL, 0, false }, *seg = op->segs ? op->seg : &none;

	return (struct cursor){ op->seg, seg->in, seg->out, seg->len };
}

#endif
