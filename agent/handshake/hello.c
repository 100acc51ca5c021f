// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ClientHello and ServerHello, RFC 9846 4.1. A client writes its first and its
 * second ClientHello with the same function; a server reads them so, and takes
 * a fingerprint of what a second one may not change.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "rng/rng.h"
#include <string.h>

/* ---- client */

int client_hello_send(struct hs *hs, struct wbuf *b)
{
	size_t mark;
	int err;

	if (!hs->retry) {
		rng_fill(RNG_NONCE, hs->client_random, HS_RANDOM);
		hs->session_id_len = hs->params->compatibility ? HS_SESSION_ID : 0;
		rng_fill(RNG_NONCE, hs->session_id, hs->session_id_len);
	} else {
		err = record_ccs(hs);
		if (err)
			return err;
	}
	err = psk_collect(hs);
	if (err)
		return err;
	wbuf_u16(b, TLS12);
	wbuf_bytes(b, hs->client_random, HS_RANDOM);
	wbuf_u8(b, (uint8_t)hs->session_id_len);
	wbuf_bytes(b, hs->session_id, hs->session_id_len);
	mark = wbuf_open(b, 2);
	if (hs->params->grease)
		wbuf_u16(b, grease16(hs, GREASE_SUITE));
	for (size_t i = 0; i < hs->suites_num; i++)
		wbuf_u16(b, hs->suites[i]->id);
	wbuf_close(b, mark, 2);
	wbuf_u8(b, 1);
	wbuf_u8(b, 0);
	return ext_write(hs, EXT_CH, b);
}

/* A TLS 1.3 server that negotiates less marks its random, RFC 9846 4.1.3. */
static int refuse_old_version(struct hs *hs, const uint8_t *random, uint16_t version)
{
	static const uint8_t sentinel[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D' };
	const uint8_t *p = random + HS_RANDOM - 8;

	if (!memcmp(p, sentinel, sizeof(sentinel)) && p[7] <= 1)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER,
			       "the server has TLS 1.3, but somebody on the way asked it for less");
	return hs_fail(hs, ALERT_PROTOCOL_VERSION, "the server has no TLS 1.3 (it answered %04x)", version);
}

static int take_suite(struct hs *hs, uint16_t id)
{
	const struct suite *suite = NULL;

	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->id == id)
			suite = hs->suites[i];
	if (!suite)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose a cipher that was not offered");
	if (hs->suite && hs->suite != suite)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server changed the cipher after its retry");
	hs->suite = suite;
	return 0;
}

/* What ServerHello and HelloRetryRequest have in common. */
int server_hello_read(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint16_t version, selected, id;
	uint8_t compression;
	const uint8_t *random;
	struct rbuf session;
	int err;

	if (!rbuf_u16(b, &version) || !rbuf_bytes(b, &random, HS_RANDOM) || !rbuf_vec8(b, &session) ||
	    rbuf_len(&session) > HS_SESSION_ID || !rbuf_u16(b, &id) || !rbuf_u8(b, &compression))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerHello is malformed");
	selected = ext_selected_version(*b);
	/* RFC 9846 4.2.1: the old field counts only where the extension is missing, or says SSL 3. */
	if (!selected || version < TLS10)
		return refuse_old_version(hs, random, version);
	if (selected != TLS13)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose a version that was not offered");
	if (rbuf_len(&session) != hs->session_id_len || memcmp(session.p, hs->session_id, hs->session_id_len))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server did not echo the session id");
	if (compression)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose to compress");
	err = take_suite(hs, id);
	return err ? err : ext_read(hs, msg, b);
}

int server_hello_recv(struct hs *hs, struct rbuf *b)
{
	struct rbuf msg = { b->p - 4, b->end };
	int err;

	if (is_retry_request(&msg))
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the server asked for a retry twice");
	err = server_hello_read(hs, EXT_SH, b);
	if (err)
		return err;
	if (!ext_answered(hs, EXT_ID_KEY_SHARE))
		return hs_fail(hs, ALERT_MISSING_EXTENSION, "the ServerHello has no key share");
	transcript_start(hs, hs->suite->hash);
	return 0;
}

/* ---- server */

/* Extensions that a second ClientHello may add, drop or change, RFC 9846 4.1.2; and ECH, RFC 9849. */
static bool may_change(uint16_t id)
{
	return id == EXT_ID_PADDING || id == EXT_ID_PRE_SHARED_KEY || id == EXT_ID_EARLY_DATA ||
	       id == EXT_ID_COOKIE || id == EXT_ID_KEY_SHARE || id == EXT_ID_ECH;
}

/* Hash of everything in a ClientHello but those; @block has been checked for form. */
static void hello_print(const uint8_t *body, size_t len, struct rbuf block, uint8_t *out)
{
	uint8_t ctx[CRYPTO_HASH_CTX] __attribute__((aligned(16)));
	const uint8_t *start;
	struct rbuf one;
	uint16_t id;

	crypto_sha256.init(ctx);
	crypto_sha256.update(ctx, len, body);
	for (;;) {
		start = block.p;
		if (!rbuf_u16(&block, &id) || !rbuf_vec16(&block, &one))
			break;
		if (!may_change(id))
			crypto_sha256.update(ctx, (size_t)(one.end - start), start);
	}
	crypto_sha256.digest(ctx, out);
}

static int check_second_hello(struct hs *hs, const uint8_t *print)
{
	if (memcmp(hs->hello_print, print, crypto_sha256.size))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the second ClientHello differs from the first");
	if (hs->cookie.len && !ext_received(hs, EXT_ID_COOKIE))
		return hs_fail(hs, ALERT_MISSING_EXTENSION, "the second ClientHello lacks the cookie");
	if (ext_received(hs, EXT_ID_EARLY_DATA))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the second ClientHello has early data");
	return 0;
}

