/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the handshake: struct hs, the steps of a flow, and what the files
 * of this folder and of ext/ call of each other. Every function that can fail
 * returns 0, the alert to send (> 0) or -errno, by way of hs_fail().
 */
#ifndef ENGINE_H
#define ENGINE_H
#include "handshake/alert.h"
#include "handshake/hs.h"
#include "handshake/schedule.h"
#include "handshake/suite.h"
#include "handshake/tls12.h"
#include "handshake/version.h"

#define HS_RANDOM	32
#define HS_SESSION_ID	32
#define HS_MAX_SCHEMES	32

enum hs_msg {
	HS_HELLO_REQUEST	= 0,
	HS_CLIENT_HELLO		= 1,
	HS_SERVER_HELLO		= 2,
	HS_NEW_SESSION_TICKET	= 4,
	HS_END_OF_EARLY_DATA	= 5,
	HS_ENCRYPTED_EXTENSIONS	= 8,
	HS_CERTIFICATE		= 11,
	HS_SERVER_KEY_EXCHANGE	= 12,
	HS_CERTIFICATE_REQUEST	= 13,
	HS_SERVER_HELLO_DONE	= 14,
	HS_CERTIFICATE_VERIFY	= 15,
	HS_CLIENT_KEY_EXCHANGE	= 16,
	HS_FINISHED		= 20,
	HS_CERTIFICATE_STATUS	= 22,
	HS_SUPPLEMENTAL_DATA	= 23,
	HS_KEY_UPDATE		= 24,
	HS_COMPRESSED_CERTIFICATE = 25,
	HS_MESSAGE_HASH		= 254,
	HS_CHANGE_CIPHER_SPEC	= 256,	/* a record of its own, and a step of TLS 1.2 */
};

enum cert_type { CERT_X509 = 0, CERT_RAW_KEY = 2 };	/* RFC 7250 */

/* The messages an extension may ride in, RFC 9846 4.2; SH12 is the ServerHello of TLS 1.2. */
enum ext_in {
	EXT_CH = 1 << 0, EXT_SH = 1 << 1, EXT_HRR = 1 << 2, EXT_EE = 1 << 3,
	EXT_CR = 1 << 4, EXT_CT = 1 << 5, EXT_NST = 1 << 6,
	EXT_SH12 = 1 << 7,
};
#define EXT_REQUESTS (EXT_CH | EXT_CR | EXT_NST)

/*
 * One message of a flow. @present: does it come at all? @next is the peer's next message with its
 * 4-byte header, or NULL while there is none or we are the sender.
 */
struct hs_step {
	const char *name;
	enum hs_msg type;
	enum hs_role sender;
	bool (*present)(const struct hs *hs, const struct rbuf *next);
	int (*send)(struct hs *hs, struct wbuf *body);
	int (*recv)(struct hs *hs, struct rbuf *body);
	int (*then)(struct hs *hs);	/* both sides, once it is in the transcript */
};
extern const struct hs_step hs_flow13[], hs_flow12[];
extern const size_t hs_flow13_num, hs_flow12_num;

/* Where a value means nothing on purpose, RFC 8701; each has one of its own per connection. */
enum grease_use {
	GREASE_SUITE, GREASE_FIRST, GREASE_LAST, GREASE_GROUP, GREASE_VERSION, GREASE_SCHEME, GREASE_ALPN,
	GREASE_USES
};

struct hs_half { bool on; const struct crypto_aead *aead; struct hs_traffic t; };	/* on: records are protected */

struct hs_share {
	const struct crypto_group *group;
	uint8_t priv[CRYPTO_MAX_PRIVATE];
};

/* A pre-shared key that this handshake may use or does use. */
enum psk_kind { PSK_TICKET, PSK_EXTERNAL, PSK_IMPORTED };
struct psk {
	enum psk_kind kind;
	const struct crypto_hash *hash;
	uint8_t key[CRYPTO_MAX_DIGEST];
	size_t len;
	struct gbuf identity;		/* client: as it goes out */
	uint32_t age;
};
#define PSKS_MAX 3			/* a ticket; or one by hand, imported for each hash */

struct hs {
	const struct hs_params *params;
	enum hs_role role;
	enum hs_state state;
	/* Both flows begin with a ClientHello; flow13 is walked until the version is known. */
	const struct hs_step *flow;
	size_t flow_num, step;
	uint16_t min_version, max_version;
	uint16_t version;		/* 0 until it is known */
	char why[256];
	int alert;
	enum hs_alert_from alert_from;

