/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What TLS 1.2 has of its own, RFC 5246: its messages, its two changes of
 * keys, its master secret. Extended master secret (RFC 7627) is required, and
 * a client requires renegotiation_info (RFC 5746) too.
 */
#ifndef TLS12_H
#define TLS12_H
#include "handshake/hs.h"
#include "handshake/suite.h"
#include "handshake/version.h"

#define VERIFY_DATA	12
#define SCSV_RENEGOTIATION	0x00ff
#define SCSV_FALLBACK		0x5600

struct tls12 {
	uint8_t server_random[32];
	uint8_t master[MASTER_SECRET];
	uint8_t peer_share[CRYPTO_MAX_SHARE];
	struct gbuf signed_params;	/* what a ServerKeyExchange signs */
	struct hs_traffic tx, rx;	/* in use from each side's change_cipher_spec on */
	bool changing;			/* the peer's change_cipher_spec was read and not yet acted on */
	bool keeping;			/* the messages, for a CertificateVerify */
	struct gbuf said;		/* those, with their headers */
	struct rbuf peer_ticket;	/* valid while a hello is being read */
	bool status_due;		/* a CertificateStatus may come, and the path is not checked yet */
	bool ticket_due;		/* a NewSessionTicket comes in this handshake */
	uint64_t issued;		/* server: when the session began, s; 0: now */
};

struct hs_step;

/* ---- hello12.c */
/* The peer's hello has chosen TLS 1.2: on with its flow, from its message number @step. */
int tls12_begin(struct hs *hs, size_t step);
int server_hello12_send(struct hs *hs, struct wbuf *b);
/* What is behind the fixed part of a ServerHello. */
int server_hello12_read(struct hs *hs, const uint8_t *random, const struct rbuf *session, struct rbuf *b);
int use_session(struct hs *hs);		/* keys of a session that goes on */

/* ---- choose12.c */
int choose12(struct hs *hs);
bool suite_usable(const struct hs *hs, const struct suite *suite);	/* the client offers all that it takes */
bool group_for_12(const struct crypto_group *group, enum kx_share share);

/* ---- cert12.c */
int certificate12_send(struct hs *hs, struct wbuf *b);
int certificate12_recv(struct hs *hs, struct rbuf *b);
int certificate_request12_send(struct hs *hs, struct wbuf *b);
int certificate_request12_recv(struct hs *hs, struct rbuf *b);
int certificate_verify12_send(struct hs *hs, struct wbuf *b);
int certificate_verify12_recv(struct hs *hs, struct rbuf *b);

/* ---- supplemental.c: what applications of the agent have registered */
bool supplemental_agreed(const struct hs *hs);
bool supplemental_to_send(const struct hs *hs);
int supplemental_data_send(struct hs *hs, struct wbuf *b);
int supplemental_data_recv(struct hs *hs, struct rbuf *b);

/* ---- status.c */
#define CERTIFICATE_STATUS_OCSP 1
int certificate_status_send(struct hs *hs, struct wbuf *b);
int certificate_status_recv(struct hs *hs, struct rbuf *b);
int status_read(struct hs *hs, struct rbuf *b, struct x509_blob *ret);	/* leads into @b */
int check_late_chain(struct hs *hs);	/* client: if it was put off until now */

/* ---- kx12.c */
int server_key_exchange_send(struct hs *hs, struct wbuf *b);
int server_key_exchange_recv(struct hs *hs, struct rbuf *b);
int server_hello_done_send(struct hs *hs, struct wbuf *b);
int server_hello_done_recv(struct hs *hs, struct rbuf *b);
int client_key_exchange_send(struct hs *hs, struct wbuf *b);
int client_key_exchange_recv(struct hs *hs, struct rbuf *b);
int derive_master(struct hs *hs);

/* ---- psk12.c: keys by hand */
#define PSK12_PREMASTER (4 + CRYPTO_MAX_SECRET + CRYPTO_MAX_DIGEST)
void psk12_hint_write(struct wbuf *b);
int psk12_hint_read(struct hs *hs, struct rbuf *b);
void psk12_name_write(struct hs *hs, struct wbuf *b);
int psk12_name_read(struct hs *hs, struct rbuf *b);
/* What the master secret is made of, from what was agreed on beside the key; bytes in @out. */
size_t psk12_premaster(const struct hs *hs, const uint8_t *secret, size_t len, uint8_t out[PSK12_PREMASTER]);

/* ---- finished12.c */
int change_cipher_send(struct hs *hs, struct wbuf *b);
int change_cipher_recv(struct hs *hs, struct rbuf *b);
int finished12_send(struct hs *hs, struct wbuf *b);
int finished12_recv(struct hs *hs, struct rbuf *b);
void tls12_expand(struct hs *hs);	/* both directions' keys, from the master secret */
int tls12_done(struct hs *hs);		/* behind the last message */
void tls12_export(const struct hs_result *r, const char *label, const uint8_t *context, size_t context_len,
		  uint8_t *out, size_t len);

/* ---- session12.c: NewSessionTicket and what goes on by it, RFC 5077 */
/* Server: the session of the client's ticket, if we can go on with it. */
int choose_session(struct hs *hs);
bool session_offered(const struct hs *hs);	/* client: by params->ticket */
/* Server: the session gets a name, and is kept by it, where no ticket comes. */
bool session_named(const struct hs *hs);
void session_keep_named(struct hs *hs);
bool ticket_wanted(const struct hs *hs);	/* server: the client takes one and we give some */
int new_session_ticket12_send(struct hs *hs, struct wbuf *b);
int new_session_ticket12_recv(struct hs *hs, struct rbuf *b);
int keep_session(struct hs *hs);	/* client: what there is to resume by, into the result */

/* ---- record12.c: RFC 5246 6.2 */
int record12_check(struct hs *hs, uint8_t type, size_t len);
int record12_read(struct hs *hs, const uint8_t *header, const uint8_t *p, size_t len);
int record12_ccs(struct hs *hs);

#endif
