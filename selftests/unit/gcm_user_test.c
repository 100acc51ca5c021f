// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's AES-GCM from and to a program's memory, some pages of which are
 * not there. What the kernel does with such a fault, the handler here does:
 * it finds the instruction in the table and goes on where that says. Each
 * fault must end the call with -EFAULT, write nothing beside the record, and
 * leave it such that another call gives what OpenSSL has.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>
#include "gcm_widths.h"

#define MAX_LEN	16640
#define PAGE	4096
#define PAGES	6
#define SEGS	64
#define RECORDS	4000

struct entry {
	int32_t from, to;	/* each from its own place */
};
extern const struct entry __start_gcm_extable[], __stop_gcm_extable[];

static unsigned long faults;
static u64 seed = 0x9e3779b97f4a7c15ULL;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 16) % below);
}

static void fill(u8 *p, size_t n)
{
	while (n--)
		*p++ = (u8)rnd(256);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	greg_t *ip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)info;
	for (const struct entry *e = __start_gcm_extable; e < __stop_gcm_extable; e++)
		if ((greg_t)((uintptr_t)&e->from + (uintptr_t)(intptr_t)e->from) == *ip) {
			*ip = (greg_t)((uintptr_t)&e->to + (uintptr_t)(intptr_t)e->to);
			faults++;
			return;
		}
	signal(sig, SIG_DFL);
}

/* ---- one record */

struct record {
	u8	*user;			/* the program's: plaintext, to seal or opened */
	u8	plain[MAX_LEN], cipher[MAX_LEN], copy[MAX_LEN + 64];
	u8	raw[32], iv[12], tag[16], mac[16];
	size_t	len, key_len, segs;
	struct gcm_seg seg[SEGS];
	struct gcm_op op;
	struct gcm_key key;
};

/* Pieces of the kernel's memory at random places; what can of each is the program's. */
static void cut(struct record *r, bool seal)
{
	size_t at = 0, n, len, skip;
	struct gcm_seg *s = r->seg;
	u8 *own = r->copy;

	for (; at < r->len; at += n) {
		n = s - r->seg > SEGS - 8 ? r->len - at : 1 + rnd(rnd(2) ? MAX_LEN : 700);
		n = n > r->len - at ? r->len - at : n;
		len = gcm_cut(at, n, &skip);
		skip = len ? skip : n;
		*s++ = (struct gcm_seg){ (seal ? own : r->cipher) + at, own + at, skip, false };
		if (len)
			*s++ = (struct gcm_seg){ (seal ? r->user : r->cipher) + at + skip,
						 (seal ? own : r->user) + at + skip, len, true };
		if (n > skip + len)
			*s++ = (struct gcm_seg){ (seal ? own : r->cipher) + at + skip + len,
						 own + at + skip + len, n - skip - len, false };
	}
	r->op.segs = (size_t)(s - r->seg);
}

static int run(struct record *r, bool seal)
{
	memset(r->copy + r->len, 0xa5, 64);
	if (seal)
		memcpy(r->copy, r->plain, r->len);
	return seal ? w->seal(&r->key, &r->op, r->mac) : w->open(&r->key, &r->op, r->tag, 16);
}

/* What the program has of an opened record, the rest from where we have it. */
static void expect(struct record *r, bool seal)
{
	const u8 *at;
	size_t done = 0;

	for (size_t i = 0; i < r->op.segs; done += r->seg[i++].len) {
		at = r->seg[i].user && !seal ? r->user : r->copy;
		assert_memory_equal(at + done, (seal ? r->cipher : r->plain) + done, r->seg[i].len);
	}
	if (seal)
		assert_memory_equal(r->mac, r->tag, 16);
	for (int i = 0; i < 64; i++)
		assert_int_equal(r->copy[r->len + (size_t)i], 0xa5);
}

/* Is byte @at read or written at the program's? */
static bool touched(const struct record *r, size_t from, size_t to)
{
	size_t done = 0;

	for (size_t i = 0; i < r->op.segs; done += r->seg[i++].len)
		if (r->seg[i].user && done < to && done + r->seg[i].len > from)
			return true;
	return false;
}

