/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points and scalars between nettle and the wire. GMP and nettle give memory
 * back by way of GMP's free function, which here wipes: so no number of theirs,
 * secret or not, outlives its use, nor do the copies that growing leaves behind.
 */
#include <errno.h>
#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/ecc.h"

static void *number_alloc(size_t size)
{
	void *p = malloc(size);

	if (!p)
		abort();	/* GMP has no way to hear of it */
	return p;
}

static void number_free(void *p, size_t size)
{
	if (!p)
		return;
	crypto_wipe(p, size);
	free(p);
}

static void *number_realloc(void *old, size_t old_size, size_t size)
{
	void *p = number_alloc(size);

	memcpy(p, old, old_size < size ? old_size : size);
	number_free(old, old_size);
	return p;
}

__attribute__((constructor))
static void numbers_are_wiped(void)
{
	mp_set_memory_functions(number_alloc, number_realloc, number_free);
}

size_t ecc_point_bytes(const struct ecc_point *p)
{
	return (ecc_bit_size(p->ecc) + 7) / 8;
}

int ecc_point_read(struct ecc_point *p, const uint8_t *data, size_t len)
{
	size_t n = ecc_point_bytes(p);
	mpz_t x, y;
	int ok;

	if (len != 2 * n + 1 || data[0] != 4)
		return -EBADMSG;
	nettle_mpz_init_set_str_256_u(x, n, data + 1);
	nettle_mpz_init_set_str_256_u(y, n, data + 1 + n);
	ok = ecc_point_set(p, x, y);	/* checks the range and the equation */
	mpz_clear(x);
	mpz_clear(y);
	return ok ? 0 : -EBADMSG;
}

void ecc_point_write(const struct ecc_point *p, uint8_t *out)
{
	size_t n = ecc_point_bytes(p);
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	ecc_point_get(p, x, y);
	out[0] = 4;
	nettle_mpz_get_str_256(n, out + 1, x);
	nettle_mpz_get_str_256(n, out + 1 + n, y);
	mpz_clear(x);
	mpz_clear(y);
}

int ecc_scalar_read(struct ecc_scalar *k, const uint8_t *data, size_t len)
{
	mpz_t z;
	int ok;

	nettle_mpz_init_set_str_256_u(z, len, data);
	ok = ecc_scalar_set(k, z);
	mpz_clear(z);
	return ok ? 0 : -ERANGE;
}
