// SPDX-License-Identifier: GPL-2.0-or-later
/* Options, and what they make of keys, certificates and parameters. */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fips.h"
#include "handshake/alert.h"
#include "rng/rng.h"
#include "user.h"

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *buf = calloc(1, 1 << 20);

	if (!f || !buf)
		err(1, "%s", path);
	*len = fread(buf, 1, (1 << 20) - 1, f);
	fclose(f);
	return buf;
}

static void load_identity(struct peer *p)
{
	struct identity *id = &p->identity;
	const struct x509_blob *spki;
	struct crypto_pubkey pub;
	size_t len;
	char *text = slurp(p->o->chain, &len);

	if (x509_pem_read(text, len, id->chain, X509_MAX_CHAIN, &id->num) || !id->num)
		errx(1, "%s: no certificate", p->o->chain);
	free(text);
	text = slurp(p->o->key, &len);
	if (crypto_key_load((uint8_t *)text, len, &p->key))
		errx(1, "%s: no private key", p->o->key);
	free(text);
	spki = x509_cert_spki(id->chain[0]);
	if (crypto_pubkey_parse(spki->data, spki->len, &pub))
		errx(1, "%s: unknown kind of key", p->o->chain);
	id->name = (char *)"hs-peer";
	id->key_type = pub.type;
	id->key_bits = pub.bits;
	crypto_pubkey_free(&pub);
}

static void load_delegated(struct peer *p)
{
	size_t len;
	char *text;

	if (!p->o->delegated || !p->o->delegated_key)
		return;
	text = slurp(p->o->delegated_key, &len);
	if (crypto_key_load((uint8_t *)text, len, &p->delegated_key))
		errx(1, "%s: no private key", p->o->delegated_key);
	free(text);
	p->delegated.data = (uint8_t *)slurp(p->o->delegated, &p->delegated.len);
	p->identity.delegated = &p->delegated;
}

static int choose(void *arg, const char *name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why)
{
	struct peer *p = arg;

	(void)schemes;
	(void)num;
	if (name && name[0] && p->o->name && strcmp(name, p->o->name)) {
		*why = "the client wants another name";
		return ALERT_UNRECOGNIZED_NAME;
	}
	*ret = &p->identity;
	return 0;
}

static const struct hs_psk *find_psk(void *arg, const uint8_t *name, size_t len)
{
	const struct peer *p = arg;

	return len == strlen(p->psk.name) && !memcmp(name, p->psk.name, len) ? &p->psk : NULL;
}

static void fill_psk(struct peer *p)
{
	const struct options *o = p->o;
	size_t len;
	char *text;

	if (o->server && (o->tickets || o->session_ids)) {
		p->ticket_keys.num = 1;
		rng_fill(RNG_KEY, &p->ticket_keys.key[0], sizeof(p->ticket_keys.key[0]));
		p->params.ticket_keys = &p->ticket_keys;
	}
	p->params.tickets = o->tickets;
	p->params.sessions = sessions_shared(o->session_ids);
	p->params.sessions_num = o->session_ids;
	p->params.ticket_lifetime = 3600;
	if (o->server && o->max_early) {
		p->params.max_early = o->max_early;
		register_make(p);
	}
	if (o->early) {
		snprintf(p->early, sizeof(p->early), "%s\n", o->message);
		p->params.early = (const uint8_t *)p->early;
		p->params.early_len = strlen(p->early);
	}
	if (o->ticket_in) {
		text = slurp(o->ticket_in, &len);
		if (len != sizeof(p->ticket))
			errx(1, "%s: no ticket", o->ticket_in);
		memcpy(&p->ticket, text, len);
		free(text);
		p->params.ticket = &p->ticket;
	}
	if (!o->psk_len)
		return;
	p->psk = (struct hs_psk){ o->psk_name, o->psk, o->psk_len, &crypto_sha256, o->import };
	if (o->server)
		p->params.find_psk = find_psk;
	else
		p->params.psk = &p->psk;
}

