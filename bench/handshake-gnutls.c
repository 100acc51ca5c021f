/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GnuTLS as a server, with transport functions that copy. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include "handshake.h"

struct gnutls_server {
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	bool tickets;
};

struct gnutls_conn { gnutls_session_t session; struct wire *wire; };

static void *gnutls_make(const char *cert, const char *key, bool tickets, bool old)
{
	const char *priority = old ?
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:+GROUP-X25519" :
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:+GROUP-X25519";
	struct gnutls_server *s = calloc(1, sizeof(*s));

	if (!s || gnutls_certificate_allocate_credentials(&s->cred) ||
	    gnutls_certificate_set_x509_key_file(s->cred, cert, key, GNUTLS_X509_FMT_PEM) ||
	    gnutls_priority_init(&s->priority, priority, NULL) ||
	    gnutls_session_ticket_key_generate(&s->ticket_key))
		bench_fail("GnuTLS server");
	s->tickets = tickets;
	return s;
}

static ssize_t push(gnutls_transport_ptr_t p, const void *data, size_t len)
{
	struct gnutls_conn *c = p;

	if (len > sizeof(c->wire->out) - c->wire->out_len)
		return -1;
	memcpy(c->wire->out + c->wire->out_len, data, len);
	c->wire->out_len += len;
	return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t p, void *data, size_t len)
{
	struct gnutls_conn *c = p;

	if (!c->wire->in_len) {
		gnutls_transport_set_errno(c->session, EAGAIN);
		return -1;
	}
	if (len > c->wire->in_len)
		len = c->wire->in_len;
	memcpy(data, c->wire->in, len);
	c->wire->in += len;
	c->wire->in_len -= len;
	return (ssize_t)len;
}

static void *gnutls_open(void *server, bool give)
{
	struct gnutls_server *s = server;
	struct gnutls_conn *c = calloc(1, sizeof(*c));
	unsigned int flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | (s->tickets ? 0 : GNUTLS_NO_TICKETS) |
			     (give ? 0 : GNUTLS_NO_AUTO_SEND_TICKET);

	if (!c || gnutls_init(&c->session, flags) ||
	    gnutls_priority_set(c->session, s->priority) ||
	    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, s->cred) ||
	    (s->tickets && gnutls_session_ticket_enable_server(c->session, &s->ticket_key)))
		bench_fail("gnutls_init");
	gnutls_transport_set_ptr(c->session, c);
	gnutls_transport_set_push_function(c->session, push);
	gnutls_transport_set_pull_function(c->session, pull);
	return c;
}

static int gnutls_step(void *conn, struct wire *w)
{
	struct gnutls_conn *c = conn;
	int rc;

	c->wire = w;
	w->out_len = 0;
	rc = gnutls_handshake(c->session);
	return rc == 0 ? 1 : rc == GNUTLS_E_AGAIN ? 0 : -1;
}

static bool gnutls_resumed(void *conn)
{
	struct gnutls_conn *c = conn;

	return gnutls_session_is_resumed(c->session);
}

static void gnutls_close(void *conn)
{
	struct gnutls_conn *c = conn;

	gnutls_deinit(c->session);
	free(c);
}

const struct server server_gnutls = {
	.name = "gnutls", .make = gnutls_make, .open = gnutls_open, .step = gnutls_step,
	.resumed = gnutls_resumed, .close = gnutls_close,
};
