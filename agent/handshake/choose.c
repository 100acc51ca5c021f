// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The choices of TLS 1.3 (choose12.c has those of TLS 1.2), each the first of our list that the peer has too:
 * suite, group, identity and signature scheme. A group for which the client
 * sent a share is taken before one that costs a retry.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <errno.h>

static bool list_has(struct rbuf list, uint16_t id)
{
	uint16_t v;

	while (rbuf_u16(&list, &v))
		if (v == id)
			return true;
	return false;
}

int choose_suite(struct hs *hs)
{
	if (hs->retry)
		return 0;	/* the client's list is still the same, and the retry named our choice */
	for (size_t i = 0; i < hs->suites_num; i++) {
		if (hs->suites[i]->version != TLS13 || !list_has(hs->peer_suites, hs->suites[i]->id))
			continue;
		hs->suite = hs->suites[i];
		return 0;
	}
	return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client offers none of our ciphers");
}

/* The client's share for @group; false: it sent none. */
static bool find_share(struct rbuf shares, const struct crypto_group *group, struct rbuf *share)
{
	uint16_t id;

	while (rbuf_u16(&shares, &id) && rbuf_vec16(&shares, share))
		if (id == group->id)
			return true;
	return false;
}

static int use_share(struct hs *hs, const struct crypto_group *group, const struct rbuf *share)
{
	int err;

	if (rbuf_len(share) != group->client_share)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client's %s share has %zu bytes",
			       group->name, rbuf_len(share));
	err = group->respond(group, share->p, hs->share, hs->secret);
	if (err == -EBADMSG)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client's %s share is invalid", group->name);
	if (err)
		return hs_fail(hs, err, "could not compute with %s", group->name);
	hs->group = group;
	return 0;
}

static int check_second_share(struct hs *hs)
{
	struct rbuf shares = hs->peer_shares, share;
	uint16_t id;

	if (!rbuf_u16(&shares, &id) || !rbuf_vec16(&shares, &share) || rbuf_len(&shares) ||
	    id != hs->group->id)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the second ClientHello lacks the share asked for");
	return use_share(hs, hs->group, &share);
}

int choose_group(struct hs *hs)
{
	const struct crypto_group *common = NULL;
	struct rbuf share;

	if (hs->retry)
		return check_second_share(hs);
	for (size_t i = 0; i < hs->groups_num; i++) {
		if (hs->groups[i]->only == TLS12 || !list_has(hs->peer_groups, hs->groups[i]->id))
			continue;
		if (find_share(hs->peer_shares, hs->groups[i], &share))
			return use_share(hs, hs->groups[i], &share);
		if (!common)
			common = hs->groups[i];
		if (hs->params->strongest)
			break;
	}
	if (!common)
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client offers none of our groups");
	hs->group = common;
	hs->retry = true;
	return 0;
}

static bool has_scheme(const uint16_t *list, size_t num, uint16_t id)
{
	while (num--)
		if (list[num] == id)
			return true;
	return false;
}

bool scheme_allowed(const struct hs *hs, uint16_t id)
{
	const struct crypto_scheme *s = crypto_scheme_find(id);

	return s && crypto_scheme_on(s, hs->params->schemes, hs->params->schemes_num);
}

/* @id is the peer's word for it: in TLS 1.2 that may be one for keys on several curves. */
void take_scheme(struct hs *hs, uint16_t id)
{
	const struct crypto_scheme *s = crypto_scheme_find(id);

	if (!s || !scheme_in(hs, s) || !scheme_allowed(hs, id))
		return;
	for (s = crypto_schemes; s < crypto_schemes + crypto_schemes_num; s++)
		if ((s->id == id || (hs->version == TLS12 && s->id12 == id)) && scheme_allowed(hs, s->id) &&
		    !has_scheme(hs->schemes, hs->schemes_num, s->id) && hs->schemes_num < HS_MAX_SCHEMES)
			hs->schemes[hs->schemes_num++] = s->id;
}

bool scheme_in(const struct hs *hs, const struct crypto_scheme *s)
{
	return hs->version == TLS12 ? s->id12 == s->id : s->tls13;
}

/* An rsa_pss_rsae scheme says it for keys of both kinds in a chain. */
static bool scheme_taken(const struct hs *hs, uint16_t id)
{
	if (hs->cert_schemes_num)
		return has_scheme(hs->cert_schemes, hs->cert_schemes_num, id);
	return has_scheme(hs->schemes, hs->schemes_num, id);
}

static bool issuer_taken(const struct hs *hs, const struct identity *identity)
{
	struct rbuf names = hs->peer_authorities, name;

	if (!rbuf_len(&names))
		return true;
	while (rbuf_vec16(&names, &name))
		for (size_t i = 0; i < identity->num; i++)
			if (x509_cert_issued_by(identity->chain[i], name.p, rbuf_len(&name)))
				return true;
	return false;
}

bool chain_suits(const struct hs *hs, const struct identity *identity)
{
	for (size_t i = 0; i < identity->num; i++)
		/* Nobody checks the signature of an anchor, 4.4.2.2. */
		if (!x509_cert_self_issued(identity->chain[i]) &&
		    !scheme_taken(hs, x509_cert_scheme(identity->chain[i])))
			return false;
	return issuer_taken(hs, identity);
}

const struct crypto_scheme *choose_scheme(const struct hs *hs, const struct identity *identity)
{
	const struct hs_params *p = hs->params;
	const struct crypto_scheme *s;

	for (size_t i = 0; p->strongest && i < p->schemes_num; i++) {
		s = crypto_scheme_find(p->schemes[i]);
		if (s && has_scheme(hs->schemes, hs->schemes_num, s->id) &&
		    crypto_scheme_fits(s, identity->key_type, identity->key_bits))
			return s;
	}
	for (size_t i = 0; i < hs->schemes_num; i++) {
		s = crypto_scheme_find(hs->schemes[i]);
		if (crypto_scheme_fits(s, identity->key_type, identity->key_bits))
			return s;
	}
	return NULL;
}

int choose_identity(struct hs *hs)
{
	const char *why = "no identity for this name";
	int err;

	if (hs->has_psk)
		return 0;
	if (!ext_received(hs, EXT_ID_SIGNATURE_ALGORITHMS))
		return hs_fail(hs, ALERT_MISSING_EXTENSION, "the ClientHello has no signature_algorithms, and no key of ours");
	if (hs->sign.scheme)
		return 0;
	err = hs->params->choose(hs->params->arg, hs->result.server_name, hs->schemes, hs->schemes_num,
				 &hs->result.identity, &why);
	if (err)
		return hs_fail(hs, err, "%s", why);
	hs->sign.scheme = choose_scheme(hs, hs->result.identity);
	if (!hs->sign.scheme)
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE,
			       "the client accepts no signature that identity %s can make",
			       hs->result.identity->name);
	return 0;
}
