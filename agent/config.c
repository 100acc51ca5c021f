/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration: every bad line is reported with its place and
 * what to do, and nothing is in force unless all is good. inih splits the lines;
 * the reader under it counts them. What the keys mean is in options.c.
 */
#include <errno.h>
#include <ini.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fips.h"
#include "handshake/version.h"
#include "log.h"
#include "options.h"
#include "profile.h"

#define NAME_LEN	32	/* inih knows section names of up to 49 bytes */

static void report_va(struct config_report *r, const char *path, int line, const char *kind,
		      const char *fmt, va_list ap)
{
	char what[512];

	vsnprintf(what, sizeof(what), fmt, ap);
	r->len += snprintf(r->text + r->len, sizeof(r->text) - r->len, "%s:%d: %s%s\n",
			   path, line, kind, what);
	if (r->len >= sizeof(r->text))
		r->len = sizeof(r->text) - 1;
}

int config_bad(struct parse *p, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(p->report, p->c->path, line, "", fmt, ap);
	va_end(ap);
	p->report->errors++;
	return -EINVAL;
}

void config_warn(struct parse *p, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(p->report, p->c->path, line, "warning: ", fmt, ap);
	va_end(ap);
	p->report->warnings++;
}

/* ---- sections */

static int grow(void **array, size_t num, size_t size)
{
	void *bigger = reallocarray(*array, num + 1, size);

	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	memset((char *)bigger + num * size, 0, size);
	return 0;
}

static int open_identity(struct parse *p, const char *name)
{
	struct config *c = p->c;
	size_t i;

	for (i = 0; i < c->sites_num; i++)
		if (!strcmp(c->sites[i].id.name, name))
			return config_bad(p, p->line, "[identity %s] began at line %d already: give it another name or join the two", name, c->sites[i].line);
	if (grow((void **)&c->sites, c->sites_num, sizeof(*c->sites)))
		return config_bad(p, p->line, "no memory");
	p->site = &c->sites[c->sites_num];
	p->site->line = p->line;
	p->site->id.key = c->sites_num;
	p->seen[IN_IDENTITY] = 0;
	if (config_string(p, name, &p->site->id.name))
		return -EINVAL;
	c->sites_num++;
	p->in = IN_IDENTITY;
	return 0;
}

static int open_catalog(struct parse *p, const char *name)
{
	struct config *c = p->c;
	size_t i;

	for (i = 0; i < c->catalogs_num; i++)
		if (!strcmp(c->catalogs[i].name, name))
			return config_bad(p, p->line, "[identities %s] began at line %d already: give it another name or join the two", name, c->catalogs[i].line);
	if (c->catalogs_num == CATALOGS_MAX)
		return config_bad(p, p->line, "there are more than %d sections [identities NAME]: join some", CATALOGS_MAX);
	if (grow((void **)&c->catalogs, c->catalogs_num, sizeof(*c->catalogs)))
		return config_bad(p, p->line, "no memory");
	p->catalog = &c->catalogs[c->catalogs_num];
	p->catalog->line = p->line;
	p->seen[IN_IDENTITIES] = 0;
	if (config_string(p, name, &p->catalog->name))
		return -EINVAL;
	c->catalogs_num++;
	p->in = IN_IDENTITIES;
	return 0;
}

static int open_trust(struct parse *p, const char *name)
{
	struct config *c = p->c;
	size_t i;

	for (i = 0; i < c->trusts_num; i++)
		if (!strcmp(c->trusts[i].name, name))
			return config_bad(p, p->line, "[trust %s] began at line %d already: give it another name or join the two", name, c->trusts[i].line);
	if (grow((void **)&c->trusts, c->trusts_num, sizeof(*c->trusts)))
		return config_bad(p, p->line, "no memory");
	p->trust = &c->trusts[c->trusts_num];
	p->trust->line = p->line;
	p->seen[IN_TRUST] = 0;
	if (config_string(p, name, &p->trust->name))
		return -EINVAL;
	c->trusts_num++;
	p->in = IN_TRUST;
	return 0;
}

static int open_psk(struct parse *p, const char *name)
{
	struct config *c = p->c;
	size_t i;

	for (i = 0; i < c->psks_num; i++)
		if (!strcmp(c->psks[i].name, name))
			return config_bad(p, p->line, "[psk %s] began at line %d already: give it another name or join the two", name, c->psks[i].line);
	if (grow((void **)&c->psks, c->psks_num, sizeof(*c->psks)))
		return config_bad(p, p->line, "no memory");
	p->psk = &c->psks[c->psks_num];
	p->psk->line = p->line;
	p->psk->psk.hash = &crypto_sha256;
	p->seen[IN_PSK] = 0;
	if (config_string(p, name, &p->psk->name))
		return -EINVAL;
	c->psks_num++;
	p->in = IN_PSK;
	return 0;
}

