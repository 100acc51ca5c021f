// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that a peer may send, good and bad, in every fragmentation, read in
 * every way, against a model of what must come of them (fuzz_script.c): the
 * right bytes, never one of a record that isn't whole, then the right errno,
 * and a session that is dead afterwards or lives, as it should.
 *
 * FUZZ_SECONDS bounds it, FUZZ_SEED repeats it, FUZZ_CASE runs one case.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>
#include "fuzz_script.h"
#include "world.h"

#define WAIT_MS	20000

static const uint16_t ciphers[] = {
	TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305,
};

static struct script script;
static uint8_t buf[1 << 17], seen[1 << 17];
static int pipes[2];
static unsigned long number;		/* of the case */
static uint64_t first_seed;

/* One case under way. */
struct run {
	struct session	s;
	struct script	*sc;
	uint64_t	seed;
	unsigned int	pace;		/* how the peer cuts its stream */
	size_t		sent, read;	/* bytes of wire and of plain */
	unsigned int	part;		/* the next to come */
	size_t		into;		/* bytes of it that came */
	bool		fin, over;
};

#define check(r, cond) do {								\
	if (!(cond))									\
		fail_msg("seed %llu case %lu, %s: !(%s), sent %zu of %zu, read %zu of %zu, errno %d",	\
			 (unsigned long long)first_seed, number, (r)->sc->what, #cond,	\
			 (r)->sent, (r)->sc->wire_len, (r)->read, (r)->sc->plain_len, errno);	\
} while (0)

/* ---- the peer's side */

static size_t piece(struct run *r)
{
	size_t left = r->sc->wire_len - r->sent;
	size_t n = left;

	switch (r->pace) {
	case 0:
		n = 1;
		break;
	case 1:
		n = 1 + dice(&r->seed, 40);
		break;
	case 2:
		n = 1 + dice(&r->seed, 5000);
		break;
	case 3:
		n = WIRE_HEADER + dice(&r->seed, 3) - 1;
		r->pace = 2;
		break;
	}
	return n < left ? n : left;
}

/* What TCP takes now of the next piece; at the end FIN, if there is to be one. */
static void feed(struct run *r)
{
	struct pollfd p[] = { { .fd = r->s.raw, .events = POLLOUT }, { .fd = r->s.fd, .events = POLLIN } };
	ssize_t n;

	if (r->sent < r->sc->wire_len) {
		n = send(r->s.raw, r->sc->wire + r->sent, piece(r), MSG_DONTWAIT | MSG_NOSIGNAL);
		check(r, n > 0 || errno == EAGAIN);
		if (n > 0)
			r->sent += n;
		else
			check(r, poll(p, 2, WAIT_MS) > 0);
	}
	if (r->sent == r->sc->wire_len && r->sc->fin && !r->fin) {
		shutdown(r->s.raw, SHUT_WR);
		r->fin = true;
	}
}

/* ---- ways to read: bytes in buf, 0 or -errno */

static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static ssize_t by_recv(int fd, size_t len, uint8_t *type)
{
	(void)type;
	return result(recv(fd, buf, len, MSG_DONTWAIT));
}

static ssize_t by_cmsg(int fd, size_t len, uint8_t *type)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(1)]; } c;
	size_t first = len / 3;
	struct iovec v[] = { { buf, first }, { buf + first, len - first } };
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 2, .msg_control = &c, .msg_controllen = sizeof(c) };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (n > 0 && CMSG_FIRSTHDR(&msg) && c.head.cmsg_type == TLS_GET_RECORD_TYPE)
		*type = *CMSG_DATA(&c.head);
	return result(n);
}

/* What was peeked at comes again. */
static ssize_t by_peek(int fd, size_t len, uint8_t *type)
{
	ssize_t n = recv(fd, seen, len, MSG_PEEK | MSG_DONTWAIT), m;

	(void)type;
	if (n <= 0)
		return result(n);
	m = recv(fd, buf, n, MSG_DONTWAIT);
	if (m != n || memcmp(buf, seen, n))
		fail_msg("case %lu: peeked at %zd bytes, got %zd (errno %d), or others", number, n, m, errno);
	return m;
}

static ssize_t by_splice(int fd, size_t len, uint8_t *type)
{
	ssize_t n = splice(fd, NULL, pipes[1], NULL, len < 40000 ? len : 40000, SPLICE_F_NONBLOCK);

	(void)type;
	if (n > 0)
		wire_read(pipes[0], buf, n);
	return result(n);
}

