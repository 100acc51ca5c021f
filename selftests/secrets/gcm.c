/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's AES-GCM may branch on no secret and index by none: the key and
 * the plaintext are undefined memory, as in secrets.c. Lengths are public. Only
 * AES-NI: valgrind knows no VAES, whose records are the same source.
 * Exit status 4: not under valgrind.
 */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>
#include "../../kmod/crypto/gcm.h"
#include "cases.h"

#define SECRET(p, len)	VALGRIND_MAKE_MEM_UNDEFINED(p, len)
#define PUBLIC(p, len)	VALGRIND_MAKE_MEM_DEFINED(p, len)
#define MAX		9000

static u8 plain[MAX], cipher[MAX], opened[MAX], tag[GCM_TAG_SIZE];
static const u8 iv[GCM_IV_SIZE] = { 1 }, aad[13] = { 2 };

static bool same(const void *a, const void *b, size_t len)
{
	PUBLIC(a, len);
	PUBLIC(b, len);
	return !memcmp(a, b, len);
}

/* Sealed from two segments, which cut a block, and opened as one. */
static bool record(const struct gcm_key *key, size_t len)
{
	struct gcm_seg cut[2] = { { plain, cipher, len / 3, false },
				  { plain + len / 3, cipher + len / 3, len - len / 3, false } };
	struct gcm_seg whole = { cipher, opened, len, false };
	struct gcm_op seal = { .iv = iv, .aad = aad, .aad_len = sizeof(aad), .seg = cut, .segs = 2 };
	struct gcm_op open = { .iv = iv, .aad = aad, .aad_len = sizeof(aad), .seg = &whole, .segs = 1 };
	int err;

	SECRET(plain, sizeof(plain));
	gcm_aesni_seal(key, &seal, tag);
	err = gcm_aesni_open(key, &open, tag, sizeof(tag));
	PUBLIC(&err, sizeof(err));
	return !err && same(plain, opened, len);
}

static bool records(size_t key_len)
{
	static struct gcm_key key;
	u8 raw[32] = { 7 };
	size_t len;
	bool good = true;

	SECRET(raw, sizeof(raw));
	gcm_key_init(&key, raw, key_len);
	for (len = 0; len < MAX; len += len < 520 ? 13 : len < 3000 ? 203 : 1777)
		good &= record(&key, len);
	return good;
}

/* What must be seen. */
static bool a_branch(size_t key_len)
{
	u8 raw[32] = { 7 };
	volatile int taken = 0;

	SECRET(raw, sizeof(raw));
	if (raw[key_len - 1])
		taken = 1;
	return taken || !taken;
}

static const struct {
	const char *name;
	bool	(*run)(size_t key_len);
	size_t	key_len;
	bool	leaks;
} cases[] = {
	{ "AES-128-GCM with AES-NI", records, 16, false },
	{ "AES-192-GCM with AES-NI", records, 24, false },
	{ "AES-256-GCM with AES-NI", records, 32, false },
	{ "a branch on a key is seen", a_branch, 16, true },
};

static struct secret_name name(size_t i)
{
	return (struct secret_name){ cases[i].name, cases[i].leaks };
}

static bool run(size_t i)
{
	return cases[i].run(cases[i].key_len);
}

int main(void)
{
	if (!secret_cases_possible())
		return 4;
	if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("avx")) {
		puts("1..0 # SKIP this CPU, or valgrind, lacks AES-NI");
		return 0;
	}
	return secret_cases_run(sizeof(cases) / sizeof(cases[0]), name, run);
}
