// SPDX-License-Identifier: GPL-2.0-or-later
/* See world.h. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "world.h"

#ifndef SOL_TCP
#define SOL_TCP IPPROTO_TCP
#endif
#define HAVE_RDHUP 0x2000

const struct key some_key = {
	.version = 0x0304, .cipher = TLS_CIPHER_AES_GCM_128,
	.key = "0123456789abcdef", .key_len = 16, .iv = "0123456789a",
};

/* ---- namespace and counters */

void world_new_netns(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

/* /proc/thread-self, as unshare() moves one thread only. */
long stat_get(const char *name)
{
	FILE *f = fopen("/proc/thread-self/net/ktls_stat", "r");
	char word[64];
	long value;

	assert_non_null(f);
	while (fscanf(f, "Ktls%63s %ld\n", word, &value) == 2) {
		if (!strcmp(word, name)) {
			fclose(f);
			return value;
		}
	}
	fail_msg("no counter %s", name);
	return -1;
}

void world_gauges_return(void)
{
	static const char *const gauges[] = { "CurrSockets", "CurrSessions", "CurrUpcalls", "CurrChannels" };
	unsigned int i;

	for (i = 0; i < sizeof(gauges) / sizeof(*gauges); i++)
		if (stat_get(gauges[i]))
			fail_msg("%s is %ld after all was closed", gauges[i], stat_get(gauges[i]));
}

unsigned int param_set(const char *name, unsigned int value)
{
	char path[128];
	unsigned int old;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/ktls/parameters/%s", name);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &old), 1);
	rewind(f);
	fprintf(f, "%u\n", value);
	assert_int_equal(fclose(f), 0);
	return old;
}

/* ---- sockets */

static socklen_t loopback(int family, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET6) {
		sin6->sin6_addr = in6addr_loopback;
		return sizeof(*sin6);
	}
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*sin);
}

void tcp_pair(int family, int *ret_client, int *ret_server)
{
	int listener = socket(family, SOCK_STREAM, 0);
	struct sockaddr_storage ss;
	socklen_t len = loopback(family, &ss);

	assert_int_equal(bind(listener, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&ss, &len), 0);
	*ret_client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*ret_client, (struct sockaddr *)&ss, len), 0);
	*ret_server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*ret_server >= 0);
	close(listener);
}

int ulp_attach(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "ktls", 4) ? -errno : 0;
}

void set_nonblock(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

int so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	return err;
}

short polled(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | HAVE_RDHUP };

	poll(&p, 1, ms);
	return p.revents;
}

bool turns(int fd, short events, int ms)
{
	struct timespec wait = { .tv_nsec = 5000000 };
	int turn;

	for (turn = 0; turn < ms / 5; turn++) {
		if (polled(fd, 0) & events)
			return true;
		nanosleep(&wait, NULL);
	}
	return false;
}

/* ---- handshakes */

int handshake(int fd, uint8_t role, uint32_t timeout_ms, const void *attrs, size_t len)
{
	uint8_t request[sizeof(struct ktls_handshake) + 2 * KTLS_MAX_PARAM];
	struct ktls_handshake head = { .role = role, .timeout_ms = timeout_ms };

	memcpy(request, &head, sizeof(head));
	if (len)
		memcpy(request + sizeof(head), attrs, len);
	return setsockopt(fd, SOL_TLS, KTLS_HANDSHAKE, request, sizeof(head) + len) ? -errno : 0;
}

static void *ask(void *arg)
{
	struct asker *asker = arg;

	asker->result = handshake(asker->fd, KTLS_ROLE_CLIENT, 0, NULL, 0);
	return NULL;
}

void handshake_begin(struct asker *asker, int fd)
{
	asker->fd = fd;
	assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

int handshake_result(struct asker *asker)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 20;
	assert_int_equal(pthread_timedjoin_np(asker->thread, NULL, &limit), 0);
	return asker->result;
}

socklen_t info_get(int fd, struct ktls_info *info, char reason[256])
{
	uint8_t buf[sizeof(*info) + 20000];
	socklen_t len = sizeof(buf);
	struct nlattr *attr = (struct nlattr *)(buf + sizeof(*info));

	assert_int_equal(getsockopt(fd, SOL_TLS, KTLS_INFO, buf, &len), 0);
	memcpy(info, buf, sizeof(*info));
	assert_int_equal(len, sizeof(*info) + info->attr_len);
	if (!reason)
		return len;
	reason[0] = 0;
	if (info->attr_len && attr->nla_type == KTLS_I_REASON)
		strcpy(reason, (char *)(attr + 1));
	return len;
}

void serve(struct agent *a)
{
	struct upcall u;

	assert_int_equal(agent_wait(a, &u, 5000), 0);
	assert_int_equal(u.why, KTLS_WHY_HANDSHAKE);
	assert_true(u.channel >= 0);
	assert_int_equal(agent_respond_keys(a, u.id, &some_key, &some_key), 0);
	close(u.channel);
}

/* ---- cmocka */

int world_begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	world_new_netns();
	assert_int_equal(agent_open(&w->agent), 0);
	assert_int_equal(agent_join(&w->agent), 0);
	tcp_pair(AF_INET, &w->app, &w->peer);
	assert_int_equal(ulp_attach(w->app), 0);
	*state = w;
	return 0;
}

int world_end(void **state)
{
	struct world *w = *state;

	if (w->app >= 0)
		close(w->app);
	if (w->peer >= 0)
		close(w->peer);
	if (w->agent.fd >= 0)
		agent_close(&w->agent);
	free(w);
	world_gauges_return();
	return 0;
}
