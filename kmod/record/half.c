// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys of one direction, and the objects of record.h: taken from a slot of the
 * CPU, put back into it, so that only the first of them are ever allocated.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "record.h"

DEFINE_PER_CPU(struct ktls_tx *, ktls_tx_slot);
static DEFINE_PER_CPU(struct ktls_rx *, rx_slot);
struct workqueue_struct *ktls_tx_queue;

bool ktls_keys_valid(const struct ktls_keys *keys)
{
	const struct ktls_cipher *cipher = ktls_cipher_find(keys->cipher);

	return cipher && ktls_format_find(keys->version, cipher->mac) &&
	       (!cipher->only || cipher->only == keys->version);
}

int ktls_half_init(struct ktls_half *half, const struct ktls_keys *keys)
{
	const struct ktls_cipher *cipher = ktls_cipher_find(keys->cipher);
	const struct ktls_format *format;
	int err;

	if (!ktls_keys_valid(keys))
		return -EINVAL;
	format = ktls_format_find(keys->version, cipher->mac);
	err = ktls_aead_init(half, cipher, keys->key);
	if (err)
		return err;
	half->cipher = cipher;
	half->seq = keys->seq;
	half->rekey_at = cipher->limit - (cipher->limit >> 3);
	half->version = keys->version;
	half->format = format;
	half->prefix = KTLS_HEADER + (cipher->salt || format->block ? format->nonce : 0);
	half->tail = format->inner + cipher->tag;
	memcpy(half->iv, keys->iv, sizeof(half->iv));
	return 0;
}

void ktls_half_wipe(struct ktls_half *half)
{
	ktls_aead_wipe(half);
	memzero_explicit(half, sizeof(*half));
}

void ktls_half_renew(struct ktls_half *half, struct ktls_half *new, struct ktls_keys **spares)
{
	struct ktls_keys *used = *spares;

	ktls_half_wipe(half);
	*half = *new;
	memzero_explicit(new, sizeof(*new));
	*spares = used->next;
	kfree_sensitive(used);
}

unsigned int ktls_spares_count(const struct ktls_keys *spares)
{
	unsigned int n;

	for (n = 0; spares; spares = spares->next)
		n++;
	return n;
}

void ktls_spares_free(struct ktls_keys **spares)
{
	struct ktls_keys *k;

	while ((k = *spares)) {
		*spares = k->next;
		kfree_sensitive(k);
	}
}

static bool low(const struct ktls_keys *spares, unsigned int full)
{
	return !spares || 2 * ktls_spares_count(spares) < full;
}

void ktls_spares_ask(struct sock *sk)
{
	const struct ktls_sock *ks = ktls_get(sk);

	if (low(ks->tx_next, ks->tx_spares) || low(ks->rx_next, ks->rx_spares))
		ktls_upcall_record(sk, KTLS_WHY_SPARE, 0, NULL, 0);
}

struct ktls_tx *ktls_tx_new(void)
{
	struct ktls_tx *tx = kzalloc(sizeof(*tx), GFP_KERNEL);

	if (tx)
		INIT_DELAYED_WORK(&tx->work, ktls_tx_work);
	return tx;
}

struct ktls_tx *ktls_tx_get(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_tx *tx = ks->txs;

	if (tx)
		return tx;
	tx = ktls_tx_take();
	if (tx)
		ktls_tx_attach(sk, tx);
	return tx;
}

void ktls_tx_idle(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_tx *tx = ks->txs;

	if (!tx || tx->out_len || tx->rec_n || tx->queued)
		return;
	ks->txs = NULL;
	ktls_tx_put(tx);
}

struct ktls_rx *ktls_rx_get(struct ktls_sock *ks, gfp_t gfp)
{
	struct ktls_rx *rx = ks->rxs;
	struct page *page;

	if (rx)
		return rx;
	rx = this_cpu_xchg(rx_slot, NULL);
	if (!rx) {
		page = alloc_pages(gfp | __GFP_COMP | __GFP_NOWARN, KTLS_RX_ORDER);
		if (!page)
			return NULL;
		rx = page_address(page);
	}
	rx->mark.done = 0;
	rx->off = 0;
	rx->len = 0;
	rx->have = 0;
	rx->next_len = 0;
	rx->end.err = 0;
	ks->rxs = rx;
	return rx;
}

static void rx_put(struct ktls_rx *rx)
{
	rx = this_cpu_xchg(rx_slot, rx);
	if (rx)
		put_page(virt_to_page(rx));
}

void ktls_rx_idle(struct ktls_sock *ks)
{
	struct ktls_rx *rx = ks->rxs;

	if (!rx || rx->len || rx->have || rx->end.err)
		return;
	ks->rxs = NULL;
	rx_put(rx);
}

static void tx_free(struct ktls_tx *tx)
{
	ktls_tx_drop(tx);
	if (tx->queued && cancel_delayed_work(&tx->work)) {
		tx->queued = false;
		sock_put(tx->sk);
	}
	if (tx->queued)		/* it waits for the lock */
		tx->orphan = true;
	else
		ktls_tx_put(tx);
}

void ktls_record_free(struct ktls_sock *ks)
{
	if (ks->txs)
		tx_free(ks->txs);
	ks->txs = NULL;
	WRITE_ONCE(ks->tx_pending, false);
	if (ks->mainline)
		ktls_mainline_free(ks);
	if (ks->rxs) {
		memzero_explicit(ks->rxs->buf, KTLS_RX_BUF);
		rx_put(ks->rxs);
	}
	ks->rxs = NULL;
	ktls_rx_part_free(ks);
	if (ks->rx_done)
		ktls_queue_flush(ks->sk);
	ks->rx_head = 0;
	ktls_half_wipe(&ks->tx);
	ktls_half_wipe(&ks->rx);
	ktls_spares_free(&ks->tx_next);
	ktls_spares_free(&ks->rx_next);
}

int ktls_record_init(void)
{
	ktls_tx_queue = alloc_workqueue("ktls_tx", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return ktls_tx_queue ? 0 : -ENOMEM;
}

void ktls_record_exit(void)
{
	int cpu;

	destroy_workqueue(ktls_tx_queue);
	for_each_possible_cpu(cpu) {
		kfree(per_cpu(ktls_tx_slot, cpu));
		if (per_cpu(rx_slot, cpu))
			put_page(virt_to_page(per_cpu(rx_slot, cpu)));
	}
	ktls_txmem_exit();
}
