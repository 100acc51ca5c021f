// SPDX-License-Identifier: GPL-2.0-only
/*
 * What waits for the agent, and for how long.
 *
 * An upcall is pending (in ktls_net.pending, for any agent to take), held (in
 * ktls_net.held, by one agent's netlink socket), or put off: the keys of a
 * session are the business of one upcall at a time, so a record waits for the
 * spare before it and the other way round. Tickets change no keys. An agent
 * that goes away leaves what it held to the next one; only a handshake of
 * which bytes have moved is lost, as its secrets are.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include "upcall.h"

#define ALERT_FATAL		2
#define ALERT_INTERNAL_ERROR	80

static unsigned int max_pending = 4096;
module_param(max_pending, uint, 0644);
MODULE_PARM_DESC(max_pending, "upcalls that may wait for an agent, per network namespace");

static unsigned int max_pending_uid = 256;
module_param(max_pending_uid, uint, 0644);
MODULE_PARM_DESC(max_pending_uid, "and per user id in it");

unsigned int ktls_handshake_timeout_ms = 10000;
module_param_named(handshake_timeout_ms, ktls_handshake_timeout_ms, uint, 0644);
MODULE_PARM_DESC(handshake_timeout_ms, "time limit of handshakes that name none");

static unsigned int record_timeout_ms = 30000;
module_param(record_timeout_ms, uint, 0644);
MODULE_PARM_DESC(record_timeout_ms, "how long reading waits for the agent's answer to a control record");

struct ktls_user {
	struct hlist_node	node;
	kuid_t			uid;
	unsigned int		pending;
};

static struct workqueue_struct *timers;
static atomic64_t last_id;

static struct ktls_net *net_of(const struct sock *sk)
{
	return ktls_pernet(sock_net(sk));
}

/* ---- the queue; all with ktls_net.lock */

static struct ktls_user *user_get(struct ktls_net *kn, kuid_t uid)
{
	struct ktls_user *user;

	hash_for_each_possible(kn->users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	user = kzalloc(sizeof(*user), GFP_ATOMIC);
	if (user) {
		user->uid = uid;
		hash_add(kn->users, &user->node, __kuid_val(uid));
	}
	return user;
}

static void user_trim(struct ktls_user *user)
{
	if (user->pending)
		return;
	hash_del(&user->node);
	kfree(user);
}

static int limits_check(struct ktls_net *kn, struct ktls_upcall *u)
{
	if (kn->npending >= READ_ONCE(max_pending))
		return -EBUSY;
	if (u->user && u->user->pending >= READ_ONCE(max_pending_uid))
		return -EBUSY;
	return 0;
}

/* A user that can't be counted is let through: -ENOMEM has no better answer. */
static int pend(struct ktls_net *kn, struct ktls_upcall *u, struct list_head *where, bool limited)
{
	int err;

	u->user = user_get(kn, u->caller.uid);
	err = limited ? limits_check(kn, u) : 0;
	if (err) {
		if (u->user)
			user_trim(u->user);
		u->user = NULL;
		return err;
	}
	if (u->user)
		u->user->pending++;
	kn->npending++;
	list_add_tail(&u->pending, where);
	return 0;
}

static void unpend(struct ktls_net *kn, struct ktls_upcall *u)
{
	if (list_empty(&u->pending))
		return;
	list_del_init(&u->pending);
	kn->npending--;
	if (u->user) {
		u->user->pending--;
		user_trim(u->user);
		u->user = NULL;
	}
}

static void unhold(struct ktls_upcall *u)
{
	hash_del(&u->held);
	WRITE_ONCE(u->portid, 0);
}

/* ---- life of an upcall */

static void timer_run(struct work_struct *work);

struct ktls_upcall *ktls_upcall_new(enum ktls_why why, size_t len)
{
	struct ktls_upcall *u = kzalloc(struct_size(u, data, len), GFP_KERNEL_ACCOUNT);

