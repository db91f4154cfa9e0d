/* SPDX-License-Identifier: MIT */
/*
 * The glue between C and translated code.  In translated code RSP is the VexState; R9 to R11
 * are free in pinned modes wherever a stub is used, all registers in other modes.  Three
 * variants of what touches vector registers exist, for SSE, AVX and AVX-512 hosts; stubs.c
 * chooses.  Between stubs_begin and stubs_end the guest's registers are in transit.
 */
#include "exit_data.h"
#include "stubs_offsets.h"

	.text
	.p2align 4
	.globl	stubs_begin
	.hidden	stubs_begin
stubs_begin:

/* PINNED_REGS: the rows of regs.def */
	.macro	each_gpr op
	\op	rax, 0
	\op	rcx, 1
	\op	rdx, 2
	\op	rbx, 3
	\op	r15, 4
	\op	rbp, 5
	\op	rsi, 6
	\op	rdi, 7
	\op	r8, 8
	\op	r12, 12
	\op	r13, 13
	.endm
	.macro	gpr_save host, n
	movq	%\host, VS_GPR + 8*\n(%rsp)
	.endm
	.macro	gpr_load host, n
	movq	VS_GPR + 8*\n(%rsp), %\host
	.endm

	.macro	vec_save_sse
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps	%xmm\n, VS_V + 64*\n(%rsp)
	.endr
	.endm
	.macro	vec_load_sse
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps	VS_V + 64*\n(%rsp), %xmm\n
	.endr
	.endm
	.macro	vec_save_avx
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovaps	%ymm\n, VS_V + 64*\n(%rsp)
	.endr
	vzeroupper
	.endm
/* With upper halves that are all zero only the lower ones are loaded: then legacy SSE code runs
   without the penalty for dirty upper halves that Intel's processors have. */
	.macro	vec_load_avx
	vmovaps	VS_V + 16(%rsp), %xmm0
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vpor	VS_V + 64*\n + 16(%rsp), %xmm0, %xmm0
	.endr
	vptest	%xmm0, %xmm0
	jnz	3f
	vzeroupper
	vec_load_sse
	jmp	4f
3:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovaps	VS_V + 64*\n(%rsp), %ymm\n
	.endr
4:
	.endm
	.macro	vec_save_avx512
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovaps	%zmm\n, VS_V + 64*\n(%rsp)
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	%k\n, VS_K + 8*\n(%rsp)
	.endr
	vzeroupper
	.endm
	.macro	vec_load_avx512
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovaps	VS_V + 64*\n(%rsp), %zmm\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	VS_K + 8*\n(%rsp), %k\n
	.endr
	.endm
	/* Only AVX-512 hosts keep vector state in registers across non-pinned code, and it is
	   in the state there as well: nothing to do. */

/* Before C code runs: the guest's x87 state and MXCSR out, the host's in. */
	.macro	fp_to_host
	cmpq	$0, VS_FPU_LIVE(%rsp)
	je	1f
	fxsave64 VS_FPU(%rsp)
	fninit
	movq	$0, VS_FPU_LIVE(%rsp)
1:	stmxcsr	VS_MXCSR(%rsp)
	ldmxcsr	VS_HOST_MXCSR(%rsp)
	.endm

/* ---- into translated code ---- */

/* void vex_enter(VexState *s, const void *code, bool pinned) */
	.globl	vex_enter
	.type	vex_enter, @function
vex_enter:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rax
	movq	%rsp, VS_HOST_SP(%rdi)
	stmxcsr	VS_HOST_MXCSR(%rdi)
	ldmxcsr	VS_MXCSR(%rdi)
	movq	%rdi, %rsp
	movq	%rsi, %r11
	testb	%dl, %dl
	jz	1f
	jmp	*(VS_STUBS + ST_ENTER_PINNED)(%rsp)
1:	jmp	*%r11
	.size	vex_enter, . - vex_enter

/* Back to vex_enter's caller; all guest registers are in the state. */
	.globl	stub_return
	.hidden	stub_return
