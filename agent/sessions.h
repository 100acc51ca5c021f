/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory in which all workers of an agent keep sessions of TLS 1.2 by id:
 * made by the keeper, of a size that nobody can change, and gone with it.
 */
#ifndef SESSIONS_H
#define SESSIONS_H
#include "handshake/session_cache.h"

int sessions_open(unsigned int num);	/* a descriptor; -1: none wanted, or no memory */
struct session_slot *sessions_map(int fd, size_t *num);	/* NULL: there are none */

#endif
