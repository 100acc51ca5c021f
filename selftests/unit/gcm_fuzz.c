// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: the input chooses key size, AAD, cuts and content; each width must
 * agree with OpenSSL and open what it sealed. Every segment is its own
 * allocation, so that ASan sees the first byte too many.
 */
#include <stdint.h>
#include "gcm_ref.h"

#define MAX_SEGS 8

struct input {
	const u8 *p;
	size_t len;
};

static u8 next(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->p++;
}

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct width *w, const struct gcm_key *key, struct gcm_op *op,
		  const u8 *cipher, const u8 *tag, bool in_place)
{
	struct gcm_seg seg[MAX_SEGS];
	size_t at = 0;
	u8 mac[16];

	for (size_t i = 0; i < op->segs; at += seg[i++].len) {
		seg[i] = op->seg[i];
		seg[i].out = malloc(seg[i].len);
		if (in_place && seg[i].len) {
			memcpy(seg[i].out, seg[i].in, seg[i].len);
			seg[i].in = seg[i].out;
		}
	}
	op->seg = seg;
	w->seal(key, op, mac);
	need(!memcmp(mac, tag, 16));
	at = 0;
	for (size_t i = 0; i < op->segs; at += seg[i++].len) {
		need(!seg[i].len || !memcmp(seg[i].out, cipher + at, seg[i].len));
		seg[i].in = seg[i].out;
	}
	need(w->open(key, op, tag, 16) == 0);
	mac[15] ^= 0x80;
	need(w->open(key, op, mac, 16) == -EBADMSG);
	for (size_t i = 0; i < op->segs; i++)
		free(seg[i].out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t key_len = 16 + 8 * (next(&in) % 3), aad_len = next(&in) % 65, n = 0, len = 0;
	u8 flags = next(&in);
	bool in_place = flags & 1;
	u8 raw[32], iv[12], aad[64], tag[16], *plain, *cipher;
	struct gcm_seg seg[MAX_SEGS];
	struct gcm_op op = { iv, aad, aad_len, seg, 0, flags & 2 };
	size_t want[MAX_SEGS];
	struct gcm_key key;

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = next(&in);
	for (size_t i = 0; i < sizeof(iv); i++)
		iv[i] = next(&in);
	for (size_t i = 0; i < aad_len; i++)
		aad[i] = next(&in);
	op.segs = next(&in) % (MAX_SEGS + 1);
	for (size_t i = 0; i < op.segs; i++)
		want[i] = (size_t)(next(&in) << 8 | next(&in)) % 4200;
	plain = malloc(MAX_SEGS * 4200);
	cipher = malloc(MAX_SEGS * 4200);
	for (; n < op.segs; n++) {
		u8 *copy = malloc(want[n]);

		for (size_t i = 0; i < want[n]; i++)
			plain[len + i] = copy[i] = in.len ? next(&in) : (u8)(i * 151 + n);
		len += want[n];
		seg[n] = (struct gcm_seg){ copy, NULL, want[n], false };
	}
	need(reference_seal(raw, key_len, iv, aad, aad_len, plain, len, cipher, tag));
	gcm_key_init(&key, raw, key_len);
	for (size_t i = 0; i < widths_usable(); i++) {
		op.seg = seg;
		check(&widths[i], &key, &op, cipher, tag, in_place);
	}
	for (size_t i = 0; i < n; i++)
		free((void *)seg[i].in);
	free(plain);
	free(cipher);
	return 0;
}
