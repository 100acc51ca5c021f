// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libktls without a kernel: setsockopt and getsockopt are ours here. What the
 * builder encodes is read back by libnl, which shares no code with it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "params.h"

#define FD 1000		/* never a real descriptor */

/* The kernel's part. */
static struct {
	int ulp_errno, handshake_errno, info_errno, so_error;
	const char *ulp;
	uint8_t request[8192], reply[20000];
	size_t request_len, reply_len;
	int handshakes;
} kernel;

int __wrap_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len);

static int answer(int err)
{
	errno = err;
	return err ? -1 : 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	assert_int_equal(fd, FD);
	if (level == IPPROTO_TCP && name == TCP_ULP) {
		assert_int_equal(len, 4);
		assert_memory_equal(val, "ktls", 4);
		return answer(kernel.ulp_errno);
	}
	assert_int_equal(level, 282);
	assert_int_equal(name, KTLS_HANDSHAKE);
	assert_true(len <= sizeof(kernel.request));
	memcpy(kernel.request, val, len);
	kernel.request_len = len;
	kernel.handshakes++;
	return answer(kernel.handshake_errno);
}

static int give(void *val, socklen_t *len, const void *from, size_t size)
{
	if (*len > size)
		*len = size;
	memcpy(val, from, *len);
	return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	int pending = kernel.so_error;

	assert_int_equal(fd, FD);
	if (level == IPPROTO_TCP)
		return give(val, len, kernel.ulp, strlen(kernel.ulp) + 1);
	if (level == SOL_SOCKET) {
		kernel.so_error = 0;
		return give(val, len, &pending, sizeof(pending));
	}
	assert_int_equal(level, 282);
	assert_int_equal(name, KTLS_INFO);
	if (kernel.info_errno)
		return answer(kernel.info_errno);
	return give(val, len, kernel.reply, kernel.reply_len);
}

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.ulp = "ktls";
	return 0;
}

/* ---- parameters */

static struct nlattr **walk(const struct ktls_params *params, enum ktls_role role)
{
	static struct nlattr *tb[KTLS_P_MAX + 1];
	static struct request request;
	int size = params_request(params, role, &request);

	assert_true(size >= (int)sizeof(request.head));
	assert_int_equal((size - sizeof(request.head)) % 4, 0);
	assert_int_equal(request.head.role, role);
	assert_int_equal(request.head.flags, 0);
	assert_int_equal(request.head.reserved, 0);
	assert_int_equal(nla_parse(tb, KTLS_P_MAX, (struct nlattr *)request.attrs,
				   size - sizeof(request.head), NULL), 0);
	return tb;
}

static void test_encoding(void **state)
{
	static const uint16_t ciphers[] = { TLS_CIPHER_CHACHA20_POLY1305, TLS_CIPHER_AES_GCM_128 };
	struct ktls_params *p = ktls_params_new();
	struct nlattr **tb;

	(void)state;
	assert_int_equal(ktls_params_server_name(p, "www.example.org"), 0);
	assert_int_equal(ktls_params_add_alpn(p, "h2"), 0);
	assert_int_equal(ktls_params_add_cipher(p, ciphers[0]), 0);
	assert_int_equal(ktls_params_identity(p, "web"), 0);
	assert_int_equal(ktls_params_add_alpn(p, "http/1.1"), 0);
	assert_int_equal(ktls_params_trust(p, "lab"), 0);
	assert_int_equal(ktls_params_psk(p, "sensor"), 0);
	assert_int_equal(ktls_params_client_auth(p, KTLS_CLIENT_AUTH_REQUIRE), 0);
	assert_int_equal(ktls_params_keep_chain(p), 0);
	assert_int_equal(ktls_params_add_cipher(p, ciphers[1]), 0);
	assert_int_equal(ktls_params_early_data(p, "GET /", 5), 0);
	assert_int_equal(ktls_params_early_max(p, 700), 0);
	assert_int_equal(ktls_params_post_auth(p), 0);
	assert_int_equal(ktls_params_timeout(p, 1500), 0);

	tb = walk(p, KTLS_ROLE_SERVER);
	assert_string_equal(nla_data(tb[KTLS_P_PSK]), "sensor");
	assert_non_null(tb[KTLS_P_POST_AUTH]);
	assert_int_equal(nla_len(tb[KTLS_P_POST_AUTH]), 0);
	assert_int_equal(nla_len(tb[KTLS_P_SERVER_NAME]), 16);
	assert_string_equal(nla_data(tb[KTLS_P_SERVER_NAME]), "www.example.org");
	assert_int_equal(nla_len(tb[KTLS_P_ALPN]), 12);
	assert_memory_equal(nla_data(tb[KTLS_P_ALPN]), "\2h2\10http/1.1", 12);
	assert_string_equal(nla_data(tb[KTLS_P_IDENTITY]), "web");
	assert_string_equal(nla_data(tb[KTLS_P_TRUST]), "lab");
	assert_int_equal(nla_len(tb[KTLS_P_CLIENT_AUTH]), 4);
	assert_int_equal(nla_get_u32(tb[KTLS_P_CLIENT_AUTH]), 2);
	assert_int_equal(nla_len(tb[KTLS_P_PEER_CHAIN]), 0);
	assert_int_equal(nla_len(tb[KTLS_P_EARLY_DATA]), 5);
	assert_memory_equal(nla_data(tb[KTLS_P_EARLY_DATA]), "GET /", 5);
	assert_int_equal(nla_get_u32(tb[KTLS_P_EARLY_MAX]), 700);
	assert_int_equal(nla_len(tb[KTLS_P_CIPHERS]), sizeof(ciphers));
	assert_memory_equal(nla_data(tb[KTLS_P_CIPHERS]), ciphers, sizeof(ciphers));
	assert_int_equal(p->request.head.timeout_ms, 1500);
	ktls_params_free(p);
}

