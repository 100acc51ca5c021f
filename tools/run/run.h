/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktls-run: a server that knows nothing of TLS, on a listener that does. What
 * to ask for comes from the command line or, in the preloaded library, from
 * the environment, where ktls-run has put it.
 */
#ifndef RUN_H
#define RUN_H

#define RUN_PORTS	"KTLS_RUN_PORTS"	/* 443,8443 */
#define RUN_IDENTITY	"KTLS_RUN_IDENTITY"
#define RUN_ALPN	"KTLS_RUN_ALPN"		/* h2,http/1.1: most wanted first */

/* TLS for all that @fd will accept; identity and alpn may be NULL. 0 or -errno. */
int run_listener(int fd, const char *identity, const char *alpn);
/* Is @port in the comma-separated @list? */
int run_port_wanted(const char *list, unsigned int port);

#endif
