/* SPDX-License-Identifier: MIT */
/*
 * A note in the table of origins: R10 is where undefined bytes are stored, R11 the program counter
 * and the number of bytes, the tool word TW_NOTE what address they were loaded from.  An IrEntry:
 * nothing but R9, R10, R11 and the condition codes changes.  note() in note.c says the same in C.
 */
#include "memcheck/origin/note_layout.h"

#define TW_NOTE 14	/* memcheck.h */

	.text
	.p2align 4
	.globl	mc_note_entry
	.hidden	mc_note_entry
	.type	mc_note_entry, @function
mc_note_entry:
	movl	mc_tool_words(%rip), %r9d
	movq	8 + 8 * TW_NOTE(%rsp, %r9), %r9
	cmpq	%r10, %r9
	je	1f
	pushq	%rax
/* Which note: see origin_note_at().  The table's address is one bit. */
	movq	%r10, %rax
	shrq	$2, %rax
	rorw	$1, %ax
	movzwl	%ax, %eax
	shll	$ORIGIN_NOTE_LOG, %eax
	btsq	$ORIGIN_TABLE_BIT, %rax
	movq	%r10, (%rax)
	movq	%r9, 8(%rax)
	movq	%r11, 16(%rax)
	movabsq	$ORIGIN_TABLE + ORIGIN_TABLE_SIZE, %r9
	movq	(%r9), %r9
	movq	%r9, 24(%rax)
	popq	%rax
1:	ret
	.size	mc_note_entry, . - mc_note_entry
/* What is popped from R10 comes from where its note says: the address goes to TW_NOTE.  As popped() in C. */
	.p2align 4
	.globl	mc_popped_entry
	.hidden	mc_popped_entry
	.type	mc_popped_entry, @function
mc_popped_entry:
	movq	%r10, %r11
	shrq	$2, %r11
	rorw	$1, %r11w
	movzwl	%r11w, %r11d
	shll	$ORIGIN_NOTE_LOG, %r11d
	btsq	$ORIGIN_TABLE_BIT, %r11
	cmpq	%r10, (%r11)
	jne	1f
	cmpb	$8, 16 + ORIGIN_SIZE_AT / 8(%r11)
	jne	1f
	movq	8(%r11), %r10
1:	movl	mc_tool_words(%rip), %r9d
	movq	%r10, 8 + 8 * TW_NOTE(%rsp, %r9)
	ret
	.size	mc_popped_entry, . - mc_popped_entry
	.section .note.GNU-stack, "", @progbits
