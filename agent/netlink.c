/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink, raw enough to bound it: the kernel handles a request inside
 * send(2), so its answer stands in the receive queue when send returns, and
 * nothing here ever waits for anything. What carries keys is wiped.
 */
#include <errno.h>
#include <fcntl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include "netlink.h"

/* ---- requests and answers */

/* @flags: NLM_F_ACK for what has no other answer. */
static struct nl_msg *request(const struct netlink *nl, uint8_t cmd, int flags, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN + room);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
				flags, cmd, KTLS_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void free_wiped(struct nl_msg *msg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);

	explicit_bzero(nlmsg_data(h), nlmsg_datalen(h));
	nlmsg_free(msg);
}

static int send_request(struct netlink *nl, struct nl_msg *msg)
{
	struct nlmsghdr *h;
	ssize_t n;

	nl_complete_msg(nl->ask, msg);
	h = nlmsg_hdr(msg);
	do {
		n = send(nl_socket_get_fd(nl->ask), h, h->nlmsg_len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The next message that answers the last request; -EAGAIN if the kernel dropped it. */
static int next_answer(struct netlink *nl, uint32_t seq, struct nlmsghdr **ret)
{
	struct nlmsghdr *h = (struct nlmsghdr *)nl->buf;
	ssize_t n;

	do {
		n = recv(nl_socket_get_fd(nl->ask), nl->buf, NETLINK_BUF, MSG_DONTWAIT);
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (n < 0 || !nlmsg_ok(h, n) || h->nlmsg_seq != seq);
	*ret = h;
	return 0;
}

/* The kernel's verdict on the request numbered @seq. */
static int read_ack(struct netlink *nl, uint32_t seq)
{
	struct nlmsghdr *h;
	int err;

	do {
		err = next_answer(nl, seq, &h);
	} while (!err && h->nlmsg_type != NLMSG_ERROR);
	return err ? err : ((struct nlmsgerr *)nlmsg_data(h))->error;
}

static int ask(struct netlink *nl, struct nl_msg *msg)
{
	int err = send_request(nl, msg);

	return err ? err : read_ack(nl, nlmsg_hdr(msg)->nlmsg_seq);
}

/* ---- JOIN and the group */

static int join(struct netlink *nl)
{
	struct nl_msg *msg = request(nl, KTLS_CMD_JOIN, NLM_F_ACK, 0);
	int err;

	if (!msg)
		return -ENOMEM;
	err = ask(nl, msg);
	nlmsg_free(msg);
	return err;
}

static struct nl_sock *connected(void)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (sock && genl_connect(sock)) {
		nl_socket_free(sock);
		return NULL;
	}
	if (sock)
		fcntl(nl_socket_get_fd(sock), F_SETFD, FD_CLOEXEC);
	return sock;
}

static int resolve(struct nl_sock *sock, int *group)
{
	int family = genl_ctrl_resolve(sock, KTLS_FAMILY_NAME);

	if (family < 0)
		return family == -NLE_OBJ_NOTFOUND ? -ENOENT : -EIO;
	*group = genl_ctrl_resolve_grp(sock, KTLS_FAMILY_NAME, KTLS_MCGRP_AGENT);
	return *group < 0 ? -ENOENT : family;
}

int netlink_probe(void)
{
	struct nl_sock *sock = connected();
	int group, family = sock ? resolve(sock, &group) : -ENOBUFS;

	nl_socket_free(sock);
	return family < 0 ? family : 0;
}

static int open_both(struct netlink *nl)
{
	int group, err;

	nl->family = resolve(nl->ask, &group);
	if (nl->family < 0)
		return nl->family;
	/* What has another answer needs no acknowledgement; the others' need not carry our keys back. */
	nl_socket_disable_auto_ack(nl->ask);
	nl_socket_set_buffer_size(nl->ask, 4 * NETLINK_BUF, 4 * NETLINK_BUF);
	setsockopt(nl_socket_get_fd(nl->ask), SOL_NETLINK, NETLINK_CAP_ACK, &(int){ 1 }, sizeof(int));
	err = nl_socket_add_membership(nl->hear, group);
	if (err)
		return err == -NLE_PERM ? -EPERM : -EIO;
	return join(nl);
}

int netlink_open(struct netlink *nl)
{
	int err = -ENOMEM;

	memset(nl, 0, sizeof(*nl));
	nl->buf = malloc(NETLINK_BUF);
	nl->ask = connected();
	nl->hear = connected();
	if (nl->buf && nl->ask && nl->hear)
		err = open_both(nl);
	if (err)
		netlink_close(nl);
	return err;
}

void netlink_close(struct netlink *nl)
{
	nl_socket_free(nl->ask);
	nl_socket_free(nl->hear);
	free(nl->buf);
	memset(nl, 0, sizeof(*nl));
}

int netlink_fd(const struct netlink *nl)
{
	return nl_socket_get_fd(nl->hear);
}

void netlink_heard(struct netlink *nl)
{
	uint8_t event[256];

	while (recv(netlink_fd(nl), event, sizeof(event), MSG_DONTWAIT) >= 0 ||
	       errno == EINTR || errno == ENOBUFS)
		;
}

/* ---- ACCEPT */

static uint32_t get_u32(struct nlattr *a)
{
	return a && nla_len(a) >= 4 ? nla_get_u32(a) : 0;
}

static uint64_t get_u64(struct nlattr *a)
{
	return a && nla_len(a) >= 8 ? nla_get_u64(a) : 0;
}

static void get_bytes(struct nlattr *a, const uint8_t **p, size_t *len)
{
	*p = a ? nla_data(a) : NULL;
	*len = a ? nla_len(a) : 0;
}

static void get_record(struct nlattr *nest, struct upcall *up)
{
	struct nlattr *r[KTLS_R_MAX + 1] = { NULL };

	if (!nest || nla_parse_nested(r, KTLS_R_MAX, nest, NULL) || !r[KTLS_R_TYPE])
		return;
	up->record_type = nla_get_u8(r[KTLS_R_TYPE]);
	get_bytes(r[KTLS_R_DATA], &up->record, &up->record_len);
}

static void parse_upcall(struct nlattr **a, struct upcall *up)
{
	struct nlattr *peer = a[KTLS_A_PEER];

	memset(up, 0, sizeof(*up));
	up->id = get_u64(a[KTLS_A_UPCALL]);
	up->cookie = get_u64(a[KTLS_A_COOKIE]);
	up->cgroup = get_u64(a[KTLS_A_CGROUP]);
	up->why = get_u32(a[KTLS_A_WHY]);
	up->role = get_u32(a[KTLS_A_ROLE]);
	up->channel = a[KTLS_A_CHANNEL] ? (int)get_u32(a[KTLS_A_CHANNEL]) : -1;
	up->timeout = get_u32(a[KTLS_A_TIMEOUT]);
	up->uid = a[KTLS_A_UID] ? get_u32(a[KTLS_A_UID]) : (uint32_t)-1;
	up->gid = a[KTLS_A_GID] ? get_u32(a[KTLS_A_GID]) : (uint32_t)-1;
	up->pid = get_u32(a[KTLS_A_PID]);
	up->tx_generation = get_u32(a[KTLS_A_TX_GENERATION]);
	up->rx_generation = get_u32(a[KTLS_A_RX_GENERATION]);
	if (peer && nla_len(peer) <= (int)sizeof(up->peer))
		memcpy(&up->peer, nla_data(peer), nla_len(peer));
	get_bytes(a[KTLS_A_PARAM], &up->param, &up->param_len);
	get_bytes(a[KTLS_A_STATE], &up->state, &up->state_len);
	get_record(a[KTLS_A_RECORD], up);
}

int netlink_accept(struct netlink *nl, struct upcall *up)
{
	struct nl_msg *msg = request(nl, KTLS_CMD_ACCEPT, 0, 0);
	struct nlattr *a[KTLS_A_MAX + 1];
	struct nlmsghdr *h;
	int err;

	if (!msg)
		return -ENOMEM;
	err = send_request(nl, msg);
	if (!err)
		err = next_answer(nl, nlmsg_hdr(msg)->nlmsg_seq, &h);
	nlmsg_free(msg);
	if (err)
		return err;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)nlmsg_data(h))->error ?: -EAGAIN;
	if (genlmsg_parse(h, 0, a, KTLS_A_MAX, NULL) < 0)
		return -EPROTO;
	parse_upcall(a, up);
	return 0;
}

/* ---- RESPOND */

#define SPARE_ROOM	160	/* a key and its attributes' heads */

static int put_key(struct nl_msg *msg, int type, const struct reply *r, const struct hs_traffic *t)
{
	struct nlattr *nest;
	int err;

	if (!t)
		return 0;
	nest = nla_nest_start(msg, type | NLA_F_NESTED);
	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u16(msg, KTLS_K_VERSION, r->version);
	err |= nla_put_u16(msg, KTLS_K_CIPHER, r->aead->tls_cipher);
	err |= nla_put(msg, KTLS_K_KEY, r->aead->key, t->key);
	if (!r->aead->mac)
		err |= nla_put(msg, KTLS_K_IV, KTLS_IV_SIZE, t->iv);
	err |= nla_put_u64(msg, KTLS_K_SEQ, t->seq);
	nla_nest_end(msg, nest);
	return err ? -EMSGSIZE : 0;
}

static int put_spares(struct nl_msg *msg, int type, const struct reply *r, const struct hs_traffic *t, size_t n)
{
	int err = 0;

	for (; n--; t++)
		err |= put_key(msg, type, r, t);
	return err;
}

static int put_record(struct nl_msg *msg, uint8_t type, const uint8_t *data, size_t len)
{
	struct nlattr *nest = nla_nest_start(msg, KTLS_A_RECORD | NLA_F_NESTED);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u8(msg, KTLS_R_TYPE, type);
	err |= nla_put(msg, KTLS_R_DATA, len, data);
	nla_nest_end(msg, nest);
	return err ? -EMSGSIZE : 0;
}

static int put_records(struct nl_msg *msg, const struct reply_record *r)
{
	size_t at, n;
	int err = 0;

	for (at = 0; at < r->len; at += n) {
		n = r->len - at < KTLS_MAX_RECORD ? r->len - at : KTLS_MAX_RECORD;
		err |= put_record(msg, r->type, (const uint8_t *)r->data + at, n);
	}
	return err;
}

static int put_failure(struct nl_msg *msg, const struct reply *r)
{
	int err = nla_put_s32(msg, KTLS_A_ERRNO, r->err);

	if (r->alert >= 0) {
		err |= nla_put_u32(msg, KTLS_A_ALERT, r->alert);
		err |= nla_put_u32(msg, KTLS_A_ALERT_FROM, r->from);
	}
	if (r->reason)
		err |= nla_put_string(msg, KTLS_A_REASON, r->reason);
	return err ? -EMSGSIZE : 0;
}

static int put_reply(struct nl_msg *msg, const struct reply *r)
{
	int err = nla_put_u64(msg, KTLS_A_UPCALL, r->id);

	if (r->err)
		err |= put_failure(msg, r);
	err |= put_records(msg, &r->record);
	if (r->post_auth)
		err |= nla_put_u32(msg, KTLS_A_POST_AUTH, r->post_auth);
	if (r->has_generation)
		err |= nla_put_u32(msg, KTLS_A_TX_GENERATION, r->tx_generation);
	err |= put_key(msg, KTLS_A_TX, r, r->tx);
	err |= put_key(msg, KTLS_A_RX, r, r->rx);
	err |= put_spares(msg, KTLS_A_TX_NEXT, r, r->tx_next, r->tx_nexts);
	err |= put_spares(msg, KTLS_A_RX_NEXT, r, r->rx_next, r->rx_nexts);
	if (r->state_len)
		err |= nla_put(msg, KTLS_A_STATE, r->state_len, r->state);
	if (r->tx_limit)
		err |= nla_put_u16(msg, KTLS_A_TX_LIMIT, r->tx_limit);
	if (r->rx_limit)
		err |= nla_put_u16(msg, KTLS_A_RX_LIMIT, r->rx_limit);
	if (r->tx_pad)
		err |= nla_put_u16(msg, KTLS_A_TX_PAD, r->tx_pad);
	if (r->info_len)
		err |= nla_put(msg, KTLS_A_INFO, r->info_len, r->info);
	return err ? -EMSGSIZE : 0;
}

int netlink_respond(struct netlink *nl, const struct reply *reply)
{
	/* 1024: two keys, the numbers and the sentence. */
	size_t room = 1024 + SPARE_ROOM * (reply->tx_nexts + reply->rx_nexts) + reply->state_len + reply->info_len + reply->record.len;
	struct nl_msg *msg = request(nl, KTLS_CMD_RESPOND, NLM_F_ACK, room);
	int err;

	if (!msg)
		return -ENOMEM;
	err = put_reply(msg, reply);
	if (!err)
		err = ask(nl, msg);
	free_wiped(msg);
	return err;
}
