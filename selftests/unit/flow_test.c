// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flow table proved: all orders that it allows, over every combination of
 * retry, resumption, requested and given client certificate, are exactly the
 * paths through the graph of RFC 9846 figure 1, which is written down here a
 * second time, as a graph.
 */
#include "hs_pair.h"

#define MAX_ORDER 200

enum node { CH, HRR, CH2, SH, EE, CR, SCT, SCV, SFIN, EOED, CCT, CCV, CFIN, NODES };

static const char *const names[NODES] = {
	"c:ClientHello", "s:HelloRetryRequest", "c:ClientHello", "s:ServerHello", "s:EncryptedExtensions",
	"s:CertificateRequest", "s:Certificate", "s:CertificateVerify", "s:Finished", "c:EndOfEarlyData",
	"c:Certificate", "c:CertificateVerify", "c:Finished",
};

/* From each message, what may follow it. A client's answer depends on the request: `asked`. */
static const struct { enum node from, to; bool asked, unasked; } edges[] = {
	{ CH, HRR, 1, 1 }, { CH, SH, 1, 1 }, { HRR, CH2, 1, 1 }, { CH2, SH, 1, 1 }, { SH, EE, 1, 1 },
	{ EE, CR, 1, 0 }, { EE, SCT, 0, 1 }, { EE, SFIN, 0, 1 }, { CR, SCT, 1, 0 }, { SCT, SCV, 1, 1 },
	{ SFIN, EOED, 0, 1 }, { EOED, CFIN, 0, 1 }, { SCV, SFIN, 1, 1 }, { SFIN, CCT, 1, 0 }, { SFIN, CFIN, 0, 1 }, { CCT, CCV, 1, 0 },
	{ CCT, CFIN, 1, 0 }, { CCV, CFIN, 1, 0 },
};

struct orders { char text[32][MAX_ORDER]; size_t num; };

static void orders_add(struct orders *o, const char *text)
{
	for (size_t i = 0; i < o->num; i++)
		if (!strcmp(o->text[i], text))
			return;
	assert_true(o->num < ARRAY_SIZE(o->text));
	strcpy(o->text[o->num++], text);
}

static void append(char *line, const char *word)
{
	assert_true(strlen(line) + strlen(word) + 2 < MAX_ORDER);
	strcat(line, word);
	strcat(line, " ");
}

/* Early data go with neither a certificate nor a retry. */
static bool possible(const char *line)
{
	return !strstr(line, "c:EndOfEarlyData") ||
	       (!strstr(line, "s:Certificate") && !strstr(line, "s:HelloRetryRequest"));
}

static void walk(struct orders *o, enum node at, bool asked, const char *before)
{
	char line[MAX_ORDER];

	strcpy(line, before);
	append(line, names[at]);
	if (at == CFIN && possible(line))
		orders_add(o, line);
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		if (edges[i].from == at && (asked ? edges[i].asked : edges[i].unasked))
			walk(o, edges[i].to, asked, line);
}

static void from_table(struct orders *o, enum hs_role role)
{
	for (int bits = 0; bits < 32; bits++) {
		struct hs hs = {
			.role = role, .retry = bits & 1, .cert_requested = bits & 4, .client_cert = bits & 8,
			.has_psk = bits & 2, .early = bits & 16 ? HS_EARLY_ACCEPTED : HS_EARLY_NONE,
		};
		char line[MAX_ORDER] = "", word[40];

		/* Early data are a key's, of a hello that is the only one. */
		if (hs.early && (!hs.has_psk || hs.retry))
			continue;
		for (size_t i = 0; i < hs_flow13_num; i++) {
			if (!hs_flow13[i].present(&hs, NULL))
				continue;
			snprintf(word, sizeof(word), "%c:%s", hs_flow13[i].sender == HS_CLIENT ? 'c' : 's',
				 hs_flow13[i].name);
			append(line, word);
		}
		orders_add(o, line);
	}
}

static void table_has_the_orders_of_the_graph(void **state)
{
	struct orders graph = { .num = 0 }, client = { .num = 0 }, server = { .num = 0 };

	(void)state;
	walk(&graph, CH, false, "");
	walk(&graph, CH, true, "");
	from_table(&client, HS_CLIENT);
	from_table(&server, HS_SERVER);
	assert_int_equal(graph.num, 9);
	assert_int_equal(client.num, 9);
	assert_int_equal(server.num, 9);
	for (size_t i = 0; i < 9; i++) {
		orders_add(&client, graph.text[i]);
		orders_add(&server, graph.text[i]);
	}
	assert_int_equal(client.num, 9);
	assert_int_equal(server.num, 9);
}

/* A server answers for itself; only a client may learn from the next message. */
static void only_a_client_peeks(void **state)
{
	uint8_t retry[4 + 2 + HS_RANDOM] = { HS_SERVER_HELLO }, request[] = { HS_CERTIFICATE_REQUEST, 0, 0, 0 };
	struct rbuf r = { retry, retry + sizeof(retry) }, cr = { request, request + sizeof(request) };
	struct hs client = { .role = HS_CLIENT }, server = { .role = HS_SERVER };

	(void)state;
	crypto_hash_once(&crypto_sha256, "HelloRetryRequest", 17, retry + 6);
	assert_true(hs_flow13[1].present(&client, &r));
	assert_false(hs_flow13[1].present(&client, NULL));
	assert_false(hs_flow13[1].present(&server, &r));
	retry[6] ^= 1;
	assert_false(hs_flow13[1].present(&client, &r));
	assert_true(hs_flow13[5].present(&client, &cr));
	assert_false(hs_flow13[5].present(&server, &cr));
	for (size_t i = 0; i < hs_flow13_num; i++)
		if (i != 1 && i != 2 && i != 5 && i != 10) {
			assert_int_equal(hs_flow13[i].present(&client, &r), hs_flow13[i].present(&client, NULL));
			assert_int_equal(hs_flow13[i].present(&client, &cr), hs_flow13[i].present(&client, NULL));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_the_orders_of_the_graph),
		cmocka_unit_test(only_a_client_peeks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
