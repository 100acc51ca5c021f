// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who the peer is: EncryptedExtensions, CertificateRequest, Certificate and
 * CertificateVerify, RFC 9846 4.3 and 4.4. A certificate counts only when its
 * path was verified and its key has signed this handshake. Our own signature
 * is made outside: the first call of certificate_verify_send() asks for it,
 * the second one writes it.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <errno.h>
#include <string.h>

int encrypted_extensions_send(struct hs *hs, struct wbuf *b)
{
	if (early_undecided(hs)) {
		hs->state = HS_FRESH;
		return 0;
	}
	return ext_write(hs, EXT_EE, b);
}

int encrypted_extensions_recv(struct hs *hs, struct rbuf *b)
{
	return ext_read(hs, EXT_EE, b);
}

int certificate_request_send(struct hs *hs, struct wbuf *b)
{
	wbuf_u8(b, hs->context_len);	/* for requests after the handshake */
	wbuf_bytes(b, hs->context, hs->context_len);
	return ext_write(hs, EXT_CR, b);
}

int certificate_request_recv(struct hs *hs, struct rbuf *b)
{
	const struct identity *identity = hs->params->identity;
	struct rbuf context;
	int err;

	if (!rbuf_vec8(b, &context))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the CertificateRequest is malformed");
	if (rbuf_len(&context) && !hs->post)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the CertificateRequest has a context");
	hs->context_len = (uint8_t)rbuf_len(&context);
	memcpy(hs->context, context.p, hs->context_len);
	hs->received = 0;
	err = ext_read(hs, EXT_CR, b);
	if (err)
		return err;
	if (!ext_received(hs, EXT_ID_SIGNATURE_ALGORITHMS))
		return hs_fail(hs, ALERT_MISSING_EXTENSION,
			       "the CertificateRequest has no signature_algorithms");
	hs->cert_requested = true;
	/* Without an identity that the server can use we answer with an empty Certificate. */
	hs->sign.scheme = identity ? choose_scheme(hs, identity) : NULL;
	if (hs->sign.scheme)
		hs->result.identity = identity;
	hs->client_cert = hs->sign.scheme;
	return 0;
}

/* ---- Certificate */

int certificate_write(struct hs *hs, struct wbuf *b)
{
	const struct identity *identity = hs->result.identity;
	const struct x509_blob *der;
	size_t list, one;
	int err = 0;

	wbuf_u8(b, hs->context_len);
	wbuf_bytes(b, hs->context, hs->context_len);
	list = wbuf_open(b, 3);
	if (identity && hs->own_type == CERT_RAW_KEY)
		raw_key_write(identity, b);
	for (size_t i = 0; identity && hs->own_type == CERT_X509 && i < identity->num; i++) {
		der = x509_cert_der(identity->chain[i]);
		one = wbuf_open(b, 3);
		wbuf_bytes(b, der->data, der->len);
		wbuf_close(b, one, 3);
		if (i)
			wbuf_u16(b, 0);
		else
			err = ext_write(hs, EXT_CT, b);
	}
	wbuf_close(b, list, 3);
	return err;
}

int cert_read(struct hs *hs, struct rbuf *list)
{
	struct rbuf der;
	int err;

	if (!rbuf_vec24(list, &der) || !rbuf_len(&der))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the Certificate message is malformed");
	if (hs->result.peer_num == X509_MAX_CHAIN)
		return hs_fail(hs, ALERT_BAD_CERTIFICATE, "the peer sent more than %d certificates",
			       X509_MAX_CHAIN);
	err = x509_cert_parse(der.p, rbuf_len(&der), &hs->result.peer[hs->result.peer_num]);
	if (err == -ENOMEM)
		return hs_no_memory(hs);
	if (err)
		return hs_fail(hs, ALERT_BAD_CERTIFICATE, "certificate %zu of the peer is malformed",
			       hs->result.peer_num);
	hs->result.peer_num++;
	return 0;
}

