/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the kernel fail in the calling thread: allocations of both kinds,
 * copies from and to user memory (CONFIG_FAULT_INJECTION and its friends).
 */
#ifndef KERNEL_FAULT_H
#define KERNEL_FAULT_H

#include <stdbool.h>

bool fault_ready(void);			/* can this kernel? */
void fault_arm(unsigned int n);		/* the @n-th from now on fails */
bool fault_disarm(void);		/* did it? */

/* A file of debugfs: "fail_page_alloc", "min-order", 1. False: no such file. */
bool fault_set(const char *kind, const char *name, long value);
long fault_get(const char *kind, const char *name);

#endif
