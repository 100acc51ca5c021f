/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the secret comes from. Redis is asked now and then, with a time limit:
 * until it answers this agent's tickets are its own, or sealed by what it said
 * before, and nobody is refused for that. A Redis that has lost its memory gets
 * a new secret, never the old one: it no longer knows what that was used for.
 */
#include "share.h"
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <nettle/memops.h>
#include "config.h"
#include "handshake/replay.h"
#include "log.h"
#include "rng/rng.h"

#define AGAIN_MS	10000
#define REDIS_KEY	"ktls:ticket-secret"

static const struct timeval patience = { .tv_usec = 500000 };

static bool from_file(const char *path, uint8_t *secret)
{
	char *text = NULL;
	size_t len = 0, got = 0;
	int err = file_slurp(path, &text, &len);
	bool good = !err && strlen(text) == len && psk_from_hex(text, secret, SHARE_SECRET, &got) && got == SHARE_SECRET;

	if (err)
		log_line(LOG_ERR, "keeper: ticket-secret %s cannot be read: %s", path, strerror(-err));
	else if (!good)
		log_line(LOG_ERR, "keeper: ticket-secret %s is not 32 bytes in hexadecimal digits: make one by openssl rand -hex 32", path);
	if (text)
		crypto_wipe(text, len);
	free(text);
	return good;
}

/* "/path", "host" or "host:port" */
static redisContext *redis_open(const char *where)
{
	const char *colon = strrchr(where, ':');
	char host[256];

	if (*where == '/')
		return redisConnectUnixWithTimeout(where, patience);
	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - where) : (int)strlen(where), where);
	return redisConnectWithTimeout(host, colon ? atoi(colon + 1) : 6379, patience);
}

static bool take(redisReply *reply, uint8_t *secret)
{
	bool good = reply && reply->type == REDIS_REPLY_STRING && reply->len == SHARE_SECRET;

	if (good) {
		memcpy(secret, reply->str, SHARE_SECRET);
		crypto_wipe(reply->str, reply->len);
	}
	return good;
}

/* Ours if nobody was there before, else that of the first. */
static bool first_or_theirs(redisContext *r, uint8_t *secret)
{
	uint8_t fresh[SHARE_SECRET];
	redisReply *reply;
	bool good;

	rng_fill(RNG_KEY, fresh, sizeof(fresh));
	reply = redisCommand(r, "SET " REDIS_KEY " %b NX", fresh, sizeof(fresh));
	crypto_wipe(fresh, sizeof(fresh));
	if (reply)
		freeReplyObject(reply);
	reply = redisCommand(r, "GET " REDIS_KEY);
	good = take(reply, secret);
	if (reply)
		freeReplyObject(reply);
	return good;
}

/* Which may lose its memory and be given a new secret by another agent: what it says now counts. */
static void from_redis(struct share *s, const char *where)
{
	redisContext *r = redis_open(where);
	uint8_t secret[SHARE_SECRET];
	bool good = r && !r->err && !redisSetTimeout(r, patience) && first_or_theirs(r, secret);

	if (!good && !s->away)
		log_line(LOG_WARNING, "keeper: no ticket secret from Redis at %s (%s): %s for now", where,
			 !r ? "no memory" : r->err ? r->errstr : "it has something else at " REDIS_KEY,
			 s->has ? "that of before counts" : "tickets are this agent's own");
	if (good && !(s->has && memeql_sec(secret, s->secret, sizeof(secret)))) {
		log_line(LOG_INFO, "keeper: %s ticket secret from Redis at %s", s->has ? "another" : "a", where);
		memcpy(s->secret, secret, sizeof(secret));
		s->has = true;
	}
	s->away = !good;
	crypto_wipe(secret, sizeof(secret));
	if (r)
		redisFree(r);
}

void share_update(struct share *s, const struct config *config, uint64_t now_ms)
{
	if (now_ms < s->again)
		return;
	s->again = UINT64_MAX;
	if (config->ticket_secret) {
		s->has = from_file(config->ticket_secret, s->secret);
	} else if (config->ticket_redis) {
		from_redis(s, config->ticket_redis);
		s->again = now_ms + AGAIN_MS;
	}
}

static bool same_secret(redisContext *r, const struct share *s)
{
	redisReply *reply = redisCommand(r, "GET " REDIS_KEY);
	uint8_t secret[SHARE_SECRET];
	bool same = take(reply, secret) && memeql_sec(secret, s->secret, sizeof(secret));

	crypto_wipe(secret, sizeof(secret));
	if (reply)
		freeReplyObject(reply);
	return same;
}

static bool noted(redisContext *r, const uint8_t *id)
{
	redisReply *reply = redisCommand(r, "SET ktls:early:%b 1 NX EX %d", id, (size_t)32, REPLAY_PERIOD);
	bool first = reply && reply->type == REDIS_REPLY_STATUS && !strcmp(reply->str, "OK");

	if (reply)
		freeReplyObject(reply);
	return first;
}

bool share_first(struct share *s, const struct config *config, const uint8_t id[32], uint64_t now_ms)
{
	redisContext *r;
	bool first;

	if (!s->has || !config->ticket_redis || now_ms < s->silent)
		return false;
	r = redis_open(config->ticket_redis);
	first = r && !r->err && !redisSetTimeout(r, patience) && same_secret(r, s) && noted(r, id);
	if (!r || r->err) {
		log_line(LOG_WARNING, "keeper: no register of early data from Redis at %s (%s): none is taken for now",
			 config->ticket_redis, r ? r->errstr : "no memory");
		s->silent = now_ms + AGAIN_MS;
	}
	if (r)
		redisFree(r);
	return first;
}

void share_forget(struct share *s)
{
	crypto_wipe(s, sizeof(*s));
	s->has = false;
	s->again = s->silent = 0;
}
