/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's one service to workers: signatures, and only for handshakes. */
#ifndef SIGN_H
#define SIGN_H
#include "config.h"
#include "message.h"

/* Is this the input of a TLS 1.3 CertificateVerify (RFC 9846 4.4.3), either side's? */
bool sign_is_certificate_verify(const uint8_t *tbs, size_t len);
/* sign12.c: of a ServerKeyExchange (RFC 5246 7.4.3), of a client's CertificateVerify (7.4.8)? */
bool sign_is_key_exchange(const uint8_t *tbs, size_t len);
bool sign_is_transcript(const uint8_t *tbs, size_t len);
/* What is to be signed, by whose key: the two halves of sign_request(). */
struct sign_work { struct site *site; const struct crypto_scheme *scheme; size_t len; bool stocked, delegated; };
int sign_check(const struct config *config, const struct msg_sign *m, const uint8_t *tbs, size_t room,
	       struct sign_work *ret);
void sign_make(const struct sign_work *w, const uint8_t *tbs, struct msg_signed *out);
/* The site outlives its place in the stock from the one to the other; one of a configuration lives as long as that. */
void sign_hold(const struct sign_work *w);
void sign_drop(const struct sign_work *w);
/*
 * Fills @out with the signature or -errno: -EINVAL malformed, -ENOKEY no such key, -EACCES not to be signed.
 * What is to be signed stands at @tbs, where @room bytes came with the message.
 */
void sign_request(const struct config *config, const struct msg_sign *m, const uint8_t *tbs, size_t room,
		  struct msg_signed *out);

#endif
