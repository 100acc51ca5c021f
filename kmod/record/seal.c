// SPDX-License-Identifier: GPL-2.0-only
/*
 * The open record of a session: it grows by bytes copied in and by pages
 * referenced, is sealed once, and its ciphertext goes to TCP by reference.
 * Copied bytes are encrypted where they lie; other people's pages are only the
 * source. In TLS 1.3 the header is the additional data, so header,
 * plaintext, type and tag are one run of memory and mostly one scatterlist
 * entry. In TLS 1.2 the additional data stands apart, and the run begins
 * behind the nonce.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include "record.h"
#include "../trace.h"

#define KTLS_TX_SG	(KTLS_TX_SOURCES + KTLS_TX_PIECES + 1)	/* additional data, sources, what is behind them */
#define RETRY_DELAY	(HZ / 20)	/* until there may be memory */

/* As much plaintext as fills a record that begins with @fill of it, RFC 9846 5.4: the type counts. */
static size_t padded(const struct ktls_sock *ks, size_t fill)
{
	const struct ktls_half *half = &ks->tx;

	if (!ks->tx_pad || !half->format->inner)
		return fill;
	return roundup(fill + half->format->inner, ks->tx_pad) - half->format->inner;
}

int ktls_rec_begin(struct sock *sk, u8 type, size_t want, unsigned long from)
{
	const struct ktls_sock *ks = ktls_get(sk);
	const struct ktls_half *half = &ks->tx;
	struct ktls_tx *tx = ktls_tx_get(sk);
	int n;

	if (!tx)
		return -ENOMEM;
	want = min_t(size_t, padded(ks, want), ks->tx_limit ?: KTLS_PLAIN_MAX);
	n = ktls_txmem_get(sk, tx->rec, half->prefix + want + half->format->block + half->tail, half->prefix,
			   half->own ? 1 : 16, from);
	if (n < 0)
		return n;
	tx->rec_n = n;
	tx->src_n = 0;
	tx->borrowed = 0;
	tx->lent = 0;
	tx->pinned = false;
	tx->user = NULL;
	tx->type = type;
	tx->prefix = half->prefix;
	tx->fill = 0;
	tx->zeros = 0;
	tx->capacity = want;
	return 0;
}

/* Bytes of the record's own memory; what follows on such bytes joins them. */
static void add_source(struct ktls_tx *tx, struct page *page, size_t off, size_t len)
{
	struct bio_vec *last = tx->src_n ? &tx->src[tx->src_n - 1] : NULL;

	if (last && !(tx->borrowed & BIT(tx->src_n - 1)) && last->bv_page == page &&
	    last->bv_offset + last->bv_len == off)
		last->bv_len += len;
	else
		bvec_set_page(&tx->src[tx->src_n++], page, len, off);
}

/* What was copied so far becomes a list of sources, so that pages can follow. */
static void list_copied(struct ktls_tx *tx)
{
	struct bio_vec *bv;
	size_t done, off, n;

	for (done = 0; done < tx->fill; done += n) {
		bv = ktls_rec_spot(tx, done, &off);
		n = min_t(size_t, bv->bv_len - off, tx->fill - done);
		add_source(tx, bv->bv_page, bv->bv_offset + off, n);
	}
}

size_t ktls_rec_copy(struct ktls_tx *tx, struct iov_iter *iter)
{
	size_t want = min_t(size_t, iov_iter_count(iter), tx->capacity - tx->fill);
	size_t done = 0, off, n, got;
	struct bio_vec *bv;

	while (done < want) {
		bv = ktls_rec_spot(tx, tx->fill, &off);
		n = min_t(size_t, bv->bv_len - off, want - done);
		got = _copy_from_iter(ktls_bytes(bv, off), n, iter);	/* whole pages: no object's bounds to check */
		if (tx->src_n && got)
			add_source(tx, bv->bv_page, bv->bv_offset + off, got);
		tx->fill += got;
		done += got;
		if (got < n)
			break;
	}
	return done;
}

