/* SPDX-License-Identifier: MIT */
/* A program without a C library whose instructions, reads, writes and branches can be counted by hand. */
__attribute__((aligned(64))) char array[1 << 20];

__attribute__((naked)) void _start(void)
{
    __asm__("mov $1000, %ecx\n"           /* 1 */
            "1: dec %ecx\n"
            "jnz 1b\n"                    /* 2 * 1000, 1000 conditional */
            "lea array(%rip), %rsi\n"     /* 1 */
            "mov $4096, %ecx\n"           /* 1 */
            "2: mov (%rsi), %eax\n"       /* 4096 reads, each of a new line: all miss */
            "add $64, %rsi\n"
            "dec %ecx\n"
            "jnz 2b\n"                    /* 4 * 4096, 4096 conditional */
            "lea array(%rip), %rdi\n"     /* 1 */
            "mov $10, %ecx\n"             /* 1 */
            "rep stosb\n"                 /* 11: ten writes, and the look that finds 0 */
            "lea array(%rip), %rdi\n"     /* 1 */
            "lea array(%rip), %rsi\n"     /* 1 */
            "mov $5, %ecx\n"              /* 1 */
            "repe cmpsb\n"                /* 6: five times two reads, and the last look */
            "lea 3f(%rip), %rax\n"        /* 1 */
            "jmp *%rax\n"                 /* 1: indirect */
            "3: addl $1, array(%rip)\n"   /* 1: a read that writes back */
            "push $0\n"                   /* 1: a write */
            "pop %rdi\n"                  /* 1: a read */
            "mov $60, %eax\n"             /* 1 */
            "syscall\n");                 /* 1 */
}
