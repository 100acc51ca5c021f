// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wolf_peer server|client PORT KEY=VALUE...: wolfSSL as a peer. A server
 * echoes; a client says hello, once or (resume=1) twice with a session.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

static int argn;
static char **args;

static const char *get(const char *key)
{
	size_t len = strlen(key);

	for (int i = 3; i < argn; i++)
		if (!strncmp(args[i], key, len) && args[i][len] == '=')
			return args[i] + len + 1;
	return NULL;
}

static int group(void)
{
	static const struct { const char *name; int id; } groups[] = {
		{ "x25519", WOLFSSL_ECC_X25519 }, { "secp256r1", WOLFSSL_ECC_SECP256R1 },
		{ "secp384r1", WOLFSSL_ECC_SECP384R1 }, { "secp521r1", WOLFSSL_ECC_SECP521R1 },
		{ "x448", WOLFSSL_ECC_X448 }, { "ffdhe2048", WOLFSSL_FFDHE_2048 },
	};

	for (size_t i = 0; get("group") && i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strcmp(groups[i].name, get("group")))
			return groups[i].id;
	return WOLFSSL_ECC_SECP256R1;
}

static void check(int ok, const char *what)
{
	if (!ok)
		errx(1, "%s", what);
}

static WOLFSSL_CTX *context(int server)
{
	int old = get("version") && !strcmp(get("version"), "1.2"), one = group();
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
	if (get("auth") || !server)
		wolfSSL_CTX_set_verify(c, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	else
		wolfSSL_CTX_set_verify(c, WOLFSSL_VERIFY_NONE, NULL);
	return c;
}

static struct sockaddr_in here(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(args[2])),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void serve(WOLFSSL_CTX *c)
{
	struct sockaddr_in a = here();
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, s, n;
	char buf[16384];
	WOLFSSL *ssl;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 16), "listen");
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
	if (get("version") && !strcmp(get("version"), "1.2"))
		return;
	check(wolfSSL_UseKeyShare(ssl, (uint16_t)group()) == WOLFSSL_SUCCESS, "key share");
}

static WOLFSSL_SESSION *connect_once(WOLFSSL_CTX *c, WOLFSSL_SESSION *session)
{
	struct sockaddr_in a = here();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	WOLFSSL *ssl = wolfSSL_new(c);
	char buf[64] = "";

	check(!connect(fd, (struct sockaddr *)&a, sizeof(a)), "connect");
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

	argn = argc;
	args = argv;
	check(argc > 2, "wolf_peer server|client PORT KEY=VALUE...");
	wolfSSL_Init();
	c = context(!strcmp(argv[1], "server"));
	if (!strcmp(argv[1], "server"))
		serve(c);
	session = connect_once(c, NULL);
	if (get("resume"))
		connect_once(c, session);
	return 0;
}
