// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The builder of handshake parameters. It keeps them encoded, each attribute
 * at most once, so that a handshake only copies them, and says at once what
 * the module or the agent would refuse later.
 */
#include <errno.h>
#include <stdlib.h>
#include "attr.h"
#include "params.h"

struct ktls_params *ktls_params_new(void)
{
	int saved = errno;
	struct ktls_params *params = calloc(1, sizeof(*params));

	errno = saved;
	return params;
}

void ktls_params_free(struct ktls_params *params)
{
	free(params);
}

static int keep(struct ktls_params *params, int err)
{
	if (!params->error)
		params->error = err;
	return err;
}

/* Where the attribute starts; len where there is none. */
static size_t find(const struct ktls_params *params, uint16_t type, struct attr *attr)
{
	size_t at = 0, start = 0;

	while (attr_next(params->request.attrs, params->len, &at, attr)) {
		if (attr->type == type)
			return start;
		start = at;
	}
	*attr = (struct attr){ .type = type };
	return params->len;
}

static void drop(struct ktls_params *params, uint16_t type)
{
	struct attr attr;
	size_t start = find(params, type, &attr);
	size_t size = NLA_ALIGN(NLA_HDRLEN + attr.len);
	uint8_t *attrs = params->request.attrs;

	if (start == params->len)
		return;
	memmove(attrs + start, attrs + start + size, params->len - start - size);
	params->len -= size;
}

static void append(struct ktls_params *params, uint16_t type, const void *data, size_t len)
{
	struct nlattr head = { .nla_len = NLA_HDRLEN + len, .nla_type = type };
	uint8_t *to = params->request.attrs + params->len;

	memset(to, 0, NLA_ALIGN(head.nla_len));
	memcpy(to, &head, sizeof(head));
	if (len)
		memcpy(to + NLA_HDRLEN, data, len);
	params->len += NLA_ALIGN(head.nla_len);
}

static int put(struct ktls_params *params, uint16_t type, const void *data, size_t len)
{
	struct attr old;
	size_t used = params->len;

	if (find(params, type, &old) != params->len)
		used -= NLA_ALIGN(NLA_HDRLEN + old.len);
	if (used + NLA_ALIGN(NLA_HDRLEN + len) > KTLS_MAX_PARAM)
		return keep(params, -EMSGSIZE);
	drop(params, type);
	append(params, type, data, len);
	return 0;
}

/* Lengthen the payload of an attribute that is a list. */
static int extend(struct ktls_params *params, uint16_t type, const void *item, size_t len)
{
	uint8_t list[KTLS_MAX_PARAM];
	struct attr old;

	find(params, type, &old);
	if (old.len + len > sizeof(list))
		return keep(params, -EMSGSIZE);
	if (old.len)
		memcpy(list, old.data, old.len);
	memcpy(list + old.len, item, len);
	return put(params, type, list, old.len + len);
}

/* Strings go with their NUL, as netlink has them. */
static int put_name(struct ktls_params *params, uint16_t type, const char *name, size_t max)
{
	size_t len = name ? strnlen(name, max + 1) : 0;

	if (len < 1 || len > max)
		return keep(params, -EINVAL);
	return put(params, type, name, len + 1);
}

int ktls_params_server_name(struct ktls_params *params, const char *name)
{
	const char *c;

	for (c = name; c && *c; c++)
		if (*c <= ' ' || *c > '~')
			return keep(params, -EINVAL);
	return put_name(params, KTLS_P_SERVER_NAME, name, 253);
}

int ktls_params_identity(struct ktls_params *params, const char *name)
{
	return put_name(params, KTLS_P_IDENTITY, name, 255);
}

int ktls_params_psk(struct ktls_params *params, const char *name)
{
	return put_name(params, KTLS_P_PSK, name, 255);
}

int ktls_params_trust(struct ktls_params *params, const char *name)
{
	return put_name(params, KTLS_P_TRUST, name, 255);
}

int ktls_params_add_alpn(struct ktls_params *params, const char *protocol)
{
	size_t len = protocol ? strnlen(protocol, 256) : 0;
	uint8_t item[256];

	if (len < 1 || len > 255)
		return keep(params, -EINVAL);
	item[0] = len;
	memcpy(item + 1, protocol, len);
	return extend(params, KTLS_P_ALPN, item, len + 1);
}

int ktls_params_add_cipher(struct ktls_params *params, uint16_t cipher)
{
	switch (cipher) {
	case TLS_CIPHER_AES_GCM_128:
	case TLS_CIPHER_AES_GCM_256:
	case TLS_CIPHER_CHACHA20_POLY1305:
		return extend(params, KTLS_P_CIPHERS, &cipher, sizeof(cipher));
	default:
		return keep(params, -EINVAL);
	}
}

int ktls_params_client_auth(struct ktls_params *params, enum ktls_client_auth auth)
{
	uint32_t value = auth;

	if (value > KTLS_CLIENT_AUTH_REQUIRE)
		return keep(params, -EINVAL);
	return put(params, KTLS_P_CLIENT_AUTH, &value, sizeof(value));
}

int ktls_params_keep_chain(struct ktls_params *params)
{
	return put(params, KTLS_P_PEER_CHAIN, NULL, 0);
}

int ktls_params_post_auth(struct ktls_params *params)
{
	return put(params, KTLS_P_POST_AUTH, NULL, 0);
}

int ktls_params_early_data(struct ktls_params *params, const void *data, size_t len)
{
	return len && len <= KTLS_MAX_PARAM ? put(params, KTLS_P_EARLY_DATA, data, len) : keep(params, -EINVAL);
}

int ktls_params_early_max(struct ktls_params *params, uint32_t max)
{
	return max <= KTLS_MAX_EARLY ? put(params, KTLS_P_EARLY_MAX, &max, sizeof(max)) : keep(params, -EINVAL);
}

int ktls_params_timeout(struct ktls_params *params, uint32_t ms)
{
	if (ms > KTLS_TIMEOUT_MAX_MS)
		return keep(params, -EINVAL);
	params->request.head.timeout_ms = ms;
	return 0;
}

bool params_has(const struct ktls_params *params, uint16_t type)
{
	struct attr attr;

	return params && find(params, type, &attr) != params->len;
}

int params_request(const struct ktls_params *params, enum ktls_role role,
		   struct request *request)
{
	size_t size = sizeof(request->head) + (params ? params->len : 0);

	if (params && params->error)
		return params->error;
	if (params)
		memcpy(request, &params->request, size);
	else
		memset(request, 0, size);
	request->head.role = role;
	return size;
}
