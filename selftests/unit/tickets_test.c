/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's ticket keys and its store of clients' tickets: time, bounds, single use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "tickets.h"

static void keys_change_by_time(void **unused)
{
	struct tickets t = { 0 };
	struct hs_ticket_key first, second;

	(void)unused;
	tickets_rotate(&t, 1000, 60);
	assert_int_equal(t.generation, 1);
	assert_int_equal(t.keys.keys.num, 1);
	first = t.keys.keys.key[0];
	tickets_rotate(&t, 60999, 60);
	assert_int_equal(t.generation, 1);
	tickets_rotate(&t, 61000, 60);
	assert_int_equal(t.generation, 2);
	assert_int_equal(t.keys.keys.num, 2);
	second = t.keys.keys.key[0];
	assert_memory_equal(&t.keys.keys.key[1], &first, sizeof(first));
	assert_memory_not_equal(second.key, first.key, 32);
	assert_memory_not_equal(second.name, first.name, HS_TICKET_NAME);
	tickets_rotate(&t, 121000, 60);
	assert_memory_equal(&t.keys.keys.key[1], &second, sizeof(second));
	tickets_free(&t);
	assert_int_equal(t.generation, 0);
}

static void put(struct tickets *t, uint8_t key, uint64_t received, uint32_t age_add, size_t max)
{
	struct msg_ticket_put m = { .type = MSG_TICKET_PUT, .store_key = { key } };

	m.ticket.received = received * 1000;
	m.ticket.lifetime = 100;
	m.ticket.age_add = age_add;
	m.ticket.len = 5;
	memcpy(m.ticket.data, "hello", 5);
	tickets_put(t, &m, max);
}

/* Its age_add; -1: none came. */
static int get(struct tickets *t, uint8_t key, uint64_t now)
{
	struct msg_ticket_get m = { .type = MSG_TICKET_GET, .id = 77, .store_key = { key } };
	struct msg_ticket ret;

	memset(&ret, 0xff, sizeof(ret));
	tickets_get(t, &m, now, &ret);
	assert_int_equal(ret.type, MSG_TICKET);
	assert_int_equal(ret.id, 77);
	if (!ret.found)
		assert_int_equal(ret.ticket.len, 0);
	return ret.found ? (int)ret.ticket.age_add : -1;
}

static void each_is_given_once(void **unused)
{
	struct tickets t = { 0 };

	(void)unused;
	assert_int_equal(get(&t, 1, 10), -1);
	put(&t, 1, 10, 1, 100);
	put(&t, 2, 10, 2, 100);
	put(&t, 1, 11, 3, 100);
	assert_int_equal(get(&t, 3, 20), -1);
	assert_int_equal(get(&t, 1, 20), 3);	/* the newest */
	assert_int_equal(get(&t, 1, 20), 1);
	assert_int_equal(get(&t, 1, 20), -1);
	assert_int_equal(get(&t, 2, 20), 2);
	assert_int_equal(tickets_stored(&t), 0);
	tickets_free(&t);
}

static void an_old_one_is_thrown_away(void **unused)
{
	struct tickets t = { 0 };

	(void)unused;
	put(&t, 1, 10, 1, 100);
	assert_int_equal(get(&t, 1, 110), -1);
	assert_int_equal(tickets_stored(&t), 0);
	put(&t, 1, 10, 1, 100);
	assert_int_equal(get(&t, 1, 9), -1);	/* the clock went back */
	put(&t, 1, 10, 1, 100);
	assert_int_equal(get(&t, 1, 109), 1);
	tickets_free(&t);
}

static void the_store_is_bounded(void **unused)
{
	struct tickets t = { 0 };
	struct msg_ticket_put bad = { .type = MSG_TICKET_PUT, .ticket = { .lifetime = 10, .len = HS_MAX_TICKET + 1 } };

	(void)unused;
	for (int i = 0; i < 10; i++)
		put(&t, 1, 10, (uint32_t)i, 100);
	assert_int_equal(tickets_stored(&t), 4);
	assert_int_equal(get(&t, 1, 20), 9);
	for (int i = 0; i < 50; i++)
		put(&t, (uint8_t)(i + 10), 10, (uint32_t)i, 20);
	assert_int_equal(tickets_stored(&t), 20);
	assert_int_equal(get(&t, 10, 20), -1);
	assert_int_equal(get(&t, 59, 20), 49);
	put(&t, 1, 10, 1, 0);
	tickets_put(&t, &bad, 20);
	bad.ticket.len = 0;
	bad.ticket.lifetime = HS_WEEK + 1;
	tickets_put(&t, &bad, 20);
	assert_int_equal(tickets_stored(&t), 19);
	put(&t, 1, 10, 1, 5);	/* a smaller store from now on */
	assert_int_equal(tickets_stored(&t), 5);
	tickets_free(&t);
}

/* Two agents with one secret: the same keys, those of the time before and after open, another secret's don't. */
static void derived_keys(void **state)
{
	static const uint8_t secret[32] = { 1 }, another[32] = { 2 };
	struct tickets a = { 0 }, b = { 0 };
	unsigned int generation;

	(void)state;
	tickets_rotate(&a, 1000, 60);		/* its own, until the secret came */
	tickets_derive(&a, secret, 600, 60);
	tickets_derive(&b, secret, 659, 60);
	assert_int_equal(a.keys.keys.num, 3);
	assert_memory_equal(&a.keys.keys, &b.keys.keys, sizeof(a.keys.keys));
	generation = b.generation;
	tickets_derive(&b, secret, 659, 60);
	assert_int_equal(b.generation, generation);
	tickets_derive(&b, secret, 660, 60);	/* its clock is ahead */
	assert_int_equal(b.generation, generation + 1);
	assert_memory_equal(&a.keys.keys.key[2], &b.keys.keys.key[0], sizeof(a.keys.keys.key[0]));
	assert_memory_equal(&a.keys.keys.key[0], &b.keys.keys.key[1], sizeof(a.keys.keys.key[0]));
	tickets_derive(&b, another, 660, 60);
	assert_memory_not_equal(a.keys.keys.key[2].key, b.keys.keys.key[0].key, 32);
	assert_memory_not_equal(a.keys.keys.key[2].name, b.keys.keys.key[0].name, HS_TICKET_NAME);
	tickets_free(&a);
	tickets_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derived_keys),
		cmocka_unit_test(keys_change_by_time),
		cmocka_unit_test(each_is_given_once),
		cmocka_unit_test(an_old_one_is_thrown_away),
		cmocka_unit_test(the_store_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
