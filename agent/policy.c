/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decisions. An identity that the caller may not use does not exist for it:
 * neither a name on the wire nor an application's wish can reach it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "catalog.h"
#include "config.h"
#include "handshake/alert.h"
#include "handshake/hs.h"
#include "policy.h"


static const struct site *find_site(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->sites_num; i++)
		if (!strcmp(config->sites[i].id.name, name))
			return &config->sites[i];
	return NULL;
}

/* The identity called @name, if the caller may use it. */
static int named_site(const struct config *config, const struct caller *who, const char *name,
		      const struct site **ret, char *why)
{
	const struct site *site = find_site(config, name);

	if (!site) {
		snprintf(why, POLICY_WHY, "no identity \"%.48s\" is configured: add [identity %.48s] to %.64s", name, name, config->path);
		return -ENOKEY;
	}
	if (!rules_allow(&site->allow, who)) {
		snprintf(why, POLICY_WHY, "uid %u may not use identity \"%.64s\": add uid:%u to its allow = in %.64s", who->uid, name, who->uid, config->path);
		return -EACCES;
	}
	*ret = site;
	return 0;
}

static size_t count_allowed(const struct config *config, const struct caller *who)
{
	size_t i, n = 0;

	for (i = 0; i < config->sites_num; i++)
		n += rules_allow(&config->sites[i].allow, who);
	return n;
}

static size_t catalogs_allowed(const struct config *config, const struct caller *who)
{
	size_t i, n = 0;

	for (i = 0; i < config->catalogs_num; i++)
		n += rules_allow(&config->catalogs[i].allow, who);
	return n;
}

/* The catalog called @name, if there is one that the caller may use. */
static const struct catalog *named_catalog(const struct config *config, const struct caller *who, const char *name)
{
	for (size_t i = 0; i < config->catalogs_num; i++)
		if (!strcmp(config->catalogs[i].name, name) && rules_allow(&config->catalogs[i].allow, who))
			return &config->catalogs[i];
	return NULL;
}

int policy_server(const struct config *config, const struct caller *who, const char *name,
		  struct choice *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->config = config;
	ret->who = *who;
	if (name)
		ret->within = named_catalog(config, who, name);
	if (ret->within)
		return 0;
	if (name)
		return named_site(config, who, name, &ret->named, ret->why);
	if (!config->sites_num && !config->catalogs_num) {
		snprintf(ret->why, sizeof(ret->why), "no identity is configured: add an [identity NAME] section to %.64s", config->path);
		return -ENOKEY;
	}
	if (count_allowed(config, who) || catalogs_allowed(config, who))
		return 0;
	snprintf(ret->why, sizeof(ret->why), "uid %u may not use any identity: add uid:%u to allow = of an [identity NAME] in %.64s", who->uid, who->uid, config->path);
	return -EACCES;
}

static bool scheme_fits(const struct site *site, uint16_t id)
{
	const struct crypto_scheme *s = crypto_scheme_find(id);

	return s && crypto_scheme_fits(s, site->id.key_type, site->id.key_bits);
}

static bool can_use(const struct site *site, const uint16_t *schemes, size_t num)
{
	while (num--)
		if (scheme_fits(site, schemes[num]))
			return true;
	return false;
}

/* @own: is it for the protocol agreed on? Else: is it for any? */
static bool for_protocol(const uint8_t *list, size_t len, const struct choice *c, bool own)
{
	if (!own)
		return !len;
	for (size_t i = 0; i < len; i += 1u + list[i])
		if (list[i] == c->alpn_len && !memcmp(list + i + 1, c->alpn, c->alpn_len))
			return true;
	return false;
}

bool policy_catalog(const struct choice *c, const struct catalog *catalog)
{
	if (c->named || (c->within && c->within != catalog) || !rules_allow(&catalog->allow, &c->who))
		return false;
	return for_protocol(catalog->alpn, catalog->alpn_len, c, true) ||
	       for_protocol(catalog->alpn, catalog->alpn_len, c, false);
}

static bool has_exact_name(const struct site *site, const char *name)
{
	const char *own;
	size_t i;

	for (i = 0; (own = x509_cert_dns_name(site->id.chain[0], i)); i++)
		if (!strcasecmp(own, name))
			return true;
	return false;
}

static bool has_name(const struct site *site, const char *name)
{
	return x509_cert_has_name(site->id.chain[0], name);
}

/* Without a name: the default identity; an only one needs no mark. */
static bool serves_unnamed(const struct site *site, const char *name)
{
	(void)name;
	return site->is_default;
}

static bool serves_any(const struct site *site, const char *name)
{
	(void)site;
	(void)name;
	return true;
}

/* How a choice looks at an identity. */
struct look {
	const char *name;
	bool (*fits)(const struct site *site, const char *name);
	bool own;			/* for the protocol agreed on; else for any */
};

