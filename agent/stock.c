/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's loaded identities: at most so many, those used last. Each has
 * the folder of its certificate, and both files, watched; when one of them
 * changes it is loaded anew for the next client, and stays as it was if what
 * is there now is no good. What leaves or changes is told to the workers by
 * number, in order, from a ring: a worker that is behind by more than the ring
 * forgets everything.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>
#include "catalog.h"
#include "config.h"
#include "log.h"
#include "message.h"

#define BUCKETS		4096
#define GONE_MAX	1024
#define WATCHES		3		/* the certificate's folder, the certificate, the key */
#define IN_CHANGES	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | \
			 IN_DELETE_SELF | IN_MOVE_SELF)

struct kept {
	struct site site;		/* first, so that a site leads here */
	struct kept *same_name, *same_number;	/* of their hashes */
	struct kept *newer, *older;
	uint32_t number;
	unsigned int catalog, holders;
	bool stale;			/* a file of it has changed */
	bool gone;			/* out of the stock: freed by the last holder */
	int watch[WATCHES];
	char name[];
};

struct stock {
	const struct catalog *catalogs;
	size_t catalogs_num, max;
	struct kept *by_name[BUCKETS], *by_number[BUCKETS];
	struct kept *newest, *oldest;
	uint32_t serial;
	int inotify;
	int base[CATALOGS_MAX];		/* watches of the folders in which the names stand; or -1 */
	uint32_t gone[GONE_MAX];
	uint64_t gone_num;		/* ever; the ring's place is modulo */
	time_t complained;
	struct stock_counters count;
};

/* ---- two hashes and a list */

static struct kept **name_bucket(struct stock *s, unsigned int catalog, const char *name)
{
	uint32_t h = 2166136261u + catalog;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &s->by_name[h % BUCKETS];
}

static void unlink_age(struct stock *s, struct kept *k)
{
	*(k->newer ? &k->newer->older : &s->newest) = k->older;
	*(k->older ? &k->older->newer : &s->oldest) = k->newer;
}

static void link_newest(struct stock *s, struct kept *k)
{
	k->newer = NULL;
	k->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = k;
	s->newest = k;
}

static void touch(struct stock *s, struct kept *k)
{
	unlink_age(s, k);
	link_newest(s, k);
}

static void unlink_hashes(struct stock *s, struct kept *k)
{
	struct kept **p = name_bucket(s, k->catalog, k->name);

	while (*p != k)
		p = &(*p)->same_name;
	*p = k->same_name;
	for (p = &s->by_number[k->number % BUCKETS]; *p != k; p = &(*p)->same_number)
		;
	*p = k->same_number;
}

static void link_hashes(struct stock *s, struct kept *k)
{
	struct kept **p = name_bucket(s, k->catalog, k->name);

	k->same_name = *p;
	*p = k;
	p = &s->by_number[k->number % BUCKETS];
	k->same_number = *p;
	*p = k;
}

static struct kept *find_name(struct stock *s, unsigned int catalog, const char *name)
{
	struct kept *k = *name_bucket(s, catalog, name);

	while (k && (k->catalog != catalog || strcmp(k->name, name)))
		k = k->same_name;
	return k;
}

/* ---- watches: several may share one, the kernel counts per inode */

static bool watched_by_another(const struct stock *s, int watch)
{
	const struct kept *k;
	size_t i;

	for (i = 0; i < s->catalogs_num; i++)
		if (s->base[i] == watch)
			return true;
	for (k = s->newest; k; k = k->older)
		for (i = 0; i < WATCHES; i++)
			if (k->watch[i] == watch)
				return true;
	return false;
}

static void unwatch(struct stock *s, const struct kept *k)
{
	for (size_t i = 0; i < WATCHES; i++)
		if (k->watch[i] >= 0 && !watched_by_another(s, k->watch[i]))
			inotify_rm_watch(s->inotify, k->watch[i]);
}

/* Before the files are read, so that no change falls between. */
static void watch(struct stock *s, const struct catalog *c, const char *name, int watches[WATCHES])
{
	char path[1024], folder[1024];

	watches[0] = watches[1] = watches[2] = -1;
	if (!catalog_path(c->certificate, name, path, sizeof(path)) || access(path, F_OK))
		return;
	watches[1] = inotify_add_watch(s->inotify, path, IN_CHANGES);
	snprintf(folder, sizeof(folder), "%s", path);
	watches[0] = inotify_add_watch(s->inotify, dirname(folder), IN_CHANGES);
	if (catalog_path(c->key, name, path, sizeof(path)))
		watches[2] = inotify_add_watch(s->inotify, path, IN_CHANGES);
}

