/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structure of the generators. rng.c is included, so that the tests see
 * the state, and clock and entropy are replaced under its feet.
 */
#include <string.h>
#include <sys/random.h>
#include <time.h>

static long fake_seconds = 1000;
static unsigned int seeds;
static int known_entropy = -1;	/* a byte, when a test wants to know it */

static int fake_clock(clockid_t clock, struct timespec *t)
{
	(void)clock;
	t->tv_sec = fake_seconds;
	t->tv_nsec = 0;
	return 0;
}

static ssize_t counted_getrandom(void *buf, size_t len, unsigned int flags)
{
	seeds++;
	if (known_entropy >= 0) {
		memset(buf, known_entropy, len);
		return len;
	}
	return getrandom(buf, len > 5 ? len - 3 : len, flags);	/* short reads */
}

#define clock_gettime fake_clock
#define getrandom counted_getrandom
#include "../../agent/rng/rng.c"
#undef clock_gettime
#undef getrandom

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t seed[32] = "a seed that tests can reproduce";
static const uint8_t zeros[RUN];

static bool contains(const void *hay, size_t hay_len, const void *needle, size_t len)
{
	return memmem(hay, hay_len, needle, len);
}

/* The construction, once more, from nettle's ChaCha: key, then output. */
static void matches_construction(void **unused)
{
	uint8_t run[RUN] = { 0 }, key[KEY_LEN], out[200];
	struct sha256_ctx mix;
	struct chacha_ctx c;
	uint8_t which = 1;

	(void)unused;
	rng_fix_seed_for_tests(seed);
	sha256_init(&mix);
	sha256_update(&mix, 32, seed);
	sha256_update(&mix, 1, &which);
	sha256_digest(&mix, 32, key);
	chacha_set_key(&c, key);
	chacha_set_nonce(&c, zeros);
	chacha_crypt(&c, RUN, run, run);
	rng_fill(RNG_RANDOM, out, 200);
	assert_memory_equal(out, run + KEY_LEN, 200);
	assert_memory_equal(state->secret.key, run, KEY_LEN);
}

static void same_seed_same_output(void **unused)
{
	uint8_t a[3000], b[3000], c[3000];

	(void)unused;
	rng_fix_seed_for_tests(seed);
	rng_fill(RNG_RANDOM, a, 1000);
	rng_fill(RNG_RANDOM, a + 1000, 2000);
	rng_fix_seed_for_tests(seed);
	rng_fill(RNG_RANDOM, b, 3000);
	assert_memory_equal(a, b, 3000);
	rng_fill(RNG_NONCE, c, 3000);	/* the other generator says something else */
	assert_memory_not_equal(a, c, 3000);
}

static void output_is_wiped(void **unused)
{
	uint8_t out[64], saved[64];

	(void)unused;
	rng_fix_seed_for_tests(seed);
	rng_fill(RNG_RANDOM, out, 64);
	memcpy(saved, out, 64);
	assert_false(contains(state, sizeof(*state), saved, 16));
	assert_memory_equal(state->secret.run, zeros, KEY_LEN + 64);
	assert_true(state->secret.left == RUN - KEY_LEN - 64);
}

/* From the state behind an RNG_KEY call, nothing leads back to its output. */
static void key_level_rekeys(void **unused)
{
	struct generator before, after;
	uint8_t out[32], again[32];

	(void)unused;
	rng_fix_seed_for_tests(seed);
	rng_fill(RNG_RANDOM, out, 1);
	before = state->secret;
	rng_fill(RNG_KEY, out, sizeof(out));
	after = state->secret;
	assert_memory_not_equal(before.key, after.key, KEY_LEN);
	assert_true(after.left == RUN - KEY_LEN);
	assert_false(contains(&after, sizeof(after), before.run + RUN - 100, 100));
	assert_false(contains(&after, sizeof(after), out, 16));
	rng_fill(RNG_KEY, again, sizeof(again));
	assert_memory_not_equal(out, again, sizeof(out));
}

static void random_level_keeps_its_run(void **unused)
{
	uint8_t out[8], key[KEY_LEN];

	(void)unused;
	rng_fix_seed_for_tests(seed);
	rng_fill(RNG_RANDOM, out, 8);
	memcpy(key, state->secret.key, KEY_LEN);
	rng_fill(RNG_RANDOM, out, 8);
	assert_memory_equal(key, state->secret.key, KEY_LEN);
}

static void fresh(void)
{
	memset(state_get(), 0, sizeof(*state));
}

