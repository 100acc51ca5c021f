// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What TLS 1.2 has by configuration only: every suite of the table agreed on
 * by name, keys by hand that fit or don't, CBC never without encrypt_then_mac, and its
 * records and those of CCM bit by bit.
 */
#include <time.h>
#include "handshake/record.h"
#include "hs_pair.h"

static struct x509_store *trust;
static struct test_identity p256, rsa;
static const uint16_t groups_all[] = { 29, 256 };
static const uint8_t key[16] = "sixteen bytes...";
static struct hs_psk psk = { .name = "friend", .key = key, .len = sizeof(key), .hash = &crypto_sha256 };

static const struct hs_psk *find_psk(void *arg, const uint8_t *name, size_t len)
{
	(void)arg;
	return len == strlen(psk.name) && !memcmp(name, psk.name, len) ? &psk : NULL;
}

static struct pair pair_for(const struct suite *s)
{
	bool by_key = s->kx && s->kx->auth == KX_PSK;
	struct test_identity *id = s->kx && s->kx->auth == KX_RSA ? &rsa : &p256;
	struct pair p = {
		.client_id = id, .server_id = id,
		.cp = { .server_name = "server.test", .trust = trust, .rsa_min_bits = 2048, .psk = by_key ? &psk : NULL },
		.sp = { .choose = test_choose, .arg = id, .rsa_min_bits = 2048, .find_psk = by_key ? find_psk : NULL },
	};

	p.cp.now = p.sp.now = time(NULL);
	p.cp.min_version = p.cp.max_version = p.sp.min_version = p.sp.max_version = s->version;
	p.cp.ciphers = p.sp.ciphers = &s->aead->tls_cipher;
	p.cp.ciphers_num = p.sp.ciphers_num = 1;
	p.cp.groups = p.sp.groups = s->kx && s->kx->share == KX_DHE ? &groups_all[1] : groups_all;
	p.cp.groups_num = p.sp.groups_num = 1;
	p.cp.psk12 = p.sp.psk12 = by_key ? 1u << s->kx->share : 0;
	return p;
}

static void check_keys(const struct hs_result *c, const struct hs_result *s, const struct suite *suite)
{
	assert_ptr_equal(c->aead, suite->aead);
	assert_memory_equal(c->tx.key, s->rx.key, suite->aead->key);
	assert_memory_equal(c->rx.key, s->tx.key, suite->aead->key);
	assert_memory_not_equal(c->tx.key, c->rx.key, suite->aead->key);
	/* Of CBC, neither the HMAC's nor the cipher's. */
	assert_memory_not_equal(c->tx.key + suite->aead->mac, c->rx.key + suite->aead->mac, 16);
}

static void every_suite(void **state)
{
	(void)state;
	for (size_t i = 0; i < suites_num; i++) {
		struct pair p = pair_for(&suites[i]);
		const struct hs_result *c, *s;

		for (int twice = 0; twice < 2; twice++) {
			p.cut = twice;	/* and byte by byte */
			pair_run(&p);
			c = hs_result(p.client);
			s = hs_result(p.server);
			if (!c || !s)
				fail_msg("%s: %s / %s", suites[i].name, hs_why(p.client), hs_why(p.server));
			assert_string_equal(suite_by_id(c->suite)->name, suites[i].name);
			assert_int_equal(s->suite, c->suite);
			check_keys(c, s, &suites[i]);
			assert_ptr_equal(s->psk, suites[i].kx && suites[i].kx->auth == KX_PSK ? &psk : NULL);
			assert_int_equal(c->peer_verified, !s->psk);
			pair_free(&p);
		}
	}
	print_message("             %zu suites\n", suites_num);
}

/* Nothing optional is spoken by who was not told to: neither offered nor taken. Instead of a key, a certificate is. */
static void none_unless_configured(void **state)
{
	(void)state;
	for (size_t i = 0; i < suites_num; i++) {
		bool by_key = suites[i].kx && suites[i].kx->auth == KX_PSK;
		/* In a finite field only RSA signs, and this server has another key. */
		bool none = suites[i].optional || (by_key && suites[i].kx->share == KX_DHE);

		if (!suites[i].optional && !by_key)
			continue;
		for (int side = 0; side < 2; side++) {
			struct pair p = pair_for(&suites[i]);
			struct hs_params *one = side ? &p.sp : &p.cp;

			one->ciphers = NULL;
			one->psk12 = 0;
			if (!side)
				one->psk = NULL;
			pair_run(&p);
			assert_int_equal(hs_alert(p.server, NULL), none ? ALERT_HANDSHAKE_FAILURE : -1);
			assert_int_equal(hs_alert(p.client, NULL), none ? ALERT_HANDSHAKE_FAILURE : -1);
			if (!none) {
				assert_null(hs_result(p.server)->psk);
				assert_true(hs_result(p.client)->peer_verified);
			}
			pair_free(&p);
		}
	}
}

