/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's loop: signals, workers, the control socket. A reload first
 * loads and checks the new configuration whole, then starts workers with it;
 * only when all of those serve do the old ones retire. Until then, and when
 * anything is wrong with the new one, the old stays in force.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>
#include "control.h"
#include "keeper.h"
#include "keylog.h"
#include "log.h"
#include "relay.h"
#include "sessions.h"

#define STOP_MS		3000	/* to finish handshakes in, when told to stop */

uint64_t keeper_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static int control_epoll(struct keeper *k, int op, struct source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(k->epoll, op, s->fd, &ev) ? -errno : 0;
}

int keeper_watch(struct keeper *k, struct source *s, uint32_t events)
{
	return control_epoll(k, EPOLL_CTL_ADD, s, events);
}

int keeper_rewatch(struct keeper *k, struct source *s, uint32_t events)
{
	return control_epoll(k, EPOLL_CTL_MOD, s, events);
}

/* ---- which configuration is in force */

static void open_control(struct keeper *k)
{
	int err = control_open(k, k->config->control, &k->control);

	if (err)
		log_line(LOG_WARNING, "keeper: no control socket at %s: %s", k->config->control, strerror(-err));
}

static bool all_ready(const struct keeper *k, const struct config *config)
{
	const struct hand *h;

	for (h = k->hands; h; h = h->next)
		if (h->config == config && h->state != HAND_READY)
			return false;
	return true;
}

static void retire_old(struct keeper *k)
{
	struct hand *h;

	for (h = k->hands; h; h = h->next)
		if (h->config != k->coming && h->pid && h->state != HAND_RETIRING)
			hand_retire(k, h);
	hands_forget_waiting(k, k->config);
}

static void drop_coming(struct keeper *k)
{
	close(k->coming_files);
	k->coming_files = -1;
	config_put(k->coming);
	k->coming = NULL;
}

static void reload(struct keeper *k);

static void reload_over(struct keeper *k)
{
	sd_notify(0, "READY=1");
	if (k->reload_again) {
		k->reload_again = false;
		reload(k);
	}
}

static void on_stock(struct keeper *k, struct source *s, uint32_t events)
{
	(void)s;
	(void)events;
	stock_look(k->config->stock);
}

/* Of the configuration in force; the one before has closed its own. */
static void watch_stock(struct keeper *k)
{
	if (!k->config->stock)
		return;
	k->stock = (struct source){ .fd = stock_fd(k->config->stock), .ready = on_stock };
	keeper_watch(k, &k->stock, EPOLLIN);
}

static void take_over(struct keeper *k)
{
	struct config *old = k->config;
	bool moved = strcmp(old->control, k->coming->control);

	retire_old(k);
	k->config = config_get(k->coming);
	close(k->files);
	k->files = k->coming_files;
	k->coming_files = -1;
	config_put(k->coming);
	k->coming = NULL;
	if (old->stock)
		epoll_ctl(k->epoll, EPOLL_CTL_DEL, stock_fd(old->stock), NULL);
	config_put(old);
	watch_stock(k);
	k->reloads++;
	log_set_level(k->config->log_level);
	share_forget(&k->share);
	if (moved) {
		control_close(k, k->control);
		k->control = NULL;
		open_control(k);
	}
	log_line(LOG_NOTICE, "keeper: the new configuration is in force");
	reload_over(k);
}

static void give_up_coming(struct keeper *k, const char *why)
{
	log_line(LOG_ERR, "keeper: the new configuration cannot be served (%s): the old one stays in force", why);
	hands_kill(k, k->coming);
	drop_coming(k);
	reload_over(k);
}

static void log_report(const struct config_report *report)
{
	const char *line = report->text;
	size_t len;

	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		log_line(report->errors ? LOG_ERR : LOG_WARNING, "%.*s", (int)len, line);
	}
}

static void reload(struct keeper *k)
{
	struct config_report report;
	struct files *files;
	int err = -ENOMEM;

	if (k->coming || !k->was_ready) {
		k->reload_again = true;
		return;
	}
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)keeper_now() * 1000);
	files = files_new();
	report.text[0] = '\0';
	if (files)
		err = config_load(k->path, files, true, &k->coming, &report);
	log_report(&report);
	if (err) {
		log_line(LOG_ERR, "keeper: the new configuration is not good: the old one stays in force");
		reload_over(k);
		return;
	}
	k->coming_files = files_save(k->coming->files);
	err = k->coming_files < 0 ? k->coming_files : hands_add(k, k->coming);
	if (err)
		give_up_coming(k, strerror(-err));
}

/* ---- what workers' fates mean */

void keeper_hand_ready(struct keeper *k, struct hand *h)
{
	if (!all_ready(k, h->config))
		return;
	if (h->config == k->coming) {
		take_over(k);
	} else if (!k->was_ready) {
		k->was_ready = true;
		sd_notify(0, "READY=1");
		log_line(LOG_NOTICE, "keeper: serving with %u workers, %zu identities, %zu trust stores",
			 k->config->workers, k->config->sites_num, k->config->trusts_num);
		reload_over(k);
	}
}

