/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ktls.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_KTLS_NETLINK_H
#define _UAPI_LINUX_KTLS_NETLINK_H

#define KTLS_FAMILY_NAME	"ktls"
#define KTLS_FAMILY_VERSION	1

#define KTLS_MAX_KEY	80
#define KTLS_IV_SIZE	12
#define KTLS_MAX_STATE	4096
#define KTLS_MAX_INFO	16384
#define KTLS_MAX_PARAM	4096
#define KTLS_MAX_EARLY	8192
#define KTLS_MAX_REASON	255
#define KTLS_MAX_RECORD	16384
#define KTLS_MAX_SPARES	16

/**
 * enum ktls_why - Why an upcall was made.
 * @KTLS_WHY_HANDSHAKE: A handshake is wanted; the upcall has a channel.
 * @KTLS_WHY_RECORD: A control record came; RX is held until the response.
 * @KTLS_WHY_TICKET: A NewSessionTicket came; RX goes on.
 * @KTLS_WHY_SPARE: A key update used up a spare key; new spares are wanted.
 * @KTLS_WHY_REQUEST: A server would see the client's certificate (RFC 8446
 *   4.6.2); spares as well. An errno in the answer ends the request only.
 */
enum ktls_why {
	KTLS_WHY_HANDSHAKE,
	KTLS_WHY_RECORD,
	KTLS_WHY_TICKET,
	KTLS_WHY_SPARE,
	KTLS_WHY_REQUEST,
};

enum ktls_role {
	KTLS_ROLE_CLIENT,
	KTLS_ROLE_SERVER,
};

/**
 * enum ktls_phase - The life of a session; it goes back only from a handshake
 *   that failed before a byte moved.
 */
enum ktls_phase {
	KTLS_PHASE_BARE,
	KTLS_PHASE_HANDSHAKING,
	KTLS_PHASE_OPEN,
	KTLS_PHASE_DEAD,
};

enum ktls_alert_from {
	KTLS_ALERT_FROM_NONE,
	KTLS_ALERT_FROM_LOCAL,
	KTLS_ALERT_FROM_PEER,
};

/**
 * enum ktls_post_auth - Authentication after the handshake, as RESPOND tells
 *   of it.
 * @KTLS_POST_AUTH_OFFERED: The handshake's client would answer requests;
 *   without it there is no upcall of that kind.
 * @KTLS_POST_AUTH_MORE: The record is the beginning of an answer. It is kept,
 *   and comes again with what follows it.
 * @KTLS_POST_AUTH_ANSWERED: The record was the whole answer to the request.
 */
enum ktls_post_auth {
	KTLS_POST_AUTH_NONE,
	KTLS_POST_AUTH_OFFERED,
	KTLS_POST_AUTH_MORE,
	KTLS_POST_AUTH_ANSWERED,
};

enum {
	KTLS_A_UPCALL = 1,
	KTLS_A_COOKIE,
	KTLS_A_WHY,
	KTLS_A_ROLE,
	KTLS_A_CHANNEL,
	KTLS_A_TIMEOUT,
	KTLS_A_UID,
	KTLS_A_GID,
	KTLS_A_PID,
	KTLS_A_CGROUP,
	KTLS_A_LOCAL,
	KTLS_A_PEER,
	KTLS_A_PARAM,
	KTLS_A_STATE,
	KTLS_A_RECORD,
	KTLS_A_ERRNO,
	KTLS_A_ALERT,
	KTLS_A_ALERT_FROM,
	KTLS_A_REASON,
	KTLS_A_TX,
	KTLS_A_RX,
	KTLS_A_TX_NEXT,
	KTLS_A_RX_NEXT,
	KTLS_A_INFO,
	KTLS_A_TX_GENERATION,
	KTLS_A_RX_GENERATION,
	KTLS_A_PAD,
	KTLS_A_TX_LIMIT,
	KTLS_A_RX_LIMIT,
	KTLS_A_TX_PAD,
	KTLS_A_POST_AUTH,

	__KTLS_A_MAX,
	KTLS_A_MAX = (__KTLS_A_MAX - 1)
};

enum {
	KTLS_R_TYPE = 1,
	KTLS_R_DATA,

	__KTLS_R_MAX,
	KTLS_R_MAX = (__KTLS_R_MAX - 1)
};

enum {
	KTLS_K_VERSION = 1,
	KTLS_K_CIPHER,
	KTLS_K_KEY,
	KTLS_K_IV,
	KTLS_K_SEQ,
	KTLS_K_PAD,

	__KTLS_K_MAX,
	KTLS_K_MAX = (__KTLS_K_MAX - 1)
};

enum {
	KTLS_P_SERVER_NAME = 1,
	KTLS_P_ALPN,
	KTLS_P_IDENTITY,
	KTLS_P_TRUST,
	KTLS_P_CLIENT_AUTH,
	KTLS_P_PEER_CHAIN,
	KTLS_P_CIPHERS,
	KTLS_P_PSK,
	KTLS_P_EARLY_DATA,
	KTLS_P_EARLY_MAX,
	KTLS_P_POST_AUTH,

	__KTLS_P_MAX,
	KTLS_P_MAX = (__KTLS_P_MAX - 1)
};

enum {
	KTLS_I_REASON = 1,
	KTLS_I_SUITE,
	KTLS_I_GROUP,
	KTLS_I_SCHEME,
	KTLS_I_ALPN,
	KTLS_I_SERVER_NAME,
	KTLS_I_IDENTITY,
	KTLS_I_PEER_NAME,
	KTLS_I_PEER_SHA256,
	KTLS_I_PEER_CHAIN,
	KTLS_I_RESUMED,
	KTLS_I_PSK,
	KTLS_I_CHANNEL_BINDING,
	KTLS_I_EARLY,
	KTLS_I_EARLY_DATA,
	KTLS_I_POST_AUTH,

	__KTLS_I_MAX,
	KTLS_I_MAX = (__KTLS_I_MAX - 1)
};

enum {
	KTLS_S_COOKIE = 1,
	KTLS_S_PHASE,
	KTLS_S_ROLE,
	KTLS_S_LOCAL,
	KTLS_S_PEER,
	KTLS_S_VERSION,
	KTLS_S_CIPHER,
	KTLS_S_SUITE,
	KTLS_S_UID,
	KTLS_S_TX_GENERATION,
	KTLS_S_RX_GENERATION,
	KTLS_S_TX_RECORDS,
	KTLS_S_TX_BYTES,
	KTLS_S_RX_RECORDS,
	KTLS_S_RX_BYTES,
	KTLS_S_PENDING,
	KTLS_S_ACCEPTED,
	KTLS_S_PAD,
	KTLS_S_REKEY_BOTH,

	__KTLS_S_MAX,
	KTLS_S_MAX = (__KTLS_S_MAX - 1)
};

enum {
	KTLS_N_PENDING = 1,

	__KTLS_N_MAX,
	KTLS_N_MAX = (__KTLS_N_MAX - 1)
};

enum {
	KTLS_CMD_JOIN = 1,
	KTLS_CMD_READY,
	KTLS_CMD_ACCEPT,
	KTLS_CMD_RESPOND,
	KTLS_CMD_SESSION_GET,
	KTLS_CMD_SESSION_REKEY,

	__KTLS_CMD_MAX,
	KTLS_CMD_MAX = (__KTLS_CMD_MAX - 1)
};

#define KTLS_MCGRP_AGENT	"agent"

#endif /* _UAPI_LINUX_KTLS_NETLINK_H */
