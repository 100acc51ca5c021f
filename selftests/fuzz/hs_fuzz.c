// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: bytes of a stranger against the handshake. The first byte says
 * what they are: records to a server, records to a client, or messages that
 * stand where a client has decrypted a server's flight (the fuzzer can't make
 * records that decrypt), of TLS 1.3 or 1.2; and which of the extras are on. Built
 * by `make fuzz` with clang; with files.c in place of the fuzzer it reads files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "handshake/engine.h"
#include "rng/rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int choose(void *arg, const char *name, const uint16_t *schemes, size_t num,
		  const struct identity **ret, const char **why)
{
	static const struct identity identity = {
		.name = (char *)"fuzz", .key_type = CRYPTO_KEY_P256, .key_bits = 256,
	};

	(void)arg;
	(void)name;
	(void)schemes;
	(void)num;
	(void)why;
	*ret = &identity;
	return 0;
}

static void feed(struct hs *hs, const uint8_t *data, size_t len)
{
	static const uint8_t sig[70];
	size_t n;
	int err = 0;

	while (!err && (hs_state(hs) == HS_SIGN || hs_state(hs) == HS_FRESH || (len && hs_want(hs)))) {
		if (hs_state(hs) == HS_SIGN) {
			err = hs_signed(hs, sig, sizeof(sig));
			continue;
		}
		if (hs_state(hs) == HS_FRESH) {
			err = hs_fresh(hs, true);
			continue;
		}
		n = hs_want(hs) < len ? hs_want(hs) : len;
		err = hs_input(hs, data, n);
		data += n;
		len -= n;
	}
}

/* As after a ServerHello: keys are there, the input is plaintext of the flight. */
static void feed_flight(struct hs *hs, const uint8_t *data, size_t len)
{
	hs->version = TLS13;
	hs->suite = &suites[0];
	hs->group = groups[0];
	transcript_start(hs, hs->suite->hash);
	schedule_start(&hs->schedule, hs->hash, NULL, 0);
	hs->rx.on = hs->tx.on = true;
	hs->rx.aead = hs->tx.aead = hs->suite->aead;
	while (hs->step < hs_flow13_num && hs_flow13[hs->step].type != HS_ENCRYPTED_EXTENSIONS)
		hs->step++;
	if (gbuf_add(&hs->in, data, len))
		hs_input(hs, NULL, 0);
}

/* As after a ServerHello of TLS 1.2. */
static void feed_flight12(struct hs *hs, const uint8_t *data, size_t len)
{
	hs->suite = suite_by_id(0xc02b);
	hs->tls12.status_due = hs->tls12.ticket_due = true;
	if (tls12_begin(hs, 2))
		return;
	transcript_start(hs, hs->suite->hash);
	if (gbuf_add(&hs->in, data, len))
		hs_input(hs, NULL, 0);
}

/* After a handshake: a request for the client's certificate, or what answers it. */
static void feed_post(const struct hs_params *params, const uint8_t *data, size_t len)
{
	static const uint8_t sig[70];
	struct hs_post from = { .suite = 0x1301 };
	struct hs *hs;

	crypto_sha256.init(from.transcript);
	hs = hs_post_new(params, &from);
	if (!hs)
		return;
	memset(hs->context, 0, sizeof(hs->context));
	hs_start(hs);
	hs_messages(hs, data, len);
	if (hs_state(hs) == HS_SIGN)
		hs_signed(hs, sig, sizeof(sig));
	hs_free(hs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t seed[32], alpn[] = "\2h2\10http/1.1";
	struct hs_params params = {
		.server_name = "server.test", .alpn = alpn, .alpn_len = sizeof(alpn) - 1,
		.compatibility = true, .insecure = true, .choose = choose, .client_auth = HS_AUTH_ASK,
	};
	static const uint8_t pin[1][32];
	static const struct hs_log log = { .spki = pin[0], .len = 32 };
	static const struct hs_ticket_keys keys = { .num = 1 };
	struct hs *hs;

	if (!len)
		return 0;
	rng_fix_seed_for_tests(seed);
	params.grease = data[0] / 4 & 1;
	params.compress = data[0] / 4 & 2;
	params.raw_peers = pin;
	params.raw_peers_num = data[0] / 4 & 4 ? 1 : 0;
	params.cookie_keys = data[0] / 4 & 8 ? &keys : NULL;
	params.pad = 512;
	params.max_early = 1000;
	params.ct_logs = &log;
	params.ct_logs_num = data[0] & 4 ? 1 : 0;
	params.post_auth = true;
	params.delegated = true;
	params.role = data[0] % 4 ? HS_CLIENT : HS_SERVER;
	if (data[0] & 0x80) {
		feed_post(&params, data + 1, len - 1);
		return 0;
	}
	hs = hs_new(&params);
	if (!hs)
		return 0;
	hs_start(hs);
	if (data[0] % 4 == 2)
		feed_flight(hs, data + 1, len - 1);
	else if (data[0] % 4 == 3)
		feed_flight12(hs, data + 1, len - 1);
	else
		feed(hs, data + 1, len - 1);
	if (hs_state(hs) == HS_FAILED && (!hs_why(hs)[0] || hs_alert(hs, NULL) < 0))
		abort();	/* a failure must have a reason and an alert */
	if (hs_state(hs) == HS_DONE)
		abort();	/* nobody finishes a handshake by guessing */
	hs_free(hs);
	return 0;
}