/* ---- coming and going */

static void destroy(struct kept *k)
{
	site_free(&k->site);
	free(k);
}

static void announce(struct stock *s, const struct kept *k)
{
	s->gone[s->gone_num++ % GONE_MAX] = k->number;
}

static void leave(struct stock *s, struct kept *k)
{
	unlink_hashes(s, k);
	unlink_age(s, k);
	s->count.held--;
	unwatch(s, k);
	announce(s, k);
	k->gone = true;
	if (!k->holders)
		destroy(k);
}

void stock_hold(struct site *site)
{
	((struct kept *)site)->holders++;
}

void stock_drop(struct site *site)
{
	struct kept *k = (struct kept *)site;

	if (!--k->holders && k->gone)
		destroy(k);
}

/* A stranger asks as often as he likes: one line a second. What the owner has changed is always told. */
static void complain(struct stock *s, const struct catalog *c, const char *name, const char *why, bool changed)
{
	time_t now = time(NULL);

	s->count.refused++;
	if (!changed && now == s->complained)
		return;
	s->complained = now;
	log_line(LOG_WARNING, "keeper: [identities %s] %s: %s", c->name, name, why);
}

static struct kept *keep(struct stock *s, unsigned int catalog, const char *name, struct site *site)
{
	struct kept *k = calloc(1, sizeof(*k) + strlen(name) + 1);

	if (!k) {
		site_free(site);
		free(site);
		return NULL;
	}
	k->site = *site;
	free(site);
	strcpy(k->name, name);
	k->catalog = catalog;
	k->number = CATALOG_KEY | (s->serial++ & ~(CATALOG_KEY | SIGN_DELEGATED));
	k->site.id.key = k->number;
	return k;
}

static void enter(struct stock *s, struct kept *k)
{
	link_hashes(s, k);
	link_newest(s, k);
	s->count.loads++;
	s->count.held++;
	while (s->count.held > s->max) {
		leave(s, s->oldest);
		s->count.evicted++;
	}
}

static int load(struct stock *s, unsigned int catalog, const char *name, bool changed, struct kept **ret)
{
	const struct catalog *c = &s->catalogs[catalog];
	struct kept none = { .catalog = catalog }, *k = NULL;
	char why[POLICY_WHY];
	struct site *site;
	int err;

	watch(s, c, name, none.watch);
	err = catalog_load(c, name, &site, why);
	if (err && err != -ENOENT)
		complain(s, c, name, *why ? why : strerror(-err), changed);
	if (!err)
		k = keep(s, catalog, name, site);
	if (!k) {
		unwatch(s, &none);
		return err ? err : -ENOMEM;
	}
	memcpy(k->watch, none.watch, sizeof(k->watch));
	*ret = k;
	return 0;
}

/* NULL: there is none any more. */
static struct kept *renew(struct stock *s, struct kept *old)
{
	struct kept *k;
	int err = load(s, old->catalog, old->name, true, &k);

	old->stale = false;
	if (err && err != -ENOENT)
		return old;
	leave(s, old);
	if (err)
		return NULL;
	enter(s, k);
	return k;
}

static struct kept *want(struct stock *s, unsigned int catalog, const char *name)
{
	struct kept *k = find_name(s, catalog, name);

	if (k) {
		touch(s, k);
		return k->stale ? renew(s, k) : k;
	}
	if (load(s, catalog, name, false, &k))
		return NULL;
	enter(s, k);
	return k;
}

/* The name itself; else a wildcard one, called "_.example.org" or, as some clients of ACME do, "example.org". */
static struct kept *find_for(struct stock *s, unsigned int catalog, const char *name)
{
	const char *dot = strchr(name, '.');
	char wild[CATALOG_NAME + 2];
	struct kept *k = want(s, catalog, name);

	if (k && x509_cert_has_name(k->site.id.chain[0], name))
		return k;
	if (!dot)
		return NULL;
	snprintf(wild, sizeof(wild), "_%s", dot);
	k = want(s, catalog, wild);
	if (k && x509_cert_has_name(k->site.id.chain[0], name))
		return k;
	k = want(s, catalog, dot + 1);
	return k && x509_cert_has_name(k->site.id.chain[0], name) ? k : NULL;
}

/* ---- workers */

/* The certificates one behind the other, end entity first: DER says where each ends. */
static bool put_chain(const struct identity *id, struct msg_identity *m)
{
	for (size_t i = 0; i < id->num; i++) {
		const struct x509_blob *der = x509_cert_der(id->chain[i]);

		if (m->len + der->len > sizeof(m->chain))
			return false;
		memcpy(m->chain + m->len, der->data, der->len);
		m->len += (uint32_t)der->len;
	}
	return true;
}

