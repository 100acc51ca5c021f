// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every allocation, and every copy from or to user memory, of every path
 * fails once: the n-th by /proc/thread-self/fail-nth, for n = 1, 2, ... until
 * a call gets through without. Then the call has said an errno or done its
 * work, a later try succeeds where the session lives, no byte is lost or
 * comes twice, and every gauge is back at 0. kmemleak may be asked afterwards.
 * What runs in softirq is not hit: pressure_test.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fault.h"
#include "wire.h"
#include "world.h"

#define LIMIT	3000	/* no path has so many */
#define STREAM	40000

/* One turn of a scene. */
struct turn {
	struct session	s;		/* or s.fd alone, and its peer s.raw */
	int		other;		/* a listener, a file, a pipe's end; -1 */
	int		pipe[2];
	struct upcall	u;
};

struct scene {
	const char	*name;
	void		(*begin)(struct turn *t);
	int		(*act)(struct turn *t);			/* under faults: >= 0 or -errno */
	void		(*after)(struct turn *t, int ret);	/* without */
};

static unsigned int at_fault;
static uint8_t out[STREAM], in[2 * STREAM];
static struct message m;

static bool dead(const struct turn *t, int err)
{
	struct ktls_info info;

	info_get(t->s.fd, &info, NULL);
	if (info.phase != KTLS_PHASE_DEAD)
		return false;
	assert_true(info.error < 0);
	if (err)
		assert_int_equal(recv(t->s.fd, in, 1, MSG_DONTWAIT), -1);
	return true;
}

static void exchange(struct turn *t)
{
	peer_send(&t->s, WIRE_DATA, "to you", 6);
	wire_read(t->s.fd, in, 6);
	assert_memory_equal(in, "to you", 6);
	wire_write(t->s.fd, "to me", 5);
	peer_recv_all(&t->s, in, 5);
	assert_memory_equal(in, "to me", 5);
}

/* ---- attach, keys by the application */

static void connected(struct turn *t)
{
	int fd[2];

	wire_pair(fd);
	t->s.fd = fd[0];
	t->s.raw = fd[1];
}

static int attach_act(struct turn *t)
{
	return wire_attach(t->s.fd);
}

static void attach_after(struct turn *t, int ret)
{
	if (ret)
		assert_int_equal(wire_attach(t->s.fd), 0);
}

static void attached(struct turn *t)
{
	connected(t);
	assert_int_equal(wire_attach(t->s.fd), 0);
	t->s.tx = wire_key(TLS_CIPHER_AES_GCM_128, 1);
	t->s.rx = wire_key(TLS_CIPHER_CHACHA20_POLY1305, 2);
	t->s.rx = wire_key(TLS_CIPHER_AES_GCM_128, 2);
}

static int keys_act(struct turn *t)
{
	int err = wire_install(t->s.fd, TLS_TX, &t->s.tx);

	return err ? err : wire_install(t->s.fd, TLS_RX, &t->s.rx);
}

static void keys_after(struct turn *t, int ret)
{
	if (ret)
		assert_int_equal(keys_act(t), 0);
	exchange(t);
}

static void by_app(struct turn *t)
{
	session_mainline(&t->s, TLS_CIPHER_CHACHA20_POLY1305);
}

static int keys_read_act(struct turn *t)
{
	uint8_t info[sizeof(struct tls12_crypto_info_chacha20_poly1305)];
	socklen_t len = sizeof(info);

	return getsockopt(t->s.fd, SOL_TLS, TLS_TX, info, &len) ? -errno : 0;
}

static void alive_after(struct turn *t, int ret)
{
	(void)ret;
	exchange(t);
}

/* ---- the handshake, step by step */

static void agent_there(struct turn *t)
{
	assert_int_equal(agent_open(&t->s.agent), 0);
}

static int join_act(struct turn *t)
{
	message_start(&m, &t->s.agent, KTLS_CMD_JOIN, NLM_F_ACK);
	return agent_write(&t->s.agent, &m);
}

