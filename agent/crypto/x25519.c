/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X25519 on any CPU with 64-bit registers. */
#include "crypto/fe25519.h"
#include "crypto/x25519_body.h"

const struct x25519_ops x25519_own = { multiply_base, multiply };
