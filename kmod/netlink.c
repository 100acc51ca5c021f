// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's side, as uapi/ktls.yaml says: JOIN, READY, ACCEPT, SESSION_GET;
 * RESPOND is in respond.c. Privilege is asked for at JOIN and SESSION_GET only;
 * what a joined socket may do hangs on its port id, which nobody can forge and
 * which the notifier sees go.
 */
#include <linux/file.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <net/genetlink.h>
#include "crypto/aead.h"
#include "upcall.h"

#define GROUP_AGENT	0

static struct genl_family family;

/* ---- READY. May be lost: an agent that overruns or starts drains the queue. */

void ktls_netlink_ready(struct net *net, unsigned int pending)
{
	struct sk_buff *skb;
	void *hdr;

	if (!pending || !genl_has_listeners(&family, net, GROUP_AGENT))
		return;
	skb = genlmsg_new(nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &family, 0, KTLS_CMD_READY);
	if (!hdr || nla_put_u32(skb, KTLS_N_PENDING, pending)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&family, net, skb, 0, GROUP_AGENT, GFP_KERNEL);
}

/* ---- JOIN */

static int join(struct sk_buff *skb, struct genl_info *info)
{
	int err = ktls_agent_join(ktls_pernet(genl_info_net(info)), info->snd_portid);

	if (err == -EALREADY)
		NL_SET_ERR_MSG(info->extack, "this netlink socket has joined before");
	return err;
}

static int agent_gone(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC)
		ktls_agent_left(ktls_pernet(n->net), n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block agent_notifier = { .notifier_call = agent_gone };

/* ---- ACCEPT */

static int put_addr4(struct sk_buff *skb, int attr, __be32 addr, __be16 port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = addr,
	};

	return nla_put(skb, attr, sizeof(sin), &sin);
}

static int put_addr6(struct sk_buff *skb, int attr, const struct in6_addr *addr, __be16 port, u32 scope)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = *addr, .sin6_scope_id = scope,
	};

	return nla_put(skb, attr, sizeof(sin6), &sin6);
}

int ktls_netlink_put_addrs(struct sk_buff *skb, const struct sock *sk, int local, int peer)
{
	__be16 sport = inet_sk(sk)->inet_sport, dport = sk->sk_dport;
	u32 scope;

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		scope = ipv6_iface_scope_id(&sk->sk_v6_daddr, sk->sk_bound_dev_if);
		return put_addr6(skb, local, &sk->sk_v6_rcv_saddr, sport, scope) ?:
		       put_addr6(skb, peer, &sk->sk_v6_daddr, dport, scope);
	}
#endif
	return put_addr4(skb, local, sk->sk_rcv_saddr, sport) ?:
	       put_addr4(skb, peer, sk->sk_daddr, dport);
}

static size_t accept_size(const struct ktls_sock *ks, const struct ktls_upcall *u)
{
	return 3 * nla_total_size_64bit(sizeof(u64)) + 9 * nla_total_size(sizeof(u32)) +
	       2 * nla_total_size(sizeof(struct sockaddr_in6)) +
	       nla_total_size(0) + nla_total_size(1) +
	       nla_total_size(u->len) + nla_total_size(ks->state_len);
}

static int put_caller(struct sk_buff *skb, const struct ktls_upcall *u)
{
	const struct ktls_caller *who = &u->caller;

	if (nla_put_u32(skb, KTLS_A_UID, from_kuid_munged(current_user_ns(), who->uid)))
		return -EMSGSIZE;
	if (u->why != KTLS_WHY_HANDSHAKE)
		return 0;
	return nla_put_u32(skb, KTLS_A_GID, from_kgid_munged(current_user_ns(), who->gid)) ?:
	       nla_put_u32(skb, KTLS_A_PID, pid_nr_ns(who->pid, task_active_pid_ns(current))) ?:
	       nla_put_u64_64bit(skb, KTLS_A_CGROUP, who->cgroup, KTLS_A_PAD);
}

