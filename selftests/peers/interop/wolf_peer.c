// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wolf_peer server|client PORT KEY=VALUE...: wolfSSL as a peer. A server
 * echoes; a client says hello, once or (resume=1) twice with a session.
 */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include "peer_args.h"

static int is_old(void)
{
	return get("version") && !strcmp(get("version"), "1.2");
}

static int group(void)
{
	static const struct { const char *name; int id; } groups[] = {
		{ "x25519", WOLFSSL_ECC_X25519 }, { "secp256r1", WOLFSSL_ECC_SECP256R1 },
		{ "secp384r1", WOLFSSL_ECC_SECP384R1 }, { "secp521r1", WOLFSSL_ECC_SECP521R1 },
		{ "x448", WOLFSSL_ECC_X448 }, { "ffdhe2048", WOLFSSL_FFDHE_2048 },
	};

	for (size_t i = 0; get("group") && i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strncmp(groups[i].name, get("group"), strlen(groups[i].name)))
			return groups[i].id;
	return WOLFSSL_ECC_SECP256R1;
}

static WOLFSSL_CTX *context(int server)
{
	int old = is_old(), one = group();
	WOLFSSL_CTX *c = wolfSSL_CTX_new(server ? old ? wolfTLSv1_2_server_method() : wolfTLSv1_3_server_method() :
					 old ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());

	check(c != NULL, "context");
	check(wolfSSL_CTX_load_verify_locations(c, get("ca"), NULL) == WOLFSSL_SUCCESS, "ca");
	if (get("cert"))
		check(wolfSSL_CTX_use_certificate_chain_file(c, get("cert")) == WOLFSSL_SUCCESS &&
		      wolfSSL_CTX_use_PrivateKey_file(c, get("key"), WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS, "identity");
	if (get("suite"))
		check(wolfSSL_CTX_set_cipher_list(c, get("suite")) == WOLFSSL_SUCCESS, "suite");
	if (!old)
		check(wolfSSL_CTX_set_groups(c, &one, 1) == WOLFSSL_SUCCESS, "group");
	if (old && !(server && one == WOLFSSL_ECC_SECP256R1))
		check(wolfSSL_CTX_UseSupportedCurve(c, (uint16_t)one) == WOLFSSL_SUCCESS, "curve");
	if (old && !server && strchr(get("group"), ','))
		check(wolfSSL_CTX_UseSupportedCurve(c, WOLFSSL_ECC_SECP256R1) == WOLFSSL_SUCCESS, "curve");
	if (get("auth") || !server)
		wolfSSL_CTX_set_verify(c, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	else
		wolfSSL_CTX_set_verify(c, WOLFSSL_VERIFY_NONE, NULL);
	return c;
}

static void serve(WOLFSSL_CTX *c)
{
	int fd = listen_here(), s, n;
	char buf[16384];
	WOLFSSL *ssl;

	while ((s = accept(fd, NULL, NULL)) >= 0) {
		ssl = wolfSSL_new(c);
		wolfSSL_set_fd(ssl, s);
		while ((n = wolfSSL_read(ssl, buf, sizeof(buf))) > 0)
			wolfSSL_write(ssl, buf, n);
		wolfSSL_shutdown(ssl);
		wolfSSL_free(ssl);
		close(s);
	}
}

static void take_group(WOLFSSL *ssl)
{
	if (!is_old()) {
		check(wolfSSL_UseKeyShare(ssl, (uint16_t)group()) == WOLFSSL_SUCCESS, "key share");
		return;
	}
	wolfSSL_UseSessionTicket(ssl);
}

static WOLFSSL_SESSION *connect_once(WOLFSSL_CTX *c, WOLFSSL_SESSION *session)
{
	int fd = connect_here();
	WOLFSSL *ssl = wolfSSL_new(c);
	char buf[64] = "";

	wolfSSL_set_fd(ssl, fd);
	wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, "server.test", 11);
	wolfSSL_check_domain_name(ssl, "server.test");
	take_group(ssl);
	if (session)
		wolfSSL_set_session(ssl, session);
	check(wolfSSL_write(ssl, "hello\n", 6) == 6, "handshake");
	check(wolfSSL_read(ssl, buf, sizeof(buf) - 1) > 0, "answer");
	printf("%s%s %s\n", buf, wolfSSL_get_cipher_name(ssl), wolfSSL_session_reused(ssl) ? "reused" : "new");
	session = wolfSSL_get1_session(ssl);
	wolfSSL_shutdown(ssl);
	wolfSSL_free(ssl);
	close(fd);
	return session;
}

int main(int argc, char **argv)
{
	WOLFSSL_SESSION *session;
	WOLFSSL_CTX *c;

	take_arguments(argc, argv);
	wolfSSL_Init();
	c = context(!strcmp(argv[1], "server"));
	if (!strcmp(argv[1], "server"))
		serve(c);
	session = connect_once(c, NULL);
	if (get("resume"))
		connect_once(c, session);
	return 0;
}
