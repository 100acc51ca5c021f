// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ciphers beyond record_test's three, in both versions, against nettle: what
 * the module seals is opened here, and the other way round. Ciphers that this
 * kernel lacks; records shorter than the protocol's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <nettle/ccm.h>
#include <nettle/gcm.h>
#include <cmocka.h>
#include "wire.h"

#ifndef TLS_TX_MAX_PAYLOAD_LEN
#define TLS_TX_MAX_PAYLOAD_LEN	5
#endif
#define TLS12		0x0303
#define TLS13		0x0304
#define EXPLICIT	8	/* bytes of nonce in a record of TLS 1.2 */
#define AAD12		13
#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static uint8_t out[4 * WIRE_PLAIN], in[4 * WIRE_PLAIN], record[WIRE_RECORD];

/* ---- nettle's ciphers behind one pair of functions */

/* One message: @len bytes of plaintext from @from and, behind them in @to, the tag. */
struct message_in {
	const uint8_t	*key, *nonce, *aad;
	size_t		aad_len, tag_len, len;
	uint8_t		*to;
	const uint8_t	*from;
};

#define CCM(bits)									\
static bool ccm##bits(const struct message_in *m, bool seal)				\
{											\
	struct ccm_aes##bits##_ctx c;							\
											\
	ccm_aes##bits##_set_key(&c, m->key);						\
	if (!seal)									\
		return ccm_aes##bits##_decrypt_message(&c, KTLS_IV_SIZE, m->nonce, m->aad_len,	\
				m->aad, m->tag_len, m->len, m->to, m->from);		\
	ccm_aes##bits##_encrypt_message(&c, KTLS_IV_SIZE, m->nonce, m->aad_len, m->aad,	\
				m->tag_len, m->len + m->tag_len, m->to, m->from);	\
	return true;									\
}

#define CAMELLIA(bits)									\
static bool camellia##bits(const struct message_in *m, bool seal)			\
{											\
	struct gcm_camellia##bits##_ctx c;						\
	uint8_t tag[WIRE_TAG];								\
											\
	gcm_camellia##bits##_set_key(&c, m->key);					\
	gcm_camellia##bits##_set_iv(&c, KTLS_IV_SIZE, m->nonce);			\
	gcm_camellia##bits##_update(&c, m->aad_len, m->aad);				\
	if (seal)									\
		gcm_camellia##bits##_encrypt(&c, m->len, m->to, m->from);		\
	else										\
		gcm_camellia##bits##_decrypt(&c, m->len, m->to, m->from);		\
	gcm_camellia##bits##_digest(&c, sizeof(tag), tag);				\
	if (seal)									\
		memcpy(m->to + m->len, tag, sizeof(tag));				\
	return seal || !memcmp(m->from + m->len, tag, sizeof(tag));			\
}

CCM(128)
CCM(256)
CAMELLIA(128)
CAMELLIA(256)

static const struct cipher {
	const char	*name;
	uint16_t	id, version;
	size_t		key, tag;
	bool		(*crypt)(const struct message_in *m, bool seal);
} ciphers[] = {
	{ "AES-128-CCM",	TLS_CIPHER_AES_CCM_128,		TLS12, 16, 16, ccm128 },
	{ "AES-128-CCM",	TLS_CIPHER_AES_CCM_128,		TLS13, 16, 16, ccm128 },
	{ "AES-256-CCM",	KTLS_CIPHER_AES_CCM_256,	TLS12, 32, 16, ccm256 },
	{ "AES-256-CCM",	KTLS_CIPHER_AES_CCM_256,	TLS13, 32, 16, ccm256 },
	{ "AES-128-CCM_8",	KTLS_CIPHER_AES_CCM_8_128,	TLS12, 16,  8, ccm128 },
	{ "AES-128-CCM_8",	KTLS_CIPHER_AES_CCM_8_128,	TLS13, 16,  8, ccm128 },
	{ "Camellia-128-GCM",	KTLS_CIPHER_CAMELLIA_GCM_128,	TLS12, 16, 16, camellia128 },
	{ "Camellia-256-GCM",	KTLS_CIPHER_CAMELLIA_GCM_256,	TLS12, 32, 16, camellia256 },
};

/* ---- records */

static struct key key_of(const struct cipher *c, unsigned int seed)
{
	struct key k = wire_key(c->id, seed);

	k.version = c->version;
	k.key_len = c->key;
	return k;
}

/* RFC 9846 5.3, or RFC 5288 3 with the record's own half. */
static void nonce_of(const struct key *k, const uint8_t *explicit, uint8_t *nonce)
{
	memcpy(nonce, k->iv, KTLS_IV_SIZE);
	if (explicit)
		memcpy(nonce + KTLS_IV_SIZE - EXPLICIT, explicit, EXPLICIT);
	else
		for (int i = 0; i < 8; i++)
			nonce[KTLS_IV_SIZE - 1 - i] ^= k->seq >> (8 * i);
}

