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
#include "handshake/version.h"

#define ROUNDS		8	/* per step */
#define BUFFER		(RECORD_HEADER + RECORD_PLAINTEXT + RECORD_OVERHEAD)

struct half { uint8_t buf[BUFFER]; size_t at, len; };

struct pump {
	int tcp, pair;
	struct after after;
	struct half out, in;		/* sealed, for TCP; plaintext, for the program */
	uint8_t plain[RECORD_PLAINTEXT];	/* of the program */
	uint8_t record[BUFFER];		/* of the peer, as far as it has come */
	size_t have, want;
	bool update_owed, refusal_owed;
	bool server;
	bool out_end, in_end;		/* close_notify went; it came, and the program was told */
};

struct pump *pump_new(int tcp, int pair, bool server, const struct after *keys)
{
	struct pump *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->tcp = tcp;
	p->pair = pair;
	p->server = server;
	p->after = *keys;
	return p;
}

void pump_free(struct pump *p)
{
	close(p->tcp);
	close(p->pair);
	after_free(&p->after);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

static void seal(struct pump *p, uint8_t type, const void *data, size_t len)
{
	p->out.at = 0;
	p->out.len = after_seal(&p->after, type, data, len, p->out.buf);
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

	seal(p, RECORD_HANDSHAKE, update, sizeof(update));
	hs_traffic_update(&p->after.tx, p->after.hash, p->after.aead);
	p->update_owed = false;
}

static void refuse_handshake(struct pump *p)
{
	static const uint8_t refusal[] = { 1, ALERT_NO_RENEGOTIATION };

	seal(p, RECORD_ALERT, refusal, sizeof(refusal));
	p->refusal_owed = false;
}

static int send_some(struct pump *p)
{
	static const uint8_t close_notify[] = { 1, ALERT_CLOSE_NOTIFY };
	int err = flush(p->tcp, &p->out);
	ssize_t n;

	if (err || p->out_end)
		return err ? err : -EAGAIN;
	if (p->update_owed || p->refusal_owed) {
		(p->update_owed ? answer_update : refuse_handshake)(p);
		return 0;
	}
	n = recv(p->pair, p->plain, after_max(&p->after), MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (n) {
		seal(p, RECORD_DATA, p->plain, n);
		return flush(p->tcp, &p->out);
	}
	seal(p, RECORD_ALERT, close_notify, sizeof(close_notify));
	p->out_end = true;
	return flush(p->tcp, &p->out);
}

/* ---- from the peer */

/* Another handshake, which TLS 1.2 may ask for: refused by a server, passed over by a client. */
static int message12(struct pump *p, const uint8_t *m)
{
	if (m[0] != (p->server ? HS_CLIENT_HELLO : HS_HELLO_REQUEST))
		return ALERT_UNEXPECTED_MESSAGE;
	p->refusal_owed = p->server;
	return 0;
}

static int message(struct pump *p, const uint8_t *m, size_t len)
{
	bool asked;
	int err;

	if (p->after.version == TLS12)
		return message12(p, m);
	if (m[0] == HS_NEW_SESSION_TICKET && !p->server)
		return 0;
	if (m[0] != HS_KEY_UPDATE)
		return ALERT_UNEXPECTED_MESSAGE;
	err = after_updated(&p->after, m, len, &asked);
	if (!err)
		p->update_owed |= asked;
	return err;
}

static int messages(struct pump *p)
{
	const uint8_t *m;
	size_t len;
	int err = 0;

	while (!err && (m = after_message(&p->after, &len)))
		err = message(p, m, len);
	return err;
}

static int alerted(struct pump *p, size_t len)
{
	if (len != 2)
		return ALERT_DECODE_ERROR;
	if (p->in.buf[1] == ALERT_USER_CANCELED || p->in.buf[1] == ALERT_NO_RENEGOTIATION)
		return 0;
	p->in_end = p->in.buf[1] == ALERT_CLOSE_NOTIFY;
	return p->in_end && !shutdown(p->pair, SHUT_WR) ? 0 : -ECONNRESET;
}

static int open_record(struct pump *p)
{
	uint8_t type;
	size_t len;
	int err;

	p->have = p->want = 0;
	err = after_open(&p->after, p->record, p->in.buf, &type, &len);
	if (err)
		return err;
	if (type == RECORD_HANDSHAKE)
		return messages(p);
	if (type == RECORD_ALERT)
		return alerted(p, len);
	p->in.at = 0;
	p->in.len = len;
	return 0;
}

static int receive_some(struct pump *p)
{
	int err = flush(p->pair, &p->in);
	ssize_t n;

	if (err || p->in_end)
		return err ? err : -EAGAIN;
	n = recv(p->tcp, p->record + p->have, RECORD_HEADER + p->want - p->have, MSG_DONTWAIT);
	if (n <= 0)
		return n ? -errno : -ECONNRESET;	/* cut off */
	p->have += n;
	if (p->have == RECORD_HEADER)
		err = after_header(&p->after, p->record, &p->want);
	if (err || p->have < RECORD_HEADER + p->want || !p->want)
		return err;
	return open_record(p);
}

/* ---- both */

static void say_why(struct pump *p, int err)
{
	const uint8_t alert[2] = { 2, (uint8_t)(err > 0 ? err : ALERT_INTERNAL_ERROR) };

	if ((err <= 0 && err != -ENOMEM) || p->out.len)
		return;
	seal(p, RECORD_ALERT, alert, sizeof(alert));
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
		if ((p->update_owed || p->refusal_owed) && sent == -EAGAIN && !p->out.len)
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
