/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A handshake message taken apart: what is in front of its extensions, and the
 * extensions, each of which a test can change, drop or add before the message
 * is put together again.
 */
#ifndef HS_MESSAGE_H
#define HS_MESSAGE_H
#include "hs_pair.h"

struct message {
	uint8_t type;
	uint8_t head[4096];
	size_t head_len;
	struct { uint16_t id; uint8_t data[2048]; size_t len; } exts[24];
	size_t num;
	bool has_exts;
};

static struct message msg;

/* Bytes of the body before the block of extensions. */
static inline size_t head_of(const uint8_t *body, uint8_t type)
{
	size_t at = 2 + 32;

	switch (type) {
	case HS_CLIENT_HELLO:
		at += 1u + body[at];
		at += 2u + (size_t)(body[at] << 8 | body[at + 1]);
		return at + 1 + body[at];
	case HS_SERVER_HELLO:
		return at + 1 + body[at] + 3;
	case HS_CERTIFICATE_REQUEST:
		return 1;
	case HS_CERTIFICATE:	/* those of the first and only entry */
		return 1 + 3 + 3 + (size_t)(body[4] << 16 | body[5] << 8 | body[6]);
	}
	return 0;
}

static inline void message_read(const uint8_t *p, size_t len)
{
	struct rbuf r, block, one;

	msg.type = p[0];
	msg.num = 0;
	msg.has_exts = msg.type != HS_CERTIFICATE_VERIFY && msg.type != HS_FINISHED &&
		       !(msg.type == HS_CERTIFICATE && len < 4 + 8);
	msg.head_len = msg.has_exts ? head_of(p + 4, msg.type) : len - 4;
	assert_true(msg.head_len <= sizeof(msg.head));
	memcpy(msg.head, p + 4, msg.head_len);
	if (!msg.has_exts)
		return;
	r = (struct rbuf){ p + 4 + msg.head_len, p + len };
	assert_true(rbuf_vec16(&r, &block));
	while (rbuf_len(&block)) {
		assert_true(msg.num < ARRAY_SIZE(msg.exts));
		assert_true(rbuf_u16(&block, &msg.exts[msg.num].id) && rbuf_vec16(&block, &one));
		msg.exts[msg.num].len = rbuf_len(&one);
		assert_true(rbuf_copy(&one, msg.exts[msg.num++].data, rbuf_len(&one)));
	}
}

static inline size_t message_write(uint8_t *to, size_t cap)
{
	struct wbuf b = { .buf = to, .cap = cap };
	size_t body, block, one;

	wbuf_u8(&b, msg.type);
	body = wbuf_open(&b, 3);
	wbuf_bytes(&b, msg.head, msg.head_len);
	if (msg.has_exts) {
		block = wbuf_open(&b, 2);
		for (size_t i = 0; i < msg.num; i++) {
			wbuf_u16(&b, msg.exts[i].id);
			one = wbuf_open(&b, 2);
			wbuf_bytes(&b, msg.exts[i].data, msg.exts[i].len);
			wbuf_close(&b, one, 2);
		}
		wbuf_close(&b, block, 2);
	}
	wbuf_close(&b, body, 3);
	/* The list of a Certificate counts the extensions of its entries. */
	if (msg.type == HS_CERTIFICATE && msg.has_exts) {
		size_t list = b.len - 4 - 4;

		to[5] = (uint8_t)(list >> 16);
		to[6] = (uint8_t)(list >> 8);
		to[7] = (uint8_t)list;
	}
	assert_false(b.overflow);
	return b.len;
}

static inline int find(uint16_t id)
{
	for (size_t i = 0; i < msg.num; i++)
		if (msg.exts[i].id == id)
			return (int)i;
	fail_msg("no extension %u to change", id);
	return 0;
}

static inline void drop(uint16_t id)
{
	int i = find(id);

	memmove(&msg.exts[i], &msg.exts[i + 1], (msg.num - 1 - (size_t)i) * sizeof(msg.exts[0]));
	msg.num--;
}

static inline void add(uint16_t id, const void *data, size_t len)
{
	msg.exts[msg.num].id = id;
	msg.exts[msg.num].len = len;
	memcpy(msg.exts[msg.num++].data, data, len);
}

static inline void set(uint16_t id, const void *data, size_t len)
{
	int i = find(id);

	msg.exts[i].len = len;
	memcpy(msg.exts[i].data, data, len);
}

#define ADD(id, bytes) add(id, bytes, sizeof(bytes) - 1)
#define SET(id, bytes) set(id, bytes, sizeof(bytes) - 1)

#endif
