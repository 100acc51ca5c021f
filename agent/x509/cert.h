/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A parsed certificate, for this folder. Nothing in it changes once parsed. */
#ifndef X509_CERT_H
#define X509_CERT_H
#include "crypto/der.h"
#include "x509/x509.h"

/* keyUsage, RFC 5280 4.2.1.3: bit n of the BIT STRING is 1 << n. */
enum key_usage { KU_DIGITAL_SIGNATURE = 1 << 0, KU_KEY_CERT_SIGN = 1 << 5, KU_CRL_SIGN = 1 << 6 };

/* extendedKeyUsage: a bit for each purpose that TLS knows. */
enum ext_usage { EKU_SERVER = 1 << X509_SERVER_AUTH, EKU_CLIENT = 1 << X509_CLIENT_AUTH, EKU_ANY = 1 << 2, EKU_OCSP = 1 << 3 };

/* GeneralName, RFC 5280 4.2.1.6: the tags in use */
enum general_name {
	GN_EMAIL = DER_CONTEXT(1), GN_DNS = DER_CONTEXT(2), GN_URI = DER_CONTEXT(6),
	GN_IP = DER_CONTEXT(7), GN_DIRECTORY = DER_EXPLICIT(4),
};

/* The extensions of ext.c's table, in its order: bits of exts and exts_critical. */
enum x509_ext {
	EXT_SUBJECT_KEY, EXT_KEY_USAGE, EXT_SUBJECT_ALT_NAME, EXT_BASIC_CONSTRAINTS, EXT_NAME_CONSTRAINTS,
	EXT_POLICIES, EXT_POLICY_MAPPINGS, EXT_ISSUER_KEY, EXT_POLICY_CONSTRAINTS, EXT_EXT_KEY_USAGE,
	EXT_INHIBIT_ANY_POLICY, EXT_INFO_ACCESS, EXT_TLS_FEATURE, EXT_DELEGATION_USAGE,
};

struct x509_cert {
	struct x509_blob der, spki;	/* der owns the bytes of everything below */
	struct der tbs, signature_algorithm, signature, serial;
	struct der subject, subject_der;	/* without and with its header */
	struct x509_blob issuer_key, subject_name, issuer_name;	/* names: canonical, see dn.c */
	struct x509_blob subject_key;	/* key identifiers, empty when absent */
	uint8_t *names;			/* what the canonical names lie in */
	time_t not_before, not_after;
	struct crypto_pubkey key;
	int key_err;			/* why there is no key: -ENOTSUP, -EBADMSG */

	bool must_staple;		/* RFC 7633: status_request is among its features */
	bool ca, key_usage_set, ext_usage_set, constrained, needs_policy;
	int path_len;			/* -1: no limit */
	unsigned int key_usage, ext_usage;
	unsigned int exts, exts_critical;	/* present; and marked as critical */
	bool issuer_key_more;		/* the issuer's key is also named by name and number */
	struct der san;			/* GeneralNames */
	struct der permitted, excluded;	/* GeneralSubtrees */
	char *dns_text;			/* the dNSNames, each terminated */
	size_t dns_num;

	const char *defect;		/* well-formed, but against RFC 5280: what */
	const char *serial_defect;	/* the same of the serial number: no matter in an anchor */
	bool unknown_critical;
};

/* ext.c: the extensions of @cert. -EBADMSG malformed. */
int x509_ext_parse(struct x509_cert *cert, struct der list);

/* dn.c */
bool x509_dn_canonical(struct der name, uint8_t *buf, struct x509_blob *ret);
bool x509_dn_below(const struct x509_blob *name, const struct x509_blob *top);
/* Value of the first attribute of this type (an OID) in a Name. */
bool x509_dn_attribute(struct der name, const char *type, size_t type_len, struct der *value);

static inline bool x509_blob_equal(const struct x509_blob *a, const struct x509_blob *b)
{
	struct der x = der_of(a->data, a->len), y = der_of(b->data, b->len);

	return der_equal(&x, &y);
}

