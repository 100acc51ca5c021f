// SPDX-License-Identifier: GPL-2.0-or-later
/* See supplemental.h. */
#include "handshake/supplemental.h"
#include <errno.h>
#include "ext/ext.h"

static const struct supplemental *kinds[SUPPLEMENTAL_MAX];

static const struct supplemental *find(uint16_t type)
{
	for (size_t i = 0; i < SUPPLEMENTAL_MAX; i++)
		if (kinds[i] && kinds[i]->type == type)
			return kinds[i];
	return NULL;
}

int supplemental_register(const struct supplemental *s)
{
	if (!s->recv)
		return -EINVAL;
	if (find(s->type))
		return -EEXIST;
	for (size_t i = 0; i < SUPPLEMENTAL_MAX; i++)
		if (!kinds[i]) {
			kinds[i] = s;
			return 0;
		}
	return -ENOSPC;
}

void supplemental_unregister(uint16_t type)
{
	for (size_t i = 0; i < SUPPLEMENTAL_MAX; i++)
		if (kinds[i] && kinds[i]->type == type)
			kinds[i] = NULL;
}

bool supplemental_agreed(const struct hs *hs)
{
	for (size_t i = 0; i < SUPPLEMENTAL_MAX; i++)
		if (kinds[i] && ext_answered(hs, kinds[i]->ext))
			return true;
	return false;
}

bool supplemental_to_send(const struct hs *hs)
{
	for (size_t i = 0; i < SUPPLEMENTAL_MAX; i++)
		if (kinds[i] && kinds[i]->send && ext_answered(hs, kinds[i]->ext))
			return true;
	return false;
}

int supplemental_data_send(struct hs *hs, struct wbuf *b)
{
	size_t list = wbuf_open(b, 3), one;
	int err = 0;

	for (size_t i = 0; i < SUPPLEMENTAL_MAX && !err; i++) {
		if (!kinds[i] || !kinds[i]->send || !ext_answered(hs, kinds[i]->ext))
			continue;
		wbuf_u16(b, kinds[i]->type);
		one = wbuf_open(b, 2);
		err = kinds[i]->send(hs, b);
		wbuf_close(b, one, 2);
	}
	wbuf_close(b, list, 3);
	return err;
}

static int read_entry(struct hs *hs, struct rbuf *list)
{
	const struct supplemental *s;
	struct rbuf data;
	uint16_t type;
	int err;

	if (!rbuf_u16(list, &type) || !rbuf_vec16(list, &data))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the SupplementalData is malformed");
	s = find(type);
	if (!s || !ext_answered(hs, s->ext))
		return hs_fail(hs, ALERT_ILLEGAL_PARAMETER, "the peer sent supplemental data of a kind (%u) not agreed on", type);
	err = s->recv(hs, &data);
	if (!err && rbuf_len(&data))
		return hs_fail(hs, ALERT_DECODE_ERROR, "supplemental data of kind %u has bytes left over", type);
	return err;
}

int supplemental_data_recv(struct hs *hs, struct rbuf *b)
{
	struct rbuf list;
	int err = 0;

	if (!rbuf_vec24(b, &list) || !rbuf_len(&list))
		return hs_fail(hs, ALERT_DECODE_ERROR, "the SupplementalData is malformed");
	while (!err && rbuf_len(&list))
		err = read_entry(hs, &list);
	return err;
}