static int read_entry(struct hs *hs, struct rbuf *list)
{
	int err = cert_read(hs, list);

	return err ? err : ext_read(hs, EXT_CT, list);
}

int cert_check_chain(struct hs *hs)
{
	bool client = hs->role == HS_CLIENT;
	struct x509_check check = {
		.purpose = client ? X509_SERVER_AUTH : X509_CLIENT_AUTH,
		.name = client ? hs->params->server_name : NULL,
		.now = hs->params->now,
		.rsa_min_bits = hs->params->rsa_min_bits,
		.schemes = hs->params->schemes, .schemes_num = hs->params->schemes_num,
		.staple = ext_offered(hs, EXT_ID_STATUS_REQUEST) ? &hs->staple : NULL,
	};
	char why[X509_WHY] = "";
	int err;

	if (hs->params->insecure)
		return 0;
	if (!hs->params->trust)
		return hs_fail(hs, ALERT_UNKNOWN_CA, "no trusted certificates are configured");
	err = x509_verify(hs->params->trust, hs->result.peer, hs->result.peer_num, &check, why);
	if (err)
		return hs_fail(hs, err, "%s", why);
	err = sct_check(hs);
	hs->result.peer_verified = !err;
	return err;
}

static int accept_no_certificate(struct hs *hs)
{
	if (hs->role == HS_CLIENT)
		return hs_fail(hs, ALERT_DECODE_ERROR, "the server sent an empty Certificate");
	if (hs->params->client_auth == HS_AUTH_REQUIRE)
		return hs_fail(hs, ALERT_CERTIFICATE_REQUIRED, "the client has no certificate");
	return 0;
}