void stock_get(struct stock *s, const struct msg_identity_get *m, struct msg_identity *ret)
{
	char name[CATALOG_NAME];
	struct kept *k = NULL;

	memset(ret, 0, offsetof(struct msg_identity, chain));
	ret->type = MSG_IDENTITY;
	ret->id = m->id;
	ret->catalog = m->catalog;
	if (s && m->catalog < s->catalogs_num && memchr(m->name, '\0', sizeof(m->name)) &&
	    catalog_name(m->name, name)) {
		snprintf(ret->name, sizeof(ret->name), "%s", name);
		k = find_for(s, m->catalog, name);
	}
	if (!k)
		return;
	if (!put_chain(&k->site.id, ret)) {
		complain(s, &s->catalogs[m->catalog], name, "the chain is too long", false);
		return;
	}
	ret->key = k->number;
	snprintf(ret->title, sizeof(ret->title), "%s", k->site.id.name);
}

struct site *stock_site(struct stock *s, uint32_t number)
{
	struct kept *k = s ? s->by_number[number % BUCKETS] : NULL;

	while (k && k->number != number)
		k = k->same_number;
	if (k)
		touch(s, k);
	return k ? &k->site : NULL;
}

bool stock_gone(const struct stock *s, uint64_t *seen, struct msg_gone *ret)
{
	if (!s || *seen == s->gone_num)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->type = MSG_GONE;
	ret->all = s->gone_num - *seen > GONE_MAX;
	if (ret->all)
		*seen = s->gone_num;
	while (*seen != s->gone_num && ret->num < MSG_GONE_MAX)
		ret->key[ret->num++] = s->gone[(*seen)++ % GONE_MAX];
	return true;
}

uint64_t stock_gone_now(const struct stock *s)
{
	return s ? s->gone_num : 0;
}

/* ---- what changed */

static bool is_base(const struct stock *s, int watch)
{
	for (size_t i = 0; i < s->catalogs_num; i++)
		if (s->base[i] == watch)
			return true;
	return false;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* In a folder of many, only what has the certificate's name or the key's. */
static bool concerns(const struct kept *k, const struct inotify_event *ev)
{
	if (k->watch[1] == ev->wd || k->watch[2] == ev->wd)
		return true;
	if (k->watch[0] != ev->wd)
		return false;
	return !ev->len || !strcmp(ev->name, file_name(k->site.certificate_file)) ||
	       !strcmp(ev->name, file_name(k->site.key_file));
}

static void on_event(struct stock *s, const struct inotify_event *ev)
{
	struct kept *k;

	/* A name came or went: what workers have for others may be second to it now. */
	if (ev->mask & IN_Q_OVERFLOW || (is_base(s, ev->wd) && !(ev->mask & IN_ATTRIB)))
		s->gone_num += GONE_MAX + 1;
	for (k = s->newest; k; k = k->older) {
		if (k->stale || !(ev->mask & IN_Q_OVERFLOW || concerns(k, ev)))
			continue;
		k->stale = true;
		announce(s, k);
		s->count.changed++;
	}
}

void stock_look(struct stock *s)
{
	char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *ev;
	ssize_t n, at;

	while ((n = read(s->inotify, buf, sizeof(buf))) > 0) {
		for (at = 0; at < n; at += (ssize_t)(sizeof(*ev) + ev->len)) {
			ev = (const struct inotify_event *)(buf + at);
			on_event(s, ev);
		}
	}
}

/* ---- its life */

static int watch_base(struct stock *s, const struct catalog *c)
{
	char folder[1024];

	snprintf(folder, sizeof(folder), "%.*s", (int)(strchr(c->certificate, '*') - c->certificate), c->certificate);
	*(strrchr(folder, '/') + 1) = '\0';
	return inotify_add_watch(s->inotify, folder, IN_CHANGES);
}

struct stock *stock_new(const struct catalog *catalogs, size_t num, size_t max)
{
	struct stock *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->catalogs = catalogs;
	s->catalogs_num = num;
	s->max = max;
	s->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (s->inotify < 0) {
		free(s);
		return NULL;
	}
	for (size_t i = 0; i < num; i++)
		s->base[i] = watch_base(s, &catalogs[i]);
	return s;
}

void stock_free(struct stock *s)
{
	if (!s)
		return;
	close(s->inotify);
	s->inotify = -1;
	while (s->oldest)
		leave(s, s->oldest);
	free(s);
}

int stock_fd(const struct stock *s)
{
	return s->inotify;
}

struct stock_counters stock_counters(const struct stock *s)
{
	return s->count;
}
