/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside record/: what a session holds while bytes are under way. Both
 * objects exist only then, and come from per-CPU slots, so that an idle session has
 * neither and a busy one allocates nothing per record. The socket lock covers
 * them.
 *
 * half.c	keys; the per-CPU memory; load and unload
 * txmem.c	memory that records are built in
 * seal.c	the open record, sealing it, pushing to TCP
 * user.c	plaintext in the memory of the program that sends
 * pin.c	that memory's pages, where the cipher cannot go through its address
 * whole.c	calls that are one record
 * tx.c		the calls that send
 * txcontrol.c	control records, the end of the stream
 * rekey.c	key updates of our own
 * queue.c	records in TCP's receive queue
 * open.c	decrypting the record at the head of the queue
 * into.c	the same straight to the reader
 * rx.c		the calls that read
 * rxcontrol.c	control records that came
 */
#ifndef KTLS_RECORD_RECORD_H
#define KTLS_RECORD_RECORD_H

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/prefetch.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include "../ktls.h"
#include "../crypto/aead.h"
#include "../crypto/gcm.h"
#include "format.h"

/* rep movsb with (to - from) mod 4096 in 1..31 is tens of times slower than else on some processors. */
#define KTLS_SLOW_COPY	31
#define KTLS_SLOW_STEP	32

/*
 * The start of what a cipher will read. Processors look ahead within a page only, so that each
 * page that no cache has would begin with a wait: a sixth of the time on some.
 */
static inline void ktls_prefetch(const u8 *p, size_t len)
{
	unsigned int i;

	if (len < SZ_512)
		return;
#pragma GCC unroll 8
	for (i = 0; i < SZ_512 / L1_CACHE_BYTES; i++)
		prefetch(p + i * L1_CACHE_BYTES);
}

/* Where it will be written next: what is slow to reach begins with each page. */
static inline void ktls_prefetch_room(u8 *p, size_t len)
{
	u8 *end = p + len;

	for (; p < end; p += PAGE_SIZE)
		prefetchw(p);
}

/* ---- sending */

#define KTLS_TX_BATCH	4	/* records in one push to TCP */
#define KTLS_TX_SPLICED	16	/* in sendfile(), which brings four at a time, by our cipher: 50 us of work */
#define KTLS_TX_PIECES	6	/* of memory under one record, if only single pages are left */
#define KTLS_TX_OUT	((KTLS_TX_BATCH + 3) * KTLS_TX_PIECES)	/* a batch and control records about it */
#define KTLS_TX_SOURCES	20	/* pages of others, and at last the record's own pieces */

/*
 * @rec: memory of the open record, header to tag, rec_n 0 if none is open.
 * @fill bytes of plaintext are in, @capacity fit, padding among them. @src: if src_n, where the
 * plaintext lies, in order: in @rec itself or in pages of others, @lent bytes (bit in
 * @borrowed: we hold a reference). With src_n 0 all of it lies in @rec.
 * @out: sealed, not yet taken by TCP.
 */
struct ktls_tx {
	struct ktls_aead_room	room;
	struct bio_vec		out[KTLS_TX_OUT];
	struct bio_vec		rec[KTLS_TX_PIECES];
	struct bio_vec		src[KTLS_TX_SOURCES];
	u8			aad[32];	/* where it isn't the header */
	struct gcm_seg		seg[KTLS_TX_SOURCES + KTLS_TX_PIECES + 1];
	size_t			out_len;
	u8			out_n, rec_n, src_n;
	u8			type, prefix;
	u16			fill, capacity;
	u16			zeros;		/* behind the type: padding of TLS 1.3 */
	u32			borrowed;
	u16			lent;
	const u8 __user		*user;		/* it is full of these, read when sealed: by the same call */
	bool			pinned;		/* the sources are the caller's, during this call */
	bool			queued;		/* work is; it holds sk */
	bool			orphan;		/* the session is gone: work frees this */
	struct sock		*sk;
	struct delayed_work	work;
};

/* half.c */
struct ktls_tx *ktls_tx_get(struct sock *sk);		/* ks->txs, made if need be; NULL: no memory */
void ktls_tx_idle(struct sock *sk);			/* give it back if nothing is in it */
struct ktls_tx *ktls_tx_new(void);
DECLARE_PER_CPU(struct ktls_tx *, ktls_tx_slot);

/* One that is no session's, empty; NULL: no memory. */
static inline struct ktls_tx *ktls_tx_take(void)
{
	return this_cpu_xchg(ktls_tx_slot, NULL) ?: ktls_tx_new();
}

