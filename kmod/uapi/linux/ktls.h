/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * ktls: TLS on a TCP socket, asked for by setsockopt. The contract with
 * applications; what agents need on top is in linux/ktls_netlink.h.
 *
 *	setsockopt(fd, SOL_TCP, TCP_ULP, "ktls", 4);
 *	setsockopt(fd, SOL_TLS, KTLS_HANDSHAKE, &request, length);
 *	write(fd, ...); read(fd, ...);
 */
#ifndef _UAPI_LINUX_KTLS_H
#define _UAPI_LINUX_KTLS_H

#include <linux/types.h>
#include <linux/ktls_netlink.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* Socket options of level SOL_TLS, beside those of linux/tls.h (1 to 5). */
#define KTLS_HANDSHAKE	100	/* set: struct ktls_handshake and attributes */
#define KTLS_INFO	101	/* get: struct ktls_info and attributes */
#define KTLS_DETACH	102	/* set, no value: back to plain TCP */
#define KTLS_REKEY	103	/* set, __u32 flags: new keys, now */
#define KTLS_REQUEST_CERT 104	/* set, __u32 flags (0): a server asks for the client's certificate */

#define KTLS_REKEY_BOTH	1	/* flag: the peer shall change its keys, too */

/*
 * Ciphers beside those of linux/tls.h. TLS_TX and TLS_RX take them as struct
 * tls_crypto_info, then 8 bytes of iv, the key, 4 bytes of salt, 8 of sequence number.
 */
#define KTLS_CIPHER_AES_CCM_256		256
#define KTLS_CIPHER_AES_CCM_8_128	257
#define KTLS_CIPHER_CAMELLIA_GCM_128	258
#define KTLS_CIPHER_CAMELLIA_GCM_256	259

/*
 * AES-CBC with encrypt-then-MAC (RFC 7366), TLS 1.2 only. The key is the HMAC's key
 * (20, 32 or 48 bytes, as long as the hash), then that of AES (16 or 32), both
 * of one direction. There are neither iv nor salt: each record carries an iv
 * that nobody can foresee. TLS_TX and TLS_RX take struct tls_crypto_info, the
 * key, 8 bytes of sequence number.
 */
#define KTLS_CIPHER_AES_CBC_128_SHA	260
#define KTLS_CIPHER_AES_CBC_256_SHA	261
#define KTLS_CIPHER_AES_CBC_128_SHA256	262
#define KTLS_CIPHER_AES_CBC_256_SHA256	263
#define KTLS_CIPHER_AES_CBC_256_SHA384	264

#define KTLS_TIMEOUT_MAX_MS	600000