static void join_after(struct turn *t, int ret)
{
	int err = ret ? ret : agent_read(&t->s.agent, &m);

	if (err)
		err = agent_join(&t->s.agent);
	assert_true(!err || err == -EALREADY);	/* only the answer was lost */
}

static void joined(struct turn *t)
{
	attached(t);
	agent_there(t);
	assert_int_equal(agent_join(&t->s.agent), 0);
	set_nonblock(t->s.fd);
}

static int ask_act(struct turn *t)
{
	static const uint8_t name[] = { 9, 0, KTLS_P_SERVER_NAME, 0, 'h', 'o', 's', 't', 0, 0, 0, 0 };

	return handshake(t->s.fd, KTLS_ROLE_CLIENT, 0, name, sizeof(name));
}

static void serve_it(struct turn *t)
{
	fcntl(t->s.fd, F_SETFL, 0);
	assert_int_equal(agent_wait(&t->s.agent, &t->u, 5000), 0);
	assert_int_equal(agent_respond_keys(&t->s.agent, t->u.id, &t->s.tx, &t->s.rx), 0);
	close(t->u.channel);
	exchange(t);
}

static void ask_after(struct turn *t, int ret)
{
	if (ret != -EINPROGRESS) {
		so_error(t->s.fd);
		assert_int_equal(ask_act(t), -EINPROGRESS);
	}
	serve_it(t);
}

static void asked(struct turn *t)
{
	joined(t);
	assert_int_equal(ask_act(t), -EINPROGRESS);
}

static int accept_act(struct turn *t)
{
	message_start(&m, &t->s.agent, KTLS_CMD_ACCEPT, 0);
	return agent_write(&t->s.agent, &m);
}

static void accept_after(struct turn *t, int ret)
{
	int err = ret ? ret : agent_accepted(&t->s.agent, &t->u);

	if (err)
		assert_int_equal(agent_wait(&t->s.agent, &t->u, 5000), 0);
	assert_int_equal(agent_respond_keys(&t->s.agent, t->u.id, &t->s.tx, &t->s.rx), 0);
	close(t->u.channel);
	fcntl(t->s.fd, F_SETFL, 0);
	exchange(t);
}

static void accepted(struct turn *t)
{
	asked(t);
	assert_int_equal(agent_wait(&t->s.agent, &t->u, 5000), 0);
	fcntl(t->s.fd, F_SETFL, 0);
}

static void response(struct turn *t)
{
	struct key next;

	agent_respond(&t->s.agent, &m, t->u.id);
	message_put_key(&m, KTLS_A_TX, &t->s.tx);
	message_put_key(&m, KTLS_A_RX, &t->s.rx);
	next = session_next(&t->s.tx);
	message_put_key(&m, KTLS_A_TX_NEXT, &next);
	next = session_next(&t->s.rx);
	message_put_key(&m, KTLS_A_RX_NEXT, &next);
	message_put(&m, KTLS_A_STATE, "some state", 10);
	message_put_u16(&m, KTLS_A_TX_LIMIT, 1000);
}

static int respond_act(struct turn *t)
{
	response(t);
	return agent_write(&t->s.agent, &m);
}

/* A refusal brings the message back as the kernel left it: without keys. */
static void respond_after(struct turn *t, int ret)
{
	int err;

	memset(&m, 0, sizeof(m));
	m.len = sizeof(m.bytes);
	err = ret ? ret : agent_read(&t->s.agent, &m);
	if (err)
		assert_null(memmem(m.bytes, m.len, t->s.tx.key, t->s.tx.key_len));
	if (err) {
		response(t);
		err = agent_send(&t->s.agent, &m);
		assert_true(!err || err == -ENOENT);	/* only the answer was lost */
	}
	close(t->u.channel);
	exchange(t);
}

