// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hello extensions: the table against the one of RFC 9846 4.2, the rules of
 * the engine by vectors, and each extension's own syntax.
 */
#include "hs_pair.h"

/*
 * RFC 9846 4.2, the rows that we have; CT and EE stand for Certificate and EncryptedExtensions. SH12 and
 * the last column are from the RFC that each is of: the only version that it is for.
 */
static const struct { uint16_t id; const char *name; uint16_t in, only; } rfc[] = {
	{ 0, "server_name", EXT_CH | EXT_EE | EXT_SH12, 0 },
	{ 1, "max_fragment_length", EXT_CH | EXT_EE | EXT_SH12, 0 },
	{ 5, "status_request", EXT_CH | EXT_CR | EXT_CT | EXT_SH12, 0 },
	{ 10, "supported_groups", EXT_CH | EXT_EE | EXT_SH12, 0 },
	{ 11, "ec_point_formats", EXT_CH | EXT_SH12, TLS12 },	/* RFC 8422 5.1.2 */
	{ 13, "signature_algorithms", EXT_CH | EXT_CR, 0 },
	{ 16, "application_layer_protocol_negotiation", EXT_CH | EXT_EE | EXT_SH12, 0 },
	{ 18, "signed_certificate_timestamp", EXT_CH | EXT_CR | EXT_CT | EXT_SH12, 0 },	/* and RFC 6962 3.3.1 */
	{ 19, "client_certificate_type", EXT_CH | EXT_EE, TLS13 },
	{ 20, "server_certificate_type", EXT_CH | EXT_EE, TLS13 },
	{ 21, "padding", EXT_CH, 0 },
	{ 22, "encrypt_then_mac", EXT_CH | EXT_SH12, TLS12 },		/* RFC 7366 2 */
	{ 23, "extended_master_secret", EXT_CH | EXT_SH12, TLS12 },	/* RFC 7627 5.1 */
	{ 27, "compress_certificate", EXT_CH | EXT_CR, TLS13 },	/* RFC 8879 7.1 */
	{ 28, "record_size_limit", EXT_CH | EXT_EE | EXT_SH12, 0 },	/* RFC 8449 4 */
	{ 34, "delegated_credential", EXT_CH | EXT_CR | EXT_CT, TLS13 },	/* RFC 9345 7 */
	{ 35, "session_ticket", EXT_CH | EXT_SH12, TLS12 },	/* RFC 5077 3.2 */
	{ 41, "pre_shared_key", EXT_CH | EXT_SH, TLS13 },
	{ 42, "early_data", EXT_CH | EXT_EE | EXT_NST, TLS13 },
	{ 43, "supported_versions", EXT_CH | EXT_SH | EXT_HRR, TLS13 },
	{ 44, "cookie", EXT_CH | EXT_HRR, TLS13 },
	{ 45, "psk_key_exchange_modes", EXT_CH, TLS13 },
	{ 47, "certificate_authorities", EXT_CH | EXT_CR, 0 },
	{ 49, "post_handshake_auth", EXT_CH, TLS13 },
	{ 50, "signature_algorithms_cert", EXT_CH | EXT_CR, 0 },
	{ 51, "key_share", EXT_CH | EXT_SH | EXT_HRR, TLS13 },
	{ 58, "ticket_request", EXT_CH | EXT_EE, TLS13 },	/* RFC 9149 4 */
	{ 0xfe0d, "encrypted_client_hello", EXT_CH | EXT_HRR | EXT_EE, TLS13 },	/* RFC 9849 11.1 */
	{ 0xff01, "renegotiation_info", EXT_CH | EXT_SH12, TLS12 },	/* RFC 5746 3.2 */
};

static void table_is_the_rfc_s(void **state)
{
	(void)state;
	assert_int_equal(exts_num, ARRAY_SIZE(rfc));
	for (size_t i = 0; i < exts_num; i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(rfc) && rfc[j].id != exts[i]->id)
			j++;
		assert_true(j < ARRAY_SIZE(rfc));
		assert_string_equal(exts[i]->name, rfc[j].name);
		assert_int_equal(exts[i]->in, rfc[j].in);
		assert_int_equal(exts[i]->only, rfc[j].only);
		assert_int_equal(exts[i]->unasked, exts[i]->id == EXT_ID_COOKIE);
		/* Whoever may ask must be able to be asked. */
		assert_true(!exts[i]->offer || exts[i]->accept);
		assert_true(!exts[i]->answer || exts[i]->confirm);
	}
	assert_int_equal(exts[exts_num - 1]->id, EXT_ID_PRE_SHARED_KEY);
}

