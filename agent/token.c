/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PKCS#11 by way of p11-kit. Who is logged in is a matter of the whole process;
 * an operation that is under way, of a session: so there are as many sessions
 * as threads ever signed at once. A session that has gone (the token was taken
 * out, or its program restarted) is opened anew, once for each signature.
 */
#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "token.h"

#define IDLE_MAX	16		/* sessions kept open */
#define OBJECTS_MAX	2		/* one is wanted, two are too many */

struct session { CK_SESSION_HANDLE handle; CK_OBJECT_HANDLE key; };

struct token {
	P11KitUri *uri;
	CK_FUNCTION_LIST **modules;	/* to be released; owns module */
	CK_FUNCTION_LIST *module;
	CK_SLOT_ID slot;
	bool login;
	char *pin;
	pthread_mutex_t lock;		/* covers idle, idle_num */
	struct session idle[IDLE_MAX];
	size_t idle_num;
};

bool token_is_uri(const char *text)
{
	return !strncmp(text, P11_KIT_URI_SCHEME ":", P11_KIT_URI_SCHEME_LEN + 1);
}

/* ---- which mechanism makes the signatures of a scheme */

static const struct mechanism {
	uint16_t scheme;
	CK_MECHANISM_TYPE type, hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
} mechanisms[] = {
	{ 0x0403, CKM_ECDSA, 0, 0 },
	{ 0x0503, CKM_ECDSA, 0, 0 },
	{ 0x0603, CKM_ECDSA, 0, 0 },
	{ 0x081a, CKM_ECDSA, 0, 0 },
	{ 0x081b, CKM_ECDSA, 0, 0 },
	{ 0x081c, CKM_ECDSA, 0, 0 },
	{ 0x0804, CKM_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256 },
	{ 0x0805, CKM_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384 },
	{ 0x0806, CKM_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512 },
	{ 0x0809, CKM_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256 },
	{ 0x080a, CKM_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384 },
	{ 0x080b, CKM_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512 },
	{ 0x0807, CKM_EDDSA, 0, 0 },
	{ 0x0808, CKM_EDDSA, 0, 0 },
	{ 0x0401, CKM_RSA_PKCS, 0, 0 },
	{ 0x0501, CKM_RSA_PKCS, 0, 0 },
	{ 0x0601, CKM_RSA_PKCS, 0, 0 },
};

static const struct mechanism *mechanism_for(const struct crypto_scheme *s)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (mechanisms[i].scheme == s->id)
			return &mechanisms[i];
	return NULL;
}

/* What the token is given to sign: the message (EdDSA), its digest, or that in a DigestInfo. */
static size_t input_of(const struct mechanism *m, const struct crypto_scheme *s, const uint8_t *msg, size_t len,
		       uint8_t out[CRYPTO_DIGEST_INFO])
{
	if (m->type == CKM_RSA_PKCS)
		return crypto_digest_info(s->hash, msg, len, out);
	crypto_hash_once(s->hash, msg, len, out);
	return s->hash->size;
}

/* ---- sessions */

static CK_RV find_key(struct token *t, struct session *s, CK_ULONG *num)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_OBJECT_HANDLE found[OBJECTS_MAX];
	CK_ATTRIBUTE template[16] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_ATTRIBUTE *named;
	CK_ULONG n = 1, i, all;
	CK_RV rv;

	named = p11_kit_uri_get_attributes(t->uri, &all);
	for (i = 0; i < all && n < 16; i++)
		if (named[i].type != CKA_CLASS)
			template[n++] = named[i];
	rv = t->module->C_FindObjectsInit(s->handle, template, n);
	if (rv != CKR_OK)
		return rv;
	rv = t->module->C_FindObjects(s->handle, found, OBJECTS_MAX, num);
	t->module->C_FindObjectsFinal(s->handle);
	if (rv == CKR_OK && *num == 1)
		s->key = found[0];
	return rv;
}

static CK_RV log_in(struct token *t, CK_SESSION_HANDLE handle)
{
	CK_RV rv;

	if (!t->login)
		return CKR_OK;
	rv = t->module->C_Login(handle, CKU_USER, (CK_UTF8CHAR *)t->pin, t->pin ? strlen(t->pin) : 0);
	return rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv;
}

static CK_RV session_open(struct token *t, struct session *s, CK_ULONG *num)
{
	CK_RV rv = t->module->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &s->handle);

	if (rv != CKR_OK)
		return rv;
	rv = log_in(t, s->handle);
	if (rv == CKR_OK)
		rv = find_key(t, s, num);
	if (rv != CKR_OK || *num != 1)
		t->module->C_CloseSession(s->handle);
	return rv;
}

static bool session_idle(struct token *t, struct session *s)
{
	bool found;

	pthread_mutex_lock(&t->lock);
	found = t->idle_num;
	if (found)
		*s = t->idle[--t->idle_num];
	pthread_mutex_unlock(&t->lock);
	return found;
}

