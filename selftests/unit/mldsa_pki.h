/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and certificates of ML-DSA (RFC 9881), which no program of Debian's makes: a writer of
 * DER from back to front, a CA for each set, and an end entity under it, as files beside those of pki.sh.
 */
#ifndef MLDSA_PKI_H
#define MLDSA_PKI_H
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/mldsa.h"

/* What is written stands at the end of the buffer. */
struct back { uint8_t buf[32768]; size_t at; };

static inline void back_bytes(struct back *b, const void *p, size_t len)
{
	assert_true(b->at >= len);
	b->at -= len;
	memcpy(b->buf + b->at, p, len);
}

static inline void back_byte(struct back *b, unsigned int v)
{
	back_bytes(b, &(uint8_t){ (uint8_t)v }, 1);
}

/* Tag and length of all that was written since @end. */
static inline void back_close(struct back *b, uint8_t tag, size_t end)
{
	size_t len = end - b->at, n = len;
	unsigned int bytes = 0;

	for (; len >= 128 && n; n >>= 8, bytes++)
		back_byte(b, n & 0xff);
	back_byte(b, len < 128 ? (unsigned int)len : 0x80 | bytes);
	back_byte(b, tag);
}

static inline void back_whole(struct back *b, uint8_t tag, const void *p, size_t len)
{
	size_t end = b->at;

	back_bytes(b, p, len);
	back_close(b, tag, end);
}

static inline void back_algorithm(struct back *b, const struct mldsa *p)
{
	uint8_t oid[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11 };
	size_t end = b->at;

	oid[8] = (uint8_t)(0x11 + (p->type - CRYPTO_KEY_MLDSA44));
	back_whole(b, 0x06, oid, sizeof(oid));
	back_close(b, 0x30, end);
}

/* A BIT STRING of whole bytes */
static inline void back_bits(struct back *b, const uint8_t *data, size_t len)
{
	size_t end = b->at;

	back_bytes(b, data, len);
	back_byte(b, 0);
	back_close(b, 0x03, end);
}

static inline void back_name(struct back *b, const char *cn)
{
	size_t end = b->at;

	back_whole(b, 0x0c, cn, strlen(cn));
	back_whole(b, 0x06, "\x55\x04\x03", 3);
	back_close(b, 0x30, end);
	back_close(b, 0x31, end);
	back_close(b, 0x30, end);
}

static inline void back_extensions(struct back *b, bool ca)
{
	static const uint8_t for_ca[] = { 0x30, 0x0f, 0x06, 3, 0x55, 0x1d, 0x13, 0x01, 1, 0xff, 0x04, 5, 0x30, 3, 1, 1, 0xff };
	static const uint8_t san[] = { 0x30, 0x16, 0x06, 3, 0x55, 0x1d, 0x11, 0x04, 15, 0x30, 13, 0x82, 11,
		's', 'e', 'r', 'v', 'e', 'r', '.', 't', 'e', 's', 't' };
	size_t end = b->at;

	back_bytes(b, ca ? for_ca : san, ca ? sizeof(for_ca) : sizeof(san));
	back_close(b, 0x30, end);
	back_close(b, 0xa3, end);
}

