// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every alert that the handshake of TLS 1.3 can send, provoked: one row per way to go
 * wrong. Each row changes one message or record of a handshake between our
 * own client and server; the victim must refuse it with the row's alert, and
 * the other side must receive that alert.
 */
#include <time.h>
#include "hs_message.h"

static struct x509_store *trust, *other_trust;
static struct test_identity server_id, rsa_id, odd_id;

/* ---- rows */

enum when { CH1, CH2, SH, HRR, EE, CR, CERT, CV, FIN, CLIENT_CERT, CLIENT_CV, CLIENT_FIN, WIRE };

struct row {
	const char *name;
	int alert;
	enum hs_role victim;
	enum when when;
	void (*edit)(void);			/* changes msg */
	void (*setup)(struct pair *p);
	/* For WIRE: changes the records of the victim's peer in this round. */
	int round;
	void (*wire)(struct pair *p, struct hs *from, uint8_t *buf, size_t *len);
};

static const struct row *row;
static size_t met;
static int client_hellos;

static enum when when_is(const struct pair *p, const struct hs *to, const uint8_t *m, size_t len)
{
	bool server = to == p->server;
	struct rbuf r = { m, m + len };

	switch (m[0]) {
	case HS_CLIENT_HELLO: return client_hellos++ ? CH2 : CH1;
	case HS_SERVER_HELLO: return is_retry_request(&r) ? HRR : SH;
	case HS_ENCRYPTED_EXTENSIONS: return EE;
	case HS_CERTIFICATE_REQUEST: return CR;
	case HS_CERTIFICATE: return server ? CLIENT_CERT : CERT;
	case HS_CERTIFICATE_VERIFY: return server ? CLIENT_CV : CV;
	default: return server ? CLIENT_FIN : FIN;
	}
}

static void edit_row(struct pair *p, struct hs *to)
{
	static uint8_t in[16384];
	size_t at = 0, len, n;

	assert_true(to->in.len <= sizeof(in));
	memcpy(in, to->in.p, to->in.len);
	n = to->in.len;
	gbuf_drop(&to->in, n);
	for (; at < n; at += len) {
		uint8_t out[8192];

		len = 4 + (size_t)(in[at + 1] << 16 | in[at + 2] << 8 | in[at + 3]);
		if (when_is(p, to, in + at, len) != row->when) {
			assert_true(gbuf_add(&to->in, in + at, len));
			continue;
		}
		met++;
		message_read(in + at, len);
		row->edit();
		assert_true(gbuf_add(&to->in, out, message_write(out, sizeof(out))));
	}
}

static void wire_row(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	struct hs *victim = row->victim == HS_CLIENT ? p->client : p->server;

	if (from == victim || p->round != row->round)
		return;
	met++;
	row->wire(p, from, buf, len);
}

static struct pair pair_for_rows(void)
{
	static const uint16_t groups_client[] = { 29, 23 };
	struct pair p = {
		.client_id = &server_id, .server_id = &server_id,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true, .min_version = TLS13,
			.rsa_min_bits = 2048, .groups = groups_client, .groups_num = 2,
			.alpn = (const uint8_t *)"\2h2", .alpn_len = 3,
		},
		.sp = {
			.choose = test_choose, .arg = &server_id, .trust = trust, .now = time(NULL), .min_version = TLS13,
			.rsa_min_bits = 2048, .alpn = (const uint8_t *)"\2h2", .alpn_len = 3,
		},
	};

	return p;
}

static void retry(struct pair *p)
{
	static const uint16_t p256[] = { 23 };

	p->sp.groups = p256;
	p->sp.groups_num = 1;
}

static void ask(struct pair *p)
{
	p->sp.client_auth = HS_AUTH_REQUIRE;
	p->cp.identity = &server_id.id;
}

static void insecure(struct pair *p)
{
	p->cp.insecure = true;
}

/* ---- ClientHello */

