/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities and trust stores from their files: parsed once, checked against
 * each other (does the key fit the certificate?), private bytes wiped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "config.h"

#define ANCHORS_MAX	2048

static int load_chain(struct identity *id, const char *path, struct files *files, char *why)
{
	struct crypto_pubkey pub;
	const struct x509_blob *spki;
	const char *pem;
	size_t len;
	int err;

	err = files_read(files, path, &pem, &len);
	if (err) {
		snprintf(why, POLICY_WHY, "certificate %.120s cannot be read: %s", path, strerror(-err));
		return -EINVAL;
	}
	err = x509_pem_read(pem, len, id->chain, X509_MAX_CHAIN, &id->num);
	if (err || !id->num) {
		snprintf(why, POLICY_WHY, "certificate %.120s has no certificates in PEM form, or a broken one: give the chain, end entity first", path);
		return -EINVAL;
	}
	spki = x509_cert_spki(id->chain[0]);
	err = crypto_pubkey_parse(spki->data, spki->len, &pub);
	if (err) {
		snprintf(why, POLICY_WHY, "certificate %.120s has a public key that ktlsd does not know: use RSA, P-256, P-384, P-521 or Ed25519", path);
		return -EINVAL;
	}
	id->key_type = pub.type;
	id->key_bits = pub.bits;
	crypto_pubkey_free(&pub);
	return 0;
}

static bool key_fits(const struct crypto_key *key, const struct identity *id)
{
	const struct x509_blob *spki = x509_cert_spki(id->chain[0]);
	struct crypto_pubkey pub;
	bool fits;

	if (crypto_pubkey_parse(spki->data, spki->len, &pub))
		return false;
	fits = crypto_key_matches(key, &pub);
	crypto_pubkey_free(&pub);
	return fits;
}

static int load_key(struct site *site, char *why)
{
	const char *path = site->key_file;
	struct stat st;
	char *data;
	size_t len;
	int err;

	err = file_slurp(path, &data, &len);
	if (err) {
		snprintf(why, POLICY_WHY, "key %.120s cannot be read: %s", path, strerror(-err));
		return -EINVAL;
	}
	err = crypto_key_load((uint8_t *)data, len, &site->key);
	explicit_bzero(data, len);
	free(data);
	if (err) {
		snprintf(why, POLICY_WHY, "key %.120s is no private key that ktlsd knows: give an unencrypted PKCS#8, PKCS#1 or SEC1 key in PEM or DER", path);
		return -EINVAL;
	}
	if (!key_fits(site->key, &site->id)) {
		snprintf(why, POLICY_WHY, "key %.80s is not that of certificate %.80s: correct one of them", path, site->certificate_file);
		return -EINVAL;
	}
	if (!stat(path, &st) && st.st_mode & S_IROTH)
		snprintf(why, POLICY_WHY, "key %.120s can be read by everyone: chmod 600", path);
	return 0;
}

int site_load(struct site *site, struct files *files, bool key, char why[POLICY_WHY])
{
	if (!site->certificate_file || !site->key_file) {
		snprintf(why, POLICY_WHY, "has no %s: add %s = PATH", site->certificate_file ? "key" : "certificate",
			 site->certificate_file ? "key" : "certificate");
		return -EINVAL;
	}
	if (load_chain(&site->id, site->certificate_file, files, why))
		return -EINVAL;
	if (key && load_key(site, why))
		return -EINVAL;
	if (!site->allow.num)
		snprintf(why, POLICY_WHY, "allows nobody: add allow = user:NAME");
	return 0;
}

void site_free(struct site *site)
{
	size_t i;

	crypto_key_free(site->key);
	for (i = 0; i < site->id.num; i++)
		x509_cert_free(site->id.chain[i]);
	free(site->id.name);
	free(site->certificate_file);
	free(site->key_file);
}

static int add_anchors(struct x509_store *store, struct x509_cert **certs, size_t num)
{
	size_t i;
	int err = 0;

	for (i = 0; i < num; i++) {
		if (!err)
			err = x509_store_add(store, certs[i]);
		else
			x509_cert_free(certs[i]);
	}
	return err;
}

static int load_anchors(struct trust *trust, const char *pem, size_t len)
{
	struct x509_cert **certs = calloc(ANCHORS_MAX, sizeof(*certs));
	size_t num = 0;
	int err = -ENOMEM;

	trust->store = x509_store_new();
	if (certs && trust->store)
		err = x509_pem_read(pem, len, certs, ANCHORS_MAX, &num);
	if (!err)
		err = add_anchors(trust->store, certs, num);
	free(certs);
	return err || num ? err : -EBADMSG;
}

int trust_load(struct trust *trust, struct files *files, char why[POLICY_WHY])
{
	const char *pem;
	size_t len;
	int err;

	if (!trust->file) {
		snprintf(why, POLICY_WHY, "has no file: add file = PATH of a bundle of CA certificates");
		return -EINVAL;
	}
	err = files_read(files, trust->file, &pem, &len);
	if (err) {
		snprintf(why, POLICY_WHY, "file %.120s cannot be read: %s", trust->file, strerror(-err));
		return -EINVAL;
	}
	if (load_anchors(trust, pem, len)) {
		snprintf(why, POLICY_WHY, "file %.120s has no CA certificates in PEM form, or a broken one: correct it", trust->file);
		return -EINVAL;
	}
	return 0;
}

void trust_free(struct trust *trust)
{
	x509_store_free(trust->store);
	free(trust->name);
	free(trust->file);
}
