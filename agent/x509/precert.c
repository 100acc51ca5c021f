// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a log of certificates has signed before the certificate was, RFC 6962
 * 3.2: its TBSCertificate without the extension that then took the log's
 * signatures. All other bytes stay as they are, so only the lengths around
 * the gap are written anew.
 */
#include <string.h>
#include "cert.h"

/* 1.3.6.1.4.1.11129.2.4.2 */
#define SCT_LIST "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"

struct out { uint8_t *p; size_t len, room; bool overflow; };

static void put(struct out *o, const uint8_t *p, size_t len)
{
	if (o->overflow || len > o->room - o->len) {
		o->overflow = true;
		return;
	}
	memcpy(o->p + o->len, p, len);
	o->len += len;
}

static size_t length_size(size_t len)
{
	return len < 0x80 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 : 4;
}

/* Tag and length of an element, shortest form. */
static void put_head(struct out *o, uint8_t tag, size_t len)
{
	size_t n = length_size(len) - 1;
	uint8_t head[5] = { tag, (uint8_t)(n ? 0x80 | n : len) };

	for (size_t i = 0; i < n; i++)
		head[2 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	put(o, head, 2 + n);
}

static size_t whole(size_t body)
{
	return 1 + length_size(body) + body;
}

struct parts {
	struct der before;		/* TBSCertificate up to its extensions */
	struct der first, second;	/* the extensions before and behind the list */
	struct x509_blob list;
};

/* Extensions: what stands around the list, and the list. */
static bool split(struct der exts, struct parts *ret)
{
	struct der oid, value, inner;
	bool critical;

	ret->first = (struct der){ exts.p, exts.p };
	while (!der_end(&exts)) {
		ret->first.end = exts.p;
		if (!x509_ext_head(&exts, &oid, &critical, &value))
			return false;
		if (!der_is(&oid, SCT_LIST, sizeof(SCT_LIST) - 1))
			continue;
		ret->second = exts;
		if (!der_get(&value, DER_OCTETS, &inner) || !der_end(&value))
			return false;
		ret->list = x509_blob_of(inner);
		return true;
	}
	return false;
}

static bool find(const struct x509_cert *cert, struct parts *ret)
{
	struct der all = der_of(cert->der.data, cert->der.len), body, tbs, outer, exts;
	uint8_t tag;

	if (!der_seq(&all, &body) || !der_seq(&body, &tbs))
		return false;
	ret->before = (struct der){ tbs.p, tbs.p };
	while (!der_end(&tbs) && !der_peek(&tbs, DER_EXPLICIT(3))) {
		if (!der_any(&tbs, &tag, &body))
			return false;
		ret->before.end = tbs.p;
	}
	return der_get(&tbs, DER_EXPLICIT(3), &outer) && der_seq(&outer, &exts) && split(exts, ret);
}

size_t x509_precert(const struct x509_cert *cert, uint8_t *to, size_t room, struct x509_blob *ret_list)
{
	struct out o = { .p = to, .room = room };
	size_t before, exts;
	struct parts parts;

	if (!find(cert, &parts))
		return 0;
	before = der_len(&parts.before);
	exts = der_len(&parts.first) + der_len(&parts.second);
	put_head(&o, DER_SEQ, before + (exts ? whole(whole(exts)) : 0));
	put(&o, parts.before.p, before);
	if (exts) {
		put_head(&o, DER_EXPLICIT(3), whole(exts));
		put_head(&o, DER_SEQ, exts);
		put(&o, parts.first.p, der_len(&parts.first));
		put(&o, parts.second.p, der_len(&parts.second));
	}
	if (o.overflow)
		return 0;
	*ret_list = parts.list;
	return o.len;
}

const struct x509_cert *x509_issuer(const struct x509_store *store, struct x509_cert *const *chain, size_t num,
				    const struct x509_cert *cert, size_t i)
{
	const struct x509_anchor *a = NULL;

	for (size_t j = 0; j < num; j++)
		if (x509_blob_equal(&chain[j]->subject_name, &cert->issuer_name) && !i--)
			return chain[j];
	while ((a = x509_store_find(store, &cert->issuer_name, a)))
		if (!i--)
			return a->cert;
	return NULL;
}
