/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private keys under a passphrase. */
#ifndef CRYPTO_PKCS8_H
#define CRYPTO_PKCS8_H
#include "crypto/der.h"

/*
 * What is inside of an EncryptedPrivateKeyInfo: @plain has as many bytes as
 * @der has, the caller wipes it, and @len of them are the key if this gives 0.
 * -EBADMSG: malformed. -ENOTSUP: another way of encryption. -EACCES: that
 * passphrase gives no key.
 */
int pkcs8_decrypt(struct der der, struct der passphrase, uint8_t *plain, size_t *len);

#endif
