// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The traces of RFC 8448: key exchange, key schedule and records on their own,
 * and then our client in the place of the trace's: it is given the trace's
 * private key and ClientHello, reads the server's records, and must come to the
 * same secrets and the same Finished record, byte for byte.
 */
#include "hs_pair.h"

#define MAX_VALUES 64

struct value { char name[256]; uint8_t data[1024]; size_t len; };
struct trace { struct value values[MAX_VALUES]; size_t num; };

static void add_hex(struct value *v, const char *line)
{
	unsigned int byte;

	for (; sscanf(line, "%2x", &byte) == 1; line += 2) {
		assert_true(v->len < sizeof(v->data));
		v->data[v->len++] = (uint8_t)byte;
	}
}

static bool is_name(const char *line)
{
	return strspn(line, "0123456789abcdef") != strlen(line);
}

static struct trace *trace_read(const char *path)
{
	struct trace *t = calloc(1, sizeof(*t));
	FILE *f = fopen(path, "re");
	char line[256];

	assert_non_null(t);
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		if (!is_name(line)) {
			assert_true(t->num > 0);
			add_hex(&t->values[t->num - 1], line);
			continue;
		}
		assert_true(t->num < MAX_VALUES);
		snprintf(t->values[t->num++].name, sizeof(t->values[0].name), "%s", line);
	}
	fclose(f);
	return t;
}

static const struct value *get(const struct trace *t, const char *name)
{
	for (size_t i = 0; i < t->num; i++)
		if (!strcmp(t->values[i].name, name))
			return &t->values[i];
	fail_msg("the trace has no %s", name);
	return NULL;
}

static void same(const struct trace *t, const char *name, const uint8_t *got)
{
	const struct value *v = get(t, name);

	if (memcmp(v->data, got, v->len))
		fail_msg("%s differs", name);
}

/* ---- the schedule on its own */

static void check_traffic(const struct trace *t, const char *secret, const char *key, const char *iv)
{
	struct hs_traffic traffic;

	memcpy(traffic.secret, get(t, secret)->data, 32);
	schedule_traffic(&traffic, &crypto_sha256, &crypto_aes_128_gcm);
	same(t, key, traffic.key);
	same(t, iv, traffic.iv);
	assert_int_equal(traffic.seq, 0);
}

static void check_schedule(const struct trace *t)
{
	const uint8_t *hash = get(t, "hello_hash")->data;
	struct schedule s;
	uint8_t out[64];

	schedule_start(&s, &crypto_sha256, NULL, 0);
	same(t, "early_secret", s.secret);
	schedule_mix(&s, get(t, "shared_secret")->data, get(t, "shared_secret")->len);
	same(t, "handshake_secret", s.secret);
	schedule_derive(&s, "c hs traffic", hash, out);
	same(t, "client_handshake_traffic", out);
	schedule_derive(&s, "s hs traffic", hash, out);
	same(t, "server_handshake_traffic", out);
	schedule_mix(&s, NULL, 0);
	same(t, "master_secret", s.secret);
	hash = get(t, "finished_hash")->data;
	schedule_derive(&s, "c ap traffic", hash, out);
	same(t, "client_application_traffic", out);
	schedule_derive(&s, "s ap traffic", hash, out);
	same(t, "server_application_traffic", out);
	schedule_derive(&s, "exp master", hash, out);
	same(t, "exporter", out);
}

static void schedule_reproduces_both_traces(void **state)
{
	struct trace *simple = trace_read("selftests/vectors/rfc8448/simple.txt");
	struct trace *retry = trace_read("selftests/vectors/rfc8448/retry.txt");

	(void)state;
	check_schedule(simple);
	check_schedule(retry);
	check_traffic(simple, "server_handshake_traffic", "server_handshake_key", "server_handshake_iv");
	check_traffic(simple, "client_handshake_traffic", "client_handshake_key", "client_handshake_iv");
	check_traffic(simple, "server_application_traffic", "server_application_key", "server_application_iv");
	check_traffic(simple, "client_application_traffic", "client_application_key", "client_application_iv");
	check_traffic(retry, "server_handshake_traffic", "server_handshake_key", "server_handshake_iv");
	free(simple);
	free(retry);
}

