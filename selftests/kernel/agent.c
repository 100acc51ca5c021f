// SPDX-License-Identifier: GPL-2.0-or-later
/* See agent.h. Raw netlink, so that a message can be as malformed as a test wants. */
#include <errno.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define for_each_attr(attr, start, length)					\
	for (const struct nlattr *attr = (const void *)(start),			\
	     *attr##_end = (const void *)((const uint8_t *)(start) + (length));	\
	     (const uint8_t *)attr + NLA_HDRLEN <= (const uint8_t *)attr##_end &&	\
	     attr->nla_len >= NLA_HDRLEN;					\
	     attr = (const void *)((const uint8_t *)attr + NLA_ALIGN(attr->nla_len)))

static const void *attr_data(const struct nlattr *attr)
{
	return (const uint8_t *)attr + NLA_HDRLEN;
}

static size_t attr_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

static int attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static uint64_t attr_u64(const struct nlattr *attr)
{
	uint64_t value = 0;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

/* ---- building */

static void start(struct message *m, uint16_t type, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->bytes;
	struct genlmsghdr *genl = (struct genlmsghdr *)(m->bytes + NLMSG_HDRLEN);

	m->len = NLMSG_HDRLEN + GENL_HDRLEN;
	memset(m->bytes, 0, m->len);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl->cmd = cmd;
	genl->version = KTLS_FAMILY_VERSION;
}

void message_start(struct message *m, const struct agent *a, uint8_t cmd, uint16_t flags)
{
	start(m, a->family, cmd, flags);
}

void message_put(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = (struct nlattr *)(m->bytes + m->len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memset(m->bytes + m->len + NLA_HDRLEN, 0, NLA_ALIGN(len));
	if (len)
		memcpy(m->bytes + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
}

void message_put_u16(struct message *m, uint16_t type, uint16_t value)
{
	message_put(m, type, &value, sizeof(value));
}

void message_put_u32(struct message *m, uint16_t type, uint32_t value)
{
	message_put(m, type, &value, sizeof(value));
}

void message_put_u64(struct message *m, uint16_t type, uint64_t value)
{
	message_put(m, type, &value, sizeof(value));
}

size_t message_nest(struct message *m, uint16_t type)
{
	size_t nest = m->len;

	message_put(m, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void message_nest_end(struct message *m, size_t nest)
{
	((struct nlattr *)(m->bytes + nest))->nla_len = m->len - nest;
}

void message_put_key(struct message *m, uint16_t type, const struct key *key)
{
	size_t nest = message_nest(m, type);

	message_put_u16(m, KTLS_K_VERSION, key->version);
	message_put_u16(m, KTLS_K_CIPHER, key->cipher);
	message_put(m, KTLS_K_KEY, key->key, key->key_len);
	if (key->cipher < KTLS_CIPHER_AES_CBC_128_SHA)
		message_put(m, KTLS_K_IV, key->iv, sizeof(key->iv));
	message_put_u64(m, KTLS_K_SEQ, key->seq);
	message_nest_end(m, nest);
}

void message_put_record(struct message *m, uint8_t type, const void *data, size_t len)
{
	size_t nest = message_nest(m, KTLS_A_RECORD);

	message_put(m, KTLS_R_TYPE, &type, sizeof(type));
	message_put(m, KTLS_R_DATA, data, len);
	message_nest_end(m, nest);
}

/* ---- talking */

int agent_write(struct agent *a, struct message *m)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->bytes;

	nlh->nlmsg_len = m->len;
	nlh->nlmsg_seq = ++a->seq;
	a->words[0] = 0;
	return send(a->fd, m->bytes, m->len, 0) < 0 ? -errno : 0;
}

/* Behind the request, which comes back whole unless it was capped. */
static void error_words(struct agent *a, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = (const void *)((const uint8_t *)nlh + NLMSG_HDRLEN);
	size_t offset = NLMSG_HDRLEN + sizeof(*error);

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(error->msg);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || nlh->nlmsg_len <= offset)
		return;
	for_each_attr(attr, (const uint8_t *)nlh + offset, nlh->nlmsg_len - offset)
		if (attr_type(attr) == NLMSGERR_ATTR_MSG)
			strncpy(a->words, attr_data(attr), sizeof(a->words) - 1);
}

/* The next message that answers the last request: its header in @m. READY
 * events in between are passed over. -errno if it is an error. */
int agent_read(struct agent *a, struct message *m)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->bytes;
	ssize_t n;

	for (;;) {
		n = recv(a->fd, m->bytes, sizeof(m->bytes), 0);
		if (n < 0)
			return -errno;
		m->len = n;
		if (nlh->nlmsg_seq != a->seq)
			continue;
		if (nlh->nlmsg_type != NLMSG_ERROR)
			return 0;
		error_words(a, nlh);
		return ((struct nlmsgerr *)(m->bytes + NLMSG_HDRLEN))->error;
	}
}

int agent_send(struct agent *a, struct message *m)
{
	int err = agent_write(a, m);

	return err ? err : agent_read(a, m);
}

static uint32_t group_id(const struct nlattr *groups)
{
	uint32_t id = 0;

	for_each_attr(group, attr_data(groups), attr_len(groups))
		for_each_attr(attr, attr_data(group), attr_len(group))
			if (attr_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = attr_u32(attr);
	return id;
}

static int family_resolve(struct agent *a)
{
	static __thread struct message m;
	struct nlmsghdr *nlh = (struct nlmsghdr *)m.bytes;
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	int err;

	start(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	message_put(&m, CTRL_ATTR_FAMILY_NAME, KTLS_FAMILY_NAME, sizeof(KTLS_FAMILY_NAME));
	err = agent_send(a, &m);
	if (err)
		return err;
	for_each_attr(attr, m.bytes + head, nlh->nlmsg_len - head) {
		if (attr_type(attr) == CTRL_ATTR_FAMILY_ID)
			memcpy(&a->family, attr_data(attr), sizeof(a->family));
		if (attr_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			a->group = group_id(attr);
	}
	return a->family ? 0 : -ENOENT;
}

int agent_open(struct agent *a)
{
	struct timeval limit = { .tv_sec = 10 };
	int one = 1, err;

	memset(a, 0, sizeof(*a));
	a->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (a->fd < 0)
		return -errno;
	setsockopt(a->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(a->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	err = family_resolve(a);
	if (err)
		agent_close(a);
	return err;
}

void agent_close(struct agent *a)
{
	close(a->fd);
	a->fd = -1;
}

int agent_join(struct agent *a)
{
	static __thread struct message m;

	message_start(&m, a, KTLS_CMD_JOIN, NLM_F_ACK);
	return agent_send(a, &m);
}

int agent_listen(struct agent *a)
{
	return setsockopt(a->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			  &a->group, sizeof(a->group)) ? -errno : 0;
}

int agent_ready(struct agent *a, int ms)
{
	static __thread struct message m;
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	uint32_t pending = 0;

	if (poll(&p, 1, ms) != 1)
		return -ETIMEDOUT;
	if (recv(a->fd, m.bytes, sizeof(m.bytes), 0) < 0)
		return -errno;
	if (((struct genlmsghdr *)(m.bytes + NLMSG_HDRLEN))->cmd != KTLS_CMD_READY)
		return -EPROTO;
	for_each_attr(attr, m.bytes + head, ((struct nlmsghdr *)m.bytes)->nlmsg_len - head)
		if (attr_type(attr) == KTLS_N_PENDING)
			pending = attr_u32(attr);
	return pending;
}

static void copy_attr(void *to, size_t *len, size_t room, const struct nlattr *attr)
{
	*len = attr_len(attr) < room ? attr_len(attr) : room;
	memcpy(to, attr_data(attr), *len);
}

static void take_record(struct upcall *u, const struct nlattr *nest)
{
	for_each_attr(attr, attr_data(nest), attr_len(nest)) {
		if (attr_type(attr) == KTLS_R_TYPE)
			u->record_type = *(const uint8_t *)attr_data(attr);
		if (attr_type(attr) == KTLS_R_DATA)
			copy_attr(u->record, &u->record_len, sizeof(u->record), attr);
	}
}

static void take_attr(struct upcall *u, const struct nlattr *attr)
{
	size_t len;

	switch (attr_type(attr)) {
	case KTLS_A_UPCALL:	u->id = attr_u64(attr); break;
	case KTLS_A_COOKIE:	u->cookie = attr_u64(attr); break;
	case KTLS_A_WHY:	u->why = attr_u32(attr); break;
	case KTLS_A_ROLE:	u->role = attr_u32(attr); break;
	case KTLS_A_CHANNEL:	u->channel = attr_u32(attr); break;
	case KTLS_A_TIMEOUT:	u->timeout = attr_u32(attr); break;
	case KTLS_A_UID:	u->uid = attr_u32(attr); break;
	case KTLS_A_GID:	u->gid = attr_u32(attr); break;
	case KTLS_A_PID:	u->pid = attr_u32(attr); break;
	case KTLS_A_CGROUP:	u->cgroup = attr_u64(attr); break;
	case KTLS_A_LOCAL:	copy_attr(&u->local, &len, sizeof(u->local), attr); break;
	case KTLS_A_PEER:	copy_attr(&u->peer, &len, sizeof(u->peer), attr); break;
	case KTLS_A_PARAM:	copy_attr(u->param, &u->param_len, sizeof(u->param), attr); break;
	case KTLS_A_STATE:	copy_attr(u->state, &u->state_len, sizeof(u->state), attr); break;
	case KTLS_A_RECORD:	take_record(u, attr); break;
	case KTLS_A_TX_GENERATION: u->tx_generation = attr_u32(attr); break;
	case KTLS_A_RX_GENERATION: u->rx_generation = attr_u32(attr); break;
	}
	u->present |= 1u << attr_type(attr);
}

int agent_accept(struct agent *a, struct upcall *u)
{
	static __thread struct message m;
	int err;

	message_start(&m, a, KTLS_CMD_ACCEPT, 0);
	err = agent_write(a, &m);
	return err ? err : agent_accepted(a, u);
}

int agent_accepted(struct agent *a, struct upcall *u)
{
	static __thread struct message m;
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	int err = agent_read(a, &m);

	if (err)
		return err;
	memset(u, 0, sizeof(*u));
	u->channel = -1;
	for_each_attr(attr, m.bytes + head, ((struct nlmsghdr *)m.bytes)->nlmsg_len - head)
		take_attr(u, attr);
	return 0;
}

int agent_wait(struct agent *a, struct upcall *u, int ms)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	int err;

	while ((err = agent_accept(a, u)) == -EAGAIN && ms > 0) {
		nanosleep(&pause, NULL);
		ms -= 2;
	}
	return err;
}

void agent_respond(struct agent *a, struct message *m, uint64_t id)
{
	message_start(m, a, KTLS_CMD_RESPOND, NLM_F_ACK);
	message_put_u64(m, KTLS_A_UPCALL, id);
}

int agent_respond_keys(struct agent *a, uint64_t id, const struct key *tx, const struct key *rx)
{
	static __thread struct message m;

	agent_respond(a, &m, id);
	message_put_key(&m, KTLS_A_TX, tx);
	message_put_key(&m, KTLS_A_RX, rx);
	return agent_send(a, &m);
}

int agent_respond_error(struct agent *a, uint64_t id, int err, uint8_t alert, uint8_t from, const char *reason)
{
	static __thread struct message m;

	agent_respond(a, &m, id);
	message_put_u32(&m, KTLS_A_ERRNO, err);
	message_put_u32(&m, KTLS_A_ALERT, alert);
	message_put_u32(&m, KTLS_A_ALERT_FROM, from);
	if (reason)
		message_put(&m, KTLS_A_REASON, reason, strlen(reason) + 1);
	return agent_send(a, &m);
}

static void session_each(const struct nlmsghdr *nlh,
			 void (*each)(const struct nlattr **tb, void *arg), void *arg)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	const struct nlattr *tb[KTLS_S_MAX + 1] = {};

	for_each_attr(attr, (const uint8_t *)nlh + head, nlh->nlmsg_len - head)
		if (attr_type(attr) <= KTLS_S_MAX)
			tb[attr_type(attr)] = attr;
	each(tb, arg);
}

int agent_sessions(struct agent *a, void (*each)(const struct nlattr **tb, void *arg), void *arg)
{
	static __thread struct message m;
	struct nlmsghdr *nlh;
	int err, rest;

	message_start(&m, a, KTLS_CMD_SESSION_GET, NLM_F_DUMP);
	err = agent_write(a, &m);
	if (err)
		return err;
	for (;;) {
		err = agent_read(a, &m);
		if (err)
			return err;
		rest = m.len;
		for (nlh = (struct nlmsghdr *)m.bytes; NLMSG_OK(nlh, (unsigned int)rest); nlh = NLMSG_NEXT(nlh, rest)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			session_each(nlh, each, arg);
		}
	}
}
