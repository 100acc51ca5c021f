// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AES-CBC with encrypt-then-MAC (RFC 7366): against OpenSSL, which does the
 * handshake at both ends and goes on at one of them; records made here byte by
 * byte, with every padding and with what must be refused; keys by setsockopt
 * and from an agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <cmocka.h>
#include "wire.h"
#include "world.h"

#define TLS12	0x0303
#define IV	16
#define BLOCK	16
#define MAC_MAX	48
#define RECORD	(WIRE_HEADER + IV + WIRE_PLAIN + 512)
#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static const struct suite {
	const char		*name;		/* OpenSSL's */
	uint16_t		id;
	size_t			mac, enc;
	const EVP_MD		*(*md)(void);
	const EVP_CIPHER	*(*cipher)(void);
} suites[] = {
	{ "ECDHE-RSA-AES128-SHA",	KTLS_CIPHER_AES_CBC_128_SHA,	20, 16, EVP_sha1,	EVP_aes_128_cbc },
	{ "ECDHE-RSA-AES256-SHA",	KTLS_CIPHER_AES_CBC_256_SHA,	20, 32, EVP_sha1,	EVP_aes_256_cbc },
	{ "ECDHE-RSA-AES128-SHA256",	KTLS_CIPHER_AES_CBC_128_SHA256,	32, 16, EVP_sha256,	EVP_aes_128_cbc },
	{ "DHE-RSA-AES256-SHA256",	KTLS_CIPHER_AES_CBC_256_SHA256,	32, 32, EVP_sha256,	EVP_aes_256_cbc },
	{ "ECDHE-RSA-AES256-SHA384",	KTLS_CIPHER_AES_CBC_256_SHA384,	48, 32, EVP_sha384,	EVP_aes_256_cbc },
};

static const size_t sizes[] = { 1, 15, 16, 17, 1000, WIRE_PLAIN, 50000 };
static uint8_t out[64 << 10], in[64 << 10];

/* ---- keys */

static struct key key_of(const struct suite *s, unsigned int seed)
{
	struct key k = { .version = TLS12, .cipher = s->id, .key_len = s->mac + s->enc };

	for (size_t i = 0; i < k.key_len; i++)
		k.key[i] = seed * 31 + i * 7;
	return k;
}

/* linux/ktls.h: head, key, sequence number */
static size_t info_of(const struct key *k, uint8_t *info)
{
	struct tls_crypto_info head = { .version = k->version, .cipher_type = k->cipher };
	size_t at = sizeof(head);

	memcpy(info, &head, sizeof(head));
	memcpy(info + at, k->key, k->key_len);
	at += k->key_len;
	for (int i = 7; i >= 0; i--)
		info[at++] = k->seq >> (8 * i);
	return at;
}

static int install(int fd, int option, const struct key *k)
{
	uint8_t info[128];

	return setsockopt(fd, SOL_TLS, option, info, info_of(k, info)) ? -errno : 0;
}

/* A kernel without authenc() says so at the first key. */
static int have_cbc(void **state)
{
	struct key k = key_of(&suites[0], 1);
	int fd[2], err;

	(void)state;
	wire_pair(fd);
	assert_int_equal(wire_attach(fd[0]), 0);
	err = install(fd[0], TLS_TX, &k);
	close(fd[0]);
	close(fd[1]);
	if (err == -ENOENT)
		print_message("# this kernel has no authenc()\n");
	return err;
}

/* ---- records, byte by byte (RFC 7366 3) */

static void mac_of(const struct suite *s, const struct key *k, const uint8_t *record, size_t covered, uint8_t *mac)
{
	static uint8_t text[13 + RECORD];

	for (int i = 0; i < 8; i++)
		text[7 - i] = k->seq >> (8 * i);
	memcpy(text + 8, record, 3);
	text[11] = covered >> 8;
	text[12] = covered;
	memcpy(text + 13, record + WIRE_HEADER, covered);
	assert_non_null(HMAC(s->md(), k->key, s->mac, text, 13 + covered, mac, NULL));
}

