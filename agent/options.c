/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the configuration file: a table says in which section each
 * stands, whether it may come again, and what reads its value. Those of [agent]
 * are here, those of the other sections in options_named.c.
 */
#include <errno.h>
#include <linux/ktls.h>
#include <linux/tls.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "handshake/hs.h"
#include "handshake/version.h"
#include "log.h"
#include "options.h"
#include "profile.h"

/* ---- values */

int config_number(struct parse *p, const char *key, const char *value, unsigned int min,
		  unsigned int max, unsigned int *ret)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *value < '0' || *value > '9' || *end || n < min || n > max)
		return config_bad(p, p->line, "%s = \"%.40s\" is out of range: write a number from %u to %u", key, value, min, max);
	*ret = n;
	return 0;
}

int config_string(struct parse *p, const char *value, char **ret)
{
	char *copy = strdup(value);

	if (!copy)
		return config_bad(p, p->line, "no memory");
	free(*ret);
	*ret = copy;
	return 0;
}

int config_path(struct parse *p, const char *key, const char *value, char **ret)
{
	if (*value != '/')
		return config_bad(p, p->line, "%s = \"%.100s\" is no absolute path: begin it with /", key, value);
	return config_string(p, value, ret);
}

static const struct word ciphers[] = {
	{ "aes-128-gcm",	TLS_CIPHER_AES_GCM_128 },
	{ "aes-256-gcm",	TLS_CIPHER_AES_GCM_256 },
	{ "chacha20-poly1305",	TLS_CIPHER_CHACHA20_POLY1305 },
	{ "aes-128-ccm",	TLS_CIPHER_AES_CCM_128 },
	{ "aes-256-ccm",	KTLS_CIPHER_AES_CCM_256 },
	{ "aes-128-ccm-8",	KTLS_CIPHER_AES_CCM_8_128 },
	{ "aes-128-cbc-sha",	KTLS_CIPHER_AES_CBC_128_SHA },
	{ "aes-256-cbc-sha",	KTLS_CIPHER_AES_CBC_256_SHA },
	{ "aes-128-cbc-sha256",	KTLS_CIPHER_AES_CBC_128_SHA256 },
	{ "aes-256-cbc-sha256",	KTLS_CIPHER_AES_CBC_256_SHA256 },
	{ "aes-256-cbc-sha384",	KTLS_CIPHER_AES_CBC_256_SHA384 },
};

static const struct word psk_exchanges[] = {
	{ "ecdhe",	HS_PSK12_ECDHE },
	{ "dhe",	HS_PSK12_DHE },
	{ "plain",	HS_PSK12_PLAIN },
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
	{ "brainpoolP256r1",	26 },
	{ "brainpoolP384r1",	27 },
	{ "brainpoolP512r1",	28 },
	{ "brainpoolP256r1tls13", 31 },
	{ "brainpoolP384r1tls13", 32 },
	{ "brainpoolP512r1tls13", 33 },
};

static const struct word versions[] = {
	{ "1.2", TLS12 },
	{ "1.3", TLS13 },
};

static const struct word levels[] = {
	{ "error",	LOG_ERR },
	{ "warning",	LOG_WARNING },
	{ "info",	LOG_INFO },
	{ "debug",	LOG_DEBUG },
};

static const struct word fips[] = {
	{ "auto", FIPS_AUTO },
	{ "no", FIPS_NO },
	{ "yes", FIPS_YES },
};

static const struct word answers[] = {
	{ "yes", 1 },
	{ "no", 0 },
};

static const struct word orders[] = {
	{ "strength", PREFER_STRENGTH },
	{ "cost", PREFER_COST },
};

int config_word(struct parse *p, const char *key, const char *value,
		const struct word *w, const struct word *end, int *ret)
{
	const struct word *first = w;
	char known[1024] = "";

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
	return config_bad(p, p->line, "%s has no \"%.40s\": choose from %s", key, value, known);
}

static int read_words(struct parse *p, const char *key, const char *value,
		      const struct word *w, const struct word *end, uint16_t *list, size_t *num)
{
	char copy[1024], *rest = copy, *word;
	int v;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((word = strsep(&rest, " ,\t\n"))) {
		if (!*word)
			continue;
		if (config_word(p, key, word, w, end, &v))
			return -EINVAL;
		if (*num == CONFIG_LIST)
			return config_bad(p, p->line, "%s has more than %d entries: remove some", key, CONFIG_LIST);
		list[(*num)++] = v;
	}
	return 0;
}

int config_answer(struct parse *p, const char *key, const char *value, bool *ret)
{
	int yes;

	if (config_word(p, key, value, ALL(answers), &yes))
		return -EINVAL;
	*ret = yes;
	return 0;
}

