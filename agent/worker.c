/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's life: configuration from the keeper's memfd, JOIN, drop every
 * privilege, seccomp, serve. It is a fresh image of this program, never a
 * copy of the keeper: no private key was ever in its memory, and a crash
 * tells a stranger nothing of the next one's layout.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "log.h"
#include "relay.h"
#include "loop.h"
#include "rng/rng.h"
#include "sandbox.h"
#include "worker.h"

static struct config *load(const char *path)
{
	struct files *files = files_restore(WORKER_FILES);
	struct config_report report;
	struct config *config;

	close(WORKER_FILES);
	if (!files || config_load(path, files, false, &config, &report)) {
		log_line(LOG_ERR, "worker: the keeper's configuration cannot be read: %s", files ? report.text : strerror(errno));
		return NULL;
	}
	return config;
}

static int join(struct netlink *nl)
{
	int err = netlink_open(nl);

	if (err == -ENOENT)
		log_line(LOG_ERR, "worker: the module is not loaded: modprobe ktls");
	else if (err == -EPERM)
		log_line(LOG_ERR, "worker: joining needs CAP_NET_ADMIN: start ktlsd as root or by its unit");
	else if (err)
		log_line(LOG_ERR, "worker: cannot join: %s", strerror(-err));
	return err;
}

/* By the module, by the relay, or both. */
static bool serves_somehow(struct loop *l, const struct config *config)
{
	if (config->relay && fcntl(WORKER_RELAY, F_GETFD) >= 0)
		l->relay = relay_new(WORKER_RELAY);
	if (l->relay && netlink_probe())
		return true;
	l->joined = !join(&l->nl);
	return l->joined || l->relay;
}

/* What opens files or asks much of the kernel at its first use is used now. */
static void warm_up(void)
{
	uint8_t byte;

	tzset();
	rng_fill(RNG_NONCE, &byte, 1);
	rng_fill(RNG_RANDOM, &byte, 1);
	rng_fill(RNG_KEY, &byte, 1);
}

static int confine(const struct config *config)
{
	rlim_t num = config->handshakes + 64 + (config->relay ? 4096 : 0);
	struct rlimit files = { num, num };
	int err;

	setrlimit(RLIMIT_NOFILE, &files);
	err = sandbox_drop(config->uid, config->gid);
	if (err) {
		log_line(LOG_ERR, "worker: cannot become user %s: %s", config->user, strerror(-err));
		return err;
	}
	/* Changing the uid clears it, so only now. Had the keeper died before, its socket tells. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = sandbox_filter(SCMP_ACT_KILL_PROCESS);
	if (err)
		log_line(LOG_ERR, "worker: no seccomp filter: %s", strerror(-err));
	return err;
}

static int serve(struct loop *l)
{
	const struct msg_plain ready = { MSG_READY };
	int err;

	err = msg_send(l->keeper, &ready);
	if (!err)
		err = loop_run(l);
	if (err && err != -EPIPE)
		log_line(LOG_ERR, "worker: ends, the module or the keeper is gone: %s", strerror(-err));
	return err;
}

int worker_main(const char *path, int number)
{
	static struct loop loop;
	struct config *config;
	char name[24];

	snprintf(name, sizeof(name), "ktlsd-worker%d", number % 1000);
	prctl(PR_SET_NAME, name);
	signal(SIGINT, SIG_IGN);	/* a terminal's Ctrl-C is the keeper's business */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	config = load(path);
	if (!config)
		return 1;
	log_set_level(config->log_level);
	warm_up();
	if (!serves_somehow(&loop, config) || loop_init(&loop, config, WORKER_KEEPER) || confine(config))
		return 1;
	return serve(&loop) ? 1 : 0;
}
