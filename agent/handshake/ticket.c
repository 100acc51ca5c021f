// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ticket: name of the ticket key, salt, AES-256-GCM of the content. Each
 * has a key of its own, HMAC-SHA-256(ticket key, salt), so that no nonce can
 * be used twice however many are made. The context, which both have to know,
 * is authenticated and not written. What opens is still parsed strictly: it
 * may be from another version of this program.
 */
#include "handshake/ticket.h"
#include <errno.h>
#include <string.h>
#include "handshake/suite.h"
#include "rng/rng.h"

#define TICKET_VERSION	3
#define SALT		24
#define PREFIX		(HS_TICKET_NAME + SALT)
#define TAG		16

static const uint8_t zero_nonce[12];

static void key_of(const struct hs_ticket_key *key, const uint8_t *salt, uint8_t out[32])
{
	crypto_hmac(&crypto_sha256, key->key, sizeof(key->key), salt, SALT, out);
}

static void aad_of(const uint8_t *prefix, const uint8_t *context, uint8_t out[PREFIX + HS_CONTEXT])
{
	memcpy(out, prefix, PREFIX);
	memcpy(out + PREFIX, context, HS_CONTEXT);
}

/* ---- sealing */

static void put_vec(struct wbuf *b, const void *p, size_t len)
{
	wbuf_u8(b, (uint8_t)len);
	wbuf_bytes(b, p, len);
}

static void write_all(struct wbuf *b, const struct ticket *t, size_t psk_len)
{
	wbuf_u8(b, TICKET_VERSION);
	wbuf_u16(b, t->suite);
	wbuf_u64(b, t->issued);
	wbuf_u32(b, t->lifetime);
	wbuf_u32(b, t->age_add);
	wbuf_u32(b, t->max_early);
	put_vec(b, t->psk, psk_len);
	put_vec(b, t->server_name, strlen(t->server_name));
	put_vec(b, t->alpn, t->alpn_len);
	put_vec(b, t->identity, strlen(t->identity));
	wbuf_u8(b, t->peer.verified);
	put_vec(b, t->peer.sha256, t->peer.known ? sizeof(t->peer.sha256) : 0);
	put_vec(b, t->peer.name, strlen(t->peer.name));
	wbuf_u64(b, t->peer.until);
}

size_t ticket_seal(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT],
		   const struct ticket *t, uint8_t *out, size_t size)
{
	const struct suite *suite = suite_by_id(t->suite);
	uint8_t key[32], aad[PREFIX + HS_CONTEXT];
	struct wbuf b = { .buf = out, .cap = size };

	if (!keys->num || !suite || size < PREFIX + TAG)
		return 0;
	b.cap -= TAG;
	wbuf_bytes(&b, keys->key[0].name, HS_TICKET_NAME);
	rng_fill(RNG_NONCE, out + b.len, SALT);
	b.len += SALT;
	write_all(&b, t, suite_secret(suite));
	if (b.overflow) {
		crypto_wipe(out, size);
		return 0;
	}
	key_of(&keys->key[0], out + HS_TICKET_NAME, key);
	aad_of(out, context, aad);
	crypto_aes_256_gcm.seal(key, zero_nonce, aad, sizeof(aad), out + PREFIX, b.len - PREFIX, out + PREFIX);
	crypto_wipe(key, sizeof(key));
	return b.len + TAG;
}

/* ---- opening */

static bool get_text(struct rbuf *b, char *text, size_t size)
{
	struct rbuf v;
	size_t len;

	if (!rbuf_vec8(b, &v) || rbuf_len(&v) >= size)
		return false;
	len = rbuf_len(&v);
	if (!rbuf_copy(&v, text, len))
		return false;
	text[len] = '\0';
	return strlen(text) == len;
}

static bool get_psk(struct rbuf *b, struct ticket *t)
{
	const struct suite *suite = suite_by_id(t->suite);
	struct rbuf v;

	return suite && rbuf_vec8(b, &v) && rbuf_len(&v) == suite_secret(suite) &&
	       rbuf_copy(&v, t->psk, suite_secret(suite));
}

static bool get_alpn(struct rbuf *b, struct ticket *t)
{
	struct rbuf v;

	if (!rbuf_vec8(b, &v))
		return false;
	t->alpn_len = rbuf_len(&v);
	return rbuf_copy(&v, t->alpn, t->alpn_len);
}

static bool get_peer(struct rbuf *b, struct hs_peer *peer)
{
	struct rbuf v;
	uint8_t verified;

	if (!rbuf_u8(b, &verified) || verified > 1 || !rbuf_vec8(b, &v))
		return false;
	peer->verified = verified;
	peer->known = rbuf_len(&v);
	if (peer->known && (rbuf_len(&v) != sizeof(peer->sha256) || !rbuf_copy(&v, peer->sha256, rbuf_len(&v))))
		return false;
	return get_text(b, peer->name, sizeof(peer->name)) && rbuf_u64(b, &peer->until) && (peer->known || !verified);
}

static bool read_all(struct rbuf *b, struct ticket *t)
{
	uint8_t version;

	return rbuf_u8(b, &version) && version == TICKET_VERSION && rbuf_u16(b, &t->suite) && rbuf_u64(b, &t->issued) &&
	       rbuf_u32(b, &t->lifetime) && rbuf_u32(b, &t->age_add) && rbuf_u32(b, &t->max_early) && get_psk(b, t) &&
	       get_text(b, t->server_name, sizeof(t->server_name)) &&
	       get_alpn(b, t) && get_text(b, t->identity, sizeof(t->identity)) &&
	       get_peer(b, &t->peer) && !rbuf_len(b);
}

static const struct hs_ticket_key *find_key(const struct hs_ticket_keys *keys, const uint8_t *name)
{
	for (size_t i = 0; i < keys->num; i++)
		if (!memcmp(keys->key[i].name, name, HS_TICKET_NAME))
			return &keys->key[i];
	return NULL;
}

int ticket_open(const struct hs_ticket_keys *keys, const uint8_t context[HS_CONTEXT],
		const uint8_t *data, size_t len, struct ticket *ret)
{
	const struct hs_ticket_key *from;
	uint8_t key[32], aad[PREFIX + HS_CONTEXT], plain[TICKET_ROOM];
	struct ticket t = { 0 };
	struct rbuf b = { plain, plain };
	int err = -EBADMSG;

	if (len <= PREFIX + TAG || len > TICKET_ROOM)
		return -EBADMSG;
	from = find_key(keys, data);
	if (!from)
		return -EBADMSG;
	key_of(from, data + HS_TICKET_NAME, key);
	aad_of(data, context, aad);
	b.end = plain + len - PREFIX - TAG;
	if (!crypto_aes_256_gcm.open(key, zero_nonce, aad, sizeof(aad), data + PREFIX, len - PREFIX, plain) &&
	    read_all(&b, &t)) {
		*ret = t;
		err = 0;
	}
	crypto_wipe(key, sizeof(key));
	crypto_wipe(plain, sizeof(plain));
	crypto_wipe(&t, sizeof(t));
	return err;
}