static void test_replacing(void **state)
{
	struct ktls_params *p = ktls_params_new();
	struct nlattr **tb;
	size_t len;

	(void)state;
	ktls_params_server_name(p, "a.example");
	ktls_params_trust(p, "x");
	len = p->len;
	ktls_params_server_name(p, "b.example");
	assert_int_equal(p->len, len);
	tb = walk(p, KTLS_ROLE_CLIENT);
	assert_string_equal(nla_data(tb[KTLS_P_SERVER_NAME]), "b.example");
	assert_string_equal(nla_data(tb[KTLS_P_TRUST]), "x");
	ktls_params_free(p);
}

static void test_limits(void **state)
{
	char name[300];
	struct { int expect; int (*set)(struct ktls_params *, const char *); size_t len; } rows[] = {
		{ 0,	   ktls_params_server_name, 1 },
		{ 0,	   ktls_params_server_name, 253 },
		{ -EINVAL, ktls_params_server_name, 254 },
		{ -EINVAL, ktls_params_server_name, 0 },
		{ 0,	   ktls_params_add_alpn, 255 },
		{ -EINVAL, ktls_params_add_alpn, 256 },
		{ -EINVAL, ktls_params_add_alpn, 0 },
		{ 0,	   ktls_params_identity, 255 },
		{ -EINVAL, ktls_params_identity, 256 },
		{ -EINVAL, ktls_params_identity, 0 },
		{ 0,	   ktls_params_trust, 255 },
		{ -EINVAL, ktls_params_trust, 256 },
		{ 0,	   ktls_params_psk, 255 },
		{ -EINVAL, ktls_params_psk, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktls_params *p = ktls_params_new();

		memset(name, 'n', sizeof(name));
		name[rows[i].len] = '\0';
		assert_int_equal(rows[i].set(p, name), rows[i].expect);
		assert_int_equal(p->error, rows[i].expect);
		assert_true(rows[i].expect ? !p->len : p->len >= rows[i].len);
		assert_int_equal(rows[i].set(p, NULL), -EINVAL);
		ktls_params_free(p);
	}
}

static void test_refusals_stick(void **state)
{
	struct ktls_params *p = ktls_params_new();

	(void)state;
	assert_int_equal(ktls_params_server_name(p, "a b"), -EINVAL);
	assert_int_equal(ktls_params_server_name(p, "stra\xc3\x9f" "e.example"), -EINVAL);
	assert_int_equal(ktls_params_add_cipher(p, TLS_CIPHER_SM4_GCM), -EINVAL);
	assert_int_equal(ktls_params_add_cipher(p, 0), -EINVAL);
	assert_int_equal(ktls_params_client_auth(p, 3), -EINVAL);
	assert_int_equal(ktls_params_timeout(p, KTLS_TIMEOUT_MAX_MS + 1), -EINVAL);
	assert_int_equal(ktls_params_server_name(p, "fine.example"), 0);
	assert_int_equal(ktls_client(FD, p), -EINVAL);
	assert_int_equal(kernel.handshakes, 0);
	ktls_params_free(p);
}

static void test_too_much(void **state)
{
	struct ktls_params *p = ktls_params_new();
	char protocol[256];
	int i, err = 0;

	(void)state;
	memset(protocol, 'p', 255);
	protocol[255] = '\0';
	for (i = 0; i < 20 && !err; i++)
		err = ktls_params_add_alpn(p, protocol);
	assert_int_equal(err, -EMSGSIZE);
	assert_int_equal(i, 16);		/* 4 + 15 * 256 bytes fit, 16 don't */
	assert_true(p->len <= KTLS_MAX_PARAM);
	assert_int_equal(nla_len(walk(&(struct ktls_params){ .request = p->request, .len = p->len },
				      KTLS_ROLE_CLIENT)[KTLS_P_ALPN]), 15 * 256);
	ktls_params_free(p);
}

/* ---- handshake */

static void test_handshake(void **state)
{
	struct ktls_params *p = ktls_params_new();
	struct ktls_handshake head;

	(void)state;
	ktls_params_server_name(p, "x");
	errno = 77;
	assert_int_equal(ktls_client(FD, p), 0);
	assert_int_equal(errno, 77);
	assert_int_equal(kernel.request_len, 16);
	memcpy(&head, kernel.request, sizeof(head));
	assert_int_equal(head.role, KTLS_ROLE_CLIENT);
	assert_int_equal(ktls_server(FD, NULL), 0);
	assert_int_equal(kernel.request_len, 8);
	memcpy(&head, kernel.request, sizeof(head));
	assert_int_equal(head.role, KTLS_ROLE_SERVER);
	ktls_params_free(p);
}

static void test_attach(void **state)
{
	(void)state;
	kernel.ulp_errno = ENOENT;
	assert_int_equal(ktls_client(FD, NULL), -ENOENT);
	kernel.ulp_errno = EEXIST;
	kernel.ulp = "mptcp";
	assert_int_equal(ktls_client(FD, NULL), -EEXIST);
	assert_int_equal(kernel.handshakes, 0);
	kernel.ulp = "ktls";
	kernel.handshake_errno = EINPROGRESS;
	assert_int_equal(ktls_client(FD, NULL), -EINPROGRESS);
	assert_int_equal(kernel.handshakes, 1);
}

static void set_info(const struct ktls_info *info)
{
	memcpy(kernel.reply, info, sizeof(*info));
	kernel.reply_len = sizeof(*info);
}

static void put(uint16_t type, const void *data, size_t len)
{
	struct nlattr head = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	memcpy(kernel.reply + kernel.reply_len, &head, sizeof(head));
	memcpy(kernel.reply + kernel.reply_len + NLA_HDRLEN, data, len);
	kernel.reply_len += NLA_ALIGN(head.nla_len);
}

static void test_finish(void **state)
{
	(void)state;
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_HANDSHAKING });
	assert_int_equal(ktls_finish(FD), -EINPROGRESS);
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_OPEN });
	assert_int_equal(ktls_finish(FD), 0);
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_BARE });
	assert_int_equal(ktls_finish(FD), -ENOTCONN);
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_DEAD, .error = -EKEYREJECTED });
	kernel.so_error = EKEYREJECTED;
	assert_int_equal(ktls_finish(FD), -EKEYREJECTED);
	assert_int_equal(kernel.so_error, 0);
	assert_int_equal(ktls_finish(FD), -EKEYREJECTED);
	kernel.info_errno = ENOPROTOOPT;
	assert_int_equal(ktls_finish(FD), -ENOPROTOOPT);
}