	if (!u)
		return NULL;
	refcount_set(&u->ref, 1);
	u->why = why;
	u->len = len;
	u->id = atomic64_inc_return(&last_id);
	u->caller.uid = current_euid();
	u->caller.gid = current_egid();
	spin_lock_init(&u->lock);
	init_waitqueue_head(&u->wait);
	INIT_LIST_HEAD(&u->pending);
	INIT_LIST_HEAD(&u->sibling);
	INIT_DELAYED_WORK(&u->timer, timer_run);
	if (why == KTLS_WHY_HANDSHAKE) {
		u->caller.pid = get_pid(task_tgid(current));
		u->caller.cgroup = ktls_current_cgroup();
	}
	return u;
}

void ktls_upcall_put(struct ktls_upcall *u)
{
	if (!refcount_dec_and_test(&u->ref))
		return;
	put_pid(u->caller.pid);
	memzero_explicit(u->data, u->len);	/* a PSK identity, a ticket */
	kfree_rcu(u, rcu);
}

struct ktls_upcall *ktls_upcall_again(const struct ktls_upcall *request)
{
	struct ktls_upcall *u = ktls_upcall_new(KTLS_WHY_HANDSHAKE, request->len);

	if (!u)
		return NULL;
	put_pid(u->caller.pid);
	u->caller = request->caller;
	get_pid(u->caller.pid);
	u->timeout_ms = request->timeout_ms;
	memcpy(u->data, request->data, u->len);
	return u;
}

struct sock *ktls_upcall_lock_sock(struct ktls_upcall *u)
{
	struct sock *sk;

