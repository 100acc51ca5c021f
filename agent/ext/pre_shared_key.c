// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pre_shared_key, psk_key_exchange_modes and early_data, RFC 9846 4.2.9 to
 * 4.2.11, as a server that issued no tickets: every offered key is unknown,
 * so the handshake is a full one, and early data is skipped over.
 */
#include "ext/ext.h"

#define MAX_EARLY_DATA (16384 + 256)

static int malformed(struct hs *hs)
{
	return hs_fail(hs, ALERT_DECODE_ERROR, "the pre-shared keys are malformed");
}

static int read_modes(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf modes;

	(void)msg;
	if (!rbuf_vec8(b, &modes) || !rbuf_len(&modes))
		return malformed(hs);
	return 0;
}

static int accept_early_data(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	(void)b;
	if (!ext_received(hs, EXT_ID_PRE_SHARED_KEY))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "early data without a pre-shared key");
	hs->early_left = MAX_EARLY_DATA;
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

const struct ext ext_psk_modes = {
	.name = "psk_key_exchange_modes", .id = EXT_ID_PSK_MODES, .in = EXT_CH, .accept = read_modes,
};

const struct ext ext_early_data = {
	.name = "early_data", .id = EXT_ID_EARLY_DATA, .in = EXT_CH | EXT_EE | EXT_NST, .accept = accept_early_data,
};

const struct ext ext_pre_shared_key = {
	.name = "pre_shared_key", .id = EXT_ID_PRE_SHARED_KEY, .in = EXT_CH | EXT_SH, .accept = accept,
};