static inline void ktls_tx_put(struct ktls_tx *tx)
{
	tx = this_cpu_xchg(ktls_tx_slot, tx);
	if (unlikely(tx))
		kfree(tx);
}

static inline void ktls_tx_attach(struct sock *sk, struct ktls_tx *tx)
{
	tx->sk = sk;
	ktls_get(sk)->txs = tx;
}

extern struct workqueue_struct *ktls_tx_queue;

/* txmem.c: up to KTLS_TX_PIECES, @len bytes in all, each with a page reference: how many, or -ENOMEM.
 * The payload begins behind @ahead bytes, at a multiple of @align. @from: address it will be copied
 * from, or 0. */
int ktls_txmem_get(struct sock *sk, struct bio_vec *bv, size_t len, u32 ahead, unsigned int align,
		   unsigned long from);
/* One piece without an alignment, if that can be without another page. */
bool ktls_txmem_get_row(struct bio_vec *bv, size_t len, u32 ahead, unsigned long from);
/* Memory for plaintext that a pipe is to have, in the same way. */
int ktls_txmem_get_plain(struct bio_vec *bv, size_t len);
void ktls_txmem_put(struct bio_vec *bv, unsigned int n);
void ktls_txmem_exit(void);

/* seal.c */
int ktls_rec_begin(struct sock *sk, u8 type, size_t want, unsigned long from);
/* Bytes taken from @iter (0: fault or no room). */
size_t ktls_rec_copy(struct ktls_tx *tx, struct iov_iter *iter);
/* Add a page instead and keep the caller's reference. False: there are too many, copy. */
bool ktls_rec_page(struct ktls_tx *tx, struct page *page, size_t off, size_t len);
/* The same with @len bytes from @skip on of an array, without a reference: the caller has them until the
 * record is sealed. How many were taken. */
size_t ktls_rec_lend(struct ktls_tx *tx, const struct bio_vec *bv, size_t skip, size_t len);
void ktls_rec_cancel(struct ktls_tx *tx);		/* drop the open record if nothing is in it */
/* Seal the open record into out. Fails only together with the session; but for -EFAULT, which drops a
 * record that ktls_rec_user() filled. */
int ktls_rec_seal(struct sock *sk);
/* Give TCP what is sealed. 0, -EAGAIN if something is left, or why TCP takes nothing any more. */
int ktls_tx_push(struct sock *sk, int flags);
/* The same beyond the limit of the send buffer: for records that cannot wait. */
int ktls_tx_force(struct sock *sk);
void ktls_tx_drop(struct ktls_tx *tx);			/* put all pages */

static inline bool ktls_rec_full(const struct ktls_tx *tx)
{
	return tx->fill == tx->capacity;
}

static inline u8 *ktls_bytes(const struct bio_vec *bv, size_t off)
{
	return (u8 *)page_address(bv->bv_page) + bv->bv_offset + off;
}

/* The piece and offset in it where byte @at of the plaintext (or what follows it) lies. */
static inline struct bio_vec *ktls_rec_spot(struct ktls_tx *tx, size_t at, size_t *ret_off)
{
	struct bio_vec *bv = tx->rec;

	at += tx->prefix;
	while (at >= bv->bv_len)
		at -= bv++->bv_len;
	*ret_off = at;
	return bv;
}

/*
 * For memory that the cipher reads or writes itself. No instruction of his begins with an address
 * that is only guessed to be the program's (Spectre, variant 1): what copy_from_user() does.
 */
static inline bool ktls_user_ok(const void __user *p, size_t len)
{
	bool ok = access_ok(p, len);

	barrier_nospec();
	return ok;
}

/* user.c: fill an empty record with what @iter has in a row, for the cipher to read; the caller seals it
 * before all else. False: it can't be. */
bool ktls_rec_user(struct ktls_tx *tx, struct iov_iter *iter);
/* Such a record's segments, and @behind bytes in its own memory: how many. */
unsigned int ktls_rec_user_segments(struct ktls_tx *tx, size_t behind, struct gcm_seg *first);
/* The cipher can't or couldn't read it there: now all is copied. -EFAULT: it is not there at all. */
int ktls_rec_user_copy(struct ktls_tx *tx);

/* pin.c: its way for our cipher where it can't read there: the pages themselves, which @iter has in a row,
 * are in the record. Not for the crypto API's. */
bool ktls_rec_pinned(struct ktls_tx *tx, struct iov_iter *iter);

