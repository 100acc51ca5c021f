// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes of records: pure functions, which also compile outside the kernel.
 */
#include "format.h"

static const struct ktls_format formats[] = {
	{ .version = 0x0304, .type = KTLS_DATA, .inner = 1, .aad = KTLS_HEADER,
	  .body_max = KTLS_PLAIN_MAX + 256, .updates = true },
	{ .version = 0x0303, .nonce = KTLS_NONCE, .aad = KTLS_AAD12,
	  .body_max = KTLS_PLAIN_MAX + KTLS_NONCE + 16 },
	{ .version = 0x0303, .nonce = KTLS_BLOCK, .block = KTLS_BLOCK, .aad = KTLS_AAD12 + KTLS_BLOCK,
	  .body_max = KTLS_BODY_MAX },
};

const struct ktls_format *ktls_format_find(unsigned short version, bool cbc)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].version == version && !formats[i].block == !cbc)
			return &formats[i];
	return NULL;
}

void ktls_aad_put(const struct ktls_format *f, unsigned char *p, unsigned long long seq,
		  const unsigned char *header, size_t len)
{
	int i;

	for (i = 0; i < 8; i++)
		p[i] = seq >> (56 - 8 * i);
	for (i = 0; i < 3; i++)
		p[8 + i] = header[i];
	p[11] = len >> 8;
	p[12] = len;
	for (i = 0; i < f->block; i++)
		p[KTLS_AAD12 + i] = header[KTLS_HEADER + i];
}

long ktls_inner_end(const unsigned char *p, size_t len)
{
	while (len && !p[len - 1])
		len--;
	return (long)len - 1;
}

long ktls_padding_start(const unsigned char *p, size_t len)
{
	unsigned char n = p[len - 1], wrong = 0;
	size_t i;

	if (n >= len)
		return -1;
	for (i = 2; i <= n + 1u; i++)
		wrong |= p[len - i] ^ n;
	return wrong ? -1 : (long)(len - n - 1);
}

size_t ktls_message_len(const unsigned char *p)
{
	return KTLS_MESSAGE_HEADER + ((size_t)p[1] << 16 | p[2] << 8 | p[3]);
}

/* Nothing may follow a KeyUpdate: it would be under the old key (RFC 9846 5.1). */
static int key_update_check(const unsigned char *p, size_t n, size_t len)
{
	if (n != KTLS_KEY_UPDATE_LEN)
		return KTLS_DECODE_ERROR;
	if (len > n)
		return KTLS_UNEXPECTED_MESSAGE;
	return len == n && p[KTLS_MESSAGE_HEADER] > 1 ? KTLS_ILLEGAL_PARAMETER : 0;
}

int ktls_messages_sort(const unsigned char *p, size_t len, enum ktls_messages *ret_kind, unsigned char *ret_update)
{
	enum ktls_messages kind = KTLS_MSG_TICKETS;
	size_t n;
	int err;

	if (!len)
		return KTLS_UNEXPECTED_MESSAGE;	/* RFC 9846 5.1 */
	*ret_kind = KTLS_MSG_PART;
	for (; len; p += n, len -= n) {
		if (len < KTLS_MESSAGE_HEADER)
			return 0;
		n = ktls_message_len(p);
		if (p[0] == KTLS_KEY_UPDATE) {
			err = key_update_check(p, n, len);
			if (err)
				return err;
		}
		if (n > KTLS_MESSAGES_MAX)
			return KTLS_ILLEGAL_PARAMETER;
		if (n > len)
			return 0;
		if (p[0] == KTLS_KEY_UPDATE) {
			kind = kind == KTLS_MSG_OTHER ? kind : KTLS_MSG_UPDATE;
			*ret_update = p[KTLS_MESSAGE_HEADER];
		} else if (p[0] != KTLS_NEW_SESSION_TICKET) {
			kind = KTLS_MSG_OTHER;
		}
	}
	*ret_kind = kind;
	return 0;
}