static void one(struct record *r, u8 *mem, bool seal)
{
	size_t hole = rnd(PAGES), off;
	unsigned long before = faults;
	int err;

	r->key_len = rnd(2) ? 16 : 32;
	r->len = rnd(3) ? 16384 + rnd(2) : GCM_USER_MIN + rnd(MAX_LEN - GCM_USER_MIN);
	off = rnd(3) ? rnd(PAGE) : 0;
	r->user = mem + off;
	fill(r->raw, r->key_len);
	fill(r->iv, sizeof(r->iv));
	fill(r->plain + rnd(MAX_LEN - 16), 16);
	assert_true(reference_seal(r->raw, r->key_len, r->iv, r->raw, 5, r->plain, r->len, r->cipher, r->tag));
	gcm_key_init(&r->key, r->raw, r->key_len);
	r->op = (struct gcm_op){ .iv = r->iv, .aad = r->raw, .aad_len = 5, .seg = r->seg };
	cut(r, seal);
	memcpy(r->user, r->plain, r->len);
	if (!seal)
		memset(r->user, 0, r->len);

	assert_int_equal(mprotect(mem + hole * PAGE, PAGE, seal ? PROT_NONE : PROT_READ), 0);
	err = run(r, seal);
	assert_int_equal(mprotect(mem + hole * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	if (!touched(r, hole * PAGE > off ? hole * PAGE - off : 0, (hole + 1) * PAGE > off ? (hole + 1) * PAGE - off : 0)) {
		assert_int_equal(err, 0);
		assert_int_equal(faults - before, 0);
		expect(r, seal);
		return;
	}
	assert_int_equal(err, -EFAULT);
	assert_int_equal(faults - before, 1);
	assert_int_equal(run(r, seal), 0);
	expect(r, seal);
	r->tag[rnd(16)] ^= 1;
	if (!seal)
		assert_int_equal(run(r, seal), -EBADMSG);
}

static void records(bool seal)
{
	struct record *r = calloc(1, sizeof(*r));
	u8 *mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	unsigned long before = faults;

	assert_non_null(r);
	assert_int_equal(sigaction(SIGSEGV, &sa, NULL), 0);	/* cmocka has its own until here */
	assert_true(mem != MAP_FAILED);
	fill(r->plain, MAX_LEN);
	for (int i = 0; i < RECORDS; i++)
		one(r, mem, seal);
	print_message("%s: %lu faults in %d records\n", w->name, faults - before, RECORDS);
	assert_true(faults - before > RECORDS / 4);
	munmap(mem, PAGES * PAGE);
	free(r);
}

static void seal_from_user(void **state)
{
	(void)state;
	records(true);
}

static void open_to_user(void **state)
{
	(void)state;
	records(false);
}

/* Whole batches, from the end of the head or further, and as many as there are. */
static void where_to_cut(void **state)
{
	size_t skip;

	(void)state;
	for (size_t at = 0; at < 1200; at++)
		for (size_t len = 0; len < 1200; len++) {
			size_t n = gcm_cut(at, len, &skip);

			assert_int_equal(n % GCM_BATCH, 0);
			if (!n)
				continue;
			assert_int_equal((at + skip - GCM_HEAD) % GCM_BATCH, 0);
			assert_true(at + skip >= GCM_HEAD && skip + n <= len && len - skip - n < GCM_BATCH);
			assert_true(skip < GCM_BATCH || at + skip == GCM_HEAD);
		}
}

#define ALL(i) WITH(where_to_cut, i), WITH(seal_from_user, i), WITH(open_to_user, i)

int main(void)
{
	const struct CMUnitTest aesni[] = { ALL(0) }, vaes[] = { ALL(1) };

	return run_width("gcm_user", 0, aesni, sizeof(aesni) / sizeof(*aesni)) +
	       run_width("gcm_user", 1, vaes, sizeof(vaes) / sizeof(*vaes));
}
