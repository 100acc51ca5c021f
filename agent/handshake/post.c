// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client authentication after the handshake, RFC 8446 4.6.2: the server's
 * CertificateRequest and the client's answer, as a flow of its own. Its
 * transcript is that of the handshake and then these messages alone; its
 * Finished is keyed by the client's traffic secret of the moment. Records are
 * the caller's: what comes in and goes out are handshake messages.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "rng/rng.h"
#include <string.h>

#define REQUEST_ROOM	4096	/* as send_message() has for it */

static bool always(const struct hs *hs, const struct rbuf *next)
{
	(void)hs;
	(void)next;
	return true;
}

static bool client_signed(const struct hs *hs, const struct rbuf *next)
{
	(void)next;
	return hs->client_cert;
}

static int name_peer(struct hs *hs)
{
	hs_name_peer(hs);
	return 0;
}

#define BOTH(message) message##_send, message##_recv
static const struct hs_step flow[] = {
{ "CertificateRequest", HS_CERTIFICATE_REQUEST, HS_SERVER, always,        BOTH(certificate_request), NULL },
{ "Certificate",        HS_CERTIFICATE,         HS_CLIENT, always,        BOTH(certificate),         NULL },
{ "CertificateVerify",  HS_CERTIFICATE_VERIFY,  HS_CLIENT, client_signed, BOTH(certificate_verify),  NULL },
{ "Finished",           HS_FINISHED,            HS_CLIENT, always,        BOTH(finished),            name_peer },
};

void hs_post_from(const struct hs_result *r, enum hs_role role, struct hs_post *ret)
{
	ret->suite = r->suite;
	ret->asked = false;
	memcpy(ret->transcript, r->transcript, sizeof(ret->transcript));
	hs_post_secret(ret, role == HS_CLIENT ? &r->tx : &r->rx);
}

void hs_post_secret(struct hs_post *post, const struct hs_traffic *client)
{
	memcpy(post->secret, client->secret, sizeof(post->secret));
}

/* The request went out before us. What it offers is known when it is written once more, for nobody. */
static int go_on(struct hs *hs, const struct hs_post *from)
{
	uint8_t nowhere[REQUEST_ROOM];
	struct wbuf b = { .buf = nowhere, .cap = sizeof(nowhere) };

	memcpy(hs->context, from->context, POST_CONTEXT);
	memcpy(hs->transcript, from->with_request, sizeof(hs->transcript));
	hs->step = 1;
	return certificate_request_send(hs, &b);
}

/* The client's half has the secret; neither half is on, as no record is made here. */
static int begin(struct hs *hs, const struct hs_post *from)
{
	struct hs_half *half = hs->role == HS_CLIENT ? &hs->tx : &hs->rx;

	hs->post = true;
	hs->flow = flow;
	hs->flow_num = sizeof(flow) / sizeof(flow[0]);
	hs->version = hs->result.version = TLS13;
	hs->suite = suite_by_id(from->suite);
	hs->hash = hs->suite->hash;
	hs->cert_requested = true;
	memcpy(hs->transcript, from->transcript, sizeof(hs->transcript));
	memcpy(half->t.secret, from->secret, sizeof(half->t.secret));
	if (hs->role != HS_SERVER)
		return 0;
	hs->context_len = POST_CONTEXT;
	if (from->asked)
		return go_on(hs, from);
	rng_fill(RNG_NONCE, hs->context, POST_CONTEXT);
	return 0;
}

struct hs *hs_post_new(const struct hs_params *params, const struct hs_post *from)
{
	const struct suite *suite = suite_by_id(from->suite);
	struct hs *hs = suite && suite->version == TLS13 ? hs_new(params) : NULL;

	if (hs && begin(hs, from)) {
		hs_free(hs);
		return NULL;
	}
	return hs;
}

void hs_post_asked(const struct hs *hs, struct hs_post *ret)
{
	ret->asked = true;
	memcpy(ret->context, hs->context, POST_CONTEXT);
	memcpy(ret->with_request, hs->transcript, sizeof(ret->with_request));
}

void hs_post_rekey(struct hs *hs, const struct hs_traffic *client)
{
	struct hs_half *half = hs->role == HS_CLIENT ? &hs->tx : &hs->rx;

	memcpy(half->t.secret, client->secret, sizeof(half->t.secret));
}
