/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the form KIND:WHO: reading them, and asking them about a caller. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "policy.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"

static int number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int read_id(const char *text, uint64_t *id, char *why)
{
	if (!number(text, UINT32_MAX - 1, id))
		return 0;
	snprintf(why, POLICY_WHY, "\"%.64s\" is not a number: write uid:33, or user:www-data for a name", text);
	return -EINVAL;
}

static int read_user(const char *text, uint64_t *id, char *why)
{
	const struct passwd *pw = getpwnam(text);

	if (pw) {
		*id = pw->pw_uid;
		return 0;
	}
	snprintf(why, POLICY_WHY, "there is no user \"%.64s\": create it or correct the name", text);
	return -EINVAL;
}

static int read_group(const char *text, uint64_t *id, char *why)
{
	const struct group *gr = getgrnam(text);

	if (gr) {
		*id = gr->gr_gid;
		return 0;
	}
	snprintf(why, POLICY_WHY, "there is no group \"%.64s\": create it or correct the name", text);
	return -EINVAL;
}

/* The id of a cgroup is the inode number of its directory. Id 0 is nobody's. */
static int read_cgroup(const char *text, uint64_t *id, char *why)
{
	char path[512];
	struct stat st;

	*id = 0;
	if (!number(text, UINT64_MAX, id))
		return 0;
	if (*text != '/' || strstr(text, "..") || strlen(text) > 400) {
		snprintf(why, POLICY_WHY, "\"%.64s\" is neither the number nor the path of a cgroup: write cgroup:/system.slice/NAME.service", text);
		return -EINVAL;
	}
	snprintf(path, sizeof(path), CGROUP_ROOT "%s", text);
	if (stat(path, &st))
		snprintf(why, POLICY_WHY, "there is no cgroup %.64s at present, so the rule allows nobody: reload when it is there", text);
	else
		*id = st.st_ino;
	return 0;
}

static const struct kind {
	const char *name;
	enum rule_kind kind;
	int (*read)(const char *text, uint64_t *id, char *why);
} kinds[] = {
	{ "uid:",	RULE_UID,	read_id },
	{ "user:",	RULE_UID,	read_user },
	{ "gid:",	RULE_GID,	read_id },
	{ "group:",	RULE_GID,	read_group },
	{ "cgroup:",	RULE_CGROUP,	read_cgroup },
};

static int read_rule(struct rule *rule, const char *text, char *why)
{
	const struct kind *k;

	if (!strcmp(text, "everyone")) {
		rule->kind = RULE_EVERYONE;
		return 0;
	}
	for (k = kinds; k < kinds + sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (strncmp(text, k->name, strlen(k->name)))
			continue;
		rule->kind = k->kind;
		return k->read(text + strlen(k->name), &rule->id, why);
	}
	snprintf(why, POLICY_WHY, "\"%.64s\" is no rule: write everyone, uid:N, user:NAME, gid:N, group:NAME, cgroup:ID or cgroup:/PATH", text);
	return -EINVAL;
}

int rules_parse(struct rules *r, const char *text, char why[POLICY_WHY])
{
	char *copy = strdup(text), *rest = copy, *word;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (word = strsep(&rest, " ,\t\n"))) {
		struct rule rule = { 0 };

		if (!*word)
			continue;
		err = read_rule(&rule, word, why);
		if (!err && r->num == RULES_MAX) {
			snprintf(why, POLICY_WHY, "more than %d rules: use a group instead", RULES_MAX);
			err = -EINVAL;
		}
		if (!err)
			r->rule[r->num++] = rule;
	}
	free(copy);
	return err;
}

static bool matches(const struct rule *rule, const struct caller *who)
{
	switch (rule->kind) {
	case RULE_EVERYONE:
		return true;
	case RULE_UID:
		return rule->id == who->uid;
	case RULE_GID:
		return rule->id == who->gid;
	case RULE_CGROUP:
		return rule->id && rule->id == who->cgroup;
	}
	return false;
}

bool rules_allow(const struct rules *r, const struct caller *who)
{
	size_t i;

	for (i = 0; i < r->num; i++)
		if (matches(&r->rule[i], who))
			return true;
	return false;
}
