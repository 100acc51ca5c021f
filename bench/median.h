/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The median of some measurements, which are sorted by it. */
#ifndef MEDIAN_H
#define MEDIAN_H
#include <stdlib.h>

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

#endif
