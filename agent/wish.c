/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The application's parameters, KTLS_P_*. The module only bounded them, and
 * any local user writes them: every length and value is checked here.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <string.h>
#include "conn.h"

static bool get_text(const struct nlattr *a, char *text, size_t size, bool *has)
{
	size_t len = strnlen(nla_data(a), nla_len(a));

	if (!len || len >= size)
		return false;
	memcpy(text, nla_data(a), len);
	text[len] = '\0';
	*has = true;
	return true;
}

/* Each name one length byte and 1 to 255 bytes. */
static bool get_alpn(const struct nlattr *a, struct conn_wish *w)
{
	const uint8_t *p = nla_data(a);
	size_t len = nla_len(a), at = 0;

	while (at < len) {
		if (!p[at] || p[at] >= len - at)
			return false;
		at += 1 + p[at];
	}
	if (!len || len > sizeof(w->alpn))
		return false;
	memcpy(w->alpn, p, len);
	w->alpn_len = len;
	return true;
}

static bool get_ciphers(const struct nlattr *a, struct conn_wish *w)
{
	size_t len = nla_len(a);

	if (!len || len % 2 || len > sizeof(w->ciphers))
		return false;
	memcpy(w->ciphers, nla_data(a), len);
	w->ciphers_num = len / 2;
	return true;
}

static bool get_early_data(const struct nlattr *a, struct conn_wish *w)
{
	size_t len = nla_len(a);

	if (!len || len > sizeof(w->early))
		return false;
	memcpy(w->early, nla_data(a), len);
	w->early_len = len;
	return true;
}

static bool get_early_max(const struct nlattr *a, struct conn_wish *w)
{
	if (nla_len(a) != 4 || nla_get_u32(a) > KTLS_MAX_EARLY)
		return false;
	w->early_max = nla_get_u32(a);
	return true;
}

static bool get_client_auth(const struct nlattr *a, struct conn_wish *w)
{
	if (nla_len(a) != 4 || nla_get_u32(a) > HS_AUTH_REQUIRE)
		return false;
	w->client_auth = nla_get_u32(a);
	return true;
}

static const char *get_one(const struct nlattr *a, struct conn_wish *w)
{
	switch (nla_type(a)) {
	case KTLS_P_SERVER_NAME:
		return get_text(a, w->server_name, sizeof(w->server_name), &w->has_name) ? NULL : "server name";
	case KTLS_P_IDENTITY:
		return get_text(a, w->identity, sizeof(w->identity), &w->has_identity) ? NULL : "identity";
	case KTLS_P_TRUST:
		return get_text(a, w->trust, sizeof(w->trust), &w->has_trust) ? NULL : "trust store";
	case KTLS_P_ALPN:
		return get_alpn(a, w) ? NULL : "list of ALPN protocols";
	case KTLS_P_PSK:
		return get_text(a, w->psk, sizeof(w->psk), &w->has_psk) ? NULL : "pre-shared key";
	case KTLS_P_CIPHERS:
		return get_ciphers(a, w) ? NULL : "list of ciphers";
	case KTLS_P_CLIENT_AUTH:
		return get_client_auth(a, w) ? NULL : "client authentication";
	case KTLS_P_EARLY_DATA:
		return get_early_data(a, w) ? NULL : "early data";
	case KTLS_P_EARLY_MAX:
		return get_early_max(a, w) ? NULL : "limit of early data";
	case KTLS_P_POST_AUTH:
		w->post_auth = true;
		return NULL;
	case KTLS_P_PEER_CHAIN:
		w->peer_chain = true;
		return NULL;
	}
	return "attribute";
}

int wish_read(struct conn_wish *w, const uint8_t *param, size_t len, char why[POLICY_WHY])
{
	struct nlattr *a = (struct nlattr *)param;
	int rest = len;
	const char *bad;

	memset(w, 0, sizeof(*w));
	for (; nla_ok(a, rest); a = nla_next(a, &rest)) {
		bad = get_one(a, w);
		if (!bad)
			continue;
		snprintf(why, POLICY_WHY, "KTLS_HANDSHAKE has a malformed or unknown %s (KTLS_P_ number %d): correct the application", bad, nla_type(a));
		return -EINVAL;
	}
	if (rest >= NLA_HDRLEN) {
		snprintf(why, POLICY_WHY, "KTLS_HANDSHAKE's attributes do not fill their length: correct the application");
		return -EINVAL;
	}
	return 0;
}
