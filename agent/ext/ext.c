// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules that hold for every extension, RFC 9846 4.2:
 *	unknown in a request: ignored; in a response: unsupported_extension
 *	known but never offered, in a response: unsupported_extension
 *	in a message where it may not be: illegal_parameter
 *	twice, known or not: illegal_parameter
 *	anything behind pre_shared_key in a ClientHello: illegal_parameter
 *	bytes left over: decode_error
 *	of another version than the one that was agreed on: not looked at
 * A block is scanned whole before anything acts on it, so that the order on
 * the wire decides nothing; the order of the table does.
 */
#include "ext/ext.h"
#include <errno.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const struct ext *exts[EXTS_MAX] = {
	&ext_supported_versions,
	&ext_server_name,
	&ext_supported_groups,
	&ext_ec_point_formats,
	&ext_signature_algorithms,
	&ext_signature_algorithms_cert,
	&ext_certificate_authorities,
	&ext_post_handshake_auth,
	&ext_status_request,
	&ext_signed_certificate_timestamp,
	&ext_delegated_credential,
	&ext_client_certificate_type,
	&ext_server_certificate_type,
	&ext_compress_certificate,
	&ext_alpn,
	&ext_cookie,
	&ext_key_share,
	&ext_max_fragment_length,
	&ext_record_size_limit,
	&ext_extended_master_secret,
	&ext_encrypt_then_mac,
	&ext_renegotiation_info,
	&ext_session_ticket,
	&ext_psk_modes,
	&ext_ticket_request,
	&ext_early_data,
	&ext_ech,
	&ext_padding,
	&ext_pre_shared_key,	/* last, RFC 9846 4.2.11 */
};
size_t exts_num;
static size_t registered;	/* of them, in one row in front of BEFORE */

/* Nothing of theirs is behind what counts bytes, or has to be last. */
#define BEFORE (&ext_ech)

static void __attribute__((constructor)) count_built_in(void)
{
	while (exts[exts_num])
		exts_num++;
}

static int ext_index(uint16_t id)
{
	for (size_t i = 0; i < exts_num; i++)
		if (exts[i]->id == id)
			return (int)i;
	return -1;
}

static bool has(uint64_t mask, uint16_t id)
{
	int i = ext_index(id);

	return i >= 0 && mask & 1ull << i;
}

static size_t place_of(const struct ext *ext)
{
	size_t i = 0;

	while (exts[i] != ext)
		i++;
	return i;
}

int ext_register(const struct ext *ext)
{
	size_t at = place_of(BEFORE);

	if ((ext->offer && !ext->accept) || (ext->answer && !ext->confirm))
		return -EINVAL;
	if (ext_index(ext->id) >= 0)
		return -EEXIST;
	if (exts_num == EXTS_MAX)
		return -ENOSPC;
	memmove(&exts[at + 1], &exts[at], (exts_num - at) * sizeof(exts[0]));
	exts[at] = ext;
	exts_num++;
	registered++;
	return 0;
}

void ext_unregister(uint16_t id)
{
	size_t end = place_of(BEFORE);
	int i = ext_index(id);

	if (i < 0 || (size_t)i >= end || (size_t)i < end - registered)
		return;
	memmove(&exts[i], &exts[i + 1], (exts_num - (size_t)i - 1) * sizeof(exts[0]));
	exts[--exts_num] = NULL;
	registered--;
}

bool ext_offered(const struct hs *hs, uint16_t id)
{
	return has(hs->offered, id);
}

bool ext_received(const struct hs *hs, uint16_t id)
{
	return has(hs->received, id);
}

bool ext_answered(const struct hs *hs, uint16_t id)
{
	return has(hs->answered, id);
}

void ext_suppose(struct hs *hs, uint16_t id)
{
	hs->received |= 1ull << ext_index(id);
}

const char *ext_name(uint16_t id)
{
	int i = ext_index(id);

	return i < 0 ? "unknown" : exts[i]->name;
}

uint16_t ext_selected_version(struct rbuf block)
{
	struct rbuf all, one;
	uint16_t id, version;

	if (!rbuf_vec16(&block, &all))
		return 0;
	while (rbuf_u16(&all, &id) && rbuf_vec16(&all, &one))
		if (id == EXT_ID_SUPPORTED_VERSIONS)
			return rbuf_u16(&one, &version) ? version : 0;
	return 0;
}

static bool best_of(const struct hs *hs, struct rbuf body, uint16_t *best)
{
	struct rbuf list;
	uint16_t version;

	if (!rbuf_vec8(&body, &list) || rbuf_len(&body) || !rbuf_len(&list) || rbuf_len(&list) % 2)
		return false;
	while (rbuf_u16(&list, &version))
		if (hs_allows(hs, version) && version > *best)
			*best = version;
	return true;
}

int ext_best_version(struct hs *hs, struct rbuf block, uint16_t *best)
{
	struct rbuf all, one;
	uint16_t id;

	if (!rbuf_vec16(&block, &all))
		return -ENOENT;
	while (rbuf_u16(&all, &id) && rbuf_vec16(&all, &one))
		if (id == EXT_ID_SUPPORTED_VERSIONS)
			return best_of(hs, one, best) ? 0 :
			       hs_fail(hs, ALERT_DECODE_ERROR, "supported_versions is malformed");
	return -ENOENT;
}

/* ---- reading */

