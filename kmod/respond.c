// SPDX-License-Identifier: GPL-2.0-only
/*
 * RESPOND: an agent's answer, applied to the session as one unit or not at
 * all. Everything that can fail (parsing, key set-up, memory) is done before
 * the socket is locked; the swap itself cannot (a key update left to the
 * spares can: the session fails then). The whole message is wiped before we
 * return, whatever became of it: it holds keys and agent state.
 */
#include <net/genetlink.h>
#include "crypto/aead.h"
#include "record/format.h"
#include "upcall.h"
#include "trace.h"

struct response {
	struct ktls_upcall	*upcall;
	int			error;
	u8			alert, alert_from, post_auth;
	bool			has_tx, has_rx, has_generation;
	u32			tx_generation;
	struct ktls_half	tx, rx;
	struct ktls_keys	*tx_next, *rx_next;
	void			*state, *info;
	u16			state_len, info_len, suite, tx_limit, rx_limit, tx_pad;
	const char		*reason;
	const struct nlmsghdr	*nlh;		/* records are read from here */
};

static const struct nla_policy key_policy[KTLS_K_MAX + 1] = {
	[KTLS_K_VERSION]	= { .type = NLA_U16 },
	[KTLS_K_CIPHER]		= { .type = NLA_U16 },
	[KTLS_K_KEY]		= NLA_POLICY_RANGE(NLA_BINARY, 16, KTLS_MAX_KEY),
	[KTLS_K_IV]		= NLA_POLICY_EXACT_LEN(KTLS_IV_SIZE),
	[KTLS_K_SEQ]		= { .type = NLA_U64 },
};

static const struct nla_policy record_policy[KTLS_R_MAX + 1] = {
	[KTLS_R_TYPE]		= NLA_POLICY_RANGE(NLA_U8, 20, 24),
	[KTLS_R_DATA]		= NLA_POLICY_RANGE(NLA_BINARY, 1, KTLS_MAX_RECORD),
};

static const struct nla_policy policy[KTLS_A_MAX + 1] = {
	[KTLS_A_UPCALL]		= { .type = NLA_U64 },
	[KTLS_A_ERRNO]		= NLA_POLICY_RANGE(NLA_S32, -4095, 0),
	[KTLS_A_ALERT]		= NLA_POLICY_MAX(NLA_U32, 255),
	[KTLS_A_ALERT_FROM]	= NLA_POLICY_MAX(NLA_U32, KTLS_ALERT_FROM_PEER),
	[KTLS_A_REASON]		= { .type = NLA_NUL_STRING, .len = KTLS_MAX_REASON },
	[KTLS_A_RECORD]		= NLA_POLICY_NESTED(record_policy),
	[KTLS_A_TX]		= NLA_POLICY_NESTED(key_policy),
	[KTLS_A_RX]		= NLA_POLICY_NESTED(key_policy),
	[KTLS_A_TX_NEXT]	= NLA_POLICY_NESTED(key_policy),
	[KTLS_A_RX_NEXT]	= NLA_POLICY_NESTED(key_policy),
	[KTLS_A_STATE]		= { .type = NLA_BINARY, .len = KTLS_MAX_STATE },
	[KTLS_A_INFO]		= { .type = NLA_BINARY, .len = KTLS_MAX_INFO },
	[KTLS_A_TX_GENERATION]	= { .type = NLA_U32 },
	[KTLS_A_PAD]		= { .type = NLA_REJECT },
	[KTLS_A_TX_LIMIT]	= NLA_POLICY_RANGE(NLA_U16, 63, 16384),
	[KTLS_A_RX_LIMIT]	= NLA_POLICY_RANGE(NLA_U16, 63, 16384),
	[KTLS_A_TX_PAD]		= NLA_POLICY_RANGE(NLA_U16, 1, 16384),
	[KTLS_A_POST_AUTH]	= NLA_POLICY_MAX(NLA_U32, KTLS_POST_AUTH_ANSWERED),
};

/* ---- parsing */

