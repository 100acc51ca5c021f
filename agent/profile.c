// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each profile allows, most wanted first, and what `prefer` makes of it.
 * Strength is the work of the best known attack, in bits, a quantum computer's
 * above all others, and CBC's below that of every AEAD but one of a short tag; cost is the order of a server's CPU time per handshake.
 */
#include "profile.h"
#include <linux/ktls.h>
#include <linux/tls.h>
#include <string.h>

#define NUM(a) (sizeof(a) / sizeof((a)[0]))

static const struct profile profiles[] = {
	{ "modern", "TLS as new software has it: no finite-field groups", 2048,
	  { TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305 },
	  { 4588, 29, 23, 24 },
	  { 0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601 } },
	{ "compatible", "everything that is sound, for peers of any age", 2048,
	  { TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305 },
	  { 4588, 29, 23, 24, 25, 30, 256, 257, 258 },
	  { 0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601 } },
	{ "cnsa", "the Commercial National Security Algorithms of RFC 9151", 3072,
	  { TLS_CIPHER_AES_GCM_256 },
	  { 24, 257, 258 },
	  { 0x0503, 0x0805, 0x080a, 0x0501 } },
	{ "fips", "algorithms that FIPS 140-3 approves, on curves of SP 800-186", 2048,
	  { TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256 },
	  { 23, 24, 25, 256, 257, 258 },
	  { 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601 } },
};

/* ---- what is known of each algorithm */

struct grade { uint16_t id; const char *name; unsigned int strength, cost; };

static const struct grade cipher_grades[] = {
	{ TLS_CIPHER_AES_GCM_128,	"aes-128-gcm",		128, 1 },
	{ TLS_CIPHER_AES_GCM_256,	"aes-256-gcm",		256, 2 },
	{ TLS_CIPHER_CHACHA20_POLY1305,	"chacha20-poly1305",	256, 3 },
	{ TLS_CIPHER_AES_CCM_128,	"aes-128-ccm",		128, 4 },
	{ KTLS_CIPHER_AES_CCM_256,	"aes-256-ccm",		256, 5 },
	{ KTLS_CIPHER_AES_CCM_8_128,	"aes-128-ccm-8",	64, 4 },
	{ KTLS_CIPHER_AES_CBC_128_SHA,	"aes-128-cbc-sha",	120, 6 },
	{ KTLS_CIPHER_AES_CBC_256_SHA,	"aes-256-cbc-sha",	121, 7 },
	{ KTLS_CIPHER_AES_CBC_128_SHA256, "aes-128-cbc-sha256",	122, 8 },
	{ KTLS_CIPHER_AES_CBC_256_SHA256, "aes-256-cbc-sha256",	123, 9 },
	{ KTLS_CIPHER_AES_CBC_256_SHA384, "aes-256-cbc-sha384",	124, 9 },
};

static const struct grade group_grades[] = {
	{ 4588,	"x25519mlkem768",	1000, 3 },
	{ 29,	"x25519",		128, 1 },
	{ 23,	"secp256r1",		128, 2 },
	{ 24,	"secp384r1",		192, 5 },
	{ 25,	"secp521r1",		256, 6 },
	{ 30,	"x448",			224, 4 },
	{ 256,	"ffdhe2048",		103, 7 },
	{ 257,	"ffdhe3072",		125, 8 },
	{ 258,	"ffdhe4096",		150, 9 },
	{ 26,	"brainpoolP256r1",	128, 10 },
	{ 27,	"brainpoolP384r1",	192, 11 },
	{ 28,	"brainpoolP512r1",	256, 12 },
	{ 31,	"brainpoolP256r1tls13",	128, 10 },
	{ 32,	"brainpoolP384r1tls13",	192, 11 },
	{ 33,	"brainpoolP512r1tls13",	256, 12 },
};

/* RSA's strength is its key's: here is that of the smallest that a profile takes. */
static const struct grade scheme_grades[] = {
	{ 0x0403, "ecdsa_secp256r1_sha256",	128, 1 },
	{ 0x0503, "ecdsa_secp384r1_sha384",	192, 3 },
	{ 0x0603, "ecdsa_secp521r1_sha512",	256, 4 },
	{ 0x0807, "ed25519",			128, 2 },
	{ 0x0808, "ed448",			224, 4 },
	{ 0x0804, "rsa_pss_rsae_sha256",	112, 5 },
	{ 0x0805, "rsa_pss_rsae_sha384",	112, 5 },
	{ 0x0806, "rsa_pss_rsae_sha512",	112, 5 },
	{ 0x0809, "rsa_pss_pss_sha256",		112, 5 },
	{ 0x080a, "rsa_pss_pss_sha384",		112, 5 },
	{ 0x080b, "rsa_pss_pss_sha512",		112, 5 },
	{ 0x0401, "rsa_pkcs1_sha256",		111, 6 },
	{ 0x0501, "rsa_pkcs1_sha384",		111, 6 },
	{ 0x0601, "rsa_pkcs1_sha512",		111, 6 },
	{ 0x0904, "mldsa44",			1000, 10 },
	{ 0x0905, "mldsa65",			1001, 11 },
	{ 0x0906, "mldsa87",			1002, 12 },
	{ 0x081a, "ecdsa_brainpoolP256r1tls13_sha256", 128, 7 },
	{ 0x081b, "ecdsa_brainpoolP384r1tls13_sha384", 192, 8 },
	{ 0x081c, "ecdsa_brainpoolP512r1tls13_sha512", 256, 9 },
};

