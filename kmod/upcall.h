/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upcalls: what a session asks of the agent.
 *
 * An upcall lives as long as somebody refers to it: its session, its channel's
 * file, its timer, an agent's call under way. It holds no reference to the
 * socket: upcall->sk is NULL from the moment it ends, which happens under the
 * socket lock. Whoever comes from the agent's side goes through
 * ktls_upcall_lock_sock() and finds out.
 */
#ifndef KTLS_UPCALL_H
#define KTLS_UPCALL_H

#include <linux/hashtable.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include "ktls.h"

#define KTLS_TICKETS_MAX	4

struct ktls_user;

/* Who asked: taken in setsockopt, told to the agent in its own namespaces. */
struct ktls_caller {
	kuid_t		uid;
	kgid_t		gid;
	struct pid	*pid;		/* NULL except for handshakes */
	u64		cgroup;
};

struct ktls_upcall {
	refcount_t		ref;
	u8			why;		/* enum ktls_why */
	u8			type;		/* content type of a record in data */
	u64			id;
	struct ktls_caller	caller;

	spinlock_t		lock;
	struct sock		*sk;		/* written under both locks; NULL: over */

	/* Under ktls_net.lock. */
	struct list_head	pending;	/* ktls_net.pending, while nobody holds it */
	struct hlist_node	held;		/* ktls_net.held, while somebody does */
	struct ktls_user	*user;		/* whose pending count has it */
	u32			portid;		/* the agent that holds it, or 0 */

	/* Under the socket lock. */
	struct list_head	sibling;	/* ktls_sock.tickets */
	struct file		*file;		/* the channel now in force; only compared */
	bool			touched;	/* bytes went through the channel */
	u32			tx_generation, rx_generation;	/* as its holder was told */
	u32			tx_newest, rx_newest;		/* of their spares, then */

	wait_queue_head_t	wait;		/* the channel's readers, writers, pollers */
	unsigned int		timeout_ms;	/* of a handshake, as asked for */
	unsigned long		deadline;	/* jiffies */
	struct delayed_work	timer;
	struct rcu_head		rcu;
	size_t			len;
	u8			data[] __aligned(4);	/* parameters or record */
};

struct ktls_agent {
	struct list_head	node;
	u32			portid;
};

#define KTLS_HASH_BITS		8

struct ktls_net {
	spinlock_t		lock;
	struct list_head	sessions;
	struct list_head	pending;	/* oldest first */
	struct list_head	agents;
	unsigned int		npending;
	u64			serial;
	DECLARE_HASHTABLE(held, KTLS_HASH_BITS);	/* by id */
	DECLARE_HASHTABLE(users, KTLS_HASH_BITS);	/* by uid: who has how many pending */
	struct ktls_counters __percpu *counters;
};

extern unsigned int ktls_net_id;
extern unsigned int ktls_handshake_timeout_ms;

struct ktls_net *ktls_pernet(const struct net *net);

/* ---- upcall.c */
struct ktls_upcall *ktls_upcall_new(enum ktls_why why, size_t len);	/* data for the caller to fill */
void ktls_upcall_put(struct ktls_upcall *u);
/* The same request once more, by the same caller. */
struct ktls_upcall *ktls_upcall_again(const struct ktls_upcall *request);
/*
 * Hand a handshake to whoever has joined. Socket lock held; the session has
 * its own reference when this succeeds.
 * -ESRCH: no agent; -EBUSY: too many pending
 */
int ktls_upcall_handshake(struct sock *sk, struct ktls_upcall *u);
/* The socket, locked and held, if the upcall is not over. */
struct sock *ktls_upcall_lock_sock(struct ktls_upcall *u);
void ktls_upcall_unlock_sock(struct sock *sk);
/* It is over, answered or not. Socket lock held. */
void ktls_upcall_end(struct sock *sk, struct ktls_upcall *u);
void ktls_upcalls_end(struct sock *sk);		/* all of the session */
/* Its holder is gone: offer it again, or fail where that is too late. Socket lock held. */
void ktls_upcall_abandon(struct sock *sk, struct ktls_upcall *u);
/* The connection is gone while nobody looks: make the timer look. Any context. */
void ktls_upcall_hurry(struct ktls_upcall *u);

/* The oldest pending, now held by @portid; the caller gets a reference. -EPERM, -EAGAIN */
struct ktls_upcall *ktls_upcall_take(struct ktls_net *kn, u32 portid);
/* The upcall @id, if @portid holds it; the caller gets a reference. -ENOENT, -EPERM */
struct ktls_upcall *ktls_upcall_find(struct ktls_net *kn, u64 id, u32 portid);

