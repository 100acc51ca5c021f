// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records in user space, by nettle: independent of the module's code.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <nettle/chacha-poly1305.h>
#include <nettle/gcm.h>
#include <cmocka.h>
#include "wire.h"
#include "world.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

struct key wire_key(uint16_t cipher, unsigned int seed)
{
	struct key k = { .version = 0x0304, .cipher = cipher };
	size_t i;

	k.key_len = cipher == TLS_CIPHER_AES_GCM_128 ? 16 : 32;
	for (i = 0; i < k.key_len; i++)
		k.key[i] = seed * 31 + i * 7;
	for (i = 0; i < sizeof(k.iv); i++)
		k.iv[i] = seed * 13 + i * 5;
	return k;
}

struct key session_next(const struct key *k)
{
	struct key next = *k;
	size_t i;

	for (i = 0; i < next.key_len; i++)
		next.key[i] ^= 0x5a;
	next.seq = 0;
	return next;
}

/* TLS 1.2 with AES-GCM: a nonce in front of the ciphertext (RFC 5288 3); we send the sequence number. */
static size_t carried(const struct key *k)
{
	return k->version == 0x0303 && k->cipher != TLS_CIPHER_CHACHA20_POLY1305 ? 8 : 0;
}

static void put_be64(uint8_t *p, uint64_t x)
{
	int i;

	for (i = 0; i < 8; i++)
		p[i] = x >> (56 - 8 * i);
}

static void nonce(const struct key *k, const uint8_t *explicit, uint8_t *iv)
{
	uint8_t seq[8];
	int i;

	memcpy(iv, k->iv, KTLS_IV_SIZE);
	put_be64(seq, k->seq);
	for (i = 0; i < 8; i++)
		iv[KTLS_IV_SIZE - 8 + i] ^= seq[i];
	if (carried(k))
		memcpy(iv + KTLS_IV_SIZE - 8, explicit, 8);
}

/* The header; in TLS 1.2 after the sequence number, with the plaintext's length (RFC 5246 6.2.3.3). */
static size_t additional(const struct key *k, const uint8_t *header, size_t plain, uint8_t *aad)
{
	if (k->version != 0x0303) {
		memcpy(aad, header, WIRE_HEADER);
		return WIRE_HEADER;
	}
	put_be64(aad, k->seq);
	memcpy(aad + 8, header, 3);
	aad[11] = plain >> 8;
	aad[12] = plain;
	return 13;
}

/* Both ciphers' contexts, set up for the next record. */
struct aead {
	bool chacha;
	struct chacha_poly1305_ctx cc;
	struct gcm_aes128_ctx g128;
	struct gcm_aes256_ctx g256;
	bool wide;
};

/* @record: header and, if there is one, nonce. */
static void aead_start(struct aead *a, const struct key *k, const uint8_t *record, size_t plain)
{
	uint8_t iv[KTLS_IV_SIZE], aad[13];
	size_t len = additional(k, record, plain, aad);

	nonce(k, record + WIRE_HEADER, iv);
	memset(a, 0, sizeof(*a));
	a->chacha = k->cipher == TLS_CIPHER_CHACHA20_POLY1305;
	a->wide = k->key_len == 32;
	if (a->chacha) {
		chacha_poly1305_set_key(&a->cc, k->key);
		chacha_poly1305_set_nonce(&a->cc, iv);
		chacha_poly1305_update(&a->cc, len, aad);
	} else if (a->wide) {
		gcm_aes256_set_key(&a->g256, k->key);
		gcm_aes256_set_iv(&a->g256, sizeof(iv), iv);
		gcm_aes256_update(&a->g256, len, aad);
	} else {
		gcm_aes128_set_key(&a->g128, k->key);
		gcm_aes128_set_iv(&a->g128, sizeof(iv), iv);
		gcm_aes128_update(&a->g128, len, aad);
	}
}

static void aead_crypt(struct aead *a, bool seal, size_t len, uint8_t *to, const uint8_t *from)
{
	if (a->chacha)
		(seal ? chacha_poly1305_encrypt : chacha_poly1305_decrypt)(&a->cc, len, to, from);
	else if (a->wide)
		(seal ? gcm_aes256_encrypt : gcm_aes256_decrypt)(&a->g256, len, to, from);
	else
		(seal ? gcm_aes128_encrypt : gcm_aes128_decrypt)(&a->g128, len, to, from);
}

static void aead_tag(struct aead *a, uint8_t *tag)
{
	if (a->chacha)
		chacha_poly1305_digest(&a->cc, WIRE_TAG, tag);
	else if (a->wide)
		gcm_aes256_digest(&a->g256, WIRE_TAG, tag);
	else
		gcm_aes128_digest(&a->g128, WIRE_TAG, tag);
}