bool ktls_rec_page(struct ktls_tx *tx, struct page *page, size_t off, size_t len)
{
	struct bio_vec *last;

	ktls_prefetch(page_address(page) + off, len);
	if (!tx->src_n)
		list_copied(tx);
	last = tx->src_n ? &tx->src[tx->src_n - 1] : NULL;
	if (last && last->bv_page == page && last->bv_offset + last->bv_len == off &&
	    tx->borrowed & BIT(tx->src_n - 1)) {
		last->bv_len += len;
		put_page(page);
	} else if (tx->src_n < KTLS_TX_SOURCES - KTLS_TX_PIECES) {
		tx->borrowed |= BIT(tx->src_n);
		bvec_set_page(&tx->src[tx->src_n++], page, len, off);
	} else {
		return false;
	}
	tx->fill += len;
	tx->lent += len;
	return true;
}

size_t ktls_rec_lend(struct ktls_tx *tx, const struct bio_vec *bv, size_t skip, size_t len)
{
	struct bio_vec *to;
	size_t done, n;

	if (!tx->src_n)
		list_copied(tx);
	to = &tx->src[tx->src_n];
	for (done = 0; done < len && to < tx->src + KTLS_TX_SOURCES - KTLS_TX_PIECES; done += n, bv++, skip = 0) {
		n = min(len - done, bv->bv_len - skip);
		if (!n)
			continue;
		ktls_prefetch(page_address(bv->bv_page) + bv->bv_offset + skip, n);
		bvec_set_page(to++, bv->bv_page, n, bv->bv_offset + skip);
	}
	ktls_prefetch_room(ktls_bytes(tx->rec, KTLS_PLAIN_MAX), done);	/* the next record's, most likely */
	tx->src_n = to - tx->src;
	tx->fill += done;
	tx->lent += done;
	return done;
}

static void put_sources(struct ktls_tx *tx)
{
	for (; tx->borrowed; tx->borrowed &= tx->borrowed - 1)
		put_page(tx->src[__ffs(tx->borrowed)].bv_page);
	tx->src_n = 0;
}

/* Cut the record's memory to @len bytes. */
static void trim(struct ktls_tx *tx, size_t len)
{
	unsigned int i, n = tx->rec_n;

	if (likely(n == 1)) {
		tx->rec[0].bv_len = len;
		return;
	}
	for (i = 0; i < n; i++) {
		if (!len) {
			put_page(tx->rec[i].bv_page);
			tx->rec_n--;
			continue;
		}
		tx->rec[i].bv_len = min_t(size_t, tx->rec[i].bv_len, len);
		len -= tx->rec[i].bv_len;
	}
}

static void sg_add(struct scatterlist *sg, const struct bio_vec *bv)
{
	sg_set_page(sg, bv->bv_page, bv->bv_len, bv->bv_offset);
}

/* Bytes behind the plaintext that are encrypted with it. */
static size_t behind(const struct ktls_tx *tx, const struct ktls_format *f)
{
	return ktls_behind(f, tx->fill) + tx->zeros;
}

/* Additional data from @aad, the plaintext from where it lies, type or padding from the record's own memory. */
static void source_list(struct ktls_tx *tx, struct scatterlist *sg, const struct ktls_format *f, void *aad)
{
	size_t off, n, at = tx->fill, end = at + behind(tx, f);
	struct bio_vec *bv;
	unsigned int i;

	sg_init_table(sg, KTLS_TX_SG);
	sg_set_buf(sg, aad, f->aad);
	for (i = 0; i < tx->src_n; i++)
		sg_add(++sg, &tx->src[i]);
	for (; at < end; at += n) {
		bv = ktls_rec_spot(tx, at, &off);
		n = min_t(size_t, bv->bv_len - off, end - at);
		sg_set_page(++sg, bv->bv_page, n, bv->bv_offset + off);
	}
	sg_mark_end(sg);
}

/* The record from where the cipher begins: at the header, or at the plaintext with @aad before it. */
static void target_list(const struct ktls_tx *tx, struct scatterlist *sg, const struct ktls_format *f, void *aad)
{
	bool apart = f->aad != KTLS_HEADER;
	u32 skip = apart ? tx->prefix : 0;
	unsigned int i;

	sg_init_table(sg, tx->rec_n + apart);
	if (apart)
		sg_set_buf(sg++, aad, f->aad);
	for (i = 0; i < tx->rec_n; i++, skip = 0)
		sg_set_page(&sg[i], tx->rec[i].bv_page, tx->rec[i].bv_len - skip, tx->rec[i].bv_offset + skip);
}

