// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's interface: who may do what, what RESPOND refuses (and wipes),
 * limits, dumps, namespaces, and what a session tells of itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "world.h"

#define CLIENT KTLS_ROLE_CLIENT
#define HEADS (NLMSG_HDRLEN + 4)

static struct message m;

static void ask(int fd)
{
	set_nonblock(fd);
	assert_int_equal(handshake(fd, CLIENT, 0, NULL, 0), -EINPROGRESS);
}

/* In a child, which may drop what it is; it exits 0 if @f likes all. */
static void in_child(void (*f)(struct world *w), struct world *w)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		f(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("child: step %d", WEXITSTATUS(status));
}

#define child_check(condition, step) do { if (!(condition)) _exit(step); } while (0)

static void become_nobody(void)
{
	child_check(!setgid(1000) && !setuid(1000), 99);
}

/* ---- who may */

static void unprivileged(struct world *w)
{
	struct upcall u;
	struct agent a;

	(void)w;
	become_nobody();
	child_check(!agent_open(&a), 1);
	child_check(agent_join(&a) == -EPERM, 2);
	child_check(agent_listen(&a) == -EPERM, 3);
	child_check(agent_accept(&a, &u) == -EPERM, 4);
	child_check(strstr(a.words, "joined"), 5);
	child_check(agent_sessions(&a, NULL, NULL) == -EPERM, 6);
	child_check(agent_respond_keys(&a, 1, &some_key, &some_key) == -ENOENT, 7);
}

static void joining_takes_privilege(void **state)
{
	in_child(unprivileged, *state);
}

static void join_and_drop(struct world *w)
{
	struct upcall u;
	struct agent a;

	child_check(!agent_open(&a) && !agent_join(&a) && !agent_listen(&a), 1);
	become_nobody();
	child_check(agent_accept(&a, &u) == -EAGAIN, 2);
	ask(w->app);
	child_check(agent_ready(&a, 1000) == 1, 3);
	child_check(!agent_accept(&a, &u), 4);
	child_check(u.uid == 1000 && u.gid == 1000, 5);
	child_check(!agent_respond_keys(&a, u.id, &some_key, &some_key), 6);
}

static void privilege_may_go_after_join(void **state)
{
	in_child(join_and_drop, *state);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	child_check(fd >= 0 && write(fd, text, strlen(text)) > 0, 98);
	close(fd);
}

/* Root of a user namespace is agent of its own network namespace only, and
 * sees user ids as that namespace does. */
static void container(struct world *w)
{
	struct upcall u;
	struct agent a;
	int app, peer;

	(void)w;
	child_check(!unshare(CLONE_NEWUSER), 1);
	write_file("/proc/self/uid_map", "7 0 1\n");
	child_check(!agent_open(&a), 2);
	child_check(agent_join(&a) == -EPERM, 3);
	agent_close(&a);
	world_new_netns();
	child_check(!agent_open(&a) && !agent_join(&a), 4);
	tcp_pair(AF_INET, &app, &peer);
	child_check(!ulp_attach(app), 5);
	ask(app);
	child_check(!agent_accept(&a, &u), 6);
	child_check(u.uid == 7 && u.gid == 65534, 7);
}

static void user_namespaces(void **state)
{
	in_child(container, *state);
}

static void join_once(void **state)
{
	struct world *w = *state;

	assert_int_equal(agent_join(&w->agent), -EALREADY);
	assert_string_not_equal(w->agent.words, "");
}

static void others_answer(void **state)
{
	struct world *w = *state;
	struct agent second;
	struct upcall u;

	assert_int_equal(agent_open(&second), 0);
	assert_int_equal(agent_join(&second), 0);
	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	assert_int_equal(agent_respond_keys(&second, u.id, &some_key, &some_key), -EPERM);
	assert_string_equal(second.words, "another agent holds this upcall");
	assert_int_equal(agent_respond_keys(&w->agent, u.id + 1, &some_key, &some_key), -ENOENT);
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), 0);
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), -ENOENT);
	close(u.channel);
	agent_close(&second);
}

/* Before anybody accepted it, an upcall is nobody's to answer. */
static void pending_is_nobodys(void **state)
{
	struct world *w = *state;
	struct upcall u;

	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	close(u.channel);
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), -ENOENT);
}

