// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sessions. An end's bytes are a window that slides over one random
 * block, from a place of its own, so that every byte that comes is compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "ktls.h"
#include "soak.h"

#define BLOCK	65521		/* prime, so that records and block drift apart */
#define CHUNK	65536		/* four records */
#define BATCH	64		/* handshakes at once: below the module's limit for one uid */
#define EVENTS	256

static uint8_t block[BLOCK + CHUNK];

double soak_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static const uint8_t *bytes_at(uint32_t seed, uint64_t offset)
{
	return block + (seed * 7919ULL + offset) % BLOCK;
}

static void block_fill(void)
{
	size_t at;

	for (at = 0; at < BLOCK; at += 256)
		if (getrandom(block + at, BLOCK - at < 256 ? BLOCK - at : 256, 0) < 0)
			abort();
	for (at = 0; at < CHUNK; at++)
		block[BLOCK + at] = block[at];
}

/* ---- opening */

static int listener(struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*to);

	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)to, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)to, &len))
		return -1;
	return fd;
}

static int connect_pair(int listen_fd, const struct sockaddr_in *to, struct end *client, struct end *server)
{
	static const int small = 32768;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -1;
	setsockopt(client->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (connect(client->fd, (const struct sockaddr *)to, sizeof(*to)))
		return -1;
	server->fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (server->fd < 0)
		return -1;
	setsockopt(server->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	return 0;
}

static int begin(struct end *e, const struct ktls_params *params, bool server)
{
	int err;

	fcntl(e->fd, F_SETFL, O_NONBLOCK);
	err = server ? ktls_server(e->fd, params) : ktls_client(e->fd, params);

	return err == -EINPROGRESS ? 0 : err;
}

static int await(struct end *e)
{
	struct pollfd p = { .fd = e->fd, .events = POLLOUT };
	char why[320];
	int err;

	for (;;) {
		err = ktls_finish(e->fd);
		if (err != -EINPROGRESS)
			break;
		poll(&p, 1, 1000);
	}
	if (err)
		fprintf(stderr, "soak: handshake: %s\n", ktls_error(e->fd, err, why, sizeof(why)));
	return err;
}

static int open_batch(struct soak *s, size_t from, size_t to, int listen_fd, const struct sockaddr_in *at,
		      const struct ktls_params *client, const struct ktls_params *server)
{
	size_t i;
	int err = 0;

	for (i = from; i < to && !err; i++) {
		err = connect_pair(listen_fd, at, &s->ends[2 * i], &s->ends[2 * i + 1]);
		if (!err)
			err = begin(&s->ends[2 * i], client, false);
		if (!err)
			err = begin(&s->ends[2 * i + 1], server, true);
		if (err)
			fprintf(stderr, "soak: session %zu does not begin: %s\n", i, strerror(err < -1 ? -err : errno));
	}
	for (i = 2 * from; i < 2 * to && !err; i++)
		err = await(&s->ends[i]);
	return err;
}

static int watch(struct soak *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT };
	size_t i;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < 2 * s->n && s->epoll >= 0; i++) {
		ev.data.ptr = &s->ends[i];
		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->ends[i].fd, &ev))
			return -1;
	}
	return s->epoll < 0 ? -1 : 0;
}

int soak_open(struct soak *s, size_t n)
{
	struct ktls_params *client = ktls_params_new(), *server = ktls_params_new();
	struct sockaddr_in at;
	int listen_fd = listener(&at), err = 0;
	size_t i;

	s->n = n;
	s->ends = calloc(2 * n, sizeof(*s->ends));
	if (!s->ends || !client || !server || listen_fd < 0)
		return -1;
	block_fill();
	ktls_params_server_name(client, "localhost");
	ktls_params_trust(client, "test");
	ktls_params_identity(server, "ecdsa");
	ktls_params_timeout(client, 120000);
	ktls_params_timeout(server, 120000);
	for (i = 0; i < 2 * n; i++) {
		s->ends[i].seed = i;
		s->ends[i].peer_seed = i ^ 1;
	}
	for (i = 0; i < n && !err; i += BATCH)
		err = open_batch(s, i, i + BATCH < n ? i + BATCH : n, listen_fd, &at, client, server);
	ktls_params_free(client);
	ktls_params_free(server);
	close(listen_fd);
	return err || watch(s) ? -1 : 0;
}

/* ---- moving */

static void lose(struct end *e, const char *what)
{
	char why[320];

	if (e->err || errno == EAGAIN || errno == EINTR)
		return;
	e->err = -errno;
	fprintf(stderr, "soak: session %u, %s after %llu bytes: %s\n", e->seed / 2, what,
		(unsigned long long)e->received, ktls_error(e->fd, e->err, why, sizeof(why)));
}

static void take(struct soak *s, struct end *e)
{
	static uint8_t buf[CHUNK];
	const uint8_t *want;
	ssize_t n = recv(e->fd, buf, sizeof(buf), MSG_DONTWAIT), i;

	if (n < 0)
		lose(e, "reading");
	if (!n && !s->stopping)
		e->err = -EPIPE;
	e->over |= !n;
	if (n <= 0)
		return;
	want = bytes_at(e->peer_seed, e->received);
	for (i = 0; memcmp(buf, want, n) && i < n; i++)
		e->wrong += buf[i] != want[i];
	e->received += n;
}

static void give(struct soak *s, struct end *e)
{
	ssize_t n;

	if (e->closed)
		return;
	if (s->stopping) {
		shutdown(e->fd, SHUT_WR);
		e->closed = true;
		return;
	}
	n = send(e->fd, bytes_at(e->seed, e->sent), CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		e->sent += n;
	else
		lose(e, "writing");
}

static void forget(struct soak *s, struct end *e)
{
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, e->fd, NULL);
}

static void round_trip(struct soak *s)
{
	struct epoll_event events[EVENTS];
	int i, n = epoll_wait(s->epoll, events, EVENTS, 100);

	for (i = 0; i < n; i++) {
		struct end *e = events[i].data.ptr;

		if (events[i].events & EPOLLIN)
			take(s, e);
		if (events[i].events & EPOLLOUT)
			give(s, e);
		if (e->err || (e->over && e->closed))
			forget(s, e);
	}
}

void soak_run(struct soak *s, double seconds)
{
	double until = soak_now() + seconds;

	while (soak_now() < until)
		round_trip(s);
}

static bool all_over(const struct soak *s)
{
	size_t i;

	for (i = 0; i < 2 * s->n; i++)
		if (!s->ends[i].err && !s->ends[i].over)
			return false;
	return true;
}

bool soak_finish(struct soak *s, double seconds)
{
	double until = soak_now() + seconds;
	size_t i;

	s->stopping = true;
	for (i = 0; i < 2 * s->n; i++)
		give(s, &s->ends[i]);
	while (!all_over(s) && soak_now() < until)
		round_trip(s);
	return all_over(s);
}

void soak_close(struct soak *s)
{
	size_t i;

	for (i = 0; i < 2 * s->n; i++)
		close(s->ends[i].fd);
	close(s->epoll);
	free(s->ends);
	s->ends = NULL;
	s->n = 0;
}

uint64_t soak_bytes(const struct soak *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < 2 * s->n; i++)
		sum += s->ends[i].received;
	return sum;
}
