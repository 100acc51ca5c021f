// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transfers while the kernel is short of memory: no piece of eight pages is to be had,
 * or one allocation in a few fails, with windows open and closed. Calls may fail
 * for want of memory and are made again; no byte is lost, changed or
 * doubled, and all goes on when the shortage ends. Needs fault injection.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "wire.h"
#include "world.h"

#define LEN		(1 << 20)
#define SHORT_MS	400		/* the shortage lasts at least so long */
#define PATIENCE	240		/* seconds until it counts as hung */
#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static uint8_t want[LEN];
static int file;

/* ---- the shortage. Its files are open before it begins: opening takes memory. */

enum { SLAB_PROBABILITY, SLAB_TIMES, PAGE_PROBABILITY, PAGE_TIMES, PAGE_ORDER, KNOBS };

static struct knob {
	const char	*path, *before;		/* what it has to be beforehand, or NULL */
	int		fd;
} knobs[KNOBS] = {
	[SLAB_PROBABILITY]	= { "failslab/probability", "0", -1 },
	[SLAB_TIMES]		= { "failslab/times", "-1", -1 },
	[PAGE_PROBABILITY]	= { "fail_page_alloc/probability", "0", -1 },
	[PAGE_TIMES]		= { "fail_page_alloc/times", "-1", -1 },
	[PAGE_ORDER]		= { "fail_page_alloc/min-order", "0", -1 },
};

