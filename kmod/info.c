// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told of a session: KTLS_INFO to its owner, in any phase, and
 * version and cipher to ss. Never a key.
 */
#include <linux/inet_diag.h>
#include <linux/uaccess.h>
#include "crypto/aead.h"
#include "upcall.h"

static const struct ktls_half *keyed_half(const struct ktls_sock *ks)
{
	return ks->tx.cipher ? &ks->tx : &ks->rx;
}

static void info_head(struct ktls_info *info, const struct ktls_sock *ks)
{
	const struct ktls_half *half = keyed_half(ks);

	*info = (struct ktls_info) {
		.phase		= ks->phase,
		.role		= ks->role,
		.alert		= ks->alert,
		.alert_from	= ks->alert_from,
		.error		= ks->error,
		.version	= half->cipher ? half->version : 0,
		.cipher		= half->cipher ? half->cipher->id : 0,
		.cookie		= ks->cookie,
		.tx_generation	= ks->tx_generation,
		.rx_generation	= ks->rx_generation,
		.tx_records	= ks->tx_records,
		.tx_bytes	= ks->tx_bytes,
		.rx_records	= ks->rx_records,
		.rx_bytes	= ks->rx_bytes,
	};
}

/* Head, reason, the agent's attributes, in one piece of memory. */
static void *info_build(const struct ktls_sock *ks, size_t *ret_len)
{
	size_t reason_len = ks->reason ? nla_total_size(strlen(ks->reason) + 1) : 0;
	size_t len = sizeof(struct ktls_info) + reason_len + ks->info_len;
	struct ktls_info *info = kzalloc(len, GFP_KERNEL);
	struct nlattr *attr;

	if (!info)
		return NULL;
	info_head(info, ks);
	info->attr_len = reason_len + ks->info_len;
	attr = (struct nlattr *)(info + 1);
	if (ks->reason) {
		attr->nla_type = KTLS_I_REASON;
		attr->nla_len = nla_attr_size(strlen(ks->reason) + 1);
		memcpy(nla_data(attr), ks->reason, strlen(ks->reason) + 1);
	}
	if (ks->info_len)
		memcpy((u8 *)attr + reason_len, ks->info, ks->info_len);
	*ret_len = len;
	return info;
}

int ktls_info_getsockopt(struct sock *sk, char __user *optval, int __user *optlen)
{
	size_t len;
	void *info;
	int room, err = 0;

	if (get_user(room, optlen))
		return -EFAULT;
	if (room < (int)sizeof(struct ktls_info))
		return -EINVAL;
	lock_sock(sk);
	info = info_build(ktls_get(sk), &len);
	release_sock(sk);
	if (!info)
		return -ENOMEM;
	if (len > room)
		len = room;
	if (put_user((int)len, optlen) || copy_to_user(optval, info, len))
		err = -EFAULT;
	kfree(info);
	return err;
}

static u16 conf(const struct ktls_half *half)
{
	return READ_ONCE(half->cipher) ? TLS_CONF_SW : TLS_CONF_BASE;
}

/* For inet_diag, without the socket lock: numbers may be a moment old. */
int ktls_info_ulp(struct sock *sk, struct sk_buff *skb KTLS_NET_ADMIN)
{
	const struct ktls_cipher *cipher;
	const struct ktls_half *half;
	const struct ktls_sock *ks;
	struct nlattr *nest;
	int err = -EMSGSIZE;

	nest = nla_nest_start_noflag(skb, INET_ULP_INFO_TLS);
	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	ks = ktls_get(sk);
	half = ks && READ_ONCE(ks->phase) == KTLS_PHASE_OPEN ? keyed_half(ks) : NULL;
	cipher = half ? READ_ONCE(half->cipher) : NULL;
	if (cipher && (nla_put_u16(skb, TLS_INFO_VERSION, half->version) ||
		       nla_put_u16(skb, TLS_INFO_CIPHER, cipher->id) ||
		       nla_put_u16(skb, TLS_INFO_TXCONF, conf(&ks->tx)) ||
		       nla_put_u16(skb, TLS_INFO_RXCONF, conf(&ks->rx)) ||
		       (ks->no_pad && nla_put_flag(skb, TLS_INFO_RX_NO_PAD))))
		goto cancel;
	rcu_read_unlock();
	nla_nest_end(skb, nest);
	return 0;
cancel:
	rcu_read_unlock();
	nla_nest_cancel(skb, nest);
	return err;
}

size_t ktls_info_ulp_size(const struct sock *sk KTLS_NET_ADMIN)
{
	return 2 * nla_total_size(0) + 4 * nla_total_size(sizeof(u16));
}
