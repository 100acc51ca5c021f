// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that send. What a call reports as taken is in a record: sealed and
 * given to TCP, sealed and waiting in txs, or in the open record that MSG_MORE
 * left. Room in TCP is waited for before bytes are taken, never after, so
 * a call is not held up, nor its result wrong, because of what comes last.
 */
#include <linux/bvec.h>
#include <linux/skbuff.h>
#include <net/inet_common.h>
#include "record.h"

/* One call's wishes. */
struct send {
	struct msghdr	*msg;
	u8		type;
	bool		more;		/* leave the last record open */
	bool		pages;		/* reference pages instead of copying */
	bool		straight;	/* or let the cipher read the caller's memory */
	bool		copied;		/* some were copied nevertheless */
	u8		followed;	/* the next call comes at once: so many records may wait for it */
	bool		expected;	/* or is expected to; and if not, they go out by themselves */
	long		timeo;
};

/* ---- room */

static bool can_send(const struct sock *sk)
{
	return !sk->sk_err && !(sk->sk_shutdown & SEND_SHUTDOWN);
}

static int wait_for_room(struct sock *sk, long *timeo)
{
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	return sk_stream_wait_memory(sk, timeo);
}

/* Until nothing that TCP refused waits in txs and TCP has room. Lets go of the lock to wait. */
static int make_room(struct sock *sk, long *timeo)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	for (;;) {
		if (ks->phase != KTLS_PHASE_OPEN)
			return ks->error ?: -EPIPE;	/* detached */
		if (!can_send(sk) || ks->tx_closed)
			return -EPIPE;
		if (!ks->tx_pending && sk_stream_memory_free(sk))
			return 0;
		err = ktls_tx_push(sk, 0);
		if (!err && sk_stream_memory_free(sk))
			return 0;
		if (err && err != -EAGAIN)
			return err;
		err = wait_for_room(sk, timeo);
		if (err)
			return err;
	}
}

/* ---- filling records */

/* A record to add to is open, of the type asked for. */
static int open_record(struct sock *sk, struct send *s)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_tx *tx = ks->txs;
	size_t want;
	int err;

	if (tx && tx->rec_n && tx->type != s->type) {
		err = ktls_rec_seal(sk);
		if (err)
			return err;
	}
	if (tx && tx->rec_n)
		return 0;
	err = ktls_tx_rekey_due(sk);
	if (err)
		return err;
	want = s->more ? KTLS_PLAIN_MAX : msg_data_left(s->msg);
	return ktls_rec_begin(sk, s->type, want, s->pages ? 0 : ktls_iter_address(&s->msg->msg_iter));
}

/* The next page of the message, with a reference: at most @max bytes of it, from *@ret_off on. */
static ssize_t next_page(struct iov_iter *iter, size_t max, struct page **ret_page, size_t *ret_off)
{
	const struct bio_vec *bv = iter->bvec;
	size_t off, n;

	if (!iov_iter_is_bvec(iter) || iter->iov_offset >= bv->bv_len)
		return iov_iter_get_pages2(iter, ret_page, max, 1, ret_off);
	off = bv->bv_offset + iter->iov_offset;
	n = min3(max, (size_t)bv->bv_len - iter->iov_offset, PAGE_SIZE - off % PAGE_SIZE);
	*ret_page = bv->bv_page + off / PAGE_SIZE;
	*ret_off = off % PAGE_SIZE;
	get_page(*ret_page);
	iov_iter_advance(iter, n);
	return n;
}

/* Reference the next page of the message; copy if there are too many small ones, or it may not be shared. */
static ssize_t take_page(struct ktls_tx *tx, struct send *s)
{
	size_t off, room = tx->capacity - tx->fill;
	struct iov_iter *iter = &s->msg->msg_iter;
	struct page *page;
	ssize_t n;

	n = next_page(iter, min_t(size_t, room, iov_iter_count(iter)), &page, &off);
	if (n <= 0)
		return n ?: -EFAULT;
	if (sendpage_ok(page) && ktls_rec_page(tx, page, off, n))
		return n;
	put_page(page);
	iov_iter_revert(iter, n);
	s->copied = true;
	return ktls_rec_copy(tx, iter) ?: -EFAULT;
}

