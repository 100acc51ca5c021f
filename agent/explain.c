/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every key of [agent] came to, in the words of the file, one line each;
 * what profiles decide is profile.c's to say. A key that has no line here is
 * seen by unit/options_test.
 */
#include <stddef.h>
#include "handshake/version.h"
#include "log.h"
#include "profile.h"

enum shape { NUMBER, ANSWER, TEXT, VERSION, LEVEL, FIPS, PSK };

static const struct setting {
	const char *key;
	enum shape shape;
	size_t at;
} settings[] = {
#define AT(member) offsetof(struct config, member)
	{ "workers",		NUMBER,	AT(workers) },
	{ "signers",		NUMBER,	AT(signers) },
	{ "user",		TEXT,	AT(user) },
	{ "handshakes",		NUMBER,	AT(handshakes) },
	{ "log",		LEVEL,	AT(log_level) },
	{ "control",		TEXT,	AT(control) },
	{ "relay",		TEXT,	AT(relay) },
	{ "key-log",		TEXT,	AT(key_log) },
	{ "identity-cache",	NUMBER,	AT(identity_cache) },
	{ "min-version",	VERSION, AT(min_version) },
	{ "max-version",	VERSION, AT(max_version) },
	{ "fips",		FIPS,	AT(fips) },
	{ "certificate-compression", ANSWER, AT(compress) },
	{ "delegated-credentials", ANSWER, AT(delegated) },
	{ "retry-cookie",	ANSWER,	AT(retry_cookie) },
	{ "padding",		NUMBER,	AT(padding) },
	{ "tls12-psk",		PSK,	AT(psk12) },
	{ "tickets",		NUMBER,	AT(tickets) },
	{ "ticket-lifetime",	NUMBER,	AT(ticket_lifetime) },
	{ "session-ids",	NUMBER,	AT(session_ids) },
	{ "client-tickets",	NUMBER,	AT(client_tickets) },
	{ "early-data",		NUMBER,	AT(early_data) },
	{ "ticket-secret",	TEXT,	AT(ticket_secret) },
	{ "ticket-redis",	TEXT,	AT(ticket_redis) },
};

static const char *level_name(int level)
{
	return level == LOG_ERR ? "error" : level == LOG_WARNING ? "warning" : level == LOG_INFO ? "info" : "debug";
}

static void put_psk(unsigned int ways, FILE *out)
{
	fprintf(out, "%s%s%s%s", ways ? "" : "none", ways & HS_PSK12_ECDHE ? "ecdhe" : "",
		ways & HS_PSK12_DHE ? ways & HS_PSK12_ECDHE ? ",dhe" : "dhe" : "",
		ways & HS_PSK12_PLAIN ? ways & ~(unsigned int)HS_PSK12_PLAIN ? ",plain" : "plain" : "");
}

static void put_text(const char *text, FILE *out)
{
	char quoted[1024];

	fputs(text ? log_quote(quoted, sizeof(quoted), text) : "none", out);
}

static void put(const struct setting *s, const void *at, FILE *out)
{
	switch (s->shape) {
	case NUMBER:
		fprintf(out, "%u", *(const unsigned int *)at);
		break;
	case ANSWER:
		fputs(*(const bool *)at ? "yes" : "no", out);
		break;
	case TEXT:
		put_text(*(char *const *)at, out);
		break;
	case VERSION:
		fputs(*(const uint16_t *)at == TLS12 ? "1.2" : "1.3", out);
		break;
	case LEVEL:
		fputs(level_name(*(const int *)at), out);
		break;
	case FIPS:
		fputs(*(const int *)at == FIPS_YES ? "yes" : "no", out);
		break;
	case PSK:
		put_psk(*(const unsigned int *)at, out);
		break;
	}
}

void explain_settings(const struct config *c, FILE *out)
{
	for (const struct setting *s = settings; s < settings + sizeof(settings) / sizeof(*s); s++) {
		fprintf(out, "setting name=%s value=", s->key);
		put(s, (const char *)c + s->at, out);
		fputc('\n', out);
	}
}
