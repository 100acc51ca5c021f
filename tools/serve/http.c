// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests of HTTP/1.1: read the line and the fields that matter, refuse what
 * could be understood in two ways (folded fields, white space before a colon,
 * two Hosts, a path that climbs). Works on a complete head, within its bounds.
 */
#include "http.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A piece of the head, not terminated. */
struct text {
	const char *at;
	size_t len;
};

static bool is(struct text t, const char *word)
{
	return t.len == strlen(word) && !strncasecmp(t.at, word, t.len);
}

static struct text trim(struct text t)
{
	while (t.len && (*t.at == ' ' || *t.at == '\t')) {
		t.at++;
		t.len--;
	}
	while (t.len && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* Cut *@from at @c: the part before it; *@from is what follows, or empty. */
static struct text cut(struct text *from, char c)
{
	const char *end = memchr(from->at, c, from->len);
	struct text part = *from;

	if (end) {
		part.len = end - from->at;
		from->at = end + 1;
		from->len -= part.len + 1;
	} else {
		from->at += from->len;
		from->len = 0;
	}
	return part;
}

/* Whether a comma-separated list has the word. */
static bool lists(struct text list, const char *word)
{
	while (list.len)
		if (is(trim(cut(&list, ',')), word))
			return true;
	return false;
}

static void keep(struct text t, char *to, size_t size)
{
	if (t.len >= size)
		t.len = 0;
	memcpy(to, t.at, t.len);
	to[t.len] = '\0';
}

static bool is_token(struct text t)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	size_t i;

	for (i = 0; i < t.len; i++) {
		char c = t.at[i], l = c | 0x20;

		if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') &&
		    !(c && strchr(marks, c)))
			return false;
	}
	return t.len > 0;
}

/* ---- target */