static void cbc(const struct suite *s, const struct key *k, bool seal, uint8_t *iv, uint8_t *p, size_t len)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	assert_int_equal(EVP_CipherInit_ex(c, s->cipher(), NULL, k->key + s->mac, iv, seal), 1);
	EVP_CIPHER_CTX_set_padding(c, 0);
	assert_int_equal(EVP_CipherUpdate(c, p, &n, p, len), 1);
	assert_int_equal(n, len);
	EVP_CIPHER_CTX_free(c);
}

/* A record of @len bytes of data and of @pad bytes of padding, each of which says @says. */
static size_t seal(const struct suite *s, struct key *k, const uint8_t *data, size_t len, size_t pad, uint8_t says,
		   uint8_t *record)
{
	size_t inner = len + pad, body = IV + inner + s->mac;
	uint8_t *p = record + WIRE_HEADER + IV;

	assert_int_equal(inner % BLOCK, 0);
	memcpy(record, (uint8_t[]){ WIRE_DATA, 3, 3, body >> 8, body }, WIRE_HEADER);
	memset(record + WIRE_HEADER, 0x77 + k->seq, IV);
	memcpy(p, data, len);
	memset(p + len, says, pad);
	cbc(s, k, true, record + WIRE_HEADER, p, inner);
	mac_of(s, k, record, IV + inner, p + inner);
	k->seq++;
	return WIRE_HEADER + body;
}

static size_t padding(size_t len)
{
	return BLOCK - len % BLOCK;
}

/* The next record of the module, opened: length and type. */
static size_t open_next(const struct suite *s, struct key *k, int fd, uint8_t *data, uint8_t *iv, uint8_t *type)
{
	static uint8_t record[RECORD];
	uint8_t mac[MAC_MAX];
	size_t body, inner;

	wire_read(fd, record, WIRE_HEADER);
	body = record[3] << 8 | record[4];
	assert_in_range(body, IV + BLOCK + s->mac, RECORD - WIRE_HEADER);
	wire_read(fd, record + WIRE_HEADER, body);
	inner = body - IV - s->mac;
	mac_of(s, k, record, IV + inner, mac);
	assert_memory_equal(mac, record + WIRE_HEADER + IV + inner, s->mac);
	memcpy(iv, record + WIRE_HEADER, IV);
	memcpy(data, record + WIRE_HEADER + IV, inner);
	cbc(s, k, false, iv, data, inner);
	k->seq++;
	*type = record[0];
	for (size_t i = 0; i <= data[inner - 1]; i++)
		assert_int_equal(data[inner - 1 - i], data[inner - 1]);
	return inner - data[inner - 1] - 1;
}

/* ---- OpenSSL */

/* Does the handshake, then sends back whatever comes. */
struct server {
	SSL_CTX		*ctx;
	int		fd;
	bool		closed;		/* the client's close_notify has come */
};

static void *echo(void *arg)
{
	static uint8_t buf[64 << 10];
	struct server *server = arg;
	SSL *ssl = SSL_new(server->ctx);
	int n, at, done;

	SSL_set_fd(ssl, server->fd);
	if (SSL_accept(ssl) == 1) {
		while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
			for (at = 0; at < n; at += done) {
				done = SSL_write(ssl, buf + at, n - at);
				if (done <= 0)
					goto out;
			}
		server->closed = SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
	}
out:
	SSL_free(ssl);
	shutdown(server->fd, SHUT_RDWR);
	return NULL;
}

static void certify(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();

	assert_non_null(key);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static SSL_CTX *context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, "AES:@SECLEVEL=0"), 1);
	SSL_CTX_set_dh_auto(ctx, 1);
	return ctx;
}