static ssize_t (*const ways[])(int fd, size_t len, uint8_t *type) = { by_recv, by_cmsg, by_peek, by_splice };

/* ---- judging */

/* Data came: of parts whose records are whole, and not across a control record. */
static void came(struct run *r, size_t n, uint8_t type)
{
	const struct part *p;
	size_t step;

	check(r, r->read + n <= r->sc->plain_len);
	check(r, !memcmp(buf, r->sc->plain + r->read, n));
	for (r->read += n; n; n -= step) {
		p = &r->sc->part[r->part];
		check(r, r->sent >= p->wire && p->type == type);
		step = p->len - r->into < n ? p->len - r->into : n;
		check(r, type == WIRE_DATA || step == n);
		r->into += step;
		if (r->into < p->len)
			continue;
		r->part++;
		r->into = 0;
	}
}

static void await_input(struct run *r)
{
	struct pollfd p = { .fd = r->s.fd, .events = POLLIN };

	check(r, poll(&p, 1, WAIT_MS) == 1);
}

/* Nothing there: is something due? */
static bool came_nothing(struct run *r)
{
	const struct script *sc = r->sc;

	if (r->part < sc->parts) {
		if (r->sent >= sc->part[r->part].wire)
			await_input(r);
		return r->sent >= sc->part[r->part].wire;
	}
	if (sc->err == -EAGAIN)
		r->over = r->sent == sc->wire_len;
	else if (r->sent == sc->wire_len)
		await_input(r);
	return sc->err != -EAGAIN && r->sent == sc->wire_len;
}

static void came_end(struct run *r, int err)
{
	check(r, r->part == r->sc->parts && r->sent >= r->sc->err_wire);
	check(r, err == r->sc->err);
	check(r, err || r->fin || r->sent >= r->sc->err_wire);
	r->over = true;
}

/* A way that cannot take a control record says so, and the record stays. */
static bool takes(struct run *r, unsigned int way, ssize_t n)
{
	const struct part *p = &r->sc->part[r->part];

	if (r->part == r->sc->parts || p->type == WIRE_DATA || ways[way] == by_cmsg || n == -EAGAIN)
		return true;
	check(r, n == (ways[way] == by_splice ? -EINVAL : -EIO));
	return false;
}

/* Small reads of little, or now and then. */
static size_t want(struct run *r)
{
	static const size_t sizes[] = { 511, 4096, 16384, 16385, 70000, 1, 2, 3, 7, 16, 63 };
	bool little = r->sc->plain_len - r->read < 1000;

	return sizes[dice(&r->seed, little || !dice(&r->seed, 4) ? 11 : 5)];
}

/* One read. Is there sense in another before more is sent? */
static bool drink(struct run *r)
{
	unsigned int way = dice(&r->seed, 4);
	struct pollfd p = { .fd = r->s.fd, .events = POLLIN };
	uint8_t type = WIRE_DATA;
	bool promised = poll(&p, 1, 0) == 1;
	ssize_t n = ways[way](r->s.fd, want(r), &type);

	check(r, n != -EAGAIN || !promised || r->sc->silent);
	if (!takes(r, way, n)) {
		n = by_cmsg(r->s.fd, 1 + dice(&r->seed, 600), &type);
		check(r, n > 0);
	}
	if (n == -EAGAIN)
		return came_nothing(r);
	if (n > 0)
		came(r, n, type);
	else
		came_end(r, n);
	return !r->over;
}

/* ---- afterwards */

