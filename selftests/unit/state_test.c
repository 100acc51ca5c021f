/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Agent state: round trip, every truncation, every foreign byte, key derivation. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "handshake/suite.h"
#include "state.h"

static void fill(struct state *s, uint16_t suite)
{
	size_t size = suite_by_id(suite)->hash->size;

	memset(s, 0, sizeof(*s));
	s->role = 1;
	s->suite = suite;
	s->tx.generation = 1;
	s->rx.generation = 7;
	memset(s->tx.secret, 0x11, size);
	memset(s->rx.secret, 0x22, size);
	memset(s->resumption, 0x33, size);
	strcpy(s->server_name, "www.example.org");
	strcpy(s->identity, "www");
	memcpy(s->alpn, "h2", 2);
	s->alpn_len = 2;
	s->keeps_tickets = true;
	memset(s->store_key, 0x44, sizeof(s->store_key));
	s->peer.known = s->peer.verified = true;
	memset(s->peer.sha256, 0x55, sizeof(s->peer.sha256));
	s->peer.until = 0x123456789a;
	strcpy(s->peer.name, "peer.example.org");
}

static void round_trip(void **unused)
{
	struct state s, t;
	uint8_t buf[4096];
	size_t i, len;

	(void)unused;
	for (i = 0; i < suites_num; i++) {
		fill(&s, suites[i].id);
		len = state_pack(&s, buf, sizeof(buf));
		assert_true(len > 100 && len <= 4096);
		memset(&t, 0xff, sizeof(t));
		assert_int_equal(state_unpack(buf, len, &t), 0);
		assert_memory_equal(&s, &t, sizeof(s));
	}
}

/* In a block of exactly @len bytes, so that ASan sees a read behind it. */
static int unpack_exact(const uint8_t *buf, size_t len, struct state *t)
{
	uint8_t *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, buf, len);
	err = state_unpack(copy, len, t);
	free(copy);
	return err;
}

static void truncation(void **unused)
{
	uint8_t buf[4096], room[4096];
	struct state s, t, before;
	size_t i, len;

	(void)unused;
	fill(&s, suites[0].id);
	len = state_pack(&s, buf, sizeof(buf));
	memset(&t, 0x5a, sizeof(t));
	before = t;
	for (i = 0; i < len; i++)
		assert_int_equal(unpack_exact(buf, i, &t), -EBADMSG);
	buf[len] = 0;
	assert_int_equal(unpack_exact(buf, len + 1, &t), -EBADMSG);
	assert_memory_equal(&t, &before, sizeof(t));
	for (i = 0; i < len; i++)
		assert_int_equal(state_pack(&s, room, i), 0);
}

static void foreign(void **unused)
{
	struct state s, t;
	uint8_t buf[4096];
	size_t len;

	(void)unused;
	fill(&s, suites[0].id);
	len = state_pack(&s, buf, sizeof(buf));
	buf[0] ^= 1;				/* version */
	assert_int_equal(state_unpack(buf, len, &t), -EBADMSG);
	buf[0] ^= 1;
	buf[1] = 2;				/* role */
	assert_int_equal(state_unpack(buf, len, &t), -EBADMSG);
	buf[1] = 1;
	buf[2] = 0x99;				/* suite */
	assert_int_equal(state_unpack(buf, len, &t), -EBADMSG);
	s.suite = 0x9999;
	assert_int_equal(state_pack(&s, buf, sizeof(buf)), 0);
}

static void every_byte_changed(void **unused)
{
	uint8_t buf[4096], again[4096];
	struct state s, t;
	size_t i, len;

	(void)unused;
	fill(&s, suites[0].id);
	len = state_pack(&s, buf, sizeof(buf));
	for (i = 0; i < len; i++) {
		buf[i] ^= 0x80;
		/* What is accepted must be what its fields say: it packs to the same. */
		if (!state_unpack(buf, len, &t)) {
			assert_int_equal(state_pack(&t, again, sizeof(again)), len);
			assert_memory_equal(buf, again, len);
		}
		buf[i] ^= 0x80;
	}
}

static void keys(void **unused)
{
	const struct suite *suite = &suites[0];
	struct hs_traffic a, b, c;
	struct state s;

	(void)unused;
	fill(&s, suite->id);
	assert_int_equal(state_keys(&s, &s.rx, 7, &a), 0);
	assert_int_equal(state_keys(&s, &s.rx, 8, &b), 0);
	assert_int_equal(state_keys(&s, &s.rx, 9, &c), 0);
	assert_memory_equal(a.secret, s.rx.secret, suite->hash->size);
	hs_traffic_update(&a, suite->hash, suite->aead);
	assert_memory_equal(&a, &b, sizeof(a));
	hs_traffic_update(&b, suite->hash, suite->aead);
	assert_memory_equal(&b, &c, sizeof(b));
	assert_int_equal(state_keys(&s, &s.rx, 10, &a), -ERANGE);
	assert_int_equal(state_keys(&s, &s.rx, 6, &a), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(truncation),
		cmocka_unit_test(foreign),
		cmocka_unit_test(every_byte_changed),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