	spin_lock_bh(&u->lock);
	sk = u->sk;
	if (sk)
		sock_hold(sk);
	spin_unlock_bh(&u->lock);
	if (!sk)
		return NULL;
	lock_sock(sk);
	if (u->sk)
		return sk;
	ktls_upcall_unlock_sock(sk);
	return NULL;
}

void ktls_upcall_unlock_sock(struct sock *sk)
{
	release_sock(sk);
	sock_put(sk);
}

static void session_link(struct ktls_sock *ks, struct ktls_upcall *u)
{
	switch (u->why) {
	case KTLS_WHY_TICKET:
		list_add_tail(&u->sibling, &ks->tickets);
		ks->ntickets++;
		break;
	case KTLS_WHY_SPARE:
	case KTLS_WHY_REQUEST:
		WRITE_ONCE(ks->spare, u);
		break;
	default:
		WRITE_ONCE(ks->upcall, u);
	}
}

static void session_unlink(struct ktls_sock *ks, struct ktls_upcall *u)
{
	switch (u->why) {
	case KTLS_WHY_TICKET:
		list_del_init(&u->sibling);
		ks->ntickets--;
		break;
	case KTLS_WHY_SPARE:
	case KTLS_WHY_REQUEST:
		WRITE_ONCE(ks->spare, NULL);
		break;
	default:
		WRITE_ONCE(ks->upcall, NULL);
	}
}

static void timer_arm(struct ktls_upcall *u)
{
	long left = u->deadline - jiffies;

	refcount_inc(&u->ref);
	if (!queue_delayed_work(timers, &u->timer, max(left, 0L)))
		ktls_upcall_put(u);
}

void ktls_upcall_hurry(struct ktls_upcall *u)
{
	if (!refcount_inc_not_zero(&u->ref))
		return;
	if (mod_delayed_work(timers, &u->timer, 0))
		ktls_upcall_put(u);	/* the timer had its own */
}

/* Into session and queue, with a reference for the session. Put off where
 * another upcall works on the session's keys. */
static int upcall_start(struct sock *sk, struct ktls_upcall *u)
{
	bool limited = u->why == KTLS_WHY_HANDSHAKE || u->why == KTLS_WHY_TICKET;
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_net *kn = net_of(sk);
	unsigned int pending;
	int err = 0;

	spin_lock_bh(&kn->lock);
	if (u->why == KTLS_WHY_HANDSHAKE && list_empty(&kn->agents))
		err = -ESRCH;
	else if (u->why == KTLS_WHY_TICKET || (!ks->upcall && !ks->spare))
		err = pend(kn, u, &kn->pending, limited);
	if (!err) {
		refcount_inc(&u->ref);
		u->sk = sk;
		session_link(ks, u);
	}
	pending = kn->npending;
	spin_unlock_bh(&kn->lock);
	if (err) {
		ktls_stat_add(sk, err == -ESRCH ? KTLS_STAT_HandshakesNoAgent :
						  KTLS_STAT_UpcallsRefused, 1);
		return err;
	}
	ktls_stat_add(sk, KTLS_STAT_CurrUpcalls, 1);
	if (u->deadline)
		timer_arm(u);
	ktls_netlink_ready(sock_net(sk), pending);
	return 0;
}

static unsigned long deadline_in(unsigned int ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(ms);

	return deadline ?: 1;
}

int ktls_upcall_handshake(struct sock *sk, struct ktls_upcall *u)
{
	u->deadline = deadline_in(u->timeout_ms ?: ktls_handshake_timeout_ms);
	return upcall_start(sk, u);
}

static bool slot_taken(const struct ktls_sock *ks, enum ktls_why why)
{
	switch (why) {
	case KTLS_WHY_TICKET:
		return ks->ntickets >= KTLS_TICKETS_MAX;
	case KTLS_WHY_SPARE:
	case KTLS_WHY_REQUEST:
		return ks->spare;
	default:
		return ks->upcall;
	}
}

int ktls_upcall_record(struct sock *sk, enum ktls_why why, u8 type, const void *data, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_upcall *u;
	int err;

	if (slot_taken(ks, why))
		return -EBUSY;
	u = ktls_upcall_new(why, len);
	if (!u)
		return -ENOMEM;
	u->type = type;
	u->caller.uid = ks->uid;
	if (len)
		memcpy(u->data, data, len);
	if (why == KTLS_WHY_RECORD)
		u->deadline = deadline_in(READ_ONCE(record_timeout_ms));
	err = upcall_start(sk, u);
	ktls_upcall_put(u);
	return err;
}

/* What was put off comes now: whichever of the two is neither pending nor held. */
static void offer_put_off(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_upcall *u = ks->upcall ?: ks->spare;
	struct ktls_net *kn = net_of(sk);
	unsigned int pending;

	if (!u)
		return;
	spin_lock_bh(&kn->lock);
	if (list_empty(&u->pending) && !hash_hashed(&u->held))
		pend(kn, u, &kn->pending, false);
	pending = kn->npending;
	spin_unlock_bh(&kn->lock);
	ktls_netlink_ready(sock_net(sk), pending);
}

static void upcall_finish(struct sock *sk, struct ktls_upcall *u)
{
	struct ktls_net *kn = net_of(sk);

	ktls_channel_drop(sk, u);
	spin_lock_bh(&kn->lock);
	unpend(kn, u);
	unhold(u);
	session_unlink(ktls_get(sk), u);
	spin_unlock_bh(&kn->lock);
	spin_lock_bh(&u->lock);
	u->sk = NULL;
	spin_unlock_bh(&u->lock);
	ktls_stat_add(sk, KTLS_STAT_CurrUpcalls, -1);
	if (cancel_delayed_work(&u->timer))
		ktls_upcall_put(u);
	ktls_upcall_put(u);		/* the session's */
}

void ktls_upcall_end(struct sock *sk, struct ktls_upcall *u)
{
	upcall_finish(sk, u);
	offer_put_off(sk);
}

void ktls_upcalls_end(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_upcall *u, *next;

	if (ks->upcall)
		upcall_finish(sk, ks->upcall);
	if (ks->spare)
		upcall_finish(sk, ks->spare);
	list_for_each_entry_safe(u, next, &ks->tickets, sibling)
		upcall_finish(sk, u);
}

void ktls_upcall_abandon(struct sock *sk, struct ktls_upcall *u)
{
	struct ktls_net *kn = net_of(sk);
	unsigned int pending;

	if (u->why == KTLS_WHY_HANDSHAKE && u->touched) {
		ktls_fail(sk, -ECONNABORTED, 0, KTLS_ALERT_FROM_NONE,
			  "the TLS agent went away in mid-handshake; connect again");
		return;
	}
	ktls_channel_drop(sk, u);
	spin_lock_bh(&kn->lock);
	unhold(u);
	if (list_empty(&u->pending))
		pend(kn, u, kn->pending.next, false);
	pending = kn->npending;
	spin_unlock_bh(&kn->lock);
	ktls_netlink_ready(sock_net(sk), pending);
}

/* ---- time limits */

static void handshake_expire(struct sock *sk, const struct ktls_upcall *u)
{
	ktls_stat_add(sk, KTLS_STAT_HandshakesTimedOut, 1);
	ktls_fail(sk, -ETIMEDOUT, 0, KTLS_ALERT_FROM_NONE,
		  READ_ONCE(u->portid) ?
		  "the handshake took longer than its time limit; is the peer speaking TLS?" :
		  "no TLS agent took the handshake within its time limit; is ktlsd running?");
}

static void record_expire(struct sock *sk)
{
	ktls_tx_alert(sk, ALERT_FATAL, ALERT_INTERNAL_ERROR);
	ktls_fail(sk, -ECONNABORTED, ALERT_INTERNAL_ERROR, KTLS_ALERT_FROM_LOCAL,
		  "the TLS agent did not answer a control record in time; is ktlsd running?");
}

static void timer_look(struct sock *sk, struct ktls_upcall *u)
{
	bool handshake = u->why == KTLS_WHY_HANDSHAKE;

	if (handshake && sk->sk_state == TCP_CLOSE && !READ_ONCE(u->portid))
		ktls_fail(sk, sk->sk_err ? -sk->sk_err : -ECONNRESET, 0, KTLS_ALERT_FROM_NONE,
			  "the connection broke before a TLS agent took the handshake");
	else if (time_before(jiffies, u->deadline))
		timer_arm(u);
	else if (handshake)
		handshake_expire(sk, u);
	else
		record_expire(sk);
}

static void timer_run(struct work_struct *work)
{
	struct ktls_upcall *u = container_of(to_delayed_work(work), struct ktls_upcall, timer);
	struct sock *sk = ktls_upcall_lock_sock(u);

	if (sk) {
		timer_look(sk, u);
		ktls_upcall_unlock_sock(sk);
	}
	ktls_upcall_put(u);
}

/* ---- taken by an agent */

struct ktls_upcall *ktls_upcall_take(struct ktls_net *kn, u32 portid)
{
	struct ktls_upcall *u;