static bool good_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return len && !name[len] && len <= NAME_LEN;
}

static const struct named_section {
	const char *begins;
	int (*open)(struct parse *p, const char *name);
} named_sections[] = {
	{ "identity ", open_identity },
	{ "identities ", open_catalog },
	{ "trust ", open_trust },
	{ "psk ", open_psk },
};

static int open_section(struct parse *p, const char *header)
{
	const struct named_section *s = named_sections, *end = s + sizeof(named_sections) / sizeof(*s);
	const char *name;

	p->in = IN_NOTHING;
	snprintf(p->section, sizeof(p->section), "%s", header);
	if (!strcmp(header, "agent"))
		p->in = IN_AGENT;
	else if (!strcmp(header, "client"))
		p->in = IN_CLIENT;
	if (p->in != IN_NOTHING)
		return 0;
	while (s < end && strncmp(header, s->begins, strlen(s->begins)))
		s++;
	if (s == end)
		return config_bad(p, p->line, "there is no section [%s]: write [agent], [client], [identity NAME], [identities NAME], [trust NAME] or [psk NAME]", header);
	name = header + strlen(s->begins);
	if (!good_name(name))
		return config_bad(p, p->line, "[%s]: a name has 1 to %d letters, digits, dots, dashes and underscores: choose another", header, NAME_LEN);
	return s->open(p, name);
}

/* ---- the file */

/* Takes "[header]" itself, so that an empty section is seen and has its line. */
static void see_header(struct parse *p, const char *line)
{
	const char *end = strchr(line, ']');
	char header[64];

	if (*line != '[' || !end)
		return;
	if (end - line > 45) {
		p->in = IN_NOTHING;
		config_bad(p, p->line, "the section's name is longer than 44 bytes: shorten it");
		return;
	}
	snprintf(header, sizeof(header), "%.*s", (int)(end - line - 1), line + 1);
	open_section(p, header);
}

/* inih's fgets: the next line, or NULL. */
static char *next_line(char *buf, int size, void *arg)
{
	struct parse *p = arg;
	size_t len = strcspn(p->next, "\n");

	if (!*p->next)
		return NULL;
	p->line++;
	if (len + 3 > (size_t)size) {
		config_bad(p, p->line, "the line has more than %d bytes: continue it on the next, indented", size - 3);
		snprintf(buf, size, "\n");
	} else {
		snprintf(buf, size, "%.*s\n", (int)len, p->next);
		see_header(p, buf);
	}
	p->next += len + (p->next[len] == '\n');
	return buf;
}

static int handle(void *arg, const char *section, const char *key, const char *value)
{
	struct parse *p = arg;

	if (!*section)
		config_bad(p, p->line, "\"%.40s\" stands before any section: put it under [agent] or another", key);
	else if (strcmp(section, p->section))
		config_bad(p, p->line, "[%s] is indented: begin its line with the [", section);
	else if (p->in != IN_NOTHING)
		config_set(p, key, value);
	return 1;
}

static void read_text(struct parse *p, const char *text)
{
	int line;

	p->next = text;
	line = ini_parse_stream(next_line, p, handle, p);
	if (line > 0)
		config_bad(p, line, "the line is no section, no KEY = VALUE and no comment: correct it");
}

/* ---- defaults and the files that are named */

static int defaults(struct config *c)
{
	const struct passwd *pw = getpwnam("ktlsd");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!pw)
		pw = getpwnam("nobody");
	c->uid = pw ? pw->pw_uid : 65534;
	c->gid = pw ? pw->pw_gid : 65534;
	c->workers = cpus > 0 ? cpus : 1;
	c->handshakes = 1024;
	c->rsa_min_bits = 2048;
	c->tickets = 2;
	c->ticket_lifetime = 7200;
	c->client_tickets = 512;
	c->session_ids = 1024;
	c->identity_cache = 1024;
	c->signers = cpus > 4 ? (unsigned int)cpus : 4;
	c->min_version = TLS12;
	c->max_version = TLS13;
	c->log_level = LOG_INFO;
	c->user = strdup(pw ? pw->pw_name : "65534");
	c->control = strdup("/run/ktlsd/control");
	return c->user && c->control ? 0 : -ENOMEM;
}

/* Debian's bundle is the store "system" unless the file says otherwise. */
static void add_system(struct parse *p)
{
	size_t i;

	for (i = 0; i < p->c->trusts_num; i++)
		if (!strcmp(p->c->trusts[i].name, "system"))
			return;
	if (access(CONFIG_SYSTEM, R_OK))
		return;
	p->line = 0;
	if (!open_trust(p, "system"))
		config_string(p, CONFIG_SYSTEM, &p->trust->file);
}