static int key_parse(struct ktls_keys *keys, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KTLS_K_MAX + 1];
	const struct ktls_cipher *cipher;
	int err;

	err = nla_parse_nested(tb, KTLS_K_MAX, attr, key_policy, extack);
	if (err)
		return err;
	if (!tb[KTLS_K_VERSION] || !tb[KTLS_K_CIPHER] || !tb[KTLS_K_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a key needs version, cipher and key");
		return -EINVAL;
	}
	keys->version = nla_get_u16(tb[KTLS_K_VERSION]);
	keys->cipher = nla_get_u16(tb[KTLS_K_CIPHER]);
	cipher = ktls_cipher_find(keys->cipher);
	if (!cipher) {
		NL_SET_ERR_MSG_ATTR(extack, tb[KTLS_K_CIPHER], "unknown cipher");
		return -EOPNOTSUPP;
	}
	if (nla_len(tb[KTLS_K_KEY]) != cipher->key) {
		NL_SET_ERR_MSG_ATTR(extack, tb[KTLS_K_KEY], "key length does not fit the cipher");
		return -EINVAL;
	}
	if (!tb[KTLS_K_IV] && cipher->iv) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "this cipher needs an iv");
		return -EINVAL;
	}
	memcpy(keys->key, nla_data(tb[KTLS_K_KEY]), cipher->key);
	if (cipher->iv)
		memcpy(keys->iv, nla_data(tb[KTLS_K_IV]), KTLS_IV_SIZE);
	keys->seq = tb[KTLS_K_SEQ] ? nla_get_u64(tb[KTLS_K_SEQ]) : 0;
	return 0;
}

static int half_parse(struct ktls_half *half, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct ktls_keys keys = {};
	int err;

	err = key_parse(&keys, attr, extack);
	if (!err) {
		err = ktls_half_init(half, &keys);
		if (err)
			NL_SET_ERR_MSG_ATTR(extack, attr, "this kernel refuses the cipher, version or key");
	}
	memzero_explicit(&keys, sizeof(keys));
	return err;
}

static int direction_parse(struct ktls_half *half, bool *has, const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	int err;

	if (!attr)
		return 0;
	err = half_parse(half, attr, extack);
	*has = !err;
	return err;
}

/* A spare stays raw, which is small, until it is needed. */
static int spare_parse(struct ktls_keys **ret, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct ktls_keys keys = {};
	int err;

	err = key_parse(&keys, attr, extack);
	if (!err && !ktls_keys_valid(&keys)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "unknown version, or a cipher that it doesn't have");
		err = -EINVAL;
	}
	if (!err) {
		*ret = kmemdup(&keys, offsetof(struct ktls_keys, key) + ktls_cipher_find(keys.cipher)->key,
			       GFP_KERNEL_ACCOUNT);
		err = *ret ? 0 : -ENOMEM;
	}
	memzero_explicit(&keys, sizeof(keys));
	return err;
}

/* All of @type, in their order. What was parsed before an error is the caller's, too. */
static int spares_parse(struct ktls_keys **ret, const struct nlmsghdr *nlh, int type, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rest, err, n = 0;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != type)
			continue;
		if (n++ == KTLS_MAX_SPARES) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "too many spares");
			return -EMSGSIZE;
		}
		err = spare_parse(ret, attr, extack);
		if (err)
			return err;
		ret = &(*ret)->next;
	}
	return 0;
}

static int keys_parse(struct response *r, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	return direction_parse(&r->tx, &r->has_tx, tb[KTLS_A_TX], extack) ?:
	       direction_parse(&r->rx, &r->has_rx, tb[KTLS_A_RX], extack) ?:
	       spares_parse(&r->tx_next, r->nlh, KTLS_A_TX_NEXT, extack) ?:
	       spares_parse(&r->rx_next, r->nlh, KTLS_A_RX_NEXT, extack);
}