/* Behind the plaintext, from byte @at on. */
static noinline void put_behind(struct ktls_tx *tx, size_t at, const u8 *from, size_t len)
{
	const struct bio_vec *bv;
	size_t n, off;

	for (; len; len -= n, at += n, from += n) {
		bv = ktls_rec_spot(tx, at, &off);
		n = min_t(size_t, bv->bv_len - off, len);
		memcpy(ktls_bytes(bv, off), from, n);
	}
}

static __always_inline void put_tag(struct ktls_tx *tx, size_t at, const u8 *tag, size_t len)
{
	if (likely(len == GCM_TAG_SIZE && tx->rec_n == 1))
		memcpy(ktls_bytes(tx->rec, tx->prefix + at), tag, GCM_TAG_SIZE);
	else
		put_behind(tx, at, tag, len);
}

/* RFC 5246 6.2.3.2: each byte says how many there are beside itself. */
static void put_padding(struct ktls_tx *tx, size_t len)
{
	u8 pad[KTLS_BLOCK];

	memset(pad, len - 1, len);
	put_behind(tx, tx->fill, pad, len);
}

static void put_zeros(struct ktls_tx *tx, size_t at)
{
	size_t n, off, left;

	for (left = tx->zeros; left; left -= n, at += n) {
		const struct bio_vec *bv = ktls_rec_spot(tx, at, &off);

		n = min_t(size_t, bv->bv_len - off, left);
		memset(ktls_bytes(bv, off), 0, n);
	}
}

/* What a record carries behind its header: a nonce, counted, or an iv that nobody foresees. */
static void put_carried(const struct ktls_tx *tx, const struct ktls_half *half, u8 *to)
{
	if (half->format->block)
		get_random_bytes(to, half->format->nonce);
	else
		memcpy(to, half->iv + half->cipher->salt, tx->prefix - KTLS_HEADER);
}

/* Header, nonce, type, padding: what isn't encrypted or stands behind the plaintext. Where the additional data is. */
static u8 *frame(struct ktls_tx *tx, const struct ktls_half *half, size_t body)
{
	const struct ktls_format *f = half->format;
	u8 *head = page_address(tx->rec[0].bv_page) + tx->rec[0].bv_offset;
	struct bio_vec *bv;
	size_t off;

	ktls_header_put(f, head, tx->type, body);
	if (tx->prefix > KTLS_HEADER)
		put_carried(tx, half, head + KTLS_HEADER);
	if (f->inner) {
		bv = ktls_rec_spot(tx, tx->fill, &off);
		*ktls_bytes(bv, off) = tx->type;
		put_zeros(tx, tx->fill + f->inner);
	}
	if (f->block)
		put_padding(tx, ktls_behind(f, tx->fill));
	if (f->aad == KTLS_HEADER)
		return head;
	ktls_aad_put(f, tx->aad, half->seq, head, f->block ? body - half->tail : tx->fill);
	return tx->aad;
}

/* Not inlined: its lists would be cleared for every record. */
static noinline int seal_by_api(struct ktls_half *half, struct ktls_tx *tx, u8 *aad, const u8 *carried)
{
	struct scatterlist dst[KTLS_TX_PIECES + 1], src[KTLS_TX_SG];
	const struct ktls_format *f = half->format;

	target_list(tx, dst, f, aad);
	if (tx->src_n)
		source_list(tx, src, f, aad);
	return ktls_aead_seal(half, &tx->room, tx->src_n ? src : dst, dst, tx->fill + behind(tx, f), carried);
}

/* The plaintext lies in the record's own memory: @len bytes of it and its type. */
static unsigned int segments_in_place(const struct ktls_tx *tx, size_t len, struct gcm_seg *seg)
{
	const struct bio_vec *bv = tx->rec;
	u32 skip = tx->prefix;
	unsigned int i;
	u8 *first;

	if (likely(tx->rec_n == 1)) {
		first = ktls_bytes(bv, skip);
		*seg = (struct gcm_seg){ first, first, len };
		return !!len;
	}
	for (i = 0; len; i++, bv++, skip = 0) {
		seg[i] = (struct gcm_seg){ ktls_bytes(bv, skip), ktls_bytes(bv, skip), min_t(size_t, len, bv->bv_len - skip) };
		len -= seg[i].len;
	}
	return i;
}

