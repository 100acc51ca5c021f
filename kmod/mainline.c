// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux/tls.h's options under our ULP: an application that did its own
 * handshake hands the traffic keys in, per direction; the other one stays plain TCP until it
 * is keyed too. Such an application minds control records itself: it reads and
 * writes them with a cmsg, sends its own close_notify, takes FIN as the end,
 * and brings new keys by the same options (as in Linux 6.14): those that it gave
 * it may read back, keys of an agent never.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/byteorder.h>
#include "crypto/gcm-glue.h"
#include "record/record.h"

#ifndef TLS_TX_MAX_PAYLOAD_LEN
#define TLS_TX_MAX_PAYLOAD_LEN	5
#endif
#define PAYLOAD_MIN	64	/* RFC 8449 4: in TLS 1.3 the content type counts */

/* Keys to be read back, where the half has only the crypto API's tfm. */
struct ktls_own {
	u8	size;			/* of a key */
	u8	key[];			/* TLS_RX's, TLS_TX's */
};

/* All of linux/tls.h's are head, iv, key, salt, sequence number. */
struct crypto_info {
	struct tls_crypto_info	head;
	u8			rest[KTLS_IV_SIZE + KTLS_MAX_KEY + sizeof(__be64)];
};

static size_t info_size(const struct ktls_cipher *c)
{
	return sizeof(struct tls_crypto_info) + c->iv + c->key + c->salt + sizeof(__be64);
}

/* ---- keys in */

static void keys_from_info(struct ktls_keys *keys, const struct crypto_info *info, const struct ktls_cipher *c)
{
	const u8 *p = info->rest;
	__be64 seq;

	keys->version = info->head.version;
	keys->cipher = info->head.cipher_type;
	memcpy(keys->iv + c->salt, p, c->iv);
	p += c->iv;
	memcpy(keys->key, p, c->key);
	p += c->key;
	memcpy(keys->iv, p, c->salt);
	p += c->salt;
	memcpy(&seq, p, sizeof(seq));
	keys->seq = be64_to_cpu(seq);
}

static int keys_read(struct ktls_keys *keys, sockptr_t optval, unsigned int optlen)
{
	const struct ktls_cipher *c;
	struct crypto_info info;
	int err = -EFAULT;

	if (optlen < sizeof(info.head) || optlen > sizeof(info))
		return -EINVAL;
	if (copy_from_sockptr(&info, optval, optlen))
		goto out;
	err = -EINVAL;
	c = ktls_cipher_find(info.head.cipher_type);
	if (!c || !ktls_format_find(info.head.version, c->mac) || optlen != info_size(c))
		goto out;
	keys_from_info(keys, &info, c);
	err = 0;
out:
	memzero_explicit(&info, sizeof(info));
	return err;
}

static bool fits(const struct ktls_half *a, const struct ktls_keys *keys)
{
	return !a->cipher || (a->version == keys->version && a->cipher->id == keys->cipher);
}

/* May these keys come now? Both directions have one version and cipher. */
static int may_install(const struct sock *sk, const struct ktls_keys *keys, bool tx)
{
	const struct ktls_sock *ks = ktls_get(sk);
	const struct ktls_half *to = tx ? &ks->tx : &ks->rx;

	if (ks->phase == KTLS_PHASE_DEAD)
		return ks->error;
	if (ks->phase != KTLS_PHASE_BARE && !ks->mainline)
		return -EISCONN;
	if (to->cipher && !to->format->updates)
		return -EBUSY;
	if (!fits(&ks->tx, keys) || !fits(&ks->rx, keys))
		return -EINVAL;
	if (sk->sk_state != TCP_ESTABLISHED && sk->sk_state != TCP_CLOSE_WAIT)
		return -ENOTCONN;
	return 0;
}

static void count(struct sock *sk, bool tx, bool again)
{
	if (again) {
		ktls_stat_add(sk, tx ? KTLS_STAT_TxRekeys : KTLS_STAT_RxRekeys, 1);
		return;
	}
	ktls_stat_add(sk, tx ? KTLS_STAT_TxByApp : KTLS_STAT_RxByApp, 1);
	ktls_stat_add(sk, tx ? KTLS_STAT_CurrTxByApp : KTLS_STAT_CurrRxByApp, 1);
}

