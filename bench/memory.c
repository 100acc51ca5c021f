// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory ULP: what an idle TLS socket costs in kernel memory beyond its TCP
 * socket. Opens 2000 connections over loopback, keys both ends in both directions
 * by linux/tls.h's options (TLS 1.3, AES-128-GCM), and compares: slab pages by
 * cache, and all free pages of the machine, so that nothing hides outside of the
 * slabs. Then every socket sends and reads one record, goes idle again, and is
 * compared once more. Wants root and a machine where little else happens.
 * Last line: bytes per socket, fresh and after use, the larger of both views.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <linux/tls.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

#define SOCKETS	4000
#define CACHES	400

struct cache {
	char	name[64];
	long	objects, size, bytes;
};

struct snapshot {
	struct cache	cache[CACHES];
	int		n;
	long		slab, free;	/* bytes */
};

static int fds[SOCKETS];
static const char *ulp;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- what there is */

/* Empty slabs go back, so that pages count what is in use. */
static void shrink(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *e;
	char path[300];
	int fd;

	if (!dir)
		die("/sys/kernel/slab");
	while ((e = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", e->d_name);
		fd = open(path, O_WRONLY);
		if (fd < 0)
			continue;
		if (write(fd, "1", 1) < 0)
			die(path);
		close(fd);
	}
	closedir(dir);
}

static void read_slabs(struct snapshot *s)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	long per_slab, pages, slabs;
	struct cache *c;
	char line[400];

	if (!f)
		die("/proc/slabinfo");
	s->n = 0;
	s->slab = 0;
	while (fgets(line, sizeof(line), f)) {
		c = &s->cache[s->n];
		if (sscanf(line, "%63s %ld %*d %ld %ld %ld : tunables %*d %*d %*d : slabdata %*d %ld",
			   c->name, &c->objects, &c->size, &per_slab, &pages, &slabs) != 6)
			continue;
		c->bytes = slabs * pages * sysconf(_SC_PAGESIZE);
		s->slab += c->bytes;
		if (++s->n == CACHES)
			break;
	}
	fclose(f);
}

/* Pages on the lists of the processors are free as well. */
static void read_pages(struct snapshot *s)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long n, pages = 0;
	char line[200];

	if (!f)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " nr_free_pages %ld", &n) == 1 || sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	fclose(f);
	s->free = pages * sysconf(_SC_PAGESIZE);
}

static void look(struct snapshot *s)
{
	sleep(2);		/* what RCU and workqueues still have to free */
	shrink();
	read_slabs(s);
	read_pages(s);
}

static const struct cache *find(const struct snapshot *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (!strcmp(s->cache[i].name, name))
			return &s->cache[i];
	return NULL;
}

static long compare(const char *when, const struct snapshot *a, const struct snapshot *b)
{
	long slab = b->slab - a->slab, pages = a->free - b->free, was;
	const struct cache *c, *old;

	printf("# %s, %s: slab %ld, all pages %ld bytes per socket\n", ulp, when, slab / SOCKETS, pages / SOCKETS);
	for (c = b->cache; c < b->cache + b->n; c++) {
		old = find(a, c->name);
		was = old ? old->objects : 0;
		if (labs(c->objects - was) >= SOCKETS / 8)
			printf("#   %-20s %5ld objects of %4ld bytes per 1000 sockets\n", c->name,
			       (c->objects - was) * 1000 / SOCKETS, c->size);
	}
	return (slab > pages ? slab : pages) / SOCKETS;
}

/* ---- sockets */

static int listener;
static struct sockaddr_in address = { .sin_family = AF_INET };

static void listen_locally(void)
{
	struct rlimit files = { SOCKETS + 100, SOCKETS + 100 };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (setrlimit(RLIMIT_NOFILE, &files) || bind(listener, (void *)&address, len) || listen(listener, 8) ||
	    getsockname(listener, (void *)&address, &len))
		die("listen");
}

static void connect_pair(int fd[2])
{
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd[0], (void *)&address, sizeof(address)))
		die("connect");
	fd[1] = accept(listener, NULL, NULL);
	if (fd[1] < 0)
		die("accept");
}

static void key(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 }, .key = "0123456789abcde",
	};

	if (setsockopt(fd, SOL_TCP, TCP_ULP, ulp, strlen(ulp)) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &info, sizeof(info)) ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &info, sizeof(info)))
		die("keys");
}

static void use(int fd, int peer)
{
	char buf[100] = "";

	if (send(fd, buf, sizeof(buf), 0) != sizeof(buf) || recv(peer, buf, sizeof(buf), 0) != sizeof(buf))
		die("record");
}

/* What is there once for all sockets, memory for records above all, is no socket's. */
static void warm_up(void)
{
	int fd[2];

	connect_pair(fd);
	key(fd[0]);
	key(fd[1]);
	for (int i = 0; i < SOCKETS; i++)
		use(fd[i % 2], fd[1 - i % 2]);
}

int main(int argc, char **argv)
{
	static struct snapshot before, keyed, used;
	long fresh, after;
	int i;

	if (argc != 2)
		return fprintf(stderr, "usage: memory ULP\n"), 2;
	ulp = argv[1];
	listen_locally();
	for (i = 0; i < SOCKETS; i += 2)
		connect_pair(fds + i);
	warm_up();
	look(&before);
	look(&before);		/* what looking itself takes is there now */
	for (i = 0; i < SOCKETS; i++)
		key(fds[i]);
	look(&keyed);
	fresh = compare("keyed", &before, &keyed);
	for (i = 0; i < SOCKETS; i++)
		use(fds[i], fds[i ^ 1]);
	look(&used);
	after = compare("used and idle again", &before, &used);
	printf("%ld %ld\n", fresh, after);
	return 0;
}
