// SPDX-License-Identifier: GPL-2.0-or-later
/* Readers never overrun, writers remember overflow, growing buffers wipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "handshake/buf.h"

static void reads_in_network_order(void **state)
{
	const uint8_t w[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct rbuf r = { w, w + sizeof(w) };
	uint8_t u8, copy[2];
	uint16_t u16;
	uint32_t u24, u32;

	(void)state;
	assert_true(rbuf_u8(&r, &u8) && u8 == 1);
	assert_true(rbuf_u16(&r, &u16) && u16 == 0x0203);
	assert_true(rbuf_u24(&r, &u24) && u24 == 0x040506);
	assert_true(rbuf_u32(&r, &u32) && u32 == 0x0708090a);
	assert_true(rbuf_copy(&r, copy, 2) && copy[0] == 11 && copy[1] == 12);
	assert_int_equal(rbuf_len(&r), 0);
	assert_false(rbuf_u8(&r, &u8));
}

/* What a reader could not have is neither read nor written. */
static void a_short_read_moves_nothing(void **state)
{
	const uint8_t w[] = { 0, 0, 3, 1, 2 };

	(void)state;
	for (size_t len = 0; len < sizeof(w); len++) {
		uint8_t *exact = malloc(len + !len);	/* ASan sees a byte too far */
		struct rbuf r, v = { NULL, NULL };
		uint32_t u = 7;

		memcpy(exact, w, len);
		r = (struct rbuf){ exact, exact + len };
		assert_false(rbuf_vec24(&r, &v));
		assert_null(v.p);
		assert_int_equal(rbuf_len(&r), len);
		assert_int_equal(rbuf_u32(&r, &u), len >= 4);
		if (len < 4)
			assert_int_equal(u, 7);
		free(exact);
	}
}

static void eight_bytes(void **state)
{
	const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 0x88 };
	uint8_t buf[8];
	struct wbuf b = { .buf = buf, .cap = sizeof(buf) };
	struct rbuf r = { buf, buf + 7 };
	uint64_t v = 7;

	(void)state;
	wbuf_u64(&b, 0x0102030405060788);
	assert_false(b.overflow);
	assert_memory_equal(buf, want, sizeof(want));
	assert_false(rbuf_u64(&r, &v));
	assert_int_equal(rbuf_len(&r), 7);
	assert_int_equal(v, 7);
	r.end++;
	assert_true(rbuf_u64(&r, &v) && v == 0x0102030405060788);
	assert_int_equal(rbuf_len(&r), 0);
}

static void vectors_of_each_width(void **state)
{
	const uint8_t w[] = { 1, 0xa, 0, 2, 0xb, 0xc, 0, 0, 1, 0xd };
	struct rbuf r = { w, w + sizeof(w) }, v;

	(void)state;
	assert_true(rbuf_vec8(&r, &v) && rbuf_len(&v) == 1 && v.p[0] == 0xa);
	assert_true(rbuf_vec16(&r, &v) && rbuf_len(&v) == 2 && v.p[1] == 0xc);
	assert_true(rbuf_vec24(&r, &v) && rbuf_len(&v) == 1 && v.p[0] == 0xd);
	assert_int_equal(rbuf_len(&r), 0);
}

static void writes_what_is_read(void **state)
{
	uint8_t buf[64];
	struct wbuf w = { .buf = buf, .cap = sizeof(buf) };
	const uint8_t want[] = { 0, 0, 9, 1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 'x' };
	size_t outer;

	(void)state;
	outer = wbuf_open(&w, 3);
	wbuf_u8(&w, 1);
	wbuf_u16(&w, 2);
	wbuf_u24(&w, 3);
	wbuf_u24(&w, 0);
	wbuf_close(&w, outer, 3);
	wbuf_u8(&w, 4);
	wbuf_bytes(&w, "x", 1);
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	assert_false(w.overflow);
}

/* Every capacity but the whole overflows, and nothing is written behind it. */
static void overflow_is_remembered(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= 9; cap++) {
		uint8_t *buf = malloc(cap + !cap);
		struct wbuf w = { .buf = buf, .cap = cap };
		size_t mark = wbuf_open(&w, 1);

		wbuf_u32(&w, 0x01020304);
		wbuf_bytes(&w, "abcd", 4);
		wbuf_close(&w, mark, 1);
		assert_int_equal(w.overflow, cap < 9);
		assert_true(w.len <= cap);
		if (w.overflow) {
			wbuf_u8(&w, 1);
			assert_true(w.overflow);
		}
		free(buf);
	}
}

static void a_length_that_does_not_fit_overflows(void **state)
{
	static uint8_t buf[70000], data[66000];
	struct wbuf w = { .buf = buf, .cap = sizeof(buf) };
	size_t mark = wbuf_open(&w, 1);

	(void)state;
	wbuf_bytes(&w, data, 255);
	wbuf_close(&w, mark, 1);
	assert_false(w.overflow);
	assert_int_equal(buf[0], 255);
	wbuf_u8(&w, 0);
	wbuf_close(&w, mark, 1);
	assert_true(w.overflow);
	w = (struct wbuf){ .buf = buf, .cap = sizeof(buf) };
	mark = wbuf_open(&w, 2);
	wbuf_bytes(&w, data, 65536);
	wbuf_close(&w, mark, 2);
	assert_true(w.overflow);
}

static void grows_and_drops(void **state)
{
	struct gbuf g = { 0 };
	uint8_t byte;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		byte = (uint8_t)i;
		assert_true(gbuf_add(&g, &byte, 1));
	}
	assert_int_equal(g.len, 5000);
	gbuf_drop(&g, 4990);
	assert_int_equal(g.len, 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(g.p[i], (uint8_t)(4990 + i));
	for (size_t i = g.len; i < 5000; i++)
		assert_int_equal(g.p[i], 0);	/* dropped bytes are wiped */
	gbuf_drop(&g, 10);
	assert_true(gbuf_add(&g, NULL, 0));
	gbuf_free(&g);
	assert_null(g.p);
	gbuf_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_network_order),
		cmocka_unit_test(a_short_read_moves_nothing),
		cmocka_unit_test(eight_bytes),
		cmocka_unit_test(vectors_of_each_width),
		cmocka_unit_test(writes_what_is_read),
		cmocka_unit_test(overflow_is_remembered),
		cmocka_unit_test(a_length_that_does_not_fit_overflows),
		cmocka_unit_test(grows_and_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
