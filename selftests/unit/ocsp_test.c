/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCSP responses that openssl(1) makes: which of them count, what it takes
 * that a certificate without one is refused, and both ends of a handshake with
 * libssl that staples or asks for a staple.
 */
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <time.h>
#include "hs_message.h"

#define DAY 86400

static struct x509_store *trust, *demanding;
static struct test_identity plain_id, must_id;

static struct x509_store *store(void)
{
	struct x509_store *s = x509_store_new();
	size_t n;

	assert_int_equal(x509_store_add_file(s, PKI "ca.pem", &n), 0);
	return s;
}

/* A file of ocsp-pki.sh's */
static char *response(const char *name, size_t *len)
{
	char path[256];

	snprintf(path, sizeof(path), PKI "ocsp/%s.der", name);
	return test_read(path, len);
}

static int verify(const struct x509_store *s, const struct test_identity *t, const struct x509_blob *staple,
		  time_t now, char why[X509_WHY])
{
	struct x509_check check = {
		.purpose = X509_SERVER_AUTH, .name = "server.test", .now = now, .rsa_min_bits = 2048, .staple = staple,
	};

	return x509_verify(s, t->id.chain, t->id.num, &check, why);
}

static void each_response(void **state)
{
	static const struct { const char *name; int days, alert; const char *why; } all[] = {
		{ "good",	  0,   0, "" },
		{ "sha256",	  0,   0, "" },
		{ "delegated",	  0,   0, "" },
		{ "good",	  6,   0, "" },
		{ "good",	  8, 113, "out of date" },
		{ "revoked",	  0,  44, "revoked" },
		{ "unknown",	  0, 113, "doesn't know" },
		{ "undelegated",  0, 113, "not signed" },
		{ "foreign",	  0, 113, "not signed" },
		{ "p256",	  0, 113, "another certificate" },
	};
	char why[X509_WHY], *data;
	struct x509_blob staple;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		data = response(all[i].name, &len);
		staple = (struct x509_blob){ (uint8_t *)data, len };
		assert_int_equal(verify(trust, &must_id, &staple, time(NULL) + all[i].days * DAY, why), all[i].alert);
		if (!strstr(why, all[i].why) || (all[i].alert && !strstr(why, "server.test")))
			fail_msg("%s: %s", all[i].name, why);
		free(data);
	}
}

static void none_came(void **state)
{
	struct x509_blob none = { NULL, 0 };
	char why[X509_WHY];

	(void)state;
	assert_int_equal(verify(trust, &plain_id, &none, time(NULL), why), 0);
	assert_int_equal(verify(demanding, &plain_id, &none, time(NULL), why), 113);
	assert_int_equal(verify(trust, &must_id, &none, time(NULL), why), 113);
	assert_non_null(strstr(why, "has to come with an OCSP response"));
	/* Nobody asked for one. */
	assert_int_equal(verify(trust, &must_id, NULL, time(NULL), why), 0);
	assert_int_equal(verify(demanding, &plain_id, NULL, time(NULL), why), 0);
}

/* The response without its last bytes, and with each byte changed, says nothing good. */
static void damaged(void **state)
{
	size_t len, first;
	char why[X509_WHY], *data = response("delegated", &len), *exact;
	struct x509_blob staple;
	time_t until;

	(void)state;
	for (size_t n = 1; n < len; n++) {
		exact = malloc(n);
		memcpy(exact, data, n);
		staple = (struct x509_blob){ (uint8_t *)exact, n };
		assert_int_equal(verify(trust, &must_id, &staple, time(NULL), why), 113);
		assert_false(x509_ocsp_fresh(staple.data, n, time(NULL), &until));
		free(exact);
	}
	first = len;
	staple = (struct x509_blob){ (uint8_t *)data, len };
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 1;
		if (!verify(trust, &must_id, &staple, time(NULL), why) && first == len)
			first = i;
		data[i] ^= 1;
	}
	assert_int_equal(verify(trust, &must_id, &staple, time(NULL), why), 0);
	assert_int_equal(first, len);
	free(data);
}

