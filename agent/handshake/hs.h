/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TLS handshake, without I/O: bytes in; bytes, keys and verdicts out. The
 * caller moves the bytes, gets signatures made, and says what time it is.
 *
 *	while (hs_state(hs) != HS_DONE)
 *		HS_READ: give hs_want() bytes, or the first of them, to hs_input()
 *		HS_SIGN: have hs_sign_wanted() signed, give hs_signed() the signature
 *		HS_PREPARE: params.prepare asked for time; hs_prepared() when it is ready
 *		HS_FRESH: look hs_fresh_wanted() up, say by hs_fresh() if it was never seen before
 *		any:     send what hs_output() has, even after a failure (the alert)
 *
 * Functions return 0, the alert that was sent (> 0), or -errno; after anything but 0 the handshake
 * is over: hs_why() says why, and hs_output() has the alert record.
 */
#ifndef HS_H
#define HS_H
#include "crypto/crypto.h"
#include "handshake/buf.h"
#include "identity.h"

enum hs_role { HS_CLIENT, HS_SERVER };
enum hs_state { HS_READ, HS_SIGN, HS_PREPARE, HS_FRESH, HS_DONE, HS_FAILED };
enum hs_alert_from { HS_ALERT_NONE, HS_ALERT_LOCAL, HS_ALERT_PEER };

#define HS_MAX_NAME	256
#define HS_MAX_SIGN	256	/* bytes to sign: 64 spaces, context, NUL, digest */
#define HS_LONG_SIGN	32768	/* or, in TLS 1.2, all messages up to a CertificateVerify */

#define HS_MAX_IDENTITY	64
#define HS_MAX_TICKET	3072	/* bytes of a ticket that a client keeps */
#define HS_CONTEXT	32
#define HS_TICKET_NAME	8
#define HS_TICKET_KEYS	3
#define HS_TICKETS_MAX	8	/* given on one connection */
#define HS_EARLY_WINDOW	10	/* s by which the age of a ticket may seem wrong, for early data */
#define HS_WEEK		604800	/* s: no ticket lives longer, RFC 9846 4.6.1 */

/* What a secret of TLS 1.2 is made of beside a key by hand; nothing: no forward secrecy. */
enum { HS_PSK12_PLAIN = 1 << 0, HS_PSK12_ECDHE = 1 << 1, HS_PSK12_DHE = 1 << 2 };

struct hs;
struct session_slot;

/* What seals a server's tickets: the first key seals, all of them open. */
struct hs_ticket_key { uint8_t name[HS_TICKET_NAME], key[32]; };
struct hs_ticket_keys { struct hs_ticket_key key[HS_TICKET_KEYS]; size_t num; };

/* Who the peer has proven to be, in this handshake or in the one that it resumes. */
struct hs_peer {
	bool known, verified;		/* it had a certificate; with a path to an anchor */
	uint8_t sha256[32];		/* of the certificate */
	uint64_t until;			/* s since the epoch: when it expires; 0: there is none */
	char name[HS_MAX_NAME];		/* verified: the name asked for, or the certificate's first */
};

/* What a client makes of a NewSessionTicket, or of a session id of TLS 1.2. To be used once. */
struct hs_ticket {
	uint16_t suite;			/* and with it the version */
	uint64_t received;		/* ms since the epoch */
	uint32_t lifetime, age_add;
	uint8_t psk[CRYPTO_MAX_DIGEST];	/* of TLS 1.2: the master secret */
	struct hs_peer peer;
	uint32_t max_early;		/* bytes of early data that the server might take */
	uint32_t alpn_len;
	uint8_t alpn[255];		/* the protocol of the session; like peer, the caller's to fill in */
	uint8_t session_id[32];
	uint32_t session_id_len;	/* 0: the server wants the data alone */
	uint32_t len;
	uint8_t data[HS_MAX_TICKET];
};

/* A key that both ends were given by hand, RFC 9257. */
struct hs_psk {
	const char *name;		/* its identity on the wire */
	const uint8_t *key;
	size_t len;			/* at most CRYPTO_MAX_DIGEST */
	const struct crypto_hash *hash;
	bool import;			/* by RFC 9258, for every hash that a suite of ours has */
};

