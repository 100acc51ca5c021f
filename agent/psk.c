/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pre-shared keys given by hand: a file of hexadecimal digits each. Unlike
 * private keys they are in workers' hands, because every binder and every
 * key schedule needs them: a worker that is taken over has them all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"

/* ---- the key */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Pairs of digits, white space between and behind them; false for anything else. */
bool psk_from_hex(const char *text, uint8_t *out, size_t size, size_t *len)
{
	int high, low;

	for (*len = 0; *(text += strspn(text, " \t\r\n")); text += 2) {
		high = digit(text[0]);
		low = high < 0 ? -1 : digit(text[1]);
		if (low < 0 || *len == size)
			return false;
		out[(*len)++] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int key_by_hand_load(struct key_by_hand *key, struct files *files, char why[POLICY_WHY])
{
	const char *text;
	size_t len;
	int err;

	if (!key->file) {
		snprintf(why, POLICY_WHY, "has no key: add key = FILE");
		return -EINVAL;
	}
	err = files_read(files, key->file, &text, &len);
	if (err) {
		snprintf(why, POLICY_WHY, "key %.120s cannot be read: %s", key->file, strerror(-err));
		return -EINVAL;
	}
	if (strlen(text) != len || !psk_from_hex(text, key->key, CRYPTO_MAX_DIGEST, &key->psk.len) || key->psk.len < 16) {
		snprintf(why, POLICY_WHY, "key %.120s is not 16 to %d bytes in hexadecimal digits: make one by openssl rand -hex 32", key->file, CRYPTO_MAX_DIGEST);
		return -EINVAL;
	}
	key->psk.name = key->identity ? key->identity : key->name;
	key->psk.key = key->key;
	return 0;
}

void key_by_hand_free(struct key_by_hand *key)
{
	crypto_wipe(key->key, sizeof(key->key));
	free(key->name);
	free(key->identity);
	free(key->file);
}

/* ---- who may use it */

static bool may_use(const struct key_by_hand *key, const struct caller *who)
{
	return rules_allow(&key->allow, who);
}

int policy_psk(const struct config *config, const struct caller *who, const char *name,
	       const struct hs_psk **ret, char why[POLICY_WHY])
{
	size_t i;

	for (i = 0; i < config->psks_num; i++) {
		if (strcmp(config->psks[i].name, name))
			continue;
		if (may_use(&config->psks[i], who)) {
			*ret = &config->psks[i].psk;
			return 0;
		}
		snprintf(why, POLICY_WHY, "uid %u may not use pre-shared key \"%.64s\": add uid:%u to its allow = in %.64s", who->uid, name, who->uid, config->path);
		return -EACCES;
	}
	snprintf(why, POLICY_WHY, "no pre-shared key \"%.48s\" is configured: add [psk %.48s] to %.64s", name, name, config->path);
	return -ENOKEY;
}

const struct hs_psk *policy_find_psk(const struct config *config, const struct caller *who,
				     const uint8_t *identity, size_t len)
{
	const struct hs_psk *psk;
	size_t i;

	for (i = 0; i < config->psks_num; i++) {
		psk = &config->psks[i].psk;
		if (strlen(psk->name) == len && !memcmp(psk->name, identity, len) && may_use(&config->psks[i], who))
			return psk;
	}
	return NULL;
}
