// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delegated credentials, RFC 9345: certificates that may delegate, and
 * credentials that they have signed, are OpenSSL's; both roles, and everything
 * that may be wrong with a credential, each with its alert.
 */
#include <sys/stat.h>
#include <time.h>
#include "hs_pair.h"

#define FOLDER	"build/unit/delegated/"
#define DAY	86400
#define SECP256	0x0403
#define ED25519	0x0807

static struct x509_store *trust;
static struct test_identity plain;
static struct { struct identity id; struct crypto_key *key; } holder, stranger, silent;	/* silent: without DelegationUsage */
static struct crypto_key *keys[2];	/* of credentials: P-256, Ed25519 */
static uint8_t spki[2][512];
static size_t spki_len[2];
static time_t now;

static void run(const char *command)
{
	char all[4096];

	snprintf(all, sizeof(all), "cd " FOLDER " && %s", command);
	if (system(all))
		fail_msg("%s", command);
}

static void make(const char *name, const char *usage)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -days 3 "
		 "-keyout %s.key -out %s.pem -addext subjectAltName=DNS:server.test -addext keyUsage=digitalSignature %s 2> /dev/null",
		 name, name, name, usage);
	run(command);
}

static struct crypto_key *load_key(const char *name)
{
	struct crypto_key *key;
	char path[128], *text;
	size_t len;

	snprintf(path, sizeof(path), FOLDER "%s.key", name);
	text = test_read(path, &len);
	assert_int_equal(crypto_key_load((const uint8_t *)text, len, &key), 0);
	free(text);
	return key;
}

static void load_chain(const char *name, struct identity *id)
{
	char path[128], *text;
	size_t len;

	snprintf(path, sizeof(path), FOLDER "%s.pem", name);
	text = test_read(path, &len);
	assert_int_equal(x509_pem_read(text, len, id->chain, X509_MAX_CHAIN, &id->num), 0);
	free(text);
	id->name = (char *)"holder";
	id->key_type = CRYPTO_KEY_P256;
	id->key_bits = 256;
}

/* How a credential is made; zeros are as it should be. */
struct recipe {
	const char *signer;		/* NULL: holder */
	struct identity *over;		/* whose certificate is signed along */
	bool client;			/* context of a client's */
	uint16_t scheme, algorithm;
	long lives;			/* s from now */
	int kind;			/* of key */
	bool damaged;
};

static void file(const char *name, const uint8_t *p, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

/* OpenSSL's signature, as only the certificate's holder makes it. */
static struct delegated credential(const struct recipe *r, uint8_t *out)
{
	const struct identity *over = r->over ? r->over : &holder.id;
	const struct x509_blob *der = x509_cert_der(over->chain[0]);
	uint16_t algorithm = r->algorithm ? r->algorithm : SECP256, scheme = r->scheme ? r->scheme : SECP256;
	const char *context = r->client ? "TLS, client delegated credentials" : "TLS, server delegated credentials";
	time_t valid = now + (r->lives ? r->lives : DAY) - x509_cert_not_before(over->chain[0]);
	struct wbuf b = { .buf = out, .cap = 4096 };
	uint8_t tbs[8192];
	char command[256], *sig;
	size_t mark, len;

	wbuf_u32(&b, (uint32_t)valid);
	wbuf_u16(&b, scheme);
	mark = wbuf_open(&b, 3);
	wbuf_bytes(&b, spki[r->kind], spki_len[r->kind]);
	wbuf_close(&b, mark, 3);
	wbuf_u16(&b, algorithm);
	memset(tbs, ' ', 64);
	memcpy(tbs + 64, context, strlen(context) + 1);
	len = 64 + strlen(context) + 1;
	memcpy(tbs + len, der->data, der->len);
	len += der->len;
	memcpy(tbs + len, out, b.len);
	file("tbs", tbs, len + b.len);
	snprintf(command, sizeof(command), "openssl dgst -sha256 -sign %s.key -out sig tbs", r->signer ? r->signer : "holder");
	run(command);
	sig = test_read(FOLDER "sig", &len);
	sig[len - 1] ^= r->damaged;
	mark = wbuf_open(&b, 2);
	wbuf_bytes(&b, (const uint8_t *)sig, len);
	wbuf_close(&b, mark, 2);
	free(sig);
	return (struct delegated){ out, b.len };
}

static int choose(void *arg, const char *name, const uint16_t *schemes, size_t num, const struct identity **ret,
		  const char **why)
{
	(void)name; (void)schemes; (void)num; (void)why;
	*ret = arg;
	return 0;
}

static struct pair new_pair(struct identity *id)
{
	return (struct pair){
		.cp = { .server_name = "server.test", .trust = trust, .now = now, .rsa_min_bits = 2048, .delegated = true },
		.sp = { .choose = choose, .arg = id, .now = now, .rsa_min_bits = 2048, .trust = trust, .delegated = true },
	};
}

/* As pair_talk(), with the key that each signature is to be made by. */
static void sign_by(struct hs *hs, struct crypto_key *own, struct crypto_key *delegate)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	struct crypto_key *key = s->delegated ? delegate : own;
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	assert_int_equal(s->scheme->sign(key, s->scheme->hash, s->tbs, s->len, sig, &len), 0);
	hs_signed(hs, sig, len);
}

