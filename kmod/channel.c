// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channel: the raw bytes of a handshaking socket, as a file of the agent.
 *
 * It never sleeps on the socket: the lower calls are the non-blocking ones,
 * under the socket lock, and waiting is done on the upcall's own queue, which
 * lives as long as the file. So close() by the application waits for nobody,
 * and the agent sees EPOLLHUP and ENOTCONN. A channel that is not the upcall's
 * channel in force (its agent was given up, another has the upcall) is as good
 * as closed.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "upcall.h"

#define HANGUP	(EPOLLHUP | EPOLLRDHUP | EPOLLIN | EPOLLRDNORM)

/* The socket, locked and held, if this file may use it. */
static struct sock *channel_lock(const struct file *file)
{
	struct ktls_upcall *u = file->private_data;
	struct sock *sk = ktls_upcall_lock_sock(u);

	if (sk && u->file != file) {
		ktls_upcall_unlock_sock(sk);
		return NULL;
	}
	return sk;
}

static int copy_actor(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset, size_t len)
{
	struct iov_iter *to = desc->arg.data;
	size_t n = min(len, iov_iter_count(to));

	if (n && skb_copy_datagram_iter(skb, offset, to, n)) {
		desc->error = -EFAULT;
		return 0;
	}
	desc->count -= n;
	return n;
}

/* An error is left for the application, but for the agent to see as well. */
static ssize_t read_locked(struct sock *sk, struct iov_iter *to)
{
	read_descriptor_t desc = { .arg.data = to, .count = iov_iter_count(to) };
	int n = tcp_read_sock(sk, &desc, copy_actor);

	if (n > 0)
		return n;
	if (desc.error)
		return desc.error;
	if (sk->sk_err)
		return -sk->sk_err;
	if (sk->sk_shutdown & RCV_SHUTDOWN || sock_flag(sk, SOCK_DONE) || sk->sk_state == TCP_CLOSE)
		return 0;
	return -EAGAIN;
}

static ssize_t read_once(struct file *file, struct iov_iter *to)
{
	struct ktls_upcall *u = file->private_data;
	struct sock *sk = channel_lock(file);
	ssize_t ret;

	if (!sk)
		return -ENOTCONN;
	ret = read_locked(sk, to);
	if (ret > 0)
		u->touched = true;
	ktls_upcall_unlock_sock(sk);
	return ret;
}

static ssize_t write_once(struct file *file, struct iov_iter *from)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct ktls_upcall *u = file->private_data;
	struct sock *sk = channel_lock(file);
	ssize_t ret;

	if (!sk)
		return -ENOTCONN;
	msg.msg_iter = *from;
	ret = tcp_sendmsg_locked(sk, &msg, iov_iter_count(from));
	*from = msg.msg_iter;
	if (ret > 0)
		u->touched = true;
	ktls_upcall_unlock_sock(sk);
	return ret;
}

static __poll_t mask_locked(struct sock *sk)
{
	__poll_t mask = 0;

	if (tcp_sk(sk)->rcv_nxt != tcp_sk(sk)->copied_seq || sk->sk_shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP;
	if (sk->sk_err)
		mask |= EPOLLERR;
	if (sk->sk_state == TCP_CLOSE)
		return mask | HANGUP;
	if (!sk_stream_is_writeable(sk)) {
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		smp_mb__after_atomic();	/* pairs with tcp_check_space() */
	}
	if (sk_stream_is_writeable(sk))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static __poll_t channel_mask(const struct file *file)
{
	struct sock *sk = channel_lock(file);
	__poll_t mask;

	if (!sk)
		return HANGUP;
	mask = mask_locked(sk);
	ktls_upcall_unlock_sock(sk);
	return mask;
}

/* Not wait_event(): the condition takes the socket lock. */
static int channel_wait(struct file *file, __poll_t events)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ktls_upcall *u = file->private_data;
	int err = 0;

	add_wait_queue(&u->wait, &wait);
	while (!(channel_mask(file) & (events | EPOLLHUP | EPOLLERR))) {
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		wait_woken(&wait, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	}
	remove_wait_queue(&u->wait, &wait);
	return err;
}

static bool nonblocking(const struct kiocb *iocb)
{
	return iocb->ki_filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT;
}

static ssize_t channel_read(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		ret = read_once(iocb->ki_filp, to);
		if (ret != -EAGAIN || nonblocking(iocb))
			return ret;
		ret = channel_wait(iocb->ki_filp, EPOLLIN);
		if (ret)
			return ret;
	}
}

static ssize_t channel_write(struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t ret;

	for (;;) {
		ret = write_once(iocb->ki_filp, from);
		if (ret != -EAGAIN || nonblocking(iocb))
			return ret;
		ret = channel_wait(iocb->ki_filp, EPOLLOUT);
		if (ret)
			return ret;
	}
}

static __poll_t channel_poll(struct file *file, poll_table *wait)
{
	struct ktls_upcall *u = file->private_data;

	poll_wait(file, &u->wait, wait);
	return channel_mask(file);
}

static int channel_release(struct inode *inode, struct file *file)
{
	struct ktls_upcall *u = file->private_data;
	struct sock *sk = channel_lock(file);

	if (sk) {
		ktls_upcall_abandon(sk, u);
		ktls_upcall_unlock_sock(sk);
	}
	ktls_upcall_put(u);
	return 0;
}

static const struct file_operations channel_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= channel_read,
	.write_iter	= channel_write,
	.poll		= channel_poll,
	.release	= channel_release,
};

struct file *ktls_channel_file(struct sock *sk, struct ktls_upcall *u)
{
	struct file *file = anon_inode_getfile("[ktls]", &channel_fops, u, O_RDWR);

	if (IS_ERR(file))
		return file;
	stream_open(file_inode(file), file);
	refcount_inc(&u->ref);
	u->file = file;
	ktls_stat_add(sk, KTLS_STAT_CurrChannels, 1);
	return file;
}

void ktls_channel_drop(struct sock *sk, struct ktls_upcall *u)
{
	if (!u->file)
		return;
	u->file = NULL;
	ktls_stat_add(sk, KTLS_STAT_CurrChannels, -1);
	ktls_channel_wake(u, 0);
}

void ktls_channel_wake(struct ktls_upcall *u, __poll_t key)
{
	if (!u)
		return;
	if (key)
		wake_up_interruptible_poll(&u->wait, key);
	else
		wake_up_interruptible_all(&u->wait);
}

static int discard_actor(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset, size_t len)
{
	return len;
}

void ktls_channel_discard(struct sock *sk)
{
	read_descriptor_t desc = { .count = 1 };

	tcp_read_sock(sk, &desc, discard_actor);
}
