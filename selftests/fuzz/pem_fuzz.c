// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: files that an administrator was given: keys, plain and encrypted,
 * in PEM and DER, and bundles of certificates. The first byte says which.
 */
#include <stdlib.h>
#include <string.h>
#include "crypto/crypto.h"
#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A key that was taken is consistent: what it signs verifies. */
static void use(const struct crypto_key *key)
{
	const struct crypto_pubkey *pub = crypto_key_public(key);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len = 0;

	for (size_t i = 0; i < crypto_schemes_num; i++) {
		const struct crypto_scheme *s = &crypto_schemes[i];

		if (!crypto_scheme_fits(s, pub->type, pub->bits) || s->sign(key, s->hash, sig, 0, sig, &len))
			continue;
		if (s->verify(pub, s->hash, sig, 0, sig, len))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct x509_cert *certs[4];
	struct crypto_key *key;
	size_t num;

	if (!len)
		return 0;
	if (data[0] & 1) {
		if (!x509_pem_read((const char *)data + 1, len - 1, certs, 4, &num))
			while (num)
				x509_cert_free(certs[--num]);
		return 0;
	}
	if (!crypto_key_unlock(data + 1, len - 1, (const uint8_t *)"secret", data[0] & 2 ? 6 : 0, &key)) {
		use(key);
		crypto_key_free(key);
	}
	return 0;
}
