/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ciphers of TLS 1.3 and 1.2 and one AEAD call each way. All of it is
 * synchronous and for process context: the request lives in memory that the
 * caller lends. That is not the stack, since some templates make
 * scatterlists of their request, and stacks may be vmalloc'ed.
 */
#ifndef KTLS_CRYPTO_AEAD_H
#define KTLS_CRYPTO_AEAD_H

#include <linux/types.h>

struct crypto_aead;
struct gcm_op;
struct scatterlist;
struct ktls_half;

/*
 * iv is what nonce and sequence number make together (RFC 9846 5.3); in
 * linux/tls.h it is split into salt and iv. limit: records under one key
 * (RFC 9846 5.5).
 */
struct ktls_cipher {
	u16		id;		/* TLS_CIPHER_* */
	u8		key, salt, iv, tag;
	u8		mac;		/* CBC: so much of the key is the HMAC's, and comes first */
	u8		lead;		/* byte before the nonce: CCM says how long lengths are */
	u16		only;		/* version, if there is only one */
	u64		limit;
	bool		own;		/* kmod/crypto/gcm.h can do it */
	const char	*sync;		/* synchronous only, no wrapper; may be absent */
	const char	*alg;
	const char	*module;	/* what to load where alg isn't found */
};

#define KTLS_AEAD_ROOM	1024	/* struct aead_request and what an algorithm adds */

struct ktls_aead_room {
	u8	bytes[KTLS_AEAD_ROOM] __aligned(16);
};

const struct ktls_cipher *ktls_cipher_find(u16 id);

/* @half's key, for ours or the crypto API's code. -ENOENT: this kernel has none. May sleep. */
int ktls_aead_init(struct ktls_half *half, const struct ktls_cipher *cipher, const u8 *key);
void ktls_aead_wipe(struct ktls_half *half);

/*
 * One record under the half's next sequence number, which is used up where
 * the result is 0. @src and @dst begin with the additional data; @len is what
 * follows it: plaintext for seal, plaintext and tag for open. @carried: the
 * nonce that the record carries; NULL: none. -EBADMSG: the tag is wrong.
 */
int ktls_aead_seal(struct ktls_half *half, struct ktls_aead_room *room, struct scatterlist *src,
		   struct scatterlist *dst, size_t len, const u8 *carried);
int ktls_aead_open(struct ktls_half *half, struct ktls_aead_room *room, struct scatterlist *src,
		   struct scatterlist *dst, size_t len, const u8 *carried);

/*
 * The same without scatterlists, by our own code. Only where ktls_aead_direct()
 * says that it can be, now. @op lacks no more than its iv; @tag has 16 bytes.
 * ktls_aead_user(): where so, its segments may be a program's memory. -EFAULT: it wasn't there;
 * the number is not used up.
 */
bool ktls_aead_direct(const struct ktls_half *half);
bool ktls_aead_user(const struct ktls_half *half);
int ktls_aead_seal_direct(struct ktls_half *half, struct gcm_op *op, u8 *tag, const u8 *carried);
int ktls_aead_open_direct(struct ktls_half *half, struct gcm_op *op, const u8 *tag, const u8 *carried);

#endif
