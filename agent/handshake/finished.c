// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finished, RFC 9846 4.4.4, and the secrets that follow from it: the server's
 * gives the application keys and the exporter, the client's the resumption
 * secret, and ends the handshake.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <string.h>

int finished_send(struct hs *hs, struct wbuf *b)
{
	uint8_t digest[CRYPTO_MAX_DIGEST], verify[CRYPTO_MAX_DIGEST];

	transcript_digest(hs, digest);
	schedule_finished(hs->hash, hs->tx.t.secret, digest, verify);
	wbuf_bytes(b, verify, hs->hash->size);
	return 0;
}

int finished_recv(struct hs *hs, struct rbuf *b)
{
	uint8_t digest[CRYPTO_MAX_DIGEST], want[CRYPTO_MAX_DIGEST];
	const uint8_t *verify;

	if (!rbuf_bytes(b, &verify, hs->hash->size))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the Finished message is malformed");
	transcript_digest(hs, digest);
	schedule_finished(hs->hash, hs->rx.t.secret, digest, want);
	if (!crypto_equal(verify, want, hs->hash->size))
		return hs_fail(hs, ALERT_DECRYPT_ERROR, "the peer's Finished is wrong");
	return 0;
}

/* The server speaks under its new key at once, the client after its own Finished. */
int derive_app_keys(struct hs *hs)
{
	bool client = hs->role == HS_CLIENT;
	struct hs_result *r = &hs->result;
	uint8_t digest[CRYPTO_MAX_DIGEST];
	int err;

	transcript_digest(hs, digest);
	schedule_mix(&hs->schedule, NULL, 0);
	schedule_derive(&hs->schedule, client ? "c ap traffic" : "s ap traffic", digest, r->tx.secret);
	schedule_derive(&hs->schedule, client ? "s ap traffic" : "c ap traffic", digest, r->rx.secret);
	schedule_derive(&hs->schedule, "exp master", digest, r->exporter);
	hs_key_log(hs, "CLIENT_TRAFFIC_SECRET_0", client ? r->tx.secret : r->rx.secret);
	hs_key_log(hs, "SERVER_TRAFFIC_SECRET_0", client ? r->rx.secret : r->tx.secret);
	schedule_traffic(&r->tx, hs->hash, hs->suite->aead);
	schedule_traffic(&r->rx, hs->hash, hs->suite->aead);
	if (!client)
		return record_tx_keys(hs, &r->tx);
	/* The client's second flight begins here, RFC 9846 E.4. */
	err = record_ccs(hs);
	return err ? err : record_rx_keys(hs, &r->rx);
}

/* Of a resumed session the ticket has told it. */
void hs_name_peer(struct hs *hs)
{
	struct hs_result *r = &hs->result;
	const struct x509_blob *der;
	const char *name = hs->params->server_name;

	if (!r->peer_num)
		return;
	der = x509_cert_der(r->peer[0]);
	crypto_hash_once(&crypto_sha256, der->data, der->len, r->who.sha256);
	r->who.known = true;
	r->who.until = (uint64_t)x509_cert_not_after(r->peer[0]);
	r->who.verified = r->peer_verified;
	if (hs->role == HS_SERVER)
		name = x509_cert_dns_name(r->peer[0], 0);
	if (r->peer_verified && name && strlen(name) < sizeof(r->who.name))
		memcpy(r->who.name, name, strlen(name) + 1);
}

int install_keys(struct hs *hs)
{
	struct hs_result *r = &hs->result;
	uint8_t digest[CRYPTO_MAX_DIGEST];
	int err;

	transcript_digest(hs, digest);
	schedule_derive(&hs->schedule, "res master", digest, r->resumption);
	schedule_wipe(&hs->schedule);
	if (hs->role == HS_CLIENT)
		err = record_tx_keys(hs, &r->tx);
	else
		err = record_rx_keys(hs, &r->rx);
	r->version = TLS13;
	r->suite = hs->suite->id;
	r->group = hs->group->id;
	r->aead = hs->suite->aead;
	r->hash = hs->hash;
	r->retried = hs->retry;
	r->early = hs->early;
	/* Bare keys are for the handshake alone. */
	if (hs->role == HS_CLIENT)
		r->post_auth = hs->params->post_auth && hs->own_type == CERT_X509;
	else
		r->post_auth = ext_received(hs, EXT_ID_POST_HANDSHAKE_AUTH) && hs->peer_type == CERT_X509;
	memcpy(r->transcript, hs->transcript, sizeof(r->transcript));
	hs_name_peer(hs);
	return err;
}