/* ---- keys */

static int set_workers(struct parse *p, const char *key, const char *value)
{
	if (!strcmp(value, "auto"))
		return 0;
	return config_number(p, key, value, 1, 256, &p->c->workers);
}

static int set_signers(struct parse *p, const char *key, const char *value)
{
	if (!strcmp(value, "auto"))
		return 0;
	return config_number(p, key, value, 1, 64, &p->c->signers);
}

static int set_user(struct parse *p, const char *key, const char *value)
{
	const struct passwd *pw = getpwnam(value);

	if (!pw)
		return config_bad(p, p->line, "%s = \"%.40s\": there is no such user: useradd -r %.40s, or name another", key, value, value);
	if (!pw->pw_uid)
		return config_bad(p, p->line, "%s = \"%.40s\" is root: workers must be unprivileged, name another", key, value);
	p->c->uid = pw->pw_uid;
	p->c->gid = pw->pw_gid;
	return config_string(p, value, &p->c->user);
}

static int set_log(struct parse *p, const char *key, const char *value)
{
	return config_word(p, key, value, ALL(levels), &p->c->log_level);
}

static int read_version(struct parse *p, const char *key, const char *value, uint16_t *ret)
{
	int version;

	if (config_word(p, key, value, ALL(versions), &version))
		return -EINVAL;
	*ret = version;
	return 0;
}

static int set_min_version(struct parse *p, const char *key, const char *value)
{
	return read_version(p, key, value, &p->c->min_version);
}

static int set_max_version(struct parse *p, const char *key, const char *value)
{
	return read_version(p, key, value, &p->c->max_version);
}

static int set_handshakes(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 1, 65535, &p->c->handshakes);
}

static int set_rsa_min_bits(struct parse *p, const char *key, const char *value)
{
	p->c->from.rsa_min_bits = FROM_FILE;
	return config_number(p, key, value, 1024, 8192, &p->c->rsa_min_bits);
}

static int set_profile(struct parse *p, const char *key, const char *value)
{
	char known[128] = "";

	p->c->profile = profile_find(value);
	if (p->c->profile)
		return 0;
	for (size_t i = 0; i < profile_count(); i++) {
		strcat(known, i ? ", " : "");
		strcat(known, profile_nth(i)->name);
	}
	return config_bad(p, p->line, "%s has no \"%.40s\": choose from %s", key, value, known);
}

static int set_prefer(struct parse *p, const char *key, const char *value)
{
	int prefer;

	if (config_word(p, key, value, ALL(orders), &prefer))
		return -EINVAL;
	p->c->prefer = prefer;
	return 0;
}

static int set_compression(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->c->compress);
}

static int set_delegated(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->c->delegated);
}

static int set_retry_cookie(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->c->retry_cookie);
}

static int set_padding(struct parse *p, const char *key, const char *value)
{
	if (!strcmp(value, "no"))
		return 0;
	return config_number(p, key, value, 16, 16384, &p->c->padding);
}

static int set_fips(struct parse *p, const char *key, const char *value)
{
	int v;

	if (config_word(p, key, value, ALL(fips), &v))
		return -EINVAL;
	p->c->fips = v;
	return 0;
}

static int set_tickets(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 0, HS_TICKETS_MAX, &p->c->tickets);
}

static int set_ticket_lifetime(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 60, HS_WEEK, &p->c->ticket_lifetime);
}

static int set_early_data(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 0, KTLS_MAX_EARLY, &p->c->early_data);
}

static int set_session_ids(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 0, 1000000, &p->c->session_ids);
}

static int set_client_tickets(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 0, 4096, &p->c->client_tickets);
}

static int set_ciphers(struct parse *p, const char *key, const char *value)
{
	return read_words(p, key, value, ALL(ciphers), p->c->ciphers, &p->c->ciphers_num);
}

static int set_groups(struct parse *p, const char *key, const char *value)
{
	return read_words(p, key, value, ALL(groups), p->c->groups, &p->c->groups_num);
}

static int set_schemes(struct parse *p, const char *key, const char *value)
{
	struct word words[CONFIG_LIST];

	for (size_t i = 0; i < crypto_schemes_num; i++)
		words[i] = (struct word){ crypto_schemes[i].name, crypto_schemes[i].id };
	return read_words(p, key, value, words, words + crypto_schemes_num, p->c->schemes, &p->c->schemes_num);
}

