// SPDX-License-Identifier: GPL-2.0-or-later
/* See sessions.h. Pages are taken as sessions come. */
#include "sessions.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log.h"

int sessions_open(unsigned int num)
{
	int fd;

	if (!num)
		return -1;
	fd = memfd_create("ktlsd-sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && !ftruncate(fd, (off_t)(num * sizeof(struct session_slot))) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	log_line(LOG_WARNING, "keeper: sessions cannot be kept by id: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct session_slot *sessions_map(int fd, size_t *num)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(struct session_slot))
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	*num = (size_t)st.st_size / sizeof(struct session_slot);
	return p;
}
