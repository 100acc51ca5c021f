// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * max_fragment_length, RFC 6066 4: one limit for both directions, for clients
 * that have little memory. record_size_limit is the better way to say it, and
 * goes before (RFC 8449 5).
 */
#include "ext/ext.h"

#define CODE_MIN 1	/* 512 bytes */
#define CODE_MAX 4	/* 4096 */

static uint16_t limit_of(uint8_t code)
{
	return (uint16_t)(256u << code);
}

static uint8_t code_of(const struct hs *hs)
{
	uint8_t code = CODE_MIN;

	while (code < CODE_MAX && limit_of(code) < hs->params->max_fragment)
		code++;
	return code;
}

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH ? hs->params->max_fragment : !ext_received(hs, EXT_ID_RECORD_SIZE_LIMIT);
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u8(b, code_of(hs));
	return 0;
}

static int read_code(struct hs *hs, struct rbuf *b, uint8_t *code)
{
	return rbuf_u8(b, code) ? 0 : hs_fail(hs, ALERT_DECODE_ERROR, "max_fragment_length is malformed");
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint8_t code;
	int err = read_code(hs, b, &code);

	(void)msg;
	if (err)
		return err;
	if (code < CODE_MIN || code > CODE_MAX)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "max_fragment_length %u does not exist", code);
	if (!ext_received(hs, EXT_ID_RECORD_SIZE_LIMIT))
		hs->rx_limit = hs->result.rx_limit = hs->result.tx_limit = limit_of(code);
	return 0;
}

/* What the client asked for. */
static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	uint8_t code = CODE_MIN;

	(void)msg;
	while (limit_of(code) < hs->rx_limit)
		code++;
	wbuf_u8(b, code);
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint8_t code;
	int err = read_code(hs, b, &code);

	(void)msg;
	if (err)
		return err;
	if (code != code_of(hs) || ext_answered(hs, EXT_ID_RECORD_SIZE_LIMIT))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server agrees to another max_fragment_length");
	hs->rx_limit = hs->result.rx_limit = hs->result.tx_limit = limit_of(code);
	return 0;
}

const struct ext ext_max_fragment_length = {
	.name = "max_fragment_length", .id = EXT_ID_MAX_FRAGMENT_LENGTH, .in = EXT_CH | EXT_EE | EXT_SH12,
	.wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
