/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCSP responses for our own certificates. Whatever fetches them replaces the
 * file; the keeper sees by its times that it did. One that says anything else
 * than good, or nothing any more, is not stapled: the old one stays as long as
 * it is good.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "config.h"
#include "log.h"
#include "message.h"
#include "staple.h"

int staple_set(struct staple *s, const uint8_t *data, size_t len, time_t now)
{
	uint8_t *copy;
	time_t until;

	if (!len || len > STAPLE_MAX || !x509_ocsp_fresh(data, len, now, &until))
		return -EBADMSG;
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	free(s->data);
	*s = (struct staple){ copy, len, until };
	return 0;
}

void staple_free(struct staple *s)
{
	if (s)
		free(s->data);
	free(s);
}

static bool changed(struct site *site)
{
	struct stat st;

	if (stat(site->ocsp_file, &st))
		return false;
	if (st.st_mtim.tv_sec == site->ocsp_time.tv_sec && st.st_mtim.tv_nsec == site->ocsp_time.tv_nsec &&
	    st.st_ino == site->ocsp_inode)
		return false;
	site->ocsp_time = st.st_mtim;
	site->ocsp_inode = st.st_ino;
	return true;
}

static bool read_anew(struct site *site)
{
	char *data;
	size_t len;
	int err = file_slurp(site->ocsp_file, &data, &len);

	if (!err) {
		err = staple_set(site->staple, (uint8_t *)data, len, time(NULL));
		free(data);
	}
	if (err)
		log_line(LOG_WARNING, "keeper: ocsp %s of identity %s is not stapled: %s", site->ocsp_file,
			 site->id.name, err == -EBADMSG ? "it does not say that a certificate is good now" : strerror(-err));
	else
		log_line(LOG_INFO, "keeper: identity %s has a new OCSP response", site->id.name);
	return !err;
}

unsigned int staples_look(struct config *config)
{
	unsigned int num = 0;

	for (size_t i = 0; i < config->sites_num; i++)
		if (config->sites[i].ocsp_file && changed(&config->sites[i]))
			num += read_anew(&config->sites[i]);
	return num;
}

bool staples_message(const struct config *config, size_t n, struct msg_staple *ret)
{
	const struct staple *s = config->sites[n].staple;

	if (!s || !s->len)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->type = MSG_STAPLE;
	ret->identity = (uint32_t)n;
	ret->len = (uint32_t)s->len;
	memcpy(ret->data, s->data, s->len);
	return true;
}

void staples_take(const struct config *config, const struct msg_staple *m)
{
	if (m->identity < config->sites_num && config->sites[m->identity].staple && m->len <= sizeof(m->data))
		staple_set(config->sites[m->identity].staple, m->data, m->len, time(NULL));
}
