/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker may have signed. A worker that a stranger has taken over can
 * ask for anything; it gets CertificateVerify signatures, by a key and scheme
 * that fit each other, and nothing that means something elsewhere.
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

static int make(const struct config *config, const struct msg_sign *m, struct msg_signed *out)
{
	const struct crypto_scheme *s = crypto_scheme_find(m->scheme);
	const struct site *site;
	size_t len = 0;
	int err;

	if (m->len > sizeof(m->tbs) || !sign_is_certificate_verify(m->tbs, m->len))
		return -EACCES;
	if (m->key >= config->sites_num || !config->sites[m->key].key)
		return -ENOKEY;
	site = &config->sites[m->key];
	if (!s || !s->tls13 || !crypto_scheme_fits(s, site->id.key_type, site->id.key_bits))
		return -EINVAL;
	err = s->sign(site->key, s->hash, m->tbs, m->len, out->sig, &len);
	if (!err)
		out->len = len;
	return err;
}

void sign_request(const struct config *config, const struct msg_sign *m, struct msg_signed *out)
{
	memset(out, 0, sizeof(*out));
	out->type = MSG_SIGNED;
	out->id = m->id;
	out->err = make(config, m, out);
}
