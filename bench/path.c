// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-path, in a guest under qemu -icount, where the time stamp counter
 * counts instructions: what a call costs on plain TCP, net/tls and ktls, in
 * turns within one run. One process fills a socket over loopback and drains
 * it, so that a send has the receiver's softirq in it, for all three alike. The least of
 * many turns counts: no interrupt, no acknowledgement that comes now and then.
 *
 * The overhead is what is left without TCP and cipher. The cipher's share is measured in
 * the same kernel (bench/aead): for net/tls the kernel's own with net/tls's
 * scatterlists, for ktls its very code with ktls's segments, for sendfile the file's
 * pages, else one. That gives the cipher what cutting a record into page-sized
 * pieces costs, though the record layer cuts: so there is a second ratio,
 * with either cipher on one piece.
 *
 * The file's pages are not in a row in memory: where by chance they are, ktls
 * makes one piece of them and needs a thousand instructions less for 16 KiB.
 *
 * Prints a table, and as lines that begin with @ the JSON.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#ifndef SOL_TLS
#define SOL_TLS		282
#endif
#ifndef TLS_RX_EXPECT_NO_PAD
#define TLS_RX_EXPECT_NO_PAD	4
#endif
#define MAX		65536
#define TURNS		60
#define WARM		10
#define RECORD		16384
#define PAGE		4096
#define ARRAY(a)	(sizeof(a) / sizeof((a)[0]))

enum { TCP, NETTLS, KTLS, IMPLS };
enum op { SEND, SENDFILE, RECV, SPLICE };
static const char *const ulps[] = { NULL, "tls", "ktls" };
static const char *const ops[] = { "send", "sendfile", "recv", "splice" };
static const size_t sizes[] = { 1, RECORD, MAX };

struct pair {
	int from, to;
};

static uint8_t *out, *in;
static int file, pipes[2];

static void check(bool right, const char *what)
{
	if (right)
		return;
	perror(what);
	exit(1);
}

static void install(int fd, int option)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 }, .key = { 7 }, .iv = { 3 }, .salt = { 4 } };

	check(!setsockopt(fd, SOL_TLS, option, &info, sizeof(info)), "TLS_TX, TLS_RX");
}

static void pair_make(struct pair *p, const char *ulp)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t len = sizeof(addr);

	check(!bind(listener, (void *)&addr, len) && !listen(listener, 1) &&
	      !getsockname(listener, (void *)&addr, &len), "listen");
	p->from = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(p->from, (void *)&addr, len), "connect");
	p->to = accept(listener, NULL, NULL);
	check(p->to >= 0, "accept");
	close(listener);
	setsockopt(p->from, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!ulp)
		return;
	check(!setsockopt(p->from, SOL_TCP, TCP_ULP, ulp, (socklen_t)strlen(ulp)) &&
	      !setsockopt(p->to, SOL_TCP, TCP_ULP, ulp, (socklen_t)strlen(ulp)), "TCP_ULP");
	install(p->from, TLS_TX);
	install(p->to, TLS_RX);
	/* The best that net/tls can do; ktls needs no such word. */
	check(!setsockopt(p->to, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof(one)), "NO_PAD");
}

static uint64_t put(const struct pair *p, enum op op, size_t len)
{
	uint64_t begin;
	off_t at = 0;
	ssize_t n;

	begin = __rdtsc();
	if (op == SENDFILE)
		n = sendfile(p->from, file, &at, len);
	else
		n = send(p->from, out, len, 0);
	begin = __rdtsc() - begin;
	check(n == (ssize_t)len, ops[op]);
	return begin;
}

static uint64_t get(const struct pair *p, enum op op, size_t len)
{
	uint64_t begin;
	ssize_t n = 1;
	size_t done;

	begin = __rdtsc();
	for (done = 0; done < len && n > 0; done += (size_t)n) {
		if (op == SPLICE)
			n = splice(p->to, NULL, pipes[1], NULL, len - done, 0);
		else
			n = recv(p->to, in + done, len - done, 0);
	}
	begin = __rdtsc() - begin;
	check(n > 0, ops[op]);
	for (done = 0; op == SPLICE && done < len; done += (size_t)n)
		check((n = read(pipes[0], in + done, len - done)) > 0, "read");
	check(!memcmp(in, out, len), "what was read is not what was sent");
	memset(in, 0, len);
	return begin;
}

/* Packets of the loopback device so far, acknowledgements among them. */
static long packets(void)
{
	FILE *f = fopen("/sys/class/net/lo/statistics/tx_packets", "r");
	long n = 0;

	check(f && fscanf(f, "%ld", &n) == 1, "tx_packets");
	fclose(f);
	return n;
}

