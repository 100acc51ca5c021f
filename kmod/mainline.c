// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux/tls.h's options under our ULP: an application that did its own
 * handshake hands the traffic keys in, per direction; the other one stays plain TCP until it
 * is keyed too. Such an application minds control records itself: it reads and
 * writes them with a cmsg, sends its own close_notify, and takes FIN as the end.
 *
 * Keys are turned into struct ktls_keys at the door and can not be read back.
 */
#include <linux/uaccess.h>
#include <asm/byteorder.h>
#include "record/record.h"

union crypto_info {
	struct tls_crypto_info				head;
	struct tls12_crypto_info_aes_gcm_128		gcm128;
	struct tls12_crypto_info_aes_gcm_256		gcm256;
	struct tls12_crypto_info_chacha20_poly1305	chacha;
};

/* All of them are head, iv, key, salt, sequence number. */
static size_t info_size(const struct ktls_cipher *c)
{
	return sizeof(struct tls_crypto_info) + c->iv + c->key + c->salt + sizeof(__be64);
}

static void keys_from_info(struct ktls_keys *keys, const union crypto_info *info, const struct ktls_cipher *c)
{
	const u8 *p = (const u8 *)(&info->head + 1);
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
	union crypto_info info;
	int err = -EFAULT;

	if (optlen < sizeof(info.head) || optlen > sizeof(info))
		return -EINVAL;
	if (copy_from_sockptr(&info, optval, optlen))
		goto out;
	err = -EINVAL;
	c = ktls_cipher_find(info.head.cipher_type);
	if (info.head.version != TLS_1_3_VERSION || !c || optlen != info_size(c))
		goto out;
	keys_from_info(keys, &info, c);
	err = 0;
out:
	memzero_explicit(&info, sizeof(info));
	return err;
}

static int install(struct sock *sk, struct ktls_half *half, bool tx)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_half *to = tx ? &ks->tx : &ks->rx;

	if (ks->phase == KTLS_PHASE_DEAD)
		return ks->error;
	if (ks->phase != KTLS_PHASE_BARE && !ks->mainline)
		return -EISCONN;
	if (to->tfm)
		return -EBUSY;
	if (sk->sk_state != TCP_ESTABLISHED && sk->sk_state != TCP_CLOSE_WAIT)
		return -ENOTCONN;
	*to = *half;
	memzero_explicit(half, sizeof(*half));
	ks->mainline = true;
	ktls_opened(sk);
	return 0;
}

static int set_keys(struct sock *sk, sockptr_t optval, unsigned int optlen, bool tx)
{
	struct ktls_keys keys = { };
	struct ktls_half half = { };
	int err;

	err = keys_read(&keys, optval, optlen);
	if (!err)
		err = ktls_half_init(&half, &keys);
	memzero_explicit(&keys, sizeof(keys));
	if (err)
		return err;
	lock_sock(sk);
	err = install(sk, &half, tx);
	release_sock(sk);
	ktls_half_wipe(&half);
	return err;
}

/* Page-cache pages are encrypted without a copy, and padding costs nothing, in any case. */
static int accept_hint(sockptr_t optval, unsigned int optlen)
{
	int val;

	if (optlen != sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	return val == 0 || val == 1 ? 0 : -EINVAL;
}

int ktls_mainline_setsockopt(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen)
{
	switch (optname) {
	case TLS_TX:
		return set_keys(sk, optval, optlen, true);
	case TLS_RX:
		return set_keys(sk, optval, optlen, false);
	case TLS_TX_ZEROCOPY_RO:
	case TLS_RX_EXPECT_NO_PAD:
		return accept_hint(optval, optlen);
	}
	return -ENOPROTOOPT;
}

int ktls_mainline_getsockopt(struct sock *sk, int optname, char __user *optval, int __user *optlen)
{
	struct tls_crypto_info info = { };
	struct ktls_sock *ks = ktls_get(sk);
	const struct ktls_half *half = optname == TLS_TX ? &ks->tx : &ks->rx;
	int len;

	if (optname != TLS_TX && optname != TLS_RX)
		return -ENOPROTOOPT;
	if (get_user(len, optlen))
		return -EFAULT;
	if (!optval || len < (int)sizeof(info))
		return -EINVAL;
	lock_sock(sk);
	if (half->tfm) {
		info.version = half->version;
		info.cipher_type = half->cipher->id;
	}
	release_sock(sk);
	if (!info.version)
		return -EBUSY;
	len = sizeof(info);
	if (copy_to_user(optval, &info, sizeof(info)) || put_user(len, optlen))
		return -EFAULT;
	return 0;
}