static int blob_parse(void **ret, u16 *ret_len, const struct nlattr *attr)
{
	void *copy;

	if (!attr || !nla_len(attr))
		return 0;
	copy = kmemdup(nla_data(attr), nla_len(attr), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	*ret_len = nla_len(attr);
	return 0;
}

/* Of the agent's info the module reads the suite, for SESSION_GET. */
static int info_parse(struct response *r, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const struct nlattr *suite;

	if (!attr)
		return 0;
	suite = nla_find_nested(attr, KTLS_I_SUITE);
	if (suite && nla_len(suite) == sizeof(u16))
		r->suite = nla_get_u16(suite);
	return blob_parse(&r->info, &r->info_len, attr);
}

static int records_check(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KTLS_R_MAX + 1];
	const struct nlattr *attr;
	int rest, err;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != KTLS_A_RECORD)
			continue;
		err = nla_parse_nested(tb, KTLS_R_MAX, attr, record_policy, extack);
		if (err)
			return err;
		if (!tb[KTLS_R_TYPE] || !tb[KTLS_R_DATA]) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "a record needs type and data");
			return -EINVAL;
		}
	}
	return 0;
}

static int response_parse(struct response *r, struct nlattr **tb, struct genl_info *info)
{
	int err;

	r->nlh = info->nlhdr;
	r->error = tb[KTLS_A_ERRNO] ? nla_get_s32(tb[KTLS_A_ERRNO]) : 0;
	r->alert = tb[KTLS_A_ALERT] ? nla_get_u32(tb[KTLS_A_ALERT]) : 0;
	r->alert_from = tb[KTLS_A_ALERT_FROM] ? nla_get_u32(tb[KTLS_A_ALERT_FROM]) : 0;
	r->tx_limit = tb[KTLS_A_TX_LIMIT] ? nla_get_u16(tb[KTLS_A_TX_LIMIT]) : 0;
	r->rx_limit = tb[KTLS_A_RX_LIMIT] ? nla_get_u16(tb[KTLS_A_RX_LIMIT]) : 0;
	r->tx_pad = tb[KTLS_A_TX_PAD] ? nla_get_u16(tb[KTLS_A_TX_PAD]) : 0;
	r->post_auth = tb[KTLS_A_POST_AUTH] ? nla_get_u32(tb[KTLS_A_POST_AUTH]) : 0;
	r->has_generation = tb[KTLS_A_TX_GENERATION];
	r->tx_generation = r->has_generation ? nla_get_u32(tb[KTLS_A_TX_GENERATION]) : 0;
	r->reason = tb[KTLS_A_REASON] ? nla_data(tb[KTLS_A_REASON]) : NULL;
	if (!r->error && r->upcall->why == KTLS_WHY_HANDSHAKE &&
	    (!tb[KTLS_A_TX] || !tb[KTLS_A_RX] || tb[KTLS_A_RECORD])) {
		NL_SET_ERR_MSG(info->extack, "a finished handshake has tx and rx keys, and no records before them");
		return -EINVAL;
	}
	err = records_check(r->nlh, info->extack);
	if (err || r->error)
		return err;
	return blob_parse(&r->state, &r->state_len, tb[KTLS_A_STATE]) ?:
	       info_parse(r, tb[KTLS_A_INFO], info->extack) ?:
	       keys_parse(r, tb, info->extack);
}

/* What was parsed and is not the session's now. */
static void response_free(struct response *r)
{
	if (r->has_tx)
		ktls_half_wipe(&r->tx);
	if (r->has_rx)
		ktls_half_wipe(&r->rx);
	ktls_spares_free(&r->tx_next);
	ktls_spares_free(&r->rx_next);
	kfree_sensitive(r->state);
	kfree(r->info);
	memzero_explicit(r, sizeof(*r));
}

/* ---- applying; socket lock held. What is swapped out is freed with the response. */

/* In as many records as it takes. */
static int record_send(struct sock *sk, u8 type, const u8 *data, size_t len)
{
	size_t limit = ktls_get(sk)->tx_limit ?: KTLS_PLAIN_MAX, n;
	int err = 0;

	for (; len && !err; data += n, len -= n) {
		n = min(len, limit);
		err = ktls_tx_control(sk, type, data, n);
	}
	return err;
}

