/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that knows kernels differ. Kbuild asks the headers for each
 * KTLS_HAVE_*, since stable kernels backport what version numbers would deny.
 */
#ifndef KTLS_COMPAT_H
#define KTLS_COMPAT_H

#include <linux/bvec.h>
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "ktls needs Linux 6.1"
#endif

/* sendmsg() is to take the message's pages. 6.1 may have the flag's name, but not its meaning. */
#ifdef KTLS_HAVE_SENDPAGE
#define KTLS_MSG_PAGES	0
#else
#define KTLS_MSG_PAGES	MSG_SPLICE_PAGES
#endif

/*
 * Pages into TCP without a copy, socket lock held, never sleeping: the bytes
 * taken or -errno.
 */
static __always_inline int ktls_push_pages(struct sock *sk, struct bio_vec *bv, unsigned int n, size_t len, int flags)
{
#ifdef KTLS_HAVE_SENDPAGE
	size_t done = 0;
	int ret = 0;

	tcp_rate_check_app_limited(sk);
	for (; n && len; n--, bv++) {
		int more = n > 1 && bv->bv_len < len ? MSG_SENDPAGE_NOTLAST | MSG_MORE : 0;

		ret = do_tcp_sendpages(sk, bv->bv_page, bv->bv_offset,
				       bv->bv_len, flags | more | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret <= 0)
			break;
		done += ret;
		len -= ret;
		if (ret < bv->bv_len)
			break;
	}
	return done ? done : ret;
#else
	struct msghdr msg = {
		.msg_flags = flags | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES,
	};

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, n, len);
	return tcp_sendmsg_locked(sk, &msg, len);
#endif
}

/* What splice() does with a file that can only be read. */
static inline ssize_t ktls_copy_to_pipe(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
					unsigned int flags)
{
#ifdef KTLS_HAVE_COPY_SPLICE
	return copy_splice_read(in, ppos, pipe, len, flags);
#else
	return generic_file_splice_read(in, ppos, pipe, len, flags);
#endif
}

/* Where in user memory a copy from or to @iter begins, 0 if it doesn't. */
static inline unsigned long ktls_iter_address(const struct iov_iter *iter)
{
	const void __user *p = NULL;

	if (iter_is_ubuf(iter))
		p = iter->ubuf + iter->iov_offset;
#ifdef iter_iov_addr
	else if (iter_is_iovec(iter) && iov_iter_count(iter))
		p = iter_iov_addr(iter);
#else
	else if (iter_is_iovec(iter) && iov_iter_count(iter))
		p = iter->iov->iov_base + iter->iov_offset;
#endif
	return (__force unsigned long)p;
}

/* How many bytes lie there in a row. */
static inline size_t ktls_iter_run(const struct iov_iter *iter)
{
	if (iter_is_ubuf(iter))
		return iov_iter_count(iter);
	if (!iter_is_iovec(iter) || !iov_iter_count(iter))
		return 0;
#ifdef iter_iov_addr
	return min(iter_iov_len(iter), iov_iter_count(iter));
#else
	return min(iter->iov->iov_len - iter->iov_offset, iov_iter_count(iter));
#endif
}

static inline void ktls_proto_sendpage(struct proto *p, int (*f)(struct sock *sk, struct page *page, int offset,
								 size_t size, int flags))
{
#ifdef KTLS_HAVE_SENDPAGE
	p->sendpage = f;
#endif
}

static inline void ktls_proto_splice_eof(struct proto *p, void (*f)(struct socket *sock))
{
#ifdef KTLS_HAVE_SPLICE_EOF
	p->splice_eof = f;
#endif
}

/* Ways around the record layer that TCP offers to others in the kernel. */
static inline void ktls_ops_no_bypass(struct proto_ops *o)
{
	o->mmap = sock_no_mmap;
	o->splice_read = NULL;
	o->read_sock = NULL;
	o->read_skb = NULL;
	o->peek_len = NULL;
	o->set_peek_off = NULL;
	o->sendmsg_locked = NULL;
#ifdef KTLS_HAVE_SENDPAGE
	o->sendpage_locked = NULL;
#endif
}

static inline u64 ktls_current_cgroup(void)
{
	u64 id = 0;

#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
#endif
	return id;
}

/* What accept() is given beside the two sockets. */
#ifdef KTLS_HAVE_ACCEPT_ARG
#define KTLS_ACCEPT_PARAMS	struct proto_accept_arg *arg
#define KTLS_ACCEPT_ARGS	arg
#else
#define KTLS_ACCEPT_PARAMS	int flags, bool kern
#define KTLS_ACCEPT_ARGS	flags, kern
#endif

/* tcp_ulp_ops: 6.15 tells whether the reader may see more. */
#ifdef KTLS_HAVE_NET_ADMIN
#define KTLS_NET_ADMIN	, bool net_admin
#else
#define KTLS_NET_ADMIN
#endif

#endif
