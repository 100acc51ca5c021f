/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys in a PKCS#11 token: SoftHSM's, with keys of each kind, through p11-kit
 * as a configuration names them; and what is said when something is wrong.
 */
#include <pthread.h>
#include "agent_test.h"
#include "message.h"
#include "sign.h"
#include "token.h"

static const struct kind { const char *name, *algorithm; uint16_t schemes[7]; } kinds[] = {
	{ "p256", "EC -pkeyopt ec_paramgen_curve:P-256", { 0x0403 } },
	{ "p384", "EC -pkeyopt ec_paramgen_curve:P-384", { 0x0503 } },
	{ "p521", "EC -pkeyopt ec_paramgen_curve:P-521", { 0x0603 } },
	{ "rsa", "RSA -pkeyopt rsa_keygen_bits:2048", { 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601 } },
};

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
	char command[2048], whole[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "cd '%s' && { %s; } > log 2>&1 || { cat log; exit 1; }", folder, command);
	if (system(whole))
		fail_msg("failed: %s", command);
}

static void have_key(const struct kind *k, int id)
{
	run("openssl genpkey -algorithm %s -out %s.key && "
	    "openssl req -x509 -key %s.key -subj /CN=%s -days 300 -out %s.pem -addext subjectAltName=DNS:%s.test && "
	    "softhsm2-util --import %s.key --token ktls --pin 4711 --label %s --id a%d",
	    k->algorithm, k->name, k->name, k->name, k->name, k->name, k->name, k->name, id);
}

static struct config *config_for(const char *name, const char *uri, struct config_report *report)
{
	struct config *c = NULL;
	char text[1024];

	snprintf(text, sizeof(text), "[identity %s]\ncertificate = @/%s.pem\nallow = uid:0\n%s\n", name, name, uri);
	return config_from(text, &c, report) ? NULL : c;
}

/* Everything that its kind signs verifies by the certificate. */
static void check_scheme(struct site *site, uint16_t id)
{
	const struct crypto_scheme *s = crypto_scheme_find(id);
	const struct x509_blob *spki = x509_cert_spki(site->id.chain[0]);
	uint8_t sig[CRYPTO_MAX_SIGNATURE], msg[130];
	struct crypto_pubkey pub;
	size_t len = 0;

	memset(msg, id, sizeof(msg));
	assert_int_equal(crypto_pubkey_parse(spki->data, spki->len, &pub), 0);
	assert_int_equal(token_sign(site->token, s, msg, sizeof(msg), sig, &len), 0);
	assert_int_equal(s->verify(&pub, s->hash, msg, sizeof(msg), sig, len), 0);
	msg[0] ^= 1;
	assert_int_equal(s->verify(&pub, s->hash, msg, sizeof(msg), sig, len), -EBADMSG);
	crypto_pubkey_free(&pub);
}

static void every_kind(void **unused)
{
	struct config_report report;
	struct config *c;
	char uri[256];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(uri, sizeof(uri), "key = pkcs11:token=ktls;object=%s?pin-value=4711", kinds[i].name);
		c = config_for(kinds[i].name, uri, &report);
		if (!c)
			fail_msg("%s", report.text);
		assert_null(c->sites[0].key);
		for (size_t j = 0; kinds[i].schemes[j]; j++)
			check_scheme(&c->sites[0], kinds[i].schemes[j]);
		config_put(c);
	}
}

/* What the keeper does with a worker's request. */
static void for_a_worker(void **unused)
{
	struct msg_sign m = { .type = MSG_SIGN, .scheme = 0x0403, .len = 64 + 34 + 32 };
	struct config_report report;
	struct config *c = config_for("p256", "key = pkcs11:token=ktls;object=p256\npassphrase-file = @/pin", &report);
	struct msg_signed out;

	(void)unused;
	assert_non_null(c);
	memset(m.tbs, 0x20, 64);
	strcpy((char *)m.tbs + 64, "TLS 1.3, server CertificateVerify");
	sign_request(c, &m, m.tbs, sizeof(m.tbs), &out);
	assert_int_equal(out.err, 0);
	assert_true(out.len > 64);
	m.scheme = 0x0804;
	sign_request(c, &m, m.tbs, sizeof(m.tbs), &out);
	assert_int_equal(out.err, -EINVAL);
	config_put(c);
}

