// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of numbers: IANA's TLS parameters registries, and linux/tls.h's ciphers. */
#include <strings.h>
#include "ktls.h"

struct name {
	uint16_t number;
	const char *name;
};

static const struct name versions[] = {
	{ 0x0303, "TLS 1.2" },
	{ 0x0304, "TLS 1.3" },
};

static const struct name ciphers[] = {
	{ TLS_CIPHER_AES_GCM_128,	"AES-128-GCM" },
	{ TLS_CIPHER_AES_GCM_256,	"AES-256-GCM" },
	{ TLS_CIPHER_CHACHA20_POLY1305,	"CHACHA20-POLY1305" },
	{ TLS_CIPHER_AES_CCM_128,	"AES-128-CCM" },
};

static const struct name suites[] = {
	{ 0x1301, "TLS_AES_128_GCM_SHA256" },
	{ 0x1302, "TLS_AES_256_GCM_SHA384" },
	{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
	{ 0x1304, "TLS_AES_128_CCM_SHA256" },
	{ 0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
};

static const struct name groups[] = {
	{ 0x0017, "secp256r1" },
	{ 0x0018, "secp384r1" },
	{ 0x0019, "secp521r1" },
	{ 0x001a, "brainpoolP256r1" },
	{ 0x001b, "brainpoolP384r1" },
	{ 0x001c, "brainpoolP512r1" },
	{ 0x001d, "x25519" },
	{ 0x001e, "x448" },
	{ 0x001f, "brainpoolP256r1tls13" },
	{ 0x0020, "brainpoolP384r1tls13" },
	{ 0x0021, "brainpoolP512r1tls13" },
	{ 0x0100, "ffdhe2048" },
	{ 0x0101, "ffdhe3072" },
	{ 0x0102, "ffdhe4096" },
	{ 0x11eb, "SecP256r1MLKEM768" },
	{ 0x11ec, "X25519MLKEM768" },
	{ 0x11ed, "SecP384r1MLKEM1024" },
};

static const struct name schemes[] = {
	{ 0x0401, "rsa_pkcs1_sha256" },
	{ 0x0403, "ecdsa_secp256r1_sha256" },
	{ 0x0501, "rsa_pkcs1_sha384" },
	{ 0x0503, "ecdsa_secp384r1_sha384" },
	{ 0x0601, "rsa_pkcs1_sha512" },
	{ 0x0603, "ecdsa_secp521r1_sha512" },
	{ 0x0804, "rsa_pss_rsae_sha256" },
	{ 0x0805, "rsa_pss_rsae_sha384" },
	{ 0x0806, "rsa_pss_rsae_sha512" },
	{ 0x0807, "ed25519" },
	{ 0x0808, "ed448" },
	{ 0x0809, "rsa_pss_pss_sha256" },
	{ 0x080a, "rsa_pss_pss_sha384" },
	{ 0x080b, "rsa_pss_pss_sha512" },
	{ 0x081a, "ecdsa_brainpoolP256r1tls13_sha256" },
	{ 0x081b, "ecdsa_brainpoolP384r1tls13_sha384" },
	{ 0x081c, "ecdsa_brainpoolP512r1tls13_sha512" },
	{ 0x0904, "mldsa44" },
	{ 0x0905, "mldsa65" },
	{ 0x0906, "mldsa87" },
};

static const struct name alerts[] = {
	{ 0,   "close_notify" },
	{ 10,  "unexpected_message" },
	{ 20,  "bad_record_mac" },
	{ 22,  "record_overflow" },
	{ 40,  "handshake_failure" },
	{ 42,  "bad_certificate" },
	{ 43,  "unsupported_certificate" },
	{ 44,  "certificate_revoked" },
	{ 45,  "certificate_expired" },
	{ 46,  "certificate_unknown" },
	{ 47,  "illegal_parameter" },
	{ 48,  "unknown_ca" },
	{ 49,  "access_denied" },
	{ 50,  "decode_error" },
	{ 51,  "decrypt_error" },
	{ 70,  "protocol_version" },
	{ 71,  "insufficient_security" },
	{ 80,  "internal_error" },
	{ 86,  "inappropriate_fallback" },
	{ 90,  "user_canceled" },
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 117, "general_error" },
	{ 120, "no_application_protocol" },
};

static const struct name phases[] = {
	{ KTLS_PHASE_BARE,		"bare" },
	{ KTLS_PHASE_HANDSHAKING,	"handshaking" },
	{ KTLS_PHASE_OPEN,		"open" },
	{ KTLS_PHASE_DEAD,		"dead" },
};

static const char *lookup(const struct name *table, size_t num, uint16_t number)
{
	size_t i;

	for (i = 0; i < num; i++)
		if (table[i].number == number)
			return table[i].name;
	return "unknown";
}

#define LOOKUP(table, number) lookup(table, sizeof(table) / sizeof(table[0]), number)

const char *ktls_version_name(uint16_t version)
{
	return LOOKUP(versions, version);
}

const char *ktls_cipher_name(uint16_t cipher)
{
	return LOOKUP(ciphers, cipher);
}

const char *ktls_suite_name(uint16_t suite)
{
	return LOOKUP(suites, suite);
}

const char *ktls_group_name(uint16_t group)
{
	return LOOKUP(groups, group);
}

const char *ktls_scheme_name(uint16_t scheme)
{
	return LOOKUP(schemes, scheme);
}

const char *ktls_alert_name(uint8_t alert)
{
	return LOOKUP(alerts, alert);
}

const char *ktls_phase_name(uint8_t phase)
{
	return LOOKUP(phases, phase);
}

uint16_t ktls_cipher_number(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (!strcasecmp(ciphers[i].name, name))
			return ciphers[i].number;
	return 0;
}
