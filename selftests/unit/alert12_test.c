// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The alerts of TLS 1.2, provoked as alert_test.c does those of TLS 1.3: each row changes one message
 * of a handshake between our own client and server, and the victim must refuse it by the row's alert.
 * And the order of the flow, written down a second time.
 */
#include <time.h>
#include "hs_message.h"

static struct x509_store *trust, *other_trust;
static struct test_identity p256;

struct row {
	const char *name;
	int alert;
	enum hs_role victim;
	enum hs_msg type;
	void (*edit)(void);			/* changes msg */
	void (*setup)(struct pair *p);
	int ccs;				/* or: this many more of them in front of the victim's round */
};

static const struct row *row;
static size_t met;

static void read_message(const uint8_t *p, size_t len)
{
	if (p[0] == HS_CLIENT_HELLO || p[0] == HS_SERVER_HELLO) {
		message_read(p, len);
		return;
	}
	msg.type = p[0];
	msg.num = 0;
	msg.has_exts = false;
	msg.head_len = len - 4;
	assert_true(msg.head_len <= sizeof(msg.head));
	memcpy(msg.head, p + 4, msg.head_len);
}

static void edit_row(struct pair *p, struct hs *to)
{
	static uint8_t in[16384];
	size_t at = 0, len, n = to->in.len;
	uint8_t out[8192];

	assert_true(n <= sizeof(in));
	memcpy(in, to->in.p, n);
	gbuf_drop(&to->in, n);
	for (; at < n; at += len) {
		len = 4 + (size_t)(in[at + 1] << 16 | in[at + 2] << 8 | in[at + 3]);
		if (in[at] != row->type || to != (row->victim == HS_CLIENT ? p->client : p->server)) {
			assert_true(gbuf_add(&to->in, in + at, len));
			continue;
		}
		met++;
		read_message(in + at, len);
		row->edit();
		assert_true(gbuf_add(&to->in, out, message_write(out, sizeof(out))));
	}
}

/* Before the last record but one, which is its own, or before all of a flight. */
static void early_ccs(struct pair *p, struct hs *from, uint8_t *buf, size_t *len)
{
	static const uint8_t ccs[] = { 20, 3, 3, 0, 1, 1 };

	if (from == (row->victim == HS_CLIENT ? p->client : p->server) || p->round != row->ccs)
		return;
	met++;
	memmove(buf + sizeof(ccs), buf, *len);
	memcpy(buf, ccs, sizeof(ccs));
	*len += sizeof(ccs);
}

/* ---- changes */

static void ch_no_ems(void) { drop(23); }
static void ch_no_schemes(void) { drop(13); }
static void ch_sha1(void) { SET(13, "\0\4\2\1\2\3"); }
static void ch_renegotiation(void) { SET(0xff01, "\1\7"); }
static void ch_compressed_points(void) { SET(11, "\1\1"); }
static void ch_foreign_groups(void) { SET(10, "\0\2\0\x1a"); }
static void ch_old(void) { msg.head[1] = 2; }
static void ch_only_compression(void) { msg.head[msg.head_len - 1] = 1; }
static void set_suites(const char *list, size_t len)
{
	size_t at = 35 + msg.head[34];

	msg.head[at] = 0;
	msg.head[at + 1] = (uint8_t)len;
	memcpy(msg.head + at + 2, list, len);
	msg.head[at + 2 + len] = 1;
	msg.head[at + 3 + len] = 0;
	msg.head_len = at + 4 + len;
}
#define SUITES(bytes) set_suites(bytes, sizeof(bytes) - 1)
static void ch_static_rsa(void) { SUITES("\x00\x9c\x00\x2f\x00\xff"); }
static void ch_cbc(void) { SUITES("\xc0\x23\xc0\x27\xc0\x09\xc0\x13"); }
static void ch_anonymous(void) { SUITES("\x00\xa6\xc0\x18\x00\x6c"); }
static void ch_export(void) { SUITES("\x00\x03\x00\x06\x00\x08\x00\x0b"); }
static void ch_rc4_3des_null(void) { SUITES("\xc0\x11\xc0\x12\xc0\x10\x00\x05\x00\x0a\x00\x01"); }
static void ch_other_key(void) { SUITES("\xc0\x2f\xc0\x30"); }
static void ch_fallback(void) { SUITES("\xc0\x2b\x56\x00"); }
static void ch_dhe(void) { SUITES("\x00\x9e"); }

