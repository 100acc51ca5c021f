/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ktls.ko inside: the session, and who calls whom.
 *
 * sock.c	a session's life: attach, handshake, failure, close
 * accept.c	a listener's sockets begin with its handshake
 * detach.c	back to plain TCP
 * auth.c	a server asks for the client's certificate after the handshake
 * proto.c	what the socket calls do in each phase
 * info.c	what is told of a session: KTLS_INFO, ss
 * upcall.c	what waits for the agent, and for how long (upcall.h)
 * channel.c	the raw byte file under a handshaking socket
 * netlink.c	the agent's side: JOIN ACCEPT SESSION_GET; respond.c RESPOND
 * stat.c	/proc/net/ktls_stat
 * trace.h	tracepoints
 * record/	seal and open records; tx.c and rx.c share nothing but the session
 * crypto/	cipher table and AEAD
 *
 * Lock order: socket lock -> ktls_net.lock -> upcall lock (spinlocks, bh).
 */
#ifndef KTLS_H
#define KTLS_H

#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <uapi/linux/tls.h>
#include <linux/ktls.h>
#include "compat.h"

struct ktls_cipher;
struct ktls_counters;
struct ktls_format;
struct ktls_own;
struct gcm_key;
struct ktls_upcall;

/*
 * Key material on its way from netlink or setsockopt into a half. Whoever fills it wipes it.
 * Spares are kept with no more of key than their cipher has.
 */
struct ktls_keys {
	struct ktls_keys *next;		/* of a spare: the generation behind it */
	u64	seq;
	u16	version;		/* 0x0303, 0x0304 */
	u16	cipher;			/* TLS_CIPHER_* */
	u8	iv[KTLS_IV_SIZE];
	u8	key[KTLS_MAX_KEY];
};

/* One direction's keys. cipher NULL: no keys. */
struct ktls_half {
	const struct ktls_cipher	*cipher;
	struct gcm_key			*own;		/* for our own AES-GCM; without it, tfm */
	struct crypto_aead		*tfm;		/* beside own: for when that isn't usable */
	u64				seq;
	u64				rekey_at;	/* sequence number from which new keys are sought */
	const struct ktls_format	*format;
	u8				iv[KTLS_IV_SIZE];	/* a nonce that records carry is counted in it */
	u16				version;
	u8				prefix;		/* bytes of a record before the plaintext */
	u8				tail;		/* and behind it, without padding */
};

/* Plaintext of a record that the reader took only part of, and the like: record/rx.c. */
struct ktls_rx;
/* Ciphertext that TCP would not take yet, the open record: record/tx.c. */
struct ktls_tx;

/*
 * A socket with the ULP. The socket lock covers all fields unless said
 * otherwise; phase and base are also read without it.
 */
struct ktls_sock {
	u8			phase;		/* enum ktls_phase */
	u8			role;
	u8			alert, alert_from;
	int			error;		/* what ended it, -errno */
	u64			cookie;
	kuid_t			uid;		/* who asked for the handshake */
	atomic_t		plain;		/* calls under way that read or write plain TCP; without the lock */
	const struct proto	*base;		/* TCP's own, to call below */
	const struct proto_ops	*base_ops;
	void			(*data_ready)(struct sock *sk);
	void			(*write_space)(struct sock *sk);
	void			(*state_change)(struct sock *sk);
	void			(*error_report)(struct sock *sk);

	struct ktls_half	tx, rx;
	struct ktls_keys	*tx_next, *rx_next;	/* spares, next generation first */
	struct ktls_tx		*txs;		/* NULL while nothing is in flight */
	struct ktls_rx		*rxs;		/* NULL while nothing is left over */
	u32			tx_generation, rx_generation;
	u64			tx_records, tx_bytes, rx_records, rx_bytes;
	int			rx_error;	/* mainline: reading has failed for good */
	bool			untouched;	/* no byte of a handshake has moved: dead, but may ask again */
	bool			owed;		/* a signal took a caller away from the result */
	u32			rx_done;	/* bytes of TCP's queue that are opened; 0 without the lock */
	u32			rx_head;	/* length of the record behind them, 0: look */
	bool			rx_held;	/* a control record waits for the agent */
	bool			rx_eof;		/* close_notify came: sticky */
	bool			tx_closed;	/* close_notify went */
	bool			mainline;	/* keyed by linux/tls.h's options: the application minds control records */
	bool			may_ask;	/* a server: the client would answer KTLS_REQUEST_CERT */
	u8			auth;		/* how far that is: enum ktls_auth in upcall.h */
	int			auth_error;	/* answered: what the caller gets */
	unsigned long		auth_deadline;	/* jiffies: he waits no longer */
	bool			rekey_due, rekey_ask;	/* as soon as there is a spare; the peer shall follow */
	bool			rx_update;	/* mainline: KeyUpdate came, no record is opened before new keys */
	bool			no_pad, zerocopy;	/* mainline: hints, kept to be asked for */
	bool			tx_pending;	/* ciphertext waits in txs; read without the lock */
	bool			rx_ready;	/* TCP's queue has a whole record, or worse; read without the lock */
	u8			ntickets;
	u8			tx_spares, rx_spares;	/* as many as there were when the agent had filled up */
	u16			rx_part_len;
	u8			*rx_part;	/* handshake messages whose end is in records to come */
	struct ktls_own		*own;		/* mainline: keys as the application gave them */