/* From where the plaintext lies to the record's own memory, where @behind bytes are already: how many. */
static unsigned int segments(const struct ktls_tx *tx, size_t behind, struct gcm_seg *seg)
{
	const struct bio_vec *src = tx->src, *last = src + tx->src_n, *bv = tx->rec;
	size_t room = bv->bv_len - tx->prefix, len = src->bv_len, left = tx->fill + behind, n;
	const u8 *in = ktls_bytes(src, 0), *end = NULL;
	u8 *out = ktls_bytes(bv, tx->prefix);
	unsigned int i = 0;

	for (; left; left -= n) {
		if (!room) {
			room = (++bv)->bv_len;
			out = ktls_bytes(bv, 0);
			end = NULL;
		}
		if (src == last) {
			in = out;
			len = left;
		}
		n = min(len, room);
		if (in != end)		/* else pages in a row */
			seg[i++] = (struct gcm_seg){ in, out };
		seg[i - 1].len += n;
		in = end = in + n;
		out += n;
		room -= n;
		len -= n;
		if (!len && ++src < last) {
			in = ktls_bytes(src, 0);
			len = src->bv_len;
		}
	}
	return i;
}

static int seal_direct(struct ktls_half *half, struct ktls_tx *tx, u8 *aad, const u8 *carried)
{
	const struct ktls_format *f = half->format;
	struct gcm_op op = { .aad = aad, .aad_len = f->aad, .seg = tx->seg };
	size_t after = f->inner + tx->zeros;
	u8 tag[GCM_TAG_SIZE];
	int err;

	op.segs = tx->user ? ktls_rec_user_segments(tx, after, tx->seg) :
		  tx->src_n ? segments(tx, after, tx->seg) :
			      segments_in_place(tx, tx->fill + after, tx->seg);
	err = ktls_aead_seal_direct(half, &op, tag, carried);
	if (!err)
		put_tag(tx, tx->fill + after, tag, half->cipher->tag);
	return err;
}

static size_t sealed_len(const struct ktls_half *half, const struct ktls_tx *tx)
{
	return tx->prefix + tx->fill + behind(tx, half->format) + half->cipher->tag;
}

static __always_inline int seal_once(struct ktls_half *half, struct ktls_tx *tx, size_t len)
{
	u8 *aad = frame(tx, half, len - KTLS_HEADER);
	const u8 *carried = tx->prefix > KTLS_HEADER ? ktls_bytes(tx->rec, KTLS_HEADER) : NULL;

	trim(tx, len);
	if (ktls_aead_direct(half))
		return seal_direct(half, tx, aad, carried);
	return tx->user ? -EFAULT : seal_by_api(half, tx, aad, carried);
}

static __always_inline int seal(struct ktls_half *half, struct ktls_tx *tx, size_t len)
{
	int err;

	do {
		err = seal_once(half, tx, len);
	} while (err == -EFAULT && tx->user && !ktls_rec_user_copy(tx));
	return err;
}

/* The sealed record's memory goes behind what is out; what continues a piece there joins it. */
static void line_up(struct ktls_tx *tx)
{
	struct bio_vec *to = &tx->out[tx->out_n], *bv;

	for (bv = tx->rec; bv < tx->rec + tx->rec_n; bv++) {
		if (to > tx->out && to[-1].bv_page == bv->bv_page &&
		    to[-1].bv_offset + to[-1].bv_len == bv->bv_offset) {
			to[-1].bv_len += bv->bv_len;
			put_page(bv->bv_page);
		} else {
			*to++ = *bv;
		}
	}
	tx->out_n = to - tx->out;
	tx->rec_n = 0;
}

static void drop_open(struct ktls_tx *tx)
{
	put_sources(tx);
	while (tx->rec_n)
		put_page(tx->rec[--tx->rec_n].bv_page);
}

