// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PRF of TLS 1.2 by known answers: the vectors for SHA-256, SHA-384 and SHA-512 that were posted to
 * the working group's list (ietf.org/mail-archive/web/tls/current/msg03416.html).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "handshake/prf.h"

static const struct {
	const struct crypto_hash *hash;
	const char *secret, *seed, *out;
} vectors[] = {
	{ &crypto_sha256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
	  "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
	  "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
	  "87347b66" },
	{ &crypto_sha384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
	  "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
	  "e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
	  "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f" },
	{ &crypto_sha512, "b0323523c1853599584d88568bbb05eb", "d4640e12e4bcdbfb437f03e6ae418ee5",
	  "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45"
	  "e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
	  "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c397545401d40"
	  "b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e640d4d898" },
};

static size_t unhex(const char *hex, uint8_t *out)
{
	unsigned int byte;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

static void known_answers(void **state)
{
	uint8_t secret[64], seed[64], want[256], got[256];
	size_t secret_len, seed_len, len;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		secret_len = unhex(vectors[i].secret, secret);
		seed_len = unhex(vectors[i].seed, seed);
		len = unhex(vectors[i].out, want);
		prf(vectors[i].hash, secret, secret_len, "test label", seed, seed_len, got, len);
		assert_memory_equal(got, want, len);
		/* Any shorter output is the beginning of the longer one. */
		for (size_t n = 0; n < len; n++) {
			memset(got, 0, sizeof(got));
			prf(vectors[i].hash, secret, secret_len, "test label", seed, seed_len, got, n);
			assert_memory_equal(got, want, n);
			assert_int_equal(got[n], 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
