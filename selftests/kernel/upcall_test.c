// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A handshake as application and agent see it: how it is asked for, how it
 * ends, and what happens when either of them goes away in the middle. No TLS
 * is spoken; the agent here answers with made-up keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "world.h"

#define CLIENT KTLS_ROLE_CLIENT
#define SERVER KTLS_ROLE_SERVER

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void accept_one(struct agent *a, struct upcall *u)
{
	assert_int_equal(agent_wait(a, u, 5000), 0);
	assert_int_equal(u->why, KTLS_WHY_HANDSHAKE);
	assert_true(u->channel >= 0);
}

/* A channel whose upcall is over: hung up, and no bytes either way. */
static void assert_hung_up(int channel)
{
	char byte;

	assert_true(turns(channel, POLLHUP, 5000));
	assert_int_equal(read(channel, &byte, 1), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(write(channel, "x", 1), -1);
	assert_int_equal(errno, ENOTCONN);
}

static void assert_dead(int fd, int err)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, err);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, err);
	assert_int_equal(polled(fd, 0) & (POLLERR | POLLIN), POLLERR | POLLIN);
}

/* ---- attach */

static void handshake_needs_connection(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct world *w = *state;

	assert_int_equal(ulp_attach(fd), 0);
	assert_int_equal(handshake(fd, CLIENT, 0, NULL, 0), -ENOTCONN);
	close(fd);
	assert_int_equal(ulp_attach(w->app), -EEXIST);
	shutdown(w->peer, SHUT_WR);
	usleep(20000);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -ENOTCONN);
}

static void bare_is_tcp(void **state)
{
	struct world *w = *state;
	struct ktls_info info;
	char buf[8];

	assert_int_equal(write(w->app, "hello", 5), 5);
	assert_int_equal(read(w->peer, buf, sizeof(buf)), 5);
	assert_int_equal(write(w->peer, "world", 5), 5);
	assert_int_equal(read(w->app, buf, sizeof(buf)), 5);
	assert_int_equal(info_get(w->app, &info, NULL), sizeof(info));
	assert_int_equal(info.phase, KTLS_PHASE_BARE);
	assert_true(info.cookie != 0);
}

/* ---- asking */

static void blocking(void **state)
{
	static const uint8_t param[] = { 8, 0, KTLS_P_SERVER_NAME, 0, 'a', 'b', 'c', 0 };
	struct world *w = *state;
	struct sockaddr_in *peer, name;
	struct ktls_info info;
	struct asker asker;
	struct upcall u;
	socklen_t len = sizeof(name);
	uint64_t cookie;
	char buf[8];

	handshake_begin(&asker, w->app);
	accept_one(&w->agent, &u);
	len = sizeof(cookie);
	assert_int_equal(getsockopt(w->app, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	assert_int_equal(u.cookie, cookie);
	assert_int_equal(u.role, CLIENT);
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.gid, 0);
	assert_int_equal(u.pid, getpid());
	assert_int_equal(u.param_len, 0);
	assert_true(u.timeout > 5000 && u.timeout <= 10000);
	assert_true(fcntl(u.channel, F_GETFD) & FD_CLOEXEC);

	len = sizeof(name);
	peer = (struct sockaddr_in *)&u.peer;
	assert_int_equal(getpeername(w->app, (struct sockaddr *)&name, &len), 0);
	assert_memory_equal(peer, &name, sizeof(name));
	assert_int_equal(getsockname(w->app, (struct sockaddr *)&name, &len), 0);
	assert_memory_equal(&u.local, &name, sizeof(name));

	assert_int_equal(write(u.channel, "hello", 5), 5);
	assert_int_equal(read(w->peer, buf, sizeof(buf)), 5);
	assert_int_equal(write(w->peer, "world", 5), 5);
	assert_int_equal(read(u.channel, buf, 2), 2);
	assert_int_equal(read(u.channel, buf + 2, sizeof(buf) - 2), 3);
	assert_memory_equal(buf, "world", 5);

	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), 0);
	assert_int_equal(handshake_result(&asker), 0);
	assert_hung_up(u.channel);
	close(u.channel);
	info_get(w->app, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_OPEN);
	assert_int_equal(info.version, 0x0304);
	assert_int_equal(info.cipher, TLS_CIPHER_AES_GCM_128);
	assert_int_equal(info.cookie, cookie);
	assert_int_equal(stat_get("CurrSessions"), 1);
	assert_int_equal(handshake(w->app, CLIENT, 0, param, sizeof(param)), -EISCONN);
}