int ktls_rec_seal(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_tx *tx = ks->txs;
	size_t len;
	int err;

	if (!tx || !tx->rec_n)
		return 0;
	tx->zeros = min_t(size_t, padded(ks, tx->fill), tx->capacity) - tx->fill;
	len = sealed_len(&ks->tx, tx);
	err = seal(&ks->tx, tx, len);
	if (err == -EFAULT) {
		drop_open(tx);
		return err;
	}
	if (err) {
		trace_ktls_record_error(ks->cookie, KTLS_TRACE_TX, ks->tx.seq, err);
		/* Half encrypted: another try is no use, so never ENOMEM. */
		ktls_fail(sk, -ECONNABORTED, 0, KTLS_ALERT_FROM_NONE, "the cipher failed on a record to send; no memory?");
		return -ECONNABORTED;
	}
	line_up(tx);
	tx->out_len += len;
	put_sources(tx);
	if (tx->lent)
		ktls_stat_lent(ks, tx->lent);
	ks->tx_records++;
	len = tx->type == KTLS_DATA ? tx->fill : 0;
	ks->tx_bytes += len;
	ktls_stat_record(ks, KTLS_STAT_TxRecords, len, tx->user || tx->pinned ? len : 0);
	return 0;
}

static void taken(struct ktls_tx *tx, size_t n)
{
	unsigned int i = 0;

	tx->out_len -= n;
	for (; n && n >= tx->out[i].bv_len; i++) {
		n -= tx->out[i].bv_len;
		put_page(tx->out[i].bv_page);
	}
	if (n) {
		tx->out[i].bv_offset += n;
		tx->out[i].bv_len -= n;
	}
	tx->out_n -= i;
	if (tx->out_n)
		memmove(tx->out, tx->out + i, tx->out_n * sizeof(tx->out[0]));
}

int ktls_tx_push(struct sock *sk, int flags)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_tx *tx = ks->txs;
	int n = 1;

	if (!tx)
		return 0;
	flags = (flags & MSG_MORE) | MSG_NO_SHARED_FRAGS;
	while (tx->out_len && n > 0) {
		n = ktls_push_pages(sk, tx->out, tx->out_n, tx->out_len, flags);
		if (n > 0)
			taken(tx, n);
	}
	WRITE_ONCE(ks->tx_pending, tx->out_len > 0);
	/* For lack of memory, not of room: no acknowledgement will wake anybody. */
	if (n == -EAGAIN && tx->out_len && !sk->sk_wmem_queued)
		ktls_tx_later(sk, RETRY_DELAY);
	return tx->out_len ? n : 0;
}

/*
 * TCP that is short of memory (tcp_mem, a cgroup's limit) refuses who is below
 * his sk_sndbuf, but not who is at it, since he could not wait for room. So be
 * at it, segment by segment; and TCP shall not move it meanwhile.
 */
static int push_segments(struct sock *sk)
{
	struct ktls_tx *tx = ktls_get(sk)->txs;
	u8 locks = sk->sk_userlocks;
	size_t before;
	int err;

	sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	do {
		before = tx->out_len;
		WRITE_ONCE(sk->sk_sndbuf, sk->sk_wmem_queued + 1);
		err = ktls_tx_push(sk, 0);
	} while (err == -EAGAIN && tx->out_len < before);
	sk->sk_userlocks = locks;
	return err;
}

/*
 * sk_sndbuf bounds what TCP takes; a few records more than that do no harm,
 * and TCP itself goes beyond it by a segment.
 */
int ktls_tx_force(struct sock *sk)
{
	struct ktls_tx *tx = ktls_get(sk)->txs;
	int limit = sk->sk_sndbuf, err;

	if (!tx || !tx->out_len)
		return 0;
	WRITE_ONCE(sk->sk_sndbuf, INT_MAX);
	err = ktls_tx_push(sk, 0);
	if (err == -EAGAIN)
		err = push_segments(sk);
	WRITE_ONCE(sk->sk_sndbuf, limit);
	return err;
}

void ktls_rec_cancel(struct ktls_tx *tx)
{
	if (!tx->fill)
		drop_open(tx);
}

void ktls_tx_drop(struct ktls_tx *tx)
{
	unsigned int i;

	drop_open(tx);
	for (i = 0; i < tx->out_n; i++)
		put_page(tx->out[i].bv_page);
	tx->out_n = 0;
	tx->out_len = 0;
}
