// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktls-serve: the parser by tables, files against a directory with traps, and
 * a whole worker without TLS over loopback, with each engine.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>
#include <sys/resource.h>
#include <liburing.h>
#include <cmocka.h>
#include "../../tools/serve/serve.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define H "Host: x\r\n"

/* ---- parser */

static void test_targets(void **state)
{
	static const struct { const char *target; int status; const char *path; } rows[] = {
		{ "/",				0,	"/" },
		{ "/a.txt",			0,	"/a.txt" },
		{ "/a%20b",			0,	"/a b" },
		{ "/a?b=/../c",			0,	"/a" },
		{ "/a#b",			0,	"/a" },
		{ "//a///b",			0,	"/a/b" },
		{ "http://host/a",		0,	"/a" },
		{ "http://host:8443/a/b",	0,	"/a/b" },
		{ "/...",			0,	"/..." },
		{ "/a..b/",			0,	"/a..b/" },
		{ "/..",			-400,	NULL },
		{ "/../etc/passwd",		-400,	NULL },
		{ "/a/../b",			-400,	NULL },
		{ "/a/..",			-400,	NULL },
		{ "/%2e%2e/etc/passwd",		-400,	NULL },
		{ "/a/%2E./b",			-400,	NULL },
		{ "/..%2fetc",			-400,	NULL },
		{ "/a%00b",			-400,	NULL },
		{ "/a%0",			-400,	NULL },
		{ "/a%",			-400,	NULL },
		{ "/a%zz",			-400,	NULL },
		{ "a",				-400,	NULL },
		{ "http://host",		-400,	NULL },
		{ "*",				-400,	NULL },
	};
	struct http_request req;
	char text[256];
	ssize_t used;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" H "\r\n", rows[i].target);
		used = http_parse(text, strlen(text), &req);
		assert_int_equal(used, rows[i].status ? rows[i].status : (ssize_t)strlen(text));
		if (rows[i].path)
			assert_string_equal(req.path, rows[i].path);
	}
}