static void ch_no_tls13(void) { SET(43, "\2\3\3"); }
static void ch_no_versions(void) { drop(43); }
static void ch_no_block(void) { msg.has_exts = false; }
static void ch_ssl3(void) { msg.head[1] = 0; }
static void ch_compression(void) { msg.head[msg.head_len - 1] = 1; }
static void ch_two_compressions(void)
{
	msg.head[msg.head_len - 2] = 2;
	msg.head[msg.head_len++] = 1;
}
static void ch_long_session_id(void)
{
	memmove(msg.head + 35 + 33, msg.head + 35 + 32, msg.head_len - 35 - 32);
	msg.head[34] = 33;
	msg.head_len++;
}
static void ch_foreign_ciphers(void)
{
	size_t at = 35 + 32 + 2, n = (size_t)msg.head[at - 1];

	for (size_t i = 0; i < n; i += 2)
		msg.head[at + i] = 0xc0;
}
static void ch_odd_ciphers(void)
{
	size_t at = 35 + 32 + 2;

	memmove(msg.head + at, msg.head + at + 1, msg.head_len - at - 1);
	msg.head[at - 1]--;
	msg.head_len--;
}
static void ch_foreign_groups(void) { SET(10, "\0\2\0\x1a"); SET(51, "\0\0"); }
static void ch_foreign_schemes(void) { SET(13, "\0\2\2\1"); }
static void ch_other_schemes(void) { SET(13, "\0\2\10\4"); }
static void ch_only_pkcs1(void) { SET(13, "\0\4\4\1\5\1"); }
static void ch_no_groups(void) { drop(10); }
static void ch_no_shares(void) { drop(51); }
static void ch_no_schemes(void) { drop(13); }
static void ch_other_name(void) { SET(0, "\0\12\0\0\7no.test"); }
static void ch_other_alpn(void) { SET(16, "\0\3\2h3"); }
static void ch_cookie(void) { ADD(44, "\0\1x"); }
static void ch_twice(void) { ADD(43, "\2\3\4"); }
static void ch_unknown_twice(void) { ADD(0x7777, "a"); ADD(0x7777, "b"); }
static void ch_psk_without_modes(void) { ADD(41, "\0\0\0\0"); }
static void ch_short_share(void) { SET(51, "\0\6\0\x1d\0\2ab"); }
static void ch_zero_share(void) { memset(msg.exts[find(51)].data + 6, 0, 32); }
static void ch_share_off_curve(void)
{
	int i = find(51);

	msg.exts[i].data[0] = 0;
	msg.exts[i].data[1] = 4 + 65;
	msg.exts[i].data[3] = 23;
	msg.exts[i].data[5] = 65;
	memset(msg.exts[i].data + 6, 4, 65);
	msg.exts[i].len = 2 + 4 + 65;
}
static void ch_trailing(void)
{
	msg.exts[find(43)].data[0] = 1;
}

/* ---- the second ClientHello */

static void ch2_random(void) { msg.head[5] ^= 1; }
static void ch2_session_id(void) { msg.head[40] ^= 1; }
static void ch2_ciphers(void)
{
	msg.head[35 + 32 + 1] -= 2;
	memmove(msg.head + 69, msg.head + 71, msg.head_len - 71);
	msg.head_len -= 2;
}
static void ch2_new_extension(void) { ADD(0x7777, ""); }
static void ch2_no_name(void) { drop(0); }
static void ch2_alpn(void) { SET(16, "\0\6\2h2\2h3"); }
static void ch2_same_share(void)
{
	int i = find(51);

	msg.exts[i].data[1] = 4 + 32;
	msg.exts[i].data[3] = 29;
	msg.exts[i].data[5] = 32;
	msg.exts[i].len = 2 + 4 + 32;
}
static void ch2_no_share(void) { SET(51, "\0\0"); }
static void ch2_early_data(void)
{
	ADD(45, "\1\1");
	ADD(42, "");
	ADD(41, "\0\7\0\1i\0\0\0\0\0\x21\x20" "0123456789abcdef0123456789abcdef");
}

/* ---- ServerHello and HelloRetryRequest */

static void sh_sentinel(const char *end)
{
	drop(43);
	memcpy(msg.head + 2 + 24, end, 8);
}
static void sh_tls12(void) { drop(43); }
static void sh_downgrade12(void) { sh_sentinel("DOWNGRD\1"); }
static void sh_downgrade11(void) { sh_sentinel("DOWNGRD\0"); }
static void sh_selects_tls12(void) { SET(43, "\3\3"); }
static void sh_selects_nonsense(void) { SET(43, "\3\5"); }
static void sh_ssl3(void) { msg.head[1] = 0; }
static void sh_session_id(void) { msg.head[40] ^= 1; }
static void sh_compression(void) { msg.head[msg.head_len - 1] = 1; }
static void sh_foreign_cipher(void) { msg.head[msg.head_len - 2] = 0x99; }
static void sh_other_cipher(void) { msg.head[msg.head_len - 2] ^= 3; }	/* 1301 and 1302 */
static void sh_no_share(void) { drop(51); }
static void sh_other_group(void) { msg.exts[find(51)].data[1] = 23; }
static void sh_zero_share(void) { memset(msg.exts[find(51)].data + 4, 0, 32); }
static void sh_long_share(void)
{
	int i = find(51);

	msg.exts[i].data[3]++;
	msg.exts[i].data[msg.exts[i].len++] = 0;
}
static void sh_unknown_extension(void) { ADD(0x7777, ""); }
static void sh_misplaced_extension(void) { ADD(16, "\0\3\2h2"); }
static void sh_second_retry(void) { crypto_hash_once(&crypto_sha256, "HelloRetryRequest", 17, msg.head + 2); }
static void hrr_no_change(void) { drop(51); }
static void hrr_share_we_sent(void) { SET(51, "\0\x1d"); }
static void hrr_foreign_group(void) { SET(51, "\0\x19"); }

