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
#include "token.h"

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

static struct site *sign_site(const struct config *config, uint32_t key)
{
	if (key & CATALOG_KEY)
		return stock_site(config->stock, key);
	return key < config->sites_num ? &config->sites[key] : NULL;
}

/* Is there such a key, and can it use the scheme? */
static int key_check(const struct site *site, const struct crypto_scheme *s, bool delegated)
{
	const struct crypto_pubkey *pub;

	if (!site || !(delegated ? !!site->delegated_key : site->key || site->token))
		return -ENOKEY;
	if (!s)
		return -EINVAL;
	if (!delegated)
		return crypto_scheme_fits(s, site->id.key_type, site->id.key_bits) ? 0 : -EINVAL;
	pub = crypto_key_public(site->delegated_key);
	return crypto_scheme_fits(s, pub->type, pub->bits) ? 0 : -EINVAL;
}

int sign_check(const struct config *config, const struct msg_sign *m, const uint8_t *tbs, size_t room,
	       struct sign_work *ret)
{
	const struct crypto_scheme *s = crypto_scheme_find(m->scheme);
	bool delegated = m->key & SIGN_DELEGATED;
	struct site *site;
	int err;

	if (m->len > room || !(sign_is_certificate_verify(tbs, m->len) || sign_is_key_exchange(tbs, m->len) ||
			       sign_is_transcript(tbs, m->len)))
		return -EACCES;
	site = sign_site(config, m->key & ~SIGN_DELEGATED);
	err = key_check(site, s, delegated);
	if (err)
		return err;
	if (!allowed(s, tbs, m->len))
		return -EINVAL;
	*ret = (struct sign_work){
		.site = site, .stocked = m->key & CATALOG_KEY, .scheme = s, .len = m->len, .delegated = delegated,
	};
	return 0;
}

void sign_make(const struct sign_work *w, const uint8_t *tbs, struct msg_signed *out)
{
	const struct crypto_scheme *s = w->scheme;
	size_t len = 0;

	out->err = w->delegated ? s->sign(w->site->delegated_key, s->hash, tbs, w->len, out->sig, &len) :
		w->site->token ? token_sign(w->site->token, s, tbs, w->len, out->sig, &len) :
		s->sign(w->site->key, s->hash, tbs, w->len, out->sig, &len);
	out->len = out->err ? 0 : (uint32_t)len;
}

void sign_hold(const struct sign_work *w)
{
	if (w->stocked)
		stock_hold(w->site);
}

void sign_drop(const struct sign_work *w)
{
	if (w->stocked)
		stock_drop(w->site);
}

void sign_request(const struct config *config, const struct msg_sign *m, const uint8_t *tbs, size_t room,
		  struct msg_signed *out)
{
	struct sign_work w;

	memset(out, 0, sizeof(*out));
	out->type = MSG_SIGNED;
	out->id = m->id;
	out->err = sign_check(config, m, tbs, room, &w);
	if (!out->err)
		sign_make(&w, tbs, out);
}
