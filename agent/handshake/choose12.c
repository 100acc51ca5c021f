// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The choices of a TLS 1.2 server. There a suite also says what kind of key
 * signs and how the secret is agreed on: so the client's suites and groups
 * decide which signature schemes are of use, those decide the identity, and
 * that decides the suite.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <errno.h>

static bool is_finite(uint16_t group)
{
	return group >> 8 == 1;		/* RFC 7919 2 */
}

/* Hybrids are for TLS 1.3; finite fields have suites of their own, RFC 7919. */
bool group_for_12(const struct crypto_group *group, enum kx_share share)
{
	return !group->classical && group->only != TLS13 && is_finite(group->id) == (share == KX_DHE);
}

static bool list_has(struct rbuf list, uint16_t id)
{
	uint16_t v;

	while (rbuf_u16(&list, &v))
		if (v == id)
			return true;
	return false;
}

/*
 * RFC 8422 4: a client without the extension takes any curve; the one that all have is this.
 * RFC 7919 4: one that names no finite field takes any.
 */
static bool client_has(const struct hs *hs, const struct crypto_group *group)
{
	struct rbuf list = hs->peer_groups;
	bool names_field = false;
	uint16_t id;

	if (is_finite(group->id)) {
		while (ext_received(hs, EXT_ID_SUPPORTED_GROUPS) && rbuf_u16(&list, &id))
			names_field |= is_finite(id);
		return !names_field || list_has(hs->peer_groups, group->id);
	}
	if (!ext_received(hs, EXT_ID_SUPPORTED_GROUPS))
		return group == &crypto_secp256r1;
	return list_has(hs->peer_groups, group->id);
}

static const struct crypto_group *common_group(const struct hs *hs, enum kx_share share)
{
	for (size_t i = 0; i < hs->groups_num; i++)
		if (group_for_12(hs->groups[i], share) && client_has(hs, hs->groups[i]))
			return hs->groups[i];
	return NULL;
}

/* CBC only where the MAC is of what was encrypted, RFC 7366. */
bool suite_usable(const struct hs *hs, const struct suite *suite)
{
	return suite->version == TLS12 && list_has(hs->peer_suites, suite->id) &&
	       (!suite->aead->mac || ext_received(hs, EXT_ID_ENCRYPT_THEN_MAC)) &&
	       (suite->kx->share == KX_NONE || common_group(hs, suite->kx->share));
}

static enum kx_auth auth_of(enum crypto_key_type key)
{
	return key == CRYPTO_KEY_RSA || key == CRYPTO_KEY_RSA_PSS ? KX_RSA : KX_ECDSA;
}

static const struct suite *suite_for(const struct hs *hs, enum kx_auth auth)
{
	for (size_t i = 0; i < hs->suites_num; i++)
		if (suite_usable(hs, hs->suites[i]) && hs->suites[i]->kx->auth == auth)
			return hs->suites[i];
	return NULL;
}

/* RFC 8422 5.1: a client's groups are also those of the keys that it takes; we ask it of brainpool's only. */
static bool curve_taken(const struct hs *hs, enum crypto_key_type key)
{
	switch (key) {
	case CRYPTO_KEY_BRAINPOOL256: return list_has(hs->peer_groups, 26);
	case CRYPTO_KEY_BRAINPOOL384: return list_has(hs->peer_groups, 27);
	case CRYPTO_KEY_BRAINPOOL512: return list_has(hs->peer_groups, 28);
	default: return true;
	}
}

/* Only schemes of keys for which there is a suite. */
static void drop_useless_schemes(struct hs *hs)
{
	enum crypto_key_type key;
	size_t n = 0;

	for (size_t i = 0; i < hs->schemes_num; i++) {
		key = crypto_scheme_find(hs->schemes[i])->key;
		if (suite_for(hs, auth_of(key)) && curve_taken(hs, key))
			hs->schemes[n++] = hs->schemes[i];
	}
	hs->schemes_num = n;
}

static int check_offer(struct hs *hs)
{
	if (hs_allows(hs, TLS13) && list_has(hs->peer_suites, SCSV_FALLBACK))
		return hs_fail(hs, ALERT_INAPPROPRIATE_FALLBACK, "the client asks for TLS 1.2 as a fallback, and we have TLS 1.3");
	if (!ext_received(hs, EXT_ID_EXTENDED_MASTER_SECRET))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client has no extended_master_secret");
	if (list_has(hs->peer_suites, SCSV_RENEGOTIATION))
		ext_suppose(hs, EXT_ID_RENEGOTIATION_INFO);
	/* A key by hand needs no signature. */
	if (suite_for(hs, KX_PSK))
		return 0;
	/* RFC 9155 3: without it the client would want SHA-1. */
	if (!ext_received(hs, EXT_ID_SIGNATURE_ALGORITHMS))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client names no signature algorithms");
	if (!suite_for(hs, KX_ECDSA) && !suite_for(hs, KX_RSA))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client offers none of our ciphers and groups for TLS 1.2");
	drop_useless_schemes(hs);
	if (!hs->schemes_num)
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client's ciphers and signature algorithms do not fit each other");
	return 0;
}

static int choose_full(struct hs *hs)
{
	int err;

	hs->suite = suite_for(hs, KX_PSK);
	if (hs->suite) {
		hs->cert_requested = false;
		hs->group = hs->suite->kx->share == KX_NONE ? NULL : common_group(hs, hs->suite->kx->share);
		return 0;
	}
	err = choose_identity(hs);
	if (err)
		return err;
	hs->suite = suite_for(hs, auth_of(hs->result.identity->key_type));
	if (!hs->suite)
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the client offers no cipher for the key of identity %s",
			       hs->result.identity->name);
	hs->group = common_group(hs, hs->suite->kx->share);
	return 0;
}

int choose12(struct hs *hs)
{
	int err = check_offer(hs);

	if (!err)
		err = choose_session(hs);
	if (!err && !hs->result.resumed)
		err = choose_full(hs);
	if (err)
		return err;
	hs->tls12.ticket_due = ticket_wanted(hs);
	transcript_start(hs, hs->suite->hash);
	return 0;
}
