// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client authentication after the handshake: a server asks as soon as it is
 * over and goes on meanwhile, a client answers whenever it is asked.
 */
#include <stdio.h>
#include <string.h>
#include "handshake/alert.h"
#include "user.h"

static int sign(struct peer *p, struct hs *hs)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	if (s->scheme->sign(p->key, s->scheme->hash, s->tbs, s->len, sig, &len))
		return ALERT_INTERNAL_ERROR;
	return hs_signed(hs, sig, len);
}

static bool send_messages(struct peer *p, struct hs *hs)
{
	const uint8_t *out;
	size_t len;

	while (out = hs_output(hs, &len), len) {
		len = len < 16384 ? len : 16384;
		if (!send_record(p, HANDSHAKE, out, len))
			return false;
		hs_sent(hs, len);
	}
	return true;
}

static bool over(struct peer *p, struct hs *hs, int e)
{
	uint8_t alert[2] = { 2, (uint8_t)hs_alert(hs, NULL) };
	const struct hs_result *r = hs_result(hs);

	if (r && p->o->server)
		printf("post-handshake: peer %zu verified %d name %s\n", r->peer_num, r->peer_verified, r->who.name);
	else if (r)
		printf("post-handshake: answered with %s\n", r->identity ? r->identity->name : "no certificate");
	else
		printf("post-handshake: failed at %s: %s (sent alert %d)\n", hs_step_name(hs), hs_why(hs), alert[1]);
	fflush(stdout);
	if (e)
		send_record(p, ALERT, alert, sizeof(alert));
	return !e;
}

bool post_ask(struct peer *p)
{
	p->params.client_auth = p->o->require ? HS_AUTH_REQUIRE : HS_AUTH_ASK;
	p->asking = hs_post_new(&p->params, &p->post);
	p->params.client_auth = HS_AUTH_NONE;
	return p->asking && !hs_start(p->asking) && send_messages(p, p->asking);
}

bool post_answer(struct peer *p, const uint8_t *msg, size_t len)
{
	struct hs *hs;
	bool ok;
	int e;

	hs_post_secret(&p->post, &p->after.tx);
	hs = hs_post_new(&p->params, &p->post);
	if (!hs)
		return false;
	e = hs_start(hs);
	if (!e)
		e = hs_messages(hs, msg, len);
	if (!e && hs_state(hs) == HS_SIGN)
		e = sign(p, hs);
	ok = over(p, hs, e) && send_messages(p, hs);
	hs_free(hs);
	/* An echo of it shows that the answer was taken. */
	return ok && send_record(p, DATA, p->o->expect, strlen(p->o->expect)) && send_record(p, DATA, "\n", 1);
}

bool post_heard(struct peer *p, const uint8_t *msg, size_t len)
{
	bool ok = true;
	int e;

	p->params.client_auth = p->o->require ? HS_AUTH_REQUIRE : HS_AUTH_ASK;
	hs_post_rekey(p->asking, &p->after.rx);
	e = hs_messages(p->asking, msg, len);
	p->params.client_auth = HS_AUTH_NONE;
	if (e || hs_state(p->asking) == HS_DONE) {
		ok = over(p, p->asking, e);
		hs_free(p->asking);
		p->asking = NULL;
	}
	return ok;
}