static void parameters_arrive(void **state)
{
	uint8_t param[KTLS_MAX_PARAM];
	struct world *w = *state;
	struct upcall u;
	int i;

	for (i = 0; i < KTLS_MAX_PARAM; i++)
		param[i] = i * 7;
	((struct nlattr *)param)->nla_len = KTLS_MAX_PARAM;
	((struct nlattr *)param)->nla_type = KTLS_P_ALPN;
	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, SERVER, 1234, param, sizeof(param)), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(u.role, SERVER);
	assert_int_equal(u.param_len, sizeof(param));
	assert_memory_equal(u.param, param, sizeof(param));
	assert_true(u.timeout > 0 && u.timeout <= 1240);	/* jiffies */
	close(u.channel);
}

static void nonblocking(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct world *w = *state;
	char byte;

	set_nonblock(w->app);
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, w->app, &ev), 0);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EALREADY);
	assert_int_equal(write(w->peer, "x", 1), 1);
	assert_int_equal(epoll_wait(ep, &ev, 1, 50), 0);
	assert_int_equal(polled(w->app, 0), 0);
	assert_int_equal(read(w->app, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(w->app, "x", 1), -1);
	assert_int_equal(errno, EAGAIN);
	serve(&w->agent);
	assert_int_equal(epoll_wait(ep, &ev, 1, 5000), 1);
	assert_int_equal(ev.events & (EPOLLOUT | EPOLLERR), EPOLLOUT);
	assert_int_equal(so_error(w->app), 0);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EISCONN);
	close(ep);
}

