// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTLS_REQUEST_CERT: a server asks a client, after the handshake, for its
 * certificate (RFC 8446 4.6.2). The agent writes the request and judges the
 * answer; the module carries both, and knows how far it is: due (an upcall is
 * to be made or under way), asked (the request went out), answered (nobody
 * was told yet). One request at a time.
 */
#include <linux/module.h>
#include "record/record.h"
#include "upcall.h"

static unsigned int request_timeout_ms = 60000;
module_param(request_timeout_ms, uint, 0644);
MODULE_PARM_DESC(request_timeout_ms, "how long KTLS_REQUEST_CERT waits for the client in all");

static int may_ask(const struct sock *sk, const struct ktls_sock *ks)
{
	int err = ktls_must_be_open(ks);

	if (err)
		return err;
	if (ks->mainline || ks->role != KTLS_ROLE_SERVER)
		return -EINVAL;
	if (!ks->may_ask)
		return -EOPNOTSUPP;
	return ks->tx_closed || sk->sk_shutdown & SEND_SHUTDOWN ? -EPIPE : 0;
}

static void over(struct ktls_sock *ks, int err)
{
	ks->auth_error = err;
	WRITE_ONCE(ks->auth, KTLS_AUTH_ANSWERED);
}

void ktls_auth_resume(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	if (ks->auth != KTLS_AUTH_DUE || ks->phase != KTLS_PHASE_OPEN)
		return;
	err = ktls_upcall_record(sk, KTLS_WHY_REQUEST, 0, NULL, 0);
	if (err && err != -EBUSY)	/* busy: spares are being made, or it is under way */
		over(ks, err);
}

void ktls_auth_responded(struct sock *sk, const struct ktls_upcall *u, u32 what, int err)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (u->why == KTLS_WHY_REQUEST && ks->auth == KTLS_AUTH_DUE) {
		if (err)
			over(ks, err);
		else
			WRITE_ONCE(ks->auth, KTLS_AUTH_ASKED);
		ks->state_change(sk);
	} else if (u->why == KTLS_WHY_HANDSHAKE) {
		ks->may_ask = what == KTLS_POST_AUTH_OFFERED;
	} else if (u->why == KTLS_WHY_RECORD && what == KTLS_POST_AUTH_ANSWERED && ks->auth == KTLS_AUTH_ASKED) {
		over(ks, 0);
	}
}

void ktls_auth_forget(struct ktls_sock *ks)
{
	ks->may_ask = false;
	ks->auth = KTLS_AUTH_NONE;
}

/* New attributes first, then those of the old that none of them replaces, as far as they fit. */
int ktls_auth_merge_info(const struct ktls_sock *ks, void **info, u16 *info_len)
{
	size_t len = NLA_ALIGN(*info_len), n;
	const struct nlattr *attr;
	int rest;
	u8 *all;

	all = kzalloc(len + NLA_ALIGN(ks->info_len), GFP_KERNEL_ACCOUNT);
	if (!all)
		return -ENOMEM;
	memcpy(all, *info, *info_len);
	nla_for_each_attr(attr, ks->info, ks->info_len, rest) {
		n = NLA_ALIGN(attr->nla_len);
		if (nla_find(*info, *info_len, nla_type(attr)) || len + n > KTLS_MAX_INFO)
			continue;
		memcpy(all + len, attr, attr->nla_len);
		len += n;
	}
	kfree(*info);
	*info = all;
	*info_len = len;
	return 0;
}

/* Reads on to plaintext, to the end or to the answer: 1, nothing of it is here yet. */
static int look(struct sock *sk, struct ktls_sock *ks)
{
	int err = 1;

	if (ks->auth == KTLS_AUTH_ASKED) {
		err = ktls_rx_end(sk, 0);
		if (err == -EAGAIN)
			err = 1;
		else if (!err)
			err = -ECONNRESET;
	}
	if (ks->phase != KTLS_PHASE_OPEN)
		return ks->error ?: -EPIPE;
	if (ks->auth == KTLS_AUTH_ANSWERED) {
		ks->auth = KTLS_AUTH_NONE;
		return ks->auth_error;
	}
	return ks->auth == KTLS_AUTH_NONE ? 0 : err;	/* none: another thread was told */
}

static int await(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ktls_sock *ks = ktls_get(sk);
	int err;
	u8 was;

	add_wait_queue(sk_sleep(sk), &wait);
	while ((err = look(sk, ks)) > 0) {
		was = ks->auth;
		if (!timeo)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = sock_intr_errno(timeo);
		else
			sk_wait_event(sk, &timeo, READ_ONCE(ks->auth) != was || READ_ONCE(ks->rx_ready) ||
				      READ_ONCE(ks->phase) != KTLS_PHASE_OPEN ||
				      READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN || sk->sk_err, &wait);
		if (err < 0)
			break;
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

static int request(struct sock *sk, bool nonblock)
{
	struct ktls_sock *ks = ktls_get(sk);
	long timeo = sock_rcvtimeo(sk, nonblock), left;
	int err = may_ask(sk, ks);

	if (err)
		return err;
	if (ks->auth == KTLS_AUTH_NONE) {
		ks->auth_deadline = jiffies + msecs_to_jiffies(READ_ONCE(request_timeout_ms));
		ks->auth = KTLS_AUTH_DUE;
		ktls_auth_resume(sk);
	}
	left = max((long)(ks->auth_deadline - jiffies), 0L);
	err = await(sk, min(timeo, left));
	if (err == -EAGAIN)
		return time_before(jiffies, ks->auth_deadline) ? -EINPROGRESS : -ETIMEDOUT;
	return err;
}

int ktls_auth_setsockopt(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	u32 flags;
	int err = ktls_flags_get(optval, optlen, 0, &flags);

	if (err)
		return err;
	lock_sock(sk);
	err = request(sk, ktls_nonblock(sk));
	release_sock(sk);
	return err;
}