/* Pages that the caller keeps while we run, for a record that will be sealed then: full, or the last. */
static size_t borrow_pages(struct ktls_tx *tx, const struct send *s)
{
	struct iov_iter *iter = &s->msg->msg_iter;
	size_t n = min_t(size_t, iov_iter_count(iter), tx->capacity - tx->fill);

	if (!iov_iter_is_bvec(iter) || (s->more && tx->fill + n < tx->capacity))
		return 0;
	n = ktls_rec_lend(tx, iter->bvec, iter->iov_offset, n);
	iov_iter_advance(iter, n);
	return n;
}

/* Fill the open record as far as it goes: bytes taken, or -EFAULT for none. */
static ssize_t fill_record(struct ktls_tx *tx, struct send *s)
{
	struct iov_iter *iter = &s->msg->msg_iter;
	ssize_t n, done;

	if (s->straight && tx->capacity >= GCM_USER_MIN && ktls_rec_user(tx, iter))
		return tx->fill;
	if (!s->pages)
		return ktls_rec_copy(tx, iter) ?: -EFAULT;
	done = borrow_pages(tx, s);
	while (iov_iter_count(iter) && !ktls_rec_full(tx)) {
		n = take_page(tx, s);
		if (n < 0)
			return done ?: n;
		done += n;
	}
	return done;
}

/* May what is sealed go out with more records? @sealed counts this call's. */
static bool may_wait(const struct ktls_tx *tx, const struct send *s, int *sealed)
{
	if (tx->out_n > (KTLS_TX_BATCH - 1) * KTLS_TX_PIECES)
		return false;
	if (msg_data_left(s->msg))
		return ++*sealed < KTLS_TX_BATCH;
	return tx->out_len / KTLS_PLAIN_MAX < s->followed;
}

/* Seal and push what this call has finished: a full record, or the last one. */
static int finish_record(struct sock *sk, struct send *s, int *sealed)
{
	bool left = msg_data_left(s->msg);
	int err;

	if (!ktls_rec_full(ktls_get(sk)->txs) && (left || s->more))
		return 0;
	err = ktls_rec_seal(sk);
	if (err)
		return err;
	if (may_wait(ktls_get(sk)->txs, s, sealed))
		return 0;
	*sealed = 0;
	err = ktls_tx_push(sk, left || s->more ? MSG_MORE : 0);
	return err == -EAGAIN ? 0 : err;	/* waits in txs */
}

static int send_more(struct sock *sk, struct send *s, ssize_t *ret_taken, int *sealed)
{
	ssize_t n;
	int err = 0;

	if (!*sealed)
		err = make_room(sk, &s->timeo);
	if (!err)
		err = open_record(sk, s);
	if (err == -ENOMEM) {
		*sealed = 0;
		return wait_for_room(sk, &s->timeo);
	}
	if (err)
		return err;
	n = fill_record(ktls_get(sk)->txs, s);
	if (n < 0) {
		ktls_rec_cancel(ktls_get(sk)->txs);
		return n;
	}
	*ret_taken += n;
	err = finish_record(sk, s, sealed);
	if (err != -EFAULT)
		return err;
	*ret_taken -= n;		/* as far as there is memory, then */
	iov_iter_revert(&s->msg->msg_iter, n);
	s->straight = false;
	return 0;
}

/* The end of a call: what it sealed goes out, and what is open unless it may grow. */
static __always_inline int flush(struct sock *sk, bool more)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = 0;

	if (ks->phase != KTLS_PHASE_OPEN || !ks->txs)
		return 0;
	if (!more && ks->txs->rec_n)
		err = ktls_rec_seal(sk);
	if (!err && ks->txs->out_len)
		ktls_tx_push(sk, more ? MSG_MORE : 0);
	return err;
}

