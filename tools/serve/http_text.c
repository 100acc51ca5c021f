// SPDX-License-Identifier: GPL-2.0-or-later
/* What HTTP writes: status texts, dates, types, tags, ranges of a file. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "http.h"

int http_range_apply(const struct http_range *range, uint64_t size,
		     uint64_t *first, uint64_t *count)
{
	uint64_t n;

	*first = 0;
	*count = size;
	switch (range->kind) {
	case RANGE_NONE:
		return 200;
	case RANGE_SUFFIX:
		n = range->first < size ? range->first : size;
		if (!n)
			return 416;
		*first = size - n;
		*count = n;
		return 206;
	case RANGE_FROM:
		if (range->first >= size)
			return 416;
		n = size - range->first;
		if (range->last - range->first < n)
			n = range->last - range->first + 1;
		*first = range->first;
		*count = n;
		return 206;
	}
	return 200;
}

bool http_tag_listed(const char *list, const char *tag)
{
	size_t len = strlen(tag);

	while (*list) {
		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (!strncmp(list, "W/", 2))
			list += 2;
		if (!strncmp(list, tag, len))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

const char *http_status_text(int status)
{
	static const struct { int status; const char *text; } texts[] = {
		{ 200, "OK" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 416, "Range Not Satisfiable" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Error";
}

/* IMF-fixdate only: the obsolete forms just mean a full answer. */
time_t http_date_parse(const char *date)
{
	struct tm tm = { 0 };
	const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	time_t t = end && !*end ? timegm(&tm) : 0;

	return t > 0 ? t : 0;
}

void http_date_print(time_t t, char buf[static 32])
{
	struct tm tm;

	strftime(buf, 32, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&t, &tm));
}

const char *http_type(const char *path)
{
	static const struct { const char *suffix, *type; } types[] = {
		{ "html",  "text/html; charset=utf-8" },
		{ "htm",   "text/html; charset=utf-8" },
		{ "css",   "text/css; charset=utf-8" },
		{ "js",    "text/javascript; charset=utf-8" },
		{ "json",  "application/json" },
		{ "txt",   "text/plain; charset=utf-8" },
		{ "md",    "text/plain; charset=utf-8" },
		{ "xml",   "application/xml" },
		{ "svg",   "image/svg+xml" },
		{ "png",   "image/png" },
		{ "jpg",   "image/jpeg" },
		{ "jpeg",  "image/jpeg" },
		{ "gif",   "image/gif" },
		{ "webp",  "image/webp" },
		{ "ico",   "image/x-icon" },
		{ "woff2", "font/woff2" },
		{ "pdf",   "application/pdf" },
		{ "wasm",  "application/wasm" },
		{ "mp4",   "video/mp4" },
		{ "webm",  "video/webm" },
		{ "mp3",   "audio/mpeg" },
		{ "gz",    "application/gzip" },
		{ "zip",   "application/zip" },
	};
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot + 1, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

void http_encode(const char *path, char *buf, size_t size)
{
	static const char safe[] = "/-._~!$&'()*+,;=:@";
	size_t n = 0;

	for (; *path && n + 3 < size; path++) {
		unsigned char c = *path, l = c | 0x20;

		if ((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || strchr(safe, c))
			buf[n++] = c;
		else
			n += snprintf(buf + n, size - n, "%%%02X", c);
	}
	buf[n] = '\0';
}
