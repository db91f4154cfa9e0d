// SPDX-License-Identifier: MIT
// Pages without any access.  One that was accessible once is still the program's: touching it is between
// the program and the kernel.  One that never was is nobody's.
// DIFFERS: it dies where the name of a file cannot be read
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "valgrind/memcheck.h"

enum { PAGE = 4096 };

static sigjmp_buf back;
static volatile int sink;

static void on_fault(int sig)
{
    siglongjmp(back, sig);
}

/** Everything that is done to memory without access at @p p, once each. */
static void closed(char *p)
{
    if (sigsetjmp(back, 1) == 0)
        sink = *(volatile int *)p;
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)p = 1;
    if (sigsetjmp(back, 1) == 0)
        sink = (int)strlen(p);
    sink = open(p, O_RDONLY);
    sink = VALGRIND_CHECK_MEM_IS_ADDRESSABLE(p, 4) != 0;
}

static void reserved(char *p)
{
    if (sigsetjmp(back, 1) == 0)
        sink = *(volatile int *)p; // EXPECT: Invalid read of size 4
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)p = 1; // EXPECT: Invalid write of size 4
    // EXPECT: Syscall param openat(filename) points to unaddressable byte(s)
    sink = open(p, O_RDONLY);
    // EXPECT: Unaddressable byte(s) found during client check request
    sink = VALGRIND_CHECK_MEM_IS_ADDRESSABLE(p, 4) != 0;
}

int main(void)
{
    char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *q = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *gone = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGSEGV, on_fault);
    memset(p, 1, 3 * PAGE);
    mprotect(p + PAGE, PAGE, PROT_NONE);
    closed(p + PAGE);
    if (sigsetjmp(back, 1) == 0)
        sink = (int)*(volatile long *)(p + PAGE - 4);
    mprotect(p + PAGE, PAGE, PROT_READ);
    sink = p[PAGE] == 1;

    reserved(q + PAGE);
    mprotect(q + PAGE, PAGE, PROT_READ);
    mprotect(q + PAGE, PAGE, PROT_NONE);
    closed(q + PAGE);

    munmap(gone, PAGE);
    // EXPECT: Unaddressable byte(s) found during client check request
    sink = VALGRIND_CHECK_MEM_IS_DEFINED(gone, 4) != 0;
    return 0;
}
