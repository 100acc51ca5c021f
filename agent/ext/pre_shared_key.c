// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pre_shared_key and psk_key_exchange_modes, RFC 9846 4.2.9 and 4.2.11, and
 * early_data, RFC 8446 4.2.10: what a server does not take of it is skipped.
 * Which key is taken, and what a binder is, is in handshake/psk.c; what comes
 * of early data in handshake/early.c.
 */
#include "ext/ext.h"

#define SKIPPED 16384	/* bytes of data that nobody was told we would take */

static int malformed(struct hs *hs)
{
	return hs_fail(hs, ALERT_DECODE_ERROR, "the pre-shared keys are malformed");
}

/* ---- psk_key_exchange_modes */

static bool modes_wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH && (hs->params->tickets || hs->psks_num);
}

static int offer_modes(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	wbuf_u8(b, 1);
	wbuf_u8(b, PSK_DHE_KE);
	return 0;
}

static int read_modes(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf modes;
	uint8_t mode;

	(void)msg;
	if (!rbuf_vec8(b, &modes) || !rbuf_len(&modes))
		return malformed(hs);
	hs->psk_modes = 0;
	while (rbuf_u8(&modes, &mode))
		if (mode < 8)
			hs->psk_modes |= (uint8_t)(1u << mode);
	return 0;
}

/* ---- early_data */

static int accept_early_data(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	(void)b;
	if (!ext_received(hs, EXT_ID_PRE_SHARED_KEY))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "early data without a pre-shared key");
	hs->early_left = SKIPPED + hs->params->max_early;
	return 0;
}

static bool early_wanted(const struct hs *hs, enum ext_in msg)
{
	if (msg == EXT_CH)
		return hs->early == HS_EARLY_ASKED;
	return hs->early == HS_EARLY_ACCEPTED;
}

static int confirm_early_data(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	(void)b;
	return early_confirm(hs);
}

/* ---- pre_shared_key */

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH ? hs->psks_num : hs->has_psk;
}

/* Binders of zeros: the message has to be whole before they can be made. */
static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	static const uint8_t zeros[CRYPTO_MAX_DIGEST];
	size_t list = wbuf_open(b, 2), one;

	(void)msg;
	for (size_t i = 0; i < hs->psks_num; i++) {
		one = wbuf_open(b, 2);
		wbuf_bytes(b, hs->psks[i].identity.p, hs->psks[i].identity.len);
		wbuf_close(b, one, 2);
		wbuf_u32(b, hs->psks[i].age);
	}
	wbuf_close(b, list, 2);
	list = wbuf_open(b, 2);
	for (size_t i = 0; i < hs->psks_num; i++) {
		wbuf_u8(b, hs->psks[i].hash->size);
		wbuf_bytes(b, zeros, hs->psks[i].hash->size);
	}
	wbuf_close(b, list, 2);
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf identities, binders, one;
	size_t keys = 0, proofs = 0;
	uint32_t age;

	(void)msg;
	if (!ext_received(hs, EXT_ID_PSK_MODES))
		return hs_fail(hs, ALERT_MISSING_EXTENSION, "pre_shared_key without psk_key_exchange_modes");
	if (!rbuf_vec16(b, &identities) || !rbuf_vec16(b, &binders))
		return malformed(hs);
	hs->peer_psks = identities;
	hs->peer_binders = binders;
	for (; rbuf_len(&identities); keys++)
		if (!rbuf_vec16(&identities, &one) || !rbuf_len(&one) || !rbuf_u32(&identities, &age))
			return malformed(hs);
	for (; rbuf_len(&binders); proofs++)
		if (!rbuf_vec8(&binders, &one) || rbuf_len(&one) < 32)
			return malformed(hs);
	if (!keys || !proofs)
		return malformed(hs);
	if (keys != proofs)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "not as many binders as pre-shared keys");
	return 0;
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u16(b, hs->psk_index);
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint16_t index;

	(void)msg;
	if (!rbuf_u16(b, &index))
		return malformed(hs);
	if (index >= hs->psks_num)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose a pre-shared key that was not offered");
	if (hs->suite->hash != hs->psks[index].hash)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose a pre-shared key of another hash");
	psk_take(hs, index);
	return 0;
}

const struct ext ext_psk_modes = {
	.name = "psk_key_exchange_modes", .id = EXT_ID_PSK_MODES, .in = EXT_CH,
	.only = TLS13, .wanted = modes_wanted, .offer = offer_modes, .accept = read_modes,
};

const struct ext ext_early_data = {
	.name = "early_data", .id = EXT_ID_EARLY_DATA, .in = EXT_CH | EXT_EE | EXT_NST, .only = TLS13,
	.wanted = early_wanted, .offer = ext_write_nothing, .accept = accept_early_data,
	.answer = ext_write_nothing, .confirm = confirm_early_data,
};

const struct ext ext_pre_shared_key = {
	.name = "pre_shared_key", .id = EXT_ID_PRE_SHARED_KEY, .in = EXT_CH | EXT_SH,
	.only = TLS13, .wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
