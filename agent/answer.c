/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket answers; control.c has the grammar. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "conn.h"
#include "control.h"
#include "handshake/alert.h"
#include "keeper.h"
#include "log.h"
#include "profile.h"
#include "metrics.h"

static const char *const states[] = {
	[HAND_STARTING] = "starting", [HAND_READY] = "ready",
	[HAND_RETIRING] = "retiring", [HAND_WAITING] = "waiting",
};

static const char *const key_types[] = {
	[CRYPTO_KEY_NONE] = "none", [CRYPTO_KEY_RSA] = "rsa", [CRYPTO_KEY_RSA_PSS] = "rsa-pss",
	[CRYPTO_KEY_P256] = "p256", [CRYPTO_KEY_P384] = "p384", [CRYPTO_KEY_P521] = "p521",
	[CRYPTO_KEY_ED25519] = "ed25519", [CRYPTO_KEY_ED448] = "ed448",
	[CRYPTO_KEY_BRAINPOOL256] = "brainpool256", [CRYPTO_KEY_BRAINPOOL384] = "brainpool384",
	[CRYPTO_KEY_BRAINPOOL512] = "brainpool512",
	[CRYPTO_KEY_MLDSA44] = "mldsa44", [CRYPTO_KEY_MLDSA65] = "mldsa65", [CRYPTO_KEY_MLDSA87] = "mldsa87",
};

static void put_worker(const struct hand *h, FILE *out)
{
	unsigned long long up = h->state == HAND_WAITING ? 0 : (keeper_now() - h->started) / 1000;
	const struct msg_counters *n = &h->counters;

	fprintf(out, "worker number=%d pid=%d state=%s uptime=%llu conns=%u accepted=%llu done=%llu failed=%llu other=%llu signed=%llu\n",
		h->number, h->pid, states[h->state], up, n->conns,
		(unsigned long long)n->accepted, (unsigned long long)n->done,
		(unsigned long long)n->failed, (unsigned long long)n->other,
		(unsigned long long)h->signatures);
}

static void put_rules(const struct rules *r, FILE *out)
{
	static const char *const kinds[] = { "everyone", "uid", "gid", "cgroup" };
	size_t i;

	for (i = 0; i < r->num; i++) {
		fprintf(out, "%s%s", i ? "," : "", kinds[r->rule[i].kind]);
		if (r->rule[i].kind != RULE_EVERYONE)
			fprintf(out, ":%llu", (unsigned long long)r->rule[i].id);
	}
}

