// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hellos where they are those of TLS 1.2, RFC 5246 7.4.1: what a client
 * makes of such a ServerHello, and how a server writes one.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "rng/rng.h"
#include <string.h>

const uint8_t hs_sentinel[SENTINEL] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };

/* A CertificateVerify will have to cover all messages; whether there is one is known later. */
static bool may_need_messages(const struct hs *hs)
{
	if (hs->role == HS_CLIENT)
		return hs->params->identity;
	return hs->params->client_auth != HS_AUTH_NONE;
}

int tls12_begin(struct hs *hs, size_t step)
{
	hs->version = TLS12;
	hs->flow = hs_flow12;
	hs->flow_num = hs_flow12_num;
	hs->step = step;
	hs->tls12.keeping = may_need_messages(hs);
	if (hs->tls12.keeping && hs->hello.len && !gbuf_add(&hs->tls12.said, hs->hello.p, hs->hello.len))
		return hs_no_memory(hs);
	return 0;
}

/* ---- client */

/* It is the same session if the server says so, RFC 5077 3.4; and then with the same cipher, RFC 5246 7.4.1.3. */
static int resume(struct hs *hs)
{
	const struct hs_ticket *t = hs->params->ticket;

	if (!session_offered(hs))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server goes on with a session that was not offered");
	if (t->suite != hs->suite->id)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server changed the cipher of the session");
	memcpy(hs->tls12.master, t->psk, MASTER_SECRET);
	hs->result.resumed = true;
	hs->result.who = t->peer;
	hs->result.peer_verified = t->peer.verified;
	return 0;
}

static int check_extensions(struct hs *hs)
{
	if (!ext_answered(hs, EXT_ID_EXTENDED_MASTER_SECRET))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the server has no extended_master_secret");
	if (!ext_answered(hs, EXT_ID_RENEGOTIATION_INFO))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the server has no renegotiation_info");
	if (hs->suite->aead->mac && !ext_answered(hs, EXT_ID_ENCRYPT_THEN_MAC))
		return hs_fail(hs, ALERT_HANDSHAKE_FAILURE, "the server chose CBC without encrypt_then_mac");
	return 0;
}

int server_hello12_read(struct hs *hs, const uint8_t *random, const struct rbuf *session, struct rbuf *b)
{
	bool same = rbuf_len(session) && rbuf_len(session) == hs->session_id_len &&
		    !memcmp(session->p, hs->session_id, hs->session_id_len);
	int err = tls12_begin(hs, 1);

	if (err)
		return err;
	transcript_start(hs, hs->suite->hash);
	hs_forget_shares(hs);
	psk_forget(hs);
	memcpy(hs->tls12.server_random, random, HS_RANDOM);
	if (rbuf_len(b))
		err = ext_read(hs, EXT_SH12, b);
	if (!err)
		err = check_extensions(hs);
	if (!err && same)
		err = resume(hs);
	if (err || same)
		return err;
	hs->session_id_len = rbuf_len(session);
	memcpy(hs->session_id, session->p, hs->session_id_len);
	return 0;
}

/* ---- server */

int server_hello12_send(struct hs *hs, struct wbuf *b)
{
	uint8_t *random = hs->tls12.server_random;

	rng_fill(RNG_NONCE, random, HS_RANDOM);
	if (hs_allows(hs, TLS13))
		memcpy(random + HS_RANDOM - SENTINEL, hs_sentinel, SENTINEL);
	/* One that goes on has the client's name for it; a new one has a name where it has no ticket. */
	if (!hs->result.resumed)
		hs->session_id_len = session_named(hs) ? HS_SESSION_ID : 0;
	if (session_named(hs))
		rng_fill(RNG_RANDOM, hs->session_id, HS_SESSION_ID);
	return server_hello_write(hs, EXT_SH12, random, b);
}

/* ---- both */

int use_session(struct hs *hs)
{
	if (hs->result.resumed)
		tls12_expand(hs);
	return 0;
}
