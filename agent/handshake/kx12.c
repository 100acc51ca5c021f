// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The key exchange of TLS 1.2: the server's signed share and the client's, on
 * a named curve (RFC 8422 5.4, 5.7) or in a field of RFC 7919, known by its
 * prime and generator (RFC 5246 7.4.3). The secret of both becomes the
 * extended master secret, RFC 7627.
 */
#include "crypto/group.h"
#include "handshake/engine.h"
#include "handshake/prf.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_CURVE	3
#define GENERATOR	2	/* of each field of RFC 7919 */
#define PARAMS		(2 + CRYPTO_MAX_SECRET + 3 + 2 + CRYPTO_MAX_SECRET)

/* ---- a share on the wire */

static void write_share(const struct crypto_group *group, const uint8_t *share, enum kx_share kind, struct wbuf *b)
{
	int bytes = kind == KX_DHE ? 2 : 1;
	size_t mark = wbuf_open(b, bytes);

	wbuf_bytes(b, share, group->client_share);
	wbuf_close(b, mark, bytes);
}

static bool read_share(enum kx_share kind, struct rbuf *b, struct rbuf *share)
{
	return kind == KX_DHE ? rbuf_vec16(b, share) : rbuf_vec8(b, share);
}

/* A number of a field may have lost its leading zeros on the way. */
static bool fit_share(const struct crypto_group *group, enum kx_share kind, const struct rbuf *share, uint8_t *out)
{
	size_t len = rbuf_len(share), room = group->client_share;

	if (!len || len > room || (kind == KX_ECDHE && len != room))
		return false;
	memset(out, 0, room - len);
	memcpy(out + room - len, share->p, len);
	return true;
}

static void write_params(const struct crypto_group *group, const uint8_t *share, enum kx_share kind, struct wbuf *b)
{
	const uint8_t *prime;
	size_t len;

	if (kind == KX_DHE) {
		prime = ffdhe_prime(group, &len);
		wbuf_u16(b, (uint16_t)len);
		wbuf_bytes(b, prime, len);
		wbuf_u16(b, 1);
		wbuf_u8(b, GENERATOR);
	} else {
		wbuf_u8(b, NAMED_CURVE);
		wbuf_u16(b, group->id);
	}
	write_share(group, share, kind, b);
}

static const struct crypto_group *offered_curve(const struct hs *hs, uint16_t id)
{
	for (size_t i = 0; i < hs->groups_num; i++)
		if (hs->groups[i]->id == id && group_for_12(hs->groups[i], KX_ECDHE))
			return hs->groups[i];
	return NULL;
}

static const struct crypto_group *offered_field(const struct hs *hs, const struct rbuf *p, const struct rbuf *g)
{
	const uint8_t *prime;
	size_t len;

	for (size_t i = 0; i < hs->groups_num; i++) {
		if (!group_for_12(hs->groups[i], KX_DHE))
			continue;
		prime = ffdhe_prime(hs->groups[i], &len);
		if (rbuf_len(p) == len && !memcmp(p->p, prime, len) && rbuf_len(g) == 1 && *g->p == GENERATOR)
			return hs->groups[i];
	}
	return NULL;
}

/* 0 with hs->group; or an alert: a group of the server's own making is refused, RFC 7919 3. */
static int read_group(struct hs *hs, struct rbuf *b)
{
	struct rbuf p, g;
	uint16_t id = 0;
	uint8_t type = 0;

	if (hs->suite->kx->share == KX_DHE) {
		if (!rbuf_vec16(b, &p) || !rbuf_vec16(b, &g))
			return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerKeyExchange is malformed");
		hs->group = offered_field(hs, &p, &g);
	} else {
		if (!rbuf_u8(b, &type) || (type == NAMED_CURVE && !rbuf_u16(b, &id)))
			return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerKeyExchange is malformed");
		hs->group = type == NAMED_CURVE ? offered_curve(hs, id) : NULL;
	}
	if (!hs->group)
		return hs_fail(hs, hs->suite->kx->share == KX_DHE ? ALERT_INSUFFICIENT_SECURITY : ALERT_ILLEGAL_PARAMETER,
			       "the server chose a group that was not offered");
	return 0;
}

/* ---- ServerKeyExchange */

/* What is signed: both randoms, then the parameters, RFC 8422 5.4. */
static int signed_params(struct hs *hs, const uint8_t *params, size_t len)
{
	struct gbuf *said = &hs->tls12.signed_params;

	gbuf_free(said);
	if (!gbuf_add(said, hs->client_random, HS_RANDOM) || !gbuf_add(said, hs->tls12.server_random, HS_RANDOM) ||
	    !gbuf_add(said, params, len))
		return hs_no_memory(hs);
	return 0;
}

static int make_share(struct hs *hs)
{
	int err;

	hs->shares = calloc(1, sizeof(*hs->shares));
	if (!hs->shares)
		return hs_no_memory(hs);
	hs->shares_num = 1;
	hs->shares[0].group = hs->group;
	err = hs->group->generate(hs->group, hs->shares[0].priv, hs->share);
	return err ? hs_fail(hs, err, "could not make a %s key", hs->group->name) : 0;
}

static bool by_psk(const struct hs *hs)
{
	return hs->suite->kx->auth == KX_PSK;
}