/* RFC 5246 6.2.3.3 */
static void aad12(const struct key *k, uint8_t type, size_t len, uint8_t *aad)
{
	for (int i = 0; i < 8; i++)
		aad[7 - i] = k->seq >> (8 * i);
	memcpy(aad + 8, (uint8_t[]){ type, 3, 3, len >> 8, len }, 5);
}

/* Seal application data: length of the record. */
static size_t seal(const struct cipher *c, struct key *k, const uint8_t *data, size_t len)
{
	uint8_t nonce[KTLS_IV_SIZE], aad[AAD12], *explicit = record + WIRE_HEADER, plain[WIRE_PLAIN + 1];
	bool v12 = c->version == TLS12;
	size_t inner = len + !v12, ahead = v12 ? EXPLICIT : 0, body = ahead + inner + c->tag;
	struct message_in m = { .key = k->key, .nonce = nonce, .aad = v12 ? aad : record, .tag_len = c->tag,
		.aad_len = v12 ? AAD12 : WIRE_HEADER, .len = inner, .to = explicit + ahead, .from = plain };

	memcpy(plain, data, len);
	plain[len] = WIRE_DATA;
	memcpy(record, (uint8_t[]){ WIRE_DATA, 3, 3, body >> 8, body }, WIRE_HEADER);
	if (v12)
		memset(explicit, 0x30 + k->seq, EXPLICIT);	/* any that is unique */
	nonce_of(k, v12 ? explicit : NULL, nonce);
	aad12(k, WIRE_DATA, len, aad);
	assert_true(c->crypt(&m, true));
	k->seq++;
	return WIRE_HEADER + body;
}

/* Read and open one record of application data: length of its plaintext. */
static size_t open_next(const struct cipher *c, struct key *k, int fd, uint8_t *data)
{
	uint8_t nonce[KTLS_IV_SIZE], aad[AAD12], *explicit = record + WIRE_HEADER;
	bool v12 = c->version == TLS12;
	size_t ahead = v12 ? EXPLICIT : 0, body;
	struct message_in m = { .key = k->key, .nonce = nonce, .aad = v12 ? aad : record, .tag_len = c->tag,
		.aad_len = v12 ? AAD12 : WIRE_HEADER, .to = data, .from = explicit + ahead };

	wire_read(fd, record, WIRE_HEADER);
	assert_int_equal(record[0], WIRE_DATA);
	body = record[3] << 8 | record[4];
	assert_in_range(body, ahead + c->tag + 1, sizeof(record) - WIRE_HEADER);
	wire_read(fd, record + WIRE_HEADER, body);
	m.len = body - ahead - c->tag;
	nonce_of(k, v12 ? explicit : NULL, nonce);
	aad12(k, WIRE_DATA, m.len, aad);
	assert_true(c->crypt(&m, false));
	k->seq++;
	if (v12)
		return m.len;
	assert_int_equal(data[m.len - 1], WIRE_DATA);
	return m.len - 1;
}

/* ---- a pair with keys both ways; -ENOENT where the kernel lacks the cipher */

static int keyed_pair(const struct cipher *c, int fd[2], struct key *tx, struct key *rx)
{
	int err;

	*tx = key_of(c, 1);
	*rx = key_of(c, 2);
	wire_pair(fd);
	assert_int_equal(wire_attach(fd[0]), 0);
	err = wire_install(fd[0], TLS_TX, tx);
	if (!err)
		err = wire_install(fd[0], TLS_RX, rx);
	if (!err)
		return 0;
	close(fd[0]);
	close(fd[1]);
	return err;
}

