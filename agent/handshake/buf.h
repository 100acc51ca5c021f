/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cursor and builder of wire bytes. A reader never overruns: each call says
 * whether it could. A writer never fails: it remembers overflow, and the
 * engine asks once.
 */
#ifndef BUF_H
#define BUF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rbuf { const uint8_t *p, *end; };	/* what is left to read */
struct wbuf { uint8_t *buf; size_t len, cap; bool overflow; };

size_t rbuf_len(const struct rbuf *b);
bool rbuf_u8(struct rbuf *b, uint8_t *v);
bool rbuf_u16(struct rbuf *b, uint16_t *v);
bool rbuf_u24(struct rbuf *b, uint32_t *v);
bool rbuf_u32(struct rbuf *b, uint32_t *v);
bool rbuf_u64(struct rbuf *b, uint64_t *v);
bool rbuf_bytes(struct rbuf *b, const uint8_t **p, size_t len);
bool rbuf_copy(struct rbuf *b, void *to, size_t len);
bool rbuf_vec8(struct rbuf *b, struct rbuf *v);		/* a vector with an 8-bit length */
bool rbuf_vec16(struct rbuf *b, struct rbuf *v);
bool rbuf_vec24(struct rbuf *b, struct rbuf *v);

void wbuf_u8(struct wbuf *b, uint8_t v);
void wbuf_u16(struct wbuf *b, uint16_t v);
void wbuf_u24(struct wbuf *b, uint32_t v);
void wbuf_u32(struct wbuf *b, uint32_t v);
void wbuf_u64(struct wbuf *b, uint64_t v);
void wbuf_bytes(struct wbuf *b, const void *p, size_t len);
/* Open a length of 1 to 3 bytes; give the returned mark to wbuf_close. */
size_t wbuf_open(struct wbuf *b, int bytes);
void wbuf_close(struct wbuf *b, size_t mark, int bytes);

/* Bytes that wait: grows at the back, is dropped from the front, wipes what it leaves behind. */
struct gbuf { uint8_t *p; size_t len, cap; };

uint8_t *gbuf_room(struct gbuf *b, size_t len);		/* for @len more; the caller adds to b->len. NULL: no memory */
bool gbuf_add(struct gbuf *b, const void *p, size_t len);	/* false: no memory, nothing was added */
struct rbuf gbuf_rbuf(const struct gbuf *b);		/* valid until the next change */
void gbuf_drop(struct gbuf *b, size_t len);
void gbuf_free(struct gbuf *b);

#endif