static int ask(struct hs *hs)
{
	uint8_t params[PARAMS];
	struct wbuf b = { .buf = params, .cap = sizeof(params) };
	int err = make_share(hs);

	if (err)
		return err;
	write_params(hs->group, hs->share, hs->suite->kx->share, &b);
	err = signed_params(hs, params, b.len);
	if (!err)
		cert_ask_signature(hs, hs->tls12.signed_params.p, hs->tls12.signed_params.len);
	return err;
}

int server_key_exchange_send(struct hs *hs, struct wbuf *b)
{
	int err;

	if (by_psk(hs)) {
		err = make_share(hs);
		if (err)
			return err;
		psk12_hint_write(b);
		write_params(hs->group, hs->share, hs->suite->kx->share, b);
		return 0;
	}
	if (!hs->sig_len)
		return ask(hs);
	write_params(hs->group, hs->share, hs->suite->kx->share, b);
	cert_write_signature(hs, b);
	return 0;
}

static int read_signature(struct hs *hs, const uint8_t *start, struct rbuf *b)
{
	struct rbuf sig, tbs;
	uint16_t scheme;
	int err = signed_params(hs, start, (size_t)(b->p - start));

	if (err)
		return err;
	if (!rbuf_u16(b, &scheme) || !rbuf_vec16(b, &sig))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerKeyExchange is malformed");
	tbs = gbuf_rbuf(&hs->tls12.signed_params);
	return cert_check_signature(hs, scheme, &tbs, &sig);
}

int server_key_exchange_recv(struct hs *hs, struct rbuf *b)
{
	const uint8_t *start = b->p;
	struct rbuf share;
	int err = by_psk(hs) ? psk12_hint_read(hs, b) : check_late_chain(hs);

	if (!err && hs->suite->kx->share == KX_NONE)
		return 0;
	if (!err)
		err = read_group(hs, b);
	if (err)
		return err;
	if (!read_share(hs->suite->kx->share, b, &share))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ServerKeyExchange is malformed");
	err = by_psk(hs) ? 0 : read_signature(hs, start, b);
	if (err)
		return err;
	if (!fit_share(hs->group, hs->suite->kx->share, &share, hs->tls12.peer_share))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the server's %s share has %zu bytes", hs->group->name,
			       rbuf_len(&share));
	return 0;
}

int server_hello_done_send(struct hs *hs, struct wbuf *b)
{
	(void)hs;
	(void)b;
	return 0;
}

/* Empty: the engine refuses bytes that are left over. */
int server_hello_done_recv(struct hs *hs, struct rbuf *b)
{
	(void)hs;
	(void)b;
	return 0;
}

/* ---- ClientKeyExchange */

static int computed(struct hs *hs, int err, const char *whose)
{
	if (err == -EBADMSG)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the %s's %s share is invalid", whose, hs->group->name);
	return err ? hs_fail(hs, err, "could not compute with %s", hs->group->name) : 0;
}

int client_key_exchange_send(struct hs *hs, struct wbuf *b)
{
	int err;

	if (by_psk(hs))
		psk12_name_write(hs, b);
	if (hs->suite->kx->share == KX_NONE)
		return 0;
	err = computed(hs, hs->group->respond(hs->group, hs->tls12.peer_share, hs->share, hs->secret), "server");
	if (err)
		return err;
	write_share(hs->group, hs->share, hs->suite->kx->share, b);
	return 0;
}

int client_key_exchange_recv(struct hs *hs, struct rbuf *b)
{
	struct rbuf share;
	int err = by_psk(hs) ? psk12_name_read(hs, b) : 0;

	if (err || hs->suite->kx->share == KX_NONE)
		return err;
	if (!read_share(hs->suite->kx->share, b, &share))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the ClientKeyExchange is malformed");
	if (!fit_share(hs->group, hs->suite->kx->share, &share, hs->tls12.peer_share))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the client's %s share has %zu bytes", hs->group->name,
			       rbuf_len(&share));
	return computed(hs, hs->group->agree(hs->group, hs->shares[0].priv, hs->tls12.peer_share, hs->secret), "client");
}

/* ---- the master secret */

/*
 * RFC 5246 8.1.2: a finite field's secret has no leading zeros. That their number shows
 * in time is of no use to anyone (Raccoon), as the server's key is used once.
 */
static size_t secret_start(const struct hs *hs)
{
	size_t at = 0;

	if (hs->suite->kx->share == KX_DHE)
		while (at < hs->group->secret - 1u && !hs->secret[at])
			at++;
	return at;
}

int derive_master(struct hs *hs)
{
	uint8_t digest[CRYPTO_MAX_DIGEST], premaster[PSK12_PREMASTER];
	size_t at = secret_start(hs), len = hs->group ? hs->group->secret - at : 0;
	const uint8_t *from = hs->secret + at;

	if (by_psk(hs)) {
		len = psk12_premaster(hs, from, len, premaster);
		from = premaster;
	}
	transcript_digest(hs, digest);
	prf(hs->hash, from, len, "extended master secret", digest, hs->hash->size, hs->tls12.master, MASTER_SECRET);
	crypto_wipe(premaster, sizeof(premaster));
	crypto_wipe(hs->secret, sizeof(hs->secret));
	hs_forget_shares(hs);
	tls12_expand(hs);
	return 0;
}