/* ---- our server and our client */

static struct pair new_pair(struct test_identity *id)
{
	struct pair p = {
		.client_id = id, .server_id = id,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .rsa_min_bits = 2048,
		},
		.sp = { .choose = test_choose, .arg = id, .now = time(NULL), .rsa_min_bits = 2048 },
	};

	return p;
}

static void staple(struct test_identity *id, struct staple *s, const char *name)
{
	size_t len;

	*s = (struct staple){ .until = time(NULL) + DAY };
	if (name)
		s->data = (uint8_t *)response(name, &len);
	s->len = name ? len : 0;
	id->id.staple = s;
}

static void our_own_ends(void **state)
{
	static const struct { const char *name; int alert; } all[] = {
		{ "good", -1 }, { "delegated", -1 }, { NULL, 113 }, { "revoked", 44 }, { "p256", 113 },
	};
	enum hs_alert_from from;
	struct staple s;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		staple(&must_id, &s, all[i].name);
		p = new_pair(&must_id);
		pair_run(&p);
		assert_int_equal(hs_alert(p.client, &from), all[i].alert);
		assert_int_equal(hs_alert(p.server, &from), all[i].alert);
		pair_free(&p);
		free(s.data);
	}
	/* One that is no longer good stays at home, and so does one that nobody asks for. */
	staple(&must_id, &s, "good");
	s.until = time(NULL) - 1;
	p = new_pair(&must_id);
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, &from), 113);
	pair_free(&p);
	s.until = time(NULL) + DAY;
	p = new_pair(&must_id);
	p.cp.insecure = true;
	pair_run(&p);
	assert_int_equal(hs_state(p.client), HS_DONE);
	assert_false(p.server->staple_wanted);
	pair_free(&p);
	free(s.data);
	must_id.id.staple = NULL;
}

/* ---- libssl */

struct libssl { SSL_CTX *ctx; SSL *ssl; bool asked; };

static int give_staple(SSL *ssl, void *arg)
{
	struct libssl *l = arg;
	size_t len;
	char *data = response("good", &len);
	unsigned char *copy = OPENSSL_malloc(len);

	memcpy(copy, data, len);
	free(data);
	l->asked = true;
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)len);
	return SSL_TLSEXT_ERR_OK;
}

/* In TLS 1.2 it is a message of its own. */
static int max_version = TLS1_3_VERSION;

static int with_tls12(void **state)
{
	(void)state;
	max_version = TLS1_2_VERSION;
	return 0;
}

static int with_tls13(void **state)
{
	(void)state;
	max_version = TLS1_3_VERSION;
	return 0;
}

/* What OpenSSL makes of a staple, in its own words and by its own code. */
static int see_staple(SSL *ssl, void *arg)
{
	struct libssl *l = arg;
	const unsigned char *data;
	long len = SSL_get_tlsext_status_ocsp_resp(ssl, &data);
	OCSP_RESPONSE *r = len > 0 ? d2i_OCSP_RESPONSE(NULL, &data, len) : NULL;
	OCSP_BASICRESP *basic = r ? OCSP_response_get1_basic(r) : NULL;

	l->asked = basic && OCSP_basic_verify(basic, SSL_get0_verified_chain(ssl), SSL_CTX_get_cert_store(l->ctx), 0) == 1;
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(r);
	return l->asked;
}

static void libssl_open(struct libssl *l, bool server)
{
	*l = (struct libssl){ .ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()) };
	assert_int_equal(SSL_CTX_load_verify_locations(l->ctx, PKI "ca.pem", NULL), 1);
	SSL_CTX_set_max_proto_version(l->ctx, max_version);
	SSL_CTX_set_tlsext_status_arg(l->ctx, l);
	if (server) {
		SSL_CTX_set_tlsext_status_cb(l->ctx, give_staple);
		assert_int_equal(SSL_CTX_use_certificate_file(l->ctx, PKI "ocsp/must.pem", SSL_FILETYPE_PEM), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(l->ctx, PKI "ocsp/must.key", SSL_FILETYPE_PEM), 1);
	} else {
		SSL_CTX_set_tlsext_status_cb(l->ctx, see_staple);
		SSL_CTX_set_verify(l->ctx, SSL_VERIFY_PEER, NULL);
	}
	l->ssl = SSL_new(l->ctx);
	SSL_set_bio(l->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (server) {
		SSL_set_accept_state(l->ssl);
	} else {
		SSL_set_tlsext_status_type(l->ssl, TLSEXT_STATUSTYPE_ocsp);
		SSL_set_tlsext_host_name(l->ssl, "server.test");
		SSL_set_connect_state(l->ssl);
	}
}

