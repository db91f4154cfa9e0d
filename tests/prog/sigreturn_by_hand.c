// SPDX-License-Identifier: MIT
// A frame made by hand, as a threading library may: rt_sigreturn takes registers, flags, mask, alternate stack and
// floating point state from it, or leaves the latter as new if there is none.
// DIFFERS: Valgrind refuses such frames
// TOOL: none
// OPTIONS: --child-silent-after-fork=yes
// CFLAGS: -no-pie
// STDOUT: registers: yes, flags: yes, mask: yes, alternate stack: yes, MXCSR: 1f80
// STDOUT: a frame that cannot be read: SIGSEGV
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <xmmintrin.h>
struct frame { void *restorer; struct { unsigned long flags, link; stack_t stack; long long mc[32]; unsigned long mask; } uc; siginfo_t info; };
enum { R8, R9, R10, R11, R12, R13, R14, R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP, RIP, EFL, SELECTORS };
static struct frame frame __attribute__((aligned(16)));
static char stack[65536] __attribute__((aligned(16))), other[65536];
static unsigned long got[19];
static void arrived(void)
{
    stack_t ss;
    sigset_t mask;
    int ok = 1, cf = got[16] & 1, zf = got[16] >> 6 & 1;
    for (int i = 0; i < 15; i++)
        ok &= got[i] == 0x1000UL + i;
    ok &= got[15] == (unsigned long)(stack + sizeof stack);
    sigprocmask(0, 0, &mask);
    sigaltstack(0, &ss);
    printf("registers: %s, flags: %s, mask: %s, alternate stack: %s, MXCSR: %x\n", ok ? "yes" : "no",
        cf && zf ? "yes" : "no", sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2) ? "yes" : "no",
        ss.ss_sp == other && ss.ss_size == sizeof other ? "yes" : "no", _mm_getcsr());
    fflush(stdout);
    pid_t pid = fork();
    int status;
    if (pid == 0)
        __asm__ volatile("mov $4096, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::: "memory");
    waitpid(pid, &status, 0);
    printf("a frame that cannot be read: %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "SIGSEGV" : "?");
    exit(0);
}
__asm__(".text\nlanding:\n"
        "mov %r8, got(%rip)\nmov %r9, got+8(%rip)\nmov %r10, got+16(%rip)\nmov %r11, got+24(%rip)\n"
        "mov %r12, got+32(%rip)\nmov %r13, got+40(%rip)\nmov %r14, got+48(%rip)\nmov %r15, got+56(%rip)\n"
        "mov %rdi, got+64(%rip)\nmov %rsi, got+72(%rip)\nmov %rbp, got+80(%rip)\nmov %rbx, got+88(%rip)\n"
        "mov %rdx, got+96(%rip)\nmov %rax, got+104(%rip)\nmov %rcx, got+112(%rip)\nmov %rsp, got+120(%rip)\n"
        "pushf\npop got+128(%rip)\nand $-16, %rsp\ncall arrived\n");
extern char landing[];
void *volatile keep = arrived;
int main(void)
{
    _mm_setcsr(0x9f80); /* no floating point state in the frame: a new one */
    for (int i = 0; i < 15; i++)
        frame.uc.mc[i] = 0x1000 + i;
    frame.uc.mc[RSP] = (long)(stack + sizeof stack);
    frame.uc.mc[RIP] = (long)landing;
    frame.uc.mc[EFL] = 0x243;
    frame.uc.mc[SELECTORS] = 0x33 | 0x2bL << 48;
    frame.uc.mask = 1UL << (SIGUSR1 - 1);
    frame.uc.stack = (stack_t){ other, 0, sizeof other };
    __asm__ volatile("lea 8(%0), %%rsp\n\tmov $15, %%eax\n\tsyscall" :: "r"(&frame) : "memory");
    return 1;
}
