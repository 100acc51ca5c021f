// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ClientHello and ServerHello, RFC 9846 4.1. A client writes its first and its
 * second ClientHello with the same function; a server reads them so, and takes
 * a fingerprint of what a second one may not change.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "rng/rng.h"
#include <errno.h>
#include <string.h>

/* ---- client */

/* Of the session to go on with in TLS 1.2; else one that middleboxes like to see. */
static void choose_session_id(struct hs *hs)
{
	const struct hs_ticket *t = hs->params->ticket;

	hs->session_id_len = 0;
	if (session_offered(hs)) {
		hs->session_id_len = t->session_id_len;
		memcpy(hs->session_id, t->session_id, t->session_id_len);
	}
	if (!hs->session_id_len && (session_offered(hs) || (hs->params->compatibility && hs_allows(hs, TLS13)))) {
		hs->session_id_len = HS_SESSION_ID;
		rng_fill(RNG_NONCE, hs->session_id, HS_SESSION_ID);
	}
}

int client_hello_send(struct hs *hs, struct wbuf *b)
{
	size_t mark;
	int err;

	if (!hs->retry) {
		rng_fill(RNG_NONCE, hs->client_random, HS_RANDOM);
		choose_session_id(hs);
	} else {
		err = record_ccs(hs);
		if (err)
			return err;
	}
	err = psk_collect(hs);
	if (err)
		return err;
	early_offer(hs);
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

/* A TLS 1.3 server that negotiates less marks its random, RFC 9846 4.1.3. 0: TLS 1.2 it is. */
static int check_old_version(struct hs *hs, const uint8_t *random, uint16_t version)
{
	const uint8_t *p = random + HS_RANDOM - SENTINEL;

	if (hs_allows(hs, TLS13) && !memcmp(p, hs_sentinel, SENTINEL - 1) && p[SENTINEL - 1] <= 1)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER,
			       "the server has TLS 1.3, but somebody on the way asked it for less");
	if (version != TLS12 || !hs_allows(hs, TLS12))
		return hs_fail(hs, ALERT_PROTOCOL_VERSION, "the server has no TLS %s (it answered %04x)",
			       hs_allows(hs, TLS12) ? "1.2" : "1.3", version);
	if (hs->retry)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose TLS 1.2 after a retry of TLS 1.3");
	/* RFC 8446 4.2.10: it can't have read the hello that these data came with. */
	if (hs->early != HS_EARLY_NONE)
		return hs_fail(hs, ALERT_PROTOCOL_VERSION, "the server has no TLS 1.3 any more, and was sent early data");
	return 0;
}

static int take_suite(struct hs *hs, uint16_t id, uint16_t version)
{
	const struct suite *suite = NULL;

	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->id == id)
			suite = hs->suites[i];
	if (!suite || suite->version != version)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose a cipher that was not offered");
	if (hs->suite && hs->suite != suite)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server changed the cipher after its retry");
	hs->suite = suite;
	return 0;
}

static int check_session_id(struct hs *hs, const struct rbuf *session)
{
	if (rbuf_len(session) != hs->session_id_len || memcmp(session->p, hs->session_id, hs->session_id_len))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server did not echo the session id");
	return 0;
}

/* What ServerHello and HelloRetryRequest have in common. */
int server_hello_read(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	uint16_t version, selected, id;
	uint8_t compression;
	const uint8_t *random;
	struct rbuf session;
	int err = 0;

	if (!rbuf_u16(b, &version) || !rbuf_bytes(b, &random, HS_RANDOM) || !rbuf_vec8(b, &session) ||
	    rbuf_len(&session) > HS_SESSION_ID || !rbuf_u16(b, &id) || !rbuf_u8(b, &compression))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerHello is malformed");
	selected = ext_selected_version(*b);
	/* RFC 9846 4.2.1: the old field counts only where the extension is missing, or says SSL 3. */
	if (!selected || version < TLS10)
		err = check_old_version(hs, random, version);
	else if (selected != TLS13 || !hs_allows(hs, TLS13))
		err = hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose a version that was not offered");
	else
		err = check_session_id(hs, &session);
	if (!err && compression)
		err = hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose to compress");
	if (!err)
		err = take_suite(hs, id, selected ? TLS13 : TLS12);
	if (err || !selected)
		return err ? err : server_hello12_read(hs, random, &session, b);
	hs->version = TLS13;
	return ext_read(hs, msg, b);
}

