// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's handshake on a plain TCP socket, with application records in
 * user space, so that nothing of the kernel's TLS is needed to try it against
 * other implementations. A server echoes what it reads (and answers a GET as
 * an HTTP server would); a client sends a line and waits for an answer. Each
 * connection that succeeds prints one line of what was agreed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "handshake/alert.h"
#include "handshake/hs.h"
#include "handshake/suite.h"
#include "rng/rng.h"

#define RECORD (5 + 16384 + 256)
enum { ALERT = 21, HANDSHAKE = 22, DATA = 23 };
enum { KEY_UPDATE = 24 };

struct options {
	bool server, update;
	const char *host, *port, *chain, *key, *ca, *name, *message, *expect;
	int count;
	uint16_t ciphers[8], groups[8];
	size_t ciphers_num, groups_num, shares;
	uint8_t alpn[256];
	size_t alpn_len;
	bool no_compatibility, require;
	size_t tickets;
	const char *ticket_in, *ticket_out;
	char *psk_name;
	uint8_t psk[64];
	size_t psk_len;
	bool import;
	bool grease, cookie;
	size_t pad;
	uint16_t max_fragment;
};

struct peer {
	const struct options *o;
	struct hs_params params;
	struct identity identity;
	struct crypto_key *key;
	struct x509_store *trust;
	int fd;
	struct hs_traffic tx, rx;
	const struct crypto_aead *aead;
	const struct crypto_hash *hash;
	struct hs_ticket_keys ticket_keys, cookie_keys;
	struct hs_ticket ticket;	/* the client's, for this connection and from it */
	struct hs_psk psk;
	uint16_t suite;
	uint8_t resumption[CRYPTO_MAX_DIGEST];
	struct hs_peer who;
	uint8_t record[RECORD], plain[RECORD];
};

/* ---- the socket */

static bool write_all(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= (size_t)n) {
		n = write(fd, p, len);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool read_all(int fd, uint8_t *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= (size_t)n) {
		n = read(fd, p, len);
		if (n <= 0)
			return false;
	}
	return true;
}

static int connect_to(const struct options *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	int fd;

	if (getaddrinfo(o->host, o->port, &hints, &ai))
		errx(1, "%s: no such host", o->host);
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen))
		err(1, "%s:%s", o->host, o->port);
	freeaddrinfo(ai);
	return fd;
}

static int listen_on(const struct options *o)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(o->port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16))
		err(1, "port %s", o->port);
	return fd;
}

/* ---- records of application data */

static bool send_record(struct peer *p, uint8_t type, const void *data, size_t len)
{
	uint8_t *r = p->record, nonce[12];
	size_t body = len + 1 + p->aead->tag;

	memcpy(nonce, p->tx.iv, 12);
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(p->tx.seq >> 8 * i);
	r[0] = DATA;
	r[1] = r[2] = 3;
	r[3] = (uint8_t)(body >> 8);
	r[4] = (uint8_t)body;
	memmove(r + 5, data, len);
	r[5 + len] = type;
	p->aead->seal(p->tx.key, nonce, r, 5, r + 5, len + 1, r + 5);
	p->tx.seq++;
	return write_all(p->fd, r, 5 + body);
}

/* Length of the content and its type; -1: the connection is over or broken. */
static ssize_t recv_record(struct peer *p, uint8_t *type)
{
	uint8_t *r = p->record, nonce[12];
	size_t len;

	if (!read_all(p->fd, r, 5))
		return -1;
	len = (size_t)(r[3] << 8 | r[4]);
	if (r[0] != DATA || len > RECORD - 5 || len <= p->aead->tag || !read_all(p->fd, r + 5, len))
		return -1;
	memcpy(nonce, p->rx.iv, 12);
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(p->rx.seq >> 8 * i);
	if (p->aead->open(p->rx.key, nonce, r, 5, r + 5, len, p->plain))
		return -1;
	p->rx.seq++;
	len -= p->aead->tag;
	while (len && !p->plain[len - 1])
		len--;
	if (!len)
		return -1;
	*type = p->plain[len - 1];
	return (ssize_t)len - 1;
}

