// SPDX-License-Identifier: GPL-2.0-or-later
/* The module's sessions, as a table or JSON; new keys for one of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"
#include "ktls.h"

static const char *role_name(uint32_t role)
{
	return role == KTLS_ROLE_SERVER ? "server" : "client";
}

static void print_json(const struct session *s)
{
	printf("{\"cookie\":\"%" PRIx64 "\",\"phase\":\"%s\",\"role\":\"%s\",\"uid\":%u,"
	       "\"local\":\"%s\",\"peer\":\"%s\",\"version\":\"%s\",\"cipher\":\"%s\","
	       "\"tx\":{\"generation\":%u,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 "},"
	       "\"rx\":{\"generation\":%u,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 "},"
	       "\"waits\":%s%s%s}",
	       s->cookie, ktls_phase_name(s->phase), role_name(s->role), s->uid, s->local, s->peer,
	       s->version ? ktls_version_name(s->version) : "",
	       s->cipher ? ktls_cipher_name(s->cipher) : "",
	       s->tx_generation, s->tx_records, s->tx_bytes,
	       s->rx_generation, s->rx_records, s->rx_bytes,
	       s->waits ? "\"" : "", s->waits ?: "null", s->waits ? "\"" : "");
}

static void print_head(void)
{
	printf("%-8s %-6s %-11s %-22s %-22s %-7s %-17s %-7s %10s %14s %10s %14s %s\n", "COOKIE",
	       "ROLE", "PHASE", "LOCAL", "PEER", "VERSION", "CIPHER", "UPDATES", "TX-RECORDS",
	       "TX-BYTES", "RX-RECORDS", "RX-BYTES", "WAITS-FOR");
}

static void print_row(const struct session *s)
{
	char updates[24];

	snprintf(updates, sizeof(updates), "%u/%u", s->tx_generation, s->rx_generation);
	printf("%-8" PRIx64 " %-6s %-11s %-22s %-22s %-7s %-17s %-7s %10" PRIu64 " %14" PRIu64
	       " %10" PRIu64 " %14" PRIu64 " %s\n", s->cookie, role_name(s->role),
	       ktls_phase_name(s->phase), s->local, s->peer,
	       s->version ? ktls_version_name(s->version) : "-",
	       s->cipher ? ktls_cipher_name(s->cipher) : "-", updates, s->tx_records, s->tx_bytes,
	       s->rx_records, s->rx_bytes, s->waits ?: "-");
}

int ctl_sessions(const struct ctl *ctl, const char *arg)
{
	struct session *list;
	size_t i, num;

	(void)arg;
	if (sessions_read(&list, &num))
		return 1;
	if (ctl->json)
		fputs("[", stdout);
	else
		print_head();
	for (i = 0; i < num; i++) {
		if (ctl->json) {
			fputs(i ? ",\n" : "", stdout);
			print_json(&list[i]);
		} else {
			print_row(&list[i]);
		}
	}
	if (ctl->json)
		puts("]");
	free(list);
	return 0;
}

int ctl_rekey(const struct ctl *ctl, const char *arg)
{
	uint64_t cookie;
	char *end;

	cookie = strtoull(arg ? arg : "", &end, 16);
	if (!arg || !*arg || *end || *arg == '-') {
		fprintf(stderr, "ktlsctl: rekey: which session? Its cookie is in the first column of \"ktlsctl sessions\"\n");
		return 1;
	}
	return session_rekey(cookie, ctl->both);
}
