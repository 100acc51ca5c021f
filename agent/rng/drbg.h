/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CTR_DRBG with AES-256, without a derivation function: SP 800-90A 10.2.1. */
#ifndef DRBG_H
#define DRBG_H
#include <stddef.h>
#include <stdint.h>

#define DRBG_SEED	48		/* bytes of full entropy */
#define DRBG_MOST	65536		/* bytes in one request */

struct drbg { uint8_t key[32], v[16]; };

void drbg_start(struct drbg *d, const uint8_t entropy[DRBG_SEED]);
void drbg_reseed(struct drbg *d, const uint8_t entropy[DRBG_SEED]);
/* When to reseed is the caller's business. */
void drbg_fill(struct drbg *d, uint8_t *out, size_t len);

#endif