static void keys_by_hand_that_do_not_fit(void **state)
{
	static const uint8_t other_key[16] = "another sixteen.";
	static const uint16_t ids[] = { 0xd001, 0x00aa, 0x00a8 };
	struct hs_psk stranger = psk, wrong = psk;

	(void)state;
	stranger.name = "stranger";
	wrong.key = other_key;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct pair p = pair_for(suite_by_id(ids[i]));

		p.cp.psk = &stranger;
		pair_run(&p);
		assert_int_equal(hs_alert(p.server, NULL), ALERT_UNKNOWN_PSK_IDENTITY);
		assert_int_equal(hs_alert(p.client, NULL), ALERT_UNKNOWN_PSK_IDENTITY);
		pair_free(&p);
		p.cp.psk = &wrong;
		pair_run(&p);
		assert_int_equal(hs_alert(p.server, NULL), ALERT_BAD_RECORD_MAC);
		pair_free(&p);
	}
}

/* A server that has keys goes by its certificate with a client that has none. */
static void a_certificate_for_who_has_no_key(void **state)
{
	struct pair p = pair_for(suite_by_id(0xd001));

	(void)state;
	p.cp.psk = NULL;
	pair_run(&p);
	assert_non_null(hs_result(p.client));
	assert_int_equal(hs_result(p.client)->suite, 0xc02b);
	assert_true(hs_result(p.client)->peer_verified);
	pair_free(&p);
}

/* ---- encrypt_then_mac */

static const uint8_t etm[4] = { 0, EXT_ID_ENCRYPT_THEN_MAC, 0, 0 };

/* The extension becomes one that nobody knows, in what @p->arg sends. */
static void hide_etm(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	uint8_t *at = from == *(struct hs **)p->arg && p->round < 2 ? memmem(buf, *len, etm, sizeof(etm)) : NULL;

	if (at)
		at[0] = 0x7a;
}

static void no_cbc_without_it(void **state)
{
	struct pair p = pair_for(suite_by_id(0xc023));

	(void)state;
	p.meddle = hide_etm;
	p.arg = &p.client;
	pair_run(&p);
	assert_int_equal(hs_alert(p.server, NULL), ALERT_HANDSHAKE_FAILURE);
	pair_free(&p);
}

/* The server's answer is taken out of what it was asked for: in its hello there is no such extension. */
static void drop_etm(struct pair *p, struct hs *to)
{
	uint8_t *m = to->in.p, *at;

	if (to != p->client || m[0] != HS_SERVER_HELLO)
		return;
	at = memmem(m, to->in.len, etm, sizeof(etm));
	assert_non_null(at);
	memmove(at, at + 4, to->in.len - (size_t)(at + 4 - m));
	to->in.len -= 4;
	m[3] = (uint8_t)(m[3] - 4);
	m[4 + 2 + 32 + 1 + m[38] + 3 + 1] -= 4;
}

static void a_client_refuses_cbc_without_it(void **state)
{
	struct pair p = pair_for(suite_by_id(0xc023));

	(void)state;
	p.edit = drop_etm;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_HANDSHAKE_FAILURE);
	assert_non_null(strstr(hs_why(p.client), "encrypt_then_mac"));
	pair_free(&p);
}

/* The server answers though it chose an AEAD, RFC 7366 3. */
static void add_etm(struct pair *p, struct hs *to)
{
	uint8_t *m = to->in.p, rest[8192];
	size_t end, left;

	if (to != p->client || m[0] != HS_SERVER_HELLO)
		return;
	end = 4 + (size_t)(m[2] << 8 | m[3]);
	left = to->in.len - end;
	assert_true(left < sizeof(rest));
	memcpy(rest, m + end, left);
	to->in.len = end;
	assert_true(gbuf_add(&to->in, etm, 4) && gbuf_add(&to->in, rest, left));
	m = to->in.p;
	m[3] = (uint8_t)(m[3] + 4);
	m[4 + 2 + 32 + 1 + m[38] + 3 + 1] += 4;
}

static void not_with_an_aead(void **state)
{
	static const uint16_t both[] = { 51, 262 };
	struct pair p = pair_for(suite_by_id(0xc02b));

	(void)state;
	p.cp.ciphers = both;
	p.cp.ciphers_num = 2;
	p.edit = add_etm;
	pair_run(&p);
	assert_int_equal(hs_alert(p.client, NULL), ALERT_ILLEGAL_PARAMETER);
	pair_free(&p);
}

/* ---- records */

