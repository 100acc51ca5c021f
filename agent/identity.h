/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An identity: a named certificate chain whose key the keeper holds. Workers
 * have this public half only, and name the key by number when they ask for a
 * signature.
 */
#ifndef IDENTITY_H
#define IDENTITY_H
#include "x509/x509.h"

/* An OCSP response of an identity's; it may be replaced by a newer one. */
struct staple {
	uint8_t *data;
	size_t len;			/* 0: there is none that is any good */
	time_t until;			/* good until then */
};

/* A key that the identity's own has signed for some days, RFC 9345. */
struct delegated {
	const uint8_t *data;		/* the structure DelegatedCredential */
	size_t len;
};

struct identity {
	char *name;			/* section of the configuration */
	uint32_t key;			/* the keeper's number for it */
	enum crypto_key_type key_type;
	unsigned int key_bits;
	struct x509_cert *chain[X509_MAX_CHAIN];	/* end entity first */
	size_t num;
	bool raw_key;			/* proves its bare key to who would have that, RFC 7250 */
	const struct staple *staple;	/* NULL: none is configured */
	uint8_t *sct;			/* SignedCertificateTimestampList of chain[0], RFC 6962 3.3; NULL: none */
	size_t sct_len;
	const struct delegated *delegated;	/* to be presented to who takes it; NULL: there is none */
};

#endif
