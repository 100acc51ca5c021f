// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pre-shared keys, RFC 9846 4.2.11: those of tickets, those given by hand
 * (RFC 9257), and the latter imported (RFC 9258). Only with a key exchange
 * beside them, psk_dhe_ke. A key counts when its binder, a MAC over the
 * ClientHello up to the binders, is right; a key that we don't know costs
 * nothing but a full handshake.
 */
#include "ext/ext.h"
#include "handshake/engine.h"
#include "handshake/ticket.h"
#include <errno.h>
#include <string.h>

static const struct crypto_hash *const import_hashes[] = { &crypto_sha256, &crypto_sha384 };

/* ---- binders */

static const char *const binder_label[] = {
	[PSK_TICKET] = "res binder", [PSK_EXTERNAL] = "ext binder", [PSK_IMPORTED] = "imp binder",
};

/* Hash of what was said before, if there was a retry, and of @len bytes of this ClientHello. */
static void hello_digest(const struct hs *hs, const struct crypto_hash *hash, const uint8_t *msg, size_t len,
			 uint8_t *out)
{
	uint8_t ctx[CRYPTO_HASH_CTX] __attribute__((aligned(16)));

	if (hs->hash)
		memcpy(ctx, hs->transcript, sizeof(ctx));
	else
		hash->init(ctx);
	hash->update(ctx, len, msg);
	hash->digest(ctx, out);
}

static void binder(const struct hs *hs, const struct psk *psk, const uint8_t *msg, size_t len, uint8_t *out)
{
	uint8_t digest[CRYPTO_MAX_DIGEST], key[CRYPTO_MAX_DIGEST];
	struct schedule s;

	schedule_start(&s, psk->hash, psk->key, psk->len);
	crypto_hash_once(psk->hash, "", 0, digest);
	schedule_derive(&s, binder_label[psk->kind], digest, key);
	hello_digest(hs, psk->hash, msg, len, digest);
	schedule_finished(psk->hash, key, digest, out);
	crypto_wipe(key, sizeof(key));
	schedule_wipe(&s);
}

/* ---- the importer, RFC 9258 */

static uint16_t kdf_of(const struct crypto_hash *hash)
{
	return hash == &crypto_sha256 ? 1 : 2;	/* HKDF_SHA256, HKDF_SHA384 */
}

/* ImportedIdentity: without a context. */
static bool imported_identity(const struct hs_psk *psk, const struct crypto_hash *target, struct gbuf *out)
{
	size_t len = strlen(psk->name), room = 2 + len + 2 + 2 + 2, mark;
	struct wbuf b = { .buf = gbuf_room(out, room), .cap = room };

	if (!b.buf)
		return false;
	mark = wbuf_open(&b, 2);
	wbuf_bytes(&b, psk->name, len);
	wbuf_close(&b, mark, 2);
	wbuf_u16(&b, 0);
	wbuf_u16(&b, TLS13);
	wbuf_u16(&b, kdf_of(target));
	out->len += b.len;
	return true;
}

/* ipskx, from the external key and the ImportedIdentity that goes over the wire. */
static void import(const struct hs_psk *psk, const struct crypto_hash *target, const uint8_t *identity, size_t len,
		   struct psk *ret)
{
	uint8_t digest[CRYPTO_MAX_DIGEST];
	struct schedule s;

	schedule_start(&s, psk->hash, psk->key, psk->len);
	crypto_hash_once(psk->hash, identity, len, digest);
	schedule_label(psk->hash, s.secret, "derived psk", digest, psk->hash->size, ret->key, target->size);
	ret->kind = PSK_IMPORTED;
	ret->hash = target;
	ret->len = target->size;
	schedule_wipe(&s);
}

static void take_external(const struct hs_psk *psk, struct psk *ret)
{
	ret->kind = PSK_EXTERNAL;
	ret->hash = psk->hash;
	ret->len = psk->len;
	memcpy(ret->key, psk->key, psk->len);
}

/* ---- client */

