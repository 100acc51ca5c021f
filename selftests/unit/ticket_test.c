// SPDX-License-Identifier: GPL-2.0-or-later
/* Tickets as a server seals them, and as a client reads the message around them. */
#include "handshake/ticket.h"
#include "hs_pair.h"

static struct hs_ticket_keys keys;

/* ---- the sealed form */

static struct ticket sample(void)
{
	struct ticket t = {
		.suite = 0x1302, .issued = 0x123456789a, .lifetime = 7200, .server_name = "server.test",
		.alpn = "h2", .alpn_len = 2, .identity = "site",
		.peer = { .known = true, .verified = true, .name = "client.test" },
	};

	memset(t.psk, 0x5a, 48);
	memset(t.peer.sha256, 0xc3, 32);
	t.peer.until = 0x123456789a;
	return t;
}

static const uint8_t context[HS_CONTEXT] = { 1, 2, 3 };

static void a_ticket_opens_as_it_was(void **state)
{
	uint8_t wire[TICKET_ROOM], again[TICKET_ROOM];
	struct ticket t = sample(), got;
	size_t len = ticket_seal(&keys, context, &t, wire, sizeof(wire));

	(void)state;
	assert_in_range(len, 100, TICKET_ROOM);
	assert_int_equal(ticket_open(&keys, context, wire, len, &got), 0);
	assert_memory_equal(&t, &got, sizeof(t));
	assert_null(memmem(wire, len, "server.test", 11));
	/* No two are alike. */
	assert_int_equal(ticket_seal(&keys, context, &t, again, sizeof(again)), len);
	assert_memory_not_equal(wire + HS_TICKET_NAME, again + HS_TICKET_NAME, 24);
	assert_memory_not_equal(wire + 32, again + 32, 32);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(ticket_seal(&keys, context, &t, again, size), 0);
}

static void the_longest_ticket_fits(void **state)
{
	uint8_t wire[TICKET_ROOM];
	struct ticket t = sample(), got;

	(void)state;
	memset(t.server_name, 'a', sizeof(t.server_name) - 1);
	memset(t.peer.name, 'b', sizeof(t.peer.name) - 1);
	memset(t.identity, 'c', sizeof(t.identity) - 1);
	t.alpn_len = 255;
	assert_true(ticket_seal(&keys, context, &t, wire, sizeof(wire)) > 0);
	assert_int_equal(ticket_open(&keys, context, wire, ticket_seal(&keys, context, &t, wire, sizeof(wire)), &got), 0);
	assert_memory_equal(&t, &got, sizeof(t));
}

static void a_changed_ticket_does_not_open(void **state)
{
	uint8_t wire[TICKET_ROOM + 1], other[HS_CONTEXT] = { 1, 2, 4 };
	struct ticket t = sample(), got;
	size_t len = ticket_seal(&keys, context, &t, wire, TICKET_ROOM);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		wire[i] ^= 1;
		assert_int_equal(ticket_open(&keys, context, wire, len, &got), -EBADMSG);
		wire[i] ^= 1;
	}
	for (size_t i = 0; i < len; i++)
		assert_int_equal(ticket_open(&keys, context, wire, i, &got), -EBADMSG);
	assert_int_equal(ticket_open(&keys, context, wire, len + 1, &got), -EBADMSG);
	assert_int_equal(ticket_open(&keys, other, wire, len, &got), -EBADMSG);
}

static void rotate(struct hs_ticket_keys *k)
{
	k->key[1] = k->key[0];
	k->num = 2;
	rng_fill(RNG_KEY, &k->key[0], sizeof(k->key[0]));
}

static void the_previous_key_opens_the_one_before_does_not(void **state)
{
	uint8_t wire[TICKET_ROOM];
	struct hs_ticket_keys k = keys;
	struct ticket t = sample(), got;
	size_t len = ticket_seal(&k, context, &t, wire, sizeof(wire));

	(void)state;
	rotate(&k);
	assert_int_equal(ticket_open(&k, context, wire, len, &got), 0);
	rotate(&k);
	assert_int_equal(ticket_open(&k, context, wire, len, &got), -EBADMSG);
	k.num = 0;
	assert_int_equal(ticket_seal(&k, context, &t, wire, sizeof(wire)), 0);
}

/* ---- NewSessionTicket */

static void new_session_tickets_are_parsed_strictly(void **state)
{
	static const uint8_t good[] = { 4, 0, 0, 24, 0, 0, 0x0e, 0x10, 1, 2, 3, 4, 1, 7, 0, 2, 'a', 'b',
					0, 8, 0, 42, 0, 4, 0, 0, 1, 0 };
	uint8_t secret[48] = { 9 }, want[32], m[sizeof(good) + 8];
	struct hs_ticket t;

	(void)state;
	assert_int_equal(hs_ticket_read(0x1301, secret, 1000, good, sizeof(good), &t), 0);
	assert_int_equal(t.lifetime, 3600);
	assert_int_equal(t.age_add, 0x01020304);
	assert_int_equal(t.received, 1000);
	assert_int_equal(t.len, 2);
	assert_int_equal(t.max_early, 256);
	assert_memory_equal(t.data, "ab", 2);
	/* HKDF-Expand-Label spelled out: length 32, "tls13 resumption", the nonce. */
	crypto_hkdf_expand(&crypto_sha256, secret, "\0\x20\x10tls13 resumption\1\7", 21, want, 32);
	assert_memory_equal(t.psk, want, 32);
	for (size_t len = 0; len < sizeof(good); len++) {
		memcpy(m, good, len);
		assert_true(hs_ticket_read(0x1301, secret, 0, m, len, &t) > 0);
		if (len < 4)
			continue;
		m[3] = (uint8_t)(len - 4);
		assert_int_equal(hs_ticket_read(0x1301, secret, 0, m, len, &t), ALERT_DECODE_ERROR);
	}
	memcpy(m, good, sizeof(good));
	m[4] = 0xff;
	assert_int_equal(hs_ticket_read(0x1301, secret, 0, m, sizeof(good), &t), 0);
	assert_int_equal(t.lifetime, HS_WEEK);
	memset(m + 4, 0, 4);
	assert_int_equal(hs_ticket_read(0x1301, secret, 0, m, sizeof(good), &t), -ENOENT);
	m[0] = 24;
	assert_int_equal(hs_ticket_read(0x1301, secret, 0, m, sizeof(good), &t), ALERT_UNEXPECTED_MESSAGE);
}

static int make_key(void **state)
{
	(void)state;
	keys.num = 1;
	rng_fill(RNG_KEY, &keys.key[0], sizeof(keys.key[0]));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_opens_as_it_was),
		cmocka_unit_test(the_longest_ticket_fits),
		cmocka_unit_test(a_changed_ticket_does_not_open),
		cmocka_unit_test(the_previous_key_opens_the_one_before_does_not),
		cmocka_unit_test(new_session_tickets_are_parsed_strictly),
	};

	return cmocka_run_group_tests(tests, make_key, NULL);
}
