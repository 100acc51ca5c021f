// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: a certificate, a revocation list or an OCSP response of a
 * stranger's. The first byte says which; a certificate is its own issuer and
 * anchor as well, so that all of the path's checks see it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "x509/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void verify(const struct x509_store *store, struct x509_cert *cert, const char *name)
{
	static const uint16_t schemes[] = { 0x0808, 0x081a, 0x081b, 0x081c, 0x0904, 0x0905, 0x0906 };	/* those that need naming */
	const uint8_t none = 0;
	const struct x509_blob staple = { &none, 0 };
	struct x509_cert *chain[2] = { cert, cert };
	struct x509_check check = {
		.purpose = X509_SERVER_AUTH, .name = name, .now = 1700000000, .rsa_min_bits = 1024, .staple = &staple,
		.schemes = schemes, .schemes_num = sizeof(schemes) / sizeof(schemes[0]),
	};
	char why[X509_WHY] = "";

	if (x509_verify(store, chain, 2, &check, why) && !*why)
		abort();	/* a refusal must have a reason */
	if (memchr(why, '\0', sizeof(why)) == NULL)
		abort();
}

static void one_cert(const uint8_t *data, size_t len)
{
	struct x509_store *store = x509_store_new();
	struct x509_cert *cert, *anchor;
	static uint8_t precert[X509_MAX_CERT];
	struct x509_blob list;
	size_t tbs;
	char text[64], name[256];
	const char *own;

	if (!store || x509_cert_parse(data, len, &cert)) {
		x509_store_free(store);
		return;
	}
	if (x509_cert_der(cert)->len != len || memcmp(x509_cert_der(cert)->data, data, len))
		abort();
	x509_cert_describe(cert, text, sizeof(text));
	own = x509_cert_dns_name(cert, 0);
	x509_cert_has_name(cert, "www.example.org");
	x509_cert_has_name(cert, "192.0.2.1");
	snprintf(name, sizeof(name), "%s", own ? own : "example.org");
	x509_cert_scheme(cert);
	tbs = x509_precert(cert, precert, sizeof(precert), &list);
	if (tbs >= len && tbs)
		abort();		/* it is the certificate less something */
	verify(store, cert, name);
	if (!x509_cert_parse(data, len, &anchor) && !x509_store_add(store, anchor)) {
		verify(store, cert, name);
		x509_store_be_strict(store);
		verify(store, cert, NULL);
	}
	x509_cert_free(cert);
	x509_store_free(store);
}

static void crls(const uint8_t *data, size_t len)
{
	struct x509_store *store = x509_store_new();
	size_t num = 0;

	if (store)
		x509_store_add_crls(store, data, len, &num);
	x509_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	time_t until;

	if (!len)
		return 0;
	switch (data[0] % 3) {
	case 0:
		one_cert(data + 1, len - 1);
		break;
	case 1:
		crls(data + 1, len - 1);
		break;
	default:
		x509_ocsp_fresh(data + 1, len - 1, 1700000000, &until);
	}
	return 0;
}
