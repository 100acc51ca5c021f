// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the agent's control socket. What doesn't parse is refused whole. */
#include <string.h>
#include "ctl.h"

/* Ends the token at @*at, unquoted in place, and moves *@at behind it. */
static char *token(char **at, char end)
{
	char *from = *at, *to = *at, *start = *at;
	bool quoted = *from == '"';

	if (quoted)
		from++;
	while (*from && (quoted ? *from != '"' : *from != end && *from != ' ')) {
		if (quoted && *from == '\\' && from[1])
			from++;
		*to++ = *from++;
	}
	if (*from)
		from++;
	if (quoted && *from == ' ')
		from++;
	*to = '\0';
	*at = from;
	return start;
}

bool line_parse(char *text, struct line *line)
{
	char *equals = strchr(text, '='), *space = strchr(text, ' ');

	line->num = 0;
	line->word = "";
	if (!equals || (space && space < equals))
		line->word = token(&text, ' ');
	while (*text) {
		equals = strchr(text, '=');
		space = strchr(text, ' ');
		if (!equals || (space && space < equals) || line->num == LINE_FIELDS)
			return false;
		line->fields[line->num].key = token(&text, '=');
		line->fields[line->num].value = token(&text, ' ');
		line->num++;
	}
	return true;
}

const char *line_get(const struct line *line, const char *key)
{
	size_t i;

	for (i = 0; i < line->num; i++)
		if (!strcmp(line->fields[i].key, key))
			return line->fields[i].value;
	return "-";
}
