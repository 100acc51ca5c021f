/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * epoll, not io_uring: a worker parses what strangers send, and system calls
 * by io_uring would go round its seccomp filter. Each wake-up does a bounded
 * part of every conn's work, so a slow, silent or busy peer costs nobody else
 * anything. A multicast may be lost: pending upcalls are looked for at the
 * start, when READY is heard, when its queue overran, and once a second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "loop.h"
#include "relay.h"
#include "sessions.h"
#include "worker.h"

#define ACCEPTS_MAX	8	/* per wake-up: other workers want some, too */
#define EVENTS_MAX	64
#define MESSAGES_MAX	64
#define TICK_MS		1000

enum { ON_NETLINK, ON_KEEPER, ON_RELAY, ON_CONN };	/* ON_CONN + slot */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* ---- what conns call */

static int respond(void *arg, const struct reply *reply)
{
	struct loop *l = arg;

	return reply->id & RELAY_ID ? relay_respond(l->relay, reply) : netlink_respond(&l->nl, reply);
}

static int watch(struct loop *l, int op, int fd, uint32_t events, uint64_t what)
{
	struct epoll_event ev = { .events = events, .data.u64 = what };

	return epoll_ctl(l->epoll, op, fd, &ev) ? -errno : 0;
}

static void wait_for_keeper(struct loop *l)
{
	if (!l->blocked)
		watch(l, EPOLL_CTL_MOD, l->keeper, EPOLLIN | EPOLLOUT, ON_KEEPER);
	l->blocked = true;
}

/* In the shorter of two messages that it fits into. */
static int send_tbs(struct loop *l, const struct msg_sign *head, const struct hs_sign *s)
{
	struct msg_sign_long m = {
		.type = MSG_SIGN_LONG, .key = head->key, .id = head->id, .deadline = head->deadline,
		.scheme = head->scheme, .len = s->len,
	};

	if (s->len > sizeof(m.tbs))
		return -EMSGSIZE;
	memcpy(m.tbs, s->tbs, s->len);
	return msg_send(l->keeper, &m);
}

static int sign(void *arg, uint64_t request, uint64_t deadline, const struct hs_sign *s)
{
	struct msg_sign m = {
		.type = MSG_SIGN, .key = s->identity->key | (s->delegated ? SIGN_DELEGATED : 0), .id = request, .deadline = deadline,
		.scheme = s->scheme->id,
	};
	struct loop *l = arg;
	int err;

	if (s->len > sizeof(m.tbs)) {
		err = send_tbs(l, &m, s);
	} else {
		m.len = s->len;
		memcpy(m.tbs, s->tbs, s->len);
		err = msg_send(l->keeper, &m);
	}
	if (err == -EAGAIN)
		wait_for_keeper(l);
	return err;
}

/* Best effort: the log line has it anyway. */
static void failed(void *arg, const struct msg_failure *failure)
{
	struct loop *l = arg;

	msg_send(l->keeper, failure);
}

static int ticket_get(void *arg, uint64_t request, const uint8_t store_key[HS_CONTEXT])
{
	struct msg_ticket_get m = { .type = MSG_TICKET_GET, .id = request };
	struct loop *l = arg;

	memcpy(m.store_key, store_key, sizeof(m.store_key));
	return msg_send(l->keeper, &m);
}

static int fresh(void *arg, uint64_t request, const uint8_t id[32])
{
	struct msg_fresh_ask m = { .type = MSG_FRESH_ASK, .id = request };
	struct loop *l = arg;

	memcpy(m.ticket, id, sizeof(m.ticket));
	return msg_send(l->keeper, &m);
}

static void ticket_put(void *arg, const struct msg_ticket_put *m)
{
	struct loop *l = arg;

	msg_send(l->keeper, m);
}

static int identity_get(void *arg, const struct msg_identity_get *m)
{
	struct loop *l = arg;
	int err = msg_send(l->keeper, m);

	if (err == -EAGAIN)
		wait_for_keeper(l);
	return err;
}

/* ---- conns */

static uint32_t slot_of(uint64_t request)
{
	return request & 0xffff;
}

static void drop(struct loop *l, struct conn *c)
{
	uint32_t slot = slot_of(c->request);

	l->conns[slot] = NULL;
	l->free_slots[l->free_num++] = slot;
	conn_free(c);
	l->pending = true;	/* may have waited for the slot */
}

static void arm(struct loop *l, struct conn *c, int op)
{
	if (c->fd < 0 || (op == EPOLL_CTL_MOD && c->armed == c->events))
		return;
	c->armed = c->events;
	watch(l, op, c->fd, c->events, ON_CONN + slot_of(c->request));
}

static void step(struct loop *l, struct conn *c, int op, uint64_t now)
{
	if (conn_step(c, now))
		arm(l, c, op);
	else
		drop(l, c);
}

