// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key updates that we begin (RFC 9846 4.7.3, 5.5): near the limit of the
 * cipher, and on request. The next key is a spare that the agent made
 * beforehand; a session that is short of one goes on under the old key and
 * changes as soon as the agent has answered, so that no writer waits.
 */
#include <linux/module.h>
#include "record.h"
#include "../trace.h"

unsigned int ktls_rekey_records;
module_param_named(rekey_records, ktls_rekey_records, uint, 0644);
MODULE_PARM_DESC(rekey_records, "records sent under one key, 8 or more; 0: as many as the cipher allows");

int ktls_tx_rekey(struct sock *sk, bool ask)
{
	const u8 update[KTLS_KEY_UPDATE_LEN] = { KTLS_KEY_UPDATE, 0, 0, 1, ask };
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_half new = { };
	int err;

	if (!ks->tx_next)
		return -EKEYEXPIRED;
	err = ktls_half_init(&new, ks->tx_next);
	if (!err)
		err = ktls_tx_queue_control(sk, KTLS_MESSAGE, update, sizeof(update));
	if (err) {
		ktls_half_wipe(&new);
		return err;
	}
	ktls_half_renew(&ks->tx, &new, &ks->tx_next);
	ks->tx_generation++;
	ktls_stat_add(sk, KTLS_STAT_TxRekeys, 1);
	trace_ktls_key_update(ks->cookie, KTLS_TRACE_TX, ks->tx_generation);
	ktls_spares_ask(sk);
	return 0;
}

int ktls_tx_rekey_due(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	if (!ktls_tx_rekey_near(ks))
		return 0;
	if (ks->tx_next) {
		err = ktls_tx_rekey(sk, false);
		if (err != -EAGAIN && err != -ENOMEM)
			return err;
	}
	return ks->tx.seq < ks->tx.cipher->limit ? 0 : -EKEYEXPIRED;
}

static int may_rekey(const struct sock *sk, const struct ktls_sock *ks)
{
	int err = ktls_must_be_open(ks);

	if (err)
		return err;
	if (ks->mainline || !ks->tx.cipher)
		return -EINVAL;
	if (!ks->tx.format->updates)
		return -EOPNOTSUPP;
	return ks->tx_closed || sk->sk_shutdown & SEND_SHUTDOWN ? -EPIPE : 0;
}

static int update_now(struct sock *sk, bool ask)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = ktls_tx_rekey(sk, ask);

	if (err || ks->phase != KTLS_PHASE_OPEN)
		return err;
	ktls_tx_force(sk);
	ktls_tx_idle(sk);
	return 0;
}

int ktls_rekey(struct sock *sk, bool ask)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = may_rekey(sk, ks);

	if (err)
		return err;
	if (ks->tx_next)
		return update_now(sk, ask);
	ks->rekey_due = true;
	ks->rekey_ask |= ask;
	ktls_upcall_record(sk, KTLS_WHY_SPARE, 0, NULL, 0);	/* unless it is under way */
	return -EINPROGRESS;
}

void ktls_rekey_resume(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (!ks->rekey_due || !ks->tx_next || ks->phase != KTLS_PHASE_OPEN)
		return;
	if (!may_rekey(sk, ks))
		update_now(sk, ks->rekey_ask);
	ks->rekey_due = ks->rekey_ask = false;
	ks->state_change(sk);
}

static int await(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ktls_sock *ks = ktls_get(sk);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!err && ks->phase == KTLS_PHASE_OPEN && ks->rekey_due) {
		if (!timeo)
			err = -EINPROGRESS;
		else if (signal_pending(current))
			err = sock_intr_errno(timeo);
		else
			sk_wait_event(sk, &timeo, !READ_ONCE(ks->rekey_due) ||
				      READ_ONCE(ks->phase) != KTLS_PHASE_OPEN, &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	if (!err && ks->phase != KTLS_PHASE_OPEN)
		err = ks->error ?: -EPIPE;
	return err;
}

int ktls_rekey_setsockopt(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	u32 flags;
	int err = ktls_flags_get(optval, optlen, KTLS_REKEY_BOTH, &flags);

	if (err)
		return err;
	lock_sock(sk);
	err = ktls_rekey(sk, flags & KTLS_REKEY_BOTH);
	if (err == -EINPROGRESS)
		err = await(sk, sock_sndtimeo(sk, ktls_nonblock(sk)));
	release_sock(sk);
	return err;
}
