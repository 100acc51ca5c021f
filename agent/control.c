/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a UNIX stream socket (configuration: control =
 * /run/ktlsd/control, mode 0660). The caller writes one line, at most 255
 * bytes, the keeper answers with lines of text and closes. The first line is
 * "ok" or "error SENTENCE". Fields are KEY=VALUE, separated by one space; a
 * value with spaces or quotes stands in "..." with \" and \\. New keys may
 * be added at any place; a reader skips those it does not know.
 *
 * status	version=… pid=… uptime=SECONDS config=PATH reloads=N workers=N
 *		worker number=N pid=… state=starting|ready|retiring|waiting uptime=… conns=… accepted=… done=… failed=… other=… signed=…
 *		identity name=… key=rsa|rsa-pss|p256|p384|p521|brainpool256|brainpool384|brainpool512|ed25519|ed448|mldsa44|mldsa65|mldsa87 bits=… names=a,b default=yes|no allow=uid:0,gid:33 file=PATH
 *		trust name=… anchors=N file=PATH
 * why [N]	failure time=2026-01-02T03:04:05Z cookie=HEX peer=ADDRESS role=client|server uid=… name=… errno=ENAME
 *		alert=NAME|none from=none|local|peer reason="…"		the last N (all of 256), newest first
 * config	the file in force, as it was read
 * explain	profile name=… about=… prefer=order|strength|cost
 *		setting name=… value=a,b,c from=default|file|profile		most wanted first
 * metrics	counters of agent and module for Prometheus; also by HTTP: GET /metrics
 *
 * A caller that is slow costs the keeper a buffer, and is cut off when newer
 * ones need its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "keeper.h"

#define CALLERS_MAX	16
#define REQUEST_MAX	256

struct client {
	struct source source;		/* fd -1: free */
	char request[REQUEST_MAX];
	size_t len;
	char *answer;			/* NULL: the request is not whole yet */
	size_t answer_len, sent;
	uint64_t since;
};

struct control {
	struct source source;
	struct sockaddr_un name;
	uint64_t serial;
	struct client callers[CALLERS_MAX];
};

static void hang_up(struct client *c)
{
	close(c->source.fd);
	free(c->answer);
	c->source.fd = -1;
	c->answer = NULL;
}

static void send_rest(struct keeper *k, struct client *c)
{
	ssize_t n = send(c->source.fd, c->answer + c->sent, c->answer_len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		c->sent += n;
	if ((n < 0 && errno != EAGAIN) || c->sent == c->answer_len)
		hang_up(c);
	else
		keeper_rewatch(k, &c->source, EPOLLOUT);
}

static void answer(struct keeper *k, struct client *c)
{
	FILE *out = open_memstream(&c->answer, &c->answer_len);

	if (!out) {
		hang_up(c);
		return;
	}
	control_answer(k, c->request, out);
	if (fclose(out)) {
		hang_up(c);
		return;
	}
	c->sent = 0;
	send_rest(k, c);
}

static void on_caller(struct keeper *k, struct source *s, uint32_t events)
{
	struct client *c = (struct client *)s;
	char *newline;
	ssize_t n;

	(void)events;
	if (c->answer) {
		send_rest(k, c);
		return;
	}
	n = recv(s->fd, c->request + c->len, REQUEST_MAX - 1 - c->len, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		c->len += n;
	c->request[c->len] = '\0';
	newline = strchr(c->request, '\n');
	if (newline)
		*newline = '\0';
	if (newline || (!n && c->len) || c->len == REQUEST_MAX - 1)
		answer(k, c);
	else if (n <= 0)
		hang_up(c);
}

/* A free place, or that of the caller who has been here longest. */
static struct client *place(struct control *c)
{
	struct client *best = c->callers;
	int i;

	for (i = 0; i < CALLERS_MAX; i++) {
		if (c->callers[i].source.fd < 0)
			return &c->callers[i];
		if (c->callers[i].since < best->since)
			best = &c->callers[i];
	}
	hang_up(best);
	return best;
}

static void on_listener(struct keeper *k, struct source *s, uint32_t events)
{
	struct control *control = (struct control *)s;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	(void)events;
	if (fd < 0)
		return;
	c = place(control);
	c->len = 0;
	c->since = ++control->serial;
	c->source = (struct source){ .fd = fd, .ready = on_caller };
	if (keeper_watch(k, &c->source, EPOLLIN))
		hang_up(c);
}

/* Only a socket that nobody serves any more is in the way. */
static int remove_stale(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (!lstat(name->sun_path, &st) && !S_ISSOCK(st.st_mode))
		err = -EEXIST;
	else if (!connect(fd, (const struct sockaddr *)name, sizeof(*name)))
		err = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		unlink(name->sun_path);
	close(fd);
	return err;
}

static int listen_at(const struct sockaddr_un *name)
{
	int err = remove_stale(name), fd;
	mode_t mask;

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117);
	err = bind(fd, (const struct sockaddr *)name, sizeof(*name)) || listen(fd, CALLERS_MAX) ? -errno : 0;
	umask(mask);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* The folder is ours to make, one level deep: /run/ktlsd without systemd. */
static void make_folder(const char *path)
{
	char folder[108];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0755);
	}
}

int control_open(struct keeper *k, const char *path, struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));
	int i, fd, err;

	if (!c)
		return -ENOMEM;
	for (i = 0; i < CALLERS_MAX; i++)
		c->callers[i].source.fd = -1;
	c->name.sun_family = AF_UNIX;
	snprintf(c->name.sun_path, sizeof(c->name.sun_path), "%s", path);
	make_folder(path);
	fd = listen_at(&c->name);
	c->source = (struct source){ .fd = fd, .ready = on_listener };
	err = fd < 0 ? fd : keeper_watch(k, &c->source, EPOLLIN);
	if (err) {
		free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void control_close(struct keeper *k, struct control *c)
{
	int i;

	(void)k;
	if (!c)
		return;
	for (i = 0; i < CALLERS_MAX; i++)
		if (c->callers[i].source.fd >= 0)
			hang_up(&c->callers[i]);
	unlink(c->name.sun_path);
	close(c->source.fd);
	free(c);
}