/* ---- the encrypted flight of the server */

static void ee_unknown(void) { ADD(0x7777, ""); }
static void ee_misplaced(void) { ADD(51, ""); }
static void ee_other_alpn(void) { SET(16, "\0\3\2h3"); }
static void ee_not_offered(void) { ADD(44, "\0\1x"); }
static void ee_as_finished(void) { msg.type = HS_FINISHED; }
static void cert_as_verify(void) { msg.type = HS_CERTIFICATE_VERIFY; msg.has_exts = false; }
static void cert_empty(void) { msg.head_len = 4; memset(msg.head, 0, 4); msg.has_exts = false; }
static void cert_malformed(void) { msg.head[1 + 3 + 3] ^= 0xff; }
static void cert_extension(void) { ADD(5, "\1"); }
static void cert_context(void)
{
	memmove(msg.head + 2, msg.head + 1, msg.head_len - 1);
	msg.head[0] = 1;
	msg.head[1] = 0;
	msg.head_len++;
	msg.has_exts = false;
	msg.head[msg.head_len++] = 0;
	msg.head[msg.head_len++] = 0;
}
static void cv_scheme_not_for_13(void) { msg.head[0] = 4; msg.head[1] = 1; }
static void cv_scheme_unknown(void) { msg.head[0] = 0x1a; }
static void cv_scheme_of_another_key(void) { msg.head[0] = 8; msg.head[1] = 4; }
static void cv_signature(void) { msg.head[msg.head_len - 1] ^= 1; }
static void cv_as_finished(void) { msg.type = HS_FINISHED; }
static void fin_wrong(void) { msg.head[3] ^= 1; }
static void fin_long(void) { msg.head[msg.head_len++] = 0; }
static void fin_short(void) { msg.head_len--; }
static void cr_context(void) { msg.head[0] = 1; msg.head[1] = 7; msg.head_len = 2; }
static void cr_no_schemes(void) { drop(13); }
static void cr_misplaced(void) { ADD(51, ""); }

/* ---- parameters */

static void no_trust(struct pair *p) { p->cp.trust = other_trust; }
static int choose_whatever(void *arg, const char *name, const uint16_t *schemes, size_t num,
			   const struct identity **ret, const char **why)
{
	(void)name;
	return test_choose(arg, "", schemes, num, ret, why);
}
static void other_name(struct pair *p)
{
	p->cp.server_name = "other.test";
	p->sp.choose = choose_whatever;
}
static void too_late(struct pair *p) { p->cp.now += 3600L * 24 * 400; }
static void too_early(struct pair *p) { p->cp.now -= 3600L * 24 * 400; }
static void odd_key(struct pair *p) { p->cp.insecure = true; p->sp.arg = &odd_id; p->server_id = &server_id; }
/* No change_cipher_spec comes between. */
static void bare(struct pair *p) { p->cp.compatibility = false; }
static void rsa(struct pair *p) { p->sp.arg = p->server_id = &rsa_id; }
static void no_client_cert(struct pair *p) { ask(p); p->cp.identity = NULL; }
static void client_not_trusted(struct pair *p) { ask(p); p->sp.trust = other_trust; }

/* ---- records */

static void append(uint8_t *buf, size_t *len, const void *p, size_t n)
{
	memcpy(buf + *len, p, n);
	*len += n;
}

static void replace(uint8_t *buf, size_t *len, const void *p, size_t n)
{
	memcpy(buf, p, n);
	*len = n;
}

#define WIRE_FN(name, body) \
static void name(struct pair *p, struct hs *from, uint8_t *buf, size_t *len) \
{ (void)p; (void)from; (void)buf; (void)len; body; }
#define REPLACE(bytes) replace(buf, len, bytes, sizeof(bytes) - 1)
#define APPEND(bytes) append(buf, len, bytes, sizeof(bytes) - 1)

/* Behind the ServerHello and its change_cipher_spec. */
static size_t first_protected(const uint8_t *buf, size_t len)
{
	size_t at = 0;

	while (at < len && buf[at] != 23)
		at += 5u + (size_t)(buf[at + 3] << 8 | buf[at + 4]);
	assert_true(at < len);
	return at;
}

/* A record under the keys that @from uses now, in place of what it had to say. */
static void sealed(struct hs *from, uint8_t *buf, size_t *len, size_t at, uint8_t type, size_t n)
{
	static uint8_t plain[20000];
	const struct crypto_aead *aead = from->suite->aead;
	struct hs_traffic t = from->tx.t;
	uint8_t nonce[12];
	size_t body = n + 1 + 16;

	/* The server has moved on to application keys: take what the client reads with. */
	memset(plain, 0, sizeof(plain));
	plain[n] = type;
	memcpy(nonce, t.iv, 12);
	memcpy(buf + at, (uint8_t[]){ 23, 3, 3, (uint8_t)(body >> 8), (uint8_t)body }, 5);
	aead->seal(t.key, nonce, buf + at, 5, plain, n + 1, buf + at + 5);
	*len = at + 5 + body;
}