static inline struct x509_blob x509_blob_of(struct der d)
{
	return (struct x509_blob){ d.p, der_len(&d) };
}

/* name.c */
enum x509_dns_form { X509_DNS_HOST, X509_DNS_PATTERN };	/* a pattern may begin with "*." */
bool x509_dns_valid(const char *name, size_t len, enum x509_dns_form form);

/*
 * constraints.c: do the names of @cert keep to what @ca allows? Takes from
 * @budget for each comparison. 0, an alert, or -E2BIG when it is used up.
 */
int x509_constraints_check(const struct x509_cert *ca, const struct x509_cert *cert,
			   unsigned int *budget);
/* Are the subtrees themselves well-formed? */
bool x509_constraints_valid(struct der subtrees);

/* strict.c: what a public CA may not have issued, or NULL. */
enum x509_place { X509_END_ENTITY, X509_INTERMEDIATE, X509_ANCHOR };
const char *x509_strict_defect(const struct x509_cert *cert, enum x509_place place,
			       enum x509_purpose purpose);

/* cert.c: Time, RFC 5280 4.1.2.5 */
bool x509_time_parse(struct der *d, time_t *ret);

/* ext.c: the head of the next Extension of @list; @value is left to be parsed. */
bool x509_ext_head(struct der *list, struct der *oid, bool *critical, struct der *value);

/*
 * signature.c: was @tbs signed with this key? 0, -EBADMSG no, -ENOTSUP unknown
 * algorithm, -EACCES one that is known to be weak.
 */
int x509_signature_check(struct der algorithm, struct der tbs, struct der signature,
			 const struct crypto_pubkey *key);

/* ocsp.c: what @response says of @cert; unless good, @why goes on from the certificate's name. */
enum x509_status { X509_STATUS_GOOD, X509_STATUS_REVOKED, X509_STATUS_USELESS };
enum x509_status x509_ocsp_check(struct x509_blob response, const struct x509_cert *cert,
				 const struct x509_cert *issuer, time_t now, const char **why);

/* crl.c: a revocation list. Nothing in it changes once parsed, but what is known of its signature. */
struct x509_crl {
	struct x509_crl *next;
	struct x509_blob der;		/* owns the bytes of everything below */
	struct der tbs, signature_algorithm, signature;
	uint8_t *name;
	struct x509_blob issuer_name;	/* canonical, in name */
	struct x509_blob issuer_key;	/* key identifier, empty when absent */
	time_t this_update, next_update;
	bool next_update_set;
	struct der *serials;		/* revoked, sorted */
	size_t num;
	const char *defect;		/* why it can't be relied on */
	struct x509_crl_signed { bool by_any; uint8_t spki[32]; } *signer;	/* whose signature it bears: digest of the key */
};
/* -EBADMSG, -ENOMEM. */
int x509_crl_parse(const uint8_t *der, size_t len, struct x509_crl **ret);
void x509_crl_free(struct x509_crl *crl);
/* Did this key sign it? Computed once for the key that did: lists are large, and every peer has the same. */
bool x509_crl_signed(const struct x509_crl *crl, const struct x509_cert *issuer);
bool x509_crl_has(const struct x509_crl *crl, struct der serial);
/* store.c */
const struct x509_crl *x509_store_crls(const struct x509_store *store);
bool x509_store_wants_crls(const struct x509_store *store);
bool x509_store_wants_staples(const struct x509_store *store);
bool x509_store_is_strict(const struct x509_store *store);

/* store.c: walks the anchors of this subject; start with a NULL @at. */
struct x509_anchor { struct x509_cert *cert; struct x509_anchor *next; };
const struct x509_anchor *x509_store_next(const struct x509_store *store, const struct x509_anchor *at);
const struct x509_anchor *x509_store_find(const struct x509_store *store,
					  const struct x509_blob *subject,
					  const struct x509_anchor *at);
#endif
