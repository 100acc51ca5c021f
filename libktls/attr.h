/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Netlink attributes in memory, as KTLS_HANDSHAKE and KTLS_INFO carry them:
 * struct nlattr, payload, padding to 4 bytes. Private to libktls.
 */
#ifndef KTLS_ATTR_H
#define KTLS_ATTR_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct attr {
	uint16_t type;
	size_t len;
	const uint8_t *data;
};

/* Take the attribute at *@at; false at the end, also where it is cut off. */
static inline bool attr_next(const uint8_t *buf, size_t len, size_t *at, struct attr *attr)
{
	struct nlattr head;

	if (*at > len || len - *at < NLA_HDRLEN)
		return false;
	memcpy(&head, buf + *at, sizeof(head));
	if (head.nla_len < NLA_HDRLEN || head.nla_len > len - *at)
		return false;
	attr->type = head.nla_type & NLA_TYPE_MASK;
	attr->len = head.nla_len - NLA_HDRLEN;
	attr->data = buf + *at + NLA_HDRLEN;
	*at += NLA_ALIGN(head.nla_len);
	return true;
}

#endif
