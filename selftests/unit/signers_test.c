/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's signing threads: a token that hangs keeps nobody waiting, queues have bounds, RSA keys are shared. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "agent_test.h"
#include "signers.h"
#include "token.h"

static struct config *config;
static struct signers *signers;

/* ---- a token that answers when it is let */

#define THREADS	4

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_open;
static int inside;

int __wrap_token_sign(struct token *t, const struct crypto_scheme *s, const uint8_t *msg, size_t len,
		      uint8_t *sig, size_t *sig_len);
int __wrap_token_sign(struct token *t, const struct crypto_scheme *s, const uint8_t *msg, size_t len,
		      uint8_t *sig, size_t *sig_len)
{
	(void)t; (void)s; (void)msg; (void)len; (void)sig;
	pthread_mutex_lock(&gate);
	__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED);
	while (!is_open)
		pthread_cond_wait(&opened, &gate);
	pthread_mutex_unlock(&gate);
	*sig_len = 1;
	return 0;
}

static void open_gate(bool open)
{
	pthread_mutex_lock(&gate);
	is_open = open;
	pthread_cond_broadcast(&opened);
	pthread_mutex_unlock(&gate);
}

/* ---- jobs */

enum { EC, RSA_KEY, TOKEN };

static uint64_t time_is(void) { return 1000; }

static struct msg_sign request(uint32_t key, uint64_t id, uint64_t deadline)
{
	struct msg_sign m = { .type = MSG_SIGN, .key = key, .id = id, .deadline = deadline, .len = 64 + 34 + 32,
			      .scheme = key == RSA_KEY ? 0x0804 : 0x0403 };

	memset(m.tbs, 0x20, 64);
	strcpy((char *)m.tbs + 64, "TLS 1.3, server CertificateVerify");
	memset(m.tbs + 98, (int)id, 32);
	return m;
}

static int submit(uint32_t key, uint64_t id, uint64_t deadline, void *asker)
{
	struct msg_sign m = request(key, id, deadline);
	struct sign_work w;

	assert_int_equal(sign_check(config, &m, m.tbs, sizeof(m.tbs), &w), 0);
	assert_true(signers_want(&w));
	return signers_submit(signers, asker, config, &w, &m, m.tbs);
}

/* The next that is done, however long it takes. */
static struct signer_job *wait_one(void)
{
	struct pollfd p = { .fd = signers_fd(signers), .events = POLLIN };
	struct signer_job *job;

	while (!(job = signers_take(signers)))
		assert_int_equal(poll(&p, 1, 60000), 1);
	return job;
}

static void verifies(const struct signer_job *job)
{
	const struct crypto_scheme *s = job->work.scheme;
	const struct x509_blob *spki = x509_cert_spki(job->work.site->id.chain[0]);
	struct msg_sign m = request(RSA_KEY, job->out.id, 0);
	struct crypto_pubkey pub;

	assert_int_equal(job->out.err, 0);
	assert_int_equal(crypto_pubkey_parse(spki->data, spki->len, &pub), 0);
	assert_int_equal(s->verify(&pub, s->hash, m.tbs, m.len, job->out.sig, job->out.len), 0);
	crypto_pubkey_free(&pub);
}

static void quick_keys_stay(void **unused)
{
	struct msg_sign m = request(EC, 1, 2000);
	struct sign_work w;

	(void)unused;
	assert_int_equal(sign_check(config, &m, m.tbs, sizeof(m.tbs), &w), 0);
	assert_false(signers_want(&w));
}

/* One RSA key, all threads, across several drawings of its blinding. */
static void one_key_for_all_threads(void **unused)
{
	struct signer_job *job;
	bool seen[300] = { false };

	(void)unused;
	for (uint64_t id = 0; id < ARRAY_SIZE(seen); id++)
		assert_int_equal(submit(RSA_KEY, id, 2000, &config), 0);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		job = wait_one();
		verifies(job);
		assert_ptr_equal(job->asker, &config);
		assert_false(seen[job->out.id]);
		seen[job->out.id] = true;
		signers_end(job);
	}
	assert_null(signers_take(signers));
}