static void two_agents_share(void **state)
{
	struct world *w = *state;
	struct upcall first, other;
	struct agent second;
	int app, peer;

	assert_int_equal(agent_open(&second), 0);
	assert_int_equal(agent_join(&second), 0);
	tcp_pair(AF_INET, &app, &peer);
	assert_int_equal(ulp_attach(app), 0);
	ask(w->app);
	ask(app);
	assert_int_equal(agent_accept(&second, &first), 0);
	assert_int_equal(agent_accept(&w->agent, &other), 0);
	assert_true(first.id < other.id);	/* oldest first */
	assert_int_equal(agent_accept(&second, &first), -EAGAIN);
	close(first.channel);
	close(other.channel);
	agent_close(&second);
	close(app);
	close(peer);
}

static void ready_tells(void **state)
{
	struct world *w = *state;
	struct agent ear;

	assert_int_equal(agent_open(&ear), 0);
	assert_int_equal(agent_listen(&ear), 0);
	assert_int_equal(agent_ready(&ear, 20), -ETIMEDOUT);
	ask(w->app);
	assert_int_equal(agent_ready(&ear, 1000), 1);
	agent_close(&ear);
}

/* ---- malformed responses */

static void put_valid(uint16_t type)
{
	message_put_key(&m, type, &some_key);
}

/* A key with one attribute replaced: @len bytes of type @type; -1: left out. */
static void put_key_with(int type, int len)
{
	size_t nest = message_nest(&m, KTLS_A_TX);
	uint16_t version = 0x0304, cipher = TLS_CIPHER_AES_GCM_128;
	static const uint8_t junk[KTLS_MAX_KEY + 1] = { 0xff, 0xff };
	const struct { const void *data; int len; } parts[] = {
		[KTLS_K_VERSION]	= { &version, 2 },
		[KTLS_K_CIPHER]		= { &cipher, 2 },
		[KTLS_K_KEY]		= { "0123456789abcdef", 16 },
		[KTLS_K_IV]		= { "0123456789ab", 12 },
	};

	for (int i = KTLS_K_VERSION; i <= KTLS_K_IV; i++)
		if (i != type)
			message_put(&m, i, parts[i].data, parts[i].len);
	if (len >= 0)
		message_put(&m, type, junk, len);
	message_nest_end(&m, nest);
	put_valid(KTLS_A_RX);
}

static void version_absent(void)	{ put_key_with(KTLS_K_VERSION, -1); }
static void version_unknown(void)	{ put_key_with(KTLS_K_VERSION, 2); }
static void version_short(void)		{ put_key_with(KTLS_K_VERSION, 1); }
static void cipher_absent(void)		{ put_key_with(KTLS_K_CIPHER, -1); }
static void cipher_unknown(void)	{ put_key_with(KTLS_K_CIPHER, 2); }
static void key_absent(void)		{ put_key_with(KTLS_K_KEY, -1); }
static void key_empty(void)		{ put_key_with(KTLS_K_KEY, 0); }
static void key_short(void)		{ put_key_with(KTLS_K_KEY, 15); }
static void key_of_another(void)	{ put_key_with(KTLS_K_KEY, 32); }
static void key_long(void)		{ put_key_with(KTLS_K_KEY, KTLS_MAX_KEY + 1); }
static void iv_absent(void)		{ put_key_with(KTLS_K_IV, -1); }
static void iv_short(void)		{ put_key_with(KTLS_K_IV, 11); }
static void iv_long(void)		{ put_key_with(KTLS_K_IV, 13); }
static void seq_short(void)		{ put_key_with(KTLS_K_SEQ, 4); }
static void key_unknown_part(void)	{ put_key_with(20, 4); }

static void put_bytes(uint16_t type, size_t len)
{
	static const uint8_t bytes[KTLS_MAX_RECORD + 8] = { 'x' };

	put_valid(KTLS_A_TX);
	put_valid(KTLS_A_RX);
	message_put(&m, type, bytes, len);
}

static void put_number(uint16_t type, int value)
{
	message_put(&m, type, &value, sizeof(value));
	put_valid(KTLS_A_TX);
}

