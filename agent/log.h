/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per event on stderr, which systemd makes a journal entry of.
 * Levels are those of syslog(3). Only main, keeper, worker and conn log.
 */
#ifndef LOG_H
#define LOG_H
#include <stddef.h>
#include <stdio.h>
#include <syslog.h>

void log_set_level(int level);
void log_line(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * @text as a "..." field: quotes and backslashes escaped, and what is no
 * printable ASCII shown as ?. Strangers choose such texts. Returns @buf.
 */
const char *log_quote(char *buf, size_t size, const char *text);

#endif