/* A log of certificates, RFC 6962. */
struct hs_log {
	uint8_t id[32];			/* SHA-256 of the key */
	const uint8_t *spki;
	size_t len;
};

/* What one side wants. Must outlive the handshake; the handshake changes nothing in it. */
struct hs_params {
	enum hs_role role;
	time_t now;
	uint16_t now_ms;		/* and so many ms; only a ticket's age is that exact */
	uint16_t min_version, max_version;	/* 0x0303, 0x0304; 0: from TLS 1.2 to TLS 1.3 */
	const char *server_name;	/* client: to send (DNS names only) and to verify; may be an IP literal */
	const uint8_t *alpn;		/* each one length byte and a name, most wanted first */
	size_t alpn_len;
	const uint16_t *ciphers;	/* TLS_CIPHER_*, most wanted first; NULL for all that need no naming */
	size_t ciphers_num;
	const uint16_t *groups;		/* IANA ids, most wanted first; NULL for the default ones */
	size_t groups_num;
	const uint16_t *schemes;	/* to sign and to verify with, most wanted first; NULL for all we have */
	size_t schemes_num;
	bool strongest;			/* server: the first of our lists, though it cost a retry */
	size_t shares;			/* client: key shares to send at once; 0: the first, and the classical half of a hybrid */
	bool compatibility;		/* middlebox compatibility mode, RFC 9846 appendix E.4 */
	bool grease;			/* values that mean nothing, RFC 8701 and 9849 6.2 */
	size_t pad;			/* client: fill a shorter ClientHello up to this many bytes, RFC 7685 */
	uint16_t record_pad;		/* TLS 1.3: fill records up to a multiple of it, RFC 8446 5.4; 0: don't */
	uint16_t max_fragment;		/* client: ask for records of 512, 1024, 2048 or 4096 bytes, RFC 6066 */

	const struct x509_store *trust;	/* client, or server that asks for a certificate; NULL trusts nobody */
	bool insecure;			/* take any certificate; peer_verified stays false */
	unsigned int rsa_min_bits;
	enum hs_client_auth { HS_AUTH_NONE, HS_AUTH_ASK, HS_AUTH_REQUIRE } client_auth;
	const struct identity *identity;	/* client's own, may be NULL */
	const struct hs_log *ct_logs;	/* that have a say about the peer's certificate; NULL: nobody is asked */
	size_t ct_logs_num;		/* at most 64 */
	unsigned int ct_min;		/* so many have to have seen it */
	bool delegated;			/* take delegated credentials of the peer, RFC 9345 */
	bool post_auth;			/* client: say that a request after the handshake would be answered */
	bool compress;			/* certificates, by zlib: offered, and done if the peer offers it, RFC 8879 */
	bool raw_key;			/* prove the bare key to a peer that would have it so, RFC 7250 */
	const uint8_t (*raw_peers)[32];	/* SHA-256 of the SubjectPublicKeyInfos that need no certificate */
	size_t raw_peers_num;

	/* Server: may be NULL, then tickets are neither given nor taken. */
	const struct hs_ticket_keys *ticket_keys;
	/* Server: its sessions of TLS 1.2 by id (session_cache.h), sealed as its tickets are; NULL: none. */
	struct session_slot *sessions;
	size_t sessions_num;
	/* Server: what authenticates the cookie of a retry; NULL: it sends none. */
	const struct hs_ticket_keys *cookie_keys;
	size_t tickets;			/* server: how many it gives unasked; client: how many it would like */
	uint32_t ticket_lifetime;	/* server: s */
	uint8_t ticket_context[HS_CONTEXT];	/* server: a ticket counts only where this is the same */
	const struct hs_ticket *ticket;	/* client: to resume by; may be NULL, and set until hs_start() */
	const uint8_t *early;		/* client: to send along with the hello, if the ticket allows all of it */
	size_t early_len;
	uint32_t max_early;		/* server: bytes of early data that it takes, and says so in its tickets; 0: none */
	const struct hs_psk *psk;	/* client: to be used instead of certificates; may be NULL */
	unsigned int psk12;		/* HS_PSK12_*: such keys in TLS 1.2, too */
	/* Server: the key with this name, or NULL. */
	const struct hs_psk *(*find_psk)(void *arg, const uint8_t *name, size_t len);

