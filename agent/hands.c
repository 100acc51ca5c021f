/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's workers: started, heard, signed for, started again when they
 * die. A worker's socket that is full is not read until it has taken its
 * answer, so no worker makes the keeper wait or hoard.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "keeper.h"
#include "log.h"
#include "sign.h"
#include "worker.h"

#define BACKOFF_MIN	100	/* ms */
#define BACKOFF_MAX	5000
#define STEADY		10000	/* lived this long: the next start is at once */

/* ---- starting */

/* What a worker finds open, by its own number; the rest is closed. */
static void leave_open(const int from[], int num)
{
	int high[5], i, fd;

	/* Through numbers that are out of the way: any may be one of these now. */
	for (i = 0; i < num; i++)
		high[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD, 16);
	for (i = 0; i < num; i++) {
		fd = WORKER_KEEPER + i;
		close(fd);
		if (from[i] >= 0 && dup2(high[i], fd) < 0)
			_exit(127);
	}
	close_range(WORKER_KEEPER + num, ~0U, 0);
}

static void __attribute__((noreturn)) become_worker(const struct keeper *k, const struct hand *h, int sock, int files)
{
	const int open[] = { sock, files, k->relay, k->key_log, k->sessions };	/* WORKER_* */
	char number[16];
	const char *argv[] = { "ktlsd", "--worker", number, "--config", k->path, NULL };
	sigset_t none;

	snprintf(number, sizeof(number), "%d", h->number);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	leave_open(open, 5);
	unsetenv("NOTIFY_SOCKET");
	execv("/proc/self/exe", (char **)argv);
	_exit(127);
}

static void on_hand(struct keeper *k, struct source *s, uint32_t events);

int hand_start(struct keeper *k, struct hand *h)
{
	int pair[2], err, files = h->config == k->config ? k->files : k->coming_files;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	h->pid = fork();
	if (!h->pid)
		become_worker(k, h, pair[1], files);
	err = h->pid < 0 ? -errno : 0;
	close(pair[1]);
	h->state = HAND_STARTING;
	h->started = keeper_now();
	h->is_stalled = false;
	h->ticket_keys = 0;
	h->staples = 0;
	h->gone = stock_gone_now(h->config->stock);
	h->source = (struct source){ .fd = pair[0], .ready = on_hand };
	if (!err)
		err = keeper_watch(k, &h->source, EPOLLIN);
	if (err) {
		close(pair[0]);
		h->source.fd = -1;
	}
	return err;
}

int hands_add(struct keeper *k, struct config *config)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < config->workers && !err; i++) {
		struct hand *h = calloc(1, sizeof(*h));

		if (!h)
			return -ENOMEM;
		h->number = i;
		h->config = config_get(config);
		h->next = k->hands;
		k->hands = h;
		err = hand_start(k, h);
	}
	return err;
}

/* ---- messages */

/* 0; or -EAGAIN: the worker is not read before it has taken all that waits for it. */
static int answer_signed(struct hand *h, struct signer_job *job)
{
	int err = msg_send(h->source.fd, &job->out);

	if (err == -EAGAIN)
		return err;
	signers_end(job);
	return 0;
}

static void answer(struct keeper *k, struct hand *h)
{
	int err = h->late ? -EAGAIN : msg_send(h->source.fd, &h->stalled);

	if (err == -EAGAIN && !h->is_stalled)
		keeper_rewatch(k, &h->source, EPOLLOUT);
	h->is_stalled = err == -EAGAIN;
}

/* What waited for room in the worker's socket. */
static void answer_late(struct keeper *k, struct hand *h)
{
	struct signer_job *job;

	while ((job = h->late)) {
		struct signer_job *next = job->next;

		if (answer_signed(h, job))
			return;
		h->late = next;
	}
	if (h->is_stalled)
		answer(k, h);
	if (!h->is_stalled)
		keeper_rewatch(k, &h->source, EPOLLIN);
}

void hands_give_signatures(struct keeper *k)
{
	struct signer_job *job;
	struct hand *h;

	while ((job = signers_take(k->signers))) {
		h = job->asker;
		if (h && job->out.err)
			log_line(LOG_WARNING, "keeper: no signature for worker %d by identity %s: %s", h->number, job->work.site->id.name, strerror(-job->out.err));
		if (!h || h->source.fd < 0) {
			signers_end(job);
			continue;
		}
		if (!h->late && !answer_signed(h, job))
			continue;
		if (!h->late && !h->is_stalled)
			keeper_rewatch(k, &h->source, EPOLLOUT);
		job->next = h->late;	/* their order means nothing */
		h->late = job;
	}
}