/* After a retry the hash is known, and keys of another one are of no use. */
static bool hash_possible(const struct hs *hs, const struct crypto_hash *hash)
{
	if (hs->suite)
		return hs->suite->hash == hash;
	for (size_t i = 0; i < hs->suites_num; i++)
		if (hs->suites[i]->version == TLS13 && hs->suites[i]->hash == hash)
			return true;
	return false;
}

static int collect_ticket(struct hs *hs, const struct hs_ticket *t)
{
	const struct suite *suite = suite_by_id(t->suite);
	uint64_t now = hs_now_ms(hs->params), age = now - t->received;
	struct psk *psk = &hs->psks[0];

	if (!suite || suite->version != TLS13 || !hs_allows(hs, TLS13) || !hash_possible(hs, suite->hash) ||
	    now < t->received || age >= t->lifetime * 1000ull ||
	    (t->peer.until && (uint64_t)hs->params->now >= t->peer.until))
		return 0;
	/* What was not verified then is not verified by resuming it. */
	if (!t->peer.verified && !hs->params->insecure)
		return 0;
	psk->kind = PSK_TICKET;
	psk->hash = suite->hash;
	psk->len = suite->hash->size;
	memcpy(psk->key, t->psk, psk->len);
	/* Both times are rounded: a server doubts an age above its own, so it is never above the true one. */
	psk->age = (uint32_t)(age ? age - 1 : 0) + t->age_add;
	if (!gbuf_add(&psk->identity, t->data, t->len))
		return hs_no_memory(hs);
	hs->psks_num = 1;
	return 0;
}

static int collect_by_hand(struct hs *hs, const struct hs_psk *by_hand)
{
	struct psk *psk;

	if (!by_hand->import) {
		if (!hash_possible(hs, by_hand->hash))
			return 0;
		psk = &hs->psks[hs->psks_num++];
		take_external(by_hand, psk);
		return gbuf_add(&psk->identity, by_hand->name, strlen(by_hand->name)) ? 0 : hs_no_memory(hs);
	}
	for (size_t i = 0; i < sizeof(import_hashes) / sizeof(import_hashes[0]); i++) {
		if (!hash_possible(hs, import_hashes[i]))
			continue;
		psk = &hs->psks[hs->psks_num++];
		if (!imported_identity(by_hand, import_hashes[i], &psk->identity))
			return hs_no_memory(hs);
		import(by_hand, import_hashes[i], psk->identity.p, psk->identity.len, psk);
	}
	return 0;
}

int psk_collect(struct hs *hs)
{
	const struct hs_params *p = hs->params;

	psk_forget(hs);
	if (p->psk)
		return collect_by_hand(hs, p->psk);
	return p->ticket ? collect_ticket(hs, p->ticket) : 0;
}

void psk_forget(struct hs *hs)
{
	for (size_t i = 0; i < PSKS_MAX; i++)
		gbuf_free(&hs->psks[i].identity);
	crypto_wipe(hs->psks, sizeof(hs->psks));
	hs->psks_num = 0;
}

size_t psk_room(const struct hs *hs)
{
	size_t room = 0;

	if (hs->params->ticket)
		room += HS_MAX_TICKET + 128;
	if (hs->params->psk)
		room += PSKS_MAX * (strlen(hs->params->psk->name) + 128);
	return room;
}

static size_t binders_len(const struct hs *hs)
{
	size_t len = 2;

	for (size_t i = 0; i < hs->psks_num; i++)
		len += 1u + hs->psks[i].hash->size;
	return len;
}

void psk_bind(struct hs *hs, uint8_t *msg, size_t len)
{
	size_t all = binders_len(hs);
	uint8_t *to = msg + len - all + 2;

	for (size_t i = 0; i < hs->psks_num; i++) {
		binder(hs, &hs->psks[i], msg, len - all, to + 1);
		to += 1 + hs->psks[i].hash->size;
	}
}