/*
 * struct ktls_handshake - start a handshake
 * @role: enum ktls_role
 * @flags: 0; other bits are refused with EINVAL
 * @timeout_ms: how long it may take, 1 to KTLS_TIMEOUT_MAX_MS; 0 for the
 *	module's handshake_timeout_ms (10,000 by default)
 *
 * KTLS_P_* attributes follow, at most KTLS_MAX_PARAM bytes, laid out as in
 * netlink: struct nlattr, payload, padding to 4 bytes.
 *
 * A blocking socket waits (SO_SNDTIMEO applies) and gets 0 or the failure; a
 * non-blocking one gets EINPROGRESS, then EPOLLOUT or EPOLLERR, with the
 * failure in SO_ERROR. A second call during a handshake: EALREADY if
 * non-blocking, else it waits as well; after EINTR it gets the result. When
 * SO_SNDTIMEO ends the wait: EINPROGRESS, and the handshake goes on. A socket
 * whose handshake failed gives the same error to every read and write. Where
 * no byte of the handshake had moved (no agent, too many) it may be asked
 * again. Failures:
 *
 *	EINVAL		malformed request
 *	ENOTCONN	not connected (only TCP_ESTABLISHED)
 *	EISCONN		already a TLS session
 *	ESRCH		no agent has joined in this network namespace
 *	EBUSY		too many pending handshakes (namespace or uid); or another
 *			thread is reading or writing plain TCP: nothing was begun
 *	EACCES		the agent's policy forbids it
 *	EPROTO		TLS alert, sent or received: see ktls_info.alert
 *	EKEYREJECTED	the peer's certificate was not accepted
 *	ENOKEY		no identity to present
 *	ETIMEDOUT	time limit
 *	ECONNABORTED	the agent died in mid-handshake
 *	ECONNRESET	the peer closed or reset the connection
 *	ESHUTDOWN	shutdown() in mid-handshake
 *
 * On a listening socket, or one that has neither been connected nor listens yet
 * (both may have the ULP), the request is kept, role server only: each accepted
 * socket begins with this handshake, as if the caller had asked for it on a
 * non-blocking one. Until it is over, read() and write() of the accepted
 * socket wait or give EAGAIN, and poll is silent; if it fails, or nobody can be
 * asked, they give the error. Without a request accepted sockets have the ULP only.
 *
 * KTLS_DETACH: what is unsent and a close_notify go out; when the peer's
 * close_notify has come, the keys are wiped and the socket is plain TCP, from the
 * byte behind it, and may ask for a new handshake. A blocking socket waits for
 * the peer (SO_RCVTIMEO applies). Failures:
 *
 *	EINPROGRESS	non-blocking or timed out: call again at EPOLLIN
 *	EBUSY		unread plaintext comes first: read it, call again; or in mid-handshake
 *	EINVAL		no TLS session; or keyed by linux/tls.h's options
 *	EPIPE		shutdown() has closed this direction
 *	ECONNRESET	the connection ended without the peer's close_notify
 *
 * KTLS_REKEY: a KeyUpdate goes out behind all that was written, and what is
 * written from now on is under the next key. That key comes from the agent,
 * mostly beforehand; where it doesn't, a blocking socket waits for it
 * (SO_SNDTIMEO applies), while reading and writing go on. Failures:
 *
 *	EINPROGRESS	non-blocking or timed out: it happens when the agent has answered
 *	EOPNOTSUPP	TLS 1.2 has no KeyUpdate
 *	EINVAL		no TLS session; keyed by linux/tls.h's options; unknown flag
 *	EPIPE		shutdown() has closed this direction
 *
 * KTLS_REQUEST_CERT: authentication after the handshake (RFC 8446 4.6.2). The
 * agent's request goes out behind all that was written; it is over, 0, when the
 * client has answered, and KTLS_I_POST_AUTH tells what: a certificate, verified
 * by the trust store that KTLS_HANDSHAKE named, or none, which is no failure. A
 * certificate that is not accepted ends the session. Both ends have to have
 * KTLS_P_POST_AUTH in their parameters. A blocking socket waits (SO_RCVTIMEO
 * applies); the answer is also found by read(). Only one request is under way:
 * a further call waits for it, and gets 0 if it was answered meanwhile. Failures:
 *
 *	EINPROGRESS	non-blocking or timed out: call again at EPOLLIN
 *	EBUSY		plaintext comes before the answer: read it, call again
 *	EOPNOTSUPP	the client does not offer it, or TLS 1.2
 *	EINVAL		no TLS session; a client; keyed by linux/tls.h's options; unknown flag
 *	ETIMEDOUT	the client did not answer in the module's request_timeout_ms (60,000),
 *			though it still may
 *	EPIPE		shutdown() has closed this direction
 *	ECONNRESET	the connection ended without an answer
 *	ENOKEY, EACCES	the agent: the trust store is gone; the session goes on, as with
 *			any failure of it before the request went out
 */
struct ktls_handshake {
	__u8	role;
	__u8	flags;
	__u16	reserved;
	__u32	timeout_ms;
};

/*
 * struct ktls_info - what became of a socket
 * @phase: enum ktls_phase
 * @role: enum ktls_role
 * @alert: description of the alert that ended it, if alert_from says so
 * @alert_from: enum ktls_alert_from
 * @error: 0 or the negative errno that ended handshake or session
 * @version: 0x0304 for TLS 1.3; 0 before keys
 * @cipher: TLS_CIPHER_* of linux/tls.h
 * @attr_len: bytes of KTLS_I_* attributes that there are; optlen tells how
 *	many bytes fitted in all
 * @cookie: socket cookie, the session's id in events, logs and ss
 * @tx_generation: key updates of the direction so far; likewise rx
 * @tx_records: records sent; tx_bytes their plaintext; likewise rx
 */
struct ktls_info {
	__u8	phase;
	__u8	role;
	__u8	alert;
	__u8	alert_from;
	__s32	error;
	__u16	version;
	__u16	cipher;
	__u32	attr_len;
	__u64	cookie;
	__u32	tx_generation;
	__u32	rx_generation;
	__u64	tx_records;
	__u64	tx_bytes;
	__u64	rx_records;
	__u64	rx_bytes;
};

#endif /* _UAPI_LINUX_KTLS_H */