/* The client's handshake keys are those that the server reads with in the second round. */
static void sealed_by_client(struct pair *p, uint8_t *buf, size_t *len, uint8_t type, size_t n)
{
	struct hs from = { .suite = p->server->suite, .tx = p->server->rx };

	sealed(&from, buf, len, 0, type, n);
}

WIRE_FN(not_tls, REPLACE("GET / HTTP/1.0\r\n\r\n"))
WIRE_FN(empty_record, REPLACE("\x16\3\1\0\0"))
WIRE_FN(data_first, REPLACE("\x17\3\3\0\1x"))
WIRE_FN(ccs_first, REPLACE("\x14\3\3\0\1\1"))
WIRE_FN(long_alert, REPLACE("\x15\3\3\0\3\2\50\0"))
WIRE_FN(too_long, REPLACE("\x16\3\1\x40\1"))
WIRE_FN(huge_hello, REPLACE("\x16\3\1\0\4\1\2\0\0"))
WIRE_FN(wrong_first, REPLACE("\x16\3\1\0\4\2\0\0\0"))
WIRE_FN(early_finish, REPLACE("\x16\3\1\0\4\x14\0\0\0"))
WIRE_FN(behind_hello, buf[4]++; APPEND("\x14"))
/* The first byte of EncryptedExtensions, still in the ServerHello's record. */
static void behind_server_hello(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	size_t end = 5u + (size_t)(buf[3] << 8 | buf[4]);

	(void)p;
	(void)from;
	memmove(buf + end + 1, buf + end, *len - end);
	buf[end] = HS_ENCRYPTED_EXTENSIONS;
	buf[4]++;
	++*len;
}

WIRE_FN(plain_message, *len = first_protected(buf, *len); APPEND("\x16\3\3\0\4\x08\0\0\2"))
WIRE_FN(bad_tag, buf[*len - 1] ^= 1)
WIRE_FN(bad_type, buf[first_protected(buf, *len) + 1] ^= 1)
WIRE_FN(tiny_protected, *len = first_protected(buf, *len); APPEND("\x17\3\3\0\20" "0123456789abcdef"))
WIRE_FN(too_long_protected, *len = first_protected(buf, *len); APPEND("\x17\3\3\x41\1"))
WIRE_FN(bad_ccs, *len = first_protected(buf, *len); APPEND("\x14\3\3\0\1\2"))
WIRE_FN(long_ccs, *len = first_protected(buf, *len); APPEND("\x14\3\3\0\2\1\1"))
WIRE_FN(many_ccs, *len = first_protected(buf, *len); for (int i = 0; i < 40; i++) APPEND("\x14\3\3\0\1\1"))
WIRE_FN(inner_nothing, sealed_by_client(p, buf, len, 0, 50))
WIRE_FN(inner_data, sealed_by_client(p, buf, len, 23, 50))
WIRE_FN(inner_ccs, sealed_by_client(p, buf, len, 20, 1))
WIRE_FN(inner_empty, sealed_by_client(p, buf, len, 22, 0))
WIRE_FN(inner_long, sealed_by_client(p, buf, len, 22, 16385))
WIRE_FN(inner_short_alert, sealed_by_client(p, buf, len, 21, 1))

/* A ClientHello in two records with a change_cipher_spec between them. */
static void torn(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	size_t body = *len - 5 - 10;
	uint8_t out[2048];

	(void)p;
	(void)from;
	memcpy(out, "\x16\3\1\0\12", 5);
	memcpy(out + 5, buf + 5, 10);
	memcpy(out + 15, "\x14\3\3\0\1\1", 6);
	memcpy(out + 21, (uint8_t[]){ 22, 3, 3, (uint8_t)(body >> 8), (uint8_t)body }, 5);
	memcpy(out + 26, buf + 15, body);
	replace(buf, len, out, 26 + body);
}

