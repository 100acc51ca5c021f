// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: a configuration file. What is refused says where and why, and
 * whatever was read of it is freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Without a file behind it: paths in the text lead nowhere, or to what anybody may read. */
static int memory_file(const uint8_t *data, size_t len)
{
	static const char system[] = "\n[trust system]\nfile = /nowhere\n";
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, len, 0) != (ssize_t)len ||
	    pwrite(fd, system, sizeof(system) - 1, (off_t)len) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config_report report;
	struct config *c;
	char path[64];
	int err;

	if (memmem(data, len, "/dev", 4) || memmem(data, len, "pkcs11", 6) || memmem(data, len, "fips", 4))
		return 0;	/* outside of this program */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory_file(data, len));
	err = config_load(path, files_new(), true, &c, &report);
	if (strlen(report.text) != report.len)
		abort();
	if (err && !report.errors)
		abort();
	if (!err)
		config_put(c);
	return 0;
}
