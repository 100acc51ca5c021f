/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each test once for each width of AES-GCM: WITH(test, i) is such a row, run_width() a group of them. */
#ifndef GCM_WIDTHS_H
#define GCM_WIDTHS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "gcm_ref.h"

static const struct width *w;		/* under test */

static inline int use_width(void **state)
{
	w = *state;
	return 0;
}

#define WITH(test, i) { #test, test, use_width, NULL, (void *)&widths[i] }

/* How many failed. */
static inline int run_width(const char *what, size_t i, const struct CMUnitTest *tests, size_t num)
{
	static const char *const needs[] = { "AES-NI, PCLMUL or AVX", "VAES, VPCLMULQDQ or AVX2" };
	char name[64];

	snprintf(name, sizeof(name), "%s %s", what, widths[i].name);
	if (i < widths_usable())
		return _cmocka_run_group_tests(name, tests, num, NULL, NULL);
	printf("# SKIP %s: this CPU lacks %s\n", name, needs[i]);
	return 0;
}

#endif