	/*
	 * Server, before it chooses anything: is all there to choose an identity for this name from?
	 * True; or false, and hs_prepared() once it is. May be NULL.
	 */
	bool (*prepare)(void *arg, const char *server_name);
	/*
	 * Server: choose an identity for this name (NULL or "": none was sent) which can use one of
	 * @schemes. 0 and *ret; or an alert (unrecognized_name 112, handshake_failure 40) and *why.
	 */
	int (*choose)(void *arg, const char *server_name, const uint16_t *schemes, size_t num,
		      const struct identity **ret, const char **why);
	/* For debugging: told of every traffic secret, with its name in a key log file; NULL as a rule. */
	void (*key_log)(void *arg, const char *label, const uint8_t *client_random, const uint8_t *secret, size_t len);
	void *arg;
};

/* What to have signed: by which key and scheme. */
struct hs_sign {
	const struct identity *identity;
	const struct crypto_scheme *scheme;
	const uint8_t *tbs;
	size_t len;
	bool delegated;			/* by the key of identity->delegated, not the identity's own */
};

/* Traffic keys of one direction, and the secret that the next generation grows from; TLS 1.2 has none. */
struct hs_traffic {
	uint8_t key[CRYPTO_MAX_KEY], iv[12];
	uint64_t seq;
	uint8_t secret[CRYPTO_MAX_DIGEST];
};

/* NONE: the client sent none. ASKED is never an outcome. */
enum hs_early { HS_EARLY_NONE, HS_EARLY_ASKED, HS_EARLY_ACCEPTED, HS_EARLY_REJECTED };

/* The outcome, valid in HS_DONE; wiped by hs_free(). */
struct hs_result {
	uint16_t version, suite, group, scheme;
	const struct crypto_aead *aead;
	const struct crypto_hash *hash;
	struct hs_traffic tx, rx;
	uint8_t exporter[CRYPTO_MAX_DIGEST], resumption[CRYPTO_MAX_DIGEST];
	uint8_t randoms[64];		/* TLS 1.2: the client's and the server's */
	struct hs_ticket *ticket;	/* TLS 1.2, client: to resume this session by, or NULL */
	char server_name[HS_MAX_NAME];
	uint8_t alpn[256];		/* the name chosen */
	size_t alpn_len;
	const struct identity *identity;	/* what we presented */
	struct x509_cert *peer[X509_MAX_CHAIN];	/* what the peer presented */
	size_t peer_num;
	struct hs_peer who;		/* the same and what a ticket carried over */
	bool peer_verified;
	bool delegated;			/* the peer signed by a delegated credential */
	unsigned int scts;		/* logs known to us that have seen the peer's certificate */
	bool resumed;
	const struct hs_psk *psk;	/* the key by hand that took the place of certificates */
	uint16_t tx_limit;		/* plaintext bytes per record that the peer takes; 0: it doesn't say */
	uint16_t rx_limit;		/* and that it may send; 0: what the protocol has */
	bool retried;			/* it took a HelloRetryRequest */
	enum hs_early early;		/* rejected: the peer has not seen it, nor have we */
	bool post_auth;			/* the client would answer a request for its certificate from now on */
	uint8_t transcript[CRYPTO_HASH_CTX] __attribute__((aligned(16)));	/* with the client's Finished */
};

struct hs *hs_new(const struct hs_params *params);	/* NULL: no memory */
void hs_free(struct hs *hs);				/* wipes; NULL allowed */

/* A client writes its ClientHello; a server does nothing. Call once. */
int hs_start(struct hs *hs);
enum hs_state hs_state(const struct hs *hs);
/*
 * Bytes to read next: a record header, then its body, less what was given of it. Never past the
 * last handshake byte, so what is behind it stays for the kernel.
 */
size_t hs_want(const struct hs *hs);
int hs_input(struct hs *hs, const uint8_t *data, size_t len);
const struct hs_sign *hs_sign_wanted(const struct hs *hs);
int hs_signed(struct hs *hs, const uint8_t *sig, size_t len);
int hs_prepared(struct hs *hs);
/* Server, from inside params.choose: the application protocol agreed on; @len 0: none. */
const uint8_t *hs_alpn(const struct hs *hs, size_t *len);
/*
 * Server: a ticket that came with early data, by digest. @first: no other hello with it was ever let in
 * for REPLAY_PERIOD; else the handshake goes on without the data.
 */
