// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux 6.12's AES-GCM for AES-NI and AVX, the one it picks on a CPU without
 * AVX-512: its assembler, called as its glue calls it for a record in one
 * piece. Request, scatterlist and FPU section are not counted.
 */
#include <stdlib.h>
#include <string.h>
#include "../kmod/crypto/gcm.h"
#include "cipher.h"

/* The layout that arch/x86/crypto/aes-gcm-aesni-x86_64.S expects. */
struct linux_key {
	u32 encrypt[60], decrypt[60], length, nonce;
	u64 pad;
	u64 powers[8][2], middles[8], times_x64[2];
} __attribute__((aligned(16)));
_Static_assert(offsetof(struct linux_key, length) == 480, "key_length");
_Static_assert(offsetof(struct linux_key, powers) == 496, "h_powers");
_Static_assert(offsetof(struct linux_key, times_x64) == 688, "h_times_x64");

void aes_gcm_precompute_aesni_avx(struct linux_key *key);
void aes_gcm_aad_update_aesni_avx(const struct linux_key *key, u8 *acc, const u8 *aad, int len);
void aes_gcm_enc_update_aesni_avx(const struct linux_key *key, const u32 *counter, u8 *acc,
				  const u8 *src, u8 *dst, int len);
void aes_gcm_dec_update_aesni_avx(const struct linux_key *key, const u32 *counter, u8 *acc,
				  const u8 *src, u8 *dst, int len);
void aes_gcm_enc_final_aesni_avx(const struct linux_key *key, const u32 *counter, u8 *acc,
				 u64 aad_len, u64 len);
bool aes_gcm_dec_final_aesni_avx(const struct linux_key *key, const u32 *counter, const u8 *acc,
				 u64 aad_len, u64 len, const u8 *tag, int tag_len);

static bool usable(void)
{
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("avx");
}

static void *make(const uint8_t *raw, size_t len)
{
	struct linux_key *key = aligned_alloc(64, (sizeof(*key) + 63) & ~63UL);
	struct gcm_key ours;

	gcm_key_init(&ours, raw, len);
	memcpy(key->encrypt, ours.round, sizeof(ours.round));
	key->length = (u32)len;
	aes_gcm_precompute_aesni_avx(key);
	return key;
}

static u32 be32(const uint8_t *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void start(const uint8_t *iv, u32 *counter, u8 *acc)
{
	counter[0] = 2;
	counter[1] = be32(iv + 8);
	counter[2] = be32(iv + 4);
	counter[3] = be32(iv);
	memset(acc, 0, 16);
}

static void seal(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
		 size_t len, uint8_t *out, uint8_t *tag)
{
	u32 counter[4];
	u8 acc[16];

	start(iv, counter, acc);
	aes_gcm_aad_update_aesni_avx(ctx, acc, aad, AAD_LEN);
	aes_gcm_enc_update_aesni_avx(ctx, counter, acc, in, out, (int)len);
	aes_gcm_enc_final_aesni_avx(ctx, counter, acc, AAD_LEN, len);
	memcpy(tag, acc, TAG_LEN);
}

static bool open_(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
		  size_t len, uint8_t *out, const uint8_t *tag)
{
	u32 counter[4];
	u8 acc[16];

	start(iv, counter, acc);
	aes_gcm_aad_update_aesni_avx(ctx, acc, aad, AAD_LEN);
	aes_gcm_dec_update_aesni_avx(ctx, counter, acc, in, out, (int)len);
	return aes_gcm_dec_final_aesni_avx(ctx, counter, acc, AAD_LEN, len, tag, TAG_LEN);
}

const struct impl impl_linux = { "linux-6.12", usable, make, seal, open_ };
