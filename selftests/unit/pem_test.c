/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PEM: what is a block, what is not, and where the next one begins. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/pem.h"
#include "x509/x509.h"

struct one { int err; char label[PEM_LABEL]; uint8_t der[256]; size_t len; size_t used; };

/* From memory of exactly this size, so that ASan sees a byte too many. */
static struct one first(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	const char *p = copy;
	struct one o = { .len = sizeof(o.der) };

	memcpy(copy, text, len);
	o.err = pem_next(&p, copy + len, o.label, o.der, &o.len);
	o.used = p - copy;
	free(copy);
	return o;
}

static void forms(void **state)
{
	static const struct { const char *text; int err; const char *label, *body; } cases[] = {
		{ "-----BEGIN X-----\naGVsbG8=\n-----END X-----\n", 1, "X", "hello" },
		{ "-----BEGIN X-----\r\naGVs\r\nbG8=\r\n-----END X-----\r\n", 1, "X", "hello" },
		{ "-----BEGIN A B-----aGVsbG8=-----END A B-----", 1, "A B", "hello" },
		{ "text before\n-----BEGIN X-----\n aGVs bG8=\n-----END X-----", 1, "X", "hello" },
		{ "-----BEGIN X-----\n-----END X-----\n", 1, "X", "" },
		{ "", 0, NULL, NULL },
		{ "nothing here", 0, NULL, NULL },
		{ "-----BEGIN X-----\naGVsbG8\n-----END X-----\n", -EBADMSG, NULL, NULL },
		{ "-----BEGIN X-----\naGVs*G8=\n-----END X-----\n", -EBADMSG, NULL, NULL },
		{ "-----BEGIN X-----\naGVsbG8=\n-----END Y-----\n", -EBADMSG, NULL, NULL },
		{ "-----BEGIN X-----\naGVsbG8=\n", -EBADMSG, NULL, NULL },
		{ "-----BEGIN X\naGVsbG8=\n-----END X-----\n", -EBADMSG, NULL, NULL },
		{ "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\naGVs\n-----END X-----\n", -ENOTSUP, NULL, NULL },
	};
	struct one o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o = first(cases[i].text, strlen(cases[i].text));
		assert_int_equal(o.err, cases[i].err);
		if (o.err != 1)
			continue;
		assert_string_equal(o.label, cases[i].label);
		assert_int_equal(o.len, strlen(cases[i].body));
		assert_memory_equal(o.der, cases[i].body, o.len);
	}
}

static void long_label(void **state)
{
	char text[300];
	struct one o;

	(void)state;
	memset(text, 'L', sizeof(text));
	memcpy(text, "-----BEGIN ", 11);
	memcpy(text + 11 + PEM_LABEL, "-----\n-----END ", 15);
	o = first(text, sizeof(text));
	assert_int_equal(o.err, -EBADMSG);
}

static void several(void **state)
{
	static const char text[] = "-----BEGIN A-----\nYQ==\n-----END A-----\n"
				   "-----BEGIN B-----\nYg==\n-----END B-----\n";
	const char *p = text, *end = text + sizeof(text) - 1;
	char label[PEM_LABEL];
	uint8_t der[100];
	size_t len = sizeof(der);

	(void)state;
	assert_int_equal(pem_next(&p, end, label, der, &len), 1);
	assert_string_equal(label, "A");
	len = sizeof(der);
	assert_int_equal(pem_next(&p, end, label, der, &len), 1);
	assert_string_equal(label, "B");
	assert_int_equal(der[0], 'b');
	len = sizeof(der);
	assert_int_equal(pem_next(&p, end, label, der, &len), 0);
	assert_ptr_equal(p, end);
}

static void truncated(void **state)
{
	static const char text[] = "-----BEGIN X-----\naGVsbG8=\n-----END X-----";
	struct one o;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(text) - 1; n++) {
		o = first(text, n);
		assert_int_equal(o.err, n < strlen("-----BEGIN ") ? 0 : -EBADMSG);
	}
}

static void other_blocks_skipped(void **state)
{
	static const char text[] = "-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n"
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nYQ==\n-----END RSA PRIVATE KEY-----\n";
	static const char broken[] = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";
	struct x509_cert *certs[2];
	size_t num = 7;

	(void)state;
	assert_int_equal(x509_pem_read(text, strlen(text), certs, 2, &num), 0);
	assert_int_equal(num, 0);
	num = 7;
	assert_int_equal(x509_pem_read(broken, strlen(broken), certs, 2, &num), -EBADMSG);
	assert_int_equal(num, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(long_label),
		cmocka_unit_test(several),
		cmocka_unit_test(truncated),
		cmocka_unit_test(other_blocks_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
