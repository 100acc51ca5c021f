/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The n-th allocation fails: link with --wrap=malloc,--wrap=calloc. GMP ends
 * the process when it gets no memory, so its numbers are left out.
 */
#ifndef NO_MEMORY_H
#define NO_MEMORY_H
#include <gmp.h>
#include <stdbool.h>
#include <stdlib.h>

static unsigned int no_memory_in;	/* allocations until the one that fails; 0: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool no_memory(void)
{
	return no_memory_in && !--no_memory_in;
}

void *__wrap_malloc(size_t size)
{
	return no_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __real_calloc(n, size);
}

static void *number_alloc(size_t size)
{
	return __real_malloc(size);
}

static void *number_realloc(void *p, size_t old, size_t size)
{
	(void)old;
	return realloc(p, size);
}

static void number_free(void *p, size_t size)
{
	(void)size;
	free(p);
}

static inline void no_memory_spares_numbers(void)
{
	mp_set_memory_functions(number_alloc, number_realloc, number_free);
}

#endif
