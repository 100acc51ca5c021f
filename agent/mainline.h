/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mainline.c: a finished handshake's keys into the "tls" ULP of Linux. */
#ifndef AGENT_MAINLINE_H
#define AGENT_MAINLINE_H
#include "netlink.h"

/* 0; or -errno, and the connection is of no use to the ULP: relay it if nothing was installed. */
int mainline_install(int fd, const struct reply *reply);

#endif
