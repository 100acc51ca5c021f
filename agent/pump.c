/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record each way at a time: what was sealed goes out before more
 * plaintext is read, what was opened is taken before the next record. So a
 * slow reader slows the writer, as with a socket. KeyUpdates are followed
 * and answered; tickets are dropped, as nobody is there to keep them.
 */
#include "pump.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "handshake/alert.h"
#include "handshake/engine.h"

#define HEADER		5
#define PLAIN		16384
#define BODY		(PLAIN + 256)
#define ROUNDS		8	/* per step */

enum { ALERT = 21, MESSAGE = 22, DATA = 23 };

struct half { struct hs_traffic t; uint8_t buf[HEADER + BODY]; size_t at, len; };

struct pump {
	int tcp, pair;
	const struct crypto_aead *aead;
	const struct crypto_hash *hash;
	struct half out, in;		/* sealed, for TCP; plaintext, for the program */
	uint8_t record[HEADER + BODY];	/* of the peer, as far as it has come */
	size_t have;
	bool update_owed;
	bool out_end, in_end;		/* close_notify went; it came, and the program was told */
};

struct pump *pump_new(int tcp, int pair, const struct crypto_aead *aead, const struct crypto_hash *hash,
		      const struct hs_traffic *tx, const struct hs_traffic *rx)
{
	struct pump *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->tcp = tcp;
	p->pair = pair;
	p->aead = aead;
	p->hash = hash;
	p->out.t = *tx;
	p->in.t = *rx;
	return p;
}

