// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client_certificate_type and server_certificate_type, RFC 7250: whether a side
 * proves a bare public key instead of a certificate. Such a key counts when the
 * other side has been told of it, and by no authority's word.
 */
#include "ext/ext.h"

static bool list_has(struct rbuf list, uint8_t type)
{
	uint8_t one;

	while (rbuf_u8(&list, &one))
		if (one == type)
			return true;
	return false;
}

static int read_list(struct hs *hs, struct rbuf *b, struct rbuf *list)
{
	if (!rbuf_vec8(b, list) || !rbuf_len(list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the list of certificate types is malformed");
	return 0;
}

/* X.509 as well, @too; the bare key first. */
static int write_list(struct wbuf *b, bool too)
{
	size_t list = wbuf_open(b, 1);

	wbuf_u8(b, CERT_RAW_KEY);
	if (too)
		wbuf_u8(b, CERT_X509);
	wbuf_close(b, list, 1);
	return 0;
}

static int read_one(struct hs *hs, struct rbuf *b, bool x509_too, enum cert_type *ret)
{
	uint8_t type;

	if (!rbuf_u8(b, &type))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the certificate type is malformed");
	if (type != CERT_RAW_KEY && !(type == CERT_X509 && x509_too))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server chose certificate type %u, not offered", type);
	*ret = type;
	return 0;
}

/* The first of what we would use that the client has too. */
static int take(struct hs *hs, const struct rbuf *list, bool raw, bool x509, enum cert_type *ret)
{
	if (raw && list_has(*list, CERT_RAW_KEY))
		*ret = CERT_RAW_KEY;
	else if (x509 && list_has(*list, CERT_X509))
		*ret = CERT_X509;
	else
		return hs_fail(hs, ALERT_UNSUPPORTED_CERTIFICATE, "the client has no certificate type of ours");
	return 0;
}

static bool trusts_certificates(const struct hs *hs)
{
	return hs->params->trust || hs->params->insecure;
}

/* ---- what the server proves */

static bool server_wanted(const struct hs *hs, enum ext_in msg)
{
	return msg == EXT_CH ? hs->params->raw_peers_num : !hs->has_psk;
}

static int server_offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	return write_list(b, trusts_certificates(hs));
}

static int server_accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	int err = read_list(hs, b, &list);

	(void)msg;
	return err ? err : take(hs, &list, hs->params->raw_key, true, &hs->own_type);
}

static int server_answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u8(b, hs->own_type);
	return 0;
}

static int server_confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	return read_one(hs, b, trusts_certificates(hs), &hs->peer_type);
}

/* ---- what the client proves, if it is asked to */

static bool client_wanted(const struct hs *hs, enum ext_in msg)
{
	if (msg == EXT_CH)
		return hs->params->raw_key && hs->params->identity;
	return hs->cert_requested && !hs->has_psk;
}

static int client_offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	return write_list(b, true);
}

static int client_accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list;
	int err = read_list(hs, b, &list);

	(void)msg;
	if (err || !hs->cert_requested)
		return err;
	return take(hs, &list, hs->params->raw_peers_num, trusts_certificates(hs), &hs->peer_type);
}

static int client_answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)msg;
	wbuf_u8(b, hs->peer_type);
	return 0;
}

static int client_confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)msg;
	return read_one(hs, b, true, &hs->own_type);
}

const struct ext ext_server_certificate_type = {
	.name = "server_certificate_type", .id = EXT_ID_SERVER_CERTIFICATE_TYPE, .in = EXT_CH | EXT_EE, .only = TLS13,
	.wanted = server_wanted, .offer = server_offer, .accept = server_accept, .answer = server_answer,
	.confirm = server_confirm,
};

const struct ext ext_client_certificate_type = {
	.name = "client_certificate_type", .id = EXT_ID_CLIENT_CERTIFICATE_TYPE, .in = EXT_CH | EXT_EE, .only = TLS13,
	.wanted = client_wanted, .offer = client_offer, .accept = client_accept, .answer = client_answer,
	.confirm = client_confirm,
};