static void forget_signatures(struct keeper *k, struct hand *h)
{
	struct signer_job *job;

	signers_forget(k->signers, h);
	while ((job = h->late)) {
		h->late = job->next;
		signers_end(job);
	}
}

static void refuse(struct keeper *k, struct hand *h, const struct msg_sign *m, int err)
{
	log_line(LOG_WARNING, "keeper: refused worker %d a signature by key %u, scheme %#x: %s", h->number, m->key, m->scheme, strerror(-err));
	h->stalled.signd = (struct msg_signed){ .type = MSG_SIGNED, .id = m->id, .err = err };
	answer(k, h);
}

static void on_sign(struct keeper *k, struct hand *h, const struct msg_sign *m, const uint8_t *tbs, size_t room)
{
	struct sign_work w;
	int err;

	/* Under overload, work for handshakes that are over would delay the others past their time. */
	if (keeper_now() >= m->deadline)
		return;
	h->signatures++;
	err = sign_check(h->config, m, tbs, room, &w);
	if (!err && signers_want(&w)) {
		err = signers_submit(k->signers, h, h->config, &w, m, tbs);
		/* Too many for the threads: the loop lends a hand, and takes in less meanwhile. */
		if (!err || w.site->token) {
			if (err)
				refuse(k, h, m, err);
			return;
		}
		err = 0;
	}
	if (err) {
		refuse(k, h, m, err);
		return;
	}
	h->stalled.signd = (struct msg_signed){ .type = MSG_SIGNED, .id = m->id };
	sign_make(&w, tbs, &h->stalled.signd);
	answer(k, h);
}

static void on_fresh(struct keeper *k, struct hand *h, const struct msg_fresh_ask *m)
{
	bool common = k->tickets.shared && share_first(&k->share, k->config, m->ticket, keeper_now());

	tickets_fresh(&k->tickets, m, time(NULL), common, &h->stalled.fresh);
}

static void on_message(struct keeper *k, struct hand *h, const union msg *m)
{
	switch (m->type) {
	case MSG_READY:
		if (h->state == HAND_STARTING) {
			h->state = HAND_READY;
			keeper_hand_ready(k, h);
		}
		break;
	case MSG_SIGN:
		on_sign(k, h, &m->sign, m->sign.tbs, sizeof(m->sign.tbs));
		break;
	case MSG_SIGN_LONG:
		on_sign(k, h, &m->sign, m->sign_long.tbs, sizeof(m->sign_long.tbs));
		break;
	case MSG_TICKET_PUT:
		tickets_put(&k->tickets, &m->ticket_put, h->config->client_tickets);
		break;
	case MSG_TICKET_GET:
		tickets_get(&k->tickets, &m->ticket_get, time(NULL), &h->stalled.ticket);
		answer(k, h);
		break;
	case MSG_FRESH_ASK:
		on_fresh(k, h, &m->fresh_ask);
		answer(k, h);
		break;
	case MSG_IDENTITY_GET:
		stock_get(h->config->stock, &m->identity_get, &h->stalled.identity);
		answer(k, h);
		break;
	case MSG_COUNTERS:
		h->counters = m->counters;
		break;
	case MSG_FAILURE:
		k->failures[k->failures_num++ % FAILURES_MAX] = m->failure;
		break;
	}
}

/* No more of this worker: it ended, or spoke what no worker of ours speaks. SIGCHLD does the rest. */
static void hang_up(struct hand *h, int err)
{
	if (err != -EPIPE) {
		log_line(LOG_ERR, "keeper: worker %d (pid %d) sent what is no message: killed", h->number, h->pid);
		kill(h->pid, SIGKILL);
	}
	close(h->source.fd);
	h->source.fd = -1;
}

static void on_hand(struct keeper *k, struct source *s, uint32_t events)
{
	struct hand *h = (struct hand *)s;
	union msg m;
	int err;

	if ((h->is_stalled || h->late) && events & EPOLLOUT)
		answer_late(k, h);
	if (h->is_stalled || h->late) {
		if (events & (EPOLLHUP | EPOLLERR))
			hang_up(h, -EPIPE);
		return;
	}
	err = msg_recv(s->fd, &m);
	if (!err)
		on_message(k, h, &m);
	else if (err != -EAGAIN)
		hang_up(h, err == -ECONNRESET ? -EPIPE : err);
}

/* A worker whose socket is full gets them another time. */
void hands_give_keys(struct keeper *k)
{
	struct hand *h;

	for (h = k->hands; h; h = h->next)
		if (h->state == HAND_READY && h->ticket_keys != k->tickets.generation && h->source.fd >= 0 &&
		    !msg_send(h->source.fd, &k->tickets.keys))
			h->ticket_keys = k->tickets.generation;
}

