/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenSSL as a server, over memory BIOs. */
#include <openssl/ssl.h>
#include "handshake.h"

static void *openssl_make(const char *cert, const char *key, bool tickets, bool old)
{
	int version = old ? TLS1_2_VERSION : TLS1_3_VERSION;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) || !SSL_CTX_set_max_proto_version(ctx, version) ||
	    !SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") || !SSL_CTX_set1_groups_list(ctx, "X25519") ||
	    (old && !SSL_CTX_set_cipher_list(ctx, "ECDHE+AES128+AESGCM")) ||
	    SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		bench_fail("OpenSSL server");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"bench", 5);
	if (!tickets)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	return ctx;
}

static void *openssl_open(void *server, bool give)
{
	SSL *ssl = SSL_new(server);

	if (!ssl)
		bench_fail("SSL_new");
	SSL_set_num_tickets(ssl, give);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	return ssl;
}

static int openssl_step(void *conn, struct wire *w)
{
	int n, rc;

	if (BIO_write(SSL_get_rbio(conn), w->in, (int)w->in_len) != (int)w->in_len)
		return -1;
	w->in_len = 0;
	rc = SSL_do_handshake(conn);
	n = BIO_read(SSL_get_wbio(conn), w->out, sizeof(w->out));
	w->out_len = n > 0 ? (size_t)n : 0;
	if (rc == 1)
		return 1;
	return SSL_get_error(conn, rc) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static bool openssl_resumed(void *conn)
{
	return SSL_session_reused(conn);
}

static void openssl_close(void *conn)
{
	SSL_free(conn);
}

const struct server server_openssl = {
	.name = "openssl", .make = openssl_make, .open = openssl_open, .step = openssl_step,
	.resumed = openssl_resumed, .close = openssl_close,
};