static int records_send(struct sock *sk, const struct nlmsghdr *nlh)
{
	struct nlattr *tb[KTLS_R_MAX + 1];
	const struct nlattr *attr;
	int rest, err = 0;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (err || nla_type(attr) != KTLS_A_RECORD ||
		    nla_parse_nested(tb, KTLS_R_MAX, attr, record_policy, NULL))
			continue;
		err = record_send(sk, nla_get_u8(tb[KTLS_R_TYPE]),
				  nla_data(tb[KTLS_R_DATA]), nla_len(tb[KTLS_R_DATA]));
	}
	return err;
}

/*
 * One direction. Spares follow the key of this response or, alone, those that
 * the session had when the agent was told of it, @told, the newest's
 * generation: any other might be in use, and would start again at record 0.
 */
static void direction_apply(struct ktls_half *half, struct ktls_keys **next, u8 *full, u32 generation,
			    struct ktls_half *new, struct ktls_keys **new_next, u32 told)
{
	unsigned int has = ktls_spares_count(*next);

	if (new) {
		swap(*half, *new);
		swap(*next, *new_next);
	} else if (*new_next && generation + has == told) {
		while (*next)
			next = &(*next)->next;
		swap(*next, *new_next);
	} else {
		return;
	}
	*full = (new ? 0 : has) + ktls_spares_count(*next);
}

static void keys_apply(struct sock *sk, struct response *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_upcall *u = r->upcall;

	direction_apply(&ks->tx, &ks->tx_next, &ks->tx_spares, ks->tx_generation,
			r->has_tx ? &r->tx : NULL, &r->tx_next, u->tx_newest);
	direction_apply(&ks->rx, &ks->rx_next, &ks->rx_spares, ks->rx_generation,
			r->has_rx ? &r->rx : NULL, &r->rx_next, u->rx_newest);
	if (ks->phase != KTLS_PHASE_OPEN)
		return;
	ks->tx_generation += r->has_tx;
	ks->rx_generation += r->has_rx;
	ktls_stat_add(sk, KTLS_STAT_TxRekeys, r->has_tx);
	ktls_stat_add(sk, KTLS_STAT_RxRekeys, r->has_rx);
	if (r->has_tx)
		trace_ktls_key_update(ks->cookie, KTLS_TRACE_TX, ks->tx_generation);
	if (r->has_rx)
		trace_ktls_key_update(ks->cookie, KTLS_TRACE_RX, ks->rx_generation);
}

/* Used while the agent worked on this upcall, when it could not be asked. */
static bool moved_on(const struct ktls_sock *ks, const struct ktls_upcall *u)
{
	return ks->tx_generation != u->tx_generation || ks->rx_generation != u->rx_generation;
}

static void words_apply(struct ktls_sock *ks, struct response *r)
{
	if (r->tx_limit)
		ks->tx_limit = r->tx_limit;
	if (r->rx_limit)
		ks->rx_limit = r->rx_limit;
	if (r->tx_pad)
		ks->tx_pad = r->tx_pad;
	if (r->state) {
		swap(ks->state, r->state);
		swap(ks->state_len, r->state_len);
	}
	if (r->info) {
		swap(ks->info, r->info);
		swap(ks->info_len, r->info_len);
		if (r->suite)
			ks->suite = r->suite;
	}
}

static int record_release(struct sock *sk, const struct response *r)
{
	struct ktls_upcall *u = r->upcall;
	int err;

	if (r->post_auth == KTLS_POST_AUTH_MORE)
		return ktls_rx_held_more(sk, u->data, u->len);
	err = ktls_rx_held_update(sk, u->data, u->len, r->has_rx, r->has_tx);
	if (err)
		ktls_fail(sk, -ECONNABORTED, KTLS_INTERNAL_ERROR, KTLS_ALERT_FROM_LOCAL,
			  "the peer's key update could not be followed or answered");
	else
		WRITE_ONCE(ktls_get(sk)->rx_held, false);
	return err;
}

/* May it be applied as it is? Else the upcall is offered again. */
static int response_check(struct sock *sk, struct response *r)
{
	const struct ktls_sock *ks = ktls_get(sk);

	if (r->error || ks->phase != KTLS_PHASE_OPEN)
		return 0;
	if (r->has_generation && r->tx_generation != ks->tx_generation)
		return -ESTALE;
	return r->info && ks->info ? ktls_auth_merge_info(ks, &r->info, &r->info_len) : 0;
}