static bool give_staples(struct hand *h)
{
	struct msg_staple m;

	for (size_t i = 0; i < h->config->sites_num; i++)
		if (staples_message(h->config, i, &m) && msg_send(h->source.fd, &m))
			return false;
	return true;
}

void hands_give_staples(struct keeper *k)
{
	struct hand *h;

	for (h = k->hands; h; h = h->next)
		if (h->state == HAND_READY && h->staples != k->staples && h->config == k->config &&
		    h->source.fd >= 0 && give_staples(h))
			h->staples = k->staples;
}

/* A retiring worker may still choose. What the socket doesn't take is told another time. */
void hands_give_gone(struct keeper *k)
{
	struct msg_gone m;
	uint64_t seen;
	struct hand *h;

	for (h = k->hands; h; h = h->next) {
		seen = h->gone;
		while (h->source.fd >= 0 && stock_gone(h->config->stock, &seen, &m) && !msg_send(h->source.fd, &m))
			h->gone = seen;
	}
}

void hand_retire(struct keeper *k, struct hand *h)
{
	const struct msg_plain m = { MSG_RETIRE };

	(void)k;
	if (h->source.fd < 0 || msg_send(h->source.fd, &m))
		kill(h->pid, SIGKILL);
	h->state = HAND_RETIRING;
}

/* ---- ending */

static void how_ended(int status, char *buf, size_t size)
{
	if (WIFEXITED(status))
		snprintf(buf, size, "exited with status %d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGSYS)
		snprintf(buf, size, "was killed for a system call outside its seccomp filter");
	else
		snprintf(buf, size, "was killed by SIG%s", sigabbrev_np(WTERMSIG(status)) ?: "?");
}

static void forget(struct keeper *k, struct hand *h)
{
	struct hand **p = &k->hands;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	forget_signatures(k, h);
	config_put(h->config);
	free(h);
}

static void wait_to_restart(struct hand *h)
{
	uint64_t now = keeper_now(), lived = now - h->started;

	h->backoff = lived > STEADY ? BACKOFF_MIN : h->backoff ? h->backoff * 2 : BACKOFF_MIN;
	if (h->backoff > BACKOFF_MAX)
		h->backoff = BACKOFF_MAX;
	h->again = now + (lived > STEADY ? 0 : h->backoff);
	h->state = HAND_WAITING;
	h->counters.conns = 0;
}

/* What it reported before its end and nobody has read yet. */
static void last_words(struct keeper *k, struct hand *h)
{
	union msg m;

	while (!msg_recv(h->source.fd, &m))
		if (m.type == MSG_FAILURE || m.type == MSG_COUNTERS)
			on_message(k, h, &m);
	close(h->source.fd);
	h->source.fd = -1;
}

static void ended(struct keeper *k, struct hand *h, int status)
{
	char how[80];

	how_ended(status, how, sizeof(how));
	forget_signatures(k, h);
	if (h->source.fd >= 0)
		last_words(k, h);
	if (h->state == HAND_RETIRING || k->stop_by) {
		forget(k, h);
		return;
	}
	log_line(LOG_ERR, "keeper: worker %d (pid %d) %s", h->number, h->pid, how);
	h->pid = 0;
	if (h->config != k->config || !k->was_ready)
		keeper_hand_failed(k, h, how);
	else
		wait_to_restart(h);
}

void hands_reap(struct keeper *k)
{
	struct hand *h;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (h = k->hands; h && h->pid != pid; h = h->next)
			;
		if (h)
			ended(k, h, status);
	}
}

void hands_restart(struct keeper *k, uint64_t now)
{
	struct hand *h;

	for (h = k->hands; h; h = h->next)
		if (h->state == HAND_WAITING && h->again <= now && hand_start(k, h)) {
			log_line(LOG_ERR, "keeper: worker %d cannot be started: no memory, or too many processes", h->number);
			wait_to_restart(h);
		}
}

uint64_t hands_next_start(const struct keeper *k)
{
	uint64_t next = UINT64_MAX;
	struct hand *h;

	for (h = k->hands; h; h = h->next)
		if (h->state == HAND_WAITING && h->again < next)
			next = h->again;
	return next;
}

void hands_forget_waiting(struct keeper *k, const struct config *config)
{
	struct hand *h, *next;

	for (h = k->hands; h; h = next) {
		next = h->next;
		if (!h->pid && h->config == config)
			forget(k, h);
	}
}

void hands_kill(struct keeper *k, const struct config *config)
{
	struct hand *h, *next;

	for (h = k->hands; h; h = next) {
		next = h->next;
		if (config && h->config != config)
			continue;
		if (!h->pid) {
			forget(k, h);
			continue;
		}
		h->state = HAND_RETIRING;	/* its end is no news */
		kill(h->pid, SIGKILL);
	}
}
