/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a handshake is to be like: the application's wishes, as far as policy
 * and configuration have it, become the engine's parameters.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "conn.h"
#include "keylog.h"
#include "relay.h"
#include "handshake/alert.h"
#include "handshake/version.h"

#define HELLO_MIN 512	/* RFC 7685: some boxes drop what is a little shorter */

static int choose(void *arg, const char *server_name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why)
{
	struct conn *c = arg;

	snprintf(c->wish.server_name, sizeof(c->wish.server_name), "%s", server_name ? server_name : "");
	if (c->denied) {
		*why = c->choice.why;
		return ALERT_INTERNAL_ERROR;
	}
	c->choice.hs = c->hs;
	c->choice.more = c->lookups.sites;
	c->choice.more_num = c->lookups.num;
	c->choice.alpn = hs_alpn(c->hs, &c->choice.alpn_len);
	return policy_choose(&c->choice, server_name, schemes, num, ret, why);
}

static bool offered(const uint16_t *list, size_t num, uint16_t id)
{
	while (num--)
		if (list[num] == id)
			return true;
	return false;
}

/* The ciphers both the application and the configuration want, in the application's order. */
static int want_ciphers(struct conn *c)
{
	const struct config *config = c->env->config;
	struct conn_wish *w = &c->wish;
	size_t i, n = 0;

	c->params.ciphers = config->ciphers;
	c->params.ciphers_num = config->ciphers_num;
	if (!w->ciphers_num)
		return 0;
	for (i = 0; i < w->ciphers_num; i++)
		if (offered(config->ciphers, config->ciphers_num, w->ciphers[i]))
			w->ciphers[n++] = w->ciphers[i];
	c->params.ciphers = w->ciphers;
	c->params.ciphers_num = n;
	if (n)
		return 0;
	snprintf(c->choice.why, sizeof(c->choice.why), "none of the application's ciphers is allowed: add one to ciphers = of [agent] in %.64s", config->path);
	return -EACCES;
}

/* A server's: any key that the caller may use, or only the one that it named. */
static const struct hs_psk *find_psk(void *arg, const uint8_t *identity, size_t len)
{
	const struct conn *c = arg;
	const struct hs_psk *psk = policy_find_psk(c->env->config, &c->who, identity, len);

	if (c->denied || !psk)
		return NULL;
	return !c->params.psk || c->params.psk == psk ? psk : NULL;
}

static int want_psk(struct conn *c)
{
	struct conn_wish *w = &c->wish;

	if (!w->has_psk)
		return 0;
	if (c->role == KTLS_ROLE_SERVER)
		c->params.find_psk = find_psk;
	if (c->role == KTLS_ROLE_SERVER && !strcmp(w->psk, "*"))
		return 0;
	return policy_psk(c->env->config, &c->who, w->psk, &c->params.psk, c->choice.why);
}

static int want_trust(struct conn *c)
{
	struct conn_wish *w = &c->wish;
	const struct trust *trust;
	char *why = c->choice.why;

	/* The key is what it trusts. */
	if (c->role == KTLS_ROLE_CLIENT && w->has_psk && !w->has_trust)
		return 0;

	if (c->role == KTLS_ROLE_SERVER && !w->client_auth && !w->post_auth)
		return 0;
	if (c->role == KTLS_ROLE_SERVER && !w->has_trust) {
		snprintf(why, POLICY_WHY, "client certificates are wanted, but by which CA: name a trust store (KTLS_P_TRUST)");
		return -EINVAL;
	}
	trust = policy_trust(c->env->config, w->has_trust ? w->trust : NULL, why);
	if (!trust)
		return -ENOKEY;
	c->params.trust = trust->store;
	c->params.raw_peers = (const uint8_t (*)[32])trust->raw_keys;
	c->params.raw_peers_num = trust->raw_keys_num;
	if (c->role == KTLS_ROLE_CLIENT) {	/* logs are of servers' certificates */
		c->params.ct_logs = trust->ct_logs;
		c->params.ct_logs_num = trust->ct_num;
		c->params.ct_min = trust->ct_min;
	}
	return 0;
}

