// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine: walks the flow from top to bottom. For each step that is present
 * it sends or receives one message, adds it to the transcript, and does what
 * follows from it. A message enters the transcript after it was handled,
 * because CertificateVerify and Finished speak of what came before them.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER		4
#define MAX_MESSAGE	16384
#define MAX_HELLO	65536
#define MAX_CERTIFICATE	(256 * 1024)

int hs_fail(struct hs *hs, int err, const char *why, ...)
{
	va_list ap;

	if (hs->why[0])
		return err;
	va_start(ap, why);
	vsnprintf(hs->why, sizeof(hs->why), why, ap);
	va_end(ap);
	return err;
}

int hs_no_memory(struct hs *hs)
{
	return hs_fail(hs, -ENOMEM, "out of memory");
}

void hs_forget_shares(struct hs *hs)
{
	if (hs->shares)
		crypto_wipe(hs->shares, hs->shares_num * sizeof(*hs->shares));
	free(hs->shares);
	hs->shares = NULL;
	hs->shares_num = 0;
}

static bool has_group(const struct hs *hs, const struct suite *suite)
{
	if (suite->kx && suite->kx->share == KX_NONE)
		return true;
	for (size_t i = 0; i < hs->groups_num; i++)
		if (!suite->kx || group_for_12(hs->groups[i], suite->kx->share))
			return true;
	return false;
}

/* A suite with a key by hand: there is one, and it may be used so. */
static bool has_key(const struct hs_params *p, const struct suite *suite)
{
	if (!suite->kx || suite->kx->auth != KX_PSK)
		return true;
	return (p->psk || p->find_psk) && p->psk12 & 1u << suite->kx->share;
}

/* Every suite of the versions that are allowed with this cipher; 0: with any. */
static void add_suites(struct hs *hs, uint16_t cipher)
{
	for (size_t i = 0; i < suites_num; i++)
		if ((cipher ? suites[i].aead->tls_cipher == cipher : !suites[i].optional) &&
		    hs_allows(hs, suites[i].version) && has_group(hs, &suites[i]) && has_key(hs->params, &suites[i]) && hs->suites_num < SUITES_MAX)
			hs->suites[hs->suites_num++] = &suites[i];
}

static void choose_from_params(struct hs *hs, const struct hs_params *p)
{
	const struct crypto_group *group;

	for (size_t i = 0; i < (p->groups ? p->groups_num : GROUPS_DEFAULT); i++) {
		group = p->groups ? group_by_id(p->groups[i]) : groups[i];
		if (group && hs->groups_num < GROUPS_MAX)
			hs->groups[hs->groups_num++] = group;
	}
	for (size_t i = 0; p->ciphers && i < p->ciphers_num; i++)
		add_suites(hs, p->ciphers[i]);
	if (!p->ciphers)
		add_suites(hs, 0);
}

struct hs *hs_new(const struct hs_params *params)
{
	struct hs *hs = calloc(1, sizeof(*hs));

	if (!hs)
		return NULL;
	hs->params = params;
	hs->role = params->role;
	hs->alert = -1;
	hs->flow = hs_flow13;
	hs->flow_num = hs_flow13_num;
	hs->min_version = params->min_version ? params->min_version : TLS12;
	hs->max_version = params->max_version ? params->max_version : TLS13;
	hs->cert_requested = params->role == HS_SERVER && params->client_auth != HS_AUTH_NONE;
	if (params->role == HS_CLIENT && params->server_name)
		snprintf(hs->result.server_name, HS_MAX_NAME, "%s", params->server_name);
	choose_from_params(hs, params);
	if (params->grease)
		grease_choose(hs);
	/* From here on there is always room for an alert. */
	if (!gbuf_room(&hs->out, 1024)) {
		hs_free(hs);
		return NULL;
	}
	return hs;
}

void hs_free(struct hs *hs)
{
	if (!hs)
		return;
	for (size_t i = 0; i < hs->result.peer_num; i++)
		x509_cert_free(hs->result.peer[i]);
	hs_forget_shares(hs);
	psk_forget(hs);
	gbuf_free(&hs->rec);
	gbuf_free(&hs->in);
	gbuf_free(&hs->flight);
	gbuf_free(&hs->out);
	gbuf_free(&hs->hello);
	gbuf_free(&hs->early_data);
	gbuf_free(&hs->scts);
	gbuf_free(&hs->cookie);
	gbuf_free(&hs->ech);
	gbuf_free(&hs->peer_key);
	gbuf_free(&hs->credential);
	gbuf_free(&hs->peer_delegate);
	gbuf_free(&hs->offered_shares);
	gbuf_free(&hs->tls12.said);
	gbuf_free(&hs->tls12.signed_params);
	if (hs->result.ticket)
		crypto_wipe(hs->result.ticket, sizeof(*hs->result.ticket));
	free(hs->result.ticket);
	crypto_wipe(hs, sizeof(*hs));
	free(hs);
}

