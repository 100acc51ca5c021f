/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the reader of the configuration file (config.c) and the table of its keys (options.c). */
#ifndef OPTIONS_H
#define OPTIONS_H
#include "config.h"

enum section { IN_NOTHING, IN_AGENT, IN_IDENTITY, IN_TRUST, IN_CLIENT, IN_PSK, IN_IDENTITIES };

struct parse {
	struct config *c;
	struct config_report *report;
	const char *next;		/* text not yet read */
	int line;
	char section[64];		/* the header last seen */
	enum section in;
	struct site *site;		/* in [identity NAME] */
	struct catalog *catalog;	/* in [identities NAME] */
	struct trust *trust;		/* in [trust NAME] */
	struct key_by_hand *psk;	/* in [psk NAME] */
	uint64_t seen[IN_IDENTITIES + 1];	/* options of the section already set */
};

/* Report what is wrong in @line. config_bad() gives -EINVAL. */
int config_bad(struct parse *p, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void config_warn(struct parse *p, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A value into a fresh string in place of the old one. 0 or -EINVAL, reported. */
int config_string(struct parse *p, const char *value, char **ret);
/* One line KEY = VALUE of the section that p->in names. 0 or -EINVAL, reported. */
int config_set(struct parse *p, const char *key, const char *value);

/* One key: in which section, and what reads its value. */
struct option {
	enum section in;
	const char *key;
	bool again;		/* may stand more than once: values add up */
	int (*set)(struct parse *p, const char *key, const char *value);
};
extern const struct option options_agent[];
extern const size_t options_agent_num;
extern const struct option options_named[];	/* options_named.c: all but those of [agent] */
extern const size_t options_named_num;

/* Values: a word out of a list, up to @end; a number; yes or no; an absolute path into a fresh string. */
struct word { const char *name; int value; };
#define ALL(array)	(array), (array) + sizeof(array) / sizeof((array)[0])
int config_word(struct parse *p, const char *key, const char *value,
		const struct word *w, const struct word *end, int *ret);
int config_number(struct parse *p, const char *key, const char *value, unsigned int min,
		  unsigned int max, unsigned int *ret);
int config_answer(struct parse *p, const char *key, const char *value, bool *ret);
int config_path(struct parse *p, const char *key, const char *value, char **ret);

/* What the file leaves out and has to be a list. */
void config_fill(struct config *c);

#endif
