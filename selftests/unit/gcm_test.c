// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's AES-GCM, each width by itself: vectors of NIST and Wycheproof,
 * OpenSSL at random lengths and splits, memory that ends where the record does,
 * damaged records, damaged keys. GCM_CASES sets how many random records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "gcm_widths.h"

#define VECTORS	"selftests/vectors/wycheproof/aes_gcm_test.json"
#define MAX_LEN	(17 * 1024)
#define MAX_SEGS 40

static u64 seed = 88172645463325252ULL;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 16) % below);
}

static void fill(u8 *p, size_t n)
{
	while (n--)
		*p++ = (u8)rnd(256);
}

/* A record in one piece. */
static void seal(const struct gcm_key *key, const u8 *iv, const u8 *aad, size_t aad_len,
		 const u8 *in, u8 *out, size_t len, u8 *tag)
{
	struct gcm_seg seg = { in, out, len, false };
	struct gcm_op op = { iv, aad, aad_len, &seg, 1, false };

	w->seal(key, &op, tag);
}

static int open_(const struct gcm_key *key, const u8 *iv, const u8 *aad, size_t aad_len,
		 const u8 *in, u8 *out, size_t len, const u8 *tag)
{
	struct gcm_seg seg = { in, out, len, false };
	struct gcm_op op = { iv, aad, aad_len, &seg, 1, false };

	return w->open(key, &op, tag, 16);
}

static size_t unhex(const char *hex, u8 *out, size_t max)
{
	size_t n = 0;
	unsigned int byte;

	for (; n < max && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (u8)byte;
	return n;
}

/* ---- known answers */

struct kat {
	const char *key, *iv, *aad, *plain, *cipher, *tag;
};

/* The GCM proposal's test cases 1 to 4 and 13 to 16 (SP 800-38D refers to them). */
#define K128 "feffe9928665731c6d6a8f9467308308"
#define Z128 "00000000000000000000000000000000"
#define IV1 "cafebabefacedbaddecaf888"
#define AAD1 "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define P60 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define C60_128 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" \
	"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
#define C60_256 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
static const struct kat kats[] = {
	{ Z128, "000000000000000000000000", "", "", "", "58e2fccefa7e3061367f1d57a4e7455a" },
	{ Z128, "000000000000000000000000", "", Z128, "0388dace60b6a392f328c2b971b2fe78",
	  "ab6e47d42cec13bdf53a67b21257bddf" },
	{ K128, IV1, "", P60 "1aafd255", C60_128 "473f5985", "4d5c2af327cd64a62cf35abd2ba6fab4" },
	{ K128, IV1, AAD1, P60, C60_128, "5bc94fbc3221a5db94fae95ae7121a47" },
	{ Z128 Z128, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ Z128 Z128, "000000000000000000000000", "", Z128, "cea7403d4d606b6e074ec5d3baf39d18",
	  "d0d1c8a799996bf0265b98b5d48ab919" },
	{ K128 K128, IV1, "", P60 "1aafd255", C60_256 "898015ad", "b094dac5d93471bdec1a502270e3cc6c" },
	{ K128 K128, IV1, AAD1, P60, C60_256, "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void check_vector(const struct kat *v, bool valid)
{
	u8 key[32], iv[12], aad[1024], plain[1024], cipher[1024], tag[16], out[1024], mac[16];
	size_t key_len = unhex(v->key, key, 32), aad_len = unhex(v->aad, aad, sizeof(aad));
	size_t len = unhex(v->plain, plain, sizeof(plain));
	struct gcm_key *k = malloc(GCM_KEY_SIZE(key_len));

	assert_non_null(k);
	assert_int_equal(unhex(v->iv, iv, 12), 12);
	assert_int_equal(unhex(v->tag, tag, 16), 16);
	assert_int_equal(unhex(v->cipher, cipher, sizeof(cipher)), len);
	gcm_key_init(k, key, key_len);
	if (!valid) {
		assert_int_equal(open_(k, iv, aad, aad_len, cipher, out, len, tag), -EBADMSG);
		free(k);
		return;
	}
	seal(k, iv, aad, aad_len, plain, out, len, mac);
	assert_memory_equal(out, cipher, len);
	assert_memory_equal(mac, tag, 16);
	assert_int_equal(open_(k, iv, aad, aad_len, cipher, out, len, tag), 0);
	assert_memory_equal(out, plain, len);
	free(k);
}

static void nist(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kats) / sizeof(kats[0]); i++)
		check_vector(&kats[i], true);
}

/* The file has one member a line; the last of a test is its result. */
static void wycheproof(void **state)
{
	static const char *const names[] = { "key", "iv", "aad", "msg", "ct", "tag" };
	static char values[6][4096], line[4400], name[32], value[4096];
	int iv_bits = 0, tested = 0, n;
	FILE *f = fopen(VECTORS, "r");

	(void)state;
	if (!f) {
		print_message("%s is not there\n", VECTORS);
		skip();
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " \"ivSize\" : %d", &n) == 1)
			iv_bits = n;
		value[0] = 0;
		if (sscanf(line, " \"%31[a-z]\" : \"%4095[^\"]\"", name, value) < 1)
			continue;
		for (int i = 0; i < 6; i++)
			if (!strcmp(name, names[i]))
				snprintf(values[i], sizeof(values[i]), "%s", value);
		if (strcmp(name, "result") || iv_bits != 96)
			continue;
		check_vector(&(struct kat){ values[0], values[1], values[2], values[3],
					    values[4], values[5] }, !strcmp(value, "valid"));
		tested++;
	}
	fclose(f);
	print_message("%s: %d Wycheproof vectors\n", w->name, tested);
	assert_true(tested > 100);
}