#define ARRAY(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define BYTES(...) ARRAY(__VA_ARGS__), TLS13
#define BYTES12(...) ARRAY(__VA_ARGS__), TLS12
#define ALL ~0ull

struct vector {
	const char *name;
	enum ext_in msg;
	uint64_t offered;
	int want;
	const uint8_t *bytes;
	size_t len;
	uint16_t version;
};

static const struct vector rules[] = {
	{ "unknown in a request", EXT_CH, 0, 0, BYTES(0xff, 0xfe, 0, 1, 9) },
	{ "GREASE in a request", EXT_CH, 0, 0, BYTES(0x1a, 0x1a, 0, 0) },
	{ "unknown in CertificateRequest", EXT_CR, 0, 0, BYTES(0x1a, 0x1a, 0, 0) },
	{ "unknown in EncryptedExtensions", EXT_EE, ALL, 110, BYTES(0xff, 0xfe, 0, 0) },
	{ "unknown in ServerHello", EXT_SH, ALL, 110, BYTES(0xff, 0xfe, 0, 0) },
	{ "unknown in Certificate", EXT_CT, ALL, 110, BYTES(0xff, 0xfe, 0, 0) },
	{ "known in Certificate, not offered", EXT_CT, 0, 110, BYTES(0, 5, 0, 0) },
	{ "unknown in HelloRetryRequest", EXT_HRR, ALL, 110, BYTES(0xff, 0xfe, 0, 0) },
	{ "known, not offered", EXT_EE, 0, 110, BYTES(0, 0, 0, 0) },
	{ "known, offered", EXT_EE, ALL, 0, BYTES(0, 0, 0, 0) },
	{ "key_share in EncryptedExtensions", EXT_EE, ALL, 47, BYTES(0, 51, 0, 0) },
	{ "supported_versions in EncryptedExtensions", EXT_EE, ALL, 47, BYTES(0, 43, 0, 2, 3, 4) },
	{ "server_name in ServerHello", EXT_SH, ALL, 47, BYTES(0, 0, 0, 0) },
	{ "ALPN in CertificateRequest", EXT_CR, 0, 47, BYTES(0, 16, 0, 0) },
	{ "key_share in CertificateRequest", EXT_CR, 0, 47, BYTES(0, 51, 0, 0) },
	{ "signature_algorithms in ServerHello", EXT_SH, ALL, 47, BYTES(0, 13, 0, 0) },
	{ "pre_shared_key in HelloRetryRequest", EXT_HRR, ALL, 47, BYTES(0, 41, 0, 0) },
	{ "known twice", EXT_EE, ALL, 47, BYTES(0, 0, 0, 0, 0, 0, 0, 0) },
	{ "unknown twice in a request", EXT_CH, 0, 47, BYTES(0xff, 0xfe, 0, 0, 0xff, 0xfe, 0, 0) },
	{ "unknown twice, apart", EXT_CH, 0, 47, BYTES(9, 9, 0, 0, 0xff, 1, 0, 1, 0, 9, 9, 0, 1, 5) },
	{ "two unknown", EXT_CH, 0, 0, BYTES(9, 9, 0, 0, 9, 8, 0, 0) },
	{ "known twice in a request", EXT_CH, 0, 47, BYTES(0, 45, 0, 2, 1, 1, 0, 45, 0, 2, 1, 1) },
	{ "psk not last", EXT_CH, 0, 47, BYTES(0, 41, 0, 0, 0, 45, 0, 2, 1, 1) },
	{ "psk before an unknown one", EXT_CH, 0, 47, BYTES(0, 45, 0, 2, 1, 1, 0, 41, 0, 0, 0xff, 0xfe, 0, 0) },
	{ "bytes left over", EXT_EE, ALL, 50, BYTES(0, 0, 0, 1, 7) },
	{ "cut in the header", EXT_CH, 0, 50, BYTES(0, 0, 0) },
	{ "cut in the body", EXT_CH, 0, 50, BYTES(0, 0, 0, 9, 1) },
	{ "cookie that was not asked for", EXT_HRR, 0, 0, BYTES(0, 44, 0, 3, 0, 1, 7) },
	{ "nothing", EXT_EE, 0, 0, NULL, 0, TLS13 },
	{ "TLS 1.2: server_name in ServerHello", EXT_SH12, ALL, 0, BYTES12(0, 0, 0, 0) },
	{ "TLS 1.2: key_share in ServerHello", EXT_SH12, ALL, 47, BYTES12(0, 51, 0, 2, 0, 29) },
	{ "TLS 1.2: not offered", EXT_SH12, 0, 110, BYTES12(0, 23, 0, 0) },
	{ "TLS 1.2: unknown", EXT_SH12, ALL, 110, BYTES12(0xff, 0xfe, 0, 0) },
	{ "TLS 1.2: a share of TLS 1.3 is not looked at", EXT_CH, 0, 0, BYTES12(0, 51, 0, 1, 0) },
	{ "TLS 1.3: what is of TLS 1.2 is not looked at", EXT_CH, 0, 0, BYTES(0xff, 1, 0, 2, 9, 9) },
	{ "TLS 1.3: extended_master_secret in EncryptedExtensions", EXT_EE, ALL, 47, BYTES(0, 23, 0, 0) },
};

