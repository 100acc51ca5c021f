/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libktls and an agent say to each other where the module isn't: one
 * packet each way over a SOCK_SEQPACKET connection.
 *
 * Request: struct ktls_handshake and attributes, as for KTLS_HANDSHAKE, with
 * two descriptors: the TCP connection, and the agent's end of a socketpair.
 * Answer, when the handshake is over: struct relay_answer.
 */
#ifndef KTLS_WAYS_H
#define KTLS_WAYS_H

#include "ktls.h"

#define RELAY_SOCKET	"/run/ktlsd/relay"
#define RELAY_ENV	"KTLS_RELAY"	/* another socket than that */
#define RELAY_WAITS	1		/* ktls_handshake.flags: the caller keeps TCP until the answer */

struct relay_answer {
	__s32	err;			/* 0 or -errno */
	__u8	way;			/* enum ktls_way */
	__u8	alert, alert_from, reserved;
	char	reason[KTLS_MAX_REASON + 1];
};

#endif