/* ---- information */

static void full_reply(void)
{
	static const uint8_t chain[] = { 0, 0, 2, 0x30, 0, 0, 0, 3, 0x30, 1, 5 };
	uint8_t hash[32] = { 1, 2, 3 };

	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_OPEN, .version = 0x0304,
				      .cipher = TLS_CIPHER_AES_GCM_256, .tx_bytes = 1ULL << 40 });
	put(KTLS_I_SUITE, &(uint16_t){ 0x1302 }, 2);
	put(KTLS_I_GROUP, &(uint16_t){ 0x001d }, 2);
	put(KTLS_I_SCHEME, &(uint16_t){ 0x0403 }, 2);
	put(KTLS_I_ALPN, "h2", 2);
	put(KTLS_I_SERVER_NAME, "www.example.org", 16);
	put(KTLS_I_IDENTITY, "web", 3);		/* without NUL: also fine */
	put(KTLS_I_PEER_NAME, "peer.example", 13);
	put(KTLS_I_PEER_SHA256, hash, sizeof(hash));
	put(KTLS_I_PEER_CHAIN, chain, sizeof(chain));
	put(KTLS_I_RESUMED, "", 0);
	put(KTLS_I_PSK, "sensor", 7);
	put(KTLS_I_CHANNEL_BINDING, hash, sizeof(hash));
	put(200, "from the future", 16);
}

