/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest is one connection that a program brought: asking (its request is
 * on the way), in handshake (the conn has a descriptor of its own), relayed,
 * or answered and forgotten because mainline's kernel TLS has taken over.
 * Who asks is the kernel's word, SO_PEERCRED. A descriptor that has nothing
 * to wait for is out of the epoll, since errors would wake for ever.
 */
#include "relay.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "handshake/engine.h"
#include "handshake/suite.h"
#include "ways.h"
#include "mainline.h"
#include "pump.h"
#include "state.h"

#define GUESTS_MAX	1024	/* of one worker */
#define EVENTS_MAX	32

struct end { int fd; uint32_t armed; struct guest *guest; };

struct guest {
	struct guest *next;
	uint64_t id;
	int ask;		/* the request's connection, -1 afterwards */
	struct end tcp, pair, asking;
	bool waits;
	struct pump *pump;	/* owns both ends then */
	struct { struct ktls_handshake head; uint8_t attrs[KTLS_MAX_PARAM]; } request;
};

struct relay {
	int epoll, listener;
	uint64_t last_id;
	size_t num;
	struct guest *guests;
	struct guest *doomed;	/* over; freed when no event can name it */
};

int relay_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err = 0;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(path, 0666) || listen(fd, 256))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void arm(struct relay *r, struct end *e, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = e };

	if (e->armed == events)
		return;
	epoll_ctl(r->epoll, !events ? EPOLL_CTL_DEL : e->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e->fd, &ev);
	e->armed = events;
}

struct relay *relay_new(int listener)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->listener = listener;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll >= 0 && !epoll_ctl(r->epoll, EPOLL_CTL_ADD, listener, &ev))
		return r;
	free(r);
	return NULL;
}

int relay_fd(const struct relay *r)
{
	return r->epoll;
}

size_t relay_sessions(const struct relay *r)
{
	return r->num;
}

void relay_retire(struct relay *r)
{
	epoll_ctl(r->epoll, EPOLL_CTL_DEL, r->listener, NULL);
}

/* ---- guests */

static void put(struct relay *r, struct end *e)
{
	arm(r, e, 0);
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

static void leave(struct relay *r, struct guest *g)
{
	struct guest **p = &r->guests;

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	if (g->pump) {
		arm(r, &g->tcp, 0);
		arm(r, &g->pair, 0);
		pump_free(g->pump);
	} else {
		put(r, &g->tcp);
		put(r, &g->pair);
	}
	put(r, &g->asking);
	r->num--;
	g->next = r->doomed;
	r->doomed = g;
}

static void welcome(struct relay *r)
{
	int fd = r->num < GUESTS_MAX ? accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
	struct guest *g = fd < 0 ? NULL : calloc(1, sizeof(*g));

	if (!g) {
		if (fd >= 0)
			close(fd);
		return;
	}
	g->id = RELAY_ID | ++r->last_id;
	g->tcp = (struct end){ .fd = -1, .guest = g };
	g->pair = (struct end){ .fd = -1, .guest = g };
	g->asking = (struct end){ .fd = fd, .guest = g };
	g->next = r->guests;
	r->guests = g;
	r->num++;
	arm(r, &g->asking, EPOLLIN);
}

static void answer(struct guest *g, const struct reply *reply, enum ktls_way way)
{
	struct relay_answer a = {
		.err = reply->err, .way = way, .alert = reply->alert < 0 ? 0 : reply->alert, .alert_from = reply->from,
	};

	if (reply->reason)
		strncpy(a.reason, reply->reason, sizeof(a.reason) - 1);
	send(g->asking.fd, &a, sizeof(a), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- what they ask */

/* Both descriptors, or none. */
static bool take_fds(struct msghdr *msg, int fds[2])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t i, n;
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return false;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n == 2 && !(msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC))) {
		memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
		return true;
	}
	for (i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		close(fd);
	}
	return false;
}

