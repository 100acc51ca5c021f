/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sets of threads with a bounded queue each, and one list of what is done
 * behind an eventfd. Threads touch a job's work, text and answer, nothing else:
 * whom it is for, and what it holds, is the loop's business alone.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "signers.h"

#define HANG_S	2			/* a thread in a token's hands is waited for */

struct queue { struct signer_job *first, **last; unsigned int num; };

struct set {
	struct signers *signers;
	pthread_t thread[SIGNERS_MAX];
	unsigned int started;
	pthread_cond_t more;
	struct queue queue;
};

struct signers {
	pthread_mutex_t lock;		/* covers the queues and stop */
	struct set set[2];		/* of our own keys; of tokens */
	struct queue done;
	struct signer_job *jobs;	/* the loop's: all that are not back */
	unsigned int threads;
	uint64_t (*now)(void);
	int event;
	bool stop;
};

static void put(struct queue *q, struct signer_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
	q->num++;
}

static struct signer_job *take(struct queue *q)
{
	struct signer_job *job = q->first;

	if (!job)
		return NULL;
	q->first = job->next;
	q->num--;
	if (!q->first)
		q->last = &q->first;
	return job;
}

/* ---- threads */

static void *work(void *arg)
{
	const uint64_t one = 1;
	struct set *set = arg;
	struct signers *s = set->signers;
	struct signer_job *job;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		job = take(&set->queue);
		if (!job) {
			pthread_cond_wait(&set->more, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		if (s->now() < job->deadline)
			sign_make(&job->work, job->tbs, &job->out);
		else
			job->out.err = -ETIMEDOUT;
		pthread_mutex_lock(&s->lock);
		put(&s->done, job);
		if (write(s->event, &one, sizeof(one)) < 0)
			abort();	/* its count has room for 2^64 - 2 */
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* As many as there are; one is enough to go on with. */
static int start(struct signers *s, struct set *set)
{
	while (set->started < s->threads && !pthread_create(&set->thread[set->started], NULL, work, set))
		set->started++;
	return set->started ? 0 : -EAGAIN;
}

static bool end(struct set *set)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HANG_S;
	while (set->started && !pthread_timedjoin_np(set->thread[set->started - 1], NULL, &until))
		set->started--;
	return !set->started;
}

/* ---- the loop's side */

struct signers *signers_new(unsigned int threads, uint64_t (*now)(void))
{
	struct signers *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->threads = threads < SIGNERS_MAX ? threads : SIGNERS_MAX;
	s->now = now;
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event < 0) {
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	s->done.last = &s->done.first;
	for (size_t i = 0; i < 2; i++) {
		s->set[i].signers = s;
		s->set[i].queue.last = &s->set[i].queue.first;
		pthread_cond_init(&s->set[i].more, NULL);
	}
	return s;
}

bool signers_free(struct signers *s)
{
	if (!s)
		return true;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->set[0].more);
	pthread_cond_broadcast(&s->set[1].more);
	pthread_mutex_unlock(&s->lock);
	if (!(end(&s->set[0]) & end(&s->set[1])))
		return false;
	while (s->jobs) {
		struct signer_job *job = s->jobs;

		s->jobs = job->later;
		signers_end(job);
	}
	close(s->event);
	free(s);
	return true;
}

int signers_fd(const struct signers *s)
{
	return s->event;
}

bool signers_want(const struct sign_work *w)
{
	enum crypto_key_type type = w->site->id.key_type;

	return w->site->token || !(type == CRYPTO_KEY_P256 || type == CRYPTO_KEY_ED25519);
}

static struct signer_job *new_job(const struct sign_work *w, const struct msg_sign *m, const uint8_t *tbs)
{
	struct signer_job *job = malloc(sizeof(*job) + m->len);

	if (!job)
		return NULL;
	memset(job, 0, sizeof(*job));
	job->work = *w;
	job->work.len = m->len;
	memcpy(job->tbs, tbs, m->len);
	job->deadline = m->deadline;
	job->out.type = MSG_SIGNED;
	job->out.id = m->id;
	return job;
}

static void enlist(struct signers *s, struct signer_job *job)
{
	job->later = s->jobs;
	if (s->jobs)
		s->jobs->earlier = job;
	s->jobs = job;
}

int signers_submit(struct signers *s, void *asker, struct config *config, const struct sign_work *w,
		   const struct msg_sign *m, const uint8_t *tbs)
{
	struct set *set = &s->set[w->site->token ? 1 : 0];
	struct signer_job *job;
	int err;

	err = set->started == s->threads ? 0 : start(s, set);
	if (err)
		return err;
	job = new_job(w, m, tbs);
	if (!job)
		return -ENOMEM;
	pthread_mutex_lock(&s->lock);
	if (set->queue.num < SIGNERS_QUEUE) {
		put(&set->queue, job);
		pthread_cond_signal(&set->more);
	} else {
		err = -EBUSY;
	}
	pthread_mutex_unlock(&s->lock);
	if (err) {
		free(job);
		return err;
	}
	job->asker = asker;
	job->config = config_get(config);
	sign_hold(&job->work);
	enlist(s, job);
	return 0;
}

struct signer_job *signers_take(struct signers *s)
{
	struct signer_job *job;
	uint64_t num;

	pthread_mutex_lock(&s->lock);
	job = take(&s->done);
	if (!job && read(s->event, &num, sizeof(num)) < 0)
		job = NULL;		/* nobody wrote meanwhile */
	pthread_mutex_unlock(&s->lock);
	if (!job)
		return NULL;
	*(job->earlier ? &job->earlier->later : &s->jobs) = job->later;
	if (job->later)
		job->later->earlier = job->earlier;
	return job;
}

void signers_end(struct signer_job *job)
{
	sign_drop(&job->work);
	config_put(job->config);
	free(job);
}

void signers_forget(struct signers *s, const void *asker)
{
	for (struct signer_job *job = s ? s->jobs : NULL; job; job = job->later)
		if (job->asker == asker)
			job->asker = NULL;
}

unsigned int signers_waiting(struct signers *s)
{
	unsigned int num;

	pthread_mutex_lock(&s->lock);
	num = s->set[0].queue.num + s->set[1].queue.num;
	pthread_mutex_unlock(&s->lock);
	return num;
}
