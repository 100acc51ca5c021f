// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's sessions, by netlink: SESSION_GET into an array, SESSION_REKEY.
 * What fails is said on standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"
#include "ktls.h"

struct dump {
	struct session *list;
	size_t num, room;
};

static const char *why_name(uint32_t why)
{
	static const char *const names[] = {
		[KTLS_WHY_HANDSHAKE] = "handshake", [KTLS_WHY_RECORD] = "record",
		[KTLS_WHY_TICKET] = "ticket", [KTLS_WHY_SPARE] = "spare",
		[KTLS_WHY_REQUEST] = "request",
	};

	return why < sizeof(names) / sizeof(names[0]) ? names[why] : "unknown";
}

/* Whatever its size, a number; 0 when absent. */
static uint64_t number(const struct nlattr *attr)
{
	switch (attr ? nla_len(attr) : 0) {
	case 2: return nla_get_u16(attr);
	case 4: return nla_get_u32(attr);
	case 8: return nla_get_u64(attr);
	default: return 0;
	}
}

static void address(const struct nlattr *attr, char buf[static CTL_ADDRESS])
{
	char host[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 in6 = { 0 };
	struct sockaddr_in in;
	int len = attr ? nla_len(attr) : 0;

	if (len > (int)sizeof(in6))
		len = sizeof(in6);
	if (len)
		memcpy(&in6, nla_data(attr), len);
	memcpy(&in, &in6, sizeof(in));
	if (in6.sin6_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
		snprintf(buf, CTL_ADDRESS, "[%s]:%u", host, ntohs(in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		snprintf(buf, CTL_ADDRESS, "%s:%u", host, ntohs(in.sin_port));
	}
}

static void unpack(struct nlattr **a, struct session *s)
{
	*s = (struct session){
		.cookie = number(a[KTLS_S_COOKIE]),
		.phase = number(a[KTLS_S_PHASE]),
		.role = number(a[KTLS_S_ROLE]),
		.uid = number(a[KTLS_S_UID]),
		.version = number(a[KTLS_S_VERSION]),
		.cipher = number(a[KTLS_S_CIPHER]),
		.tx_generation = number(a[KTLS_S_TX_GENERATION]),
		.rx_generation = number(a[KTLS_S_RX_GENERATION]),
		.tx_records = number(a[KTLS_S_TX_RECORDS]),
		.tx_bytes = number(a[KTLS_S_TX_BYTES]),
		.rx_records = number(a[KTLS_S_RX_RECORDS]),
		.rx_bytes = number(a[KTLS_S_RX_BYTES]),
		.waits = a[KTLS_S_PENDING] ? why_name(number(a[KTLS_S_PENDING])) : NULL,
	};
	address(a[KTLS_S_LOCAL], s->local);
	address(a[KTLS_S_PEER], s->peer);
}

static struct session *grow(struct dump *d)
{
	size_t room = d->room ? 2 * d->room : 64;
	struct session *list;

	if (d->num < d->room)
		return &d->list[d->num++];
	list = reallocarray(d->list, room, sizeof(*list));
	if (!list)
		return NULL;
	d->list = list;
	d->room = room;
	return &d->list[d->num++];
}

static int on_session(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[KTLS_S_MAX + 1];
	struct session *s;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, KTLS_S_MAX, NULL))
		return NL_SKIP;
	s = grow(arg);
	if (s)
		unpack(attrs, s);
	return NL_OK;
}

static int fail(int err)
{
	const char *why = nl_geterror(err);

	if (err == -NLE_OBJ_NOTFOUND)
		why = "the module is not loaded; as root: modprobe ktls";
	if (err == -NLE_PERM)
		why = "not permitted; needs CAP_NET_ADMIN";
	fprintf(stderr, "ktlsctl: sessions: %s\n", why);
	return 1;
}

static int dump_all(struct nl_sock *sock, struct dump *dump)
{
	int family = genl_ctrl_resolve(sock, KTLS_FAMILY_NAME);
	int err;

	if (family < 0)
		return family;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_session, dump);
	err = genl_send_simple(sock, family, KTLS_CMD_SESSION_GET, KTLS_FAMILY_VERSION, NLM_F_DUMP);
	return err < 0 ? err : nl_recvmsgs_default(sock);
}

int sessions_read(struct session **ret, size_t *ret_num)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct dump dump = { 0 };
	int err = sock ? genl_connect(sock) : -NLE_NOMEM;

	if (!err)
		err = dump_all(sock, &dump);
	nl_socket_free(sock);
	if (err < 0) {
		free(dump.list);
		return fail(err);
	}
	*ret = dump.list;
	*ret_num = dump.num;
	return 0;
}

static int rekey(struct nl_sock *sock, uint64_t cookie, bool both)
{
	int family = genl_ctrl_resolve(sock, KTLS_FAMILY_NAME), err;
	struct nl_msg *msg;

	if (family < 0)
		return family;
	msg = nlmsg_alloc();
	if (!msg)
		return -NLE_NOMEM;
	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, KTLS_CMD_SESSION_REKEY, KTLS_FAMILY_VERSION);
	nla_put_u64(msg, KTLS_S_COOKIE, cookie);
	if (both)
		nla_put_flag(msg, KTLS_S_REKEY_BOTH);
	err = nl_send_sync(sock, msg);
	return err < 0 ? err : 0;
}

int session_rekey(uint64_t cookie, bool both)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err = sock ? genl_connect(sock) : -NLE_NOMEM;

	if (!err)
		err = rekey(sock, cookie, both);
	nl_socket_free(sock);
	if (err == -NLE_OPNOTSUPP)
		fprintf(stderr, "ktlsctl: rekey: TLS 1.2 has no key update\n");
	else if (err == -NLE_INVAL)
		fprintf(stderr, "ktlsctl: rekey: the module does not hold that session's keys for an agent\n");
	else if (err)
		return fail(err);
	return !!err;
}