/* Both directions have one cipher. */
static u8 *own_key(const struct ktls_sock *ks, bool tx)
{
	return ks->own->key + tx * ks->own->size;
}

/* Our own AES-GCM's key has the raw one in it. */
static int keep_key(struct ktls_sock *ks, const struct ktls_half *half, const u8 *key, bool tx)
{
	if (half->own)
		return 0;
	if (!ks->own) {
		ks->own = kzalloc(sizeof(*ks->own) + 2 * half->cipher->key, GFP_KERNEL_ACCOUNT);
		if (!ks->own)
			return -ENOMEM;
		ks->own->size = half->cipher->key;
	}
	memcpy(own_key(ks, tx), key, half->cipher->key);
	return 0;
}

static int install(struct sock *sk, struct ktls_half *half, const struct ktls_keys *keys, bool tx)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_half *to = tx ? &ks->tx : &ks->rx;
	bool again = to->cipher;
	int err = may_install(sk, keys, tx);

	if (!err && tx && again)
		err = ktls_rec_seal(sk);	/* what is open is under the old key */
	if (!err)
		err = keep_key(ks, half, keys->key, tx);
	if (err)
		return err;
	ktls_half_wipe(to);
	*to = *half;
	memzero_explicit(half, sizeof(*half));
	if (!tx)
		WRITE_ONCE(ks->rx_update, false);
	*(tx ? &ks->tx_generation : &ks->rx_generation) += again;
	count(sk, tx, again);
	ks->mainline = true;
	ktls_opened(sk);
	return 0;
}

static int install_locked(struct sock *sk, struct ktls_half *half, const struct ktls_keys *keys, bool tx)
{
	const struct ktls_sock *ks = ktls_get(sk);
	int err;

	lock_sock(sk);
	err = install(sk, half, keys, tx);
	if (err && (tx ? &ks->tx : &ks->rx)->cipher)
		ktls_stat_add(sk, tx ? KTLS_STAT_TxRekeyErrors : KTLS_STAT_RxRekeyErrors, 1);
	release_sock(sk);
	return err;
}

static int set_keys(struct sock *sk, sockptr_t optval, unsigned int optlen, bool tx)
{
	struct ktls_keys keys = { };
	struct ktls_half half = { };
	int err;

	err = keys_read(&keys, optval, optlen);
	if (!err)
		err = ktls_half_init(&half, &keys);
	if (!err)
		err = install_locked(sk, &half, &keys, tx);
	ktls_half_wipe(&half);
	memzero_explicit(&keys, sizeof(keys));
	return err;
}

void ktls_mainline_free(struct ktls_sock *ks)
{
	if (ks->tx.cipher)
		ktls_stat_add(ks->sk, KTLS_STAT_CurrTxByApp, -1);
	if (ks->rx.cipher)
		ktls_stat_add(ks->sk, KTLS_STAT_CurrRxByApp, -1);
	kfree_sensitive(ks->own);
	ks->own = NULL;
}

/* ---- and out */

static void info_from_half(struct crypto_info *info, const struct ktls_half *half, const u8 *key)
{
	const struct ktls_cipher *c = half->cipher;
	__be64 seq = cpu_to_be64(half->seq);
	u8 *p = info->rest;

	memcpy(p, half->iv + c->salt, c->iv);
	p += c->iv;
	memcpy(p, key, c->key);
	p += c->key;
	memcpy(p, half->iv, c->salt);
	p += c->salt;
	memcpy(p, &seq, sizeof(seq));
}

/* How many bytes: the head alone, or all of it if that is wanted and the keys are the application's own. */
static int info_read(struct sock *sk, struct crypto_info *info, int len, bool tx)
{
	const struct ktls_sock *ks = ktls_get(sk);
	const struct ktls_half *half = tx ? &ks->tx : &ks->rx;

	if (!half->cipher)
		return -EBUSY;
	info->head.version = half->version;
	info->head.cipher_type = half->cipher->id;
	if (len == sizeof(info->head) || !ks->mainline)
		return sizeof(info->head);
	if (len != info_size(half->cipher))
		return -EINVAL;
	info_from_half(info, half, half->own ? ktls_gcm_key_raw(half->own) : own_key(ks, tx));
	return len;
}

