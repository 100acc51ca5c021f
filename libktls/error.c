// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What failed, in a sentence for whoever has to mend it: what, who sent the
 * alert, and the agent's own reason; where there is none, what to do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ktls.h"

static const struct advice {
	int err;
	const char *text;
} advice[] = {
	{ ENOENT,	"the kernel module is not loaded; as root: modprobe ktls" },
	{ ENOPROTOOPT,	"the socket has no TLS; attach it with TCP_ULP \"ktls\" (as root: modprobe ktls)" },
	{ EEXIST,	"the socket has another upper layer protocol already" },
	{ ESRCH,	"no agent is running here; as root: systemctl start ktlsd" },
	{ EBUSY,	"too many handshakes are pending; try again" },
	{ EACCES,	"the agent's policy does not allow it; see ktlsctl why" },
	{ EPROTO,	"the handshake failed" },
	{ EKEYREJECTED,	"the peer's certificate was not accepted; see ktlsctl why" },
	{ ENOKEY,	"the agent has no identity to present; name one in its configuration" },
	{ ETIMEDOUT,	"the handshake took longer than its time limit" },
	{ ECONNABORTED,	"the agent died during the handshake; try again" },
	{ ECONNRESET,	"the peer closed the connection without saying why" },
	{ ENOTCONN,	"the socket is not connected" },
	{ EISCONN,	"the socket has a TLS session already" },
	{ EALREADY,	"a handshake is under way on this socket" },
	{ EINPROGRESS,	"the handshake is under way; wait for EPOLLOUT" },
	{ EINVAL,	"the handshake's parameters are not valid" },
	{ EMSGSIZE,	"the handshake's parameters are too long" },
	{ EKEYEXPIRED,	"the session's keys have reached their limit" },
	{ EBADMSG,	"a record was forged or damaged on its way" },
};

static const char *advise(int err)
{
	size_t i;

	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (advice[i].err == err)
			return advice[i].text;
	return strerrordesc_np(err) ?: "unknown error";
}

/* "we sent alert unknown_ca (48): ", or nothing. */
static void alert_clause(const struct ktls_session *s, char *buf, size_t size)
{
	const char *who = s->info.alert_from == KTLS_ALERT_FROM_PEER ? "the peer" : "this side";

	buf[0] = '\0';
	if (s->info.alert_from != KTLS_ALERT_FROM_NONE)
		snprintf(buf, size, "%s sent alert %s (%u): ", who,
			 ktls_alert_name(s->info.alert), s->info.alert);
}

const char *ktls_error(int fd, int err, char *buf, size_t size)
{
	struct ktls_session s = { 0 };
	int saved = errno;
	int asked = fd < 0 ? -EBADF : ktls_info(fd, &s);
	char alert[64];

	if (!err)
		err = asked ? asked : s.info.error;
	if (err < 0)
		err = -err;
	alert_clause(&s, alert, sizeof(alert));
	if (!size)
		return buf;
	if (!err)
		snprintf(buf, size, "no error");
	else
		snprintf(buf, size, "%s%s", alert, s.reason[0] ? s.reason : advise(err));
	errno = saved;
	return buf;
}
