// SPDX-License-Identifier: GPL-2.0-or-later
/* SESSION_GET: the module's sessions, as a table or JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include "ctl.h"
#include "ktls.h"

#define ADDRESS_SIZE (INET6_ADDRSTRLEN + 9)

struct session {
	uint64_t cookie, tx_records, tx_bytes, rx_records, rx_bytes;
	uint32_t phase, role, uid, tx_generation, rx_generation;
	uint16_t version, cipher;
	char local[ADDRESS_SIZE], peer[ADDRESS_SIZE];
	const char *waits;
};

struct dump {
	const struct ctl *ctl;
	unsigned int num;
};

static const char *why_name(uint32_t why)
{
	static const char *const names[] = {
		[KTLS_WHY_HANDSHAKE] = "handshake", [KTLS_WHY_RECORD] = "record",
		[KTLS_WHY_TICKET] = "ticket", [KTLS_WHY_SPARE] = "spare",
	};

	return why < sizeof(names) / sizeof(names[0]) ? names[why] : "unknown";
}

static const char *role_name(uint32_t role)
{
	return role == KTLS_ROLE_SERVER ? "server" : "client";
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

static void address(const struct nlattr *attr, char buf[static ADDRESS_SIZE])
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
		snprintf(buf, ADDRESS_SIZE, "[%s]:%u", host, ntohs(in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		snprintf(buf, ADDRESS_SIZE, "%s:%u", host, ntohs(in.sin_port));
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

static void print_json(const struct session *s)
{
	printf("{\"cookie\":\"%" PRIx64 "\",\"phase\":\"%s\",\"role\":\"%s\",\"uid\":%u,"
	       "\"local\":\"%s\",\"peer\":\"%s\",\"version\":\"%s\",\"cipher\":\"%s\","
	       "\"tx\":{\"generation\":%u,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 "},"
	       "\"rx\":{\"generation\":%u,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 "},"
	       "\"waits\":%s%s%s}",
	       s->cookie, ktls_phase_name(s->phase), role_name(s->role), s->uid, s->local, s->peer,
	       s->version ? ktls_version_name(s->version) : "",
	       s->cipher ? ktls_cipher_name(s->cipher) : "",
	       s->tx_generation, s->tx_records, s->tx_bytes,
	       s->rx_generation, s->rx_records, s->rx_bytes,
	       s->waits ? "\"" : "", s->waits ?: "null", s->waits ? "\"" : "");
}

static void print_head(void)
{
	printf("%-8s %-6s %-11s %-22s %-22s %-7s %-17s %-7s %10s %14s %10s %14s %s\n", "COOKIE",
	       "ROLE", "PHASE", "LOCAL", "PEER", "VERSION", "CIPHER", "UPDATES", "TX-RECORDS",
	       "TX-BYTES", "RX-RECORDS", "RX-BYTES", "WAITS-FOR");
}

static void print_row(const struct session *s)
{
	char updates[24];

	snprintf(updates, sizeof(updates), "%u/%u", s->tx_generation, s->rx_generation);
	printf("%-8" PRIx64 " %-6s %-11s %-22s %-22s %-7s %-17s %-7s %10" PRIu64 " %14" PRIu64
	       " %10" PRIu64 " %14" PRIu64 " %s\n", s->cookie, role_name(s->role),
	       ktls_phase_name(s->phase), s->local, s->peer,
	       s->version ? ktls_version_name(s->version) : "-",
	       s->cipher ? ktls_cipher_name(s->cipher) : "-", updates, s->tx_records, s->tx_bytes,
	       s->rx_records, s->rx_bytes, s->waits ?: "-");
}

static int session_print(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[KTLS_S_MAX + 1];
	struct dump *dump = arg;
	struct session s;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, KTLS_S_MAX, NULL))
		return NL_SKIP;
	unpack(attrs, &s);
	if (dump->ctl->json) {
		fputs(dump->num ? ",\n" : "", stdout);
		print_json(&s);
	} else {
		print_row(&s);
	}
	dump->num++;
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
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, session_print, dump);
	err = genl_send_simple(sock, family, KTLS_CMD_SESSION_GET, KTLS_FAMILY_VERSION,
			       NLM_F_DUMP);
	if (err < 0)
		return err;
	if (dump->ctl->json)
		fputs("[", stdout);
	else
		print_head();
	err = nl_recvmsgs_default(sock);
	if (dump->ctl->json)
		puts("]");
	return err;
}

int ctl_sessions(const struct ctl *ctl, const char *arg)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct dump dump = { .ctl = ctl };
	int err = sock ? genl_connect(sock) : -NLE_NOMEM;

	(void)arg;
	if (!err)
		err = dump_all(sock, &dump);
	nl_socket_free(sock);
	return err < 0 ? fail(err) : 0;
}
