/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X25519 on CPUs with BMI2 and ADX. */
#include "crypto/provider.h"
#if CRYPTO_ADX
#include "crypto/fe25519_adx.h"
#include "crypto/x25519_body.h"

const struct x25519_ops x25519_adx = { multiply_base, multiply };
#endif
