// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * change_cipher_spec and Finished of TLS 1.2, RFC 5246 7.1 and 7.4.9, and what
 * is made of the master secret: keys (6.3) and exported values (RFC 5705).
 */
#include "handshake/engine.h"
#include "handshake/prf.h"
#include <string.h>

/* ---- keys */

static const uint8_t *take(uint8_t *to, const uint8_t *from, size_t len)
{
	memcpy(to, from, len);
	return from + len;
}

/* RFC 5246 6.3: of each kind first the client's, then the server's. */
static void cut(const uint8_t *p, const struct crypto_aead *aead, struct hs_traffic *client, struct hs_traffic *server)
{
	p = take(client->key, p, aead->mac);
	p = take(server->key, p, aead->mac);
	p = take(client->key + aead->mac, p, aead->key - aead->mac);
	p = take(server->key + aead->mac, p, aead->key - aead->mac);
	p = take(client->iv, p, aead->fixed);
	take(server->iv, p, aead->fixed);
}

void tls12_expand(struct hs *hs)
{
	const struct crypto_aead *aead = hs->suite->aead;
	struct hs_traffic *client = hs->role == HS_CLIENT ? &hs->tls12.tx : &hs->tls12.rx;
	struct hs_traffic *server = hs->role == HS_CLIENT ? &hs->tls12.rx : &hs->tls12.tx;
	uint8_t seed[2 * HS_RANDOM], block[2 * CRYPTO_MAX_KEY + 2 * 12];

	memcpy(seed, hs->tls12.server_random, HS_RANDOM);
	memcpy(seed + HS_RANDOM, hs->client_random, HS_RANDOM);
	prf(hs->hash, hs->tls12.master, MASTER_SECRET, "key expansion", seed, sizeof(seed), block,
	    2u * aead->key + 2u * aead->fixed);
	cut(block, aead, client, server);
	crypto_wipe(block, sizeof(block));
	if (hs->params->key_log)
		hs->params->key_log(hs->params->arg, "CLIENT_RANDOM", hs->client_random, hs->tls12.master, MASTER_SECRET);
}

int change_cipher_send(struct hs *hs, struct wbuf *b)
{
	int err = record12_ccs(hs);

	(void)b;
	return err ? err : record_tx_keys(hs, &hs->tls12.tx);
}

int change_cipher_recv(struct hs *hs, struct rbuf *b)
{
	(void)b;
	hs->tls12.changing = false;
	return record_rx_keys(hs, &hs->tls12.rx);
}

/* ---- Finished */

static void verify_data(const struct hs *hs, enum hs_role sender, uint8_t out[VERIFY_DATA])
{
	uint8_t digest[CRYPTO_MAX_DIGEST];

	transcript_digest(hs, digest);
	prf(hs->hash, hs->tls12.master, MASTER_SECRET, sender == HS_CLIENT ? "client finished" : "server finished",
	    digest, hs->hash->size, out, VERIFY_DATA);
}

int finished12_send(struct hs *hs, struct wbuf *b)
{
	uint8_t data[VERIFY_DATA];

	verify_data(hs, hs->role, data);
	wbuf_bytes(b, data, VERIFY_DATA);
	return 0;
}

int finished12_recv(struct hs *hs, struct rbuf *b)
{
	uint8_t want[VERIFY_DATA];
	const uint8_t *got;

	if (!rbuf_bytes(b, &got, VERIFY_DATA))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the Finished message is malformed");
	verify_data(hs, hs->role == HS_CLIENT ? HS_SERVER : HS_CLIENT, want);
	if (!crypto_equal(got, want, VERIFY_DATA))
		return hs_fail(hs, ALERT_DECRYPT_ERROR, "the peer's Finished is wrong");
	return 0;
}

/* ---- the end */

/* The next record's nonce goes on where ours stopped: a record carries the sequence number. */
static void hand_over(const struct crypto_aead *aead, const struct hs_half *half, struct hs_traffic *ret)
{
	*ret = half->t;
	for (int i = 0; !aead->mac && aead->fixed < aead->nonce && i < 8; i++)
		ret->iv[aead->fixed + i] = (uint8_t)(ret->seq >> (56 - 8 * i));
}

int tls12_done(struct hs *hs)
{
	struct hs_result *r = &hs->result;

	if (hs->in.len)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent a handshake message behind its Finished");
	hand_over(hs->suite->aead, &hs->tx, &r->tx);
	hand_over(hs->suite->aead, &hs->rx, &r->rx);
	memcpy(r->exporter, hs->tls12.master, MASTER_SECRET);
	memcpy(r->randoms, hs->client_random, HS_RANDOM);
	memcpy(r->randoms + HS_RANDOM, hs->tls12.server_random, HS_RANDOM);
	r->version = TLS12;
	r->suite = hs->suite->id;
	r->group = hs->group ? hs->group->id : 0;
	r->aead = hs->suite->aead;
	r->hash = hs->hash;
	hs_name_peer(hs);
	if (hs->role == HS_SERVER && hs->session_id_len && session_named(hs))
		session_keep_named(hs);
	return keep_session(hs);
}

void tls12_export(const struct hs_result *r, const char *label, const uint8_t *context, size_t context_len,
		  uint8_t *out, size_t len)
{
	uint8_t seed[PRF_SEED];
	struct wbuf b = { .buf = seed, .cap = sizeof(seed) };

	wbuf_bytes(&b, r->randoms, sizeof(r->randoms));
	if (context) {
		wbuf_u16(&b, (uint16_t)context_len);
		wbuf_bytes(&b, context, context_len);
	}
	prf(r->hash, r->exporter, MASTER_SECRET, label, seed, b.len, out, len);
}
