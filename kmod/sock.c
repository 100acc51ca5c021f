// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session's life, all of it under the socket lock:
 *
 *	BARE --KTLS_HANDSHAKE--> HANDSHAKING --keys--> OPEN
 *	  \------------------------> |  \               |
 *	   refused (no agent)         failure --> DEAD <-- failure
 *
 * and OPEN --KTLS_DETACH--> BARE (detach.c). A listener stays BARE; its
 * KTLS_HANDSHAKE is kept for the sockets that it accepts (accept.c).
 *
 * Once a handshake was asked for, no byte goes in or out in clear text: DEAD
 * answers every call with the error. Only where no byte of the handshake has
 * moved may a dead socket ask again.
 */
#include <linux/sched/signal.h>
#include <linux/sock_diag.h>
#include "upcall.h"
#include "trace.h"

int ktls_must_be_open(const struct ktls_sock *ks)
{
	switch (ks->phase) {
	case KTLS_PHASE_BARE:
		return -EINVAL;
	case KTLS_PHASE_HANDSHAKING:
		return -EBUSY;
	case KTLS_PHASE_DEAD:
		return ks->error;
	}
	return 0;
}

/* ---- what TCP tells us, often from softirq. After close() ks is NULL. */

static void data_ready(struct sock *sk)
{
	struct ktls_sock *ks;

	rcu_read_lock();
	ks = ktls_get(sk);
	if (!ks)
		goto out;
	switch (READ_ONCE(ks->phase)) {
	case KTLS_PHASE_HANDSHAKING:
		ktls_channel_wake(READ_ONCE(ks->upcall), EPOLLIN | EPOLLRDNORM);
		break;
	case KTLS_PHASE_OPEN:
		ktls_data_ready(sk);
		break;
	default:
		ks->data_ready(sk);
	}
out:
	rcu_read_unlock();
}

static void write_space(struct sock *sk)
{
	struct ktls_sock *ks;

	rcu_read_lock();
	ks = ktls_get(sk);
	if (!ks)
		goto out;
	switch (READ_ONCE(ks->phase)) {
	case KTLS_PHASE_HANDSHAKING:
		ktls_channel_wake(READ_ONCE(ks->upcall), EPOLLOUT | EPOLLWRNORM);
		ks->write_space(sk);
		break;
	case KTLS_PHASE_OPEN:
		ktls_write_space(sk);
		break;
	default:
		ks->write_space(sk);
	}
out:
	rcu_read_unlock();
}

/* A handshake that nobody works on fails with its connection; else the agent
 * reads what is left, an alert perhaps, and says why. */
static void wake_upcall(const struct sock *sk, const struct ktls_sock *ks)
{
	struct ktls_upcall *u = READ_ONCE(ks->upcall);

	if (!u || READ_ONCE(ks->phase) != KTLS_PHASE_HANDSHAKING)
		return;
	ktls_channel_wake(u, 0);
	if (sk->sk_state == TCP_CLOSE)
		ktls_upcall_hurry(u);
}

static void state_change(struct sock *sk)
{
	struct ktls_sock *ks;

	rcu_read_lock();
	ks = ktls_get(sk);
	if (ks) {
		wake_upcall(sk, ks);
		ks->state_change(sk);
	}
	rcu_read_unlock();
}

static void error_report(struct sock *sk)
{
	struct ktls_sock *ks;

	rcu_read_lock();
	ks = ktls_get(sk);
	if (ks) {
		wake_upcall(sk, ks);
		ks->error_report(sk);
	}
	rcu_read_unlock();
}

/* ---- attach and detach */

static void link_session(struct sock *sk, struct ktls_sock *ks)
{
	struct ktls_net *kn = ktls_pernet(sock_net(sk));

	spin_lock_bh(&kn->lock);
	ks->serial = ++kn->serial;
	list_add_tail(&ks->node, &kn->sessions);
	spin_unlock_bh(&kn->lock);
	ktls_stat_add(sk, KTLS_STAT_CurrSockets, 1);
}

static void unlink_session(struct sock *sk, struct ktls_sock *ks)
{
	struct ktls_net *kn = ktls_pernet(sock_net(sk));

	spin_lock_bh(&kn->lock);
	list_del(&ks->node);
	spin_unlock_bh(&kn->lock);
	ktls_stat_add(sk, KTLS_STAT_CurrSockets, -1);
}

static struct kmem_cache *sessions;	/* kmalloc's next size is a third more */

static void session_free(struct rcu_head *rcu)
{
	kmem_cache_free(sessions, container_of(rcu, struct ktls_sock, rcu));
}

