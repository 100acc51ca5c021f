// SPDX-License-Identifier: GPL-2.0-or-later
/* See fuzz_script.h. What is expected here is the model: RFC 9846 and 5246, ktls.h, and mainline's errnos. */
#include <errno.h>
#include <string.h>
#include <linux/tls.h>
#include "fuzz_script.h"

#define LIMIT	(1 << 14)

/* What a script is made with. */
struct maker {
	struct script	*sc;
	struct session	*s;
	uint64_t	*seed;
	bool		agent;		/* else keyed by TLS_RX */
	bool		old;		/* TLS 1.2 */
	bool		spares;
};

unsigned int dice(uint64_t *seed, unsigned int sides)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 20) % sides;
}

static size_t some_length(uint64_t *seed)
{
	static const size_t edges[] = { 0, 1, 2, 15, 16, 17, 255, 4095, 4096, 4097, LIMIT - 1, LIMIT };

	switch (dice(seed, 4)) {
	case 0:
		return edges[dice(seed, sizeof(edges) / sizeof(*edges))];
	case 1:
		return dice(seed, LIMIT + 1);
	}
	return dice(seed, 300);
}

/* ---- records */

static void put_record(struct maker *m, uint8_t type, const void *data, size_t len, size_t pad)
{
	struct script *sc = m->sc;

	sc->wire_len += wire_seal(&m->s->rx, type, data, len, pad, sc->wire + sc->wire_len);
}

/* The plaintext is what the application will get; a control record never begins like a message that we know. */
static void put_part(struct maker *m, uint8_t type, size_t len)
{
	struct script *sc = m->sc;
	uint8_t *p = sc->plain + sc->plain_len;
	size_t pad = dice(m->seed, 4) || m->old ? 0 : dice(m->seed, LIMIT - len + 1);

	fill_pattern(p, len, dice(m->seed, 1 << 20));
	if (type != WIRE_DATA)
		p[0] = 1;
	put_record(m, type, p, len, pad);
	sc->plain_len += len;
	sc->silent |= !len;
	if (len)
		sc->part[sc->parts++] = (struct part){ .type = type, .len = len, .wire = sc->wire_len };
}

/* Messages may be spread over records in any way. */
static void put_messages(struct maker *m, const char *p, size_t len)
{
	size_t n;

	for (; len; p += n, len -= n) {
		n = dice(m->seed, 2) ? len : 1 + dice(m->seed, (unsigned int)len);
		put_record(m, WIRE_MESSAGE, p, n, 0);
	}
}

/* Control records that the module takes itself. */
static void put_silent(struct maker *m)
{
	m->sc->silent = true;
	switch (dice(m->seed, 3)) {
	case 0:
		put_messages(m, "\4\0\0\2ab\4\0\0\1c", 11);
		return;
	case 1:
		put_record(m, WIRE_ALERT, "\1\132", 2, 0);	/* user_canceled */
		return;
	}
	if (!m->spares || m->old)
		return;
	m->spares = false;
	put_messages(m, "\30\0\0\1\0", 5);
	m->s->rx = session_next(&m->s->rx);
}

static void put_good(struct maker *m)
{
	unsigned int n = dice(m->seed, 9);

	while (n--) {
		if (dice(m->seed, 6))
			put_part(m, WIRE_DATA, some_length(m->seed));
		else if (m->agent)
			put_silent(m);
		else
			put_part(m, dice(m->seed, 2) ? WIRE_MESSAGE : WIRE_ALERT, 1 + dice(m->seed, 500));
	}
}

/* ---- endings: what they put, and what must be read behind the last part */

static void expect(struct maker *m, int err, uint8_t alert)
{
	m->sc->err = m->sc->then = err;
	m->sc->err_wire = m->sc->wire_len;
	m->sc->alert = m->agent ? alert : 0;
}

/* A wrong header: mainline tells it once. */
static void expect_header(struct maker *m, int mainline_err, uint8_t alert)
{
	expect(m, m->agent ? -EPROTO : mainline_err, alert);
	if (!m->agent)
		m->sc->then = -EAGAIN;
}

