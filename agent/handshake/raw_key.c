// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bare public key in place of a certificate, RFC 7250: the Certificate
 * message has one entry, a SubjectPublicKeyInfo. Verified means that this side
 * was given its digest beforehand.
 */
#include <string.h>
#include "ext/ext.h"
#include "handshake/engine.h"

void raw_key_write(const struct identity *identity, struct wbuf *b)
{
	const struct x509_blob *spki = x509_cert_spki(identity->chain[0]);
	size_t one = wbuf_open(b, 3);

	wbuf_bytes(b, spki->data, spki->len);
	wbuf_close(b, one, 3);
	wbuf_u16(b, 0);
}

static bool is_expected(const struct hs *hs, const uint8_t *digest)
{
	for (size_t i = 0; i < hs->params->raw_peers_num; i++)
		if (!memcmp(hs->params->raw_peers[i], digest, 32))
			return true;
	return false;
}

int raw_key_read(struct hs *hs, struct rbuf *list)
{
	struct rbuf spki;
	int err;

	if (!rbuf_vec24(list, &spki) || !rbuf_len(&spki))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the Certificate message is malformed");
	err = ext_read(hs, EXT_CT, list);
	if (err)
		return err;
	if (rbuf_len(list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the peer sent more than one public key");
	if (!gbuf_add(&hs->peer_key, spki.p, rbuf_len(&spki)))
		return hs_no_memory(hs);
	hs->result.who.known = true;
	crypto_hash_once(&crypto_sha256, spki.p, rbuf_len(&spki), hs->result.who.sha256);
	hs->result.peer_verified = is_expected(hs, hs->result.who.sha256);
	hs->result.who.verified = hs->result.peer_verified;
	if (!hs->result.peer_verified && !hs->params->insecure)
		return hs_fail(hs, ALERT_CERTIFICATE_UNKNOWN, "the peer's public key is none of those expected");
	return 0;
}

struct rbuf peer_spki(const struct hs *hs)
{
	const struct x509_blob *spki;

	if (hs->peer_key.len)
		return gbuf_rbuf(&hs->peer_key);
	if (hs->peer_delegate.len)
		return gbuf_rbuf(&hs->peer_delegate);
	spki = x509_cert_spki(hs->result.peer[0]);
	return (struct rbuf){ spki->data, spki->data + spki->len };
}
