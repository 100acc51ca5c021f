// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control records that go out, and the end of the stream. They take their place behind everything sent before and do not
 * wait for the send buffer.
 */
#include "record.h"

static bool room_for(const struct ktls_tx *tx, unsigned int records)
{
	return tx->out_n + records * KTLS_TX_PIECES <= KTLS_TX_OUT;
}

static int seal_bytes(struct sock *sk, u8 type, const void *data, size_t len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	struct iov_iter iter;
	int err;

	err = ktls_rec_begin(sk, type, len, 0);
	if (err)
		return err;
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, len);
	ktls_rec_copy(ktls_get(sk)->txs, &iter);
	return ktls_rec_seal(sk);
}

/* Behind what is open and what waits, without a push unless memory for pieces demands it. */
int ktls_tx_queue_control(struct sock *sk, u8 type, const void *data, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	if (!ks->tx.cipher || ks->tx.seq == U64_MAX)
		return -EKEYEXPIRED;
	if (len > (ks->tx_limit ?: KTLS_PLAIN_MAX))
		return -EMSGSIZE;
	if (sk->sk_shutdown & SEND_SHUTDOWN || ks->tx_closed)
		return -EPIPE;
	err = ktls_rec_seal(sk);
	if (err)
		return err;
	if (ks->txs && !room_for(ks->txs, 1)) {
		err = ktls_tx_force(sk);
		if (err)
			return err;
	}
	return seal_bytes(sk, type, data, len);
}

int ktls_tx_control(struct sock *sk, u8 type, const void *data, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	err = ktls_tx_queue_control(sk, type, data, len);
	if (err)
		return err;
	err = ktls_tx_force(sk);
	if (ks->phase == KTLS_PHASE_OPEN)
		ktls_tx_idle(sk);
	return err == -EAGAIN ? 0 : err;
}

int ktls_tx_alert(struct sock *sk, u8 level, u8 description)
{
	u8 alert[] = { level, description };
	int err;

	err = ktls_tx_control(sk, KTLS_ALERT, alert, sizeof(alert));
	if (!err)
		ktls_stat_add(sk, KTLS_STAT_TxAlerts, 1);
	return err;
}

int ktls_tx_end(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	if (ks->tx_closed)
		return 0;
	err = ktls_rec_seal(sk);
	if (!err)
		err = ktls_tx_alert(sk, KTLS_WARNING, KTLS_CLOSE_NOTIFY);
	if (!err)
		ks->tx_closed = true;
	return err;
}

/* The application that keyed the socket by linux/tls.h's options sends its own alerts. */
void ktls_tx_finish(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (!ks->tx.cipher || ks->tx_closed || sk->sk_shutdown & SEND_SHUTDOWN)
		return;
	if (ktls_rec_seal(sk))
		return;
	if (ks->mainline)
		ktls_tx_force(sk);
	else
		ktls_tx_alert(sk, KTLS_WARNING, KTLS_CLOSE_NOTIFY);
	ks->tx_closed = true;
}

int ktls_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct ktls_sock *ks = ktls_get(sk);

	if (how == SHUT_WR || how == SHUT_RDWR) {
		lock_sock(sk);
		if (ks->phase == KTLS_PHASE_OPEN)
			ktls_tx_finish(sk);
		release_sock(sk);
	}
	return ks->base_ops->shutdown(sock, how);
}