	spin_lock_bh(&kn->lock);
	if (!ktls_agent_joined(kn, portid)) {
		u = ERR_PTR(-EPERM);
		goto unlock;
	}
	u = list_first_entry_or_null(&kn->pending, struct ktls_upcall, pending);
	if (!u) {
		u = ERR_PTR(-EAGAIN);
		goto unlock;
	}
	unpend(kn, u);
	WRITE_ONCE(u->portid, portid);
	hash_add(kn->held, &u->held, u->id);
	refcount_inc(&u->ref);
unlock:
	spin_unlock_bh(&kn->lock);
	return u;
}

struct ktls_upcall *ktls_upcall_find(struct ktls_net *kn, u64 id, u32 portid)
{
	struct ktls_upcall *u, *ret = ERR_PTR(-ENOENT);

	spin_lock_bh(&kn->lock);
	hash_for_each_possible(kn->held, u, held, id) {
		if (u->id != id)
			continue;
		ret = ERR_PTR(-EPERM);
		if (u->portid == portid) {
			refcount_inc(&u->ref);
			ret = u;
		}
		break;
	}
	spin_unlock_bh(&kn->lock);
	return ret;
}

/* ---- load and unload */

void ktls_upcall_net_init(struct ktls_net *kn)
{
	spin_lock_init(&kn->lock);
	INIT_LIST_HEAD(&kn->sessions);
	INIT_LIST_HEAD(&kn->pending);
	INIT_LIST_HEAD(&kn->agents);
	hash_init(kn->held);
	hash_init(kn->users);
}

/* Sockets, of applications and agents alike, keep their namespace alive:
 * only a module that is unloaded under an idle agent finds anything here. */
void ktls_upcall_net_exit(struct ktls_net *kn)
{
	struct ktls_agent *agent, *next;

	list_for_each_entry_safe(agent, next, &kn->agents, node)
		kfree(agent);
}

int ktls_upcall_init(void)
{
	timers = alloc_workqueue("ktls", WQ_UNBOUND, 0);
	return timers ? 0 : -ENOMEM;
}

void ktls_upcall_exit(void)
{
	destroy_workqueue(timers);
}