static void on_conn(struct loop *l, uint32_t slot, uint32_t events, uint64_t now)
{
	struct conn *c = slot < l->slots ? l->conns[slot] : NULL;

	if (!c)
		return;
	if (!c->events && events & (EPOLLHUP | EPOLLERR)) {
		conn_hangup(c, now);
		drop(l, c);
		return;
	}
	step(l, c, EPOLL_CTL_MOD, now);
}

static void on_signed(struct loop *l, const struct msg_signed *m, uint64_t now)
{
	uint32_t slot = slot_of(m->id);
	struct conn *c = slot < l->slots ? l->conns[slot] : NULL;

	if (!c || c->request != m->id)
		return;		/* ended meanwhile */
	if (conn_signed(c, m, now))
		arm(l, c, EPOLL_CTL_MOD);
	else
		drop(l, c);
}

static void on_ticket(struct loop *l, const struct msg_ticket *m, uint64_t now)
{
	uint32_t slot = slot_of(m->id);
	struct conn *c = slot < l->slots ? l->conns[slot] : NULL;

	if (!c || c->request != m->id)
		return;
	if (conn_ticket(c, m, now))
		arm(l, c, EPOLL_CTL_MOD);
	else
		drop(l, c);
}

static void on_fresh(struct loop *l, const struct msg_fresh *m, uint64_t now)
{
	uint32_t slot = slot_of(m->id);
	struct conn *c = slot < l->slots ? l->conns[slot] : NULL;

	if (!c || c->request != m->id)
		return;
	if (conn_fresh(c, m, now))
		arm(l, c, EPOLL_CTL_MOD);
	else
		drop(l, c);
}

static void on_identity(struct loop *l, const struct msg_identity *m, uint64_t now)
{
	uint32_t slot = slot_of(m->id);
	struct conn *c = slot < l->slots ? l->conns[slot] : NULL;

	if (!c || c->request != m->id)
		return;
	if (conn_identity(c, m, now))
		arm(l, c, EPOLL_CTL_MOD);
	else
		drop(l, c);
}

/* ---- the keeper */

static bool has_to_ask(const struct conn *c)
{
	return (hs_state(c->hs) == HS_SIGN && !c->signing) || hs_state(c->hs) == HS_PREPARE;
}

static void ask_again(struct loop *l, uint64_t now)
{
	uint32_t i;

	l->blocked = false;
	watch(l, EPOLL_CTL_MOD, l->keeper, EPOLLIN, ON_KEEPER);
	for (i = 0; i < l->slots && !l->blocked; i++)
		if (l->conns[i] && has_to_ask(l->conns[i]))
			step(l, l->conns[i], EPOLL_CTL_MOD, now);
}

static void retire(struct loop *l)
{
	l->retiring = true;
	if (l->relay)
		relay_retire(l->relay);
}

static void on_keeper(struct loop *l, uint32_t events, uint64_t now)
{
	union msg m;
	int i, err = 0;

	for (i = 0; i < MESSAGES_MAX && !err; i++) {
		err = msg_recv(l->keeper, &m);
		if (!err && m.type == MSG_SIGNED)
			on_signed(l, &m.signd, now);
		else if (!err && m.type == MSG_TICKET)
			on_ticket(l, &m.ticket, now);
		else if (!err && m.type == MSG_FRESH)
			on_fresh(l, &m.fresh, now);
		else if (!err && m.type == MSG_TICKET_KEYS)
			l->env.ticket_keys = m.ticket_keys.keys;
		else if (!err && m.type == MSG_IDENTITY)
			on_identity(l, &m.identity, now);
		else if (!err && m.type == MSG_GONE && l->env.cache)
			cache_forget(l->env.cache, &m.gone);
		else if (!err && m.type == MSG_STAPLE)
			staples_take(l->env.config, &m.staple);
		else if (!err && m.type == MSG_RETIRE)
			retire(l);
	}
	if (err && err != -EAGAIN)
		l->over = err;
	if (events & EPOLLOUT && l->blocked)
		ask_again(l, now);
}

static void tell_counters(struct loop *l)
{
	struct msg_counters m = {
		.type = MSG_COUNTERS, .conns = l->slots - l->free_num,
		.accepted = l->env.count.accepted, .done = l->env.count.done,
		.resumed = l->env.count.resumed, .failed = l->env.count.failed, .other = l->env.count.other,
	};

	if (memcmp(&m, &l->told, sizeof(m)) && !msg_send(l->keeper, &m))
		l->told = m;
}

/* ---- the kernel */

static void open_conn(struct loop *l, const struct upcall *up, uint64_t now)
{
	uint32_t slot = l->free_slots[l->free_num - 1];
	uint64_t number = ++l->serial << 16 | slot;
	bool handshake = up->why == KTLS_WHY_HANDSHAKE;
	struct conn *c = handshake ? conn_open(&l->env, up, number, now) : session_upcall(&l->env, up, number, now);

	if (!c)
		return;
	l->free_num--;
	l->conns[slot] = c;
	if (c->deadline < l->next_deadline)
		l->next_deadline = c->deadline;
	if (handshake)
		step(l, c, EPOLL_CTL_ADD, now);
}