static void load_named(struct parse *p, bool keys)
{
	struct config *c = p->c;
	char why[POLICY_WHY];
	size_t i;

	for (i = 0; i < c->sites_num; i++) {
		*why = '\0';
		if (site_load(&c->sites[i], c->files, keys, why))
			config_bad(p, c->sites[i].line, "[identity %s] %s", c->sites[i].id.name, why);
		else if (*why)
			config_warn(p, c->sites[i].line, "[identity %s] %s", c->sites[i].id.name, why);
	}
	for (i = 0; i < c->catalogs_num; i++) {
		*why = '\0';
		if (catalog_check(&c->catalogs[i], why))
			config_bad(p, c->catalogs[i].line, "[identities %s] %s", c->catalogs[i].name, why);
		else if (*why)
			config_warn(p, c->catalogs[i].line, "[identities %s] %s", c->catalogs[i].name, why);
	}
	for (i = 0; i < c->trusts_num; i++)
		if (trust_load(&c->trusts[i], c->files, why))
			config_bad(p, c->trusts[i].line, "[trust %s] %s", c->trusts[i].name, why);
	for (i = 0; i < c->psks_num; i++)
		if (key_by_hand_load(&c->psks[i], c->files, why))
			config_bad(p, c->psks[i].line, "[psk %s] %s", c->psks[i].name, why);
}

/* Before any key is read. The workers' program is the keeper's, which has checked it. */
static void begin_fips(struct parse *p, bool keys)
{
	struct config *c = p->c;
	char why[FIPS_WHY];

	if (c->fips == FIPS_NO)
		return;
	if (fips_restrict(c))
		config_bad(p, 0, "ciphers, groups or schemes have none that FIPS mode approves: add aes-128-gcm, secp256r1 or ecdsa_secp256r1_sha256");
	else if (fips_start(keys, why))
		config_bad(p, 0, "FIPS mode: %s", why);
}

static int load(struct parse *p, bool keys)
{
	struct config *c = p->c;
	const char *text;
	size_t len;
	int err;

	err = files_read(c->files, c->path, &text, &len);
	if (err)
		return config_bad(p, 0, "cannot be read (%s): create it, or name another with --config", strerror(-err));
	if (strlen(text) != len)
		return config_bad(p, 0, "has a NUL byte: it is no text file");
	read_text(p, text);
	add_system(p);
	if (c->fips == FIPS_AUTO)
		c->fips = fips_kernel_wants() ? FIPS_YES : FIPS_NO;
	if (c->fips == FIPS_YES && !c->profile)
		c->profile = profile_find("fips");
	config_fill(c);
	if (c->min_version > c->max_version)
		config_bad(p, 0, "min-version of [agent] is above max-version: raise the one or lower the other");
	begin_fips(p, keys);
	if (!p->report->errors)		/* else half of what these say would be consequences */
		load_named(p, keys);
	if (!p->report->errors && keys && c->catalogs_num) {
		c->stock = stock_new(c->catalogs, c->catalogs_num, c->identity_cache);
		if (!c->stock)
			config_bad(p, 0, "no memory, or no inotify, for [identities NAME]");
	}
	return p->report->errors ? -EINVAL : 0;
}

int config_load(const char *path, struct files *files, bool keys,
		struct config **ret, struct config_report *report)
{
	struct config *c = calloc(1, sizeof(*c));
	struct parse p = { .c = c, .report = report };
	int err = -ENOMEM;

	memset(report, 0, sizeof(*report));
	if (!c) {
		files_free(files);
		return -ENOMEM;
	}
	c->refs = 1;
	c->files = files;
	c->path = strdup(path);
	if (c->path)
		err = defaults(c);
	if (!err)
		err = load(&p, keys);
	if (err) {
		config_put(c);
		return err;
	}
	*ret = c;
	return 0;
}

struct config *config_get(struct config *c)
{
	c->refs++;
	return c;
}

void config_put(struct config *c)
{
	size_t i;

	if (!c || --c->refs)
		return;
	for (i = 0; i < c->sites_num; i++)
		site_free(&c->sites[i]);
	stock_free(c->stock);
	for (i = 0; i < c->catalogs_num; i++)
		catalog_free(&c->catalogs[i]);
	free(c->catalogs);
	for (i = 0; i < c->trusts_num; i++)
		trust_free(&c->trusts[i]);
	for (i = 0; i < c->psks_num; i++)
		key_by_hand_free(&c->psks[i]);
	free(c->psks);
	free(c->sites);
	free(c->trusts);
	files_free(c->files);
	free(c->path);
	free(c->user);
	free(c->control);
	free(c->relay);
	free(c->key_log);
	free(c->ticket_secret);
	free(c->ticket_redis);
	free(c);
}
