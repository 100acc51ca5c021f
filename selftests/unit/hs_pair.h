/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client and a server in one process: identities from the throw-away CA of
 * pki.sh, and a wire between them that can be cut into pieces of any size.
 */
#ifndef HS_PAIR_H
#define HS_PAIR_H
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ext/ext.h"
#include "handshake/engine.h"
#include "rng/rng.h"

#define PKI "build/unit/pki/"
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* An identity with the private key that the keeper would have. */
struct test_identity {
	struct identity id;
	struct crypto_key *key;
};

static inline char *test_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *buf = malloc(65536);

	assert_non_null(f);
	assert_non_null(buf);
	*len = fread(buf, 1, 65535, f);
	buf[*len] = 0;
	fclose(f);
	return buf;
}

/* A chain alone, for which there may be no key of ours. */
static inline int test_chain_load(struct identity *id, const char *kind)
{
	char path[256], *text;
	size_t len;
	int err;

	snprintf(path, sizeof(path), PKI "%s.pem", kind);
	text = test_read(path, &len);
	err = x509_pem_read(text, len, id->chain, X509_MAX_CHAIN, &id->num);
	free(text);
	return err;
}

static inline void test_identity_load(struct test_identity *t, const char *kind)
{
	struct crypto_pubkey pub;
	const struct x509_blob *spki;
	char path[256], *text;
	size_t len;

	memset(t, 0, sizeof(*t));
	assert_int_equal(test_chain_load(&t->id, kind), 0);
	snprintf(path, sizeof(path), PKI "%s.key", kind);
	text = test_read(path, &len);
	assert_int_equal(crypto_key_load((const uint8_t *)text, len, &t->key), 0);
	free(text);
	spki = x509_cert_spki(t->id.chain[0]);
	assert_int_equal(crypto_pubkey_parse(spki->data, spki->len, &pub), 0);
	t->id.name = (char *)kind;
	t->id.key_type = pub.type;
	t->id.key_bits = pub.bits;
	crypto_pubkey_free(&pub);
}

static inline void test_identity_free(struct test_identity *t)
{
	for (size_t i = 0; i < t->id.num; i++)
		x509_cert_free(t->id.chain[i]);
	crypto_key_free(t->key);
}

/* What hs_params.choose is given: one identity, known as server.test or by no name. */
static inline int test_choose(void *arg, const char *name, const uint16_t *schemes, size_t num,
			      const struct identity **ret, const char **why)
{
	struct test_identity *t = arg;

	(void)schemes;
	(void)num;
	if (name && name[0] && strcmp(name, "server.test")) {
		*why = "no identity has this name";
		return ALERT_UNRECOGNIZED_NAME;
	}
	*ret = &t->id;
	return 0;
}

/* hs_params.prepare: each hello has to wait once. */
static unsigned int test_waits;
static inline bool test_prepare(void *arg, const char *name)
{
	static bool waiting;

	(void)arg;
	(void)name;
	waiting = !waiting;
	test_waits += waiting;
	return !waiting;
}

struct pair {
	struct hs_params cp, sp;
	struct hs *client, *server;
	struct test_identity *client_id, *server_id;
	size_t cut;		/* the wire gives at most this many bytes at a time, 0: all */
	/* May change the records that @from sends. */
	void (*meddle)(struct pair *p, struct hs *from, uint8_t *buf, size_t *len);
	/* May change the messages in to->in, decrypted, before @to looks at them. */
	void (*edit)(struct pair *p, struct hs *to);
	int round;
	bool replayed;		/* what the register says of early data */
	void *arg;
};

static inline struct test_identity *pair_identity(struct pair *p, struct hs *hs)
{
	return hs == p->client ? p->client_id : p->server_id;
}

static inline int pair_sign(struct pair *p, struct hs *hs)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len = 0;

	assert_non_null(s);
	assert_int_equal(s->scheme->sign(pair_identity(p, hs)->key, s->scheme->hash, s->tbs, s->len, sig, &len), 0);
	return hs_signed(hs, sig, len);
}

/* For something of the outside. */
static inline bool hs_waits(const struct hs *hs)
{
	return hs_state(hs) == HS_SIGN || hs_state(hs) == HS_PREPARE || hs_state(hs) == HS_FRESH;
}

static inline int pair_answer(struct pair *p, struct hs *hs)
{
	if (hs_state(hs) == HS_FRESH)
		return hs_fresh(hs, !p->replayed);
	return hs_state(hs) == HS_SIGN ? pair_sign(p, hs) : hs_prepared(hs);
}

/* Gives @data as the engine asks for it. Returns its verdict. */
static inline int feed(struct pair *p, struct hs *hs, const uint8_t *data, size_t len)
{
	size_t n;
	int err = 0;

	while (len && !err) {
		while (hs_waits(hs))
			pair_answer(p, hs);
		n = hs_want(hs);
		if (!n)
			return 0;	/* what is left belongs to the kernel */
		if (n > len)
			n = len;
		if (p->cut && n > p->cut)
			n = p->cut;
		err = hs_input(hs, data, n);
		data += n;
		len -= n;
	}
	while (!err && hs_waits(hs))
		err = pair_answer(p, hs);
	return err;
}

/* Like feed(), whole records only, with p->edit between the record layer and the engine. */
static inline int feed_edited(struct pair *p, struct hs *hs, const uint8_t *data, size_t len)
{
	size_t n;
	int err = 0;

	while (len >= 5 && !err && hs_want(hs)) {
		n = 5 + (size_t)(data[3] << 8 | data[4]);
		assert_true(n <= len);
		err = record_input(hs, data, 5);
		if (!err)
			err = record_input(hs, data + 5, n - 5);
		assert_int_equal(err, 0);
		if (hs->in.len)
			p->edit(p, hs);
		err = hs_input(hs, NULL, 0);
		while (!err && hs_waits(hs))
			err = pair_answer(p, hs);
		data += n;
		len -= n;
	}
	return err;
}

/* Carries everything that @from wants to send. false: there was nothing. */
static inline bool carry(struct pair *p, struct hs *from, struct hs *to)
{
	size_t len, taken;
	const uint8_t *out = hs_output(from, &len);
	uint8_t buf[131072];

	if (!len)
		return false;
	assert_true(len < sizeof(buf) / 2);
	memcpy(buf, out, len);
	taken = len;
	if (p->meddle)
		p->meddle(p, from, buf, &len);
	p->round++;
	hs_sent(from, taken);
	if (p->edit && hs_state(from) != HS_FAILED)
		feed_edited(p, to, buf, len);
	else
		feed(p, to, buf, len);
	return true;
}

static inline void pair_new(struct pair *p)
{
	p->cp.role = HS_CLIENT;
	p->sp.role = HS_SERVER;
	p->client = hs_new(&p->cp);
	p->server = hs_new(&p->sp);
	assert_non_null(p->client);
	assert_non_null(p->server);
}

/* Until both are done, one has failed, or nobody has anything to say. */
static inline void pair_talk(struct pair *p)
{
	while (carry(p, p->client, p->server) | carry(p, p->server, p->client))
		;
}

static inline void pair_run(struct pair *p)
{
	pair_new(p);
	hs_start(p->client);
	hs_start(p->server);
	pair_talk(p);
}

static inline void pair_free(struct pair *p)
{
	hs_free(p->client);
	hs_free(p->server);
	p->client = p->server = NULL;
}

#endif