static int want_client(struct conn *c, const struct caller *who)
{
	struct conn_wish *w = &c->wish;

	c->params.server_name = w->server_name;
	if (!w->has_name && !w->has_psk) {
		snprintf(c->choice.why, sizeof(c->choice.why), "no server name was given to verify: set one (KTLS_P_SERVER_NAME)");
		return -EINVAL;
	}
	return policy_client(c->env->config, who, w->has_identity ? w->identity : NULL,
			     &c->params.identity, c->choice.why);
}

int want_all(struct conn *c, const struct upcall *up)
{
	struct conn_wish *w = &c->wish;
	int err;

	c->who = (struct caller){ .uid = up->uid, .gid = up->gid, .cgroup = up->cgroup };
	err = wish_read(w, up->param, up->param_len, c->choice.why);
	if (err)
		return err;
	if (c->role == KTLS_ROLE_SERVER)
		err = policy_server(c->env->config, &c->who, w->has_identity ? w->identity : NULL, &c->choice);
	else
		err = want_client(c, &c->who);
	/* A server that takes keys needs no certificate. */
	if (err && !w->has_identity && c->role == KTLS_ROLE_SERVER && w->has_psk)
		err = 0;
	if (!err)
		err = want_psk(c);
	if (!err)
		err = want_trust(c);
	return err ? err : want_ciphers(c);
}

static void key_log(void *arg, const char *label, const uint8_t *client_random, const uint8_t *secret, size_t len)
{
	const struct conn *c = arg;

	keylog_write(c->env->key_log, label, client_random, secret, len);
}

uint64_t conn_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void want_params(struct conn *c)
{
	const struct config *config = c->env->config;
	uint64_t now = conn_clock();

	c->params.role = c->role == KTLS_ROLE_SERVER ? HS_SERVER : HS_CLIENT;
	c->params.now = (time_t)(now / 1000);
	c->params.now_ms = now % 1000;
	c->params.min_version = config->min_version;
	c->params.max_version = config->max_version;
	c->params.alpn = c->wish.alpn;
	c->params.alpn_len = c->wish.alpn_len;
	c->params.groups = config->groups_num ? config->groups : NULL;
	c->params.groups_num = config->groups_num;
	c->params.schemes = config->schemes_num ? config->schemes : NULL;
	c->params.schemes_num = config->schemes_num;
	c->params.strongest = config->prefer == PREFER_STRENGTH;
	c->params.compress = config->compress;
	c->params.delegated = config->delegated;
	c->params.psk12 = config->psk12;
	c->params.record_pad = config->padding;
	c->params.cookie_keys = config->retry_cookie && c->role == KTLS_ROLE_SERVER ? &c->env->ticket_keys : NULL;
	c->params.compatibility = true;
	c->params.grease = true;
	c->params.pad = c->role == KTLS_ROLE_CLIENT ? HELLO_MIN : 0;
	c->params.rsa_min_bits = config->rsa_min_bits;
	if (c->role == KTLS_ROLE_SERVER)
		c->params.raw_key = !c->denied && policy_raw_key(&c->choice);
	else
		c->params.raw_key = c->params.identity && c->params.identity->raw_key;
	c->params.client_auth = (enum hs_client_auth)c->wish.client_auth;
	/* The relay could neither ask nor answer; an identity's bare key is for the handshake alone. */
	c->params.post_auth = c->wish.post_auth && c->role == KTLS_ROLE_CLIENT && !c->params.raw_key && !(c->id & RELAY_ID);
	c->params.choose = choose;
	c->params.prepare = c->env->cache ? lookup_prepare : NULL;
	c->params.arg = c;
	if (config->key_log && c->env->key_log > 0)
		c->params.key_log = key_log;
}