/*
 * A program's memory that one call writes to: @pages from @at on, as many as it is likely to need next,
 * and in @n pieces what one record needs, with room for one more.
 */
#define KTLS_PIN_MAX	SZ_64K
#define KTLS_PINS	(KTLS_PIN_MAX / PAGE_SIZE + 1)
#define KTLS_PIN_PIECES	(DIV_ROUND_UP(KTLS_PLAIN_MAX, PAGE_SIZE) + 1)

struct ktls_pins {
	unsigned long	at;
	unsigned int	pages, n;
	struct page	*page[KTLS_PINS];
	struct bio_vec	bv[KTLS_PIN_PIECES + 1];
};

/*
 * The pieces of @len bytes, KTLS_PLAIN_MAX at most; @likely bytes will be wanted in all. False: not all of
 * it is memory that can be pinned. What is held, pages > 0, stays so until ktls_unpin().
 */
bool ktls_pin(struct ktls_pins *pins, u8 __user *to, size_t len, size_t likely);
void ktls_pins_wipe(const struct ktls_pins *pins);	/* these pieces */
void ktls_unpin(struct ktls_pins *pins);

/* whole.c: all bytes of a message with neither flags nor control data, if it is as simple as that. 0: nothing
 * was done. @pages: they stay until the caller returns. */
size_t ktls_send_whole(struct sock *sk, struct iov_iter *iter, bool pages);

/* tx.c */
void ktls_tx_later(struct sock *sk, unsigned long delay);	/* push from work, some jiffies later; any context */
void ktls_tx_work(struct work_struct *work);

/* txcontrol.c: a control record behind all that was sent, not pushed yet. */
int ktls_tx_queue_control(struct sock *sk, u8 type, const void *data, size_t len);

/* rekey.c */
/* KeyUpdate under the old key, then the spare; @ask: the peer shall follow. -EKEYEXPIRED without a spare. */
int ktls_tx_rekey(struct sock *sk, bool ask);
/* Before a record: change keys if it is time. -EKEYEXPIRED: the key is used up and there is no other. */
int ktls_tx_rekey_due(struct sock *sk);

extern unsigned int ktls_rekey_records;
#define KTLS_REKEY_MIN	8	/* a push has room for one update */

/* That would do something: an eighth before the cipher's limit the search for a spare begins. */
static inline bool ktls_tx_rekey_near(const struct ktls_sock *ks)
{
	unsigned int fewer = READ_ONCE(ktls_rekey_records);

	return (ks->tx.seq >= ks->tx.rekey_at || (fewer && ks->tx.seq >= max(fewer, KTLS_REKEY_MIN))) && !ks->mainline;
}

/* ---- receiving */

#define KTLS_RX_ORDER	3
#define KTLS_RX_SIZE	(PAGE_SIZE << KTLS_RX_ORDER)
#define KTLS_RX_AHEAD	64	/* slack before plaintext: room for an offset that copies fast */
#define KTLS_RX_SG	40
#define KTLS_RX_RUNS	4	/* in more pieces than these a record does not go straight to the reader */

/* How a session ends for what came. */
struct ktls_end {
	int			err;
	u8			alert, from;	/* enum ktls_alert_from */
	const char		*reason;	/* a constant; NULL: the peer's alert */
};

/* In TCP's queue: behind @done opened bytes, @off of this skb; its frags before @frag have @before bytes. */
struct ktls_mark {
	struct sk_buff		*skb;
	u32			off, before;
	unsigned int		frag;
	u32			done;
};

/*
 * Stands at the start of its own pages; the rest of them is buf. It holds
 * either plaintext that nobody has read yet (@off, @len) of content type
 * @type, or the @have first bytes of a record that were taken out of TCP's
 * queue because the window closed before the rest fitted.
 */
struct ktls_rx {
	struct ktls_aead_room	room;
	u8			head[32];	/* of a record, where it is needed beside the additional data */
	u8			aad[32];	/* the cipher wants to copy it, too */
	struct gcm_seg		seg[KTLS_RX_SG];
	struct gcm_seg		aimed[3 * KTLS_RX_RUNS];
	struct ktls_mark	mark;		/* holds if ks->rx_done is its done, and not 0 */
	u32			off, len, have;
	u32			next_len;	/* a record of another type behind it: mainline sessions only */
	u8			type, next_type;
	struct ktls_end		end;		/* if err: to come when the plaintext has been read */
	u8			buf[] __aligned(64);
};

