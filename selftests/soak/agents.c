// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An agent that is started again as soon as it dies, as a service manager
 * does, and is killed with all its processes at once: they are a process
 * group of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "soak.h"

static pid_t supervisor;
static _Atomic pid_t *group;	/* shared with the supervisor */

static void __attribute__((noreturn)) become_agent(const char *program, const char *config)
{
	int log = open("/run/ktlsd.log", O_WRONLY | O_CREAT | O_APPEND, 0600);

	setpgid(0, 0);
	if (log >= 0) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
	}
	execl(program, "ktlsd", "--config", config, NULL);
	_exit(127);
}

static void __attribute__((noreturn)) supervise(const char *program, const char *config)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (;;) {
		pid = fork();
		if (!pid)
			become_agent(program, config);
		if (pid < 0)
			_exit(1);
		setpgid(pid, pid);
		*group = pid;
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		*group = 0;
	}
}

int agents_start(const char *program, const char *config)
{
	group = mmap(NULL, sizeof(*group), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (group == MAP_FAILED)
		return -1;
	supervisor = fork();
	if (!supervisor)
		supervise(program, config);
	return supervisor < 0 ? -1 : 0;
}

unsigned int agents_kill(void)
{
	pid_t pid = *group;

	return pid > 0 && !kill(-pid, SIGKILL);
}

void agents_stop(void)
{
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	agents_kill();
}
