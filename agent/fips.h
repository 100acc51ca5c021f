/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIPS mode: self-tests first, approved algorithms only. */
#ifndef FIPS_H
#define FIPS_H
#include <stdbool.h>
#include <stdio.h>

#define FIPS_WHY 240

struct config;

bool fips_kernel_wants(void);		/* /proc/sys/crypto/fips_enabled */
/*
 * Self-tests; with @integrity also whether program and libraries are those of
 * the list beside the program. From then on randomness comes of the DRBG. 0, or
 * -EPERM and a sentence: nothing may go on.
 */
int fips_start(bool integrity, char why[FIPS_WHY]);
/* Takes out of ciphers and groups what is not approved. -EINVAL: nothing is left of one of them. */
int fips_restrict(struct config *config);

/* The list for the program that runs: make it when it is installed. 0 or -errno. */
int fips_list(FILE *to);
int fips_check_list(const char *path, char why[FIPS_WHY]);

#endif