static void check_agreement(const struct trace *t, const struct crypto_group *group)
{
	uint8_t secret[CRYPTO_MAX_SECRET];

	assert_int_equal(group->agree(group, get(t, "client_private")->data, get(t, "server_public")->data, secret), 0);
	same(t, "shared_secret", secret);
	assert_int_equal(group->agree(group, get(t, "server_private")->data, get(t, "client_public")->data, secret), 0);
	same(t, "shared_secret", secret);
}

static void both_sides_agree_on_the_secret(void **state)
{
	struct trace *simple = trace_read("selftests/vectors/rfc8448/simple.txt");
	struct trace *retry = trace_read("selftests/vectors/rfc8448/retry.txt");

	(void)state;
	check_agreement(simple, &crypto_x25519);
	check_agreement(retry, &crypto_secp256r1);
	free(simple);
	free(retry);
}

static void open_data(const struct trace *t, const char *record, const char *secret, uint64_t seq,
		      uint8_t type, const uint8_t *want, size_t len)
{
	const struct value *r = get(t, record);
	struct hs_traffic traffic;
	uint8_t nonce[12], plain[1024];

	memcpy(traffic.secret, get(t, secret)->data, 32);
	schedule_traffic(&traffic, &crypto_sha256, &crypto_aes_128_gcm);
	memcpy(nonce, traffic.iv, 12);
	nonce[11] ^= (uint8_t)seq;
	assert_int_equal(crypto_aes_128_gcm.open(traffic.key, nonce, r->data, 5, r->data + 5, r->len - 5, plain), 0);
	assert_int_equal(r->len, 5 + len + 1 + 16);
	assert_memory_equal(plain, want, len);
	assert_int_equal(plain[len], type);
}

/* The server's sequence number is 1 for data: number 0 was its NewSessionTicket. */
static void application_records_open(void **state)
{
	struct trace *t = trace_read("selftests/vectors/rfc8448/simple.txt");
	const struct value *data = get(t, "application_data");
	const uint8_t close_notify[2] = { 1, 0 };

	(void)state;
	open_data(t, "client_data_record", "client_application_traffic", 0, 23, data->data, data->len);
	open_data(t, "server_data_record", "server_application_traffic", 1, 23, data->data, data->len);
	open_data(t, "client_alert_record", "client_application_traffic", 1, 21, close_notify, 2);
	open_data(t, "server_alert_record", "server_application_traffic", 2, 21, close_notify, 2);
	free(t);
}

/* ---- our client in the trace */

static struct hs *client_in_trace(const struct trace *t, const struct crypto_group *group)
{
	static const struct hs_params params = { .role = HS_CLIENT, .insecure = true };
	struct hs *hs = hs_new(&params);

	assert_non_null(hs);
	hs->greeted = true;
	hs->offered = ~0u;
	hs->shares = calloc(1, sizeof(*hs->shares));
	assert_non_null(hs->shares);
	hs->shares_num = 1;
	hs->shares[0].group = group;
	memcpy(hs->shares[0].priv, get(t, "client_private")->data, get(t, "client_private")->len);
	assert_int_equal(transcript_add(hs, get(t, "client_hello")->data, get(t, "client_hello")->len), 0);
	return hs;
}

static void give(struct hs *hs, const uint8_t *p, size_t len)
{
	size_t n;

	for (; len; p += n, len -= n) {
		n = hs_want(hs) < len ? hs_want(hs) : len;
		assert_true(n > 0);
		if (hs_input(hs, p, n))
			fail_msg("%s", hs_why(hs));
	}
}

/*
 * The trace's server answers record_size_limit, which our client does not
 * offer: EncryptedExtensions is put into the transcript by hand.
 */
