// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server_name, RFC 6066 3: the DNS name that the client wants to reach. The
 * server's empty answer says that the name chose the certificate.
 */
#include "ext/ext.h"
#include <arpa/inet.h>
#include <string.h>

#define HOST_NAME 0

/* A literal address is no host name. */
static bool is_address(const char *name)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

static bool wanted(const struct hs *hs, enum ext_in msg)
{
	const char *name = hs->params->server_name;

	return msg != EXT_CH || (name && name[0] && !is_address(name));
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	const char *name = hs->params->server_name;
	size_t list = wbuf_open(b, 2), one;

	(void)msg;
	wbuf_u8(b, HOST_NAME);
	one = wbuf_open(b, 2);
	wbuf_bytes(b, name, strnlen(name, HS_MAX_NAME));
	wbuf_close(b, one, 2);
	wbuf_close(b, list, 2);
	return 0;
}

static int take_name(struct hs *hs, const struct rbuf *name)
{
	size_t len = rbuf_len(name);

	if (!len || len >= HS_MAX_NAME || memchr(name->p, 0, len))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server name is not a host name");
	memcpy(hs->result.server_name, name->p, len);
	hs->result.server_name[len] = 0;
	return 0;
}

static int accept_name(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list, name;
	bool taken = false;
	uint8_t type;
	int err = 0;

	(void)msg;
	if (!rbuf_vec16(b, &list) || !rbuf_len(&list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "server_name is malformed");
	while (!err && rbuf_len(&list)) {
		if (!rbuf_u8(&list, &type) || !rbuf_vec16(&list, &name))
			return hs_fail(hs, ALERT_DECODE_ERROR, "server_name is malformed");
		if (type != HOST_NAME)
			continue;
		if (taken)
			return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "two host names in server_name");
		taken = true;
		err = take_name(hs, &name);
	}
	return err;
}

/* Empty: the engine refuses bytes that are left over. */
const struct ext ext_server_name = {
	.name = "server_name", .id = EXT_ID_SERVER_NAME, .in = EXT_CH | EXT_EE | EXT_SH12,
	.wanted = wanted, .offer = offer, .accept = accept_name, .answer = ext_write_nothing, .confirm = ext_read_nothing,
};