static void libssl_close(struct libssl *l)
{
	SSL_free(l->ssl);
	SSL_CTX_free(l->ctx);
}

/* Until neither has anything more to say. */
static void converse(struct pair *p, struct hs *ours, struct libssl *l)
{
	uint8_t buf[16384];
	const uint8_t *out;
	bool moved = true;
	size_t len;
	int n;

	while (moved) {
		out = hs_output(ours, &len);
		moved = len;
		if (len)
			BIO_write(SSL_get_rbio(l->ssl), out, (int)len);
		hs_sent(ours, len);
		SSL_do_handshake(l->ssl);
		n = BIO_read(SSL_get_wbio(l->ssl), buf, sizeof(buf));
		moved |= n > 0;
		if (n > 0)
			feed(p, ours, buf, (size_t)n);
	}
}

static void libssl_sees_our_staple(void **state)
{
	struct pair p = new_pair(&must_id);
	struct libssl l;
	struct staple s;

	(void)state;
	staple(&must_id, &s, "good");
	libssl_open(&l, false);
	pair_new(&p);
	hs_start(p.server);
	converse(&p, p.server, &l);
	if (hs_state(p.server) != HS_DONE)
		fail_msg("%s", hs_why(p.server));
	assert_int_equal(hs_result(p.server)->version, max_version);
	assert_true(SSL_is_init_finished(l.ssl));
	assert_true(l.asked);
	pair_free(&p);
	libssl_close(&l);
	free(s.data);
	must_id.id.staple = NULL;
}

static void we_see_libssls_staple(void **state)
{
	struct pair p = new_pair(&must_id);
	struct libssl l;

	(void)state;
	libssl_open(&l, true);
	pair_new(&p);
	hs_start(p.client);
	converse(&p, p.client, &l);
	if (hs_state(p.client) != HS_DONE)
		fail_msg("%s", hs_why(p.client));
	assert_int_equal(hs_result(p.client)->version, max_version);
	assert_true(l.asked);
	assert_true(hs_result(p.client)->peer_verified);
	pair_free(&p);
	libssl_close(&l);

	/* The same without a staple, which its certificate calls for. */
	libssl_open(&l, true);
	SSL_CTX_set_tlsext_status_cb(l.ctx, NULL);
	pair_new(&p);
	hs_start(p.client);
	converse(&p, p.client, &l);
	assert_int_equal(hs_state(p.client), HS_FAILED);
	assert_int_equal(hs_alert(p.client, &(enum hs_alert_from){ 0 }), 113);
	pair_free(&p);
	libssl_close(&l);
}

static int setup(void **state)
{
	(void)state;
	trust = store();
	demanding = store();
	x509_store_require_staples(demanding);
	test_identity_load(&plain_id, "p256");
	test_identity_load(&must_id, "ocsp/must");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	x509_store_free(trust);
	x509_store_free(demanding);
	test_identity_free(&plain_id);
	test_identity_free(&must_id);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_response),
		cmocka_unit_test(none_came),
		cmocka_unit_test(damaged),
		cmocka_unit_test(our_own_ends),
		cmocka_unit_test(libssl_sees_our_staple),
		cmocka_unit_test(we_see_libssls_staple),
		cmocka_unit_test_setup_teardown(libssl_sees_our_staple, with_tls12, with_tls13),
		cmocka_unit_test_setup_teardown(we_see_libssls_staple, with_tls12, with_tls13),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
