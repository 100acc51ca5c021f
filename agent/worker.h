/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker process, started by the keeper as "ktlsd --worker NUMBER --config PATH". */
#ifndef WORKER_H
#define WORKER_H

/* Descriptors that the keeper leaves to a worker. */
#define WORKER_KEEPER	3	/* SOCK_SEQPACKET, message.h */
#define WORKER_FILES	4	/* memfd, files.h */
#define WORKER_RELAY	5	/* relay.h; if the configuration has one */

#define WORKER_KEY_LOG	6	/* keylog.h; likewise */
#define WORKER_SESSIONS	7	/* memfd, handshake/session_cache.h; likewise */

/* Serve until retired; the exit status. @path is the configuration's name. */
int worker_main(const char *path, int number);

#endif