static bool put(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Only threads that have said so run short: the rest of the guest has to live. */
static bool knobs_open(void)
{
	static const char *const fixed[][2] = {
		{ "failslab/task-filter", "1" }, { "failslab/ignore-gfp-wait", "0" }, { "failslab/verbose", "0" },
		{ "fail_page_alloc/task-filter", "1" }, { "fail_page_alloc/ignore-gfp-wait", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	char path[96];
	int fd;

	for (struct knob *k = knobs; k < knobs + KNOBS; k++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", k->path);
		k->fd = open(path, O_RDWR | O_CLOEXEC);
		if (k->fd < 0 || !put(k->fd, k->before))
			return false;
	}
	for EACH(i, fixed) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", fixed[i][0]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || !put(fd, fixed[i][1]))
			return false;
		close(fd);
	}
	return true;
}

static const struct shortage {
	const char	*name, *slab, *page, *order;	/* per cent that fail, from this order of pages on */
} shortages[] = {
	{ "no piece of eight pages",		"0",  "100", "3" },
	{ "no piece of more than a page",	"0",  "100", "1" },
	{ "one allocation in five",		"20", "20",  "0" },
	{ "every other allocation",		"50", "50",  "0" },
};

static void shortage_set(const struct shortage *s)
{
	assert_true(put(knobs[PAGE_ORDER].fd, s ? s->order : "0"));
	assert_true(put(knobs[PAGE_PROBABILITY].fd, s ? s->page : "0"));
	assert_true(put(knobs[SLAB_PROBABILITY].fd, s ? s->slab : "0"));
}

/* From now on the calling thread runs short; false: this kernel has no such thing. */
static bool run_short(void)
{
	char path[64];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/make-it-fail", syscall(SYS_gettid));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && put(fd, "1");
	close(fd);
	return ok;
}

/* ---- a transfer */

struct transfer {
	int		tx, rx;
	bool		late;			/* the reader lets the window close first */
	atomic_bool	over;			/* the shortage */
	unsigned int	send_errors, recv_errors;
	atomic_int	failure;		/* an errno that is no answer to a shortage: the first */
	size_t		sent, received;
	bool		differs;
};

static bool passes_by(int err)
{
	return err == ENOMEM || err == ENOBUFS || err == EAGAIN || err == EINTR;
}

/* The other end shall not wait; what it meets then is no news. */
static void fail_at(struct transfer *t, int fd, int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&t->failure, &none, err);
	shutdown(fd, SHUT_RDWR);
}

static ssize_t send_some(struct transfer *t, unsigned int turn)
{
	size_t left = LEN - t->sent, n = 1 + turn * 7919 % 40000;
	off_t at = t->sent;

	if (n > left)
		n = left;
	if (turn % 3 == 2)
		return sendfile(t->tx, file, &at, n);
	return send(t->tx, want + t->sent, n, turn % 3 == 1 && n < left ? MSG_MORE : 0);
}

static void *sender(void *arg)
{
	struct transfer *t = arg;
	ssize_t n;

	if (!run_short())
		t->failure = ENOSYS;
	for (unsigned int turn = 0; t->sent < LEN && !t->failure; turn++) {
		n = send_some(t, turn);
		if (n > 0) {
			t->sent += n;
		} else if (n < 0 && passes_by(errno)) {
			t->send_errors++;
			usleep(1000);
		} else {
			fail_at(t, t->tx, n ? errno : EPIPE);
		}
	}
	return NULL;
}

static void *receiver(void *arg)
{
	static __thread uint8_t got[50000];
	struct transfer *t = arg;
	ssize_t n;

	if (!run_short())
		t->failure = ENOSYS;
	for (int ms = 0; t->late && ms < SHORT_MS / 2; ms += 10)
		usleep(10000);
	while (t->received < LEN && !t->failure) {
		n = recv(t->rx, got, sizeof(got), 0);
		if (n > 0) {
			t->differs |= memcmp(got, want + t->received, n) != 0;
			t->received += n;
		} else if (n < 0 && passes_by(errno)) {
			t->recv_errors++;
			usleep(1000);
		} else {
			fail_at(t, t->rx, n ? errno : ECONNRESET);
		}
	}
	return NULL;
}

static void pair(uint16_t cipher, struct transfer *t)
{
	struct key k = wire_key(cipher, 1);
	int fd[2], small = 4096;

	wire_pair(fd);
	for (int i = 0; i < 2; i++)
		assert_int_equal(wire_attach(fd[i]), 0);
	/* A receive buffer made small now would make TCP's sender wait for its timer each time. */
	if (t->late)
		setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	assert_int_equal(wire_install(fd[0], TLS_TX, &k), 0);
	assert_int_equal(wire_install(fd[1], TLS_RX, &k), 0);
	t->tx = fd[0];
	t->rx = fd[1];
}

static void run(const struct shortage *s, uint16_t cipher, bool late)
{
	struct transfer t = { .late = late };
	pthread_t threads[2];

	pair(cipher, &t);
	shortage_set(s);
	assert_int_equal(pthread_create(&threads[0], NULL, sender, &t), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, receiver, &t), 0);
	usleep(SHORT_MS * 1000);
	shortage_set(NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	print_message("# %s, cipher %u, %s: %u calls to send and %u to receive found no memory\n", s->name, cipher,
		      late ? "closed window" : "open window", t.send_errors, t.recv_errors);
	assert_false(t.differs);
	/* Other ciphers than ours take memory in the middle of a record: then the session is over. */
	if (cipher != TLS_CIPHER_AES_GCM_128 && t.failure == ECONNABORTED) {
		print_message("# the cipher had none: the session ended\n");
	} else {
		assert_int_equal(t.failure, 0);
		assert_int_equal(t.sent, LEN);
		assert_int_equal(t.received, LEN);
	}
	close(t.tx);
	close(t.rx);
}

static void test_pressure(void **state)
{
	static const uint16_t ciphers[] = { TLS_CIPHER_AES_GCM_128, TLS_CIPHER_CHACHA20_POLY1305 };

	(void)state;
	for EACH(i, shortages)
		for EACH(c, ciphers)
			for (int late = 0; late < 2; late++)
				run(&shortages[i], ciphers[c], late);
	shortage_set(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pressure) };

	if (!knobs_open())
		return puts("1..0 # SKIP this kernel has no fault injection"), 0;
	world_new_netns();
	signal(SIGPIPE, SIG_IGN);	/* EPIPE says more */
	alarm(PATIENCE);
	fill_pattern(want, LEN, 3);
	file = memfd_create("file", MFD_CLOEXEC);
	wire_write(file, want, LEN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