	/* record.c */
	struct gbuf rec;		/* the record that is being read */
	struct gbuf in;			/* handshake bytes that are no whole message yet */
	struct gbuf flight;		/* messages that are in no record yet */
	struct gbuf out;		/* records to send */
	struct hs_half tx, rx;
	bool greeted;			/* a ClientHello was sent or received */
	bool ccs_sent;
	unsigned int quiet;		/* records that said nothing, bounded */
	size_t early_left;		/* bytes of refused early data that may still be skipped */

	/* early.c */
	enum hs_early early;
	bool early_fits;		/* server: as far as hello and ticket tell */
	bool early_now;			/* server: it is being read */
	uint32_t early_max;
	uint8_t early_id[32];
	struct hs_traffic early_keys;	/* server: until EncryptedExtensions */
	struct hs_traffic later;	/* the client's handshake key, until EndOfEarlyData */
	struct gbuf early_data;

	/* transcript.c */
	const struct crypto_hash *hash;	/* NULL until the suite is known */
	uint8_t transcript[CRYPTO_HASH_CTX] __attribute__((aligned(16)));
	struct gbuf hello;		/* ClientHello until then */

	struct schedule schedule;

	/* What we accept, most wanted first; after params and the tables. */
	const struct suite *suites[SUITES_MAX];
	size_t suites_num;
	const struct crypto_group *groups[GROUPS_MAX];
	size_t groups_num;

	/* hello.c, choose.c */
	uint8_t client_random[HS_RANDOM];
	uint8_t session_id[HS_SESSION_ID];
	size_t session_id_len;
	const struct suite *suite;
	const struct crypto_group *group;
	bool retry;			/* there is a HelloRetryRequest */
	bool retry_elsewhere;		/* server: that the cookie tells of, we did not send it */
	uint8_t hello_print[CRYPTO_MAX_DIGEST];	/* of what a second ClientHello may not change */
	struct gbuf cookie;		/* the server's, of either side */
	uint8_t grease[GREASE_USES];
	struct gbuf ech;		/* GREASE for ECH, the same in both hellos */
	uint16_t rx_limit;		/* plaintext bytes per record that the peer may send; 0: what the protocol has */
	bool preparing;			/* the hello has been read, choosing waits for params.prepare */
	struct rbuf peer_suites, peer_groups, peer_shares;	/* valid while a hello is being read */
	uint16_t schemes[HS_MAX_SCHEMES];	/* the peer verifies these, as it prefers */
	size_t schemes_num;
	uint16_t cert_schemes[HS_MAX_SCHEMES];	/* likewise in certificates; none: the same */
	size_t cert_schemes_num;
	struct rbuf peer_authorities;	/* valid while a hello is being read */

	/* key exchange: a client's private keys; a server's share */
	struct hs_share *shares;
	size_t shares_num;
	struct gbuf offered_shares;	/* as they went out, for a retry that asks for a cookie only */
	uint8_t share[CRYPTO_MAX_SHARE];
	uint8_t secret[CRYPTO_MAX_SECRET];

	/* psk.c */
	struct psk psks[PSKS_MAX];	/* client: offered */
	size_t psks_num;
	struct psk psk;			/* agreed on, if has_psk; identity is empty */
	bool has_psk;
	uint16_t psk_index;
	uint8_t psk_modes;		/* the client's, as a mask */
	struct rbuf peer_psks, peer_binders;	/* valid while a hello is being read */
	uint8_t tickets_asked[2];	/* by the client, RFC 9149: after a full handshake, after a resumed one */

	/* cert.c */
	bool post;			/* post.c: messages without records, after a handshake */
	bool cert_requested;
	uint8_t context[255];		/* of the CertificateRequest; 0 bytes in a handshake */
	uint8_t context_len;
	bool client_cert;		/* the client did present one */
	bool staple_wanted;		/* the peer would see an OCSP response */
	struct x509_blob staple;	/* the peer's, valid while its Certificate is being read */
	uint16_t delegable[HS_MAX_SCHEMES];	/* schemes of credentials that the peer takes */
	size_t delegable_num;
	struct gbuf credential, peer_delegate;	/* the peer's delegated credential, and once that is verified its key */
	uint16_t delegate_scheme;	/* the one that it may sign with */
	bool scts_wanted;		/* the peer would see them */
	struct gbuf scts;		/* the peer's list, until its certificate is verified */
	bool peer_inflates;		/* it takes a CompressedCertificate of zlib */
	enum cert_type own_type, peer_type;
	struct gbuf peer_key;		/* the peer's, if it is bare */
	struct hs_sign sign;
	uint8_t tbs[HS_MAX_SIGN];
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t sig_len;			/* 0: not signed yet */

