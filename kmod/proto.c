// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the socket calls do in each phase: one copy of TCP's struct proto and
 * proto_ops per family and phase, made from the first socket of the family.
 * BARE is TCP itself but for options and close. HANDSHAKING lets the
 * application wait. OPEN is record/. DEAD gives back the error.
 *
 * A caller may have fetched a pointer from the table of an earlier phase, so
 * every function looks at the phase again under the lock.
 */
#include <asm/ioctls.h>
#include <linux/mutex.h>
#include <linux/sockios.h>
#include <linux/uaccess.h>
#include "upcall.h"

#define PHASES	(KTLS_PHASE_DEAD + 1)
#define QUEUED	PHASES		/* no phase: cloned from a listener, and nobody has accepted it */
#define OTHERS	(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM)

static DEFINE_MUTEX(build_lock);
static bool built[2];
static struct proto protos[2][PHASES + 1];
static struct proto_ops ops[2][PHASES + 1];

static bool is_v6(const struct proto *base)
{
	return base == &tcpv6_prot;
}

const struct proto *ktls_proto_base(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? &tcpv6_prot : &tcp_prot;
}

/* sk_prot_creator is used when our module may be gone. */
void ktls_proto_queued(struct sock *sk)
{
	const struct proto *base = ktls_proto_base(sk);

	WRITE_ONCE(sk->sk_prot, &protos[is_v6(base)][QUEUED]);
	sk->sk_prot_creator = (struct proto *)base;
}

void ktls_use_protos(struct sock *sk)
{
	const struct ktls_sock *ks = ktls_get(sk);
	bool v6 = is_v6(ks->base);

	WRITE_ONCE(sk->sk_prot, &protos[v6][ks->phase]);
	WRITE_ONCE(sk->sk_socket->ops, &ops[v6][ks->phase]);
}

/* ---- options, in every phase */

static bool shows_ciphertext(int level, int optname)
{
	return level == SOL_TCP && (optname == TCP_ZEROCOPY_RECEIVE || optname == TCP_REPAIR);
}

int ktls_flags_get(sockptr_t optval, unsigned int optlen, u32 allowed, u32 *ret)
{
	if (optlen != sizeof(*ret))
		return -EINVAL;
	if (copy_from_sockptr(ret, optval, sizeof(*ret)))
		return -EFAULT;
	return *ret & ~allowed ? -EINVAL : 0;
}

bool ktls_nonblock(const struct sock *sk)
{
	const struct file *file = sk->sk_socket->file;

	return file && file->f_flags & O_NONBLOCK;
}

static int setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	const struct ktls_sock *ks = ktls_get(sk);

	if (level == SOL_TLS && optname == KTLS_HANDSHAKE)
		return ktls_handshake_setsockopt(sk, optval, optlen);
	if (level == SOL_TLS && optname == KTLS_REKEY)
		return ktls_rekey_setsockopt(sk, optval, optlen);
	if (level == SOL_TLS && optname == KTLS_REQUEST_CERT)
		return ktls_auth_setsockopt(sk, optval, optlen);
	if (level == SOL_TLS && optname == KTLS_DETACH)
		return optlen ? -EINVAL : ktls_detach_setsockopt(sk);
	if (level == SOL_TLS)
		return ktls_mainline_setsockopt(sk, optname, optval, optlen);
	if (shows_ciphertext(level, optname) && READ_ONCE(ks->phase) != KTLS_PHASE_BARE)
		return -EOPNOTSUPP;
	return ks->base->setsockopt(sk, level, optname, optval, optlen);
}

static int getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen)
{
	const struct ktls_sock *ks = ktls_get(sk);

	if (level == SOL_TLS && optname == KTLS_INFO)
		return ktls_info_getsockopt(sk, optval, optlen);
	if (level == SOL_TLS)
		return ktls_mainline_getsockopt(sk, optname, optval, optlen);
	if (shows_ciphertext(level, optname) && READ_ONCE(ks->phase) != KTLS_PHASE_BARE)
		return -EOPNOTSUPP;
	return ks->base->getsockopt(sk, level, optname, optval, optlen);
}

/* connect(AF_UNSPEC) would give the same socket to another peer. TCP asks for
 * it, too, by a listener's table: to end listening, and for what waits in its queue. */
static int disconnect(struct sock *sk, int flags)
{
	if (ktls_get(sk) && sk->sk_state != TCP_LISTEN && sk->sk_state != TCP_CLOSE)
		return -EOPNOTSUPP;
	return ktls_proto_base(sk)->disconnect(sk, flags);
}

/* ---- bare: TCP's own, counted, so that no call reaches into a handshake */

static bool plain_begin(struct ktls_sock *ks)
{
	atomic_inc(&ks->plain);
	smp_mb__after_atomic();
	if (READ_ONCE(ks->phase) == KTLS_PHASE_BARE)
		return true;
	atomic_dec(&ks->plain);
	return false;
}

static void plain_end(struct ktls_sock *ks)
{
	atomic_dec(&ks->plain);
}

