// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of TLS 1.2 for user_conn.c, and what may come in them beside data. */
#include <stdio.h>
#include <string.h>
#include "handshake/alert.h"
#include "user.h"

#define HELLO_REQUEST	0
#define CLIENT_HELLO	1

/* The nonce, and the additional data for @len bytes in the record that begins at @r. */
static void prepare(const struct hs_traffic *t, const struct crypto_aead *aead, const uint8_t *r, size_t len,
		    uint8_t nonce[12], uint8_t aad[13])
{
	memcpy(nonce, t->iv, 12);
	for (int i = 0; i < 8; i++) {
		aad[i] = (uint8_t)(t->seq >> (56 - 8 * i));
		if (aead->fixed == 12)
			nonce[4 + i] ^= aad[i];
	}
	if (aead->fixed == 4)
		memcpy(nonce + 4, r + 5, 8);
	memcpy(aad + 8, r, 3);
	aad[11] = (uint8_t)(len >> 8);
	aad[12] = (uint8_t)len;
}

size_t seal12(struct peer *p, uint8_t type, const void *data, size_t len)
{
	size_t front = 12u - p->aead->fixed, body = front + len + p->aead->tag;
	uint8_t *r = p->record, nonce[12], aad[13];

	memmove(r + 5 + front, data, len);
	r[0] = type;
	r[1] = r[2] = 3;
	r[3] = (uint8_t)(body >> 8);
	r[4] = (uint8_t)body;
	for (size_t i = 0; i < front; i++)
		r[5 + i] = (uint8_t)(p->tx.seq >> (56 - 8 * i));
	prepare(&p->tx, p->aead, r, len, nonce, aad);
	p->aead->seal(p->tx.key, nonce, aad, sizeof(aad), r + 5 + front, len, r + 5 + front);
	p->tx.seq++;
	return 5 + body;
}

ssize_t open12(struct peer *p, size_t len)
{
	size_t front = 12u - p->aead->fixed, plain = len - front - p->aead->tag;
	uint8_t *r = p->record, nonce[12], aad[13];

	if (len < front + p->aead->tag)
		return -1;
	prepare(&p->rx, p->aead, r, plain, nonce, aad);
	if (p->aead->open(p->rx.key, nonce, aad, sizeof(aad), r + 5 + front, len - front, p->plain))
		return -1;
	p->rx.seq++;
	return (ssize_t)plain;
}

/* As the agent does with an open session: asked for another handshake, a client goes on and a server says no. */
bool renegotiation_refused(struct peer *p, size_t len)
{
	const uint8_t alert[] = { 1, ALERT_NO_RENEGOTIATION };

	if (!len || p->plain[0] != (p->o->server ? CLIENT_HELLO : HELLO_REQUEST))
		return false;
	printf("peer wants another handshake\n");
	fflush(stdout);
	return !p->o->server || send_record(p, ALERT, alert, sizeof(alert));
}