static void test_heads(void **state)
{
	static const struct { const char *text; int status; bool keep_alive, has_body; } rows[] = {
		{ "GET / HTTP/1.1\r\n" H "\r\n",				0,	true,	false },
		{ "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n",			0,	true,	false },
		{ "GET / HTTP/1.1\nHost: x\n\n",				0,	true,	false },
		{ "GET / HTTP/1.0\r\n\r\n",					0,	false,	false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",		0,	true,	false },
		{ "GET / HTTP/1.1\r\n" H "Connection: foo, close\r\n\r\n",	0,	false,	false },
		{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n",		0,	true,	true },
		{ "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n",		0,	true,	false },
		{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n",	0,	true,	true },
		{ "OPTIONS * HTTP/1.1\r\n" H "\r\n",				0,	true,	false },
		{ "GET / HTTP/1.1\r\n\r\n",					-400,	false,	false },
		{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",		-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H H "\r\n",				-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H "a : b\r\n\r\n",			-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H "a: b\r\n c\r\n\r\n",			-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H "nonsense\r\n\r\n",			-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H "a: b\rc\r\n\r\n",			-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H ": b\r\n\r\n",				-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n",		-400,	false,	false },
		{ "GET / HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\n",		-400,	false,	false },
		{ "GET / HTTP/2.0\r\n\r\n",					-505,	false,	false },
		{ "GET / FTP\r\n\r\n",						-400,	false,	false },
		{ "GET /\r\n\r\n",						-400,	false,	false },
		{ "G@T / HTTP/1.1\r\n\r\n",					-400,	false,	false },
		{ "GET  / HTTP/1.1\r\n\r\n",					-400,	false,	false },
		{ "\x16\x03\x01\x02\n\r\n",					-400,	false,	false },
	};
	struct http_request req;
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		len = strlen(rows[i].text);
		assert_int_equal(http_parse(rows[i].text, len, &req),
				 rows[i].status ? rows[i].status : (ssize_t)len);
		if (rows[i].status)
			continue;
		assert_int_equal(req.keep_alive, rows[i].keep_alive);
		assert_int_equal(req.has_body, rows[i].has_body);
	}
}

/* Each prefix of a good request wants more, and is read within its bounds. */
static void test_cut(void **state)
{
	static const char text[] = "GET /a%20b?c HTTP/1.1\r\n" H "Range: bytes=1-2\r\n"
				   "If-None-Match: \"x\"\r\nConnection: close\r\n\r\n";
	struct http_request req;
	size_t len;
	char *copy;

	(void)state;
	for (len = 0; len < sizeof(text) - 1; len++) {
		copy = malloc(len ? len : 1);	/* ASan guards the end */
		memcpy(copy, text, len);
		assert_int_equal(http_parse(copy, len, &req), 0);
		free(copy);
	}
	assert_int_equal(http_parse(text, len, &req), (ssize_t)len);
	assert_string_equal(req.none_match, "\"x\"");
}

static void test_too_long(void **state)
{
	static char text[HTTP_MAX_HEAD + 1];
	struct http_request req;
	size_t len, i;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	assert_int_equal(http_parse(text, HTTP_MAX_HEAD - 1, &req), 0);
	assert_int_equal(http_parse(text, HTTP_MAX_HEAD, &req), -414);
	memcpy(text + 5 + HTTP_MAX_PATH, " HTTP/1.1\r\n", 11);
	assert_int_equal(http_parse(text, HTTP_MAX_HEAD, &req), -414);
	memcpy(text, "GET / HTTP/1.1\r\na: ", 19);
	assert_int_equal(http_parse(text, HTTP_MAX_HEAD, &req), -431);

	len = sprintf(text, "GET / HTTP/1.1\r\n" H);
	for (i = 1; i < HTTP_MAX_FIELDS; i++)
		len += sprintf(text + len, "a: b\r\n");
	sprintf(text + len, "\r\n");
	assert_int_equal(http_parse(text, len + 2, &req), (ssize_t)len + 2);
	sprintf(text + len, "a: b\r\n\r\n");
	assert_int_equal(http_parse(text, len + 8, &req), -431);
}

/* Bytes turned at random must never be read or written out of bounds. */
static void test_mangled(void **state)
{
	static const char text[] = "GET http://h/a%20b?c HTTP/1.1\r\n" H "Range: bytes=1-2\r\n"
				   "If-Range: \"x\"\r\nIf-Modified-Since: Sun, 22 Nov 2026 01:02:03 GMT\r\n\r\n";
	struct http_request req;
	unsigned int seed = 1;
	char *copy;
	int i, j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		copy = malloc(sizeof(text) - 1);
		memcpy(copy, text, sizeof(text) - 1);
		for (j = 0; j < 1 + i % 4; j++)
			copy[rand_r(&seed) % (sizeof(text) - 1)] = rand_r(&seed);
		assert_true(http_parse(copy, sizeof(text) - 1, &req) <= (ssize_t)sizeof(text));
		free(copy);
	}
}

/* ---- ranges, tags, dates */

static void test_ranges(void **state)
{
	static const struct { const char *value; uint64_t size; int status; uint64_t first, count; } rows[] = {
		{ "bytes=0-0",		10,	206,	0,	1 },
		{ "bytes=2-5",		10,	206,	2,	4 },
		{ "bytes=2-",		10,	206,	2,	8 },
		{ "bytes=0-99",		10,	206,	0,	10 },
		{ "bytes=9-9",		10,	206,	9,	1 },
		{ "bytes=-3",		10,	206,	7,	3 },
		{ "bytes=-30",		10,	206,	0,	10 },
		{ "Bytes = 1-2",	10,	206,	1,	2 },
		{ "bytes=10-",		10,	416,	0,	10 },
		{ "bytes=10-20",	10,	416,	0,	10 },
		{ "bytes=-0",		10,	416,	0,	10 },
		{ "bytes=0-",		0,	416,	0,	0 },
		{ "bytes=-1",		0,	416,	0,	0 },
		{ "bytes=5-2",		10,	200,	0,	10 },
		{ "bytes=0-1,4-5",	10,	200,	0,	10 },
		{ "bytes=a-b",		10,	200,	0,	10 },
		{ "bytes=1",		10,	200,	0,	10 },
		{ "bytes=-",		10,	200,	0,	10 },
		{ "bytes=1--2",		10,	200,	0,	10 },
		{ "lines=0-1",		10,	200,	0,	10 },
		{ "bytes=99999999999999999999-", 10, 200, 0,	10 },
		{ "bytes=4294967296-4294967297", 1ULL << 33, 206, 1ULL << 32, 2 },
	};
	struct http_request req;
	uint64_t first, count;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H "Range: %s\r\n\r\n", rows[i].value);
		assert_true(http_parse(text, strlen(text), &req) > 0);
		assert_int_equal(http_range_apply(&req.range, rows[i].size, &first, &count),
				 rows[i].status);
		assert_int_equal(first, rows[i].first);
		assert_int_equal(count, rows[i].count);
	}
}

