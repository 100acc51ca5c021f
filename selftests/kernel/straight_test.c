// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that the cipher reads from, or writes to, the program's own memory
 * (TxStraight, RxStraight count them), by its addresses or, in User
 * Mode Linux, by its pages: with memory that isn't there, that another
 * process shares, that is read-only; and records that turn out not to be what the
 * reader asked for, which must leave nothing of theirs there.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"
#include "world.h"

#define PAGE	4096
#define PAGES	24
#define LEN	(PAGES * PAGE)
#define LEAST	4096		/* shorter records are copied */
#define FULL	16384
#define ROUNDS	400

static const struct { uint16_t version, cipher; } kinds[] = {
	{ 0x0304, TLS_CIPHER_AES_GCM_128 }, { 0x0304, TLS_CIPHER_CHACHA20_POLY1305 },
	{ 0x0304, TLS_CIPHER_AES_GCM_256 }, { 0x0303, TLS_CIPHER_AES_GCM_128 },
	{ 0x0303, TLS_CIPHER_CHACHA20_POLY1305 },
};
#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static uint8_t *buf, *want, *got;	/* LEN; buf: whole pages */
static long sent, received;		/* straight, before */

static bool says(const char *path, const char *word)
{
	char line[4096];
	FILE *f = fopen(path, "r");
	bool found = false;

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, word);
	fclose(f);
	return found;
}

/* The module's own cipher; others copy. */
static bool own;

static bool is_own(unsigned int kind)
{
	return kinds[kind].cipher != TLS_CIPHER_CHACHA20_POLY1305 &&
	       says("/proc/cpuinfo", "pclmulqdq") && says("/proc/cpuinfo", " aes") && says("/proc/cpuinfo", " avx") &&
	       !says("/sys/module/ktls/parameters/gcm", "generic") && says("/sys/module/ktls/parameters/simd", "Y");
}

static void fresh(void)
{
	buf = mmap(buf, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (buf ? MAP_FIXED : 0), -1, 0);
	assert_true(buf != MAP_FAILED);
}

static void begin(struct session *s, unsigned int kind)
{
	session_mainline_as(s, kinds[kind].version, kinds[kind].cipher);
	fresh();
	fill_pattern(want, LEN, kind);
	own = is_own(kind);
	sent = stat_get("TxStraight");
	received = stat_get("RxStraight");
}

static void expect_sent(size_t n)
{
	assert_int_equal(stat_get("TxStraight") - sent, own ? n : 0);
	sent = stat_get("TxStraight");
}

static void expect_received(size_t n)
{
	assert_int_equal(stat_get("RxStraight") - received, own ? n : 0);
	received = stat_get("RxStraight");
}

static void protect(size_t page, int protection)
{
	assert_int_equal(mprotect(buf + page * PAGE, PAGE, protection), 0);
}

/* ---- sending */

static void test_send(void **state)
{
	static const size_t lens[] = { 1, LEAST - 1, LEAST, 5000, FULL, FULL + 100, FULL + LEAST, 70000 };
	static const size_t offsets[] = { 0, 1, 63, 4095 };
	struct session s;
	size_t len;

	(void)state;
	for (unsigned int k = 0; k < KINDS; k++) {
		begin(&s, k);
		for (size_t i = 0; i < 8 * 4; i++) {
			len = lens[i / 4];
			memcpy(buf + offsets[i % 4], want, len);
			assert_int_equal(send(s.fd, buf + offsets[i % 4], len, 0), len);
			memset(buf, 0xee, LEN);
			peer_recv_all(&s, got, len);
			assert_memory_equal(got, want, len);
			expect_sent(len % FULL < LEAST ? len / FULL * FULL : len);
		}
		session_close(&s);
	}
}

