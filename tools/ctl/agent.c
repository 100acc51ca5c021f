// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent says of itself over its control socket, for people. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctl.h"

#define ANSWER_SECONDS 5

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "ktlsctl: %s: %s\n", what, why);
	return 1;
}

static int agent_connect(const char *path)
{
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static const char *connect_advice(int err)
{
	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "no agent is running here; as root: systemctl start ktlsd";
	case -EACCES:
	case -EPERM:
		return "not permitted; try as root";
	default:
		return strerror(-err);
	}
}

/* The answer after its "ok" line, or NULL when a sentence has been printed. */
static FILE *agent_ask(const struct ctl *ctl, const char *request)
{
	int fd = agent_connect(ctl->socket);
	char first[512] = "";
	FILE *f;

	if (fd < 0) {
		fail(ctl->socket, connect_advice(fd));
		return NULL;
	}
	f = fdopen(fd, "r+e");
	if (!f || dprintf(fd, "%s\n", request) < 0 || !fgets(first, sizeof(first), f)) {
		fail(ctl->socket, "the agent does not answer");
		goto out_close;
	}
	first[strcspn(first, "\n")] = '\0';
	if (!strcmp(first, "ok"))
		return f;
	fail("agent", strncmp(first, "error ", 6) ? "an answer that this ktlsctl does not know" :
	     first + 6);
out_close:
	if (f)
		fclose(f);
	else
		close(fd);
	return NULL;
}

/* @print each line that parses. */
static int agent_show(const struct ctl *ctl, const char *request,
		      void (*print)(const struct line *line))
{
	FILE *f = agent_ask(ctl, request);
	struct line line;
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return 1;
	while (getline(&text, &size, f) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (line_parse(text, &line))
			print(&line);
	}
	free(text);
	fclose(f);
	return 0;
}

/* What the agent says, as it says it. */
static int agent_copy(const struct ctl *ctl, const char *request)
{
	FILE *f = agent_ask(ctl, request);
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return 1;
	while (getline(&text, &size, f) > 0)
		fputs(text, stdout);
	free(text);
	fclose(f);
	return 0;
}

int ctl_metrics(const struct ctl *ctl, const char *arg)
{
	(void)arg;
	return agent_copy(ctl, "metrics");
}

/* "3 h 5 min" of seconds. */
static void duration(const char *seconds, char *buf, size_t size)
{
	unsigned long s = strtoul(seconds, NULL, 10);

	if (s < 120)
		snprintf(buf, size, "%lu s", s);
	else if (s < 7200)
		snprintf(buf, size, "%lu min", s / 60);
	else if (s < 172800)
		snprintf(buf, size, "%lu h %lu min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%lu days", s / 86400);
}

#define GET(key) line_get(line, key)

static void print_agent(const struct line *line)
{
	char up[32];

	duration(GET("uptime"), up, sizeof(up));
	printf("agent     ktlsd %s, pid %s, up %s, configuration %s, %s reloads\n", GET("version"),
	       GET("pid"), up, GET("config"), GET("reloads"));
}

static void print_worker(const struct line *line)
{
	printf("worker    %s: %s, pid %s, %s under way, %s done, %s failed\n", GET("number"),
	       GET("state"), GET("pid"), GET("conns"), GET("done"), GET("failed"));
}

static void print_identity(const struct line *line)
{
	printf("identity  %s: %s %s bit, names %s, allowed to %s%s\n", GET("name"), GET("key"),
	       GET("bits"), GET("names"), GET("allow"),
	       strcmp(GET("default"), "yes") ? "" : ", the default");
}

static void print_identities(const struct line *line)
{
	printf("identities %s: by name from %s, allowed to %s\n", GET("name"), GET("file"), GET("allow"));
}

static void print_stock(const struct line *line)
{
	printf("loaded    %s by name, %s loads, %s refused, %s put away, %s changed\n", GET("held"), GET("loads"),
	       GET("refused"), GET("evicted"), GET("changed"));
}

static void print_trust(const struct line *line)
{
	printf("trust     %s: %s anchors from %s\n", GET("name"), GET("anchors"), GET("file"));
}

static void print_status(const struct line *line)
{
	static const struct {
		const char *word;
		void (*print)(const struct line *line);
	} kinds[] = {
		{ "",		print_agent },
		{ "worker",	print_worker },
		{ "identity",	print_identity },
		{ "identities",	print_identities },
		{ "stock",	print_stock },
		{ "trust",	print_trust },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].word, line->word))
			kinds[i].print(line);
}

int ctl_status(const struct ctl *ctl, const char *arg)
{
	uint64_t sessions, upcalls, done, failed;

	(void)arg;
	if (stat_read("KtlsCurrSessions", &sessions) && stat_read("KtlsCurrUpcalls", &upcalls) &&
	    stat_read("KtlsHandshakesDone", &done) && stat_read("KtlsHandshakesFailed", &failed))
		printf("module    %" PRIu64 " sessions, %" PRIu64 " requests pending, %" PRIu64
		       " handshakes done, %" PRIu64 " failed\n", sessions, upcalls, done, failed);
	else
		printf("module    not loaded; as root: modprobe ktls\n");
	fflush(stdout);
	return agent_show(ctl, "status", print_status);
}

static void print_setting(const struct line *line)
{
	const char *p = GET("value");

	if (!strcmp(line->word, "profile")) {
		printf("profile   %s: %s; preferred by %s\n", GET("name"), GET("about"), GET("prefer"));
		return;
	}
	printf("%-23s %s", GET("name"), *GET("from") ? "(" : "");
	if (*GET("from"))
		printf("%s) ", GET("from"));
	for (; *p; p++)
		*p == ',' ? fputs(" > ", stdout) : putchar(*p);
	putchar('\n');
}

int ctl_config(const struct ctl *ctl, const char *arg)
{
	(void)arg;
	return ctl->explain ? agent_show(ctl, "explain", print_setting) : agent_copy(ctl, "config");
}

static void print_failure(const struct line *line)
{
	const char *alert = GET("alert");
	bool local = !strcmp(GET("from"), "local");

	printf("%s  %s, name %s, peer %s, uid %s, session %s\n    ", GET("time"), GET("role"),
	       GET("name"), GET("peer"), GET("uid"), GET("cookie"));
	if (strcmp(alert, "none") && strcmp(GET("from"), "none"))
		printf("%s sent alert %s; ", local ? "this side" : "the peer", alert);
	printf("%s: %s\n", GET("errno"), GET("reason"));
}

int ctl_why(const struct ctl *ctl, const char *arg)
{
	char request[32], *end;
	unsigned long n = strtoul(arg ?: "10", &end, 10);

	if (*end || n < 1 || n > 256 || (arg && (*arg < '0' || *arg > '9')))
		return fail("why", "give a number from 1 to 256");
	snprintf(request, sizeof(request), "why %lu", n);
	return agent_show(ctl, request, print_failure);
}
