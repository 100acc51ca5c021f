/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations for tests of the agent: throw-away identities and files in a folder of the test's own. */
#ifndef AGENT_TEST_H
#define AGENT_TEST_H
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "config.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static char folder[4096];

static inline void folder_make(const char *name)
{
	char cwd[2048];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(folder, sizeof(folder), "%s/build/unit/%s", cwd, name);
	mkdir(folder, 0755);
	assert_int_equal(access(folder, W_OK), 0);
}

/* NAME.pem and NAME.key in the folder, self-signed, for @names ("DNS:a,DNS:b"). Made once. */
static inline void identity_make(const char *name, const char *key, const char *names)
{
	char command[12000], path[4200];

	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	if (!access(path, R_OK))
		return;
	snprintf(command, sizeof(command),
		 "cd '%s' && openssl req -x509 -newkey %s -nodes -subj /CN=%s -days 3650 -keyout %s.key "
		 "-out %s.tmp -addext subjectAltName=%s 2> /dev/null && mv %s.tmp %s.pem",
		 folder, key, name, name, name, names, name, name);
	assert_int_equal(system(command), 0);
}

#define P256 "ec -pkeyopt ec_paramgen_curve:P-256"
#define RSA "rsa:2048"

/* Writes @text, in which each @ stands for the folder, to @name there. Returns its path. */
static inline const char *file_write(const char *name, const char *text)
{
	static char path[4200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	for (; *text; text++)
		if (*text == '@')
			fputs(folder, f);
		else
			fputc(*text, f);
	fclose(f);
	return path;
}

static inline int config_from(const char *text, struct config **ret, struct config_report *report)
{
	return config_load(file_write("test.conf", text), files_new(), true, ret, report);
}

static inline struct config *config_good(const char *text)
{
	struct config_report report;
	struct config *c;

	if (config_from(text, &c, &report))
		fail_msg("%s", report.text);
	return c;
}

#endif
