/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inner loop: whole batches of 16 or 8 blocks, AES and GHASH interleaved.
 * Included once for each width with VEC (ymm, xmm), VSIZE, LOAD_KEY, the two
 * REDUCE_LAST steps, and FULL: how many passes of eight vectors make 16 blocks.
 *
 * void f(const struct gcm_key *key, struct gcm_work *work, const u8 *in,
 *	  u8 *out, size_t batches, const u8 *behind)
 *
 * Sealing hashes one batch behind: first @behind, then each batch of output but
 * the last, which the caller hashes or passes on as @behind. Opening hashes the
 * input and ignores @behind.
 *
 * The _user functions seal from, or open to, a program's memory, with page
 * faults off: 0, or -EFAULT where one was needed. No vector leaves for there
 * before it is encrypted or decrypted, and none is read from there twice.
 *
 * The _far functions fetch what will be read next, GCM_W_AHEAD bytes from what is read now:
 * processors do so by themselves, but not from one page to another, nor soon enough.
 */
#include "gcm-work.h"

#if defined(__KERNEL__) && !defined(CONFIG_UML)
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/smap.h>
#elif defined(__KERNEL__)
#include <linux/linkage.h>
#define ASM_STAC
#define ASM_CLAC
#define _ASM_EXTABLE_UA(from, to)
#else
/* The unit test's own handler looks here. */
#define ASM_STAC
#define ASM_CLAC
#define _ASM_EXTABLE_UA(from, to)			\
	.pushsection gcm_extable, "a";			\
	.balign 4;					\
	.long (from) - .;				\
	.long (to) - .;					\
	.popsection
#define SYM_FUNC_START(name)	.globl name; .type name, @function; .balign 16; name:
#define SYM_FUNC_END(name)	.size name, . - name
#endif
#ifndef RET
#define RET	ret
#endif

#define KEY	%rdi
#define WORK	%rsi
#define IN	%rdx
#define OUT	%rcx
#define BATCHES	%r8
#define BEHIND	%r9
#define LATER	%r10

#define CAT_(a, b)	a##b
#define CAT(a, b)	CAT_(a, b)
/* 0-7: the blocks under encryption */
#define X	%CAT(VEC, 8)
#define LOW	%CAT(VEC, 9)
#define HIGH	%CAT(VEC, 10)
#define MIDDLE	%CAT(VEC, 11)
#define TMP	%CAT(VEC, 12)
#define HASH	%CAT(VEC, 13)
#define SUM	%CAT(VEC, 14)
#define RK	%CAT(VEC, 15)

#define STEPS		8	/* to hash one vector */
#define MULTIPLY	4	/* the step with all three multiplications */
#define AHEAD		4	/* due earlier: measured */
#define FAULT		-14	/* -EFAULT */
#define AT_IN		1	/* what may fault */
#define AT_OUT		2
#define REDUCE_STEPS	13

.section .rodata
.balign 32
.Lswap:
	.rept 2
	.byte 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
	.endr
.Lpoly:				/* x^128 + x^127 + x^126 + x^121 + 1, reflected */
	.rept 2
	.quad 1, 0xc200000000000000
	.endr
.Lbatch:
	.rept 2
	.long 8, 0, 0, 0
	.endr
	.rept 2
	.long 16, 0, 0, 0
	.endr
.Lcounters:			/* big endian, to be xored to a multiple of 16 */
	.set i, 0
	.rept 16
	.long 0, 0, 0, i << 24
	.set i, i + 1
	.endr
.text

/* Step k of the reduction of LOW, MIDDLE, HIGH to HASH. */
.macro reduce_step
	.if k == 0
	vpxor		LOW, MIDDLE, MIDDLE
	.elseif k == 1
	vmovdqa		.Lpoly(%rip), X
	.elseif k == 2
	vpclmulqdq	$0x01, LOW, X, TMP
	.elseif k == 3
	vpshufd		$0x4e, LOW, LOW
	.elseif k == 4
	vpxor		HIGH, MIDDLE, MIDDLE
	.elseif k == 5
	vpxor		LOW, MIDDLE, MIDDLE
	.elseif k == 6
	vpxor		TMP, MIDDLE, MIDDLE
	.elseif k == 7
	vpclmulqdq	$0x01, MIDDLE, X, TMP
	.elseif k == 8
	vpshufd		$0x4e, MIDDLE, MIDDLE
	.elseif k == 9
	vpxor		MIDDLE, HIGH, HIGH
	.elseif k == 10
	vpxor		TMP, HIGH, HIGH
	.elseif k == 11
	REDUCE_LAST1
	.elseif k == 12
	REDUCE_LAST2
	.endif
