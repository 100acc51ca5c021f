// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that a listener with the ULP accepts.
 *
 * TCP copies a listener in softirq, ULP and tables included, for each
 * connection: the copy gets a module reference of its own and the table of
 * queued sockets, whose calls all fail, and nothing is allocated. If it is
 * never accepted, TCP destroys it and the ULP's reference with it. accept()
 * makes the session and begins the handshake. So a socket that misses its
 * session for any reason never speaks plain text.
 */
#include <linux/module.h>
#include "upcall.h"

/*
 * @newsk is a copy, down to the pointer to the listener's session. RCU
 * protects that: packets are handled in it, the listener's lock is not held.
 */
void ktls_clone(const struct request_sock *req, struct sock *newsk, const gfp_t priority)
{
	const struct ktls_sock *ks = ktls_get(newsk);

	__module_get(THIS_MODULE);
	rcu_assign_pointer(inet_csk(newsk)->icsk_ulp_data, NULL);
	ktls_proto_queued(newsk);
	if (!ks)
		return;		/* closed meanwhile; ktls_attach_child() will see our callbacks */
	newsk->sk_data_ready = ks->data_ready;
	newsk->sk_write_space = ks->write_space;
	newsk->sk_state_change = ks->state_change;
	newsk->sk_error_report = ks->error_report;
}

/* What the listener's owner asked for, for one more socket; NULL: nothing. */
static struct ktls_upcall *request_of(struct sock *listener)
{
	struct ktls_upcall *request, *u;

	lock_sock(listener);
	request = ktls_get(listener)->request;
	if (request)
		refcount_inc(&request->ref);
	release_sock(listener);
	if (!request)
		return NULL;
	u = ktls_upcall_again(request);
	ktls_upcall_put(request);
	return u ?: ERR_PTR(-ENOMEM);
}

/* The peer may have ended the connection in the queue; then its error stays. */
static void begin(struct sock *sk, struct ktls_upcall *u)
{
	if (sk->sk_state == TCP_CLOSE)
		ktls_fail(sk, -(sk->sk_err ?: ECONNRESET), 0, KTLS_ALERT_FROM_NONE,
			  "the connection ended before it was accepted");
	else
		ktls_begin(sk, KTLS_ROLE_SERVER, u);
}

static int adopt(struct sock *listener, struct sock *sk)
{
	struct ktls_upcall *u = request_of(listener);
	int err;

	if (IS_ERR(u))
		return PTR_ERR(u);
	lock_sock(sk);
	err = ktls_attach_child(sk, ktls_get(listener));
	if (!err && u)
		begin(sk, u);
	release_sock(sk);
	if (u)
		ktls_upcall_put(u);
	return err;
}

/* When this fails, the caller closes @newsock. */
int ktls_accept(struct socket *sock, struct socket *newsock, KTLS_ACCEPT_PARAMS)
{
	int err = ktls_get(sock->sk)->base_ops->accept(sock, newsock, KTLS_ACCEPT_ARGS);

	return err ?: adopt(sock->sk, newsock->sk);
}
