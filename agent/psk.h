/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pre-shared keys as configured, and who may use them. */
#ifndef PSK_H
#define PSK_H
#include "files.h"
#include "handshake/hs.h"
#include "policy.h"

struct key_by_hand {
	char *name, *identity, *file;	/* identity: on the wire; NULL: the name */
	uint8_t key[CRYPTO_MAX_DIGEST];
	struct hs_psk psk;		/* what the handshake sees */
	struct rules allow;
	int line;
};

/* Read the key; 0 or -EINVAL, and @why. */
int key_by_hand_load(struct key_by_hand *key, struct files *files, char why[POLICY_WHY]);
void key_by_hand_free(struct key_by_hand *key);

/* The key called @name, for @who; or -EACCES or -ENOKEY and @why. */
int policy_psk(const struct config *config, const struct caller *who, const char *name,
	       const struct hs_psk **ret, char why[POLICY_WHY]);
/* The one with this identity on the wire that @who may use, or NULL. */
const struct hs_psk *policy_find_psk(const struct config *config, const struct caller *who,
				     const uint8_t *identity, size_t len);

/* Hexadecimal text to at most @size bytes; false: it is something else. */
bool psk_from_hex(const char *text, uint8_t *out, size_t size, size_t *len);

#endif
