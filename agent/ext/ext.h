/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hello extensions, RFC 9846 4.2: one descriptor each, in a file of its name;
 * one table, in ext.c, which holds the rules that are the same for all.
 */
#ifndef EXT_H
#define EXT_H
#include <errno.h>
#include "handshake/engine.h"

/* IANA numbers of those that are named in code. */
enum ext_id {
	EXT_ID_SERVER_NAME		= 0,
	EXT_ID_MAX_FRAGMENT_LENGTH	= 1,
	EXT_ID_STATUS_REQUEST		= 5,
	EXT_ID_SUPPORTED_GROUPS		= 10,
	EXT_ID_EC_POINT_FORMATS		= 11,
	EXT_ID_SIGNATURE_ALGORITHMS	= 13,
	EXT_ID_ALPN			= 16,
	EXT_ID_SIGNED_CERTIFICATE_TIMESTAMP = 18,
	EXT_ID_CLIENT_CERTIFICATE_TYPE	= 19,
	EXT_ID_SERVER_CERTIFICATE_TYPE	= 20,
	EXT_ID_PADDING			= 21,
	EXT_ID_ENCRYPT_THEN_MAC		= 22,
	EXT_ID_EXTENDED_MASTER_SECRET	= 23,
	EXT_ID_COMPRESS_CERTIFICATE	= 27,
	EXT_ID_RECORD_SIZE_LIMIT	= 28,
	EXT_ID_DELEGATED_CREDENTIAL	= 34,
	EXT_ID_SESSION_TICKET		= 35,
	EXT_ID_PRE_SHARED_KEY		= 41,
	EXT_ID_EARLY_DATA		= 42,
	EXT_ID_SUPPORTED_VERSIONS	= 43,
	EXT_ID_COOKIE			= 44,
	EXT_ID_PSK_MODES		= 45,
	EXT_ID_CERTIFICATE_AUTHORITIES	= 47,
	EXT_ID_POST_HANDSHAKE_AUTH	= 49,
	EXT_ID_SIGNATURE_ALGORITHMS_CERT = 50,
	EXT_ID_KEY_SHARE		= 51,
	EXT_ID_TICKET_REQUEST		= 58,
	EXT_ID_ECH			= 0xfe0d,
	EXT_ID_RENEGOTIATION_INFO	= 0xff01,
};

#define EXT_NOTHING (-ENODATA)	/* of an offer: leave this one out after all */

/* One hello extension. A function that is NULL has nothing to say. @msg: which message it is in. */
struct ext {
	const char *name;
	uint16_t id;			/* IANA */
	uint16_t in;			/* mask of enum ext_in: the column of the RFC's table */
	uint16_t only;			/* the one version that it has a meaning in; 0: in all */
	bool unasked;			/* may answer what was never offered: cookie */
	uint8_t not_offered;		/* alert for an answer to what wasn't; 0: unsupported_extension */

	bool (*wanted)(const struct hs *hs, enum ext_in msg);	/* NULL: whenever there is a writer */
	int (*offer)(struct hs *hs, enum ext_in msg, struct wbuf *b);	/* write into a request, or EXT_NOTHING */
	int (*accept)(struct hs *hs, enum ext_in msg, struct rbuf *b);	/* read from a request */
	int (*answer)(struct hs *hs, enum ext_in msg, struct wbuf *b);	/* write into a response */
	int (*confirm)(struct hs *hs, enum ext_in msg, struct rbuf *b);	/* read from a response */
};

extern const struct ext ext_server_name, ext_supported_groups, ext_signature_algorithms, ext_alpn,
	ext_pre_shared_key, ext_early_data, ext_supported_versions, ext_cookie, ext_psk_modes,
	ext_certificate_authorities, ext_delegated_credential, ext_post_handshake_auth, ext_signed_certificate_timestamp,
	ext_signature_algorithms_cert, ext_key_share, ext_ticket_request,
	ext_record_size_limit, ext_max_fragment_length, ext_status_request, ext_padding, ext_ech,
	ext_compress_certificate, ext_client_certificate_type, ext_server_certificate_type,
	ext_ec_point_formats, ext_extended_master_secret, ext_encrypt_then_mac, ext_renegotiation_info, ext_session_ticket;

#define EXTS_MAX 64			/* masks of extensions have 64 bits */
extern const struct ext *exts[EXTS_MAX];	/* in the order in which they are read and written */
extern size_t exts_num;

/*
 * One of an application's own, under the same rules; @ext stays the caller's and has to last.
 * Before the first handshake, as the others are numbered anew. 0; -EEXIST: we have it; -ENOSPC; -EINVAL: what is asked is not heard.
 */
int ext_register(const struct ext *ext);
void ext_unregister(uint16_t id);	/* of those; when there is no handshake left */

/* For those that are empty. Bytes that are left over are refused by who reads the block. */
int ext_write_nothing(struct hs *hs, enum ext_in msg, struct wbuf *b);
int ext_read_nothing(struct hs *hs, enum ext_in msg, struct rbuf *b);

/* A block of extensions with its length. Reading reports what breaks a rule. */
int ext_write(struct hs *hs, enum ext_in msg, struct wbuf *b);
int ext_read(struct hs *hs, enum ext_in msg, struct rbuf *b);

bool ext_offered(const struct hs *hs, uint16_t id);	/* in our last request, or an earlier one */
bool ext_received(const struct hs *hs, uint16_t id);	/* in the peer's last request */
bool ext_answered(const struct hs *hs, uint16_t id);	/* in the peer's last response, or ours of TLS 1.2 */
void ext_suppose(struct hs *hs, uint16_t id);		/* as if it had been in the peer's last request */
const char *ext_name(uint16_t id);
/* The version that a ServerHello with this block selects; 0: the block doesn't say. */
uint16_t ext_selected_version(struct rbuf block);
/* The newest version that a ClientHello with this block offers and that is allowed. -ENOENT: it doesn't say. */
int ext_best_version(struct hs *hs, struct rbuf block, uint16_t *best);

#endif
