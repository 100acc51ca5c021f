/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's handshake on a file descriptor, with application records in
 * user space, so that nothing of the kernel's TLS is needed to try it against
 * other implementations: what hs-peer, hs-echo and hs-pipe have in common.
 */
#ifndef USER_H
#define USER_H
#include <sys/types.h>
#include "handshake/after.h"
#include "handshake/hs.h"
#include "handshake/session_cache.h"
#include "handshake/replay.h"

#define RECORD (5 + 16384 + 256)
enum { ALERT = 21, HANDSHAKE = 22, DATA = 23 };
enum { HELLO_REQUEST = 0, CLIENT_HELLO = 1, TICKET = 4, CERTIFICATE_REQUEST = 13, KEY_UPDATE = 24 };

#define SETS_MAX 64

struct options {
	bool server, update, echo;
	int fd;
	const char *host, *port, *chain, *key, *ca, *name, *message, *expect;
	int count;
	uint16_t ciphers[8], groups[8], schemes[8];
	size_t ciphers_num, groups_num, schemes_num, shares;
	uint8_t alpn[256];
	size_t alpn_len;
	bool no_compatibility, require;
	size_t tickets, session_ids;
	bool early;
	uint32_t max_early;
	const char *ticket_in, *ticket_out;
	char *psk_name;
	uint8_t psk[64];
	size_t psk_len;
	bool import;
	unsigned int psk12;
	bool grease, cookie, compress, raw_key, post_auth;
	uint8_t raw_peer[1][32];
	size_t raw_peers_num;
	size_t pad;
	const char *sct, *ct_log, *delegated, *delegated_key;
	bool take_delegated;
	uint16_t max_fragment, record_pad;
	const char *config, *identity, *trust;	/* ktlsd's way: user_agent.c */
	const char *set[SETS_MAX];
	size_t sets_num;
	bool explain;
	uint16_t min_version, max_version;
};

struct peer {
	const struct options *o;
	struct hs_params params;
	struct identity identity;
	struct crypto_key *key, *delegated_key;
	struct delegated delegated;
	struct x509_store *trust;
	int fd;
	struct after after;		/* the handshake */
	struct hs_ticket_keys ticket_keys, cookie_keys;
	struct hs_ticket ticket;	/* the client's, for this connection and from it */
	struct hs_psk psk;
	uint16_t suite;
	uint8_t resumption[CRYPTO_MAX_DIGEST];
	struct hs_peer who;
	bool got_ticket;
	struct user_register *seen;	/* tickets that early data came with; NULL: none are taken */
	struct world *world;		/* under a configuration; else NULL */
	struct hs_log log;
	char early[1024];		/* client: the message, to go with the hello */
	uint8_t *early_data;		/* server: what came with the hello and was not read yet */
	size_t early_len;
	bool early_taken;		/* client */
	uint8_t alpn[255];
	size_t alpn_len;
	struct hs_post post;
	struct hs *asking;		/* server: for the client's certificate, after the handshake */
	uint8_t record[RECORD], plain[RECORD];
};

/* ---- user_conn.c */
bool send_record(struct peer *p, uint8_t type, const void *data, size_t len);
/* The next application data, in p->plain; 0 at close_notify, -1 otherwise. */
ssize_t recv_data(struct peer *p);
void close_notify(struct peer *p);
bool update_tx(struct peer *p, uint8_t ask);	/* KeyUpdate */
/* Prints one line of what was agreed, or why not. */
bool handshake(struct peer *p);

/* Prints it, and makes @p ready for records, padded to @pad; @hs is done. */
void handshake_done(struct peer *p, struct hs *hs, uint16_t pad);

/* ---- user_agent.c: under a configuration file and settings, as ktlsd does it */
void agent_setup(struct peer *p);
void agent_free(struct peer *p);
bool agent_handshake(struct peer *p);

/* ---- user_shared.c */
void register_make(struct peer *p);
bool register_first(struct peer *p, const uint8_t id[32], uint64_t now);
struct session_slot *sessions_shared(size_t num);	/* NULL for none */

/* ---- user_post.c: false: the connection is over */
bool post_ask(struct peer *p);		/* server */
bool post_heard(struct peer *p, const uint8_t *msg, size_t len);
bool post_answer(struct peer *p, const uint8_t *msg, size_t len);	/* client: a CertificateRequest came */

int listen_on(const struct options *o);
/* To the end of what the peer sends: a reset would take away what it has not read yet. */
void hang_up(struct peer *p);

/* ---- user_setup.c */
/* Every option has a letter and a long name; for a wrong one the usage, and exit 64. */
void options_parse(struct options *o, int argc, char **argv, const char *usage);
void options_usage(const char *first) __attribute__((noreturn));
void peer_setup(struct peer *p, const struct options *o);
void peer_free(struct peer *p);

#endif
