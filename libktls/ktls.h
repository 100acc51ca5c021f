/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libktls: how a program asks for TLS on a TCP socket. It has no keys and no
 * protocol: everything here ends in setsockopt() or getsockopt(), and the
 * socket stays a socket for read(), write(), sendfile(), poll().
 *
 * Every function may be called from any thread; the library has no state of
 * its own and allocates in ktls_params_new() only. Results are 0 (or as said)
 * and -errno; errno itself is left as it was.
 */
#ifndef _KTLS_H
#define _KTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ktls.h>
#include <linux/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what is wanted of a handshake */

/*
 * Parameters. Not changed by a handshake: one object may serve any number of
 * sockets in any number of threads, as long as nobody changes it meanwhile.
 * The setters keep the first failure and ktls_client() and its like return
 * it, so that a caller may check once.
 */
struct ktls_params;

enum ktls_client_auth {
	KTLS_CLIENT_AUTH_NONE,
	KTLS_CLIENT_AUTH_ASK,
	KTLS_CLIENT_AUTH_REQUIRE,
};

/**
 * ktls_params_new - empty parameters: the agent's defaults
 * Return: NULL without memory. Free with ktls_params_free().
 */
struct ktls_params *ktls_params_new(void);
void ktls_params_free(struct ktls_params *params);

/**
 * ktls_params_server_name - client: the name to ask for and to verify
 * @name: DNS name (1 to 253 ASCII characters, A-labels) or IP literal
 * Return: 0, -EINVAL, -EMSGSIZE when the parameters exceed KTLS_MAX_PARAM.
 */
int ktls_params_server_name(struct ktls_params *params, const char *name);

/**
 * ktls_params_add_alpn - one more application protocol, less wanted than those before
 * @protocol: 1 to 255 bytes, such as "h2" or "http/1.1"
 */
int ktls_params_add_alpn(struct ktls_params *params, const char *protocol);

/**
 * ktls_params_add_cipher - one more cipher, less wanted than those before
 * @cipher: TLS_CIPHER_* of linux/tls.h; without any, the agent's policy
 * Return: 0, -EINVAL for a cipher that TLS 1.3 lacks, -EMSGSIZE.
 */
int ktls_params_add_cipher(struct ktls_params *params, uint16_t cipher);

/**
 * ktls_params_identity - name of the agent's identity to present
 * @name: 1 to 255 bytes. Without it a server's is chosen by the client's
 *	server name, and a client presents none.
 */
int ktls_params_identity(struct ktls_params *params, const char *name);

/**
 * ktls_params_psk - name of a pre-shared key of the agent
 * @name: 1 to 255 bytes. A client uses it in place of certificates, which it
 *	then takes only by a trust store that is named too; a server takes it
 *	as well, "*" for every key that its user may use.
 */
int ktls_params_psk(struct ktls_params *params, const char *name);

/**
 * ktls_params_trust - name of the agent's trust store to verify the peer with
 * @name: 1 to 255 bytes; without it "system"
 */
int ktls_params_trust(struct ktls_params *params, const char *name);

/** ktls_params_client_auth - server: whether to ask for the client's certificate */
int ktls_params_client_auth(struct ktls_params *params, enum ktls_client_auth auth);

/** ktls_params_keep_chain - keep the peer's chain for ktls_peer_cert() */
int ktls_params_keep_chain(struct ktls_params *params);

/**
 * ktls_params_early_data - client: bytes to send along with the hello (0-RTT)
 *
 * They go out if a ticket allows it; ktls_early_data() tells what became of
 * them. Whoever sees them on the wire can send them again, and a server may
 * be misled to take them twice: only what may happen twice belongs here.
 */
int ktls_params_early_data(struct ktls_params *params, const void *data, size_t len);

/**
 * ktls_params_early_max - server: take up to so many bytes of early data
 * @max: at most KTLS_MAX_EARLY; the agent's configuration may say less
 */
int ktls_params_early_max(struct ktls_params *params, uint32_t max);

/**
 * ktls_params_post_auth - allow authentication after the handshake
 *
 * Client: say so, and answer the server's requests by the identity that was
 * named, or by none. Server: be able to make one, ktls_request_certificate();
 * needs ktls_params_trust().
 */
