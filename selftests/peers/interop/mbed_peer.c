// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mbed_peer server|client PORT KEY=VALUE...: mbedTLS as a peer, TLS 1.2. A
 * server echoes; a client says hello, once or (resume=1) twice with a session.
 * psk=HEX: a key by hand with the name "friend".
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/dhm.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include "peer_args.h"

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context rng;
static mbedtls_ssl_config conf;
static mbedtls_x509_crt ca, chain;
static mbedtls_pk_context key;
static mbedtls_ssl_ticket_context tickets;
static mbedtls_ssl_cache_context cache;
static mbedtls_ecp_group_id curves[8];
static int suites[2];

static void take_curves(void)
{
	static const struct { const char *name; mbedtls_ecp_group_id id; } known[] = {
		{ "x25519", MBEDTLS_ECP_DP_CURVE25519 }, { "secp256r1", MBEDTLS_ECP_DP_SECP256R1 },
		{ "secp384r1", MBEDTLS_ECP_DP_SECP384R1 }, { "secp521r1", MBEDTLS_ECP_DP_SECP521R1 },
		{ "brainpoolP256r1", MBEDTLS_ECP_DP_BP256R1 }, { "brainpoolP384r1", MBEDTLS_ECP_DP_BP384R1 },
		{ "brainpoolP512r1", MBEDTLS_ECP_DP_BP512R1 },
	};
	char *list = strdup(get("group"));
	size_t n = 0;

	for (char *s = strtok(list, ","); s; s = strtok(NULL, ","))
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(known[i].name, s))
				curves[n++] = known[i].id;
	curves[n] = MBEDTLS_ECP_DP_NONE;
	free(list);
	if (n)
		mbedtls_ssl_conf_curves(&conf, curves);
}

static void take_field(void)
{
	static const unsigned char p2[] = MBEDTLS_DHM_RFC7919_FFDHE2048_P_BIN, g2[] = MBEDTLS_DHM_RFC7919_FFDHE2048_G_BIN;
	static const unsigned char p3[] = MBEDTLS_DHM_RFC7919_FFDHE3072_P_BIN, g3[] = MBEDTLS_DHM_RFC7919_FFDHE3072_G_BIN;

	if (!strcmp(get("group"), "ffdhe2048"))
		mbedtls_ssl_conf_dh_param_bin(&conf, p2, sizeof(p2), g2, sizeof(g2));
	if (!strcmp(get("group"), "ffdhe3072"))
		mbedtls_ssl_conf_dh_param_bin(&conf, p3, sizeof(p3), g3, sizeof(g3));
}

static void take_psk(void)
{
	unsigned char psk[64];
	unsigned int byte;
	size_t len = 0;

	for (const char *hex = get("psk"); len < sizeof(psk) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		psk[len++] = (unsigned char)byte;
	check(!mbedtls_ssl_conf_psk(&conf, psk, len, (const unsigned char *)"friend", 6), "psk");
}

static void remember(int server)
{
	if (!server || !get("resume"))
		return;
	mbedtls_ssl_cache_init(&cache);
	mbedtls_ssl_ticket_init(&tickets);
	if (get("cache"))
		mbedtls_ssl_conf_session_cache(&conf, &cache, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
	check(!mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &rng, MBEDTLS_CIPHER_AES_256_GCM, 3600), "tickets");
	if (!get("cache"))
		mbedtls_ssl_conf_session_tickets_cb(&conf, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
}

static void configure(int server)
{
	mbedtls_ssl_config_init(&conf);
	check(!mbedtls_ssl_config_defaults(&conf, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
					   MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT), "defaults");
	mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &rng);
	suites[0] = mbedtls_ssl_get_ciphersuite_id(get("suite"));
	check(suites[0], "suite");
	mbedtls_ssl_conf_ciphersuites(&conf, suites);
	if (get("ca")) {
		check(!mbedtls_x509_crt_parse_file(&ca, get("ca")), "ca");
		mbedtls_ssl_conf_ca_chain(&conf, &ca, NULL);
	}
	if (get("cert")) {
		check(!mbedtls_x509_crt_parse_file(&chain, get("cert")) && !mbedtls_pk_parse_keyfile(&key, get("key"), NULL) &&
		      !mbedtls_ssl_conf_own_cert(&conf, &chain, &key), "identity");
	}
	mbedtls_ssl_conf_authmode(&conf, get("auth") || (!server && !get("psk")) ? MBEDTLS_SSL_VERIFY_REQUIRED :
				  MBEDTLS_SSL_VERIFY_NONE);
	take_curves();
	take_field();
	if (get("psk"))
		take_psk();
	remember(server);
}

static mbedtls_ssl_context *open_on(mbedtls_net_context *net)
{
	mbedtls_ssl_context *ssl = calloc(1, sizeof(*ssl));

	mbedtls_ssl_init(ssl);
	check(!mbedtls_ssl_setup(ssl, &conf), "setup");
	mbedtls_ssl_set_bio(ssl, net, mbedtls_net_send, mbedtls_net_recv, NULL);
	return ssl;
}

static void close_it(mbedtls_ssl_context *ssl, int fd)
{
	mbedtls_ssl_close_notify(ssl);
	mbedtls_ssl_free(ssl);
	free(ssl);
	close(fd);
}

static void serve(void)
{
	mbedtls_ssl_context *ssl;
	mbedtls_net_context net;
	unsigned char buf[16384];
	int fd = listen_here(), n;

	while ((net.fd = accept(fd, NULL, NULL)) >= 0) {
		ssl = open_on(&net);
		n = mbedtls_ssl_handshake(ssl);
		if (n)
			fprintf(stderr, "mbedTLS: -%#x\n", -n);
		while (!n && (n = mbedtls_ssl_read(ssl, buf, sizeof(buf))) > 0)
			n = mbedtls_ssl_write(ssl, buf, (size_t)n) > 0 ? 0 : -1;
		close_it(ssl, net.fd);
	}
}

static void connect_once(mbedtls_ssl_session *session, int again)
{
	mbedtls_net_context net = { .fd = connect_here() };
	mbedtls_ssl_context *ssl = open_on(&net);
	unsigned char buf[64] = "";
	int n;

	check(!mbedtls_ssl_set_hostname(ssl, "server.test"), "name");
	if (again)
		check(!mbedtls_ssl_set_session(ssl, session), "session");
	n = mbedtls_ssl_handshake(ssl);
	if (n)
		errx(1, "mbedTLS: -%#x", -n);
	check(mbedtls_ssl_write(ssl, (const unsigned char *)"hello\n", 6) == 6, "write");
	check(mbedtls_ssl_read(ssl, buf, sizeof(buf) - 1) > 0, "answer");
	printf("%s%s\n", (char *)buf, mbedtls_ssl_get_ciphersuite(ssl));
	if (!again)
		check(!mbedtls_ssl_get_session(ssl, session), "session");
	close_it(ssl, net.fd);
}

int main(int argc, char **argv)
{
	mbedtls_ssl_session session;

	take_arguments(argc, argv);
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&rng);
	check(!mbedtls_ctr_drbg_seed(&rng, mbedtls_entropy_func, &entropy, NULL, 0), "seed");
	mbedtls_ssl_session_init(&session);
	configure(!strcmp(argv[1], "server"));
	if (!strcmp(argv[1], "server"))
		serve();
	connect_once(&session, 0);
	if (get("resume"))
		connect_once(&session, 1);
	return 0;
}
