// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTLS_DETACH: from TLS back to plain TCP on the same connection. Both ends
 * say close_notify; ours goes behind all that was written, and reading
 * stops at the peer's, so that TCP's queue begins with the byte behind it.
 */
#include "record/record.h"
#include "upcall.h"

static int may_detach(const struct sock *sk, const struct ktls_sock *ks)
{
	int err = ktls_must_be_open(ks);

	if (err)
		return err;
	if (ks->mainline)
		return -EINVAL;
	return sk->sk_shutdown & SEND_SHUTDOWN ? -EPIPE : 0;
}

/* TCP has taken all; usually at once, since it is made to. */
static int drain(struct sock *sk, long *timeo)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	while (ks->phase == KTLS_PHASE_OPEN) {
		err = ktls_tx_push(sk, 0);
		if (!err)
			ktls_tx_idle(sk);
		if (err != -EAGAIN)
			return err;
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		err = sk_stream_wait_memory(sk, timeo);
		if (err)
			return err;
	}
	return 0;
}

/* As it was before the first handshake. */
static void become_bare(struct sock *sk, struct ktls_sock *ks)
{
	ktls_upcalls_end(sk);
	ktls_stat_add(sk, KTLS_STAT_CurrSessions, -1);
	WRITE_ONCE(ks->phase, KTLS_PHASE_BARE);
	ktls_use_protos(sk);
	ktls_forget(ks);
	ks->error = 0;
	ks->untouched = ks->owed = false;
	ks->rekey_due = ks->rekey_ask = false;
	ktls_auth_forget(ks);
	ks->tx_generation = ks->rx_generation = 0;
	ks->tx_records = ks->tx_bytes = ks->rx_records = ks->rx_bytes = 0;
	ks->suite = 0;
	ks->tx_limit = ks->rx_limit = ks->tx_pad = 0;
	ks->tx_closed = false;
	WRITE_ONCE(ks->rx_held, false);
	WRITE_ONCE(ks->rx_eof, false);
	WRITE_ONCE(ks->rx_ready, false);
	ks->state_change(sk);
	ks->data_ready(sk);
}

static int detach_locked(struct sock *sk, bool nonblock)
{
	struct ktls_sock *ks = ktls_get(sk);
	long timeo = sock_rcvtimeo(sk, nonblock);
	int err;

	err = may_detach(sk, ks) ?: ktls_tx_end(sk);
	if (err)
		return err;
	err = drain(sk, &timeo) ?: ktls_rx_end(sk, timeo);
	if (err)
		return err == -EAGAIN ? -EINPROGRESS : err;
	if (ks->phase == KTLS_PHASE_DEAD)
		return ks->error;
	if (ks->phase == KTLS_PHASE_OPEN)	/* else another thread was faster */
		become_bare(sk, ks);
	return 0;
}

int ktls_detach_setsockopt(struct sock *sk)
{
	int err;

	lock_sock(sk);
	err = detach_locked(sk, ktls_nonblock(sk));
	release_sock(sk);
	return err;
}
