// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The answer to a request: head in memory, body in memory or a piece of a
 * file that the engine sends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

__attribute__((format(printf, 2, 3)))
static void add(struct answer *a, const char *format, ...)
{
	size_t room = a->size - a->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(a->data + a->len, room, format, args);
	va_end(args);
	if (n > 0)
		a->len += (size_t)n < room ? (size_t)n : room - 1;
}

static void begin(struct conn *c, int status)
{
	char date[32];

	http_date_print(time(NULL), date);
	add(c->answer, "HTTP/1.1 %d %s\r\nServer: ktls-serve\r\nDate: %s\r\n",
	    status, http_status_text(status), date);
}

static void end(struct conn *c)
{
	if (!c->keep_alive)
		add(c->answer, "Connection: close\r\n");
	add(c->answer, "\r\n");
}

static void peer_print(int fd, char *buf, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer = { 0 };
	socklen_t len = sizeof(peer);
	const void *addr;

	getpeername(fd, &peer.any, &len);
	addr = peer.any.sa_family == AF_INET6 ? (void *)&peer.in6.sin6_addr : &peer.in.sin_addr;
	if (!inet_ntop(peer.any.sa_family, addr, buf, size))
		snprintf(buf, size, "-");
	if (!strncmp(buf, "::ffff:", 7) && strchr(buf, '.'))
		memmove(buf, buf + 7, strlen(buf + 7) + 1);	/* IPv4 on a socket for both */
}

static void log_line(const struct conn *c, const struct http_request *req, int status,
		     uint64_t bytes)
{
	static const char *const methods[] = { "GET", "HEAD", "?" };
	char peer[INET6_ADDRSTRLEN], path[256];

	if (!c->worker->opt->log)
		return;
	peer_print(c->fd, peer, sizeof(peer));
	http_encode(req ? req->path : "?", path, sizeof(path));
	printf("%s %s %s %d %" PRIu64 "\n", peer, req ? methods[req->method] : "?", path,
	       status, bytes);
}

static int body_text(struct conn *c, const struct http_request *req, int status,
		     const char *type, const char *body, size_t len)
{
	add(c->answer, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
	end(c);
	if (!req || req->method != HTTP_HEAD)
		add(c->answer, "%.*s", (int)len, body);
	log_line(c, req, status, len);
	return 0;
}

static int refuse(struct conn *c, const struct http_request *req, int status)
{
	char body[128];
	int len;

	begin(c, status);
	if (status == 405)
		add(c->answer, "Allow: GET, HEAD\r\n");
	len = snprintf(body, sizeof(body), "%d %s\n", status, http_status_text(status));
	return body_text(c, req, status, "text/plain; charset=utf-8", body, len);
}

static int redirect(struct conn *c, const struct http_request *req)
{
	char location[3 * HTTP_MAX_PATH + 8];

	http_encode(req->path, location, sizeof(location));
	begin(c, 301);
	add(c->answer, "Location: %s/\r\n", location);
	return body_text(c, req, 301, "text/plain; charset=utf-8", "", 0);
}

static int status_page(struct conn *c, const struct http_request *req)
{
	char body[4096];
	size_t len = status_print(c->worker->opt->plain ? -1 : c->fd, body, sizeof(body));

	begin(c, 200);
	add(c->answer, "Cache-Control: no-store\r\n");
	return body_text(c, req, 200, "application/json", body, len);
}

/* RFC 9110 13.2.2: If-None-Match hides If-Modified-Since. */
static bool unchanged(const struct http_request *req, const struct file *file)
{
	if (req->none_match[0])
		return http_tag_listed(req->none_match, file->tag);
	return req->since && file->mtime <= req->since;
}

/* RFC 9110 13.1.5: a range of the version that the client has, or the whole. */
static bool range_holds(const struct http_request *req, const struct file *file)
{
	return !req->if_range[0] || !strcmp(req->if_range, file->tag) ||
	       http_date_parse(req->if_range) == file->mtime;
}

static void validators(struct answer *a, const struct file *file)
{
	char date[32];

	http_date_print(file->mtime, date);
	add(a, "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n", date, file->tag);
}

/* Takes over file->fd. */
static int body_file(struct conn *c, const struct http_request *req, const struct file *file)
{
	struct http_range range = { 0 };
	uint64_t first, count;
	int status;

	if (req->method == HTTP_GET && range_holds(req, file))
		range = req->range;
	status = http_range_apply(&range, file->size, &first, &count);
	begin(c, status);
	validators(c->answer, file);
	if (status == 206)
		add(c->answer, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
		    first, first + count - 1, file->size);
	if (status == 416) {
		add(c->answer, "Content-Range: bytes */%" PRIu64 "\r\n", file->size);
		count = 0;
	}
	add(c->answer, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", file->type, count);
	end(c);
	log_line(c, req, status, count);
	if (req->method == HTTP_HEAD || !count) {
		close(file->fd);
		return 0;
	}
	c->file = file->fd;
	c->file_at = first;
	c->file_left = count;
	return 0;
}

static int not_modified(struct conn *c, const struct http_request *req, const struct file *file)
{
	begin(c, 304);
	validators(c->answer, file);
	end(c);
	log_line(c, req, 304, 0);
	close(file->fd);
	return 0;
}

static int answer_new(struct conn *c)
{
	c->answer = c->worker->engine->answer_new(c);
	return c->answer ? 0 : -ENOMEM;
}

int respond_error(struct conn *c, int status)
{
	int err = answer_new(c);

	c->keep_alive = false;
	return err ? err : refuse(c, NULL, status);
}

int respond(struct conn *c, const struct http_request *req)
{
	struct file file;
	int status, err = answer_new(c);

	if (err)
		return err;
	/* A body is not read: what follows could not be told from a request. */
	c->keep_alive = req->keep_alive && !req->has_body && !c->worker->stopping;
	if (req->method == HTTP_OTHER)
		return refuse(c, req, 405);
	if (req->has_body)
		return refuse(c, req, 413);
	if (c->worker->opt->status && !strcmp(req->path, STATUS_PATH))
		return status_page(c, req);
	status = file_open(c->worker->opt->root, req->path, &file);
	if (status == 301)
		return redirect(c, req);
	if (status != 200)
		return refuse(c, req, status);
	if (unchanged(req, &file))
		return not_modified(c, req, &file);
	return body_file(c, req, &file);
}
