/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The implementations that bench-cipher compares. Each call is one TLS 1.3 record. */
#ifndef BENCH_CIPHER_H
#define BENCH_CIPHER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AAD_LEN		5
#define TAG_LEN		16

struct impl {
	const char *name;
	bool (*usable)(void);
	void *(*make)(const uint8_t *key, size_t len);
	void (*seal)(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
		     size_t len, uint8_t *out, uint8_t *tag);
	bool (*open)(void *ctx, const uint8_t *iv, const uint8_t *aad, const uint8_t *in,
		     size_t len, uint8_t *out, const uint8_t *tag);
};

/* cipher-impls.c; the first is what the others are compared with */
extern const struct impl *const impls[];
extern const size_t impls_num;
/* cipher-nettle.c */
extern const struct impl impl_nettle;
/* cipher-linux.c; only where the kernel's source was there */
extern const struct impl impl_linux;

#endif