static void close_notify(struct peer *p)
{
	send_record(p, ALERT, "\1\0", 2);
}

static bool update_tx(struct peer *p, uint8_t ask)
{
	const uint8_t msg[] = { KEY_UPDATE, 0, 0, 1, ask };

	if (!send_record(p, HANDSHAKE, msg, sizeof(msg)))
		return false;
	hs_traffic_update(&p->tx, p->hash, p->aead);
	return true;
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(data, len, 1, f) != 1 || fclose(f))
		err(1, "%s", path);
}

/* The last ticket of a connection is kept. */
static bool read_ticket(struct peer *p, size_t len)
{
	struct hs_ticket t = { 0 };
	int e = hs_ticket_read(p->suite, p->resumption, (uint64_t)time(NULL), p->plain, len, &t);

	if (e && e != -ENOENT)
		return false;
	t.peer = p->who;
	printf("ticket of %u bytes for %u seconds\n", t.len, t.lifetime);
	fflush(stdout);
	if (!e && p->o->ticket_out)
		write_file(p->o->ticket_out, &t, sizeof(t));
	return true;
}

/* More than one message may share a record. */
static bool read_messages(struct peer *p, size_t len)
{
	size_t one;

	for (; len >= 4 && p->plain[0] == 4; len -= one) {
		one = 4 + (size_t)(p->plain[1] << 16 | p->plain[2] << 8 | p->plain[3]);
		if (one > len || !read_ticket(p, one))
			return false;
		memmove(p->plain, p->plain + one, len - one);
	}
	return true;
}

/* The next application data; 0 at close_notify, -1 otherwise. */
static ssize_t recv_data(struct peer *p)
{
	uint8_t type;
	ssize_t n;

	for (;;) {
		n = recv_record(p, &type);
		if (n < 0)
			return -1;
		if (type == DATA && n)
			return n;
		if (type == ALERT)
			return n == 2 && p->plain[1] == ALERT_CLOSE_NOTIFY ? 0 : -1;
		if (type == HANDSHAKE && !read_messages(p, (size_t)n))
			return -1;
		if (type != HANDSHAKE || n != 5 || p->plain[0] != KEY_UPDATE)
			continue;
		printf("peer updated its keys\n");
		fflush(stdout);
		hs_traffic_update(&p->rx, p->hash, p->aead);
		if (p->plain[4] && !update_tx(p, 0))
			return -1;
	}
}

/* ---- the handshake */

static int sign(struct peer *p, struct hs *hs)
{
	const struct hs_sign *s = hs_sign_wanted(hs);
	uint8_t sig[CRYPTO_MAX_SIGNATURE];
	size_t len;

	if (s->scheme->sign(p->key, s->scheme->hash, s->tbs, s->len, sig, &len))
		return hs_abort(hs, ALERT_INTERNAL_ERROR, "could not sign");
	return hs_signed(hs, sig, len);
}

static bool flush(struct peer *p, struct hs *hs)
{
	size_t len;
	const uint8_t *out = hs_output(hs, &len);
	bool ok = write_all(p->fd, out, len);

	hs_sent(hs, len);
	return ok;
}

static int step(struct peer *p, struct hs *hs)
{
	uint8_t buf[4096];
	size_t want = hs_want(hs);
	ssize_t n;

	if (hs_state(hs) == HS_SIGN)
		return sign(p, hs);
	n = read(p->fd, buf, want < sizeof(buf) ? want : sizeof(buf));
	if (n <= 0)
		return -ECONNRESET;
	return hs_input(hs, buf, (size_t)n);
}

