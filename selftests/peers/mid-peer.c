// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mid-peer openssl|gnutls client|server PORT FILE EVERY CERT [KEY]
 * A peer that isn't ours: sends FILE while it receives the same, and after
 * each EVERY bytes sent changes its keys (every second time it wants the
 * peer's changed, too); as a server it sends a ticket as well. CERT: the chain,
 * or the client's authorities. Status 0: FILE came whole, then a close_notify.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gnutls/gnutls.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define NAME	"example.org"
#define CHUNK	9000		/* so that records and the peer's pieces differ */
#define MINUTES	5

enum { AGAIN = 0, OVER = -1 };

/* Each dies of an error itself. */
struct lib {
	const char *name;
	void (*handshake)(int fd, bool server, const char *cert, const char *key);
	ssize_t (*write)(const void *bytes, size_t len);	/* > 0 or AGAIN */
	ssize_t (*read)(void *bytes, size_t size);		/* > 0, AGAIN or OVER */
	bool (*update)(bool wanted);				/* false: not now */
	bool (*ticket)(void);
	void (*close)(void);
};

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- OpenSSL */

static SSL *ssl;

static void ssl_die(const char *what)
{
	ERR_print_errors_fp(stderr);
	die("openssl: %s", what);
}

static void ssl_handshake(int fd, bool server, const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (server && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		       SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		ssl_die(cert);
	if (!server && SSL_CTX_load_verify_file(ctx, cert) != 1)
		ssl_die(cert);
	ssl = SSL_new(ctx);
	if (!server) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		SSL_set1_host(ssl, NAME);
		SSL_set_tlsext_host_name(ssl, NAME);
	}
	SSL_set_fd(ssl, fd);
	if ((server ? SSL_accept(ssl) : SSL_connect(ssl)) != 1)
		ssl_die("handshake");
}

static ssize_t ssl_result(int n, const char *what)
{
	int err = n > 0 ? 0 : SSL_get_error(ssl, n);

	if (n > 0)
		return n;
	if (err == SSL_ERROR_ZERO_RETURN)
		return OVER;
	if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
		ssl_die(what);
	return AGAIN;
}

static ssize_t ssl_write(const void *bytes, size_t len)
{
	return ssl_result(SSL_write(ssl, bytes, len), "writing");
}

static ssize_t ssl_read(void *bytes, size_t size)
{
	return ssl_result(SSL_read(ssl, bytes, size), "reading");
}

static bool ssl_update(bool wanted)
{
	if (SSL_get_key_update_type(ssl) != SSL_KEY_UPDATE_NONE)
		return false;
	return SSL_key_update(ssl, wanted ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
}

static bool ssl_ticket(void)
{
	return SSL_new_session_ticket(ssl);
}

static void ssl_close(void)
{
	if (SSL_shutdown(ssl) < 0)
		ssl_die("closing");
}

/* ---- GnuTLS */

static gnutls_session_t tls;
static int tls_fd;

static void tls_check(int err, const char *what)
{
	if (err < 0)
		die("gnutls: %s: %s", what, gnutls_strerror(err));
}

static bool later(int err)
{
	return err == GNUTLS_E_AGAIN || err == GNUTLS_E_INTERRUPTED;
}

static void tls_handshake(int fd, bool server, const char *cert, const char *key)
{
	gnutls_certificate_credentials_t cred;
	gnutls_datum_t seal;
	int err;

	gnutls_certificate_allocate_credentials(&cred);
	if (server)
		tls_check(gnutls_certificate_set_x509_key_file(cred, cert, key, GNUTLS_X509_FMT_PEM), cert);
	else
		tls_check(gnutls_certificate_set_x509_trust_file(cred, cert, GNUTLS_X509_FMT_PEM), cert);
	gnutls_init(&tls, server ? GNUTLS_SERVER : GNUTLS_CLIENT);
	tls_check(gnutls_priority_set_direct(tls, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL), "priority");
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred);
	if (server) {
		gnutls_session_ticket_key_generate(&seal);
		gnutls_session_ticket_enable_server(tls, &seal);
	} else {
		gnutls_server_name_set(tls, GNUTLS_NAME_DNS, NAME, strlen(NAME));
		gnutls_session_set_verify_cert(tls, NAME, 0);
	}
	gnutls_handshake_set_timeout(tls, MINUTES * 60000);
	gnutls_transport_set_int(tls, fd);
	tls_fd = fd;
	do
		err = gnutls_handshake(tls);
	while (err < 0 && !gnutls_error_is_fatal(err));
	tls_check(err, "handshake");
}

static ssize_t tls_write(const void *bytes, size_t len)
{
	ssize_t n = gnutls_record_send(tls, bytes, len);

	if (later(n))
		return AGAIN;
	tls_check(n, "writing");
	return n;
}

static ssize_t tls_read(void *bytes, size_t size)
{
	ssize_t n = gnutls_record_recv(tls, bytes, size);

	if (later(n))
		return AGAIN;
	tls_check(n, "reading");
	return n ? n : OVER;
}

/* It wants to be called again until it is done. */
static void tls_repeat(int (*call)(bool), bool arg, const char *what)
{
	struct pollfd p = { .fd = tls_fd, .events = POLLOUT };
	int err;

	while (later(err = call(arg)))
		if (poll(&p, 1, MINUTES * 60000) != 1)
			die("gnutls: %s takes too long", what);
	tls_check(err, what);
}

static int update_call(bool wanted)
{
	return gnutls_session_key_update(tls, wanted ? GNUTLS_KU_PEER : 0);
}

static int ticket_call(bool unused)
{
	(void)unused;
	return gnutls_session_ticket_send(tls, 1, 0);
}

static int close_call(bool unused)
{
	(void)unused;
	return gnutls_bye(tls, GNUTLS_SHUT_WR);
}

static bool tls_update(bool wanted)
{
	tls_repeat(update_call, wanted, "update");
	return true;
}

static bool tls_ticket(void)
{
	tls_repeat(ticket_call, false, "ticket");
	return true;
}

static void tls_close(void)
{
	tls_repeat(close_call, false, "closing");
}

static const struct lib libs[] = {
	{ "openssl", ssl_handshake, ssl_write, ssl_read, ssl_update, ssl_ticket, ssl_close },
	{ "gnutls", tls_handshake, tls_write, tls_read, tls_update, tls_ticket, tls_close },
};

/* ---- the transfer */

struct transfer {
	const struct lib *lib;
	bool server;
	const char *bytes;
	size_t len, every;
	size_t sent, received, mark;	/* mark: where the next update comes */
	size_t pending;			/* what the last write, repeated, must have */
	unsigned int updates, tickets;
	bool closed, over;
};

static void post(struct transfer *t)
{
	if (t->sent < t->mark || t->pending)
		return;
	if (t->server && t->tickets == t->updates && t->lib->ticket())
		t->tickets++;
	if (!t->lib->update(t->updates % 2))
		return;
	t->updates++;
	t->mark += t->every;
}

static void give(struct transfer *t)
{
	ssize_t n;

	if (t->closed)
		return;
	if (t->sent == t->len) {
		t->lib->close();
		t->closed = true;
		return;
	}
	post(t);
	if (!t->pending)
		t->pending = t->len - t->sent < CHUNK ? t->len - t->sent : CHUNK;
	n = t->lib->write(t->bytes + t->sent, t->pending);
	if (n <= 0)
		return;
	t->sent += n;
	t->pending = 0;
}

static bool take(struct transfer *t)
{
	char buf[16384];
	ssize_t n = t->over ? AGAIN : t->lib->read(buf, sizeof(buf));

	if (n == OVER)
		t->over = true;
	if (n <= 0)
		return false;
	if ((size_t)n > t->len - t->received || memcmp(buf, t->bytes + t->received, n))
		die("wrong bytes after %zu", t->received);
	t->received += n;
	return true;
}

static void run(struct transfer *t, int fd)
{
	struct pollfd p = { .fd = fd };

	while (!t->over || !t->closed) {
		p.events = POLLIN | (t->closed ? 0 : POLLOUT);
		if (poll(&p, 1, MINUTES * 60000) != 1)
			die("nothing happens after %zu sent, %zu received", t->sent, t->received);
		/* As much as it sends: neither side is through long before the other. */
		while (take(t) && t->closed)
			;
		give(t);
	}
	if (t->received != t->len)
		die("%zu of %zu bytes", t->received, t->len);
}

static int reach(bool server, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, little = 65536, fd = socket(AF_INET, SOCK_STREAM, 0), conn = fd;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!server && connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect: %s", strerror(errno));
	if (server && (bind(fd, (struct sockaddr *)&to, sizeof(to)) || listen(fd, 1) ||
		       (conn = accept(fd, NULL, NULL)) < 0))
		die("listen: %s", strerror(errno));
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return conn;
}

int main(int argc, char **argv)
{
	struct transfer t = { .lib = argc > 1 && !strcmp(argv[1], "gnutls") ? &libs[1] : &libs[0] };
	struct stat st;
	int fd, file;

	if (argc < 7)
		die("usage: mid-peer openssl|gnutls client|server PORT FILE EVERY CERT [KEY]");
	t.server = !strcmp(argv[2], "server");
	file = open(argv[4], O_RDONLY);
	if (file < 0 || fstat(file, &st))
		die("%s: %s", argv[4], strerror(errno));
	t.len = st.st_size;
	t.every = t.mark = atoi(argv[5]);
	t.bytes = mmap(NULL, t.len, PROT_READ, MAP_PRIVATE, file, 0);
	fd = reach(t.server, atoi(argv[3]));
	t.lib->handshake(fd, t.server, argv[6], argv[7]);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	run(&t, fd);
	printf("%u updates, %u tickets\n", t.updates, t.tickets);
	return 0;
}