static int put_record(struct sk_buff *skb, const struct ktls_upcall *u)
{
	struct nlattr *nest = nla_nest_start(skb, KTLS_A_RECORD);

	if (!nest || nla_put_u8(skb, KTLS_R_TYPE, u->type) ||
	    nla_put(skb, KTLS_R_DATA, u->len, u->data))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_subject(struct sk_buff *skb, const struct ktls_upcall *u)
{
	switch (u->why) {
	case KTLS_WHY_HANDSHAKE:
		return u->len ? nla_put(skb, KTLS_A_PARAM, u->len, u->data) : 0;
	case KTLS_WHY_RECORD:
	case KTLS_WHY_TICKET:
		if (put_record(skb, u))
			return -EMSGSIZE;
	}
	return nla_put_u32(skb, KTLS_A_TX_GENERATION, u->tx_generation) ?:
	       nla_put_u32(skb, KTLS_A_RX_GENERATION, u->rx_generation);
}

static u32 ms_left(const struct ktls_upcall *u)
{
	long left = u->deadline - jiffies;

	return jiffies_to_msecs(max(left, 1L));
}

static int put_upcall(struct sk_buff *skb, const struct sock *sk, const struct ktls_upcall *u)
{
	const struct ktls_sock *ks = ktls_get(sk);

	if (nla_put_u64_64bit(skb, KTLS_A_UPCALL, u->id, KTLS_A_PAD) ||
	    nla_put_u64_64bit(skb, KTLS_A_COOKIE, ks->cookie, KTLS_A_PAD) ||
	    nla_put_u32(skb, KTLS_A_WHY, u->why) ||
	    nla_put_u32(skb, KTLS_A_ROLE, ks->role) ||
	    (u->deadline && nla_put_u32(skb, KTLS_A_TIMEOUT, ms_left(u))) ||
	    put_caller(skb, u) ||
	    ktls_netlink_put_addrs(skb, sk, KTLS_A_LOCAL, KTLS_A_PEER) ||
	    (ks->state_len && nla_put(skb, KTLS_A_STATE, ks->state_len, ks->state)))
		return -EMSGSIZE;
	return put_subject(skb, u);
}

/* The channel: a descriptor that is reserved, and the file to go there. */
static int channel_open(struct sk_buff *skb, struct sock *sk, struct ktls_upcall *u,
			int *ret_fd, struct file **ret_file)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (nla_put_s32(skb, KTLS_A_CHANNEL, fd)) {
		put_unused_fd(fd);
		return -EMSGSIZE;
	}
	file = ktls_channel_file(sk, u);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	*ret_fd = fd;
	*ret_file = file;
	return 0;
}

/* Socket lock held. On failure nothing is left behind but the agent's hold. */
static int reply_build(struct genl_info *info, struct sock *sk, struct ktls_upcall *u,
		       struct sk_buff **ret_skb, int *ret_fd, struct file **ret_file)
{
	struct sk_buff *skb = genlmsg_new(accept_size(ktls_get(sk), u), GFP_KERNEL);
	int err = -EMSGSIZE;
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &family, 0, KTLS_CMD_ACCEPT);
	if (!hdr || put_upcall(skb, sk, u))
		goto free;
	err = u->why == KTLS_WHY_HANDSHAKE ? channel_open(skb, sk, u, ret_fd, ret_file) : 0;
	if (err)
		goto free;
	genlmsg_end(skb, hdr);
	*ret_skb = skb;
	return 0;
free:
	nlmsg_free(skb);
	return err;
}

static int reply_send(struct genl_info *info, struct sk_buff *skb, int fd, struct file *file)
{
	int err = genlmsg_reply(skb, info);

	if (err == -EAGAIN)
		err = -ENOBUFS;		/* the agent must not take it for an empty queue */
	if (!file)
		return err;
	if (err) {
		put_unused_fd(fd);
		fput(file);
		return err;
	}
	fd_install(fd, file);
	return 0;
}