static void nothing(void)		{ }
static void tx_only(void)		{ put_valid(KTLS_A_TX); }
static void rx_only(void)		{ put_valid(KTLS_A_RX); }
static void tx_flat(void)		{ put_bytes(KTLS_A_TX, 20); }
static void rx_bad(void)		{ put_valid(KTLS_A_TX); message_put(&m, KTLS_A_RX | NLA_F_NESTED, "", 0); }
static void spare_bad(void)		{ put_bytes(KTLS_A_TX_NEXT | NLA_F_NESTED, 0); }
static void attr_unknown(void)		{ put_bytes(60, 4); }
static void attr_not_ours(void)		{ put_bytes(KTLS_A_COOKIE, 8); }
static void attr_zero(void)		{ put_bytes(0, 4); }
static void state_long(void)		{ put_bytes(KTLS_A_STATE, KTLS_MAX_STATE + 1); }
static void info_long(void)		{ put_bytes(KTLS_A_INFO, KTLS_MAX_INFO + 1); }
static void errno_positive(void)	{ put_number(KTLS_A_ERRNO, EPROTO); }
static void errno_huge(void)		{ put_number(KTLS_A_ERRNO, -4096); }
static void alert_huge(void)		{ put_number(KTLS_A_ALERT, 256); }
static void alert_from_unknown(void)	{ put_number(KTLS_A_ALERT_FROM, 3); }
static void reason_open_ended(void)	{ message_put(&m, KTLS_A_REASON, "why", 3); put_valid(KTLS_A_TX); }
static void reason_long(void)		{ put_bytes(KTLS_A_REASON, KTLS_MAX_REASON + 2); }
static void record_too_early(void)	{ message_put_record(&m, 22, "x", 1); put_valid(KTLS_A_TX); put_valid(KTLS_A_RX); }
static void record_type_unknown(void)	{ message_put_record(&m, 99, "x", 1); put_valid(KTLS_A_TX); }
static void record_empty(void)		{ message_put_record(&m, 22, "", 0); put_valid(KTLS_A_TX); }
static void record_partial(void)	{ put_bytes(KTLS_A_RECORD | NLA_F_NESTED, 0); }
static void trailing_bytes(void)	{ put_bytes(KTLS_A_INFO, 4); memset(m.bytes + m.len, 1, 4); m.len += 4; }

static void record_long(void)
{
	static const uint8_t bytes[KTLS_MAX_RECORD + 1];

	message_put_record(&m, 22, bytes, sizeof(bytes));
	put_valid(KTLS_A_TX);
}

static void nest_overruns(void)
{
	size_t nest = m.len;

	put_valid(KTLS_A_TX);
	((struct nlattr *)(m.bytes + nest))->nla_len += 100;
}

static const struct {
	const char *name;
	void (*build)(void);
	int err;
} malformed[] = {
#define CASE(name, err) { #name, name, err }
	CASE(nothing, -EINVAL), CASE(tx_only, -EINVAL), CASE(rx_only, -EINVAL), CASE(tx_flat, -EINVAL),
	CASE(rx_bad, -EINVAL), CASE(spare_bad, -EINVAL),
	CASE(version_absent, -EINVAL), CASE(version_unknown, -EINVAL), CASE(version_short, -EINVAL),
	CASE(cipher_absent, -EINVAL), CASE(cipher_unknown, -EOPNOTSUPP),
	CASE(key_absent, -EINVAL), CASE(key_empty, -ERANGE), CASE(key_short, -ERANGE), CASE(key_of_another, -EINVAL),
	CASE(key_long, -ERANGE), CASE(iv_absent, -EINVAL), CASE(iv_short, -ERANGE), CASE(iv_long, -ERANGE),
	CASE(seq_short, -EINVAL), CASE(key_unknown_part, -EINVAL),
	CASE(attr_unknown, -EINVAL), CASE(attr_not_ours, -EINVAL), CASE(attr_zero, -EINVAL),
	CASE(state_long, -ERANGE), CASE(info_long, -ERANGE),
	CASE(errno_positive, -ERANGE), CASE(errno_huge, -ERANGE), CASE(alert_huge, -ERANGE),
	CASE(alert_from_unknown, -ERANGE), CASE(reason_open_ended, -EINVAL), CASE(reason_long, -ERANGE),
	CASE(record_too_early, -EINVAL), CASE(record_type_unknown, -ERANGE), CASE(record_empty, -ERANGE),
	CASE(record_partial, -EINVAL), CASE(record_long, -ERANGE),
	CASE(trailing_bytes, -EINVAL), CASE(nest_overruns, -EINVAL),
#undef CASE
};