static void report(const struct hs *hs)
{
	const struct hs_result *r = hs_result(hs);
	const struct crypto_scheme *scheme = crypto_scheme_find(r->scheme);
	uint8_t binding[32];

	printf("done suite %s group %s scheme %s name %s alpn [%.*s] peer %zu verified %d retried %d resumed %d psk %s limit %u binding ",
	       suite_by_id(r->suite)->name, group_by_id(r->group)->name, scheme ? scheme->name : "none",
	       r->server_name[0] ? r->server_name : "-", (int)r->alpn_len, (const char *)r->alpn,
	       r->peer_num, r->peer_verified, r->retried, r->resumed, r->psk ? r->psk->name : "-", r->tx_limit);
	hs_export(r, "EXPORTER-Channel-Binding", NULL, 0, binding, sizeof(binding));
	for (size_t i = 0; i < sizeof(binding); i++)
		printf("%02X", binding[i]);
	putchar('\n');
	fflush(stdout);
}

static bool handshake(struct peer *p)
{
	struct hs *hs;
	int e;

	p->params.now = time(NULL);
	hs = hs_new(&p->params);
	if (!hs)
		errx(1, "out of memory");
	e = hs_start(hs);
	while (!e && hs_state(hs) != HS_DONE) {
		flush(p, hs);
		e = step(p, hs);
	}
	flush(p, hs);
	if (e) {
		printf("failed at %s: %s\n", hs_step_name(hs), hs_why(hs)[0] ? hs_why(hs) : strerror(-e));
		fflush(stdout);
	} else {
		report(hs);
		p->tx = hs_result(hs)->tx;
		p->rx = hs_result(hs)->rx;
		p->aead = hs_result(hs)->aead;
		p->hash = hs_result(hs)->hash;
		p->suite = hs_result(hs)->suite;
		p->who = hs_result(hs)->who;
		memcpy(p->resumption, hs_result(hs)->resumption, sizeof(p->resumption));
	}
	hs_free(hs);
	return !e;
}

/* ---- what is said afterwards */

static void serve(struct peer *p)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n\r\n"
				     "hello from hs-peer\n";
	ssize_t n;

	while ((n = recv_data(p)) > 0) {
		if (!memcmp(p->plain, "GET ", 4)) {
			send_record(p, DATA, answer, sizeof(answer) - 1);
			break;
		}
		if (p->o->update && !update_tx(p, 1))
			return;
		if (!send_record(p, DATA, p->plain, (size_t)n))
			return;
	}
	close_notify(p);
}

static bool talk(struct peer *p)
{
	char got[65536] = "";
	size_t len = 0;
	ssize_t n;

	if (p->o->update && !update_tx(p, 1))
		return false;
	snprintf(got, sizeof(got), "%s\n", p->o->message);
	if (!send_record(p, DATA, got, strlen(got)))
		return false;
	got[0] = 0;
	while (!strstr(got, p->o->expect) && (n = recv_data(p)) > 0) {
		if (len + (size_t)n >= sizeof(got))
			return false;
		memcpy(got + len, p->plain, (size_t)n);
		len += (size_t)n;
		got[len] = 0;
	}
	close_notify(p);
	return strstr(got, p->o->expect);
}

static int run_server(struct peer *p)
{
	int listener = listen_on(p->o), fd;

	for (int i = 0; !p->o->count || i < p->o->count; i++) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		p->fd = fd;
		if (handshake(p))
			serve(p);
		shutdown(fd, SHUT_WR);
		/* A reset would take away what the peer has not read yet. */
		while (read(fd, p->plain, sizeof(p->plain)) > 0)
			;
		close(fd);
	}
	return 0;
}

static int run_client(struct peer *p)
{
	p->fd = connect_to(p->o);
	if (!handshake(p))
		return 1;
	if (!talk(p)) {
		printf("no \"%s\" came back\n", p->o->expect);
		return 2;
	}
	return 0;
}

/* ---- setting up */

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *buf = calloc(1, 1 << 20);

	if (!f || !buf)
		err(1, "%s", path);
	*len = fread(buf, 1, (1 << 20) - 1, f);
	fclose(f);
	return buf;
}

