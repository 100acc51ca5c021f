/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of conn.c that have one configuration for both ends: the keeper's part, and the peer's signatures. */
#ifndef CONN_TEST_H
#define CONN_TEST_H
#include "agent_test.h"
#include "conn.h"
#include "sign.h"

static struct config *config;

/* What the keeper would make of the request. */
static inline void keeper_signs(uint64_t request, const struct hs_sign *s, struct msg_signed *ret)
{
	struct msg_sign m = { .type = MSG_SIGN, .key = s->identity->key, .id = request, .scheme = s->scheme->id, .len = s->len };

	memcpy(m.tbs, s->tbs, s->len);
	sign_request(config, &m, m.tbs, sizeof(m.tbs), ret);
}

static inline int peer_choose(void *arg, const char *name, const uint16_t *schemes, size_t num,
			      const struct identity **ret, const char **why)
{
	(void)arg; (void)name; (void)schemes; (void)num; (void)why;
	*ret = &config->sites[0].id;
	return 0;
}

static inline void peer_signs(struct hs *hs)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len = 0;

	assert_int_equal(s->scheme->sign(config->sites[s->identity->key].key, s->scheme->hash, s->tbs, s->len, sig, &len), 0);
	hs_signed(hs, sig, len);
}

#endif
