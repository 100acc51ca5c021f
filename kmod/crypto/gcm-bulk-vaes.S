/* SPDX-License-Identifier: GPL-2.0-only */
/* gcm-bulk.h with two blocks in a vector. */
#define NAME		gcm_vaes_bulk
#define VEC		ymm
#define VSIZE		32
#define FULL		1
#define LOAD_KEY	vbroadcasti128
#define REDUCE_LAST1	vextracti128 $1, HIGH, %xmm13
#define REDUCE_LAST2	vpxor %xmm10, %xmm13, %xmm13
#include "gcm-bulk.h"
