/* SPDX-License-Identifier: MIT */
/*
 * Copies and string lengths on client memory that may fault.  The instructions between the labels
 * guest_copy_start and guest_copy_end are the only ones that touch client memory; the fault
 * handler sends a fault there to guest_copy_fault (guest_access_fixup).
 */
        .text

/* size_t guest_copy_bytes(void *dst, const void *src, size_t n): bytes NOT copied. */
        .globl  guest_copy_bytes
        .type   guest_copy_bytes, @function
        .globl  guest_copy_start, guest_copy_end, guest_copy_fault
guest_copy_bytes:
        movq    %rdx, %rcx
guest_copy_start:
        rep movsb
        movq    %rcx, %rax
        ret
        .size   guest_copy_bytes, .-guest_copy_bytes

/* size_t guest_copy_strlen(const char *s, size_t max): bytes left of max at the NUL;
   0 if there is none; (size_t)-1 after a fault. */
        .globl  guest_copy_strlen
        .type   guest_copy_strlen, @function
guest_copy_strlen:
        movq    %rsi, %rcx
        testq   %rcx, %rcx
        jz      2f
1:      cmpb    $0, (%rdi)
guest_copy_end:
        je      2f
        incq    %rdi
        decq    %rcx
        jnz     1b
2:      movq    %rcx, %rax
        ret
        .size   guest_copy_strlen, .-guest_copy_strlen

/* RCX is what is left in the copy; a string's caller is told apart by RDX (see the C side). */
        .type   guest_copy_fault, @function
guest_copy_fault:
        movq    %rcx, %rax
        ret
        .size   guest_copy_fault, .-guest_copy_fault

        .section .note.GNU-stack,"",@progbits
