/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own AES-GCM for the record path, without request or tfm:
 *
 *	if (ktls_gcm_usable())
 *		ktls_gcm_seal(key, &op, tag);
 *
 * and the crypto API where it isn't usable: another CPU or architecture, the
 * kernel's AVX-512 code preferred, the administrator's wish, or SIMD in use
 * below us (never in process context).
 */
#ifndef KTLS_GCM_GLUE_H
#define KTLS_GCM_GLUE_H

#include <linux/errno.h>
#include "gcm.h"

struct scatterlist;

#ifdef CONFIG_X86_64
int ktls_gcm_init(void);
void ktls_gcm_exit(void);

/* May this context seal and open now? What key_init, seal and open below need. */
bool ktls_gcm_usable(void);

/* One FPU section each, without page faults: see gcm.h on user segments. */
void ktls_gcm_key_init(struct gcm_key *key, const u8 *raw, size_t len);
int ktls_gcm_seal(const struct gcm_key *key, const struct gcm_op *op, u8 *tag);
int ktls_gcm_open(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size);

/* A key in memory of its own: of exactly its size, wiped when freed. NULL: no memory. */
struct gcm_key *ktls_gcm_key_new(const u8 *raw, size_t len);
void ktls_gcm_key_free(struct gcm_key *key);

/*
 * @len bytes from @skip on of both lists (which may be the same) as segments.
 * Returns how many, or -ENOSPC when @max are too few.
 */
int ktls_gcm_segments(struct scatterlist *src, struct scatterlist *dst, size_t skip, size_t len,
		      struct gcm_seg *seg, size_t max);

/* gcm-aead.c: the same for the crypto API. */
int ktls_gcm_aead_register(const char *width);
void ktls_gcm_aead_unregister(void);
#else
static inline int ktls_gcm_init(void)
{
	return 0;
}

static inline void ktls_gcm_exit(void)
{
}

static inline bool ktls_gcm_usable(void)
{
	return false;
}

/* Never called where it isn't usable. */
static inline int ktls_gcm_seal(const struct gcm_key *key, const struct gcm_op *op, u8 *tag)
{
	return -EOPNOTSUPP;
}

static inline int ktls_gcm_open(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size)
{
	return -EOPNOTSUPP;
}

static inline struct gcm_key *ktls_gcm_key_new(const u8 *raw, size_t len)
{
	return NULL;
}

static inline void ktls_gcm_key_free(struct gcm_key *key)
{
}
#endif

/* The key as it was given. */
static inline const u8 *ktls_gcm_key_raw(const struct gcm_key *key)
{
	return key->round[0];
}

#endif
