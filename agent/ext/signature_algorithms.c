// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * signature_algorithms and signature_algorithms_cert, RFC 9846 4.2.3. We offer
 * one list for both uses: everything that is on, the schemes for
 * certificates only at the end, where their place in the table is.
 */
#include "ext/ext.h"

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t list = wbuf_open(b, 2);

	(void)msg;
	if (hs->params->grease)
		wbuf_u16(b, grease16(hs, GREASE_SCHEME));
	for (size_t i = 0; hs->params->schemes && i < hs->params->schemes_num; i++)
		wbuf_u16(b, hs->params->schemes[i]);
	for (size_t i = 0; !hs->params->schemes && i < crypto_schemes_num; i++)
		if (scheme_allowed(hs, crypto_schemes[i].id))
			wbuf_u16(b, crypto_schemes[i].id);
	wbuf_close(b, list, 2);
	return 0;
}

static int read_list(struct hs *hs, struct rbuf *b, struct rbuf *list)
{
	if (!rbuf_vec16(b, list) || !rbuf_len(list) || rbuf_len(list) % 2)
		return hs_fail(hs, ALERT_DECODE_ERROR, "the list of signature algorithms is malformed");
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	uint16_t id;
	int err = read_list(hs, b, &list);

	(void)msg;
	hs->schemes_num = 0;
	while (!err && rbuf_u16(&list, &id))
		take_scheme(hs, id);
	return err;
}

/* What may stand in a chain decides between identities, and no more: 4.4.2.2 has us send one in any case. */
static int accept_cert(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	uint16_t id;
	int err = read_list(hs, b, &list);

	(void)msg;
	hs->cert_schemes_num = 0;
	while (!err && rbuf_u16(&list, &id) && hs->cert_schemes_num < HS_MAX_SCHEMES)
		if (crypto_scheme_find(id))
			hs->cert_schemes[hs->cert_schemes_num++] = id;
	return err;
}

const struct ext ext_signature_algorithms = {
	.name = "signature_algorithms", .id = EXT_ID_SIGNATURE_ALGORITHMS, .in = EXT_CH | EXT_CR,
	.offer = offer, .accept = accept,
};

const struct ext ext_signature_algorithms_cert = {
	.name = "signature_algorithms_cert", .id = EXT_ID_SIGNATURE_ALGORITHMS_CERT,
	.in = EXT_CH | EXT_CR, .accept = accept_cert,
};
