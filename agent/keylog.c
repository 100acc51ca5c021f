/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secrets of sessions in a file, in the format that Wireshark reads
 * (SSLKEYLOGFILE), for debugging by root: key-log in the configuration, and
 * nothing else, turns it on. Whoever reads the file reads the traffic.
 */
#include "keylog.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "crypto/crypto.h"
#include "log.h"

int keylog_open(const char *path)
{
	int fd = -EPERM;

	if (!path)
		return -1;
	if (!geteuid())
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_line(LOG_ERR, "keeper: no key-log at %s: %s", path, fd == -EPERM ? "only root may have one" : strerror(errno));
		return -1;
	}
	log_line(LOG_WARNING, "keeper: the secrets of every session are written to %s: whoever reads it reads the traffic; remove key-log from the configuration when you have seen enough", path);
	return fd;
}

static size_t hex(char *to, const uint8_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(to + 2 * i, 3, "%02x", from[i]);
	return 2 * len;
}

/* One write(), so that lines of several workers don't mix. */
void keylog_write(int fd, const char *label, const uint8_t random[32], const uint8_t *secret, size_t len)
{
	char line[64 + 64 + 2 * CRYPTO_MAX_DIGEST + 8];
	size_t n;

	n = snprintf(line, 64, "%s ", label);
	n += hex(line + n, random, 32);
	line[n++] = ' ';
	n += hex(line + n, secret, len);
	line[n++] = '\n';
	if (write(fd, line, n) != (ssize_t)n)
		log_line(LOG_WARNING, "worker: the key-log is full: %s", strerror(errno));
	crypto_wipe(line, sizeof(line));
}
