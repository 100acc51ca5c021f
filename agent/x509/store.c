/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trust anchors, found by the hash of their canonical subject, and the lists
 * that revoke. Filled once, by one thread; then read by all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/pem.h"
#include "x509/cert.h"

#define BUCKETS 256
#define FILE_MAX (64 << 20)

struct x509_store {
	struct x509_anchor *bucket[BUCKETS];
	size_t num;
	struct x509_crl *crls;
	bool staples_required, crls_required, strict;
};

/* FNV-1a; the names are of the administrator's choice, so nobody floods it. */
static unsigned int hash(const struct x509_blob *subject)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < subject->len; i++)
		h = (h ^ subject->data[i]) * 16777619u;
	return h % BUCKETS;
}

struct x509_store *x509_store_new(void)
{
	return calloc(1, sizeof(struct x509_store));
}

void x509_store_free(struct x509_store *store)
{
	struct x509_anchor *a, *next;
	struct x509_crl *crl;
	size_t i;

	for (i = 0; store && i < BUCKETS; i++) {
		for (a = store->bucket[i]; a; a = next) {
			next = a->next;
			x509_cert_free(a->cert);
			free(a);
		}
	}
	while (store && (crl = store->crls)) {
		store->crls = crl->next;
		x509_crl_free(crl);
	}
	free(store);
}

int x509_store_add(struct x509_store *store, struct x509_cert *cert)
{
	struct x509_anchor **bucket = &store->bucket[hash(&cert->subject_name)];
	struct x509_anchor *a = malloc(sizeof(*a));

	if (!a) {
		x509_cert_free(cert);
		return -ENOMEM;
	}
	*a = (struct x509_anchor){ cert, *bucket };
	*bucket = a;
	store->num++;
	return 0;
}

/* All of them, in no order. */
const struct x509_anchor *x509_store_next(const struct x509_store *store, const struct x509_anchor *at)
{
	size_t i = 0;

	if (at && at->next)
		return at->next;
	if (at)
		i = hash(&at->cert->subject_name) + 1;
	for (; i < BUCKETS; i++)
		if (store->bucket[i])
			return store->bucket[i];
	return NULL;
}

const struct x509_anchor *x509_store_find(const struct x509_store *store,
					  const struct x509_blob *subject,
					  const struct x509_anchor *at)
{
	at = at ? at->next : store->bucket[hash(subject)];
	while (at && !x509_blob_equal(&at->cert->subject_name, subject))
		at = at->next;
	return at;
}

size_t x509_store_size(const struct x509_store *store)
{
	return store->num;
}

/* ---- revocation lists */

static int add_crl(struct x509_store *store, const uint8_t *der, size_t len)
{
	struct x509_crl *crl;
	int err = x509_crl_parse(der, len, &crl);

	if (err)
		return err;
	crl->next = store->crls;
	store->crls = crl;
	return 0;
}

static int add_pem_crls(struct x509_store *store, const char *pem, size_t len, size_t *num)
{
	const char *end = pem + len;
	uint8_t *der = malloc(len);
	char label[PEM_LABEL];
	size_t der_len;
	int err;

	if (!der)
		return -ENOMEM;
	for (;;) {
		der_len = len;
		err = pem_next(&pem, end, label, der, &der_len);
		if (err <= 0)
			break;
		if (strcmp(label, "X509 CRL"))
			continue;
		err = add_crl(store, der, der_len);
		if (err)
			break;
		++*num;
	}
	free(der);
	return err;
}

int x509_store_add_crls(struct x509_store *store, const uint8_t *data, size_t len, size_t *ret_num)
{
	size_t num = 0;
	int err;

	if (!len)
		return -EBADMSG;
	if (data[0] == DER_SEQ) {
		err = add_crl(store, data, len);
		num = 1;
	} else {
		err = add_pem_crls(store, (const char *)data, len, &num);
	}
	if (!err)
		*ret_num = num;
	return err;
}

void x509_store_require_staples(struct x509_store *store)
{
	store->staples_required = true;
}

bool x509_store_wants_staples(const struct x509_store *store)
{
	return store->staples_required;
}

void x509_store_require_crls(struct x509_store *store)
{
	store->crls_required = true;
}

bool x509_store_wants_crls(const struct x509_store *store)
{
	return store->crls_required;
}

const struct x509_crl *x509_store_crls(const struct x509_store *store)
{
	return store->crls;
}

void x509_store_be_strict(struct x509_store *store)
{
	store->strict = true;
}

bool x509_store_is_strict(const struct x509_store *store)
{
	return store->strict;
}

/* ---- files */

static int file_read(const char *path, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	size_t len = 0;
	struct stat st;
	ssize_t n = 0;
	char *buf;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (st.st_size > FILE_MAX)
		err = -EFBIG;
	buf = err ? NULL : malloc(st.st_size + 1);
	if (!err && !buf)
		err = -ENOMEM;
	while (!err && (n = read(fd, buf + len, st.st_size - len)) > 0)
		len += n;
	if (n < 0)
		err = -errno;
	close(fd);
	if (err) {
		free(buf);
		return err;
	}
	*ret = buf;
	*ret_len = len;
	return 0;
}

/* Calls @take with each certificate of the text; it owns them. */
static int each_cert(const char *pem, size_t len, void *arg,
		     int (*take)(void *arg, struct x509_cert *cert))
{
	const char *end = pem + len;
	uint8_t *der = malloc(len + 1);
	struct x509_cert *cert;
	char label[PEM_LABEL];
	size_t der_len;
	int err;

	if (!der)
		return -ENOMEM;
	for (;;) {
		der_len = len;
		err = pem_next(&pem, end, label, der, &der_len);
		if (err == -ENOTSUP && strcmp(label, "CERTIFICATE"))
			continue;	/* an encrypted key beside the certificates */
		if (err <= 0)
			break;
		if (strcmp(label, "CERTIFICATE"))
			continue;
		err = x509_cert_parse(der, der_len, &cert);
		if (!err)
			err = take(arg, cert);
		if (err)
			break;
	}
	crypto_wipe(der, len);		/* there may have been a key as well */
	free(der);
	return err;
}

static int take_anchor(void *store, struct x509_cert *cert)
{
	return x509_store_add(store, cert);
}

int x509_store_add_file(struct x509_store *store, const char *path, size_t *ret_num)
{
	size_t before = store->num, len = 0;
	char *pem = NULL;
	int err;

	err = file_read(path, &pem, &len);
	if (err)
		return err;
	err = each_cert(pem, len, store, take_anchor);
	crypto_wipe(pem, len);
	free(pem);
	if (!err)
		*ret_num = store->num - before;
	return err;
}

struct list { struct x509_cert **certs; size_t num, max; };

static int take_listed(void *arg, struct x509_cert *cert)
{
	struct list *l = arg;

	if (l->num == l->max) {
		x509_cert_free(cert);
		return -E2BIG;
	}
	l->certs[l->num++] = cert;
	return 0;
}

int x509_pem_read(const char *pem, size_t len, struct x509_cert **certs, size_t max,
		  size_t *ret_num)
{
	struct list l = { certs, 0, max };
	int err = each_cert(pem, len, &l, take_listed);

	if (err) {
		while (l.num)
			x509_cert_free(certs[--l.num]);
		return err;
	}
	*ret_num = l.num;
	return 0;
}
