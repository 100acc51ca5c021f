/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets between keeper and worker: sizes are checked here, contents by who reads them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "message.h"

static const size_t sizes[] = {
	[MSG_READY] = sizeof(struct msg_plain),
	[MSG_SIGN] = sizeof(struct msg_sign),
	[MSG_SIGN_LONG] = sizeof(struct msg_sign_long),
	[MSG_SIGNED] = sizeof(struct msg_signed),
	[MSG_COUNTERS] = sizeof(struct msg_counters),
	[MSG_FAILURE] = sizeof(struct msg_failure),
	[MSG_RETIRE] = sizeof(struct msg_plain),
	[MSG_TICKET_KEYS] = sizeof(struct msg_ticket_keys),
	[MSG_TICKET_PUT] = sizeof(struct msg_ticket_put),
	[MSG_TICKET_GET] = sizeof(struct msg_ticket_get),
	[MSG_TICKET] = sizeof(struct msg_ticket),
	[MSG_FRESH_ASK] = sizeof(struct msg_fresh_ask),
	[MSG_FRESH] = sizeof(struct msg_fresh),
	[MSG_STAPLE] = sizeof(struct msg_staple),
	[MSG_IDENTITY_GET] = sizeof(struct msg_identity_get),
	[MSG_IDENTITY] = sizeof(struct msg_identity),
	[MSG_GONE] = sizeof(struct msg_gone),
};

size_t msg_size(uint32_t type)
{
	return type < sizeof(sizes) / sizeof(sizes[0]) ? sizes[type] : 0;
}

int msg_send(int fd, const void *msg)
{
	uint32_t type;
	ssize_t n;

	memcpy(&type, msg, sizeof(type));
	do {
		n = send(fd, msg, msg_size(type), MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int msg_recv(int fd, union msg *msg)
{
	ssize_t n;

	do {
		n = recv(fd, msg, sizeof(*msg), MSG_DONTWAIT | MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -EPIPE;
	if (n < (ssize_t)sizeof(msg->type) || (size_t)n != msg_size(msg->type))
		return -EPROTO;
	if (msg->type == MSG_FAILURE) {
		msg->failure.peer[MSG_PEER - 1] = '\0';
		msg->failure.name[HS_MAX_NAME - 1] = '\0';
		msg->failure.reason[MSG_REASON - 1] = '\0';
	}
	return 0;
}
