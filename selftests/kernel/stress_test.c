// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything at once for some seconds: in each of several network namespaces,
 * an agent that answers, refuses, dawdles, drops channels and leaves, and
 * applications that wait, give up, close and shut down. Nothing may hang, and
 * afterwards every gauge is 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "world.h"

#define NAMESPACES	3
#define APPS		4
#define SECONDS		5
#define PATIENCE	120		/* more, if nothing was opened so far: a slow machine */

static atomic_bool stop;
static atomic_uint done, opened;

struct place {
	pthread_t	leader, agent, apps[APPS];
	unsigned int	seed;
	bool		clean;
};


static unsigned int dice(unsigned int *seed, unsigned int sides)
{
	return (unsigned int)rand_r(seed) % sides;
}

/* ---- the agent */

static void handle(struct agent *a, struct upcall *u, unsigned int *seed)
{
	char buf[64];

	if (u->channel < 0) {
		agent_respond_error(a, u->id, -EIO, 0, 0, NULL);
		return;
	}
	if (dice(seed, 3) == 0 && write(u->channel, "flight", 6) < 0)
		errno = 0;
	set_nonblock(u->channel);
	if (dice(seed, 3) == 0 && read(u->channel, buf, sizeof(buf)) < 0)
		errno = 0;
	switch (dice(seed, 8)) {
	case 0:
		break;			/* closes the channel unanswered */
	case 1:
		agent_respond_error(a, u->id, -EPROTO, 40, KTLS_ALERT_FROM_LOCAL, "no luck");
		break;
	case 2:
		usleep(dice(seed, 30000));
		/* fallthrough */
	default:
		agent_respond_keys(a, u->id, &some_key, &some_key);
	}
	close(u->channel);
}

static void *agent_main(void *arg)
{
	struct upcall *u = malloc(sizeof(*u));
	unsigned int seed = *(unsigned int *)arg;
	struct agent a;

	while (!stop) {
		if (agent_open(&a) || agent_join(&a))
			abort();
		agent_listen(&a);
		while (!stop && dice(&seed, 40)) {
			if (!agent_accept(&a, u))
				handle(&a, u, &seed);
			else
				usleep(500);
		}
		/* Now and then it goes with a handshake in its hands. */
		u->channel = -1;
		if (dice(&seed, 2) && !agent_accept(&a, u) && dice(&seed, 2) && u->channel >= 0) {
			close(u->channel);
			u->channel = -1;	/* another thread's by now */
		} else if (u->channel >= 0 && write(u->channel, "half", 4) < 0) {
			errno = 0;
		}
		agent_close(&a);
		if (u->channel >= 0)
			close(u->channel);
	}
	free(u);
	return NULL;
}

/* ---- applications */

static void in_the_middle(int app, int peer, unsigned int *seed)
{
	struct pollfd p = { .fd = app, .events = POLLOUT };

	set_nonblock(app);
	handshake(app, dice(seed, 2), 0, NULL, 0);
	switch (dice(seed, 5)) {
	case 0:
		return;
	case 1:
		shutdown(app, SHUT_RDWR);
		return;
	case 2:
		shutdown(peer, SHUT_RDWR);
		break;
	case 3:
		usleep(dice(seed, 3000));
		return;
	}
	poll(&p, 1, 2000);
}

static void to_the_end(int app, unsigned int *seed)
{
	struct ktls_info info;
	socklen_t len = sizeof(info);
	char buf[16];

	if (!handshake(app, dice(seed, 2), 1 + dice(seed, 200), NULL, 0)) {
		opened++;
		send(app, "application data", 16, MSG_NOSIGNAL | MSG_DONTWAIT);
	} else if (send(app, "clear text", 10, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
		abort();	/* a failed handshake lets nothing through */
	}
	recv(app, buf, sizeof(buf), MSG_DONTWAIT);
	getsockopt(app, SOL_TLS, KTLS_INFO, &info, &len);
}

static void *app_main(void *arg)
{
	unsigned int seed = *(unsigned int *)arg;
	struct linger reset = { .l_onoff = 1 };
	int app, peer;

	while (!stop) {
		tcp_pair(dice(&seed, 2) ? AF_INET : AF_INET6, &app, &peer);
		if (ulp_attach(app))
			abort();
		if (dice(&seed, 3))
			to_the_end(app, &seed);
		else
			in_the_middle(app, peer, &seed);
		/* No port stays behind in TIME_WAIT. */
		setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (dice(&seed, 2)) {
			close(peer);
			close(app);
		} else {
			close(app);
			close(peer);
		}
		done++;
	}
	return NULL;
}

/* ---- one namespace, which its leader's threads inherit */

static bool all_returned(void)
{
	return !stat_get("CurrSockets") && !stat_get("CurrSessions") &&
	       !stat_get("CurrUpcalls") && !stat_get("CurrChannels");
}

static void *place_main(void *arg)
{
	struct place *place = arg;
	unsigned int seeds[APPS + 1], i;

	world_new_netns();
	for (i = 0; i <= APPS; i++)
		seeds[i] = place->seed * 100 + i;
	pthread_create(&place->agent, NULL, agent_main, &seeds[APPS]);
	for (i = 0; i < APPS; i++)
		pthread_create(&place->apps[i], NULL, app_main, &seeds[i]);
	for (i = 0; i < APPS; i++)
		pthread_join(place->apps[i], NULL);
	pthread_join(place->agent, NULL);
	place->clean = all_returned();
	return NULL;
}

static void everything_at_once(void **state)
{
	struct place places[NAMESPACES] = {};
	unsigned int i;

	(void)state;
	for (i = 0; i < NAMESPACES; i++) {
		places[i].seed = i + 1;
		assert_int_equal(pthread_create(&places[i].leader, NULL, place_main, &places[i]), 0);
	}
	sleep(SECONDS);
	for (i = 0; i < PATIENCE && (!opened || done <= opened); i++)
		sleep(1);
	stop = true;
	for (i = 0; i < NAMESPACES; i++)
		pthread_join(places[i].leader, NULL);
	print_message("# %u sockets, %u sessions\n", done, opened);
	for (i = 0; i < NAMESPACES; i++)
		assert_true(places[i].clean);
	assert_true(opened > 0 && done > opened);
}

/* KTLS_KO: the module's file. Unloads and loads it, so not where an agent runs. */
static void unload_and_load(void **state)
{
	const char *ko = getenv("KTLS_KO");
	int fd, tries;

	(void)state;
	if (!ko) {
		print_message("# KTLS_KO does not name the module\n");
		skip();
	}
	for (tries = 0; syscall(SYS_delete_module, "ktls", O_NONBLOCK) && tries < 50; tries++)
		usleep(100000);
	fd = open(ko, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	if (syscall(SYS_finit_module, fd, "", 0))
		fail_msg("module: %d after %d tries to unload", errno, tries);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_at_once),
		cmocka_unit_test(unload_and_load),
		cmocka_unit_test(unload_and_load),
	};

	return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
