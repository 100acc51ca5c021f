/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known answers of every approved algorithm, as implemented by what is in use (provider.h). */
#ifndef CRYPTO_SELFTEST_H
#define CRYPTO_SELFTEST_H

/* NULL, or the name of the first algorithm that is broken. */
const char *crypto_selftest(void);

#endif