static ssize_t send_all(struct sock *sk, struct send *s)
{
	ssize_t taken = 0;
	int err = 0, sealed = 0;

	if (ktls_get(sk)->phase != KTLS_PHASE_OPEN)
		return ktls_get(sk)->error ?: -EPIPE;
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	while (!err && msg_data_left(s->msg))
		err = send_more(sk, s, &taken, &sealed);
	if (err || !s->followed)
		flush(sk, s->more);
	else if (s->expected && ktls_get(sk)->txs && ktls_get(sk)->txs->out_len)
		ktls_tx_later(sk, 1);
	ktls_tx_idle(sk);
	return taken ?: sk_stream_error(sk, s->msg->msg_flags, err);
}

/* ---- sendmsg */

static int control_type(struct msghdr *msg, u8 *type)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_TLS)
			continue;
		if (cmsg->cmsg_type != TLS_SET_RECORD_TYPE || cmsg->cmsg_len < CMSG_LEN(sizeof(*type)))
			return -EINVAL;
		*type = *(u8 *)CMSG_DATA(cmsg);
	}
	return 0;
}

/*
 * MSG_ZEROCOPY: the cipher reads the caller's pages. All of them are sealed when we
 * return, so the notification is due at once. What MSG_MORE leaves in an
 * open record would be read later: that is copied, and the notification says so.
 */
static bool reads_in_place(const struct sock *sk, const struct msghdr *msg)
{
	return (msg->msg_flags & (MSG_ZEROCOPY | MSG_MORE)) == MSG_ZEROCOPY &&
	       (msg->msg_ubuf || sock_flag(sk, SOCK_ZEROCOPY));
}

/* io_uring brings its own notification (msg_ubuf). */
static int zerocopy_begin(struct sock *sk, struct msghdr *msg, size_t len, struct ubuf_info **uarg)
{
	if (!(msg->msg_flags & MSG_ZEROCOPY) || msg->msg_ubuf || !len || !sock_flag(sk, SOCK_ZEROCOPY))
		return 0;
	*uarg = msg_zerocopy_realloc(sk, len, NULL);
	return *uarg ? 0 : -ENOBUFS;
}

static void zerocopy_end(struct ubuf_info *uarg, const struct send *s, ssize_t taken)
{
	if (!uarg)
		return;
	uarg_to_msgzc(uarg)->zerocopy = s->pages && !s->copied;
	if (taken > 0)
		net_zcopy_put(uarg);
	else
		net_zcopy_put_abort(uarg, true);
}

static noinline int send_any(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct send s = {
		.msg	= msg,
		.type	= KTLS_DATA,
		.more	= msg->msg_flags & MSG_MORE,
		.pages	= msg->msg_flags & KTLS_MSG_PAGES || reads_in_place(sk, msg),
		.timeo	= sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT),
	};
	struct ubuf_info *uarg = NULL;
	ssize_t ret;

	if (msg->msg_flags & (MSG_OOB | MSG_FASTOPEN))
		return -EOPNOTSUPP;
	if ((msg->msg_flags & (MSG_EOR | MSG_MORE)) == (MSG_EOR | MSG_MORE))
		return -EINVAL;
	s.straight = !s.pages;
	s.expected = s.more && msg->msg_flags & KTLS_MSG_PAGES && ktls_aead_direct(&ktls_get(sk)->tx);
	s.followed = s.expected ? KTLS_TX_SPLICED : 0;
	ret = control_type(msg, &s.type);
	if (!ret)
		ret = zerocopy_begin(sk, msg, len, &uarg);
	if (ret)
		return ret;
	ret = send_all(sk, &s);
	zerocopy_end(uarg, &s, ret);
	return ret;
}

int ktls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int ret = 0;

	if (!READ_ONCE(ks->tx.cipher) && READ_ONCE(ks->phase) == KTLS_PHASE_OPEN)
		return ks->base->sendmsg(sk, msg, len);
	lock_sock(sk);
	if (!(msg->msg_flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | KTLS_MSG_PAGES)) && !msg->msg_controllen)
		ret = ktls_send_whole(sk, &msg->msg_iter, msg->msg_flags & KTLS_MSG_PAGES);
	if (!ret)
		ret = send_any(sk, msg, len);
	release_sock(sk);
	return ret;
}

