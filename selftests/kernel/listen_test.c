// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Listeners with the ULP: what they hand to accepted sockets, that none of
 * those ever speaks plain text, and that what is never accepted leaves nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

static const uint8_t param[] = { 12, 0, KTLS_P_IDENTITY, 0, 'w', 'e', 'b', 'm', 'a', 'i', 'l', 0 };
static struct upcall u;

static int bound(int family)
{
	struct sockaddr_storage ss = { .ss_family = family };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, sizeof(ss)), 0);
	return fd;
}

static int ask(int fd)
{
	return handshake(fd, KTLS_ROLE_SERVER, 5000, param, sizeof(param));
}

static int listener(int family)
{
	int fd = bound(family);

	assert_int_equal(ulp_attach(fd), 0);
	assert_int_equal(ask(fd), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static int dial(int fd, int family)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ss;
	socklen_t len = sizeof(ss);
	uint16_t port;
	int peer;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	port = sin->sin_port;
	memset(&ss, 0, sizeof(ss));
	ss.ss_family = family;
	if (family == AF_INET6)
		sin6->sin6_addr = in6addr_loopback;
	else
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin->sin_port = port;
	peer = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer, (struct sockaddr *)&ss, sizeof(ss)), 0);
	return peer;
}

static int taken(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int child;

	assert_int_equal(poll(&p, 1, 2000), 1);
	child = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(child >= 0);
	return child;
}

static void assert_fails(int fd, int err)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, err);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT), -1);
	assert_int_equal(errno, err);
}

static void assert_got(int fd, const char *want)
{
	char buf[64] = "";

	assert_int_equal(recv(fd, buf, sizeof(buf), 0), strlen(want));
	assert_string_equal(buf, want);
}

/* The peer of a child that was given some_key both ways. */
static void peer_says(int peer, const char *words)
{
	struct key key = some_key;
	uint8_t record[256];
	size_t len = wire_seal(&key, WIRE_DATA, words, strlen(words), 0, record);

	wire_write(peer, record, len);
}

/* ---- the way it should go */

static void serves(struct world *w, int family, int peer_family)
{
	int fd = listener(family), peer = dial(fd, peer_family), child;
	struct ktls_info info;
	char hello[5];

	/* What came before accept() is the handshake's, too. */
	wire_write(peer, "hello", 5);
	child = taken(fd);
	info_get(child, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_HANDSHAKING);
	assert_int_equal(info.role, KTLS_ROLE_SERVER);
	assert_fails(child, EAGAIN);
	assert_int_equal(polled(child, 50), 0);

	assert_int_equal(agent_wait(&w->agent, &u, 2000), 0);
	assert_int_equal(u.why, KTLS_WHY_HANDSHAKE);
	assert_int_equal(u.role, KTLS_ROLE_SERVER);
	assert_int_equal(u.pid, getpid());
	assert_true(u.timeout > 3000 && u.timeout <= 5000);
	assert_int_equal(u.cookie, info.cookie);
	assert_int_equal(u.param_len, sizeof(param));
	assert_memory_equal(u.param, param, sizeof(param));
	wire_read(u.channel, hello, sizeof(hello));
	assert_memory_equal(hello, "hello", sizeof(hello));
	wire_write(u.channel, "answer", 6);
	assert_got(peer, "answer");
	assert_int_equal(polled(child, 50), 0);

	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), 0);
	close(u.channel);
	assert_int_equal(polled(child, 1000), POLLOUT);
	peer_says(peer, "plaintext");
	assert_true(turns(child, POLLIN, 1000));
	assert_got(child, "plaintext");
	info_get(child, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_OPEN);
	close(child);
	close(peer);
	close(fd);
}

static void child_serves(void **state)
{
	serves(*state, AF_INET, AF_INET);
}

static void child_serves_v6(void **state)
{
	serves(*state, AF_INET6, AF_INET6);
}

static void child_serves_mapped(void **state)
{
	serves(*state, AF_INET6, AF_INET);
}

static void *reads_blocking(void *arg)
{
	static char buf[64];
	int child = accept(*(int *)arg, NULL, NULL);

	memset(buf, 0, sizeof(buf));
	if (child < 0 || recv(child, buf, sizeof(buf), 0) < 0)
		strcpy(buf, "error");
	close(child);
	return buf;
}

static void blocking_child_waits(void **state)
{
	int fd = listener(AF_INET), peer = dial(fd, AF_INET);
	struct world *w = *state;
	pthread_t thread;
	void *got;

	assert_int_equal(pthread_create(&thread, NULL, reads_blocking, &fd), 0);
	serve(&w->agent);
	peer_says(peer, "late");
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_string_equal(got, "late");
	close(peer);
	close(fd);
}

