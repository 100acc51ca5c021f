// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of a TLS 1.2 handshake, RFC 5246 7.3 figures 1 and 2 with RFC 5077
 * 3.1, from top to bottom: `full` figure 1, else the abbreviated one of figure
 * 2, in which the server is the first to finish. Only `status_sent`,
 * `cert_wanted`, `server_has_share` and `told` (RFC 4680) look at the peer's next message.
 */
#include "ext/ext.h"
#include "handshake/engine.h"

static bool always(const struct hs *hs, const struct rbuf *next)
{
	(void)hs;
	(void)next;
	return true;
}

static bool full(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return !hs->result.resumed;
}

/* A key by hand takes the place of certificates. */
static bool certified(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return !hs->result.resumed && !(hs->suite && hs->suite->kx->auth == KX_PSK);
}

/* It has nothing to say where there is neither a share nor a hint for a key by hand; a peer may say just that. */
static bool server_has_share(const struct hs *hs, const struct rbuf *next)
{
	if (hs->result.resumed)
		return false;
	if (!hs->suite || hs->suite->kx->share != KX_NONE)
		return true;
	return hs->role == HS_CLIENT && next && next->p[0] == HS_SERVER_KEY_EXCHANGE;
}

static bool abbreviated(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return hs->result.resumed;
}

static bool status_sent(const struct hs *hs, const struct rbuf *next)
{
	if (hs->result.resumed)
		return false;
	if (hs->role == HS_SERVER)
		return hs->tls12.status_due;
	return hs->tls12.status_due && next && next->p[0] == HS_CERTIFICATE_STATUS;
}

static bool told(const struct hs *hs, enum hs_role by, const struct rbuf *next)
{
	if (hs->result.resumed)
		return false;
	if (hs->role == by)
		return supplemental_to_send(hs);
	return next && next->p[0] == HS_SUPPLEMENTAL_DATA && supplemental_agreed(hs);
}

static bool server_tells(const struct hs *hs, const struct rbuf *next) { return told(hs, HS_SERVER, next); }
static bool client_tells(const struct hs *hs, const struct rbuf *next) { return told(hs, HS_CLIENT, next); }

static bool cert_wanted(const struct hs *hs, const struct rbuf *next)
{
	if (!certified(hs, NULL))
		return false;
	if (next && hs->role == HS_CLIENT)
		return next->p[0] == HS_CERTIFICATE_REQUEST;
	return hs->cert_requested;
}

static bool cert_due(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return !hs->result.resumed && hs->cert_requested;
}

static bool client_signed(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return !hs->result.resumed && hs->cert_requested && hs->client_cert;
}

static bool ticket_due(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return hs->tls12.ticket_due;
}

#define BOTH(message) message##_send, message##_recv
#define CCS HS_CHANGE_CIPHER_SPEC
const struct hs_step hs_flow12[] = {
{ "ClientHello",        HS_CLIENT_HELLO,        HS_CLIENT, always,        BOTH(client_hello),          NULL },
{ "ServerHello",        HS_SERVER_HELLO,        HS_SERVER, always,        server_hello12_send, server_hello_recv, use_session },
{ "SupplementalData",   HS_SUPPLEMENTAL_DATA,   HS_SERVER, server_tells,  BOTH(supplemental_data),     NULL },
{ "Certificate",        HS_CERTIFICATE,         HS_SERVER, certified,     BOTH(certificate12),         NULL },
{ "CertificateStatus",  HS_CERTIFICATE_STATUS,  HS_SERVER, status_sent,   BOTH(certificate_status),    NULL },
{ "ServerKeyExchange",  HS_SERVER_KEY_EXCHANGE, HS_SERVER, server_has_share, BOTH(server_key_exchange),   NULL },
{ "CertificateRequest", HS_CERTIFICATE_REQUEST, HS_SERVER, cert_wanted,   BOTH(certificate_request12), NULL },
{ "ServerHelloDone",    HS_SERVER_HELLO_DONE,   HS_SERVER, full,          BOTH(server_hello_done),     NULL },
{ "SupplementalData",   HS_SUPPLEMENTAL_DATA,   HS_CLIENT, client_tells,  BOTH(supplemental_data),     NULL },
{ "Certificate",        HS_CERTIFICATE,         HS_CLIENT, cert_due,      BOTH(certificate12),         NULL },
{ "ClientKeyExchange",  HS_CLIENT_KEY_EXCHANGE, HS_CLIENT, full,          BOTH(client_key_exchange),   derive_master },
{ "CertificateVerify",  HS_CERTIFICATE_VERIFY,  HS_CLIENT, client_signed, BOTH(certificate_verify12),  NULL },
{ "ChangeCipherSpec",   CCS,                    HS_CLIENT, full,          BOTH(change_cipher),         NULL },
{ "Finished",           HS_FINISHED,            HS_CLIENT, full,          BOTH(finished12),            NULL },
{ "NewSessionTicket",   HS_NEW_SESSION_TICKET,  HS_SERVER, ticket_due,    BOTH(new_session_ticket12),  NULL },
{ "ChangeCipherSpec",   CCS,                    HS_SERVER, always,        BOTH(change_cipher),         NULL },
{ "Finished",           HS_FINISHED,            HS_SERVER, always,        BOTH(finished12),            NULL },
{ "ChangeCipherSpec",   CCS,                    HS_CLIENT, abbreviated,   BOTH(change_cipher),         NULL },
{ "Finished",           HS_FINISHED,            HS_CLIENT, abbreviated,   BOTH(finished12),            NULL },
};
const size_t hs_flow12_num = sizeof(hs_flow12) / sizeof(hs_flow12[0]);