stub_return:
	fp_to_host
	movq	VS_HOST_SP(%rsp), %rsp
	popq	%rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* A signal handler left: as stub_return, but the x87 state and MXCSR are the host's already. */
	.globl	stub_abandon
	.hidden	stub_abandon
stub_abandon:
	movq	VS_HOST_SP(%rsp), %rsp
	popq	%rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* Load the guest's x87 state; FXRSTOR would also change XMM and MXCSR, so they are saved into
   the image that is loaded. Called by translated code; keeps all registers. */
	.globl	stub_fpu_load
	.hidden	stub_fpu_load
stub_fpu_load:
	.set	AREA, -1024
	movq	%r11, VS_SCRATCH + 48 + 8(%rsp)
	fxsave64 AREA + 8(%rsp)
	.irp	off, 0, 8, 16, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152
	movq	VS_FPU + 8 + \off(%rsp), %r11
	movq	%r11, AREA + 8 + \off(%rsp)
	.endr
	fxrstor64 AREA + 8(%rsp)
	movq	$1, VS_FPU_LIVE + 8(%rsp)
	movq	VS_SCRATCH + 48 + 8(%rsp), %r11
	ret

/* CALLEE_FULL from non-pinned code: function in R11, arguments in the scratch words; the result
   is in R11. */
	.macro	call_c
	leaq	(%rsp), %rdi
	movq	VS_SCRATCH(%rsp), %rsi
	movq	VS_SCRATCH + 8(%rsp), %rdx
	movq	VS_SCRATCH + 16(%rsp), %rcx
	movq	VS_SCRATCH + 24(%rsp), %r8
	movq	VS_SCRATCH + 32(%rsp), %r9
	call	*%r11
	movq	%rax, %r11
	ldmxcsr	VS_MXCSR(%rsp)
	.endm

	.globl	stub_call_full
	.hidden	stub_call_full
stub_call_full:
	popq	%r10
	movq	%r10, VS_HELPER_RET(%rsp)
	fp_to_host
	call_c
	pushq	VS_HELPER_RET(%rsp)
	ret

/* CALLEE_QUICK from pinned code: helper in R11, its argument (a VexQuick) in the first scratch word.
   The quick function finds the guest's arguments where they are; if it declines, all goes as
   if it had not been tried.  Otherwise it has changed RAX only, and the guest function returns. */
	.macro	gpr_save_called host, n
	movq	%\host, 8 + VS_GPR + 8*\n(%rsp)
	.endm
	.macro	gpr_load_called host, n
	movq	8 + VS_GPR + 8*\n(%rsp), %\host
	.endm
	.globl	stub_call_quick
	.hidden	stub_call_quick
stub_call_quick:
	each_gpr gpr_save_called
	movq	%r11, 8 + VS_SCRATCH + 8(%rsp)
	movq	8 + VS_SCRATCH(%rsp), %r9
	leaq	8(%rsp), %r8
	movq	(%r9), %r11
	movq	8(%r9), %r9
	movq	$1, 8 + VS_QUICK(%rsp)
	subq	$8, %rsp
	call	*%r11
	addq	$8, %rsp
	testq	%rdx, %rdx
	jz	1f
	movq	(%r15), %r11
	movq	$0, 8 + VS_QUICK(%rsp)
	addq	$8, %r15
	movq	%r11, 8 + VS_PC(%rsp)
	gpr_load_called rcx, 1
	gpr_load_called rdx, 2
	gpr_load_called rsi, 6
	gpr_load_called rdi, 7
	gpr_load_called r8, 8
	ret
1:	movq	$0, 8 + VS_QUICK(%rsp)
	gpr_load_called rax, 0
	gpr_load_called rcx, 1
	gpr_load_called rdx, 2
	gpr_load_called rsi, 6
	gpr_load_called rdi, 7
	gpr_load_called r8, 8
	movq	8 + VS_SCRATCH + 8(%rsp), %r11
	jmp	*(8 + VS_STUBS + ST_CALL_FULL_PINNED)(%rsp)