.endm

/* Step k of hashing vector j of a pass; `first` starts the sums. */
.macro hash_step pass, src, table
	.if k == 0
	vmovdqu		VSIZE * (8 * \pass + j)(\src), X
	.elseif k == 1
	vpshufb		.Lswap(%rip), X, X
	.if j == 0 && \pass == 0
	vpxor		HASH, X, X
	.endif
	.elseif k == 2
	vpshufd		$0x4e, X, SUM
	.elseif k == 3
	vpxor		SUM, X, SUM
	.elseif k == MULTIPLY && first
	vpclmulqdq	$0x00, powers + VSIZE * (8 * \pass + j)(\table), X, LOW
	vpclmulqdq	$0x11, powers + VSIZE * (8 * \pass + j)(\table), X, HIGH
	vpclmulqdq	$0x10 * (j / 4), GCM_W_MIDDLE + VSIZE * (4 * \pass + j % 4)(WORK), SUM, MIDDLE
	.elseif k == MULTIPLY
	vpclmulqdq	$0x00, powers + VSIZE * (8 * \pass + j)(\table), X, TMP
	vpclmulqdq	$0x11, powers + VSIZE * (8 * \pass + j)(\table), X, X
	vpclmulqdq	$0x10 * (j / 4), GCM_W_MIDDLE + VSIZE * (4 * \pass + j % 4)(WORK), SUM, SUM
	.elseif k == 5
	vpxor		TMP, LOW, LOW
	.elseif k == 6
	vpxor		X, HIGH, HIGH
	.elseif k == 7
	vpxor		SUM, MIDDLE, MIDDLE
	.endif
.endm

/*
 * The next GHASH step. Vector 0 needs the last batch's HASH: it comes last. CPUs dispatch a
 * multiplication, which is microcode, alone, and other instructions by six: `others` of them
 * since the last multiplication should fill their groups.
 */
.macro next_step pass, src, table
	.set k, step % STEPS
	.set j, (step / STEPS + 1) % 8
	.set first, \pass == 0 && step < STEPS
	.if step < 8 * STEPS
	.set multiply, -(k == MULTIPLY)
	.else
	.set k, step - 8 * STEPS
	.set multiply, -(k == 2 || k == 7)
	.endif
	.if !multiply || others % 6 == 0 || step < late
	.if first && k > MULTIPLY
	.elseif step < 8 * STEPS
	hash_step \pass, \src, \table
	.set others, (1 - multiply) * (others + 1 + (k == 1 && j == 0))
	.else
	reduce_step
	.set others, (1 - multiply) * (others + 1)
	.endif
	.set step, step + 1
	.endif
.endm

/* What is due of them before another AES instruction. */
.macro hash_steps pass, src, table
	.set due, done * steps / total + AHEAD
	.if due > steps
	.set due, steps
	.endif
	.rept due - step
	next_step \pass, \src, \table
	.endr
	.set done, done + 1
	.set others, others + 1
.endm

/* Eight vectors through AES, the hash steps spread evenly among the rounds. */
.macro aes_pass rounds, pass, src, user, table
	.set steps, 8 * STEPS
	.if \pass == passes - 1
	.set steps, steps + REDUCE_STEPS
	.endif
	.set step, 0
	.set late, 0
	.set done, 0
	.set others, 0
	.set total, 9 * (\rounds - 1)
	.set round, 1
	.rept \rounds - 1
	hash_steps \pass, \src, \table
	LOAD_KEY	GCM_K_ROUND + 16 * round(KEY), RK
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7
	hash_steps \pass, \src, \table
	vaesenc		RK, %VEC\r, %VEC\r
	.endr
	.set round, round + 1
	.endr
	.set late, steps
	.rept steps - step
	next_step \pass, \src, \table
	.endr
	LOAD_KEY	GCM_K_ROUND + 16 * \rounds(KEY), RK
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7
771:	vpxor		VSIZE * (8 * \pass + \r)(IN), RK, X
	.if \user == AT_IN
	_ASM_EXTABLE_UA(771b, 772f)
	.endif
	vaesenclast	X, %VEC\r, %VEC\r
	.endr
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7
771:	vmovdqu		%VEC\r, VSIZE * (8 * \pass + \r)(OUT)
	.if \user == AT_OUT
	_ASM_EXTABLE_UA(771b, 772f)
	.endif
	.endr