void pump_free(struct pump *p)
{
	close(p->tcp);
	close(p->pair);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

static void nonce_of(const struct hs_traffic *t, uint8_t nonce[12])
{
	memcpy(nonce, t->iv, 12);
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(t->seq >> (8 * i));
}

/* Seal what lies behind the header's place in out.buf, or @data. */
static void seal(struct pump *p, uint8_t type, const void *data, size_t len)
{
	uint8_t nonce[12], *to = p->out.buf;
	size_t body = len + 1 + p->aead->tag;

	if (data)
		memcpy(to + HEADER, data, len);
	to[0] = DATA;
	to[1] = to[2] = 3;
	to[3] = (uint8_t)(body >> 8);
	to[4] = (uint8_t)body;
	to[HEADER + len] = type;
	nonce_of(&p->out.t, nonce);
	p->aead->seal(p->out.t.key, nonce, to, HEADER, to + HEADER, len + 1, to + HEADER);
	p->out.t.seq++;
	p->out.at = 0;
	p->out.len = HEADER + body;
}

/* 0: all is out; -EAGAIN; -errno */
static int flush(int fd, struct half *h)
{
	ssize_t n;

	while (h->len) {
		n = send(fd, h->buf + h->at, h->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return -errno;
		h->at += n;
		h->len -= n;
	}
	return 0;
}

/* ---- from the program */

static void answer_update(struct pump *p)
{
	static const uint8_t update[] = { HS_KEY_UPDATE, 0, 0, 1, 0 };

	seal(p, MESSAGE, update, sizeof(update));
	hs_traffic_update(&p->out.t, p->hash, p->aead);
	p->update_owed = false;
}

static int send_some(struct pump *p)
{
	static const uint8_t close_notify[] = { 1, ALERT_CLOSE_NOTIFY };
	int err = flush(p->tcp, &p->out);
	ssize_t n;

	if (err || p->out_end)
		return err ? err : -EAGAIN;
	if (p->update_owed) {
		answer_update(p);
		return 0;
	}
	n = recv(p->pair, p->out.buf + HEADER, PLAIN, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (n) {
		seal(p, DATA, NULL, n);
		return flush(p->tcp, &p->out);
	}
	seal(p, ALERT, close_notify, sizeof(close_notify));
	p->out_end = true;
	return flush(p->tcp, &p->out);
}

/* ---- from the peer */

static int messages(struct pump *p, const uint8_t *m, size_t len)
{
	size_t n;

	for (; len >= 4; m += n, len -= n) {
		n = 4 + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
		if (n > len)
			return -EPROTO;
		if (m[0] == HS_NEW_SESSION_TICKET)
			continue;
		if (m[0] != HS_KEY_UPDATE || n != 5 || m[4] > 1 || len != n)
			return -EPROTO;
		hs_traffic_update(&p->in.t, p->hash, p->aead);
		p->update_owed |= m[4];
	}
	return len ? -EPROTO : 0;
}

static int opened(struct pump *p, uint8_t type, size_t len)
{
	if (type == DATA) {
		p->in.at = 0;
		p->in.len = len;
		return 0;
	}
	if (type == MESSAGE)
		return len ? messages(p, p->in.buf, len) : -EPROTO;
	if (type != ALERT || len != 2)
		return -EPROTO;
	if (p->in.buf[1] == ALERT_USER_CANCELED)
		return 0;
	p->in_end = p->in.buf[1] == ALERT_CLOSE_NOTIFY;
	return p->in_end && !shutdown(p->pair, SHUT_WR) ? 0 : -EPROTO;
}

static int open_record(struct pump *p)
{
	size_t len = p->have - HEADER;
	uint8_t nonce[12];

	p->have = 0;
	if (p->record[0] != DATA || len <= p->aead->tag)
		return -EPROTO;
	nonce_of(&p->in.t, nonce);
	if (p->aead->open(p->in.t.key, nonce, p->record, HEADER, p->record + HEADER, len, p->in.buf))
		return -EBADMSG;
	p->in.t.seq++;
	len -= p->aead->tag;
	while (len && !p->in.buf[len - 1])
		len--;
	if (!len || len > PLAIN + 1)
		return -EPROTO;
	return opened(p, p->in.buf[len - 1], len - 1);
}

static int receive_some(struct pump *p)
{
	int err = flush(p->pair, &p->in);
	size_t want = HEADER;
	ssize_t n;

	if (err || p->in_end)
		return err ? err : -EAGAIN;
	if (p->have >= HEADER)
		want += (size_t)(p->record[3] << 8 | p->record[4]);
	if (want > sizeof(p->record))
		return -EPROTO;
	n = recv(p->tcp, p->record + p->have, want - p->have, MSG_DONTWAIT);
	if (n <= 0)
		return n ? -errno : -ECONNRESET;	/* cut off */
	p->have += n;
	if (p->have < HEADER || p->have < HEADER + (size_t)(p->record[3] << 8 | p->record[4]))
		return 0;
	return open_record(p);
}

/* ---- both */

static void say_why(struct pump *p, int err)
{
	uint8_t alert[2] = { 2, err == -EBADMSG ? ALERT_BAD_RECORD_MAC : ALERT_UNEXPECTED_MESSAGE };

	if ((err != -EBADMSG && err != -EPROTO) || p->out.len)
		return;
	seal(p, ALERT, alert, sizeof(alert));
	flush(p->tcp, &p->out);
}

bool pump_step(struct pump *p, uint32_t *tcp, uint32_t *pair)
{
	int i, sent = 0, received = 0;

	for (i = 0; i < ROUNDS && !(sent && received); i++) {
		if (!sent)
			sent = send_some(p);
		if (!received)
			received = receive_some(p);
		if (p->update_owed && sent == -EAGAIN && !p->out.len)
			sent = 0;
	}
	if ((sent && sent != -EAGAIN) || (received && received != -EAGAIN)) {
		say_why(p, received);
		return false;
	}
	if (p->out_end && p->in_end && !p->out.len && !p->in.len)
		return false;
	*tcp = (p->out.len ? EPOLLOUT : 0) | (p->in.len || p->in_end ? 0 : EPOLLIN);
	*pair = (p->in.len ? EPOLLOUT : 0) | (p->out.len || p->out_end ? 0 : EPOLLIN);
	return true;
}
