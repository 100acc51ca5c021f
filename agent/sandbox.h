/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a worker gives up what it does not need, for good. */
#ifndef SANDBOX_H
#define SANDBOX_H
#include <stdint.h>
#include <sys/types.h>

/* Become @uid and @gid: no groups, no capabilities, none to be had, no core dumps, no ptrace. 0 or -errno. */
int sandbox_drop(uid_t uid, gid_t gid);
/* Allow the system calls of loop.c and no others; @otherwise is a SCMP_ACT_*. 0 or -errno. */
int sandbox_filter(uint32_t otherwise);

#endif