/* Those of the configuration, then those found in catalogs. */
static const struct site *nth_site(const struct choice *c, size_t i)
{
	size_t fixed = c->within ? 0 : c->config->sites_num;

	if (i < fixed)
		return &c->config->sites[i];
	return i - fixed < c->more_num ? c->more[i - fixed] : NULL;
}

/* The first allowed identity that fits and can sign by @scheme; *@seen if one fits at all. */
static const struct site *pick_for(const struct choice *c, const struct look *l, uint16_t scheme,
				   bool suited, bool *seen)
{
	const struct site *site;
	size_t i;

	for (i = 0; (site = nth_site(c, i)); i++) {
		if (!rules_allow(&site->allow, &c->who) || !for_protocol(site->alpn, site->alpn_len, c, l->own) ||
		    !l->fits(site, l->name))
			continue;
		*seen = true;
		if (scheme_fits(site, scheme) && (!suited || hs_suits(c->hs, &site->id)))
			return site;
	}
	return NULL;
}

/* Of several, that whose key the client prefers: it knows what is cheap for it to verify. */
static const struct site *pick(const struct choice *c, const struct look *l, const uint16_t *schemes, size_t num,
			       bool *seen)
{
	const struct site *site = NULL;
	size_t i;

	for (i = 0; c->hs && i < num && !site; i++)
		site = pick_for(c, l, schemes[i], true, seen);
	for (i = 0; i < num && !site; i++)
		site = pick_for(c, l, schemes[i], false, seen);
	return site;
}

static const struct site *pick_by_name(const struct choice *c, const char *name, bool own,
				       const uint16_t *schemes, size_t num, bool *seen)
{
	const struct look exact = { name, has_exact_name, own }, any = { name, has_name, own };
	const struct look unnamed = { NULL, serves_unnamed, own }, only = { NULL, serves_any, own };
	const struct site *site;

	site = pick(c, name ? &exact : &unnamed, schemes, num, seen);
	if (!site && name)
		site = pick(c, &any, schemes, num, seen);
	if (!site && !name && count_allowed(c->config, &c->who) == 1)
		site = pick(c, &only, schemes, num, seen);
	return site;
}

static int refuse(struct choice *c, const char *name, bool seen, const char **why)
{
	*why = c->why;
	if (seen) {
		snprintf(c->why, sizeof(c->why), "the client accepts no signature scheme of the identity's key: add an identity with another type of key");
		return ALERT_HANDSHAKE_FAILURE;
	}
	if (name)
		snprintf(c->why, sizeof(c->why), "no identity that uid %u may use has a certificate for \"%.80s\": add one to %.48s, or ask for another name", c->who.uid, name, c->config->path);
	else
		snprintf(c->why, sizeof(c->why), "the client sent no server name and none of uid %u's identities is the default: set default = yes in %.64s", c->who.uid, c->config->path);
	return ALERT_UNRECOGNIZED_NAME;
}

int policy_choose(void *arg, const char *server_name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why)
{
	struct choice *c = arg;
	const char *name = server_name && *server_name ? server_name : NULL;
	const struct site *site = NULL;
	bool seen = false;

	if (c->named) {
		seen = true;
		site = can_use(c->named, schemes, num) ? c->named : NULL;
	} else {
		if (c->alpn_len)
			site = pick_by_name(c, name, true, schemes, num, &seen);
		if (!site)
			site = pick_by_name(c, name, false, schemes, num, &seen);
	}
	if (!site)
		return refuse(c, name, seen, why);
	*ret = &site->id;
	return 0;
}

int policy_client(const struct config *config, const struct caller *who, const char *name,
		  const struct identity **ret, char why[POLICY_WHY])
{
	const struct site *site;
	int err;

	*ret = NULL;
	if (!rules_allow(&config->client, who)) {
		snprintf(why, POLICY_WHY, "uid %u may not connect as a client: add uid:%u to allow = of [client] in %.64s", who->uid, who->uid, config->path);
		return -EACCES;
	}
	if (!name)
		return 0;
	err = named_site(config, who, name, &site, why);
	if (!err)
		*ret = &site->id;
	return err;
}

bool policy_raw_key(const struct choice *c)
{
	const struct config *config = c->config;
	size_t n = 0;

	if (c->named || c->within)
		return c->named && c->named->id.raw_key;
	for (size_t i = 0; i < config->sites_num; i++) {
		if (!rules_allow(&config->sites[i].allow, &c->who))
			continue;
		if (!config->sites[i].id.raw_key)
			return false;
		n++;
	}
	return n && !catalogs_allowed(config, &c->who);
}

const struct trust *policy_trust(const struct config *config, const char *name,
				      char why[POLICY_WHY])
{
	size_t i;

	if (!name)
		name = "system";
	for (i = 0; i < config->trusts_num; i++)
		if (!strcmp(config->trusts[i].name, name))
			return &config->trusts[i];
	snprintf(why, POLICY_WHY, "no trust store \"%.40s\" is configured: add [trust %.40s] with file = CA-BUNDLE to %.64s", name, name, config->path);
	return NULL;
}