static void test_info(void **state)
{
	struct ktls_session s;

	(void)state;
	full_reply();
	assert_int_equal(ktls_info(FD, &s), 0);
	assert_int_equal(s.info.tx_bytes, 1ULL << 40);
	assert_string_equal(ktls_suite_name(s.suite), "TLS_AES_256_GCM_SHA384");
	assert_string_equal(ktls_group_name(s.group), "x25519");
	assert_string_equal(ktls_scheme_name(s.scheme), "ecdsa_secp256r1_sha256");
	assert_int_equal(s.alpn_len, 2);
	assert_string_equal(s.alpn, "h2");
	assert_string_equal(s.server_name, "www.example.org");
	assert_string_equal(s.identity, "web");
	assert_string_equal(s.peer_name, "peer.example");
	assert_true(s.peer_verified && s.has_peer_sha256 && s.resumed);
	assert_int_equal(s.peer_sha256[2], 3);
	assert_string_equal(s.psk, "sensor");
	assert_true(s.has_channel_binding);
	assert_memory_equal(s.channel_binding, s.peer_sha256, 32);
}

/* The kernel cuts at the caller's buffer; nothing may be taken from half an attribute. */
static void test_info_cut(void **state)
{
	struct ktls_session s;
	size_t len, whole;

	(void)state;
	full_reply();
	whole = kernel.reply_len;
	for (len = 0; len < sizeof(struct ktls_info); len++) {
		kernel.reply_len = len;
		assert_int_equal(ktls_info(FD, &s), -EPROTO);
	}
	for (; len < whole; len++) {
		kernel.reply_len = len;
		assert_int_equal(ktls_info(FD, &s), 0);
		assert_true(!s.server_name[0] || !strcmp(s.server_name, "www.example.org"));
		assert_true(!s.peer_name[0] || !strcmp(s.peer_name, "peer.example"));
	}
}

static void test_info_long(void **state)
{
	struct ktls_session s;
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_DEAD });
	put(KTLS_I_SERVER_NAME, text, sizeof(text));
	put(KTLS_I_ALPN, text, sizeof(text));
	put(KTLS_I_SUITE, text, 3);
	put(KTLS_I_PEER_SHA256, text, 31);
	put(KTLS_I_REASON, text, sizeof(text));
	assert_int_equal(ktls_info(FD, &s), 0);
	assert_int_equal(strlen(s.server_name), KTLS_NAME_SIZE - 1);
	assert_int_equal(strlen(s.reason), KTLS_MAX_REASON);
	assert_int_equal(s.alpn_len, 0);
	assert_int_equal(s.suite, 0);
	assert_false(s.has_peer_sha256);
}

static void test_peer_cert(void **state)
{
	uint8_t der[8];

	(void)state;
	full_reply();
	assert_int_equal(ktls_peer_cert(FD, 0, der, sizeof(der)), 2);
	assert_int_equal(ktls_peer_cert(FD, 1, der, sizeof(der)), 3);
	assert_memory_equal(der, "\x30\1\5", 3);
	assert_int_equal(ktls_peer_cert(FD, 1, der, 2), -ERANGE);
	assert_int_equal(ktls_peer_cert(FD, 2, der, sizeof(der)), -ENOENT);
	set_info(&(struct ktls_info){ 0 });
	assert_int_equal(ktls_peer_cert(FD, 0, der, sizeof(der)), -ENOENT);
	put(KTLS_I_PEER_CHAIN, "\0\0\5abcd", 7);
	assert_int_equal(ktls_peer_cert(FD, 0, der, sizeof(der)), -EPROTO);
}