/* One more record, its length at least @min; returns where it begins. */
static uint8_t *put_victim(struct maker *m, size_t *ret_len)
{
	static uint8_t plain[LIMIT];
	size_t at = m->sc->wire_len;

	fill_pattern(plain, sizeof(plain), dice(m->seed, 1 << 20));
	put_record(m, WIRE_DATA, plain, some_length(m->seed), 0);
	*ret_len = m->sc->wire_len - at;
	return m->sc->wire + at;
}

static void flip_body(struct maker *m)
{
	size_t len;
	uint8_t *p = put_victim(m, &len);

	p[WIRE_HEADER + dice(m->seed, len - WIRE_HEADER)] ^= 1 << dice(m->seed, 8);
	expect(m, -EBADMSG, 20);
}

static void flip_tag(struct maker *m)
{
	size_t len;
	uint8_t *p = put_victim(m, &len);

	p[len - 1 - dice(m->seed, WIRE_TAG)] ^= 1 << dice(m->seed, 8);
	expect(m, -EBADMSG, 20);
}

/* Content type or version. In TLS 1.2 the type is told apart by the tag only. */
static void flip_header(struct maker *m)
{
	unsigned int at = dice(m->seed, 3);
	size_t len;
	uint8_t *p = put_victim(m, &len);

	p[at] ^= 1 << dice(m->seed, 8);
	if (at)
		expect_header(m, -EINVAL, 70);
	else if (m->old)
		expect(m, -EBADMSG, 20);
	else
		expect_header(m, -EMSGSIZE, 10);
	if (at || !m->old)
		m->sc->err_wire -= len - WIRE_HEADER;
}

static size_t shortest(const struct maker *m)
{
	if (!m->old)
		return WIRE_TAG + 1;
	return m->s->rx.cipher == TLS_CIPHER_CHACHA20_POLY1305 ? WIRE_TAG : 8 + WIRE_TAG;
}

static size_t longest(const struct maker *m)
{
	return LIMIT + (m->old ? 24 : 256);
}

/* Any other length than the true one. */
static void change_length(struct maker *m)
{
	size_t len, body, before = m->sc->wire_len;
	uint8_t *p = put_victim(m, &len);

	body = dice(m->seed, 2) ? dice(m->seed, 1 << 16) : (len - WIRE_HEADER) ^ 1 << dice(m->seed, 16);
	if (body == len - WIRE_HEADER)
		body++;
	p[3] = body >> 8;
	p[4] = body;
	expect(m, -EBADMSG, 20);
	m->sc->err_wire = before + WIRE_HEADER;
	if (body > longest(m))
		expect_header(m, -EMSGSIZE, 22);
	else if (body >= shortest(m) && body <= len - WIRE_HEADER)
		m->sc->err_wire = before + WIRE_HEADER + body;
	else if (body >= shortest(m))
		expect(m, -EAGAIN, 0);		/* waits for the rest */
	if (body > longest(m))
		m->sc->err_wire = before + WIRE_HEADER;
}

/* The second of two, then the first. */
static void wrong_order(struct maker *m)
{
	static uint8_t first[WIRE_RECORD];
	size_t len, len2;
	uint8_t *p = put_victim(m, &len);

	put_victim(m, &len2);
	memcpy(first, p, len);
	memmove(p, p + len, len2);
	memcpy(p + len2, first, len);
	expect(m, -EBADMSG, 20);
	m->sc->err_wire -= len;
}

static void dropped(struct maker *m)
{
	size_t len;

	put_victim(m, &len);
	m->sc->wire_len -= len;
	put_victim(m, &len);
	expect(m, -EBADMSG, 20);
}

static void replayed(struct maker *m)
{
	struct script *sc = m->sc;
	size_t at = sc->wire_len, len;

	put_part(m, WIRE_DATA, 1 + dice(m->seed, 2000));
	len = sc->wire_len - at;
	memcpy(sc->wire + sc->wire_len, sc->wire + at, len);
	sc->wire_len += len;
	expect(m, -EBADMSG, 20);
}

static void cut(struct maker *m)
{
	size_t len;

	put_victim(m, &len);
	m->sc->wire_len -= 1 + dice(m->seed, len - 1);
	m->sc->fin = true;
	expect(m, m->agent ? -ECONNRESET : 0, 0);
}

static void fin(struct maker *m)
{
	m->sc->fin = true;
	expect(m, m->agent ? -ECONNRESET : 0, 0);
}

