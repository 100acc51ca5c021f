// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of a TLS 1.3 handshake, RFC 9846 figure 1, from top to bottom.
 * Only `retried` and `cert_wanted` look at the peer's next message; all else
 * follows from what was negotiated, so a peer can't skip a Certificate by
 * leaving it out.
 */
#include "handshake/engine.h"

static bool always(const struct hs *hs, const struct rbuf *next)
{
	(void)hs;
	(void)next;
	return true;
}

static bool retried(const struct hs *hs, const struct rbuf *next)
{
	if (next && hs->role == HS_CLIENT)
		return is_retry_request(next);
	return hs->retry && !hs->retry_elsewhere;
}

static bool with_cert(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return !hs->has_psk;
}

static bool cert_wanted(const struct hs *hs, const struct rbuf *next)
{
	if (hs->has_psk)
		return false;
	if (next && hs->role == HS_CLIENT)
		return next->p[0] == HS_CERTIFICATE_REQUEST;
	return hs->cert_requested;
}

static bool client_signed(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return !hs->has_psk && hs->cert_requested && hs->client_cert;
}

static bool early_taken(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return hs->early == HS_EARLY_ACCEPTED;
}

static int answer_ccs(struct hs *hs)
{
	return hs->role == HS_SERVER ? record_ccs(hs) : 0;
}

#define BOTH(message) message##_send, message##_recv
const struct hs_step hs_flow13[] = {
{ "ClientHello",         HS_CLIENT_HELLO,         HS_CLIENT, always,        BOTH(client_hello),         begin_early_data },
{ "HelloRetryRequest",   HS_SERVER_HELLO,         HS_SERVER, retried,       BOTH(retry_request),        answer_ccs },
{ "ClientHello",         HS_CLIENT_HELLO,         HS_CLIENT, retried,       BOTH(client_hello),         NULL },
{ "ServerHello",         HS_SERVER_HELLO,         HS_SERVER, always,        BOTH(server_hello),         use_handshake_keys },
{ "EncryptedExtensions", HS_ENCRYPTED_EXTENSIONS, HS_SERVER, always,        BOTH(encrypted_extensions), settle_early_data },
{ "CertificateRequest",  HS_CERTIFICATE_REQUEST,  HS_SERVER, cert_wanted,   BOTH(certificate_request),  NULL },
{ "Certificate",         HS_CERTIFICATE,          HS_SERVER, with_cert,     BOTH(certificate),          NULL },
{ "CertificateVerify",   HS_CERTIFICATE_VERIFY,   HS_SERVER, with_cert,     BOTH(certificate_verify),   NULL },
{ "Finished",            HS_FINISHED,             HS_SERVER, always,        BOTH(finished),             derive_app_keys },
{ "EndOfEarlyData",      HS_END_OF_EARLY_DATA,    HS_CLIENT, early_taken,   BOTH(end_of_early_data),    after_early_data },
{ "Certificate",         HS_CERTIFICATE,          HS_CLIENT, cert_wanted,   BOTH(certificate),          NULL },
{ "CertificateVerify",   HS_CERTIFICATE_VERIFY,   HS_CLIENT, client_signed, BOTH(certificate_verify),   NULL },
{ "Finished",            HS_FINISHED,             HS_CLIENT, always,        BOTH(finished),             install_keys },
};
const size_t hs_flow13_num = sizeof(hs_flow13) / sizeof(hs_flow13[0]);
