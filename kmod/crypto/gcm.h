/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AES-GCM with the CPU's own instructions, free of the kernel: the same
 * sources build for user space (tests, bench).
 *
 * The caller answers for three things: the CPU has what the width needs
 * (gcm-glue.c asks), the vector registers are his to use (kernel: inside one
 * FPU section), and nobody changes the input during a call. Time depends on
 * lengths only.
 */
#ifndef KTLS_GCM_H
#define KTLS_GCM_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#include "gcm-work.h"

#define GCM_IV_SIZE	12
#define GCM_TAG_SIZE	16
#define GCM_BLOCK	16
#define GCM_KEY_POWERS	10	/* AAD, eight blocks, the lengths */

/*
 * One direction's key, secret as a whole: wipe it when done. Faster when it
 * starts at a multiple of GCM_KEY_ALIGN. What a short key has no use for stands last, so
 * that GCM_KEY_SIZE() bytes of memory do.
 */
struct gcm_key {
	u8	power[GCM_KEY_POWERS][GCM_BLOCK];	/* H^10 ... H^1 */
	u32	rounds;					/* 10, 12, 14 */
	u32	pad[3];
	u8	round[15][GCM_BLOCK];			/* the raw key comes first */
};
#define GCM_KEY_ALIGN	32
#define GCM_KEY_SIZE(len)	(__builtin_offsetof(struct gcm_key, round) + ((len) / 4 + 7) * GCM_BLOCK)

/*
 * Contiguous bytes: @in is @out, or they don't overlap. @user: @in (to seal) or @out
 * (to open) is memory of the program that calls, which access_ok() knows. Such
 * bytes begin GCM_HEAD bytes into the record or whole batches further, are whole batches, and the
 * record has GCM_USER_MIN bytes and no key of 192 bits. See gcm_cut().
 */
struct gcm_seg {
	const u8	*in;
	u8		*out;
	size_t		len;
	bool		user;
};
#define GCM_HEAD	(GCM_BATCH - 2 * GCM_BLOCK)
#define GCM_USER_MIN	4096

/* One record; its bytes are those of all segments in turn. @far: to open, no cache is likely to have the input. */
struct gcm_op {
	const u8		*iv;		/* GCM_IV_SIZE bytes */
	const u8		*aad;
	size_t			aad_len;
	const struct gcm_seg	*seg;
	size_t			segs;
	bool			far;
};

/*
 * How many of the @len bytes at @at of a record may be a user segment: *@skip bytes behind @at. 0: none.
 */
static inline size_t gcm_cut(size_t at, size_t len, size_t *skip)
{
	size_t end = at + len, from;

	from = at <= GCM_HEAD ? GCM_HEAD :
	       GCM_HEAD + (at - GCM_HEAD + GCM_BATCH - 1) / GCM_BATCH * GCM_BATCH;
	*skip = from - at;
	return end < from ? 0 : (end - from) / GCM_BATCH * GCM_BATCH;
}

/* @len is 16, 24 or 32: the caller has checked. */
void gcm_key_init(struct gcm_key *key, const u8 *raw, size_t len);

/*
 * Both: -EFAULT if user memory was not there, page faults being off. Nothing is lost then: another call
 * under the same nonce writes the same, or the record must go.
 * open() compares the first @size bytes of the tag: 0 or -EBADMSG. The output
 * is written before the tag is known to be right: the caller throws it away on
 * -EBADMSG.
 */
#define GCM_WIDTH(name)							\
int gcm_##name##_seal(const struct gcm_key *key,			\
		      const struct gcm_op *op, u8 *tag);		\
int gcm_##name##_open(const struct gcm_key *key,			\
		      const struct gcm_op *op, const u8 *tag, size_t size)

GCM_WIDTH(vaes);	/* AES-NI, PCLMUL, AVX2, VAES, VPCLMULQDQ */
GCM_WIDTH(aesni);	/* AES-NI, PCLMUL, AVX */

#endif
