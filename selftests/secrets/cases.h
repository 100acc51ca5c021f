/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases under valgrind, as TAP: each is right if memcheck has seen something or not, as
 * the case says it must.
 */
#ifndef SECRETS_CASES_H
#define SECRETS_CASES_H

#include <stdbool.h>
#include <stdio.h>
#include <valgrind/memcheck.h>

/* What a case is called, and whether it leaks. */
struct secret_name {
	const char *name;
	bool	leaks;
};

static inline bool secret_cases_possible(void)
{
	if (RUNNING_ON_VALGRIND)
		return true;
	puts("1..0 # SKIP not under valgrind, where nothing would be seen");
	return false;
}

/* @run: case @i; false if it failed otherwise. The exit status. */
static inline int secret_cases_run(size_t num, struct secret_name (*name)(size_t i), bool (*run)(size_t i))
{
	unsigned int before, failed = 0;
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", num);
	for (size_t i = 0; i < num; i++) {
		before = VALGRIND_COUNT_ERRORS;
		good = run(i);
		good &= (VALGRIND_COUNT_ERRORS > before) == name(i).leaks;
		failed += !good;
		printf("%sok %zu - %s\n", good ? "" : "not ", i + 1, name(i).name);
	}
	return failed != 0;
}

#endif