static void test_tags_and_dates(void **state)
{
	char date[32], path[16];

	(void)state;
	assert_true(http_tag_listed("\"a\", \"b\"", "\"b\""));
	assert_true(http_tag_listed("W/\"b\"", "\"b\""));
	assert_true(http_tag_listed("*", "\"b\""));
	assert_false(http_tag_listed("\"ab\"", "\"b\""));
	assert_false(http_tag_listed("", "\"b\""));
	http_date_print(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(http_date_parse(date), 784111777);
	assert_int_equal(http_date_parse("yesterday"), 0);
	assert_string_equal(http_type("/a.b/c.HTML"), "text/html; charset=utf-8");
	assert_string_equal(http_type("/a.html/c"), "application/octet-stream");
	http_encode("/a b\r\n%", path, sizeof(path));
	assert_string_equal(path, "/a%20b%0D%0A%25");
	http_encode("/\x01\x01\x01\x01\x01\x01\x01\x01", path, sizeof(path));
	assert_true(strlen(path) < sizeof(path));
}

/* ---- files */

#define LARGE (3 << 20)

static char dir[32];
static char large[LARGE];
static int root = -1;

static void make_file_of(const char *name, const char *bytes, size_t len)
{
	int fd = openat(root, name, O_CREAT | O_WRONLY, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void make_file(const char *name, const char *text)
{
	make_file_of(name, text, strlen(text));
}

static void make_large(void)
{
	size_t i;

	for (i = 0; i < LARGE; i++)
		large[i] = (i * 2654435761u) >> 13;
	make_file_of("large", large, LARGE);
}

static int make_root(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/serve_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_PATH | O_DIRECTORY);
	make_file("index.html", "index");
	make_file("a.txt", "hello, world\n");
	mkdirat(root, "sub", 0755);
	mkdirat(root, "empty", 0755);
	make_file("sub/index.html", "sub");
	make_large();
	assert_int_equal(symlinkat("/etc/passwd", root, "outside"), 0);
	assert_int_equal(symlinkat("../..", root, "up"), 0);
	assert_int_equal(symlinkat("sub/index.html", root, "inside"), 0);
	assert_int_equal(symlinkat("loop", root, "loop"), 0);
	assert_int_equal(mkfifoat(root, "fifo", 0644), 0);
	return 0;
}

static int drop_root(void **state)
{
	char command[64];

	(void)state;
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void test_files(void **state)
{
	static const struct { const char *path; int status; uint64_t size; } rows[] = {
		{ "/",			200,	5 },
		{ "/a.txt",		200,	13 },
		{ "/sub/",		200,	3 },
		{ "/inside",		200,	3 },
		{ "/sub",		301,	0 },
		{ "/empty/",		404,	0 },
		{ "/absent",		404,	0 },
		{ "/a.txt/b",		404,	0 },
		{ "/outside",		404,	0 },
		{ "/up/etc/passwd",	404,	0 },
		{ "/../etc/passwd",	404,	0 },
		{ "/sub/../../x",	404,	0 },
		{ "/loop",		403,	0 },
		{ "/fifo",		403,	0 },
	};
	struct file file;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(file_open(root, rows[i].path, &file), rows[i].status);
		if (rows[i].status != 200)
			continue;
		assert_int_equal(file.size, rows[i].size);
		assert_true(file.tag[0] == '"' && file.mtime > 0);
		close(file.fd);
	}
}

/* ---- a worker over loopback */

static struct options options = {
	.max_conns = 64, .idle_seconds = 1, .plain = true, .status = true,
};
static struct worker worker;
static int descriptors;
static pthread_t thread;
static struct sockaddr_in address = { .sin_family = AF_INET };

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int start(void **state)
{
	int little = 32768;	/* answers wait for their reader */
	socklen_t len = sizeof(address);

	make_root(state);
	descriptors = count_descriptors();
	worker = (struct worker){ .opt = &options };
	address.sin_port = 0;
	signal(SIGPIPE, SIG_IGN);
	options.root = root;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	worker.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(worker.listener, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	worker.stop = eventfd(0, EFD_NONBLOCK);
	if (bind(worker.listener, (struct sockaddr *)&address, len) || listen(worker.listener, 64))
		return -1;
	getsockname(worker.listener, (struct sockaddr *)&address, &len);
	return pthread_create(&thread, NULL, worker_run, &worker);
}

static int end(void **state)
{
	eventfd_write(worker.stop, 1);
	pthread_join(thread, NULL);
	assert_int_equal(worker.num, 0);
	assert_ptr_equal(worker.engine, options.engine);
	close(worker.stop);
	assert_int_equal(count_descriptors(), descriptors);
	return drop_root(state);
}

static int start_epoll(void **state)
{
	options.engine = &engine_epoll;
	return start(state);
}

static int start_uring(void **state)
{
	options.engine = &engine_uring;
	return start(state);
}

static int client(const char *request)
{
	struct timeval limit = { .tv_sec = 15 };
	int fd = socket(AF_INET, SOCK_STREAM, 0), little = 65536;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
	return fd;
}

/* A ring's end, in this process, interrupts calls that have a time limit: once they are done again. */
static ssize_t read_some(int fd, void *to, size_t len)
{
	return TEMP_FAILURE_RETRY(read(fd, to, len));
}

/* All until the server closes. */
static const char *all(int fd)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = read_some(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	assert_int_equal(n, 0);
	buf[len] = '\0';
	close(fd);
	return buf;
}

static int occurs(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

#define GET(path, fields) "GET " path " HTTP/1.1\r\n" H fields "\r\n"
#define LAST "Connection: close\r\n"

static void test_answers(void **state)
{
	static const struct { const char *request, *status, *has; } rows[] = {
		{ GET("/a.txt", LAST),				"200", "\r\n\r\nhello, world\n" },
		{ GET("/a.txt", LAST "Range: bytes=7-\r\n"),	"206", "bytes 7-12/13\r\n" },
		{ GET("/a.txt", LAST "Range: bytes=-6\r\n"),	"206", "\r\n\r\nworld\n" },
		{ GET("/a.txt", LAST "Range: bytes=13-\r\n"),	"416", "bytes */13\r\n" },
		{ GET("/a.txt", LAST "Range: bytes=1-2\r\nIf-Range: \"old\"\r\n"), "200", "hello" },
		{ GET("/a.txt", LAST "If-None-Match: *\r\n"),	"304", "ETag" },
		{ GET("/sub", LAST),				"301", "Location: /sub/\r\n" },
		{ GET("/absent", LAST),				"404", "404 Not Found\n" },
		{ GET("/.ktls/status", LAST),			"200", "{\"session\":null" },
		{ "HEAD /a.txt HTTP/1.1\r\n" H LAST "\r\n",	"200", "Content-Length: 13\r\n" },
		{ "PUT /a.txt HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nGE", "405", "Allow: GET, HEAD" },
		{ "GET /a.txt HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nGE", "413", "Connection: close" },
		{ "nonsense\r\n\r\n",				"400", "Connection: close" },
	};
	const char *text;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		text = all(client(rows[i].request));
		assert_memory_equal(text, "HTTP/1.1 ", 9);
		assert_memory_equal(text + 9, rows[i].status, 3);
		assert_non_null(strstr(text, rows[i].has));
		assert_int_equal(occurs(text, "HTTP/1.1 "), 1);
	}
	assert_null(strstr(all(client("HEAD /a.txt HTTP/1.1\r\n" H LAST "\r\n")), "hello"));
}

static void test_pipelined(void **state)
{
	char request[64 * 80] = "";
	const char *text;
	int i;

	(void)state;
	for (i = 0; i < 60; i++)
		strcat(request, i % 2 ? GET("/a.txt", "") : GET("/sub/", ""));
	strcat(request, GET("/", LAST));
	text = all(client(request));
	assert_int_equal(occurs(text, "HTTP/1.1 200 OK"), 61);
	assert_int_equal(occurs(text, "hello, world"), 30);
	assert_non_null(strstr(text, "\r\n\r\nindex"));
}

static void test_byte_by_byte(void **state)
{
	static const char request[] = GET("/a.txt", LAST);
	int fd = client("");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(request) - 1; i++) {
		assert_int_equal(write(fd, request + i, 1), 1);
		usleep(500);
	}
	assert_non_null(strstr(all(fd), "hello, world"));
}

/* Who says nothing, half of it, or doesn't read, is dropped and holds up nobody. */
static void test_slow(void **state)
{
	int silent = client(""), half = client("GET /a"), rest = client(GET("/a.txt", ""));
	char byte;

	(void)state;
	assert_non_null(strstr(all(client(GET("/a.txt", LAST))), "hello, world"));
	assert_int_equal(read_some(silent, &byte, 1), 0);	/* idle_seconds is 1 */
	assert_non_null(strstr(all(rest), "hello, world"));
	assert_int_equal(read_some(half, &byte, 1), 0);
	close(silent);
	close(half);
}

static void test_more_than_allowed(void **state)
{
	int fds[80], i;

	(void)state;
	for (i = 0; i < 80; i++)
		fds[i] = client(GET("/a.txt", LAST));
	for (i = 0; i < 80; i++)
		assert_non_null(strstr(all(fds[i]), "hello, world"));
}

/* ---- pieces of a file */

static void read_all(int fd, char *buf, size_t len)
{
	size_t at;
	ssize_t n;

	for (at = 0; at < len; at += n) {
		n = read_some(fd, buf + at, len - at);
		assert_true(n > 0);
	}
}

/* The head of an answer; the body is what is read next. */
static void read_head(int fd, const char *status)
{
	char head[2048];
	size_t n = 0;

	do {
		assert_true(n < sizeof(head) - 1);
		read_all(fd, head + n++, 1);
		head[n] = '\0';
	} while (!strstr(head, "\r\n\r\n"));
	assert_memory_equal(head + 9, status, 3);
}

static int request_large(uint64_t first, uint64_t count)
{
	char request[128];

	snprintf(request, sizeof(request), "GET /large HTTP/1.1\r\n" H "Range: bytes=%llu-%llu\r\n\r\n",
		 (unsigned long long)first, (unsigned long long)(first + count - 1));
	return client(request);
}

static void same_piece(int fd, uint64_t first, uint64_t count)
{
	static char got[LARGE];

	read_head(fd, "206");
	read_all(fd, got, count);
	assert_memory_equal(got, large + first, count);
}

/* About each border: of a page, a registered buffer, a pipe. */
static void test_pieces(void **state)
{
	static const struct { uint64_t first, count; } rows[] = {
		{ 0, 1 }, { 4095, 2 }, { 1, 4000 }, { 0, 32000 }, { 77, 32400 }, { 5, 32768 }, { 0, 65536 },
		{ 4097, 65536 }, { 0, 262144 }, { 4000, 262144 }, { 1, 262145 }, { 100, 700001 }, { 0, LARGE },
	};
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		fd = request_large(rows[i].first, rows[i].count);
		same_piece(fd, rows[i].first, rows[i].count);
		close(fd);
	}
}

/* One descriptor is left for the file, none for a pipe. First, as pipes are kept. */
static void test_no_descriptors(void **state)
{
	struct rlimit limit, little;
	char got[] = "hello, world\n";
	int fd = client(GET("/a.txt", "")), lowest;

	(void)state;
	read_head(fd, "200");
	read_all(fd, got, strlen(got));
	lowest = dup(fd);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	little = limit;
	little.rlim_cur = lowest + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &little), 0);
	dprintf(fd, "GET /large HTTP/1.1\r\n" H "Range: bytes=1-%u\r\n\r\n", LARGE - 1);
	same_piece(fd, 1, LARGE - 1);
	setrlimit(RLIMIT_NOFILE, &limit);
	close(fd);
}

