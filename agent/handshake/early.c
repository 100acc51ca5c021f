// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Early data, RFC 8446 2.3, 4.2.10 and 8: what a client sends along with its
 * hello, under a key of its ticket alone. Whoever saw it can send it again, so
 * a server takes it only for the first of its tickets, at about the age that
 * the ticket has, with the name, protocol and cipher of the session before,
 * without a retry, and if a register outside says that it is the first time.
 * Whatever is in doubt is skipped, which costs the client a round trip.
 *
 *	client: NONE -> ASKED, with the hello -> ACCEPTED or REJECTED, by EncryptedExtensions or a retry
 *	server: NONE -> REJECTED, or ASKED if the hello may be right -> ACCEPTED or REJECTED, by hs_fresh()
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "handshake/ticket.h"
#include <string.h>

/* The key of what is sent behind the ClientHello with this digest. */
static void early_keys(struct hs *hs, const struct psk *psk, const struct suite *suite, const uint8_t *digest,
		       struct hs_traffic *t)
{
	struct schedule s;

	schedule_start(&s, psk->hash, psk->key, psk->len);
	schedule_derive(&s, "c e traffic", digest, t->secret);
	if (hs->params->key_log)
		hs->params->key_log(hs->params->arg, "CLIENT_EARLY_TRAFFIC_SECRET", hs->client_random, t->secret,
				    psk->hash->size);
	schedule_traffic(t, psk->hash, suite->aead);
	schedule_wipe(&s);
}

/* ---- client */

static const struct suite *offered_suite(const struct hs *hs, uint16_t id)
{
	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->id == id)
			return hs->suites[i];
	return NULL;
}

static bool protocol_offered(const struct hs *hs, const struct hs_ticket *t)
{
	struct rbuf list = { hs->params->alpn, hs->params->alpn + hs->params->alpn_len }, name;

	if (!t->alpn_len)
		return true;
	while (hs->params->alpn_len && rbuf_vec8(&list, &name))
		if (rbuf_len(&name) == t->alpn_len && !memcmp(name.p, t->alpn, t->alpn_len))
			return true;
	return false;
}

void early_offer(struct hs *hs)
{
	const struct hs_params *p = hs->params;

	if (hs->retry) {
		if (hs->early == HS_EARLY_ASKED)
			hs->early = HS_EARLY_REJECTED;
		hs->tx.on = false;
	} else if (p->early_len && hs->psks_num && hs->psks[0].kind == PSK_TICKET &&
		   p->early_len <= p->ticket->max_early && protocol_offered(hs, p->ticket) &&
		   offered_suite(hs, p->ticket->suite)) {
		hs->early = HS_EARLY_ASKED;
	}
}

static int send_early_data(struct hs *hs)
{
	const struct suite *suite = suite_by_id(hs->params->ticket->suite);
	uint8_t digest[CRYPTO_MAX_DIGEST];
	struct hs_traffic t;
	int err = record_ccs(hs);

	if (!err)
		err = record_flush(hs);
	if (err)
		return err;
	crypto_hash_once(suite->hash, hs->hello.p, hs->hello.len, digest);
	early_keys(hs, &hs->psks[0], suite, digest, &t);
	hs->tx = (struct hs_half){ .on = true, .aead = suite->aead, .t = t };
	crypto_wipe(&t, sizeof(t));
	return record_data(hs, hs->params->early, hs->params->early_len);
}

int early_confirm(struct hs *hs)
{
	const struct hs_ticket *t = hs->params->ticket;

	if (hs->early != HS_EARLY_ASKED || !hs->result.resumed)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server takes early data of another session");
	if (hs->suite->id != t->suite)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server takes early data under another cipher");
	if (hs->result.alpn_len != t->alpn_len || memcmp(hs->result.alpn, t->alpn, t->alpn_len))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server takes early data of another protocol");
	hs->early = HS_EARLY_ACCEPTED;
	return 0;
}

/* ---- server */

