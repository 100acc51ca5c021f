/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's UNIX socket for ktlsctl: control.c says what is spoken there. */
#ifndef CONTROL_H
#define CONTROL_H
#include <stddef.h>
#include <stdio.h>

struct control;
struct keeper;

/* Listen at @path, mode 0660, in the keeper's epoll. 0 or -errno. */
int control_open(struct keeper *k, const char *path, struct control **ret);
void control_close(struct keeper *k, struct control *c);	/* NULL allowed */

/* answer.c: the whole answer to one request line. */
void control_answer(const struct keeper *k, const char *request, FILE *out);

#endif