int ktls_params_post_auth(struct ktls_params *params);

/**
 * ktls_params_timeout - how long the handshake may take
 * @ms: milliseconds, 1 to KTLS_TIMEOUT_MAX_MS; 0 for the module's default
 */
int ktls_params_timeout(struct ktls_params *params, uint32_t ms);

/* ---- handshake */

/**
 * ktls_client, ktls_server - do a handshake on a connected TCP socket
 * @params: may be NULL
 *
 * A blocking socket waits until it is over. A non-blocking one gets
 * -EINPROGRESS: wait for EPOLLOUT, then call ktls_finish().
 *
 * Return: 0, or -errno as linux/ktls.h has it for KTLS_HANDSHAKE, and:
 * -ENOENT when the module isn't loaded, -EEXIST when the socket has another
 * ULP. ktls_error() makes a sentence of it. After a failure close the socket.
 */
int ktls_client(int fd, const struct ktls_params *params);
int ktls_server(int fd, const struct ktls_params *params);

/**
 * ktls_finish - what became of a handshake in progress
 * Return: 0 done, -EINPROGRESS not yet, else why it failed. Asking again
 * gives the same answer.
 */
int ktls_finish(int fd);

/**
 * ktls_connect - connect to a host and do the handshake, blocking
 * @host: DNS name or IP literal; the server name too, unless @params has one
 * @port: number or service name
 * @why: NULL, or where a failure's sentence goes; @size its bytes
 *
 * Tries each address in turn until one connects. Return: a descriptor
 * (close-on-exec), or -errno; -EHOSTUNREACH when the name is unknown.
 */
int ktls_connect(const char *host, const char *port, const struct ktls_params *params,
		 char *why, size_t size);

/**
 * ktls_accept - accept a connection and do the handshake, blocking
 *
 * A slow client holds it up, until the time limit: a server of many clients
 * calls accept4(SOCK_NONBLOCK) and ktls_server() instead.
 * Return: a descriptor (close-on-exec), or -errno.
 */
int ktls_accept(int listen_fd, const struct ktls_params *params, char *why, size_t size);

/**
 * ktls_rekey - send under new keys from now on
 * @both: ask the peer to do the same
 *
 * Needed by nobody: the module does it by itself when it must. Return: 0;
 * -EINPROGRESS on a non-blocking socket: as soon as the agent has made the
 * key; -EOPNOTSUPP with TLS 1.2.
 */
int ktls_rekey(int fd, bool both);

/**
 * ktls_request_certificate - server: have the client show its certificate now
 *
 * Waits on a blocking socket until the client has answered; then ktls_info()
 * tells what, in post_auth, peer_name and peer_sha256. A certificate that is
 * not accepted ends the session. Return: 0; -EBUSY: the client has sent
 * something before its answer, read it and call again; -EINPROGRESS on a
 * non-blocking socket: call again at EPOLLIN; -EOPNOTSUPP: the client does not
 * do that; -ETIMEDOUT: it has had a minute; else as linux/ktls.h has it.
 */
int ktls_request_certificate(int fd);

/* struct ktls_session's post_auth, that is, KTLS_I_POST_AUTH */
enum ktls_client_shown {
	KTLS_CLIENT_NEVER,	/* the handshake did not allow for it */
	KTLS_CLIENT_MAY,
	KTLS_CLIENT_ASKED,
	KTLS_CLIENT_SHOWN,	/* it has shown a certificate, verified */
	KTLS_CLIENT_DECLINED,	/* it has shown none */
};

/*
 * Who serves a socket. Without the module, and with an agent that offers it,
 * the handshakes here go other ways, by themselves:
 *
 * KTLS_WAY_MAINLINE: the "tls" ULP of Linux has the keys. Only of a server's
 * handshakes on blocking sockets: a client's would end with EIO at the first
 * NewSessionTicket. A KeyUpdate of the peer ends the session (before Linux
 * 6.14), its close_notify is EIO where end of file is meant; there is no
 * KTLS_INFO, ktls_rekey(), ktls_request_certificate() or KTLS_DETACH.
 *
 * KTLS_WAY_RELAY: the descriptor is one end of a socketpair now, and the agent
 * encrypts. Register it with epoll after the handshake was begun, not
 * before. ktls_finish() says 0 at once: what went wrong shows as end of file or
 * ECONNRESET, and so does a connection that was cut off. No KTLS_INFO,
 * ktls_rekey(), ktls_request_certificate() or KTLS_DETACH; the session ends with the agent; TLS 1.3 only.
 */
