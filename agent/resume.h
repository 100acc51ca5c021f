/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a handshake upcall has to do with tickets, in both roles. */
#ifndef RESUME_H
#define RESUME_H
#include "conn.h"
#include "state.h"

/* Fill in what c->params says of tickets. True: a client's has been asked for, resume_take() brings it. */
bool resume_begin(struct conn *c, const struct sockaddr_storage *peer);
void resume_take(struct conn *c, const struct msg_ticket *m);
/* A client of TLS 1.2 has its ticket when the handshake ends: keep it. */
void resume_result(const struct conn *c, const struct hs_result *r);
/* What the session's agent state needs to keep tickets that come later. */
void resume_state(const struct conn *c, const struct hs_result *r, struct state *s);
/* A NewSessionTicket of an open session. */
void resume_ticket(struct conn_env *env, const struct upcall *up);

#endif