static void serve(struct loop *l, const struct upcall *up, uint64_t now)
{
	l->env.count.accepted++;
	if (up->why != KTLS_WHY_HANDSHAKE && up->channel >= 0)
		close(up->channel);
	open_conn(l, up, now);
}

static void accept_pending(struct loop *l, uint64_t now)
{
	struct upcall up;
	int i, err;

	for (i = 0; i < ACCEPTS_MAX && l->joined && l->pending && l->free_num && !l->retiring; i++) {
		err = netlink_accept(&l->nl, &up);
		if (!err)
			serve(l, &up, now);
		else if (err == -EAGAIN || err == -ENOBUFS || err == -EMFILE)
			l->pending = false;
		else
			l->over = err;
		if (l->over)
			return;
	}
}

/* One at a time, and as many more as there are rounds. */
static void serve_relay(struct loop *l, uint64_t now)
{
	struct upcall up;

	if (!relay_run(l->relay, &up))
		return;
	if (l->free_num) {
		serve(l, &up, now);
		return;
	}
	close(up.channel);
	relay_respond(l->relay, &(struct reply){ .id = up.id, .err = -EBUSY, .alert = -1 });
}

/* ---- time */

static void expire(struct loop *l, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < l->slots; i++) {
		struct conn *c = l->conns[i];

		if (c && c->deadline <= now) {
			conn_expire(c, now);
			drop(l, c);
		} else if (c && c->deadline < next) {
			next = c->deadline;
		}
	}
	l->next_deadline = next;
}

static void on_time(struct loop *l, uint64_t now)
{
	if (now >= l->next_deadline)
		expire(l, now);
	if (now < l->next_tick)
		return;
	l->next_tick = now + TICK_MS;
	l->pending = true;
	tell_counters(l);
}

static int wait_ms(const struct loop *l, uint64_t now)
{
	uint64_t next = l->next_deadline < l->next_tick ? l->next_deadline : l->next_tick;

	if (l->joined && l->pending && l->free_num && !l->retiring)
		return 0;
	return next > now ? next - now : 0;
}

static void dispatch(struct loop *l, const struct epoll_event *ev, uint64_t now)
{
	uint64_t what = ev->data.u64;

	if (what == ON_KEEPER) {
		on_keeper(l, ev->events, now);
	} else if (what == ON_RELAY) {
		serve_relay(l, now);
	} else if (what == ON_NETLINK) {
		netlink_heard(&l->nl);
		l->pending = true;
	} else {
		on_conn(l, what - ON_CONN, ev->events, now);
	}
}

int loop_run(struct loop *l)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t now = now_ms();
	int i, n;

	l->next_tick = now + TICK_MS;
	l->pending = true;
	while (!l->over) {
		n = epoll_wait(l->epoll, events, EVENTS_MAX, wait_ms(l, now));
		now = now_ms();
		for (i = 0; i < n; i++)
			dispatch(l, &events[i], now);
		on_time(l, now);
		accept_pending(l, now);
		if (l->retiring && l->free_num == l->slots && !(l->relay && relay_sessions(l->relay)))
			break;
	}
	tell_counters(l);
	return l->over;
}

int loop_init(struct loop *l, const struct config *config, int keeper)
{
	uint32_t i;
	int err;

	l->env = (struct conn_env){
		.config = config, .arg = l, .key_log = config->key_log ? WORKER_KEY_LOG : 0, .respond = respond, .sign = sign, .failed = failed,
		.ticket_get = ticket_get, .ticket_put = ticket_put, .fresh = fresh, .identity_get = identity_get,
		.cache = config->catalogs_num ? cache_new(config->identity_cache) : NULL,
	};
	l->env.sessions = config->session_ids ? sessions_map(WORKER_SESSIONS, &l->env.sessions_num) : NULL;
	l->keeper = keeper;
	l->next_deadline = UINT64_MAX;
	l->slots = config->handshakes;
	l->conns = calloc(l->slots, sizeof(l->conns[0]));
	l->free_slots = calloc(l->slots, sizeof(l->free_slots[0]));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l->conns || !l->free_slots || l->epoll < 0)
		return -ENOMEM;
	for (i = 0; i < l->slots; i++)
		l->free_slots[l->free_num++] = l->slots - 1 - i;
	err = watch(l, EPOLL_CTL_ADD, keeper, EPOLLIN, ON_KEEPER);
	if (!err && l->relay)
		err = watch(l, EPOLL_CTL_ADD, relay_fd(l->relay), EPOLLIN, ON_RELAY);
	if (!err && l->joined)
		err = watch(l, EPOLL_CTL_ADD, netlink_fd(&l->nl), EPOLLIN, ON_NETLINK);
	return err;
}
