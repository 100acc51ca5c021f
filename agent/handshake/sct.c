// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signed certificate timestamps, RFC 6962 3.2 and 3.3: how many logs that we
 * know have signed that they saw this certificate, be it that the peer gave
 * their words along with it or that they stand in it. A timestamp of an unknown
 * log or version, or one that does not verify, counts for nothing; the policy
 * is how many have to be left.
 */
#include "handshake/engine.h"
#include <string.h>

#define SCT_V1		0
#define MAX_SCTS	16	/* of a list that are looked at: strangers write it */
#define MAX_ENTRY	65536
#define MAX_ISSUERS	4	/* of one name that are tried */

struct sct {
	struct rbuf log, timestamp, extensions, sig;
	uint16_t scheme;
};

bool sct_list_well_formed(const uint8_t *data, size_t len)
{
	struct rbuf b = { data, data + len }, list, one;

	if (!rbuf_vec16(&b, &list) || rbuf_len(&b) || !rbuf_len(&list))
		return false;
	while (rbuf_len(&list))
		if (!rbuf_vec16(&list, &one) || !rbuf_len(&one))
			return false;
	return true;
}

static bool take(struct rbuf *b, size_t len, struct rbuf *ret)
{
	const uint8_t *p;

	if (!rbuf_bytes(b, &p, len))
		return false;
	*ret = (struct rbuf){ p, p + len };
	return true;
}

/* The hash and signature algorithms of TLS 1.2 are the number of a scheme. */
static bool sct_read(struct rbuf b, struct sct *s)
{
	uint8_t version;

	return rbuf_u8(&b, &version) && version == SCT_V1 && take(&b, 32, &s->log) && take(&b, 8, &s->timestamp) &&
	       rbuf_vec16(&b, &s->extensions) && rbuf_u16(&b, &s->scheme) && rbuf_vec16(&b, &s->sig) && !rbuf_len(&b);
}

static uint64_t seconds(struct rbuf ms)
{
	uint64_t n = 0;

	rbuf_u64(&ms, &n);
	return n / 1000;
}

/* What was seen: a certificate, or what became one under the issuer of this key. */
struct seen {
	struct x509_blob der;
	bool before;
	uint8_t issuer[32];
};

/* What the log has signed, RFC 6962 3.2. */
static size_t signed_entry(const struct sct *s, const struct seen *seen, uint8_t *to, size_t room)
{
	struct wbuf b = { .buf = to, .cap = room };
	size_t mark;

	wbuf_u8(&b, SCT_V1);
	wbuf_u8(&b, 0);			/* certificate_timestamp */
	wbuf_bytes(&b, s->timestamp.p, 8);
	wbuf_u16(&b, seen->before);	/* x509_entry, precert_entry */
	if (seen->before)
		wbuf_bytes(&b, seen->issuer, sizeof(seen->issuer));
	mark = wbuf_open(&b, 3);
	wbuf_bytes(&b, seen->der.data, seen->der.len);
	wbuf_close(&b, mark, 3);
	mark = wbuf_open(&b, 2);
	wbuf_bytes(&b, s->extensions.p, rbuf_len(&s->extensions));
	wbuf_close(&b, mark, 2);
	return b.overflow ? 0 : b.len;
}

static bool signed_by(const struct sct *s, const struct hs_log *log, const uint8_t *entry, size_t len)
{
	const struct crypto_scheme *scheme = crypto_scheme_find(s->scheme);
	struct crypto_pubkey key;
	bool ok;

	/* RFC 6962 2.1.4: ECDSA on P-256, or RSA; both with SHA-256. */
	if (!scheme || (scheme->id != 0x0403 && scheme->id != 0x0401) || crypto_pubkey_parse(log->spki, log->len, &key))
		return false;
	ok = crypto_scheme_fits(scheme, key.type, key.bits) &&
	     !scheme->verify(&key, scheme->hash, entry, len, s->sig.p, rbuf_len(&s->sig));
	crypto_pubkey_free(&key);
	return ok;
}

static size_t find_log(const struct hs_params *p, const struct rbuf *id)
{
	size_t i = 0;

	while (i < p->ct_logs_num && memcmp(p->ct_logs[i].id, id->p, sizeof(p->ct_logs[i].id)))
		i++;
	return i;
}

/* A bit for each log of @all that has signed it. */
static uint64_t logs(const struct hs *hs, struct rbuf all, const struct seen *seen, uint8_t *entry)
{
	const struct hs_params *p = hs->params;
	struct rbuf list, one;
	uint64_t counted = 0;
	struct sct s;
	size_t log, len;

	if (!rbuf_vec16(&all, &list))
		return 0;
	for (int i = 0; i < MAX_SCTS && rbuf_vec16(&list, &one); i++) {
		if (!sct_read(one, &s) || seconds(s.timestamp) > (uint64_t)p->now)
			continue;
		log = find_log(p, &s.log);
		len = signed_entry(&s, seen, entry, MAX_ENTRY);
		if (log < p->ct_logs_num && log < 64 && len && signed_by(&s, &p->ct_logs[log], entry, len))
			counted |= 1ull << log;
	}
	return counted;
}

/* Those whose words came along with the certificate. */
static uint64_t given(const struct hs *hs, uint8_t *entry)
{
	struct seen seen = { .der = *x509_cert_der(hs->result.peer[0]) };

	return hs->scts.len ? logs(hs, gbuf_rbuf(&hs->scts), &seen, entry) : 0;
}

/* Those whose words stand in it. The issuer's key is part of what they have signed: a wrong one is no danger. */
static uint64_t embedded(const struct hs *hs, uint8_t *entry, uint8_t *tbs)
{
	struct x509_cert *const *chain = hs->result.peer;
	const struct x509_cert *issuer;
	struct seen seen = { .before = true };
	struct x509_blob list;
	uint64_t counted = 0;

	seen.der.data = tbs;
	seen.der.len = x509_precert(chain[0], tbs, MAX_ENTRY, &list);
	if (!seen.der.len || !sct_list_well_formed(list.data, list.len))
		return 0;
	for (size_t i = 0; i < MAX_ISSUERS && !counted; i++) {
		issuer = x509_issuer(hs->params->trust, chain, hs->result.peer_num, chain[0], i);
		if (!issuer)
			break;
		crypto_hash_once(&crypto_sha256, x509_cert_spki(issuer)->data, x509_cert_spki(issuer)->len, seen.issuer);
		counted = logs(hs, (struct rbuf){ list.data, list.data + list.len }, &seen, entry);
	}
	return counted;
}

int sct_check(struct hs *hs)
{
	struct gbuf rooms = { 0 };
	uint8_t *entry;

	if (!hs->params->ct_logs_num)
		return 0;
	entry = gbuf_room(&rooms, 2 * MAX_ENTRY);
	if (!entry)
		return hs_no_memory(hs);
	hs->result.scts = (unsigned int)__builtin_popcountll(given(hs, entry) | embedded(hs, entry, entry + MAX_ENTRY));
	gbuf_free(&rooms);
	gbuf_free(&hs->scts);
	if (hs->result.scts >= hs->params->ct_min)
		return 0;
	return hs_fail(hs, ALERT_BAD_CERTIFICATE, "the peer's certificate was seen by %u of the logs that we know, and %u are wanted",
		       hs->result.scts, hs->params->ct_min);
}
