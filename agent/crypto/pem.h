/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRYPTO_PEM_H
#define CRYPTO_PEM_H
#include <stddef.h>
#include <stdint.h>

#define PEM_LABEL 64

/*
 * Next block of a PEM text (RFC 7468): moves *@text past it. @der needs as
 * many bytes as the text. 1: a block; 0: no more; -EBADMSG: broken block;
 * -ENOTSUP: a block with headers (RFC 1421), that is, an encrypted one.
 */
int pem_next(const char **text, const char *end, char label[PEM_LABEL],
	     uint8_t *der, size_t *der_len);

#endif