static bool pass(struct hs *from, struct hs *to, struct crypto_key *own, struct crypto_key *delegate)
{
	size_t len, n, at = 0, want;
	const uint8_t *out = hs_output(from, &len);
	uint8_t buf[65536];

	memcpy(buf, out, len);
	hs_sent(from, len);
	while (at < len && (want = hs_want(to))) {
		n = want < len - at ? want : len - at;
		if (hs_input(to, buf + at, n))
			break;
		at += n;
		if (hs_state(to) == HS_SIGN)
			sign_by(to, own, delegate);
	}
	return len;
}

static void talk(struct pair *p, struct crypto_key *own, struct crypto_key *delegate)
{
	pair_new(p);
	hs_start(p->client);
	hs_start(p->server);
	while (pass(p->client, p->server, own, delegate) | pass(p->server, p->client, own, delegate))
		;
}

static void a_server_has_one(void **state)
{
	static const uint16_t schemes[] = { SECP256, ED25519 };
	uint8_t data[4096];

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct delegated d = credential(&(struct recipe){ .kind = kind, .scheme = schemes[kind] }, data);
		struct pair p = new_pair(&holder.id);

		holder.id.delegated = &d;
		talk(&p, NULL, keys[kind]);
		assert_non_null(hs_result(p.client));
		assert_true(hs_result(p.client)->delegated && hs_result(p.client)->peer_verified);
		assert_int_equal(hs_result(p.client)->scheme, schemes[kind]);
		assert_false(hs_result(p.server)->delegated);
		pair_free(&p);
	}
	holder.id.delegated = NULL;
}

static void a_client_has_one(void **state)
{
	uint8_t data[4096];
	struct delegated d = credential(&(struct recipe){ .client = true }, data);
	struct identity server = holder.id;
	struct pair p = new_pair(&server);

	(void)state;
	holder.id.delegated = &d;
	p.cp.identity = &holder.id;
	p.sp.client_auth = HS_AUTH_REQUIRE;
	p.cp.delegated = false;
	talk(&p, holder.key, keys[0]);
	assert_non_null(hs_result(p.server));
	assert_true(hs_result(p.server)->delegated && hs_result(p.server)->peer_verified);
	assert_false(hs_result(p.client)->delegated);
	pair_free(&p);
	holder.id.delegated = NULL;
}

/* The certificate's own key it is, where the peer doesn't ask, takes no such scheme, or the credential is out of date. */
static void presented_only_where_it_can_be(void **state)
{
	static const uint16_t only[] = { SECP256 };
	static const struct { struct recipe r; bool asks; bool some; } all[] = {
		{ { .lives = DAY }, false, false },
		{ { .kind = 1, .scheme = ED25519 }, true, true },
		{ { .lives = -10 }, true, false }, { { .lives = 8 * DAY }, true, false },
	};
	uint8_t data[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct delegated d = credential(&all[i].r, data);
		struct pair p = new_pair(&holder.id);

		holder.id.delegated = &d;
		p.cp.delegated = all[i].asks;
		if (all[i].some) {
			p.cp.schemes = only;
			p.cp.schemes_num = 1;
		}
		talk(&p, holder.key, NULL);
		assert_non_null(hs_result(p.client));
		assert_false(hs_result(p.client)->delegated);
		pair_free(&p);
	}
	holder.id.delegated = NULL;
}

/* What a server without our own checks would send: the extension as @d has it. */
static struct delegated forged;
static void confirm_refuses(const char *name, struct identity *id, int want, bool offers)
{
	struct pair p = new_pair(id);
	struct hs *hs;
	uint8_t ext[8192];
	struct wbuf b = { .buf = ext, .cap = sizeof(ext) };
	size_t mark, one;
	struct rbuf r;
	int err;

	p.cp.delegated = offers;
	pair_new(&p);
	hs = p.client;
	hs_start(hs);
	hs->version = TLS13;
	hs->result.peer[0] = id->chain[0];
	hs->result.peer_num = 1;
	mark = wbuf_open(&b, 2);
	wbuf_u16(&b, EXT_ID_DELEGATED_CREDENTIAL);
	one = wbuf_open(&b, 2);
	wbuf_bytes(&b, forged.data, forged.len);
	wbuf_close(&b, one, 2);
	wbuf_close(&b, mark, 2);
	r = (struct rbuf){ ext, ext + b.len };
	err = ext_read(hs, EXT_CT, &r);
	if (!err)
		err = delegated_check(hs);
	if (err != want)
		fail_msg("%s: %d (%s) instead of %d", name, err, hs_why(hs), want);
	hs->result.peer_num = 0;
	pair_free(&p);
}