static void load_identity(struct peer *p)
{
	struct identity *id = &p->identity;
	const struct x509_blob *spki;
	struct crypto_pubkey pub;
	size_t len;
	char *text = slurp(p->o->chain, &len);

	if (x509_pem_read(text, len, id->chain, X509_MAX_CHAIN, &id->num) || !id->num)
		errx(1, "%s: no certificate", p->o->chain);
	free(text);
	text = slurp(p->o->key, &len);
	if (crypto_key_load((uint8_t *)text, len, &p->key))
		errx(1, "%s: no private key", p->o->key);
	free(text);
	spki = x509_cert_spki(id->chain[0]);
	if (crypto_pubkey_parse(spki->data, spki->len, &pub))
		errx(1, "%s: unknown kind of key", p->o->chain);
	id->name = (char *)"hs-peer";
	id->key_type = pub.type;
	id->key_bits = pub.bits;
	crypto_pubkey_free(&pub);
}

static int choose(void *arg, const char *name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why)
{
	struct peer *p = arg;

	(void)schemes;
	(void)num;
	if (name && name[0] && p->o->name && strcmp(name, p->o->name)) {
		*why = "the client wants another name";
		return ALERT_UNRECOGNIZED_NAME;
	}
	*ret = &p->identity;
	return 0;
}

static const struct hs_psk *find_psk(void *arg, const uint8_t *name, size_t len)
{
	const struct peer *p = arg;

	return len == strlen(p->psk.name) && !memcmp(name, p->psk.name, len) ? &p->psk : NULL;
}

static void fill_psk(struct peer *p)
{
	const struct options *o = p->o;
	size_t len;
	char *text;

	if (o->server && o->tickets) {
		p->ticket_keys.num = 1;
		rng_fill(RNG_KEY, &p->ticket_keys.key[0], sizeof(p->ticket_keys.key[0]));
		p->params.ticket_keys = &p->ticket_keys;
	}
	p->params.tickets = o->tickets;
	p->params.ticket_lifetime = 3600;
	if (o->ticket_in) {
		text = slurp(o->ticket_in, &len);
		if (len != sizeof(p->ticket))
			errx(1, "%s: no ticket", o->ticket_in);
		memcpy(&p->ticket, text, len);
		free(text);
		p->params.ticket = &p->ticket;
	}
	if (!o->psk_name)
		return;
	p->psk = (struct hs_psk){ o->psk_name, o->psk, o->psk_len, &crypto_sha256, o->import };
	if (o->server)
		p->params.find_psk = find_psk;
	else
		p->params.psk = &p->psk;
}

static void fill_params(struct peer *p)
{
	const struct options *o = p->o;
	size_t num;

	p->params = (struct hs_params){
		.role = o->server ? HS_SERVER : HS_CLIENT,
		.server_name = o->server ? NULL : o->name,
		.alpn = o->alpn, .alpn_len = o->alpn_len,
		.ciphers = o->ciphers_num ? o->ciphers : NULL, .ciphers_num = o->ciphers_num,
		.groups = o->groups_num ? o->groups : NULL, .groups_num = o->groups_num,
		.shares = o->shares, .compatibility = !o->no_compatibility,
		.rsa_min_bits = 2048, .insecure = !o->ca,
		.grease = o->grease, .pad = o->pad, .max_fragment = o->max_fragment,
		.client_auth = !o->server || !o->ca ? HS_AUTH_NONE : o->require ? HS_AUTH_REQUIRE : HS_AUTH_ASK,
		.choose = choose, .arg = p,
	};
	fill_psk(p);
	if (o->cookie) {
		p->cookie_keys.num = 1;
		rng_fill(RNG_KEY, &p->cookie_keys.key[0], sizeof(p->cookie_keys.key[0]));
		p->params.cookie_keys = &p->cookie_keys;
	}
	if (o->chain) {
		load_identity(p);
		p->params.identity = &p->identity;
	}
	if (o->ca) {
		p->trust = x509_store_new();
		if (!p->trust || x509_store_add_file(p->trust, o->ca, &num))
			errx(1, "%s: no certificates", o->ca);
		p->params.trust = p->trust;
	}
}

static size_t numbers(char *list, uint16_t *out)
{
	size_t n = 0;

	for (char *s = strtok(list, ","); s && n < 8; s = strtok(NULL, ","))
		out[n++] = (uint16_t)atoi(s);
	return n;
}

