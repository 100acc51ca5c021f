/* SPDX-License-Identifier: GPL-2.0-only */
/* What C and assembler agree on: the layout of keys and of a record's working memory. */
#ifndef KTLS_GCM_WORK_H
#define KTLS_GCM_WORK_H

#define GCM_BATCH	256		/* bytes, 16 blocks, one reduction */

#define GCM_POWERS	18		/* AAD, a batch, the lengths */

#define GCM_K_BULK	32		/* of struct gcm_key: from H^8 */
#define GCM_K_ROUND	176

#define GCM_W_POWER	0		/* H^18 ... H^1 */
#define GCM_W_BULK	32		/* from H^16: what a whole batch is multiplied with */
#define GCM_W_MIDDLE	288		/* Karatsuba sums of a batch's powers */
#define GCM_W_COUNTER	416		/* next batch's, little endian, a multiple of its blocks */
#define GCM_W_HASH	448
#define GCM_W_AHEAD	464		/* of the _far functions: from the input to what they fetch */
#define GCM_W_BOUNCE	480

#endif
