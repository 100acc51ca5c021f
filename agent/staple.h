/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OCSP responses from files: the keeper looks for newer ones and tells its workers. */
#ifndef STAPLE_H
#define STAPLE_H
#include "identity.h"

#define STAPLE_MAX	8192		/* bytes of a response */
#define STAPLES_LOOK	5000		/* ms between looks at the files */

struct config;
struct msg_staple;

/* A copy of @data in place of the old one. -EBADMSG: no response, or none that says good at @now. */
int staple_set(struct staple *s, const uint8_t *data, size_t len, time_t now);
void staple_free(struct staple *s);	/* NULL allowed */

/* Reads the files that changed since. How many responses are new. */
unsigned int staples_look(struct config *config);
/* The response of the n-th identity that was read since the start, if there is one. */
bool staples_message(const struct config *config, size_t n, struct msg_staple *ret);
/* A worker hears of one. */
void staples_take(const struct config *config, const struct msg_staple *m);

#endif
