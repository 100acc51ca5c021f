/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points and scalars of the NIST curves between nettle and the wire. */
#ifndef CRYPTO_ECC_H
#define CRYPTO_ECC_H
#include <nettle/ecc.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a coordinate. */
size_t ecc_point_bytes(const struct ecc_point *p);
/* SEC 1 uncompressed points. -EBADMSG: not that form, or not on the curve. */
int ecc_point_read(struct ecc_point *p, const uint8_t *data, size_t len);
void ecc_point_write(const struct ecc_point *p, uint8_t *out);

/* -ERANGE: not in 1 .. order - 1. */
int ecc_scalar_read(struct ecc_scalar *k, const uint8_t *data, size_t len);

#endif
