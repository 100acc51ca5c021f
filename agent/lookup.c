/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before a server's handshake chooses an identity: what catalogs have for the
 * name that the client asks for, from the worker's cache or from the keeper. It
 * is held until the handshake is over, whatever becomes of the cache.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "conn.h"

static void found(struct conn *c, unsigned int catalog, struct cached *one)
{
	struct lookups *l = &c->lookups;

	l->state[catalog] = LOOKUP_DONE;
	l->found[catalog] = one;
	if (one)
		l->sites[l->num++] = cache_site(one);
}

static bool all_there(const struct lookups *l)
{
	for (size_t i = 0; i < CATALOGS_MAX; i++)
		if (l->state[i] != LOOKUP_DONE)
			return false;
	return true;
}

void lookup_ask(struct conn *c)
{
	struct msg_identity_get m = { .type = MSG_IDENTITY_GET, .id = c->request };
	struct lookups *l = &c->lookups;
	int err = 0;

	memcpy(m.name, l->name, sizeof(m.name));
	for (size_t i = 0; i < CATALOGS_MAX && err != -EAGAIN; i++) {
		if (l->state[i] != LOOKUP_TO_ASK)
			continue;
		m.catalog = (uint32_t)i;
		err = c->env->identity_get(c->env->arg, &m);
		if (!err)
			l->state[i] = LOOKUP_ASKED;
		else if (err != -EAGAIN)	/* the keeper is gone: so will we be */
			l->state[i] = LOOKUP_DONE;
	}
}

static void begin(struct conn *c, const char *server_name)
{
	const struct config *config = c->env->config;
	struct lookups *l = &c->lookups;
	struct cached *one;

	if (c->denied || !server_name || !catalog_name(server_name, l->name))
		return;
	c->choice.alpn = hs_alpn(c->hs, &c->choice.alpn_len);
	for (size_t i = 0; i < config->catalogs_num; i++) {
		if (!policy_catalog(&c->choice, &config->catalogs[i]))
			continue;
		one = cache_find(c->env->cache, (unsigned int)i, l->name);
		if (one)
			found(c, (unsigned int)i, one);
		else
			l->state[i] = LOOKUP_TO_ASK;
	}
	lookup_ask(c);
}

bool lookup_prepare(void *arg, const char *server_name)
{
	struct conn *c = arg;

	if (!c->lookups.begun) {
		c->lookups.begun = true;
		begin(c, server_name);
	}
	return all_there(&c->lookups);
}

bool lookup_take(struct conn *c, const struct msg_identity *m)
{
	struct lookups *l = &c->lookups;

	if (m->catalog < CATALOGS_MAX && l->state[m->catalog] == LOOKUP_ASKED)
		found(c, m->catalog, cache_add(c->env->cache, c->env->config, m));
	return all_there(l);
}

void lookup_free(struct conn *c)
{
	for (size_t i = 0; i < CATALOGS_MAX; i++)
		cache_put(c->lookups.found[i]);
}
