/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [identities NAME]: as many as there are files, found by the name that a
 * client asks for, and loaded when the first one asks. The keeper has a bounded
 * stock of them with their keys and sees by inotify when a file changes;
 * workers have a bounded cache of certificates, and are told what to forget.
 */
#ifndef CATALOG_H
#define CATALOG_H
#include "policy.h"

#define CATALOGS_MAX	8
#define CATALOG_KEY	0x80000000u	/* in the keeper's number for a key: it is in the stock */
#define CATALOG_NAME	256

struct msg_identity;
struct msg_identity_get;
struct msg_gone;

/* ---- catalog.c: what both processes do */

struct catalog {
	char *name;
	char *certificate, *key;	/* paths; a * in them stands for the server's name */
	char *passphrase;		/* likewise, or one for all; NULL: the keys are not encrypted */
	struct rules allow;
	uint8_t *alpn;			/* as site.alpn */
	size_t alpn_len;
	int line;
};

/* Lower case into @to; false: what can't be the name of a file, nor of a server. */
bool catalog_name(const char *from, char to[CATALOG_NAME]);
/* Is there what a catalog has to have? 0 or -EINVAL and @why. */
int catalog_check(const struct catalog *c, char why[POLICY_WHY]);
void catalog_free(struct catalog *c);
/* What stands in the files of @name, with the key. -ENOENT: there are none; else -EINVAL and @why. */
int catalog_load(const struct catalog *c, const char *name, struct site **ret, char why[POLICY_WHY]);
/* "CATALOG/NAME", shortened if it has to be. */
void catalog_title(const struct catalog *c, const char *name, char title[64]);
/* @pattern with @name in place of its *. False: too long. */
bool catalog_path(const char *pattern, const char *name, char *path, size_t size);

/* ---- stock.c: the keeper's */

struct stock;
struct stock_counters { unsigned long long loads, refused, evicted, changed; unsigned int held; };

struct stock *stock_new(const struct catalog *catalogs, size_t num, size_t max);
void stock_free(struct stock *s);		/* NULL allowed */
int stock_fd(const struct stock *s);		/* of inotify */
void stock_look(struct stock *s);		/* when that is readable */
/* Answers a worker. The identity stays until it has been used least of all. */
void stock_get(struct stock *s, const struct msg_identity_get *m, struct msg_identity *ret);
/* The one of this number; NULL: not any more. */
struct site *stock_site(struct stock *s, uint32_t number);
void stock_hold(struct site *site);		/* it outlives its place in the stock until dropped */
void stock_drop(struct site *site);
/* What workers have to forget since @seen, which moves on. False: nothing. */
bool stock_gone(const struct stock *s, uint64_t *seen, struct msg_gone *ret);
uint64_t stock_gone_now(const struct stock *s);
struct stock_counters stock_counters(const struct stock *s);

/* ---- cache.c: a worker's */

struct cache;
struct cached;

struct cache *cache_new(size_t max);
void cache_free(struct cache *c);		/* NULL allowed */
/* For that name; the caller gives it back. NULL: not there. */
struct cached *cache_find(struct cache *c, unsigned int catalog, const char *name);
/* As the keeper has it; NULL: it has none, or no memory. */
struct cached *cache_add(struct cache *c, const struct config *config, const struct msg_identity *m);
void cache_put(struct cached *one);		/* NULL allowed */
const struct site *cache_site(const struct cached *one);
void cache_forget(struct cache *c, const struct msg_gone *m);
size_t cache_size(const struct cache *c);

#endif
