// SPDX-License-Identifier: MIT
// Condition codes that live across a call, as Go's compiler has it: compared before a jump, used after the
// function that the next block calls has returned.  Each is right the first time it runs, too.
// STDOUT: 1 2 3 1 2 3 
// OPTIONS: --child-silent-after-fork=yes
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int size_of(long n);
int size_after_jump(long n);
__asm__(".text\n"
        "clear: movups %xmm0, -64(%rsp)\n"
        "  movups %xmm0, -48(%rsp)\n"
        "  lea 16(%rdi), %rdi\n"
        "  ret\n"
        ".globl size_of, size_after_jump\n"
        // 3: above 32 (signed), 2: above 32 (unsigned only), 1: neither
        "size_of: mov $3, %eax\n"
        "  cmp $32, %rdi\n"
        "  jg 2f\n"
        "  nopw 0(%rax,%rax,1)\n"
        "  mov %rdi, %rsi\n"
        "  call clear\n"
        "  mov $2, %eax\n"
        "  ja 2f\n"
        "  mov $1, %eax\n"
        "2: ret\n"
        "size_after_jump: mov $3, %eax\n"
        "  cmp $32, %rdi\n"
        "  jg 2f\n"
        "  jmp 1f\n"
        "  ud2\n"
        "1: call clear\n"
        "  lea 2(%rip), %rsi\n"
        "  mov $2, %eax\n"
        "  ja 2f\n"
        "  mov $1, %eax\n"
        "2: ret\n");
// In a child, where neither it nor anything like it has run before.
static void first_time(int (*f)(long n), long n)
{
    if (fork() == 0) {
        printf("%d ", f(n));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}
int main(void)
{
    for (int i = 0; i < 2; i++) {
        first_time(i ? size_after_jump : size_of, 0);
        first_time(i ? size_after_jump : size_of, -1);
        first_time(i ? size_after_jump : size_of, 33);
    }
    printf("\n");
    return 0;
}