const uint8_t *hs_fresh_wanted(const struct hs *hs);
int hs_fresh(struct hs *hs, bool first);
/* Server: what came, once it is HS_DONE; others may have seen the same. */
const uint8_t *hs_early_data(const struct hs *hs, size_t *len);
/*
 * Server, from inside params.choose: does the client take the signatures in this identity's
 * chain, and its issuer? Of several that can sign, one that it takes is the better choice.
 */
bool hs_suits(const struct hs *hs, const struct identity *identity);
/* The keeper could not sign, policy forbade it, time is up: sends @alert. */
int hs_abort(struct hs *hs, int alert, const char *why);

/* Bytes to send; hs_sent() drops the first @len of them. */
const uint8_t *hs_output(const struct hs *hs, size_t *len);
void hs_sent(struct hs *hs, size_t len);

const struct hs_result *hs_result(const struct hs *hs);
const char *hs_why(const struct hs *hs);		/* one sentence; "" while all is well */
const char *hs_step_name(const struct hs *hs);		/* the message being sent or awaited */
int hs_alert(const struct hs *hs, enum hs_alert_from *from);	/* -1: none */

/*
 * A NewSessionTicket, with its header, that came after the handshake, @now in ms since the epoch.
 * 0; -ENOENT: not worth keeping; or the alert to send. The caller fills in ret->peer and ret->alpn.
 */
int hs_ticket_read(uint16_t suite, const uint8_t *resumption, uint64_t now, const uint8_t *msg, size_t len,
		   struct hs_ticket *ret);

/*
 * TLS-Exporter, RFC 9846 7.5; @len at most 255 digests. Of TLS 1.2, RFC 5705, where a context that
 * is NULL is not the same as an empty one.
 */
void hs_export(const struct hs_result *r, const char *label, const uint8_t *context, size_t context_len,
	       uint8_t *out, size_t len);

/* ---- post.c: client authentication after the handshake, RFC 8446 4.6.2 */

#define POST_CONTEXT	16	/* bytes of a context of ours: no two of a connection are the same */

/* What it needs of the handshake before it; holds a secret. */
struct hs_post {
	uint16_t suite;
	bool asked;		/* server: the request is out, what comes is the answer */
	uint8_t context[POST_CONTEXT];		/* the request's */
	uint8_t secret[CRYPTO_MAX_DIGEST];	/* the client's traffic secret of now */
	uint8_t transcript[CRYPTO_HASH_CTX] __attribute__((aligned(16)));
	uint8_t with_request[CRYPTO_HASH_CTX] __attribute__((aligned(16)));	/* the same, and the request */
};
void hs_post_from(const struct hs_result *r, enum hs_role role, struct hs_post *ret);
void hs_post_secret(struct hs_post *post, const struct hs_traffic *client);
/*
 * One exchange. As hs_new(), but hs_output() has messages without records (and no alert, only
 * hs_alert() tells of it), and hs_messages() stands for hs_input(): a client's begins with the
 * CertificateRequest, a server's writes it. NULL: no memory, or not TLS 1.3.
 */
struct hs *hs_post_new(const struct hs_params *params, const struct hs_post *from);
int hs_messages(struct hs *hs, const uint8_t *data, size_t len);
/* Server, once its request is written: from @ret another hs_post_new() can read the answer. */
void hs_post_asked(const struct hs *hs, struct hs_post *ret);
/* The client has updated its key meanwhile. */
void hs_post_rekey(struct hs *hs, const struct hs_traffic *client);

/* ext/delegated_credential.c: its key, the caller's to free; false: it is malformed, or of no known kind. */
bool delegated_key(const struct delegated *d, struct crypto_pubkey *ret);
/* sct.c: may it be given as hs_params' identity.sct? */
bool sct_list_well_formed(const uint8_t *data, size_t len);

/* Next generation of a direction: secret, key and iv replaced, seq 0 (RFC 9846 7.2). */
void hs_traffic_update(struct hs_traffic *t, const struct crypto_hash *hash,
		       const struct crypto_aead *aead);

#endif