/* What follows a close_notify is nobody's business. */
static void close_notify(struct maker *m)
{
	size_t len, end;

	if (!m->agent) {
		fin(m);
		return;
	}
	put_record(m, WIRE_ALERT, "\1\0", 2, 0);
	end = m->sc->wire_len;
	if (dice(m->seed, 2))
		put_victim(m, &len);
	m->sc->fin = dice(m->seed, 2);
	expect(m, 0, 0);
	m->sc->err_wire = end;
}

static void fatal_alert(struct maker *m)
{
	put_part(m, WIRE_DATA, 1 + dice(m->seed, 2000));
	if (!m->agent) {
		expect(m, -EAGAIN, 0);
		return;
	}
	put_record(m, WIRE_ALERT, "\2\50", 2, 0);
	expect(m, -EPROTO, 0);
}

static void only_padding(struct maker *m)
{
	static const uint8_t zero[WIRE_PLAIN];
	size_t len = 1 + dice(m->seed, 2000);

	if (m->old) {
		fin(m);
		return;
	}
	put_record(m, 0, zero, len - 1, 0);
	expect(m, -EPROTO, 10);
}

/* RFC 9846 5.4: content type and padding count. TLS 1.2 has the same limit where the header lets more through. */
static void too_long_inside(struct maker *m)
{
	static uint8_t full[WIRE_RECORD];
	bool chacha = m->s->rx.cipher == TLS_CIPHER_CHACHA20_POLY1305;

	if (m->old && !chacha) {
		put_record(m, WIRE_DATA, full, LIMIT + 1, 0);
		expect_header(m, -EMSGSIZE, 22);
		m->sc->err_wire -= LIMIT + 1 + 8 + WIRE_TAG;
		return;
	}
	if (m->old)
		put_record(m, WIRE_DATA, full, LIMIT + 1 + dice(m->seed, 8), 0);
	else
		put_record(m, WIRE_DATA, full, LIMIT - 100, 101 + dice(m->seed, 239));
	expect(m, -EPROTO, 22);
}

static void unknown_type(struct maker *m)
{
	static const uint8_t types[] = { 1, 19, 24, 99, 255 };
	uint8_t type = types[dice(m->seed, sizeof(types))];

	if (!m->agent) {
		put_part(m, type, 1 + dice(m->seed, 100));
		expect(m, -EAGAIN, 0);
		return;
	}
	put_record(m, type, "what?", 5, 0);
	expect(m, -EPROTO, 10);
}

static void nothing(struct maker *m)
{
	expect(m, -EAGAIN, 0);
}

static const struct ending {
	const char	*what;
	void		(*put)(struct maker *m);
} endings[] = {
	{ "good records",		nothing },
	{ "a bit changed",		flip_body },
	{ "a bit of the tag changed",	flip_tag },
	{ "type or version changed",	flip_header },
	{ "length changed",		change_length },
	{ "wrong order",		wrong_order },
	{ "a record left out",		dropped },
	{ "a record replayed",		replayed },
	{ "cut in a record",		cut },
	{ "end without close_notify",	fin },
	{ "close_notify",		close_notify },
	{ "fatal alert",		fatal_alert },
	{ "nothing but padding",	only_padding },
	{ "too long inside",		too_long_inside },
	{ "unknown content type",	unknown_type },
};

/* Bytes behind a deadly record change nothing. */
static void put_junk(struct maker *m)
{
	struct script *sc = m->sc;
	size_t len = dice(m->seed, 2) ? dice(m->seed, 200) : 0;

	if (sc->err == -EAGAIN || sc->fin || !sc->err)
		return;
	fill_pattern(sc->wire + sc->wire_len, len, dice(m->seed, 1 << 20));
	sc->wire_len += len;
}

void script_make(struct script *sc, struct session *s, bool spares, uint64_t *seed)
{
	struct maker m = {
		.sc = sc, .s = s, .seed = seed, .spares = spares,
		.agent = s->agent.fd >= 0, .old = s->rx.version == 0x0303,
	};
	const struct ending *e = &endings[dice(seed, sizeof(endings) / sizeof(*endings))];

	sc->what = e->what;
	sc->wire_len = sc->plain_len = 0;
	sc->parts = 0;
	sc->fin = sc->silent = false;
	put_good(&m);
	e->put(&m);
	put_junk(&m);
}
