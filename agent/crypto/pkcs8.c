/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EncryptedPrivateKeyInfo (RFC 5958 3) by PBES2 (RFC 8018 6.2): PBKDF2 with
 * HMAC over SHA-1 or SHA-2, and AES in CBC mode. Older ways are refused. A
 * passphrase is right if the padding is, and then the key parses: the padding
 * alone is by chance once in 256 times.
 */
#include <errno.h>
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/nettle-meta.h>
#include <nettle/pbkdf2.h>
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/pkcs8.h"

#define OID_PBES2	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d")	/* 1.2.840.113549.1.5.13 */
#define OID_PBKDF2	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c")	/* 1.2.840.113549.1.5.12 */
#define MAX_ROUNDS	10000000	/* some seconds: nobody waits longer for a start */

typedef void derive_fn(size_t key_len, const uint8_t *key, unsigned int iterations,
		       size_t salt_len, const uint8_t *salt, size_t len, uint8_t *out);

static const struct prf {
	const char *oid;
	size_t oid_len;
	derive_fn *derive;
} prfs[] = {
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x02\x09"), pbkdf2_hmac_sha256 },	/* 1.2.840.113549.2.9 */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x02\x0a"), pbkdf2_hmac_sha384 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x02\x0b"), pbkdf2_hmac_sha512 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x02\x07"), pbkdf2_hmac_sha1 },	/* the default */
};
#define PRFS (sizeof(prfs) / sizeof(prfs[0]))

static const struct cipher {
	const char *oid;
	size_t oid_len;
	const struct nettle_cipher *aes;
} ciphers[] = {
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x01\x02"), &nettle_aes128 },	/* 2.16.840.1.101.3.4.1.2 */
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x01\x16"), &nettle_aes192 },
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), &nettle_aes256 },
};
#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

struct pbes2 {
	derive_fn *derive;
	struct der salt, iv;
	uint32_t rounds;
	const struct nettle_cipher *aes;
};

static int prf_read(struct der *params, struct pbes2 *p)
{
	struct der alg, oid;

	p->derive = pbkdf2_hmac_sha1;
	if (der_end(params))
		return 0;
	if (!der_seq(params, &alg) || !der_end(params) || !der_oid(&alg, &oid) ||
	    (!der_end(&alg) && !der_null(&alg)) || !der_end(&alg))
		return -EBADMSG;
	for (size_t i = 0; i < PRFS; i++)
		if (der_is(&oid, prfs[i].oid, prfs[i].oid_len)) {
			p->derive = prfs[i].derive;
			return 0;
		}
	return -ENOTSUP;
}

static int kdf_read(struct der alg, struct pbes2 *p, uint32_t *key_len)
{
	struct der oid, params;

	if (!der_oid(&alg, &oid))
		return -EBADMSG;
	if (!der_is(&oid, OID_PBKDF2))
		return -ENOTSUP;
	if (!der_seq(&alg, &params) || !der_end(&alg))
		return -EBADMSG;
	if (!der_peek(&params, DER_OCTETS))	/* a salt from elsewhere */
		return -ENOTSUP;
	*key_len = 0;
	if (!der_get(&params, DER_OCTETS, &p->salt) || !der_small(&params, &p->rounds) || !p->rounds ||
	    (der_peek(&params, DER_INT) && !der_small(&params, key_len)))
		return -EBADMSG;
	return p->rounds > MAX_ROUNDS ? -ENOTSUP : prf_read(&params, p);
}

static int cipher_read(struct der alg, struct pbes2 *p)
{
	struct der oid;

	if (!der_oid(&alg, &oid))
		return -EBADMSG;
	for (size_t i = 0; i < CIPHERS; i++)
		if (der_is(&oid, ciphers[i].oid, ciphers[i].oid_len))
			p->aes = ciphers[i].aes;
	if (!p->aes)
		return -ENOTSUP;
	if (!der_get(&alg, DER_OCTETS, &p->iv) || !der_end(&alg) || der_len(&p->iv) != AES_BLOCK_SIZE)
		return -EBADMSG;
	return 0;
}

/* The AlgorithmIdentifier in front. */
static int pbes2_read(struct der alg, struct pbes2 *p)
{
	struct der oid, params, kdf, cipher;
	uint32_t key_len;
	int err;

	memset(p, 0, sizeof(*p));
	if (!der_oid(&alg, &oid))
		return -EBADMSG;
	if (!der_is(&oid, OID_PBES2))
		return -ENOTSUP;
	if (!der_seq(&alg, &params) || !der_end(&alg) || !der_seq(&params, &kdf) ||
	    !der_seq(&params, &cipher) || !der_end(&params))
		return -EBADMSG;
	err = kdf_read(kdf, p, &key_len);
	if (!err)
		err = cipher_read(cipher, p);
	if (!err && key_len && key_len != p->aes->key_size)
		err = -EBADMSG;
	return err;
}

/* RFC 8018 6.1.1: n bytes of value n. */
static bool unpad(const uint8_t *plain, size_t *len)
{
	uint8_t n = plain[*len - 1], wrong = 0;

	if (n < 1 || n > AES_BLOCK_SIZE)
		return false;
	for (size_t i = *len - n; i < *len; i++)
		wrong |= plain[i] ^ n;
	*len -= n;
	return !wrong;
}

static void decrypt(const struct pbes2 *p, struct der passphrase, struct der data, uint8_t *plain)
{
	_Alignas(16) uint8_t ctx[sizeof(struct aes256_ctx)];
	uint8_t key[AES256_KEY_SIZE], iv[AES_BLOCK_SIZE];

	p->derive(der_len(&passphrase), passphrase.p, p->rounds, der_len(&p->salt), p->salt.p,
		  p->aes->key_size, key);
	memcpy(iv, p->iv.p, sizeof(iv));
	p->aes->set_decrypt_key(ctx, key);
	cbc_decrypt(ctx, p->aes->decrypt, AES_BLOCK_SIZE, iv, der_len(&data), plain, data.p);
	crypto_wipe(key, sizeof(key));
	crypto_wipe(ctx, sizeof(ctx));
}

int pkcs8_decrypt(struct der der, struct der passphrase, uint8_t *plain, size_t *len)
{
	struct der seq, alg, data;
	struct pbes2 p;
	size_t n;
	int err;

	if (!der_seq(&der, &seq) || !der_end(&der) || !der_seq(&seq, &alg) ||
	    !der_get(&seq, DER_OCTETS, &data) || !der_end(&seq))
		return -EBADMSG;
	n = der_len(&data);
	if (!n || n % AES_BLOCK_SIZE)
		return -EBADMSG;
	err = pbes2_read(alg, &p);
	if (err)
		return err;
	decrypt(&p, passphrase, data, plain);
	if (!unpad(plain, &n))
		return -EACCES;
	*len = n;
	return 0;
}