static void io_waits(void **state)
{
	struct timeval limit = { .tv_usec = 100000 };
	struct world *w = *state;
	double begun;
	char byte;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	fcntl(w->app, F_SETFL, 0);
	setsockopt(w->app, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(w->app, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(write(w->peer, "x", 1), 1);
	begun = now();
	assert_int_equal(read(w->app, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(w->app, "x", 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(now() - begun > 0.19);
	/* SO_SNDTIMEO is the limit of waiting for the handshake, too. */
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EALREADY);
}

static void two_callers_join(void **state)
{
	struct asker first, second;
	struct world *w = *state;

	handshake_begin(&first, w->app);
	while (!stat_get("CurrUpcalls"))
		usleep(1000);
	handshake_begin(&second, w->app);
	usleep(20000);
	serve(&w->agent);
	assert_int_equal(handshake_result(&first), 0);
	assert_int_equal(handshake_result(&second), 0);
	assert_int_equal(stat_get("HandshakesStarted"), 1);
	assert_int_equal(stat_get("HandshakesDone"), 1);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A caller who was called away gets the result with the next call. */
static void signal_interrupts(void **state)
{
	struct sigaction act = { .sa_handler = nothing };
	struct world *w = *state;
	struct asker asker;

	sigaction(SIGUSR1, &act, NULL);
	handshake_begin(&asker, w->app);
	while (!stat_get("CurrUpcalls"))
		usleep(1000);
	usleep(20000);
	pthread_kill(asker.thread, SIGUSR1);
	assert_int_equal(handshake_result(&asker), -EINTR);
	handshake_begin(&asker, w->app);
	usleep(20000);
	pthread_kill(asker.thread, SIGUSR1);
	assert_int_equal(handshake_result(&asker), -EINTR);
	serve(&w->agent);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), 0);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EISCONN);
}

static void restart_joins(void **state)
{
	struct sigaction act = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct world *w = *state;
	struct asker asker;

	sigaction(SIGUSR1, &act, NULL);
	handshake_begin(&asker, w->app);
	while (!stat_get("CurrUpcalls"))
		usleep(1000);
	usleep(20000);
	pthread_kill(asker.thread, SIGUSR1);
	usleep(20000);
	serve(&w->agent);
	assert_int_equal(handshake_result(&asker), 0);
	assert_int_equal(stat_get("HandshakesStarted"), 1);
}

/* ---- refused requests */

static void malformed_requests(void **state)
{
	static const struct {
		struct ktls_handshake head;
		unsigned int len;
		uint8_t attrs[12];
	} cases[] = {
		{ {}, 0, {} },
		{ {}, 7, {} },
		{ { .role = 2 }, 8, {} },
		{ { .flags = 1 }, 8, {} },
		{ { .reserved = 1 }, 8, {} },
		{ { .timeout_ms = KTLS_TIMEOUT_MAX_MS + 1 }, 8, {} },
		{ {}, 11, { 4, 0, 1 } },		/* a header cut short */
		{ {}, 12, { 3, 0, 1, 0 } },		/* shorter than its header */
		{ {}, 12, { 5, 0, 1, 0 } },		/* longer than the rest */
		{ {}, 12, { 4, 0, 0, 0 } },		/* type 0 */
		{ {}, 18, { 5, 0, 1, 0, 'x', 0, 0, 0, 6, 0 } },
		{ {}, sizeof(struct ktls_handshake) + KTLS_MAX_PARAM + 4, {} },
	};
	uint8_t request[sizeof(struct ktls_handshake) + KTLS_MAX_PARAM + 4];
	struct world *w = *state;
	struct ktls_info info;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(request, 0, sizeof(request));
		memcpy(request, &cases[i].head, sizeof(cases[i].head));
		memcpy(request + sizeof(cases[i].head), cases[i].attrs, sizeof(cases[i].attrs));
		if (!setsockopt(w->app, SOL_TLS, KTLS_HANDSHAKE, request, cases[i].len))
			fail_msg("case %u was accepted", i);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(setsockopt(w->app, SOL_TLS, KTLS_HANDSHAKE, NULL, 8), -1);
	assert_int_equal(errno, EFAULT);
	info_get(w->app, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_BARE);
	assert_int_equal(stat_get("HandshakesStarted"), 0);
}

static void no_agent(void **state)
{
	struct world *w = *state;
	struct ktls_info info;
	struct asker asker;
	char reason[256];

	agent_close(&w->agent);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -ESRCH);
	info_get(w->app, &info, reason);
	assert_int_equal(info.phase, KTLS_PHASE_DEAD);
	assert_int_equal(info.error, -ESRCH);
	assert_non_null(strstr(reason, "ktlsd"));
	assert_int_equal(stat_get("HandshakesNoAgent"), 1);
	assert_int_equal(so_error(w->app), 0);	/* setsockopt has told it */
	assert_dead(w->app, ESRCH);
	/* No byte has moved: it may ask again. */
	assert_int_equal(agent_open(&w->agent), 0);
	assert_int_equal(agent_join(&w->agent), 0);
	handshake_begin(&asker, w->app);
	serve(&w->agent);
	assert_int_equal(handshake_result(&asker), 0);
	info_get(w->app, &info, reason);
	assert_int_equal(info.phase, KTLS_PHASE_OPEN);
	assert_int_equal(info.error, 0);
	assert_string_equal(reason, "");
}

/* ---- failures */

static void agent_refuses(void **state)
{
	struct world *w = *state;
	struct ktls_info info;
	char reason[256];
	struct upcall u;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(write(u.channel, "x", 1), 1);
	assert_int_equal(agent_respond_error(&w->agent, u.id, -EKEYREJECTED, 42,
					     KTLS_ALERT_FROM_LOCAL, "the certificate is for another name"), 0);
	assert_true(turns(w->app, POLLERR, 5000));
	assert_int_equal(so_error(w->app), EKEYREJECTED);
	assert_dead(w->app, EKEYREJECTED);
	info_get(w->app, &info, reason);
	assert_int_equal(info.phase, KTLS_PHASE_DEAD);
	assert_int_equal(info.error, -EKEYREJECTED);
	assert_int_equal(info.alert, 42);
	assert_int_equal(info.alert_from, KTLS_ALERT_FROM_LOCAL);
	assert_string_equal(reason, "the certificate is for another name");
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EKEYREJECTED);
	assert_hung_up(u.channel);
	close(u.channel);
}

static void times_out(void **state)
{
	struct world *w = *state;
	struct ktls_info info;
	double begun = now();
	char reason[256];

	assert_int_equal(handshake(w->app, CLIENT, 200, NULL, 0), -ETIMEDOUT);
	assert_true(now() - begun >= 0.19 && now() - begun < 2);
	info_get(w->app, &info, reason);
	assert_non_null(strstr(reason, "time limit"));
	assert_int_equal(stat_get("HandshakesTimedOut"), 1);
	assert_int_equal(stat_get("CurrUpcalls"), 0);
	assert_dead(w->app, ETIMEDOUT);
}

