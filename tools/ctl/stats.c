// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/net/ktls_stat: lines of a name and a number. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctl.h"

#define STAT_PATH "/proc/net/ktls_stat"

static bool stat_next(FILE *f, char name[static 64], uint64_t *value)
{
	return fscanf(f, "%63s%" SCNu64, name, value) == 2;
}

bool stat_read(const char *name, uint64_t *value)
{
	FILE *f = fopen(STAT_PATH, "re");
	bool found = false;
	char each[64];

	while (f && !found && stat_next(f, each, value))
		found = !strcmp(each, name);
	if (f)
		fclose(f);
	return found;
}

int ctl_stats(const struct ctl *ctl, const char *arg)
{
	FILE *f = fopen(STAT_PATH, "re");
	const char *comma = "{";
	uint64_t value;
	char name[64];

	(void)arg;
	if (!f) {
		fprintf(stderr, "ktlsctl: " STAT_PATH ": %s\n", errno == ENOENT ?
			"the module is not loaded; as root: modprobe ktls" : strerror(errno));
		return 1;
	}
	while (stat_next(f, name, &value)) {
		if (ctl->json)
			printf("%s\"%s\":%" PRIu64, comma, name, value);
		else
			printf("%-24s %12" PRIu64 "\n", name, value);
		comma = ",";
	}
	if (ctl->json)
		printf("%s}\n", *comma == '{' ? "{" : "");
	fclose(f);
	return 0;
}
