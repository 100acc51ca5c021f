/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of the sections that have a name, and of [client]: see options.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"
#include "token.h"

#define CT_LOGS	64	/* as hs_params takes */

static const struct word hashes[] = {
	{ "sha256", 256 },
	{ "sha384", 384 },
};

static int set_certificate(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->site->certificate_file);
}

static int set_pattern_certificate(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->catalog->certificate);
}

static int set_pattern_passphrase(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->catalog->passphrase);
}

static int set_pattern_key(struct parse *p, const char *key, const char *value)
{
	if (token_is_uri(value))
		return config_bad(p, p->line, "%s: a token's key is proven at the start, so it can't be one of many: give it an [identity NAME]", key);
	return config_path(p, key, value, &p->catalog->key);
}

/* Names as ALPN has them on the wire, each behind its length. */
static int set_alpn(struct parse *p, const char *key, const char *value)
{
	uint8_t **list = p->in == IN_IDENTITY ? &p->site->alpn : &p->catalog->alpn;
	size_t *len = p->in == IN_IDENTITY ? &p->site->alpn_len : &p->catalog->alpn_len, n;
	uint8_t *bigger = realloc(*list, *len + strlen(value) + 1);

	if (!bigger)
		return config_bad(p, p->line, "no memory");
	*list = bigger;
	for (; *(value += strspn(value, " ,\t\n")); value += n) {
		n = strcspn(value, " ,\t\n");
		if (n > 255)
			return config_bad(p, p->line, "%s: a protocol has at most 255 bytes", key);
		bigger[(*len)++] = (uint8_t)n;
		memcpy(bigger + *len, value, n);
		*len += n;
	}
	return 0;
}

static int set_key(struct parse *p, const char *key, const char *value)
{
	if (token_is_uri(value))
		return config_string(p, value, &p->site->key_file);
	return config_path(p, key, value, &p->site->key_file);
}

static int set_passphrase_file(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->site->passphrase_file);
}

static int set_ocsp(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->site->ocsp_file);
}

static int set_delegated(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->site->delegated_file);
}

static int set_delegated_key(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->site->delegated_key_file);
}

static int set_default(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->site->is_default);
}

static int set_raw_key(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->site->id.raw_key);
}

/* SHA-256 of a SubjectPublicKeyInfo: openssl pkey -pubin -outform DER | sha256sum */
static int add_raw_key(struct parse *p, const char *key, const char *value)
{
	struct trust *t = p->trust;
	void *bigger;
	unsigned int byte;

	if (strlen(value) != 64 || strspn(value, "0123456789abcdefABCDEF") != 64)
		return config_bad(p, p->line, "%s = \"%.70s\" has not the 64 hexadecimal digits of a SHA-256: see ktlsd.conf(5)", key, value);
	bigger = reallocarray(t->raw_keys, t->raw_keys_num + 1, sizeof(*t->raw_keys));
	if (!bigger)
		return config_bad(p, p->line, "no memory");
	t->raw_keys = bigger;
	for (size_t i = 0; i < 32; i++) {
		sscanf(value + 2 * i, "%2x", &byte);
		t->raw_keys[t->raw_keys_num][i] = (uint8_t)byte;
	}
	t->raw_keys_num++;
	return 0;
}

static int set_file(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->trust->file);
}

static int set_crl(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->trust->crl_file);
}

static int set_crl_required(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->trust->crl_required);
}

static int set_sct(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->site->sct_file);
}

static int set_ocsp_required(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->trust->ocsp_required);
}

static int set_strict(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->trust->strict);
}

static int add_ct_log(struct parse *p, const char *key, const char *value)
{
	struct trust *t = p->trust;
	char **bigger;

	if (t->ct_num == CT_LOGS)
		return config_bad(p, p->line, "%s stands more than %d times: remove some", key, CT_LOGS);
	bigger = reallocarray(t->ct_files, t->ct_num + 1, sizeof(*bigger));
	if (!bigger)
		return config_bad(p, p->line, "no memory");
	t->ct_files = bigger;
	bigger[t->ct_num] = NULL;
	if (config_path(p, key, value, &bigger[t->ct_num]))
		return -EINVAL;
	t->ct_num++;
	return 0;
}