/* RFC 5246 6.3: the client's and the server's MAC keys, then their AES keys. */
static void keys_from(const SSL *ssl, const struct suite *s, struct key *client, struct key *server)
{
	uint8_t master[48], seed[64], block[2 * KTLS_MAX_KEY];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *c = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, s->mac == 48 ? "SHA384" : "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof(master)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, "key expansion", 13),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
		OSSL_PARAM_construct_end(),
	};

	SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
	SSL_get_server_random(ssl, seed, 32);
	SSL_get_client_random(ssl, seed + 32, 32);
	assert_int_equal(EVP_KDF_derive(c, block, 2 * (s->mac + s->enc), params), 1);
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	*client = *server = (struct key){ .version = TLS12, .cipher = s->id, .key_len = s->mac + s->enc, .seq = 1 };
	memcpy(client->key, block, s->mac);
	memcpy(server->key, block + s->mac, s->mac);
	memcpy(client->key + s->mac, block + 2 * s->mac, s->enc);
	memcpy(server->key + s->mac, block + 2 * s->mac + s->enc, s->enc);
}

/* OpenSSL shakes hands over @fd as client; then the module has the records. */
static void connect_as(const struct suite *s, int fd)
{
	SSL_CTX *ctx = context(TLS_client_method());
	struct key tx, rx;
	SSL *ssl;

	assert_int_equal(SSL_CTX_set_cipher_list(ctx, s->name), 1);
	ssl = SSL_new(ctx);
	SSL_set_security_level(ssl, 0);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_string_equal(SSL_get_cipher(ssl), s->name);
	keys_from(ssl, s, &tx, &rx);
	assert_int_equal(wire_attach(fd), 0);
	assert_int_equal(install(fd, TLS_TX, &tx), 0);
	assert_int_equal(install(fd, TLS_RX, &rx), 0);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void echoed(int fd, size_t len)
{
	memset(in, 0, len);
	wire_read(fd, in, len);
	assert_memory_equal(in, out, len);
}

static void send_alert(int fd, uint8_t level, uint8_t description)
{
	union {
		struct cmsghdr	head;
		char		room[CMSG_SPACE(1)];
	} control = { };
	uint8_t alert[2] = { level, description };
	struct iovec iov = { alert, sizeof(alert) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control.room) };

	control.head = (struct cmsghdr){ CMSG_LEN(1), SOL_TLS, TLS_SET_RECORD_TYPE };
	*CMSG_DATA(&control.head) = WIRE_ALERT;
	assert_int_equal(sendmsg(fd, &msg, 0), sizeof(alert));
}

static void talk(const struct suite *s, SSL_CTX *ctx, int file)
{
	struct server server = { .ctx = ctx };
	pthread_t thread;
	off_t at = 0;
	int fd[2];

	wire_pair(fd);
	server.fd = fd[1];
	assert_int_equal(pthread_create(&thread, NULL, echo, &server), 0);
	connect_as(s, fd[0]);
	for EACH(i, sizes) {
		fill_pattern(out, sizes[i], i + 1);
		wire_write(fd[0], out, sizes[i]);
		echoed(fd[0], sizes[i]);
	}
	/* Pages of the page cache, and bytes behind them in the same record. */
	fill_pattern(out, 20003, 7);
	assert_int_equal(pwrite(file, out, 20003, 0), 20003);
	assert_int_equal(send(fd[0], out, 3, MSG_MORE), 3);
	at = 3;
	assert_int_equal(sendfile(fd[0], file, &at, 20000), 20000);
	echoed(fd[0], 20003);
	send_alert(fd[0], 1, 0);
	pthread_join(thread, NULL);
	assert_true(server.closed);
	close(fd[0]);
	close(fd[1]);
}

static void test_openssl(void **state)
{
	SSL_CTX *ctx = context(TLS_server_method());
	int file = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	certify(ctx);
	for EACH(i, suites) {
		print_message("# %s\n", suites[i].name);
		talk(&suites[i], ctx, file);
	}
	close(file);
	SSL_CTX_free(ctx);
}

