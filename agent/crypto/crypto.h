/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What TLS needs of cryptography, as tables of const descriptors; nettle is
 * behind each of them (another provider replaces a row, provider.c). Nothing
 * here knows TLS messages. Functions return 0 or -errno.
 */
#ifndef CRYPTO_H
#define CRYPTO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_MAX_DIGEST	64
#define CRYPTO_MAX_KEY		80	/* HMAC-SHA-384 and AES-256 */
#define CRYPTO_MAX_SHARE	1216	/* largest key share: X25519MLKEM768's */
#define CRYPTO_MAX_PRIVATE	2464
#define CRYPTO_MAX_SECRET	512	/* ffdhe4096's */
#define CRYPTO_MAX_RSA		1024	/* a number of RSA-8192 */
#define CRYPTO_MAX_SIGNATURE	4627	/* ML-DSA-87 */

/* ---- hash.c */
struct crypto_hash {
	const char *name;		/* "sha256" */
	uint8_t size, block;
	uint16_t ctx;			/* bytes of state */
	void (*init)(void *ctx);
	void (*update)(void *ctx, size_t len, const uint8_t *data);
	void (*digest)(void *ctx, uint8_t *out);	/* also resets */
};
extern const struct crypto_hash crypto_sha256, crypto_sha384, crypto_sha512;
#define CRYPTO_HASH_CTX 256		/* room for any of them */

void crypto_hash_once(const struct crypto_hash *h, const void *data, size_t len, uint8_t *out);
void crypto_hmac(const struct crypto_hash *h, const uint8_t *key, size_t key_len,
		 const void *data, size_t len, uint8_t *out);
/* RFC 5869. @out of expand at most 255 * h->size bytes. */
void crypto_hkdf_extract(const struct crypto_hash *h, const uint8_t *salt, size_t salt_len,
			 const uint8_t *ikm, size_t ikm_len, uint8_t *prk);
void crypto_hkdf_expand(const struct crypto_hash *h, const uint8_t *prk,
			const void *info, size_t info_len, uint8_t *out, size_t len);
bool crypto_equal(const void *a, const void *b, size_t len);	/* constant time */
void crypto_wipe(void *p, size_t len);

/* ---- aead.c */
struct crypto_aead {
	const char *name;		/* "aes-128-gcm" */
	uint16_t tls_cipher;		/* TLS_CIPHER_* of linux/tls.h, KTLS_CIPHER_* of linux/ktls.h */
	uint8_t key, nonce, tag;
	uint8_t mac;			/* bytes of the key that are an HMAC's: it is CBC, cbc.c; 0: an AEAD */
	uint8_t fixed;			/* bytes of the nonce that TLS 1.2 derives; a record carries the others */
	/* @out has crypto_padded(len) + tag bytes; in place allowed. */
	void (*seal)(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
		     const uint8_t *in, size_t len, uint8_t *out);
	/* @in has len bytes of ciphertext and tag; a wrong tag gives -EBADMSG and wipes @out. */
	int (*open)(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
		    const uint8_t *in, size_t len, uint8_t *out);
};
extern const struct crypto_aead crypto_aes_128_gcm, crypto_aes_256_gcm, crypto_chacha20_poly1305,
	crypto_aes_128_ccm, crypto_aes_256_ccm, crypto_aes_128_ccm_8, crypto_aes_128_cbc_sha, crypto_aes_256_cbc_sha,
	crypto_aes_128_cbc_sha256, crypto_aes_256_cbc_sha256, crypto_aes_256_cbc_sha384;
size_t crypto_padded(const struct crypto_aead *aead, size_t len);	/* bytes that @len are sealed as, less the tag */
/* Of what open() gave, @len bytes: less its padding. -EBADMSG: that is wrong. */
int crypto_unpad(const struct crypto_aead *aead, const uint8_t *p, size_t *len);

/* ---- group.c, ecdh.c, ecdh_brainpool.c, ffdhe.c, hybrid.c: key agreement, RFC 9846 4.2.8; @g is the descriptor itself */
struct crypto_group {
	const char *name;		/* "x25519" */
	uint16_t id;			/* IANA supported group */
	uint16_t private_len;
	uint16_t client_share, server_share, secret;	/* bytes on the wire */
	uint16_t only;			/* the version of TLS that alone has it; 0: all */
	const void *inner;		/* what the functions know of this group */
	const struct crypto_group *classical;	/* of a hybrid: the half that older peers have too */
	/* Client: fresh private key and its share. */
	int (*generate)(const struct crypto_group *g, uint8_t *priv, uint8_t *share);
	/* Client: from the server's share; -EBADMSG if it is no valid share (illegal_parameter). */
	int (*agree)(const struct crypto_group *g, const uint8_t *priv, const uint8_t *peer, uint8_t *secret);
	/* Server: from the client's share, its own share and the secret in one step (fits KEMs as well). */
	int (*respond)(const struct crypto_group *g, const uint8_t *peer, uint8_t *share, uint8_t *secret);
};
extern const struct crypto_group crypto_x25519mlkem768, crypto_x25519, crypto_x448, crypto_secp256r1,
	crypto_secp384r1, crypto_secp521r1, crypto_ffdhe2048, crypto_ffdhe3072, crypto_ffdhe4096,
	crypto_brainpoolP256r1, crypto_brainpoolP384r1, crypto_brainpoolP512r1,
	crypto_brainpoolP256r1tls13, crypto_brainpoolP384r1tls13, crypto_brainpoolP512r1tls13;