struct list { const struct grade *grades; size_t grades_num; uint16_t *ids; size_t num; };

static const struct grade *grade_of(const struct list *l, uint16_t id)
{
	static const struct grade unknown = { .name = "unknown" };

	for (size_t i = 0; i < l->grades_num; i++)
		if (l->grades[i].id == id)
			return &l->grades[i];
	return &unknown;
}

static bool goes_before(const struct list *l, enum prefer prefer, uint16_t a, uint16_t b)
{
	const struct grade *x = grade_of(l, a), *y = grade_of(l, b);

	return prefer == PREFER_STRENGTH ? x->strength > y->strength : x->cost < y->cost;
}

/* Those of one grade stay in the order that they have. */
static void sort(struct list *l, enum prefer prefer)
{
	for (size_t i = 1; i < l->num; i++)
		for (size_t j = i; j && goes_before(l, prefer, l->ids[j], l->ids[j - 1]); j--) {
			uint16_t id = l->ids[j];

			l->ids[j] = l->ids[j - 1];
			l->ids[j - 1] = id;
		}
}

static struct list ciphers_of(struct config *c)
{
	return (struct list){ cipher_grades, NUM(cipher_grades), c->ciphers, c->ciphers_num };
}

static struct list groups_of(struct config *c)
{
	return (struct list){ group_grades, NUM(group_grades), c->groups, c->groups_num };
}

static struct list schemes_of(struct config *c)
{
	return (struct list){ scheme_grades, NUM(scheme_grades), c->schemes, c->schemes_num };
}

/* ---- applying */

const struct profile *profile_find(const char *name)
{
	for (size_t i = 0; i < NUM(profiles); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

size_t profile_count(void)
{
	return NUM(profiles);
}

const struct profile *profile_nth(size_t i)
{
	return &profiles[i];
}

static enum config_from fill(uint16_t *to, size_t *num, const uint16_t *list, size_t max, enum config_from from)
{
	if (*num)
		return FROM_FILE;
	while (*num < max && list[*num]) {
		to[*num] = list[*num];
		(*num)++;
	}
	return from;
}

void profile_apply(struct config *c)
{
	/* Without a profile the groups are the handshake's own, unless there has to be a list to put in order. */
	const struct profile *p = c->profile ? c->profile : &profiles[0];
	enum config_from from = c->profile ? FROM_PROFILE : FROM_DEFAULT;
	bool all = c->profile || c->prefer != PREFER_ORDER;
	struct list lists[3];

	c->from.ciphers = fill(c->ciphers, &c->ciphers_num, p->ciphers, NUM(p->ciphers), from);
	c->from.groups = fill(c->groups, &c->groups_num, p->groups, all ? NUM(p->groups) : 0, from);
	c->from.schemes = fill(c->schemes, &c->schemes_num, p->schemes, all ? NUM(p->schemes) : 0, from);
	if (c->profile && c->from.rsa_min_bits != FROM_FILE) {
		c->rsa_min_bits = p->rsa_min_bits;
		c->from.rsa_min_bits = FROM_PROFILE;
	}
	if (c->prefer == PREFER_ORDER)
		return;
	lists[0] = ciphers_of(c);
	lists[1] = groups_of(c);
	lists[2] = schemes_of(c);
	for (size_t i = 0; i < NUM(lists); i++)
		sort(&lists[i], c->prefer);
}

/* ---- explaining */

static const char *const from_names[] = {
	[FROM_DEFAULT] = "default", [FROM_FILE] = "file", [FROM_PROFILE] = "profile",
};

static void put_list(const char *name, const struct list *l, const char *from, FILE *out)
{
	fprintf(out, "setting name=%s value=", name);
	for (size_t i = 0; i < l->num; i++)
		fprintf(out, "%s%s", i ? "," : "", grade_of(l, l->ids[i])->name);
	fprintf(out, "%s from=%s\n", l->num ? "" : "built-in", from);
}

void profile_explain(const struct config *c, FILE *out)
{
	static const char *const orders[] = {
		[PREFER_ORDER] = "order", [PREFER_STRENGTH] = "strength", [PREFER_COST] = "cost",
	};
	struct config copy = *c;
	struct list ciphers = ciphers_of(&copy), groups = groups_of(&copy), schemes = schemes_of(&copy);

	fprintf(out, "profile name=%s about=\"%s\" prefer=%s\n", c->profile ? c->profile->name : "none",
		c->profile ? c->profile->why : "the built-in lists, and what the file says", orders[c->prefer]);
	put_list("ciphers", &ciphers, from_names[c->from.ciphers], out);
	put_list("groups", &groups, from_names[c->from.groups], out);
	put_list("schemes", &schemes, from_names[c->from.schemes], out);
	fprintf(out, "setting name=rsa-min-bits value=%u from=%s\n", c->rsa_min_bits,
		from_names[c->from.rsa_min_bits]);
	explain_settings(c, out);
}