static void both_ways(const struct cipher *c, int fd[2], struct key *tx, struct key *rx)
{
	static const size_t sizes[] = { 1, 15, 1000, WIRE_PLAIN };

	for EACH(i, sizes) {
		fill_pattern(out, sizes[i], i + 1);
		wire_write(fd[0], out, sizes[i]);
		assert_int_equal(open_next(c, tx, fd[1], in), sizes[i]);
		assert_memory_equal(in, out, sizes[i]);

		fill_pattern(out, sizes[i], i + 9);
		wire_write(fd[1], record, seal(c, rx, out, sizes[i]));
		memset(in, 0, sizes[i]);
		wire_read(fd[0], in, sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
	}
}

/* The tag's last byte is wrong: nothing is given out. */
static void refuses_forged(const struct cipher *c, int fd[2], struct key *rx)
{
	size_t len = seal(c, rx, out, 100);

	record[len - 1] ^= 1;
	wire_write(fd[1], record, len);
	assert_int_equal(recv(fd[0], in, sizeof(in), 0), -1);
	assert_int_equal(errno, EBADMSG);
}

static void test_ciphers(void **state)
{
	struct key tx, rx;
	int fd[2], err;

	(void)state;
	for EACH(i, ciphers) {
		const struct cipher *c = &ciphers[i];

		err = keyed_pair(c, fd, &tx, &rx);
		print_message("# %s, TLS 1.%d: %s\n", c->name, c->version - 0x0301,
			      err ? "not in this kernel" : "both ways");
		if (err) {
			/* AES is everywhere. */
			assert_int_equal(err, -ENOENT);
			assert_true(c->crypt == camellia128 || c->crypt == camellia256);
			continue;
		}
		both_ways(c, fd, &tx, &rx);
		refuses_forged(c, fd, &rx);
		close(fd[0]);
		close(fd[1]);
	}
}

/* Suites that exist for TLS 1.2 only (RFC 6367, RFC 6209). */
static void test_only_12(void **state)
{
	static const struct cipher wrong[] = {
		{ .id = KTLS_CIPHER_CAMELLIA_GCM_128,	.version = TLS13, .key = 16 },
		{ .id = TLS_CIPHER_ARIA_GCM_256,	.version = TLS13, .key = 32 },
	};
	struct key tx, rx;
	int fd[2];

	(void)state;
	for EACH(i, wrong)
		assert_int_equal(keyed_pair(&wrong[i], fd, &tx, &rx), -EINVAL);
}

/* ---- ciphers that aren't there */

/* A message of the kernel since @log was opened. */
static bool said(int log, const char *words)
{
	char line[2048];
	ssize_t n;

	while ((n = read(log, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		if (strstr(line, words))
			return true;
	}
	return false;
}

static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(log >= 0);
	lseek(log, 0, SEEK_END);
	return log;
}

static void test_missing(void **state)
{
	static const struct {
		struct cipher	cipher;
		const char	*words;
	} may_lack[] = {
		{ { .id = TLS_CIPHER_SM4_GCM, .version = TLS13, .key = 16 },		"gcm(sm4) here: modprobe sm4-generic" },
		{ { .id = TLS_CIPHER_SM4_CCM, .version = TLS13, .key = 16 },		"ccm(sm4) here: modprobe sm4-generic" },
		{ { .id = TLS_CIPHER_ARIA_GCM_128, .version = TLS12, .key = 16 },	"gcm(aria) here: modprobe aria-generic" },
		{ { .id = KTLS_CIPHER_CAMELLIA_GCM_128, .version = TLS12, .key = 16 },	"gcm(camellia) here: modprobe camellia-generic" },
	};
	int lacks = 0, log, fd[2], err;
	struct key tx, rx;

	(void)state;
	for EACH(i, may_lack) {
		log = log_open();
		err = keyed_pair(&may_lack[i].cipher, fd, &tx, &rx);
		if (!err) {
			close(fd[0]);
			close(fd[1]);
		} else {
			assert_int_equal(err, -ENOENT);
			assert_true(said(log, may_lack[i].words));
			lacks++;
		}
		close(log);
	}
	if (!lacks)
		skip();		/* this kernel has them all */
}

/* ---- TLS_TX_MAX_PAYLOAD_LEN */

static int limit_set(int fd, uint16_t limit)
{
	return setsockopt(fd, SOL_TLS, TLS_TX_MAX_PAYLOAD_LEN, &limit, sizeof(limit)) ? -errno : 0;
}

static uint16_t limit_get(int fd)
{
	uint16_t limit = 0;
	socklen_t len = sizeof(limit);

	assert_int_equal(getsockopt(fd, SOL_TLS, TLS_TX_MAX_PAYLOAD_LEN, &limit, &len), 0);
	return limit;
}

/* RFC 8449 4: from 64 on; in TLS 1.3 the content type is one of them. */
static void test_payload_limit(void **state)
{
	const struct cipher *c;
	struct key tx, rx;
	int fd[2];

	(void)state;
	for EACH(i, ciphers) {
		uint16_t least;

		c = &ciphers[i];
		if (c->id != TLS_CIPHER_AES_CCM_128)
			continue;
		least = c->version == TLS13 ? 63 : 64;
		assert_int_equal(keyed_pair(c, fd, &tx, &rx), 0);
		assert_int_equal(limit_get(fd[0]), WIRE_PLAIN);
		assert_int_equal(limit_set(fd[0], least - 1), -EINVAL);
		assert_int_equal(limit_set(fd[0], WIRE_PLAIN + 1), -EINVAL);
		assert_int_equal(limit_set(fd[0], least), 0);
		assert_int_equal(limit_get(fd[0]), least);
		wire_write(fd[0], out, 2 * least + 1);
		assert_int_equal(open_next(c, &tx, fd[1], in), least);
		assert_int_equal(open_next(c, &tx, fd[1], in), least);
		assert_int_equal(open_next(c, &tx, fd[1], in), 1);
		assert_int_equal(send(fd[0], "open", 4, MSG_MORE), 4);
		assert_int_equal(limit_set(fd[0], 512), -EBUSY);
		assert_int_equal(limit_get(fd[0]), least);
		close(fd[0]);
		close(fd[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_only_12),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_payload_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
