// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: messages after the handshake, as the module hands them to a
 * worker. The first byte says of which session and why; there is always
 * exactly one answer, and keys in it only when it says that all is well.
 */
#include <stdlib.h>
#include <string.h>
#include "conn.h"
#include "handshake/suite.h"
#include "log.h"
#include "state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int answers;
static bool requested;

static int sign(void *arg, uint64_t request, uint64_t deadline, const struct hs_sign *s)
{
	(void)arg; (void)request; (void)deadline; (void)s;
	abort();	/* nobody has an identity */
}

/* As after a handshake in which the client offered to answer requests. */
static void authenticates(struct state *s, bool asked)
{
	const struct crypto_hash *hash = suite_by_id(s->suite)->hash;

	s->auth.on = true;
	s->auth.post.suite = s->suite;
	s->auth.post.asked = asked;
	hash->init(s->auth.post.transcript);
	hash->init(s->auth.post.with_request);
}

static int respond(void *arg, const struct reply *r)
{
	(void)arg;
	answers++;
	if (r->err && (r->tx || r->rx || r->tx_next || r->rx_next || !r->reason || (r->alert < 0 && !requested)))
		abort();
	return 0;
}

static void put(void *arg, const struct msg_ticket_put *m)
{
	(void)arg;
	if (m->ticket.len > sizeof(m->ticket.data))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t ids[] = { 0x1301, 0x1302, 0x1303, 0xc02b };
	static const uint32_t whys[] = { KTLS_WHY_RECORD, KTLS_WHY_TICKET, KTLS_WHY_REQUEST, KTLS_WHY_SPARE };
	static const struct config config;
	struct conn_env env = { .config = &config, .respond = respond, .sign = sign, .ticket_put = put };
	struct state s = { .tx.generation = 1, .rx.generation = 1, .keeps_tickets = true, .server_name = "a.test" };
	uint8_t blob[KTLS_MAX_STATE];
	struct upcall up = { .channel = -1, .id = 1 };

	if (len < 2)
		return 0;
	log_set_level(LOG_ERR);
	s.role = data[0] & 1 ? KTLS_ROLE_SERVER : KTLS_ROLE_CLIENT;
	s.suite = ids[data[0] >> 1 & 3];
	if (data[0] & 0x40)
		authenticates(&s, s.role == KTLS_ROLE_SERVER);
	up.why = whys[data[0] >> 3 & 3];
	up.role = s.role;
	up.state = blob;
	up.state_len = state_pack(&s, blob, sizeof(blob));
	up.record_type = data[1];
	up.record = data + 2;
	up.record_len = len - 2;
	if (data[0] & 0x80) {		/* or the state itself is not ours */
		up.state = data + 2;
		up.state_len = len - 2;
		up.record_len = 0;
	}
	answers = 0;
	requested = up.why == KTLS_WHY_REQUEST;
	if (session_upcall(&env, &up, 1, 1) || answers != 1)
		abort();
	return 0;
}