void peer_setup(struct peer *p, const struct options *o)
{
	size_t num;

	p->o = o;
	p->params = (struct hs_params){
		.role = o->server ? HS_SERVER : HS_CLIENT,
		.server_name = o->server ? NULL : o->name,
		.alpn = o->alpn, .alpn_len = o->alpn_len,
		.ciphers = o->ciphers_num ? o->ciphers : NULL, .ciphers_num = o->ciphers_num,
		.groups = o->groups_num ? o->groups : NULL, .groups_num = o->groups_num,
		.schemes = o->schemes_num ? o->schemes : NULL, .schemes_num = o->schemes_num,
		.shares = o->shares, .compatibility = !o->no_compatibility,
		.min_version = o->min_version, .max_version = o->max_version,
		.rsa_min_bits = 2048, .insecure = !o->ca && !o->raw_peers_num,
		.grease = o->grease, .pad = o->pad, .max_fragment = o->max_fragment, .record_pad = o->record_pad,
		.psk12 = o->psk12, .compress = o->compress, .raw_key = o->raw_key,
		.raw_peers = (const uint8_t (*)[32])o->raw_peer, .raw_peers_num = o->raw_peers_num,
		.post_auth = o->post_auth, .delegated = o->take_delegated,
		.client_auth = !o->server || o->post_auth || (!o->ca && !o->raw_peers_num) ? HS_AUTH_NONE : o->require ? HS_AUTH_REQUIRE : HS_AUTH_ASK,
		.choose = choose, .arg = p,
	};
	fill_psk(p);
	if (o->cookie) {
		p->cookie_keys.num = 1;
		rng_fill(RNG_KEY, &p->cookie_keys.key[0], sizeof(p->cookie_keys.key[0]));
		p->params.cookie_keys = &p->cookie_keys;
	}
	if (o->chain) {
		load_identity(p);
		p->params.identity = &p->identity;
	}
	load_delegated(p);
	if (o->sct)
		p->identity.sct = (uint8_t *)slurp(o->sct, &p->identity.sct_len);
	if (o->ct_log) {
		p->log.spki = (uint8_t *)slurp(o->ct_log, &p->log.len);
		crypto_hash_once(&crypto_sha256, p->log.spki, p->log.len, p->log.id);
		p->params.ct_logs = &p->log;
		p->params.ct_logs_num = p->params.ct_min = 1;
	}
	if (o->ca) {
		p->trust = x509_store_new();
		if (!p->trust || x509_store_add_file(p->trust, o->ca, &num))
			errx(1, "%s: no certificates", o->ca);
		p->params.trust = p->trust;
	}
	if (o->config || o->sets_num)
		agent_setup(p);
}

static size_t numbers(char *list, uint16_t *out)
{
	size_t n = 0;

	for (char *s = strtok(list, ","); s && n < 8; s = strtok(NULL, ","))
		out[n++] = (uint16_t)strtoul(s, NULL, 0);
	return n;
}

static size_t protocols(char *list, uint8_t *out)
{
	size_t n = 0, len;

	for (char *s = strtok(list, ","); s && n + strlen(s) < 255; s = strtok(NULL, ",")) {
		len = strlen(s);
		out[n++] = (uint8_t)len;
		memcpy(out + n, s, len);
		n += len;
	}
	return n;
}

static uint16_t version_of(const char *text)
{
	if (strcmp(text, "1.2") && strcmp(text, "1.3"))
		errx(64, "a version is 1.2 or 1.3");
	return text[2] == '2' ? 0x0303 : 0x0304;
}

static unsigned int psk12_ways(const char *list)
{
	return (strstr(list, "plain") ? HS_PSK12_PLAIN : 0) | (strstr(list, "ecdhe") ? HS_PSK12_ECDHE : 0) |
	       (!strncmp(list, "dhe", 3) || strstr(list, ",dhe") ? HS_PSK12_DHE : 0);
}