static void sh_no_ems(void) { drop(23); }
static void sh_no_renegotiation(void) { drop(0xff01); }
static void sh_renegotiation(void) { SET(0xff01, "\1\7"); }
static void sh_other_version(void) { msg.head[1] = 2; }
static void sh_sentinel(void) { memcpy(msg.head + 2 + 24, "DOWNGRD\1", 8); }
static void sh_suite_of_13(void) { msg.head[msg.head_len - 3] = 0x13; msg.head[msg.head_len - 2] = 1; }
static void sh_foreign_suite(void) { msg.head[msg.head_len - 2] = 0x99; }
static void sh_compression(void) { msg.head[msg.head_len - 1] = 1; }
static void sh_unknown_extension(void) { ADD(0x7777, ""); }
static void sh_key_share(void) { ADD(51, "\0\x1d"); }
static void sh_rsa_suite(void) { msg.head[msg.head_len - 2] = 0x2f; }

static void empty_list(void) { memset(msg.head, 0, 3); msg.head_len = 3; }
static void bad_certificate(void) { msg.head[6] ^= 0xff; }
static void cut(void) { msg.head_len = 2; }
static void longer(void) { msg.head[msg.head_len++] = 0; }
static void last_byte(void) { msg.head[msg.head_len - 1] ^= 1; }
static void ske_explicit_curve(void) { msg.head[0] = 1; }
static void ske_foreign_curve(void) { msg.head[2] = 0x1a; }
static void ske_hybrid(void) { msg.head[1] = 0x11; msg.head[2] = 0xec; }
static void ske_share(void) { msg.head[10] ^= 1; }
static void ske_sha1(void) { msg.head[4 + 32] = 2; msg.head[4 + 32 + 1] = 3; }
static void ske_rsa_scheme(void) { msg.head[4 + 32] = 8; msg.head[4 + 32 + 1] = 4; }
static void cke_zeros(void) { memset(msg.head + 1, 0, 32); }
static void cke_short(void) { msg.head[0] = 31; msg.head_len--; }
static void cr_no_types(void) { memmove(msg.head + 1, msg.head + 3, msg.head_len - 3); msg.head[0] = 0; msg.head_len -= 2; }
static void as_finished(void) { msg.type = HS_FINISHED; }
static void as_verify(void) { msg.type = HS_CERTIFICATE_VERIFY; }
static void cv_sha1(void) { msg.head[0] = 2; msg.head[1] = 3; }

/* ---- parameters */

static void ask(struct pair *p)
{
	p->sp.client_auth = HS_AUTH_REQUIRE;
	p->cp.identity = &p256.id;
}
static void no_client_cert(struct pair *p) { ask(p); p->cp.identity = NULL; }
static void with_13(struct pair *p) { p->cp.max_version = 0; p->sp.max_version = TLS12; }
static void no_trust(struct pair *p) { p->cp.trust = other_trust; }
static void tickets(struct pair *p) { p->cp.tickets = p->sp.tickets = 1; }
static void nothing(void) { }

