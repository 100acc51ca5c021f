// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * signed_certificate_timestamp, RFC 6962 3.3.1 and RFC 8446 4.4.2: proof that
 * logs have seen a certificate, given with it; in TLS 1.2 in the ServerHello.
 * Asked for only by one who knows logs. Ours comes as it is from a file.
 */
#include "ext/ext.h"

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	const struct identity *id = hs->result.identity;

	if (msg == EXT_CT || msg == EXT_SH12)
		return id && id->sct_len && !hs->result.resumed && hs->scts_wanted;
	return hs->params->ct_logs_num && !hs->params->insecure;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	(void)b;
	hs->scts_wanted = true;
	return 0;
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_bytes(b, hs->result.identity->sct, hs->result.identity->sct_len);
	return 0;
}

/* Of the end entity's certificate; what there is about issuers proves nothing of it. */
static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	const uint8_t *list = b->p;
	size_t len = rbuf_len(b);

	if (!sct_list_well_formed(list, len))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the list of certificate timestamps is malformed");
	b->p = b->end;
	if (msg == EXT_CT && hs->result.peer_num != 1)
		return 0;
	return gbuf_add(&hs->scts, list, len) ? 0 : hs_no_memory(hs);
}

const struct ext ext_signed_certificate_timestamp = {
	.name = "signed_certificate_timestamp", .id = EXT_ID_SIGNED_CERTIFICATE_TIMESTAMP,
	.in = EXT_CH | EXT_CR | EXT_CT | EXT_SH12,
	.wanted = wanted, .offer = ext_write_nothing, .accept = accept, .answer = answer, .confirm = confirm,
};