static const struct row rows[] = {
	/* name, alert, victim, when, edit, setup, round, wire */
	{ "ClientHello: TLS 1.2 only", 70, HS_SERVER, CH1, ch_no_tls13, NULL, 0, NULL },
	{ "ClientHello: no supported_versions", 70, HS_SERVER, CH1, ch_no_versions, NULL, 0, NULL },
	{ "ClientHello: no extensions at all", 70, HS_SERVER, CH1, ch_no_block, NULL, 0, NULL },
	{ "ClientHello: SSL 3", 70, HS_SERVER, CH1, ch_ssl3, NULL, 0, NULL },
	{ "ClientHello: compression", 47, HS_SERVER, CH1, ch_compression, NULL, 0, NULL },
	{ "ClientHello: two compressions", 47, HS_SERVER, CH1, ch_two_compressions, NULL, 0, NULL },
	{ "ClientHello: session id of 33 bytes", 50, HS_SERVER, CH1, ch_long_session_id, NULL, 0, NULL },
	{ "ClientHello: no common cipher", 40, HS_SERVER, CH1, ch_foreign_ciphers, NULL, 0, NULL },
	{ "ClientHello: ciphers of odd length", 50, HS_SERVER, CH1, ch_odd_ciphers, NULL, 0, NULL },
	{ "ClientHello: no common group", 40, HS_SERVER, CH1, ch_foreign_groups, NULL, 0, NULL },
	{ "ClientHello: no known scheme", 40, HS_SERVER, CH1, ch_foreign_schemes, NULL, 0, NULL },
	{ "ClientHello: no scheme for our key", 40, HS_SERVER, CH1, ch_other_schemes, NULL, 0, NULL },
	{ "ClientHello: schemes of TLS 1.2 only", 40, HS_SERVER, CH1, ch_only_pkcs1, NULL, 0, NULL },
	{ "ClientHello: no supported_groups", 109, HS_SERVER, CH1, ch_no_groups, NULL, 0, NULL },
	{ "ClientHello: no key_share", 109, HS_SERVER, CH1, ch_no_shares, NULL, 0, NULL },
	{ "ClientHello: no signature_algorithms", 109, HS_SERVER, CH1, ch_no_schemes, NULL, 0, NULL },
	{ "ClientHello: a name nobody has", 112, HS_SERVER, CH1, ch_other_name, NULL, 0, NULL },
	{ "ClientHello: no common protocol", 120, HS_SERVER, CH1, ch_other_alpn, NULL, 0, NULL },
	{ "ClientHello: a cookie from nowhere", 47, HS_SERVER, CH1, ch_cookie, NULL, 0, NULL },
	{ "ClientHello: an extension twice", 47, HS_SERVER, CH1, ch_twice, NULL, 0, NULL },
	{ "ClientHello: an unknown extension twice", 47, HS_SERVER, CH1, ch_unknown_twice, NULL, 0, NULL },
	{ "ClientHello: psk without modes", 109, HS_SERVER, CH1, ch_psk_without_modes, NULL, 0, NULL },
	{ "ClientHello: share of wrong length", 47, HS_SERVER, CH1, ch_short_share, NULL, 0, NULL },
	{ "ClientHello: x25519 share of zeros", 47, HS_SERVER, CH1, ch_zero_share, NULL, 0, NULL },
	{ "ClientHello: point off the curve", 47, HS_SERVER, CH1, ch_share_off_curve, NULL, 0, NULL },
	{ "ClientHello: malformed extension", 50, HS_SERVER, CH1, ch_trailing, NULL, 0, NULL },
	{ "second ClientHello: random changed", 47, HS_SERVER, CH2, ch2_random, retry, 0, NULL },
	{ "second ClientHello: session id changed", 47, HS_SERVER, CH2, ch2_session_id, retry, 0, NULL },
	{ "second ClientHello: a cipher less", 47, HS_SERVER, CH2, ch2_ciphers, retry, 0, NULL },
	{ "second ClientHello: a new extension", 47, HS_SERVER, CH2, ch2_new_extension, retry, 0, NULL },
	{ "second ClientHello: no name any more", 47, HS_SERVER, CH2, ch2_no_name, retry, 0, NULL },
	{ "second ClientHello: another ALPN list", 47, HS_SERVER, CH2, ch2_alpn, retry, 0, NULL },
	{ "second ClientHello: a share not asked for", 47, HS_SERVER, CH2, ch2_same_share, retry, 0, NULL },
	{ "second ClientHello: no share", 47, HS_SERVER, CH2, ch2_no_share, retry, 0, NULL },
	{ "second ClientHello: early data", 47, HS_SERVER, CH2, ch2_early_data, retry, 0, NULL },
	{ "second ClientHello: no key_share", 109, HS_SERVER, CH2, ch_no_shares, retry, 0, NULL },

	{ "ServerHello: TLS 1.2", 70, HS_CLIENT, SH, sh_tls12, NULL, 0, NULL },
	{ "ServerHello: downgrade to 1.2", 47, HS_CLIENT, SH, sh_downgrade12, NULL, 0, NULL },
	{ "ServerHello: downgrade to 1.1", 47, HS_CLIENT, SH, sh_downgrade11, NULL, 0, NULL },
	{ "ServerHello: selects 1.2", 47, HS_CLIENT, SH, sh_selects_tls12, NULL, 0, NULL },
	{ "ServerHello: selects nonsense", 47, HS_CLIENT, SH, sh_selects_nonsense, NULL, 0, NULL },
	{ "ServerHello: SSL 3", 70, HS_CLIENT, SH, sh_ssl3, NULL, 0, NULL },
	{ "ServerHello: session id not echoed", 47, HS_CLIENT, SH, sh_session_id, NULL, 0, NULL },
	{ "ServerHello: compression", 47, HS_CLIENT, SH, sh_compression, NULL, 0, NULL },
	{ "ServerHello: cipher not offered", 47, HS_CLIENT, SH, sh_foreign_cipher, NULL, 0, NULL },
	{ "ServerHello: cipher other than in the retry", 47, HS_CLIENT, SH, sh_other_cipher, retry, 0, NULL },
	{ "ServerHello: no key_share", 109, HS_CLIENT, SH, sh_no_share, NULL, 0, NULL },
	{ "ServerHello: no key_share after a retry", 109, HS_CLIENT, SH, sh_no_share, retry, 0, NULL },
	{ "ServerHello: group we sent no share for", 47, HS_CLIENT, SH, sh_other_group, NULL, 0, NULL },
	{ "ServerHello: x25519 share of zeros", 47, HS_CLIENT, SH, sh_zero_share, NULL, 0, NULL },
	{ "ServerHello: share of wrong length", 47, HS_CLIENT, SH, sh_long_share, NULL, 0, NULL },
	{ "ServerHello: unknown extension", 110, HS_CLIENT, SH, sh_unknown_extension, NULL, 0, NULL },
	{ "ServerHello: ALPN", 47, HS_CLIENT, SH, sh_misplaced_extension, NULL, 0, NULL },
	{ "ServerHello: a second retry", 10, HS_CLIENT, SH, sh_second_retry, retry, 0, NULL },
	{ "HelloRetryRequest: nothing to change", 47, HS_CLIENT, HRR, hrr_no_change, retry, 0, NULL },
	{ "HelloRetryRequest: group we sent a share for", 47, HS_CLIENT, HRR, hrr_share_we_sent, retry, 0, NULL },
	{ "HelloRetryRequest: group not offered", 47, HS_CLIENT, HRR, hrr_foreign_group, retry, 0, NULL },
	{ "HelloRetryRequest: cipher not offered", 47, HS_CLIENT, HRR, sh_foreign_cipher, retry, 0, NULL },
	{ "HelloRetryRequest: TLS 1.2", 70, HS_CLIENT, HRR, sh_tls12, retry, 0, NULL },
	{ "HelloRetryRequest: unknown extension", 110, HS_CLIENT, HRR, sh_unknown_extension, retry, 0, NULL },

	{ "EncryptedExtensions: unknown", 110, HS_CLIENT, EE, ee_unknown, NULL, 0, NULL },
	{ "EncryptedExtensions: key_share", 47, HS_CLIENT, EE, ee_misplaced, NULL, 0, NULL },
	{ "EncryptedExtensions: protocol not offered", 47, HS_CLIENT, EE, ee_other_alpn, NULL, 0, NULL },
	{ "EncryptedExtensions: cookie", 47, HS_CLIENT, EE, ee_not_offered, NULL, 0, NULL },
	{ "EncryptedExtensions: left out", 10, HS_CLIENT, EE, ee_as_finished, NULL, 0, NULL },
	{ "CertificateRequest: context", 47, HS_CLIENT, CR, cr_context, ask, 0, NULL },
	{ "CertificateRequest: no signature_algorithms", 109, HS_CLIENT, CR, cr_no_schemes, ask, 0, NULL },
	{ "CertificateRequest: key_share", 47, HS_CLIENT, CR, cr_misplaced, ask, 0, NULL },
	{ "Certificate: left out", 10, HS_CLIENT, CERT, cert_as_verify, NULL, 0, NULL },
	{ "Certificate: empty", 50, HS_CLIENT, CERT, cert_empty, NULL, 0, NULL },
	{ "Certificate: malformed", 42, HS_CLIENT, CERT, cert_malformed, NULL, 0, NULL },
	{ "Certificate: OCSP staple not asked for", 110, HS_CLIENT, CERT, cert_extension, insecure, 0, NULL },
	{ "Certificate: malformed OCSP staple", 50, HS_CLIENT, CERT, cert_extension, NULL, 0, NULL },
	{ "Certificate: context", 47, HS_CLIENT, CERT, cert_context, NULL, 0, NULL },
	{ "Certificate: of another CA", 48, HS_CLIENT, WIRE, NULL, no_trust, -1, NULL },
	{ "Certificate: for another name", 42, HS_CLIENT, WIRE, NULL, other_name, -1, NULL },
	{ "Certificate: expired", 45, HS_CLIENT, WIRE, NULL, too_late, -1, NULL },
	{ "Certificate: not valid yet", 45, HS_CLIENT, WIRE, NULL, too_early, -1, NULL },
	{ "Certificate: key of an unknown kind", 43, HS_CLIENT, WIRE, NULL, odd_key, -1, NULL },
	{ "CertificateVerify: left out", 10, HS_CLIENT, CV, cv_as_finished, NULL, 0, NULL },
	{ "CertificateVerify: PKCS #1", 47, HS_CLIENT, CV, cv_scheme_not_for_13, NULL, 0, NULL },
	{ "CertificateVerify: PKCS #1, and the key could", 47, HS_CLIENT, CV, cv_scheme_not_for_13, rsa, 0, NULL },
	{ "CertificateVerify: unknown scheme", 47, HS_CLIENT, CV, cv_scheme_unknown, NULL, 0, NULL },
	{ "CertificateVerify: scheme of another key", 47, HS_CLIENT, CV, cv_scheme_of_another_key, NULL, 0, NULL },
	{ "CertificateVerify: wrong", 51, HS_CLIENT, CV, cv_signature, NULL, 0, NULL },
	{ "CertificateVerify: wrong, chain not checked", 51, HS_CLIENT, CV, cv_signature, insecure, 0, NULL },
	{ "Finished: wrong", 51, HS_CLIENT, FIN, fin_wrong, NULL, 0, NULL },
	{ "Finished: too long", 50, HS_CLIENT, FIN, fin_long, NULL, 0, NULL },
	{ "Finished: too short", 50, HS_CLIENT, FIN, fin_short, NULL, 0, NULL },

	{ "client's Certificate: none", 116, HS_SERVER, WIRE, NULL, no_client_cert, -1, NULL },
	{ "client's Certificate: of another CA", 48, HS_SERVER, WIRE, NULL, client_not_trusted, -1, NULL },
	{ "client's Certificate: left out", 10, HS_SERVER, CLIENT_CERT, cert_as_verify, ask, 0, NULL },
	{ "client's Certificate: malformed", 42, HS_SERVER, CLIENT_CERT, cert_malformed, ask, 0, NULL },
	{ "client's CertificateVerify: wrong", 51, HS_SERVER, CLIENT_CV, cv_signature, ask, 0, NULL },
	{ "client's CertificateVerify: left out", 10, HS_SERVER, CLIENT_CV, cv_as_finished, ask, 0, NULL },
	{ "client's CertificateVerify: PKCS #1", 47, HS_SERVER, CLIENT_CV, cv_scheme_not_for_13, ask, 0, NULL },
	{ "client's Finished: wrong", 51, HS_SERVER, CLIENT_FIN, fin_wrong, NULL, 0, NULL },

	{ "record: HTTP", 10, HS_SERVER, WIRE, NULL, NULL, 0, not_tls },
	{ "record: empty", 10, HS_SERVER, WIRE, NULL, NULL, 0, empty_record },
	{ "record: data before everything", 10, HS_SERVER, WIRE, NULL, NULL, 0, data_first },
	{ "record: change_cipher_spec before everything", 10, HS_SERVER, WIRE, NULL, NULL, 0, ccs_first },
	{ "record: alert of three bytes", 50, HS_SERVER, WIRE, NULL, NULL, 0, long_alert },
	{ "record: 16385 bytes", 22, HS_SERVER, WIRE, NULL, NULL, 0, too_long },
	{ "record: ClientHello of 128 KiB", 47, HS_SERVER, WIRE, NULL, NULL, 0, huge_hello },
	{ "record: ServerHello to a server", 10, HS_SERVER, WIRE, NULL, NULL, 0, wrong_first },
	{ "record: Finished to begin with", 10, HS_SERVER, WIRE, NULL, NULL, 0, early_finish },
	{ "record: message across a change of keys", 10, HS_SERVER, WIRE, NULL, NULL, 0, behind_hello },
	{ "record: server's message across a change of keys", 10, HS_CLIENT, WIRE, NULL, bare, 1, behind_server_hello },
	{ "record: change_cipher_spec inside a message", 10, HS_SERVER, WIRE, NULL, NULL, 0, torn },
	{ "record: message without encryption", 10, HS_CLIENT, WIRE, NULL, NULL, 1, plain_message },
	{ "record: wrong tag", 20, HS_CLIENT, WIRE, NULL, NULL, 1, bad_tag },
	{ "record: wrong header", 20, HS_CLIENT, WIRE, NULL, NULL, 1, bad_type },
	{ "record: shorter than its tag", 20, HS_CLIENT, WIRE, NULL, NULL, 1, tiny_protected },
	{ "record: 16641 bytes, protected", 22, HS_CLIENT, WIRE, NULL, NULL, 1, too_long_protected },
	{ "record: change_cipher_spec of value 2", 10, HS_CLIENT, WIRE, NULL, NULL, 1, bad_ccs },
	{ "record: change_cipher_spec of two bytes", 10, HS_CLIENT, WIRE, NULL, NULL, 1, long_ccs },
	{ "record: forty change_cipher_spec", 10, HS_CLIENT, WIRE, NULL, NULL, 1, many_ccs },
	{ "record: no type inside", 10, HS_SERVER, WIRE, NULL, NULL, 2, inner_nothing },
	{ "record: application data inside", 10, HS_SERVER, WIRE, NULL, NULL, 2, inner_data },
	{ "record: change_cipher_spec inside", 10, HS_SERVER, WIRE, NULL, NULL, 2, inner_ccs },
	{ "record: nothing inside", 10, HS_SERVER, WIRE, NULL, NULL, 2, inner_empty },
	{ "record: 16385 bytes inside", 22, HS_SERVER, WIRE, NULL, NULL, 2, inner_long },
	{ "record: alert of one byte inside", 50, HS_SERVER, WIRE, NULL, NULL, 2, inner_short_alert },
};