/* The kernel sends a refused message back: what comes must be wiped. */
static void assert_wiped(const char *name)
{
	const struct nlmsgerr *error = (const void *)(m.bytes + NLMSG_HDRLEN);
	const uint8_t *echo = (const uint8_t *)&error->msg;
	unsigned int i;

	for (i = HEADS; i < error->msg.nlmsg_len; i++)
		if (echo[i])
			fail_msg("%s: byte %u of the message was not wiped", name, i - HEADS);
}

static void respond_refuses(void **state)
{
	struct world *w = *state;
	struct ktls_info info;
	struct upcall u;
	unsigned int i, wrong = 0;
	int err;

	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	for (i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		agent_respond(&w->agent, &m, u.id);
		malformed[i].build();
		err = agent_send(&w->agent, &m);
		if (err != malformed[i].err || !w->agent.words[0]) {
			print_error("%s: %d (%s), not %d\n", malformed[i].name, err, w->agent.words, malformed[i].err);
			wrong++;
		}
		assert_wiped(malformed[i].name);
		info_get(w->app, &info, NULL);
		assert_int_equal(info.phase, KTLS_PHASE_HANDSHAKING);
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), 0);
	info_get(w->app, &info, NULL);
	assert_int_equal(info.phase, KTLS_PHASE_OPEN);
	close(u.channel);
}

/* Refused for other reasons than its form, the message is wiped as well. */
static void refusals_wipe(void **state)
{
	struct world *w = *state;
	struct agent second;
	struct upcall u;

	assert_int_equal(agent_open(&second), 0);
	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	agent_respond(&second, &m, u.id);
	put_valid(KTLS_A_TX);
	assert_int_equal(agent_send(&second, &m), -EPERM);
	assert_wiped("another's upcall");
	agent_respond(&w->agent, &m, u.id + 1);
	put_valid(KTLS_A_TX);
	assert_int_equal(agent_send(&w->agent, &m), -ENOENT);
	assert_wiped("unknown upcall");
	message_start(&m, &w->agent, KTLS_CMD_RESPOND, NLM_F_ACK);
	put_valid(KTLS_A_TX);
	assert_int_equal(agent_send(&w->agent, &m), -EINVAL);
	assert_wiped("no upcall");
	message_start(&m, &w->agent, KTLS_CMD_RESPOND, NLM_F_ACK);
	message_put_u32(&m, KTLS_A_UPCALL, 1);
	put_valid(KTLS_A_TX);
	assert_int_equal(agent_send(&w->agent, &m), -EINVAL);
	assert_wiped("half an upcall");
	close(u.channel);
	agent_close(&second);
}

static void attributes_where_none_belong(void **state)
{
	static const uint8_t commands[] = { KTLS_CMD_JOIN, KTLS_CMD_ACCEPT };
	struct world *w = *state;
	unsigned int i;

	for (i = 0; i < sizeof(commands); i++) {
		message_start(&m, &w->agent, commands[i], NLM_F_ACK);
		message_put_u64(&m, KTLS_A_UPCALL, 1);
		assert_int_equal(agent_send(&w->agent, &m), -EINVAL);
	}
}

/* ---- what is told */

static void respond_with_info(struct agent *a, uint64_t id, const void *info, size_t len)
{
	agent_respond(a, &m, id);
	put_valid(KTLS_A_TX);
	put_valid(KTLS_A_RX);
	put_valid(KTLS_A_TX_NEXT);
	put_valid(KTLS_A_RX_NEXT);
	message_put(&m, KTLS_A_STATE, "state", 5);
	message_put(&m, KTLS_A_INFO, info, len);
	assert_int_equal(agent_send(a, &m), 0);
}

static void info_truncates(void **state)
{
	static const uint8_t attrs[] = { 6, 0, KTLS_I_SUITE, 0, 1, 0x13, 0, 0, 7, 0, KTLS_I_ALPN, 0, 'x', 'y', 'z', 0 };
	struct ktls_info *info;
	uint8_t buf[256];
	struct world *w = *state;
	struct upcall u;
	socklen_t len;

	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	respond_with_info(&w->agent, u.id, attrs, sizeof(attrs));
	close(u.channel);
	info = (struct ktls_info *)buf;
	for (unsigned int room = 0; room < sizeof(buf); room++) {
		memset(buf, 0xaa, sizeof(buf));
		len = room;
		if (room < sizeof(*info)) {
			assert_int_equal(getsockopt(w->app, SOL_TLS, KTLS_INFO, buf, &len), -1);
			assert_int_equal(errno, EINVAL);
			continue;
		}
		assert_int_equal(getsockopt(w->app, SOL_TLS, KTLS_INFO, buf, &len), 0);
		assert_int_equal(info->attr_len, sizeof(attrs));
		assert_int_equal(len, room < sizeof(*info) + sizeof(attrs) ? room : sizeof(*info) + sizeof(attrs));
		assert_memory_equal(buf + sizeof(*info), attrs, len - sizeof(*info));
		assert_int_equal(buf[len], 0xaa);
	}
}

