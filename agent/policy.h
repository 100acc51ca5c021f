/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what: decided from the kernel's word on the caller and the
 * configuration, denied unless allowed. Nothing here does I/O but the lookup
 * of names when rules are read.
 */
#ifndef POLICY_H
#define POLICY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "identity.h"

#define POLICY_WHY	240
#define RULES_MAX	32

struct config;
struct catalog;
struct hs;
struct hs_log;

enum rule_kind { RULE_EVERYONE, RULE_UID, RULE_GID, RULE_CGROUP };
struct rule { enum rule_kind kind; uint64_t id; };
struct rules { struct rule rule[RULES_MAX]; size_t num; };

struct caller { uid_t uid; gid_t gid; uint64_t cgroup; };

/*
 * Append what @text says: "everyone", uid:N, user:NAME, gid:N, group:NAME,
 * cgroup:ID or cgroup:/PATH, separated by spaces or commas. 0; or -EINVAL and
 * a sentence in @why. A cgroup that does not exist gives a rule that matches
 * nobody, 0, and a sentence in @why as well.
 */
int rules_parse(struct rules *r, const char *text, char why[POLICY_WHY]);
bool rules_allow(const struct rules *r, const struct caller *who);

/* An identity as configured. */
struct site {
	struct identity id;		/* what the handshake sees */
	struct crypto_key *key;		/* keeper only; NULL in workers */
	struct token *token;		/* in place of it: a token has the key */
	struct rules allow;
	bool is_default;
	uint8_t *alpn;			/* only for these, each behind its length; NULL: for any, or none */
	size_t alpn_len;
	char *certificate_file, *key_file, *passphrase_file, *ocsp_file, *sct_file;
	char *delegated_file, *delegated_key_file;
	struct delegated *delegated;	/* with a delegated_file only, in one piece; id has it too */
	struct crypto_key *delegated_key;	/* keeper only */
	struct staple *staple;		/* with an ocsp_file only; id has it too */
	struct timespec ocsp_time;	/* keeper: of the file that was read last */
	ino_t ocsp_inode;
	int line;
};

struct trust {
	char *name, *file, *crl_file;
	bool crl_required, ocsp_required, strict;
	struct x509_store *store;	/* NULL: it has no CAs, only keys */
	uint8_t (*raw_keys)[32];	/* SHA-256 of the SubjectPublicKeyInfos that need no certificate */
	size_t raw_keys_num;
	char **ct_files;		/* keys of logs that have to have seen a server's certificate, RFC 6962 */
	struct hs_log *ct_logs;		/* as many */
	size_t ct_num;
	unsigned int ct_min;		/* of so many of them; 0 in the file: of one */
	int line;
};

/* One server handshake's view of the identities: the argument of policy_choose(). */
struct choice {
	const struct config *config;
	struct caller who;
	const struct site *named;	/* the application asked for this one; else NULL */
	const struct catalog *within;	/* or for one of these */
	const struct site **more;	/* of catalogs, for the name that the client asks for */
	size_t more_num;
	const uint8_t *alpn;		/* the protocol agreed on */
	size_t alpn_len;		/* 0: none */
	const struct hs *hs;		/* who asks, to be asked what chains its client takes; may be NULL */
	char why[POLICY_WHY];
};

/*
 * May @who serve, with the identity called @name or (NULL) any? 0, and @ret is
 * ready; -EACCES or -ENOKEY, and a sentence in @ret->why.
 */
int policy_server(const struct config *config, const struct caller *who, const char *name,
		  struct choice *ret);
/*
 * hs_params.choose: among the identities the caller may use, first of those for the protocol agreed
 * on, then of those for any: that whose certificate has the name exactly, else by wildcard;
 * without a name the default one, or the only one. Of several, one whose chain the client takes
 * goes before.
 */
int policy_choose(void *arg, const char *server_name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why);
/* May the caller, and the protocol agreed on, have identities of this catalog? */
bool policy_catalog(const struct choice *c, const struct catalog *catalog);
/* Does what the caller may present, all of it, prove a bare key where that is wanted? */
bool policy_raw_key(const struct choice *c);
/* May @who connect as a client? With its own certificate if @name isn't NULL. */
int policy_client(const struct config *config, const struct caller *who, const char *name,
		  const struct identity **ret, char why[POLICY_WHY]);
/* The store called @name (NULL: "system"); NULL and @why. */
const struct trust *policy_trust(const struct config *config, const char *name,
				      char why[POLICY_WHY]);

#endif
