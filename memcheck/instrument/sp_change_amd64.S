/* SPDX-License-Identifier: MIT */
/*
 * The stack pointer goes from R10 to R11: what it passed becomes undefined or nobody's, a red
 * zone further down.  An IrEntry: nothing but R9, R10, R11 and the condition codes changes, so
 * translated code calls this without saving anything.  Large and odd changes are left to C.
 */
#include "gimle/entry_amd64.h"

#define RED_ZONE 128
#define MAX_SIZE 2048	/* more than that may be a switch of stacks */
#define CLIENT_BITS 45

	.text
GIMLE_ENTRY mc_sp_change_entry
	movq	%r11, %r9
	subq	%r10, %r9
	jae	2f
/* Down: [new, old) is fresh. */
	negq	%r9
	leaq	-RED_ZONE(%r11), %r10
	cmpq	$MAX_SIZE, %r9
	ja	in_c_down
	movq	%r10, %r11
	shrq	$CLIENT_BITS, %r11
	jnz	in_c_down
	testb	$7, %r9b
	jnz	in_c_down
	movq	$-1, %r11
	jmp	fill
/* Up: [old, new) is given back. */
2:	addq	$-RED_ZONE, %r10
	cmpq	$MAX_SIZE, %r9
	ja	in_c_up
	movq	%r10, %r11
	shrq	$CLIENT_BITS, %r11
	jnz	in_c_up
	testb	$7, %r9b
	jnz	in_c_up
	movabsq	$0xa5a5a5a5a5a5a5a5, %r11

/* R9 bytes (a multiple of 8) at the shadow of R10 with R11: the last 64 first. */
fill:	cmpq	$64, %r9
	jb	4f
	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56
	movq	%r11, %gs:-64 + \at(%r10, %r9)
	.endr
3:	subq	$64, %r9
	jbe	5f
	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56
	movq	%r11, %gs:\at(%r10)
	.endr
	addq	$64, %r10
	jmp	3b
4:	subq	$8, %r9
	jb	5f
	movq	%r11, %gs:(%r10, %r9)
	jmp	4b
5:	ret

/* R10 is the first address to change, R9 the size. */
in_c_down:
	leaq	RED_ZONE(%r10), %r11
	leaq	(%r11, %r9), %r10
	jmp	in_c
in_c_up:
	addq	$RED_ZONE, %r10
	leaq	(%r10, %r9), %r11
in_c:	GIMLE_ENTRY_CALL_C mc_sp_change@PLT
	ret
	.size	mc_sp_change_entry, . - mc_sp_change_entry

/* A call: the red zone below R10, the stack pointer that the callee gets, becomes undefined. */
GIMLE_ENTRY mc_call_entry
	movq	$-1, %r9
	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
	movq	%r9, %gs:-RED_ZONE + \at(%r10)
	.endr
	ret
	.size	mc_call_entry, . - mc_call_entry
	.section .note.GNU-stack, "", @progbits
