/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a record is on the wire (TLS 1.3: RFC 9846 5.2; 1.2: RFC 5246 6.2.3.3,
 * CBC with encrypt-then-MAC: RFC 7366 3),
 * and the alerts and handshake messages that the record layer knows by number.
 * No kernel needed.
 */
#ifndef KTLS_RECORD_FORMAT_H
#define KTLS_RECORD_FORMAT_H

#include <linux/types.h>

#define KTLS_HEADER	5
#define KTLS_NONCE	8					/* that a record carries, if it does */
#define KTLS_BLOCK	16					/* of CBC: so long is the iv, too */
#define KTLS_PREFIX_MAX	(KTLS_HEADER + KTLS_BLOCK)
#define KTLS_AAD12	13					/* RFC 5246 6.2.3.3 */
#define KTLS_AAD_MAX	(KTLS_AAD12 + KTLS_BLOCK)
#define KTLS_PLAIN_MAX	16384
#define KTLS_BODY_MAX	(KTLS_PLAIN_MAX + KTLS_BLOCK + 256 + 48)	/* longest that we take, less header: CBC's */

/* A protocol version's records: all that sealing and opening knows of it. */
struct ktls_format {
	unsigned short	version;
	unsigned char	type;		/* outer content type; 0: the record's own */
	unsigned char	inner;		/* bytes of content type behind the plaintext */
	unsigned char	nonce;		/* bytes behind the header: iv, or nonce of ciphers with a salt */
	unsigned char	block;		/* what plaintext is padded to a multiple of; 0: it isn't */
	unsigned char	aad;		/* bytes; KTLS_HEADER: the header as it stands */
	unsigned short	body_max;
	bool		updates;	/* has KeyUpdate */
};

/* NULL: no such version. @cbc: of its CBC ciphers. */
const struct ktls_format *ktls_format_find(unsigned short version, bool cbc);

/* Bytes behind @fill of plaintext that are encrypted with it: content type or padding. */
static inline size_t ktls_behind(const struct ktls_format *f, size_t fill)
{
	return f->block ? f->block - fill % f->block : f->inner;
}

enum ktls_content {
	KTLS_CCS	= 20,
	KTLS_ALERT	= 21,
	KTLS_MESSAGE	= 22,
	KTLS_DATA	= 23,
};

enum {
	KTLS_WARNING	= 1,
	KTLS_FATAL	= 2,
};

enum {
	KTLS_CLOSE_NOTIFY	= 0,
	KTLS_UNEXPECTED_MESSAGE	= 10,
	KTLS_BAD_RECORD_MAC	= 20,
	KTLS_RECORD_OVERFLOW	= 22,
	KTLS_ILLEGAL_PARAMETER	= 47,
	KTLS_DECODE_ERROR	= 50,
	KTLS_PROTOCOL_VERSION	= 70,
	KTLS_INTERNAL_ERROR	= 80,
	KTLS_USER_CANCELED	= 90,
};

enum {
	KTLS_NEW_SESSION_TICKET	= 4,
	KTLS_KEY_UPDATE		= 24,
};

#define KTLS_MESSAGE_HEADER	4
#define KTLS_MESSAGES_MAX	16384	/* header included; a ticket may be longer, but nobody's is */
#define KTLS_KEY_UPDATE_LEN	5

#define KTLS_VERSION	0x0303		/* RFC 9846 5.2: TLS 1.3 says 1.2 here, too */

/* The header of a record of content type @type whose body (all that follows) is @body long. */
static inline void ktls_header_put(const struct ktls_format *f, unsigned char *p, unsigned char type, size_t body)
{
	p[0] = f->type ? f->type : type;
	p[1] = KTLS_VERSION >> 8;
	p[2] = KTLS_VERSION & 0xff;
	p[3] = (unsigned char)(body >> 8);
	p[4] = (unsigned char)body;
}

/* What a header says, of a record whose body has at least @min bytes: 0, or the alert to send. */
static inline int ktls_header_check(const struct ktls_format *f, unsigned char type, unsigned short version,
				    size_t body, size_t min)
{
	if (f->type && type != f->type)
		return KTLS_UNEXPECTED_MESSAGE;
	if (body > f->body_max)		/* before the version, as in mainline */
		return KTLS_RECORD_OVERFLOW;
	if (version != KTLS_VERSION)
		return KTLS_PROTOCOL_VERSION;
	if (body < min || (f->block && (body - min) % f->block))
		return KTLS_BAD_RECORD_MAC;
	return 0;
}

/*
 * RFC 5246 6.2.3.3: additional data where it isn't the header. @len: of the plaintext;
 * with CBC of iv and ciphertext, as the iv behind @header is authentic, too (RFC 7366 3).
 */
void ktls_aad_put(const struct ktls_format *f, unsigned char *p, unsigned long long seq,
		  const unsigned char *header, size_t len);

/*
 * Where the inner plaintext ends: the index of the content type, which is the
 * last byte that isn't 0; -1 if all are. Looks at every padding byte once.
 */
long ktls_inner_end(const unsigned char *p, size_t len);

/*
 * Where the plaintext of a CBC record ends, and its padding begins; -1: the padding is wrong. The record
 * is authentic: what this does need not be hidden.
 */
long ktls_padding_start(const unsigned char *p, size_t len);

/* What a record of handshake messages asks of the record layer. */
enum ktls_messages {
	KTLS_MSG_TICKETS,	/* whole NewSessionTickets and nothing else */
	KTLS_MSG_UPDATE,	/* any of these, then a whole KeyUpdate at the record's end */
	KTLS_MSG_OTHER,		/* something for the agent among them */
	KTLS_MSG_PART,		/* the last one's end is still to come */
};

/*
 * Sort messages that came in a row, to the end of a record. @ret_update: the
 * KeyUpdate's request byte. > 0: the alert to send.
 */
int ktls_messages_sort(const unsigned char *p, size_t len, enum ktls_messages *ret_kind, unsigned char *ret_update);

/* Length of the message at @p, header included. @p has at least KTLS_MESSAGE_HEADER bytes. */
size_t ktls_message_len(const unsigned char *p);

#endif
