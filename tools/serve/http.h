/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of HTTP/1.1 (RFC 9110, RFC 9112) that a server of static files
 * needs. Pure functions: bytes in, numbers and strings out.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define HTTP_MAX_HEAD	8192	/* request line and fields */
#define HTTP_MAX_FIELDS	64
#define HTTP_MAX_PATH	1024
#define HTTP_MAX_TAG	64

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

/* What Range asks for. Anything but one range of bytes counts as none. */
struct http_range {
	enum { RANGE_NONE, RANGE_FROM, RANGE_SUFFIX } kind;
	uint64_t first;		/* RANGE_SUFFIX: how many bytes from the end */
	uint64_t last;		/* UINT64_MAX: to the end */
};

struct http_request {
	enum http_method method;
	bool http11;
	bool keep_alive;
	bool has_body;
	bool has_host;
	char path[HTTP_MAX_PATH];	/* decoded, starts with '/', has no ".." */
	struct http_range range;
	time_t since;			/* If-Modified-Since, 0: none */
	char none_match[256];		/* If-None-Match as it came, "": none */
	char if_range[HTTP_MAX_TAG];
};

/*
 * Take one request from the front of @buf. Return: its bytes; 0 when more are
 * needed; minus the status to answer with, after which the connection can't
 * go on.
 */
ssize_t http_parse(const char *buf, size_t len, struct http_request *req);

/*
 * What of @size bytes to send: *@first and *@count. Return: 200, 206 or 416.
 */
int http_range_apply(const struct http_range *range, uint64_t size,
		     uint64_t *first, uint64_t *count);

/* Whether If-None-Match names @tag (weak comparison, RFC 9110 13.1.2). */
bool http_tag_listed(const char *list, const char *tag);

const char *http_status_text(int status);
time_t http_date_parse(const char *date);		/* 0: not a date */
void http_date_print(time_t t, char buf[static 32]);
const char *http_type(const char *path);		/* Content-Type by suffix */
/* @path for Location and logs: everything but safe characters as %xx. */
void http_encode(const char *path, char *buf, size_t size);

#endif