/* Who has said all, and who reads slowly, gets the whole of it. */
static void test_half_closed(void **state)
{
	int fd = request_large(3, LARGE - 3);

	(void)state;
	options.idle_seconds = 60;	/* longer than client() waits: it is not what ends it */
	shutdown(fd, SHUT_WR);
	usleep(50000);
	same_piece(fd, 3, LARGE - 3);
	assert_string_equal(all(fd), "");
	options.idle_seconds = 1;
}

/* In the middle, with a FIN or a RST: nobody else notices, nothing stays. */
static void test_gone(void **state)
{
	struct linger rst = { .l_onoff = 1 };
	char some[5000];
	int i, fd;

	(void)state;
	for (i = 0; i < 40; i++) {
		fd = request_large(i, LARGE - i);
		if (i % 4 > 1)
			read_all(fd, some, sizeof(some));
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &rst, sizeof(rst));
		close(fd);
	}
	fd = request_large(0, LARGE);
	same_piece(fd, 0, LARGE);
	close(fd);
}

#define FLOOD 3000

static void *flood(void *fd)
{
	static const char request[] = GET("/a.txt", "");
	int i;

	for (i = 0; i < FLOOD; i++)
		if (write((intptr_t)fd, request, sizeof(request) - 1) != sizeof(request) - 1)
			return NULL;
	return fd;
}