	struct ktls_upcall	*upcall;	/* handshake or record; freed by RCU */
	struct ktls_upcall	*spare;
	struct ktls_upcall	*request;	/* of a listener: what its sockets ask for */
	struct list_head	tickets;	/* ktls_upcall.sibling */
	void			*state;		/* agent state, wiped with the keys */
	void			*info;		/* KTLS_I_* of the agent */
	u16			state_len, info_len;
	u16			suite;		/* IANA, as the agent said */
	u16			tx_limit;	/* plaintext per record, as the peer asked; 0: the protocol's */
	u16			rx_limit;	/* and as it was told */
	u16			tx_pad;		/* TLS 1.3: records are filled up to a multiple of it; 0: they aren't */
	char			*reason;

	struct ktls_counters __percpu *counters;	/* the namespace's */
	struct list_head	node;		/* ktls_net.sessions, under its lock */
	u64			serial;		/* order in that list */
	struct sock		*sk;
	struct rcu_head		rcu;
};

static inline struct ktls_sock *ktls_get(const struct sock *sk)
{
	return (__force struct ktls_sock *)READ_ONCE(inet_csk(sk)->icsk_ulp_data);
}

/* ---- sock.c: all with the socket lock unless said otherwise */

/* End a session or handshake for good: phase dead, keys wiped, readers and writers woken with @err.
 * The first reason stays. Sends no alert: the caller has, where it can. @reason may be NULL. */
void ktls_fail(struct sock *sk, int err, u8 alert, enum ktls_alert_from from, const char *reason);
/* Handshake over: phase open, proto table switched, callers woken. */
void ktls_opened(struct sock *sk);
/* Switch proto and proto_ops by ks->phase and keys. */
void ktls_use_protos(struct sock *sk);
/* 0, or why no records flow: EINVAL no handshake yet, EBUSY one is under way, or what killed the session. */
int ktls_must_be_open(const struct ktls_sock *ks);

/* ---- proto.c */
/* An option that is a word of flags. 0, -EFAULT, or -EINVAL for any that isn't among @allowed. */
int ktls_flags_get(sockptr_t optval, unsigned int optlen, u32 allowed, u32 *ret);
bool ktls_nonblock(const struct sock *sk);	/* in a socket call: the file's O_NONBLOCK */

/* ---- record/: the calls that sock.c puts into the tables of an open session. A direction without keys goes to TCP.
 * proto_ops there: sendmsg_locked, sendpage_locked, read_sock, read_skb,
 * peek_len NULL and mmap sock_no_mmap, since TCP's own would pass by the record layer. */
int ktls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int ktls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len);
ssize_t ktls_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags);
__poll_t ktls_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait);
bool ktls_is_readable(struct sock *sk);
int ktls_set_rcvlowat(struct sock *sk, int val);
int ktls_ioctl_inq(struct sock *sk);		/* FIONREAD: plaintext bytes at hand; takes the lock itself */
int ktls_shutdown(struct socket *sock, int how);	/* takes the lock itself */
#ifdef KTLS_HAVE_SENDPAGE
int ktls_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags);
#endif
#ifdef KTLS_HAVE_SPLICE_EOF
void ktls_splice_eof(struct socket *sock);
#endif
void ktls_data_ready(struct sock *sk);		/* phase open; softirq or process context */
void ktls_write_space(struct sock *sk);

/* ---- record/half.c */
/* Build a half from keys: may sleep, no lock. -ENOENT: the running kernel lacks the cipher. */
int ktls_half_init(struct ktls_half *half, const struct ktls_keys *keys);
/* Version and cipher exist and go together. */
bool ktls_keys_valid(const struct ktls_keys *keys);
/* @new, made from the first of *@spares, takes @half's place; the old key and both sources are wiped. */
void ktls_half_renew(struct ktls_half *half, struct ktls_half *new, struct ktls_keys **spares);
unsigned int ktls_spares_count(const struct ktls_keys *spares);
void ktls_spares_free(struct ktls_keys **spares);
/* Ask the agent for spares if a direction has less than half of what it had. */
void ktls_spares_ask(struct sock *sk);
void ktls_half_wipe(struct ktls_half *half);	/* fine on an empty one */
/* Free rxs, txs and both halves and spares: at close, failure, detach. */
void ktls_record_free(struct ktls_sock *ks);

/* ---- record/half.c: at module load and unload */
int ktls_record_init(void);
void ktls_record_exit(void);