/* Of a record that lacks a page what is there is sent, as TCP does; the next call sees the hole. */
static void test_send_hole(void **state)
{
	struct session s;

	(void)state;
	for (size_t page = 0; page < 4; page++) {
		begin(&s, page % KINDS);
		memcpy(buf, want, LEN);
		assert_int_equal(munmap(buf + (4 + page) * PAGE, PAGE), 0);
		assert_int_equal(send(s.fd, buf, 2 * FULL, 0), FULL + page * PAGE);
		peer_recv_all(&s, got, FULL + page * PAGE);
		assert_memory_equal(got, want, FULL + page * PAGE);
		assert_int_equal(send(s.fd, buf + (4 + page) * PAGE, FULL, 0), -1);
		assert_int_equal(errno, EFAULT);
		fresh();
		memcpy(buf, want, LEN);
		assert_int_equal(send(s.fd, buf, FULL, 0), FULL);
		peer_recv_all(&s, got, FULL);
		assert_memory_equal(got, want, FULL);
		session_close(&s);
	}
}

/* Pages that nobody touched yet, and some of them only: all goes out. */
static void test_send_untouched(void **state)
{
	struct session s;

	(void)state;
	for (size_t i = 0, page; i < 5 * 2; i++) {
		begin(&s, i / 5);
		memset(want, 0, FULL);
		page = i % 5;
		if (page)
			want[page * PAGE - 1] = buf[page * PAGE - 1] = 7;
		assert_int_equal(send(s.fd, buf, FULL, 0), FULL);
		peer_recv_all(&s, got, FULL);
		assert_memory_equal(got, want, FULL);
		session_close(&s);
	}
}

/* Memory that copies can read and that has no pages: the kernel's clock, which is another each time. */
static void test_send_pageless(void **state)
{
	unsigned long at = 0;
	struct session s;
	char line[4096];
	FILE *f;

	(void)state;
	f = fopen("/proc/self/maps", "r");
	assert_non_null(f);
	while (!at && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]"))
			at = strtoul(line, NULL, 16);
	fclose(f);
	if (!at) {
		print_message("# no [vvar] in this process\n");
		skip();
	}
	begin(&s, 1);
	assert_int_equal(send(s.fd, (void *)at, PAGE, 0), PAGE);
	peer_recv_all(&s, got, PAGE);
	expect_sent(0);
	session_close(&s);
}

/* ---- receiving */

static void test_recv(void **state)
{
	static const size_t lens[] = { LEAST - 1, LEAST, 9999, FULL };
	static const size_t offsets[] = { 0, 1, 63, 4095 };
	struct session s;
	size_t len;

	(void)state;
	for (unsigned int k = 0; k < KINDS; k++) {
		begin(&s, k);
		memset(buf, 1, LEN);
		for (size_t i = 0; i < 4 * 4; i++) {
			len = lens[i / 4];
			peer_send(&s, WIRE_DATA, want, len);
			assert_int_equal(recv(s.fd, buf + offsets[i % 4], len, MSG_WAITALL), len);
			assert_memory_equal(buf + offsets[i % 4], want, len);
			expect_received(len < LEAST ? 0 : len);
		}
		session_close(&s);
	}
}

/* One call, records of several lengths: what fits as a whole and what doesn't, by one buffer and by three. */
static void test_recv_many(void **state)
{
	struct iovec v[3] = { { buf + 5, 2 * FULL }, { buf + 3 * FULL, 100 }, { buf + 4 * FULL, FULL } };
	struct session s;

	(void)state;
	begin(&s, 0);
	memset(buf, 1, LEN);
	for (size_t i = 0; i < 3; i++)
		peer_send(&s, WIRE_DATA, want + i * FULL, FULL);
	assert_int_equal(recv(s.fd, buf, 2 * FULL + 100, MSG_WAITALL), 2 * FULL + 100);
	expect_received(2 * FULL);
	assert_int_equal(recv(s.fd, buf + 2 * FULL + 100, FULL, 0), FULL - 100);
	assert_memory_equal(buf, want, 3 * FULL);
	peer_send(&s, WIRE_DATA, want, FULL);
	peer_send(&s, WIRE_DATA, want + FULL, FULL);
	peer_send(&s, WIRE_DATA, want + 2 * FULL, 100);
	peer_send(&s, WIRE_DATA, want + 2 * FULL + 100, FULL);
	received = stat_get("RxStraight");
	v[0].iov_base = buf + 5;
	v[1].iov_base = buf + 3 * FULL;
	v[2].iov_base = buf + 4 * FULL;
	for (ssize_t n = 0, done = 0; done < 3 * FULL + 100; done += n) {
		n = readv(s.fd, v, 3);
		assert_true(n > 0);
		if (n == 3 * FULL + 100)
			break;
		for (size_t i = 0, left = n; i < 3 && left; i++) {	/* fewer records were there */
			size_t part = left < v[i].iov_len ? left : v[i].iov_len;

			v[i].iov_base = (uint8_t *)v[i].iov_base + part;
			v[i].iov_len -= part;
			left -= part;
		}
	}
	expect_received(3 * FULL);
	assert_memory_equal(buf + 5, want, 2 * FULL);
	assert_memory_equal(buf + 3 * FULL, want + 2 * FULL, 100);
	assert_memory_equal(buf + 4 * FULL, want + 2 * FULL + 100, FULL);
	session_close(&s);
}