/* ---- against OpenSSL */

/* Cuts [0, len) into segments, some of them empty, each in place or not. */
static size_t cut(struct gcm_seg *seg, const u8 *in, u8 *out, size_t len)
{
	size_t n = 0, at = 0, most = rnd(3) ? len + 1 : 1 + rnd(600);

	while (n < MAX_SEGS - 1 && (at < len || !rnd(4))) {
		size_t part = rnd((u32)most);

		part = part > len - at ? len - at : part;
		seg[n++] = (struct gcm_seg){ in + at, out + at, part, false };
		at += part;
	}
	if (at < len)
		seg[n++] = (struct gcm_seg){ in + at, out + at, len - at, false };
	return n;
}

static size_t some_length(void)
{
	switch (rnd(16)) {
	case 0: return rnd(MAX_LEN);
	case 1: return 16384 + rnd(32) - 16;
	case 2: case 3: case 4: case 5: return rnd(2000);
	default: return rnd(600);
	}
}

static void random_record(u8 *plain, u8 *cipher, u8 *a, u8 *b)
{
	size_t key_len = 16 + 8 * rnd(3), len = some_length(), at = rnd(65);
	size_t aad_len = rnd(2) ? (rnd(2) ? 5 : 13) : rnd(65);
	bool in_place = rnd(2);
	u8 raw[32], iv[12], aad[64], tag[16], mac[16], *to = in_place ? a : b;
	struct gcm_seg seg[MAX_SEGS];
	struct gcm_op op = { iv, aad, aad_len, seg, 0, rnd(2) };
	struct gcm_key key;

	fill(raw, key_len);
	fill(iv, sizeof(iv));
	fill(aad, aad_len);
	plain += rnd((u32)(MAX_LEN - len + 1));
	assert_true(reference_seal(raw, key_len, iv, aad, aad_len, plain, len, cipher, tag));

	gcm_key_init(&key, raw, key_len);
	memcpy(a + at, plain, len);
	memset(to + at + len, 0xa5, 64);
	op.segs = cut(seg, a + at, to + at, len);
	w->seal(&key, &op, mac);
	assert_memory_equal(to + at, cipher, len);
	assert_memory_equal(mac, tag, 16);

	memcpy(a + at, cipher, len);
	op.segs = cut(seg, a + at, to + at, len);
	assert_int_equal(w->open(&key, &op, tag, 16), 0);
	assert_memory_equal(to + at, plain, len);
	for (int i = 0; i < 64; i++)
		assert_int_equal(to[at + len + i], 0xa5);
	mac[rnd(16)] ^= (u8)(1 << rnd(8));
	assert_int_equal(w->open(&key, &op, mac, 16), -EBADMSG);
}

static void random_records(void **state)
{
	const char *cases = getenv("GCM_CASES");
	long n = cases ? atol(cases) : 30000;
	u8 *mem[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_non_null(mem[i] = malloc(MAX_LEN + 256));
	fill(mem[0], MAX_LEN);
	for (long i = 0; i < n; i++)
		random_record(mem[0], mem[1], mem[2], mem[3]);
	for (int i = 0; i < 4; i++)
		free(mem[i]);
	print_message("%s: %ld random records\n", w->name, n);
}

/* ---- edges */

/* A page that may be used between two that may not. */
static u8 *fenced(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	u8 *p = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect(p + page, page, PROT_READ | PROT_WRITE), 0);
	return p + page;
}

