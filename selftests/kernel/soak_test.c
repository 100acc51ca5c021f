// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One socket, and all at once on it: sending, receiving, splicing, looking,
 * new keys, key updates, shutdown and close; round after round, SOAK_SECONDS in
 * all. Nothing may hang, every failure is one that its call may give, what came
 * in clear text never comes out, and afterwards every gauge is 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "fuzz_script.h"
#include "wire.h"
#include "world.h"

#define ROUND_US	150000
#define PATIENCE	120	/* seconds until a thread counts as stuck */

static struct session s;
static atomic_bool stop;
static atomic_ulong sent, received, calls;
static atomic_int bad;		/* an errno that no call may give */
static int file, through[2];

static const int expected[] = {
	EAGAIN, EINTR, EPIPE, ECONNRESET, ECONNABORTED, EBADF, EBADMSG, EPROTO, EKEYEXPIRED, EIO, EINVAL,
	EBUSY, ENOTCONN, EISCONN, ENOBUFS, EINPROGRESS, ESHUTDOWN, ENOTSOCK, EMSGSIZE,
};

static ssize_t told(ssize_t n)
{
	size_t i;

	calls++;
	if (n >= 0)
		return n;
	for (i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		if (errno == expected[i])
			return n;
	bad = errno;
	return n;
}

/* ---- what is done with the socket; each by a thread of its own, again and again */

static void sends(uint64_t *seed)
{
	static __thread uint8_t bytes[70000];
	int flags = MSG_NOSIGNAL | (dice(seed, 2) ? MSG_DONTWAIT : 0) | (dice(seed, 4) ? 0 : MSG_MORE);
	ssize_t n = told(send(s.fd, bytes, 1 + dice(seed, sizeof(bytes)), flags));

	if (n > 0)
		sent += n;
}

static void receives(uint64_t *seed)
{
	static __thread uint8_t bytes[70000];
	int flags = (dice(seed, 2) ? MSG_DONTWAIT : 0) | (dice(seed, 4) ? 0 : MSG_PEEK);
	ssize_t n = told(recv(s.fd, bytes, 1 + dice(seed, sizeof(bytes)), flags));

	if (n > 0 && !(flags & MSG_PEEK))
		received += n;
	if (n > 0 && memmem(bytes, n, "clear text", 10))
		bad = EILSEQ;
}

static void splices(uint64_t *seed)
{
	static __thread uint8_t bytes[65536];
	off_t at = dice(seed, 5000);
	ssize_t n;

	n = told(splice(s.fd, NULL, through[1], NULL, 1 + dice(seed, 60000), dice(seed, 2) ? SPLICE_F_NONBLOCK : 0));
	if (n > 0)
		received += read(through[0], bytes, n);
	told(sendfile(s.fd, file, &at, 1 + dice(seed, 60000)));
}

static void looks(uint64_t *seed)
{
	struct pollfd p = { .fd = s.fd, .events = POLLIN | POLLOUT };
	int low = 1 + dice(seed, 3000), n;
	uint8_t info[4096];
	socklen_t len = sizeof(info);

	told(poll(&p, 1, dice(seed, 3)));
	told(ioctl(s.fd, FIONREAD, &n));
	told(getsockopt(s.fd, SOL_TLS, KTLS_INFO, info, &len));
	told(setsockopt(s.fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)));
	usleep(500);
}

/* Refused where an agent keyed the session. */
static void rekeys(uint64_t *seed)
{
	int tx = dice(seed, 2), err;

	err = wire_install(s.fd, tx ? TLS_TX : TLS_RX, tx ? &s.tx : &s.rx);
	errno = -err;
	told(err ? -1 : 0);
	usleep(dice(seed, 20000));
}

/* ---- and on the other side: records that are good to begin with, junk, key updates; reading all */

