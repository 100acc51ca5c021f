// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What TLS 1.2 has signed, by its shape: the parameters of a server's key
 * exchange behind both randoms, and a client's view of all messages. Neither
 * can be taken for the other, nor for anything of TLS 1.3.
 */
#include <string.h>
#include "crypto/group.h"
#include "handshake/engine.h"
#include "sign.h"

#define NAMED_CURVE	3

static bool is_curve(struct rbuf b)
{
	const struct crypto_group *group;
	struct rbuf share;
	uint8_t type;
	uint16_t id;

	if (!rbuf_u8(&b, &type) || type != NAMED_CURVE || !rbuf_u16(&b, &id) || !rbuf_vec8(&b, &share) || rbuf_len(&b))
		return false;
	group = group_by_id(id);
	return group && group_for_12(group, KX_ECDHE) && rbuf_len(&share) == group->server_share;
}

static bool is_field(struct rbuf b)
{
	struct rbuf p, g, share;
	const uint8_t *prime;
	size_t len;

	if (!rbuf_vec16(&b, &p) || !rbuf_vec16(&b, &g) || !rbuf_vec16(&b, &share) || rbuf_len(&b) ||
	    rbuf_len(&g) != 1 || *g.p != 2)
		return false;
	for (size_t i = 0; i < groups_num; i++) {
		if (!group_for_12(groups[i], KX_DHE))
			continue;
		prime = ffdhe_prime(groups[i], &len);
		if (rbuf_len(&p) == len && !memcmp(p.p, prime, len))
			return rbuf_len(&share) == len;
	}
	return false;
}

bool sign_is_key_exchange(const uint8_t *tbs, size_t len)
{
	struct rbuf b = { tbs, tbs + len };
	const uint8_t *randoms;

	return rbuf_bytes(&b, &randoms, 2 * HS_RANDOM) && (is_curve(b) || is_field(b));
}

/* The message at the front, of this type and no other. */
static bool take(struct rbuf *b, uint8_t want, struct rbuf *body)
{
	uint8_t type;

	return rbuf_u8(b, &type) && type == want && rbuf_vec24(b, body);
}

static bool says_tls12(struct rbuf body)
{
	uint16_t version;

	return rbuf_u16(&body, &version) && version == TLS12;
}

/* RFC 5246 7.4.8: everything from the ClientHello to the ClientKeyExchange, in its order. */
bool sign_is_transcript(const uint8_t *tbs, size_t len)
{
	struct rbuf b = { tbs, tbs + len }, body;

	if (!take(&b, HS_CLIENT_HELLO, &body) || !says_tls12(body) || !take(&b, HS_SERVER_HELLO, &body) ||
	    !says_tls12(body) || !take(&b, HS_CERTIFICATE, &body))
		return false;
	return take(&b, HS_SERVER_KEY_EXCHANGE, &body) && take(&b, HS_CERTIFICATE_REQUEST, &body) &&
	       take(&b, HS_SERVER_HELLO_DONE, &body) && take(&b, HS_CERTIFICATE, &body) &&
	       take(&b, HS_CLIENT_KEY_EXCHANGE, &body) && !rbuf_len(&b);
}
