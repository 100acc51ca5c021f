/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X.509 as TLS needs it: parse, find a path, check names. Certificates come
 * from strangers: nothing here trusts a length, recurses without a bound, or
 * allocates by the wire's word.
 */
#ifndef X509_H
#define X509_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "crypto/crypto.h"

#define X509_MAX_CHAIN	16		/* certificates accepted from a peer */
#define X509_MAX_CERT	65536		/* bytes of one */

struct x509_blob { const uint8_t *data; size_t len; };

/* One parsed certificate; owns a copy of its DER. */
struct x509_cert;
/* -EBADMSG malformed (bad_certificate), -ENOMEM. */
int x509_cert_parse(const uint8_t *der, size_t len, struct x509_cert **ret);
void x509_cert_free(struct x509_cert *cert);
const struct x509_blob *x509_cert_der(const struct x509_cert *cert);
const struct x509_blob *x509_cert_spki(const struct x509_cert *cert);
time_t x509_cert_not_before(const struct x509_cert *cert);
time_t x509_cert_not_after(const struct x509_cert *cert);
/* May its key sign delegated credentials, RFC 9345 4.2? */
bool x509_cert_may_delegate(const struct x509_cert *cert);
/* Does the certificate carry this DNS name or IP literal in its SAN (RFC 9525)? */
bool x509_cert_has_name(const struct x509_cert *cert, const char *name);
/* The i-th dNSName of the SAN as it stands there ("*.example.org"); NULL past the last. */
const char *x509_cert_dns_name(const struct x509_cert *cert, size_t i);
/* Readable names of the SAN, comma separated, always terminated. */
void x509_cert_describe(const struct x509_cert *cert, char *buf, size_t size);

/* The SignatureScheme of the signature on it; 0: none that TLS names. */
uint16_t x509_cert_scheme(const struct x509_cert *cert);
/* Is its issuer of this name, in DER? */
bool x509_cert_issued_by(const struct x509_cert *cert, const uint8_t *name, size_t len);
bool x509_cert_self_issued(const struct x509_cert *cert);

/*
 * All certificates of a PEM text, in its order; other blocks, such as keys, are
 * skipped. -EBADMSG malformed, -E2BIG more than @max.
 */
int x509_pem_read(const char *pem, size_t len, struct x509_cert **certs, size_t max, size_t *ret_num);

/* Trust anchors. */
struct x509_store;
struct x509_store *x509_store_new(void);
void x509_store_free(struct x509_store *store);
int x509_store_add(struct x509_store *store, struct x509_cert *cert);	/* takes the certificate over */
/* A PEM file of anchors; @ret_num certificates were added. -errno of open and read, -EBADMSG. */
int x509_store_add_file(struct x509_store *store, const char *path, size_t *ret_num);
size_t x509_store_size(const struct x509_store *store);
/* The names of all anchors, in DER, each behind its length in two bytes; 0: they don't fit. */
size_t x509_store_names(const struct x509_store *store, uint8_t *to, size_t room);
/*
 * Refuse what a public CA may not issue, although RFC 5280 6 would validate it:
 * for stores of which all CAs are known to keep to the rules of the web.
 */
void x509_store_be_strict(struct x509_store *store);
/*
 * Revocation lists, PEM (any number) or DER. A certificate is refused if the
 * list of its issuer has it, or can't be relied on: too old, not signed by the
 * issuer, not understood. -EBADMSG malformed.
 */
int x509_store_add_crls(struct x509_store *store, const uint8_t *data, size_t len, size_t *ret_num);
/* Refuse those as well whose issuer has no list here. */
void x509_store_require_crls(struct x509_store *store);

/* Refuse end entities without an OCSP response, where x509_check.staple isn't NULL. */
void x509_store_require_staples(struct x509_store *store);
/* Does this response say of any certificate that it is good now, and until when? Of no signature. */
bool x509_ocsp_fresh(const uint8_t *data, size_t len, time_t now, time_t *until);

enum x509_purpose { X509_SERVER_AUTH, X509_CLIENT_AUTH };

struct x509_check {
	enum x509_purpose purpose;
	const char *name;		/* DNS name or IP literal to be found; NULL: no name check */
	time_t now;
	unsigned int rsa_min_bits;	/* 2048 */
	const uint16_t *schemes;	/* for crypto_key_on; NULL: what needs no naming */
	size_t schemes_num;
	unsigned int max_depth;		/* intermediates; 0 for the default of 8 */
	/*
	 * The OCSP response that came along for chain[0], empty if it didn't. NULL: none was
	 * asked for, and a certificate that must have one (RFC 7633) does without.
	 */
	const struct x509_blob *staple;
};

#define X509_NO_INTERMEDIATES (~0u)	/* as max_depth */
#define X509_WHY 200
/*
 * Validate chain[0], with the rest as untrusted helpers in any order, up to an
 * anchor (RFC 5280 6, RFC 9525). 0; or the alert that TLS names for it
 * (bad_certificate 42, unsupported_certificate 43, certificate_revoked 44,
 * certificate_expired 45, certificate_unknown 46, unknown_ca 48,
 * bad_certificate_status_response 113); or -errno.
 * @why gets one sentence that names the certificate and what to do.
 */
int x509_verify(const struct x509_store *store, struct x509_cert *const *chain, size_t num,
		const struct x509_check *check, char why[X509_WHY]);

/*
 * precert.c: the TBSCertificate that logs have signed whose timestamps are in @cert, RFC 6962 3.2 and
 * 3.3. Its length; 0: there are none, or it has more than @room.
 */
size_t x509_precert(const struct x509_cert *cert, uint8_t *to, size_t room, struct x509_blob *ret_list);
/* The @i-th certificate that may be the issuer of @cert, by its name; NULL past the last. */
const struct x509_cert *x509_issuer(const struct x509_store *store, struct x509_cert *const *chain, size_t num,
				    const struct x509_cert *cert, size_t i);

#endif