/* ---- made here */

static void pair(const struct suite *s, int fd[2], struct key *tx, struct key *rx)
{
	*tx = key_of(s, 1);
	*rx = key_of(s, 2);
	wire_pair(fd);
	assert_int_equal(wire_attach(fd[0]), 0);
	assert_int_equal(install(fd[0], TLS_TX, tx), 0);
	assert_int_equal(install(fd[0], TLS_RX, rx), 0);
}

static void unpair(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/* Padding of any length that fits is taken, in a record of any size. */
static void test_padding(void **state)
{
	static uint8_t record[RECORD];
	struct key tx, rx;
	size_t pad;
	int fd[2];

	(void)state;
	for EACH(i, suites) {
		pair(&suites[i], fd, &tx, &rx);
		for EACH(j, sizes) {
			if (sizes[j] > WIRE_PLAIN)
				continue;
			fill_pattern(out, sizes[j], j);
			for (pad = padding(sizes[j]); pad <= 256; pad += BLOCK) {
				wire_write(fd[1], record, seal(&suites[i], &rx, out, sizes[j], pad, pad - 1, record));
				echoed(fd[0], sizes[j]);
			}
		}
		unpair(fd);
	}
}

/* Equal plaintext under ivs that differ; the least padding. */
static void test_iv(void **state)
{
	uint8_t iv[2][IV], type;
	struct key tx, rx;
	int fd[2];

	(void)state;
	for EACH(i, suites) {
		pair(&suites[i], fd, &tx, &rx);
		for (int n = 0; n < 2; n++) {
			wire_write(fd[0], out, 100);
			assert_int_equal(open_next(&suites[i], &tx, fd[1], in, iv[n], &type), 100);
			assert_memory_equal(in, out, 100);
			assert_int_equal(type, WIRE_DATA);
		}
		assert_memory_not_equal(iv[0], iv[1], IV);
		unpair(fd);
	}
}

/* What a record may have wrong; 100 bytes of data, 12 of padding. */
static const struct wrong {
	const char	*what;
	size_t		pad;
	uint8_t		says, flip;	/* all bytes of padding; bits of the byte at: */
	int		at;		/* from the record's end if negative */
	int		longer;		/* by so many bytes is the record, and what its header says */
	int		err;
} wrongs[] = {
	{ "iv",				12, 11, 1, WIRE_HEADER,		0,   EBADMSG },
	{ "ciphertext",			12, 11, 0x80, 40,		0,   EBADMSG },
	{ "MAC's first byte",		12, 11, 1, -32,			0,   EBADMSG },
	{ "MAC's last byte",		12, 11, 1, -1,			0,   EBADMSG },
	{ "content type",		12, 11, 1, 0,			0,   EBADMSG },
	{ "padding's bytes",		28, 11, 0, 0,			0,   0 },	/* 16 of them are data */
	{ "padding too short a word",	12, 10, 0, 0,			0,   0 },	/* one of them is */
	{ "padding says too much",	12, 12, 0, 0,			0,   EBADMSG },
	{ "padding longer than all",	12, 200, 0, 0,			0,   EBADMSG },
	{ "part of a block",		12, 11, 0, 0,			8,   EBADMSG },
	{ "no block at all",		12, 11, 0, 0,			-112, EBADMSG },
};

static int read_wrong(const struct suite *s, const struct wrong *w, int fd[2], struct key *rx)
{
	static uint8_t record[RECORD];
	size_t len = seal(s, rx, out, 100, w->pad, w->says, record);
	size_t body = len - WIRE_HEADER + w->longer;

	record[w->at < 0 ? len + w->at : (size_t)w->at] ^= w->flip;
	record[3] = body >> 8;
	record[4] = body;
	wire_write(fd[1], record, WIRE_HEADER + body);
	return recv(fd[0], in, sizeof(in), 0) < 0 ? errno : 0;
}

static void test_wrong(void **state)
{
	const struct suite *s = &suites[2];
	struct key tx, rx;
	int fd[2];

	(void)state;
	memset(out, 0xa5, sizeof(out));
	for EACH(i, wrongs) {
		print_message("# %s\n", wrongs[i].what);
		pair(s, fd, &tx, &rx);
		assert_int_equal(read_wrong(s, &wrongs[i], fd, &rx), wrongs[i].err);
		unpair(fd);
	}
}

/* One byte more than TLS allows, and a header that says more than any record has. */
static void test_overlong(void **state)
{
	static uint8_t record[RECORD];
	const struct suite *s = &suites[4];
	struct key tx, rx;
	int fd[2];

	(void)state;
	pair(s, fd, &tx, &rx);
	wire_write(fd[1], record, seal(s, &rx, out, WIRE_PLAIN + 1, BLOCK - 1, BLOCK - 2, record));
	assert_int_equal(recv(fd[0], in, sizeof(in), 0), -1);
	assert_int_equal(errno, EPROTO);
	unpair(fd);
	pair(s, fd, &tx, &rx);
	wire_write(fd[1], (uint8_t[]){ WIRE_DATA, 3, 3, 0x42, 0 }, WIRE_HEADER);
	assert_int_equal(recv(fd[0], in, sizeof(in), 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	unpair(fd);
}

/* ---- keys */

static void test_keys(void **state)
{
	uint8_t info[128], got[128];
	struct key tx, rx, k;
	socklen_t len;
	int fd[2];

	(void)state;
	for EACH(i, suites) {
		pair(&suites[i], fd, &tx, &rx);
		len = info_of(&rx, info);
		assert_int_equal(getsockopt(fd[0], SOL_TLS, TLS_RX, got, &len), 0);
		assert_memory_equal(got, info, info_of(&rx, info));
		len = info_of(&tx, info);
		assert_int_equal(getsockopt(fd[0], SOL_TLS, TLS_TX, got, &len), 0);
		assert_memory_equal(got, info, info_of(&tx, info));
		unpair(fd);

		wire_pair(fd);
		assert_int_equal(wire_attach(fd[0]), 0);
		k = key_of(&suites[i], 1);
		k.version = 0x0304;
		assert_int_equal(install(fd[0], TLS_TX, &k), -EINVAL);
		k = key_of(&suites[i], 1);
		k.key_len--;
		assert_int_equal(install(fd[0], TLS_TX, &k), -EINVAL);
		unpair(fd);
	}
}

/* An agent's keys, without iv; wrong padding under a right MAC ends the session with bad_record_mac. */
static void test_agent(void **state)
{
	static uint8_t record[RECORD];
	uint8_t iv[IV], type;
	struct session s;

	(void)state;
	for EACH(i, suites) {
		struct key tx = key_of(&suites[i], 3), rx = key_of(&suites[i], 4);

		session_agent_keys(&s, &tx, &rx, false);
		wire_write(s.fd, out, 333);
		assert_int_equal(open_next(&suites[i], &tx, s.raw, in, iv, &type), 333);
		wire_write(s.raw, record, seal(&suites[i], &rx, out, 333, 3, 2, record));
		echoed(s.fd, 333);
		wire_write(s.raw, record, seal(&suites[i], &rx, out, 100, 12, 13, record));
		assert_int_equal(recv(s.fd, in, sizeof(in), 0), -1);
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(open_next(&suites[i], &tx, s.raw, in, iv, &type), 2);
		assert_int_equal(type, WIRE_ALERT);
		assert_memory_equal(in, ((uint8_t[]){ 2, 20 }), 2);
		session_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_iv),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_overlong),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_agent),
	};

	world_new_netns();
	if (have_cbc(NULL) == -ENOENT)
		return puts("1..0 # SKIP this kernel has no authenc()"), 4;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
