// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that outgoing records are built in, and plaintext for pipes: a ring each of compound
 * pages per CPU, so that no plaintext is left in what goes to the network.
 * A page whose pieces have all been acknowledged, so that only the ring holds
 * it, is used again without the allocator and its zeroing. Where such pages
 * are not to be had, the task's page fragment serves.
 *
 * Where a piece begins: right behind the one before, since TCP joins what is in
 * a row and takes only so many pieces into a packet. But for the crypto API
 * the payload is 16-byte aligned, so that page boundaries fall between cipher
 * blocks. And (to - from) mod 4096 is never 1 to 31 if memory is copied
 * there: rep movsb is tens of times slower then on some processors.
 */
#include <linux/mm.h>
#include "record.h"

#define RING		16
#define RING_ORDER	3
#define RING_SIZE	(PAGE_SIZE << RING_ORDER)
#define PIECE_MIN	64	/* a header is never split */

struct ring {
	struct page	*page[RING];
	unsigned int	at, off;
};

static DEFINE_PER_CPU(struct ring [2], rings);

/* Where in a page a piece starts: not before @off. @ahead: bytes of header, @align: of what follows. */
static unsigned int start(unsigned int off, unsigned int ahead, unsigned int align, unsigned long from)
{
	unsigned int gap;

	off = round_up(off + ahead, align) - ahead;
	if (!from)
		return off;
	gap = (off + ahead - from) % SZ_4K;
	return gap - 1 < KTLS_SLOW_COPY ? off + KTLS_SLOW_STEP : off;
}

static void ring_next(struct ring *r)
{
	struct page **p;

	r->at = (r->at + 1) % RING;
	r->off = 0;
	p = &r->page[r->at];
	if (*p && page_ref_count(*p) == 1)
		return;
	if (*p)
		put_page(*p);
	*p = alloc_pages(GFP_NOWAIT | __GFP_NOWARN | __GFP_COMP, RING_ORDER);
}

void ktls_txmem_put(struct bio_vec *bv, unsigned int n)
{
	while (n--)
		put_page(bv[n].bv_page);
}

static __always_inline int ring_get(bool pipe, struct bio_vec *bv, size_t len, u32 ahead, unsigned int align, unsigned long from)
{
	struct ring *r = &(*get_cpu_ptr(&rings))[pipe];
	unsigned int n = 0, off;
	struct page *page;

	while (len && n < KTLS_TX_PIECES) {
		page = r->page[r->at];
		off = start(r->off, ahead, align, from);
		if (!page || off + PIECE_MIN > RING_SIZE) {
			ring_next(r);
			if (!r->page[r->at])
				break;
			continue;
		}
		get_page(page);
		bvec_set_page(&bv[n], page, min_t(size_t, len, RING_SIZE - off), off);
		if (from)
			from += bv[n].bv_len - ahead;
		ahead = 0;
		align = 1;
		len -= bv[n].bv_len;
		r->off = off + bv[n].bv_len;
		n++;
	}
	if (len)
		ktls_txmem_put(bv, n);
	put_cpu_ptr(&rings);
	return len ? -ENOMEM : n;
}

bool ktls_txmem_get_row(struct bio_vec *bv, size_t len, u32 ahead, unsigned long from)
{
	struct ring *r = *get_cpu_ptr(&rings);
	unsigned int off = start(r->off, ahead, 1, from);
	struct page *page = r->page[r->at];
	bool fits = page && off + len <= RING_SIZE;

	if (fits) {
		get_page(page);
		bvec_set_page(bv, page, len, off);
		r->off = off + len;
	}
	put_cpu_ptr(&rings);
	return fits;
}

static int frag_get(struct sock *sk, struct bio_vec *bv, size_t len)
{
	struct page_frag *frag = sk_page_frag(sk);
	unsigned int n = 0;

	while (len && n < KTLS_TX_PIECES && sk_page_frag_refill(sk, frag)) {
		if (frag->size - frag->offset < PIECE_MIN) {
			frag->offset = frag->size;	/* the rest is of no use: refill */
			continue;
		}
		get_page(frag->page);
		bvec_set_page(&bv[n], frag->page, min_t(size_t, len, frag->size - frag->offset), frag->offset);
		frag->offset += bv[n].bv_len;
		len -= bv[n].bv_len;
		n++;
	}
	if (len)
		ktls_txmem_put(bv, n);
	return len ? -ENOMEM : n;
}

int ktls_txmem_get(struct sock *sk, struct bio_vec *bv, size_t len, u32 ahead, unsigned int align,
		   unsigned long from)
{
	int n = ring_get(false, bv, len, ahead, align, from);

	return n > 0 ? n : frag_get(sk, bv, len);
}

int ktls_txmem_get_plain(struct bio_vec *bv, size_t len)
{
	return ring_get(true, bv, len, 0, 1, 0);
}

void ktls_txmem_exit(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu)
		for (i = 0; i < 2 * RING; i++)
			if (per_cpu(rings, cpu)[i / RING].page[i % RING])
				put_page(per_cpu(rings, cpu)[i / RING].page[i % RING]);
}
