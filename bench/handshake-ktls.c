/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's handshake; it signs in the same process, as the other two do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "handshake.h"
#include "handshake/hs.h"
#include "rng/rng.h"
#include "x509/x509.h"

struct ktls_server {
	struct hs_params params, giving;
	struct hs_ticket_keys keys;
	struct identity id;
	struct crypto_key *key;
};

struct ktls_conn { struct ktls_server *server; struct hs *hs; };

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(65536);

	if (!f || !text)
		bench_fail(path);
	*len = fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

static int choose(void *arg, const char *name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why)
{
	struct ktls_server *s = arg;

	(void)name;
	(void)schemes;
	(void)num;
	(void)why;
	*ret = &s->id;
	return 0;
}

static void load(struct ktls_server *s, const char *cert, const char *key)
{
	const struct x509_blob *spki;
	struct crypto_pubkey pub;
	size_t len;
	char *text;

	text = slurp(cert, &len);
	if (x509_pem_read(text, len, s->id.chain, X509_MAX_CHAIN, &s->id.num))
		bench_fail(cert);
	free(text);
	text = slurp(key, &len);
	if (crypto_key_load((const uint8_t *)text, len, &s->key))
		bench_fail(key);
	free(text);
	spki = x509_cert_spki(s->id.chain[0]);
	if (crypto_pubkey_parse(spki->data, spki->len, &pub))
		bench_fail(cert);
	s->id.name = "bench";
	s->id.key_type = pub.type;
	s->id.key_bits = pub.bits;
	crypto_pubkey_free(&pub);
}

static void *ktls_make(const char *cert, const char *key, bool tickets, bool old)
{
	static const uint16_t x25519[] = { 29 };
	struct ktls_server *s = calloc(1, sizeof(*s));

	if (!s)
		bench_fail("no memory");
	load(s, cert, key);
	s->keys.num = 1;
	rng_fill(RNG_KEY, &s->keys.key[0], sizeof(s->keys.key[0]));
	s->params = (struct hs_params){
		.role = HS_SERVER, .now = time(NULL), .rsa_min_bits = 2048, .choose = choose, .arg = s,
		.ticket_keys = tickets ? &s->keys : NULL, .ticket_lifetime = 7200,
		.min_version = old ? 0x0303 : 0x0304, .max_version = old ? 0x0303 : 0x0304,
		.groups = old ? x25519 : NULL, .groups_num = 1,
	};
	s->giving = s->params;
	s->giving.tickets = 1;
	return s;
}

static void *ktls_open(void *server, bool give)
{
	struct ktls_server *s = server;
	struct ktls_conn *c = malloc(sizeof(*c));

	if (!c)
		bench_fail("no memory");
	c->server = s;
	c->hs = hs_new(give ? &s->giving : &s->params);
	if (!c->hs || hs_start(c->hs))
		bench_fail("hs_new");
	return c;
}

static int sign(struct ktls_conn *c)
{
	const struct hs_sign *s = hs_sign_wanted(c->hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	if (s->scheme->sign(c->server->key, s->scheme->hash, s->tbs, s->len, sig, &len))
		return -1;
	return hs_signed(c->hs, sig, len);
}

static int ktls_step(void *conn, struct wire *w)
{
	struct ktls_conn *c = conn;
	const uint8_t *out;
	size_t n;
	int err = 0;

	while (!err && w->in_len && (n = hs_want(c->hs))) {
		n = n < w->in_len ? n : w->in_len;
		err = hs_input(c->hs, w->in, n);
		w->in += n;
		w->in_len -= n;
		while (!err && hs_state(c->hs) == HS_SIGN)
			err = sign(c);
	}
	out = hs_output(c->hs, &n);
	if (err || n > sizeof(w->out))
		return -1;
	memcpy(w->out, out, n);
	w->out_len = n;
	hs_sent(c->hs, n);
	return hs_state(c->hs) == HS_DONE;
}

static bool ktls_resumed(void *conn)
{
	struct ktls_conn *c = conn;

	return hs_result(c->hs)->resumed;
}

static void ktls_close(void *conn)
{
	struct ktls_conn *c = conn;

	hs_free(c->hs);
	free(c);
}

const struct server server_ktls = {
	.name = "ktls", .make = ktls_make, .open = ktls_open, .step = ktls_step,
	.resumed = ktls_resumed, .close = ktls_close,
};