	/* ext.c: bits are indices of the table */
	uint64_t offered;		/* in our ClientHello or CertificateRequest */
	uint64_t received;		/* in the peer's */
	uint64_t answered;		/* in the peer's last response */

	struct tls12 tls12;
	struct hs_result result;
};

static inline uint64_t hs_now_ms(const struct hs_params *p)
{
	return (uint64_t)p->now * 1000 + p->now_ms;
}

static inline bool hs_allows(const struct hs *hs, uint16_t version)
{
	return hs->min_version <= version && version <= hs->max_version;
}

/* The first failure stays the reason. Returns @err. */
int hs_fail(struct hs *hs, int err, const char *why, ...) __attribute__((format(printf, 3, 4)));
int hs_no_memory(struct hs *hs);
void hs_forget_shares(struct hs *hs);	/* wipes a client's private keys */

/* ---- record.c */
size_t record_want(const struct hs *hs);
/* At most record_want() bytes. Handshake bytes of a whole record go to hs->in. */
int record_input(struct hs *hs, const uint8_t *data, size_t len);
int record_flush(struct hs *hs);		/* hs->flight into records */
int record_data(struct hs *hs, const uint8_t *p, size_t len);
int record_ccs(struct hs *hs);			/* change_cipher_spec, once, in compatibility mode */
void record_alert(struct hs *hs, int alert);	/* always has room */
/* New keys: no message may span them, RFC 9846 5.1. */
int record_rx_keys(struct hs *hs, const struct hs_traffic *t);
int record_tx_keys(struct hs *hs, const struct hs_traffic *t);

/* Wireshark's names of secrets: CLIENT_HANDSHAKE_TRAFFIC_SECRET and so on. */
static inline void hs_key_log(const struct hs *hs, const char *label, const uint8_t *secret)
{
	if (hs->params->key_log)
		hs->params->key_log(hs->params->arg, label, hs->client_random, secret, hs->hash->size);
}

/* ---- transcript.c */
int transcript_add(struct hs *hs, const uint8_t *msg, size_t len);
void transcript_start(struct hs *hs, const struct crypto_hash *hash);	/* the suite is known */
void transcript_restart(struct hs *hs);	/* ClientHello becomes message_hash, RFC 9846 4.4.1 */
void transcript_digest(const struct hs *hs, uint8_t *out);

/* ---- grease.c */
void grease_choose(struct hs *hs);
/* A 16-bit value that means nothing, for which @hs->params->grease has to be asked first. */
uint16_t grease16(const struct hs *hs, enum grease_use use);

/* ---- retry_cookie.c: a server's memory on the wire, RFC 9846 4.2.2 */
int retry_cookie_make(struct hs *hs);	/* before the transcript is restarted; into hs->cookie */
/* A client brings one of another connection's: what it tells of becomes ours. */
int retry_cookie_take(struct hs *hs, const struct rbuf *cookie);
int retry_request_replay(struct hs *hs, const uint8_t *hello_digest);	/* retry.c: into the transcript only */

/* The end of the random of a server that has TLS 1.3 and speaks TLS 1.2; its last byte is 0 for less. */
#define SENTINEL 8
extern const uint8_t hs_sentinel[SENTINEL];

/* ---- choose.c: what the server takes of the client's offer */
int choose_suite(struct hs *hs);
int choose_group(struct hs *hs);	/* or hs->retry */
int choose_identity(struct hs *hs);
/* Do params let us use it? */
bool scheme_allowed(const struct hs *hs, uint16_t id);
void take_scheme(struct hs *hs, uint16_t id);	/* that the peer verifies, into hs->schemes */
bool scheme_in(const struct hs *hs, const struct crypto_scheme *s);	/* is its number one of the version agreed on? */
/* Does the client take all signatures of this chain, and one of its issuers, as far as it says? */
bool chain_suits(const struct hs *hs, const struct identity *identity);
/* The scheme for our CertificateVerify; NULL: none of the peer's fits the key. */
const struct crypto_scheme *choose_scheme(const struct hs *hs, const struct identity *identity);

