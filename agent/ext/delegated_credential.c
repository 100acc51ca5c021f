// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delegated_credential, RFC 9345: a key that the holder of a certificate has
 * signed for some days, so that who uses it needs no access to the
 * certificate's own. Offered with the schemes that such a key may have; a
 * credential that comes with the end entity's certificate counts only when the
 * certificate's path is verified. From there on it is the peer's key.
 */
#include "ext/ext.h"
#include <string.h>

#define WEEK	604800	/* s: none may live longer from now on, 4.1.3 */

/* The structure DelegatedCredential, taken apart. */
struct credential {
	struct rbuf signed_part;	/* Credential and algorithm */
	uint32_t valid_time;
	uint16_t scheme, algorithm;
	struct rbuf spki, signature;
};

static bool parse(struct rbuf b, struct credential *c)
{
	c->signed_part.p = b.p;
	if (!rbuf_u32(&b, &c->valid_time) || !rbuf_u16(&b, &c->scheme) || !rbuf_vec24(&b, &c->spki) ||
	    !rbuf_len(&c->spki) || !rbuf_u16(&b, &c->algorithm))
		return false;
	c->signed_part.end = b.p;
	return rbuf_vec16(&b, &c->signature) && rbuf_len(&c->signature) && !rbuf_len(&b);
}

bool delegated_key(const struct delegated *d, struct crypto_pubkey *ret)
{
	struct credential c;

	return parse((struct rbuf){ d->data, d->data + d->len }, &c) &&
	       !crypto_pubkey_parse(c.spki.p, rbuf_len(&c.spki), ret);
}

/* 4.1.1: with rsaEncryption a key would serve what is no delegation, too. */
static bool delegable(const struct hs *hs, const struct crypto_scheme *s)
{
	return s && s->tls13 && s->key != CRYPTO_KEY_RSA && scheme_allowed(hs, s->id);
}

/* ---- ours: what we take, and what we present */

static bool has(const uint16_t *list, size_t num, uint16_t id)
{
	while (num--)
		if (list[num] == id)
			return true;
	return false;
}

/* Does the peer take our credential, and its signature, and is it good now? */
static bool usable(const struct hs *hs)
{
	const struct identity *id = hs->result.identity;
	struct credential c;
	time_t end;

	if (!id || !id->delegated || hs->own_type != CERT_X509 || hs->result.resumed ||
	    !parse((struct rbuf){ id->delegated->data, id->delegated->data + id->delegated->len }, &c))
		return false;
	end = x509_cert_not_before(id->chain[0]) + (time_t)c.valid_time;
	return hs->params->now < end && end - hs->params->now <= WEEK &&
	       has(hs->delegable, hs->delegable_num, c.scheme) && has(hs->schemes, hs->schemes_num, c.algorithm);
}

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CT ? usable(hs) : hs->params->delegated;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t list = wbuf_open(b, 2), start = b->len;

	(void)msg;
	for (size_t i = 0; i < crypto_schemes_num; i++)
		if (delegable(hs, &crypto_schemes[i]))
			wbuf_u16(b, crypto_schemes[i].id);
	wbuf_close(b, list, 2);
	return b->len == start ? EXT_NOTHING : 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	uint16_t id;

	(void)msg;
	if (!rbuf_vec16(b, &list) || !rbuf_len(&list) || rbuf_len(&list) % 2)
		return hs_fail(hs, ALERT_DECODE_ERROR, "delegated_credential is malformed");
	hs->delegable_num = 0;
	while (rbuf_u16(&list, &id) && hs->delegable_num < HS_MAX_SCHEMES)
		if (delegable(hs, crypto_scheme_find(id)))
			hs->delegable[hs->delegable_num++] = id;
	return 0;
}

/* CertificateVerify is the credential's now. */
static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	const struct delegated *d = hs->result.identity->delegated;
	struct credential c;

	(void)msg;
	parse((struct rbuf){ d->data, d->data + d->len }, &c);
	hs->sign.scheme = crypto_scheme_find(c.scheme);
	hs->sign.delegated = true;
	wbuf_bytes(b, d->data, d->len);
	return 0;
}

/* ---- the peer's */

/* With any other certificate than the end entity's it means nothing. */
static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf all = *b;

	(void)msg;
	b->p = b->end;
	if (hs->result.peer_num != 1)
		return 0;
	if (!rbuf_len(&all))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the delegated credential is empty");
	return gbuf_add(&hs->credential, all.p, rbuf_len(&all)) ? 0 : hs_no_memory(hs);
}

/* 64 spaces, the context, a zero, the certificate, the credential: RFC 9345 4. */
static int check_signature(struct hs *hs, const struct credential *c)
{
	static const char *const context[] = {
		[HS_CLIENT] = "TLS, server delegated credentials",
		[HS_SERVER] = "TLS, client delegated credentials",
	};
	const struct x509_blob *der = x509_cert_der(hs->result.peer[0]);
	struct gbuf tbs = { .p = NULL };
	uint8_t spaces[64];
	struct rbuf all;
	int err;

	memset(spaces, ' ', sizeof(spaces));
	if (!gbuf_add(&tbs, spaces, sizeof(spaces)) ||
	    !gbuf_add(&tbs, (const uint8_t *)context[hs->role], strlen(context[hs->role]) + 1) ||
	    !gbuf_add(&tbs, der->data, der->len) ||
	    !gbuf_add(&tbs, c->signed_part.p, rbuf_len(&c->signed_part))) {
		gbuf_free(&tbs);
		return hs_no_memory(hs);
	}
	all = gbuf_rbuf(&tbs);
	err = cert_check_signature(hs, c->algorithm, &all, &c->signature);
	gbuf_free(&tbs);
	return err > 0 ? ALERT_ILLEGAL_PARAMETER : err;
}

static int check(struct hs *hs, const struct credential *c)
{
	const struct x509_cert *cert = hs->result.peer[0];
	time_t end = x509_cert_not_before(cert) + (time_t)c->valid_time;

	if (!x509_cert_may_delegate(cert))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer's certificate may not delegate: it has no DelegationUsage or digitalSignature");
	if (hs->params->now >= end)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer's delegated credential has expired");
	if (end - hs->params->now > WEEK)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer's delegated credential lives longer than 7 days");
	if (!delegable(hs, crypto_scheme_find(c->scheme)))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer's delegated credential is for scheme %04x, not offered", c->scheme);
	return check_signature(hs, c);
}

int delegated_check(struct hs *hs)
{
	struct credential c;
	int err;

	if (!hs->credential.len)
		return 0;
	if (!parse(gbuf_rbuf(&hs->credential), &c))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the peer's delegated credential is malformed");
	err = check(hs, &c);
	if (err)
		return err;
	if (!gbuf_add(&hs->peer_delegate, c.spki.p, rbuf_len(&c.spki)))
		return hs_no_memory(hs);
	hs->delegate_scheme = c.scheme;
	hs->result.delegated = true;
	return 0;
}

const struct ext ext_delegated_credential = {
	.name = "delegated_credential", .id = EXT_ID_DELEGATED_CREDENTIAL, .in = EXT_CH | EXT_CR | EXT_CT,
	.only = TLS13, .not_offered = ALERT_UNEXPECTED_MESSAGE,
	.wanted = wanted, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
