/* SPDX-License-Identifier: MIT */
/*
 * Accesses that are not of the line which their set used last, for a D1 with 64 bytes in a line and
 * 8 ways: the line becomes the first of its set.  These are IrEntries: R10 is the item, R11 the
 * address, and nothing but R9, R10, R11 and the condition codes changes.  What is in two lines, and
 * what misses, is left to C.
 */
#define GROUP_LO 16		/* Group in block_data.h */
#define GROUP_SPAN 20
#define CACHE_BYTES 40		/* Cache in cache_sim.h */
#define CACHE_RECENT 0
#define CACHE_SET_MASK 16
#define D1 cache_sim_cache + CACHE_BYTES
#define LINE_BITS 6
#define SET_BITS 6

.macro FUNCTION name
	.p2align 4
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
.endm

	.hidden	cache_sim_cache
	.hidden	cg_group, cg_group_missed, cg_fetch
	.text
FUNCTION cg_group_entry
	movslq	GROUP_LO(%r10), %r9
	pushq	%rax
	movl	GROUP_SPAN(%r10), %eax
	addq	%r11, %r9
	addq	%r9, %rax
	shrq	$LINE_BITS, %r9
	shrq	$LINE_BITS, %rax
	cmpq	%r9, %rax
	jne	4f
	andq	D1 + CACHE_SET_MASK(%rip), %rax
	pushq	%rcx
	shlq	$SET_BITS, %rax
	addq	D1 + CACHE_RECENT(%rip), %rax
	movq	(%rax), %rcx
	cmpq	%r9, %rcx
	je	2f
	movq	%r9, (%rax)
	pushq	%rdx
	/* Each key moves on by one place, until the one that comes first now is found. */
	.irp	at, 8, 24, 40
	movq	\at(%rax), %rdx
	movq	%rcx, \at(%rax)
	cmpq	%r9, %rdx
	je	1f
	movq	8 + \at(%rax), %rcx
	movq	%rdx, 8 + \at(%rax)
	cmpq	%r9, %rcx
	je	1f
	.endr
	movq	56(%rax), %rdx
	movq	%rcx, 56(%rax)
	cmpq	%r9, %rdx
	jne	3f
1:	popq	%rdx
2:	popq	%rcx
	popq	%rax
	ret
3:	popq	%rdx
	popq	%rcx
	leaq	cg_group_missed(%rip), %r9
	jmp	in_c
/* In two lines: if both are the last ones of their sets, which differ, nothing changes. */
4:	decq	%rax
	cmpq	%r9, %rax
	jne	5f
	andq	D1 + CACHE_SET_MASK(%rip), %rax
	pushq	%rcx
	movq	D1 + CACHE_RECENT(%rip), %rcx
	shlq	$SET_BITS, %rax
	cmpq	%r9, (%rcx, %rax)
	jne	6f
	incq	%r9
	movq	%r9, %rax
	andq	D1 + CACHE_SET_MASK(%rip), %rax
	shlq	$SET_BITS, %rax
	cmpq	%r9, (%rcx, %rax)
	je	2b
6:	popq	%rcx
5:	leaq	cg_group(%rip), %r9
	jmp	in_c
	.size	cg_group_entry, . - cg_group_entry

FUNCTION cg_fetch_entry
	pushq	%rax
	leaq	cg_fetch(%rip), %r9
	jmp	in_c
	.size	cg_fetch_entry, . - cg_fetch_entry

/* Call R9 with the state, the item and the address; RAX is on the stack already. */
	.p2align 4
in_c:	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	leaq	56(%rsp), %rdi
	movq	%r10, %rsi
	movq	%r11, %rdx
	subq	$8, %rsp
	call	*%r9
	addq	$8, %rsp
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	ret
	.section .note.GNU-stack, "", @progbits