static struct ktls_sock *session_new(struct sock *sk, const struct proto_ops *base_ops)
{
	struct ktls_sock *ks = kmem_cache_zalloc(sessions, GFP_KERNEL);
	u32 cookie[2];

	if (!ks)
		return NULL;
	sock_diag_save_cookie(sk, cookie);
	ks->cookie = (u64)cookie[1] << 32 | cookie[0];
	ks->uid = current_euid();
	ks->sk = sk;
	ks->counters = ktls_pernet(sock_net(sk))->counters;
	ks->base = ktls_proto_base(sk);
	ks->base_ops = base_ops;
	ks->data_ready = sk->sk_data_ready;
	ks->write_space = sk->sk_write_space;
	ks->state_change = sk->sk_state_change;
	ks->error_report = sk->sk_error_report;
	INIT_LIST_HEAD(&ks->tickets);
	return ks;
}

static int session_attach(struct sock *sk, const struct proto_ops *base_ops)
{
	struct ktls_sock *ks = session_new(sk, base_ops);

	if (!ks)
		return -ENOMEM;
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, ks);
	sk->sk_data_ready = data_ready;
	sk->sk_write_space = write_space;
	sk->sk_state_change = state_change;
	sk->sk_error_report = error_report;
	write_unlock_bh(&sk->sk_callback_lock);
	ktls_use_protos(sk);
	link_session(sk, ks);
	/* Cleared by our caller; sendmsg takes MSG_ZEROCOPY. */
	set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	return 0;
}

/* It listens, or may yet. */
static bool may_listen(const struct sock *sk)
{
	return sk->sk_state == TCP_LISTEN ||
	       (sk->sk_state == TCP_CLOSE && sk->sk_socket->state == SS_UNCONNECTED);
}

int ktls_attach(struct sock *sk)
{
	if (!sk->sk_socket || (sk->sk_prot != &tcp_prot && sk->sk_prot != &tcpv6_prot))
		return -EOPNOTSUPP;	/* MPTCP, sockmap, SMC: not TCP's own */
	if (sk->sk_state != TCP_ESTABLISHED && !may_listen(sk))
		return -ENOTCONN;
	ktls_proto_build(sk);
	return session_attach(sk, sk->sk_socket->ops);
}

static void detach(struct sock *sk, struct ktls_sock *ks)
{
	unlink_session(sk, ks);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = ks->data_ready;
	sk->sk_write_space = ks->write_space;
	sk->sk_state_change = ks->state_change;
	sk->sk_error_report = ks->error_report;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	WRITE_ONCE(sk->sk_prot, (struct proto *)ks->base);
	write_unlock_bh(&sk->sk_callback_lock);
}

static struct tcp_ulp_ops ulp;

int ktls_attach_child(struct sock *sk, const struct ktls_sock *listener)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	int err;

	/* Its listener closed while it was cloned: what TCP's callbacks were is lost. */
	if (sk->sk_data_ready == data_ready)
		return -ECONNABORTED;
	if (icsk->icsk_ulp_ops && icsk->icsk_ulp_ops != &ulp)
		return -EOPNOTSUPP;
	err = session_attach(sk, listener->base_ops);
	if (!err && !icsk->icsk_ulp_ops) {	/* queued before the listener had the ULP */
		__module_get(THIS_MODULE);
		icsk->icsk_ulp_ops = &ulp;
	}
	return err;
}

static void wipe(struct ktls_sock *ks)
{
	ktls_record_free(ks);
	kfree_sensitive(ks->state);
	ks->state = NULL;
	ks->state_len = 0;
}

void ktls_forget(struct ktls_sock *ks)
{
	wipe(ks);
	kfree(ks->info);
	ks->info = NULL;
	ks->info_len = 0;
	kfree(ks->reason);
	ks->reason = NULL;
}

void ktls_close(struct sock *sk, long timeout)
{
	struct ktls_sock *ks = ktls_get(sk);
	const struct proto *base = ks->base;

	lock_sock(sk);
	if (ks->phase == KTLS_PHASE_OPEN) {
		ktls_tx_finish(sk);
		ktls_rx_drain(sk);
		if (ks->phase == KTLS_PHASE_OPEN)	/* sealing may have failed */
			ktls_stat_add(sk, KTLS_STAT_CurrSessions, -1);
	} else if (ks->phase != KTLS_PHASE_BARE) {
		ktls_channel_discard(sk);
	}
	WRITE_ONCE(ks->phase, KTLS_PHASE_DEAD);
	ktls_upcalls_end(sk);
	detach(sk, ks);
	wipe(ks);
	release_sock(sk);

	ktls_forget(ks);
	if (ks->request)
		ktls_upcall_put(ks->request);
	call_rcu(&ks->rcu, session_free);
	/* Last: destroying the socket drops our module reference. */
	base->close(sk, timeout);
}

