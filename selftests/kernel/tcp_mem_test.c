// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of a stream while TCP is short of memory (tcp_mem): what send() has
 * reported as taken, and the close_notify, arrive all the same, for the FIN must
 * not overtake them. Each way to end, right after writing as much as goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define TCP_MEM		"/proc/sys/net/ipv4/tcp_mem"	/* of the machine, not of a namespace */
#define GCM		TLS_CIPHER_AES_GCM_128
#define LEN		(16 << 20)	/* more than goes */
#define IDLE		900		/* sockets more, so that a socket's fair share is small */
#define SPARE		512		/* pages that TCP has left when the end comes */
#define PATIENCE	120		/* seconds until it counts as hung */
#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static int tcp_mem = -1;
static char wide[64];
static uint8_t want[LEN], got[WIRE_RECORD];

static void tcp_mem_set(const char *text)
{
	assert_int_equal(pwrite(tcp_mem, text, strlen(text), 0), strlen(text));
}

static bool tcp_mem_open(void)
{
	ssize_t n;

	tcp_mem = open(TCP_MEM, O_RDWR | O_CLOEXEC);
	n = tcp_mem < 0 ? -1 : pread(tcp_mem, wide, sizeof(wide) - 1, 0);
	return n > 0;
}

/* Pages of memory that all of TCP holds. */
static unsigned long tcp_mem_used(void)
{
	FILE *f = fopen("/proc/net/sockstat", "re");
	unsigned long used = 0;
	char line[128], *mem;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		mem = strstr(line, " mem ");
		if (!strncmp(line, "TCP:", 4) && mem)
			used = strtoul(mem + 5, NULL, 10);
	}
	fclose(f);
	return used;
}

/* Short of it, but not out of it: then TCP resets what is closed. Who has more than his share gets nothing. */
static void tcp_mem_narrow(void)
{
	char text[64];

	snprintf(text, sizeof(text), "1 1 %lu", tcp_mem_used() + SPARE);
	tcp_mem_set(text);
}

/* ---- ways to end */

static void end_shutdown(struct session *s)
{
	assert_int_equal(shutdown(s->fd, SHUT_WR), 0);
}

static void end_close(struct session *s)
{
	assert_int_equal(close(s->fd), 0);
	s->fd = -1;
}

static const struct end {
	const char	*name;
	void		(*end)(struct session *s);
	int		sndbuf;		/* set by SO_SNDBUF; 0: TCP sees to it */
} ends[] = {
	{ "shutdown",				end_shutdown,	0 },
	{ "close",				end_close,	0 },
	{ "shutdown, send buffer set",		end_shutdown,	20000 },
	{ "close, send buffer set",		end_close,	20000 },
};

/* ---- one session */

/* As much as goes without waiting: how many bytes. The last of it waits outside of TCP. */
static size_t fill(struct session *s, size_t piece)
{
	size_t sent = 0;
	ssize_t n;

	while (sent + piece <= sizeof(want)) {
		n = send(s->fd, want + sent, piece, MSG_DONTWAIT);
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			return sent;
		}
		sent += n;
	}
	fail_msg("TCP's buffers take all of %d bytes", LEN);
	return 0;
}

static void expect_all(struct session *s, size_t sent, bool close_notify)
{
	size_t at = 0;
	uint8_t type;
	ssize_t n;

	while ((n = peer_recv(s, got, &type)) >= 0 && type == WIRE_DATA) {
		assert_in_range(at + n, at, sent);
		assert_memory_equal(got, want + at, n);
		at += n;
	}
	assert_int_equal(at, sent);
	if (close_notify) {
		assert_int_equal(n, 2);
		assert_int_equal(type, WIRE_ALERT);
		assert_memory_equal(got, "\1\0", 2);
		n = peer_recv(s, got, &type);
	}
	assert_int_equal(n, -EPIPE);
}

static void run(const struct end *e, bool agent, size_t piece)
{
	struct session s;
	size_t sent;

	if (agent)
		session_agent(&s, GCM, false);
	else
		session_mainline(&s, GCM);
	if (e->sndbuf)
		assert_int_equal(setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &e->sndbuf, sizeof(e->sndbuf)), 0);
	tcp_mem_narrow();
	sent = fill(&s, piece);
	e->end(&s);
	tcp_mem_set(wide);
	print_message("# %s, keys by %s, pieces of %zu: %zu bytes sent\n", e->name, agent ? "an agent" : "TLS_TX",
		      piece, sent);
	expect_all(&s, sent, agent);
	session_close(&s);
}

/* TCP counts in steps of a megabyte per processor: what nobody reads makes it see that it has some. */
static void hoard(int fd[2])
{
	tcp_pair(AF_INET, &fd[0], &fd[1]);
	while (send(fd[0], want, sizeof(want), MSG_DONTWAIT) > 0)
		continue;
}

static void test_end(void **state)
{
	static const size_t pieces[] = { 1000, WIRE_PLAIN, 6 * WIRE_PLAIN };
	int idle[IDLE], hoarders[2];

	(void)state;
	hoard(hoarders);
	for EACH(i, idle)
		idle[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for EACH(e, ends)
		for EACH(p, pieces)
			for (int agent = 0; agent < 2; agent++)
				run(&ends[e], agent, pieces[p]);
	for EACH(i, idle)
		close(idle[i]);
	close(hoarders[0]);
	close(hoarders[1]);
}

/* Whatever a failed assertion left behind. */
static int restore(void **state)
{
	(void)state;
	tcp_mem_set(wide);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_end, restore) };

	if (!tcp_mem_open())
		return puts("1..0 # SKIP " TCP_MEM " can't be written"), 0;
	world_new_netns();
	alarm(PATIENCE);
	fill_pattern(want, sizeof(want), 5);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
