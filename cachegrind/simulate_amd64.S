/* SPDX-License-Identifier: MIT */
/*
 * What translated code calls when it has seen itself that an access or a fetch is not a plain hit:
 * IrEntries, R10 is the item or its counters, R11 an address or a line.  The time is in R14
 * (REG_TOOL(0)) there and in cache_sim_clock for C.
 */
#include "gimle/entry_amd64.h"

#define GROUP_LO 16		/* Group in block_data.h */
#define GROUP_SPAN 20
#define LINE_BITS 6		/* CACHE_SIM_USUAL_LINE_BITS */
#define CUT 18			/* CACHE_SIM_USUAL_CUT */
#define TIMES 0x40000000	/* CACHE_SIM_D1_TIMES */
#define WORD 8

	.hidden	cache_sim_clock
	.hidden	cg_group, cg_line_missed, cg_code_missed, cg_fetch
	.text

.macro IN_C function
	movq	%r14, cache_sim_clock(%rip)
	GIMLE_ENTRY_CALL_C \function
	movq	cache_sim_clock(%rip), %r14
	ret
.endm

/*
 * A group at an odd address.  If it is in one line all the same, nothing is to do.  If it is in two that
 * are there, the second is used now; the first is looked at by the caller.
 */
GIMLE_ENTRY cg_group_odd_entry
	movslq	GROUP_LO(%r10), %r9
	pushq	%rax
	movl	GROUP_SPAN(%r10), %eax
	addq	%r11, %r9
	addq	%r9, %rax
	shlq	$CUT, %r9
	shlq	$CUT, %rax
	shrq	$CUT + LINE_BITS, %r9
	shrq	$CUT + LINE_BITS, %rax
	cmpq	%r9, %rax
	je	1f
	cmpq	$0, %gs:TIMES(, %r9, WORD)
	je	2f
	cmpq	$0, %gs:TIMES(, %rax, WORD)
	je	2f
	movq	%r14, %gs:TIMES(, %rax, WORD)
	incq	%r14
1:	popq	%rax
	ret
2:	popq	%rax
	.size	cg_group_odd_entry, . - cg_group_odd_entry

/* A group, access by access. The one before goes on here. */
	.globl	cg_group_entry
	.hidden	cg_group_entry
	.type	cg_group_entry, @function
cg_group_entry:
	IN_C cg_group
	.size	cg_group_entry, . - cg_group_entry

/* An access in one line, R11, that is not in D1. */
GIMLE_ENTRY cg_line_missed_entry
	IN_C cg_line_missed
	.size	cg_line_missed_entry, . - cg_line_missed_entry

/* A fetch from one line, R11, that is not in I1. */
GIMLE_ENTRY cg_code_missed_entry
	IN_C cg_code_missed
	.size	cg_code_missed_entry, . - cg_code_missed_entry

GIMLE_ENTRY cg_fetch_entry
	IN_C cg_fetch
	.size	cg_fetch_entry, . - cg_fetch_entry
	.section .note.GNU-stack, "", @progbits
