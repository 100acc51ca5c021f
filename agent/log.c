/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines. Each is one write(2), so that lines of several processes never
 * mix. Under systemd a line begins with <level>; elsewhere with the time.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "log.h"

static int threshold = LOG_INFO;

void log_set_level(int level)
{
	threshold = level;
}

static size_t prefix(char *buf, size_t size, int level)
{
	time_t now = time(NULL);
	struct tm tm;

	if (getenv("JOURNAL_STREAM"))
		return snprintf(buf, size, "<%d>", level);
	return strftime(buf, size, "%FT%TZ ktlsd: ", gmtime_r(&now, &tm));
}

void log_line(int level, const char *fmt, ...)
{
	char buf[1024];
	size_t len;
	va_list ap;
	int n;

	if (level > threshold)
		return;
	len = prefix(buf, sizeof(buf), level);
	va_start(ap, fmt);
	n = vsnprintf(buf + len, sizeof(buf) - len - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	len += strlen(buf + len);
	buf[len++] = '\n';
	if (write(STDERR_FILENO, buf, len) < 0)
		return;		/* nowhere left to say so */
}

const char *log_quote(char *buf, size_t size, const char *text)
{
	size_t n = 0;

	if (size < 3)
		return "";
	buf[n++] = '"';
	for (; *text && n + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			buf[n++] = '\\';
		buf[n++] = isascii(*text) && isprint(*text) ? *text : '?';
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}