static int set_ct_required(struct parse *p, const char *key, const char *value)
{
	return config_number(p, key, value, 1, CT_LOGS, &p->trust->ct_min);
}

static int set_psk_key(struct parse *p, const char *key, const char *value)
{
	return config_path(p, key, value, &p->psk->file);
}

static int set_psk_identity(struct parse *p, const char *key, const char *value)
{
	if (strlen(value) > 128)
		return config_bad(p, p->line, "%s is longer than 128 bytes: choose a shorter one", key);
	return config_string(p, value, &p->psk->identity);
}

static int set_psk_hash(struct parse *p, const char *key, const char *value)
{
	int bits;

	if (config_word(p, key, value, ALL(hashes), &bits))
		return -EINVAL;
	p->psk->psk.hash = bits == 384 ? &crypto_sha384 : &crypto_sha256;
	return 0;
}

static int set_psk_import(struct parse *p, const char *key, const char *value)
{
	return config_answer(p, key, value, &p->psk->psk.import);
}

static int add_rules(struct parse *p, const char *key, const char *value)
{
	struct rules *r = p->in == IN_PSK ? &p->psk->allow : p->in == IN_CLIENT ? &p->c->client :
		p->in == IN_IDENTITIES ? &p->catalog->allow : &p->site->allow;
	char why[POLICY_WHY] = "";

	if (rules_parse(r, value, why))
		return config_bad(p, p->line, "%s: %s", key, why);
	if (*why)
		config_warn(p, p->line, "%s: %s", key, why);
	return 0;
}

const struct option options_named[] = {
	{ IN_CLIENT,	"allow",	true,	add_rules },
	{ IN_IDENTITY,	"certificate",	false,	set_certificate },
	{ IN_IDENTITY,	"key",		false,	set_key },
	{ IN_IDENTITY,	"passphrase-file",	false,	set_passphrase_file },
	{ IN_IDENTITY,	"ocsp",		false,	set_ocsp },
	{ IN_IDENTITY,	"sct",		false,	set_sct },
	{ IN_IDENTITY,	"delegated",	false,	set_delegated },
	{ IN_IDENTITY,	"delegated-key", false,	set_delegated_key },
	{ IN_IDENTITY,	"allow",	true,	add_rules },
	{ IN_IDENTITY,	"default",	false,	set_default },
	{ IN_IDENTITY,	"alpn",		true,	set_alpn },
	{ IN_IDENTITY,	"raw-key",	false,	set_raw_key },
	{ IN_IDENTITIES, "certificate",	false,	set_pattern_certificate },
	{ IN_IDENTITIES, "key",		false,	set_pattern_key },
	{ IN_IDENTITIES, "passphrase-file", false, set_pattern_passphrase },
	{ IN_IDENTITIES, "allow",	true,	add_rules },
	{ IN_IDENTITIES, "alpn",	true,	set_alpn },
	{ IN_TRUST,	"file",		false,	set_file },
	{ IN_TRUST,	"crl",		false,	set_crl },
	{ IN_TRUST,	"crl-required",	false,	set_crl_required },
	{ IN_TRUST,	"ocsp-required", false,	set_ocsp_required },
	{ IN_TRUST,	"strict",	false,	set_strict },
	{ IN_TRUST,	"ct-log",	true,	add_ct_log },
	{ IN_TRUST,	"ct-required",	false,	set_ct_required },
	{ IN_TRUST,	"raw-key",	true,	add_raw_key },
	{ IN_PSK,	"key",		false,	set_psk_key },
	{ IN_PSK,	"identity",	false,	set_psk_identity },
	{ IN_PSK,	"hash",		false,	set_psk_hash },
	{ IN_PSK,	"import",	false,	set_psk_import },
	{ IN_PSK,	"allow",	true,	add_rules },
};
const size_t options_named_num = sizeof(options_named) / sizeof(options_named[0]);
_Static_assert(sizeof(options_named) / sizeof(options_named[0]) <= 64, "struct parse.seen has a bit for each");