static void measure(const struct pair *pairs, enum op op, size_t len, uint64_t *least, long *least_packets)
{
	uint64_t tx, rx, n;
	long before;

	for (int i = 0; i < IMPLS; i++) {
		least[i] = UINT64_MAX;
		least_packets[i] = LONG_MAX;
	}
	for (int turn = 0; turn < WARM + TURNS; turn++)
		for (int i = 0; i < IMPLS; i++) {
			before = packets();
			tx = put(&pairs[i], op, len);
			usleep(1000);
			rx = get(&pairs[i], op, len);
			usleep(1000);
			n = op <= SENDFILE ? tx : rx;
			before = packets() - before;
			if (turn >= WARM && before < least_packets[i])
				least_packets[i] = before;
			if (turn >= WARM && n < least[i])
				least[i] = n;
		}
}

/* ---- the cipher alone */

static double in_kernel(const char *own, bool seal, const char *how, size_t len)
{
	unsigned long n = 0;
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/ktls_bench_aead/parameters/%s%s_%s%zu",
		 own, seal ? "seal" : "open", how, len);
	f = fopen(path, "r");
	check(f && fscanf(f, "%lu", &n) == 1, path);
	fclose(f);
	return (double)n;
}

enum which { KERNEL, KERNEL_IN_A_ROW, OWN, OWN_IN_A_ROW };

static double cipher(enum which which, enum op op, size_t len)
{
	size_t records = len > RECORD ? len / RECORD : 1;
	bool seal = op <= SENDFILE;

	len = len > RECORD ? RECORD : len;
	if (which >= OWN)		/* a few bytes of a page are copied */
		return in_kernel("own_", seal, which == OWN && op == SENDFILE && len >= PAGE ? "pages_" : "", len) *
		       (double)records;
	return in_kernel("", seal, which == KERNEL_IN_A_ROW ? "row_" : "", len) * (double)records;
}

static void row(enum op op, size_t len, const uint64_t *v, const long *p)
{
	double tcp = (double)v[TCP], net = (double)v[NETTLS], own = (double)v[KTLS];
	double net_over = net - tcp - cipher(KERNEL, op, len), own_over = own - tcp - cipher(OWN, op, len);
	double row_over = net - tcp - cipher(KERNEL_IN_A_ROW, op, len);
	double row_ratio = (own - tcp - cipher(OWN_IN_A_ROW, op, len)) / row_over;
	static bool comma;

	printf("%-9s %6zu %9.0f %9.0f %9.0f %7.3f %9.0f %9.0f %7.3f %9.0f %7.3f\n", ops[op], len, tcp, net, own,
	       own / net, net_over, own_over, own_over / net_over, row_over, row_ratio);
	printf("@%s{\"op\": \"%s\", \"size\": %zu, \"tcp\": %.0f, \"nettls\": %.0f, \"ktls\": %.0f, "
	       "\"ktls_over_nettls\": %.4f, \"nettls_overhead\": %.0f, \"ktls_overhead\": %.0f, "
	       "\"overhead_ratio\": %.4f, \"nettls_overhead_row\": %.0f, \"overhead_ratio_row\": %.4f, "
	       "\"packets_tcp\": %ld, \"packets_nettls\": %ld, \"packets_ktls\": %ld}\n",
	       comma ? ", " : "  ", ops[op], len, tcp, net, own, own / net,
	       net_over, own_over, own_over / net_over, row_over, row_ratio, p[TCP], p[NETTLS], p[KTLS]);
	comma = true;
}

/* Every other page that is allocated is another file's. */
static int scattered_file(void)
{
	int fd = open("/dev/shm/path", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int other = open("/dev/shm/other", O_RDWR | O_CREAT | O_TRUNC, 0600);

	check(fd >= 0 && other >= 0, "/dev/shm");
	for (size_t at = 0; at < MAX; at += PAGE)
		check(write(fd, out + at, PAGE) == PAGE && write(other, out, PAGE) == PAGE, "/dev/shm");
	return fd;
}

int main(void)
{
	struct pair pairs[IMPLS];
	uint64_t least[IMPLS];
	long least_packets[IMPLS];

	out = mmap(NULL, 2 * MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(out != MAP_FAILED, "mmap");
	in = out + MAX;
	for (size_t i = 0; i < MAX; i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	file = scattered_file();
	check(!pipe(pipes) && fcntl(pipes[0], F_SETPIPE_SZ, 1 << 19) > 0, "pipe");
	for (int i = 0; i < IMPLS; i++)
		pair_make(&pairs[i], ulps[i]);
	printf("%-9s %6s %9s %9s %9s %7s %9s %9s %7s %9s %7s\n", "op", "size", "tcp", "net/tls", "ktls", "ratio",
	       "net/tls +", "ktls +", "ratio", "row +", "ratio");
	printf("@[\n");
	for (enum op op = SEND; op <= SPLICE; op++)
		for (size_t s = 0; s < ARRAY(sizes); s++) {
			measure(pairs, op, sizes[s], least, least_packets);
			row(op, sizes[s], least, least_packets);
		}
	printf("@]\n");
	return 0;
}
