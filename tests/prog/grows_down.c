// SPDX-License-Identifier: MIT
// A MAP_GROWSDOWN mapping grows when memory below it is touched: within RLIMIT_STACK, and not close to another mapping.
// A function runs on it as its stack.
// TOOL: none
// STDOUT: just below 1, 64 KiB below 1, 16 MiB below -1, above -1
// STDOUT: far from another mapping 1, close to it -1
// STDOUT: as a stack 1000
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
enum { MIB = 1 << 20, PAGE = 4096, RW = PROT_READ | PROT_WRITE, FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED };
static sigjmp_buf back;
static int code;
static ucontext_t here, there;
static int depth_sum;
static void handler(int sig, siginfo_t *info, void *context)
{
    code = info->si_code;
    siglongjmp(back, 1);
}
static int touch(volatile char *p)
{
    if (sigsetjmp(back, 1))
        return -code;
    *p = 1;
    return 1;
}
static int deep(int n)
{
    volatile char frame[600];
    frame[0] = (char)n;
    return n ? deep(n - 1) + 1 + 0 * frame[0] : 0;
}
static void on_stack(void)
{
    depth_sum = deep(1000);
}
int main(void)
{
    stack_t alternate = { .ss_sp = malloc(65536), .ss_size = 65536 };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    struct rlimit limit;
    sigaltstack(&alternate, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 4 * MIB;
    setrlimit(RLIMIT_STACK, &limit);

    char *room = mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(room, 64 * MIB);
    char *p = mmap(room + 60 * MIB, PAGE, RW, FLAGS | MAP_GROWSDOWN, -1, 0);
    printf("just below %d, ", touch(p - 1));
    printf("64 KiB below %d, ", touch(p - 65536));
    printf("16 MiB below %d, ", touch(p - 16 * MIB));
    printf("above %d\n", touch(p + PAGE));

    char *other = mmap(p - 3 * MIB, PAGE, RW, FLAGS, -1, 0);
    printf("far from another mapping %d, ", touch(other + 2 * MIB));
    printf("close to it %d\n", touch(other + MIB / 2));

    char *stack = mmap(room + 40 * MIB, PAGE, RW, FLAGS | MAP_GROWSDOWN, -1, 0);
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = PAGE;
    there.uc_link = &here;
    makecontext(&there, on_stack, 0);
    swapcontext(&here, &there);
    printf("as a stack %d\n", depth_sum);
    return 0;
}