static int get_keys(struct sock *sk, char __user *optval, int len, int __user *optlen, bool tx)
{
	struct crypto_info info = { };

	if (!optval || len < (int)sizeof(info.head))
		return -EINVAL;
	lock_sock(sk);
	len = info_read(sk, &info, len, tx);
	release_sock(sk);
	if (len > 0)
		len = copy_to_user(optval, &info, len) || put_user(len, optlen) ? -EFAULT : 0;
	memzero_explicit(&info, sizeof(info));
	return len;
}

/* ---- hints and limits */

/* Page-cache pages are encrypted without a copy in any case. */
static int set_zerocopy(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	u32 val;

	if (optlen != sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (val > 1)
		return -EINVAL;
	ktls_get(sk)->zerocopy = val;
	return 0;
}

/* Padding costs no second decryption in any case. */
static int set_no_pad(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	struct ktls_sock *ks = ktls_get(sk);
	u32 val;
	int ok;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	ok = check_zeroed_sockptr(optval, sizeof(val), optlen - sizeof(val));
	if (ok < 0)
		return ok;
	if (val > 1 || !ok || !ks->rx.cipher || !ks->rx.format->inner)
		return -EINVAL;
	ks->no_pad = val;
	return 0;
}

static int set_payload_max(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	struct ktls_sock *ks = ktls_get(sk);
	u16 val;

	if (optlen != sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (ks->txs && ks->txs->rec_n)
		return -EBUSY;
	if (val < PAYLOAD_MIN - (ks->tx.cipher ? ks->tx.format->inner : 0) || val > KTLS_PLAIN_MAX)
		return -EINVAL;
	ks->tx_limit = val;
	return 0;
}

int ktls_mainline_setsockopt(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen)
{
	int (*set)(struct sock *sk, sockptr_t optval, unsigned int optlen);
	int err;

	switch (optname) {
	case TLS_TX:
	case TLS_RX:
		return set_keys(sk, optval, optlen, optname == TLS_TX);
	case TLS_TX_ZEROCOPY_RO:
		set = set_zerocopy;
		break;
	case TLS_RX_EXPECT_NO_PAD:
		set = set_no_pad;
		break;
	case TLS_TX_MAX_PAYLOAD_LEN:
		set = set_payload_max;
		break;
	default:
		return -ENOPROTOOPT;
	}
	lock_sock(sk);
	err = set(sk, optval, optlen);
	release_sock(sk);
	return err;
}

static int get_no_pad(const struct ktls_sock *ks, char __user *optval, int len, int __user *optlen)
{
	u32 val = ks->no_pad;

	if (len < (int)sizeof(val) || !ks->rx.cipher || !ks->rx.format->inner)
		return -EINVAL;
	return put_user((int)sizeof(val), optlen) || copy_to_user(optval, &val, sizeof(val)) ? -EFAULT : 0;
}

static int get_value(char __user *optval, int len, const void *val, int size)
{
	if (len != size)
		return -EINVAL;
	return copy_to_user(optval, val, size) ? -EFAULT : 0;
}

int ktls_mainline_getsockopt(struct sock *sk, int optname, char __user *optval, int __user *optlen)
{
	const struct ktls_sock *ks = ktls_get(sk);
	u16 limit = ks->tx_limit ?: KTLS_PLAIN_MAX;
	u32 zerocopy = ks->zerocopy;
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	switch (optname) {
	case TLS_TX:
	case TLS_RX:
		return get_keys(sk, optval, len, optlen, optname == TLS_TX);
	case TLS_TX_ZEROCOPY_RO:
		return get_value(optval, len, &zerocopy, sizeof(zerocopy));
	case TLS_RX_EXPECT_NO_PAD:
		return get_no_pad(ks, optval, len, optlen);
	case TLS_TX_MAX_PAYLOAD_LEN:
		return get_value(optval, len, &limit, sizeof(limit));
	}
	return -ENOPROTOOPT;
}
