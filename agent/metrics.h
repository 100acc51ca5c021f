/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.c: agent and module in Prometheus' text format. */
#ifndef METRICS_H
#define METRICS_H
#include <stdio.h>

struct keeper;

void metrics_put(const struct keeper *k, FILE *out);

#endif