struct tally {
	unsigned int	sessions, pending, accepted;
	uint64_t	last_cookie;
	uint16_t	cipher, suite;
};

static uint64_t value(const struct nlattr *attr)
{
	uint64_t v = 0;

	if (attr)
		memcpy(&v, attr + 1, attr->nla_len - NLA_HDRLEN);
	return v;
}

static void count(const struct nlattr **tb, void *arg)
{
	struct tally *t = arg;

	assert_true(tb[KTLS_S_COOKIE] && tb[KTLS_S_PHASE] && tb[KTLS_S_LOCAL] && tb[KTLS_S_PEER]);
	assert_true(value(tb[KTLS_S_COOKIE]) != t->last_cookie);
	t->last_cookie = value(tb[KTLS_S_COOKIE]);
	t->sessions++;
	t->pending += tb[KTLS_S_PENDING] && value(tb[KTLS_S_PHASE]) == KTLS_PHASE_HANDSHAKING;
	t->accepted += !!tb[KTLS_S_ACCEPTED];
	if (value(tb[KTLS_S_PHASE]) == KTLS_PHASE_OPEN) {
		t->cipher = value(tb[KTLS_S_CIPHER]);
		t->suite = value(tb[KTLS_S_SUITE]);
	}
}

#define MANY 400

static void sessions_dump(void **state)
{
	static const uint8_t attrs[] = { 6, 0, KTLS_I_SUITE, 0, 1, 0x13, 0, 0 };
	int app[MANY], peer[MANY];
	struct world *w = *state;
	struct tally t = {};
	struct agent looker;
	struct upcall u;
	int i;

	for (i = 0; i < MANY; i++) {
		tcp_pair(AF_INET, &app[i], &peer[i]);
		assert_int_equal(ulp_attach(app[i]), 0);
	}
	ask(app[7]);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	ask(app[8]);
	ask(w->app);
	assert_int_equal(agent_open(&looker), 0);
	assert_int_equal(agent_sessions(&looker, count, &t), 0);
	assert_int_equal(t.sessions, MANY + 1);
	assert_int_equal(t.pending, 3);
	assert_int_equal(t.accepted, 1);
	respond_with_info(&w->agent, u.id, attrs, sizeof(attrs));
	memset(&t, 0, sizeof(t));
	assert_int_equal(agent_sessions(&looker, count, &t), 0);
	assert_int_equal(t.cipher, TLS_CIPHER_AES_GCM_128);
	assert_int_equal(t.suite, 0x1301);
	assert_int_equal(t.accepted, 0);
	for (i = 0; i < MANY; i++) {
		close(app[i]);
		close(peer[i]);
	}
	close(u.channel);
	agent_close(&looker);
}

static void ss_shows_cipher(void **state)
{
	struct world *w = *state;
	char line[2048] = "";
	struct upcall u;
	bool seen = false;
	FILE *f;

	if (access("/usr/bin/ss", X_OK) && access("/bin/ss", X_OK)) {
		print_message("# no ss here\n");
		skip();
	}
	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	respond_with_info(&w->agent, u.id, NULL, 0);
	f = popen("ss -tinH", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		seen |= strstr(line, "tcp-ulp-ktls") && strstr(line, "version: 1.3") &&
			strstr(line, "cipher: aes-gcm-128") && strstr(line, "rxconf: sw");
	pclose(f);
	assert_true(seen);
	close(u.channel);
}

static void ipv6(void **state)
{
	struct world *w = *state;
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);
	struct asker asker;
	struct upcall u;
	int app, peer;

	tcp_pair(AF_INET6, &app, &peer);
	assert_int_equal(ulp_attach(app), 0);
	handshake_begin(&asker, app);
	assert_int_equal(agent_wait(&w->agent, &u, 5000), 0);
	assert_int_equal(getpeername(app, (struct sockaddr *)&name, &len), 0);
	assert_memory_equal(&u.peer, &name, sizeof(name));
	assert_int_equal(getsockname(app, (struct sockaddr *)&name, &len), 0);
	assert_memory_equal(&u.local, &name, sizeof(name));
	assert_int_equal(agent_respond_keys(&w->agent, u.id, &some_key, &some_key), 0);
	assert_int_equal(handshake_result(&asker), 0);
	close(u.channel);
	close(app);
	close(peer);
}