static void times_out_in_agent(void **state)
{
	struct world *w = *state;
	struct upcall u;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 200, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(write(u.channel, "x", 1), 1);
	assert_true(turns(w->app, POLLERR, 5000));
	assert_int_equal(so_error(w->app), ETIMEDOUT);
	assert_hung_up(u.channel);
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), -ENOENT);
	close(u.channel);
}

static void peer_resets_pending(void **state)
{
	struct linger now_then = { .l_onoff = 1 };
	struct world *w = *state;
	struct asker asker;
	double begun = now();

	handshake_begin(&asker, w->app);
	while (!stat_get("CurrUpcalls"))
		usleep(1000);
	setsockopt(w->peer, SOL_SOCKET, SO_LINGER, &now_then, sizeof(now_then));
	close(w->peer);
	w->peer = -1;
	assert_int_equal(handshake_result(&asker), -ECONNRESET);
	assert_true(now() - begun < 5);
}

/* What came before the reset, an alert perhaps, is still there for the agent. */
static void peer_resets_held(void **state)
{
	struct linger now_then = { .l_onoff = 1 };
	struct world *w = *state;
	struct upcall u;
	char buf[8];

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(write(w->peer, "alert", 5), 5);
	setsockopt(w->peer, SOL_SOCKET, SO_LINGER, &now_then, sizeof(now_then));
	close(w->peer);
	w->peer = -1;
	assert_true(turns(u.channel, POLLHUP, 5000));
	assert_int_equal(polled(w->app, 50), 0);
	assert_int_equal(read(u.channel, buf, sizeof(buf)), 5);
	assert_int_equal(read(u.channel, buf, sizeof(buf)), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(agent_respond_error(&w->agent, u.id, -EPROTO, 40, KTLS_ALERT_FROM_PEER, NULL), 0);
	assert_int_equal(so_error(w->app), EPROTO);
	close(u.channel);
}

static void peer_closes(void **state)
{
	struct world *w = *state;
	struct upcall u;
	char byte;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	shutdown(w->peer, SHUT_WR);
	assert_true(turns(u.channel, POLLIN, 5000));
	assert_int_equal(read(u.channel, &byte, 1), 0);
	assert_int_equal(polled(w->app, 0), 0);
	close(u.channel);
}

/* ---- somebody goes away */

static void app_closes(void **state)
{
	struct world *w = *state;
	struct upcall u;
	char byte;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(write(w->peer, "unread", 6), 6);
	usleep(20000);
	close(w->app);
	w->app = -1;
	/* FIN, not RST, and at once, though the agent has the channel open. */
	assert_int_equal(read(w->peer, &byte, 1), 0);
	assert_hung_up(u.channel);
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), -ENOENT);
	assert_int_equal(stat_get("CurrUpcalls"), 0);
	close(u.channel);
}

static void *read_channel(void *arg)
{
	ssize_t n;
	char byte;

	n = read(*(int *)arg, &byte, 1);
	return (void *)(intptr_t)(n < 0 ? -errno : n);
}

static void app_closes_under_reader(void **state)
{
	struct world *w = *state;
	pthread_t thread;
	struct upcall u;
	void *result;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(pthread_create(&thread, NULL, read_channel, &u.channel), 0);
	usleep(50000);
	close(w->app);
	w->app = -1;
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, -ENOTCONN);
	close(u.channel);
}

static void app_shuts_down(void **state)
{
	struct world *w = *state;
	struct asker asker;
	struct upcall u;
	char byte;

	handshake_begin(&asker, w->app);
	accept_one(&w->agent, &u);
	assert_int_equal(shutdown(w->app, SHUT_WR), 0);
	assert_int_equal(handshake_result(&asker), -ESHUTDOWN);
	assert_int_equal(read(w->peer, &byte, 1), 0);
	assert_hung_up(u.channel);
	assert_dead(w->app, ESHUTDOWN);
	close(u.channel);
}

