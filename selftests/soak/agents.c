// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An agent that is started again as soon as it dies, as a service manager
 * does, and is killed with all its processes at once: they are a process
 * group of their own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static bool in_group(const char *pid, pid_t pgrp)
{
	char path[300];
	int found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %*c %*d %d", &found) != 1)
		found = -1;
	fclose(f);
	return found == pgrp;
}

static long sum_of(const char *pid, const char *file, const char *name)
{
	char path[300], line[128];
	size_t len = strlen(name);
	long sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len))
			sum += strtol(line + len, NULL, 10);
	if (f)
		fclose(f);
	return sum;
}

/* Its part of what is shared, where the kernel tells; User Mode Linux doesn't. */
static long memory_of(const char *pid)
{
	long pss = sum_of(pid, "smaps_rollup", "Pss:");

	return pss ? pss : sum_of(pid, "status", "VmRSS:");
}

long agents_memory(void)
{
	pid_t pgrp = *group;
	struct dirent *d;
	DIR *proc = opendir("/proc");
	long sum = 0;

	while (proc && (d = readdir(proc)))
		if (*d->d_name >= '1' && *d->d_name <= '9' && in_group(d->d_name, pgrp))
			sum += memory_of(d->d_name);
	if (proc)
		closedir(proc);
	return sum;
}

void agents_stop(void)
{
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	agents_kill();
}