static void ways_to_name_it(void **unused)
{
	static const char *const good[] = {
		"key = pkcs11:token=ktls;id=%a0\npassphrase-file = @/pin",
		"key = pkcs11:token=ktls;object=p256;type=private?pin-source=file:@/pin",
		"key = pkcs11:token=ktls;object=p256?pin-source=@/pin",
		"key = pkcs11:model=SoftHSM%20v2;token=ktls;object=p256?pin-value=4711",
		"key = pkcs11:object=p256?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-value=4711",
	};
	struct config_report report;
	struct config *c;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		c = config_for("p256", good[i], &report);
		if (!c)
			fail_msg("%s: %s", good[i], report.text);
		config_put(c);
	}
}

static void what_is_wrong(void **unused)
{
	static const struct { const char *uri, *says; } rows[] = {
		{ "key = pkcs11:token=ktls;object=p256", "the token wants a PIN: add passphrase-file" },
		{ "key = pkcs11:token=ktls;object=p256?pin-value=1234", "the PIN is wrong" },
		{ "key = pkcs11:token=ktls;object=p256?pin-source=/nowhere", "pin-source /nowhere cannot be read: No such file" },
		{ "key = pkcs11:token=other;object=p256?pin-value=4711", "there is no such token" },
		{ "key = pkcs11:token=ktls;object=none?pin-value=4711", "the token has no such private key" },
		{ "key = pkcs11:token=ktls?pin-value=4711", "several such private keys" },
		{ "key = pkcs11:token=ktls;object=rsa?pin-value=4711", "makes no signature by ecdsa_secp256r1_sha256" },
		{ "key = pkcs11:token=ktls;object=twin?pin-value=4711", "the key is not that of the certificate" },
		{ "key = pkcs11:token=%zz", "is no PKCS#11 URI" },
		{ "key = pkcs11:object=p256?module-path=/nowhere.so&pin-value=4711", "there is no PKCS#11 module at /nowhere.so" },
		{ "key = pkcs11:token=ktls;object=p256\npassphrase-file = /nowhere", "passphrase-file /nowhere cannot be read" },
	};
	struct config_report report;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_null(config_for("p256", rows[i].uri, &report));
		if (!strstr(report.text, rows[i].says) || strstr(report.text, "4711"))
			fail_msg("row %zu says: %s", i, report.text);
	}
}

/* ---- threads: each has a session of its own */

static struct site *shared;

static void *sign_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++)
		check_scheme(shared, 0x0403);
	return NULL;
}

static void many_threads(void **unused)
{
	struct config_report report;
	struct config *c = config_for("p256", "key = pkcs11:token=ktls;object=p256?pin-value=4711", &report);
	pthread_t thread[8];

	(void)unused;
	assert_non_null(c);
	shared = &c->sites[0];
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, sign_many, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	config_put(c);
}

static int setup(void **unused)
{
	char path[5000];

	(void)unused;
	folder_make("token");
	run("rm -rf tokens && mkdir tokens && printf 'directories.tokendir = %s/tokens\\nlog.level = ERROR\\n' > softhsm2.conf && echo 4711 > pin && chmod 600 pin", folder);
	snprintf(path, sizeof(path), "%s/softhsm2.conf", folder);
	setenv("SOFTHSM2_CONF", path, 1);
	run("softhsm2-util --init-token --free --label ktls --pin 4711 --so-pin 12345678");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		have_key(&kinds[i], (int)i);
	run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out twin.key && softhsm2-util --import twin.key --token ktls --pin 4711 --label twin --id b0");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(for_a_worker),
		cmocka_unit_test(ways_to_name_it),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(many_threads),
	};

	if (system("command -v softhsm2-util > /dev/null"))
		return puts("1..0 # SKIP softhsm2 is not installed"), 0;
	return cmocka_run_group_tests(tests, setup, NULL);
}