/* The certificate of @pub, signed with @seed. */
static inline void back_certificate(struct back *b, const struct mldsa *p, const char *names[2], const uint8_t *pub,
			     const uint8_t *seed)
{
	static const uint8_t zeros[32];
	uint8_t sig[MLDSA_MAX_SIGNATURE];
	struct back tbs = { .at = sizeof(tbs.buf) };
	size_t end = tbs.at, spki;

	back_extensions(&tbs, !strcmp(names[0], names[1]));
	spki = tbs.at;
	back_bits(&tbs, pub, p->public_key);
	back_algorithm(&tbs, p);
	back_close(&tbs, 0x30, spki);
	back_name(&tbs, names[1]);
	spki = tbs.at;
	back_whole(&tbs, 0x17, "400101000000Z", 13);
	back_whole(&tbs, 0x17, "250101000000Z", 13);
	back_close(&tbs, 0x30, spki);
	back_name(&tbs, names[0]);
	back_algorithm(&tbs, p);
	back_whole(&tbs, 0x02, "\x2a", 1);
	spki = tbs.at;
	back_whole(&tbs, 0x02, "\x02", 1);
	back_close(&tbs, 0xa0, spki);
	back_close(&tbs, 0x30, end);
	assert_int_equal(mldsa_sign(p, seed, zeros, tbs.buf + tbs.at, end - tbs.at, sig), 0);
	end = b->at;
	back_bits(b, sig, p->signature);
	back_algorithm(b, p);
	back_bytes(b, tbs.buf + tbs.at, sizeof(tbs.buf) - tbs.at);
	back_close(b, 0x30, end);
}

/* OneAsymmetricKey around the form in @inner. */
static inline void back_key(struct back *b, const struct mldsa *p, const uint8_t *inner, size_t len)
{
	size_t end = b->at;

	back_whole(b, 0x04, inner, len);
	back_algorithm(b, p);
	back_whole(b, 0x02, "\0", 1);
	back_close(b, 0x30, end);
}

static inline void back_seed(struct back *b, const struct mldsa *p, const uint8_t seed[MLDSA_SEED])
{
	uint8_t inner[2 + MLDSA_SEED] = { 0x80, MLDSA_SEED };

	memcpy(inner + 2, seed, MLDSA_SEED);
	back_key(b, p, inner, sizeof(inner));
}

static inline void back_pem(const struct back *b, const char *name, const char *suffix, const char *label)
{
	size_t len = sizeof(b->buf) - b->at;
	char *text = malloc(BASE64_ENCODE_RAW_LENGTH(len)), path[128];
	FILE *f;

	assert_non_null(text);
	base64_encode_raw(text, len, b->buf + b->at);
	snprintf(path, sizeof(path), PKI "%s%s", name, suffix);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < BASE64_ENCODE_RAW_LENGTH(len); at += 64)
		fprintf(f, "%.*s\n", BASE64_ENCODE_RAW_LENGTH(len) - at < 64 ? (int)(BASE64_ENCODE_RAW_LENGTH(len) - at) : 64,
			text + at);
	fprintf(f, "-----END %s-----\n", label);
	assert_int_equal(fclose(f), 0);
	free(text);
}

static inline void mldsa_key_file(const struct mldsa *p, const char *name, const char *suffix, const uint8_t *seed)
{
	struct back b = { .at = sizeof(b.buf) };

	back_seed(&b, p, seed);
	back_pem(&b, name, suffix, "PRIVATE KEY");
}

/* name.pem, name.key, name-other.key, name-ca.pem */
static inline void mldsa_pki(const struct mldsa *p, const char *name)
{
	static const char *ca[] = { "ML-DSA CA", "ML-DSA CA" }, *leaf[] = { "ML-DSA CA", "server.test" };
	uint8_t ca_seed[MLDSA_SEED] = { 1 }, seed[MLDSA_SEED] = { 2 }, other[MLDSA_SEED] = { 3 }, pub[MLDSA_MAX_PUBLIC];
	struct back b = { .at = sizeof(b.buf) };

	assert_int_equal(mldsa_generate(p, ca_seed, pub, NULL), 0);
	back_certificate(&b, p, ca, pub, ca_seed);
	back_pem(&b, name, "-ca.pem", "CERTIFICATE");
	b.at = sizeof(b.buf);
	assert_int_equal(mldsa_generate(p, seed, pub, NULL), 0);
	back_certificate(&b, p, leaf, pub, ca_seed);
	back_pem(&b, name, ".pem", "CERTIFICATE");
	mldsa_key_file(p, name, ".key", seed);
	mldsa_key_file(p, name, "-other.key", other);
}

#endif
