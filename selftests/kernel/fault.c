// SPDX-License-Identifier: GPL-2.0-or-later
/* See fault.h; Documentation/fault-injection of the kernel says what the files mean. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "fault.h"

static int nth = -1;

bool fault_set(const char *kind, const char *name, long value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	f = fopen(path, "w");
	if (!f)
		return false;
	fprintf(f, "%ld\n", value);
	return !fclose(f);
}

long fault_get(const char *kind, const char *name)
{
	char path[128];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &value) != 1)
		abort();
	fclose(f);
	return value;
}

bool fault_ready(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

	if (nth >= 0)
		return true;
	nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth < 0 || !fault_set("failslab", "ignore-gfp-wait", 0) ||
	    !fault_set("fail_page_alloc", "ignore-gfp-wait", 0) || !fault_set("fail_page_alloc", "min-order", 0))
		return false;
	for (int i = 0; i < 3; i++)
		fault_set(kinds[i], "verbose", getenv("FAULT_VERBOSE") ? 2 : 0);
	return true;
}

/* Reading and writing copy to and from user memory, too: the fault may meet them. */
static void write_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n), tries;

	for (tries = 0; pwrite(nth, text, len, 0) != len; tries++)
		if (tries == 3)
			abort();
}

void fault_arm(unsigned int n)
{
	write_nth(n);
}

bool fault_disarm(void)
{
	char text[16] = "";
	bool met = pread(nth, text, sizeof(text) - 1, 0) <= 0;

	write_nth(0);
	return !met && atoi(text) == 0;
}