static size_t protocols(char *list, uint8_t *out)
{
	size_t n = 0, len;

	for (char *s = strtok(list, ","); s && n + strlen(s) < 255; s = strtok(NULL, ",")) {
		len = strlen(s);
		out[n++] = (uint8_t)len;
		memcpy(out + n, s, len);
		n += len;
	}
	return n;
}

/* NAME:HEX */
static void parse_psk(struct options *o, char *text)
{
	char *hex = strchr(text, ':');
	unsigned int byte;

	if (!hex)
		errx(64, "-P wants NAME:HEX");
	*hex++ = 0;
	o->psk_name = text;
	for (; o->psk_len < sizeof(o->psk) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		o->psk[o->psk_len++] = (uint8_t)byte;
}

static const char usage[] =
	"hs-peer -s -p PORT -c CHAIN -k KEY [-n NAME] [-N COUNT] | hs-peer -h HOST -p PORT [-n NAME]\n"
	"  -A CA: verify the peer (server: ask for a certificate, with -R require one)\n"
	"  -e 51,52,54: TLS_CIPHER numbers  -g 29,23: groups  -S NUM: key shares  -a h2,http/1.1: ALPN\n"
	"  -m MESSAGE -x EXPECTED: client  -u: update keys before each message  -M: no compatibility mode\n"
	"  -T NUM: tickets to give or to ask for  -O FILE: keep one  -I FILE: resume by it\n"
	"  -P NAME:HEX: a pre-shared key, with -i imported (RFC 9258)\n"
	"  -G: GREASE  -D BYTES: pad the ClientHello  -F 512|1024|2048|4096: max_fragment_length  -C: cookie in a retry";

static void parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "sp:h:c:k:A:n:N:e:g:S:a:m:x:uMRT:O:I:P:iGCD:F:")) != -1)
		switch (c) {
		case 's': o->server = true; break;
		case 'p': o->port = optarg; break;
		case 'h': o->host = optarg; break;
		case 'c': o->chain = optarg; break;
		case 'k': o->key = optarg; break;
		case 'A': o->ca = optarg; break;
		case 'n': o->name = optarg; break;
		case 'N': o->count = atoi(optarg); break;
		case 'e': o->ciphers_num = numbers(optarg, o->ciphers); break;
		case 'g': o->groups_num = numbers(optarg, o->groups); break;
		case 'S': o->shares = (size_t)atoi(optarg); break;
		case 'a': o->alpn_len = protocols(optarg, o->alpn); break;
		case 'm': o->message = optarg; break;
		case 'x': o->expect = optarg; break;
		case 'u': o->update = true; break;
		case 'M': o->no_compatibility = true; break;
		case 'R': o->require = true; break;
		case 'T': o->tickets = (size_t)atoi(optarg); break;
		case 'O': o->ticket_out = optarg; break;
		case 'I': o->ticket_in = optarg; break;
		case 'P': parse_psk(o, optarg); break;
		case 'i': o->import = true; break;
		case 'G': o->grease = true; break;
		case 'C': o->cookie = true; break;
		case 'D': o->pad = (size_t)atoi(optarg); break;
		case 'F': o->max_fragment = (uint16_t)atoi(optarg); break;
		default: errx(64, "%s", usage);
		}
	if (!o->port || (o->server && (!o->chain || !o->key)) || (!o->server && !o->host) || optind < argc)
		errx(64, "%s", usage);
}

int main(int argc, char **argv)
{
	struct options o = { .message = "hello", .expect = "hello" };
	static struct peer p;
	int status;

	signal(SIGPIPE, SIG_IGN);
	parse(&o, argc, argv);
	p.o = &o;
	fill_params(&p);
	status = o.server ? run_server(&p) : run_client(&p);
	for (size_t i = 0; i < p.identity.num; i++)
		x509_cert_free(p.identity.chain[i]);
	crypto_key_free(p.key);
	x509_store_free(p.trust);
	return status;
}