static const struct vector syntax[] = {
	{ "versions: none", EXT_CH, 0, 50, BYTES(0, 43, 0, 1, 0) },
	{ "versions: odd", EXT_CH, 0, 50, BYTES(0, 43, 0, 2, 1, 3) },
	{ "versions: left over", EXT_CH, 0, 50, BYTES(0, 43, 0, 4, 2, 3, 4, 0) },
	{ "versions: with GREASE", EXT_CH, 0, 0, BYTES(0, 43, 0, 5, 4, 0x1a, 0x1a, 3, 4) },
	{ "versions: answer cut", EXT_SH, ALL, 50, BYTES(0, 43, 0, 1, 3) },
	{ "groups: none", EXT_CH, 0, 50, BYTES(0, 10, 0, 2, 0, 0) },
	{ "groups: odd", EXT_CH, 0, 50, BYTES(0, 10, 0, 3, 0, 1, 0) },
	{ "groups: a server's list", EXT_EE, ALL, 0, BYTES(0, 10, 0, 4, 0, 2, 0, 29) },
	{ "groups: a server's bad list", EXT_EE, ALL, 50, BYTES(0, 10, 0, 3, 0, 2, 0) },
	{ "schemes: none", EXT_CR, 0, 50, BYTES(0, 13, 0, 2, 0, 0) },
	{ "schemes: odd", EXT_CH, 0, 50, BYTES(0, 13, 0, 3, 0, 1, 4) },
	{ "schemes: only strange ones", EXT_CR, 0, 0, BYTES(0, 13, 0, 4, 0, 2, 0x1a, 0x1a) },
	{ "schemes for certificates: odd", EXT_CH, 0, 50, BYTES(0, 50, 0, 3, 0, 1, 4) },
	{ "schemes for certificates", EXT_CR, 0, 0, BYTES(0, 50, 0, 4, 0, 2, 4, 3) },
	{ "authorities: none", EXT_CR, 0, 50, BYTES(0, 47, 0, 2, 0, 0) },
	{ "authorities: empty name", EXT_CR, 0, 50, BYTES(0, 47, 0, 4, 0, 2, 0, 0) },
	{ "authorities: cut", EXT_CH, 0, 50, BYTES(0, 47, 0, 5, 0, 3, 0, 9, 1) },
	{ "authorities", EXT_CH, 0, 0, BYTES(0, 47, 0, 5, 0, 3, 0, 1, 0x30) },
	{ "name", EXT_CH, 0, 0, BYTES(0, 0, 0, 6, 0, 4, 0, 0, 1, 'a') },
	{ "name: empty list", EXT_CH, 0, 50, BYTES(0, 0, 0, 2, 0, 0) },
	{ "name: empty extension", EXT_CH, 0, 50, BYTES(0, 0, 0, 0) },
	{ "name: empty", EXT_CH, 0, 47, BYTES(0, 0, 0, 5, 0, 3, 0, 0, 0) },
	{ "name: with a zero", EXT_CH, 0, 47, BYTES(0, 0, 0, 7, 0, 5, 0, 0, 2, 'a', 0) },
	{ "name: two", EXT_CH, 0, 47, BYTES(0, 0, 0, 10, 0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b') },
	{ "name: cut", EXT_CH, 0, 50, BYTES(0, 0, 0, 6, 0, 4, 0, 0, 2, 'a') },
	{ "name: of another type", EXT_CH, 0, 0, BYTES(0, 0, 0, 6, 0, 4, 7, 0, 1, 'a') },
	{ "name: answered with one", EXT_EE, ALL, 50, BYTES(0, 0, 0, 6, 0, 4, 0, 0, 1, 'a') },
	{ "ALPN: empty list", EXT_CH, 0, 50, BYTES(0, 16, 0, 2, 0, 0) },
	{ "ALPN: empty name", EXT_CH, 0, 50, BYTES(0, 16, 0, 3, 0, 1, 0) },
	{ "ALPN: cut", EXT_CH, 0, 50, BYTES(0, 16, 0, 4, 0, 2, 2, 'h') },
	{ "ALPN: two answers", EXT_EE, ALL, 50, BYTES(0, 16, 0, 6, 0, 4, 1, 'a', 1, 'b') },
	{ "ALPN: an answer not offered", EXT_EE, ALL, 47, BYTES(0, 16, 0, 4, 0, 2, 1, 'a') },
	{ "fragments: cut", EXT_CH, 0, 50, BYTES(0, 1, 0, 0) },
	{ "fragments: of no size", EXT_CH, 0, 47, BYTES(0, 1, 0, 1, 0) },
	{ "fragments: too large", EXT_CH, 0, 47, BYTES(0, 1, 0, 1, 5) },
	{ "fragments: left over", EXT_CH, 0, 50, BYTES(0, 1, 0, 2, 1, 1) },
	{ "fragments", EXT_CH, 0, 0, BYTES(0, 1, 0, 1, 4) },
	{ "fragments: another answer", EXT_EE, ALL, 47, BYTES(0, 1, 0, 1, 2) },
	{ "fragments: an answer cut", EXT_EE, ALL, 50, BYTES(0, 1, 0, 0) },
	{ "fragments: answered beside a limit", EXT_EE, ALL, 47, BYTES(0, 1, 0, 1, 1, 0, 28, 0, 2, 1, 0) },
	{ "status", EXT_CH, 0, 0, BYTES(0, 5, 0, 5, 1, 0, 0, 0, 0) },
	{ "status: a server's", EXT_CR, 0, 0, BYTES(0, 5, 0, 0) },
	{ "status: a server's like a client's", EXT_CR, 0, 50, BYTES(0, 5, 0, 5, 1, 0, 0, 0, 0) },
	{ "status: with responders and extensions", EXT_CH, 0, 0, BYTES(0, 5, 0, 9, 1, 0, 3, 0, 1, 7, 0, 1, 9) },
	{ "status: of a kind to come", EXT_CH, 0, 0, BYTES(0, 5, 0, 3, 2, 9, 9) },
	{ "status: empty", EXT_CH, 0, 50, BYTES(0, 5, 0, 0) },
	{ "status: cut", EXT_CH, 0, 50, BYTES(0, 5, 0, 4, 1, 0, 0, 0) },
	{ "status: left over", EXT_CH, 0, 50, BYTES(0, 5, 0, 6, 1, 0, 0, 0, 0, 0) },
	{ "status: in ServerHello", EXT_SH, ALL, 47, BYTES(0, 5, 0, 0) },
	{ "status: a response", EXT_CT, ALL, 0, BYTES(0, 5, 0, 5, 1, 0, 0, 1, 0x30) },
	{ "status: an empty response", EXT_CT, ALL, 50, BYTES(0, 5, 0, 4, 1, 0, 0, 0) },
	{ "status: a response left over", EXT_CT, ALL, 50, BYTES(0, 5, 0, 6, 1, 0, 0, 1, 0x30, 0) },
	{ "status: a response that isn't OCSP", EXT_CT, ALL, 47, BYTES(0, 5, 0, 5, 2, 0, 0, 1, 0x30) },
	{ "compression: none", EXT_CH, 0, 50, BYTES(0, 27, 0, 1, 0) },
	{ "compression: odd", EXT_CR, 0, 50, BYTES(0, 27, 0, 4, 3, 0, 1, 0) },
	{ "compression", EXT_CR, 0, 0, BYTES(0, 27, 0, 5, 4, 0, 2, 0, 1) },
	{ "types: none", EXT_CH, 0, 50, BYTES(0, 20, 0, 1, 0) },
	{ "types: none of the client's", EXT_CH, 0, 50, BYTES(0, 19, 0, 1, 0) },
	{ "types: no X.509", EXT_CH, 0, 43, BYTES(0, 20, 0, 2, 1, 2) },
	{ "types: both", EXT_CH, 0, 0, BYTES(0, 20, 0, 3, 2, 2, 0) },
	{ "types: a strange answer", EXT_EE, ALL, 47, BYTES(0, 20, 0, 1, 1) },
	{ "types: an answer cut", EXT_EE, ALL, 50, BYTES(0, 19, 0, 0) },
	{ "types: X.509 that is not trusted", EXT_EE, ALL, 47, BYTES(0, 20, 0, 1, 0) },
	{ "types: X.509 of the client", EXT_EE, ALL, 0, BYTES(0, 19, 0, 1, 0) },
	{ "padding", EXT_CH, 0, 0, BYTES(0, 21, 0, 2, 0, 0) },
	{ "padding: not zero", EXT_CH, 0, 47, BYTES(0, 21, 0, 2, 0, 1) },
	{ "ECH: to be passed over", EXT_CH, 0, 0, BYTES(0xfe, 0x0d, 0, 2, 9, 9) },
	{ "ECH: configurations", EXT_EE, ALL, 0, BYTES(0xfe, 0x0d, 0, 3, 0, 1, 9) },
	{ "ECH: no configurations", EXT_EE, ALL, 50, BYTES(0xfe, 0x0d, 0, 2, 0, 0) },
	{ "ECH: configurations left over", EXT_EE, ALL, 50, BYTES(0xfe, 0x0d, 0, 4, 0, 1, 9, 9) },
	{ "ECH: confirmed", EXT_HRR, ALL, 0, BYTES(0xfe, 0x0d, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8) },
	{ "ECH: confirmed in short", EXT_HRR, ALL, 50, BYTES(0xfe, 0x0d, 0, 7, 1, 2, 3, 4, 5, 6, 7) },
	{ "ECH: answered unasked", EXT_EE, 0, 110, BYTES(0xfe, 0x0d, 0, 3, 0, 1, 9) },
	{ "cookie: empty", EXT_HRR, 0, 50, BYTES(0, 44, 0, 2, 0, 0) },
	{ "cookie: made up by a client", EXT_CH, 0, 47, BYTES(0, 44, 0, 3, 0, 1, 7) },
	{ "cookie: malformed by a client", EXT_CH, 0, 50, BYTES(0, 44, 0, 2, 0, 1) },
	{ "shares: none", EXT_CH, 0, 0, BYTES(0, 51, 0, 2, 0, 0) },
	{ "shares: empty", EXT_CH, 0, 50, BYTES(0, 51, 0, 6, 0, 4, 0, 29, 0, 0) },
	{ "shares: cut", EXT_CH, 0, 50, BYTES(0, 51, 0, 7, 0, 5, 0, 29, 0, 2, 1) },
	{ "shares: twice", EXT_CH, 0, 47, BYTES(0, 51, 0, 12, 0, 10, 0, 29, 0, 1, 1, 0, 29, 0, 1, 1) },
	{ "shares: of no offered group", EXT_CH, 0, 47,
	  BYTES(0, 10, 0, 4, 0, 2, 0, 23, 0, 51, 0, 7, 0, 5, 0, 29, 0, 1, 1) },
	{ "shares: order of the extensions is free", EXT_CH, 0, 0,
	  BYTES(0, 51, 0, 7, 0, 5, 0, 29, 0, 1, 1, 0, 10, 0, 4, 0, 2, 0, 29) },
	{ "shares: an answer cut", EXT_SH, ALL, 50, BYTES(0, 51, 0, 3, 0, 29, 0) },
	{ "shares: an answer not sent for", EXT_SH, ALL, 47, BYTES(0, 51, 0, 5, 0, 29, 0, 1, 1) },
	{ "shares: a retry cut", EXT_HRR, ALL, 50, BYTES(0, 51, 0, 1, 0) },
	{ "shares: a retry for a strange group", EXT_HRR, ALL, 47, BYTES(0, 51, 0, 2, 0, 24) },
	{ "modes: none", EXT_CH, 0, 50, BYTES(0, 45, 0, 1, 0) },
	{ "psk without modes", EXT_CH, 0, 109, BYTES(0, 41, 0, 4, 0, 0, 0, 0) },
	{ "psk: none", EXT_CH, 0, 50, BYTES(0, 45, 0, 2, 1, 1, 0, 41, 0, 4, 0, 0, 0, 0) },
	{ "psk: no binder", EXT_CH, 0, 50,
	  BYTES(0, 45, 0, 2, 1, 1, 0, 41, 0, 11, 0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 0) },
	{ "psk: short binder", EXT_CH, 0, 50,
	  BYTES(0, 45, 0, 2, 1, 1, 0, 41, 0, 13, 0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 2, 1, 1) },
	{ "limit: cut", EXT_CH, 0, 50, BYTES(0, 28, 0, 1, 64) },
	{ "limit: left over", EXT_EE, ALL, 50, BYTES(0, 28, 0, 3, 1, 0, 0) },
	{ "limit: too small", EXT_CH, 0, 47, BYTES(0, 28, 0, 2, 0, 63) },
	{ "limit: the smallest", EXT_EE, ALL, 0, BYTES(0, 28, 0, 2, 0, 64) },
	{ "limit: more than there is", EXT_CH, 0, 0, BYTES(0, 28, 0, 2, 0xff, 0xff) },
	{ "tickets: cut", EXT_CH, 0, 50, BYTES(0, 58, 0, 1, 2) },
	{ "tickets: left over", EXT_CH, 0, 50, BYTES(0, 58, 0, 3, 2, 1, 0) },
	{ "tickets: answered with nothing", EXT_EE, ALL, 50, BYTES(0, 58, 0, 0) },
	{ "tickets: answered with two numbers", EXT_EE, ALL, 50, BYTES(0, 58, 0, 2, 1, 1) },
	{ "TLS 1.2, limit: more than there is", EXT_CH, 0, 0, BYTES12(0, 28, 0, 2, 0xff, 0xff) },
	{ "TLS 1.2, limit: a server's most", EXT_SH12, ALL, 0, BYTES12(0, 28, 0, 2, 0x40, 0) },
	{ "TLS 1.2, limit: a server's too much", EXT_SH12, ALL, 47, BYTES12(0, 28, 0, 2, 0x40, 1) },
	{ "TLS 1.2, formats", EXT_CH, 0, 0, BYTES12(0, 11, 0, 3, 2, 1, 0) },
	{ "TLS 1.2, formats: none", EXT_CH, 0, 50, BYTES12(0, 11, 0, 1, 0) },
	{ "TLS 1.2, formats: only compressed", EXT_CH, 0, 47, BYTES12(0, 11, 0, 2, 1, 1) },
	{ "TLS 1.2, formats: only compressed, answered", EXT_SH12, ALL, 47, BYTES12(0, 11, 0, 2, 1, 2) },
	{ "TLS 1.2, formats: left over", EXT_SH12, ALL, 50, BYTES12(0, 11, 0, 3, 1, 0, 0) },
	{ "TLS 1.2, master secret: not empty", EXT_CH, 0, 50, BYTES12(0, 23, 0, 1, 0) },
	{ "TLS 1.2, master secret: an answer not empty", EXT_SH12, ALL, 50, BYTES12(0, 23, 0, 1, 0) },
	{ "TLS 1.2, renegotiation: a first handshake", EXT_CH, 0, 0, BYTES12(0xff, 1, 0, 1, 0) },
	{ "TLS 1.2, renegotiation: another one", EXT_CH, 0, 40, BYTES12(0xff, 1, 0, 3, 2, 1, 1) },
	{ "TLS 1.2, renegotiation: another one answered", EXT_SH12, ALL, 40, BYTES12(0xff, 1, 0, 2, 1, 1) },
	{ "TLS 1.2, renegotiation: empty extension", EXT_CH, 0, 50, BYTES12(0xff, 1, 0, 0) },
	{ "TLS 1.2, ticket: any bytes", EXT_CH, 0, 0, BYTES12(0, 35, 0, 2, 9, 9) },
	{ "TLS 1.2, ticket: an answer not empty", EXT_SH12, ALL, 50, BYTES12(0, 35, 0, 1, 0) },
	{ "early data alone", EXT_CH, 0, 47, BYTES(0, 42, 0, 0) },
	{ "early data that was not offered", EXT_EE, 0, 110, BYTES(0, 42, 0, 0) },
};

static int read_vector(const struct vector *v, struct hs *hs)
{
	uint8_t *wire = malloc(2 + v->len);	/* exact, so that ASan sees a byte too far */
	struct rbuf r = { wire, wire + 2 + v->len };
	int err;

	assert_non_null(wire);
	wire[0] = (uint8_t)(v->len >> 8);
	wire[1] = (uint8_t)v->len;
	if (v->len)
		memcpy(wire + 2, v->bytes, v->len);
	err = ext_read(hs, v->msg, &r);
	assert_int_equal(rbuf_len(&r), 0);
	free(wire);
	return err;
}

static void check_vectors(const struct vector *v, size_t n)
{
	static const struct hs_params params;
	struct hs *hs;
	int err;

	for (; n; n--, v++) {
		hs = calloc(1, sizeof(*hs));
		assert_non_null(hs);
		hs->params = &params;
		hs->offered = v->offered;
		hs->version = v->version;
		err = read_vector(v, hs);
		if (err != v->want)
			fail_msg("%s: %d instead of %d: %s", v->name, err, v->want, hs->why);
		assert_int_equal(hs->why[0] != 0, err != 0);
		gbuf_free(&hs->cookie);
		free(hs);
	}
}

static void rules_of_the_engine(void **state)
{
	(void)state;
	check_vectors(rules, ARRAY_SIZE(rules));
}

static void syntax_of_each(void **state)
{
	(void)state;
	check_vectors(syntax, ARRAY_SIZE(syntax));
}

/* All vectors again, shortened at every byte: an alert or nothing, never a byte too far. */
static void vectors_cut_short(void **state)
{
	static const struct hs_params params;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(syntax); i++)
		for (size_t len = 1; len < syntax[i].len; len++) {
			struct vector v = syntax[i];
			struct hs *hs = calloc(1, sizeof(*hs));
			int err;

			assert_non_null(hs);
			hs->params = &params;
			hs->offered = ALL;
			hs->version = v.version;
			v.len = len;
			err = read_vector(&v, hs);
			/* A cut between two extensions leaves a block that is well formed. */
			assert_true(err > 0 || err == 0);
			if (len < 4)
				assert_int_equal(err, ALERT_DECODE_ERROR);
			gbuf_free(&hs->cookie);
			free(hs);
		}
}

static void an_unknown_psk_is_passed_over(void **state)
{
	static const struct hs_params params;
	uint8_t block[4 + 2 + 4 + 4 + 9 + 2 + 33] = {
		0, 45, 0, 2, 1, 1, 0, 42, 0, 0, 0, 41, 0, 44, 0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32,
	};
	struct vector v = { "psk", EXT_CH, 0, 0, block, sizeof(block), TLS13 };
	struct hs *hs = calloc(1, sizeof(*hs));

	(void)state;
	assert_non_null(hs);
	hs->params = &params;
	hs->version = TLS13;
	block[13] = 9 + 2 + 33;
	assert_int_equal(read_vector(&v, hs), 0);
	assert_true(ext_received(hs, EXT_ID_PRE_SHARED_KEY));
	assert_true(hs->early_left > 0);
	free(hs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_the_rfc_s),
		cmocka_unit_test(rules_of_the_engine),
		cmocka_unit_test(syntax_of_each),
		cmocka_unit_test(vectors_cut_short),
		cmocka_unit_test(an_unknown_psk_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