static int open12(const struct crypto_aead *aead, struct hs_traffic *rx, const uint8_t *rec, size_t body, uint8_t *out, size_t *n)
{
	uint8_t type;

	return record_unprotect(rx, aead, TLS12, rec, body, out, &type, n);
}

/* Room for an alert stays behind whatever goes out, under the keys with the longest records. */
static void an_alert_fits(void **state)
{
	struct pair p;
	uint8_t *flight;
	size_t i = 0, len;

	(void)state;
	while (suites[i].aead != &crypto_aes_256_cbc_sha384)
		i++;
	p = pair_for(&suites[i]);
	pair_run(&p);
	assert_int_equal(hs_state(p.server), HS_DONE);
	for (size_t n = 1; n < 1200; n++) {
		gbuf_free(&p.server->out);
		flight = gbuf_room(&p.server->flight, n);
		assert_non_null(flight);
		memset(flight, 7, n);
		p.server->flight.len += n;
		assert_int_equal(record_flush(p.server), 0);
		len = p.server->out.len;
		record_alert(p.server, ALERT_INTERNAL_ERROR);	/* ASan watches */
		assert_true(p.server->out.len <= p.server->out.cap);
		/* IV, two bytes padded to a block, MAC */
		assert_int_equal(p.server->out.len - len, RECORD_HEADER + 16 + 16 + 48);
	}
	pair_free(&p);
}

static void every_bit_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < suites_num; i++) {
		const struct crypto_aead *aead = suites[i].aead;
		struct hs_traffic tx = { .seq = 5 }, rx;
		uint8_t plain[100], rec[RECORD_HEADER + 100 + RECORD_OVERHEAD], out[sizeof(rec)];
		size_t n, len, size = i % 40;

		if (suites[i].version != TLS12)
			continue;
		rng_fill(RNG_RANDOM, tx.key, sizeof(tx.key));
		rng_fill(RNG_RANDOM, plain, sizeof(plain));
		rx = tx;
		len = record_protect(&tx, aead, TLS12, 23, plain, size, 0, rec);
		assert_int_equal(tx.seq, 6);
		assert_int_equal(open12(aead, &rx, rec, len - 5, out, &n), 0);
		assert_int_equal(n, size);
		assert_memory_equal(out, plain, n);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			if (bit / 8 == 3 || bit / 8 == 4)
				continue;	/* the length is what was read */
			rx.seq = 5;
			rec[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(open12(aead, &rx, rec, len - 5, out, &n), ALERT_BAD_RECORD_MAC);
			rec[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t less = 0; less < len - 5; less++)
			assert_int_equal(open12(aead, &rx, rec, less, out, &n), ALERT_BAD_RECORD_MAC);
		rx.seq = 7;
		assert_int_equal(open12(aead, &rx, rec, len - 5, out, &n), ALERT_BAD_RECORD_MAC);
	}
}

/* Padding of who has the key: any length that is written throughout, nothing else. */
static void padding_is_checked(void **state)
{
	uint8_t block[32];
	size_t len;

	(void)state;
	for (unsigned int pad = 0; pad < 32; pad++) {
		memset(block, (int)pad, sizeof(block));
		len = sizeof(block);
		assert_int_equal(crypto_unpad(&crypto_aes_128_cbc_sha256, block, &len), 0);
		assert_int_equal(len, 31 - pad);
		block[31 - pad] ^= pad ? 1 : 0;
		len = sizeof(block);
		assert_int_equal(crypto_unpad(&crypto_aes_128_cbc_sha256, block, &len), pad ? -EBADMSG : 0);
	}
	memset(block, 32, sizeof(block));
	len = sizeof(block);
	assert_int_equal(crypto_unpad(&crypto_aes_128_cbc_sha256, block, &len), -EBADMSG);
	len = 0;
	assert_int_equal(crypto_unpad(&crypto_aes_128_cbc_sha256, block, &len), -EBADMSG);
	len = 20;
	assert_int_equal(crypto_unpad(&crypto_aes_128_gcm, block, &len), 0);
	assert_int_equal(len, 20);
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	test_identity_load(&p256, "p256");
	test_identity_load(&rsa, "rsa");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	test_identity_free(&p256);
	test_identity_free(&rsa);
	x509_store_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite),
		cmocka_unit_test(none_unless_configured),
		cmocka_unit_test(keys_by_hand_that_do_not_fit),
		cmocka_unit_test(a_certificate_for_who_has_no_key),
		cmocka_unit_test(no_cbc_without_it),
		cmocka_unit_test(a_client_refuses_cbc_without_it),
		cmocka_unit_test(not_with_an_aead),
		cmocka_unit_test(an_alert_fits),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(padding_is_checked),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