static void expect_dead(struct run *r)
{
	struct ktls_info info;
	int err;

	err = send(r->s.fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
	check(r, err == r->sc->err);
	info_get(r->s.fd, &info, NULL);
	check(r, info.phase == KTLS_PHASE_DEAD && info.error == r->sc->err);
	if (!r->sc->alert)
		return;
	check(r, info.alert == r->sc->alert && info.alert_from == KTLS_ALERT_FROM_LOCAL);
	peer_expect_alert(&r->s, 2, r->sc->alert);
}

/* The other direction is as it was. */
static void expect_alive(struct run *r)
{
	uint8_t type;

	wire_write(r->s.fd, "still here", 10);
	check(r, peer_recv(&r->s, buf, &type) == 10);
	check(r, type == WIRE_DATA && !memcmp(buf, "still here", 10));
}

static bool deadly(const struct run *r)
{
	const struct script *sc = r->sc;

	return r->s.agent.fd >= 0 && sc->err && sc->err != -EAGAIN && sc->err != -ECONNRESET;
}

static void afterwards(struct run *r)
{
	uint8_t type;
	int i;

	for (i = 0; i < 2 && r->sc->err != -EAGAIN; i++)
		check(r, by_recv(r->s.fd, 1, &type) == r->sc->then);
	check(r, by_splice(r->s.fd, 1, &type) == r->sc->then);
	if (deadly(r))
		expect_dead(r);
	else
		expect_alive(r);
}

/* ---- a case */

static void begin(struct run *r)
{
	uint16_t cipher = ciphers[dice(&r->seed, 3)], version = 0x0304 - dice(&r->seed, 2);
	struct key tx = wire_key(cipher, 3), rx = wire_key(cipher, 4);
	bool agent = dice(&r->seed, 2), spares = dice(&r->seed, 2);
	int small = 1 + dice(&r->seed, 6000);

	tx.version = rx.version = version;
	if (agent)
		session_agent_keys(&r->s, &tx, &rx, spares);
	else
		session_mainline_as(&r->s, version, cipher);
	if (!dice(&r->seed, 3))		/* smaller than a record: its start must be taken out of the way */
		setsockopt(r->s.fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &small, sizeof(small));
	script_make(r->sc, &r->s, agent && spares, &r->seed);
	r->pace = dice(&r->seed, 5);
	if (r->sc->wire_len > (r->pace ? 8000 : 600) && r->pace < 2)
		r->pace += 2;
}

static void one_case(uint64_t seed)
{
	struct run r = { .seed = seed, .sc = &script };

	begin(&r);
	while (!r.over) {
		feed(&r);
		while (drink(&r))
			;
	}
	afterwards(&r);
	session_close(&r.s);
}

static uint64_t case_seed(unsigned long n)
{
	uint64_t seed = (first_seed + n) * 0x9e3779b97f4a7c15;

	return seed ? seed : 1;
}

static unsigned long number_in(const char *name, unsigned long otherwise)
{
	const char *p = getenv(name);

	return p && *p ? strtoul(p, NULL, 0) : otherwise;
}

static void records(void **state)
{
	time_t end = time(NULL) + number_in("FUZZ_SECONDS", 5);

	(void)state;
	if (getrandom(&first_seed, sizeof(first_seed), 0) < 0)
		fail();
	first_seed = number_in("FUZZ_SEED", first_seed >> 32);
	print_message("# FUZZ_SEED=%llu\n", (unsigned long long)first_seed);
	number = number_in("FUZZ_CASE", 0);
	do
		one_case(case_seed(number++));
	while (time(NULL) < end && !getenv("FUZZ_CASE"));
	print_message("# %lu cases\n", number);
}

/* ---- every place to cut a stream of three records in two */

static void cut_at(struct session *s, size_t at, const uint8_t *wire, size_t len)
{
	ssize_t n, got = 0;

	wire_write(s->raw, wire, at);
	n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);
	assert_true(n > 0 || errno == EAGAIN);
	got = n > 0 ? n : 0;
	wire_write(s->raw, wire + at, len - at);
	wire_read(s->fd, buf + got, 15 - got);
	assert_memory_equal(buf, "onesecondrecord", 15);
}

static void every_cut(void **state)
{
	uint8_t wire[256];
	struct session s;
	size_t at, len;
	int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		session_mainline_as(&s, 0x0304 - i % 2, ciphers[i / 2]);
		at = 0;
		do {
			len = wire_seal(&s.rx, WIRE_DATA, "one", 3, 0, wire);
			len += wire_seal(&s.rx, WIRE_DATA, "second", 6, i % 2 ? 0 : 9, wire + len);
			len += wire_seal(&s.rx, WIRE_DATA, "record", 6, 0, wire + len);
			cut_at(&s, at++, wire, len);
		} while (at < len);
		session_close(&s);
	}
}

static int group_begin(void **state)
{
	(void)state;
	return pipe(pipes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_cut), cmocka_unit_test(records) };

	return cmocka_run_group_tests_name("fuzz", tests, group_begin, NULL);
}