static int hex(char c)
{
	char l = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* RFC 9112 3.2.2: a server must take http://host/path as well. */
static struct text without_authority(struct text t)
{
	struct text rest = t;

	if (!t.len || t.at[0] == '/')
		return t;
	cut(&rest, '/');
	if (rest.len && rest.at[0] == '/') {
		rest.at++;
		rest.len--;
		cut(&rest, '/');
		rest.at--;
		rest.len++;
	}
	return rest;
}

static bool climbs(const char *path)
{
	const char *p;

	for (p = path; (p = strstr(p, "/..")); p++)
		if (p[3] == '/' || p[3] == '\0')
			return true;
	return false;
}

/* The path of the target, decoded. 0 or minus a status. */
static int target_parse(struct text target, char path[static HTTP_MAX_PATH])
{
	size_t i, n = 0;
	struct text t;
	int c;

	t = without_authority(target);
	t = cut(&t, '?');
	t = cut(&t, '#');
	if (!t.len || t.at[0] != '/')
		return -400;
	for (i = 0; i < t.len; i++) {
		c = (unsigned char)t.at[i];
		if (c == '%') {
			if (t.len - i < 3 || hex(t.at[i + 1]) < 0 || hex(t.at[i + 2]) < 0)
				return -400;
			c = hex(t.at[i + 1]) << 4 | hex(t.at[i + 2]);
			i += 2;
		}
		if (c == '\0')
			return -400;
		if (c == '/' && n && path[n - 1] == '/')
			continue;	/* "//name" in Location would be another host */
		if (n == HTTP_MAX_PATH - 1)
			return -414;
		path[n++] = c;
	}
	path[n] = '\0';
	return climbs(path) ? -400 : 0;
}

static int line_parse(struct text line, struct http_request *req)
{
	struct text method = cut(&line, ' ');
	struct text target = cut(&line, ' ');

	if (!is_token(method) || !target.len)
		return -400;
	if (is(line, "HTTP/1.1"))
		req->http11 = req->keep_alive = true;
	else if (!is(line, "HTTP/1.0"))
		return line.len == 8 && !strncmp(line.at, "HTTP/", 5) ? -505 : -400;
	req->method = HTTP_OTHER;
	if (method.len == 3 && !memcmp(method.at, "GET", 3))
		req->method = HTTP_GET;
	else if (method.len == 4 && !memcmp(method.at, "HEAD", 4))
		req->method = HTTP_HEAD;
	if (req->method == HTTP_OTHER && is(target, "*"))
		target = (struct text){ "/", 1 };
	return target_parse(target, req->path);
}

/* ---- fields */

static bool number(struct text t, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i;

	if (!t.len || t.len > 18)
		return false;
	for (i = 0; i < t.len; i++) {
		if (t.at[i] < '0' || t.at[i] > '9')
			return false;
		n = n * 10 + (t.at[i] - '0');
	}
	*ret = n;
	return true;
}

/* RFC 9110 14.2: what can't be understood is ignored. */
static void range_parse(struct text value, struct http_range *range)
{
	struct http_range r = { .kind = RANGE_FROM, .last = UINT64_MAX };
	struct text unit = cut(&value, '='), first;

	value = trim(value);
	if (!is(trim(unit), "bytes") || memchr(value.at, ',', value.len) ||
	    !memchr(value.at, '-', value.len))
		return;
	first = cut(&value, '-');
	if (!first.len) {
		r.kind = RANGE_SUFFIX;
		if (number(value, &r.first))
			*range = r;
		return;
	}
	if (!number(first, &r.first) || (value.len && !number(value, &r.last)))
		return;
	if (r.first <= r.last)
		*range = r;
}

static int host(struct http_request *req, struct text value)
{
	(void)value;
	if (req->has_host)
		return -400;
	req->has_host = true;
	return 0;
}

static int connection(struct http_request *req, struct text value)
{
	if (lists(value, "close"))
		req->keep_alive = false;
	else if (lists(value, "keep-alive"))
		req->keep_alive = true;
	return 0;
}

static int content_length(struct http_request *req, struct text value)
{
	uint64_t n;

	if (!number(value, &n))
		return -400;
	if (n)
		req->has_body = true;
	return 0;
}

static int transfer_encoding(struct http_request *req, struct text value)
{
	(void)value;
	req->has_body = true;
	return 0;
}

static int range(struct http_request *req, struct text value)
{
	range_parse(value, &req->range);
	return 0;
}

static int if_range(struct http_request *req, struct text value)
{
	keep(value, req->if_range, sizeof(req->if_range));
	if (!req->if_range[0])
		memcpy(req->if_range, "?", 2);	/* too long to match anything */
	return 0;
}

static int if_none_match(struct http_request *req, struct text value)
{
	keep(value, req->none_match, sizeof(req->none_match));
	return 0;
}

static int if_modified_since(struct http_request *req, struct text value)
{
	char date[40];

	keep(value, date, sizeof(date));
	req->since = http_date_parse(date);
	return 0;
}

static const struct field {
	const char *name;
	int (*take)(struct http_request *req, struct text value);
} fields[] = {
	{ "Host",		host },
	{ "Connection",		connection },
	{ "Content-Length",	content_length },
	{ "Transfer-Encoding",	transfer_encoding },
	{ "Range",		range },
	{ "If-Range",		if_range },
	{ "If-None-Match",	if_none_match },
	{ "If-Modified-Since",	if_modified_since },
};

/* RFC 9112 5: no white space before the colon, no folding (the line would not be a token). */
static int field_parse(struct text line, struct http_request *req)
{
	struct text name;
	size_t i;

	if (!memchr(line.at, ':', line.len))
		return -400;
	name = cut(&line, ':');
	if (!is_token(name))
		return -400;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (is(name, fields[i].name))
			return fields[i].take(req, trim(line));
	return 0;
}

/* ---- head */

/* The next line without its end; false when it isn't all there. */
static bool line_next(const char *buf, size_t len, size_t *at, struct text *line)
{
	const char *end = memchr(buf + *at, '\n', len - *at);

	if (!end)
		return false;
	line->at = buf + *at;
	line->len = end - line->at;
	*at += line->len + 1;
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

static bool has_control(struct text line)
{
	size_t i;

	for (i = 0; i < line.len; i++) {
		unsigned char c = line.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static ssize_t head_parse(const char *buf, size_t len, struct http_request *req)
{
	struct text line;
	size_t at = 0;
	int i, err;

	/* RFC 9112 2.2: empty lines before a request are ignored; a few. */
	for (i = 0; i < 4; i++) {
		if (!line_next(buf, len, &at, &line))
			return 0;
		if (line.len)
			break;
	}
	for (i = 0; i <= HTTP_MAX_FIELDS; i++) {
		if (has_control(line))
			return -400;
		err = i ? field_parse(line, req) : line_parse(line, req);
		if (err)
			return err;
		if (!line_next(buf, len, &at, &line))
			return 0;
		if (!line.len)
			return at;
	}
	return -431;
}

ssize_t http_parse(const char *buf, size_t len, struct http_request *req)
{
	ssize_t used;

	memset(req, 0, sizeof(*req));
	used = head_parse(buf, len < HTTP_MAX_HEAD ? len : HTTP_MAX_HEAD, req);
	if (!used && len >= HTTP_MAX_HEAD)
		return memchr(buf, '\n', HTTP_MAX_HEAD) ? -431 : -414;
	if (used > 0 && !req->has_host && req->http11)
		return -400;
	return used;
}
