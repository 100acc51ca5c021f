/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of a session, for tests of the record layer: a plain TCP
 * socket, and records made and read byte by byte in user space: TLS 1.3, or 1.2
 * where the key says so.
 */
#ifndef KERNEL_WIRE_H
#define KERNEL_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "agent.h"

#define WIRE_HEADER	5
#define WIRE_TAG	16
#define WIRE_PLAIN	16384
#define WIRE_RECORD	(WIRE_HEADER + WIRE_PLAIN + 256)

enum { WIRE_CCS = 20, WIRE_ALERT = 21, WIRE_MESSAGE = 22, WIRE_DATA = 23 };

/* A key as RESPOND has it, made from a cipher and a small number. */
struct key wire_key(uint16_t cipher, unsigned int seed);

/* Record with @pad zero bytes behind the content type: its length. Counts k->seq. */
size_t wire_seal(struct key *k, uint8_t type, const void *data, size_t len, size_t pad, uint8_t *record);
/* Plaintext length and type, or -EBADMSG. */
ssize_t wire_open(struct key *k, const uint8_t *record, size_t len, uint8_t *data, uint8_t *type);

/* Connected TCP over loopback; both blocking, with a time limit on their calls. */
void wire_pair(int fd[2]);

/* TLS_TX or TLS_RX with ULP "ktls". 0 or -errno. */
int wire_attach(int fd);
int wire_install(int fd, int option, const struct key *k);

/* A session: what the module holds (fd), and its peer (raw, with the keys of fd's tx and rx). */
struct session {
	int		fd, raw;
	struct key	tx, rx;
	struct agent	agent;		/* fd -1 in a session keyed by TLS_TX and TLS_RX */
};

void session_connect(struct session *s);		/* no keys yet, no agent, not even the ULP */
void session_mainline(struct session *s, uint16_t cipher);
void session_mainline_as(struct session *s, uint16_t version, uint16_t cipher);
/* Keyed by an agent, with spare keys if @spares. */
void session_agent(struct session *s, uint16_t cipher, bool spares);
/* The same, sending from sequence number @seq on. */
void session_agent_at(struct session *s, uint16_t cipher, bool spares, uint64_t seq);
void session_agent_keys(struct session *s, const struct key *tx, const struct key *rx, bool spares);
/* The same for a server: the others are clients'. */
void session_agent_as(struct session *s, uint8_t role, const struct key *tx, const struct key *rx, bool spares);
void session_close(struct session *s);
/* cmocka's: a namespace and a session with spare keys in *state; all closed and counted. */
int session_setup(void **state);
int session_teardown(void **state);
struct key session_next(const struct key *k);	/* the spare after k */

/* All bytes, or the test fails. */
void wire_write(int fd, const void *data, size_t len);
void wire_read(int fd, void *data, size_t len);
/* From the raw side: a record sealed under s->rx; the next record of the module under s->tx. */
void peer_send(struct session *s, uint8_t type, const void *data, size_t len);
ssize_t peer_recv(struct session *s, uint8_t *data, uint8_t *type);
/* Read records till @len bytes of data have come. */
void peer_recv_all(struct session *s, uint8_t *data, size_t len);
/* Expect an alert. */
void peer_expect_alert(struct session *s, uint8_t level, uint8_t description);

void fill_pattern(uint8_t *data, size_t len, uint32_t seed);

#endif