static bool check_row(void)
{
	struct pair p = pair_for_rows();
	struct hs *victim, *other;
	enum hs_alert_from from, other_from;
	int got, other_got;
	bool ok;

	if (row->setup)
		row->setup(&p);
	if (row->edit)
		p.edit = edit_row;
	if (row->wire)
		p.meddle = wire_row;
	met = 0;
	client_hellos = 0;
	pair_run(&p);
	victim = row->victim == HS_CLIENT ? p.client : p.server;
	other = row->victim == HS_CLIENT ? p.server : p.client;
	got = hs_alert(victim, &from);
	other_got = hs_alert(other, &other_from);
	/* After a ClientHello that we left unseen, or its last word, the other side may be done. */
	ok = hs_state(victim) == HS_FAILED && got == row->alert && from == HS_ALERT_LOCAL && hs_why(victim)[0] &&
	     ((other_got == got && other_from == HS_ALERT_PEER) || hs_state(other) == HS_DONE) &&
	     met == (row->edit || row->wire) && !hs_result(victim);
	if (!ok)
		print_message("%s: %d instead of %d (%s); the other side: %d (%s), met %zu\n", row->name, got,
			      row->alert, hs_why(victim), other_got, hs_why(other), met);
	pair_free(&p);
	return ok;
}