#define KTLS_RX_BUF	(KTLS_RX_SIZE - sizeof(struct ktls_rx))

/* half.c */
struct ktls_rx *ktls_rx_get(struct ktls_sock *ks, gfp_t gfp);
void ktls_rx_idle(struct ktls_sock *ks);

/* queue.c */
/* 0: all of the record at the head is here, its length, header included, in rx_head; -EAGAIN: not
 * yet; > 0: the header is wrong, the alert to send. */
int ktls_queue_record(struct sock *sk);
/* Scatterlist of the first @len bytes but for @skip. -EMSGSIZE: too many pieces. */
int ktls_queue_sg(struct sock *sk, struct scatterlist *sg, unsigned int max, u32 skip, size_t len);
/* The same as segments, to @to: how many. */
int ktls_queue_segments(struct sock *sk, struct gcm_seg *seg, unsigned int max, u32 skip, size_t len, u8 *to);
/* Copy the first @len bytes, none of which has been taken out. */
int ktls_queue_peek(struct sock *sk, u8 *to, size_t len);
/* @len bytes, the head, are opened. */
void ktls_queue_done(struct sock *sk, size_t len);
/* Bytes behind what is opened. */
size_t ktls_queued(const struct sock *sk);
/* Tell TCP of them: before the socket lock is let go. */
void ktls_queue_flush(struct sock *sk);
/* Move the head's first bytes into rxs, until it has @len of them. */
int ktls_queue_gather(struct sock *sk, size_t len);
/* Recompute rx_ready; take a record that the window is too small for out of the queue: -ENOMEM. */
int ktls_queue_check(struct sock *sk, gfp_t gfp);

/* open.c: decrypt the record at the head. 0: @ret_len bytes of plaintext, maybe none, lie in rxs behind
 * off + len; -EAGAIN: no record; -ENOSPC: rxs is full; -ENOMEM; others: the session has failed.
 * @to: the address they will be copied to, or 0. */
int ktls_open_record(struct sock *sk, unsigned long to, u8 *ret_type, size_t *ret_len);
/* End a session for what came: now, or behind the plaintext that came before it and is unread (MSG_PEEK
 * opens records behind some). Returns the errno. */
int ktls_rx_end_by(struct sock *sk, const struct ktls_end *end);
/* The same for what we don't accept: alert, errno, reason. */
int ktls_rx_fatal(struct sock *sk, int err, u8 alert, const char *reason);

/* Into rx: the additional data of the record of @len bytes, and where the nonce is that it carries, or NULL. */
int ktls_open_aad(struct sock *sk, struct ktls_rx *rx, size_t len, const u8 **ret_carried);
/*
 * The last @len bytes of the segments' input are the tag: off with it. How many segments are left.
 * It is best left where it lies until the cipher comes there, since no cache has it; in pieces it goes to @room.
 */
unsigned int ktls_open_gather_tag(struct gcm_seg *seg, unsigned int n, u8 *room, size_t len);

static inline unsigned int ktls_open_cut_tag(struct gcm_seg *seg, unsigned int n, u8 *room, size_t len,
					     const u8 **ret_tag)
{
	struct gcm_seg *last = &seg[n - 1];

	if (last->len <= len) {
		*ret_tag = room;
		return ktls_open_gather_tag(seg, n, room, len);
	}
	last->len -= len;
	*ret_tag = last->in + last->len;
	return n;
}

/* The record of @len bytes at the head by the crypto API, into @n pieces: KTLS_TX_PIECES at most. */
int ktls_open_by_api(struct sock *sk, struct ktls_rx *rx, size_t len, const struct bio_vec *bv, unsigned int n);

/* into.c: the record at the head into the reader's memory, all of it, where that can be and it is
 * data: how many bytes. 0: by ktls_open_record(). Nothing may be in rxs. @pins: the call's. */
size_t ktls_open_into(struct sock *sk, struct iov_iter *iter, struct ktls_pins *pins);
/* The same into new memory that @pipe gets, @max bytes at most. */
size_t ktls_open_to_pipe(struct sock *sk, struct pipe_inode_info *pipe, size_t max);

/* rxcontrol.c: deal with a control record. 0: reading goes on. */
int ktls_rx_control(struct sock *sk, u8 type, const u8 *p, size_t len);
void ktls_rx_part_free(struct ktls_sock *ks);	/* wipes; fine where there is none */
/* Look at one that the application will get. */
void ktls_rx_notice(struct sock *sk, u8 type, const u8 *p, size_t len);

#endif