static int set_tls12_psk(struct parse *p, const char *key, const char *value)
{
	uint16_t list[CONFIG_LIST];
	size_t num = 0;
	int err = read_words(p, key, value, ALL(psk_exchanges), list, &num);

	while (!err && num)
		p->c->psk12 |= list[--num];
	if (!err && p->c->psk12 & HS_PSK12_PLAIN)
		config_warn(p, p->line, "%s = plain has no forward secrecy: who learns the key reads what was said before", key);
	return err;
}

static int set_control(struct parse *p, const char *key, const char *value)
{
	if (strlen(value) > 100)
		return config_bad(p, p->line, "%s is longer than the 100 bytes a UNIX socket's name may have: choose a shorter path", key);
	return config_path(p, key, value, &p->c->control);
}

static int set_identity_cache(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 64, 65536, &p->c->identity_cache);
}

static int set_relay(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->c->relay);
}

static int set_key_log(struct parse *p, const char *key, const char *value)
{
	config_warn(p, p->line, "%s writes the secrets of every session to %.100s: for debugging only", key, value);
	return config_path(p, key, value, &p->c->key_log);
}

static int set_ticket_secret(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->c->ticket_secret);
}

static int set_ticket_redis(struct parse *p, const char *key, const char *value)
{
	(void)key;
	return config_string(p, value, &p->c->ticket_redis);
}

const struct option options_agent[] = {
	{ IN_AGENT,	"workers",	false,	set_workers },
	{ IN_AGENT,	"signers",	false,	set_signers },
	{ IN_AGENT,	"user",		false,	set_user },
	{ IN_AGENT,	"log",		false,	set_log },
	{ IN_AGENT,	"handshakes",	false,	set_handshakes },
	{ IN_AGENT,	"rsa-min-bits",	false,	set_rsa_min_bits },
	{ IN_AGENT,	"tickets",	false,	set_tickets },
	{ IN_AGENT,	"ticket-lifetime", false, set_ticket_lifetime },
	{ IN_AGENT,	"early-data",	false,	set_early_data },
	{ IN_AGENT,	"client-tickets", false, set_client_tickets },
	{ IN_AGENT,	"session-ids",	false,	set_session_ids },
	{ IN_AGENT,	"identity-cache", false, set_identity_cache },
	{ IN_AGENT,	"profile",	false,	set_profile },
	{ IN_AGENT,	"prefer",	false,	set_prefer },
	{ IN_AGENT,	"certificate-compression", false, set_compression },
	{ IN_AGENT,	"delegated-credentials", false, set_delegated },
	{ IN_AGENT,	"retry-cookie",	false,	set_retry_cookie },
	{ IN_AGENT,	"padding",	false,	set_padding },
	{ IN_AGENT,	"min-version",	false,	set_min_version },
	{ IN_AGENT,	"max-version",	false,	set_max_version },
	{ IN_AGENT,	"ciphers",	true,	set_ciphers },
	{ IN_AGENT,	"groups",	true,	set_groups },
	{ IN_AGENT,	"schemes",	true,	set_schemes },
	{ IN_AGENT,	"tls12-psk",	true,	set_tls12_psk },
	{ IN_AGENT,	"fips",		false,	set_fips },
	{ IN_AGENT,	"control",	false,	set_control },
	{ IN_AGENT,	"relay",	false,	set_relay },
	{ IN_AGENT,	"key-log",	false,	set_key_log },
	{ IN_AGENT,	"ticket-secret", false,	set_ticket_secret },
	{ IN_AGENT,	"ticket-redis",	false,	set_ticket_redis },
};
const size_t options_agent_num = sizeof(options_agent) / sizeof(options_agent[0]);
_Static_assert(sizeof(options_agent) / sizeof(options_agent[0]) <= 64, "struct parse.seen has a bit for each");

int config_set(struct parse *p, const char *key, const char *value)
{
	const struct option *table = p->in == IN_AGENT ? options_agent : options_named;
	size_t num = p->in == IN_AGENT ? options_agent_num : options_named_num, i;

	for (i = 0; i < num; i++)
		if (table[i].in == p->in && !strcmp(table[i].key, key))
			break;
	if (i == num)
		return config_bad(p, p->line, "[%s] has no key \"%.40s\": see ktlsd.conf(5)", p->section, key);
	if (!*value)
		return config_bad(p, p->line, "%s has no value: write one behind the =, or remove the line", key);
	if (!table[i].again && p->seen[p->in] & 1ull << i)
		return config_bad(p, p->line, "%s was given before in [%s]: remove one of them", key, p->section);
	p->seen[p->in] |= 1ull << i;
	return table[i].set(p, key, value);
}

void config_fill(struct config *c)
{
	profile_apply(c);
	if (!c->client.num)
		c->client.rule[c->client.num++].kind = RULE_EVERYONE;
}
