// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * KTLS_INFO, unpacked. The attributes come from the agent through the module
 * unread: lengths are checked here, an attribute that is cut off ends the walk.
 */
#include <errno.h>
#include <sys/socket.h>
#include "attr.h"
#include "ktls.h"

struct reply {
	struct ktls_info info;
	uint8_t attrs[KTLS_MAX_INFO + KTLS_MAX_REASON + 64];
};

/* Bytes of attributes, or -errno. */
static int ask(int fd, struct reply *reply)
{
	socklen_t len = sizeof(*reply);
	int saved = errno, err = 0;

	if (getsockopt(fd, SOL_TLS, KTLS_INFO, reply, &len))
		err = -errno;
	else if (len < sizeof(reply->info))
		err = -EPROTO;
	errno = saved;
	return err ? err : (int)(len - sizeof(reply->info));
}

/* Bytes up to a NUL or the end; @to is KTLS_NAME_SIZE. */
static size_t name_copy(char *to, const struct attr *attr)
{
	size_t len = strnlen((const char *)attr->data, attr->len);

	if (len >= KTLS_NAME_SIZE)
		len = KTLS_NAME_SIZE - 1;
	memcpy(to, attr->data, len);
	to[len] = '\0';
	return len;
}

static uint16_t number(const struct attr *attr)
{
	uint16_t n = 0;

	if (attr->len == sizeof(n))
		memcpy(&n, attr->data, sizeof(n));
	return n;
}

static void alpn_copy(struct ktls_session *s, const struct attr *attr)
{
	if (attr->len > 255)
		return;
	memcpy(s->alpn, attr->data, attr->len);
	s->alpn[attr->len] = '\0';
	s->alpn_len = attr->len;
}

static void sha256_copy(struct ktls_session *s, const struct attr *attr)
{
	if (attr->len != sizeof(s->peer_sha256))
		return;
	memcpy(s->peer_sha256, attr->data, attr->len);
	s->has_peer_sha256 = true;
}

static void binding_copy(struct ktls_session *s, const struct attr *attr)
{
	if (attr->len != sizeof(s->channel_binding))
		return;
	memcpy(s->channel_binding, attr->data, attr->len);
	s->has_channel_binding = true;
}

static void take(struct ktls_session *s, const struct attr *attr)
{
	switch (attr->type) {
	case KTLS_I_REASON:
		name_copy(s->reason, attr);
		break;
	case KTLS_I_SUITE:
		s->suite = number(attr);
		break;
	case KTLS_I_GROUP:
		s->group = number(attr);
		break;
	case KTLS_I_SCHEME:
		s->scheme = number(attr);
		break;
	case KTLS_I_ALPN:
		alpn_copy(s, attr);
		break;
	case KTLS_I_SERVER_NAME:
		name_copy(s->server_name, attr);
		break;
	case KTLS_I_IDENTITY:
		name_copy(s->identity, attr);
		break;
	case KTLS_I_PEER_NAME:
		s->peer_verified = name_copy(s->peer_name, attr) > 0;
		break;
	case KTLS_I_PEER_SHA256:
		sha256_copy(s, attr);
		break;
	case KTLS_I_RESUMED:
		s->resumed = true;
		break;
	case KTLS_I_PSK:
		name_copy(s->psk, attr);
		break;
	case KTLS_I_POST_AUTH:
		s->post_auth = number(attr);
		break;
	case KTLS_I_CHANNEL_BINDING:
		binding_copy(s, attr);
		break;
	}
}

int ktls_info(int fd, struct ktls_session *session)
{
	struct reply reply;
	struct attr attr;
	size_t at = 0;
	int len = ask(fd, &reply);

	if (len < 0)
		return len;
	*session = (struct ktls_session){ .info = reply.info };
	while (attr_next(reply.attrs, len, &at, &attr))
		take(session, &attr);
	return 0;
}

/* Each certificate: 3-byte length, DER. */
static int cert_copy(const struct attr *chain, unsigned int index, void *der, size_t size)
{
	const uint8_t *p = chain->data, *end = p + chain->len;
	size_t len;

	while (end - p >= 3) {
		len = (size_t)p[0] << 16 | p[1] << 8 | p[2];
		p += 3;
		if (len > (size_t)(end - p))
			return -EPROTO;
		if (!index--) {
			if (len > size)
				return -ERANGE;
			memcpy(der, p, len);
			return len;
		}
		p += len;
	}
	return -ENOENT;
}

int ktls_peer_cert(int fd, unsigned int index, void *der, size_t size)
{
	struct reply reply;
	struct attr attr;
	size_t at = 0;
	int len = ask(fd, &reply);

	if (len < 0)
		return len;
	while (attr_next(reply.attrs, len, &at, &attr))
		if (attr.type == KTLS_I_PEER_CHAIN)
			return cert_copy(&attr, index, der, size);
	return -ENOENT;
}

int ktls_early_data(int fd, void *data, size_t size)
{
	struct reply reply;
	struct attr attr;
	uint16_t early = 0;
	size_t at = 0;
	int len = ask(fd, &reply), got = 0;

	if (len < 0)
		return len;
	while (attr_next(reply.attrs, len, &at, &attr)) {
		if (attr.type == KTLS_I_EARLY && attr.len == sizeof(early))
			memcpy(&early, attr.data, sizeof(early));
		if (attr.type != KTLS_I_EARLY_DATA)
			continue;
		if (attr.len > size)
			return -ERANGE;
		memcpy(data, attr.data, attr.len);
		got = (int)attr.len;
	}
	if (early != 1)
		return early ? -EAGAIN : -ENOENT;
	return got;
}
