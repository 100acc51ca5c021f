// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers, writers and growing buffers of wire bytes, in network byte order.
 * A reader that could not read has not moved. A writer that ran out of room
 * writes nothing more.
 */
#include "handshake/buf.h"
#include <stdlib.h>
#include <string.h>

size_t rbuf_len(const struct rbuf *b)
{
	return (size_t)(b->end - b->p);
}

static bool rbuf_uint(struct rbuf *b, int bytes, uint32_t *v)
{
	uint32_t n = 0;

	if (rbuf_len(b) < (size_t)bytes)
		return false;
	while (bytes--)
		n = n << 8 | *b->p++;
	*v = n;
	return true;
}

bool rbuf_u8(struct rbuf *b, uint8_t *v)
{
	uint32_t n;

	if (!rbuf_uint(b, 1, &n))
		return false;
	*v = (uint8_t)n;
	return true;
}

bool rbuf_u16(struct rbuf *b, uint16_t *v)
{
	uint32_t n;

	if (!rbuf_uint(b, 2, &n))
		return false;
	*v = (uint16_t)n;
	return true;
}

bool rbuf_u24(struct rbuf *b, uint32_t *v)
{
	return rbuf_uint(b, 3, v);
}

bool rbuf_u32(struct rbuf *b, uint32_t *v)
{
	return rbuf_uint(b, 4, v);
}

bool rbuf_u64(struct rbuf *b, uint64_t *v)
{
	uint32_t high, low;

	if (rbuf_len(b) < 8 || !rbuf_u32(b, &high) || !rbuf_u32(b, &low))
		return false;
	*v = (uint64_t)high << 32 | low;
	return true;
}

bool rbuf_bytes(struct rbuf *b, const uint8_t **p, size_t len)
{
	if (rbuf_len(b) < len)
		return false;
	*p = b->p;
	b->p += len;
	return true;
}

bool rbuf_copy(struct rbuf *b, void *to, size_t len)
{
	const uint8_t *p;

	if (!rbuf_bytes(b, &p, len))
		return false;
	if (len)
		memcpy(to, p, len);
	return true;
}

static bool rbuf_vec(struct rbuf *b, int bytes, struct rbuf *v)
{
	struct rbuf r = *b;
	uint32_t len;

	if (!rbuf_uint(&r, bytes, &len) || rbuf_len(&r) < len)
		return false;
	*v = (struct rbuf){ r.p, r.p + len };
	b->p = v->end;
	return true;
}

bool rbuf_vec8(struct rbuf *b, struct rbuf *v)
{
	return rbuf_vec(b, 1, v);
}

bool rbuf_vec16(struct rbuf *b, struct rbuf *v)
{
	return rbuf_vec(b, 2, v);
}

bool rbuf_vec24(struct rbuf *b, struct rbuf *v)
{
	return rbuf_vec(b, 3, v);
}

static uint8_t *wbuf_room(struct wbuf *b, size_t len)
{
	uint8_t *p = b->buf + b->len;

	if (b->overflow || b->cap - b->len < len) {
		b->overflow = true;
		return NULL;
	}
	b->len += len;
	return p;
}

static void put_uint(uint8_t *p, int bytes, uint32_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static void wbuf_uint(struct wbuf *b, int bytes, uint32_t v)
{
	uint8_t *p = wbuf_room(b, (size_t)bytes);

	if (p)
		put_uint(p, bytes, v);
}

void wbuf_u8(struct wbuf *b, uint8_t v)
{
	wbuf_uint(b, 1, v);
}

void wbuf_u16(struct wbuf *b, uint16_t v)
{
	wbuf_uint(b, 2, v);
}

void wbuf_u24(struct wbuf *b, uint32_t v)
{
	wbuf_uint(b, 3, v);
}

void wbuf_u32(struct wbuf *b, uint32_t v)
{
	wbuf_uint(b, 4, v);
}

void wbuf_u64(struct wbuf *b, uint64_t v)
{
	wbuf_u32(b, (uint32_t)(v >> 32));
	wbuf_u32(b, (uint32_t)v);
}

void wbuf_bytes(struct wbuf *b, const void *p, size_t len)
{
	uint8_t *to = wbuf_room(b, len);

	if (to && len)
		memcpy(to, p, len);
}

size_t wbuf_open(struct wbuf *b, int bytes)
{
	wbuf_uint(b, bytes, 0);
	return b->len;
}

void wbuf_close(struct wbuf *b, size_t mark, int bytes)
{
	size_t len = b->len - mark;

	if (len >> (8 * bytes))
		b->overflow = true;
	if (!b->overflow)
		put_uint(b->buf + mark - bytes, bytes, (uint32_t)len);
}

uint8_t *gbuf_room(struct gbuf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *p;

	if (b->cap - b->len >= len && b->p)
		return b->p + b->len;
	while (cap - b->len < len)
		cap *= 2;
	p = malloc(cap);
	if (!p)
		return NULL;
	if (b->len)
		memcpy(p, b->p, b->len);
	if (b->p)
		explicit_bzero(b->p, b->cap);
	free(b->p);
	b->p = p;
	b->cap = cap;
	return p + b->len;
}

bool gbuf_add(struct gbuf *b, const void *p, size_t len)
{
	uint8_t *to = gbuf_room(b, len);

	if (!to)
		return false;
	if (len)
		memcpy(to, p, len);
	b->len += len;
	return true;
}

struct rbuf gbuf_rbuf(const struct gbuf *b)
{
	static const uint8_t none;

	return b->len ? (struct rbuf){ b->p, b->p + b->len } : (struct rbuf){ &none, &none };
}

void gbuf_drop(struct gbuf *b, size_t len)
{
	if (!len)
		return;
	b->len -= len;
	memmove(b->p, b->p + len, b->len);
	explicit_bzero(b->p + b->len, len);
}

void gbuf_free(struct gbuf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	free(b->p);
	*b = (struct gbuf){ 0 };
}