static void read_server_flight(const struct trace *t, struct hs *hs)
{
	const struct value *r = get(t, "server_flight_record"), *flight = get(t, "server_flight");
	size_t len = 4u + flight->data[3];

	assert_int_equal(record_input(hs, r->data, 5), 0);
	assert_int_equal(record_input(hs, r->data + 5, r->len - 5), 0);
	assert_int_equal(hs->in.len, flight->len);
	assert_memory_equal(hs->in.p, flight->data, flight->len);
	assert_int_equal(transcript_add(hs, flight->data, len), 0);
	gbuf_drop(&hs->in, len);
	hs->step = 5;
	if (hs_input(hs, NULL, 0))
		fail_msg("%s", hs_why(hs));
}

static void check_outcome(const struct trace *t, struct hs *hs)
{
	const struct hs_result *r = hs_result(hs);
	const struct value *fin = get(t, "client_finished_record");
	const uint8_t *out;
	size_t len;

	assert_non_null(r);
	same(t, "client_application_traffic", r->tx.secret);
	same(t, "server_application_traffic", r->rx.secret);
	same(t, "exporter", r->exporter);
	out = hs_output(hs, &len);
	assert_int_equal(len, fin->len);
	assert_memory_equal(out, fin->data, len);
	assert_int_equal(r->scheme, 0x0804);
	assert_int_equal(r->peer_num, 1);
	assert_false(r->peer_verified);
}

static void our_client_runs_the_simple_trace(void **state)
{
	struct trace *t = trace_read("selftests/vectors/rfc8448/simple.txt");
	struct hs *hs = client_in_trace(t, &crypto_x25519);
	const struct value *sh = get(t, "server_hello_record");

	(void)state;
	hs->step = 1;
	give(hs, sh->data, sh->len);
	same(t, "client_handshake_traffic", hs->tx.t.secret);
	same(t, "server_handshake_traffic", hs->rx.t.secret);
	read_server_flight(t, hs);
	check_outcome(t, hs);
	same(t, "resumption", hs_result(hs)->resumption);
	same(t, "client_application_key", hs_result(hs)->tx.key);
	same(t, "server_application_iv", hs_result(hs)->rx.iv);
	hs_free(hs);
	free(t);
}

static void our_client_runs_the_retry_trace(void **state)
{
	struct trace *t = trace_read("selftests/vectors/rfc8448/retry.txt");
	struct hs *hs = client_in_trace(t, &crypto_secp256r1);
	const struct value *hrr = get(t, "hello_retry_request"), *ch2 = get(t, "second_client_hello");
	const struct value *sh = get(t, "server_hello");
	const uint8_t header[5] = { 22, 3, 3, 0, (uint8_t)sh->len };
	struct rbuf body = { hrr->data + 4, hrr->data + hrr->len };

	(void)state;
	hs->shares_num = 0;	/* the first share was of another group */
	assert_int_equal(retry_request_recv(hs, &body), 0);
	hs->shares_num = 1;
	assert_int_equal(hs->group->id, 23);
	assert_int_equal(hs->cookie.len, 0x72);
	assert_int_equal(transcript_add(hs, hrr->data, hrr->len), 0);
	assert_int_equal(transcript_add(hs, ch2->data, ch2->len), 0);
	hs->step = 3;
	give(hs, header, 5);
	give(hs, sh->data, sh->len);
	same(t, "client_handshake_traffic", hs->tx.t.secret);
	same(t, "server_handshake_traffic", hs->rx.t.secret);
	read_server_flight(t, hs);
	check_outcome(t, hs);
	hs_free(hs);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedule_reproduces_both_traces),
		cmocka_unit_test(both_sides_agree_on_the_secret),
		cmocka_unit_test(application_records_open),
		cmocka_unit_test(our_client_runs_the_simple_trace),
		cmocka_unit_test(our_client_runs_the_retry_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
