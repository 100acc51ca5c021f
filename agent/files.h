/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The public files that a configuration consists of. The keeper reads them
 * from disk once and hands their bytes to its workers as a sealed memfd, so
 * that a worker started later sees exactly the configuration in force.
 * Private keys never go through here; pre-shared ones do, see psk.c.
 */
#ifndef FILES_H
#define FILES_H
#include <stddef.h>

#define FILES_MAX	(16 << 20)	/* bytes of one file */

struct files;

struct files *files_new(void);			/* reads from disk; NULL: no memory */
void files_free(struct files *f);
/* The text of @path, with a NUL behind it; it lives as long as @f. -errno. */
int files_read(struct files *f, const char *path, const char **data, size_t *len);

/* A memfd with all that was read; or -errno. */
int files_save(const struct files *f);
/* From such a memfd: knows those files and no others. NULL and errno. */
struct files *files_restore(int fd);

/* Whole file into a fresh buffer, NUL behind it; the caller frees. -errno. */
int file_slurp(const char *path, char **data, size_t *len);

#endif
