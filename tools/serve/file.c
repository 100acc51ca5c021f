// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files below the root. The kernel holds the border (RESOLVE_BENEATH), for
 * ".." and symbolic links alike; the parser refused ".." before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "serve.h"

static int open_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int open_status(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
	case EXDEV:		/* beyond the root: as if it weren't there */
	case ENAMETOOLONG:
	case ENXIO:
		return 404;
	case EACCES:
	case EPERM:
	case ELOOP:
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return 503;
	default:
		return 500;
	}
}

static int describe(int fd, const char *path, struct file *file)
{
	struct stat st;

	if (fstat(fd, &st))
		return 500;
	if (S_ISDIR(st.st_mode))
		return 301;
	if (!S_ISREG(st.st_mode))
		return 403;
	file->fd = fd;
	file->size = st.st_size;
	file->mtime = st.st_mtime;
	file->type = http_type(path);
	snprintf(file->tag, sizeof(file->tag), "\"%llx.%lx-%llx\"", (long long)st.st_mtime,
		 st.st_mtim.tv_nsec, (long long)st.st_size);
	return 200;
}

int file_open(int root, const char *path, struct file *file)
{
	bool directory = path[strlen(path) - 1] == '/';
	char name[HTTP_MAX_PATH + 16];
	int fd, status;

	snprintf(name, sizeof(name), "%s%s", path + 1, directory ? "index.html" : "");
	fd = open_beneath(root, name);
	if (fd < 0)
		return open_status(errno);
	status = describe(fd, name, file);
	if (status != 200)
		close(fd);
	return status == 301 && directory ? 403 : status;
}
