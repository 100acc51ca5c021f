// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * make bench-signers: what the keeper's signing threads are good for, in one
 * process: RSA-2048 signatures per second made by the loop itself and by
 * threads, and how long a P-256 signature waits behind a queue of RSA ones.
 * Rounds of all kinds take turns; medians are printed.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "signers.h"

#define ROUNDS	7
#define NUM	100		/* signatures of RSA in a round */

static struct config *config;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static uint64_t now_ms(void) { return now_us() / 1000; }

static struct msg_sign request(uint32_t key)
{
	struct msg_sign m = { .type = MSG_SIGN, .key = key, .scheme = key ? 0x0403 : 0x0804,
			      .deadline = UINT64_MAX, .len = 64 + 34 + 32 };

	memset(m.tbs, 0x20, 64);
	strcpy((char *)m.tbs + 64, "TLS 1.3, server CertificateVerify");
	return m;
}

static void sign_here(uint32_t key)
{
	struct msg_sign m = request(key);
	struct msg_signed out;

	sign_request(config, &m, m.tbs, sizeof(m.tbs), &out);
	if (out.err)
		exit(1);
}

static void submit(struct signers *s)
{
	struct msg_sign m = request(0);
	struct sign_work w;

	if (sign_check(config, &m, m.tbs, sizeof(m.tbs), &w) || signers_submit(s, &config, config, &w, &m, m.tbs))
		exit(1);
}

static void collect(struct signers *s, int num)
{
	struct pollfd p = { .fd = signers_fd(s), .events = POLLIN };
	struct signer_job *job;

	while (num) {
		job = signers_take(s);
		if (!job && poll(&p, 1, -1) < 0)
			exit(1);
		if (!job)
			continue;
		signers_end(job);
		num--;
	}
}

/* Without @s, by the loop. How long a P-256 signature that comes then has to wait, in us. */
static uint64_t round_of(struct signers *s, uint64_t *wait)
{
	uint64_t began = now_us(), asked;

	for (int i = 0; i < NUM; i++) {
		if (s)
			submit(s);
		else
			sign_here(0);
	}
	asked = s ? now_us() : began;	/* the loop gets to it when the others are done */
	sign_here(1);
	*wait = now_us() - asked;
	if (s)
		collect(s, NUM);
	return now_us() - began;
}

static int order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t median(uint64_t *v)
{
	qsort(v, ROUNDS, sizeof(*v), order);
	return v[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	static const unsigned int threads[] = { 0, 1, 2, 4 };
	uint64_t took[4][ROUNDS], wait[4][ROUNDS];
	struct signers *s[4] = { NULL };
	struct config_report report;

	if (argc != 2 || config_load(argv[1], files_new(), true, &config, &report))
		return fprintf(stderr, "usage: signers CONF (first identity RSA, second P-256)\n%s", argc == 2 ? report.text : ""), 2;
	for (int i = 1; i < 4; i++)
		s[i] = signers_new(threads[i], now_ms);
	for (int r = 0; r < ROUNDS; r++)
		for (int i = 0; i < 4; i++)
			took[i][r] = round_of(s[i], &wait[i][r]);
	for (int i = 0; i < 4; i++)
		printf("%s%u threads: %6.0f RSA-2048 signatures/s, a P-256 signature behind %d of them after %llu us\n",
		       i ? "" : "the loop, ", threads[i], NUM * 1e6 / (double)median(took[i]), NUM,
		       (unsigned long long)median(wait[i]));
	return 0;
}