static void peer_writes(uint64_t *seed)
{
	static uint8_t record[WIRE_RECORD], bytes[WIRE_PLAIN];
	size_t len = wire_seal(&s.rx, WIRE_DATA, bytes, dice(seed, sizeof(bytes)), 0, record);

	if (!dice(seed, 30))
		len = wire_seal(&s.rx, WIRE_MESSAGE, "\30\0\0\1\1", 5, 0, record);
	if (!dice(seed, 200))
		memcpy(record, "clear text", len = 10);
	if (send(s.raw, record, len, MSG_NOSIGNAL) < 0)
		usleep(1000);
}

static void peer_reads(uint64_t *seed)
{
	static uint8_t bytes[1 << 17];

	(void)seed;
	if (recv(s.raw, bytes, sizeof(bytes), 0) <= 0)
		usleep(1000);
}

/* Spares for whoever asks: any key will do. */
static void agent_answers(uint64_t *seed)
{
	static struct upcall u;

	(void)seed;
	if (s.agent.fd < 0 || agent_accept(&s.agent, &u)) {
		usleep(2000);
		return;
	}
	if (u.why == KTLS_WHY_RECORD && dice(seed, 2))
		agent_respond_error(&s.agent, u.id, -EPROTO, 10, KTLS_ALERT_FROM_LOCAL, "enough");
	else
		agent_respond_keys(&s.agent, u.id, &s.tx, &s.rx);
}

static void (*const jobs[])(uint64_t *seed) = {
	sends, sends, receives, splices, looks, rekeys, peer_writes, peer_reads, agent_answers,
};
#define JOBS	(sizeof(jobs) / sizeof(*jobs))

struct worker {
	pthread_t	thread;
	void		(*job)(uint64_t *seed);
	uint64_t	seed;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!stop)
		w->job(&w->seed);
	return NULL;
}

/* ---- rounds */

static void begin(bool agent)
{
	struct timeval limit = { .tv_usec = 20000 };

	if (agent)
		session_agent(&s, TLS_CIPHER_AES_GCM_128, true);
	else
		session_mainline(&s, TLS_CIPHER_AES_GCM_128);
	setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(s.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s.raw, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void join(struct worker *w)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += PATIENCE;
	if (pthread_timedjoin_np(w->thread, NULL, &limit))
		fail_msg("a thread is stuck");
}

static void one_round(unsigned int number)
{
	struct worker w[JOBS];
	size_t i;

	begin(number % 2);
	stop = false;
	for (i = 0; i < JOBS; i++) {
		w[i].job = jobs[i];
		w[i].seed = number * 100 + i + 1;
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	usleep(ROUND_US);
	if (number % 3)
		shutdown(s.fd, (int)(number % 3) == 1 ? SHUT_WR : SHUT_RDWR);
	usleep(ROUND_US / 4);
	close(s.fd);		/* under the hands of all of them */
	usleep(ROUND_US / 10);
	stop = true;
	for (i = 0; i < JOBS; i++)
		join(&w[i]);
	s.fd = -1;
	session_close(&s);
}

static void all_at_once(void **state)
{
	const char *seconds = getenv("SOAK_SECONDS");
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 8);
	unsigned int rounds = 0;

	(void)state;
	world_new_netns();
	do {
		one_round(rounds++);
		if (bad)
			fail_msg("round %u: errno %d", rounds, bad);
	} while (time(NULL) < end || rounds < 6);
	print_message("# %u rounds, %lu calls, %lu bytes out, %lu in\n", rounds, calls, sent, received);
	assert_true(sent > 0 && received > 0);
	for (int i = 0; i < 1000 && stat_get("CurrSockets"); i++)
		usleep(20000);
	assert_int_equal(stat_get("CurrSockets"), 0);
	assert_int_equal(stat_get("CurrSessions"), 0);
	assert_int_equal(stat_get("CurrUpcalls"), 0);
	assert_int_equal(stat_get("CurrTxByApp"), 0);
	assert_int_equal(stat_get("CurrRxByApp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_at_once) };
	static uint8_t bytes[65536];

	signal(SIGPIPE, SIG_IGN);
	file = memfd_create("file", MFD_CLOEXEC);
	if (write(file, bytes, sizeof(bytes)) != sizeof(bytes) || pipe(through))
		return 1;
	return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
