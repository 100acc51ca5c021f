/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration in force: read from one file and those that it names.
 * Immutable once loaded; counted, because retiring workers of an older one
 * still have their signatures made with its keys.
 */
#ifndef CONFIG_H
#define CONFIG_H
#include "catalog.h"
#include "files.h"
#include "policy.h"
#include "psk.h"

#define CONFIG_PATH	"/etc/ktls/ktlsd.conf"
#define CONFIG_SYSTEM	"/etc/ssl/certs/ca-certificates.crt"
#define CONFIG_LIST	24	/* ciphers, groups, schemes */

enum prefer { PREFER_ORDER, PREFER_STRENGTH, PREFER_COST };	/* ORDER: as the lists have it */
enum config_from { FROM_DEFAULT, FROM_FILE, FROM_PROFILE };

struct config {
	unsigned int refs;
	char *path;
	struct files *files;

	unsigned int workers;		/* [agent] */
	unsigned int handshakes;	/* at once, per worker */
	unsigned int rsa_min_bits;
	unsigned int tickets;		/* given to a client; 0: no resumption */
	unsigned int ticket_lifetime;	/* s */
	unsigned int early_data;	/* bytes that a server takes at most; 0: neither it nor a client has any */
	unsigned int session_ids;	/* sessions of TLS 1.2 kept by id */
	unsigned int client_tickets;	/* kept of servers; 0: none */
	uint16_t min_version, max_version;
	enum { FIPS_AUTO, FIPS_NO, FIPS_YES } fips;	/* once loaded: no or yes */
	int log_level;
	uid_t uid;
	gid_t gid;
	char *user, *control, *relay, *key_log;	/* relay NULL: the module only */
	char *ticket_secret, *ticket_redis;	/* where agents share it; NULL: not */
	uint16_t ciphers[CONFIG_LIST], groups[CONFIG_LIST];
	size_t ciphers_num, groups_num;	/* groups_num 0: the handshake's default */
	uint16_t schemes[CONFIG_LIST];
	size_t schemes_num;		/* 0: all that need no naming */
	const struct profile *profile;	/* NULL: none */
	enum prefer prefer;
	struct { enum config_from ciphers, groups, schemes, rsa_min_bits; } from;
	bool compress, retry_cookie, delegated;
	unsigned int padding;		/* TLS 1.3: records are filled up to a multiple of it; 0: they aren't */
	unsigned int psk12;		/* HS_PSK12_* */

	struct rules client;		/* [client] */
	struct site *sites;		/* [identity NAME], in the file's order */
	size_t sites_num;
	struct catalog *catalogs;	/* [identities NAME] */
	size_t catalogs_num;
	unsigned int signers;		/* threads of each kind */
	unsigned int identity_cache;	/* of catalogs, loaded at once */
	struct stock *stock;		/* keeper, if there are catalogs: those that are */
	struct trust *trusts;		/* [trust NAME] */
	size_t trusts_num;
	struct key_by_hand *psks;	/* [psk NAME] */
	size_t psks_num;
};

/* What is wrong, one line each: "FILE:LINE: what: what to do". */
struct config_report {
	unsigned int errors, warnings;
	size_t len;
	char text[8192];
};

/*
 * Load @path and what it names from @files, which the configuration takes
 * over in any case. With private keys if @keys. 0; or -EINVAL and @report;
 * or -ENOMEM. Warnings may stand in @report after success.
 */
int config_load(const char *path, struct files *files, bool keys,
		struct config **ret, struct config_report *report);
void config_put(struct config *config);		/* wipes keys with the last reference; NULL allowed */
struct config *config_get(struct config *config);

/* identity.c: fill the certificate and key of @site; 0 or -EINVAL, a sentence in @why (warnings too). */
int site_load(struct site *site, struct files *files, bool key, char why[POLICY_WHY]);
void site_free(struct site *site);
int identity_key(struct identity *id);	/* what kind of key its certificate has. 0, -ENOTSUP, -EBADMSG */
int trust_load(struct trust *trust, struct files *files, char why[POLICY_WHY]);
void trust_free(struct trust *trust);

#endif
