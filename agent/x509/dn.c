/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguished names. Two names are the same (RFC 5280 7.1) when their
 * canonical forms are equal bytes: that of an attribute is
 * { 1 when it begins an RDN, length of type, type, kind of string, length
 * of value in two bytes, value }, with PrintableString and UTF8String as one kind, in lower
 * case, inner white space folded. It is never longer than the DER.
 */
#include <string.h>
#include "x509/cert.h"

static bool is_text(uint8_t tag)
{
	return tag == DER_PRINTABLE || tag == DER_UTF8;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static size_t fold(struct der value, uint8_t *out)
{
	uint8_t *p = out;

	for (; value.p < value.end; value.p++) {
		if (*value.p != ' ')
			*p++ = lower(*value.p);
		else if (p > out && p[-1] != ' ')
			*p++ = ' ';
	}
	while (p > out && p[-1] == ' ')
		p--;
	return p - out;
}

/* AttributeTypeAndValue */
static bool attribute(struct der *set, struct der *type, uint8_t *tag, struct der *value)
{
	struct der atv;

	return der_seq(set, &atv) && der_oid(&atv, type) &&
	       der_any(&atv, tag, value) && der_end(&atv);
}

static bool put_attribute(struct der *set, bool first, uint8_t **out)
{
	struct der type, value;
	uint8_t tag, *p = *out;
	size_t len;

	if (!attribute(set, &type, &tag, &value) || der_len(&type) > 255 ||
	    der_len(&value) > 65535)
		return false;
	*p++ = first;
	*p++ = der_len(&type);
	memcpy(p, type.p, der_len(&type));
	p += der_len(&type);
	*p++ = is_text(tag) ? DER_UTF8 : tag;
	len = der_len(&value);
	if (is_text(tag))
		len = fold(value, p + 2);
	else if (len)
		memcpy(p + 2, value.p, len);
	p[0] = len >> 8;
	p[1] = len;
	*out = p + 2 + len;
	return true;
}

bool x509_dn_canonical(struct der name, uint8_t *buf, struct x509_blob *ret)
{
	uint8_t *p = buf;
	struct der set;
	bool first;

	while (!der_end(&name)) {
		if (!der_get(&name, DER_SET, &set) || der_end(&set))
			return false;
		for (first = true; !der_end(&set); first = false)
			if (!put_attribute(&set, first, &p))
				return false;
	}
	*ret = (struct x509_blob){ buf, p - buf };
	return true;
}

/* @name begins with all RDNs of @top. */
bool x509_dn_below(const struct x509_blob *name, const struct x509_blob *top)
{
	if (name->len < top->len || (top->len && memcmp(name->data, top->data, top->len)))
		return false;
	return name->len == top->len || name->data[top->len] == 1;
}

bool x509_dn_attribute(struct der name, const char *type, size_t type_len, struct der *value)
{
	struct der set, t, v;
	uint8_t tag;

	while (der_get(&name, DER_SET, &set))
		while (attribute(&set, &t, &tag, &v))
			if (der_is(&t, type, type_len)) {
				*value = v;
				return true;
			}
	return false;
}