/* More requests than are kept while an answer doesn't go out: each is answered. */
static void test_flood(void **state)
{
	int i, fd = request_large(0, LARGE);
	char got[] = "hello, world\n";
	pthread_t t;
	void *all_sent;

	(void)state;
	pthread_create(&t, NULL, flood, (void *)(intptr_t)fd);
	usleep(100000);
	same_piece(fd, 0, LARGE);
	for (i = 0; i < FLOOD; i++) {
		read_head(fd, "200");
		read_all(fd, got, strlen(got));
		assert_string_equal(got, "hello, world\n");
	}
	pthread_join(t, &all_sent);
	assert_non_null(all_sent);
	close(fd);
}

/* The last test: what is under way comes whole, nothing new is taken. */
static void test_stop(void **state)
{
	int fd = request_large(9, LARGE - 9), other = socket(AF_INET, SOCK_STREAM, 0), i;

	(void)state;
	usleep(100000);		/* until the answer is under way */
	eventfd_write(worker.stop, 1);
	for (i = 0; i < 1000 && !connect(other, (struct sockaddr *)&address, sizeof(address)); i++) {
		close(other);
		other = socket(AF_INET, SOCK_STREAM, 0);
		usleep(10000);
	}
	assert_true(i < 1000);
	close(other);
	same_piece(fd, 9, LARGE - 9);
	assert_string_equal(all(fd), "");
}

int main(void)
{
	static const struct CMUnitTest pure[] = {
		cmocka_unit_test(test_targets), cmocka_unit_test(test_heads),
		cmocka_unit_test(test_cut), cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_mangled), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_tags_and_dates),
	};
	static const struct CMUnitTest served[] = {
		cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_files),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_byte_by_byte), cmocka_unit_test(test_slow),
		cmocka_unit_test(test_more_than_allowed), cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_half_closed), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_flood), cmocka_unit_test(test_stop),
	};
	struct io_uring ring;
	int failed = cmocka_run_group_tests(pure, NULL, NULL) +
		     cmocka_run_group_tests_name("epoll", served, start_epoll, end);

	if (io_uring_queue_init(4, &ring, 0)) {
		puts("1..0 # SKIP io_uring is refused here");
		return failed;
	}
	io_uring_queue_exit(&ring);
	return failed + cmocka_run_group_tests_name("io_uring", served, start_uring, end);
}