/* Content type behind the plaintext, and padding: TLS 1.3 only. */
static size_t inner_put(const struct key *k, uint8_t *p, uint8_t type, size_t len, size_t pad)
{
	if (k->version == 0x0303)
		return len;
	p[len] = type;
	memset(p + len + 1, 0, pad);
	return len + 1 + pad;
}

size_t wire_seal(struct key *k, uint8_t type, const void *data, size_t len, size_t pad, uint8_t *record)
{
	uint8_t *p = record + WIRE_HEADER + carried(k);
	size_t inner, body;
	struct aead a;

	memcpy(p, data, len);
	inner = inner_put(k, p, type, len, pad);
	body = carried(k) + inner + WIRE_TAG;
	record[0] = k->version == 0x0303 ? type : WIRE_DATA;
	record[1] = record[2] = 3;
	record[3] = body >> 8;
	record[4] = body;
	if (carried(k))
		put_be64(record + WIRE_HEADER, k->seq);
	aead_start(&a, k, record, inner);
	aead_crypt(&a, true, inner, p, p);
	aead_tag(&a, p + inner);
	k->seq++;
	return WIRE_HEADER + body;
}

static ssize_t inner_get(const uint8_t *plain, ssize_t len, uint8_t *type)
{
	while (len && !plain[len - 1])
		len--;
	if (!len)
		return -EBADMSG;
	*type = plain[--len];
	return len;
}

ssize_t wire_open(struct key *k, const uint8_t *record, size_t len, uint8_t *data, uint8_t *type)
{
	ssize_t inner = (ssize_t)(len - WIRE_HEADER - carried(k) - WIRE_TAG);
	const uint8_t *p = record + WIRE_HEADER + carried(k);
	static __thread uint8_t plain[WIRE_RECORD];
	uint8_t tag[WIRE_TAG];
	struct aead a;

	if (inner < (k->version != 0x0303))
		return -EBADMSG;
	aead_start(&a, k, record, inner);
	aead_crypt(&a, false, inner, plain, p);
	aead_tag(&a, tag);
	if (memcmp(tag, p + inner, WIRE_TAG))
		return -EBADMSG;
	k->seq++;
	if (k->version == 0x0303)
		*type = record[0];
	else
		inner = inner_get(plain, inner, type);
	if (inner > 0)
		memcpy(data, plain, inner);
	return inner;
}

/* ---- sockets */

static void limit_calls(int fd)
{
	struct timeval limit = { .tv_sec = 20 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
}

void wire_pair(int fd[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener, one = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd[0], (struct sockaddr *)&addr, len), 0);
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd[1] >= 0);
	close(listener);
	setsockopt(fd[0], SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd[1], SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	limit_calls(fd[0]);
	limit_calls(fd[1]);
}

int wire_attach(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "ktls", 4) ? -errno : 0;
}

int wire_install(int fd, int option, const struct key *k)
{
	bool chacha = k->cipher == TLS_CIPHER_CHACHA20_POLY1305;
	size_t salt = chacha ? 0 : 4, at = sizeof(struct tls_crypto_info);
	struct tls_crypto_info head = { .version = k->version, .cipher_type = k->cipher };
	uint8_t info[64];
	int i;

	memcpy(info, &head, sizeof(head));
	memcpy(info + at, k->iv + salt, KTLS_IV_SIZE - salt);
	at += KTLS_IV_SIZE - salt;
	memcpy(info + at, k->key, k->key_len);
	at += k->key_len;
	memcpy(info + at, k->iv, salt);
	at += salt;
	for (i = 7; i >= 0; i--)
		info[at++] = k->seq >> (8 * i);
	return setsockopt(fd, SOL_TLS, option, info, at) ? -errno : 0;
}

/* ---- sessions */

void session_connect(struct session *s)
{
	int fd[2];

	wire_pair(fd);
	*s = (struct session){ .fd = fd[0], .raw = fd[1] };
}

void session_mainline(struct session *s, uint16_t cipher)
{
	session_mainline_as(s, 0x0304, cipher);
}

void session_mainline_as(struct session *s, uint16_t version, uint16_t cipher)
{
	session_connect(s);
	s->tx = wire_key(cipher, 1);
	s->rx = wire_key(cipher, 2);
	s->tx.version = s->rx.version = version;
	s->agent.fd = -1;
	assert_int_equal(wire_attach(s->fd), 0);
	assert_int_equal(wire_install(s->fd, TLS_TX, &s->tx), 0);
	assert_int_equal(wire_install(s->fd, TLS_RX, &s->rx), 0);
}

