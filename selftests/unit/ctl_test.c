// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the control socket, as ktlsctl reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "../../tools/ctl/ctl.h"

static void test_fields(void **state)
{
	char text[] = "failure time=12:00 name=\"a b\" reason=\"say \\\"x\\\" = \\\\y\" empty=\"\" last=1";
	struct line line;

	(void)state;
	assert_true(line_parse(text, &line));
	assert_string_equal(line.word, "failure");
	assert_int_equal(line.num, 5);
	assert_string_equal(line_get(&line, "time"), "12:00");
	assert_string_equal(line_get(&line, "name"), "a b");
	assert_string_equal(line_get(&line, "reason"), "say \"x\" = \\y");
	assert_string_equal(line_get(&line, "empty"), "");
	assert_string_equal(line_get(&line, "last"), "1");
	assert_string_equal(line_get(&line, "absent"), "-");
}

static void test_no_word(void **state)
{
	char text[] = "version=1 pid=2", alone[] = "ok";
	struct line line;

	(void)state;
	assert_true(line_parse(text, &line));
	assert_string_equal(line.word, "");
	assert_string_equal(line_get(&line, "version"), "1");
	assert_string_equal(line_get(&line, "pid"), "2");
	assert_true(line_parse(alone, &line));
	assert_string_equal(line.word, "ok");
	assert_int_equal(line.num, 0);
}

static void test_refused(void **state)
{
	static const char *const rows[] = { "word key", "word a=1 b c=2" };
	struct line line;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		strcpy(text, rows[i]);
		assert_false(line_parse(text, &line));
	}
}

/* Whatever it is, it must end inside the text. */
static void test_cut(void **state)
{
	static const char whole[] = "w a=\"b \\\" c\" d=e f=\"\\\\\" g=\"\\\"";
	struct line line;
	char text[64];
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(whole); len++) {
		memcpy(text, whole, len);
		text[len] = '\0';
		line_parse(text, &line);
		assert_true(strlen(line.word) <= 1);
	}
}

static void test_many(void **state)
{
	char text[256] = "w";
	struct line line;
	int i;

	(void)state;
	for (i = 0; i < LINE_FIELDS; i++)
		strcat(text, " k=v");
	assert_true(line_parse(text, &line));
	strcpy(text, "w");
	for (i = 0; i <= LINE_FIELDS; i++)
		strcat(text, " k=v");
	assert_false(line_parse(text, &line));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), cmocka_unit_test(test_no_word),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_cut), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
