/* SPDX-License-Identifier: GPL-2.0-only */
/* What C and assembler agree on: the layout of keys and of a record's working memory. */
#ifndef KTLS_GCM_WORK_H
#define KTLS_GCM_WORK_H

#define GCM_BATCH	256		/* bytes, 16 blocks, one reduction */

#define GCM_POWERS	16		/* of a batch */

#define GCM_K_BULK	32		/* of struct gcm_key: from H^8 */
#define GCM_K_ROUND	176

#define GCM_W_POWER	0		/* H^16 ... H^1 */
#define GCM_W_MIDDLE	256		/* Karatsuba sums of a batch's powers */
#define GCM_W_COUNTER	384		/* next batch's, little endian, a multiple of its blocks */
#define GCM_W_HASH	416
#define GCM_W_AHEAD	432		/* of the _far functions: from the input to what they fetch */
#define GCM_W_BOUNCE	448

#endif
