/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spare keys of an open session: as many as it has had updates, each once,
 * in order, and none that the kernel has.
 */
#include "agent_test.h"
#include "conn.h"
#include "state.h"

static struct state session;
static struct hs_traffic tx_next[KTLS_MAX_SPARES];
static struct reply seen;
static struct state left;	/* what the agent left */

static int respond(void *arg, const struct reply *r)
{
	(void)arg;
	seen = *r;
	memcpy(tx_next, r->tx_next, r->tx_nexts * sizeof(tx_next[0]));
	assert_int_equal(state_unpack(r->state, r->state_len, &left), 0);
	return 0;
}

static struct conn_env env = { .respond = respond };

static int setup(void **unused)
{
	(void)unused;
	session = (struct state){ .role = KTLS_ROLE_SERVER, .suite = 0x1301 };
	memset(session.tx.secret, 1, 32);
	memset(session.rx.secret, 2, 32);
	return 0;
}

/* An upcall of the session whose kernel is at these generations. */
static void upcall(struct upcall *up, uint32_t tx, uint32_t rx)
{
	static uint8_t blob[KTLS_MAX_STATE];

	up->tx_generation = tx;
	up->rx_generation = rx;
	up->state = blob;
	up->state_len = state_pack(&session, blob, sizeof(blob));
	session_upcall(&env, up, 3, 1000);
	assert_int_equal(seen.err, 0);
}

static void grows(void **unused)
{
	static const size_t want[] = { 1, 1, 2, 3, 4 };
	struct upcall up = { .why = KTLS_WHY_SPARE };
	uint32_t i;

	(void)unused;
	for (i = 0; i < 5; i++) {
		session.tx.generation = session.rx.generation = i;
		upcall(&up, i, i);
		assert_int_equal(seen.tx_nexts, want[i]);
		assert_int_equal(seen.rx_nexts, want[i]);
	}
	session.tx.generation = session.rx.generation = 1000;
	upcall(&up, 1000, 1000);
	assert_int_equal(seen.tx_nexts, KTLS_MAX_SPARES);
}

/* Of 5 two are left: three more, from where those end. */
static void fills_up(void **unused)
{
	struct upcall up = { .why = KTLS_WHY_SPARE };
	struct hs_traffic want;
	uint32_t i;

	(void)unused;
	session.tx.generation = 7;
	upcall(&up, 5, 0);
	assert_int_equal(seen.tx_nexts, 3);
	assert_int_equal(left.tx.generation, 10);
	for (i = 0; i < 3; i++) {
		assert_int_equal(state_keys(&session, &session.tx, 8 + i, &want), 0);
		assert_memory_equal(&tx_next[i], &want, sizeof(want));
		session.tx.generation++;
		memcpy(session.tx.secret, want.secret, sizeof(want.secret));
	}
	assert_memory_equal(left.tx.secret, session.tx.secret, 32);
	session.tx = left.tx;
	upcall(&up, 5, 0);
	assert_int_equal(seen.tx_nexts, 0);
}

/* A KeyUpdate that waited while the kernel got spares: nothing to add for tx, which has them. */
static void left_to_the_kernel(void **unused)
{
	static const uint8_t record[] = { 24, 0, 0, 1, 1 };
	struct upcall up = { .why = KTLS_WHY_RECORD, .record_type = 22, .record = record, .record_len = 5 };

	(void)unused;
	session.tx.generation = 8;
	upcall(&up, 5, 0);
	assert_null(seen.tx);
	assert_int_equal(seen.record.len, 0);
	assert_non_null(seen.rx);
	assert_int_equal(left.rx.generation, 2);	/* the one in use, and a spare */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(grows, setup),
		cmocka_unit_test_setup(fills_up, setup),
		cmocka_unit_test_setup(left_to_the_kernel, setup),
	};

	return cmocka_run_group_tests_name("spares", tests, NULL, NULL);
}