.endm

.macro start_counters pass
	vmovdqu		GCM_W_COUNTER(WORK), X
	.if \pass == passes - 1
	vpaddd		.Lbatch + 32 * (passes * VSIZE / 32)(%rip), X, TMP
	vmovdqu		TMP, GCM_W_COUNTER(WORK)
	.endif
	LOAD_KEY	GCM_K_ROUND(KEY), RK
	vpshufb		.Lswap(%rip), X, X
	vpxor		RK, X, X
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7
	vpxor		VSIZE * (8 * \pass + \r) + .Lcounters(%rip), X, %VEC\r
	.endr
.endm

/* The powers of H for 16 blocks are the record's, those for 8 the key's. */
.macro bulk rounds, src, user=0, passes=FULL, powers=GCM_W_POWER, table=WORK, far=0
	.set passes, \passes
	.set powers, \powers
	.if \user
	ASM_STAC
	.endif
	vmovdqu		GCM_W_HASH(WORK), %xmm13
	.if \far
	mov		GCM_W_AHEAD(WORK), LATER
	.endif
	.balign 64
.Lagain\@:
	.if \far
	.irp line, 0, 1, 2, 3
	prefetcht0	64 * \line(IN, LATER)
	.endr
	.endif
	start_counters 0
	aes_pass \rounds, 0, \src, \user, \table
	.if passes == 2
	start_counters 1
	aes_pass \rounds, 1, \src, \user, \table
	.endif
	mov		OUT, BEHIND
	add		$8 * VSIZE * passes, IN
	add		$8 * VSIZE * passes, OUT
	dec		BATCHES
	jnz		.Lagain\@
	vmovdqu		%xmm13, GCM_W_HASH(WORK)
	vzeroupper
	.if \user
	ASM_CLAC
	xor		%eax, %eax
	.endif
	RET
	.if \user
772:	ASM_CLAC
	vzeroupper
	mov		$FAULT, %eax
	RET
	.endif
.endm

.macro function name, rounds, args:vararg
SYM_FUNC_START(\name)
	bulk \rounds, \args
SYM_FUNC_END(\name)
.endm

function CAT(NAME, _seal_10), 10, BEHIND
function CAT(NAME, _seal_14), 14, BEHIND
function CAT(NAME, _open_10), 10, IN
function CAT(NAME, _open_14), 14, IN
function CAT(NAME, _far_open_10), 10, IN, far=1
function CAT(NAME, _far_open_14), 14, IN, far=1
function CAT(NAME, _user_seal_10), 10, BEHIND, AT_IN
function CAT(NAME, _user_seal_14), 14, BEHIND, AT_IN
function CAT(NAME, _user_open_10), 10, IN, AT_OUT
function CAT(NAME, _user_open_14), 14, IN, AT_OUT
#if FULL == 1
function CAT(NAME, _seal_12), 12, BEHIND
function CAT(NAME, _open_12), 12, IN
#else
function CAT(NAME, _half_seal_10), 10, BEHIND, 0, 1, GCM_K_BULK, KEY
function CAT(NAME, _half_seal_12), 12, BEHIND, 0, 1, GCM_K_BULK, KEY
function CAT(NAME, _half_seal_14), 14, BEHIND, 0, 1, GCM_K_BULK, KEY
function CAT(NAME, _half_open_10), 10, IN, 0, 1, GCM_K_BULK, KEY
function CAT(NAME, _half_open_12), 12, IN, 0, 1, GCM_K_BULK, KEY
function CAT(NAME, _half_open_14), 14, IN, 0, 1, GCM_K_BULK, KEY
#endif

.section .note.GNU-stack, "", @progbits
