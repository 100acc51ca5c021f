/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public files, kept by path. The saved form is, for each file, two native
 * 32-bit lengths, the path and the bytes: only our own processes read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"

struct file {
	struct file *next;
	char *path, *data;
	size_t len;
};

struct files {
	struct file *first;
	bool restored;
};

struct files *files_new(void)
{
	return calloc(1, sizeof(struct files));
}

void files_free(struct files *f)
{
	struct file *file, *next;

	if (!f)
		return;
	for (file = f->first; file; file = next) {
		next = file->next;
		free(file->path);
		free(file->data);
		free(file);
	}
	free(f);
}

static int read_all(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t n = read(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data += n;
		len -= n;
	}
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= n;
	}
	return 0;
}

static int slurp_fd(int fd, char **data, size_t *len)
{
	struct stat st;
	char *buf;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILES_MAX)
		return -EFBIG;
	buf = malloc(st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	err = read_all(fd, buf, st.st_size);
	if (err) {
		explicit_bzero(buf, st.st_size);
		free(buf);
		return err;
	}
	buf[st.st_size] = '\0';
	*data = buf;
	*len = st.st_size;
	return 0;
}

int file_slurp(const char *path, char **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = slurp_fd(fd, data, len);
	close(fd);
	return err;
}

static int remember(struct files *f, char *path, char *data, size_t len)
{
	struct file *file = malloc(sizeof(*file));

	if (!path || !file) {
		free(path);
		free(file);
		free(data);
		return -ENOMEM;
	}
	*file = (struct file){ .next = f->first, .path = path, .data = data, .len = len };
	f->first = file;
	return 0;
}

int files_read(struct files *f, const char *path, const char **data, size_t *len)
{
	struct file *file = f->first;
	size_t size;
	char *buf;
	int err;

	while (file && strcmp(file->path, path))
		file = file->next;
	if (!file && f->restored)
		return -ENOENT;
	if (!file) {
		err = file_slurp(path, &buf, &size);
		if (!err)
			err = remember(f, strdup(path), buf, size);
		if (err)
			return err;
		file = f->first;
	}
	*data = file->data;
	*len = file->len;
	return 0;
}

static int save_one(int fd, const struct file *file)
{
	uint32_t head[2] = { strlen(file->path), file->len };
	int err;

	err = write_all(fd, head, sizeof(head));
	if (!err)
		err = write_all(fd, file->path, head[0]);
	return err ? err : write_all(fd, file->data, head[1]);
}

int files_save(const struct files *f)
{
	int fd = memfd_create("ktlsd configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const struct file *file;
	int err = 0;

	if (fd < 0)
		return -errno;
	for (file = f->first; file && !err; file = file->next)
		err = save_one(fd, file);
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int take(const char **p, const char *end, size_t len, char **ret)
{
	char *copy;

	if ((size_t)(end - *p) < len)
		return -EBADMSG;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, *p, len);
	copy[len] = '\0';
	*p += len;
	*ret = copy;
	return 0;
}

static int restore_one(struct files *f, const char **p, const char *end)
{
	char *path, *data;
	uint32_t head[2];
	int err;

	if ((size_t)(end - *p) < sizeof(head))
		return -EBADMSG;
	memcpy(head, *p, sizeof(head));
	*p += sizeof(head);
	err = take(p, end, head[0], &path);
	if (err)
		return err;
	err = take(p, end, head[1], &data);
	if (err) {
		free(path);
		return err;
	}
	return remember(f, path, data, head[1]);
}

struct files *files_restore(int fd)
{
	struct files *f = files_new();
	const char *p, *end;
	struct stat st;
	char *map;
	int err = 0;

	if (!f)
		return NULL;
	f->restored = true;
	if (fstat(fd, &st) || !st.st_size)
		goto out_free;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		goto out_free;
	for (p = map, end = map + st.st_size; p < end && !err;)
		err = restore_one(f, &p, end);
	munmap(map, st.st_size);
	if (!err)
		return f;
	errno = -err;
out_free:
	files_free(f);
	return NULL;
}
