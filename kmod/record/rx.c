// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that read. A call decrypts record after record into rxs and copies
 * from there, as long as whole records are at hand; it waits only for its
 * first byte, or for more under MSG_WAITALL and SO_RCVLOWAT. TCP's wakeups pass
 * through ktls_data_ready(), so that nobody is woken for part of a record.
 */
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include "record.h"

/* One call's wishes, and how far it is. */
struct recv {
	struct msghdr	*msg;
	struct pipe_inode_info *pipe;	/* or to this */
	struct ktls_pins *pins;		/* of msg's memory */
	size_t		len, done, target;
	size_t		skip;		/* MSG_PEEK: bytes of rxs seen already */
	int		flags;
	long		timeo;
	u8		type;		/* of what was copied so far, 0 if nothing was */
};

static size_t unseen(const struct ktls_sock *ks, const struct recv *r)
{
	size_t len = ks->rxs ? ks->rxs->len : 0;

	return len > r->skip ? len - r->skip : 0;
}

/* ---- waiting */

static bool stream_ended(const struct sock *sk)
{
	return sk->sk_shutdown & RCV_SHUTDOWN || sock_flag(sk, SOCK_DONE) || sk->sk_state == TCP_CLOSE;
}

static bool wait_over(const struct sock *sk, const struct ktls_sock *ks)
{
	return ks->phase != KTLS_PHASE_OPEN || READ_ONCE(ks->rx_ready) || sk->sk_err ||
	       (stream_ended(sk) && !ks->rx_held);
}

static int wait_for_record(struct sock *sk, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ktls_sock *ks = ktls_get(sk);

	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	sk_wait_event(sk, timeo, wait_over(sk, ks), &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return 0;
}

/* FIN without close_notify: somebody may have cut the stream (RFC 9846 6.1). */
static int truncated(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (ks->mainline)
		return 0;
	if (ks->error != -ECONNRESET) {
		ks->error = -ECONNRESET;
		ktls_stat_add(sk, KTLS_STAT_RxTruncated, 1);
	}
	return -ECONNRESET;
}

/* ---- records */

/* A record was opened behind what rxs has. */
static __always_inline int take_record(struct sock *sk, u8 type, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_rx *rx = ks->rxs;

	if (type == KTLS_DATA) {
		if (unlikely(ks->rx_part))
			return ktls_rx_control(sk, type, NULL, 0);
		ks->rx_bytes += len;
	} else {
		ktls_stat_add(sk, KTLS_STAT_RxControl, 1);
		ktls_queue_flush(sk);	/* the answer may let TCP work at its queue */
		if (!ks->mainline)
			return ktls_rx_control(sk, type, rx->buf + rx->off + rx->len, len);
		ktls_rx_notice(sk, type, rx->buf + rx->off + rx->len, len);
	}
	if (!rx->len)
		rx->type = type;
	if (rx->type == type && (type == KTLS_DATA || !rx->len)) {
		rx->len += len;
	} else {
		rx->next_type = type;
		rx->next_len = len;
	}
	return 0;
}

/* The next record into rxs without waiting. 1: it is; 0: end of stream. */
static __always_inline int try_record(struct sock *sk, unsigned long to)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_end end;
	size_t len;
	u8 type;
	int err;

	if (ks->phase != KTLS_PHASE_OPEN)
		return ks->error;
	if (ks->rxs && ks->rxs->end.err) {
		end = ks->rxs->end;
		return ktls_rx_end_by(sk, &end);
	}
	if (ks->rxs && ks->rxs->next_len)
		return -ENOSPC;
	if (ks->rx_error)
		return ks->rx_error;
	if (ks->rx_update)
		return -EKEYEXPIRED;
	if (ks->rx_held)
		return -EAGAIN;
	if (ks->rx_eof)
		return 0;
	err = ktls_open_record(sk, to, &type, &len);
	if (!err)
		err = take_record(sk, type, len);
	return err ?: 1;
}

static int no_record(struct sock *sk, struct recv *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = ktls_queue_check(sk, GFP_KERNEL);

	if (err)
		return err;
	if (READ_ONCE(ks->rx_ready) && !ktls_queue_record(sk) && !ks->rx_held)
		return 1;
	if (r->done >= r->target)
		return -EAGAIN;
	if (sk->sk_err)
		return sock_error(sk);
	if (stream_ended(sk) && !ks->rx_held)
		return truncated(sk);
	if (r->pins)
		ktls_unpin(r->pins);
	return wait_for_record(sk, &r->timeo) ?: 1;
}

