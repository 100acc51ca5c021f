/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles: sets of algorithms under one name. What the file says in so many
 * words goes before its profile, and `prefer` orders what is allowed.
 */
#ifndef PROFILE_H
#define PROFILE_H
#include <stdio.h>
#include "config.h"

struct profile {
	const char *name, *why;
	unsigned int rsa_min_bits;
	uint16_t ciphers[4], groups[CONFIG_LIST], schemes[CONFIG_LIST];	/* 0 ends each */
};

const struct profile *profile_find(const char *name);	/* NULL: there is none */
size_t profile_count(void);
const struct profile *profile_nth(size_t i);

/* Fill what the file left open, and put it in order. */
void profile_apply(struct config *c);
/* What results, and from where, as lines of control.c's grammar. */
void profile_explain(const struct config *c, FILE *out);
void explain_settings(const struct config *c, FILE *out);	/* explain.c: the part that profiles have no say in */

#endif
