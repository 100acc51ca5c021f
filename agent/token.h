/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys that stay in a PKCS#11 token, named by a URI (RFC 7512) and
 * reached through p11-kit. Only the keeper has any.
 */
#ifndef TOKEN_H
#define TOKEN_H
#include <stdbool.h>
#include "crypto/crypto.h"

#define TOKEN_WHY	200

struct token;

bool token_is_uri(const char *text);
/*
 * Log in and find the key that @uri names; it has to be that of @pub, which one signature shows.
 * The PIN is @pin, else what the URI's pin-source (a file) or pin-value has; a token that wants
 * none needs none. 0; or -EINVAL and a sentence of what to do in @why.
 */
int token_open(const char *uri, const char *pin, const struct crypto_pubkey *pub, struct token **ret,
	       char why[TOKEN_WHY]);
void token_free(struct token *t);	/* NULL allowed */
/* As crypto_scheme.sign. Any number of threads at a time, each in a session of its own. */
int token_sign(struct token *t, const struct crypto_scheme *s, const uint8_t *msg, size_t len,
	       uint8_t *sig, size_t *sig_len);

#endif