/* The next record straight to the reader, if nothing has to be seen or done before it: 2; or 0. */
static int straight(struct sock *sk, struct recv *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	size_t n;

	if ((!r->pipe && r->len - r->done < GCM_USER_MIN) || r->flags & (MSG_PEEK | MSG_TRUNC) || ks->phase != KTLS_PHASE_OPEN ||
	    (r->type && r->type != KTLS_DATA) || ks->rx_error || ks->rx_update || ks->rx_held || ks->rx_eof ||
	    ks->rx_part || (ks->rxs && (ks->rxs->len || ks->rxs->have || ks->rxs->end.err)))
		return 0;
	n = r->pipe ? ktls_open_to_pipe(sk, r->pipe, r->len - r->done) : ktls_open_into(sk, &r->msg->msg_iter, r->pins);
	r->done += n;
	return n ? 2 : 0;
}

/* Plaintext to copy is in rxs: 1; it went straight to the reader: 2; 0: end of stream. */
static int next_plaintext(struct sock *sk, struct recv *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = 1;

	while (err == 1 && !unseen(ks, r)) {
		err = straight(sk, r) ?: try_record(sk, ktls_iter_address(&r->msg->msg_iter));
		if (err == -EAGAIN)
			err = no_record(sk, r);
	}
	return err;
}

/* ---- copying */

/*
 * May this plaintext go into this call? Tells the application its type where
 * it asks for that. Only with that may it see other types (mainline's way).
 */
static __always_inline int admit(struct recv *r, u8 type)
{
	if (r->type)
		return r->type == type && type == KTLS_DATA ? 1 : 0;
	if (r->msg->msg_controllen) {
		if (put_cmsg(r->msg, SOL_TLS, TLS_GET_RECORD_TYPE, sizeof(type), &type))
			return -EIO;
		if (type != KTLS_DATA && r->msg->msg_flags & MSG_CTRUNC)
			return -EIO;
	} else if (type != KTLS_DATA) {
		return -EIO;
	}
	r->type = type;
	return 1;
}

static void consume(struct ktls_rx *rx, size_t n)
{
	rx->off += n;
	rx->len -= n;
	if (rx->len)
		return;
	rx->len = rx->next_len;
	rx->type = rx->next_type;
	rx->next_len = 0;
}

static int copy_out(struct ktls_sock *ks, struct recv *r)
{
	size_t n = min_t(size_t, unseen(ks, r), r->len - r->done), got;
	struct ktls_rx *rx = ks->rxs;

	if (!(r->flags & MSG_TRUNC)) {
		/* Whole pages: no object's bounds to check. */
		got = _copy_to_iter(rx->buf + rx->off + r->skip, n, &r->msg->msg_iter);
		if (got != n) {
			iov_iter_revert(&r->msg->msg_iter, got);
			return -EFAULT;
		}
	}
	r->done += n;
	if (r->flags & MSG_PEEK)
		r->skip += n;
	else
		consume(rx, n);
	return 0;
}

static int recv_some(struct sock *sk, struct recv *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	err = next_plaintext(sk, r);
	if (err <= 0)
		return err;
	if (err == 2)
		return r->type ? 1 : admit(r, KTLS_DATA);
	err = admit(r, ks->rxs->type);
	if (err <= 0)
		return err;
	return copy_out(ks, r) ?: 1;
}

static ssize_t recv_all(struct sock *sk, struct recv *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	int more = 1;

	while (more > 0 && r->done < r->len)
		more = recv_some(sk, r);
	if (ks->phase == KTLS_PHASE_OPEN) {
		ktls_queue_check(sk, GFP_KERNEL);
		ktls_rx_idle(ks);
	}
	if (r->type && r->type != KTLS_DATA)
		r->msg->msg_flags |= MSG_EOR;
	return r->done ?: more < 0 ? more : 0;
}

int ktls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_pins pins __uninitialized;
	struct recv r = { .msg = msg, .len = len, .flags = flags, .pins = &pins };
	ssize_t ret;

	if (flags & MSG_ERRQUEUE ||
	    (!READ_ONCE(ks->rx.cipher) && READ_ONCE(ks->phase) == KTLS_PHASE_OPEN))
		return ks->base->recvmsg(sk, msg, len, flags, addr_len);
	if (flags & MSG_OOB)
		return -EINVAL;
	pins.pages = 0;
	lock_sock(sk);
	r.target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	r.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	ret = recv_all(sk, &r);
	if (pins.pages)
		ktls_unpin(&pins);
	release_sock(sk);
	return ret;
}

