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
#define OTHERS	(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM)

static DEFINE_MUTEX(build_lock);
static bool built[2];
static struct proto protos[2][PHASES];
static struct proto_ops ops[2][PHASES];

static bool is_v6(const struct proto *base)
{
	return base == &tcpv6_prot;
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

static int setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	const struct ktls_sock *ks = ktls_get(sk);

	if (level == SOL_TLS && optname == KTLS_HANDSHAKE)
		return ktls_handshake_setsockopt(sk, optval, optlen);
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

/* connect(AF_UNSPEC) would give the same socket to another peer. */
static int disconnect(struct sock *sk, int flags)
{
	return -EOPNOTSUPP;
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

	*bare = *base;
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

	o[KTLS_PHASE_BARE] = *base;	/* owner stays TCP's */

	*shaking = *base;
	ktls_ops_no_bypass(shaking);
	shaking->ioctl = ioctl;
	*open = *dead = *shaking;

	shaking->poll = handshaking_poll;
	shaking->shutdown = handshaking_shutdown;

	open->poll = ktls_poll;
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
