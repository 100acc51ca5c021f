// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The record layer, sending and receiving whole streams: the test is the peer
 * and makes and reads every record itself. What goes wrong, and control records:
 * control_test.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <linux/tls.h>
#include <cmocka.h>
#include "wire.h"

#define MIB	(1 << 20)

static const uint16_t ciphers[] = {
	TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_CHACHA20_POLY1305,
};
static const size_t sizes[] = { 1, 15, 16, 17, 4095, 4096, 4097, 16383, 16384, 16385, 65536, MIB };

#define EACH(i, array)	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static uint8_t *out, *in;

/* ---- a thread that does one side of a transfer */

struct job {
	struct session	*s;
	int		fd;
	uint8_t		*data;
	size_t		len;
};

static void *job_write(void *arg)
{
	struct job *j = arg;

	wire_write(j->fd, j->data, j->len);
	return NULL;
}

static void *job_peer_send(void *arg)
{
	struct job *j = arg;
	size_t n;

	for (size_t at = 0; at < j->len; at += n) {
		n = j->len - at < WIRE_PLAIN ? j->len - at : WIRE_PLAIN;
		peer_send(j->s, WIRE_DATA, j->data + at, n);
	}
	return NULL;
}

static pthread_t start(void *(*f)(void *), struct job *j)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, f, j), 0);
	return t;
}

/* ---- tests */

static void test_sizes(void **state)
{
	(void)state;
	for EACH(c, ciphers) {
		struct session s;

		session_mainline(&s, ciphers[c]);
		for EACH(i, sizes) {
			struct job j = { .s = &s, .fd = s.fd, .data = out, .len = sizes[i] };
			pthread_t t;

			fill_pattern(out, sizes[i], i);
			t = start(job_write, &j);
			memset(in, 0, sizes[i]);
			peer_recv_all(&s, in, sizes[i]);
			pthread_join(t, NULL);
			assert_memory_equal(in, out, sizes[i]);

			t = start(job_peer_send, &j);
			memset(in, 0, sizes[i]);
			wire_read(s.fd, in, sizes[i]);
			pthread_join(t, NULL);
			assert_memory_equal(in, out, sizes[i]);
		}
		session_close(&s);
	}
}

static int setup(void **state)
{
	(void)state;
	out = malloc(2 * MIB);
	in = malloc(2 * MIB);
	return !out || !in;
}

static int teardown(void **state)
{
	(void)state;
	free(out);
	free(in);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