#define C HS_CLIENT
#define S HS_SERVER
static const struct row rows[] = {
	{ "ClientHello: no extended_master_secret", 40, S, HS_CLIENT_HELLO, ch_no_ems, NULL, 0 },
	{ "ClientHello: no signature_algorithms", 40, S, HS_CLIENT_HELLO, ch_no_schemes, NULL, 0 },
	{ "ClientHello: SHA-1 only", 40, S, HS_CLIENT_HELLO, ch_sha1, NULL, 0 },
	{ "ClientHello: of a handshake before", 40, S, HS_CLIENT_HELLO, ch_renegotiation, NULL, 0 },
	{ "ClientHello: compressed points only", 47, S, HS_CLIENT_HELLO, ch_compressed_points, NULL, 0 },
	{ "ClientHello: no common group", 40, S, HS_CLIENT_HELLO, ch_foreign_groups, NULL, 0 },
	{ "ClientHello: TLS 1.1", 70, S, HS_CLIENT_HELLO, ch_old, NULL, 0 },
	{ "ClientHello: must compress", 47, S, HS_CLIENT_HELLO, ch_only_compression, NULL, 0 },
	{ "ClientHello: static RSA", 40, S, HS_CLIENT_HELLO, ch_static_rsa, NULL, 0 },
	{ "ClientHello: CBC", 40, S, HS_CLIENT_HELLO, ch_cbc, NULL, 0 },
	{ "ClientHello: anonymous", 40, S, HS_CLIENT_HELLO, ch_anonymous, NULL, 0 },
	{ "ClientHello: export", 40, S, HS_CLIENT_HELLO, ch_export, NULL, 0 },
	{ "ClientHello: RC4, 3DES, NULL", 40, S, HS_CLIENT_HELLO, ch_rc4_3des_null, NULL, 0 },
	{ "ClientHello: suites of another key", 40, S, HS_CLIENT_HELLO, ch_other_key, NULL, 0 },
	{ "ClientHello: DHE that nobody configured", 40, S, HS_CLIENT_HELLO, ch_dhe, NULL, 0 },
	{ "ClientHello: a fallback", 86, S, HS_CLIENT_HELLO, ch_fallback, NULL, 0 },
	{ "ServerHello: no extended_master_secret", 40, C, HS_SERVER_HELLO, sh_no_ems, NULL, 0 },
	{ "ServerHello: no renegotiation_info", 40, C, HS_SERVER_HELLO, sh_no_renegotiation, NULL, 0 },
	{ "ServerHello: of a handshake before", 40, C, HS_SERVER_HELLO, sh_renegotiation, NULL, 0 },
	{ "ServerHello: TLS 1.1", 70, C, HS_SERVER_HELLO, sh_other_version, NULL, 0 },
	{ "ServerHello: a downgrade", 47, C, HS_SERVER_HELLO, sh_sentinel, with_13, 0 },
	{ "ServerHello: cipher of TLS 1.3", 47, C, HS_SERVER_HELLO, sh_suite_of_13, with_13, 0 },
	{ "ServerHello: cipher not offered", 47, C, HS_SERVER_HELLO, sh_foreign_suite, NULL, 0 },
	{ "ServerHello: compression", 47, C, HS_SERVER_HELLO, sh_compression, NULL, 0 },
	{ "ServerHello: unknown extension", 110, C, HS_SERVER_HELLO, sh_unknown_extension, NULL, 0 },
	{ "ServerHello: key_share", 47, C, HS_SERVER_HELLO, sh_key_share, with_13, 0 },
	{ "ServerHello: cipher of another key", 47, C, HS_SERVER_HELLO, sh_rsa_suite, NULL, 0 },
	{ "Certificate: none", 50, C, HS_CERTIFICATE, empty_list, NULL, 0 },
	{ "Certificate: malformed", 42, C, HS_CERTIFICATE, bad_certificate, NULL, 0 },
	{ "Certificate: cut", 50, C, HS_CERTIFICATE, cut, NULL, 0 },
	{ "Certificate: left out", 10, C, HS_CERTIFICATE, as_verify, NULL, 0 },
	{ "Certificate: of another CA", 48, C, HS_CERTIFICATE, nothing, no_trust, 0 },
	{ "ServerKeyExchange: explicit curve", 47, C, HS_SERVER_KEY_EXCHANGE, ske_explicit_curve, NULL, 0 },
	{ "ServerKeyExchange: curve not offered", 47, C, HS_SERVER_KEY_EXCHANGE, ske_foreign_curve, NULL, 0 },
	{ "ServerKeyExchange: a hybrid", 47, C, HS_SERVER_KEY_EXCHANGE, ske_hybrid, NULL, 0 },
	{ "ServerKeyExchange: another share", 51, C, HS_SERVER_KEY_EXCHANGE, ske_share, NULL, 0 },
	{ "ServerKeyExchange: SHA-1", 47, C, HS_SERVER_KEY_EXCHANGE, ske_sha1, NULL, 0 },
	{ "ServerKeyExchange: scheme of another key", 47, C, HS_SERVER_KEY_EXCHANGE, ske_rsa_scheme, NULL, 0 },
	{ "ServerKeyExchange: signature", 51, C, HS_SERVER_KEY_EXCHANGE, last_byte, NULL, 0 },
	{ "ServerKeyExchange: cut", 50, C, HS_SERVER_KEY_EXCHANGE, cut, NULL, 0 },
	{ "ServerKeyExchange: left out", 10, C, HS_SERVER_KEY_EXCHANGE, as_finished, NULL, 0 },
	{ "CertificateRequest: no types", 50, C, HS_CERTIFICATE_REQUEST, cr_no_types, ask, 0 },
	{ "CertificateRequest: cut", 50, C, HS_CERTIFICATE_REQUEST, cut, ask, 0 },
	{ "ServerHelloDone: not empty", 50, C, HS_SERVER_HELLO_DONE, longer, NULL, 0 },
	{ "client's Certificate: none", 40, S, HS_CERTIFICATE, nothing, no_client_cert, 0 },
	{ "client's Certificate: left out", 10, S, HS_CERTIFICATE, as_verify, ask, 0 },
	{ "ClientKeyExchange: zeros", 47, S, HS_CLIENT_KEY_EXCHANGE, cke_zeros, NULL, 0 },
	{ "ClientKeyExchange: 31 bytes", 47, S, HS_CLIENT_KEY_EXCHANGE, cke_short, NULL, 0 },
	{ "ClientKeyExchange: left out", 10, S, HS_CLIENT_KEY_EXCHANGE, as_finished, NULL, 0 },
	{ "CertificateVerify: wrong", 51, S, HS_CERTIFICATE_VERIFY, last_byte, ask, 0 },
	{ "CertificateVerify: SHA-1", 47, S, HS_CERTIFICATE_VERIFY, cv_sha1, ask, 0 },
	{ "CertificateVerify: left out", 10, S, HS_CERTIFICATE_VERIFY, as_finished, ask, 0 },
	{ "client's Finished: wrong", 51, S, HS_FINISHED, last_byte, NULL, 0 },
	{ "client's Finished: too long", 50, S, HS_FINISHED, longer, NULL, 0 },
	{ "NewSessionTicket: cut", 50, C, HS_NEW_SESSION_TICKET, cut, tickets, 0 },
	{ "NewSessionTicket: left out", 10, C, HS_NEW_SESSION_TICKET, as_finished, tickets, 0 },
	{ "Finished: wrong", 51, C, HS_FINISHED, last_byte, NULL, 0 },
	{ "Finished: too short", 50, C, HS_FINISHED, cut, NULL, 0 },
	{ "change_cipher_spec before the keys, to the server", 10, S, HS_FINISHED, NULL, NULL, 2 },
	{ "change_cipher_spec before the ticket", 10, C, HS_FINISHED, NULL, tickets, 3 },
};

