/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a server's name to the files of its identity. The name comes from a
 * stranger and becomes part of a path: letters, digits, dashes, underscores and
 * single dots are all that it may have.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "catalog.h"
#include "config.h"

#define NAME_LEN	253
#define TITLE_LEN	63

bool catalog_name(const char *from, char to[CATALOG_NAME])
{
	size_t len = strlen(from), i;

	if (len && from[len - 1] == '.')	/* an absolute name */
		len--;
	if (!len || len > NAME_LEN)
		return false;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from[i];

		if (!isalnum(c) && c != '-' && c != '_' && c != '.')
			return false;
		if (c == '.' && (!i || from[i - 1] == '.'))
			return false;
		to[i] = (char)tolower(c);
	}
	to[len] = '\0';
	return true;
}

/* One * in it, behind the first directory. */
static bool is_pattern(const char *path)
{
	const char *star = path ? strchr(path, '*') : NULL;

	return star && star > path + 1 && !strchr(star + 1, '*');
}

int catalog_check(const struct catalog *c, char why[POLICY_WHY])
{
	if (!is_pattern(c->certificate) || !is_pattern(c->key)) {
		const char *which = is_pattern(c->certificate) ? "key" : "certificate";

		snprintf(why, POLICY_WHY, "has no %s with a * for the server's name: add %s = /etc/ktls/sites/*/%s.pem",
			 which, which, which);
		return -EINVAL;
	}
	if (!c->allow.num)
		snprintf(why, POLICY_WHY, "allows nobody: add allow = user:NAME");
	return 0;
}

void catalog_free(struct catalog *c)
{
	free(c->name);
	free(c->certificate);
	free(c->key);
	free(c->passphrase);
	free(c->alpn);
}

bool catalog_path(const char *pattern, const char *name, char *path, size_t size)
{
	const char *star = strchr(pattern, '*');
	int n = snprintf(path, size, "%.*s%s%s", (int)(star - pattern), pattern, name, star + 1);

	return n > 0 && (size_t)n < size;
}

void catalog_title(const struct catalog *c, const char *name, char title[64])
{
	uint8_t digest[32];

	if (snprintf(title, 64, "%s/%s", c->name, name) <= TITLE_LEN)
		return;
	crypto_hash_once(&crypto_sha256, name, strlen(name), digest);
	snprintf(title, 64, "%s/%.20s~%02x%02x%02x%02x", c->name, name, digest[0], digest[1], digest[2], digest[3]);
}

static int fill(struct site *site, const struct catalog *c, const char *name)
{
	char path[1024], title[64];

	if (!catalog_path(c->certificate, name, path, sizeof(path)) || access(path, F_OK))
		return -ENOENT;
	site->certificate_file = strdup(path);
	if (!catalog_path(c->key, name, path, sizeof(path)))
		return -ENOENT;
	site->key_file = strdup(path);
	if (c->passphrase && !strchr(c->passphrase, '*'))
		site->passphrase_file = strdup(c->passphrase);
	else if (c->passphrase && catalog_path(c->passphrase, name, path, sizeof(path)) && !access(path, F_OK))
		site->passphrase_file = strdup(path);
	catalog_title(c, name, title);
	site->id.name = strdup(title);
	site->allow = c->allow;
	return site->certificate_file && site->key_file && site->id.name ? 0 : -ENOMEM;
}

int catalog_load(const struct catalog *c, const char *name, struct site **ret, char why[POLICY_WHY])
{
	struct site *site = calloc(1, sizeof(*site));
	struct files *files = files_new();
	int err = -ENOMEM;

	*why = '\0';
	if (site && files)
		err = fill(site, c, name);
	if (!err)
		err = site_load(site, files, true, why);
	files_free(files);
	if (!err) {
		*ret = site;
		return 0;
	}
	if (site)
		site_free(site);
	free(site);
	return err;
}
