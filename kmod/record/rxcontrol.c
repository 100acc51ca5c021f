// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control records that came, in a session that an agent keyed. Alerts and
 * KeyUpdate end here; tickets are copied to the agent; anything else holds
 * reading, since the next record may be under other keys, until the agent has
 * answered. Messages that are spread over records are put together first.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "record.h"
#include "../trace.h"

#define UPDATES_FREE	16	/* key updates of the peer beside one per update_records */

static unsigned int update_records = 1024;
module_param(update_records, uint, 0644);
MODULE_PARM_DESC(update_records, "records of a peer that entitle it to one key update");

static int alert(struct sock *sk, const u8 *p, size_t len)
{
	struct ktls_end end = { .err = -EPROTO, .from = KTLS_ALERT_FROM_PEER };
	struct ktls_sock *ks = ktls_get(sk);

	if (len != 2)
		return ktls_rx_fatal(sk, -EPROTO, KTLS_DECODE_ERROR, "the peer sent a malformed alert");
	ktls_stat_add(sk, KTLS_STAT_RxAlerts, 1);
	if (p[1] == KTLS_CLOSE_NOTIFY) {
		WRITE_ONCE(ks->rx_eof, true);
		return 0;
	}
	if (p[1] == KTLS_USER_CANCELED)
		return 0;	/* a close_notify follows */
	/* RFC 9846 6: all others are errors, whatever the level says. */
	end.alert = p[1];
	return ktls_rx_end_by(sk, &end);
}

/* Reading stops at this record until ktls_rx_resume(). */
static int hold(struct sock *sk, u8 type, const u8 *p, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err;

	WRITE_ONCE(ks->rx_held, true);
	err = ktls_upcall_record(sk, KTLS_WHY_RECORD, type, p, len);
	if (err)
		return ktls_rx_fatal(sk, -ECONNABORTED, KTLS_INTERNAL_ERROR,
				     "a handshake message came, and the agent could not be asked");
	return 0;
}

static int renew_rx(struct sock *sk)
{
	struct ktls_sock *ks = ktls_get(sk);
	struct ktls_half new = { };
	int err = ktls_half_init(&new, ks->rx_next);

	if (err)
		return err;
	ktls_half_renew(&ks->rx, &new, &ks->rx_next);
	ks->rx_generation++;
	ktls_stat_add(sk, KTLS_STAT_RxRekeys, 1);
	trace_ktls_key_update(ks->cookie, KTLS_TRACE_RX, ks->rx_generation);
	return 0;
}

/* Our own update, if asked for, goes out before anything else we send. */
static bool may_answer(const struct sock *sk)
{
	return !ktls_get(sk)->tx_closed && !(sk->sk_shutdown & SEND_SHUTDOWN);
}

static int answer_update(struct sock *sk)
{
	int err = ktls_tx_rekey(sk, false);

	if (!err)
		ktls_tx_force(sk);
	return err;
}

/* RFC 9846 4.7.3 */
static int update_keys(struct sock *sk, bool requested, const u8 *p, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	bool answer = requested && may_answer(sk);
	int err;

	if (ks->rx_generation >= UPDATES_FREE + div_u64(ks->rx_records, READ_ONCE(update_records) ?: 1))
		return ktls_rx_fatal(sk, -EPROTO, KTLS_UNEXPECTED_MESSAGE, "the peer updates its keys too often");
	if (!ks->rx_next || (answer && !ks->tx_next))
		return hold(sk, KTLS_MESSAGE, p, len);
	err = renew_rx(sk);
	if (!err && answer)
		err = answer_update(sk);
	if (err)
		return ktls_rx_fatal(sk, -ECONNABORTED, KTLS_INTERNAL_ERROR,
				     "the peer's key update could not be followed or answered");
	ktls_spares_ask(sk);
	return 0;
}

int ktls_rx_held_update(struct sock *sk, const u8 *p, size_t len, bool has_rx, bool has_tx)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = 0;

	if (len != KTLS_KEY_UPDATE_LEN || *p != KTLS_KEY_UPDATE)
		return 0;
	if (!has_rx && ks->rx_next)
		err = renew_rx(sk);
	if (!err && !has_tx && ks->tx_next && p[len - 1] && may_answer(sk))
		err = answer_update(sk);
	return err;
}

/* A full queue drops the ticket: the peer's offer need not be taken. */
static void tickets(struct sock *sk, const u8 *p, size_t len)
{
	size_t n;

	for (; len >= KTLS_MESSAGE_HEADER && *p == KTLS_NEW_SESSION_TICKET; p += n, len -= n) {
		n = ktls_message_len(p);
		ktls_upcall_record(sk, KTLS_WHY_TICKET, KTLS_MESSAGE, p, n);
	}
}

