// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program's memory by its pages, for our cipher where it can't go by the program's
 * addresses: User Mode Linux. The pages of a record are held for as long as it is
 * sealed, and to open some records until the call that names them waits or ends. Where
 * one is missing, or is no memory (a device's), the callers copy.
 *
 * The crypto API takes each page by itself, which costs its ciphers more than the copy (0.4 to
 * 1.3 % of all instructions for ChaCha20-Poly1305 on 6.12, and huge pages
 * gain nothing at 16 KiB): they work on copies, one piece each.
 *
 * Pages to read need no more than a reference. Those to write are pinned:
 * fork() then copies them for the child at once, so that they stay this
 * program's, and they are marked dirty behind what was written, since they may be a file's.
 */
#include "record.h"

static unsigned int count(unsigned long at, size_t len)
{
	return DIV_ROUND_UP(offset_in_page(at) + len, PAGE_SIZE);
}

bool ktls_rec_pinned(struct ktls_tx *tx, struct iov_iter *iter)
{
	unsigned long from = ktls_iter_address(iter);
	size_t off = offset_in_page(from), n;
	struct page *page[KTLS_PINS] __uninitialized;
	int i, pages;

	if (!ktls_aead_direct(&ktls_get(tx->sk)->tx))
		return false;
	pages = get_user_pages_fast(from, count(from, tx->capacity), 0, page);
	if (pages != count(from, tx->capacity)) {
		while (pages > 0)
			put_page(page[--pages]);
		return false;
	}
	for (i = 0; i < pages; i++, off = 0) {
		n = min_t(size_t, PAGE_SIZE - off, tx->capacity - tx->fill);
		ktls_rec_page(tx, page[i], off, n);	/* there is room for so many */
	}
	iov_iter_advance(iter, tx->capacity);
	tx->pinned = true;
	tx->lent = 0;			/* nobody asked for it */
	return true;
}

/* Pages in a row become one piece. */
static void add_piece(struct ktls_pins *pins, struct page *page, size_t off, size_t len)
{
	struct bio_vec *last = pins->n ? &pins->bv[pins->n - 1] : NULL;

	if (last && ktls_bytes(last, last->bv_len) == (u8 *)page_address(page) + off &&
	    last->bv_page + (last->bv_offset + last->bv_len) / PAGE_SIZE == page)
		last->bv_len += len;
	else
		bvec_set_page(&pins->bv[pins->n++], page, len, off);
}

static bool held(const struct ktls_pins *pins, unsigned long at, size_t len)
{
	return pins->pages && at >= pins->at && at + len <= (pins->at & PAGE_MASK) + pins->pages * PAGE_SIZE;
}

/* Those that @len bytes need at least. */
static bool pin_more(struct ktls_pins *pins, unsigned long at, size_t len, size_t likely)
{
	int pages;

	ktls_unpin(pins);
	pages = pin_user_pages_fast(at, count(at, clamp(likely, len, (size_t)KTLS_PIN_MAX)), FOLL_WRITE, pins->page);
	if (pages < (int)count(at, len)) {
		if (pages > 0)
			unpin_user_pages(pins->page, pages);
		return false;
	}
	pins->at = at;
	pins->pages = pages;
	return true;
}

bool ktls_pin(struct ktls_pins *pins, u8 __user *to, size_t len, size_t likely)
{
	unsigned long at = (unsigned long)to;
	size_t off = offset_in_page(at), n;
	struct page **page;

	if (!held(pins, at, len) && !pin_more(pins, at, len, likely))
		return false;
	pins->n = 0;
	page = &pins->page[(at >> PAGE_SHIFT) - (pins->at >> PAGE_SHIFT)];
	for (; len; len -= n, off = 0) {
		n = min_t(size_t, PAGE_SIZE - off, len);
		add_piece(pins, *page++, off, n);
	}
	return true;
}

void ktls_pins_wipe(const struct ktls_pins *pins)
{
	unsigned int i;

	for (i = 0; i < pins->n; i++)
		memset(ktls_bytes(&pins->bv[i], 0), 0, pins->bv[i].bv_len);
}

void ktls_unpin(struct ktls_pins *pins)
{
	if (pins->pages)
		unpin_user_pages_dirty_lock(pins->page, pins->pages, true);
	pins->pages = 0;
}