static void reseeds_by_bytes(void **unused)
{
	static uint8_t big[RESEED_BYTES];
	unsigned int first;

	(void)unused;
	fresh();
	seeds = 0;
	rng_fill(RNG_RANDOM, big, 1);
	first = seeds;
	assert_true(first > 0);
	rng_fill(RNG_RANDOM, big, RESEED_BYTES - 1);
	assert_int_equal(seeds, first);
	rng_fill(RNG_RANDOM, big, 1);
	assert_int_equal(seeds, 2 * first);
}

static void reseeds_by_time(void **unused)
{
	unsigned int first;
	uint8_t out[8];

	(void)unused;
	fresh();
	seeds = 0;
	rng_fill(RNG_NONCE, out, 8);
	first = seeds;
	fake_seconds += RESEED_SECONDS - 1;
	rng_fill(RNG_NONCE, out, 8);
	assert_int_equal(seeds, first);
	fake_seconds++;
	rng_fill(RNG_NONCE, out, 8);
	assert_int_equal(seeds, 2 * first);
}

/* A seed that an attacker knows can't undo what the key already holds. */
static void reseed_mixes_the_old_key(void **unused)
{
	struct generator a = { 0 }, b = { 0 }, c = { 0 };

	(void)unused;
	a.key[0] = 1;
	memset(a.run, 5, RUN);
	known_entropy = 0x42;
	reseed(&a);
	reseed(&b);
	known_entropy = 0x43;
	reseed(&c);
	known_entropy = -1;
	assert_memory_not_equal(a.key, b.key, KEY_LEN);
	assert_memory_not_equal(b.key, c.key, KEY_LEN);
	assert_memory_equal(a.run, zeros, RUN);
}

/* Child and parent write what they draw next; both must differ. */
static void child_draws(int fd)
{
	uint8_t out[32];

	rng_fill(RNG_KEY, out, sizeof(out));
	_exit(write(fd, out, sizeof(out)) != sizeof(out));
}

static void expect_different_child(pid_t (*make)(void))
{
	uint8_t mine[32], theirs[32];
	int fd[2], status;
	pid_t pid;

	fresh();
	rng_fill(RNG_RANDOM, mine, 8);		/* seeded, and in the middle of a run */
	assert_int_equal(pipe(fd), 0);
	pid = make();
	assert_true(pid >= 0);
	if (!pid)
		child_draws(fd[1]);
	rng_fill(RNG_KEY, mine, sizeof(mine));
	assert_int_equal(read(fd[0], theirs, 32), 32);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_memory_not_equal(mine, theirs, 32);
	close(fd[0]);
	close(fd[1]);
}

static void fork_is_noticed(void **unused)
{
	(void)unused;
	expect_different_child(fork);
}

/* Behind libc's back: no atfork handler runs, getpid may be cached. */
static pid_t raw_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void clone_is_noticed(void **unused)
{
	(void)unused;
	expect_different_child(raw_clone);
}

static void *thread_draws(void *out)
{
	rng_fill(RNG_KEY, out, 32);
	return state;
}

static void threads_are_apart(void **unused)
{
	uint8_t a[32], b[32];
	pthread_t t;
	void *theirs;

	(void)unused;
	rng_fill(RNG_KEY, a, 32);
	assert_int_equal(pthread_create(&t, NULL, thread_draws, b), 0);
	assert_int_equal(pthread_join(t, &theirs), 0);
	assert_ptr_not_equal(theirs, state);
	assert_memory_not_equal(a, b, 32);
	/* its pages were given back */
	assert_int_equal(msync(theirs, sizeof(struct state), MS_ASYNC), -1);
	assert_int_equal(errno, ENOMEM);
}

static void nettle_functions(void **unused)
{
	uint8_t a[16], b[16], key[KEY_LEN];

	(void)unused;
	rng_fix_seed_for_tests(seed);
	rng_nettle_random(NULL, 16, a);
	rng_fix_seed_for_tests(seed);
	rng_fill(RNG_RANDOM, b, 16);
	assert_memory_equal(a, b, 16);
	memcpy(key, state->secret.key, KEY_LEN);
	rng_nettle_key(NULL, 16, a);
	assert_memory_not_equal(key, state->secret.key, KEY_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_construction),
		cmocka_unit_test(same_seed_same_output),
		cmocka_unit_test(output_is_wiped),
		cmocka_unit_test(key_level_rekeys),
		cmocka_unit_test(random_level_keeps_its_run),
		cmocka_unit_test(reseeds_by_bytes),
		cmocka_unit_test(reseeds_by_time),
		cmocka_unit_test(reseed_mixes_the_old_key),
		cmocka_unit_test(fork_is_noticed),
		cmocka_unit_test(clone_is_noticed),
		cmocka_unit_test(threads_are_apart),
		cmocka_unit_test(nettle_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
