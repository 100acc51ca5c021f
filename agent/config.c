/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration: sections and keys are one table, every bad line
 * is reported with its place and what to do, and nothing is in force unless
 * all is good. inih splits the lines; the reader under it counts them.
 */
#include <errno.h>
#include <ini.h>
#include <linux/tls.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "handshake/hs.h"
#include "log.h"

#define ALL(array)	(array), (array) + sizeof(array) / sizeof((array)[0])
#define NAME_LEN	32	/* inih knows section names of up to 49 bytes */

enum section { IN_NOTHING, IN_AGENT, IN_IDENTITY, IN_TRUST, IN_CLIENT };

struct parse {
	struct config *c;
	struct config_report *report;
	const char *next;		/* text not yet read */
	int line;
	char section[64];		/* the header last seen */
	enum section in;
	struct site *site;		/* in [identity NAME] */
	struct trust *trust;		/* in [trust NAME] */
	uint32_t seen[IN_CLIENT + 1];	/* options of the section already set */
};

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

static int __attribute__((format(printf, 3, 4)))
bad(struct parse *p, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(p->report, p->c->path, line, "", fmt, ap);
	va_end(ap);
	p->report->errors++;
	return -EINVAL;
}

static void __attribute__((format(printf, 3, 4)))
warn(struct parse *p, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(p->report, p->c->path, line, "warning: ", fmt, ap);
	va_end(ap);
	p->report->warnings++;
}

/* ---- values */

static int read_number(struct parse *p, const char *key, const char *value, unsigned int min,
		       unsigned int max, unsigned int *ret)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *value < '0' || *value > '9' || *end || n < min || n > max)
		return bad(p, p->line, "%s = \"%.40s\" is out of range: write a number from %u to %u", key, value, min, max);
	*ret = n;
	return 0;
}

static int read_string(struct parse *p, const char *value, char **ret)
{
	char *copy = strdup(value);

	if (!copy)
		return bad(p, p->line, "no memory");
	free(*ret);
	*ret = copy;
	return 0;
}

static int read_path(struct parse *p, const char *key, const char *value, char **ret)
{
	if (*value != '/')
		return bad(p, p->line, "%s = \"%.100s\" is no absolute path: begin it with /", key, value);
	return read_string(p, value, ret);
}

struct word { const char *name; int value; };

static const struct word ciphers[] = {
	{ "aes-128-gcm",	TLS_CIPHER_AES_GCM_128 },
	{ "aes-256-gcm",	TLS_CIPHER_AES_GCM_256 },
	{ "chacha20-poly1305",	TLS_CIPHER_CHACHA20_POLY1305 },
};

static const struct word groups[] = {
	{ "x25519mlkem768",	4588 },
	{ "x25519",		29 },
	{ "secp256r1",		23 },
	{ "secp384r1",		24 },
	{ "secp521r1",		25 },
	{ "x448",		30 },
	{ "ffdhe2048",		256 },
	{ "ffdhe3072",		257 },
	{ "ffdhe4096",		258 },
};

static const struct word levels[] = {
	{ "error",	LOG_ERR },
	{ "warning",	LOG_WARNING },
	{ "info",	LOG_INFO },
	{ "debug",	LOG_DEBUG },
};

static const struct word answers[] = {
	{ "yes", 1 },
	{ "no", 0 },
};

static int read_word(struct parse *p, const char *key, const char *value,
		     const struct word *w, const struct word *end, int *ret)
{
	const struct word *first = w;
	char known[256] = "";

	for (; w < end; w++) {
		if (!strcmp(w->name, value)) {
			*ret = w->value;
			return 0;
		}
	}
	for (w = first; w < end; w++) {
		strcat(known, w == first ? "" : ", ");
		strcat(known, w->name);
	}
	return bad(p, p->line, "%s has no \"%.40s\": choose from %s", key, value, known);
}

