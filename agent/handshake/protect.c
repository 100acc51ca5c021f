// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See protect.h. Of TLS 1.2's nonce the record carries what the key block
 * doesn't give; ours is the sequence number; of CBC, an IV that nobody can foresee.
 */
#include "handshake/protect.h"
#include <string.h>
#include "handshake/alert.h"
#include "handshake/version.h"
#include "rng/rng.h"

void record_nonce(const struct hs_traffic *t, uint8_t nonce[12])
{
	memcpy(nonce, t->iv, 12);
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(t->seq >> (8 * i));
}

static void put_header(uint8_t *to, uint8_t type, size_t body)
{
	to[0] = type;
	to[1] = to[2] = 3;
	to[3] = (uint8_t)(body >> 8);
	to[4] = (uint8_t)body;
}

static void put_seq(uint8_t *to, uint64_t seq)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(seq >> (56 - 8 * i));
}

static size_t carried(const struct crypto_aead *aead)
{
	return aead->nonce - aead->fixed;
}

/* @len: the plaintext's; of CBC, what is encrypted and its IV, RFC 7366 3. */
static void aad12(uint64_t seq, const uint8_t *header, size_t len, uint8_t aad[13])
{
	put_seq(aad, seq);
	memcpy(aad + 8, header, 3);
	aad[11] = (uint8_t)(len >> 8);
	aad[12] = (uint8_t)len;
}

static void nonce12(const struct crypto_aead *aead, const struct hs_traffic *t, uint8_t nonce[16])
{
	if (aead->mac) {
		rng_fill(RNG_RANDOM, nonce, 16);
		return;
	}
	record_nonce(t, nonce);
	if (carried(aead))
		put_seq(nonce + aead->fixed, t->seq);
}

/* ---- out */

static size_t protect12(struct hs_traffic *t, const struct crypto_aead *aead, uint8_t type,
			const uint8_t *p, size_t len, uint8_t *to)
{
	size_t front = carried(aead), sealed = crypto_padded(aead, len), body = front + sealed + aead->tag;
	uint8_t nonce[16], aad[13];

	memmove(to + RECORD_HEADER + front, p, len);
	put_header(to, type, body);
	aad12(t->seq, to, aead->mac ? front + sealed : len, aad);
	nonce12(aead, t, nonce);
	memcpy(to + RECORD_HEADER, nonce + aead->fixed, front);
	p = to + RECORD_HEADER + front;
	aead->seal(t->key, nonce, aad, sizeof(aad), p, len, to + RECORD_HEADER + front);
	return RECORD_HEADER + body;
}

static size_t protect13(struct hs_traffic *t, const struct crypto_aead *aead, uint8_t type,
			const uint8_t *p, size_t len, size_t zeros, uint8_t *to)
{
	size_t body = len + 1 + zeros + aead->tag;
	uint8_t nonce[12], *plain = to + RECORD_HEADER;

	memmove(plain, p, len);
	plain[len] = type;
	memset(plain + len + 1, 0, zeros);
	put_header(to, RECORD_DATA, body);
	record_nonce(t, nonce);
	aead->seal(t->key, nonce, to, RECORD_HEADER, plain, len + 1 + zeros, plain);
	return RECORD_HEADER + body;
}

size_t record_protect(struct hs_traffic *t, const struct crypto_aead *aead, uint16_t version,
		      uint8_t type, const uint8_t *p, size_t len, size_t zeros, uint8_t *to)
{
	size_t n = version == TLS12 ? protect12(t, aead, type, p, len, to) :
				      protect13(t, aead, type, p, len, zeros, to);

	t->seq++;
	return n;
}

/* RFC 8446 5.4 */
size_t record_zeros(size_t len, size_t pad, size_t limit)
{
	size_t zeros = pad ? pad - 1 - len % pad : 0;

	return len >= limit ? 0 : zeros < limit - len ? zeros : limit - len;
}

/* ---- in */

static int unprotect12(struct hs_traffic *t, const struct crypto_aead *aead, const uint8_t *record,
		       size_t len, uint8_t *plain, uint8_t *ret_type, size_t *ret_len)
{
	size_t front = carried(aead), extra = front + aead->tag, n = len - extra;
	const uint8_t *p = record + RECORD_HEADER;
	uint8_t nonce[16], aad[13];

	if (len < extra)
		return ALERT_BAD_RECORD_MAC;
	record_nonce(t, nonce);
	memcpy(nonce + aead->fixed, p, front);
	aad12(t->seq, record, aead->mac ? front + n : n, aad);
	if (aead->open(t->key, nonce, aad, sizeof(aad), p + front, len - front, plain) || crypto_unpad(aead, plain, &n))
		return ALERT_BAD_RECORD_MAC;
	*ret_type = record[0];
	*ret_len = n;
	return n > RECORD_PLAINTEXT ? ALERT_RECORD_OVERFLOW : 0;
}

/* RFC 9846 5.4: content and padding together are not longer than content may be. */
static int unprotect13(struct hs_traffic *t, const struct crypto_aead *aead, const uint8_t *record,
		       size_t len, uint8_t *plain, uint8_t *ret_type, size_t *ret_len)
{
	uint8_t nonce[12];
	size_t n;

	if (len <= aead->tag)
		return ALERT_BAD_RECORD_MAC;
	record_nonce(t, nonce);
	if (aead->open(t->key, nonce, record, RECORD_HEADER, record + RECORD_HEADER, len, plain))
		return ALERT_BAD_RECORD_MAC;
	n = len - aead->tag;
	if (n > RECORD_PLAINTEXT + 1)
		return ALERT_RECORD_OVERFLOW;
	while (n && !plain[n - 1])
		n--;
	if (!n)
		return ALERT_UNEXPECTED_MESSAGE;
	*ret_type = plain[n - 1];
	*ret_len = n - 1;
	return 0;
}

int record_unprotect(struct hs_traffic *t, const struct crypto_aead *aead, uint16_t version,
		     const uint8_t *record, size_t len, uint8_t *plain, uint8_t *ret_type, size_t *ret_len)
{
	int err = (version == TLS12 ? unprotect12 : unprotect13)(t, aead, record, len, plain, ret_type, ret_len);

	t->seq += !err;
	return err;
}