int server_hello_recv(struct hs *hs, struct rbuf *b)
{
	struct rbuf msg = { b->p - 4, b->end };
	int err;

	if (is_retry_request(&msg))
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the server asked for a retry twice");
	err = server_hello_read(hs, EXT_SH, b);
	if (err || hs->version == TLS12)
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

	if (hs->version == TLS12)
		return 0;
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

static bool offers_no_compression(struct rbuf methods)
{
	uint8_t one;

	while (rbuf_u8(&methods, &one))
		if (!one)
			return true;
	return false;
}

/* RFC 9846 4.1.2: the only method there is, of TLS 1.3; one of those there are, of TLS 1.2. */
static int check_compression(struct hs *hs, const struct rbuf *methods)
{
	if (!offers_no_compression(*methods) || (hs->version == TLS13 && rbuf_len(methods) != 1))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client offers compression");
	return 0;
}

static int check_hello(struct hs *hs, const struct rbuf *compression)
{
	int err = check_compression(hs, compression);

	return err ? err : check_mandatory(hs);
}

/*
 * What the extension says of versions that are allowed here, else the old field, RFC 9846 4.2.1.
 * It is looked for before the others, which depend on it.
 */
static int choose_version(struct hs *hs, uint16_t version, struct rbuf block)
{
	uint16_t best = 0;
	int err = version < TLS10 ? 0 : ext_best_version(hs, block, &best);

	if (err > 0)
		return err;
	if (err == -ENOENT && version >= TLS12 && hs_allows(hs, TLS12))
		best = TLS12;
	if (!best)
		return hs_fail(hs, ALERT_PROTOCOL_VERSION, "the client has no TLS %s",
			       hs_allows(hs, TLS12) ? "1.2" : "1.3");
	if (hs->retry && best != TLS13)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the second ClientHello differs from the first");
	hs->version = best;
	return best == TLS12 ? tls12_begin(hs, 0) : 0;
}

/* All of it, before anything is chosen. */
static int read_hello(struct hs *hs, struct rbuf *b)
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
	hs->received = 0;
	hs->early_left = 0;
	hs->psk_modes = 0;
	hs->cert_schemes_num = 0;
	hs->peer_authorities = (struct rbuf){ 0 };
	fixed = (size_t)(b->p - start);
	block = (struct rbuf){ b->p + (rbuf_len(b) < 2 ? 0 : 2), b->end };
	err = choose_version(hs, version, *b);
	/* TLS 1.2 clients may leave the block out. */
	if (!err && rbuf_len(b))
		err = ext_read(hs, EXT_CH, b);
	if (!err)
		err = check_hello(hs, &compression);
	if (err || hs->version == TLS12)
		return err;
	hello_print(start, fixed, block, print);
	err = hs->retry ? check_second_hello(hs, print) : 0;
	memcpy(hs->hello_print, print, crypto_sha256.size);
	return err;
}

/* A second call with the same bytes goes on where the first had to wait. */
int client_hello_recv(struct hs *hs, struct rbuf *b)
{
	const struct hs_params *p = hs->params;
	const uint8_t *start = b->p;
	int err = hs->preparing ? 0 : read_hello(hs, b);

	if (err)
		return err;
	if (hs->preparing)
		b->p = b->end;
	hs->preparing = p->prepare && !p->prepare(p->arg, hs->result.server_name);
	if (hs->preparing) {
		hs->state = HS_PREPARE;
		return 0;
	}
	return hs->version == TLS12 ? choose12(hs) : choose(hs, start - 4);
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
	hs_key_log(hs, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", client ? ours.secret : theirs.secret);
	hs_key_log(hs, "SERVER_HANDSHAKE_TRAFFIC_SECRET", client ? theirs.secret : ours.secret);
	schedule_traffic(&ours, hs->hash, hs->suite->aead);
	schedule_traffic(&theirs, hs->hash, hs->suite->aead);
	err = record_rx_keys(hs, &theirs);
	/* Behind early data it has to wait. */
	if (!err && client && hs->early == HS_EARLY_ASKED)
		hs->later = ours;
	else if (!err)
		err = record_tx_keys(hs, &ours);
	crypto_wipe(&ours, sizeof(ours));
	crypto_wipe(&theirs, sizeof(theirs));
	return err;
}
