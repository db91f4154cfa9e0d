// SPDX-License-Identifier: MIT
// A stack may have pages that cannot be read, or be such pages altogether: traces end there.
// STDOUT: no access to the frame of a caller
// STDOUT: no access at the stack pointer
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };
static sigjmp_buf back;
static int out[2];
static void *volatile block;

static void *protect(void *frame, int prot)
{
    void *page = (void *)((uintptr_t)frame & ~(uintptr_t)(PAGE - 1));
    if (mprotect(page, PAGE, prot) != 0)
        abort();
    return page;
}

static __attribute__((noinline)) void innermost(void *frame)
{
    block = malloc(10);
    void *page = protect(frame, PROT_NONE);
    free(block);
    block = malloc(11);
    // EXPECT?: Syscall param write(buf) points to uninitialised byte(s)
    ssize_t n = write(out[1], page, 1);
    protect(frame, PROT_READ | PROT_WRITE);
    if (n != -1)
        abort();
    free(block);
}

static __attribute__((noinline)) void middle(void)
{
    volatile char space[4 * PAGE];
    space[0] = 1;
    innermost(__builtin_frame_address(0));
    space[1] = 1;
}

static void on_fault(int sig)
{
    siglongjmp(back, sig);
}

int main(void)
{
    static char other[4 * PAGE] __attribute__((aligned(16)));
    char *no_access = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (no_access == MAP_FAILED || pipe(out) != 0)
        return 1;
    middle();
    puts("no access to the frame of a caller");

    stack_t on_other = { .ss_sp = other, .ss_size = sizeof other };
    struct sigaction act = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };
    sigaltstack(&on_other, NULL);
    sigaction(SIGSEGV, &act, NULL);
    if (sigsetjmp(back, 1) == 0)
        // EXPECT?: Invalid write of size 8
        __asm__ volatile("movq %0, %%rsp\n\tmovq $1, (%%rsp)" : : "r"(no_access + 2 * PAGE) : "memory");
    puts("no access at the stack pointer");
    return 0;
}