static int refuse_act(struct turn *t)
{
	agent_respond(&t->s.agent, &m, t->u.id);
	message_put_u32(&m, KTLS_A_ERRNO, -EACCES);
	message_put(&m, KTLS_A_REASON, "no", 3);
	return agent_write(&t->s.agent, &m);
}

static void refuse_after(struct turn *t, int ret)
{
	int err = ret ? ret : agent_read(&t->s.agent, &m);

	if (err) {
		err = agent_respond_error(&t->s.agent, t->u.id, -EACCES, 0, 0, "no");
		assert_true(!err || err == -ENOENT);
	}
	close(t->u.channel);
	assert_true(dead(t, -EACCES));
}

static int leave_act(struct turn *t)
{
	agent_close(&t->s.agent);
	return 0;
}

static void leave_after(struct turn *t, int ret)
{
	(void)ret;
	close(t->u.channel);
	assert_int_equal(agent_open(&t->s.agent), 0);
	assert_int_equal(agent_join(&t->s.agent), 0);
	serve_it(t);
}

static void count(const struct nlattr **tb, void *arg)
{
	*(int *)arg += tb[KTLS_S_COOKIE] != NULL;
}

static int sessions_act(struct turn *t)
{
	message_start(&m, &t->s.agent, KTLS_CMD_SESSION_GET, NLM_F_DUMP);
	return agent_write(&t->s.agent, &m);
}

static void sessions_after(struct turn *t, int ret)
{
	struct agent a;
	int n = 0;

	(void)ret;
	assert_int_equal(agent_open(&a), 0);
	assert_int_equal(agent_sessions(&a, count, &n), 0);
	assert_int_equal(n, 1);
	agent_close(&a);
	accept_after(t, -EAGAIN);
}

/* ---- sending */

static void by_agent(struct turn *t)
{
	session_agent(&t->s, TLS_CIPHER_AES_GCM_128, true);
}

static void old_by_app(struct turn *t)
{
	session_mainline_as(&t->s, 0x0303, TLS_CIPHER_AES_GCM_256);
}

static void file_there(struct turn *t)
{
	by_agent(t);
	t->other = memfd_create("file", MFD_CLOEXEC);
	wire_write(t->other, out, STREAM);
}