/* ---- psk.c: pre-shared keys, from tickets or by hand */
#define PSK_DHE_KE 1
int psk_collect(struct hs *hs);		/* client: what there is to offer, into hs->psks */
void psk_forget(struct hs *hs);
size_t psk_room(const struct hs *hs);	/* bytes that the offers need at most */
/* Client: @msg is the whole ClientHello; its binders are filled in, RFC 9846 4.2.11.2. */
void psk_bind(struct hs *hs, uint8_t *msg, size_t len);
void psk_take(struct hs *hs, size_t index);	/* client: the one that the server chose */
/* Server: the first key of the client that we have and can use. @hello: with its header. */
int choose_psk(struct hs *hs, const uint8_t *hello);

/* Server: what is in a ticket of ours that fits this handshake, and the identity that it names. */
struct ticket;
bool ticket_find(struct hs *hs, const struct rbuf *data, struct ticket *t, const struct identity **ours);

/* ---- early.c: 0-RTT */
void early_offer(struct hs *hs);	/* client: once its keys are collected */
int early_confirm(struct hs *hs);	/* client: the server took it */
void early_consider(struct hs *hs, const struct ticket *t, uint32_t obfuscated_age, const struct rbuf *identity);
bool early_undecided(const struct hs *hs);
int early_take(struct hs *hs, const uint8_t *p, size_t len);	/* server */
int begin_early_data(struct hs *hs);
int settle_early_data(struct hs *hs);
int end_of_early_data_send(struct hs *hs, struct wbuf *b);
int end_of_early_data_recv(struct hs *hs, struct rbuf *b);
int after_early_data(struct hs *hs);

/* ---- ext/delegated_credential.c */
int delegated_check(struct hs *hs);	/* of a certificate that is otherwise right */

/* ---- sct.c */
int sct_check(struct hs *hs);	/* of a certificate that is otherwise right */

/* ---- session_ticket.c: NewSessionTicket */
int tickets_issue(struct hs *hs);	/* server, behind the handshake */
size_t tickets_to_give(const struct hs *hs);

/* ---- cert.c: what both versions do */
int cert_read(struct hs *hs, struct rbuf *list);	/* the next certificate of the list, into the result */
int cert_check_chain(struct hs *hs);
int cert_key(struct hs *hs, struct crypto_pubkey *ret);	/* the peer's; the caller frees it */
int cert_check_signature(struct hs *hs, uint16_t scheme, const struct rbuf *tbs, const struct rbuf *sig);
/* The first of two calls of a message that is signed; then, with hs->sig_len, the second. */
void cert_ask_signature(struct hs *hs, const uint8_t *tbs, size_t len);
void cert_write_signature(struct hs *hs, struct wbuf *b);

/* ---- finished.c */
void hs_name_peer(struct hs *hs);	/* of a session that is not resumed: result.who */

/* ---- hello.c, retry.c, cert.c, finished.c: message bodies */
int client_hello_send(struct hs *hs, struct wbuf *b);
int client_hello_recv(struct hs *hs, struct rbuf *b);
int server_hello_send(struct hs *hs, struct wbuf *b);
int server_hello_recv(struct hs *hs, struct rbuf *b);
int retry_request_send(struct hs *hs, struct wbuf *b);
int retry_request_recv(struct hs *hs, struct rbuf *b);
/* What the two kinds of ServerHello have in common. */
int server_hello_write(struct hs *hs, enum ext_in msg, const uint8_t *random, struct wbuf *b);
int server_hello_read(struct hs *hs, enum ext_in msg, struct rbuf *b);
bool is_retry_request(const struct rbuf *msg);	/* @msg with its header */
int encrypted_extensions_send(struct hs *hs, struct wbuf *b);
int encrypted_extensions_recv(struct hs *hs, struct rbuf *b);
int certificate_request_send(struct hs *hs, struct wbuf *b);
int certificate_request_recv(struct hs *hs, struct rbuf *b);
int certificate_write(struct hs *hs, struct wbuf *b);	/* the body, not compressed; likewise read */
int certificate_read(struct hs *hs, struct rbuf *b);
int certificate_send(struct hs *hs, struct wbuf *b);
int certificate_recv(struct hs *hs, struct rbuf *b);
int certificate_verify_send(struct hs *hs, struct wbuf *b);
int certificate_verify_recv(struct hs *hs, struct rbuf *b);
int finished_send(struct hs *hs, struct wbuf *b);
int finished_recv(struct hs *hs, struct rbuf *b);

/* ---- raw_key.c */
void raw_key_write(const struct identity *identity, struct wbuf *b);
int raw_key_read(struct hs *hs, struct rbuf *list);
struct rbuf peer_spki(const struct hs *hs);	/* of its certificate, or bare */

int use_handshake_keys(struct hs *hs);
int derive_app_keys(struct hs *hs);
int install_keys(struct hs *hs);

#endif
