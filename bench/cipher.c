// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-cipher: AES-GCM of several implementations in one interleaved run.
 *
 * A row (algorithm, direction, size) is measured in many rounds; each gives each
 * implementation a window of some 20 µs, short enough to fall between what
 * else the machine does. The 10th percentile of the windows counts as clean,
 * the median as loaded. Cycles are the core's: a chain of additions in each
 * round tells how many of them a tick of the time stamp counter has. Ratios
 * are what to trust.
 *
 * cipher OUT.json [SECONDS per row]; the table goes to standard output.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>
#include "cipher.h"

#define MAX_IMPLS	8
#define MAX_ROUNDS	20000
#define MIN_ROUNDS	50
#define WINDOW		48000	/* ticks */
#define SIZE		16384

struct result {
	double gbps, cycles, gbps_loaded;
};

static const int sizes[] = { SIZE, 4096, 1420, 256, 64 };

static uint8_t plain[SIZE], cipher[SIZE], out[SIZE + 64], aad[AAD_LEN], iv[12], tag[TAG_LEN];
static float ticks[MAX_IMPLS][MAX_ROUNDS], cycles[MAX_IMPLS][MAX_ROUNDS];
static double tick_ns;
static bool bad;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure_tick(void)
{
	double t = now();
	uint64_t a = __rdtsc();

	while (now() - t < 0.2)
		;
	tick_ns = (now() - t) * 1e9 / (double)(__rdtsc() - a);
}

/* Core cycles per tick. */
static double clock_ratio(void)
{
	const long n = 4000;
	uint64_t a = __rdtsc();
	long x = 0;

	for (long i = 0; i < n; i += 8)
		asm volatile("add $1, %0; add $1, %0; add $1, %0; add $1, %0;"
			     "add $1, %0; add $1, %0; add $1, %0; add $1, %0" : "+r"(x));
	return (double)n / (double)(__rdtsc() - a);
}

static void once(const struct impl *im, void *ctx, bool seal, size_t len)
{
	if (seal)
		im->seal(ctx, iv, aad, plain, len, out, tag);
	else if (!im->open(ctx, iv, aad, cipher, len, out, tag))
		bad = true;
}

static double window(const struct impl *im, void *ctx, bool seal, size_t len, int n)
{
	uint64_t a;

	once(im, ctx, seal, len);
	a = __rdtsc();
	for (int i = 0; i < n; i++)
		once(im, ctx, seal, len);
	return (double)(__rdtsc() - a) / n;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double percentile(float *v, int n, int percent)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n * percent / 100];
}

/* All implementations agree with the first, or there is nothing to compare. */
static void check(void **ctx, size_t len)
{
	uint8_t mac[TAG_LEN];

	impls[0]->seal(ctx[0], iv, aad, plain, len, cipher, tag);
	for (size_t i = 0; i < impls_num; i++) {
		if (!ctx[i])
			continue;
		impls[i]->seal(ctx[i], iv, aad, plain, len, out, mac);
		bad |= memcmp(out, cipher, len) || memcmp(mac, tag, TAG_LEN);
		bad |= !impls[i]->open(ctx[i], iv, aad, cipher, len, out, tag);
		bad |= memcmp(out, plain, len) != 0;
		if (bad) {
			fprintf(stderr, "bench-cipher: %s disagrees with %s at %zu bytes\n",
				impls[i]->name, impls[0]->name, len);
			exit(1);
		}
	}
}

static void measure(void **ctx, bool seal, size_t len, double seconds, struct result *r)
{
	double end = now() + seconds;
	int n[MAX_IMPLS], rounds = 0;

	for (size_t i = 0; i < impls_num; i++)
		n[i] = ctx[i] ? 1 + (int)(WINDOW / window(impls[i], ctx[i], seal, len, 20)) : 0;
	for (; rounds < MAX_ROUNDS && (rounds < MIN_ROUNDS || now() < end); rounds++) {
		double ratio = clock_ratio();

		for (size_t i = 0; i < impls_num; i++) {
			if (!ctx[i])
				continue;
			double t = window(impls[i], ctx[i], seal, len, n[i]);

			ticks[i][rounds] = (float)t;
			cycles[i][rounds] = (float)(t * ratio);
		}
	}
	for (size_t i = 0; i < impls_num; i++) {
		if (!ctx[i])
			continue;
		r[i].gbps = (double)len / (percentile(ticks[i], rounds, 10) * tick_ns);
		r[i].gbps_loaded = (double)len / (percentile(ticks[i], rounds, 50) * tick_ns);
		r[i].cycles = percentile(cycles[i], rounds, 10) / (double)len;
	}
}

static void print_row(FILE *json, const char *alg, bool seal, size_t len,
		      void **ctx, const struct result *r)
{
	static bool comma;

	for (size_t i = 0; i < impls_num; i++) {
		double ratio = r[i].gbps / r[0].gbps, loaded = r[i].gbps_loaded / r[0].gbps_loaded;

		if (!ctx[i])
			continue;
		printf("%-12s %-5s %6zu  %-13s %7.2f %9.3f %8.2f x %9.2f %8.2f x\n", alg,
		       seal ? "seal" : "open", len, impls[i]->name, r[i].gbps, r[i].cycles, ratio,
		       r[i].gbps_loaded, loaded);
		fprintf(json, "%s\n  {\"impl\": \"%s\", \"alg\": \"%s\", \"op\": \"%s\", \"size\": %zu, "
			"\"gbps\": %.3f, \"cycles_per_byte\": %.4f, \"ratio_openssl\": %.3f, "
			"\"gbps_loaded\": %.3f, \"ratio_openssl_loaded\": %.3f}", comma ? "," : "",
			impls[i]->name, alg, seal ? "seal" : "open", len, r[i].gbps, r[i].cycles,
			ratio, r[i].gbps_loaded, loaded);
		comma = true;
	}
	printf("\n");
	fflush(stdout);
}

static void bench(FILE *json, size_t key_len, double seconds)
{
	uint8_t key[32] = { 1, 2, 3 };
	struct result r[MAX_IMPLS];
	void *ctx[MAX_IMPLS];

	for (size_t i = 0; i < impls_num; i++)
		ctx[i] = impls[i]->usable() ? impls[i]->make(key, key_len) : NULL;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (int seal = 1; seal >= 0; seal--) {
			check(ctx, (size_t)sizes[s]);
			measure(ctx, seal, (size_t)sizes[s], seconds, r);
			print_row(json, key_len == 16 ? "aes-128-gcm" : "aes-256-gcm", seal,
				  (size_t)sizes[s], ctx, r);
		}
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[2]) : 5;
	FILE *json = argc > 1 ? fopen(argv[1], "w") : NULL;
	cpu_set_t cpu;

	if (!json) {
		fprintf(stderr, "usage: cipher OUT.json [SECONDS]\n");
		return 2;
	}
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7 + i / 251);
	measure_tick();
	for (size_t i = 0; i < impls_num; i++)
		if (!impls[i]->usable())
			printf("# SKIP %s: this CPU can't run it\n", impls[i]->name);
	printf("%-12s %-5s %6s  %-13s %7s %9s %10s %9s %10s\n", "alg", "op", "size", "impl",
	       "GB/s", "cycles/B", "/openssl", "loaded", "/openssl");
	fprintf(json, "[");
	bench(json, 16, seconds);
	bench(json, 32, seconds);
	fprintf(json, "\n]\n");
	if (fclose(json) || bad) {
		fprintf(stderr, "bench-cipher: %s\n", bad ? "a record did not open" : "cannot write");
		return 1;
	}
	return 0;
}