static int read_words(struct parse *p, const char *key, const char *value,
		      const struct word *w, const struct word *end, uint16_t *list, size_t *num)
{
	char copy[256], *rest = copy, *word;
	int v;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((word = strsep(&rest, " ,\t\n"))) {
		if (!*word)
			continue;
		if (read_word(p, key, word, w, end, &v))
			return -EINVAL;
		if (*num == CONFIG_LIST)
			return bad(p, p->line, "%s has more than %d entries: remove some", key, CONFIG_LIST);
		list[(*num)++] = v;
	}
	return 0;
}

/* ---- keys */

static int set_workers(struct parse *p, const char *key, const char *value)
{
	if (!strcmp(value, "auto"))
		return 0;
	return read_number(p, key, value, 1, 256, &p->c->workers);
}

static int set_user(struct parse *p, const char *key, const char *value)
{
	const struct passwd *pw = getpwnam(value);

	if (!pw)
		return bad(p, p->line, "%s = \"%.40s\": there is no such user: useradd -r %.40s, or name another", key, value, value);
	if (!pw->pw_uid)
		return bad(p, p->line, "%s = \"%.40s\" is root: workers must be unprivileged, name another", key, value);
	p->c->uid = pw->pw_uid;
	p->c->gid = pw->pw_gid;
	return read_string(p, value, &p->c->user);
}

static int set_log(struct parse *p, const char *key, const char *value)
{
	return read_word(p, key, value, ALL(levels), &p->c->log_level);
}

static int set_handshakes(struct parse *p, const char *key, const char *value)
{
	return read_number(p, key, value, 1, 65535, &p->c->handshakes);
}

static int set_rsa_min_bits(struct parse *p, const char *key, const char *value)
{
	return read_number(p, key, value, 1024, 8192, &p->c->rsa_min_bits);
}

static int set_tickets(struct parse *p, const char *key, const char *value)
{
	return read_number(p, key, value, 0, HS_TICKETS_MAX, &p->c->tickets);
}

static int set_ticket_lifetime(struct parse *p, const char *key, const char *value)
{
	return read_number(p, key, value, 60, HS_WEEK, &p->c->ticket_lifetime);
}

static int set_client_tickets(struct parse *p, const char *key, const char *value)
{
	return read_number(p, key, value, 0, 4096, &p->c->client_tickets);
}

static int set_ciphers(struct parse *p, const char *key, const char *value)
{
	return read_words(p, key, value, ALL(ciphers), p->c->ciphers, &p->c->ciphers_num);
}

static int set_groups(struct parse *p, const char *key, const char *value)
{
	return read_words(p, key, value, ALL(groups), p->c->groups, &p->c->groups_num);
}

static int set_control(struct parse *p, const char *key, const char *value)
{
	if (strlen(value) > 100)
		return bad(p, p->line, "%s is longer than the 100 bytes a UNIX socket's name may have: choose a shorter path", key);
	return read_path(p, key, value, &p->c->control);
}

static int set_certificate(struct parse *p, const char *key, const char *value)
{
	return read_path(p, key, value, &p->site->certificate_file);
}

static int set_key(struct parse *p, const char *key, const char *value)
{
	return read_path(p, key, value, &p->site->key_file);
}

static int set_passphrase_file(struct parse *p, const char *key, const char *value)
{
	return read_path(p, key, value, &p->site->passphrase_file);
}

static int set_default(struct parse *p, const char *key, const char *value)
{
	int yes;

	if (read_word(p, key, value, ALL(answers), &yes))
		return -EINVAL;
	p->site->is_default = yes;
	return 0;
}

static int set_file(struct parse *p, const char *key, const char *value)
{
	return read_path(p, key, value, &p->trust->file);
}

static int set_crl(struct parse *p, const char *key, const char *value)
{
	return read_path(p, key, value, &p->trust->crl_file);
}

static int read_answer(struct parse *p, const char *key, const char *value, bool *ret)
{
	int yes;

	if (read_word(p, key, value, ALL(answers), &yes))
		return -EINVAL;
	*ret = yes;
	return 0;
}

static int set_crl_required(struct parse *p, const char *key, const char *value)
{
	return read_answer(p, key, value, &p->trust->crl_required);
}

static int set_strict(struct parse *p, const char *key, const char *value)
{
	return read_answer(p, key, value, &p->trust->strict);
}