/* The phase in force, seen under the lock. */
static const struct proto *proto_now(struct sock *sk)
{
	const struct proto *p;

	lock_sock(sk);
	p = READ_ONCE(sk->sk_prot);
	release_sock(sk);
	return p;
}

static int bare_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int ret;

	if (!plain_begin(ks))
		return proto_now(sk)->sendmsg(sk, msg, len);
	ret = ks->base->sendmsg(sk, msg, len);
	plain_end(ks);
	return ret;
}

static int bare_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int ret;

	if (!plain_begin(ks))
		return proto_now(sk)->recvmsg(sk, msg, len, flags, addr_len);
	ret = ks->base->recvmsg(sk, msg, len, flags, addr_len);
	plain_end(ks);
	return ret;
}

static ssize_t bare_splice_read(struct socket *sock, loff_t *pos, struct pipe_inode_info *pipe,
				size_t len, unsigned int flags)
{
	struct ktls_sock *ks = ktls_get(sock->sk);
	ssize_t ret;

	if (!plain_begin(ks))
		return -EAGAIN;
	ret = ks->base_ops->splice_read(sock, pos, pipe, len, flags);
	plain_end(ks);
	return ret;
}

/* What was asked for a listener must not be forgotten by making it a client. */
static int bare_connect(struct sock *sk, struct sockaddr *addr, int len)
{
	struct ktls_sock *ks = ktls_get(sk);

	return ks->request ? -EOPNOTSUPP : ks->base->connect(sk, addr, len);
}

/* ---- queued: it has no session, and gets one only from ktls_accept() */

static int queued_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	return -ECONNABORTED;
}

static int queued_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len)
{
	return -ECONNABORTED;
}

/*
 * An accept() that began before its listener had the ULP doesn't know of us and
 * gives the socket TCP's proto_ops, which read around the table. It locks the
 * socket to do that, and lets go of it when this is called.
 */
static void queued_release_cb(struct sock *sk)
{
	const struct proto *base = ktls_proto_base(sk);

	if (sk->sk_socket)
		WRITE_ONCE(sk->sk_socket->ops, &ops[is_v6(base)][QUEUED]);
	base->release_cb(sk);
}

static int queued_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	if (level == SOL_TLS || shows_ciphertext(level, optname))
		return -ECONNABORTED;
	return ktls_proto_base(sk)->setsockopt(sk, level, optname, optval, optlen);
}

static int queued_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen)
{
	if (level == SOL_TLS || shows_ciphertext(level, optname))
		return -ECONNABORTED;
	return ktls_proto_base(sk)->getsockopt(sk, level, optname, optval, optlen);
}

/* ---- handshaking: wait, then do what the new phase does */

static int settle(struct sock *sk, bool recv, bool nonblock)
{
	struct ktls_sock *ks = ktls_get(sk);
	long timeo;
	int err;

	lock_sock(sk);
	timeo = recv ? sock_rcvtimeo(sk, nonblock) : sock_sndtimeo(sk, nonblock);
	err = ktls_wait_handshake(sk, &timeo);
	if (!err && ks->phase == KTLS_PHASE_DEAD)
		err = ks->error;
	release_sock(sk);
	return err;
}

static int handshaking_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	int err = settle(sk, false, msg->msg_flags & MSG_DONTWAIT);

	return err ?: READ_ONCE(sk->sk_prot)->sendmsg(sk, msg, len);
}

static int handshaking_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len)
{
	int err;

	if (flags & MSG_ERRQUEUE)
		return ktls_get(sk)->base->recvmsg(sk, msg, len, flags, addr_len);
	err = settle(sk, true, flags & MSG_DONTWAIT);
	return err ?: READ_ONCE(sk->sk_prot)->recvmsg(sk, msg, len, flags, addr_len);
}

#ifdef KTLS_HAVE_SENDPAGE
static int bare_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	struct ktls_sock *ks = ktls_get(sk);
	int ret;

	if (!plain_begin(ks))
		return proto_now(sk)->sendpage(sk, page, offset, size, flags);
	ret = ks->base->sendpage(sk, page, offset, size, flags);
	plain_end(ks);
	return ret;
}

static int queued_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	return -ECONNABORTED;
}

static int handshaking_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	int err = settle(sk, false, flags & MSG_DONTWAIT);

	return err ?: READ_ONCE(sk->sk_prot)->sendpage(sk, page, offset, size, flags);
}

static int dead_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	return ktls_get(sk)->error;
}
#else
#define bare_sendpage		NULL
#define queued_sendpage		NULL
#define handshaking_sendpage	NULL
#define dead_sendpage		NULL
#define ktls_sendpage		NULL
#endif

#ifndef KTLS_HAVE_SPLICE_EOF
#define ktls_splice_eof		NULL
#endif

static __poll_t handshaking_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	sock_poll_wait(file, sock, wait);
	if (READ_ONCE(ktls_get(sock->sk)->phase) == KTLS_PHASE_HANDSHAKING)
		return 0;
	return READ_ONCE(sock->ops)->poll(file, sock, wait);
}

