/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktlsctl's commands. Each prints and returns the exit status: 0, or 1 after
 * a sentence on standard error.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_SOCKET	"/run/ktlsd/control"

struct ctl {
	const char *socket;
	bool json, both;
	bool explain;
};

int ctl_sessions(const struct ctl *ctl, const char *arg);	/* sessions.c */
int ctl_rekey(const struct ctl *ctl, const char *arg);
int ctl_top(const struct ctl *ctl, const char *arg);		/* top.c */
int ctl_stats(const struct ctl *ctl, const char *arg);		/* stats.c */
int ctl_status(const struct ctl *ctl, const char *arg);		/* agent.c */
int ctl_why(const struct ctl *ctl, const char *arg);
int ctl_config(const struct ctl *ctl, const char *arg);
int ctl_metrics(const struct ctl *ctl, const char *arg);

/* dump.c: both give 0, or 1 after a sentence. */
#define CTL_ADDRESS 55

struct session {
	uint64_t cookie, tx_records, tx_bytes, rx_records, rx_bytes;
	uint32_t phase, role, uid, tx_generation, rx_generation;
	uint16_t version, cipher;
	char local[CTL_ADDRESS], peer[CTL_ADDRESS];
	const char *waits;		/* NULL: for nothing */
};

int sessions_read(struct session **ret, size_t *ret_num);	/* free() it */
int session_rekey(uint64_t cookie, bool both);

/* stats.c: one counter; false when the module isn't loaded or has none so named. */
bool stat_read(const char *name, uint64_t *value);

/* line.c: [WORD] KEY=VALUE KEY="VALUE \" WITH \\" ..., cut up in place. */
#define LINE_FIELDS 24

struct line {
	const char *word;
	size_t num;
	struct { const char *key, *value; } fields[LINE_FIELDS];
};

bool line_parse(char *text, struct line *line);
const char *line_get(const struct line *line, const char *key);	/* "-" if absent */

#endif