/* Records into a pipe, whole ones and one that it has no room for; padding, control records, a changed one. */
static void test_splice(void **state)
{
	static const size_t lens[] = { 1, 100, 5000, FULL, 7 };
	static uint8_t record[WIRE_RECORD];
	struct session s;
	size_t at = 0, len;
	int p[2];

	(void)state;
	for (unsigned int k = 0; k < KINDS; k++) {
		begin(&s, k);
		assert_int_equal(pipe(p), 0);
		for (size_t i = 0, from = 0; i < 5; from += lens[i++])
			peer_send(&s, WIRE_DATA, want + from, lens[i]);
		for (at = 0; at < 101 + 5000 + FULL + 7; at += len) {
			len = splice(s.fd, NULL, p[1], NULL, LEN, 0);
			assert_true((ssize_t)len > 0);
			wire_read(p[0], got + at, len);
		}
		assert_memory_equal(got, want, at);
		assert_int_equal(stat_get("RxStraight") - received, at);
		peer_send(&s, WIRE_DATA, want, FULL);
		assert_int_equal(splice(s.fd, NULL, p[1], NULL, 1000, 0), 1000);
		assert_int_equal(splice(s.fd, NULL, p[1], NULL, FULL, 0), FULL - 1000);
		wire_read(p[0], got, FULL);
		assert_memory_equal(got, want, FULL);
		len = wire_seal(&s.rx, WIRE_DATA, want, 9000, kinds[k].version == 0x0304 ? 5000 : 0, record);
		wire_write(s.raw, record, len);
		assert_int_equal(splice(s.fd, NULL, p[1], NULL, FULL, 0), 9000);
		wire_read(p[0], got, 9000);
		assert_memory_equal(got, want, 9000);
		peer_send(&s, WIRE_MESSAGE, want, 8000);
		assert_int_equal(splice(s.fd, NULL, p[1], NULL, FULL, 0), -1);
		assert_int_equal(errno, EINVAL);
		session_close(&s);
		close(p[0]);
		close(p[1]);
	}
	begin(&s, 0);
	assert_int_equal(pipe(p), 0);
	len = wire_seal(&s.rx, WIRE_DATA, want, FULL, 0, record);
	record[4000] ^= 1;
	wire_write(s.raw, record, len);
	assert_int_equal(splice(s.fd, NULL, p[1], NULL, FULL, SPLICE_F_NONBLOCK), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(stat_get("RxStraight") - received, 0);
	session_close(&s);
	close(p[0]);
	close(p[1]);
}

/* A page that can't be written: EFAULT, and nothing is lost. */
static void test_recv_hole(void **state)
{
	struct session s;

	(void)state;
	for (size_t page = 0; page < 5; page++) {
		begin(&s, page % KINDS);
		memset(buf, 1, LEN);
		protect(page, page % 2 ? PROT_READ : PROT_NONE);
		peer_send(&s, WIRE_DATA, want, FULL);
		assert_int_equal(recv(s.fd, buf + 100, FULL, 0), -1);
		assert_int_equal(errno, EFAULT);
		protect(page, PROT_READ | PROT_WRITE);
		assert_int_equal(recv(s.fd, buf + 100, FULL, 0), FULL);
		assert_memory_equal(buf + 100, want, FULL);
		peer_send(&s, WIRE_DATA, want + FULL, FULL);
		received = stat_get("RxStraight");
		assert_int_equal(recv(s.fd, buf + 100, FULL, 0), FULL);
		assert_memory_equal(buf + 100, want + FULL, FULL);
		expect_received(FULL);
		session_close(&s);
	}
}

/* Pages nobody touched, and pages that a child has as well, which must not see what comes. */
static void test_recv_fault(void **state)
{
	struct session s;
	int status;
	pid_t pid;

	(void)state;
	begin(&s, 0);
	for (size_t page = 0; page < 5; page++) {
		fresh();
		if (page)
			memset(buf, 1, page * PAGE);
		peer_send(&s, WIRE_DATA, want, FULL);
		assert_int_equal(recv(s.fd, buf, FULL, 0), FULL);
		assert_memory_equal(buf, want, FULL);
	}
	memset(buf, 1, FULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		peer_send(&s, WIRE_DATA, want, FULL);
		_exit(0);
	}
	assert_int_equal(recv(s.fd, buf, FULL, 0), FULL);
	assert_memory_equal(buf, want, FULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	s.rx.seq++;			/* the child's record */
	memset(buf, 1, FULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		usleep(300000);
		_exit(memchr(buf, 2, FULL) || buf[0] != 1 || memcmp(buf, buf + 1, FULL - 1));
	}
	peer_send(&s, WIRE_DATA, want, FULL);
	assert_int_equal(recv(s.fd, buf, FULL, 0), FULL);
	assert_memory_equal(buf, want, FULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	session_close(&s);
}

/* A file's pages: what came is in the file, for its other readers. */
static void test_recv_file(void **state)
{
	uint8_t *file, *other;
	struct session s;
	int fd;

	(void)state;
	fd = memfd_create("straight", 0);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, LEN), 0);
	file = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	other = mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(file != MAP_FAILED && other != MAP_FAILED);
	for (unsigned int k = 0; k < KINDS; k++) {
		begin(&s, k);
		memset(file, 1, LEN);
		peer_send(&s, WIRE_DATA, want, FULL);
		assert_int_equal(recv(s.fd, file + 100, FULL, 0), FULL);
		expect_received(FULL);
		assert_memory_equal(other + 100, want, FULL);
		assert_int_equal(pread(fd, got, FULL, 100), FULL);
		assert_memory_equal(got, want, FULL);
		session_close(&s);
	}
	munmap(file, LEN);
	munmap(other, LEN);
	close(fd);
}

/* A huge page is one piece. Read-only for a moment, it is not written to. */
static void test_recv_huge(void **state)
{
	const size_t huge = 2 << 20;
	struct session s;
	uint8_t *p, *at;

	(void)state;
	p = mmap(NULL, 2 * huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	at = (uint8_t *)(((uintptr_t)p + huge - 1) & -huge);
	madvise(at, huge, MADV_HUGEPAGE);
	memset(at, 1, huge);
	if (access("/proc/self/smaps_rollup", R_OK) ||
	    says("/proc/self/smaps_rollup", "AnonHugePages:         0 kB")) {
		munmap(p, 2 * huge);
		print_message("# no huge pages here\n");
		skip();
	}
	for (unsigned int k = 0; k < KINDS; k++) {
		begin(&s, k);
		for (size_t i = 0; i < 3; i++) {
			peer_send(&s, WIRE_DATA, want, FULL);
			assert_int_equal(recv(s.fd, at + 4095 * i, FULL, 0), FULL);
			assert_memory_equal(at + 4095 * i, want, FULL);
		}
		expect_received(3 * FULL);
		peer_send(&s, WIRE_DATA, want, FULL);
		assert_int_equal(mprotect(at, huge, PROT_READ), 0);
		assert_int_equal(recv(s.fd, at, FULL, 0), -1);
		assert_int_equal(errno, EFAULT);
		assert_int_equal(mprotect(at, huge, PROT_READ | PROT_WRITE), 0);
		assert_int_equal(recv(s.fd, at, FULL, 0), FULL);
		assert_memory_equal(at, want, FULL);
		session_close(&s);
	}
	munmap(p, 2 * huge);
}

static atomic_bool over;

static void *forks(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	while (!over) {
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return "fork";
	}
	return NULL;
}

/* The second page, again and again another. */
static void *maps(void *arg)
{
	(void)arg;
	while (!over)
		if (mmap(buf + PAGE, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return "mmap";
	return NULL;
}

/* While another thread forks, or takes a page away: what isn't taken away is all there. */
static void test_recv_while(void **state)
{
	static void *(*const others[])(void *) = { forks, maps };
	struct session s;
	pthread_t thread;
	void *failed;

	(void)state;
	for (unsigned int i = 0; i < 2 * 2; i++) {
		begin(&s, i % 2);
		over = false;
		assert_int_equal(pthread_create(&thread, NULL, others[i / 2], NULL), 0);
		for (int n = 0; n < 40; n++) {
			memset(buf, 1, LEN);
			peer_send(&s, WIRE_DATA, want + n, FULL);
			assert_int_equal(recv(s.fd, buf, FULL, 0), FULL);
			assert_memory_equal(buf, want + n, PAGE);
			assert_memory_equal(buf + 2 * PAGE, want + n + 2 * PAGE, FULL - 2 * PAGE);
			if (others[i / 2] == forks)
				assert_memory_equal(buf, want + n, FULL);
		}
		over = true;
		assert_int_equal(pthread_join(thread, &failed), 0);
		assert_null(failed);
		session_close(&s);
	}
}

/* A file's page that another thread writes back at some moment of a call, ever later ones. */
struct writer {
	pthread_t	thread;
	uint8_t		*page;
	sem_t		go, done;
	long		delay;		/* ns; < 0: the end */
	int		result;
};

static void *writer_main(void *arg)
{
	struct writer *w = arg;

	for (;;) {
		sem_wait(&w->go);
		if (w->delay < 0)
			return NULL;
		nanosleep(&(struct timespec){ .tv_nsec = w->delay }, NULL);
		w->result = msync(w->page, PAGE, MS_SYNC);
		sem_post(&w->done);
	}
}

/* It comes first whenever it can run. */
static void writer_start(struct writer *w)
{
	const struct sched_param first = { .sched_priority = 1 };

	sem_init(&w->go, 0, 0);
	sem_init(&w->done, 0, 0);
	assert_int_equal(pthread_create(&w->thread, NULL, writer_main, w), 0);
	assert_int_equal(pthread_setschedparam(w->thread, SCHED_FIFO, &first), 0);
}

static void writer_end(struct writer *w)
{
	w->delay = -1;
	sem_post(&w->go);
	assert_int_equal(pthread_join(w->thread, NULL), 0);
}

/* As the disk has it, if there is one. */
static void read_back(int fd, uint8_t *page)
{
	assert_int_equal(munmap(page, PAGE), 0);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, PAGE, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(pread(fd, got, PAGE, 0), PAGE);
}

/*
 * What a call has written to a file's page is on its disk some time, even if the page
 * was written back while the call had it: the other pages aren't there yet, so that the call takes long.
 */
static void test_recv_written_back(void **state)
{
	char path[4096];
	struct writer w = { 0 };
	struct session s;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/written-back", getenv("OUT") ?: "/tmp");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	begin(&s, 0);
	w.page = buf;
	writer_start(&w);
	for (int i = 0; i < ROUNDS; i++) {
		fresh();
		assert_true(mmap(buf, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == buf);
		memset(buf, i, PAGE);
		peer_send(&s, WIRE_DATA, want + i % 64, FULL);
		w.delay = 1000 * i;
		sem_post(&w.go);
		assert_int_equal(recv(s.fd, buf, FULL, 0), FULL);
		assert_memory_equal(buf, want + i % 64, FULL);
		sem_wait(&w.done);
		assert_int_equal(w.result, 0);
		read_back(fd, buf);
		assert_memory_equal(got, want + i % 64, PAGE);
	}
	writer_end(&w);
	close(fd);
	session_close(&s);
}

/* ---- records that are something else */

/* Nothing of want, in pieces of 16. */
static void expect_nothing_of(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i + 16 <= len; i += 16)
		assert_memory_not_equal(at + i, want + i, 16);
}

/* Wherever a bit was changed on the way: no byte of it stays. */
static void test_changed(void **state)
{
	static const size_t where[] = { WIRE_HEADER + 1, 300, 5000, FULL + WIRE_HEADER + 3 };
	static uint8_t record[WIRE_RECORD];
	struct session s;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 4 * KINDS; i++) {
		begin(&s, i / 4);
		memset(buf, 1, LEN);
		len = wire_seal(&s.rx, WIRE_DATA, want, FULL, 0, record);
		record[where[i % 4]] ^= 4;
		wire_write(s.raw, record, len);
		assert_int_equal(recv(s.fd, buf + 3, FULL, 0), -1);
		assert_int_equal(errno, EBADMSG);
		expect_nothing_of(buf + 3, FULL);
		expect_received(0);
		session_close(&s);
	}
}

/* Padding that ends within what was copied, and padding beyond it. */
static void test_padding(void **state)
{
	static const size_t pads[] = { 1, 20, 300, 5000 };
	static uint8_t record[WIRE_RECORD];
	struct session s;
	size_t len;

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		begin(&s, k);
		memset(buf, 1, LEN);
		for (size_t i = 0; i < 4; i++) {
			len = wire_seal(&s.rx, WIRE_DATA, want, 9000, pads[i], record);
			wire_write(s.raw, record, len);
			assert_int_equal(recv(s.fd, buf, FULL, 0), 9000);
			assert_memory_equal(buf, want, 9000);
		}
		session_close(&s);
	}
}

static void test_control(void **state)
{
	char control[CMSG_SPACE(1)];
	struct iovec v = { buf, FULL };
	struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct session s;

	(void)state;
	for (unsigned int k = 0; k < KINDS; k++) {
		begin(&s, k);
		memset(buf, 1, LEN);
		peer_send(&s, WIRE_MESSAGE, want, 8000);
		peer_send(&s, WIRE_DATA, want, 8000);
		assert_int_equal(recv(s.fd, buf, FULL, 0), -1);
		assert_int_equal(errno, EIO);
		expect_nothing_of(buf, 8000);
		msg.msg_controllen = sizeof(control);
		v.iov_base = buf;
		assert_int_equal(recvmsg(s.fd, &msg, 0), 8000);
		assert_int_equal(*CMSG_DATA(CMSG_FIRSTHDR(&msg)), WIRE_MESSAGE);
		assert_memory_equal(buf, want, 8000);
		expect_received(0);
		msg.msg_controllen = sizeof(control);
		assert_int_equal(recvmsg(s.fd, &msg, 0), 8000);
		assert_int_equal(*CMSG_DATA(CMSG_FIRSTHDR(&msg)), WIRE_DATA);
		assert_memory_equal(buf, want, 8000);
		expect_received(0);	/* the call before had looked at it */
		peer_send(&s, WIRE_DATA, want, 9000);
		msg.msg_controllen = sizeof(control);
		assert_int_equal(recvmsg(s.fd, &msg, 0), 9000);
		assert_int_equal(*CMSG_DATA(CMSG_FIRSTHDR(&msg)), WIRE_DATA);
		expect_received(9000);
		session_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_send_hole),
		cmocka_unit_test(test_send_untouched),
		cmocka_unit_test(test_send_pageless),
		cmocka_unit_test(test_recv),
		cmocka_unit_test(test_recv_many),
		cmocka_unit_test(test_splice),
		cmocka_unit_test(test_recv_hole),
		cmocka_unit_test(test_recv_fault),
		cmocka_unit_test(test_recv_file),
		cmocka_unit_test(test_recv_huge),
		cmocka_unit_test(test_recv_while),
		cmocka_unit_test(test_recv_written_back),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_control),
	};

	want = malloc(LEN);
	got = malloc(LEN);
	if (!want || !got)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
