/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PEM (RFC 7468): whatever stands outside of the blocks is ignored. */
#include <errno.h>
#include <nettle/base64.h>
#include <stdbool.h>
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/pem.h"

static const char *find(const char *from, const char *end, const char *what)
{
	return memmem(from, end - from, what, strlen(what));
}

/* "-----BEGIN label-----": the label and where the line ends. */
static const char *begin_line(const char *p, const char *end, char label[PEM_LABEL])
{
	const char *stop = find(p, end, "-----");

	if (!stop || stop - p >= PEM_LABEL || memchr(p, '\n', stop - p))
		return NULL;
	memcpy(label, p, stop - p);
	label[stop - p] = '\0';
	return stop + 5;
}

static bool end_line_fits(const char *p, const char *end, const char *label)
{
	size_t n = strlen(label);

	return (size_t)(end - p) >= n + 5 && !memcmp(p, label, n) &&
	       !memcmp(p + n, "-----", 5);
}

static int decode(const char *p, const char *end, uint8_t *der, size_t *der_len)
{
	struct base64_decode_ctx ctx;
	int ok;

	if (memchr(p, ':', end - p))
		return -ENOTSUP;
	base64_decode_init(&ctx);
	ok = base64_decode_update(&ctx, der_len, der, end - p, p) &&
	     base64_decode_final(&ctx);
	crypto_wipe(&ctx, sizeof(ctx));
	return ok ? 1 : -EBADMSG;
}

int pem_next(const char **text, const char *end, char label[PEM_LABEL],
	     uint8_t *der, size_t *der_len)
{
	const char *p = find(*text, end, "-----BEGIN "), *stop;

	if (!p) {
		*text = end;
		return 0;
	}
	p = begin_line(p + 11, end, label);
	if (!p)
		return -EBADMSG;
	stop = find(p, end, "-----END ");
	if (!stop || !end_line_fits(stop + 9, end, label))
		return -EBADMSG;
	*text = stop + 9 + strlen(label) + 5;
	return decode(p, stop, der, der_len);
}
