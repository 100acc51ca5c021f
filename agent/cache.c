/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's cache of certificates that the keeper loaded: by the name that was
 * asked for, at most so many, those used last. A handshake holds what it uses;
 * what the keeper says is gone, no later one finds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "catalog.h"
#include "config.h"
#include "crypto/der.h"
#include "message.h"

#define BUCKETS 4096

struct cached {
	struct site site;
	struct cached *next;		/* of the same hash */
	struct cached *newer, *older;
	unsigned int catalog, refs;	/* one is the cache's */
	char name[CATALOG_NAME];
};

struct cache {
	size_t num, max;
	struct cached *newest, *oldest, *bucket[BUCKETS];
};

static struct cached **bucket(struct cache *c, unsigned int catalog, const char *name)
{
	uint32_t h = 2166136261u + catalog;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &c->bucket[h % BUCKETS];
}

struct cache *cache_new(size_t max)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c)
		c->max = max;
	return c;
}

size_t cache_size(const struct cache *c)
{
	return c->num;
}

const struct site *cache_site(const struct cached *one)
{
	return &one->site;
}

void cache_put(struct cached *one)
{
	if (!one || --one->refs)
		return;
	one->site.alpn = NULL;		/* the catalog's */
	site_free(&one->site);
	free(one);
}

static void unlink_age(struct cache *c, struct cached *one)
{
	*(one->newer ? &one->newer->older : &c->newest) = one->older;
	*(one->older ? &one->older->newer : &c->oldest) = one->newer;
}

static void link_newest(struct cache *c, struct cached *one)
{
	one->newer = NULL;
	one->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = one;
	c->newest = one;
}

static void leave(struct cache *c, struct cached *one)
{
	struct cached **p = bucket(c, one->catalog, one->name);

	while (*p != one)
		p = &(*p)->next;
	*p = one->next;
	unlink_age(c, one);
	c->num--;
	cache_put(one);
}

void cache_free(struct cache *c)
{
	while (c && c->oldest)
		leave(c, c->oldest);
	free(c);
}

struct cached *cache_find(struct cache *c, unsigned int catalog, const char *name)
{
	struct cached *one = *bucket(c, catalog, name);

	while (one && (one->catalog != catalog || strcmp(one->name, name)))
		one = one->next;
	if (!one)
		return NULL;
	unlink_age(c, one);
	link_newest(c, one);
	one->refs++;
	return one;
}

/* Its length stands in its header: SEQUENCE, and in the two bytes behind 0x82. */
static int take_chain(struct identity *id, const uint8_t *p, size_t len)
{
	struct der d = der_of(p, len), one;
	int err = 0;

	while (!err && !der_end(&d)) {
		if (id->num == X509_MAX_CHAIN || !der_whole(&d, DER_SEQ, &one))
			return -EBADMSG;
		err = x509_cert_parse(one.p, der_len(&one), &id->chain[id->num]);
		id->num += !err;
	}
	return id->num ? err : -EBADMSG;
}

static int fill(struct cached *one, const struct catalog *c, const struct msg_identity *m)
{
	struct site *site = &one->site;
	int err = take_chain(&site->id, m->chain, m->len);

	if (err)
		return err;
	site->id.name = strndup(m->title, sizeof(m->title));
	site->id.key = m->key;
	site->allow = c->allow;
	site->alpn = c->alpn;
	site->alpn_len = c->alpn_len;
	if (!site->id.name)
		return -ENOMEM;
	return identity_key(&site->id);
}

struct cached *cache_add(struct cache *c, const struct config *config, const struct msg_identity *m)
{
	struct cached *one, **p;

	if (!m->key || m->catalog >= config->catalogs_num || m->len > sizeof(m->chain))
		return NULL;
	one = cache_find(c, m->catalog, m->name);	/* another handshake asked as well */
	if (one && one->site.id.key == m->key)
		return one;
	if (one) {
		leave(c, one);
		cache_put(one);
	}
	one = calloc(1, sizeof(*one));
	if (!one)
		return NULL;
	one->refs = 1;
	one->catalog = m->catalog;
	memcpy(one->name, m->name, sizeof(one->name));
	if (fill(one, &config->catalogs[m->catalog], m)) {
		cache_put(one);
		return NULL;
	}
	p = bucket(c, one->catalog, one->name);
	one->next = *p;
	*p = one;
	link_newest(c, one);
	one->refs++;
	c->num++;
	while (c->num > c->max)
		leave(c, c->oldest);
	return one;
}

static bool is_among(const struct msg_gone *m, uint32_t key)
{
	for (uint32_t i = 0; i < m->num && i < MSG_GONE_MAX; i++)
		if (m->key[i] == key)
			return true;
	return m->all;
}

void cache_forget(struct cache *c, const struct msg_gone *m)
{
	struct cached *one, *older;

	for (one = c->newest; one; one = older) {
		older = one->older;
		if (is_among(m, one->site.id.key))
			leave(c, one);
	}
}