/* NAME:HEX, or NAME alone of one that a configuration has. */
static void parse_psk(struct options *o, char *text)
{
	char *hex = strchr(text, ':');
	unsigned int byte;

	o->psk_name = text;
	if (!hex)
		return;
	*hex++ = 0;
	for (; o->psk_len < sizeof(o->psk) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		o->psk[o->psk_len++] = (uint8_t)byte;
}

static void parse_pin(struct options *o, const char *hex)
{
	unsigned int byte;

	for (int i = 0; i < 32; i++, hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			errx(64, "-W wants 64 hex digits");
		o->raw_peer[0][i] = (uint8_t)byte;
	}
	o->raw_peers_num = 1;
}

static void add_set(struct options *o, const char *value)
{
	if (o->sets_num == SETS_MAX)
		errx(64, "--set more than %d times", SETS_MAX);
	o->set[o->sets_num++] = value;
}

static const struct option_row {
	char letter;
	const char *name, *value, *help;
} rows[] = {
	{ 's', "server", NULL, "be the server" },
	{ 'h', "host", "HOST", "client: where to" },
	{ 'p', "port", "PORT", "on 127.0.0.1 if we listen" },
	{ 'f', "fd", "NUMBER", "hs-pipe: the descriptor to speak TLS on (0)" },
	{ 'c', "cert", "FILE", "our chain, PEM" },
	{ 'k', "key", "FILE", "our key" },
	{ 'A', "ca", "FILE", "verify the peer by these; a server asks for a certificate" },
	{ 'R', "require", NULL, "server: refuse a client without one" },
	{ 'n', "name", "NAME", "the server's name" },
	{ 'N', "count", "NUM", "server: end after so many connections" },
	{ 'E', "echo", NULL, "hs-echo: echo what comes instead of answering a GET" },
	{ 'e', "ciphers", "51,52,54", "TLS_CIPHER numbers of linux/tls.h, most wanted first" },
	{ 'g', "groups", "29,23", "IANA numbers, most wanted first" },
	{ 'j', "schemes", "0x0808,0x0403", "IANA numbers, most wanted first" },
	{ 'S', "shares", "NUM", "client: key shares at once" },
	{ 'a', "alpn", "h2,http/1.1", "protocols, most wanted first" },
	{ 'm', "message", "TEXT", "client: what to say" },
	{ 'x', "expect", "TEXT", "client: what must come back" },
	{ 'u', "update", NULL, "update keys before each message" },
	{ 'v', "min-version", "1.2|1.3", "1.2" },
	{ 'V', "max-version", "1.2|1.3", "1.3" },
	{ 'M', "no-compatibility", NULL, "no middlebox compatibility mode" },
	{ 'T', "tickets", "NUM", "to give, or to ask for" },
	{ '2', "session-ids", "NUM", "server: sessions of TLS 1.2 to keep by id" },
	{ 'O', "ticket-out", "FILE", "client: keep one" },
	{ 'I', "ticket-in", "FILE", "client: resume by it" },
	{ 'P', "psk", "NAME:HEX", "a key by hand; NAME, one of the configuration's, or *" },
	{ 'i', "import", NULL, "use it by RFC 9258" },
	{ '1', "psk12", "ecdhe,dhe,plain", "use it in TLS 1.2 too, in these ways" },
	{ 'G', "grease", NULL, "values that mean nothing" },
	{ 'C', "cookie", NULL, "server: a cookie in the retry" },
	{ 'Z', "compress", NULL, "certificates, by zlib" },
	{ 'K', "raw-key", NULL, "prove the bare key of our certificate" },
	{ 'W', "raw-peer", "HEX", "SHA-256 of the peer's public key, which then needs no certificate" },
	{ 'D', "pad", "BYTES", "client: fill the ClientHello up to it" },
	{ 'Q', "post-auth", NULL, "the client's certificate after the handshake: ask for it, or give it" },
	{ 'y', "max-early", "BYTES", "server: of early data that we take" },
	{ 'Y', "early", NULL, "client: send the message along with the hello" },
	{ 't', "sct", "FILE", "a list of certificate timestamps to give with our certificate" },
	{ 'd', "delegated", "FILE", "a delegated credential to present with our certificate" },
	{ 'b', "delegated-key", "FILE", "and its key" },
	{ 'z', "take-delegated", NULL, "take such a credential of the peer" },
	{ 'L', "ct-log", "FILE", "client: key of the log that must have seen the server's certificate, DER" },
	{ 'X', "config", "FILE", "everything as ktlsd would have it under this ktlsd.conf(5); options that it has keys for have no say then" },
	{ 'o', "set", "KEY=VALUE", "a line more of it, in [agent]; or SECTION.KEY=VALUE; without --config these are all" },
	{ 'w', "identity", "NAME", "with these: what the application names" },
	{ 'r', "trust", "NAME", "likewise; a server asks for a certificate" },
	{ 'J', "explain", NULL, "print what the configuration comes to, and end" },
	{ 'B', "padding", "BYTES", "fill records up to a multiple of it" },
	{ 'F', "fragment", "BYTES", "client: max_fragment_length, 512 to 4096" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void set_option(struct options *o, int letter, char *value)
{
	switch (letter) {
	case 's': o->server = true; break;
	case 'p': o->port = value; break;
	case 'h': o->host = value; break;
	case 'f': o->fd = atoi(value); break;
	case 'c': o->chain = value; break;
	case 'k': o->key = value; break;
	case 'A': o->ca = value; break;
	case 'n': o->name = value; break;
	case 'N': o->count = atoi(value); break;
	case 'E': o->echo = true; break;
	case 'e': o->ciphers_num = numbers(value, o->ciphers); break;
	case 'g': o->groups_num = numbers(value, o->groups); break;
	case 'j': o->schemes_num = numbers(value, o->schemes); break;
	case 'S': o->shares = (size_t)atoi(value); break;
	case 'a': o->alpn_len = protocols(value, o->alpn); break;
	case 'm': o->message = value; break;
	case 'x': o->expect = value; break;
	case 'u': o->update = true; break;
	case 'v': o->min_version = version_of(value); break;
	case 'V': o->max_version = version_of(value); break;
	case 'M': o->no_compatibility = true; break;
	case 'R': o->require = true; break;
	case 'T': o->tickets = (size_t)atoi(value); break;
	case '2': o->session_ids = (size_t)atoi(value); break;
	case 'O': o->ticket_out = value; break;
	case 'I': o->ticket_in = value; break;
	case 'P': parse_psk(o, value); break;
	case 'i': o->import = true; break;
	case '1': o->psk12 = psk12_ways(value); break;
	case 'G': o->grease = true; break;
	case 'C': o->cookie = true; break;
	case 'Z': o->compress = true; break;
	case 'K': o->raw_key = true; break;
	case 'W': parse_pin(o, value); break;
	case 'D': o->pad = (size_t)atoi(value); break;
	case 'Q': o->post_auth = true; break;
	case 'y': o->max_early = (uint32_t)atoi(value); break;
	case 'Y': o->early = true; break;
	case 't': o->sct = value; break;
	case 'd': o->delegated = value; break;
	case 'b': o->delegated_key = value; break;
	case 'z': o->take_delegated = true; break;
	case 'L': o->ct_log = value; break;
	case 'X': o->config = value; break;
	case 'o': add_set(o, value); break;
	case 'w': o->identity = value; break;
	case 'r': o->trust = value; break;
	case 'J': o->explain = true; break;
	case 'B': o->record_pad = (uint16_t)atoi(value); break;
	case 'F': o->max_fragment = (uint16_t)atoi(value); break;
	}
}

void options_usage(const char *first)
{
	fprintf(stderr, "%s\n", first);
	for (size_t i = 0; i < ROWS; i++)
		fprintf(stderr, "  -%c, --%s %s: %s\n", rows[i].letter, rows[i].name,
			rows[i].value ? rows[i].value : "", rows[i].help);
	exit(64);
}

void options_parse(struct options *o, int argc, char **argv, const char *usage)
{
	struct option longs[ROWS + 1] = { 0 };
	char shorts[2 * ROWS + 1], *s = shorts;
	int c;

	for (size_t i = 0; i < ROWS; i++) {
		longs[i] = (struct option){ rows[i].name, rows[i].value != NULL, NULL, rows[i].letter };
		*s++ = rows[i].letter;
		if (rows[i].value)
			*s++ = ':';
	}
	*s = 0;
	if (argc == 2 && !strcmp(argv[1], "--fips-list"))	/* for the build */
		exit(fips_list(stdout) != 0);
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == '?')
			options_usage(usage);
		set_option(o, c, optarg);
	}
	if (optind < argc)
		options_usage(usage);
}

void peer_free(struct peer *p)
{
	for (size_t i = 0; i < p->identity.num; i++)
		x509_cert_free(p->identity.chain[i]);
	crypto_key_free(p->key);
	crypto_key_free(p->delegated_key);
	free((void *)p->delegated.data);
	x509_store_free(p->trust);
	hs_free(p->asking);
	agent_free(p);
	free(p->early_data);
	free(p->identity.sct);
	free((void *)p->log.spki);
}
