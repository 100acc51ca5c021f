/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker may have signed. A worker that a stranger has taken over can
 * ask for anything; it gets the signatures of handshakes, by a key and scheme
 * that fit each other and the version, and nothing that means something
 * elsewhere.
 */
#include <errno.h>
#include <string.h>
#include "sign.h"

#define SPACES 64

static const char *const contexts[] = {
	"TLS 1.3, server CertificateVerify",
	"TLS 1.3, client CertificateVerify",
};

/* Behind the context and its NUL stands the transcript hash of a cipher suite. */
static bool is_digest(size_t len)
{
	return len == crypto_sha256.size || len == crypto_sha384.size;
}

bool sign_is_certificate_verify(const uint8_t *tbs, size_t len)
{
	size_t i, size;

	for (i = 0; i < SPACES; i++)
		if (i >= len || tbs[i] != 0x20)
			return false;
	for (i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++) {
		size = strlen(contexts[i]) + 1;
		if (len > SPACES + size && !memcmp(tbs + SPACES, contexts[i], size))
			return is_digest(len - SPACES - size);
	}
	return false;
}

/* PKCS#1 is for TLS 1.2 only. */
static bool allowed(const struct crypto_scheme *s, const uint8_t *tbs, size_t len)
{
	return s->tls13 || !sign_is_certificate_verify(tbs, len);
}

static const struct site *sign_site(const struct config *config, uint32_t key)
{
	if (key & CATALOG_KEY)
		return stock_site(config->stock, key);
	return key < config->sites_num ? &config->sites[key] : NULL;
}

static int make(const struct config *config, const struct msg_sign *m, const uint8_t *tbs, size_t room,
		struct msg_signed *out)
{
	const struct crypto_scheme *s = crypto_scheme_find(m->scheme);
	const struct site *site;
	size_t len = 0;
	int err;

	if (m->len > room || !(sign_is_certificate_verify(tbs, m->len) || sign_is_key_exchange(tbs, m->len) ||
			       sign_is_transcript(tbs, m->len)))
		return -EACCES;
	site = sign_site(config, m->key);
	if (!site || !site->key)
		return -ENOKEY;
	if (!s || !allowed(s, tbs, m->len) || !crypto_scheme_fits(s, site->id.key_type, site->id.key_bits))
		return -EINVAL;
	err = s->sign(site->key, s->hash, tbs, m->len, out->sig, &len);
	if (!err)
		out->len = len;
	return err;
}

void sign_request(const struct config *config, const struct msg_sign *m, const uint8_t *tbs, size_t room,
		  struct msg_signed *out)
{
	memset(out, 0, sizeof(*out));
	out->type = MSG_SIGNED;
	out->id = m->id;
	out->err = make(config, m, tbs, room, out);
}