/* -ENOTCONN: the upcall ended before we came; try the next. */
static int accept_one(struct genl_info *info, struct ktls_upcall *u)
{
	struct sock *sk = ktls_upcall_lock_sock(u);
	const struct ktls_sock *ks;
	struct file *file = NULL;
	struct sk_buff *skb;
	int fd = -1, err;

	if (!sk)
		return -ENOTCONN;
	ks = ktls_get(sk);
	u->tx_generation = ks->tx_generation;
	u->rx_generation = ks->rx_generation;
	u->tx_newest = ks->tx_generation + ktls_spares_count(ks->tx_next);
	u->rx_newest = ks->rx_generation + ktls_spares_count(ks->rx_next);
	err = reply_build(info, sk, u, &skb, &fd, &file);
	if (!err)
		err = reply_send(info, skb, fd, file);
	if (err)
		ktls_upcall_abandon(sk, u);
	ktls_upcall_unlock_sock(sk);
	return err;
}

static int accept(struct sk_buff *skb, struct genl_info *info)
{
	struct ktls_net *kn = ktls_pernet(genl_info_net(info));
	struct ktls_upcall *u;
	int err;

	do {
		u = ktls_upcall_take(kn, info->snd_portid);
		if (IS_ERR(u)) {
			if (u == ERR_PTR(-EPERM))
				NL_SET_ERR_MSG(info->extack, "this netlink socket has not joined");
			return PTR_ERR(u);
		}
		err = accept_one(info, u);
		ktls_upcall_put(u);
	} while (err == -ENOTCONN);
	return err;
}

/* ---- SESSION_GET */

static int put_pending(struct sk_buff *skb, const struct ktls_sock *ks)
{
	const struct ktls_upcall *u = ks->upcall ?: ks->spare;

	if (!u)
		return 0;
	return nla_put_u32(skb, KTLS_S_PENDING, u->why) ?:
	       (u->portid ? nla_put_flag(skb, KTLS_S_ACCEPTED) : 0);
}

static int put_cipher(struct sk_buff *skb, const struct ktls_sock *ks)
{
	const struct ktls_cipher *cipher = READ_ONCE(ks->tx.cipher) ?: READ_ONCE(ks->rx.cipher);

	if (ks->phase != KTLS_PHASE_OPEN || !cipher)
		return 0;
	return nla_put_u16(skb, KTLS_S_VERSION, ks->tx.version ?: ks->rx.version) ?:
	       nla_put_u16(skb, KTLS_S_CIPHER, cipher->id) ?:
	       (ks->suite ? nla_put_u16(skb, KTLS_S_SUITE, ks->suite) : 0);
}

static int put_traffic(struct sk_buff *skb, const struct ktls_sock *ks)
{
	return nla_put_u32(skb, KTLS_S_TX_GENERATION, ks->tx_generation) ?:
	       nla_put_u32(skb, KTLS_S_RX_GENERATION, ks->rx_generation) ?:
	       nla_put_u64_64bit(skb, KTLS_S_TX_RECORDS, ks->tx_records, KTLS_S_PAD) ?:
	       nla_put_u64_64bit(skb, KTLS_S_TX_BYTES, ks->tx_bytes, KTLS_S_PAD) ?:
	       nla_put_u64_64bit(skb, KTLS_S_RX_RECORDS, ks->rx_records, KTLS_S_PAD) ?:
	       nla_put_u64_64bit(skb, KTLS_S_RX_BYTES, ks->rx_bytes, KTLS_S_PAD);
}

/* Without the socket lock: numbers may be a moment old, pointers are static. */
static int put_session(struct sk_buff *skb, struct netlink_callback *cb, const struct ktls_sock *ks)
{
	struct user_namespace *ns = sk_user_ns(NETLINK_CB(cb->skb).sk);
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&family, NLM_F_MULTI, KTLS_CMD_SESSION_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, KTLS_S_COOKIE, ks->cookie, KTLS_S_PAD) ||
	    nla_put_u32(skb, KTLS_S_PHASE, ks->phase) ||
	    nla_put_u32(skb, KTLS_S_ROLE, ks->role) ||
	    ktls_netlink_put_addrs(skb, ks->sk, KTLS_S_LOCAL, KTLS_S_PEER) ||
	    nla_put_u32(skb, KTLS_S_UID, from_kuid_munged(ns, ks->uid)) ||
	    put_cipher(skb, ks) || put_traffic(skb, ks) || put_pending(skb, ks)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Serials only grow along the list, so a dump goes on behind the last one. */