void ktls_rx_part_free(struct ktls_sock *ks)
{
	kfree_sensitive(ks->rx_part);
	ks->rx_part = NULL;
	ks->rx_part_len = 0;
}

/* A message may be spread over records of any size; nothing else may come between them (RFC 9846 5.1). */
static int part_add(struct ktls_sock *ks, const u8 *p, size_t len)
{
	size_t all = ks->rx_part_len + len;
	u8 *part;

	if (all > KTLS_MESSAGES_MAX)
		return -EMSGSIZE;
	part = kmalloc(all, GFP_KERNEL_ACCOUNT);
	if (!part)
		return -ENOMEM;
	memcpy(part, ks->rx_part, ks->rx_part_len);
	memcpy(part + ks->rx_part_len, p, len);
	ktls_rx_part_free(ks);
	ks->rx_part = part;
	ks->rx_part_len = all;
	return 0;
}

static int no_room(struct sock *sk, int err)
{
	if (err == -EMSGSIZE)
		return ktls_rx_fatal(sk, -EPROTO, KTLS_ILLEGAL_PARAMETER, "the peer sent handshake messages too long to be kept");
	return ktls_rx_fatal(sk, -ECONNABORTED, KTLS_INTERNAL_ERROR, "no memory for a handshake message of the peer");
}

int ktls_rx_held_more(struct sock *sk, const u8 *p, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	int err = part_add(ks, p, len);

	if (err)
		return no_room(sk, err);
	WRITE_ONCE(ks->rx_held, false);
	return 0;
}

/* @p is whole messages. */
static int whole_messages(struct sock *sk, enum ktls_messages kind, u8 requested, const u8 *p, size_t len)
{
	if (kind == KTLS_MSG_OTHER)
		return hold(sk, KTLS_MESSAGE, p, len);
	if (*p == KTLS_NEW_SESSION_TICKET && ktls_get(sk)->role == KTLS_ROLE_SERVER)
		return ktls_rx_fatal(sk, -EPROTO, KTLS_UNEXPECTED_MESSAGE, "the peer, a client, sent a ticket");
	tickets(sk, p, len);
	if (kind == KTLS_MSG_TICKETS)
		return 0;
	return update_keys(sk, requested, p + len - KTLS_KEY_UPDATE_LEN, KTLS_KEY_UPDATE_LEN);
}

static int messages(struct sock *sk, const u8 *p, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	bool more = ks->rx_part;
	enum ktls_messages kind;
	u8 requested = 0;
	int err = 0;

	if (more && len) {
		err = part_add(ks, p, len);
		p = ks->rx_part;
		len = ks->rx_part_len;
	}
	if (err)
		return no_room(sk, err);
	err = ktls_messages_sort(p, len, &kind, &requested);
	if (err)
		return ktls_rx_fatal(sk, -EPROTO, err, "the peer sent a malformed handshake message");
	if (kind == KTLS_MSG_PART) {
		err = more ? 0 : part_add(ks, p, len);
		return err ? no_room(sk, err) : 0;
	}
	err = whole_messages(sk, kind, requested, p, len);
	ktls_rx_part_free(ks);
	return err;
}

/* What mainline notices itself: behind a KeyUpdate nothing can be opened until TLS_RX brings new keys. */
void ktls_rx_notice(struct sock *sk, u8 type, const u8 *p, size_t len)
{
	struct ktls_sock *ks = ktls_get(sk);
	enum ktls_messages kind;
	u8 requested;

	if (type != KTLS_MESSAGE || !ks->rx.format->updates || !len)
		return;
	if (*p != KTLS_KEY_UPDATE &&
	    (ktls_messages_sort(p, len, &kind, &requested) || kind != KTLS_MSG_UPDATE))
		return;
	WRITE_ONCE(ks->rx_update, true);
	ktls_stat_add(sk, KTLS_STAT_RxRekeysDue, 1);
}

int ktls_rx_control(struct sock *sk, u8 type, const u8 *p, size_t len)
{
	if (ktls_get(sk)->rx_part && type != KTLS_MESSAGE)
		return ktls_rx_fatal(sk, -EPROTO, KTLS_UNEXPECTED_MESSAGE,
				     "the peer sent another record inside a handshake message");
	switch (type) {
	case KTLS_ALERT:
		return alert(sk, p, len);
	case KTLS_MESSAGE:
		return messages(sk, p, len);
	}
	return ktls_rx_fatal(sk, -EPROTO, KTLS_UNEXPECTED_MESSAGE, "the peer sent a record of unknown type");
}