#ifdef KTLS_HAVE_SENDPAGE
/* Does the page go on the open record? The last may fill it. */
static bool page_joins(struct sock *sk, struct page *page, size_t len, bool more)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_tx *tx = ks->txs;

	return tx && tx->rec_n && tx->type == KTLS_DATA && tx->fill + len <= tx->capacity - more &&
	       tx->src_n < KTLS_TX_SOURCES - KTLS_TX_PIECES && ks->phase == KTLS_PHASE_OPEN && can_send(sk) &&
	       !ks->tx_closed && sendpage_ok(page);
}

/* That is all it needs; the last is sealed at once, so that it needs no reference. */
static int page_join(struct sock *sk, const struct bio_vec *bv, bool more)
{
	struct ktls_tx *tx = ktls_get(sk)->txs;

	if (more) {
		get_page(bv->bv_page);
		ktls_rec_page(tx, bv->bv_page, bv->bv_offset, bv->bv_len);
	} else {
		ktls_rec_lend(tx, bv, 0, bv->bv_len);
		flush(sk, false);
		ktls_tx_idle(sk);
	}
	return bv->bv_len;
}

static noinline int page_alone(struct sock *sk, struct bio_vec *bv, int flags)
{
	struct msghdr msg = { .msg_flags = flags & ~(MSG_SENDPAGE_NOTLAST | MSG_OOB) };
	struct send s = {
		.msg	= &msg,
		.type	= KTLS_DATA,
		.more	= flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST),
		.pages	= true,
		.followed = flags & MSG_SENDPAGE_NOTLAST ? KTLS_TX_BATCH : 0,
		.timeo	= sock_sndtimeo(sk, flags & MSG_DONTWAIT),
	};

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, 1, bv->bv_len);
	return send_all(sk, &s);
}

static int sendpage_locked(struct sock *sk, struct bio_vec *bv, int flags)
{
	bool more = flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST);
	struct iov_iter iter;
	int ret = 0;

	if (page_joins(sk, bv->bv_page, bv->bv_len, more))
		return page_join(sk, bv, more);
	iov_iter_bvec(&iter, ITER_SOURCE, bv, 1, bv->bv_len);
	if (!more)
		ret = ktls_send_whole(sk, &iter, true);
	return ret ?: page_alone(sk, bv, flags);
}

int ktls_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct bio_vec bv;
	int ret;

	if (!READ_ONCE(ks->tx.cipher) && READ_ONCE(ks->phase) == KTLS_PHASE_OPEN)
		return ks->base->sendpage(sk, page, offset, size, flags);
	bvec_set_page(&bv, page, size, offset);
	lock_sock(sk);
	ret = sendpage_locked(sk, &bv, flags);
	release_sock(sk);
	return ret;
}
#endif

#ifdef KTLS_HAVE_SPLICE_EOF
void ktls_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct ktls_sock *ks = ktls_get(sk);

	if (!READ_ONCE(ks->tx.cipher) && READ_ONCE(ks->phase) == KTLS_PHASE_OPEN)
		return ks->base->splice_eof(sock);
	lock_sock(sk);
	flush(sk, false);
	ktls_tx_idle(sk);
	release_sock(sk);
}
#endif

/* ---- when TCP has room again */

void ktls_tx_work(struct work_struct *work)
{
	struct ktls_tx *tx = container_of(to_delayed_work(work), struct ktls_tx, work);
	struct sock *sk = tx->sk;

	lock_sock(sk);
	tx->queued = false;
	if (tx->orphan) {
		kfree(tx);
	} else {
		ktls_tx_push(sk, 0);
		ktls_tx_idle(sk);
	}
	release_sock(sk);
	sock_put(sk);
}

void ktls_tx_later(struct sock *sk, unsigned long delay)
{
	struct ktls_tx *tx = ktls_get(sk)->txs;

	if (!tx || tx->queued)
		return;
	tx->queued = true;
	sock_hold(sk);
	queue_delayed_work(ktls_tx_queue, &tx->work, delay);
}

/* Writers may come and push themselves; where none does, the work will. */
void ktls_write_space(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);

	if (ks->tx_pending)
		ktls_tx_later(sk, 0);
	ks->write_space(sk);
}