static int add_rules(struct parse *p, const char *key, const char *value)
{
	struct rules *r = p->in == IN_CLIENT ? &p->c->client : &p->site->allow;
	char why[POLICY_WHY] = "";

	if (rules_parse(r, value, why))
		return bad(p, p->line, "%s: %s", key, why);
	if (*why)
		warn(p, p->line, "%s: %s", key, why);
	return 0;
}

static const struct option {
	enum section in;
	const char *key;
	bool again;		/* may stand more than once: values add up */
	int (*set)(struct parse *p, const char *key, const char *value);
} options[] = {
	{ IN_AGENT,	"workers",	false,	set_workers },
	{ IN_AGENT,	"user",		false,	set_user },
	{ IN_AGENT,	"log",		false,	set_log },
	{ IN_AGENT,	"handshakes",	false,	set_handshakes },
	{ IN_AGENT,	"rsa-min-bits",	false,	set_rsa_min_bits },
	{ IN_AGENT,	"tickets",	false,	set_tickets },
	{ IN_AGENT,	"ticket-lifetime", false, set_ticket_lifetime },
	{ IN_AGENT,	"client-tickets", false, set_client_tickets },
	{ IN_AGENT,	"ciphers",	true,	set_ciphers },
	{ IN_AGENT,	"groups",	true,	set_groups },
	{ IN_AGENT,	"control",	false,	set_control },
	{ IN_IDENTITY,	"certificate",	false,	set_certificate },
	{ IN_IDENTITY,	"key",		false,	set_key },
	{ IN_IDENTITY,	"passphrase-file",	false,	set_passphrase_file },
	{ IN_IDENTITY,	"allow",	true,	add_rules },
	{ IN_IDENTITY,	"default",	false,	set_default },
	{ IN_TRUST,	"file",		false,	set_file },
	{ IN_TRUST,	"crl",		false,	set_crl },
	{ IN_TRUST,	"crl-required",	false,	set_crl_required },
	{ IN_TRUST,	"strict",	false,	set_strict },
	{ IN_CLIENT,	"allow",	true,	add_rules },
};

#define OPTIONS_NUM (sizeof(options) / sizeof(options[0]))
_Static_assert(OPTIONS_NUM <= 32, "struct parse.seen has a bit for each option");

static int set_option(struct parse *p, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < OPTIONS_NUM; i++)
		if (options[i].in == p->in && !strcmp(options[i].key, key))
			break;
	if (i == OPTIONS_NUM)
		return bad(p, p->line, "[%s] has no key \"%.40s\": see ktlsd.conf(5)", p->section, key);
	if (!*value)
		return bad(p, p->line, "%s has no value: write one behind the =, or remove the line", key);
	if (!options[i].again && p->seen[p->in] & 1u << i)
		return bad(p, p->line, "%s was given before in [%s]: remove one of them", key, p->section);
	p->seen[p->in] |= 1u << i;
	return options[i].set(p, key, value);
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
			return bad(p, p->line, "[identity %s] began at line %d already: give it another name or join the two", name, c->sites[i].line);
	if (grow((void **)&c->sites, c->sites_num, sizeof(*c->sites)))
		return bad(p, p->line, "no memory");
	p->site = &c->sites[c->sites_num];
	p->site->line = p->line;
	p->site->id.key = c->sites_num;
	p->seen[IN_IDENTITY] = 0;
	if (read_string(p, name, &p->site->id.name))
		return -EINVAL;
	c->sites_num++;
	p->in = IN_IDENTITY;
	return 0;
}

static int open_trust(struct parse *p, const char *name)
{
	struct config *c = p->c;
	size_t i;

	for (i = 0; i < c->trusts_num; i++)
		if (!strcmp(c->trusts[i].name, name))
			return bad(p, p->line, "[trust %s] began at line %d already: give it another name or join the two", name, c->trusts[i].line);
	if (grow((void **)&c->trusts, c->trusts_num, sizeof(*c->trusts)))
		return bad(p, p->line, "no memory");
	p->trust = &c->trusts[c->trusts_num];
	p->trust->line = p->line;
	p->seen[IN_TRUST] = 0;
	if (read_string(p, name, &p->trust->name))
		return -EINVAL;
	c->trusts_num++;
	p->in = IN_TRUST;
	return 0;
}