static void session_back(struct token *t, struct session s)
{
	bool kept;

	pthread_mutex_lock(&t->lock);
	kept = t->idle_num < IDLE_MAX;
	if (kept)
		t->idle[t->idle_num++] = s;
	pthread_mutex_unlock(&t->lock);
	if (!kept)
		t->module->C_CloseSession(s.handle);
}

/* ---- signing */

static CK_RV sign_once(struct token *t, const struct session *session, const struct crypto_scheme *s,
		       const uint8_t *msg, size_t len, uint8_t *raw, CK_ULONG *raw_len)
{
	const struct mechanism *m = mechanism_for(s);
	CK_RSA_PKCS_PSS_PARAMS pss = { m->hash, m->mgf, s->hash ? s->hash->size : 0 };
	CK_MECHANISM how = { m->type, m->hash ? &pss : NULL, m->hash ? sizeof(pss) : 0 };
	uint8_t digest[CRYPTO_DIGEST_INFO];
	CK_RV rv;

	rv = t->module->C_SignInit(session->handle, &how, session->key);
	if (rv != CKR_OK)
		return rv;
	if (!s->hash)
		return t->module->C_Sign(session->handle, (CK_BYTE *)msg, len, raw, raw_len);
	return t->module->C_Sign(session->handle, digest, input_of(m, s, msg, len, digest), raw, raw_len);
}

/* A session from the pool may have gone stale; one that was just opened has not. */
static CK_RV sign_raw(struct token *t, const struct crypto_scheme *s, const uint8_t *msg, size_t len,
		      uint8_t *raw, CK_ULONG *raw_len)
{
	struct session session;
	CK_ULONG num = 0;
	CK_RV rv;

	while (session_idle(t, &session)) {
		*raw_len = CRYPTO_MAX_SIGNATURE;
		rv = sign_once(t, &session, s, msg, len, raw, raw_len);
		if (rv == CKR_OK) {
			session_back(t, session);
			return rv;
		}
		t->module->C_CloseSession(session.handle);
	}
	rv = session_open(t, &session, &num);
	if (rv != CKR_OK || num != 1)
		return rv != CKR_OK ? rv : CKR_KEY_HANDLE_INVALID;
	*raw_len = CRYPTO_MAX_SIGNATURE;
	rv = sign_once(t, &session, s, msg, len, raw, raw_len);
	if (rv == CKR_OK)
		session_back(t, session);
	else
		t->module->C_CloseSession(session.handle);
	return rv;
}

int token_sign(struct token *t, const struct crypto_scheme *s, const uint8_t *msg, size_t len,
	       uint8_t *sig, size_t *sig_len)
{
	uint8_t raw[CRYPTO_MAX_SIGNATURE];
	CK_ULONG n = 0;

	if (!mechanism_for(s))
		return -EINVAL;
	if (sign_raw(t, s, msg, len, raw, &n) != CKR_OK || !n || n > sizeof(raw))
		return -EIO;
	if (mechanism_for(s)->type == CKM_ECDSA) {
		if (n % 2 || n > 2 * 66)
			return -EIO;
		*sig_len = crypto_ecdsa_encode(raw, n / 2, sig);
		return 0;
	}
	memcpy(sig, raw, n);
	*sig_len = n;
	return 0;
}

/* ---- opening */

static const char *text_of(CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return "the PIN is wrong: correct it, before the token locks";
	case CKR_PIN_LOCKED:
		return "the PIN is locked: unlock the token";
	case CKR_PIN_EXPIRED:
		return "the PIN has expired: set a new one";
	case CKR_USER_PIN_NOT_INITIALIZED:
		return "the token has no user PIN yet: set one";
	default:
		return p11_kit_strerror(rv);
	}
}

/* The token that the URI names, among those of one module. */
static bool find_slot(struct token *t, CK_FUNCTION_LIST *module)
{
	CK_ULONG num = 64;
	CK_SLOT_ID slots[64];
	CK_TOKEN_INFO token;
	CK_INFO info;

	if (module->C_GetInfo(&info) != CKR_OK || !p11_kit_uri_match_module_info(t->uri, &info) ||
	    module->C_GetSlotList(CK_TRUE, slots, &num) != CKR_OK)
		return false;
	for (CK_ULONG i = 0; i < num; i++) {
		if (module->C_GetTokenInfo(slots[i], &token) != CKR_OK ||
		    !(token.flags & CKF_TOKEN_INITIALIZED) || !p11_kit_uri_match_token_info(t->uri, &token))
			continue;
		t->module = module;
		t->slot = slots[i];
		t->login = token.flags & CKF_LOGIN_REQUIRED;
		return true;
	}
	return false;
}