static void put_identity(const struct site *site, FILE *out)
{
	char names[512], quoted[520];
	char *from, *to;

	x509_cert_describe(site->id.chain[0], names, sizeof(names));
	for (from = to = names; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	fprintf(out, "identity name=%s key=%s bits=%u names=%s default=%s allow=", site->id.name,
		key_types[site->id.key_type], site->id.key_bits,
		log_quote(quoted, sizeof(quoted), names), site->is_default ? "yes" : "no");
	put_rules(&site->allow, out);
	fprintf(out, " file=%s\n", log_quote(quoted, sizeof(quoted), site->certificate_file));
}

static void put_catalog(const struct catalog *c, FILE *out)
{
	char quoted[520];

	fprintf(out, "identities name=%s allow=", c->name);
	put_rules(&c->allow, out);
	fprintf(out, " file=%s\n", log_quote(quoted, sizeof(quoted), c->certificate));
}

static void put_stock(const struct stock *stock, FILE *out)
{
	struct stock_counters n = stock_counters(stock);

	fprintf(out, "stock held=%u loads=%llu refused=%llu evicted=%llu changed=%llu\n", n.held, n.loads, n.refused,
		n.evicted, n.changed);
}

static void put_trust(const struct trust *t, FILE *out)
{
	char quoted[520];

	fprintf(out, "trust name=%s anchors=%zu keys=%zu file=%s\n", t->name, t->store ? x509_store_size(t->store) : 0,
		t->raw_keys_num, log_quote(quoted, sizeof(quoted), t->file ? t->file : ""));
}

static void put_status(const struct keeper *k, const char *arg, FILE *out)
{
	const struct config *c = k->config;
	const struct hand *h;
	char quoted[520];
	size_t i;

	(void)arg;
	fprintf(out, "version=%s pid=%d uptime=%llu config=%s reloads=%u workers=%u\n", KTLSD_VERSION,
		getpid(), (unsigned long long)(keeper_now() - k->started) / 1000,
		log_quote(quoted, sizeof(quoted), k->path), k->reloads, c->workers);
	for (h = k->hands; h; h = h->next)
		put_worker(h, out);
	for (i = 0; i < c->sites_num; i++)
		put_identity(&c->sites[i], out);
	for (i = 0; i < c->catalogs_num; i++)
		put_catalog(&c->catalogs[i], out);
	if (c->stock)
		put_stock(c->stock, out);
	for (i = 0; i < c->trusts_num; i++)
		put_trust(&c->trusts[i], out);
}

static void put_failure(const struct msg_failure *f, FILE *out)
{
	static const char *const from[] = { "none", "local", "peer" };
	char when[32], peer[2 * MSG_PEER], name[2 * HS_MAX_NAME], reason[2 * MSG_REASON];
	time_t t = f->time;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(when, sizeof(when), "%FT%TZ", &tm))
		strcpy(when, "?");
	fprintf(out, "failure time=%s cookie=%llx peer=%s role=%s uid=%u name=%s errno=%s alert=%s from=%s reason=%s\n",
		when, (unsigned long long)f->cookie, log_quote(peer, sizeof(peer), f->peer),
		f->role == KTLS_ROLE_SERVER ? "server" : "client", f->uid,
		log_quote(name, sizeof(name), f->name), errno_name(f->err),
		f->alert < 0 ? "none" : alert_name(f->alert), f->from < 3 ? from[f->from] : "none",
		log_quote(reason, sizeof(reason), f->reason));
}

static void put_why(const struct keeper *k, const char *arg, FILE *out)
{
	uint64_t have = k->failures_num < FAILURES_MAX ? k->failures_num : FAILURES_MAX;
	uint64_t i, n = *arg ? strtoul(arg, NULL, 10) : have;

	for (i = 1; i <= n && i <= have; i++)
		put_failure(&k->failures[(k->failures_num - i) % FAILURES_MAX], out);
}

static void put_config(const struct keeper *k, const char *arg, FILE *out)
{
	const char *text;
	size_t len;

	(void)arg;
	if (!files_read(k->config->files, k->config->path, &text, &len))
		fwrite(text, 1, len, out);
}

static void put_metrics(const struct keeper *k, const char *arg, FILE *out)
{
	(void)arg;
	metrics_put(k, out);
}

static void put_explain(const struct keeper *k, const char *arg, FILE *out)
{
	(void)arg;
	profile_explain(k->config, out);
}

static const struct verb {
	const char *name;
	bool numbered;		/* a number may follow */
	void (*put)(const struct keeper *k, const char *arg, FILE *out);
} verbs[] = {
	{ "status",	false,	put_status },
	{ "why",	true,	put_why },
	{ "config",	false,	put_config },
	{ "explain",	false,	put_explain },
	{ "metrics",	false,	put_metrics },
};

static bool is_number(const char *s)
{
	return !s[strspn(s, "0123456789")] && strlen(s) < 10;
}

/* The one thing asked for by HTTP; whatever else is, isn't there. */
static void answer_http(const struct keeper *k, const char *request, FILE *out)
{
	bool metrics = !strncmp(request, "GET /metrics ", 13);

	fprintf(out, "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n",
		metrics ? "200 OK" : "404 Not Found");
	if (metrics)
		metrics_put(k, out);
}

void control_answer(const struct keeper *k, const char *request, FILE *out)
{
	size_t i, len = strcspn(request, " \r");
	const char *arg = request + len + strspn(request + len, " \r");

	if (!strncmp(request, "GET /", 5)) {
		answer_http(k, request, out);
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strlen(verbs[i].name) != len || strncmp(verbs[i].name, request, len))
			continue;
		if (*arg && (!verbs[i].numbered || !is_number(arg)))
			break;
		fputs("ok\n", out);
		verbs[i].put(k, arg, out);
		return;
	}
	fputs("error ask for one of: status, why [N], config, metrics, explain\n", out);
}