/* ---- how a handshake or a session ends */

void ktls_opened(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (ks->phase == KTLS_PHASE_HANDSHAKING) {
		ktls_stat_add(sk, KTLS_STAT_HandshakesDone, 1);
		trace_ktls_handshake_done(ks->cookie, 0, 0);
	}
	if (ks->phase != KTLS_PHASE_OPEN)
		ktls_stat_add(sk, KTLS_STAT_CurrSessions, 1);
	WRITE_ONCE(ks->phase, KTLS_PHASE_OPEN);
	ktls_use_protos(sk);
	ks->state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	ktls_rx_resume(sk);
}

static void leave_phase(struct sock *sk, struct ktls_sock *ks)
{
	switch (ks->phase) {
	case KTLS_PHASE_HANDSHAKING:
		ks->untouched = ks->upcall && !ks->upcall->touched;
		ktls_stat_add(sk, KTLS_STAT_HandshakesFailed, 1);
		break;
	case KTLS_PHASE_OPEN:
		ks->untouched = false;
		ktls_stat_add(sk, KTLS_STAT_CurrSessions, -1);
	}
}

void ktls_fail(struct sock *sk, int err, u8 alert, enum ktls_alert_from from, const char *reason)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (ks->phase == KTLS_PHASE_DEAD)
		return;
	if (ks->phase == KTLS_PHASE_HANDSHAKING)
		trace_ktls_handshake_done(ks->cookie, err, alert);
	leave_phase(sk, ks);
	ks->error = err;
	ks->alert = alert;
	ks->alert_from = from;
	kfree(ks->reason);
	ks->reason = reason ? kstrdup(reason, GFP_KERNEL) : NULL;
	WRITE_ONCE(ks->phase, KTLS_PHASE_DEAD);
	ktls_use_protos(sk);
	ktls_upcalls_end(sk);
	wipe(ks);
	WRITE_ONCE(sk->sk_err, -err);
	ks->error_report(sk);
	ks->state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_ERR);
}

/* ---- KTLS_HANDSHAKE */

int ktls_wait_handshake(struct sock *sk, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ktls_sock *ks = ktls_get(sk);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (ks->phase == KTLS_PHASE_HANDSHAKING) {
		err = -EAGAIN;
		if (!*timeo)
			break;
		err = sock_intr_errno(*timeo);
		if (signal_pending(current))
			break;
		err = 0;
		sk_wait_event(sk, timeo, READ_ONCE(ks->phase) != KTLS_PHASE_HANDSHAKING, &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* The module walks the attributes; what they mean is between application and agent. */
static bool attributes_ok(const void *data, int len)
{
	const struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, data, len, rest)
		if (!nla_type(attr))
			return false;
	return rest <= 0;
}

static int request_read(struct ktls_handshake *head, struct ktls_upcall **ret,
			sockptr_t optval, unsigned int optlen)
{
	struct ktls_upcall *u;

	if (optlen < sizeof(*head) || optlen - sizeof(*head) > KTLS_MAX_PARAM)
		return -EINVAL;
	if (copy_from_sockptr(head, optval, sizeof(*head)))
		return -EFAULT;
	if (head->role > KTLS_ROLE_SERVER || head->flags || head->reserved ||
	    head->timeout_ms > KTLS_TIMEOUT_MAX_MS)
		return -EINVAL;
	u = ktls_upcall_new(KTLS_WHY_HANDSHAKE, optlen - sizeof(*head));
	if (!u)
		return -ENOMEM;
	if (copy_from_sockptr_offset(u->data, optval, sizeof(*head), u->len)) {
		ktls_upcall_put(u);
		return -EFAULT;
	}
	if (!attributes_ok(u->data, u->len)) {
		ktls_upcall_put(u);
		return -EINVAL;
	}
	u->timeout_ms = head->timeout_ms;
	*ret = u;
	return 0;
}

/* May a handshake begin here? The socket lock is held. */
static int may_begin(const struct sock *sk, struct ktls_sock *ks)
{
	switch (ks->phase) {
	case KTLS_PHASE_HANDSHAKING:
		return -EALREADY;
	case KTLS_PHASE_OPEN:
		return -EISCONN;
	case KTLS_PHASE_DEAD:
		if (!ks->untouched)
			return ks->error;
	}
	return sk->sk_state == TCP_ESTABLISHED ? 0 : -ENOTCONN;
}

static const char *refusal(int err)
{
	switch (err) {
	case -ESRCH:
		return "no TLS agent has joined in this network namespace; start ktlsd";
	case -EBUSY:
		return "too many handshakes wait for the TLS agent; try again later";
	}
	return NULL;
}

/*
 * Nobody may still be reading or writing plain TCP: he would take bytes of the
 * handshake, or put his own between them. plain_begin() in proto.c counts first
 * and looks at the phase then.
 */
static int leave_plain(struct sock *sk, struct ktls_sock *ks)
{
	u8 phase = ks->phase;

	WRITE_ONCE(ks->phase, KTLS_PHASE_HANDSHAKING);
	smp_mb();
	if (!atomic_read(&ks->plain))
		return 0;
	WRITE_ONCE(ks->phase, phase);
	return -EBUSY;
}

int ktls_begin(struct sock *sk, u8 role, struct ktls_upcall *u)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = leave_plain(sk, ks);

	if (err)
		return err;
	ks->role = role;
	ks->uid = u->caller.uid;
	ks->error = 0;
	ks->alert = ks->alert_from = 0;
	kfree(ks->reason);
	ks->reason = NULL;
	WRITE_ONCE(sk->sk_err, 0);
	ktls_use_protos(sk);
	ktls_stat_add(sk, KTLS_STAT_HandshakesStarted, 1);
	trace_ktls_handshake_start(ks->cookie, role);
	err = ktls_upcall_handshake(sk, u);
	if (err) {
		ktls_fail(sk, err, 0, KTLS_ALERT_FROM_NONE, refusal(err));
		ks->untouched = true;
	}
	return err;
}

/* A listener, or what may become one, keeps the request. */
static int keep_request(struct sock *sk, u8 role, struct ktls_upcall *u)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (role != KTLS_ROLE_SERVER || ks->phase != KTLS_PHASE_BARE)
		return -ENOTCONN;
	if (ks->request)
		ktls_upcall_put(ks->request);
	refcount_inc(&u->ref);
	ks->request = u;
	ks->role = role;
	return 0;
}