static void answer_handshake(struct session *s, bool spares)
{
	static struct message m;
	static struct upcall u;
	struct key next;

	assert_int_equal(agent_wait(&s->agent, &u, 5000), 0);
	assert_int_equal(u.why, KTLS_WHY_HANDSHAKE);
	agent_respond(&s->agent, &m, u.id);
	message_put_key(&m, KTLS_A_TX, &s->tx);
	message_put_key(&m, KTLS_A_RX, &s->rx);
	if (spares) {
		next = session_next(&s->tx);
		message_put_key(&m, KTLS_A_TX_NEXT, &next);
		next = session_next(&s->rx);
		message_put_key(&m, KTLS_A_RX_NEXT, &next);
	}
	assert_int_equal(agent_send(&s->agent, &m), 0);
	if (u.channel >= 0)
		close(u.channel);
}

void session_agent(struct session *s, uint16_t cipher, bool spares)
{
	session_agent_at(s, cipher, spares, 0);
}

void session_agent_at(struct session *s, uint16_t cipher, bool spares, uint64_t seq)
{
	struct key tx = wire_key(cipher, 3), rx = wire_key(cipher, 4);

	tx.seq = seq;
	session_agent_keys(s, &tx, &rx, spares);
}

void session_agent_keys(struct session *s, const struct key *tx, const struct key *rx, bool spares)
{
	session_agent_as(s, KTLS_ROLE_CLIENT, tx, rx, spares);
}

void session_agent_as(struct session *s, uint8_t role, const struct key *tx, const struct key *rx, bool spares)
{
	struct ktls_handshake request = { .role = role };
	int err;

	session_connect(s);
	s->tx = *tx;
	s->rx = *rx;
	assert_int_equal(agent_open(&s->agent), 0);
	assert_int_equal(agent_join(&s->agent), 0);
	assert_int_equal(wire_attach(s->fd), 0);
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	err = setsockopt(s->fd, SOL_TLS, KTLS_HANDSHAKE, &request, sizeof(request)) ? errno : 0;
	assert_int_equal(err, EINPROGRESS);
	answer_handshake(s, spares);
	fcntl(s->fd, F_SETFL, 0);
}

void session_close(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->raw >= 0)
		close(s->raw);
	if (s->agent.fd >= 0)
		agent_close(&s->agent);
}

int session_setup(void **state)
{
	struct session *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	world_new_netns();
	session_agent(s, TLS_CIPHER_AES_GCM_128, true);
	*state = s;
	return 0;
}

int session_teardown(void **state)
{
	session_close(*state);
	free(*state);
	world_gauges_return();
	return 0;
}

/* ---- bytes */

void wire_write(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = write(fd, p, len);
		assert_true(n > 0);
	}
}

void wire_read(int fd, void *data, size_t len)
{
	uint8_t *p = data;
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = read(fd, p, len);
		assert_true(n > 0);
	}
}

void peer_send(struct session *s, uint8_t type, const void *data, size_t len)
{
	static __thread uint8_t record[WIRE_RECORD];

	wire_write(s->raw, record, wire_seal(&s->rx, type, data, len, 0, record));
}

ssize_t peer_recv(struct session *s, uint8_t *data, uint8_t *type)
{
	static __thread uint8_t record[WIRE_RECORD];
	size_t body;
	ssize_t n;

	n = recv(s->raw, record, WIRE_HEADER, MSG_WAITALL);
	if (!n)
		return -EPIPE;
	assert_int_equal(n, WIRE_HEADER);
	if (s->tx.version == 0x0304)
		assert_int_equal(record[0], WIRE_DATA);
	assert_int_equal(record[1] << 8 | record[2], 0x0303);
	body = record[3] << 8 | record[4];
	assert_true(body <= WIRE_PLAIN + 8 + WIRE_TAG);
	wire_read(s->raw, record + WIRE_HEADER, body);
	n = wire_open(&s->tx, record, WIRE_HEADER + body, data, type);
	assert_true(n >= 0);
	return n;
}

void peer_recv_all(struct session *s, uint8_t *data, size_t len)
{
	static __thread uint8_t plain[WIRE_RECORD];
	uint8_t type;
	ssize_t n;

	for (; len; data += n, len -= n) {
		n = peer_recv(s, plain, &type);
		assert_true(n >= 0);
		assert_int_equal(type, WIRE_DATA);
		assert_true((size_t)n <= len);
		memcpy(data, plain, n);
	}
}

void peer_expect_alert(struct session *s, uint8_t level, uint8_t description)
{
	static __thread uint8_t data[WIRE_RECORD];
	uint8_t type;
	ssize_t n = peer_recv(s, data, &type);

	assert_int_equal(n, 2);
	assert_int_equal(type, WIRE_ALERT);
	assert_int_equal(data[0], level);
	assert_int_equal(data[1], description);
}

void fill_pattern(uint8_t *data, size_t len, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		data[i] = x;
	}
}
