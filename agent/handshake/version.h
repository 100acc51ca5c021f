/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol versions that have a name here, as they are on the wire. */
#ifndef VERSION_H
#define VERSION_H

#define TLS13		0x0304
#define TLS12		0x0303
#define TLS10		0x0301

#define MASTER_SECRET	48	/* of TLS 1.2, RFC 5246 8.1 */

#endif