static int begin(struct sock *sk, u8 role, struct ktls_upcall *u)
{
	int err = may_begin(sk, ktls_get(sk));

	if (err)
		return err;
	err = ktls_begin(sk, role, u);
	if (err && ktls_get(sk)->phase == KTLS_PHASE_DEAD)
		sock_error(sk);		/* told by the return value */
	return err;
}

/* What connect() does with a caller who may wait. */
static int await(struct sock *sk, int busy)
{
	struct ktls_sock *ks = ktls_get(sk);
	long timeo = sock_sndtimeo(sk, 0);
	int err = ktls_wait_handshake(sk, &timeo);

	if (err == -EAGAIN)
		return busy;
	if (err) {
		ks->owed = true;
		return err;
	}
	ks->owed = false;
	if (ks->phase == KTLS_PHASE_OPEN)
		return 0;
	sock_error(sk);
	return ks->error;
}

int ktls_handshake_setsockopt(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_handshake head;
	struct ktls_upcall *u;
	bool nonblock;
	int err;

	err = request_read(&head, &u, optval, optlen);
	if (err)
		return err;
	lock_sock(sk);
	nonblock = ktls_nonblock(sk);
	if (ks->owed && ks->phase != KTLS_PHASE_HANDSHAKING) {
		err = await(sk, 0);
		goto out;
	}
	if (may_listen(sk)) {
		err = keep_request(sk, head.role, u);
		goto out;
	}
	err = begin(sk, head.role, u);
	if (nonblock)
		err = err ?: -EINPROGRESS;
	else if (!err)
		err = await(sk, -EINPROGRESS);
	else if (err == -EALREADY)
		err = await(sk, -EALREADY);
out:
	release_sock(sk);
	ktls_upcall_put(u);
	return err;
}

/* ---- registration */

static struct tcp_ulp_ops ulp __read_mostly = {
	.name		= "ktls",
	.owner		= THIS_MODULE,
	.init		= ktls_attach,
	.clone		= ktls_clone,
	.get_info	= ktls_info_ulp,
	.get_info_size	= ktls_info_ulp_size,
};

int ktls_attach_init(void)
{
	return tcp_register_ulp(&ulp);
}

void ktls_attach_exit(void)
{
	tcp_unregister_ulp(&ulp);
}

int ktls_sessions_init(void)
{
	sessions = KMEM_CACHE(ktls_sock, SLAB_ACCOUNT);
	return sessions ? 0 : -ENOMEM;
}

void ktls_sessions_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(sessions);
}