static void every_row(void **state)
{
	size_t bad = 0;

	(void)state;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++)
		bad += !check_row();
	print_message("             %zu rows\n", ARRAY_SIZE(rows));
	assert_int_equal(bad, 0);
}

/* What hs_fail() is given anywhere, except internal_error, which hs_test.c provokes. */
static void every_alert_has_a_row(void **state)
{
	static const int sent[] = { 10, 20, 22, 40, 42, 43, 45, 47, 48, 50, 51, 70, 109, 110, 112, 116, 120 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(rows) && rows[j].alert != sent[i])
			j++;
		if (j == ARRAY_SIZE(rows))
			fail_msg("no row for %s", alert_name(sent[i]));
	}
}

/* ---- alerts of the peer */

static void peer_alert(uint8_t level, uint8_t code, int want_err, bool fatal)
{
	struct hs_params params = { .role = HS_SERVER, .choose = test_choose, .arg = &server_id };
	struct hs *hs = hs_new(&params);
	const uint8_t record[] = { 21, 3, 3, 0, 2, level, code };
	enum hs_alert_from from;
	size_t len;
	int err;

	assert_non_null(hs);
	assert_int_equal(hs_start(hs), 0);
	assert_int_equal(hs_input(hs, record, 5), 0);
	err = hs_input(hs, record + 5, 2);
	assert_int_equal(err, want_err);
	assert_int_equal(hs_state(hs), fatal ? HS_FAILED : HS_READ);
	assert_int_equal(hs_alert(hs, &from), fatal ? code : -1);
	assert_int_equal(from, fatal ? HS_ALERT_PEER : HS_ALERT_NONE);
	hs_output(hs, &len);
	assert_int_equal(len, 0);	/* an alert is not answered by one */
	hs_free(hs);
}