static void what_may_be_wrong(void **state)
{
	static const struct { const char *name; struct recipe r; struct identity *id; int want; } all[] = {
		{ "nothing", { .lives = DAY }, &holder.id, 0 },
		{ "almost a week", { .lives = 7 * DAY - 5 }, &holder.id, 0 },
		{ "more than a week", { .lives = 7 * DAY + 5 }, &holder.id, 47 },
		{ "expired", { .lives = -1 }, &holder.id, 47 },
		{ "no DelegationUsage", { .signer = "silent", .over = &silent.id }, &silent.id, 47 },
		{ "another's signature", { .signer = "stranger" }, &holder.id, 47 },
		{ "of another certificate", { .over = &stranger.id }, &holder.id, 47 },
		{ "a client's", { .client = true }, &holder.id, 47 },
		{ "a damaged signature", { .damaged = true }, &holder.id, 47 },
		{ "RSA's PKCS #1 encryption", { .scheme = 0x0804 }, &holder.id, 47 },
		{ "a scheme of certificates only", { .scheme = 0x0401 }, &holder.id, 47 },
		{ "signed by a scheme not offered", { .algorithm = 0x0201 }, &holder.id, 47 },
		{ "signed by a scheme of another key", { .algorithm = ED25519 }, &holder.id, 47 },
	};
	uint8_t data[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		forged = credential(&all[i].r, data);
		confirm_refuses(all[i].name, all[i].id, all[i].want, true);
	}
	forged = credential(&all[0].r, data);
	confirm_refuses("not offered", &holder.id, ALERT_UNEXPECTED_MESSAGE, false);
	forged.len = 0;
	confirm_refuses("empty", &holder.id, ALERT_DECODE_ERROR, true);
}

static void every_truncation(void **state)
{
	uint8_t data[4096];
	struct delegated d = credential(&(struct recipe){ .lives = DAY }, data);

	(void)state;
	for (forged = (struct delegated){ data, 1 }; forged.len < d.len; forged.len++)
		confirm_refuses("cut", &holder.id, ALERT_DECODE_ERROR, true);
	data[d.len] = 0;
	forged.len = d.len + 1;
	confirm_refuses("left over", &holder.id, ALERT_DECODE_ERROR, true);
}

/* The key must be the credential's, and the scheme the one that it names. */
static void the_wrong_key(void **state)
{
	uint8_t data[4096];
	struct delegated d = credential(&(struct recipe){ .lives = DAY }, data);
	struct pair p = new_pair(&holder.id);

	(void)state;
	holder.id.delegated = &d;
	talk(&p, NULL, holder.key);
	assert_null(hs_result(p.client));
	assert_int_equal(hs_alert(p.client, NULL), ALERT_DECRYPT_ERROR);
	pair_free(&p);
	/* Ed25519's key, that the credential says is for ECDSA. */
	d = credential(&(struct recipe){ .kind = 1 }, data);
	p = new_pair(&holder.id);
	talk(&p, NULL, keys[0]);
	assert_null(hs_result(p.client));
	assert_int_equal(hs_alert(p.client, NULL), ALERT_ILLEGAL_PARAMETER);
	pair_free(&p);
	holder.id.delegated = NULL;
}

static void load_spki(int kind, const char *name)
{
	char command[256], *der;

	snprintf(command, sizeof(command), "openssl pkey -in %s.key -pubout -outform DER -out %s.spki", name, name);
	run(command);
	snprintf(command, sizeof(command), FOLDER "%s.spki", name);
	der = test_read(command, &spki_len[kind]);
	assert_true(spki_len[kind] <= sizeof(spki[kind]));
	memcpy(spki[kind], der, spki_len[kind]);
	free(der);
	keys[kind] = load_key(name);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	mkdir(FOLDER, 0755);
	make("holder", "-addext 1.3.6.1.4.1.44363.44=DER:0500");
	make("stranger", "-addext 1.3.6.1.4.1.44363.44=DER:0500");
	make("silent", "");
	now = time(NULL);
	run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out dc0.key 2> /dev/null");
	run("openssl genpkey -algorithm ED25519 -out dc1.key 2> /dev/null");
	load_spki(0, "dc0");
	load_spki(1, "dc1");
	load_chain("holder", &holder.id);
	load_chain("stranger", &stranger.id);
	load_chain("silent", &silent.id);
	holder.key = load_key("holder");
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, FOLDER "holder.pem", &num), 0);
	assert_true(x509_cert_may_delegate(holder.id.chain[0]));
	assert_false(x509_cert_may_delegate(silent.id.chain[0]));
	return 0;
}

static int unload(void **state)
{
	(void)state;
	(void)plain;
	x509_cert_free(holder.id.chain[0]);
	x509_cert_free(stranger.id.chain[0]);
	x509_cert_free(silent.id.chain[0]);
	crypto_key_free(holder.key);
	crypto_key_free(keys[0]);
	crypto_key_free(keys[1]);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_has_one), cmocka_unit_test(a_client_has_one),
		cmocka_unit_test(presented_only_where_it_can_be), cmocka_unit_test(what_may_be_wrong),
		cmocka_unit_test(every_truncation), cmocka_unit_test(the_wrong_key),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