/* ---- pubkey.c, privkey.c, scheme.c: keys and signatures */
enum crypto_key_type {
	CRYPTO_KEY_NONE, CRYPTO_KEY_RSA, CRYPTO_KEY_RSA_PSS, CRYPTO_KEY_P256, CRYPTO_KEY_P384,
	CRYPTO_KEY_P521, CRYPTO_KEY_ED25519, CRYPTO_KEY_ED448,
	CRYPTO_KEY_BRAINPOOL256, CRYPTO_KEY_BRAINPOOL384, CRYPTO_KEY_BRAINPOOL512,
	CRYPTO_KEY_MLDSA44, CRYPTO_KEY_MLDSA65, CRYPTO_KEY_MLDSA87,
};

/* A public key; inner is nettle's, or bytes. */
struct crypto_pubkey {
	enum crypto_key_type type;
	unsigned int bits;
	void *inner;
};
/* From a DER SubjectPublicKeyInfo. -EBADMSG malformed, -ENOTSUP algorithm not known. */
int crypto_pubkey_parse(const uint8_t *spki, size_t len, struct crypto_pubkey *ret);
void crypto_pubkey_free(struct crypto_pubkey *key);

/* Private key: only the keeper has any. */
struct crypto_key;
/* PEM or DER; PKCS#8, PKCS#1, SEC1. -EBADMSG, -ENOTSUP; -ENOKEY: it is encrypted. */
int crypto_key_load(const uint8_t *data, size_t len, struct crypto_key **ret);
/* Encrypted PKCS#8 as well. -EACCES: not the passphrase. */
int crypto_key_unlock(const uint8_t *data, size_t len, const uint8_t *passphrase, size_t passphrase_len,
		      struct crypto_key **ret);
void crypto_key_free(struct crypto_key *key);	/* wipes */
enum crypto_key_type crypto_key_type(const struct crypto_key *key);
const struct crypto_pubkey *crypto_key_public(const struct crypto_key *key);
bool crypto_key_matches(const struct crypto_key *key, const struct crypto_pubkey *pub);

/* For keys that lie elsewhere: what PKCS#1 pads (RFC 8017 9.2), and r and s of ECDSA in DER. */
#define CRYPTO_DIGEST_INFO	(19 + CRYPTO_MAX_DIGEST)
size_t crypto_digest_info(const struct crypto_hash *hash, const uint8_t *msg, size_t len,
			  uint8_t out[CRYPTO_DIGEST_INFO]);
size_t crypto_ecdsa_encode(const uint8_t *rs, size_t half, uint8_t *sig);

/* One row per TLS SignatureScheme, RFC 9846 4.2.3. */
struct crypto_scheme {
	const char *name;		/* "ecdsa_secp256r1_sha256" */
	uint16_t id;
	uint16_t id12;			/* what TLS 1.2 calls it; 0: not there */
	enum crypto_key_type key;	/* RSA: rsa_pss_rsae and pkcs1 */
	const struct crypto_hash *hash;	/* NULL where the algorithm has its own */
	bool tls13;			/* allowed in CertificateVerify */
	bool opt;			/* only where a list names it */
	/* @sig has CRYPTO_MAX_SIGNATURE bytes. -EINVAL: not a key of this family. */
	int (*sign)(const struct crypto_key *key, const struct crypto_hash *hash,
		    const uint8_t *msg, size_t len, uint8_t *sig, size_t *sig_len);
	/*
	 * -EBADMSG: does not verify. TLS asks crypto_scheme_fits before: a
	 * certificate may use ECDSA with a hash that is not its curve's.
	 */
	int (*verify)(const struct crypto_pubkey *key, const struct crypto_hash *hash,
		      const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len);
};
/* In order of preference; at most CONFIG_LIST of them (config.h). */
extern const struct crypto_scheme crypto_schemes[];
extern const size_t crypto_schemes_num;
const struct crypto_scheme *crypto_scheme_find(uint16_t id);
/* Would a key of this type and size be able to use it? (A 1024-bit key can't do PSS with SHA-512.) */
bool crypto_scheme_fits(const struct crypto_scheme *s, enum crypto_key_type type, unsigned int bits);
/* Is this scheme on: named by @list, or, where that is NULL, one that needs no naming? */
bool crypto_scheme_on(const struct crypto_scheme *s, const uint16_t *list, size_t num);
/* Likewise of keys; those that have a scheme that needs no naming are always on. */
bool crypto_key_on(enum crypto_key_type type, const uint16_t *list, size_t num);

#endif