static int send_act(struct turn *t)
{
	ssize_t n = send(t->s.fd, out, STREAM, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

static int more_act(struct turn *t)
{
	ssize_t n = send(t->s.fd, out, 100, MSG_NOSIGNAL | MSG_MORE), n2;

	if (n < 100)
		return n < 0 ? -errno : n;
	n2 = send(t->s.fd, out + 100, 200, MSG_NOSIGNAL);
	return n2 > 0 ? 100 + n2 : 100;
}

static int zerocopy_act(struct turn *t)
{
	int one = 1;
	ssize_t n;

	setsockopt(t->s.fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	n = send(t->s.fd, out, STREAM, MSG_NOSIGNAL | MSG_ZEROCOPY);
	return n < 0 ? -errno : n;
}

static int sendfile_act(struct turn *t)
{
	off_t at = 0;
	ssize_t n = sendfile(t->s.fd, t->other, &at, STREAM);

	return n < 0 ? -errno : n;
}

/* What was reported as taken arrives without another call; then the rest goes. Where the session
 * died, the call said so, or the next one does. */
static void sent(struct turn *t, int ret)
{
	size_t n = ret < 0 ? 0 : ret;

	if (dead(t, ret < 0 ? ret : 0)) {
		assert_int_equal(send(t->s.fd, out, 1, MSG_NOSIGNAL), -1);
		return;
	}
	peer_recv_all(&t->s, in, n);
	wire_write(t->s.fd, out + n, STREAM - n);
	peer_recv_all(&t->s, in + n, STREAM - n);
	assert_memory_equal(in, out, STREAM);
}

static int shutdown_act(struct turn *t)
{
	return shutdown(t->s.fd, SHUT_WR) ? -errno : 0;
}

/*
 * close_notify may be lost. TCP sends no FIN if it has no memory for that: up to
 * three allocations, kmemleak's among them, in each of two scenes.
 */
static void ended(struct turn *t, int ret)
{
	struct timeval limit = { .tv_sec = 5 };
	static unsigned int lost;
	ssize_t n;

	(void)ret;
	if (t->s.fd >= 0)
		close(t->s.fd);
	t->s.fd = -1;
	setsockopt(t->s.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	do
		n = recv(t->s.raw, in, sizeof(in), 0);
	while (n > 0);
	lost += n && errno == EAGAIN;
	assert_true(lost <= 6 && (!n || errno == ECONNRESET || errno == EAGAIN));
}

static int close_act(struct turn *t)
{
	close(t->s.fd);
	t->s.fd = -1;
	return 0;
}

static void to_close(struct turn *t)
{
	by_agent(t);
	peer_send(&t->s, WIRE_MESSAGE, "\4\0\0\1t", 5);
	assert_int_equal(send(t->s.fd, out, 100, MSG_MORE), 100);
}

/* ---- receiving */

static void filled(struct turn *t)
{
	size_t at;

	assert_int_equal(pipe(t->pipe), 0);
	for (at = 0; at < STREAM; at += 10000)
		peer_send(&t->s, WIRE_DATA, out + at, 10000);
}

static void to_read(struct turn *t)
{
	by_agent(t);
	filled(t);
}

static void to_read_old(struct turn *t)
{
	old_by_app(t);
	filled(t);
}

static int recv_act(struct turn *t)
{
	ssize_t n = recv(t->s.fd, in, STREAM, 0);

	return n < 0 ? -errno : n;
}

static int peek_act(struct turn *t)
{
	int n;

	if (ioctl(t->s.fd, FIONREAD, &n))
		return -errno;
	return recv(t->s.fd, in, STREAM, MSG_PEEK) < 0 ? -errno : 0;
}

static int splice_act(struct turn *t)
{
	ssize_t n = splice(t->s.fd, NULL, t->pipe[1], NULL, 20000, 0);

	return n < 0 ? -errno : n;
}

static void received(struct turn *t, int ret)
{
	size_t n = ret < 0 ? 0 : ret;

	if (dead(t, ret < 0 ? ret : 0))
		return;
	wire_read(t->s.fd, in + n, STREAM - n);
	assert_memory_equal(in, out, STREAM);
	exchange(t);
}

static void spliced(struct turn *t, int ret)
{
	if (ret > 0)
		wire_read(t->pipe[0], in, ret);
	received(t, ret);
}

/* ---- control records */

static void control_there(struct turn *t, const char *bytes, size_t len)
{
	by_agent(t);
	peer_send(&t->s, WIRE_MESSAGE, bytes, len);
}

static void update_there(struct turn *t)
{
	control_there(t, "\30\0\0\1\1", 5);
	t->s.rx = session_next(&t->s.rx);
	peer_send(&t->s, WIRE_DATA, "later", 5);
}

static int later_act(struct turn *t)
{
	ssize_t n = recv(t->s.fd, in, 5, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

static void updated(struct turn *t, int ret)
{
	if (dead(t, ret < 0 ? ret : 0))
		return;
	if (ret < 0)
		wire_read(t->s.fd, in, 5);
	assert_memory_equal(in, "later", 5);
	peer_recv(&t->s, in, &(uint8_t){ 0 });
	assert_memory_equal(in, "\30\0\0\1\0", 5);
	t->s.tx = session_next(&t->s.tx);
	exchange(t);
}

static void message_there(struct turn *t)
{
	control_there(t, "\15\0\0\2ab", 6);
	peer_send(&t->s, WIRE_DATA, "later", 5);
}

static void fragments_there(struct turn *t)
{
	control_there(t, "\4\0\0\12ab", 6);
	peer_send(&t->s, WIRE_MESSAGE, "cdefghij", 8);
	peer_send(&t->s, WIRE_DATA, "later", 5);
}

static void pieced(struct turn *t, int ret)
{
	if (!dead(t, ret < 0 ? ret : 0))
		assert_memory_equal(in, "later", 5);
}

static void held(struct turn *t, int ret)
{
	if (dead(t, ret < 0 ? ret : 0))
		return;
	if (agent_wait(&t->s.agent, &t->u, 0) == -EAGAIN) {
		assert_int_equal(recv(t->s.fd, in, 1, MSG_DONTWAIT), -1);
		if (dead(t, -1))
			return;
		assert_int_equal(agent_wait(&t->s.agent, &t->u, 5000), 0);
	}
	assert_int_equal(t->u.why, KTLS_WHY_RECORD);
	agent_respond(&t->s.agent, &m, t->u.id);
	assert_int_equal(agent_send(&t->s.agent, &m), 0);
	wire_read(t->s.fd, in, 5);
	assert_memory_equal(in, "later", 5);
}

static void both_said_goodbye(struct turn *t)
{
	by_agent(t);
	peer_send(&t->s, WIRE_ALERT, "\1\0", 2);
}

static int detach_act(struct turn *t)
{
	return setsockopt(t->s.fd, SOL_TLS, KTLS_DETACH, NULL, 0) ? -errno : 0;
}

static void detached(struct turn *t, int ret)
{
	if (ret && dead(t, ret))
		return;
	if (ret)
		assert_int_equal(detach_act(t), 0);
	peer_expect_alert(&t->s, 1, 0);
	wire_write(t->s.fd, "plain", 5);
	wire_read(t->s.raw, in, 5);
	assert_memory_equal(in, "plain", 5);
}

/* ---- listeners */

static void listening(struct turn *t)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	agent_there(t);
	assert_int_equal(agent_join(&t->s.agent), 0);
	t->other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(t->other, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(wire_attach(t->other), 0);
	assert_int_equal(handshake(t->other, KTLS_ROLE_SERVER, 0, NULL, 0), 0);
	assert_int_equal(listen(t->other, 8), 0);
}

static void dial(struct turn *t)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	assert_int_equal(getsockname(t->other, (struct sockaddr *)&sin, &len), 0);
	t->s.raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(t->s.raw, (struct sockaddr *)&sin, len), 0);
}

static void called(struct turn *t)
{
	listening(t);
	dial(t);
}

static int take_act(struct turn *t)
{
	t->s.fd = accept4(t->other, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return t->s.fd < 0 ? -errno : 0;
}

/* A connection whose accept() failed waits or is closed; it or the next one is served. One that was
 * accepted without a session never speaks plain text. */
static void taken(struct turn *t, int ret)
{
	if (ret && take_act(t) == -EAGAIN) {
		close(t->s.raw);
		dial(t);
		assert_true(polled(t->other, 5000) & POLLIN);
		assert_int_equal(take_act(t), 0);
	}
	if (!ret && polled(t->s.fd, 0) & POLLERR) {
		assert_int_equal(send(t->s.fd, "clear", 5, MSG_NOSIGNAL), -1);
		return;
	}
	assert_int_equal(agent_wait(&t->s.agent, &t->u, 5000), 0);
	t->s.tx = t->s.rx = some_key;
	assert_int_equal(agent_respond_keys(&t->s.agent, t->u.id, &t->s.tx, &t->s.rx), 0);
	close(t->u.channel);
	fcntl(t->s.fd, F_SETFL, 0);
	exchange(t);
}

/* ---- turns */

static const struct scene scenes[] = {
	{ "attach",			connected,	attach_act,	attach_after },
	{ "TLS_TX and TLS_RX",		attached,	keys_act,	keys_after },
	{ "new keys",			by_app,		keys_act,	keys_after },
	{ "reading keys back",		by_app,		keys_read_act,	alive_after },
	{ "JOIN",			agent_there,	join_act,	join_after },
	{ "asking for a handshake",	joined,		ask_act,	ask_after },
	{ "ACCEPT",			asked,		accept_act,	accept_after },
	{ "RESPOND with keys",		accepted,	respond_act,	respond_after },
	{ "RESPOND with an error",	accepted,	refuse_act,	refuse_after },
	{ "an agent leaves",		accepted,	leave_act,	leave_after },
	{ "SESSION_GET",		asked,		sessions_act,	sessions_after },
	{ "send",			by_agent,	send_act,	sent },
	{ "send, TLS 1.2",		old_by_app,	send_act,	sent },
	{ "MSG_MORE",			by_agent,	more_act,	sent },
	{ "MSG_ZEROCOPY",		by_agent,	zerocopy_act,	sent },
	{ "sendfile",			file_there,	sendfile_act,	sent },
	{ "recv",			to_read,	recv_act,	received },
	{ "recv, TLS 1.2",		to_read_old,	recv_act,	received },
	{ "MSG_PEEK and FIONREAD",	to_read,	peek_act,	received },
	{ "splice",			to_read,	splice_act,	spliced },
	{ "KeyUpdate",			update_there,	later_act,	updated },
	{ "a message for the agent",	message_there,	later_act,	held },
	{ "a ticket in two records",	fragments_there, later_act,	pieced },
	{ "shutdown",			to_close,	shutdown_act,	ended },
	{ "close",			to_close,	close_act,	ended },
	{ "KTLS_DETACH",		both_said_goodbye, detach_act,	detached },
	{ "accept",			called,		take_act,	taken },
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void turn_end(struct turn *t)
{
	static const char *const gauges[] = {
		"CurrSockets", "CurrSessions", "CurrUpcalls", "CurrChannels", "CurrTxByApp", "CurrRxByApp",
	};

	session_close(&t->s);
	close_fd(t->other);
	close_fd(t->pipe[0]);
	close_fd(t->pipe[1]);
	for (size_t i = 0; i < sizeof(gauges) / sizeof(*gauges); i++)
		assert_int_equal(stat_get(gauges[i]), 0);
}

/* Did the n-th fault come? */
static bool turn(const struct scene *scene, unsigned int n, unsigned int *failed)
{
	struct turn t = { .s = { .fd = -1, .raw = -1, .agent.fd = -1 }, .other = -1, .pipe = { -1, -1 } };
	bool came;
	int ret;

	scene->begin(&t);
	fault_arm(n);
	ret = scene->act(&t);
	came = fault_disarm();
	*failed += came && ret < 0 && ret != -EINPROGRESS;
	at_fault = n;
	scene->after(&t, ret);
	turn_end(&t);
	return came;
}

/* FAULT_FIRST, FAULT_VERBOSE: to see one fault in the kernel's log. */
static unsigned int first(void)
{
	const char *p = getenv("FAULT_FIRST");

	return p ? atoi(p) : 1;
}

static int play_end(void **state)
{
	(void)state;
	if (at_fault)
		print_message("# after fault %u\n", at_fault);
	at_fault = 0;
	return 0;
}

static void play(void **state)
{
	const struct scene *scene = *state;
	unsigned int n = first(), failed = 0;

	world_new_netns();	/* counters of its own */
	while (turn(scene, n, &failed))
		assert_true(++n < LIMIT);
	at_fault = 0;
	print_message("# %s: %u faults, %u calls failed\n", scene->name, n - 1, failed);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(scenes) / sizeof(*scenes)] = {};
	const char *only = getenv("FAULT_SCENE");
	size_t i, n = 0;

	if (!fault_ready()) {
		puts("1..0 # SKIP this kernel has no fault injection");
		return 0;
	}
	fill_pattern(out, sizeof(out), 4);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	for (i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		if (!only || !strcmp(only, scenes[i].name))
			tests[n++] = (struct CMUnitTest){
				.name = scenes[i].name, .test_func = play, .teardown_func = play_end,
				.initial_state = (void *)&scenes[i],
			};
	return _cmocka_run_group_tests("faults", tests, n, NULL, NULL);
}
