// SPDX-License-Identifier: GPL-2.0-or-later
/* HelloRetryRequest, RFC 9846 4.1.4: a ServerHello with a fixed random. */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <string.h>

/* SHA-256 of "HelloRetryRequest". */
static const uint8_t retry_random[HS_RANDOM] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

bool is_retry_request(const struct rbuf *msg)
{
	const size_t at = 4 + 2;

	return rbuf_len(msg) >= at + HS_RANDOM && msg->p[0] == HS_SERVER_HELLO &&
	       !memcmp(msg->p + at, retry_random, HS_RANDOM);
}

int retry_request_send(struct hs *hs, struct wbuf *b)
{
	int err = retry_cookie_make(hs);

	transcript_restart(hs);
	return err ? err : server_hello_write(hs, EXT_HRR, retry_random, b);
}

/* The transcript up to a retry that another connection of ours has sent. */
int retry_request_replay(struct hs *hs, const uint8_t *hello_digest)
{
	uint8_t msg[512], head[4] = { HS_MESSAGE_HASH, 0, 0, hs->suite->hash->size };
	struct wbuf b = { .buf = msg, .cap = sizeof(msg) };
	size_t mark;
	int err;

	transcript_start(hs, hs->suite->hash);
	transcript_add(hs, head, sizeof(head));
	transcript_add(hs, hello_digest, hs->hash->size);
	wbuf_u8(&b, HS_SERVER_HELLO);
	mark = wbuf_open(&b, 3);
	err = server_hello_write(hs, EXT_HRR, retry_random, &b);
	wbuf_close(&b, mark, 3);
	return err ? err : transcript_add(hs, msg, b.len);
}

int retry_request_recv(struct hs *hs, struct rbuf *b)
{
	int err = server_hello_read(hs, EXT_HRR, b);

	if (err)
		return err;
	if (!ext_answered(hs, EXT_ID_KEY_SHARE) && !ext_answered(hs, EXT_ID_COOKIE))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's retry asks for no change");
	hs->retry = true;
	transcript_start(hs, hs->suite->hash);
	transcript_restart(hs);
	return 0;
}