static ssize_t read_request(struct guest *g)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(2 * sizeof(int))]; } control;
	struct iovec iov = { .iov_base = &g->request, .iov_len = sizeof(g->request) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fds[2];
	ssize_t n = recvmsg(g->asking.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	if (!take_fds(&msg, fds))
		return -EPROTO;
	g->tcp.fd = fds[0];
	g->pair.fd = fds[1];
	return n < (ssize_t)sizeof(g->request.head) || g->request.head.role > KTLS_ROLE_SERVER ? -EPROTO : n;
}

/* TCP connections only: the peer's address is what the policy and the log go by. */
static int describe(struct guest *g, struct upcall *up, size_t len)
{
	socklen_t size = sizeof(up->peer), cred_size = sizeof(struct ucred);
	struct ucred cred;

	*up = (struct upcall){
		.id = g->id, .why = KTLS_WHY_HANDSHAKE, .role = g->request.head.role,
		.timeout = g->request.head.timeout_ms ? g->request.head.timeout_ms : 10000,
		.param = g->request.attrs, .param_len = len - sizeof(g->request.head),
	};
	if (getsockopt(g->asking.fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_size) ||
	    getpeername(g->tcp.fd, (struct sockaddr *)&up->peer, &size))
		return -errno;
	if (up->peer.ss_family != AF_INET && up->peer.ss_family != AF_INET6)
		return -EPROTO;
	up->uid = cred.uid;
	up->gid = cred.gid;
	up->pid = cred.pid;
	up->channel = fcntl(g->tcp.fd, F_DUPFD_CLOEXEC, 0);
	if (up->channel < 0)
		return -errno;
	fcntl(g->tcp.fd, F_SETFL, fcntl(g->tcp.fd, F_GETFL) | O_NONBLOCK);
	fcntl(g->pair.fd, F_SETFL, fcntl(g->pair.fd, F_GETFL) | O_NONBLOCK);
	return 0;
}

static bool asked(struct relay *r, struct guest *g, struct upcall *up)
{
	ssize_t n = read_request(g);

	if (n == -EAGAIN)
		return false;
	if (n < 0 || describe(g, up, n)) {
		leave(r, g);
		return false;
	}
	g->waits = g->request.head.flags & RELAY_WAITS;
	arm(r, &g->asking, 0);
	return true;
}

/* ---- how it ends */

static int pump_start(struct relay *r, struct guest *g, const struct reply *reply)
{
	struct state s;
	struct after keys = {
		.version = reply->version, .aead = reply->aead, .tx = *reply->tx, .rx = *reply->rx,
		.tx_limit = reply->tx_limit, .rx_limit = reply->rx_limit, .pad = reply->tx_pad,
	};
	int err = state_unpack(reply->state, reply->state_len, &s);

	if (!err) {
		keys.hash = suite_by_id(s.suite)->hash;
		g->pump = pump_new(g->tcp.fd, g->pair.fd, g->request.head.role == KTLS_ROLE_SERVER, &keys);
	}
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(&keys, sizeof(keys));
	if (err || !g->pump)
		return err ? -EPROTO : -ENOMEM;
	arm(r, &g->tcp, EPOLLIN | EPOLLOUT);
	return 0;
}

/*
 * Mainline's kernel TLS makes EIO of a ticket, and a server may send one at
 * any time: it is for servers, which wait. Nor does it pad, or cut records shorter.
 */
static bool mainline_takes(const struct guest *g, const struct reply *reply)
{
	if (reply->tx_limit && reply->tx_limit < RECORD_PLAINTEXT)
		return false;
	return !reply->tx_pad && g->waits && g->request.head.role == KTLS_ROLE_SERVER && !mainline_install(g->tcp.fd, reply);
}

int relay_respond(struct relay *r, const struct reply *reply)
{
	struct guest *g = r->guests;
	int err = reply->err;

	while (g && g->id != reply->id)
		g = g->next;
	if (!g)
		return -ENOENT;
	if (!err && mainline_takes(g, reply)) {
		fcntl(g->tcp.fd, F_SETFL, fcntl(g->tcp.fd, F_GETFL) & ~O_NONBLOCK);
		answer(g, reply, KTLS_WAY_MAINLINE);
		leave(r, g);
		return 0;
	}
	if (!err)
		err = pump_start(r, g, reply);
	answer(g, err == reply->err ? reply : &(struct reply){ .err = err, .alert = -1 }, KTLS_WAY_RELAY);
	put(r, &g->asking);
	if (err)
		leave(r, g);
	return err == reply->err ? 0 : err;
}

static void pumped(struct relay *r, struct guest *g)
{
	uint32_t tcp, pair;

	if (!pump_step(g->pump, &tcp, &pair)) {
		leave(r, g);
		return;
	}
	arm(r, &g->tcp, tcp);
	arm(r, &g->pair, pair);
}

static void bury(struct relay *r)
{
	struct guest *g;

	while ((g = r->doomed)) {
		r->doomed = g->next;
		free(g);
	}
}

static bool is_doomed(const struct relay *r, const struct guest *g)
{
	const struct guest *d;

	for (d = r->doomed; d && d != g; d = d->next)
		;
	return d;
}

bool relay_run(struct relay *r, struct upcall *up)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(r->epoll, events, EVENTS_MAX, 0);
	bool found = false;

	for (i = 0; i < n && !found; i++) {
		struct end *e = events[i].data.ptr;

		if (!e)
			welcome(r);
		else if (is_doomed(r, e->guest))
			continue;
		else if (e == &e->guest->asking)
			found = asked(r, e->guest, up);
		else if (e->guest->pump)
			pumped(r, e->guest);
	}
	bury(r);
	return found;
}