static void a_token_hangs(void **unused)
{
	struct signer_job *job;

	(void)unused;
	open_gate(false);
	for (uint64_t id = 0; id < 10; id++)
		assert_int_equal(submit(TOKEN, id, 2000, &config), 0);
	for (uint64_t id = 100; id < 120; id++)
		assert_int_equal(submit(RSA_KEY, id, 2000, &config), 0);
	for (int i = 0; i < 20; i++) {
		job = wait_one();
		assert_true(job->out.id >= 100);
		verifies(job);
		signers_end(job);
	}
	open_gate(true);
	for (int i = 0; i < 10; i++) {
		job = wait_one();
		assert_true(job->out.id < 10);
		assert_int_equal(job->out.len, 1);
		signers_end(job);
	}
}

/* How many jobs have come there so far. */
static int jobs_at_gate(void)
{
	int n;

	pthread_mutex_lock(&gate);
	n = inside;
	pthread_mutex_unlock(&gate);
	return n;
}

static void a_full_queue(void **unused)
{
	int at_first = jobs_at_gate();
	uint64_t id = 0;

	(void)unused;
	open_gate(false);
	while (id < THREADS)
		assert_int_equal(submit(TOKEN, id++, 2000, &config), 0);
	while (jobs_at_gate() < at_first + THREADS)
		usleep(1000);
	while (id < THREADS + SIGNERS_QUEUE)
		assert_int_equal(submit(TOKEN, id++, 2000, &config), 0);
	assert_int_equal(submit(TOKEN, id, 2000, &config), -EBUSY);
	assert_true(signers_waiting(signers) == SIGNERS_QUEUE);
	assert_int_equal(submit(RSA_KEY, 1, 2000, &config), 0);	/* a queue of its own */
	open_gate(true);
	for (id++; id; id--)
		signers_end(wait_one());
}

static void too_late(void **unused)
{
	struct signer_job *job;
	int before = inside;

	(void)unused;
	assert_int_equal(submit(TOKEN, 1, 1000, &config), 0);
	job = wait_one();
	assert_int_equal(job->out.err, -ETIMEDOUT);
	assert_int_equal(inside, before);
	signers_end(job);
}

static void a_worker_that_died(void **unused)
{
	struct signer_job *job;
	int a, b;

	(void)unused;
	open_gate(false);
	submit(TOKEN, 1, 2000, &a);
	submit(TOKEN, 2, 2000, &b);
	signers_forget(signers, &a);
	open_gate(true);
	for (int i = 0; i < 2; i++) {
		job = wait_one();
		assert_ptr_equal(job->asker, job->out.id == 1 ? NULL : &b);
		signers_end(job);
	}
}

/* At the end: with jobs queued and done that nobody took; and with a thread that does not come back. */
static void the_end(void **unused)
{
	int before;

	(void)unused;
	for (uint64_t id = 0; id < 50; id++)
		submit(RSA_KEY, id, 2000, &config);
	assert_true(signers_free(signers));
	assert_int_equal(config->refs, 1);
	signers = signers_new(2, time_is);
	open_gate(false);
	before = inside;
	submit(TOKEN, 1, 2000, &config);
	while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == before)
		sched_yield();
	assert_false(signers_free(signers));
	open_gate(true);
	assert_true(signers_free(signers));
	assert_int_equal(config->refs, 1);
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("signers");
	identity_make("a", P256, "DNS:a.test");
	identity_make("b", RSA, "DNS:b.test");
	config = config_good("[identity a]\ncertificate = @/a.pem\nkey = @/a.key\nallow = uid:0\n"
			     "[identity b]\ncertificate = @/b.pem\nkey = @/b.key\nallow = uid:0\n"
			     "[identity c]\ncertificate = @/a.pem\nkey = @/a.key\nallow = uid:0\n");
	crypto_key_free(config->sites[TOKEN].key);
	config->sites[TOKEN].key = NULL;
	config->sites[TOKEN].token = (struct token *)&config;	/* never looked into */
	signers = signers_new(THREADS, time_is);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	config->sites[TOKEN].token = NULL;
	config_put(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quick_keys_stay),
		cmocka_unit_test(one_key_for_all_threads),
		cmocka_unit_test(a_token_hangs),
		cmocka_unit_test(a_full_queue),
		cmocka_unit_test(too_late),
		cmocka_unit_test(a_worker_that_died),
		cmocka_unit_test(the_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