static void test_post_auth(void **state)
{
	struct ktls_session s;

	(void)state;
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_OPEN });
	assert_int_equal(ktls_info(FD, &s), 0);
	assert_int_equal(s.post_auth, KTLS_CLIENT_NEVER);
	put(KTLS_I_POST_AUTH, &(uint16_t){ 3 }, 2);
	assert_int_equal(ktls_info(FD, &s), 0);
	assert_int_equal(s.post_auth, KTLS_CLIENT_SHOWN);
}

static void test_early_data(void **state)
{
	struct ktls_params *p = ktls_params_new();
	char data[5];

	(void)state;
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_OPEN });
	assert_int_equal(ktls_early_data(FD, data, sizeof(data)), -ENOENT);
	put(KTLS_I_EARLY, &(uint16_t){ 2 }, 2);
	assert_int_equal(ktls_early_data(FD, data, sizeof(data)), -EAGAIN);
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_OPEN });
	put(KTLS_I_EARLY, &(uint16_t){ 1 }, 2);
	assert_int_equal(ktls_early_data(FD, NULL, 0), 0);
	put(KTLS_I_EARLY_DATA, "GET /", 5);
	assert_int_equal(ktls_early_data(FD, data, 4), -ERANGE);
	assert_int_equal(ktls_early_data(FD, data, 5), 5);
	assert_memory_equal(data, "GET /", 5);
	assert_int_equal(ktls_params_early_data(p, data, 0), -EINVAL);
	assert_int_equal(ktls_params_early_max(p, KTLS_MAX_EARLY + 1), -EINVAL);
	ktls_params_free(p);
}

/* ---- errors */

static void test_error(void **state)
{
	char buf[320];

	(void)state;
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_DEAD, .error = -EKEYREJECTED, .alert = 48,
				      .alert_from = KTLS_ALERT_FROM_LOCAL });
	put(KTLS_I_REASON, "add the CA", 11);
	assert_string_equal(ktls_error(FD, 0, buf, sizeof(buf)),
			    "this side sent alert unknown_ca (48): add the CA");
	set_info(&(struct ktls_info){ .error = -EPROTO, .alert = 40,
				      .alert_from = KTLS_ALERT_FROM_PEER });
	assert_string_equal(ktls_error(FD, -EPROTO, buf, sizeof(buf)),
			    "the peer sent alert handshake_failure (40): the handshake failed");
	assert_non_null(strstr(ktls_error(-1, -ENOENT, buf, sizeof(buf)), "modprobe ktls"));
	assert_non_null(strstr(ktls_error(-1, -ESRCH, buf, sizeof(buf)), "systemctl start ktlsd"));
	set_info(&(struct ktls_info){ .phase = KTLS_PHASE_OPEN });
	assert_string_equal(ktls_error(FD, 0, buf, sizeof(buf)), "no error");
}

static void test_error_bounds(void **state)
{
	char buf[320];
	size_t size;
	int err;

	(void)state;
	for (err = 1; err < 140; err++)
		assert_true(strlen(ktls_error(-1, -err, buf, sizeof(buf))) > 4);
	for (size = 1; size < 64; size++) {
		memset(buf, 0x55, sizeof(buf));
		ktls_error(-1, -ESRCH, buf, size);
		assert_true(strlen(buf) < size);
		assert_int_equal(buf[size], 0x55);
	}
	kernel.info_errno = ENOPROTOOPT;
	errno = 5;
	assert_non_null(strstr(ktls_error(FD, 0, buf, sizeof(buf)), "no TLS"));
	assert_int_equal(errno, 5);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(ktls_cipher_number("aes-128-gcm"), TLS_CIPHER_AES_GCM_128);
	assert_int_equal(ktls_cipher_number("CHACHA20-POLY1305"), TLS_CIPHER_CHACHA20_POLY1305);
	assert_int_equal(ktls_cipher_number("rot13"), 0);
	assert_string_equal(ktls_alert_name(112), "unrecognized_name");
	assert_string_equal(ktls_alert_name(200), "unknown");
	assert_string_equal(ktls_version_name(0x0304), "TLS 1.3");
	assert_string_equal(ktls_phase_name(KTLS_PHASE_DEAD), "dead");
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_encoding), T(test_replacing), T(test_limits), T(test_refusals_stick),
		T(test_too_much), T(test_handshake), T(test_attach), T(test_finish), T(test_info),
		T(test_early_data), T(test_post_auth), T(test_info_cut), T(test_info_long), T(test_peer_cert), T(test_error),
		T(test_error_bounds), T(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
