// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encrypted_client_hello, RFC 9849, as a client without a configuration for
 * it: an offer of random bytes in the form of a real one (6.2), which keeps
 * the real ones from standing out. What a server answers has a form, and no
 * consequence. A server of ours passes it over.
 */
#include "ext/ext.h"
#include "rng/rng.h"

#define OUTER		0
#define KDF_SHA256	1
#define AEAD_AES_128	1
#define ENCAPSULATED	32	/* of DHKEM(X25519) */
#define PAYLOAD_STEP	32
#define PAYLOAD_MIN	144	/* an inner hello of 128 bytes, and a tag */
#define CONFIRMATION	8

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH && hs->params->grease;
}

static int make(struct hs *hs)
{
	uint8_t random[2 + ENCAPSULATED + PAYLOAD_MIN + 3 * PAYLOAD_STEP];
	struct wbuf b = { .cap = 1 + 2 + 2 + 1 + 2 + 2 + sizeof(random) };
	size_t payload;

	b.buf = gbuf_room(&hs->ech, b.cap);
	if (!b.buf)
		return hs_no_memory(hs);
	rng_fill(RNG_NONCE, random, sizeof(random));
	payload = PAYLOAD_MIN + random[0] % 4 * PAYLOAD_STEP;
	wbuf_u8(&b, OUTER);
	wbuf_u16(&b, KDF_SHA256);
	wbuf_u16(&b, AEAD_AES_128);
	wbuf_u8(&b, random[1]);
	wbuf_u16(&b, ENCAPSULATED);
	wbuf_bytes(&b, random + 2, ENCAPSULATED);
	wbuf_u16(&b, (uint16_t)payload);
	wbuf_bytes(&b, random + 2 + ENCAPSULATED, payload);
	hs->ech.len = b.len;
	return 0;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	int err = hs->ech.len ? 0 : make(hs);

	(void)msg;
	wbuf_bytes(b, hs->ech.p, hs->ech.len);
	return err;
}

/* Configurations to try again with, or the confirmation of a hello that there was not. */
static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf configs;
	const uint8_t *bytes;

	if (msg == EXT_HRR ? rbuf_bytes(b, &bytes, CONFIRMATION) : rbuf_vec16(b, &configs) && rbuf_len(&configs))
		return 0;
	return hs_fail(hs, ALERT_DECODE_ERROR, "encrypted_client_hello is malformed");
}

/* Known to be passed over: its form is for who has a key. */
static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)hs;
	(void)msg;
	b->p = b->end;
	return 0;
}

const struct ext ext_ech = {
	.name = "encrypted_client_hello", .id = EXT_ID_ECH, .in = EXT_CH | EXT_HRR | EXT_EE,
	.only = TLS13, .wanted = wanted, .offer = offer, .accept = accept, .confirm = confirm,
};