static struct pair pair_for_rows(void)
{
	static const uint16_t x25519[] = { 29, 4588 };
	struct pair p = {
		.client_id = &p256, .server_id = &p256,
		.cp = {
			.server_name = "server.test", .trust = trust, .now = time(NULL), .compatibility = true,
			.rsa_min_bits = 2048, .max_version = TLS12, .groups = x25519, .groups_num = 2,
		},
		.sp = {
			.choose = test_choose, .arg = &p256, .trust = trust, .now = time(NULL), .rsa_min_bits = 2048,
			.ticket_lifetime = 3600,
		},
	};

	return p;
}

static bool check_row(void)
{
	static const struct hs_ticket_keys keys = { .num = 1 };
	struct pair p = pair_for_rows();
	struct hs *victim, *other;
	enum hs_alert_from from, other_from;
	int got, other_got;
	bool ok;

	p.sp.ticket_keys = &keys;
	if (row->setup)
		row->setup(&p);
	if (row->edit)
		p.edit = edit_row;
	if (row->ccs)
		p.meddle = early_ccs;
	met = 0;
	pair_run(&p);
	victim = row->victim == HS_CLIENT ? p.client : p.server;
	other = row->victim == HS_CLIENT ? p.server : p.client;
	got = hs_alert(victim, &from);
	other_got = hs_alert(other, &other_from);
	ok = hs_state(victim) == HS_FAILED && got == row->alert && from == HS_ALERT_LOCAL && hs_why(victim)[0] &&
	     ((other_got == got && other_from == HS_ALERT_PEER) || hs_state(other) == HS_DONE) &&
	     met == (row->edit || row->ccs) && !hs_result(victim);
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

/* ---- RFC 5246 7.3, figures 1 and 2, with RFC 5077 3.1: what follows what */

static const char full[] = "CH SH CT [ST] SKE [CR] SHD [ct] CKE [cv] ccs fin [NST] CCS FIN ";
static const char by_key[] = "CH SH SKE SHD CKE ccs fin [NST] CCS FIN ", by_key_alone[] = "CH SH SHD CKE ccs fin [NST] CCS FIN ";
static const char abbreviated[] = "CH SH [NST] CCS FIN ccs fin ";

static const char *short_name(const struct hs_step *s)
{
	static const struct { enum hs_msg type; const char *of[2]; } names[] = {
		{ HS_CLIENT_HELLO, { "CH", "" } }, { HS_SERVER_HELLO, { "", "SH" } }, { HS_CERTIFICATE, { "ct", "CT" } },
		{ HS_CERTIFICATE_STATUS, { "", "ST" } }, { HS_SERVER_KEY_EXCHANGE, { "", "SKE" } },
		{ HS_CERTIFICATE_REQUEST, { "", "CR" } }, { HS_SERVER_HELLO_DONE, { "", "SHD" } },
		{ HS_CLIENT_KEY_EXCHANGE, { "CKE", "" } }, { HS_CERTIFICATE_VERIFY, { "cv", "" } },
		{ HS_CHANGE_CIPHER_SPEC, { "ccs", "CCS" } }, { HS_FINISHED, { "fin", "FIN" } },
		{ HS_NEW_SESSION_TICKET, { "", "NST" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].type == s->type)
			return names[i].of[s->sender];
	return "?";
}

/* The figure with each of its options in or out. */
static void draw(const char *figure, const struct hs *hs, char *out)
{
	const struct { const char *name; bool in; } options[] = {
		{ "[ST]", hs->tls12.status_due }, { "[CR]", hs->cert_requested }, { "[ct]", hs->cert_requested },
		{ "[cv]", hs->cert_requested && hs->client_cert }, { "[NST]", hs->tls12.ticket_due },
	};
	char copy[128], *word, *rest = copy;
	bool in;

	snprintf(copy, sizeof(copy), "%s", figure);
	for (*out = 0; (word = strsep(&rest, " ")) && *word; ) {
		in = true;
		for (size_t i = 0; i < ARRAY_SIZE(options); i++)
			if (!strcmp(options[i].name, word))
				in = options[i].in;
		word[strcspn(word, "]")] = 0;
		if (in)
			sprintf(out + strlen(out), "%s ", word + (*word == '['));
	}
}

static void table_has_the_order_of_the_figures(void **state)
{
	char want[128], got[128];

	(void)state;
	for (int bits = 0; bits < 32; bits++) {
		struct hs hs = {
			.role = HS_SERVER, .version = TLS12, .cert_requested = bits & 1, .client_cert = bits & 2,
			.tls12 = { .ticket_due = bits & 4, .status_due = bits & 8 }, .result = { .resumed = bits & 16 },
		};

		got[0] = 0;
		for (size_t i = 0; i < hs_flow12_num; i++)
			if (hs_flow12[i].present(&hs, NULL))
				sprintf(got + strlen(got), "%s ", short_name(&hs_flow12[i]));
		draw(hs.result.resumed ? abbreviated : full, &hs, want);
		assert_string_equal(got, want);
	}
}

/* RFC 4279 2: no certificate, and a ServerKeyExchange only where there is a share, or (as a client sees) a hint. */
static void keys_by_hand_have_the_order_of_their_rfc(void **state)
{
	static const struct { uint16_t suite; const char *order; } t[] = {
		{ 0xd001, by_key }, { 0x00aa, by_key }, { 0x00a8, by_key_alone },
	};
	uint8_t hint[] = { HS_SERVER_KEY_EXCHANGE, 0, 0, 0 };
	struct rbuf next = { hint, hint + sizeof(hint) };
	char want[128], got[128];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(t) * 4; n++) {
		struct hs hs = {
			.role = n % 2 ? HS_CLIENT : HS_SERVER, .version = TLS12, .suite = suite_by_id(t[n / 4].suite),
			.result = { .resumed = n & 2 },
		};

		got[0] = 0;
		for (size_t i = 0; i < hs_flow12_num; i++)
			if (hs_flow12[i].present(&hs, NULL))
				sprintf(got + strlen(got), "%s ", short_name(&hs_flow12[i]));
		draw(hs.result.resumed ? abbreviated : t[n / 4].order, &hs, want);
		assert_string_equal(got, want);
		assert_int_equal(hs_flow12[5].present(&hs, &next), !hs.result.resumed && (n % 2 || hs.suite->kx->share));
	}
}

static int load(void **state)
{
	size_t num;

	(void)state;
	trust = x509_store_new();
	other_trust = x509_store_new();
	assert_int_equal(x509_store_add_file(trust, PKI "ca.pem", &num), 0);
	assert_int_equal(x509_store_add_file(other_trust, PKI "other.pem", &num), 0);
	test_identity_load(&p256, "p256");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	test_identity_free(&p256);
	x509_store_free(trust);
	x509_store_free(other_trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(table_has_the_order_of_the_figures),
		cmocka_unit_test(keys_by_hand_have_the_order_of_their_rfc),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