static void stop(struct keeper *k, int status)
{
	struct hand *h;

	k->status = status;
	if (k->stop_by || status) {	/* asked twice, or in trouble: now */
		hands_kill(k, NULL);
		k->stop_by = 1;
		return;
	}
	k->stop_by = keeper_now() + STOP_MS;
	sd_notify(0, "STOPPING=1");
	for (h = k->hands; h; h = h->next)
		if (h->pid)
			hand_retire(k, h);
	hands_forget_waiting(k, k->config);
}

void keeper_hand_failed(struct keeper *k, struct hand *h, const char *how)
{
	(void)h;
	if (k->coming)
		give_up_coming(k, how);
	else
		stop(k, 1);
}

/* ---- the loop */

static void on_signal(struct keeper *k, struct source *s, uint32_t events)
{
	struct signalfd_siginfo si;

	(void)events;
	while (read(s->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			reload(k);
		else if (si.ssi_signo != SIGCHLD)
			stop(k, 0);
	}
	hands_reap(k);
}

static int watch_signals(struct keeper *k)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->signals.ready = on_signal;
	k->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signals.fd < 0 ? -errno : keeper_watch(k, &k->signals, EPOLLIN);
}

/* Half the watchdog's time, or forever. */
static uint64_t watchdog_ms(void)
{
	uint64_t usec;

	return sd_watchdog_enabled(0, &usec) > 0 ? usec / 2000 + 1 : UINT64_MAX;
}

static int wait_ms(const struct keeper *k, uint64_t watchdog)
{
	uint64_t now = keeper_now(), next = hands_next_start(k), ms = watchdog;

	if (k->stop_by && k->stop_by < next)
		next = k->stop_by;
	if (next <= now)
		return 0;
	if (next - now < ms)
		ms = next - now;
	return ms > STAPLES_LOOK ? STAPLES_LOOK : (int)ms;
}

static void renew_staples(struct keeper *k, uint64_t now)
{
	if (now >= k->staples_next) {
		k->staples_next = now + STAPLES_LOOK;
		k->staples += staples_look(k->config);
	}
	hands_give_staples(k);
}

static void renew_ticket_keys(struct keeper *k)
{
	share_update(&k->share, k->config, keeper_now());
	if (k->share.has)
		tickets_derive(&k->tickets, k->share.secret, time(NULL), k->config->ticket_lifetime);
	else
		tickets_rotate(&k->tickets, keeper_now(), k->config->ticket_lifetime);
}

/* One event at a time: what one handler frees, no later event can name. */
static void run(struct keeper *k)
{
	uint64_t watchdog = watchdog_ms();
	struct epoll_event ev;

	while (!(k->stop_by && (!k->hands || keeper_now() >= k->stop_by))) {
		if (epoll_wait(k->epoll, &ev, 1, wait_ms(k, watchdog)) == 1) {
			struct source *s = ev.data.ptr;

			s->ready(k, s, ev.events);
		}
		if (!k->stop_by)
			hands_restart(k, keeper_now());
		renew_ticket_keys(k);
		hands_give_keys(k);
		hands_give_gone(k);
		renew_staples(k, keeper_now());
		if (watchdog != UINT64_MAX)
			sd_notify(0, "WATCHDOG=1");
	}
}

static void on_signed(struct keeper *k, struct source *s, uint32_t events)
{
	(void)s;
	(void)events;
	hands_give_signatures(k);
}

static int start_signers(struct keeper *k)
{
	k->signers = signers_new(k->config->signers, keeper_now);
	if (!k->signers)
		return -ENOMEM;
	k->signed_by = (struct source){ .fd = signers_fd(k->signers), .ready = on_signed };
	return keeper_watch(k, &k->signed_by, EPOLLIN);
}

static int start(struct keeper *k)
{
	int err;

	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (k->epoll < 0)
		return -errno;
	err = watch_signals(k);
	if (!err)
		err = start_signers(k);
	if (err)
		return err;
	k->files = files_save(k->config->files);
	if (k->files < 0)
		return k->files;
	open_control(k);
	watch_stock(k);
	k->relay = k->config->relay ? relay_listen(k->config->relay) : -1;
	k->key_log = keylog_open(k->config->key_log);
	k->sessions = sessions_open(k->config->session_ids);
	if (k->config->relay && k->relay < 0)
		log_line(LOG_ERR, "keeper: no relay at %s: %s", k->config->relay, strerror(-k->relay));
	return hands_add(k, k->config);
}

int keeper_main(const char *path, struct config *config)
{
	static struct keeper k;
	int err;

	k.path = path;
	k.config = config;
	k.coming_files = -1;
	k.started = keeper_now();
	err = start(&k);
	if (err) {
		log_line(LOG_ERR, "keeper: cannot start: %s", strerror(-err));
		k.status = 1;
	} else {
		run(&k);
	}
	hands_kill(&k, NULL);
	control_close(&k, k.control);
	tickets_free(&k.tickets);
	share_forget(&k.share);
	if (!signers_free(k.signers))
		_exit(k.status);	/* a thread may still use what would be freed */
	config_put(k.coming);
	config_put(k.config);
	return k.status;
}
