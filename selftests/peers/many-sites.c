// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * many-sites CA.pem CA.key SITE.pem SITE.key DIR NUMBER: folders DIR/NAME with
 * cert.pem and key.pem. SITE.pem is for site-000000.test; each NAME has other
 * digits there, and the signature of the CA anew. The keys are one file, linked.
 */
#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/crypto.h"
#include "crypto/der.h"
#include "crypto/pem.h"
#include "rng/rng.h"

#define DIGITS	"000000"
#define NAME	"site-" DIGITS ".test"

struct site { uint8_t tbs[2048], algorithm[32]; size_t tbs_len, algorithm_len; };

static void die(const char *what)
{
	fprintf(stderr, "many-sites: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *slurp(const char *path, size_t *len)
{
	char *text = malloc(65536);
	FILE *f = fopen(path, "re");

	if (!f || !text)
		die(path);
	*len = fread(text, 1, 65536, f);
	fclose(f);
	return text;
}

static void read_site(const char *path, struct site *s)
{
	uint8_t buf[8192];
	char label[PEM_LABEL];
	size_t text_len, len = sizeof(buf);
	char *text = slurp(path, &text_len);
	const char *at = text;
	struct der d, cert, tbs, algorithm;

	if (pem_next(&at, text + text_len, label, buf, &len) != 1)
		die(path);
	free(text);
	d = der_of(buf, len);
	if (!der_seq(&d, &cert) || !der_whole(&cert, DER_SEQ, &tbs) || !der_whole(&cert, DER_SEQ, &algorithm) ||
	    der_len(&tbs) > sizeof(s->tbs) || der_len(&algorithm) > sizeof(s->algorithm))
		die(path);
	s->tbs_len = der_len(&tbs);
	memcpy(s->tbs, tbs.p, s->tbs_len);
	s->algorithm_len = der_len(&algorithm);
	memcpy(s->algorithm, algorithm.p, s->algorithm_len);
}

/* All numbers of the same length, so that no length in the certificate changes. */
static void rename_site(struct site *s, const char *name)
{
	static const char prefix[] = "site-";
	uint8_t *p = s->tbs, *end = s->tbs + s->tbs_len;

	while ((p = memmem(p, (size_t)(end - p), prefix, sizeof(prefix) - 1))) {
		memcpy(p, name, strlen(NAME));
		p += strlen(NAME);
	}
}

static uint8_t *put_head(uint8_t *p, uint8_t tag, size_t len)
{
	*p++ = tag;
	if (len < 128) {
		*p++ = (uint8_t)len;
		return p;
	}
	*p++ = 0x82;
	*p++ = (uint8_t)(len >> 8);
	*p++ = (uint8_t)len;
	return p;
}

static size_t head_len(size_t len) { return len < 128 ? 2 : 4; }

static size_t sign_site(const struct site *s, const struct crypto_key *ca, uint8_t *out)
{
	const struct crypto_scheme *scheme = crypto_scheme_find(0x0403);
	uint8_t sig[CRYPTO_MAX_SIGNATURE], *p;
	size_t sig_len, bits;

	if (scheme->sign(ca, scheme->hash, s->tbs, s->tbs_len, sig, &sig_len))
		die("signing");
	bits = 1 + sig_len;
	p = put_head(out, DER_SEQ, s->tbs_len + s->algorithm_len + head_len(bits) + bits);
	memcpy(p, s->tbs, s->tbs_len);
	p += s->tbs_len;
	memcpy(p, s->algorithm, s->algorithm_len);
	p = put_head(p + s->algorithm_len, DER_BITS, bits);
	*p++ = 0;
	memcpy(p, sig, sig_len);
	return (size_t)(p + sig_len - out);
}

static void write_site(const char *dir, const char *name, const uint8_t *der, size_t len, const char *key)
{
	char path[4096], text[8192];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (mkdir(path, 0755))
		die(path);
	snprintf(path, sizeof(path), "%s/%s/cert.pem", dir, name);
	f = fopen(path, "we");
	if (!f)
		die(path);
	base64_encode_raw(text, len, der);
	fprintf(f, "-----BEGIN CERTIFICATE-----\n%.*s\n-----END CERTIFICATE-----\n",
		(int)BASE64_ENCODE_RAW_LENGTH(len), text);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s/key.pem", dir, name);
	if (symlink(key, path))
		die(path);
}

int main(int argc, char **argv)
{
	struct crypto_key *ca;
	uint8_t der[4096];
	struct site site;
	char name[32];
	size_t len;
	char *text;
	long i;

	if (argc != 7)
		return fputs("usage: many-sites CA.pem CA.key SITE.pem SITE.key DIR NUMBER\n", stderr), 2;
	text = slurp(argv[2], &len);
	if (crypto_key_load((uint8_t *)text, len, &ca))
		die(argv[2]);
	free(text);
	read_site(argv[3], &site);
	for (i = 0; i < atol(argv[6]); i++) {
		snprintf(name, sizeof(name), "site-%06ld.test", i);
		rename_site(&site, name);
		len = sign_site(&site, ca, der);
		write_site(argv[5], name, der, len, argv[4]);
	}
	crypto_key_free(ca);
	return 0;
}