int ktls_upcall_init(void);
void ktls_upcall_exit(void);
void ktls_upcall_net_init(struct ktls_net *kn);
void ktls_upcall_net_exit(struct ktls_net *kn);

/* ---- agent.c */
bool ktls_agent_joined(struct ktls_net *kn, u32 portid);	/* ktls_net.lock held */
int ktls_agent_join(struct ktls_net *kn, u32 portid);
void ktls_agent_left(struct ktls_net *kn, u32 portid);

/* ---- channel.c */
/* A file for the raw bytes; takes its own reference. Socket lock held. */
struct file *ktls_channel_file(struct sock *sk, struct ktls_upcall *u);
/* The channel in force is so no longer. Socket lock held. */
void ktls_channel_drop(struct sock *sk, struct ktls_upcall *u);
void ktls_channel_wake(struct ktls_upcall *u, __poll_t key);	/* any context */
/* Throw away what TCP has received, so that it closes with FIN and not RST. Socket lock held. */
void ktls_channel_discard(struct sock *sk);

/* ---- netlink.c */
void ktls_netlink_ready(struct net *net, unsigned int pending);
int ktls_netlink_init(void);
void ktls_netlink_exit(void);
/* Local and peer address as struct sockaddr_in or sockaddr_in6. */
int ktls_netlink_put_addrs(struct sk_buff *skb, const struct sock *sk, int local, int peer);

/* ---- respond.c */
int ktls_respond(struct sk_buff *skb, struct genl_info *info);

/* ---- sock.c */
int ktls_sessions_init(void);
void ktls_sessions_exit(void);
int ktls_attach_init(void);
void ktls_attach_exit(void);
int ktls_attach(struct sock *sk);	/* the ULP's init: the socket lock is held */
int ktls_handshake_setsockopt(struct sock *sk, sockptr_t optval, unsigned int optlen);
/* Sleep till the handshake is over. Socket lock held, released while asleep. */
int ktls_wait_handshake(struct sock *sk, long *timeo);
void ktls_close(struct sock *sk, long timeout);
/* An accepted socket gets its session, in phase bare. Socket lock held. */
int ktls_attach_child(struct sock *sk, const struct ktls_sock *listener);
/* Phase handshaking; or dead if nobody can be asked. Socket lock held, phase bare or dead. */
int ktls_begin(struct sock *sk, u8 role, struct ktls_upcall *u);
void ktls_forget(struct ktls_sock *ks);		/* keys, state, records, words */

/* ---- accept.c */
int ktls_accept(struct socket *sock, struct socket *newsock, KTLS_ACCEPT_PARAMS);
void ktls_clone(const struct request_sock *req, struct sock *newsk, const gfp_t priority);

/* ---- auth.c; all with the socket lock but the first */
enum ktls_auth { KTLS_AUTH_NONE, KTLS_AUTH_DUE, KTLS_AUTH_ASKED, KTLS_AUTH_ANSWERED };
int ktls_auth_setsockopt(struct sock *sk, sockptr_t optval, unsigned int optlen);
/* Make the upcall that is due, if nothing is in its way. */
void ktls_auth_resume(struct sock *sk);
/* What the answer to @u, @what it says (enum ktls_post_auth) and @err, mean for a request. */
void ktls_auth_responded(struct sock *sk, const struct ktls_upcall *u, u32 what, int err);
/* The info of an answer becomes all that there is to tell. 0 or -ENOMEM. */
int ktls_auth_merge_info(const struct ktls_sock *ks, void **info, u16 *info_len);
void ktls_auth_forget(struct ktls_sock *ks);

/* ---- detach.c */
int ktls_detach_setsockopt(struct sock *sk);

/* ---- proto.c */
void ktls_proto_build(struct sock *sk);		/* tables from the socket's own; first socket of a family */
const struct proto *ktls_proto_base(const struct sock *sk);	/* TCP's own, of the family */
void ktls_proto_queued(struct sock *sk);	/* not accepted yet: every call fails */

/* ---- info.c */
int ktls_info_getsockopt(struct sock *sk, char __user *optval, int __user *optlen);
int ktls_info_ulp(struct sock *sk, struct sk_buff *skb KTLS_NET_ADMIN);
size_t ktls_info_ulp_size(const struct sock *sk KTLS_NET_ADMIN);

/* ---- stat.c */
int ktls_stat_net_init(struct net *net, struct ktls_net *kn);
void ktls_stat_net_exit(struct net *net, struct ktls_net *kn);
long ktls_stat_sum(const struct ktls_net *kn, enum ktls_stat stat);
void ktls_stat_add_net(struct ktls_net *kn, enum ktls_stat stat, long n);

#endif
