// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys by hand in TLS 1.2, RFC 4279: the client names one in its
 * ClientKeyExchange, in front of its share if there is one; no certificate
 * and no signature comes in. Off until params say otherwise.
 */
#include "handshake/engine.h"
#include <string.h>

void psk12_hint_write(struct wbuf *b)
{
	wbuf_u16(b, 0);		/* whoever has a key knows its name */
}

int psk12_hint_read(struct hs *hs, struct rbuf *b)
{
	struct rbuf hint;

	if (!rbuf_vec16(b, &hint))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerKeyExchange is malformed");
	return 0;
}

void psk12_name_write(struct hs *hs, struct wbuf *b)
{
	const struct hs_psk *psk = hs->params->psk;
	size_t mark = wbuf_open(b, 2);

	wbuf_bytes(b, psk->name, strlen(psk->name));
	wbuf_close(b, mark, 2);
	hs->result.psk = psk;
}

int psk12_name_read(struct hs *hs, struct rbuf *b)
{
	struct rbuf name;

	if (!rbuf_vec16(b, &name))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ClientKeyExchange is malformed");
	hs->result.psk = hs->params->find_psk(hs->params->arg, name.p, rbuf_len(&name));
	if (!hs->result.psk)
		return hs_fail(hs, ALERT_UNKNOWN_PSK_IDENTITY, "the client names a key that we don't have");
	return 0;
}

size_t psk12_premaster(const struct hs *hs, const uint8_t *secret, size_t len, uint8_t out[PSK12_PREMASTER])
{
	static const uint8_t zeros[CRYPTO_MAX_DIGEST];
	const struct hs_psk *psk = hs->result.psk;
	struct wbuf b = { .buf = out, .cap = PSK12_PREMASTER };
	size_t mark = wbuf_open(&b, 2);

	/* Without a share there are as many zeros as the key is long, RFC 4279 2. */
	if (hs->suite->kx->share == KX_NONE)
		wbuf_bytes(&b, zeros, psk->len);
	else
		wbuf_bytes(&b, secret, len);
	wbuf_close(&b, mark, 2);
	mark = wbuf_open(&b, 2);
	wbuf_bytes(&b, psk->key, psk->len);
	wbuf_close(&b, mark, 2);
	return b.len;
}
