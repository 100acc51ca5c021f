// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CompressedCertificate, RFC 8879: stands where a Certificate would, and enters
 * the transcript as it is on the wire. What a peer sends is inflated into as many
 * bytes as it says and we allow, never more, and has to fill them.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "ext/ext.h"
#include "handshake/engine.h"

#define ZLIB		1
#define INFLATED_MAX	65536

/* ---- sending */

static bool write_compressed(struct wbuf *b, size_t start, const uint8_t *plain, size_t len)
{
	uLongf room = compressBound(len);
	uint8_t *small = malloc(room);
	bool ok = small && compress(small, &room, plain, len) == Z_OK && room + 8 < len;
	size_t mark;

	if (ok) {
		b->buf[0] = HS_COMPRESSED_CERTIFICATE;
		b->len = start;
		wbuf_u16(b, ZLIB);
		wbuf_u24(b, (uint32_t)len);
		mark = wbuf_open(b, 3);
		wbuf_bytes(b, small, room);
		wbuf_close(b, mark, 3);
	}
	free(small);
	return ok;
}

int certificate_send(struct hs *hs, struct wbuf *b)
{
	size_t start = b->len, len;
	int err = certificate_write(hs, b);
	uint8_t *plain;

	if (err || b->overflow || !hs->peer_inflates || !hs->params->compress)
		return err;
	len = b->len - start;
	plain = malloc(len);
	if (!plain)
		return hs_no_memory(hs);
	memcpy(plain, b->buf + start, len);
	write_compressed(b, start, plain, len);	/* if not, it goes out as it is */
	free(plain);
	return 0;
}

/* ---- receiving */

static int inflate_to(struct hs *hs, const struct rbuf *small, uint8_t *plain, size_t len)
{
	z_stream z = {
		.next_in = (Bytef *)small->p, .avail_in = (uInt)rbuf_len(small), .next_out = plain, .avail_out = (uInt)len,
	};
	bool whole;

	if (inflateInit(&z) != Z_OK)
		return hs_no_memory(hs);
	whole = inflate(&z, Z_FINISH) == Z_STREAM_END && !z.avail_in && !z.avail_out;
	inflateEnd(&z);
	if (!whole)
		return hs_fail(hs, ALERT_BAD_CERTIFICATE, "the peer's compressed Certificate is not what it says");
	return 0;
}

static int read_compressed(struct hs *hs, struct rbuf *b)
{
	struct rbuf small, body;
	uint8_t *plain;
	uint16_t id;
	uint32_t len;
	int err;

	if (!rbuf_u16(b, &id) || !rbuf_u24(b, &len) || !rbuf_vec24(b, &small) || !rbuf_len(&small))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the compressed Certificate is malformed");
	if (id != ZLIB)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer compressed with algorithm %u, not offered", id);
	if (!len || len > INFLATED_MAX)
		return hs_fail(hs, ALERT_BAD_CERTIFICATE, "the peer's Certificate would have %u bytes", len);
	plain = malloc(len);
	if (!plain)
		return hs_no_memory(hs);
	err = inflate_to(hs, &small, plain, len);
	body = (struct rbuf){ plain, plain + len };
	if (!err)
		err = certificate_read(hs, &body);
	if (!err && rbuf_len(&body))
		err = hs_fail(hs, ALERT_DECODE_ERROR, "the compressed Certificate is longer than what it holds");
	free(plain);
	return err;
}

int certificate_recv(struct hs *hs, struct rbuf *b)
{
	return b->p[-4] == HS_COMPRESSED_CERTIFICATE ? read_compressed(hs, b) : certificate_read(hs, b);
}