/* What an exit stub tells C, from R10 (exit_data.h) and R11. */
	.macro	leave_common reason
	movq	%r11, VS_PC(%rsp)
	movl	$\reason, VS_EXIT_REASON(%rsp)
	movzbl	%r10b, %r11d
	movl	%r11d, VS_EXIT_MODE(%rsp)
	shrl	$8, %r10d
	movzbl	%r10b, %r11d
	movq	%r11, VS_CUR_MODE(%rsp)
	shrl	$8, %r10d
	movl	%r10d, %r11d
	shrl	$8, %r11d
	movl	%r11d, VS_EXIT_KIND(%rsp)
	testb	%r10b, %r10b
	.endm

/* The stubs that touch vector registers, for one kind of host. */
	.macro	variant kind
	.globl	stub_exit_chain_\kind
	.hidden	stub_exit_chain_\kind
stub_exit_chain_\kind:
	popq	%r11
	popq	%r10
	movl	%r10d, VS_EXIT_INDEX(%rsp)
	movl	EXIT_BLOCK(%r11), %r10d
	movl	%r10d, VS_EXIT_BLOCK(%rsp)
	movl	$0, VS_EXIT_REASON(%rsp)
	movzbl	EXIT_REGS(%r11), %r10d
	testb	%r10b, %r10b
	jz	stub_return
	jmp	stub_save_return_\kind

	.globl	stub_exit_indirect_\kind
	.hidden	stub_exit_indirect_\kind
stub_exit_indirect_\kind:
	leave_common 1
	jz	stub_return
	jmp	stub_save_return_\kind

	.globl	stub_exit_kind_\kind
	.hidden	stub_exit_kind_\kind
stub_exit_kind_\kind:
	leave_common 3
	jz	stub_return
stub_save_return_\kind:
	testb	$REGS_TOOL0, %r10b
	jz	1f
	movq	%r14, VS_TOOL(%rsp)
1:	each_gpr gpr_save
	vec_save_\kind
	jmp	stub_return

/* Speculation failed: from a pinned mode to another one, if the jump cache knows the way. */
	.globl	stub_redo_\kind
	.hidden	stub_redo_\kind
stub_redo_\kind:
	testl	$REGS_TOOL0 << 16, %r10d
	jz	1f
	movq	%r14, VS_TOOL(%rsp)
1:	imull	$JUMP_HASH, %r11d, %r9d
	shrl	$(32 - JUMP_BITS - JUMP_ENTRY), %r9d
	andl	$JUMP_MASK, %r9d
	movzbl	%r10b, %r14d
	shll	$JUMP_MODE, %r14d
	addl	%r14d, %r9d
	cmpq	%r11, VS_JUMP_CACHE(%rsp, %r9)
	jne	2f
	movzbl	%r10b, %r10d
	movq	%r10, VS_CUR_MODE(%rsp)
	movq	VS_JUMP_CACHE + 8(%rsp, %r9), %r11
	jmp	stub_leave_pinned_\kind
2:	movq	VS_TOOL(%rsp), %r14
	jmp	stub_exit_indirect_\kind

	.globl	stub_enter_pinned_\kind
	.hidden	stub_enter_pinned_\kind
stub_enter_pinned_\kind:
	each_gpr gpr_load
	movq	VS_TOOL(%rsp), %r14
	vec_load_\kind
	jmp	*%r11

	.globl	stub_leave_pinned_\kind
	.hidden	stub_leave_pinned_\kind
stub_leave_pinned_\kind:
	each_gpr gpr_save
	vec_save_\kind
	jmp	*%r11

	.globl	stub_call_full_pinned_\kind
	.hidden	stub_call_full_pinned_\kind
stub_call_full_pinned_\kind:
	popq	%r10
	movq	%r10, VS_HELPER_RET(%rsp)
	each_gpr gpr_save
	vec_save_\kind
	fp_to_host
	call_c
	each_gpr gpr_load
	vec_load_\kind
	pushq	VS_HELPER_RET(%rsp)
	ret
	.endm

	variant	sse
	variant	avx
	variant	avx512

	.globl	stubs_end
	.hidden	stubs_end
stubs_end:
	.section .note.GNU-stack, "", @progbits
