/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys into mainline's kernel TLS, as linux/tls.h has it, where Linux has it.
 * What cannot work there: before 6.14 a KeyUpdate ends the session, and
 * tickets reach the program as EIO; so it is for servers, which give none
 * and get none. KTLS_INFO is not there.
 */
#include "mainline.h"
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* The structs of linux/tls.h differ in sizes only: info, iv, key, salt, sequence number. */
union info {
	struct tls_crypto_info info;
	struct tls12_crypto_info_aes_gcm_128 gcm128;
	struct tls12_crypto_info_aes_gcm_256 gcm256;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
};

static void sequence(uint8_t *to, uint64_t seq)
{
	int i;

	for (i = 0; i < 8; i++)
		to[i] = (uint8_t)(seq >> (56 - 8 * i));
}

static socklen_t fill(union info *u, const struct crypto_aead *aead, const struct hs_traffic *t)
{
	memset(u, 0, sizeof(*u));
	u->info.version = TLS_1_3_VERSION;
	u->info.cipher_type = aead->tls_cipher;
	switch (aead->tls_cipher) {
	case TLS_CIPHER_AES_GCM_128:
		memcpy(u->gcm128.salt, t->iv, 4);
		memcpy(u->gcm128.iv, t->iv + 4, 8);
		memcpy(u->gcm128.key, t->key, 16);
		sequence(u->gcm128.rec_seq, t->seq);
		return sizeof(u->gcm128);
	case TLS_CIPHER_AES_GCM_256:
		memcpy(u->gcm256.salt, t->iv, 4);
		memcpy(u->gcm256.iv, t->iv + 4, 8);
		memcpy(u->gcm256.key, t->key, 32);
		sequence(u->gcm256.rec_seq, t->seq);
		return sizeof(u->gcm256);
	case TLS_CIPHER_CHACHA20_POLY1305:
		memcpy(u->chacha.iv, t->iv, 12);
		memcpy(u->chacha.key, t->key, 32);
		sequence(u->chacha.rec_seq, t->seq);
		return sizeof(u->chacha);
	}
	return 0;
}

static int install(int fd, int option, const struct crypto_aead *aead, const struct hs_traffic *t)
{
	union info u;
	socklen_t len = fill(&u, aead, t);
	int err = len ? 0 : -EOPNOTSUPP;

	if (len && setsockopt(fd, SOL_TLS, option, &u, len))
		err = -errno;
	crypto_wipe(&u, sizeof(u));
	return err;
}

int mainline_install(int fd, const struct reply *reply)
{
	int err;

	if (reply->version != 0x0304 || setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4))
		return -EOPNOTSUPP;
	err = install(fd, TLS_TX, reply->aead, reply->tx);
	return err ? err : install(fd, TLS_RX, reply->aead, reply->rx);
}
