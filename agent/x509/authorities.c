/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a peer says of the chains that it would take, against the chains that
 * we have: signature schemes and names of authorities, RFC 9846 4.2.3, 4.2.4.
 */
#include <string.h>
#include "x509/cert.h"

#define NAME_MAX_LEN 2048

bool x509_cert_issued_by(const struct x509_cert *cert, const uint8_t *name, size_t len)
{
	struct der d = der_of(name, len), rdns;
	struct x509_blob canonical;
	uint8_t buf[NAME_MAX_LEN];

	return len <= sizeof(buf) && der_get(&d, DER_SEQ, &rdns) && der_end(&d) &&
	       x509_dn_canonical(rdns, buf, &canonical) && x509_blob_equal(&canonical, &cert->issuer_name);
}

bool x509_cert_self_issued(const struct x509_cert *cert)
{
	return x509_blob_equal(&cert->subject_name, &cert->issuer_name);
}

static bool put_name(const struct x509_cert *cert, uint8_t *to, size_t room, size_t *len)
{
	size_t n = der_len(&cert->subject_der);

	if (n > 0xffff || n + 2 > room)
		return false;
	to[0] = (uint8_t)(n >> 8);
	to[1] = (uint8_t)n;
	memcpy(to + 2, cert->subject_der.p, n);
	*len += n + 2;
	return true;
}

size_t x509_store_names(const struct x509_store *store, uint8_t *to, size_t room)
{
	const struct x509_anchor *a = NULL;
	size_t len = 0;

	while ((a = x509_store_next(store, a)))
		if (!put_name(a->cert, to + len, room - len, &len))
			return 0;
	return len;
}