/* ---- record/tx.c */
/* Seal and queue one control record under the current TX keys; best effort if TCP is full:
 * it waits in txs and goes out first. */
int ktls_tx_control(struct sock *sk, u8 type, const void *data, size_t len);
int ktls_tx_alert(struct sock *sk, u8 level, u8 description);
/* Seal what is open and a close_notify behind it. 0 or -errno: try again. */
int ktls_tx_end(struct sock *sk);
/* At close, before base->close: the open record, what waits and a close_notify go to TCP, which takes them
 * whatever its buffer limit says. Never sleeps for memory. */
void ktls_tx_finish(struct sock *sk);

/* ---- record/rekey.c */
int ktls_rekey_setsockopt(struct sock *sk, sockptr_t optval, unsigned int optlen);
/* A key update of ours, @ask: the peer shall follow. -EINPROGRESS: as soon as the agent has sent a spare. */
int ktls_rekey(struct sock *sk, bool ask);
/* After a response: do what waited for its spare. */
void ktls_rekey_resume(struct sock *sk);

/* ---- record/rx.c */
/* On to the peer's close_notify: 0. -EBUSY: plaintext comes first, and stays. */
int ktls_rx_end(struct sock *sk, long timeo);
/* After a response: go on with what the queue holds, wake readers. */
void ktls_rx_resume(struct sock *sk);
/*
 * The record that was held, if it is a KeyUpdate: what the agent gave no key
 * for is done with the spares that it has sent meanwhile. 0 or -errno.
 */
int ktls_rx_held_update(struct sock *sk, const u8 *p, size_t len, bool has_rx, bool has_tx);
/* Likewise, if the agent will see it together with the messages behind it. 0 or -errno: the session has failed. */
int ktls_rx_held_more(struct sock *sk, const u8 *p, size_t len);
/* Before close: take what is unread and not data out of the queue, so that TCP sends FIN. Unread
 * data makes it RST as in plain TCP, also where it is decrypted already. */
void ktls_rx_drain(struct sock *sk);

/* ---- mainline.c: linux/tls.h's options under our ULP */
int ktls_mainline_setsockopt(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen);
int ktls_mainline_getsockopt(struct sock *sk, int optname, char __user *optval, int __user *optlen);
/* The session's keys go: wipe what is kept of them, count them out. */
void ktls_mainline_free(struct ktls_sock *ks);

/* ---- dropin.c: module parameter drop_in, ULP "tls" beside "ktls" */
int ktls_dropin_init(void);
void ktls_dropin_exit(void);

/* ---- upcall.c */
/* From the record layer, phase open, process context: @data is copied. A record or a spare that the agent has not
 * answered yet, or a fifth ticket: -EBUSY. */
int ktls_upcall_record(struct sock *sk, enum ktls_why why, u8 type, const void *data, size_t len);

/* ---- stat.c */
#define KTLS_STATS(X)			\
	X(CurrSockets)			\
	X(CurrSessions)			\
	X(CurrUpcalls)			\
	X(CurrChannels)			\
	X(HandshakesStarted)		\
	X(HandshakesDone)		\
	X(HandshakesFailed)		\
	X(HandshakesTimedOut)		\
	X(HandshakesNoAgent)		\
	X(UpcallsRefused)		\
	X(AgentsLost)			\
	X(TxRecords)			\
	X(TxBytes)			\
	X(TxStraight)			\
	X(TxInPlace)			\
	X(RxRecords)			\
	X(RxBytes)			\
	X(RxStraight)			\
	X(RxDecryptErrors)		\
	X(RxTruncated)			\
	X(RxControl)			\
	X(TxAlerts)			\
	X(RxAlerts)			\
	X(TxRekeys)			\
	X(RxRekeys)			\
	X(CurrTxByApp)			\
	X(CurrRxByApp)			\
	X(TxByApp)			\
	X(RxByApp)			\
	X(RxRekeysDue)			\
	X(TxRekeyErrors)		\
	X(RxRekeyErrors)

enum ktls_stat {
#define X(name) KTLS_STAT_##name,
	KTLS_STATS(X)
#undef X
	KTLS_STAT_NUM
};

struct ktls_counters {
	long	n[KTLS_STAT_NUM];
};

void ktls_stat_add(const struct sock *sk, enum ktls_stat stat, long n);

static inline void ktls_stat_lent(const struct ktls_sock *ks, long bytes)
{
	this_cpu_add(ks->counters->n[KTLS_STAT_TxInPlace], bytes);
}

/* One record, @bytes in the counter behind it, @straight in the next. */
static inline void ktls_stat_record(const struct ktls_sock *ks, enum ktls_stat records, long bytes, long straight)
{
	this_cpu_inc(ks->counters->n[records]);
	this_cpu_add(ks->counters->n[records + 1], bytes);
	if (straight)
		this_cpu_add(ks->counters->n[records + 2], straight);
}

#endif