/* ---- one message */

static size_t max_message(enum hs_msg type)
{
	if (type == HS_CLIENT_HELLO)
		return MAX_HELLO;
	return type == HS_CERTIFICATE || type == HS_COMPRESSED_CERTIFICATE ? MAX_CERTIFICATE : MAX_MESSAGE;
}

/* An upper bound of what we send in this step. */
static size_t send_room(const struct hs *hs, enum hs_msg type)
{
	const struct identity *identity = hs->result.identity;
	size_t room = 4096 + hs->params->alpn_len + hs->cookie.len + hs->params->pad + psk_room(hs);

	if (type == HS_CLIENT_HELLO)
		for (size_t i = 0; i < hs->groups_num; i++)
			room += hs->groups[i]->client_share + 6u;
	if (type == HS_CERTIFICATE && identity)
		for (size_t i = 0; i < identity->num; i++)
			room += x509_cert_der(identity->chain[i])->len + 5;
	if ((type == HS_CERTIFICATE || type == HS_CERTIFICATE_STATUS) && identity && identity->staple)
		room += identity->staple->len;
	if (type == HS_CERTIFICATE_VERIFY)
		room += hs->sig_len;
	if ((type == HS_CERTIFICATE || type == HS_SERVER_HELLO) && identity)
		room += identity->sct_len + (identity->delegated ? identity->delegated->len : 0);
	return room;
}

static int send_message(struct hs *hs, const struct hs_step *step)
{
	size_t room = send_room(hs, step->type), mark;
	struct wbuf b = { .buf = gbuf_room(&hs->flight, room), .cap = room };
	int err;

	if (!b.buf)
		return hs_no_memory(hs);
	wbuf_u8(&b, step->type);
	mark = wbuf_open(&b, 3);
	err = step->send(hs, &b);
	if (err || hs->state != HS_READ)
		return err;
	wbuf_close(&b, mark, 3);
	if (b.overflow)
		return hs_fail(hs, -EMSGSIZE, "%s is too long to send", step->name);
	if (step->type == HS_CLIENT_HELLO && hs->psks_num)
		psk_bind(hs, b.buf, b.len);
	hs->flight.len += b.len;
	return transcript_add(hs, b.buf, b.len);
}

static int recv_message(struct hs *hs, const struct hs_step *step, const struct rbuf *msg)
{
	struct rbuf body = { msg->p + HEADER, msg->end };
	int err = step->recv(hs, &body);

	if (err || hs->state == HS_PREPARE)
		return err;
	if (rbuf_len(&body))
		return hs_fail(hs, ALERT_DECODE_ERROR, "%s is longer than what it holds", step->name);
	err = transcript_add(hs, msg->p, rbuf_len(msg));
	gbuf_drop(&hs->in, rbuf_len(msg));
	return err;
}

/* false: the next message is not whole yet. */
static bool next_message(const struct hs *hs, struct rbuf *msg)
{
	struct rbuf r = gbuf_rbuf(&hs->in), body;
	uint8_t type;

	if (!rbuf_u8(&r, &type) || !rbuf_vec24(&r, &body))
		return false;
	*msg = (struct rbuf){ hs->in.p, body.end };
	return true;
}

/* ---- the walk */

static bool mine(const struct hs *hs, const struct hs_step *step)
{
	return step->sender == hs->role;
}

/* The next step that comes whatever the peer does; its sender is the one whose turn it is. */
static const struct hs_step *certain_step(const struct hs *hs)
{
	for (size_t i = hs->step; i < hs->flow_num; i++)
		if (hs->flow[i].present(hs, NULL))
			return &hs->flow[i];
	return NULL;
}

/* A CompressedCertificate stands for a Certificate where we have offered to take one. */
static bool step_takes(const struct hs *hs, const struct hs_step *step, uint8_t type)
{
	return step->type == type || (hs->version == TLS13 && step->type == HS_CERTIFICATE &&
				      type == HS_COMPRESSED_CERTIFICATE &&
				      ext_offered(hs, EXT_ID_COMPRESS_CERTIFICATE));
}