/* RFC 8446 8.3: a ticket that is younger or older than it says may be a copy that was held back. */
static bool about_right(uint32_t says_ms, uint64_t is_s)
{
	uint64_t is_ms = is_s * 1000;
	uint64_t off = says_ms > is_ms ? says_ms - is_ms : is_ms - says_ms;

	return off <= HS_EARLY_WINDOW * 1000;
}

void early_consider(struct hs *hs, const struct ticket *t, uint32_t obfuscated_age, const struct rbuf *identity)
{
	const struct hs_params *p = hs->params;

	hs->early_fits = p->max_early && t->max_early && ext_received(hs, EXT_ID_EARLY_DATA) && !hs->retry &&
			 hs->suite->id == t->suite &&
			 about_right(obfuscated_age - t->age_add, (uint64_t)p->now - t->issued);
	hs->early_max = p->max_early < t->max_early ? p->max_early : t->max_early;
	crypto_hash_once(&crypto_sha256, identity->p, rbuf_len(identity), hs->early_id);
}

/* The transcript ends with the hello, and is the hash of the key's suite. */
static void expect_early_data(struct hs *hs)
{
	uint8_t digest[CRYPTO_MAX_DIGEST];

	if (!ext_received(hs, EXT_ID_EARLY_DATA))
		return;
	hs->early = HS_EARLY_REJECTED;
	if (!hs->early_fits || hs->retry || !hs->has_psk)
		return;
	hs->early = HS_EARLY_ASKED;
	transcript_digest(hs, digest);
	early_keys(hs, &hs->psk, hs->suite, digest, &hs->early_keys);
}

bool early_undecided(const struct hs *hs)
{
	return hs->role == HS_SERVER && hs->early == HS_EARLY_ASKED;
}

const uint8_t *hs_fresh_wanted(const struct hs *hs)
{
	return hs->state == HS_FRESH ? hs->early_id : NULL;
}

int early_take(struct hs *hs, const uint8_t *p, size_t len)
{
	if (hs->early_data.len + len > hs->early_max)
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the client sent more than %u bytes of early data",
			       hs->early_max);
	return gbuf_add(&hs->early_data, p, len) ? 0 : hs_no_memory(hs);
}

const uint8_t *hs_early_data(const struct hs *hs, size_t *len)
{
	*len = hs->early_data.len;
	return hs->early_data.p;
}

/* ---- both */

int begin_early_data(struct hs *hs)
{
	if (hs->role == HS_SERVER)
		expect_early_data(hs);
	return hs->role == HS_CLIENT && hs->early == HS_EARLY_ASKED ? send_early_data(hs) : 0;
}

/* EncryptedExtensions have told: the client's handshake key is used now, or after EndOfEarlyData. */
int settle_early_data(struct hs *hs)
{
	struct hs_traffic early = hs->early_keys;
	int err = 0;

	if (hs->role == HS_CLIENT && hs->early == HS_EARLY_ASKED) {
		hs->early = HS_EARLY_REJECTED;
		err = record_tx_keys(hs, &hs->later);
	} else if (hs->role == HS_SERVER && hs->early == HS_EARLY_ACCEPTED) {
		hs->early_left = 0;
		hs->later = hs->rx.t;
		err = record_rx_keys(hs, &early);
		hs->early_now = true;
	}
	crypto_wipe(&early, sizeof(early));
	crypto_wipe(&hs->early_keys, sizeof(hs->early_keys));
	return err;
}

int end_of_early_data_send(struct hs *hs, struct wbuf *b)
{
	(void)hs;
	(void)b;
	return 0;
}

int end_of_early_data_recv(struct hs *hs, struct rbuf *b)
{
	(void)hs;
	(void)b;	/* the engine refuses what is left of it */
	return 0;
}

/* From EndOfEarlyData on. */
int after_early_data(struct hs *hs)
{
	int err = hs->role == HS_CLIENT ? record_tx_keys(hs, &hs->later) : record_rx_keys(hs, &hs->later);

	hs->early_now = false;
	crypto_wipe(&hs->later, sizeof(hs->later));
	return err;
}
