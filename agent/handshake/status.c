// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A CertificateStatus, RFC 6066 8: the body of an extension of TLS 1.3, a
 * message of TLS 1.2, where the server may also leave it out after all. The
 * path is checked only when it is known whether there is one.
 */
#include "handshake/engine.h"

int certificate_status_send(struct hs *hs, struct wbuf *b)
{
	const struct staple *staple = hs->result.identity->staple;
	size_t mark;

	wbuf_u8(b, CERTIFICATE_STATUS_OCSP);
	mark = wbuf_open(b, 3);
	wbuf_bytes(b, staple->data, staple->len);
	wbuf_close(b, mark, 3);
	return 0;
}

int status_read(struct hs *hs, struct rbuf *b, struct x509_blob *ret)
{
	struct rbuf response;
	uint8_t type;

	if (!rbuf_u8(b, &type) || !rbuf_vec24(b, &response) || !rbuf_len(&response))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the OCSP response of the peer is malformed");
	if (type != CERTIFICATE_STATUS_OCSP)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer sent a certificate status that is not OCSP");
	*ret = (struct x509_blob){ response.p, rbuf_len(&response) };
	return 0;
}

int certificate_status_recv(struct hs *hs, struct rbuf *b)
{
	int err = status_read(hs, b, &hs->staple);

	if (!err)
		err = check_late_chain(hs);
	hs->staple = (struct x509_blob){ NULL, 0 };
	return err;
}

int check_late_chain(struct hs *hs)
{
	bool due = hs->tls12.status_due;

	hs->tls12.status_due = false;
	return due ? cert_check_chain(hs) : 0;
}