static int session_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ktls_net *kn = ktls_pernet(sock_net(cb->skb->sk));
	u64 last = (u64)cb->args[0];
	struct ktls_sock *ks;

	spin_lock_bh(&kn->lock);
	list_for_each_entry(ks, &kn->sessions, node) {
		if (ks->serial <= last)
			continue;
		if (put_session(skb, cb, ks))
			break;
		last = ks->serial;
	}
	spin_unlock_bh(&kn->lock);
	cb->args[0] = last;
	return skb->len;
}

/* ---- SESSION_REKEY */

static struct sock *session_find(struct ktls_net *kn, u64 cookie)
{
	struct sock *sk = NULL;
	struct ktls_sock *ks;

	spin_lock_bh(&kn->lock);
	list_for_each_entry(ks, &kn->sessions, node) {
		if (ks->cookie != cookie)
			continue;
		sk = ks->sk;
		sock_hold(sk);
		break;
	}
	spin_unlock_bh(&kn->lock);
	return sk;
}

static int session_rekey(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *cookie = info->attrs[KTLS_S_COOKIE];
	struct sock *sk;
	int err = -ENOENT;

	if (!cookie) {
		NL_SET_ERR_MSG(info->extack, "which session? its cookie is missing");
		return -EINVAL;
	}
	sk = session_find(ktls_pernet(genl_info_net(info)), nla_get_u64(cookie));
	if (!sk)
		return err;
	lock_sock(sk);
	if (ktls_get(sk))	/* not closed meanwhile */
		err = ktls_rekey(sk, info->attrs[KTLS_S_REKEY_BOTH]);
	ktls_upcall_unlock_sock(sk);
	return err == -EINPROGRESS ? 0 : err;
}

/* ---- the family */

static const struct nla_policy no_attributes[] = {
	[1] = { .type = NLA_REJECT },
};

static const struct nla_policy rekey_policy[KTLS_S_MAX + 1] = {
	[KTLS_S_COOKIE]		= { .type = NLA_U64 },
	[KTLS_S_REKEY_BOTH]	= { .type = NLA_FLAG },
};

static const struct genl_ops operations[] = {
	{
		.cmd		= KTLS_CMD_JOIN,
		.flags		= GENL_UNS_ADMIN_PERM,
		.policy		= no_attributes,
		.maxattr	= 1,
		.doit		= join,
	}, {
		.cmd		= KTLS_CMD_ACCEPT,
		.policy		= no_attributes,
		.maxattr	= 1,
		.doit		= accept,
	}, {
		/* Without a policy the core doesn't parse, which could fail for lack of
		 * memory: only ktls_respond() can wipe the keys in the message. */
		.cmd		= KTLS_CMD_RESPOND,
		.doit		= ktls_respond,
	}, {
		.cmd		= KTLS_CMD_SESSION_GET,
		.flags		= GENL_UNS_ADMIN_PERM,
		.policy		= no_attributes,
		.maxattr	= 1,
		.dumpit		= session_get,
	}, {
		.cmd		= KTLS_CMD_SESSION_REKEY,
		.flags		= GENL_UNS_ADMIN_PERM,
		.policy		= rekey_policy,
		.maxattr	= KTLS_S_MAX,
		.doit		= session_rekey,
	},
};

static const struct genl_multicast_group groups[] = {
	[GROUP_AGENT] = { .name = KTLS_MCGRP_AGENT, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

static struct genl_family family __ro_after_init = {
	.name		= KTLS_FAMILY_NAME,
	.version	= KTLS_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= operations,
	.n_ops		= ARRAY_SIZE(operations),
	.resv_start_op	= KTLS_CMD_RESPOND + 1,	/* from it on, no policy means no attributes */
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
};

int ktls_netlink_init(void)
{
	int err = genl_register_family(&family);

	if (err)
		return err;
	err = netlink_register_notifier(&agent_notifier);
	if (err)
		genl_unregister_family(&family);
	return err;
}

void ktls_netlink_exit(void)
{
	netlink_unregister_notifier(&agent_notifier);
	genl_unregister_family(&family);
}