enum ktls_way { KTLS_WAY_NONE, KTLS_WAY_MODULE, KTLS_WAY_MAINLINE, KTLS_WAY_RELAY };

enum ktls_way ktls_way(int fd);

/* ---- what became of it */

#define KTLS_NAME_SIZE 256

/*
 * struct ktls_session - KTLS_INFO, unpacked
 * @info: the module's own numbers, see linux/ktls.h
 * @suite, @group, @scheme: IANA numbers, 0 when not known
 * @peer_verified: peer_name was found in a certificate that was verified
 * @has_peer_sha256: the peer sent a certificate, peer_sha256 is its hash
 * @psk: the pre-shared key that took the place of certificates
 * @channel_binding: tls-exporter, RFC 9266, if has_channel_binding
 * Strings are empty where there is none. @alpn may hold any bytes but has
 * alpn_len of them.
 */
struct ktls_session {
	struct ktls_info info;
	uint16_t suite;
	uint16_t group;
	uint16_t scheme;
	bool resumed;
	bool peer_verified;
	bool has_peer_sha256;
	uint8_t alpn_len;
	uint8_t peer_sha256[32];
	char alpn[KTLS_NAME_SIZE];
	char server_name[KTLS_NAME_SIZE];
	char identity[KTLS_NAME_SIZE];
	char peer_name[KTLS_NAME_SIZE];
	char reason[KTLS_MAX_REASON + 1];
	char psk[KTLS_NAME_SIZE];
	bool has_channel_binding;
	uint8_t channel_binding[32];
	uint8_t post_auth;		/* enum ktls_client_shown */
};

/**
 * ktls_info - a socket's session (uses 17 KiB of stack)
 * Return: 0, -ENOPROTOOPT when the socket hasn't the ULP.
 */
int ktls_info(int fd, struct ktls_session *session);

/**
 * ktls_early_data - what became of early data
 * @data: server, where what was accepted goes; @size its bytes
 *
 * read() never gives early data, as they may be a copy. Return: their length
 * on a server that accepted some, 0 on a client whose were; -ENOENT: there
 * were none; -EAGAIN: they were rejected, and have to be written again;
 * -ERANGE: longer than @size.
 */
int ktls_early_data(int fd, void *data, size_t size);

/**
 * ktls_peer_cert - one certificate of the peer's chain, DER
 * @index: 0 is the end entity
 * Return: its length, -ENOENT when there is none (ktls_params_keep_chain()),
 * -ERANGE when @size is too small.
 */
int ktls_peer_cert(int fd, unsigned int index, void *der, size_t size);

/**
 * ktls_error - a sentence that says what failed and what to do
 * @fd: the socket, or -1 when there is none any more
 * @err: what a function here returned, or 0: take it from the socket
 * Return: @buf, always terminated; 320 bytes hold every sentence.
 */
const char *ktls_error(int fd, int err, char *buf, size_t size);

/* Names of numbers, for people: never NULL, "unknown" if so. */
const char *ktls_version_name(uint16_t version);	/* 0x0304 */
const char *ktls_cipher_name(uint16_t cipher);		/* TLS_CIPHER_* */
const char *ktls_suite_name(uint16_t suite);		/* IANA */
const char *ktls_group_name(uint16_t group);		/* IANA */
const char *ktls_scheme_name(uint16_t scheme);		/* IANA */
const char *ktls_alert_name(uint8_t alert);		/* RFC 9846 6 */
const char *ktls_phase_name(uint8_t phase);		/* enum ktls_phase */

/** ktls_cipher_number - TLS_CIPHER_* of a name of ktls_cipher_name(), case ignored; 0 if none */
uint16_t ktls_cipher_number(const char *name);

#ifdef __cplusplus
}
#endif

#endif