/* All modules that p11-kit is configured with, or the one that the URI names by path. */
static int find_token(struct token *t, char *why)
{
	const char *path = p11_kit_uri_get_module_path(t->uri);
	CK_FUNCTION_LIST **m;

	if (path) {
		t->modules = calloc(2, sizeof(*t->modules));
		if (t->modules)
			t->modules[0] = p11_kit_module_load(path, 0);
		if (t->modules && t->modules[0] && p11_kit_module_initialize(t->modules[0]) != CKR_OK) {
			p11_kit_module_release(t->modules[0]);
			t->modules[0] = NULL;
		}
	} else {
		t->modules = p11_kit_modules_load_and_initialize(0);
	}
	if (!t->modules || !t->modules[0]) {
		snprintf(why, TOKEN_WHY, "there is no PKCS#11 module%s%.80s: install one for p11-kit",
			 path ? " at " : "", path ? path : "");
		return -EINVAL;
	}
	for (m = t->modules; *m; m++)
		if (find_slot(t, *m))
			return 0;
	snprintf(why, TOKEN_WHY, "there is no such token: see p11tool --list-tokens");
	return -EINVAL;
}

static int read_pin(struct token *t, const char *pin, char *why)
{
	const char *from = p11_kit_uri_get_pin_source(t->uri);
	char *data;
	size_t len;
	int err;

	if (!pin && from) {
		from += strncmp(from, "file:", 5) ? 0 : 5;
		err = file_slurp(from, &data, &len);
		if (err) {
			snprintf(why, TOKEN_WHY, "pin-source %.100s cannot be read: %s", from, strerror(-err));
			return -EINVAL;
		}
		t->pin = strndup(data, strcspn(data, "\r\n"));
		crypto_wipe(data, len);
		free(data);
		return t->pin ? 0 : -ENOMEM;
	}
	if (!pin)
		pin = p11_kit_uri_get_pin_value(t->uri);
	if (pin) {
		t->pin = strdup(pin);
		return t->pin ? 0 : -ENOMEM;
	}
	if (!t->login)
		return 0;
	snprintf(why, TOKEN_WHY, "the token wants a PIN: add passphrase-file = PATH");
	return -EINVAL;
}

static int first_session(struct token *t, char *why)
{
	struct session s;
	CK_ULONG num = 0;
	CK_RV rv = session_open(t, &s, &num);

	if (rv != CKR_OK)
		snprintf(why, TOKEN_WHY, "%s", text_of(rv));
	else if (!num)
		snprintf(why, TOKEN_WHY, "the token has no such private key: see p11tool --login --list-privkeys");
	else if (num > 1)
		snprintf(why, TOKEN_WHY, "the token has several such private keys: name its object or id as well");
	if (rv != CKR_OK || num != 1)
		return -EINVAL;
	session_back(t, s);
	return 0;
}

/* Nothing of the token's word for it: one signature verifies, or not. */
static int check_key(struct token *t, const struct crypto_pubkey *pub, char *why)
{
	static const uint8_t msg[] = "ktlsd looks whether this key is the certificate's";
	const struct crypto_scheme *s = NULL;
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;
	int err;

	for (size_t i = 0; i < crypto_schemes_num && !s; i++)
		if (crypto_scheme_fits(&crypto_schemes[i], pub->type, pub->bits))
			s = &crypto_schemes[i];
	err = s ? token_sign(t, s, msg, sizeof(msg), sig, &len) : -EINVAL;
	if (err) {
		snprintf(why, TOKEN_WHY, "the token makes no signature by %s: is its key of the certificate's kind?",
			 s ? s->name : "this kind of key");
		return -EINVAL;
	}
	if (!s->verify(pub, s->hash, msg, sizeof(msg), sig, len))
		return 0;
	snprintf(why, TOKEN_WHY, "the key is not that of the certificate: correct one of them");
	return -EINVAL;
}

int token_open(const char *uri, const char *pin, const struct crypto_pubkey *pub, struct token **ret,
	       char why[TOKEN_WHY])
{
	struct token *t = calloc(1, sizeof(*t));
	int err;

	snprintf(why, TOKEN_WHY, "no memory");
	if (!t)
		return -ENOMEM;
	pthread_mutex_init(&t->lock, NULL);
	t->uri = p11_kit_uri_new();
	err = p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, t->uri);
	if (err) {
		snprintf(why, TOKEN_WHY, "is no PKCS#11 URI: %s", p11_kit_uri_message(err));
		err = -EINVAL;
	}
	if (!err)
		err = find_token(t, why);
	if (!err)
		err = read_pin(t, pin, why);
	if (!err)
		err = first_session(t, why);
	if (!err)
		err = check_key(t, pub, why);
	if (err)
		token_free(t);
	else
		*ret = t;
	return err;
}

static void release(struct token *t)
{
	if (t->modules && !p11_kit_uri_get_module_path(t->uri)) {
		p11_kit_modules_finalize_and_release(t->modules);
		return;
	}
	if (t->modules && t->modules[0]) {
		p11_kit_module_finalize(t->modules[0]);
		p11_kit_module_release(t->modules[0]);
	}
	free(t->modules);
}

void token_free(struct token *t)
{
	struct session s;

	if (!t)
		return;
	while (session_idle(t, &s))
		t->module->C_CloseSession(s.handle);
	release(t);
	p11_kit_uri_free(t->uri);
	if (t->pin)
		crypto_wipe(t->pin, strlen(t->pin));
	free(t->pin);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
