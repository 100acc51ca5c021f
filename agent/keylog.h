/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keylog.c: secrets for Wireshark, if the configuration says so. */
#ifndef KEYLOG_H
#define KEYLOG_H
#include <stddef.h>
#include <stdint.h>

/* The keeper's part, as root: open @path (NULL: none), with a warning. The descriptor, or -1. */
int keylog_open(const char *path);
/* The worker's. */
void keylog_write(int fd, const char *label, const uint8_t random[32], const uint8_t *secret, size_t len);

#endif
