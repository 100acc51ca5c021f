/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's UNIX socket for ktlsctl: control.c says what is spoken there. */
#ifndef CONTROL_H
#define CONTROL_H
#include <stddef.h>

struct keeper;

/* A listening, non-blocking socket at @path, mode 0660; or -errno. */
int control_listen(const char *path);
/* One caller on @listener: read the request, answer, close. Never blocks. */
void control_serve(int listener, struct keeper *k);

#endif
