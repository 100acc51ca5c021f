// SPDX-License-Identifier: GPL-2.0-or-later
/* See run.h. */
#include <errno.h>
#include <ktls.h>
#include <stdlib.h>
#include <string.h>
#include "run.h"

static int add_protocols(struct ktls_params *params, const char *list)
{
	char *copy = strdup(list), *rest = copy, *protocol;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (protocol = strsep(&rest, ",")))
		if (*protocol)
			err = ktls_params_add_alpn(params, protocol);
	free(copy);
	return err;
}

int run_listener(int fd, const char *identity, const char *alpn)
{
	struct ktls_params *params = ktls_params_new();
	int err = 0;

	if (!params)
		return -ENOMEM;
	if (identity && *identity)
		err = ktls_params_identity(params, identity);
	if (!err && alpn)
		err = add_protocols(params, alpn);
	if (!err)
		err = ktls_server(fd, params);
	ktls_params_free(params);
	return err;
}

int run_port_wanted(const char *list, unsigned int port)
{
	char *end;

	while (list && *list) {
		if (strtoul(list, &end, 10) == port && end != list)
			return 1;
		list = strchr(list, ',');
		list += !!list;
	}
	return 0;
}
