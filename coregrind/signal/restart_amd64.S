/* SPDX-License-Identifier: MIT */
/*
 * The one place where blocking system calls of the client are made.  The host's signal handler
 * compares the interrupted pc with the labels: up to and including signal_stub_syscall the call has
 * not been made (or the kernel is about to make it again, SA_RESTART, which it expresses by the same
 * pc); it is then not made, and the caller gets SIGNAL_RESTART (-512).  After it the result is in RAX.
 */
	.text
	.globl	signal_stub
	.globl	signal_stub_begin, signal_stub_syscall, signal_stub_end, signal_stub_aborted
	.type	signal_stub, @function
/* int64_t signal_stub(volatile uint32_t *pending, uint64_t no, const uint64_t args[6]) */
signal_stub:
	.cfi_startproc
	mov	%rdi, %rcx
	mov	%rsi, %rax
	mov	%rdx, %r11
	mov	0(%r11), %rdi
	mov	8(%r11), %rsi
	mov	16(%r11), %rdx
	mov	24(%r11), %r10
	mov	32(%r11), %r8
	mov	40(%r11), %r9
signal_stub_begin:
	cmpl	$0, (%rcx)
	jne	signal_stub_aborted
signal_stub_syscall:
	syscall
signal_stub_end:
	ret
signal_stub_aborted:
	mov	$-512, %rax
	ret
	.cfi_endproc
	.size	signal_stub, .-signal_stub

	.globl	signal_restorer
	.type	signal_restorer, @function
signal_restorer:
	mov	$15, %eax
	syscall
	.size	signal_restorer, .-signal_restorer
	.section .note.GNU-stack,"",@progbits