/* May this type come now? The answer needs no more than the first byte. */
static bool type_expected(const struct hs *hs, uint8_t type)
{
	const struct hs_step *step = hs->flow + hs->step, *end = hs->flow + hs->flow_num;

	for (; step < end; step++) {
		if (!mine(hs, step) && step_takes(hs, step, type))
			return true;
		if (step->present(hs, NULL))
			return false;
	}
	return false;
}

/* A server of TLS 1.2 may ask for what is going on already, RFC 5246 7.4.1.1: in no transcript. */
static void skip_hello_requests(struct hs *hs)
{
	static const uint8_t request[HEADER] = { HS_HELLO_REQUEST };

	while (hs->role == HS_CLIENT && hs->version != TLS13 && hs->in.len >= HEADER &&
	       !memcmp(hs->in.p, request, HEADER))
		gbuf_drop(&hs->in, HEADER);
}

/* Refuse a message by its header, before its body is collected. */
static int check_pending(struct hs *hs)
{
	struct rbuf r;
	uint8_t type;
	uint32_t len;

	skip_hello_requests(hs);
	r = gbuf_rbuf(&hs->in);
	if (!rbuf_u8(&r, &type))
		return 0;
	if (!type_expected(hs, type))
		return hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent message type %u instead of %s",
			       type, hs_step_name(hs));
	if (rbuf_u24(&r, &len) && len > max_message(type))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "%s of the peer has %u bytes, too many",
			       hs_step_name(hs), len);
	return 0;
}

/* The peer's change_cipher_spec is here: past the messages that need not come before it. */
static const struct hs_step *skip_to_change(struct hs *hs, const struct hs_step *step)
{
	const struct hs_step *next = certain_step(hs);

	if (!next || next->type != HS_CHANGE_CIPHER_SPEC || mine(hs, next))
		return step;
	hs->step = (size_t)(next - hs->flow);
	return next;
}

/* RFC 5246 7.1: in no transcript, and a record of its own. As advance(). */
static int change_cipher(struct hs *hs, const struct hs_step *step, int *err)
{
	if (mine(hs, step))
		*err = step->send(hs, NULL);
	else if (!hs->tls12.changing)
		*err = check_pending(hs);
	else
		*err = step->recv(hs, NULL);
	if (*err || !(mine(hs, step) ? hs->tx.on : hs->rx.on))
		return 0;
	hs->step++;
	return 1;
}

/* Does one step if it can. 1: it did, go on; 0: bytes or a signature are missing. */
static int advance(struct hs *hs, const struct hs_step *step, int *err)
{
	bool send = mine(hs, step), there = false;
	const struct hs_step *next;
	struct rbuf msg;

	if (hs->tls12.changing)
		step = skip_to_change(hs, step);
	if (step->type == HS_CHANGE_CIPHER_SPEC && step->present(hs, NULL))
		return change_cipher(hs, step, err);
	if (!send) {
		*err = check_pending(hs);
		if (*err)
			return 0;
		there = next_message(hs, &msg);
		next = certain_step(hs);
		if (!there && next && !mine(hs, next))
			return 0;
	}
	if (step->present(hs, there ? &msg : NULL)) {
		*err = send ? send_message(hs, step) : recv_message(hs, step, &msg);
		step = &hs->flow[hs->step];	/* a hello may have changed the flow */
		if (!*err && hs->state == HS_READ && step->then)
			*err = step->then(hs);
	}
	if (*err || hs->state != HS_READ)
		return 0;
	hs->step++;
	return 1;
}

/* What follows the last step of a flow. */
static int last_word(struct hs *hs)
{
	if (hs->version == TLS12)
		return tls12_done(hs);
	if (!hs->post)
		return tickets_issue(hs);
	return hs->in.len ? hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent a message right behind Finished") : 0;
}

static int run(struct hs *hs)
{
	int err = 0;

	hs->state = HS_READ;
	while (hs->step < hs->flow_num && advance(hs, &hs->flow[hs->step], &err))
		;
	if (!err && hs->tls12.changing)
		err = hs_fail(hs, ALERT_UNEXPECTED_MESSAGE, "the peer sent a change_cipher_spec instead of %s",
			      hs_step_name(hs));
	if (!err && hs->state == HS_READ)
		err = record_flush(hs);
	if (!err && hs->step == hs->flow_num)
		err = last_word(hs);
	if (!err && hs->step == hs->flow_num)
		hs->state = HS_DONE;
	return err;
}

