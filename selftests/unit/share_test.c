/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What agents have in common by a Redis, here a redis-server of our own: the
 * first one's secret, and a register that knows each ticket once for all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "config.h"
#include "share.h"

static char dir[] = "/tmp/share_test.XXXXXX", path[64];
static struct config config = { .ticket_redis = path };
static pid_t server;

static void __attribute__((noreturn)) become_redis(void)
{
	if (chdir(dir) || !freopen("/dev/null", "w", stdout))
		_exit(127);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--save", "", NULL);
	_exit(127);
}

/* It answers, or is not installed: -1. */
static int start(void)
{
	int i;

	server = fork();
	if (!server)
		become_redis();
	for (i = 0; i < 600; i++) {
		if (!access(path, R_OK | W_OK))
			return 0;
		if (waitpid(server, NULL, WNOHANG))
			return -1;
		usleep(100000);
	}
	return -1;
}

static void stop(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	unlink(path);
}

static int setup(void **unused)
{
	(void)unused;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/redis", dir);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	return rmdir(dir);
}

static void command(const char *words)
{
	redisContext *r = redisConnectUnix(path);
	redisReply *reply = redisCommand(r, words);

	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_STATUS);
	freeReplyObject(reply);
	redisFree(r);
}

static void common(void **unused)
{
	static const uint8_t one[32] = { 1 }, other[32] = { 1, 0, 1 }, third[32] = { 3 }, fourth[32] = { 4 }, fifth[32] = { 5 };
	struct share left = { 0 }, right = { 0 };

	(void)unused;
	if (start())
		skip();
	assert_false(share_first(&left, &config, one, 1));	/* it has not asked for the secret */
	share_update(&left, &config, 1);
	share_update(&right, &config, 1);
	assert_true(left.has && right.has);
	assert_memory_equal(left.secret, right.secret, SHARE_SECRET);

	assert_true(share_first(&left, &config, one, 1));
	assert_false(share_first(&left, &config, one, 1));
	assert_false(share_first(&right, &config, one, 1));
	assert_true(share_first(&right, &config, other, 1));
	assert_false(share_first(&left, &config, other, 1));

	command("FLUSHALL");		/* whatever came before, it doesn't know */
	assert_false(share_first(&left, &config, third, 1));
	share_forget(&left);
	share_update(&left, &config, 1);
	assert_true(left.has);
	assert_true(share_first(&left, &config, third, 1));
	assert_false(share_first(&right, &config, fourth, 1));	/* its secret is not the common one */
	share_update(&right, &config, 10000);
	assert_memory_not_equal(left.secret, right.secret, SHARE_SECRET);
	share_update(&right, &config, 10001);	/* now it asks again */
	assert_memory_equal(left.secret, right.secret, SHARE_SECRET);
	assert_false(share_first(&right, &config, third, 10001));
	assert_true(share_first(&right, &config, fifth, 10001));

	stop();
	share_update(&right, &config, 20001);	/* what is known counts on */
	assert_true(right.has && right.away);
	assert_memory_equal(left.secret, right.secret, SHARE_SECRET);
	assert_false(share_first(&left, &config, fourth, 1));
	assert_int_equal(left.silent, 10001);
	assert_int_equal(start(), 0);
	share_update(&left, &config, 1);
	assert_false(share_first(&left, &config, fourth, 10000));
	stop();
	share_forget(&left);
	share_forget(&right);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(common) };

	return cmocka_run_group_tests_name("share", tests, setup, teardown);
}