static void alerts_of_the_peer(void **state)
{
	(void)state;
	peer_alert(2, ALERT_HANDSHAKE_FAILURE, -EPROTO, true);
	peer_alert(1, ALERT_HANDSHAKE_FAILURE, -EPROTO, true);	/* the level says nothing */
	peer_alert(1, 222, -EPROTO, true);
	peer_alert(1, ALERT_CLOSE_NOTIFY, -ECONNRESET, true);
	peer_alert(1, ALERT_USER_CANCELED, 0, false);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(alert_name(0), "close_notify");
	assert_string_equal(alert_name(120), "no_application_protocol");
	assert_string_equal(alert_name(1), "unknown alert");
	assert_string_equal(alert_name(-1), "unknown alert");
	assert_string_equal(alert_name(255), "unknown alert");
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	other_trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	assert_int_equal(x509_store_add_file(other_trust, PKI "other.pem", &num), 0);
	test_identity_load(&server_id, "p256");
	test_identity_load(&rsa_id, "rsa");
	odd_id = server_id;
	odd_id.id.num = 0;
	return test_chain_load(&odd_id.id, "odd");
}

static int unload(void **state)
{
	(void)state;
	for (size_t i = 0; i < odd_id.id.num; i++)
		x509_cert_free(odd_id.id.chain[i]);
	test_identity_free(&server_id);
	test_identity_free(&rsa_id);
	x509_store_free(trust);
	x509_store_free(other_trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(every_alert_has_a_row),
		cmocka_unit_test(alerts_of_the_peer),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
