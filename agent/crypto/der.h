/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cursor over DER (X.690 10): every call takes one element off the front, or
 * says false and leaves the cursor as it was. What it accepts is canonical:
 * shortest lengths, shortest integers, no unused bits set, no indefinite form.
 */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct der { const uint8_t *p, *end; };

enum der_tag {
	DER_BOOL = 0x01, DER_INT = 0x02, DER_BITS = 0x03, DER_OCTETS = 0x04,
	DER_NULL = 0x05, DER_OID = 0x06, DER_UTF8 = 0x0c, DER_PRINTABLE = 0x13,
	DER_T61 = 0x14, DER_IA5 = 0x16, DER_UTC = 0x17, DER_TIME = 0x18,
	DER_UNIVERSAL = 0x1c, DER_BMP = 0x1e, DER_SEQ = 0x30, DER_SET = 0x31,
};
#define DER_CONTEXT(n)	(0x80 | (n))		/* [n] IMPLICIT primitive */
#define DER_EXPLICIT(n)	(0xa0 | (n))		/* [n] constructed */

/* The content of an OBJECT IDENTIFIER as two arguments or members: bytes, length. */
#define OID(bytes) (bytes), sizeof(bytes) - 1

static inline size_t der_len(const struct der *d) { return d->end - d->p; }
static inline bool der_end(const struct der *d) { return d->p == d->end; }
static inline struct der der_of(const void *p, size_t len)
{
	return (struct der){ p, (const uint8_t *)p + len };
}

bool der_equal(const struct der *a, const struct der *b);
bool der_is(const struct der *d, const char *bytes, size_t len);
bool der_peek(const struct der *d, uint8_t tag);
bool der_any(struct der *d, uint8_t *tag, struct der *body);
bool der_get(struct der *d, uint8_t tag, struct der *body);
/* The element with its tag and length. */
bool der_whole(struct der *d, uint8_t tag, struct der *element);
bool der_seq(struct der *d, struct der *body);
/* True as well when the next element has another tag: then @body is empty. */
bool der_optional(struct der *d, uint8_t tag, struct der *body);

bool der_bool(struct der *d, bool *v);
bool der_int(struct der *d, struct der *body);		/* two's complement */
bool der_unsigned(struct der *d, struct der *body);	/* >= 0, no leading zeros */
bool der_small(struct der *d, uint32_t *v);		/* 0 .. 2^31 - 1 */
bool der_bits(struct der *d, struct der *body, unsigned int *unused);
bool der_octet_bits(struct der *d, struct der *body);	/* whole bytes */
bool der_oid(struct der *d, struct der *body);
bool der_null(struct der *d);

#endif
