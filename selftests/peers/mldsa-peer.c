// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our ML-DSA for mldsa.mjs: reads a command a line, all of it in hexadecimal, and answers by a line.
 *	generate SET SEED		public key, private key
 *	sign SET SEED RANDOM MESSAGE	signature
 *	verify SET PUBLIC MESSAGE SIGNATURE	0, or -errno
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/mldsa.h"

#define MAX 16384

struct bytes { uint8_t p[MAX]; size_t len; };

static void unhex(struct bytes *b)
{
	const char *s = strtok(NULL, " \n");
	unsigned int v;

	for (b->len = 0; s && s[0] && s[1] && b->len < MAX; s += 2) {
		if (sscanf(s, "%2x", &v) != 1)
			errx(1, "no hexadecimal number");
		b->p[b->len++] = (uint8_t)v;
	}
}

static void hex(const uint8_t *p, size_t len, const char *end)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
	fputs(end, stdout);
}

static const struct mldsa *set_of(const char *text)
{
	static const char *const names[] = { "44", "65", "87" };

	for (int i = 0; text && i < 3; i++)
		if (!strcmp(text, names[i]))
			return mldsa_of(CRYPTO_KEY_MLDSA44 + (enum crypto_key_type)i);
	errx(1, "no set");
}

static void answer(const char *command)
{
	static struct bytes a, b, c;
	const struct mldsa *p = set_of(strtok(NULL, " \n"));

	unhex(&a);
	unhex(&b);
	unhex(&c);
	if (!strcmp(command, "generate") && a.len == MLDSA_SEED && !mldsa_generate(p, a.p, b.p, c.p)) {
		hex(b.p, p->public_key, " ");
		hex(c.p, p->private_key, "\n");
	} else if (!strcmp(command, "sign") && a.len == MLDSA_SEED && b.len == 32) {
		static uint8_t sig[MLDSA_MAX_SIGNATURE];

		if (mldsa_sign(p, a.p, b.p, c.p, c.len, sig))
			errx(1, "no signature");
		hex(sig, p->signature, "\n");
	} else if (!strcmp(command, "verify") && a.len == p->public_key && c.len == p->signature) {
		printf("%d\n", mldsa_verify(p, a.p, b.p, b.len, c.p));
	} else {
		errx(1, "no such command");
	}
}

int main(void)
{
	static char line[8 * MAX];
	char *command;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		command = strtok(line, " \n");
		if (command)
			answer(command);
	}
	return 0;
}