/* ---- limits */

static int try_handshake(void)
{
	int app, peer;

	tcp_pair(AF_INET, &app, &peer);
	if (ulp_attach(app))
		return -ENOENT;
	set_nonblock(app);
	return handshake(app, CLIENT, 0, NULL, 0);	/* stays open till exit */
}

static void fill_uid(struct world *w)
{
	struct ktls_info info;
	struct upcall u;
	char reason[256];
	int i;

	for (i = 0; i < 3; i++)
		child_check(try_handshake() == -EINPROGRESS, 1);
	child_check(try_handshake() == -EBUSY, 2);
	child_check(handshake(w->app, CLIENT, 0, NULL, 0) == -EBUSY, 3);
	info_get(w->app, &info, reason);
	child_check(strstr(reason, "too many"), 4);
	child_check(stat_get("UpcallsRefused") == 2, 5);
	/* What an agent has taken waits no more. */
	child_check(!agent_accept(&w->agent, &u), 6);
	child_check(handshake(w->app, CLIENT, 0, NULL, 0) == -EINPROGRESS, 7);
	/* Another user is not to blame for the first, but the namespace has its limit. */
	become_nobody();
	child_check(try_handshake() == -EINPROGRESS, 8);
	child_check(try_handshake() == -EINPROGRESS, 9);
	child_check(try_handshake() == -EBUSY, 10);
}

static void pending_limits(void **state)
{
	unsigned int uid = param_set("max_pending_uid", 3), all = param_set("max_pending", 5);
	struct world *w = *state;

	set_nonblock(w->app);
	in_child(fill_uid, w);
	param_set("max_pending_uid", uid);
	param_set("max_pending", all);
}

static void default_timeout(void **state)
{
	unsigned int old = param_set("handshake_timeout_ms", 100);
	struct world *w = *state;

	assert_int_equal(handshake(w->app, CLIENT, 0, NULL, 0), -ETIMEDOUT);
	param_set("handshake_timeout_ms", old);
}

/* ---- namespaces and module */

static void namespaces_are_apart(void **state)
{
	struct world *w = *state;
	struct upcall u;
	int app, peer;

	world_new_netns();
	tcp_pair(AF_INET, &app, &peer);
	assert_int_equal(ulp_attach(app), 0);
	assert_int_equal(handshake(app, CLIENT, 0, NULL, 0), -ESRCH);
	assert_int_equal(agent_accept(&w->agent, &u), -EAGAIN);
	assert_int_equal(stat_get("CurrSockets"), 1);
	close(app);
	close(peer);
}

static void module_stays_in_use(void **state)
{
	struct world *w = *state;
	struct upcall u;

	assert_int_equal(syscall(SYS_delete_module, "ktls", O_NONBLOCK), -1);
	assert_int_equal(errno, EAGAIN);
	ask(w->app);
	assert_int_equal(agent_accept(&w->agent, &u), 0);
	close(w->app);
	close(w->peer);
	w->app = w->peer = -1;
	usleep(100000);
	/* The channel alone, too. */
	assert_int_equal(syscall(SYS_delete_module, "ktls", O_NONBLOCK), -1);
	assert_int_equal(errno, EAGAIN);
	close(u.channel);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joining_takes_privilege), TEST(privilege_may_go_after_join), TEST(user_namespaces),
		TEST(join_once), TEST(others_answer), TEST(pending_is_nobodys), TEST(two_agents_share), TEST(ready_tells),
		TEST(respond_refuses), TEST(refusals_wipe), TEST(attributes_where_none_belong),
		TEST(info_truncates), TEST(sessions_dump), TEST(ss_shows_cipher), TEST(ipv6),
		TEST(pending_limits), TEST(default_timeout),
		TEST(namespaces_are_apart), TEST(module_stays_in_use),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