/* Should a KeyUpdate or a Finished be lost, the peer could follow no more. */
static void response_send(struct sock *sk, const struct response *r)
{
	int err = ktls_get(sk)->phase == KTLS_PHASE_OPEN ? records_send(sk, r->nlh) : 0;

	if (err && err != -EPIPE && !r->error)
		ktls_fail(sk, -ECONNABORTED, KTLS_INTERNAL_ERROR, KTLS_ALERT_FROM_LOCAL,
			  "the agent's answer to the peer could not be sent");
}

static void go_on(struct sock *sk, const struct ktls_upcall *u)
{
	if (u->why != KTLS_WHY_TICKET && moved_on(ktls_get(sk), u))
		ktls_spares_ask(sk);
	ktls_rekey_resume(sk);
	ktls_auth_resume(sk);
	ktls_rx_resume(sk);
}

static void response_apply(struct sock *sk, struct response *r)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_upcall *u = r->upcall;
	bool refused = r->error && u->why == KTLS_WHY_REQUEST;

	response_send(sk, r);
	if (r->error && !refused)
		ktls_fail(sk, r->error, r->alert, r->alert_from, r->reason);
	if (ks->phase == KTLS_PHASE_DEAD)
		return;
	if (!refused) {
		keys_apply(sk, r);
		words_apply(ks, r);
	}
	ktls_upcall_end(sk, u);
	ktls_auth_responded(sk, u, r->post_auth, r->error);
	if (u->why == KTLS_WHY_HANDSHAKE)
		ktls_opened(sk);
	else if (u->why != KTLS_WHY_RECORD || !record_release(sk, r))
		go_on(sk, u);
}

static int response_deliver(struct response *r, u32 portid)
{
	struct sock *sk = ktls_upcall_lock_sock(r->upcall);
	int err;

	if (!sk)
		return -ENOENT;
	err = r->upcall->portid == portid ? response_check(sk, r) : -EPERM;	/* given to another meanwhile */
	if (!err)
		response_apply(sk, r);
	else if (err != -EPERM)
		ktls_upcall_abandon(sk, r->upcall);
	ktls_upcall_unlock_sock(sk);
	return err;
}

static struct ktls_upcall *upcall_of(struct nlattr **tb, struct genl_info *info)
{
	struct ktls_net *kn = ktls_pernet(genl_info_net(info));
	struct ktls_upcall *u;

	if (!tb[KTLS_A_UPCALL]) {
		NL_SET_ERR_MSG(info->extack, "which upcall?");
		return ERR_PTR(-EINVAL);
	}
	u = ktls_upcall_find(kn, nla_get_u64(tb[KTLS_A_UPCALL]), info->snd_portid);
	if (u == ERR_PTR(-ENOENT))
		NL_SET_ERR_MSG(info->extack, "no such upcall, or it is over");
	else if (u == ERR_PTR(-EPERM))
		NL_SET_ERR_MSG(info->extack, "another agent holds this upcall");
	return u;
}

static int respond(struct nlattr **tb, struct genl_info *info)
{
	struct response r = {};
	int err;

	r.upcall = upcall_of(tb, info);
	if (IS_ERR(r.upcall))
		return PTR_ERR(r.upcall);
	err = response_parse(&r, tb, info) ?: response_deliver(&r, info->snd_portid);
	ktls_upcall_put(r.upcall);
	response_free(&r);
	return err;
}

int ktls_respond(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **tb = kcalloc(KTLS_A_MAX + 1, sizeof(*tb), GFP_KERNEL);
	int err = -ENOMEM;

	if (tb) {
		err = nlmsg_parse(info->nlhdr, GENL_HDRLEN, tb, KTLS_A_MAX, policy, info->extack);
		if (!err)
			err = respond(tb, info);
	}
	kfree(tb);
	memzero_explicit(genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr));
	return err;
}