/* The server's choice. */
void psk_take(struct hs *hs, size_t index)
{
	const struct hs_params *p = hs->params;

	hs->psk = (struct psk){
		.kind = hs->psks[index].kind, .hash = hs->psks[index].hash, .len = hs->psks[index].len,
	};
	memcpy(hs->psk.key, hs->psks[index].key, sizeof(hs->psk.key));
	hs->has_psk = true;
	hs->result.psk = p->psk;
	if (p->psk)
		return;
	hs->result.resumed = true;
	hs->result.who = p->ticket->peer;
	hs->result.peer_verified = p->ticket->peer.verified;
}

/* ---- server: keys by hand */

static const struct hs_psk *find_imported(const struct hs *hs, struct rbuf identity, uint16_t *kdf)
{
	struct rbuf name, context;
	const struct hs_psk *psk;
	uint16_t version;

	if (!rbuf_vec16(&identity, &name) || !rbuf_vec16(&identity, &context) || rbuf_len(&context) ||
	    !rbuf_u16(&identity, &version) || !rbuf_u16(&identity, kdf) || rbuf_len(&identity) || version != TLS13)
		return NULL;
	psk = hs->params->find_psk(hs->params->arg, name.p, rbuf_len(&name));
	return psk && psk->import ? psk : NULL;
}

static const struct hs_psk *find_by_hand(struct hs *hs, const struct rbuf *identity, struct psk *ret)
{
	const struct hs_psk *psk;
	uint16_t kdf;

	if (!hs->params->find_psk)
		return NULL;
	psk = find_imported(hs, *identity, &kdf);
	for (size_t i = 0; psk && i < sizeof(import_hashes) / sizeof(import_hashes[0]); i++)
		if (kdf_of(import_hashes[i]) == kdf) {
			import(psk, import_hashes[i], identity->p, rbuf_len(identity), ret);
			return psk;
		}
	psk = hs->params->find_psk(hs->params->arg, identity->p, rbuf_len(identity));
	if (!psk || psk->import)
		return NULL;
	take_external(psk, ret);
	return psk;
}

/* ---- server: tickets */

static bool fresh(const struct hs *hs, const struct ticket *t)
{
	uint64_t now = (uint64_t)hs->params->now;

	return t->issued <= now && now - t->issued < t->lifetime && now - t->issued < HS_WEEK;
}

/* RFC 9846 4.2.11 leaves the rest to us: the same name, protocol and identity, or a full handshake. */
static bool ticket_fits(struct hs *hs, const struct ticket *t, const struct identity **identity)
{
	const struct hs_params *p = hs->params;
	const char *why = "";

	if (!fresh(hs, t) || strcmp(t->server_name, hs->result.server_name) ||
	    t->alpn_len != hs->result.alpn_len || memcmp(t->alpn, hs->result.alpn, t->alpn_len))
		return false;
	if (p->client_auth == HS_AUTH_REQUIRE && !t->peer.verified && !p->insecure)
		return false;
	*identity = hs->result.identity;
	if (!*identity && p->choose(p->arg, hs->result.server_name, hs->schemes, hs->schemes_num, identity, &why))
		return false;
	return !strcmp((*identity)->name, t->identity);
}

bool ticket_find(struct hs *hs, const struct rbuf *data, struct ticket *t, const struct identity **ours)
{
	const struct hs_params *p = hs->params;

	if (!p->ticket_keys || ticket_open(p->ticket_keys, p->ticket_context, data->p, rbuf_len(data), t))
		return false;
	return suite_by_id(t->suite)->version == hs->version && ticket_fits(hs, t, ours);
}

static bool find_ticket(struct hs *hs, const struct rbuf *identity, struct psk *ret, struct ticket *t,
			const struct identity **ours)
{
	if (!ticket_find(hs, identity, t, ours))
		return false;
	ret->kind = PSK_TICKET;
	ret->hash = suite_by_id(t->suite)->hash;
	ret->len = ret->hash->size;
	memcpy(ret->key, t->psk, ret->len);
	return true;
}

