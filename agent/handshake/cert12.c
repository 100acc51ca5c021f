// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificate, CertificateRequest and CertificateVerify of TLS 1.2, RFC 5246
 * 7.4.2 to 7.4.8. A CertificateVerify there signs not a hash but the messages
 * themselves, which both sides keep for it.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <errno.h>
#include <string.h>

/* ClientCertificateType, RFC 8422 5.5. */
enum { RSA_SIGN = 1, ECDSA_SIGN = 64 };

static bool is_rsa(enum crypto_key_type key)
{
	return key == CRYPTO_KEY_RSA || key == CRYPTO_KEY_RSA_PSS;
}

/* ---- Certificate */

int certificate12_send(struct hs *hs, struct wbuf *b)
{
	const struct identity *identity = hs->result.identity;
	const struct x509_blob *der;
	size_t list = wbuf_open(b, 3), one;

	for (size_t i = 0; identity && i < identity->num; i++) {
		der = x509_cert_der(identity->chain[i]);
		one = wbuf_open(b, 3);
		wbuf_bytes(b, der->data, der->len);
		wbuf_close(b, one, 3);
	}
	wbuf_close(b, list, 3);
	return 0;
}

/* The suite has said what kind of key the server has. */
static int check_server_key(struct hs *hs)
{
	struct crypto_pubkey key;
	bool rsa;
	int err = cert_key(hs, &key);

	if (err)
		return err;
	rsa = is_rsa(key.type);
	crypto_pubkey_free(&key);
	if (rsa != (hs->suite->kx->auth == KX_RSA))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's certificate does not fit the cipher that it chose");
	return 0;
}

static int accept_no_certificate(struct hs *hs)
{
	if (hs->role == HS_CLIENT)
		return hs_fail(hs, ALERT_DECODE_ERROR, "the server sent an empty Certificate");
	if (hs->params->client_auth == HS_AUTH_REQUIRE)
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client has no certificate");
	return 0;
}

int certificate12_recv(struct hs *hs, struct rbuf *b)
{
	struct rbuf list;
	int err = 0;

	if (!rbuf_vec24(b, &list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the Certificate message is malformed");
	while (!err && rbuf_len(&list))
		err = cert_read(hs, &list);
	if (err)
		return err;
	if (!hs->result.peer_num)
		return accept_no_certificate(hs);
	if (hs->role == HS_SERVER)
		hs->client_cert = true;
	else
		err = check_server_key(hs);
	if (err || hs->tls12.status_due)
		return err;
	return cert_check_chain(hs);
}

/* ---- CertificateRequest */

/* Is there a scheme that we take from keys of this kind? */
static bool takes(const struct hs *hs, bool rsa)
{
	for (size_t i = 0; i < crypto_schemes_num; i++)
		if (is_rsa(crypto_schemes[i].key) == rsa && scheme_allowed(hs, crypto_schemes[i].id))
			return true;
	return false;
}

int certificate_request12_send(struct hs *hs, struct wbuf *b)
{
	size_t list = wbuf_open(b, 1);

	if (takes(hs, false))
		wbuf_u8(b, ECDSA_SIGN);
	if (takes(hs, true))
		wbuf_u8(b, RSA_SIGN);
	wbuf_close(b, list, 1);
	list = wbuf_open(b, 2);
	for (size_t i = 0; i < crypto_schemes_num; i++)
		if (scheme_in(hs, &crypto_schemes[i]) && scheme_allowed(hs, crypto_schemes[i].id))
			wbuf_u16(b, crypto_schemes[i].id);
	wbuf_close(b, list, 2);
	wbuf_u16(b, 0);
	return 0;
}

static bool type_listed(struct rbuf types, enum crypto_key_type key)
{
	uint8_t type;

	while (rbuf_u8(&types, &type))
		if (type == (is_rsa(key) ? RSA_SIGN : ECDSA_SIGN))
			return true;
	return false;
}

static void take_schemes(struct hs *hs, struct rbuf list)
{
	uint16_t id;

	hs->schemes_num = 0;
	while (rbuf_u16(&list, &id))
		take_scheme(hs, id);
}

int certificate_request12_recv(struct hs *hs, struct rbuf *b)
{
	const struct identity *identity = hs->params->identity;
	struct rbuf types, schemes, names;

	if (!rbuf_vec8(b, &types) || !rbuf_len(&types) || !rbuf_vec16(b, &schemes) || !rbuf_len(&schemes) ||
	    rbuf_len(&schemes) % 2 || !rbuf_vec16(b, &names))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the CertificateRequest is malformed");
	take_schemes(hs, schemes);
	hs->cert_requested = true;
	/* Without an identity that the server can use we answer with an empty Certificate. */
	hs->sign.scheme = identity && type_listed(types, identity->key_type) ? choose_scheme(hs, identity) : NULL;
	if (hs->sign.scheme)
		hs->result.identity = identity;
	hs->client_cert = hs->sign.scheme;
	return 0;
}

/* ---- CertificateVerify */

static void forget_messages(struct hs *hs)
{
	gbuf_free(&hs->tls12.said);
	hs->tls12.keeping = false;
}

int certificate_verify12_send(struct hs *hs, struct wbuf *b)
{
	struct gbuf *said = &hs->tls12.said;

	if (said->len > HS_LONG_SIGN)
		return hs_fail(hs, -EMSGSIZE, "the handshake is too long to be signed");
	if (!hs->sig_len) {
		cert_ask_signature(hs, said->p, said->len);
		return 0;
	}
	cert_write_signature(hs, b);
	forget_messages(hs);
	return 0;
}

int certificate_verify12_recv(struct hs *hs, struct rbuf *b)
{
	struct rbuf sig, tbs = gbuf_rbuf(&hs->tls12.said);
	uint16_t id;
	int err;

	if (!rbuf_u16(b, &id) || !rbuf_vec16(b, &sig))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the CertificateVerify is malformed");
	err = cert_check_signature(hs, id, &tbs, &sig);
	forget_messages(hs);
	return err;
}