/* RFC 9846 9.2: these come together, as there is no handshake of ours without a key exchange. */
static int check_mandatory(struct hs *hs)
{
	static const uint16_t ids[] = {
		EXT_ID_SIGNATURE_ALGORITHMS, EXT_ID_SUPPORTED_GROUPS, EXT_ID_KEY_SHARE,
	};
	size_t first = ext_received(hs, EXT_ID_PRE_SHARED_KEY) ? 1 : 0;

	for (size_t i = first; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (!ext_received(hs, ids[i]))
			return hs_fail(hs, ALERT_MISSING_EXTENSION, "the ClientHello has no %s", ext_name(ids[i]));
	return 0;
}

static int choose(struct hs *hs, const uint8_t *hello)
{
	int err = choose_suite(hs);

	if (!err)
		err = choose_psk(hs, hello);
	if (!err)
		err = choose_group(hs);
	if (!err)
		err = choose_identity(hs);
	if (!err)
		transcript_start(hs, hs->suite->hash);
	return err;
}

static bool read_fixed_part(struct hs *hs, struct rbuf *b, uint16_t *version, struct rbuf *compression)
{
	struct rbuf session;

	if (!rbuf_u16(b, version) || !rbuf_copy(b, hs->client_random, HS_RANDOM) ||
	    !rbuf_vec8(b, &session) || rbuf_len(&session) > HS_SESSION_ID ||
	    !rbuf_vec16(b, &hs->peer_suites) || rbuf_len(&hs->peer_suites) < 2 ||
	    rbuf_len(&hs->peer_suites) % 2 || !rbuf_vec8(b, compression) || !rbuf_len(compression))
		return false;
	hs->session_id_len = rbuf_len(&session);
	return rbuf_copy(&session, hs->session_id, hs->session_id_len);
}

static int check_hello(struct hs *hs, uint16_t version, const struct rbuf *compression)
{
	if (hs->peer_version != TLS13 || version < TLS10)
		return hs_fail(hs, ALERT_PROTOCOL_VERSION, "the client has no TLS 1.3");
	if (rbuf_len(compression) != 1 || compression->p[0])
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client offers compression");
	return check_mandatory(hs);
}

int client_hello_recv(struct hs *hs, struct rbuf *b)
{
	const uint8_t *start = b->p;
	uint8_t print[CRYPTO_MAX_DIGEST];
	struct rbuf compression, block;
	uint16_t version;
	size_t fixed;
	int err;

	if (!read_fixed_part(hs, b, &version, &compression))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ClientHello is malformed");
	hs->greeted = true;
	hs->peer_version = 0;
	hs->received = 0;
	hs->psk_modes = 0;
	hs->cert_schemes_num = 0;
	hs->peer_authorities = (struct rbuf){ 0 };
	fixed = (size_t)(b->p - start);
	block = (struct rbuf){ b->p + (rbuf_len(b) < 2 ? 0 : 2), b->end };
	/* TLS 1.2 clients may leave the block out. */
	err = rbuf_len(b) ? ext_read(hs, EXT_CH, b) : 0;
	if (!err)
		err = check_hello(hs, version, &compression);
	if (err)
		return err;
	hello_print(start, fixed, block, print);
	err = hs->retry ? check_second_hello(hs, print) : 0;
	memcpy(hs->hello_print, print, crypto_sha256.size);
	return err ? err : choose(hs, start - 4);
}

int server_hello_send(struct hs *hs, struct wbuf *b)
{
	uint8_t random[HS_RANDOM];

	rng_fill(RNG_NONCE, random, sizeof(random));
	return server_hello_write(hs, EXT_SH, random, b);
}

int server_hello_write(struct hs *hs, enum ext_in msg, const uint8_t *random, struct wbuf *b)
{
	wbuf_u16(b, TLS12);
	wbuf_bytes(b, random, HS_RANDOM);
	wbuf_u8(b, (uint8_t)hs->session_id_len);
	wbuf_bytes(b, hs->session_id, hs->session_id_len);
	wbuf_u16(b, hs->suite->id);
	wbuf_u8(b, 0);
	return ext_write(hs, msg, b);
}

/* ---- both */

int use_handshake_keys(struct hs *hs)
{
	bool client = hs->role == HS_CLIENT;
	uint8_t digest[CRYPTO_MAX_DIGEST];
	struct hs_traffic ours, theirs;
	int err = client ? 0 : record_ccs(hs);

	if (err)
		return err;
	transcript_digest(hs, digest);
	schedule_start(&hs->schedule, hs->hash, hs->has_psk ? hs->psk.key : NULL, hs->psk.len);
	psk_forget(hs);
	crypto_wipe(&hs->psk, sizeof(hs->psk));
	schedule_mix(&hs->schedule, hs->secret, hs->group->secret);
	crypto_wipe(hs->secret, sizeof(hs->secret));
	hs_forget_shares(hs);
	schedule_derive(&hs->schedule, client ? "c hs traffic" : "s hs traffic", digest, ours.secret);
	schedule_derive(&hs->schedule, client ? "s hs traffic" : "c hs traffic", digest, theirs.secret);
	schedule_traffic(&ours, hs->hash, hs->suite->aead);
	schedule_traffic(&theirs, hs->hash, hs->suite->aead);
	err = record_rx_keys(hs, &theirs);
	if (!err)
		err = record_tx_keys(hs, &ours);
	crypto_wipe(&ours, sizeof(ours));
	crypto_wipe(&theirs, sizeof(theirs));
	return err;
}
