/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's ways without the module: programs bring their TCP connections
 * to a UNIX socket (libktls/ways.h). A worker makes upcalls of them.
 */
#ifndef AGENT_RELAY_H
#define AGENT_RELAY_H
#include "netlink.h"

#define RELAY_ID	(1ULL << 63)	/* upcalls of ours have this bit */

struct relay;

/* The keeper's part: bind, for everybody; who may do what is policy's business. The descriptor or -errno. */
int relay_listen(const char *path);
/* The worker's. @listener is shared with other workers. NULL: no memory. */
struct relay *relay_new(int listener);
int relay_fd(const struct relay *r);	/* an epoll of its own: readable when something is to be done */
/* A bounded part of the work. True: @up is a handshake that somebody brought. */
bool relay_run(struct relay *r, struct upcall *up);
/* How it ended, as netlink_respond(). */
int relay_respond(struct relay *r, const struct reply *reply);
/* No more programs than there are: others of our kind have the same listener. */
void relay_retire(struct relay *r);
size_t relay_sessions(const struct relay *r);	/* and of those who have not asked yet */

#endif