/* The record touches the fence, once on each side, by itself and in two segments. */
static void fence(void **state)
{
	static u8 plain[4000], cipher[4000];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	u8 raw[16] = { 1 }, iv[12] = { 2 }, tag[16], mac[16], *mem = fenced();
	struct gcm_key key;

	(void)state;
	gcm_key_init(&key, raw, 16);
	for (size_t len = 0; len < sizeof(plain); len += len < 600 ? 1 : 37) {
		fill(plain, len);
		assert_true(reference_seal(raw, 16, iv, raw, 5, plain, len, cipher, tag));
		for (int side = 0; side < 2; side++) {
			u8 *at = side ? mem + page - len : mem;
			size_t first = rnd((u32)len + 1);
			struct gcm_seg seg[2] = { { at, at, first, false },
						  { at + first, at + first, len - first, false } };
			struct gcm_op op = { iv, raw, 5, seg, 2, false };

			memcpy(at, plain, len);
			seal(&key, iv, raw, 5, at, at, len, mac);
			assert_memory_equal(at, cipher, len);
			assert_memory_equal(mac, tag, 16);
			assert_int_equal(w->open(&key, &op, tag, 16), 0);
			assert_memory_equal(at, plain, len);
		}
	}
	munmap(mem - page, 3 * page);
}

/* No bit of AAD, ciphertext, tag or nonce may change; of long ciphertext every 61st is tried. */
static void damage(void **state)
{
	static const size_t lens[] = { 0, 1, 40, 256, 257, 2100 };
	u8 raw[32] = { 3 }, iv[12] = { 4 }, aad[13] = { 5 }, buf[2100], tag[16], out[2100];
	struct gcm_key key;

	(void)state;
	gcm_key_init(&key, raw, 32);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t len = lens[i];
		struct { u8 *p; size_t n; } parts[] = { { iv, 12 }, { aad, 13 }, { tag, 16 },
							{ buf, len } };

		fill(buf, len);
		seal(&key, iv, aad, 13, buf, buf, len, tag);
		for (size_t p = 0; p < 4; p++)
			for (size_t bit = 0; bit < 8 * parts[p].n; bit += parts[p].n > 300 ? 61 : 1) {
				parts[p].p[bit / 8] ^= (u8)(1 << bit % 8);
				assert_int_equal(open_(&key, iv, aad, 13, buf, out, len, tag), -EBADMSG);
				parts[p].p[bit / 8] ^= (u8)(1 << bit % 8);
			}
		assert_int_equal(open_(&key, iv, aad, 13, buf, out, len, tag), 0);
		assert_int_equal(open_(&key, iv, aad, 12, buf, out, len, tag), -EBADMSG);
		tag[12] ^= 1;
		assert_int_equal(w->open(&key, &(struct gcm_op){ iv, aad, 13,
				 &(struct gcm_seg){ buf, out, len, false }, 1, false }, tag, 12), 0);
		assert_int_equal(w->open(&key, &(struct gcm_op){ iv, aad, 13,
				 &(struct gcm_seg){ buf, out, len, false }, 1, false }, tag, 13), -EBADMSG);
		tag[12] ^= 1;
	}
}

/*
 * Every byte of the key counts: a wrong round key or power gives another record.
 * So a test that passes has used them all.
 */
static void wrong_key(void **state)
{
	u8 raw[32] = { 6 }, iv[12] = { 7 }, in[8 * 16], right[sizeof(in)], out[sizeof(in)];
	u8 tag[16], mac[16];
	struct gcm_key key;
	u8 *bytes = (u8 *)&key;

	(void)state;
	fill(in, sizeof(in));
	gcm_key_init(&key, raw, 32);
	seal(&key, iv, raw, 16, in, right, sizeof(in), tag);
	for (size_t i = 0; i < sizeof(key); i++) {
		if (i == offsetof(struct gcm_key, rounds))
			i = offsetof(struct gcm_key, round);
		bytes[i] ^= 1;
		seal(&key, iv, raw, 16, in, out, sizeof(in), mac);
		assert_memory_not_equal(mac, tag, 16);
		assert_int_equal(memcmp(out, right, sizeof(in)) != 0,
				 i >= offsetof(struct gcm_key, round));
		bytes[i] ^= 1;
	}
	assert_true(sizeof(key) <= 430);
}

#define ALL(i) WITH(nist, i), WITH(wycheproof, i), WITH(random_records, i), \
	WITH(fence, i), WITH(damage, i), WITH(wrong_key, i)

int main(void)
{
	const struct CMUnitTest aesni[] = { ALL(0) }, vaes[] = { ALL(1) };

	return run_width("gcm", 0, aesni, sizeof(aesni) / sizeof(*aesni)) +
	       run_width("gcm", 1, vaes, sizeof(vaes) / sizeof(*vaes));
}