static int handshaking_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct ktls_sock *ks = ktls_get(sk);

	lock_sock(sk);
	if (ks->phase == KTLS_PHASE_HANDSHAKING)
		ktls_fail(sk, -ESHUTDOWN, 0, KTLS_ALERT_FROM_NONE,
			  "the application shut the socket down during the handshake");
	release_sock(sk);
	return READ_ONCE(sock->ops)->shutdown(sock, how);
}

/* ---- dead */

static int dead_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	return ktls_get(sk)->error;
}

static int dead_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len)
{
	if (flags & MSG_ERRQUEUE)
		return ktls_get(sk)->base->recvmsg(sk, msg, len, flags, addr_len);
	return ktls_get(sk)->error;
}

static __poll_t dead_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	sock_poll_wait(file, sock, wait);
	return OTHERS | EPOLLERR | EPOLLHUP | EPOLLRDHUP;
}

/* ---- all phases but bare: TCP counts ciphertext */

static int ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	const struct ktls_sock *ks = ktls_get(sock->sk);
	int n;

	if (cmd != SIOCINQ)
		return ks->base_ops->ioctl(sock, cmd, arg);
	n = READ_ONCE(ks->phase) == KTLS_PHASE_OPEN ? ktls_ioctl_inq(sock->sk) : 0;
	return n < 0 ? n : put_user(n, (int __user *)arg);
}

/* ---- the tables */

static void build_protos(struct proto *p, const struct proto *base)
{
	struct proto *bare = &p[KTLS_PHASE_BARE];
	struct proto *shaking = &p[KTLS_PHASE_HANDSHAKING];
	struct proto *open = &p[KTLS_PHASE_OPEN];
	struct proto *dead = &p[KTLS_PHASE_DEAD];
	struct proto *queued = &p[QUEUED];

	*queued = *base;
	queued->sendmsg = queued_sendmsg;
	queued->recvmsg = queued_recvmsg;
	queued->setsockopt = queued_setsockopt;
	queued->getsockopt = queued_getsockopt;
	queued->release_cb = queued_release_cb;
	ktls_proto_sendpage(queued, queued_sendpage);
	ktls_proto_splice_eof(queued, NULL);

	*bare = *base;
	bare->sendmsg = bare_sendmsg;
	bare->recvmsg = bare_recvmsg;
	bare->connect = bare_connect;
	ktls_proto_sendpage(bare, bare_sendpage);
	bare->setsockopt = setsockopt;
	bare->getsockopt = getsockopt;
	bare->disconnect = disconnect;
	bare->close = ktls_close;

	*shaking = *bare;
	shaking->sendmsg = handshaking_sendmsg;
	shaking->recvmsg = handshaking_recvmsg;
	ktls_proto_sendpage(shaking, handshaking_sendpage);
	ktls_proto_splice_eof(shaking, NULL);

	*open = *bare;
	open->sendmsg = ktls_sendmsg;
	open->recvmsg = ktls_recvmsg;
	open->sock_is_readable = ktls_is_readable;
	ktls_proto_sendpage(open, ktls_sendpage);
	ktls_proto_splice_eof(open, ktls_splice_eof);

	*dead = *bare;
	dead->sendmsg = dead_sendmsg;
	dead->recvmsg = dead_recvmsg;
	ktls_proto_sendpage(dead, dead_sendpage);
	ktls_proto_splice_eof(dead, NULL);
}

static void build_ops(struct proto_ops *o, const struct proto_ops *base)
{
	struct proto_ops *shaking = &o[KTLS_PHASE_HANDSHAKING];
	struct proto_ops *open = &o[KTLS_PHASE_OPEN];
	struct proto_ops *dead = &o[KTLS_PHASE_DEAD];
	struct proto_ops *bare = &o[KTLS_PHASE_BARE];
	struct proto_ops *queued = &o[QUEUED];

	*queued = *base;	/* owner stays TCP's */
	ktls_ops_no_bypass(queued);

	*bare = *base;
	bare->accept = ktls_accept;
	bare->splice_read = bare_splice_read;

	*shaking = *bare;
	ktls_ops_no_bypass(shaking);
	shaking->ioctl = ioctl;
	*open = *dead = *shaking;

	shaking->poll = handshaking_poll;
	shaking->shutdown = handshaking_shutdown;

	open->poll = ktls_poll;
	open->splice_read = ktls_splice_read;
	open->shutdown = ktls_shutdown;
	open->set_rcvlowat = ktls_set_rcvlowat;

	dead->poll = dead_poll;
}

void ktls_proto_build(struct sock *sk)
{
	bool v6 = is_v6(sk->sk_prot);

	if (smp_load_acquire(&built[v6]))
		return;
	mutex_lock(&build_lock);
	if (!built[v6]) {
		build_protos(protos[v6], sk->sk_prot);
		build_ops(ops[v6], sk->sk_socket->ops);
		smp_store_release(&built[v6], true);
	}
	mutex_unlock(&build_lock);
}
