// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-uml, in a release User Mode Linux: bytes per second over loopback on
 * plain TCP, net/tls and ktls, in turns. A system call costs tens of
 * microseconds there, so each is large: sendfile of SIZE bytes, receive
 * buffers of 1 MiB.
 *
 * TX: SIZE bytes are sent from a file through the ULP, and the receiver drops
 * what plain TCP gives it. RX: the records of such a sending, kept in a file,
 * come over plain TCP, and the ULP opens them. So each figure has one
 * direction's cipher in it. Medians over the turns; ratio is the median of
 * each turn's.
 *
 * uml [TURNS]; prints a table, and as lines that begin with @ the JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "median.h"

#ifndef SOL_TLS
#define SOL_TLS		282
#endif
#ifndef TLS_RX_EXPECT_NO_PAD
#define TLS_RX_EXPECT_NO_PAD	4
#endif
#define SIZE		(64L << 20)
#define BUFFER		(1 << 20)
#define WINDOW		(4 << 20)	/* socket buffers */
#define MAX_TURNS	100

enum { TCP, NETTLS, KTLS, IMPLS };
enum { TX, RX, OPS };
static const char *const ulps[] = { NULL, "tls", "ktls" };
static const char *const ops[] = { "sendfile", "recv" };

static int plain, records;
static long records_size;
static uint8_t *buffer;

static void check(bool right, const char *what)
{
	if (right)
		return;
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void install(int fd, const char *ulp, int option)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 }, .key = { 7 }, .iv = { 3 }, .salt = { 4 } };
	int one = 1;

	if (!ulp)
		return;
	check(!setsockopt(fd, SOL_TCP, TCP_ULP, ulp, (socklen_t)strlen(ulp)), ulp);
	check(!setsockopt(fd, SOL_TLS, option, &info, sizeof(info)), "TLS_TX, TLS_RX");
	/* The best that net/tls can do; ktls needs no such word. */
	if (option == TLS_RX)
		check(!setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof(one)), "NO_PAD");
}

static void pair_make(int *from, int *to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), window = WINDOW;
	socklen_t len = sizeof(addr);

	check(!setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &window, sizeof(window)), "SO_RCVBUFFORCE");
	check(!bind(listener, (void *)&addr, len) && !listen(listener, 1) &&
	      !getsockname(listener, (void *)&addr, &len), "listen");
	*from = socket(AF_INET, SOCK_STREAM, 0);
	check(!setsockopt(*from, SOL_SOCKET, SO_SNDBUFFORCE, &window, sizeof(window)), "SO_SNDBUFFORCE");
	check(!connect(*from, (void *)&addr, len), "connect");
	*to = accept(listener, NULL, NULL);
	check(*to >= 0, "accept");
	close(listener);
}

/* The sender, a process of its own: once @go says so, @len bytes of @file, then the end. */
static pid_t sender(int fd, int other, int file, long len, const int *go)
{
	pid_t pid = fork();
	off_t at = 0;
	char byte;

	check(pid >= 0, "fork");
	if (pid)
		return pid;
	close(other);
	check(read(go[0], &byte, 1) == 1, "read");
	while (at < len)
		check(sendfile(fd, file, &at, (size_t)(len - at)) > 0, "sendfile");
	_exit(0);
}

/* All that comes. Kept in @keep, or dropped: by TCP itself where nothing is to be opened. */
static long drain(int fd, int keep, bool open)
{
	long sum = 0;
	ssize_t n;

	while ((n = recv(fd, buffer, BUFFER, MSG_WAITALL | (open || keep >= 0 ? 0 : MSG_TRUNC))) > 0) {
		sum += n;
		check(keep < 0 || write(keep, buffer, (size_t)n) == n, "write");
	}
	check(n == 0 || (open && errno == ECONNRESET), "recv");
	return sum;
}

/* One sending; seconds. @keep: a file for what TCP carried. */
static double transfer(int op, int impl, int keep, long *got)
{
	int from, to, status, go[2];
	double begin;
	pid_t pid;

	pair_make(&from, &to);
	install(op == TX ? from : to, ulps[impl], op == TX ? TLS_TX : TLS_RX);
	check(!pipe(go), "pipe");
	if (op == TX || impl == TCP)
		pid = sender(from, to, plain, SIZE, go);
	else
		pid = sender(from, to, records, records_size, go);
	close(from);
	begin = now();		/* without fork(), which takes a millisecond there */
	check(write(go[1], "", 1) == 1, "write");
	*got = drain(to, keep, op == RX);
	begin = now() - begin;
	close(to);
	close(go[0]);
	close(go[1]);
	check(waitpid(pid, &status, 0) == pid && !status, "sender");
	return begin;
}

static void measure(int op, int turns)
{
	double seconds[IMPLS][MAX_TURNS], ratios[MAX_TURNS], mbs[IMPLS], ratio;
	long size = op == TX ? SIZE : BUFFER, got;

	/* The first turn is for caches and memory. */
	for (int turn = -1; turn < turns; turn++) {
		for (int i = 0; i < IMPLS; i++) {
			double t = transfer(op, i, -1, &got);

			check(got == (op == TX && i != TCP ? records_size : SIZE), "bytes received");
			if (turn >= 0)
				seconds[i][turn] = t;
		}
		if (turn >= 0)
			ratios[turn] = seconds[NETTLS][turn] / seconds[KTLS][turn];
	}
	for (int i = 0; i < IMPLS; i++)
		mbs[i] = (double)SIZE / median(seconds[i], turns) * 1e-6;
	ratio = median(ratios, turns);
	printf("%-9s %9ld %9.0f %9.0f %9.0f %7.2f\n", ops[op], size, mbs[TCP], mbs[NETTLS], mbs[KTLS], ratio);
	printf("@%s{\"op\": \"%s\", \"size\": %ld, \"tcp_mbs\": %.1f, \"nettls_mbs\": %.1f, \"ktls_mbs\": %.1f, "
	       "\"ratio\": %.3f}\n", op ? ", " : "  ", ops[op], size, mbs[TCP], mbs[NETTLS], mbs[KTLS], ratio);
	fflush(stdout);
}

static int file_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	check(fd >= 0, path);
	return fd;
}

int main(int argc, char **argv)
{
	int turns = argc > 1 ? atoi(argv[1]) : 15;

	if (turns < 1 || turns > MAX_TURNS)
		return fprintf(stderr, "usage: uml [TURNS]\n"), 2;
	buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(buffer != MAP_FAILED, "mmap");
	plain = file_new("/dev/shm/plain");
	records = file_new("/dev/shm/records");
	for (long i = 0; i < BUFFER; i++)
		buffer[i] = (uint8_t)(i * 7 + i / 251);
	for (long i = 0; i < SIZE; i += BUFFER)
		check(write(plain, buffer, BUFFER) == BUFFER, "write");
	transfer(TX, NETTLS, records, &records_size);
	check(records_size > SIZE, "records");
	printf("%-9s %9s %9s %9s %9s %7s\n", "op", "size", "tcp MB/s", "net/tls", "ktls", "ratio");
	printf("@[\n");
	for (int op = TX; op < OPS; op++)
		measure(op, turns);
	printf("@]\n");
	return 0;
}
