/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DER cursor. libtasn1 decodes tags and lengths; that an encoding is the
 * only one DER allows is checked here, because libtasn1 takes BER's freedom.
 * Its tree decoder stays unused: it copies each value, and it can't tell a
 * default that was encoded from one that was left out.
 */
#include <libtasn1.h>
#include <limits.h>
#include <string.h>
#include "crypto/der.h"

bool der_equal(const struct der *a, const struct der *b)
{
	return der_len(a) == der_len(b) &&
	       (der_end(a) || !memcmp(a->p, b->p, der_len(a)));
}

bool der_is(const struct der *d, const char *bytes, size_t len)
{
	return der_len(d) == len && !memcmp(d->p, bytes, len);
}

bool der_peek(const struct der *d, uint8_t tag)
{
	return d->p < d->end && *d->p == tag;
}

/* Bytes that a definite length takes in DER. */
static int shortest(long len)
{
	int n = 1;

	if (len >= 128)
		for (; len; len >>= 8)
			n++;
	return n;
}

bool der_any(struct der *d, uint8_t *tag, struct der *body)
{
	unsigned long number;
	unsigned char class;
	int tag_len, len_len;
	long len;

	if (d->p == d->end || der_len(d) > INT_MAX)
		return false;
	if (asn1_get_tag_der(d->p, der_len(d), &class, &tag_len, &number) ||
	    tag_len != 1 || tag_len == d->end - d->p)
		return false;
	len = asn1_get_length_der(d->p + 1, der_len(d) - 1, &len_len);
	if (len < 0 || len_len != shortest(len) ||
	    (size_t)len > der_len(d) - 1 - len_len)
		return false;
	*tag = *d->p;
	*body = der_of(d->p + 1 + len_len, len);
	d->p = body->end;
	return true;
}

bool der_get(struct der *d, uint8_t tag, struct der *body)
{
	return der_peek(d, tag) && der_any(d, &tag, body);
}

bool der_whole(struct der *d, uint8_t tag, struct der *element)
{
	const uint8_t *start = d->p;
	struct der body;

	if (!der_get(d, tag, &body))
		return false;
	*element = (struct der){ start, d->p };
	return true;
}

bool der_seq(struct der *d, struct der *body)
{
	return der_get(d, DER_SEQ, body);
}

bool der_optional(struct der *d, uint8_t tag, struct der *body)
{
	if (der_peek(d, tag))
		return der_any(d, &tag, body);
	*body = (struct der){ d->p, d->p };
	return true;
}

/* Takes one element of type @tag whose content @ok accepts. */
static bool get_if(struct der *d, uint8_t tag, bool (*ok)(const struct der *body),
		   struct der *body)
{
	struct der rest = *d, b;

	if (!der_get(&rest, tag, &b) || !ok(&b))
		return false;
	*d = rest;
	*body = b;
	return true;
}

static bool is_bool(const struct der *b)
{
	return der_len(b) == 1 && (b->p[0] == 0x00 || b->p[0] == 0xff);
}

bool der_bool(struct der *d, bool *v)
{
	struct der b;

	if (!get_if(d, DER_BOOL, is_bool, &b))
		return false;
	*v = b.p[0];
	return true;
}

static bool is_int(const struct der *b)
{
	if (der_len(b) < 2)
		return der_len(b) == 1;
	if (b->p[0] == 0x00)
		return b->p[1] & 0x80;
	return b->p[0] != 0xff || !(b->p[1] & 0x80);
}

bool der_int(struct der *d, struct der *body)
{
	return get_if(d, DER_INT, is_int, body);
}

static bool is_unsigned(const struct der *b)
{
	return is_int(b) && !(b->p[0] & 0x80);
}

bool der_unsigned(struct der *d, struct der *body)
{
	if (!get_if(d, DER_INT, is_unsigned, body))
		return false;
	if (body->p[0] == 0)
		body->p++;
	return true;
}

static bool is_small(const struct der *b)
{
	return is_unsigned(b) && der_len(b) <= 4;
}

bool der_small(struct der *d, uint32_t *v)
{
	struct der b;

	if (!get_if(d, DER_INT, is_small, &b))
		return false;
	for (*v = 0; b.p < b.end; b.p++)
		*v = *v << 8 | *b.p;
	return true;
}

static bool is_bits(const struct der *b)
{
	if (!der_len(b) || b->p[0] > 7)
		return false;
	if (der_len(b) == 1)
		return b->p[0] == 0;
	return !(b->end[-1] & ((1 << b->p[0]) - 1));
}

bool der_bits(struct der *d, struct der *body, unsigned int *unused)
{
	if (!get_if(d, DER_BITS, is_bits, body))
		return false;
	*unused = *body->p++;
	return true;
}

static bool is_octet_bits(const struct der *b)
{
	return is_bits(b) && b->p[0] == 0;
}

bool der_octet_bits(struct der *d, struct der *body)
{
	if (!get_if(d, DER_BITS, is_octet_bits, body))
		return false;
	body->p++;
	return true;
}

/* Base 128 numbers without leading zeros, the last one complete. */
static bool is_oid(const struct der *b)
{
	const uint8_t *p;
	bool first = true;

	if (der_end(b))
		return false;
	for (p = b->p; p < b->end; p++) {
		if (first && *p == 0x80)
			return false;
		first = !(*p & 0x80);
	}
	return first;
}

bool der_oid(struct der *d, struct der *body)
{
	return get_if(d, DER_OID, is_oid, body);
}

bool der_null(struct der *d)
{
	struct der rest = *d, b;

	if (!der_get(&rest, DER_NULL, &b) || !der_end(&b))
		return false;
	*d = rest;
	return true;
}
