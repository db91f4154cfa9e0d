// SPDX-License-Identifier: MIT
// The trap flag: SIGTRAP after each instruction, system calls included, until it is cleared; NT stays as it was set.
// DIFFERS: Valgrind has no trap flag
// STDOUT: traps: 6, in order: yes, last code TRAP_TRACE: yes
// STDOUT: a call while trapping: pid as before: yes
// STDOUT: set by a handler's return: 2 traps; flag in the context of the first: yes
// STDOUT: NT kept over a call: yes
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
enum { TF = 0x100, NT = 0x4000, MOST = 64 };
static volatile unsigned n;
static unsigned long at[MOST];
static volatile int code, seen, stop_after;
static void on_trap(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)sig;
    seen |= (uc->uc_mcontext.gregs[REG_EFL] & TF) != 0;
    code = info->si_code;
    if (n < MOST)
        at[n] = (unsigned long)uc->uc_mcontext.gregs[REG_RIP];
    n++;
    if (n == (unsigned)stop_after)
        uc->uc_mcontext.gregs[REG_EFL] &= ~(long)TF;
}
static void on_usr1(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)sig, (void)info;
    uc->uc_mcontext.gregs[REG_EFL] |= TF;
}
int main(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_flags = SA_SIGINFO;
    sa.sa_sigaction = on_trap;
    sigaction(SIGTRAP, &sa, NULL);
    sa.sa_sigaction = on_usr1;
    sigaction(SIGUSR1, &sa, NULL);
    unsigned long label, x = 1, fine = 1;
    // each of what follows the first popf, the second included
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tlea 1f(%%rip), %0\n\tpopfq\n"
                     "1:\tnop\n\tadd $1, %1\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tnop\n\tpopfq\n\tnop"
                     : "=&r"(label), "+r"(x) : : "memory", "cc");
    const unsigned long ends[] = { 1, 5, 6, 14, 15, 16 };
    for (unsigned i = 0; i < 6; i++)
        fine &= at[i] == label + ends[i];
    printf("traps: %u, in order: %s, last code TRAP_TRACE: %s\n", n, fine ? "yes" : "no",
           code == TRAP_TRACE ? "yes" : "no");
    long pid;
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tsyscall\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
                     : "=a"(pid) : "0"((long)SYS_getpid) : "rcx", "r11", "memory", "cc");
    printf("a call while trapping: pid as before: %s\n", pid == getpid() ? "yes" : "no");
    n = seen = 0;
    stop_after = 2;
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    printf("set by a handler's return: %u traps; flag in the context of the first: %s\n", n, seen ? "yes" : "no");
    unsigned long flags;
    __asm__ volatile("pushfq\n\torq $0x4000, (%%rsp)\n\tpopfq\n\tsyscall\n\tpushfq\n\tmov (%%rsp), %1\n\t"
                     "andq $~0x4000, (%%rsp)\n\tpopfq"
                     : "=a"(pid), "=&r"(flags) : "0"((long)SYS_getpid) : "rcx", "r11", "memory", "cc");
    printf("NT kept over a call: %s\n", flags & NT ? "yes" : "no");
    return 0;
}
