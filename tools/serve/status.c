// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /.ktls/status: what the kernel says of this very connection (KTLS_INFO) and
 * of the module (/proc/net/ktls_stat), in JSON, for the demo page.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "serve.h"

struct out {
	char *buf;
	size_t len, size;
};

__attribute__((format(printf, 2, 3)))
static void add(struct out *o, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(o->buf + o->len, o->size - o->len, format, args);
	va_end(args);
	if (n > 0)
		o->len += (size_t)n < o->size - o->len ? (size_t)n : o->size - o->len - 1;
}

static void add_string(struct out *o, const char *name, const char *s)
{
	add(o, "\"%s\":\"", name);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c < ' ' || c == '"' || c == '\\' || c >= 0x7f)
			add(o, "\\u%04x", c);
		else
			add(o, "%c", c);
	}
	add(o, "\",");
}

static void add_direction(struct out *o, const char *name, uint64_t records,
			  uint64_t bytes, uint32_t generation)
{
	add(o, "\"%s\":{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"generation\":%u},",
	    name, records, bytes, generation);
}

static void add_session(struct out *o, const struct ktls_session *s)
{
	const struct ktls_info *i = &s->info;

	/* A cookie has 64 bits, a number of JavaScript 53. */
	add(o, "{\"cookie\":\"%" PRIu64 "\",", (uint64_t)i->cookie);
	add_string(o, "phase", ktls_phase_name(i->phase));
	add_string(o, "version", ktls_version_name(i->version));
	add_string(o, "cipher", ktls_cipher_name(i->cipher));
	add_string(o, "suite", ktls_suite_name(s->suite));
	add_string(o, "group", ktls_group_name(s->group));
	add_string(o, "scheme", ktls_scheme_name(s->scheme));
	add_string(o, "alpn", s->alpn);
	add_string(o, "server_name", s->server_name);
	add_string(o, "identity", s->identity);
	add_direction(o, "tx", i->tx_records, i->tx_bytes, i->tx_generation);
	add_direction(o, "rx", i->rx_records, i->rx_bytes, i->rx_generation);
	add(o, "\"resumed\":%s}", s->resumed ? "true" : "false");
}

/* Lines of a name and a number. */
static void add_module(struct out *o)
{
	FILE *f = fopen("/proc/thread-self/net/ktls_stat", "re");
	const char *comma = "";
	uint64_t value;
	char name[64];

	if (!f) {
		add(o, "null");
		return;
	}
	add(o, "{");
	while (fscanf(f, "%63[A-Za-z0-9_]%" SCNu64 " ", name, &value) == 2) {
		add(o, "%s\"%s\":%" PRIu64, comma, name, value);
		comma = ",";
	}
	add(o, "}");
	fclose(f);
}

size_t status_print(int fd, char *buf, size_t size)
{
	struct out o = { .buf = buf, .size = size };
	struct ktls_session session;

	add(&o, "{\"session\":");
	if (fd >= 0 && !ktls_info(fd, &session))
		add_session(&o, &session);
	else
		add(&o, "null");
	add(&o, ",\"module\":");
	add_module(&o);
	add(&o, "}\n");
	return o.len;
}
