/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameters as they go to the module. Private to libktls. */
#ifndef KTLS_PARAMS_H
#define KTLS_PARAMS_H

#include "ktls.h"

/* What setsockopt(KTLS_HANDSHAKE) takes. */
struct request {
	struct ktls_handshake head;
	uint8_t attrs[KTLS_MAX_PARAM];
};

struct ktls_params {
	struct request request;		/* role left open */
	size_t len;			/* of attrs */
	int error;			/* the first setter that failed */
};

/* Bytes to give to the kernel, or -errno. @params may be NULL. */
int params_request(const struct ktls_params *params, enum ktls_role role,
		   struct request *request);
/* ways.c: the same handshake without the module; as setsockopt(), but -errno. -ENOENT: no agent offers it. */
int relay_handshake(int fd, struct request *request, size_t size);
bool params_has(const struct ktls_params *params, uint16_t type);

#endif