static bool good_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return len && !name[len] && len <= NAME_LEN;
}

static int open_section(struct parse *p, const char *header)
{
	const char *name = strchr(header, ' ');

	p->in = IN_NOTHING;
	snprintf(p->section, sizeof(p->section), "%s", header);
	if (!strcmp(header, "agent"))
		p->in = IN_AGENT;
	else if (!strcmp(header, "client"))
		p->in = IN_CLIENT;
	if (p->in != IN_NOTHING)
		return 0;
	if (!name || (strncmp(header, "identity ", 9) && strncmp(header, "trust ", 6)))
		return bad(p, p->line, "there is no section [%s]: write [agent], [client], [identity NAME] or [trust NAME]", header);
	if (!good_name(name + 1))
		return bad(p, p->line, "[%s]: a name has 1 to %d letters, digits, dots, dashes and underscores: choose another", header, NAME_LEN);
	return *header == 'i' ? open_identity(p, name + 1) : open_trust(p, name + 1);
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
		bad(p, p->line, "the section's name is longer than 44 bytes: shorten it");
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
		bad(p, p->line, "the line has more than %d bytes: continue it on the next, indented", size - 3);
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
		bad(p, p->line, "\"%.40s\" stands before any section: put it under [agent] or another", key);
	else if (strcmp(section, p->section))
		bad(p, p->line, "[%s] is indented: begin its line with the [", section);
	else if (p->in != IN_NOTHING)
		set_option(p, key, value);
	return 1;
}

static void read_text(struct parse *p, const char *text)
{
	int line;

	p->next = text;
	line = ini_parse_stream(next_line, p, handle, p);
	if (line > 0)
		bad(p, line, "the line is no section, no KEY = VALUE and no comment: correct it");
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
	c->log_level = LOG_INFO;
	c->user = strdup(pw ? pw->pw_name : "65534");
	c->control = strdup("/run/ktlsd/control");
	return c->user && c->control ? 0 : -ENOMEM;
}

static void fill_lists(struct config *c)
{
	size_t i;

	if (!c->ciphers_num)
		for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
			c->ciphers[c->ciphers_num++] = ciphers[i].value;
	if (!c->client.num)
		c->client.rule[c->client.num++].kind = RULE_EVERYONE;
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
		read_string(p, CONFIG_SYSTEM, &p->trust->file);
}

static void load_named(struct parse *p, bool keys)
{
	struct config *c = p->c;
	char why[POLICY_WHY];
	size_t i;

	for (i = 0; i < c->sites_num; i++) {
		*why = '\0';
		if (site_load(&c->sites[i], c->files, keys, why))
			bad(p, c->sites[i].line, "[identity %s] %s", c->sites[i].id.name, why);
		else if (*why)
			warn(p, c->sites[i].line, "[identity %s] %s", c->sites[i].id.name, why);
	}
	for (i = 0; i < c->trusts_num; i++)
		if (trust_load(&c->trusts[i], c->files, why))
			bad(p, c->trusts[i].line, "[trust %s] %s", c->trusts[i].name, why);
}

static int load(struct parse *p, bool keys)
{
	struct config *c = p->c;
	const char *text;
	size_t len;
	int err;

	err = files_read(c->files, c->path, &text, &len);
	if (err)
		return bad(p, 0, "cannot be read (%s): create it, or name another with --config", strerror(-err));
	if (strlen(text) != len)
		return bad(p, 0, "has a NUL byte: it is no text file");
	read_text(p, text);
	add_system(p);
	fill_lists(c);
	if (!p->report->errors)		/* else half of what these say would be consequences */
		load_named(p, keys);
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
	for (i = 0; i < c->trusts_num; i++)
		trust_free(&c->trusts[i]);
	free(c->sites);
	free(c->trusts);
	files_free(c->files);
	free(c->path);
	free(c->user);
	free(c->control);
	free(c);
}