static int check_response(struct hs *hs, int i, uint16_t id)
{
	if (i >= 0 && (exts[i]->unasked || hs->offered & 1ull << i))
		return 0;
	return hs_fail(hs, i >= 0 && exts[i]->not_offered ? exts[i]->not_offered : ALERT_UNSUPPORTED_EXTENSION,
		       "the peer answers extension %s (%u), which was not offered", ext_name(id), id);
}

/* Find every extension of the block before acting on any. */
static int ext_scan(struct hs *hs, enum ext_in msg, struct rbuf *b, struct rbuf body[], uint64_t *seen)
{
	uint8_t met[65536 / 8] = { 0 };
	uint16_t id = 0;
	struct rbuf one;
	int i, err;

	while (rbuf_len(b)) {
		if (!rbuf_u16(b, &id) || !rbuf_vec16(b, &one))
			return hs_fail(hs, ALERT_DECODE_ERROR, "an extension of the peer is cut off");
		if (met[id / 8] & 1u << id % 8)
			return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer sent extension %s (%u) twice",
				       ext_name(id), id);
		met[id / 8] |= (uint8_t)(1u << id % 8);
		i = ext_index(id);
		err = msg & EXT_REQUESTS ? 0 : check_response(hs, i, id);
		if (err)
			return err;
		if (i < 0)
			continue;
		if (!(exts[i]->in & msg))
			return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer sent extension %s in the wrong message",
				       exts[i]->name);
		*seen |= 1ull << i;
		body[i] = one;
	}
	if (msg == EXT_CH && has(*seen, EXT_ID_PRE_SHARED_KEY) && id != EXT_ID_PRE_SHARED_KEY)
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "pre_shared_key is not the last extension");
	return 0;
}

static int ext_act(struct hs *hs, enum ext_in msg, const struct ext *ext, struct rbuf *body)
{
	int (*read)(struct hs *, enum ext_in, struct rbuf *) =
		msg & EXT_REQUESTS ? ext->accept : ext->confirm;
	int err;

	if (!read || (ext->only && ext->only != hs->version))
		return 0;
	err = read(hs, msg, body);
	if (!err && rbuf_len(body))
		err = hs_fail(hs, ALERT_DECODE_ERROR, "extension %s has bytes left over", ext->name);
	return err;
}

int ext_read(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	struct rbuf block, body[ARRAY_SIZE(exts)];
	uint64_t seen = 0;
	int err;

	if (!rbuf_vec16(b, &block))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the peer's block of extensions is cut off");
	err = ext_scan(hs, msg, &block, body, &seen);
	*(msg & EXT_REQUESTS ? &hs->received : &hs->answered) = seen;
	for (size_t i = 0; !err && i < exts_num; i++)
		if (seen & 1ull << i)
			err = ext_act(hs, msg, exts[i], &body[i]);
	return err;
}

/* ---- writing */

static bool ext_wanted(const struct hs *hs, enum ext_in msg, size_t i)
{
	const struct ext *ext = exts[i];
	bool request = msg & EXT_REQUESTS;

	if (ext->only && !hs_allows(hs, ext->only))
		return false;
	if (!(ext->in & msg) || !(request ? ext->offer : ext->answer))
		return false;
	if (!request && !ext->unasked && !(hs->received & 1ull << i))
		return false;
	return !ext->wanted || ext->wanted(hs, msg);
}

static int write_one(struct hs *hs, enum ext_in msg, size_t i, struct wbuf *b)
{
	bool request = msg & EXT_REQUESTS;
	size_t start = b->len, one;
	int err;

	wbuf_u16(b, exts[i]->id);
	one = wbuf_open(b, 2);
	err = (request ? exts[i]->offer : exts[i]->answer)(hs, msg, b);
	wbuf_close(b, one, 2);
	if (err == EXT_NOTHING && !b->overflow) {
		b->len = start;
		return 0;
	}
	if (request)
		hs->offered |= 1ull << i;
	if (msg == EXT_SH12)
		hs->answered |= 1ull << i;
	return err;
}

/* Not in the table: whoever answers it answers what was not offered. */
static void write_grease(const struct hs *hs, enum grease_use use, struct wbuf *b)
{
	if (!hs->params->grease)
		return;
	wbuf_u16(b, grease16(hs, use));
	wbuf_u16(b, use == GREASE_LAST);
	if (use == GREASE_LAST)
		wbuf_u8(b, 0);
}

int ext_write_nothing(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	(void)hs;
	(void)msg;
	(void)b;
	return 0;
}

int ext_read_nothing(struct hs *hs, enum ext_in msg, struct rbuf *b)
{
	(void)hs;
	(void)msg;
	(void)b;
	return 0;
}

int ext_write(struct hs *hs, enum ext_in msg, struct wbuf *b)
{
	bool request = msg & EXT_REQUESTS;
	size_t block = wbuf_open(b, 2);
	int err = 0;

	if (request) {
		hs->offered = 0;
		write_grease(hs, GREASE_FIRST, b);
	}
	for (size_t i = 0; !err && i < exts_num; i++) {
		/* In front of what has to be last, and what counts the bytes before it. */
		if (msg == EXT_CH && exts[i] == &ext_padding)
			write_grease(hs, GREASE_LAST, b);
		if (ext_wanted(hs, msg, i))
			err = write_one(hs, msg, i, b);
	}
	wbuf_close(b, block, 2);
	return err;
}
