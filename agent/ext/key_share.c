// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * key_share, RFC 9846 4.2.8. A client keeps the private key of each share that
 * it sent; a server's share and the secret are made in choose.c.
 */
#include "ext/ext.h"
#include <errno.h>
#include <stdlib.h>

/* ---- client */

static int offer_one(struct hs *hs, const struct crypto_group *group, struct wbuf *b)
{
	struct hs_share *s = &hs->shares[hs->shares_num];
	uint8_t share[CRYPTO_MAX_SHARE];
	size_t one;
	int err = group->generate(group, s->priv, share);

	if (err)
		return hs_fail(hs, err, "could not make a %s key", group->name);
	s->group = group;
	hs->shares_num++;
	wbuf_u16(b, group->id);
	one = wbuf_open(b, 2);
	wbuf_bytes(b, share, group->client_share);
	wbuf_close(b, one, 2);
	return 0;
}

/*
 * A hybrid that we want most comes with its classical half, so that a server
 * that knows no more than that needs no retry.
 */
static size_t shares_unless_told(const struct hs *hs, const struct crypto_group **list)
{
	size_t num = 0;

	for (size_t i = 0; i < hs->groups_num; i++)
		if (hs->groups[i]->only != TLS12 && (!num || hs->groups[i] == list[0]->classical))
			list[num++] = hs->groups[i];
	return num;
}

/* After a retry it is the one that was asked for. */
static size_t shares_to_offer(const struct hs *hs, const struct crypto_group **list)
{
	size_t num = 0;

	if (hs->group) {
		list[0] = hs->group;
		return 1;
	}
	if (!hs->params->shares)
		return shares_unless_told(hs, list);
	for (size_t i = 0; i < hs->groups_num && num < hs->params->shares; i++)
		if (hs->groups[i]->only != TLS12)
			list[num++] = hs->groups[i];
	return num;
}

static int offer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	const struct crypto_group *chosen[GROUPS_MAX];
	size_t list = wbuf_open(b, 2), num = shares_to_offer(hs, chosen);
	int err = 0;

	(void)msg;
	if (hs->retry && !hs->group) {	/* a cookie was asked for, and nothing else */
		if (hs->offered_shares.len)
			wbuf_bytes(b, hs->offered_shares.p, hs->offered_shares.len);
		wbuf_close(b, list, 2);
		return 0;
	}
	if (hs->params->grease && !hs->retry) {
		wbuf_u16(b, grease16(hs, GREASE_GROUP));
		wbuf_u16(b, 1);
		wbuf_u8(b, 0);
	}
	hs_forget_shares(hs);
	hs->shares = calloc(num ? num : 1, sizeof(*hs->shares));
	if (!hs->shares)
		return hs_no_memory(hs);
	for (size_t i = 0; !err && i < num; i++)
		err = offer_one(hs, chosen[i], b);
	if (!err && num && !hs->retry && !b->overflow && !gbuf_add(&hs->offered_shares, b->buf + list, b->len - list))
		err = hs_no_memory(hs);
	wbuf_close(b, list, 2);
	return err;
}

static struct hs_share *sent_share(struct hs *hs, uint16_t group)
{
	for (size_t i = 0; i < hs->shares_num; i++)
		if (hs->shares[i].group->id == group)
			return &hs->shares[i];
	return NULL;
}

static int confirm_retry(struct hs *hs, struct rbuf *b)
{
	uint16_t id;

	if (!rbuf_u16(b, &id))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the server's key share is malformed");
	if (!sent_share(hs, id))
		for (size_t i = 0; i < hs->groups_num; i++)
			if (hs->groups[i]->id == id && hs->groups[i]->only != TLS12)
				hs->group = hs->groups[i];
	if (!hs->group)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's retry asks for group %u", id);
	return 0;
}

static int confirm(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct hs_share *sent;
	struct rbuf share;
	uint16_t id;
	int err;

	if (msg == EXT_HRR)
		return confirm_retry(hs, b);
	if (!rbuf_u16(b, &id) || !rbuf_vec16(b, &share))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the server's key share is malformed");
	sent = sent_share(hs, id);
	if (!sent || rbuf_len(&share) != sent->group->server_share)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's key share does not match ours");
	err = sent->group->agree(sent->group, sent->priv, share.p, hs->secret);
	if (err == -EBADMSG)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's %s share is invalid",
			       sent->group->name);
	if (err)
		return hs_fail(hs, err, "could not compute with %s", sent->group->name);
	hs->group = sent->group;
	return 0;
}

/* ---- server */

static bool group_offered(const struct hs *hs, uint16_t id)
{
	struct rbuf list = hs->peer_groups;
	uint16_t v;

	while (rbuf_u16(&list, &v))
		if (v == id)
			return true;
	return false;
}

/* Each share is of an offered group, and there are not two of one. */
static int check_share(struct hs *hs, struct rbuf rest, uint16_t id)
{
	struct rbuf share;
	uint16_t other;

	if (ext_received(hs, EXT_ID_SUPPORTED_GROUPS) && !group_offered(hs, id))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client's share is of a group it does not offer");
	while (rbuf_u16(&rest, &other) && rbuf_vec16(&rest, &share))
		if (other == id)
			return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client sent two shares of one group");
	return 0;
}

static int accept(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf list, share;
	uint16_t id;
	int num = 0, err = 0;

	(void)msg;
	if (!rbuf_vec16(b, &list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the client's key shares are malformed");
	hs->peer_shares = list;
	while (!err && rbuf_len(&list)) {
		if (!rbuf_u16(&list, &id) || !rbuf_vec16(&list, &share) || !rbuf_len(&share))
			return hs_fail(hs, ALERT_DECODE_ERROR, "the client's key shares are malformed");
		if (++num > 64)
			return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client sent too many key shares");
		err = check_share(hs, list, id);
	}
	return err;
}

static int answer(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	size_t one;

	wbuf_u16(b, hs->group->id);
	if (msg == EXT_HRR)
		return 0;
	one = wbuf_open(b, 2);
	wbuf_bytes(b, hs->share, hs->group->server_share);
	wbuf_close(b, one, 2);
	return 0;
}

const struct ext ext_key_share = {
	.name = "key_share", .id = EXT_ID_KEY_SHARE, .in = EXT_CH | EXT_SH | EXT_HRR,
	.only = TLS13, .offer = offer, .accept = accept, .answer = answer, .confirm = confirm,
};