int certificate_read(struct hs *hs, struct rbuf *b)
{
	struct rbuf context, list;
	int err = 0;

	if (!rbuf_vec8(b, &context) || !rbuf_vec24(b, &list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the Certificate message is malformed");
	if (rbuf_len(&context) != hs->context_len || memcmp(context.p, hs->context, hs->context_len))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the Certificate has a context nobody asked for");
	while (!err && rbuf_len(&list))
		err = hs->peer_type == CERT_RAW_KEY ? raw_key_read(hs, &list) : read_entry(hs, &list);
	if (err)
		return err;
	if (!hs->result.peer_num && !hs->peer_key.len)
		return accept_no_certificate(hs);
	if (hs->role == HS_SERVER)
		hs->client_cert = true;
	err = hs->peer_key.len ? 0 : cert_check_chain(hs);
	if (!err)
		err = delegated_check(hs);
	hs->staple = (struct x509_blob){ NULL, 0 };
	return err;
}

/* ---- CertificateVerify */

/* 64 spaces, a context string, a zero, the transcript hash: RFC 9846 4.4.3. */
static size_t signed_content(const struct hs *hs, enum hs_role signer, uint8_t out[HS_MAX_SIGN])
{
	static const char *const context[] = {
		[HS_CLIENT] = "TLS 1.3, client CertificateVerify",
		[HS_SERVER] = "TLS 1.3, server CertificateVerify",
	};
	size_t len = strlen(context[signer]) + 1;

	memset(out, ' ', 64);
	memcpy(out + 64, context[signer], len);
	transcript_digest(hs, out + 64 + len);
	return 64 + len + hs->hash->size;
}

void cert_ask_signature(struct hs *hs, const uint8_t *tbs, size_t len)
{
	hs->sign.identity = hs->result.identity;
	hs->sign.tbs = tbs;
	hs->sign.len = len;
	hs->state = HS_SIGN;
}

void cert_write_signature(struct hs *hs, struct wbuf *b)
{
	uint16_t id = hs->version == TLS12 ? hs->sign.scheme->id12 : hs->sign.scheme->id;
	size_t mark;

	wbuf_u16(b, id);
	mark = wbuf_open(b, 2);
	wbuf_bytes(b, hs->sig, hs->sig_len);
	wbuf_close(b, mark, 2);
	if (hs->role == HS_SERVER)
		hs->result.scheme = id;
}

int certificate_verify_send(struct hs *hs, struct wbuf *b)
{
	if (!hs->sig_len)
		cert_ask_signature(hs, hs->tbs, signed_content(hs, hs->role, hs->tbs));
	else
		cert_write_signature(hs, b);
	return 0;
}

static bool is_ecdsa(enum crypto_key_type key)
{
	switch (key) {
	case CRYPTO_KEY_P256:
	case CRYPTO_KEY_P384:
	case CRYPTO_KEY_P521:
	case CRYPTO_KEY_BRAINPOOL256:
	case CRYPTO_KEY_BRAINPOOL384:
	case CRYPTO_KEY_BRAINPOOL512:
		return true;
	default:
		return false;
	}
}

/* TLS 1.2 ties no curve to a hash, RFC 5246 7.4.1.4.1, and signs by PKCS#1 too. */
static bool scheme_fits(const struct hs *hs, const struct crypto_scheme *scheme, const struct crypto_pubkey *key)
{
	if (hs->version == TLS12 && is_ecdsa(scheme->key))
		return is_ecdsa(key->type) && crypto_key_on(key->type, hs->params->schemes, hs->params->schemes_num);
	return crypto_scheme_fits(scheme, key->type, key->bits);
}

static int verify(struct hs *hs, const struct crypto_scheme *scheme, const struct crypto_pubkey *key,
		  const struct rbuf *tbs, const struct rbuf *sig)
{
	int err;

	if (!scheme_fits(hs, scheme, key))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer signed with %s, which its key can't do",
			       scheme->name);
	err = scheme->verify(key, scheme->hash, tbs->p, rbuf_len(tbs), sig->p, rbuf_len(sig));
	if (err == -EBADMSG)
		return hs_fail(hs, ALERT_DECRYPT_ERROR, "the peer's signature is wrong");
	return err ? hs_fail(hs, err, "could not verify the peer's signature") : 0;
}

int cert_key(struct hs *hs, struct crypto_pubkey *ret)
{
	struct rbuf spki = peer_spki(hs);
	int err = crypto_pubkey_parse(spki.p, rbuf_len(&spki), ret);

	if (err == -ENOMEM)
		return hs_no_memory(hs);
	if (err)
		return hs_fail(hs, ALERT_UNSUPPORTED_CERTIFICATE,
			       "the key of the peer's certificate is of no known kind");
	return 0;
}

int cert_check_signature(struct hs *hs, uint16_t id, const struct rbuf *tbs, const struct rbuf *sig)
{
	const struct crypto_scheme *scheme = crypto_scheme_find(id);
	struct crypto_pubkey key;
	int err;

	if (!scheme || !scheme_in(hs, scheme) || !scheme_allowed(hs, id))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer signed with scheme %04x, not offered", id);
	if (hs->delegate_scheme && id != hs->delegate_scheme)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer signed with scheme %04x, its credential is for %04x", id, hs->delegate_scheme);
	err = cert_key(hs, &key);
	if (err)
		return err;
	err = verify(hs, scheme, &key, tbs, sig);
	crypto_pubkey_free(&key);
	if (!err && hs->role == HS_CLIENT)
		hs->result.scheme = id;
	return err;
}

int certificate_verify_recv(struct hs *hs, struct rbuf *b)
{
	uint8_t content[HS_MAX_SIGN];
	struct rbuf sig, tbs = { content, content };
	uint16_t id;

	if (!rbuf_u16(b, &id) || !rbuf_vec16(b, &sig))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the CertificateVerify is malformed");
	tbs.end += signed_content(hs, hs->role == HS_CLIENT ? HS_SERVER : HS_CLIENT, content);
	return cert_check_signature(hs, id, &tbs, &sig);
}