static void app_killed(void **state)
{
	struct world *w = *state;
	struct upcall u;
	char byte;
	pid_t pid;

	pid = fork();
	if (!pid) {
		handshake(w->app, CLIENT, 0, NULL, 0);
		_exit(1);
	}
	close(w->app);
	w->app = -1;
	accept_one(&w->agent, &u);
	assert_int_equal(u.pid, pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(w->peer, &byte, 1), 0);
	assert_hung_up(u.channel);
	close(u.channel);
}

/* Parent and child share the socket: the handshake of one is that of both. */
static void fork_shares(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(handshake(w->app, CLIENT, 0, NULL, 0) ? 1 : 0);
	serve(&w->agent);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EISCONN);
}

static void channel_closed_early(void **state)
{
	struct world *w = *state;
	struct upcall u, again;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	close(u.channel);
	accept_one(&w->agent, &again);
	assert_int_equal(again.id, u.id);
	assert_int_equal(agent_respond_keys(&w->agent, again.id, &some_key, &some_key), 0);
	assert_int_equal(so_error(w->app), 0);
	assert_int_equal(polled(w->app, 0), POLLOUT);
	close(again.channel);
}

static void channel_closed_late(void **state)
{
	struct world *w = *state;
	struct ktls_info info;
	char reason[256];
	struct upcall u;

	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(write(u.channel, "x", 1), 1);
	close(u.channel);
	assert_true(turns(w->app, POLLERR, 5000));
	assert_int_equal(so_error(w->app), ECONNABORTED);
	info_get(w->app, &info, reason);
	assert_non_null(strstr(reason, "agent"));
	assert_int_equal(agent_accept(&w->agent, &u), -EAGAIN);
}

static void agent_leaves_early(void **state)
{
	struct world *w = *state;
	struct upcall u, again;
	struct agent second;
	char byte;

	assert_int_equal(agent_open(&second), 0);
	assert_int_equal(agent_join(&second), 0);
	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -EINPROGRESS);
	accept_one(&w->agent, &u);
	assert_int_equal(agent_accept(&second, &again), -EAGAIN);
	agent_close(&w->agent);		/* the channel stays open */
	accept_one(&second, &again);
	assert_int_equal(again.id, u.id);
	assert_hung_up(u.channel);	/* but it is not the channel any more */
	close(u.channel);
	assert_int_equal(write(w->peer, "x", 1), 1);
	assert_int_equal(read(again.channel, &byte, 1), 1);
	assert_int_equal(agent_respond_keys(&second, again.id, &some_key, &some_key), 0);
	assert_int_equal(so_error(w->app), 0);
	assert_int_equal(stat_get("AgentsLost"), 1);
	close(again.channel);
	agent_close(&second);
}

static void agent_leaves_late(void **state)
{
	struct world *w = *state;
	struct asker asker;
	struct upcall u;

	handshake_begin(&asker, w->app);
	accept_one(&w->agent, &u);
	assert_int_equal(write(u.channel, "x", 1), 1);
	agent_close(&w->agent);
	assert_int_equal(handshake_result(&asker), -ECONNABORTED);
	assert_hung_up(u.channel);
	close(u.channel);
}

/* An agent that restarts finds what waited for it. */
static void agent_restarts(void **state)
{
	struct world *w = *state;
	struct asker asker;

	handshake_begin(&asker, w->app);
	while (!stat_get("CurrUpcalls"))
		usleep(1000);
	agent_close(&w->agent);
	usleep(20000);
	assert_int_equal(agent_open(&w->agent), 0);
	assert_int_equal(agent_join(&w->agent), 0);
	serve(&w->agent);
	assert_int_equal(handshake_result(&asker), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(handshake_needs_connection), TEST(bare_is_tcp),
		TEST(blocking), TEST(parameters_arrive), TEST(nonblocking), TEST(io_waits),
		TEST(two_callers_join), TEST(signal_interrupts), TEST(restart_joins),
		TEST(malformed_requests), TEST(no_agent),
		TEST(agent_refuses), TEST(times_out), TEST(times_out_in_agent),
		TEST(peer_resets_pending), TEST(peer_resets_held), TEST(peer_closes),
		TEST(app_closes), TEST(app_closes_under_reader), TEST(app_shuts_down),
		TEST(app_killed), TEST(fork_shares),
		TEST(channel_closed_early), TEST(channel_closed_late),
		TEST(agent_leaves_early), TEST(agent_leaves_late), TEST(agent_restarts),
	};

	return cmocka_run_group_tests_name("upcall", tests, NULL, NULL);
}