/* The last word of a handshake that failed. */
static int finish(struct hs *hs, int err)
{
	if (!err)
		return 0;
	hs->state = HS_FAILED;
	if (hs->alert_from != HS_ALERT_PEER) {
		hs->alert = err > 0 ? err : ALERT_INTERNAL_ERROR;
		hs->alert_from = HS_ALERT_LOCAL;
		if (!hs->post)
			record_alert(hs, hs->alert);
	}
	crypto_wipe(&hs->result.tx, sizeof(hs->result.tx));
	crypto_wipe(&hs->result.rx, sizeof(hs->result.rx));
	schedule_wipe(&hs->schedule);
	crypto_wipe(hs->tls12.master, sizeof(hs->tls12.master));
	crypto_wipe(&hs->early_keys, sizeof(hs->early_keys));
	crypto_wipe(&hs->later, sizeof(hs->later));
	hs_forget_shares(hs);
	return err;
}

/* ---- what the daemon calls */

int hs_start(struct hs *hs)
{
	int err = 0;

	if (!hs->suites_num || !hs->groups_num)
		err = hs_fail(hs, -EINVAL, "no cipher or no group is left to offer: see the configuration");
	return finish(hs, err ? err : run(hs));
}

enum hs_state hs_state(const struct hs *hs)
{
	return hs->state;
}

size_t hs_want(const struct hs *hs)
{
	return hs->state == HS_READ && !hs->post ? record_want(hs) : 0;
}

int hs_input(struct hs *hs, const uint8_t *data, size_t len)
{
	int err;

	if (hs->state != HS_READ || len > hs_want(hs))
		return -EINVAL;
	err = record_input(hs, data, len);
	return finish(hs, err ? err : run(hs));
}

int hs_messages(struct hs *hs, const uint8_t *data, size_t len)
{
	if (hs->state != HS_READ || !hs->post)
		return -EINVAL;
	return finish(hs, gbuf_add(&hs->in, data, len) ? run(hs) : hs_no_memory(hs));
}

const struct hs_sign *hs_sign_wanted(const struct hs *hs)
{
	return hs->state == HS_SIGN ? &hs->sign : NULL;
}

int hs_signed(struct hs *hs, const uint8_t *sig, size_t len)
{
	if (hs->state != HS_SIGN || !len || len > sizeof(hs->sig))
		return -EINVAL;
	memcpy(hs->sig, sig, len);
	hs->sig_len = len;
	return finish(hs, run(hs));
}

int hs_prepared(struct hs *hs)
{
	return hs->state == HS_PREPARE ? finish(hs, run(hs)) : -EINVAL;
}

int hs_fresh(struct hs *hs, bool first)
{
	if (hs->state != HS_FRESH)
		return -EINVAL;
	hs->early = first ? HS_EARLY_ACCEPTED : HS_EARLY_REJECTED;
	return finish(hs, run(hs));
}

int hs_abort(struct hs *hs, int alert, const char *why)
{
	if (hs->state == HS_FAILED || hs->state == HS_DONE)
		return -EINVAL;
	return finish(hs, hs_fail(hs, alert, "%s", why));
}

const uint8_t *hs_output(const struct hs *hs, size_t *len)
{
	*len = hs->out.len;
	return hs->out.p;
}

void hs_sent(struct hs *hs, size_t len)
{
	gbuf_drop(&hs->out, len < hs->out.len ? len : hs->out.len);
}

const uint8_t *hs_alpn(const struct hs *hs, size_t *len)
{
	*len = hs->result.alpn_len;
	return hs->result.alpn;
}

bool hs_suits(const struct hs *hs, const struct identity *identity)
{
	return chain_suits(hs, identity);
}

const struct hs_result *hs_result(const struct hs *hs)
{
	return hs->state == HS_DONE ? &hs->result : NULL;
}

const char *hs_why(const struct hs *hs)
{
	return hs->why;
}

const char *hs_step_name(const struct hs *hs)
{
	const struct hs_step *step = certain_step(hs);

	return step ? step->name : "done";
}

int hs_alert(const struct hs *hs, enum hs_alert_from *from)
{
	if (from)
		*from = hs->alert_from;
	return hs->alert;
}