int ktls_rx_end(struct sock *sk, long timeo)
{
	struct msghdr msg = { };
	struct recv r = { .msg = &msg, .target = 1, .timeo = timeo };
	int err;

	iov_iter_kvec(&msg.msg_iter, ITER_DEST, NULL, 0, 0);
	err = next_plaintext(sk, &r);
	if (ktls_get(sk)->phase == KTLS_PHASE_OPEN) {
		ktls_queue_check(sk, GFP_KERNEL);
		ktls_rx_idle(ktls_get(sk));
	}
	return err > 0 ? -EBUSY : err;
}

/*
 * recvmsg() has no cmsg to a pipe, so a control record is EINVAL there and
 * stays (mainline's way). What doesn't go straight to the pipe the generic call copies there with recvmsg().
 */
ssize_t ktls_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags)
{
	bool nonblock = sock->file->f_flags & O_NONBLOCK || flags & SPLICE_F_NONBLOCK;
	struct sock *sk = sock->sk;
	struct ktls_sock *ks = ktls_get(sk);
	struct msghdr none = { };
	struct recv r = { .msg = &none, .pipe = pipe, .len = len, .target = 1,
			  .timeo = sock_rcvtimeo(sk, nonblock) };
	int err = 1;

	lock_sock(sk);
	if (ks->rx.cipher) {
		err = next_plaintext(sk, &r);
		if (err == 1 && ks->rxs->type != KTLS_DATA)
			err = -EINVAL;
		while (r.done && straight(sk, &r))
			;
		if (ks->phase == KTLS_PHASE_OPEN) {
			ktls_queue_check(sk, GFP_KERNEL);
			ktls_rx_idle(ks);
		}
	}
	release_sock(sk);
	if (r.done)
		return r.done;
	return err > 0 ? ktls_copy_to_pipe(sock->file, ppos, pipe, len, flags) : err;
}

/* ---- being readable */

bool ktls_is_readable(struct sock *sk)
{
	return READ_ONCE(ktls_get(sk)->rx_ready);
}

/* TCP's answer, but "readable" means plaintext, the end or an error, not ciphertext. */
__poll_t ktls_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	struct ktls_sock *ks = ktls_get(sk);
	__poll_t mask = ks->base_ops->poll(file, sock, wait);
	bool held;

	if (!READ_ONCE(ks->rx.cipher))
		return mask;
	held = READ_ONCE(ks->rx_held);
	if (READ_ONCE(ks->rx_ready) || READ_ONCE(sk->sk_err) ||
	    (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN && !held))
		mask |= EPOLLIN | EPOLLRDNORM;
	else
		mask &= ~(EPOLLIN | EPOLLRDNORM);
	if (READ_ONCE(ks->rx_eof))
		mask |= EPOLLRDHUP;
	return mask;
}

int ktls_set_rcvlowat(struct sock *sk, int val)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = ks->base_ops->set_rcvlowat(sk, val);

	if (!err && ks->rx.cipher && ks->phase == KTLS_PHASE_OPEN)
		ktls_queue_check(sk, GFP_KERNEL);
	return err;
}

int ktls_ioctl_inq(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	int n = 0;

	lock_sock(sk);
	if (!ks->rx.cipher) {
		n = tcp_inq(sk);
		goto out;
	}
	while (try_record(sk, 0) > 0)
		;	/* as many as fit */
	if (ks->rxs && ks->rxs->type == KTLS_DATA)
		n = ks->rxs->len;
	if (ks->phase == KTLS_PHASE_OPEN) {	/* a record may have ended it */
		ktls_queue_check(sk, GFP_KERNEL);
		ktls_rx_idle(ks);
	}
out:
	release_sock(sk);
	return n;
}

void ktls_data_ready(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (ks->rx.cipher && !ks->rx_ready) {	/* what was ready stays so until a reader comes */
		ktls_queue_check(sk, GFP_ATOMIC);
		if (!ks->rx_ready && !sk->sk_err && !stream_ended(sk))
			return;
	}
	ks->data_ready(sk);
}

void ktls_rx_resume(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (ks->rx.cipher)
		ktls_queue_check(sk, GFP_KERNEL);
	ks->data_ready(sk);
}