static void options_on_listener(void **state)
{
	int fd = bound(AF_INET), other = bound(AF_INET), peer;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct ktls_info info;

	(void)state;
	assert_int_equal(ulp_attach(fd), 0);
	assert_int_equal(ulp_attach(fd), -EEXIST);
	assert_int_equal(handshake(fd, KTLS_ROLE_CLIENT, 0, NULL, 0), -ENOTCONN);
	assert_int_equal(handshake(fd, 7, 0, NULL, 0), -EINVAL);
	assert_int_equal(ask(fd), 0);
	assert_int_equal(ask(fd), 0);
	info_get(fd, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_BARE);
	/* It asked for TLS: it does not become a client in plain text. */
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(getsockname(other, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	/* And on a socket that listens already. */
	assert_int_equal(ulp_attach(other), 0);
	assert_int_equal(ask(other), 0);
	peer = dial(other, AF_INET);
	close(peer);
	close(other);
	close(fd);
}

/* A listener with the ULP alone: the accepted socket may ask by itself. */
static void without_request(void **state)
{
	int fd = bound(AF_INET), child, peer;
	struct world *w = *state;

	assert_int_equal(ulp_attach(fd), 0);
	assert_int_equal(listen(fd, 1), 0);
	peer = dial(fd, AF_INET);
	child = taken(fd);
	wire_write(child, "plain", 5);
	assert_got(peer, "plain");
	assert_int_equal(handshake(child, KTLS_ROLE_SERVER, 0, NULL, 0), -EINPROGRESS);
	serve(&w->agent);
	assert_int_equal(polled(child, 1000), POLLOUT);
	close(peer);
	close(child);
	close(fd);
}

/* Connections that were there first are not forgotten. */
static void attached_late(void **state)
{
	int fd = bound(AF_INET), child, peer;
	struct world *w = *state;

	assert_int_equal(listen(fd, 1), 0);
	peer = dial(fd, AF_INET);
	usleep(20000);
	assert_int_equal(ulp_attach(fd), 0);
	assert_int_equal(ask(fd), 0);
	child = taken(fd);
	assert_fails(child, EAGAIN);
	serve(&w->agent);
	assert_int_equal(polled(child, 1000), POLLOUT);
	peer_says(peer, "first");
	assert_true(turns(child, POLLIN, 1000));
	assert_got(child, "first");
	close(peer);
	close(child);
	close(fd);
}

/* ---- never plain */

static void *accepts(void *arg)
{
	int *fd = arg;

	fd[1] = gettid();
	fd[0] = accept(fd[0], NULL, NULL);
	return NULL;
}

static void await_sleep(pid_t tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (state != 'S') {
		usleep(1000);
		f = fopen(path, "r");
		assert_non_null(f);
		assert_int_equal(fscanf(f, "%*d %*s %c", &state), 1);
		fclose(f);
	}
}

/* accept() was called when the listener was plain: the child has no session, and nothing reads around that. */
static void blocked_before_attach(void **state)
{
	int fd = bound(AF_INET), waiter[2] = { fd, 0 }, peer, to[2];
	volatile int *tid = &waiter[1];
	pthread_t thread;

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, accepts, waiter), 0);
	while (!*tid)
		usleep(1000);
	await_sleep(*tid);
	assert_int_equal(ulp_attach(fd), 0);
	assert_int_equal(ask(fd), 0);
	peer = dial(fd, AF_INET);
	wire_write(peer, "GET /", 5);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(waiter[0] >= 0);
	assert_true(turns(waiter[0], POLLIN, 2000));
	assert_fails(waiter[0], ECONNABORTED);
	assert_int_equal(pipe(to), 0);
	assert_int_equal(splice(waiter[0], NULL, to[1], NULL, 100, SPLICE_F_NONBLOCK), -1);
	assert_int_equal(errno, ECONNABORTED);
	close(to[0]);
	close(to[1]);
	close(waiter[0]);
	close(peer);
	close(fd);
}

static void no_agent(void **state)
{
	int fd = listener(AF_INET), peer = dial(fd, AF_INET), child;
	struct world *w = *state;
	struct ktls_info info;
	char reason[256], byte;

	agent_close(&w->agent);
	w->agent.fd = -1;
	wire_write(peer, "GET /", 5);
	child = taken(fd);
	assert_fails(child, ESRCH);
	assert_true(polled(child, 0) & POLLERR);
	info_get(child, &info, reason);
	assert_int_equal(info.phase, KTLS_PHASE_DEAD);
	assert_non_null(strstr(reason, "ktlsd"));
	close(child);
	assert_int_equal(recv(peer, &byte, 1, 0), 0);
	close(peer);
	close(fd);
}

static void refused(void **state)
{
	int fd = listener(AF_INET), peer = dial(fd, AF_INET), child = taken(fd);
	struct world *w = *state;

	assert_int_equal(agent_wait(&w->agent, &u, 2000), 0);
	assert_int_equal(agent_respond_error(&w->agent, u.id, -EACCES, 0, 0, "not you"), 0);
	close(u.channel);
	assert_true(turns(child, POLLERR, 1000));
	assert_fails(child, EACCES);
	close(peer);
	close(child);
	close(fd);
}

static void too_many(void **state)
{
	int fd = listener(AF_INET), peer[2], child[2];
	unsigned int old = param_set("max_pending_uid", 1);

	(void)state;
	peer[0] = dial(fd, AF_INET);
	peer[1] = dial(fd, AF_INET);
	child[0] = taken(fd);
	child[1] = taken(fd);
	assert_fails(child[0], EAGAIN);
	assert_fails(child[1], EBUSY);
	param_set("max_pending_uid", old);
	close(child[0]);
	close(child[1]);
	close(peer[0]);
	close(peer[1]);
	close(fd);
}

