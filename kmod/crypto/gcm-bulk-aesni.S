/* SPDX-License-Identifier: GPL-2.0-only */
/* gcm-bulk.h with one block in a vector. */
#define NAME		gcm_aesni_bulk
#define VEC		xmm
#define VSIZE		16
#define FULL		2
#define LOAD_KEY	vmovdqu
#define REDUCE_LAST1	vmovdqa HIGH, HASH
#define REDUCE_LAST2
#include "gcm-bulk.h"
