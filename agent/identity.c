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
#include "crypto/pem.h"
#include "handshake/hs.h"
#include "staple.h"
#include "token.h"

#define ANCHORS_MAX	2048

int identity_key(struct identity *id)
{
	const struct x509_blob *spki = x509_cert_spki(id->chain[0]);
	struct crypto_pubkey pub;
	int err = crypto_pubkey_parse(spki->data, spki->len, &pub);

	if (err)
		return err;
	id->key_type = pub.type;
	id->key_bits = pub.bits;
	crypto_pubkey_free(&pub);
	return 0;
}

static int load_chain(struct identity *id, const char *path, struct files *files, char *why)
{
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
	if (identity_key(id)) {
		snprintf(why, POLICY_WHY, "certificate %.120s has a public key that ktlsd does not know: use RSA, ECDSA, EdDSA or ML-DSA", path);
		return -EINVAL;
	}
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

/* A file that only the keeper may read. */
static int read_secret(const char *what, const char *path, char **data, size_t *len, char *why)
{
	int err = file_slurp(path, data, len);

	if (!err)
		return 0;
	snprintf(why, POLICY_WHY, "%s %.120s cannot be read: %s", what, path, strerror(-err));
	return -EINVAL;
}

static void free_secret(char *data, size_t len)
{
	if (data)
		explicit_bzero(data, len);
	free(data);
}

static void warn_if_public(const char *what, const char *path, char *why)
{
	struct stat st;

	if (!stat(path, &st) && st.st_mode & S_IROTH)
		snprintf(why, POLICY_WHY, "%s %.120s can be read by everyone: chmod 600", what, path);
}

static const char *no_key(int err)
{
	switch (err) {
	case -ENOKEY:
		return "is encrypted: add passphrase-file = PATH";
	case -EACCES:
		return "is not opened by what passphrase-file says: correct it";
	case -ENOTSUP:
		return "is of a kind, or encrypted in a way, that ktlsd does not know: give PKCS#8 (if encrypted: PBES2, PBKDF2 and AES), PKCS#1 or SEC1";
	default:
		return "is no private key that ktlsd knows: give a PKCS#8, PKCS#1 or SEC1 key in PEM or DER";
	}
}

/* The first line of the passphrase file, if there is one, opens the key. */
static int open_key(struct site *site, char *why)
{
	char *data = NULL, *pass = NULL;
	size_t len = 0, pass_len = 0;
	int err = read_secret("key", site->key_file, &data, &len, why);

	if (!err && site->passphrase_file)
		err = read_secret("passphrase-file", site->passphrase_file, &pass, &pass_len, why);
	if (err)
		goto out;
	err = crypto_key_unlock((uint8_t *)data, len, (uint8_t *)pass, pass ? strcspn(pass, "\r\n") : 0,
				&site->key);
	if (err)
		snprintf(why, POLICY_WHY, "key %.100s %s", site->key_file, no_key(err));
out:
	free_secret(pass, pass_len);
	free_secret(data, len);
	return err ? -EINVAL : 0;
}

static int load_token(struct site *site, char *why)
{
	const struct x509_blob *spki = x509_cert_spki(site->id.chain[0]);
	char *pin = NULL, reason[TOKEN_WHY];
	struct crypto_pubkey pub;
	size_t len = 0;
	int err = 0;

	if (site->passphrase_file)
		err = read_secret("passphrase-file", site->passphrase_file, &pin, &len, why);
	if (err || crypto_pubkey_parse(spki->data, spki->len, &pub))
		return -EINVAL;
	if (pin)
		pin[strcspn(pin, "\r\n")] = '\0';
	err = token_open(site->key_file, pin, &pub, &site->token, reason);
	crypto_pubkey_free(&pub);
	free_secret(pin, len);
	if (err)
		snprintf(why, POLICY_WHY, "key %.*s: %.160s", (int)strcspn(site->key_file, "?"), site->key_file, reason);
	else if (site->passphrase_file)
		warn_if_public("passphrase-file", site->passphrase_file, why);
	return err ? -EINVAL : 0;
}

static int load_key(struct site *site, char *why)
{
	if (token_is_uri(site->key_file))
		return load_token(site, why);
	if (open_key(site, why))
		return -EINVAL;
	if (!key_fits(site->key, &site->id)) {
		snprintf(why, POLICY_WHY, "key %.80s is not that of certificate %.80s: correct one of them", site->key_file, site->certificate_file);
		return -EINVAL;
	}
	warn_if_public("key", site->key_file, why);
	if (site->passphrase_file)
		warn_if_public("passphrase-file", site->passphrase_file, why);
	return 0;
}

/* One that is of no use, or not there yet, is no reason not to serve. */
static int load_staple(struct site *site, struct files *files, char *why)
{
	const char *data;
	size_t len;

	site->staple = calloc(1, sizeof(*site->staple));
	if (!site->staple)
		return -ENOMEM;
	site->id.staple = site->staple;
	if (files_read(files, site->ocsp_file, &data, &len))
		snprintf(why, POLICY_WHY, "ocsp %.120s cannot be read: nothing is stapled until it can", site->ocsp_file);
	else if (staple_set(site->staple, (const uint8_t *)data, len, time(NULL)))
		snprintf(why, POLICY_WHY, "ocsp %.120s is no OCSP response in DER form that says that the certificate is good now: nothing is stapled until it is", site->ocsp_file);
	return 0;
}

/* Likewise. */
static int load_sct(struct site *site, struct files *files, char *why)
{
	const char *data;
	size_t len;

	if (files_read(files, site->sct_file, &data, &len)) {
		snprintf(why, POLICY_WHY, "sct %.120s cannot be read: none are given until it can", site->sct_file);
	} else if (!sct_list_well_formed((const uint8_t *)data, len)) {
		snprintf(why, POLICY_WHY, "sct %.120s is no list of certificate timestamps as RFC 6962 3.3 has it: none are given until it is", site->sct_file);
	} else {
		site->id.sct = malloc(len);
		if (!site->id.sct)
			return -ENOMEM;
		memcpy(site->id.sct, data, len);
		site->id.sct_len = len;
	}
	return 0;
}

static int load_delegated_key(struct site *site, char *why)
{
	struct crypto_pubkey pub;
	char *data = NULL;
	size_t len = 0;
	int err = read_secret("delegated-key", site->delegated_key_file, &data, &len, why);

	if (err)
		return -EINVAL;
	err = crypto_key_load((uint8_t *)data, len, &site->delegated_key);
	free_secret(data, len);
	if (err) {
		snprintf(why, POLICY_WHY, "delegated-key %.80s %s", site->delegated_key_file, no_key(err));
		return -EINVAL;
	}
	if (!delegated_key(site->delegated, &pub))
		return -EINVAL;
	if (!crypto_key_matches(site->delegated_key, &pub)) {
		snprintf(why, POLICY_WHY, "delegated-key %.80s is not that of delegated %.80s: correct one of them", site->delegated_key_file, site->delegated_file);
		err = -EINVAL;
	}
	crypto_pubkey_free(&pub);
	if (!err)
		warn_if_public("delegated-key", site->delegated_key_file, why);
	return err;
}

/* One that is out of date is not presented, and no reason not to serve. */
static int load_delegated(struct site *site, struct files *files, bool key, char *why)
{
	struct crypto_pubkey pub;
	const char *data;
	size_t len;

	if (!site->delegated_file || !site->delegated_key_file) {
		snprintf(why, POLICY_WHY, "delegated and delegated-key go together: add the other one");
		return -EINVAL;
	}
	if (files_read(files, site->delegated_file, &data, &len)) {
		snprintf(why, POLICY_WHY, "delegated %.120s cannot be read", site->delegated_file);
		return -EINVAL;
	}
	site->delegated = malloc(sizeof(*site->delegated) + len);
	if (!site->delegated)
		return -EINVAL;
	memcpy(site->delegated + 1, data, len);
	*site->delegated = (struct delegated){ (uint8_t *)(site->delegated + 1), len };
	if (!delegated_key(site->delegated, &pub)) {
		snprintf(why, POLICY_WHY, "delegated %.120s is no DelegatedCredential as RFC 9345 4 has it", site->delegated_file);
		return -EINVAL;
	}
	crypto_pubkey_free(&pub);
	if (!x509_cert_may_delegate(site->id.chain[0])) {
		snprintf(why, POLICY_WHY, "certificate %.120s may not delegate: it needs DelegationUsage and digitalSignature", site->certificate_file);
		return -EINVAL;
	}
	site->id.delegated = site->delegated;
	return key ? load_delegated_key(site, why) : 0;
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
	if (site->ocsp_file && load_staple(site, files, why))
		return -ENOMEM;
	if (site->sct_file && load_sct(site, files, why))
		return -ENOMEM;
	if ((site->delegated_file || site->delegated_key_file) && load_delegated(site, files, key, why))
		return -EINVAL;
	if (!site->allow.num)
		snprintf(why, POLICY_WHY, "allows nobody: add allow = user:NAME");
	return 0;
}

void site_free(struct site *site)
{
	size_t i;

	crypto_key_free(site->key);
	token_free(site->token);
	for (i = 0; i < site->id.num; i++)
		x509_cert_free(site->id.chain[i]);
	free(site->id.name);
	free(site->certificate_file);
	free(site->key_file);
	free(site->passphrase_file);
	free(site->ocsp_file);
	free(site->sct_file);
	crypto_key_free(site->delegated_key);
	free(site->delegated);
	free(site->delegated_file);
	free(site->delegated_key_file);
	free(site->id.sct);
	free(site->alpn);
	staple_free(site->staple);
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

/* Revocation lists of the store's CAs, and of those below them. */
static int load_crls(struct trust *trust, struct files *files, char *why)
{
	const char *data;
	size_t len, num = 0;
	int err;

	if (!trust->store) {
		if (!(trust->crl_file || trust->crl_required || trust->ocsp_required || trust->strict))
			return 0;
		snprintf(why, POLICY_WHY, "has bare keys only, which no list or response speaks of: remove crl, crl-required, ocsp-required and strict, or add file = PATH");
		return -EINVAL;
	}
	if (trust->crl_required)
		x509_store_require_crls(trust->store);
	if (!trust->crl_file)
		return 0;
	err = files_read(files, trust->crl_file, &data, &len);
	if (err) {
		snprintf(why, POLICY_WHY, "crl %.120s cannot be read: %s", trust->crl_file, strerror(-err));
		return -EINVAL;
	}
	if (x509_store_add_crls(trust->store, (const uint8_t *)data, len, &num) || !num) {
		snprintf(why, POLICY_WHY, "crl %.120s has no revocation list in PEM or DER form, or a broken one: correct it", trust->crl_file);
		return -EINVAL;
	}
	return 0;
}

/* A log's key in PEM or DER, as it is published. */
static int load_log(const char *path, struct files *files, struct hs_log *log)
{
	const char *text;
	char label[PEM_LABEL];
	size_t len;
	uint8_t *der;
	int err = files_read(files, path, &text, &len);

	if (err)
		return err;
	der = malloc(len + 1);
	if (!der)
		return -ENOMEM;
	log->spki = der;
	if (memmem(text, len, "-----BEGIN", 10)) {
		const char *at = text;

		if (pem_next(&at, text + len, label, der, &log->len) != 1)
			return -EBADMSG;
	} else {
		memcpy(der, text, len);
		log->len = len;
	}
	crypto_hash_once(&crypto_sha256, log->spki, log->len, log->id);
	return 0;
}

static bool is_log_key(const struct hs_log *log)
{
	struct crypto_pubkey key;

	if (crypto_pubkey_parse(log->spki, log->len, &key))
		return false;
	crypto_pubkey_free(&key);
	return true;
}

static int load_logs(struct trust *trust, struct files *files, char *why)
{
	if (!trust->ct_num && trust->ct_min) {
		snprintf(why, POLICY_WHY, "has ct-required but no logs: add ct-log = PATH");
		return -EINVAL;
	}
	if (trust->ct_min > trust->ct_num) {
		snprintf(why, POLICY_WHY, "wants the word of %u logs and has %zu: lower ct-required, or add ct-log = PATH", trust->ct_min, trust->ct_num);
		return -EINVAL;
	}
	if (!trust->ct_num)
		return 0;
	if (!trust->ct_min)
		trust->ct_min = 1;
	trust->ct_logs = calloc(trust->ct_num, sizeof(*trust->ct_logs));
	for (size_t i = 0; trust->ct_logs && i < trust->ct_num; i++) {
		if (!load_log(trust->ct_files[i], files, &trust->ct_logs[i]) && is_log_key(&trust->ct_logs[i]))
			continue;
		snprintf(why, POLICY_WHY, "ct-log %.120s cannot be read, or is no public key in PEM or DER: give the log's", trust->ct_files[i]);
		return -EINVAL;
	}
	return trust->ct_logs ? 0 : -ENOMEM;
}

int trust_load(struct trust *trust, struct files *files, char why[POLICY_WHY])
{
	const char *pem;
	size_t len;
	int err;

	if (load_logs(trust, files, why))
		return -EINVAL;
	if (!trust->file && trust->raw_keys_num)
		return load_crls(trust, files, why);
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
	if (trust->strict)
		x509_store_be_strict(trust->store);
	if (trust->ocsp_required)
		x509_store_require_staples(trust->store);
	return load_crls(trust, files, why);
}

void trust_free(struct trust *trust)
{
	x509_store_free(trust->store);
	free(trust->name);
	free(trust->file);
	free(trust->crl_file);
	free(trust->raw_keys);
	for (size_t i = 0; i < trust->ct_num; i++) {
		free(trust->ct_files[i]);
		if (trust->ct_logs)
			free((void *)trust->ct_logs[i].spki);
	}
	free(trust->ct_files);
	free(trust->ct_logs);
}
