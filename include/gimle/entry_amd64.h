/* SPDX-License-Identifier: MIT */
/*
 * For assembly: what the entries of IrEntries (ir.h) have in common.  An entry has its arguments in
 * R10 and R11, and the VexState is at RSP + 8; it may change R9, R10, R11 and the condition codes.
 */
#ifndef GIMLE_ENTRY_AMD64_H
#define GIMLE_ENTRY_AMD64_H
#ifdef __ASSEMBLER__

/* A function that C may name. */
.macro GIMLE_ENTRY name
	.p2align 4
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
.endm

/*
 * Call \function (a GIMLE_LIGHT one) with the state and what is in R10 and R11.  RSP must be what it
 * was at the entry.
 */
.macro GIMLE_ENTRY_CALL_C function:vararg
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	leaq	56(%rsp), %rdi
	movq	%r10, %rsi
	movq	%r11, %rdx
	subq	$8, %rsp
	call	\function
	addq	$8, %rsp
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
.endm

#endif
#endif