/* ---- what is never accepted */

static long module_users(void)
{
	FILE *f = fopen("/sys/module/ktls/refcnt", "r");
	long n = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &n), 1);
	fclose(f);
	return n;
}

static void assert_users(long want)
{
	int i;

	for (i = 0; i < 100 && module_users() != want; i++)
		usleep(20000);
	assert_int_equal(module_users(), want);
}

static void abort_it(int fd)
{
	struct linger l = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

static void reset_in_queue(void **state)
{
	long before = module_users();
	int fd = listener(AF_INET), peer = dial(fd, AF_INET), child;
	struct ktls_info info;

	(void)state;
	abort_it(peer);
	usleep(20000);
	child = taken(fd);
	info_get(child, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_DEAD);
	assert_int_equal(info.error, -ECONNRESET);
	assert_fails(child, ECONNRESET);
	close(child);
	close(fd);
	assert_users(before);
}

enum ending { CLOSED, SHUT };

static void queued(int family, enum ending ending)
{
	long before = module_users();
	int fd = listener(family), peer[16], i;

	for (i = 0; i < 16; i++) {
		peer[i] = dial(fd, family);
		wire_write(peer[i], "hello", 5);
	}
	for (i = 0; i < 8; i += 2)
		abort_it(peer[i]);
	usleep(20000);
	assert_true(module_users() >= before + 13);
	if (ending == SHUT)
		assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
	close(fd);
	for (i = 0; i < 16; i++)
		if (i >= 8 || i % 2)
			close(peer[i]);
	assert_users(before);
}

static void listener_closed(void **state)
{
	(void)state;
	queued(AF_INET, CLOSED);
	queued(AF_INET6, CLOSED);
}

static void listener_shut(void **state)
{
	(void)state;
	queued(AF_INET, SHUT);
	queued(AF_INET6, SHUT);
}

static void write_sysctl(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (!f)
		skip();		/* this kernel was built without */
	fputs(value, f);
	assert_int_equal(fclose(f), 0);
}

/* Every connection from a cookie; nothing waits half open. */
static void syn_cookies(void **state)
{
	write_sysctl("/proc/sys/net/ipv4/tcp_syncookies", "2");
	child_serves(state);
	queued(AF_INET, CLOSED);
}

/* accept(), close() of listener and connections, all at once. */
static void *dials(void *arg)
{
	struct sockaddr_in *sin = arg;
	int i, fd;

	for (i = 0; i < 200; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)sin, sizeof(*sin)))
			send(fd, "hello", 5, MSG_NOSIGNAL);
		if (i % 3)
			abort_it(fd);
		else
			close(fd);
	}
	return NULL;
}

static void races(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = -1, child, i, one = 1, taken_n = 0;
	socklen_t len = sizeof(sin);
	long before = module_users();
	pthread_t thread[2];

	(void)state;
	for (i = 0; i < 100; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
		assert_int_equal(ulp_attach(fd), 0);
		assert_int_equal(ask(fd), 0);
		assert_int_equal(listen(fd, 8), 0);
		if (!i) {
			assert_int_equal(pthread_create(&thread[0], NULL, dials, &sin), 0);
			assert_int_equal(pthread_create(&thread[1], NULL, dials, &sin), 0);
		}
		usleep(2000);
		while ((child = accept(fd, NULL, NULL)) >= 0) {
			taken_n++;
			close(child);
		}
		close(fd);
	}
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	assert_true(taken_n > 0);
	assert_users(before);
}

/* ---- readers of plain TCP when a handshake begins */

static void *reads_plain(void *arg)
{
	static char buf[64];

	memset(buf, 0, sizeof(buf));
	if (recv(*(int *)arg, buf, sizeof(buf), 0) < 0)
		strcpy(buf, "error");
	return buf;
}

static void reader_is_first(void **state)
{
	struct world *w = *state;
	pthread_t thread;
	void *got;

	assert_int_equal(pthread_create(&thread, NULL, reads_plain, &w->app), 0);
	usleep(50000);
	set_nonblock(w->app);
	assert_int_equal(handshake(w->app, KTLS_ROLE_CLIENT, 0, NULL, 0), -EBUSY);
	wire_write(w->peer, "STARTTLS", 8);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_string_equal(got, "STARTTLS");
	assert_int_equal(handshake(w->app, KTLS_ROLE_CLIENT, 0, NULL, 0), -EINPROGRESS);
	serve(&w->agent);
	assert_int_equal(polled(w->app, 1000), POLLOUT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
	const struct CMUnitTest tests[] = {
		T(child_serves), T(child_serves_v6), T(child_serves_mapped), T(blocking_child_waits),
		T(options_on_listener), T(without_request), T(attached_late),
		T(blocked_before_attach), T(no_agent), T(refused), T(too_many),
		T(reset_in_queue), T(listener_closed), T(listener_shut), T(syn_cookies), T(races),
		T(reader_is_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
