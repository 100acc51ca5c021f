// SPDX-License-Identifier: GPL-2.0-or-later
/* What the processes of a server, one for each connection, have in common: they are forked after it was made. */
#include <err.h>
#include <pthread.h>
#include <sys/mman.h>
#include "user.h"

#define ROOM 1024		/* early data within REPLAY_PERIOD */

struct user_register {
	pthread_mutex_t lock;
	struct replay *replay;
};

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "memory");
	return p;
}

/* Ticket keys of ours are as new as it. */
void register_make(struct peer *p)
{
	struct user_register *r = p->seen = shared(sizeof(*r));
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&r->lock, &attr);
	r->replay = replay_at(shared(replay_size(ROOM)), ROOM, 0);
}

bool register_first(struct peer *p, const uint8_t id[32], uint64_t now)
{
	bool first;

	if (!p->seen)
		return false;
	pthread_mutex_lock(&p->seen->lock);
	first = replay_first(p->seen->replay, id, now);
	pthread_mutex_unlock(&p->seen->lock);
	return first;
}

struct session_slot *sessions_shared(size_t num)
{
	return num ? shared(num * sizeof(struct session_slot)) : NULL;
}