/* ---- server: the choice */

static const struct suite *suite_for(const struct hs *hs, const struct crypto_hash *hash)
{
	struct rbuf list;
	uint16_t id;

	if (hs->suite->hash == hash)
		return hs->suite;
	for (size_t i = 0; !hs->hash && i < hs->suites_num; i++)
		for (list = hs->peer_suites;
		     hs->suites[i]->version == TLS13 && hs->suites[i]->hash == hash && rbuf_u16(&list, &id); )
			if (id == hs->suites[i]->id)
				return hs->suites[i];
	return NULL;
}

static int check_binder(struct hs *hs, const struct psk *psk, const struct rbuf *got, const uint8_t *hello)
{
	uint8_t want[CRYPTO_MAX_DIGEST];
	/* The binders' own length is the first of them that is not covered. */
	size_t len = (size_t)(hs->peer_binders.p - 2 - hello);

	binder(hs, psk, hello, len, want);
	if (rbuf_len(got) != psk->hash->size || !crypto_equal(got->p, want, psk->hash->size))
		return hs_fail(hs, ALERT_DECRYPT_ERROR, "the client's proof of its pre-shared key is wrong");
	return 0;
}

static void carry_over(struct hs *hs, const struct ticket *t, const struct identity *ours)
{
	hs->result.resumed = true;
	hs->result.who = t->peer;
	hs->result.peer_verified = t->peer.verified;
	hs->result.identity = ours;
}

static void begin_choice(struct hs *hs)
{
	hs->has_psk = false;
	hs->early_fits = false;
	hs->result.psk = NULL;
	hs->result.resumed = hs->result.peer_verified = false;
	memset(&hs->result.who, 0, sizeof(hs->result.who));
	if (!hs->sign.scheme)
		hs->result.identity = NULL;
}

/* 1: this one; 0: not ours; or an alert. */
static int try_psk(struct hs *hs, const struct rbuf *identity, uint32_t age, const struct rbuf *got,
		   const uint8_t *hello, struct psk *psk)
{
	const struct identity *ours = NULL;
	const struct hs_psk *by_hand;
	const struct suite *suite;
	struct ticket t;
	bool ticket;
	int err = 0;

	by_hand = find_by_hand(hs, identity, psk);
	ticket = !by_hand && find_ticket(hs, identity, psk, &t, &ours);
	suite = by_hand || ticket ? suite_for(hs, psk->hash) : NULL;
	if (suite)
		err = check_binder(hs, psk, got, hello);
	if (suite && !err) {
		hs->suite = suite;
		hs->result.psk = by_hand;
		if (ticket)
			carry_over(hs, &t, ours);
		if (ticket && identity->p == hs->peer_psks.p + 2)	/* the first of them */
			early_consider(hs, &t, age, identity);
	}
	crypto_wipe(&t, sizeof(t));
	return err ? err : !!suite;
}

#define TRIES_MAX 8	/* identities that we look at: strangers write the list */

int choose_psk(struct hs *hs, const uint8_t *hello)
{
	struct rbuf identities = hs->peer_psks, binders = hs->peer_binders, identity, got;
	struct psk psk = { 0 };
	uint32_t age;
	int ret = 0;

	begin_choice(hs);
	if (!ext_received(hs, EXT_ID_PRE_SHARED_KEY) || !(hs->psk_modes & 1u << PSK_DHE_KE))
		return 0;
	for (uint16_t i = 0; !ret && i < TRIES_MAX; i++) {
		if (!rbuf_vec16(&identities, &identity) || !rbuf_u32(&identities, &age) || !rbuf_vec8(&binders, &got))
			break;
		ret = try_psk(hs, &identity, age, &got, hello, &psk);
		hs->psk_index = i;
	}
	if (ret == 1) {
		hs->psk = psk;
		hs->has_psk = true;
	}
	crypto_wipe(&psk, sizeof(psk));
	return ret == 1 ? 0 : ret;
}
